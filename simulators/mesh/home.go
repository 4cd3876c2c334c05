package mesh

import (
	"fmt"
	"slices"
	"time"

	"threadmap/diag"
)

// houseSite is the generated home: rooms of four metres, storeys of 2.8.
var houseSite = site{cell: 400, storey: 280}

// An item is one device of the generated home.
type item struct {
	room   string
	dev    device
	name   string // default: room and word
	routes bool   // a full Thread device that took a router id
	otbr   int
}

// The three networks of the generated home: one made by Apple's border
// routers, one by Google's, one by Home Assistant's, which never merged.
var myHome = []item{
	{room: "Kitchen", dev: homePod, name: "Kitchen HomePod"},
	{room: "Living room", dev: appleTV, name: "Living room Apple TV"},
	{room: "Garage", dev: otbr2026, name: "Garage OTBR", otbr: 3},
	{room: "Office", dev: smartPlug, name: "Desk plug", routes: true},
	{room: "Hall", dev: bulb, routes: true}, {room: "Dining room", dev: ceiling, routes: true}, {room: "Bedroom", dev: bulb, routes: true},
	{room: "Landing", dev: ceiling, routes: true}, {room: "Kids room", dev: smartPlug, routes: true}, {room: "Utility room", dev: outlet, routes: true},
	{room: "Guest room", dev: outlet, routes: true}, {room: "Attic", dev: smartPlug, routes: true},
	{room: "Living room", dev: bulb, name: "Reading lamp"}, {room: "Bedroom", dev: outlet}, {room: "Office", dev: airMeter},
	{room: "Hall", dev: button}, {room: "Hall", dev: lock, name: "Front door lock"}, {room: "Kitchen", dev: contact, name: "Window sensor"}, {room: "Kitchen", dev: leak},
	{room: "Kitchen", dev: smoke}, {room: "Living room", dev: thermo}, {room: "Living room", dev: blind}, {room: "Dining room", dev: contact}, {room: "Bathroom", dev: climate},
	{room: "Bathroom", dev: thermo}, {room: "Utility room", dev: leak}, {room: "Office", dev: thermo}, {room: "Garage", dev: contact, name: "Garage door sensor"},
	{room: "Bedroom", dev: thermo}, {room: "Bedroom", dev: button}, {room: "Kids room", dev: climate}, {room: "Landing", dev: motion}, {room: "Ensuite", dev: leak},
}

var nestHome = []item{
	{room: "Living room", dev: nestHub, name: "Living room Nest Hub"},
	{room: "Studio", dev: otbr2025, name: "Studio OTBR", otbr: 1},
	{room: "Studio", dev: bulb, name: "Studio lamp", routes: true}, {room: "Kids room", dev: bulb, name: "Kids room night light", routes: true},
	{room: "Balcony", dev: outlet, name: "Balcony outlet", routes: true},
	{room: "Studio", dev: contact}, {room: "Balcony", dev: valve}, {room: "Guest room", dev: thermo}, {room: "Kids room", dev: button}, {room: "Attic", dev: climate},
}

var haHome = []item{
	{room: "Office", dev: otbr2026, name: "Office SkyConnect", otbr: 2},
	{room: "Guest room", dev: smartPlug, name: "Guest room plug", routes: true}, {room: "Attic", dev: bulb, name: "Attic light", routes: true},
	{room: "Landing", dev: contact}, {room: "Garage", dev: motion}, {room: "Guest room", dev: climate}, {room: "Attic", dev: smoke},
}

// HomeOf50 is a home as real ones are: 44 devices and 6 border routers in
// three networks, one OTBR in each network and one of each generation.
// Everything in it works, but for a button on a weak link.
func HomeOf50(seed uint64) *Home {
	k := newMaker(seed)
	h := &Home{Name: "Home of 50"}
	h.Networks = append(h.Networks, k.home("MyHome", 25, myHome), k.home("", 15, nestHome), k.home("", 20, haHome))
	nest, ha := h.Networks[1], h.Networks[2]
	nest.Name, ha.Name = fmt.Sprintf("NEST-PAN-%04X", nest.PANID), fmt.Sprintf("ha-thread-%04x", ha.PANID)
	weakButton(h.Networks[0])
	return h
}

// home makes one network of the home.
func (k *maker) home(name string, channel uint8, items []item) *Mesh {
	m := k.network(name, channel)
	routers := 0
	for pass := range 2 { // routers first
		for _, it := range items {
			routes := it.dev.kind == borderRouter || it.routes
			if routes != (pass == 0) {
				continue
			}
			r := findRoom(it.room)
			label := it.name
			if label == "" {
				label = it.room + " " + it.dev.word
			}
			n := k.node(label, it.dev)
			n.Room, n.OTBR = it.room, it.otbr
			n.X, n.Y, n.Z = r.x*400+40+k.rng.IntN(320), r.y*400+40+k.rng.IntN(320), r.z*280+30+k.rng.IntN(180)
			if routes {
				routers++
			} else {
				n.REED = it.dev.kind == mains
			}
			m.Nodes = append(m.Nodes, n)
		}
	}
	for i, id := range k.routerIDs(routers) {
		m.Nodes[i].RouterID = id
		m.Nodes[i].SequenceLag = uint8(k.rng.IntN(3))
	}
	m.Nodes[0].SequenceLag = 0
	m.Partitions[0].Leader = m.Nodes[0].RouterID
	k.wire(m, houseSite, routers, 20)
	return m
}

func findRoom(name string) room {
	for _, r := range rooms {
		if r.name == name {
			return r
		}
	}
	panic("mesh: no room " + name) // a mistake in the tables above
}

// weakButton hangs the hall button on the kitchen's border router, over a weak
// link, though better parents are near.
func weakButton(m *Mesh) {
	b, p := m.FindName("Hall button"), m.FindName("Kitchen HomePod")
	id := uint16(1)
	for i := range m.Nodes {
		if n := &m.Nodes[i]; i != b && n.RouterID == m.Nodes[p].RouterID {
			id = max(id, n.ChildID+1)
		}
	}
	m.Nodes[b].RouterID, m.Nodes[b].ChildID = m.Nodes[p].RouterID, id
	for i, l := range m.Links {
		if l.A == b || l.B == b {
			m.Links[i] = Link{A: p, B: b, AToB: Hear(-91).withErrors(), BToA: Hear(-92).withErrors(), Age: 170 * time.Second, Up: 26 * time.Hour}
		}
	}
}

// TroubledHome is [HomeOf50] with what goes wrong in real ones: a ghost router,
// a link that works one way, a dead row, a router that does not answer, a
// child that its old parent has not forgotten, lists that get lost.
func TroubledHome(seed uint64) *Home {
	h := HomeOf50(seed)
	m := h.Networks[0]
	at := func(name string) diag.ExtAddr { return m.Nodes[m.FindName(name)].ExtAddr }
	m.Faults = append(m.Faults,
		Fault{Kind: FaultGhost, Node: at("Desk plug"), Peer: 0x86c42aee25485123, RouterID: m.freeRouterID(), LQ: 1, Age: 4 * time.Minute},
		Fault{Kind: FaultSilent, Node: at("Attic plug")},
		Fault{Kind: FaultLostLists, Node: at("Landing ceiling light")},
	)
	silent, tv := at("Attic plug"), at("Living room Apple TV")
	if a, b := m.someLink(tv, silent); a != 0 {
		m.Faults = append(m.Faults, Fault{Kind: FaultOneWay, Node: a, Peer: b})
	}
	if a, b := m.someLink(at("Bedroom bulb"), silent, tv); a != 0 {
		m.Faults = append(m.Faults, Fault{Kind: FaultDead, Node: a, Peer: b, Age: 6 * time.Minute})
	}
	lock := &m.Nodes[m.FindName("Front door lock")]
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.IsRouter() && n.RouterID != lock.RouterID && n.ExtAddr != silent {
			m.Faults = append(m.Faults, Fault{Kind: FaultStaleChild, Node: lock.ExtAddr, Peer: n.ExtAddr, ChildID: m.freeChildID(n.RouterID), Age: 40 * time.Second})
			break
		}
	}
	return h
}

// someLink is the weakest link between routers that node x has, but for those
// with the routers in not.
func (m *Mesh) someLink(x diag.ExtAddr, not ...diag.ExtAddr) (a, b diag.ExtAddr) {
	worst := 1 << 10
	for _, l := range m.Links {
		n, o := &m.Nodes[l.A], &m.Nodes[l.B]
		if n.IsRouter() && o.IsRouter() && (n.ExtAddr == x || o.ExtAddr == x) &&
			int(l.AToB.Margin) < worst && !slices.Contains(not, n.ExtAddr) && !slices.Contains(not, o.ExtAddr) {
			worst, a, b = int(l.AToB.Margin), n.ExtAddr, o.ExtAddr
		}
	}
	return a, b
}

// freeRouterID is the largest router id that no node has.
func (m *Mesh) freeRouterID() uint8 {
	var used [diag.MaxRouterID + 1]bool
	for i := range m.Nodes {
		used[m.Nodes[i].RouterID] = true
	}
	id := uint8(diag.MaxRouterID)
	for id > 0 && used[id] {
		id--
	}
	return id
}

// freeChildID is a child id above all those under a router.
func (m *Mesh) freeChildID(router uint8) uint16 {
	id := uint16(1)
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.RouterID == router {
			id = max(id, n.ChildID+1)
		}
	}
	return min(id, MaxChildren)
}
