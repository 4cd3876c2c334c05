package mesh

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"threadmap/diag"
)

// ftdMode is a router's mode; rxOnMode that of a receiver-on minimal device;
// a sleepy device's mode is the zero Mode.
var (
	ftdMode  = diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}
	rxOnMode = diag.Mode{RxOnWhenIdle: true, FullNetworkData: true}
)

// A maker makes the networks of one home from one seed.
type maker struct {
	rng    *rand.Rand
	used   map[diag.ExtAddr]bool
	fabric uint64
	matter uint64 // Matter node ids given so far
	nets   int
}

func newMaker(seed uint64) *maker {
	k := &maker{rng: rand.New(rand.NewPCG(seed, 0x746872656164)), used: map[diag.ExtAddr]bool{}}
	k.fabric = k.rng.Uint64() | 1<<63 // above 2^53, so that a float would show
	return k
}

// addr is a new random extended address: locally administered, no group.
func (k *maker) addr() diag.ExtAddr {
	for {
		x := diag.ExtAddr(k.rng.Uint64()&^(1<<56) | 1<<57)
		if !k.used[x] {
			k.used[x] = true
			return x
		}
	}
}

// network makes a network without nodes. Its keys are words that a test can
// search outputs for.
func (k *maker) network(name string, channel uint8) *Mesh {
	k.nets++
	m := &Mesh{
		Name: name, ExtPANID: diag.PANID64(k.addr()), PANID: uint16(k.rng.Uint32N(0xfffe)), Channel: channel,
		MeshLocalPrefix: ula64(k.rng.Uint64()), OMRPrefixes: []netip.Prefix{ula64(k.rng.Uint64())},
		ActiveTimestamp: uint64(1700000000+k.rng.IntN(1e7)) << 16,
		Partitions: []Partition{{
			ID: k.rng.Uint32(), Weighting: 64, DataVersion: uint8(k.rng.IntN(256)), StableDataVersion: uint8(k.rng.IntN(256)), IDSequence: uint8(k.rng.IntN(256)),
		}},
	}
	copy(m.NetworkKey[:], fmt.Sprintf("netkey-canary-%02d", k.nets%100))
	copy(m.PSKc[:], fmt.Sprintf("pskc-canary-%04d", k.nets%10000))
	return m
}

func ula64(v uint64) netip.Prefix {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], v)
	b[0] = 0xfd
	return netip.PrefixFrom(netip.AddrFrom16(b), 64)
}

// node makes a node of that name at a place; ids are given when it is added to
// a network.
func (k *maker) node(name string, d device) Node {
	n := Node{
		Name: name, ExtAddr: k.addr(), EUI64: k.addr(), Vendor: d.vendor, Model: d.model, Firmware: d.firmware, Stack: d.stack, ThreadVersion: d.version,
		MLEIID: k.rng.Uint64() | 1<<63, OMRIID: k.rng.Uint64() | 1<<63, Timeout: 240 * time.Second,
	}
	switch d.kind {
	case borderRouter:
		n.Mode, n.BorderRouter = ftdMode, true
		n.BorderAgentID = fmt.Sprintf("%016x%016x", k.rng.Uint64(), k.rng.Uint64())
	case mains:
		n.Mode = ftdMode
	case receiverOn:
		n.Mode = rxOnMode
	case sleepy:
		n.Supervision, n.Battery = 129*time.Second, uint8(40+k.rng.IntN(61))
	}
	if d.kind != borderRouter {
		k.matter++
		n.Matter = []diag.MatterID{{Fabric: k.fabric, Node: k.matter}}
	}
	return n
}

// routerIDs gives out n different router ids in random order.
func (k *maker) routerIDs(n int) []uint8 {
	ids := make([]uint8, 0, n)
	for _, id := range k.rng.Perm(diag.MaxRouterID + 1)[:n] {
		ids = append(ids, uint8(id))
	}
	return ids
}

// A site is the building that radio waves cross: cells of a grid are rooms.
type site struct{ cell, storey int } // centimetres

// rssi is the strength between two places, without chance.
func (s site) rssi(a, b *Node) int {
	dx, dy, dz := abs(a.X-b.X), abs(a.Y-b.Y), abs(a.Z-b.Z)
	walls := abs(a.X/s.cell-b.X/s.cell) + abs(a.Y/s.cell-b.Y/s.cell)
	return rssiAt(isqrt(dx*dx+dy*dy+dz*dz), walls, abs(a.Z/s.storey-b.Z/s.storey))
}

func abs(v int) int { return max(v, -v) }

// isqrt is the square root of v, rounded down.
func isqrt(v int) int {
	r := 0
	for bit := 1 << 30; bit > 0; bit >>= 1 {
		if t := r + bit; t*t <= v {
			r = t
		}
	}
	return r
}

// weakest is the margin under which nodes don't keep a link.
const weakest = 4

// link makes a link between nodes a and b with the strength rssi, spread by a
// shadow that both directions share and some asymmetry. ok is false when it is
// too weak; force makes it just strong enough.
func (k *maker) link(m *Mesh, a, b, rssi int, force bool) (ok bool) {
	rssi += k.rng.IntN(9) - 4
	there, back := rssi+k.rng.IntN(7)-3, rssi+k.rng.IntN(7)-3
	if force {
		there, back = max(there, noiseFloor+weakest+2), max(back, noiseFloor+weakest+2)
	}
	if min(there, back) < noiseFloor+weakest {
		return false
	}
	hear := func(v int) Direction {
		d := Hear(int8(min(v, -20)))
		d.LastRSSI = int8(max(min(int(d.RSSI)+k.rng.IntN(5)-2, -20), -128))
		return d.withErrors()
	}
	m.Links = append(m.Links, Link{
		A: a, B: b, AToB: hear(there), BToA: hear(back),
		Age: time.Duration(1+k.rng.IntN(30)) * time.Second, Up: time.Duration(600+k.rng.IntN(1e6)) * time.Second,
	})
	return true
}

// wire gives the nodes that were added their links: routers hear each other as
// far as the site lets them, and the network is made connected; children take
// the parent they hear best, mostly. The first routers nodes are routers with
// ids, the rest are children. perRouter bounds the children of a router.
func (k *maker) wire(m *Mesh, s site, routers, perRouter int) {
	group := make([]int, routers) // of connected routers
	for i := range group {
		group[i] = i
	}
	join := func(a, b int) {
		for i, from, to := 0, group[a], group[b]; i < routers; i++ {
			if group[i] == from {
				group[i] = to
			}
		}
	}
	for a := range routers {
		for b := range a {
			if k.link(m, b, a, s.rssi(&m.Nodes[a], &m.Nodes[b]), false) && group[a] != group[b] {
				join(a, b)
			}
		}
	}
	for {
		best, bestA, bestB := -1<<30, -1, -1
		for a := range routers {
			for b := range a {
				if group[a] != group[b] {
					if r := s.rssi(&m.Nodes[a], &m.Nodes[b]); r > best {
						best, bestA, bestB = r, a, b
					}
				}
			}
		}
		if bestA < 0 {
			break
		}
		k.link(m, bestB, bestA, best, true)
		join(bestA, bestB)
	}
	kids := make([]int, routers)
	for i := routers; i < len(m.Nodes); i++ {
		first, second := -1, -1
		for r := range routers {
			if kids[r] >= perRouter {
				continue
			}
			switch sr := s.rssi(&m.Nodes[i], &m.Nodes[r]); {
			case first < 0 || sr > s.rssi(&m.Nodes[i], &m.Nodes[first]):
				first, second = r, first
			case second < 0 || sr > s.rssi(&m.Nodes[i], &m.Nodes[second]):
				second = r
			}
		}
		p := first
		if second >= 0 && k.rng.IntN(6) == 0 {
			p = second // it attached when the better one was not there
		}
		k.adopt(m, i, p, kids[p]+1)
		kids[p]++
		antenna := k.rng.IntN(19) // small devices hear and are heard worse
		k.link(m, p, i, s.rssi(&m.Nodes[i], &m.Nodes[p])-antenna, true)
		if n := &m.Nodes[i]; n.Sleepy() {
			m.Links[len(m.Links)-1].Age = time.Duration(k.rng.IntN(200)) * time.Second
		}
	}
}

func (k *maker) adopt(m *Mesh, child, parent, id int) {
	c, p := &m.Nodes[child], &m.Nodes[parent]
	c.RouterID, c.ChildID, c.Partition = p.RouterID, uint16(id), p.Partition
}
