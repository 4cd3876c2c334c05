package matternode

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/im"
	"threadmap/simulators/mesh"
	"threadmap/tlv"
)

// RoutingRoleEnum.
const (
	roleUnassigned = 1
	roleSleepy     = 2
	roleEndDevice  = 3
	roleREED       = 4
	roleRouter     = 5
	roleLeader     = 6
)

// allCounters are the four features of the cluster.
const allCounters = 0xF

var threadNetworkDiagnosticsServer = server{
	id: threadNetworkDiagnostics,
	revision: func(n *Node) uint16 {
		if n.o.Quirks.OldRevision {
			return 2
		}
		return 3
	},
	features:   features(allCounters),
	attributes: func(n *Node, _ *asker, t *table) { n.thread(t) },
	commands: []command{
		{id: 0, response: noResponse, privilege: manage, run: func(*Node, *asker, []byte) answer { return answer{} }},
	},
}

// threadValues is the whole cluster. The lock is held.
func (n *Node) threadValues() tableOf {
	t := &table{want: all}
	n.thread(t)
	return tableOf{threadNetworkDiagnostics, t.values}
}

// thread is Thread Network Diagnostics. The lock is held.
func (n *Node) thread(t *table) {
	v, i := n.device.threadNode()
	if v == nil {
		return
	}
	if n.o.Quirks.NoThreadData {
		n.noThread(t)
		return
	}
	x, m, p := v.Node(i), v.Mesh(), v.Leader(i)
	_, attached := v.ParentRow(i)
	attached = attached || x.IsRouter()
	t.uint(0x00, changes, uint64(m.Channel))
	t.uint(0x01, changes, routingRole(v, i, attached))
	t.text(0x02, changes, m.Name)
	t.uint(0x03, changes, uint64(m.PANID))
	t.uint(0x04, changes, uint64(m.ExtPANID))
	t.octets(0x05, changes, prefixOctets(m.MeshLocalPrefix))
	t.uint(0x06, changesOmitted, 0)
	// Tables are what they are when they are read; nothing tells subscribers.
	t.list(0x07, changesOmitted, func(e *tlv.Encoder) { putNeighbors(e, v, i) })
	switch {
	case x.Mode.FullThreadDevice:
		t.list(0x08, changesOmitted, func(e *tlv.Encoder) { putRoutes(e, v, i) })
	case n.o.Quirks.NoParentRoute:
		t.numbers(0x08, changesOmitted, nil)
	case !attached:
		t.fails(0x08, changesOmitted, im.Failure) // there is no parent to ask about
	default:
		t.list(0x08, changesOmitted, func(e *tlv.Encoder) { putParentRoute(e, v, i) })
	}
	t.uint(0x09, changes, uint64(p.ID))
	t.uint(0x0A, changes, uint64(p.Weighting))
	t.uint(0x0B, changes, uint64(p.DataVersion))
	t.uint(0x0C, changes, uint64(p.StableDataVersion))
	t.uint(0x0D, changes, uint64(p.Leader))
	for id := firstCounter; id <= lastCounter; id++ {
		t.uint(id, changesOmitted, n.counter(id))
	}
	t.uint(0x38, changes, m.ActiveTimestamp)
	t.uint(0x39, changes, 0)
	t.uint(0x3A, changes, 0)
	t.structure(0x3B, changes, func(e *tlv.Encoder) {
		putUint(e, 0, 672)
		putUint(e, 1, 63736)
	})
	t.octets(0x3C, changes, []byte{0x00, 0x1f, 0xff, 0xe0})
	t.structure(0x3D, changes, func(e *tlv.Encoder) {
		for tag := range uint8(12) {
			// There is no dataset that waits, and so no delay.
			putBool(e, tag, tag != 1 && tag != 6)
		}
	})
	t.numbers(0x3E, changes, nil)
	if !n.o.Quirks.OldRevision {
		own := uint64(x.ExtAddr)
		if n.o.Quirks.SwappedExtAddress {
			own = bits.ReverseBytes64(own)
		}
		t.uint(0x3F, changes, own)
		t.uint(0x40, changes, uint64(x.RLOC16()))
	}
}

// noThread is the cluster of a device that knows nothing of a network: null is
// what can be, lists are empty.
func (n *Node) noThread(t *table) {
	empty := map[uint32]bool{0x07: true, 0x08: true, 0x3E: true}
	last := uint32(0x40)
	if n.o.Quirks.OldRevision {
		last = 0x3E
	}
	for id := uint32(0); id <= last; id++ {
		switch {
		case id == 0x01 || id == 0x06 || id >= firstCounter && id <= lastCounter:
			t.uint(id, changes, 0) // RoutingRole Unspecified; nothing was counted
		case empty[id]:
			t.numbers(id, changes, nil)
		default:
			t.null(id, changes)
		}
	}
}

func routingRole(v *mesh.View, i int, attached bool) uint64 {
	if !attached {
		return roleUnassigned
	}
	switch v.Role(i) {
	case diag.RoleLeader:
		return roleLeader
	case diag.RoleRouter:
		return roleRouter
	case diag.RoleREED:
		return roleREED
	case diag.RoleSleepyEndDevice:
		return roleSleepy
	}
	return roleEndDevice
}

// Counters of roles, then of the MAC: 16 and 32 bits, that begin again at 0.
const (
	firstCounter    uint32 = 0x0E
	firstMACCounter uint32 = 0x16
	lastCounter     uint32 = 0x37
)

// counter is a number that a device could have: the model has none. Frames grow
// with the time, as a quiet device's do; of the frames sent few are repeated or
// find the channel busy.
func (n *Node) counter(id uint32) uint64 {
	seconds := uint64(n.upTime() / time.Second)
	own := mix(uint64(n.device.Thread.Node) ^ uint64(id))
	if id < firstMACCounter {
		return (own%3 + seconds/86400) & 0xffff
	}
	frames := 10000 + mix(uint64(n.device.Thread.Node))%100000 + seconds
	return frames * uint64(macShares[id-firstMACCounter]) / 1000 & 0xffffffff
}

// macShares are the counters of the MAC in thousandths of the frames, in the
// order of their ids: sent and received ones have the kinds of a sleepless
// device in them, errors are rare (Core 11.14.6.24 and what follows).
var macShares = [lastCounter - firstMACCounter + 1]uint16{
	1000, 700, 300, 690, 685, 310, 650, 40, 0, 0, 10, 20, 2, 1, 3, 0, 0, // Tx…
	1200, 800, 400, 1100, 90, 0, 5, 5, 2, 1, 4, 1, 3, 0, 2, 1, 1, // Rx…
}

// prefixOctets is Matter's ipv6pre: the length in bits, then the octets it
// needs.
func prefixOctets(p netip.Prefix) []byte {
	return append([]byte{byte(p.Bits())}, p.Addr().AsSlice()[:(p.Bits()+7)/8]...)
}

func bigEndian(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

// putNeighbors puts the rows of NeighborTable in OpenThread's order: children
// by child id, then routers by router id; of a child its parent.
func putNeighbors(e *tlv.Encoder, v *mesh.View, i int) {
	row := func(x diag.ExtAddr, age time.Duration, rloc16 uint16, heard mesh.Direction, mode diag.Mode, child bool) {
		entry(e, func() {
			putUint(e, 0, uint64(x))
			putUint(e, 1, uint64(age/time.Second))
			putUint(e, 2, uint64(rloc16))
			putUint(e, 3, uint64(uint32(x)))
			putUint(e, 4, uint64(x)>>32%200000)
			putUint(e, 5, uint64(heard.LQ))
			putRSSI(e, 6, heard.RSSI)
			putRSSI(e, 7, heard.LastRSSI)
			putUint(e, 8, percent(heard.FrameError))
			putUint(e, 9, percent(heard.MessageError))
			putBool(e, 10, mode.RxOnWhenIdle)
			putBool(e, 11, mode.FullThreadDevice)
			putBool(e, 12, mode.FullNetworkData)
			putBool(e, 13, child)
		})
	}
	router := diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}
	for _, c := range v.Children(i) {
		row(c.ExtAddr, c.Age, c.RLOC16, c.Heard, c.Mode, true)
	}
	for _, w := range v.RouterNeighbors(i) {
		row(w.ExtAddr, w.Age, w.RLOC16, w.Heard, router, false)
	}
	if w, ok := v.ParentRow(i); ok {
		row(w.ExtAddr, w.Age, w.RLOC16, w.Heard, router, false)
	}
}

// putRSSI puts dBm; a model without a sample says 0, which is none.
func putRSSI(e *tlv.Encoder, tag uint8, dBm int8) {
	if dBm == 0 {
		putNull(e, tag)
		return
	}
	e.PutInt(tlv.Context(tag), int64(min(dBm, 0)))
}

func percent(r diag.Rate) uint64 { return (uint64(r)*100 + 32767) / 65535 }

func putRoute(e *tlv.Encoder, x diag.ExtAddr, id, next, cost, in, out uint8, age time.Duration, linked bool) {
	entry(e, func() {
		putUint(e, 0, uint64(x))
		putUint(e, 1, uint64(id)<<10)
		putUint(e, 2, uint64(id))
		putUint(e, 3, uint64(next))
		putUint(e, 4, uint64(cost))
		putUint(e, 5, uint64(in))
		putUint(e, 6, uint64(out))
		putUint(e, 7, uint64(age/time.Second)%256)
		putBool(e, 8, true)
		putBool(e, 9, linked)
	})
}

// putRoutes puts the rows of a full device's RouteTable, its own included.
func putRoutes(e *tlv.Encoder, v *mesh.View, i int) {
	for _, w := range v.Route64(i) {
		cost := w.Cost
		if w.Self {
			cost = 0
		}
		putRoute(e, w.ExtAddr, w.RouterID, w.NextHop, cost, w.LQIn, w.LQOut, w.Age, w.HasLink)
	}
}

// putParentRoute puts the one row of a minimal device: its parent.
func putParentRoute(e *tlv.Encoder, v *mesh.View, i int) {
	w, ok := v.ParentRow(i)
	if !ok {
		return
	}
	id := uint8(w.RLOC16 >> 10)
	putRoute(e, w.ExtAddr, id, id, 0, w.Heard.LQ, w.Heard.LQ, w.Age, true)
}
