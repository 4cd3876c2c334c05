package otbr

import (
	"fmt"
	"time"

	"threadmap/simulators/mesh"
)

// collect makes the device collection: the full Thread devices that answered,
// and the children that routers told of.
func (s *Server) collect(now time.Time) []resource {
	v := s.view
	var out []resource
	listed := map[int]bool{}
	add := func(i int, twice bool) {
		if listed[i] || v.Hidden(i) && i != s.self {
			return
		}
		listed[i] = true
		e := resource{id: v.Node(i).ExtAddr.String(), kind: "threadDevice", attributes: s.device(i), created: now}
		if i == s.self {
			e.kind, e.attributes = "threadBorderRouter", append(e.attributes, s.borderRouter()...)
		}
		if twice {
			e.updated = now
		}
		out = append(out, e)
	}
	for i := range v.Mesh().Nodes {
		n := v.Node(i)
		if n.Partition != v.Node(s.self).Partition || !n.Mode.FullThreadDevice || !v.Answers(i) && i != s.self {
			continue
		}
		add(i, !n.IsRouter()) // a full Thread device that is a child is told of by its parent too
		if n.IsRouter() && !v.LostLists(i) {
			for _, c := range v.Children(i) {
				if !v.Node(c.Node).Mode.FullThreadDevice || !v.Answers(c.Node) {
					add(c.Node, false)
				}
			}
		}
	}
	return out
}

// device is the attributes that every device has.
func (s *Server) device(i int) object {
	v, n := s.view, s.view.Node(i)
	role, m := "router", n.Mode
	if !n.IsRouter() {
		// The agent fills in the mode of a child by position, and so mixes up
		// two of its flags.
		role, m.RxOnWhenIdle, m.FullThreadDevice = "child", n.Mode.FullThreadDevice, n.Mode.RxOnWhenIdle
	}
	if i == s.self {
		role = state(v, i)
	}
	omr := "::"
	if a := v.OMR(i); len(a) > 0 {
		omr = a[0].String()
	}
	return s.words(object{
		{"extAddress", n.ExtAddr.String()}, {"mlEidIid", fmt.Sprintf("%016x", n.MLEIID)}, {"omrIpv6Address", omr}, {"hostname", ""}, {"role", role},
		{"mode", object{{"fullThreadDevice", m.FullThreadDevice}, {"rxOnWhenIdle", m.RxOnWhenIdle}, {"fullNetworkData", m.FullNetworkData}}},
	})
}

// borderRouter is the attributes that the border router has besides.
func (s *Server) borderRouter() object {
	v, n, m := s.view, s.view.Node(s.self), s.view.Mesh()
	return object{
		{"baId", n.BorderAgentID}, {"baState", "active"}, {"state", state(v, s.self)}, {"routerCount", v.Routers(s.self)},
		{"rlocAddress", v.RLOC(s.self).String()}, {"networkName", m.Name}, {"rloc16", rloc16(n.RLOC16())}, {"routerId", n.RouterID},
		{"leaderData", leaderData(v.Leader(s.self))}, {"extPanId", m.ExtPANID.String()},
	}
}

// disabled is the border router as the agent has it before the first update:
// nothing but its own address is known.
func (s *Server) disabled(id string) resource {
	n := s.view.Node(s.self)
	return resource{id: id, kind: "threadBorderRouter", created: s.boot, attributes: s.words(object{
		{"extAddress", n.ExtAddr.String()}, {"mlEidIid", "0000000000000000"}, {"omrIpv6Address", "::"}, {"hostname", ""}, {"role", ""},
		{"mode", object{{"fullThreadDevice", false}, {"rxOnWhenIdle", false}, {"fullNetworkData", false}}},
		{"baId", n.BorderAgentID}, {"baState", "enabled"}, {"state", "disabled"}, {"routerCount", 0}, {"rlocAddress", "::"}, {"networkName", ""},
		{"rloc16", "0x0000"}, {"routerId", 0}, {"leaderData", leaderData(mesh.Partition{})}, {"extPanId", s.view.Mesh().ExtPANID.String()},
	})}
}

// listDevices is GET /api/devices.
func (s *Server) listDevices() []resource {
	out := append([]resource(nil), s.devices...)
	switch {
	case s.o.OldID != 0:
		return append(out, s.disabled(s.o.OldID.String()))
	case len(out) == 0:
		return append(out, s.disabled(s.id.String()))
	}
	return out
}

// nodeResource is GET /api/node: nothing while the agent looks for itself
// under an address that it no longer has.
func (s *Server) nodeResource() []resource {
	for _, e := range s.devices {
		if e.id == s.id.String() {
			return []resource{e}
		}
	}
	if s.o.OldID != 0 {
		return nil
	}
	return []resource{s.disabled(s.id.String())}
}
