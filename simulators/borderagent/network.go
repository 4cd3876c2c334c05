package borderagent

import (
	"encoding/binary"
	"net/netip"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

const (
	tmfPort = 61631
	// anycast locators (Thread 5.2.2.2)
	commissionerALOC = 0xfc30 // to 0xfc37, by session id
	// farHops is from how many hops on a node learns late of a new commissioner.
	farHops = 2
	// maxHops is more than any path has: costs end at 15.
	maxHops = 32
)

// A network is the running mesh behind the agents of one mesh.
type network struct {
	clock
	o       Options
	view    *mesh.View
	byAddr  []map[netip.Addr]int // of each partition, its mesh-local addresses
	hops    []map[int][]int      // of each partition, by border router: hops to each node, -1: no way
	nodes   map[diag.ExtAddr]*node
	leaders map[uint32]*leader // by partition id
	agents  int                // that are open
	borders []diag.ExtAddr     // of all agents
	stats   Stats
}

func newNetwork(v *mesh.View, o Options) *network {
	n := &network{o: o, nodes: map[diag.ExtAddr]*node{}, leaders: map[uint32]*leader{}, stats: Stats{Requests: map[string]int{}}}
	n.setView(v)
	return n
}

// setView changes the mesh. The lock is held, or nobody else knows n yet.
func (n *network) setView(v *mesh.View) {
	n.view = v
	parts := len(v.Mesh().Partitions)
	n.byAddr, n.hops = make([]map[netip.Addr]int, parts), make([]map[int][]int, parts)
	for p := range parts {
		n.byAddr[p], n.hops[p] = map[netip.Addr]int{}, map[int][]int{}
	}
	for i := range v.Mesh().Nodes {
		p := v.Node(i).Partition
		for _, a := range v.Addresses(i) {
			if v.Mesh().MeshLocalPrefix.Contains(a) { // no node takes TMF at another one
				n.byAddr[p][a] = i
			}
		}
	}
}

// hopsFrom is how many hops each node is from a border router.
func (n *network) hopsFrom(border int) []int {
	p := n.view.Node(border).Partition
	if h := n.hops[p][border]; h != nil {
		return h
	}
	v := n.view
	next := map[uint8][]mesh.RouteRow{}
	routes := func(id uint8) []mesh.RouteRow {
		if next[id] == nil {
			if i := v.ByRLOC16(p, uint16(id)<<10); i >= 0 {
				next[id] = v.Route64(i)
			}
		}
		return next[id]
	}
	toRouter := func(to uint8) int {
		at := v.Node(border).RouterID
		for h := range maxHops {
			if at == to {
				return h
			}
			hop := uint8(noNextHop)
			for _, r := range routes(at) {
				if r.RouterID == to {
					hop = r.NextHop
				}
			}
			if hop == noNextHop {
				return -1
			}
			at = hop
		}
		return -1
	}
	h := make([]int, len(v.Mesh().Nodes))
	for i := range h {
		x := v.Node(i)
		if h[i] = -1; x.Partition != p {
			continue
		}
		if h[i] = toRouter(x.RouterID); h[i] >= 0 && !x.IsRouter() {
			h[i]++
		}
	}
	n.hops[p][border] = h
	return h
}

const noNextHop = 63

// leaderOf is the commissioner's role of the partition of node i.
func (n *network) leaderOf(i int) *leader {
	p := n.view.Leader(i)
	l := n.leaders[p.ID]
	if l == nil {
		l = &leader{session: uint16(n.seed(uint64(p.ID)) >> 48), steering: []byte{0}}
		if p.CommissionerSession != 0 {
			l.session, l.ever = p.CommissionerSession, true
		}
		n.leaders[p.ID] = l
	}
	return l
}

// seed makes a number of the seed and a thing's own (SplitMix64).
func (n *network) seed(of uint64) uint64 {
	x := of + (n.o.Seed+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// locator is a mesh-local address by RLOC16 or ALOC16.
func (n *network) locator(loc16 uint16) netip.Addr {
	b := n.view.Mesh().MeshLocalPrefix.Addr().As16()
	copy(b[8:], []byte{0, 0, 0, 0xff, 0xfe, 0})
	binary.BigEndian.PutUint16(b[14:], loc16)
	return netip.AddrFrom16(b)
}

// A transit is a datagram between an agent's client and a node.
type transit struct {
	agent     *Agent
	aloc      uint16 // of the commissioner
	port      uint16 // of the commissioner
	node      netip.Addr
	nodePort  uint16
	multicast bool
	payload   []byte
}

// down brings a datagram of a commissioner to its nodes. The lock is held.
func (n *network) down(t transit) {
	n.stats.ToMesh++
	n.stats.ToMeshOctets += len(t.payload)
	self := t.agent.self()
	if !t.node.IsMulticast() {
		if i, ok := n.byAddr[n.view.Node(self).Partition][t.node]; ok {
			n.onAir(n.hopsFrom(self)[i], len(t.payload))
			n.carry(i, t)
		}
		return
	}
	t.multicast = true
	p := n.view.Node(self).Partition
	for i := range n.view.Mesh().Nodes {
		if x := n.view.Node(i); x.Partition == p && x.IsRouter() {
			n.onAir(1, len(t.payload)) // each passes it on, the border router begins
		}
		// There is no multicast loop to the node that sends.
		if i != self && n.view.Node(i).Partition == p && n.member(i, t.node) {
			n.carry(i, t)
		}
	}
}

var (
	allRouters = netip.MustParseAddr("ff03::2")
	allNodes   = netip.MustParseAddr("ff03::1")
)

// member reports whether node i is in a realm-local group. All routers takes in
// all full Thread devices, all nodes those whose receiver is on.
func (n *network) member(i int, group netip.Addr) bool {
	switch m := n.view.Node(i).Mode; group {
	case allRouters:
		return m.FullThreadDevice
	case allNodes:
		return m.RxOnWhenIdle
	case n.allThreadNodes():
		return true
	}
	return false
}

// allThreadNodes is the realm-local group of all, sleepy ones included: a
// multicast address made of the mesh-local prefix (RFC 3306).
func (n *network) allThreadNodes() netip.Addr {
	b := [16]byte{0xff, 0x33, 0, 64, 15: 1}
	p := n.view.Mesh().MeshLocalPrefix.Addr().As16()
	copy(b[4:], p[:8])
	return netip.AddrFrom16(b)
}

// carry brings a datagram to one node. The lock is held.
func (n *network) carry(i int, t transit) {
	x := n.view.Node(i)
	hops := n.hopsFrom(t.agent.self())[i]
	switch {
	case hops < 0 || !n.view.Answers(i):
		return
	case n.lose(Datagram{Node: x.ExtAddr, Multicast: t.multicast, Payload: t.payload}):
		return
	}
	d := time.Duration(hops) * n.o.HopDelay
	if x.Sleepy() {
		d += n.o.SleepyDelay
	}
	who := x.ExtAddr
	n.after(d, func() {
		if i := n.view.Find(who); i >= 0 {
			n.node(i).receive(n, i, t)
		}
	})
}

// onAir counts a datagram on that many hops.
func (n *network) onAir(hops, octets int) {
	if hops > 0 {
		n.stats.OnAir += hops
		n.stats.OnAirOctets += hops * octets
	}
}

func (n *network) lose(d Datagram) bool {
	if n.o.Lose == nil || !n.o.Lose(d) {
		return false
	}
	n.stats.Lost++
	return true
}

// up brings what node i says to the commissioner. from is its source address.
// The lock is held.
func (n *network) up(i int, t transit, p packet) {
	b := p.bytes()
	n.stats.FromMesh++
	n.stats.FromMeshOctets += len(b)
	now := time.Now()
	l := n.leaderOf(i)
	hops := n.hopsFrom(t.agent.self())[i]
	n.onAir(hops, len(b))
	switch {
	case hops < 0 || !n.routes(l, t, now) || hops >= farHops && now.Sub(l.since) < n.o.Settle:
		n.stats.Unrouted++
		return
	case n.view.LostLists(i) && hasLists(p):
		n.stats.Lost++
		return
	case n.lose(Datagram{Node: n.view.Node(i).ExtAddr, Up: true, Payload: b}):
		return
	}
	d := time.Duration(hops)*n.o.HopDelay + n.view.Delay(i)
	n.after(d, func() { t.agent.arrived(t, b) })
}

// routes reports whether the network data tell where the commissioner of t is.
func (n *network) routes(l *leader, t transit, now time.Time) bool {
	return l.active(now) && aloc(l.session) == t.aloc && l.border == n.view.Node(t.agent.self()).RLOC16()
}

func (n *network) node(i int) *node {
	x := n.view.Node(i).ExtAddr
	if n.nodes[x] == nil {
		r := n.seed(uint64(x))
		n.nodes[x] = &node{id: x, mid: uint16(r), tokens: r}
	}
	return n.nodes[x]
}
