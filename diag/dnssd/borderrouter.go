package dnssd

import (
	"fmt"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/discovery"
)

// meshCoP takes a border agent. It is known by its id, its extended address and
// its network together: the same ones are the same border router, whoever
// announces it and under whatever instance name (a responder renames one that
// it thinks is taken). A border router that changed its radio address is two
// reports at two times, with one id.
func (g *gathering) meshCoP(s *discovery.Service) {
	m := discovery.ParseMeshCoP(s.TXT)
	key := fmt.Sprintf("br %s %016x %016x", m.BorderAgentID, m.ExtAddr, m.ExtPANID)
	if m.BorderAgentID == "" && m.ExtAddr == 0 {
		key = "br " + strings.ToLower(s.Name.String()) + " " + hostKey(s, false)
	}
	n := g.node(key)
	newest := n.At.IsZero() || s.Last.After(n.At) // before heard sets the time
	g.heard(n, s)
	n.hosts = append(n.hosts, strings.ToLower(s.Host.String()))
	n.claim(m.ExtAddr, diag.WitnessMeshCoP)
	n.Names = append(n.Names, diag.Name{Value: text(s.Instance), Kind: diag.NameInstance})
	n.BorderRouter = diag.Some(true)
	n.Transport = diag.TransportThread
	set(&n.BorderAgentID, m.BorderAgentID)
	set(&n.Vendor, m.Vendor)
	set(&n.Product, m.Model)
	if v, ok := threadVersion(m.ThreadVersion); ok {
		n.ThreadVersion = diag.Some(v)
	}
	n.Network.ExtPANID = diag.PANID64(m.ExtPANID)
	set(&n.Network.Name, m.NetworkName)
	setOpt(&n.Network.ActiveTimestamp, m.ActiveTimestamp)
	if m.OMRPrefix.IsValid() && !slices.Contains(n.Network.OMRPrefixes, m.OMRPrefix) {
		n.Network.OMRPrefixes = append(n.Network.OMRPrefixes, m.OMRPrefix)
	}
	ba, _ := n.BorderAgent.Get()
	ba.Endpoints = append(ba.Endpoints, s.Endpoints()...)
	if newest {
		if m.State.Known {
			ba.StateBitmap = diag.Some(uint32(m.State.Value))
			n.Role = role(m.State.Value)
		}
		if m.PartitionID.Known {
			n.Leader.PartitionID = diag.Some(m.PartitionID.Value)
		}
	}
	n.BorderAgent = diag.Some(ba)
	// A link-local address is that of the LAN's interface, not of the radio:
	// topology would read another extended address out of it. The endpoints
	// have it.
	for _, a := range s.Addresses {
		if !a.IsLinkLocalUnicast() {
			n.Addresses = append(n.Addresses, a)
		}
	}
}

// role is what the state bitmap says, where it says it. A child may be a
// router to be; Mode.Role says "end device" of one, too.
func role(s discovery.StateBitmap) diag.Role {
	switch s.Role() {
	case discovery.RoleChild:
		return diag.RoleEndDevice
	case discovery.RoleRouter:
		return diag.RoleRouter
	case discovery.RoleLeader:
		return diag.RoleLeader
	}
	return diag.RoleUnknown
}

// threadVersion is Thread's number for "1.3.0" (Thread 8.4.1.1.2; see
// diag.ThreadVersionName).
func threadVersion(s string) (uint16, bool) {
	for v := uint16(1); diag.ThreadVersionName(v) != ""; v++ {
		if name := diag.ThreadVersionName(v); s == name || strings.HasPrefix(s, name+".") {
			return v, true
		}
	}
	return 0, false
}

// trel takes a TREL peer: more of a border router that is known by the same
// extended address and network, else a radio of its own.
func (g *gathering) trel(s *discovery.Service) {
	t := discovery.ParseTREL(s.TXT)
	if t.ExtAddr == 0 {
		return
	}
	var n *node
	for _, o := range g.nodes {
		if strings.HasPrefix(o.key, "br ") && slices.ContainsFunc(o.Own, func(c diag.AddrClaim) bool { return c.ExtAddr == diag.ExtAddr(t.ExtAddr) }) &&
			(t.ExtPANID == 0 || o.Network.ExtPANID == 0 || o.Network.ExtPANID == diag.PANID64(t.ExtPANID)) {
			n = o
			break
		}
	}
	if n == nil {
		n = g.node(fmt.Sprintf("trel %016x %016x", t.ExtAddr, t.ExtPANID))
		n.claim(t.ExtAddr, diag.WitnessMeshCoP)
		n.Transport = diag.TransportThread
		n.Network.ExtPANID = diag.PANID64(t.ExtPANID)
	}
	g.heard(n, s)
}

// ephemeral takes a border agent that waits for an ephemeral key. Its instance
// name may differ from the border agent's, its TXT is empty: the host says
// whose it is, where one border agent only is on that host. Its port is not
// kept: it is gone with the key.
func (g *gathering) ephemeral(s *discovery.Service) {
	host := strings.ToLower(s.Host.String())
	var n *node
	for _, o := range g.nodes {
		if s.Host.IsRoot() || !slices.Contains(o.hosts, host) {
			continue
		}
		if n != nil {
			return // two border agents on this host
		}
		n = o
	}
	if n == nil {
		n = g.node("br " + strings.ToLower(s.Name.String()) + " " + hostKey(s, false))
		n.BorderRouter, n.Transport = diag.Some(true), diag.TransportThread
	}
	g.heard(n, s)
	ba, _ := n.BorderAgent.Get()
	ba.EphemeralKey = diag.Some(true)
	n.BorderAgent = diag.Some(ba)
}
