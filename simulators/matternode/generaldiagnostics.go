package matternode

import (
	"net/netip"
	"time"

	"threadmap/tlv"
)

// Interface types.
const (
	interfaceWiFi     = 1
	interfaceEthernet = 2
	interfaceThread   = 4
)

// generalDiagnosticsServer tells of interfaces and starts.
var generalDiagnosticsServer = server{id: generalDiagnostics, revision: revision(2), attributes: func(n *Node, _ *asker, t *table) {
	up := n.upTime()
	t.list(0, changes, n.interfaces)
	t.uint(1, changes, uint64(n.reboots))
	t.uint(2, changesOmitted, uint64(up/time.Second))
	t.uint(3, changesOmitted, uint64(up/time.Hour))
	t.uint(4, changes, uint64(n.bootReason))
	t.numbers(5, changes, nil)
	t.numbers(6, changes, nil)
	t.numbers(7, changes, nil)
	t.bool(8, changes, false)
}, commands: []command{
	{id: 1, response: 2, privilege: operate, run: func(n *Node, _ *asker, _ []byte) answer {
		return answer{fields: func(e *tlv.Encoder) {
			putUint(e, 0, uint64(n.upTime()/time.Millisecond))
			putNull(e, 1)
		}}
	}},
}}

// interfaces puts NetworkInterfaces, the radio first. Its hardware address is
// the extended address of now, as in connectedhomeip's platform layers; of its
// addresses there is room for eight.
func (n *Node) interfaces(e *tlv.Encoder) {
	const ipv4, ipv6 = 5, 6
	d := &n.device
	put := func(name string, up bool, mac []byte, addresses []netip.Addr, kind uint64) {
		entry(e, func() {
			putText(e, 0, name)
			putBool(e, 1, up)
			putNull(e, 2)
			putNull(e, 3)
			putOctets(e, 4, mac)
			putAddresses(e, ipv4, addresses, 4, netip.Addr.Is4)
			putAddresses(e, ipv6, addresses, 8, netip.Addr.Is6)
			putUint(e, 7, kind)
		})
	}
	if v, i := d.threadNode(); v != nil {
		_, attached := v.ParentRow(i)
		put("wpan0", attached || v.Node(i).IsRouter(), bigEndian(uint64(v.Node(i).ExtAddr)), v.Addresses(i), interfaceThread)
	}
	switch {
	case d.hasLAN() && d.Ethernet:
		put("eth0", true, d.MAC[:], d.Addresses, interfaceEthernet)
	case d.hasLAN():
		put("wlan0", true, d.MAC[:], d.Addresses, interfaceWiFi)
	}
}

// putAddresses puts the addresses of one family, as many as there is room for.
func putAddresses(e *tlv.Encoder, tag uint8, addresses []netip.Addr, room int, family func(netip.Addr) bool) {
	e.Array(tlv.Context(tag))
	for _, a := range addresses {
		if family(a) && room > 0 {
			room--
			e.PutOctets(tlv.Anonymous, a.WithZone("").AsSlice())
		}
	}
	e.End()
}
