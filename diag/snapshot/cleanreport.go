package snapshot

import (
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag"
)

// report holds a report against the vocabulary. It always stays: a report of
// which nothing else can be believed still says that somebody was heard.
func (k *cleaner) report(r *diag.Report) bool {
	k.weight += weightReport
	if r.Source = k.name(r.Source, maxWord); r.Source == "" {
		k.odd("report that does not say its source")
		r.Source = "unknown"
	}
	r.Via, r.Session = k.name(r.Via, maxLine), k.name(r.Session, maxLine)
	r.At = k.time(r.At)
	k.identity(r)
	k.properties(r)
	k.network(&r.Network)
	most(k, &r.Leader.RouterID, diag.MaxRouterID, badRouterID)

	r.Children = list(k, r.Children, weightRow, k.neighbor)
	r.Neighbors = list(k, r.Neighbors, weightRow, k.neighbor)
	r.Routes = list(k, r.Routes, weightRow, k.route)
	most(k, &r.RouterCount, diag.MaxRouterID+1, "router count above 63")
	if c, known := r.Connectivity.Get(); known && (c.ParentPriority < -1 || c.ParentPriority > 1) {
		k.odd("parent priority outside -1 to 1")
		r.Connectivity = diag.Opt[diag.Connectivity]{}
	}
	k.duration(&r.MaxChildTimeout)
	k.duration(&r.Timeout)
	k.counters(r)
	return true
}

const (
	badRouterID = "router id above 62"
	badQuality  = "link quality above 3"
)

// identity cleans what says who speaks.
func (k *cleaner) identity(r *diag.Report) {
	r.Own = list(k, r.Own, weightElement, func(c *diag.AddrClaim) bool {
		ok := c.ExtAddr != 0 && c.Witness >= diag.WitnessDiagnostic && c.Witness <= diag.WitnessHost
		if !ok {
			k.lost("extended address of zero or by an unknown witness", 1)
		}
		return ok
	})
	if r.BorderAgentID != "" && (len(r.BorderAgentID) != 32 || strings.Trim(r.BorderAgentID, "0123456789abcdef") != "") {
		k.odd("border agent id that is not 32 hexadecimal digits")
		r.BorderAgentID = ""
	}
	if r.HAPID != "" && !diag.IsHAPID(r.HAPID) {
		k.odd("HomeKit pairing id that is not six octets")
		r.HAPID = ""
	}
	r.Matter = list(k, r.Matter, weightElement, func(m *diag.MatterID) bool {
		if m.Node == 0 {
			k.lost("Matter node id of zero", 1)
		}
		return m.Node != 0
	})
	r.Hosts = k.texts(r.Hosts)
	r.Instances = k.texts(r.Instances)
	r.Names = list(k, r.Names, weightElement, func(n *diag.Name) bool {
		n.Value = k.name(n.Value, maxName)
		ok := n.Value != "" && n.Kind >= diag.NameAlias && n.Kind <= diag.NameHost
		if !ok {
			k.lost("name that is empty or of an unknown kind", 1)
		}
		return ok
	})
	r.Addresses = k.addresses(r.Addresses)
}

// properties cleans what says what the speaker is.
func (k *cleaner) properties(r *diag.Report) {
	switch r.Transport {
	case diag.TransportUnknown, diag.TransportThread, diag.TransportWiFi, diag.TransportEthernet:
	default:
		k.odd("unknown transport")
		r.Transport = diag.TransportUnknown
	}
	switch r.Role {
	case diag.RoleUnknown, diag.RoleDetached, diag.RoleSleepyEndDevice, diag.RoleEndDevice, diag.RoleREED, diag.RoleRouter, diag.RoleLeader:
	default:
		k.odd("unknown role")
		r.Role = diag.RoleUnknown
	}
	for _, s := range []*string{&r.Vendor, &r.Product, &r.Firmware, &r.ThreadStack, &r.Room} {
		*s = k.name(*s, maxName)
	}
	r.DeviceTypes = list(k, r.DeviceTypes, weightElement, func(*uint32) bool { return true })
	most(k, &r.BatteryPercent, 100, "battery above 100 %")
	k.duration(&r.UpTime)
	if icd, known := r.ICD.Get(); known {
		k.duration(&icd.IdleModeDuration)
		k.duration(&icd.ActiveModeDuration)
		k.duration(&icd.ActiveModeThreshold)
		k.duration(&icd.SessionIdleInterval)
		k.duration(&icd.SessionActiveInterval)
		k.duration(&icd.SessionActiveThreshold)
		icd.UserActiveModeTriggerInstruction = k.name(icd.UserActiveModeTriggerInstruction, maxName)
		r.ICD = diag.Some(icd)
	}
	if ba, known := r.BorderAgent.Get(); known {
		ba.Endpoints = list(k, ba.Endpoints, weightElement, func(e *netip.AddrPort) bool {
			a := e.Addr()
			ok := k.address(&a) && e.Port() != 0
			if !ok {
				k.lost("border agent endpoint that is none", 1)
			}
			return ok
		})
		r.BorderAgent = diag.Some(ba)
	}
}

func (k *cleaner) network(n *diag.Network) {
	n.Name = k.name(n.Name, maxName)
	if v, _ := n.PANID.Get(); v == 0xffff { // the broadcast PAN id
		k.odd("PAN id 0xffff")
		n.PANID = diag.Opt[uint16]{}
	}
	if n.MeshLocalPrefix != (netip.Prefix{}) && !k.prefix(&n.MeshLocalPrefix) {
		k.odd(badPrefix)
		n.MeshLocalPrefix = netip.Prefix{}
	}
	n.OMRPrefixes = list(k, n.OMRPrefixes, weightElement, func(p *netip.Prefix) bool {
		ok := k.prefix(p)
		if !ok {
			k.lost(badPrefix, 1)
		}
		return ok
	})
	n.BorderRouters = list(k, n.BorderRouters, weightElement, func(r *diag.RLOC16) bool {
		if !r.Known() {
			k.lost("border router without an RLOC16", 1)
		}
		return r.Known()
	})
	if len(n.NetworkData) > maxNetData {
		k.odd("network data too long to be any")
		n.NetworkData = nil
	}
}

func (k *cleaner) neighbor(n *diag.Neighbor) bool {
	most(k, &n.LinkQualityIn, 3, badQuality)
	k.duration(&n.Age)
	k.duration(&n.ConnectedFor)
	k.duration(&n.Timeout)
	k.duration(&n.Supervision)
	n.Addresses = k.addresses(n.Addresses)
	return true
}

func (k *cleaner) route(r *diag.Route) bool {
	if r.RouterID > diag.MaxRouterID {
		k.lost("route to a "+badRouterID, 1)
		return false
	}
	most(k, &r.NextHop, diag.MaxRouterID+1, "next hop above 63")
	most(k, &r.LinkQualityIn, 3, badQuality)
	most(k, &r.LinkQualityOut, 3, badQuality)
	k.duration(&r.Age)
	return true
}

// counters keeps names that could be a counter's: newer versions may know more
// of them.
func (k *cleaner) counters(r *diag.Report) {
	const maxCounters = 256
	bad := func(c diag.Counter) bool {
		return c == "" || len(c) > maxWord || strings.ContainsFunc(string(c), func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
	}
	k.weight += weightElement * len(r.Counters)
	if len(r.Counters) <= maxCounters {
		fine := true
		for c := range r.Counters {
			fine = fine && !bad(c)
		}
		if fine {
			return
		}
	}
	names := make([]diag.Counter, 0, min(len(r.Counters), maxRows))
	for c := range r.Counters {
		if !bad(c) {
			names = append(names, c)
		}
	}
	slices.Sort(names) // which ones stay must not depend on the order of a map
	names = names[:min(len(names), maxCounters)]
	kept := make(map[diag.Counter]uint64, len(names))
	for _, c := range names {
		kept[c] = r.Counters[c]
	}
	k.lost("counter too many or without a proper name", len(r.Counters)-len(kept))
	if r.Counters = kept; len(kept) == 0 {
		r.Counters = nil
	}
}

// texts keeps identifying labels.
func (k *cleaner) texts(in []string) []string {
	return list(k, in, weightElement, func(s *string) bool {
		if *s = k.name(*s, maxName); *s == "" {
			k.lost("label without a text", 1)
		}
		return *s != ""
	})
}

func (k *cleaner) addresses(in []netip.Addr) []netip.Addr {
	return list(k, in, weightElement, func(a *netip.Addr) bool {
		ok := k.address(a)
		if !ok {
			k.lost("address that is none", 1)
		}
		return ok
	})
}

// address reports whether a is an address that somebody could have. A zone is
// the name or number of an interface of the asking machine.
func (k *cleaner) address(a *netip.Addr) bool {
	z := a.Zone()
	return a.IsValid() && !a.IsUnspecified() && len(z) <= maxWord &&
		!strings.ContainsFunc(z, func(r rune) bool { return r <= ' ' || r > '~' || r == '%' || r == '[' || r == ']' })
}

// prefix keeps IPv6 prefixes, without host bits.
func (k *cleaner) prefix(p *netip.Prefix) bool {
	*p = p.Masked()
	return p.IsValid() && p.Addr().Is6() && !p.Addr().Is4In6()
}

const badPrefix = "prefix that is not of IPv6"
