package restdoc

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"strings"

	"threadmap/diag"
)

// node reads /node of all generations, and an entry of type
// threadBorderRouter, which holds the same and what a device has.
//
// A border router whose Thread interface is off (state "disabled", or "") fills
// in the stack's defaults: name "OpenThread", an extended PAN id, RLOC16 zero.
// They mean nothing and are left out.
func (e *entry) node(v value) {
	e.r.BorderRouter = diag.Some(true)
	attached, off := false, true
	var role, state string
	e.f.object("node", v, func(key string, v value) {
		switch key {
		case "state":
			state = strings.ToLower(e.f.string(key, v))
		case "role":
			role = strings.ToLower(e.f.string(key, v))
		}
	})
	if state == "" || state == "disabled" && role != "" {
		state = role
	}
	switch state {
	case "leader":
		e.r.Role, attached, off = diag.RoleLeader, true, false
	case "router":
		e.r.Role, attached, off = diag.RoleRouter, true, false
	case "child": // OTBR is a full Thread device that never sleeps
		e.r.Role, attached, off = diag.RoleEndDevice, true, false
	case "detached":
		e.r.Role, off = diag.RoleDetached, false
	case "disabled", "":
	default:
		e.f.add("state", "disabled, detached, child, router or leader", []byte(state))
	}
	if off {
		// What the context knows came from the same defaults.
		e.r.Network = diag.Network{}
	}
	e.f.object("node", v, func(key string, v value) {
		switch key {
		case "extaddress":
			e.own(key, v)
		case "baid":
			if b, ok := e.f.hexBytes(key, v, 16); ok && len(b) == 16 && !allZero(b) {
				e.r.BorderAgentID = hex.EncodeToString(b)
				e.said = true
			}
		case "created":
			e.created3339(v)
		}
		if off {
			return
		}
		switch key {
		case "networkname":
			if s := e.f.string(key, v); s != "" {
				e.r.Network.Name = s
			}
		case "extpanid":
			if x := e.f.hex64(key, v); x != 0 {
				e.r.Network.ExtPANID = diag.PANID64(x)
			}
		}
		if !attached {
			return
		}
		switch key {
		case "rloc16":
			e.r.RLOC16 = e.f.rloc16(key, v)
			e.said = e.said || e.r.RLOC16.Known()
		case "numofrouter", "routercount":
			if n, ok := e.f.uint(key, v, diag.MaxRouterID+1); ok && n > 0 {
				e.r.RouterCount = diag.Some(uint8(n))
			}
		case "rlocaddress":
			if a, ok := e.f.address(key, v); ok {
				e.address(a)
				if _, p, ok := diag.RLOC16FromAddr(a); ok {
					e.r.Network.MeshLocalPrefix = p
				}
			}
		case "leaderdata":
			e.leaderData(key, v)
		}
	})
	if attached {
		e.identifiers(v)
	}
}

// identifiers reads what /api/devices tells of a node's addresses.
func (e *entry) identifiers(v value) {
	prefix := e.r.Network.MeshLocalPrefix
	if !prefix.IsValid() {
		prefix = e.ctx.Network.MeshLocalPrefix
	}
	e.f.object("device", v, func(key string, v value) {
		switch key {
		case "mleidiid":
			iid := e.f.hex64(key, v)
			if iid != 0 && prefix.IsValid() && prefix.Bits() == 64 && prefix.Addr().Is6() {
				b := prefix.Addr().As16()
				binary.BigEndian.PutUint64(b[8:], iid)
				e.address(netip.AddrFrom16(b))
			}
		case "omripv6address":
			if a, ok := e.f.address(key, v); ok {
				e.address(a)
			}
		case "hostname":
			// With or without "default.service.arpa."; the label is the identity.
			label, _, _ := strings.Cut(e.f.string(key, v), ".")
			if label != "" {
				e.r.Hosts = []string{label}
			}
		case "eui64", "eui":
			e.r.EUI64 = diag.ExtAddr(e.f.hex64(key, v))
		}
	})
}

// device reads an entry of /api/devices. It comes from the border router's
// cache. Its mode is not taken: for children two flags are swapped, and for
// routers it is a constant. "child" is no role here, as it does not tell whether
// the child sleeps.
func (e *entry) device(v value) {
	e.r.Cached = true
	e.f.object("device", v, func(key string, v value) {
		switch key {
		case "extaddress":
			e.own(key, v)
		case "role":
			switch s := strings.ToLower(e.f.string(key, v)); s {
			case "router":
				e.r.Role = diag.RoleRouter
			case "leader":
				e.r.Role = diag.RoleLeader
			case "detached":
				e.r.Role = diag.RoleDetached
			case "", "child", "disabled":
			default:
				e.f.add(key, "router, leader, child or detached", v)
			}
		case "rloc16":
			e.r.RLOC16 = e.f.rloc16(key, v)
		case "created":
			e.created3339(v)
		}
	})
	e.identifiers(v)
	e.said = e.said || len(e.r.Addresses) > 0 || e.r.RLOC16.Known()
}

// leaderData reads TLV 6. All zeros are what a stack without a leader shows.
func (e *entry) leaderData(field string, v value) {
	var l diag.LeaderData
	nonzero := false
	u8 := func(key string, v value, limit uint64, to *diag.Opt[uint8]) {
		e.f.optUint8(field+"."+key, v, limit, to)
		nonzero = nonzero || to.Or(0) != 0
	}
	e.f.object(field, v, func(key string, v value) {
		switch key {
		case "partitionid":
			if n, ok := e.f.uint(field+"."+key, v, math.MaxUint32); ok {
				l.PartitionID = diag.Some(uint32(n))
				nonzero = nonzero || n != 0
			}
		case "weighting":
			u8(key, v, 255, &l.Weighting)
		case "dataversion":
			u8(key, v, 255, &l.DataVersion)
		case "stabledataversion":
			u8(key, v, 255, &l.StableDataVersion)
		case "leaderrouterid":
			u8(key, v, diag.MaxRouterID, &l.RouterID)
		}
	})
	if nonzero {
		e.r.Leader = l
	}
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
