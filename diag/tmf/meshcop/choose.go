package meshcop

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"threadmap/diag"
	"threadmap/discovery"
)

// An Agent is a border agent that the LAN announces, or that a person named.
type Agent struct {
	Instance  string           // of the service, raw; "" where a person named the address
	Endpoints []netip.AddrPort // the one to try first in front

	Network       diag.PANID64 // 0: not said
	NetworkName   string
	Partition     diag.Opt[uint32]
	ExtAddr       diag.ExtAddr // of its Thread interface; 0: not said
	BorderAgentID string
	Vendor, Model string
	ThreadVersion string
	State         diag.Opt[uint32] // the state bitmap, raw

	// OneTime: it waits for a one-time code, on a port that a mere try uses up.
	OneTime bool
	// Closed says why it lets no commissioner in, in a few words; "": as far as
	// is known it does.
	Closed string
}

// Connection modes of a border agent's state bitmap (bits 0 to 2).
var modes = [8]string{"it lets no commissioner in", "", "it wants a PSKd", "it wants its vendor's own way in", "it wants a certificate"}

// Choose lists the border agents among the services, by network and partition,
// in each the one to ask first in front: those that let a commissioner in with
// the network's PSKc, on the mesh, with high availability, routers before
// children. Those that wait for a one-time code are listed, too, with the
// network of the border router that has the same host or address.
//
// It is pure: nothing is asked, so no one-time code is used up.
func Choose(services []discovery.Service) []Agent {
	var out []Agent
	rank := map[string]int{}
	add := func(a Agent, score int) {
		if len(a.Endpoints) > 0 {
			rank[key(&a)] = score
			out = append(out, a)
		}
	}
	for i := range services {
		s := &services[i]
		if s.Kind == discovery.KindMeshCoP {
			a, score := announced(s)
			add(a, score)
		}
	}
	for i := range services {
		s := &services[i]
		if s.Kind != discovery.KindMeshCoPE {
			continue
		}
		a := Agent{}
		for k := range services {
			if o := &services[k]; o.Kind == discovery.KindMeshCoP && sameHost(s, o) {
				a, _ = announced(o)
				break
			}
		}
		a.Instance, a.Endpoints, a.OneTime, a.Closed = s.Instance, ordered(s.Endpoints()), true, ""
		add(a, 0)
	}
	slices.SortStableFunc(out, func(a, b Agent) int {
		x, y := a.Partition.Or(0), b.Partition.Or(0)
		return cmp.Or(cmp.Compare(a.Network, b.Network), cmp.Compare(x, y), cmp.Compare(rank[key(&b)], rank[key(&a)]),
			cmp.Compare(a.BorderAgentID, b.BorderAgentID), cmp.Compare(a.Instance, b.Instance), a.Endpoints[0].Compare(b.Endpoints[0]))
	})
	return out
}

func key(a *Agent) string { return fmt.Sprint(a.OneTime, a.Instance, a.Endpoints) }

// announced reads a `_meshcop._udp` service. A larger score is a better choice.
func announced(s *discovery.Service) (a Agent, score int) {
	t := discovery.ParseMeshCoP(s.TXT)
	a = Agent{
		Instance: s.Instance, Endpoints: ordered(s.Endpoints()), Network: diag.PANID64(t.ExtPANID), NetworkName: t.NetworkName,
		ExtAddr: diag.ExtAddr(t.ExtAddr), BorderAgentID: t.BorderAgentID, Vendor: t.Vendor, Model: t.Model, ThreadVersion: t.ThreadVersion,
	}
	if t.PartitionID.Known {
		a.Partition = diag.Some(t.PartitionID.Value)
	}
	sb := t.State.Value
	if !t.State.Known {
		return a, 1 // nothing said against it
	}
	a.State = diag.Some(uint32(sb))
	switch {
	case sb.ConnectionMode() != 1:
		if a.Closed = modes[sb.ConnectionMode()]; a.Closed == "" {
			a.Closed = fmt.Sprintf("it wants connection mode %d", sb.ConnectionMode())
		}
		return a, -2
	case sb.Interface() != discovery.InterfaceActive:
		a.Closed = "it is not attached to a mesh"
		return a, -1
	}
	score = 2
	if sb.HighAvailability() {
		score += 8
	}
	switch sb.Role() {
	case discovery.RoleRouter, discovery.RoleLeader:
		score += 4
	case discovery.RoleChild:
		score -= 2 // old firmware, which says nothing, is rather a router
	}
	return a, score
}

func sameHost(a, b *discovery.Service) bool {
	if !a.Host.IsRoot() && a.Host.Equal(b.Host) {
		return true
	}
	return slices.ContainsFunc(a.Addresses, func(x netip.Addr) bool {
		// Link-local addresses are told apart by their zones only within a host.
		return !x.IsLinkLocalUnicast() && slices.Contains(b.Addresses, x)
	})
}

// ordered puts the addresses that are most likely to be reached in front:
// IPv6 of the LAN, IPv4, then link-local ones, which need their zone.
func ordered(list []netip.AddrPort) []netip.AddrPort {
	list = slices.Clone(list)
	class := func(a netip.Addr) int {
		switch {
		case a.IsLinkLocalUnicast() && (a.Zone() != "" || a.Is4()):
			return 2
		case a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified():
			return 3
		case a.Is4() || a.Is4In6():
			return 1
		}
		return 0
	}
	list = slices.DeleteFunc(list, func(a netip.AddrPort) bool { return class(a.Addr()) == 3 || a.Port() == 0 })
	slices.SortStableFunc(list, func(a, b netip.AddrPort) int {
		return cmp.Or(cmp.Compare(class(a.Addr()), class(b.Addr())), a.Compare(b))
	})
	return list
}
