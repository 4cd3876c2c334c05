package dnssd

import (
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/discovery"
)

// device takes a Matter or HomeKit device. A host named by an extended address
// is one radio; another host may be a machine with several programs, which
// differ by their ports.
func (g *gathering) device(s *discovery.Service) {
	what, x := discovery.Host(s.Host)
	// Programs that find no MAC address make 16 random digits; a host with an
	// IPv4 address is no Thread node.
	thread := what == discovery.HostExtAddr && !slices.ContainsFunc(s.Addresses, netip.Addr.Is4)
	key := hostKey(s, !thread)
	if s.Host.IsRoot() {
		key = "instance " + strings.ToLower(s.Name.String())
	}
	n := g.node(key)
	g.heard(n, s)
	switch {
	case thread && s.Kind != discovery.KindHAP:
		n.claim(x, diag.WitnessHost)
		n.Transport = diag.TransportThread
	case s.Kind == discovery.KindHAP: // over UDP, which only Thread accessories speak
		n.Transport = diag.TransportThread
	}
	for _, a := range s.Addresses {
		if keepAddress(a, thread, x) {
			n.Addresses = append(n.Addresses, a)
		}
	}
	switch s.Kind {
	case discovery.KindMatter:
		if o, ok := discovery.ParseOperational(s.Instance, s.TXT); ok {
			n.Matter = append(n.Matter, diag.MatterID{Fabric: o.Fabric, Node: o.Node})
			n.session(o.Session)
		}
	case discovery.KindMatterC:
		c := discovery.ParseCommissionable(s.TXT)
		n.session(c.Session)
		if c.DeviceName != "" {
			n.Names = append(n.Names, diag.Name{Value: text(c.DeviceName), Kind: diag.NameInstance})
		}
		if c.DeviceType.Known {
			n.DeviceTypes = append(n.DeviceTypes, c.DeviceType.Value)
		}
	case discovery.KindHAP:
		n.Names = append(n.Names, diag.Name{Value: text(s.Instance), Kind: diag.NameInstance})
		hap := discovery.ParseHAP(s.TXT)
		set(&n.Product, hap.Model)
		if diag.IsHAPID(hap.ID) {
			n.HAPID = hap.ID
		}
	}
}

// ownHost reports whether the host names the node alone: a radio's does, while
// a machine's is shared by all that runs on it, which would be taken for one
// node where nothing better names them.
func (n *node) ownHost() bool {
	return len(n.Own) > 0 || len(n.Matter) > 0 || n.BorderAgentID != "" || n.Transport == diag.TransportThread
}

// session notes the intervals; all fabrics of a device say the same.
func (n *node) session(s discovery.Session) {
	icd, _ := n.ICD.Get()
	setOpt(&icd.SessionIdleInterval, s.Idle)
	setOpt(&icd.SessionActiveInterval, s.Active)
	setOpt(&icd.SessionActiveThreshold, s.Threshold)
	setOpt(&icd.LIT, s.LIT)
	if icd.SessionIdleInterval.Known() || icd.SessionActiveInterval.Known() || icd.SessionActiveThreshold.Known() || icd.LIT.Known() {
		n.ICD = diag.Some(icd)
	}
}

// keepAddress reports whether an address goes into the report. A link-local one
// does where it is the radio's: that of a LAN interface would be read as
// another extended address.
func keepAddress(a netip.Addr, thread bool, x uint64) bool {
	if !a.IsLinkLocalUnicast() {
		return true
	}
	own, ok := diag.ExtAddrFromLinkLocal(a)
	return thread && ok && own == diag.ExtAddr(x)
}
