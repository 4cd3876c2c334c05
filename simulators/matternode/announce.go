package matternode

import (
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag/matter/fabric"
	"threadmap/simulators/mdns"
)

// A Place is where a node is announced to be, whether it listens there or not.
type Place struct {
	Host  string // label; default the extended address, else the MAC
	Port  uint16
	Addrs []netip.Addr
}

// Services are what the node announces: itself in each of its fabrics
// (`_matter._tcp`), and that it waits to be paired while it does
// (`_matterc._udp`).
func (n *Node) Services(at Place) []mdns.Service {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at.Host == "" {
		at.Host = fmt.Sprintf("%016X", uint64(n.device.Thread.Node))
		if !n.device.hasThread() {
			at.Host = fmt.Sprintf("%012X", n.device.MAC[:])
		}
	}
	var out []mdns.Service
	for _, f := range n.owners() {
		m := f.Member
		out = append(out, mdns.Service{
			Kind: "_matter._tcp", Subtypes: []string{fmt.Sprintf("_I%016X", m.CompressedID())},
			Instance: fabric.InstanceName(m.CompressedID(), m.NodeID), Host: at.Host, Port: at.Port, Addrs: at.Addrs, TXT: n.txt(),
		})
	}
	if w := &n.window; w.isOpen() {
		d := &n.device
		txt := [][]byte{
			pair("VP", "%d+%d", d.VendorID, d.ProductID), pair("DT", "%d", d.Type), pair("DN", "%s", d.Model),
			pair("CM", "%d", w.mode), pair("D", "%d", w.discriminator), pair("PH", "%d", 33),
		}
		out = append(out, mdns.Service{
			Kind: "_matterc._udp", Instance: w.instance, Host: at.Host, Port: at.Port, Addrs: at.Addrs, TXT: append(txt, n.txt()...),
			Subtypes: []string{
				fmt.Sprintf("_S%d", w.discriminator>>8), fmt.Sprintf("_L%d", w.discriminator), fmt.Sprintf("_V%d", d.VendorID), fmt.Sprintf("_T%d", d.Type), "_CM",
			},
		})
	}
	return out
}

func pair(key, format string, args ...any) []byte { return fmt.Appendf(nil, key+"="+format, args...) }

// txt is what both kinds of announcements say of sessions. While it is idle for
// long the node does not say how long. The lock is held.
func (n *Node) txt() [][]byte {
	if n.o.Quirks.EmptyTXT {
		return nil
	}
	ms := func(d time.Duration) int64 { return d.Milliseconds() }
	var out [][]byte
	p, lit := n.o.Parameters, n.operatingMode() == operatingModeLIT
	if !lit {
		out = append(out, pair("SII", "%d", ms(p.Idle)))
	}
	out = append(out, pair("SAI", "%d", ms(p.Active)), pair("SAT", "%d", ms(p.ActiveThreshold)), pair("T", "0"))
	switch {
	case lit:
		out = append(out, pair("ICD", "1"))
	case n.device.ICD != nil && n.device.ICD.LIT:
		out = append(out, pair("ICD", "0"))
	}
	return out
}
