package view_test

import (
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

func TestSentence(t *testing.T) {
	healthy := fixture.Spread(3, 2, 4)
	for _, n := range healthy.Links { // make every link good
		n.AToB.LQ, n.BToA.LQ = diag.Some(uint8(3)), diag.Some(uint8(3))
	}
	one := &fixture.Builder{}
	net := one.Network("Solo", 1, 11)
	a, b := one.Router(net, "A", 1), one.Router(net, "B", 2)
	one.Link(a, b, 3, 3)
	one.Child(a, "Button", 1, -90)
	announced := &fixture.Builder{}
	net = announced.Network("Quiet", 1, 11)
	for range 5 {
		announced.Loose(net, "")
	}
	off := &fixture.Builder{}
	off.Off("TV", diag.TransportWiFi)
	away := &fixture.Builder{}
	net = away.Network("Away", 1, 11)
	r := away.Router(net, "R", 1)
	away.Child(r, "C", 3, -40).State = topology.NodeSilent
	nameless := &fixture.Builder{}
	nameless.Off("AABBCCDDEEFF", diag.TransportUnknown).Instances = []string{"87E1B004E235A130-0000000000000001"}
	two := &fixture.Builder{}
	for i := range uint64(2) {
		two.Loose(two.Network("Quiet", diag.PANID64(1+i), 11), "a")
	}
	witness := &fixture.Builder{}
	net = witness.Network("One", 1, 11)
	told := witness.Router(net, "R0", 1)
	for i := range uint8(4) {
		r := witness.Router(net, "R", i+2)
		r.ChildTable, r.RouterTable = false, false
		witness.Link(told, r, 3, 3-2*(i%2))
	}
	stranger := &fixture.Builder{} // somebody's neighbor table, who does not say who it is
	net = stranger.Network("Two", 1, 11)
	hub := stranger.Router(net, "R0", 1)
	hub.ChildTable, hub.RouterTable = false, false
	for i := range uint8(3) {
		r := stranger.Router(net, "R", i+2)
		r.ChildTable, r.RouterTable = false, false
		stranger.Link(hub, r, 3, 3)
	}
	bare := &fixture.Builder{}
	bare.Loose(nil, "x")
	for _, c := range []struct {
		name string
		m    *topology.Map
		want string
	}{
		{"nil", nil, "No Thread network found."},
		{"empty", &topology.Map{}, "No Thread network found."},
		{"only Wi-Fi", off.Done(), "No Thread network found; 1 device on Wi-Fi or Ethernet."},
		{"nothing says what it is on", nameless.Done(), "No Thread network found; 1 device that may be on Wi-Fi or Ethernet."},
		{"two networks, no links", two.Done(), "2 separate Thread networks; 2 devices in all; too little is known of their links to judge them."},
		{"healthy", healthy, "MyHome is in good shape: 12 devices, 1 border router."},
		{"one weak link is named", one.Done(), "1 weak link (A, Button); 3 devices in all."},
		{"nothing known of links is no praise", announced.Done(), "Quiet: 5 devices; too little is known of its links to judge them."},
		{"one witness", witness.Done(), "One: 5 devices; 1 of 5 routers told of their links, the others were not asked or did not answer: 2 links of those told of are weak."},
		{"a stranger's table", stranger.Done(), "Two: 4 devices; of 4 routers none is known to have told of its links: what is known of them is good."},
		{"silent", away.Done(), "C does not answer; 2 devices in all."},
		{"no network", bare.Done(), "1 device, but nobody told of a network."},
		{"split", fixture.Split(), "Torn is split into 2 partitions; 11 devices, 2 border routers in all."},
		{"home", fixture.Home(), "2 separate Thread networks; 1 dying link (Hall bulb, Garden plug); 1 one-way link (Cellar bulb, Garden plug); 4 weak links; Garden plug does not answer; 1 ghost (others still list what is gone); 22 devices, 3 border routers in all."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "one witness" || c.name == "a stranger's table" {
				got := view.New(c.m, false).Examined([]doctor.Finding{}).Sentence()
				if got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				return
			}
			if got := view.New(c.m, false).Sentence(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// everybody lists the nodes of a view; each must be there once.
func everybody(v *view.View) map[*topology.Node]int {
	seen := map[*topology.Node]int{}
	for _, g := range v.Groups {
		for _, h := range g.Hubs {
			seen[h.Node]++
			for _, c := range h.Children {
				seen[c]++
			}
		}
		for _, n := range g.Loose {
			seen[n]++
		}
	}
	for _, n := range v.OffThread {
		seen[n]++
	}
	return seen
}

func TestNobodyIsLostOrTwice(t *testing.T) {
	hostile, _ := fixture.Hostile()
	b := &fixture.Builder{}
	net := b.Network("Circle", 1, 11)
	x, y, z := b.Loose(net, "x"), b.Loose(net, "y"), b.Loose(net, "z")
	x.Parent, y.Parent, z.Parent = y, x, z
	elsewhere := b.Loose(net, "child of a stranger")
	elsewhere.Parent = &topology.Node{ID: "not in the map"}
	foreign := b.Loose(&topology.Network{ID: "not in the map"}, "of a strange network")
	foreign.Partition = diag.Some(uint32(5))
	deep := b.Router(net, "deep", 3)
	deep.Parent = b.Child(b.Child(b.Router(net, "top", 1), "mid", 3, -40), "low", 3, -40)
	for name, m := range map[string]*topology.Map{"home": fixture.Home(), "hostile": hostile, "split": fixture.Split(), "circle": b.Done()} {
		for _, dead := range []bool{false, true} {
			seen := everybody(view.New(m, dead))
			for _, n := range m.Nodes {
				if seen[n] != 1 {
					t.Errorf("%s: %s is there %d times", name, view.Label(n), seen[n])
				}
			}
			if len(seen) != len(m.Nodes) {
				t.Errorf("%s: %d nodes from %d", name, len(seen), len(m.Nodes))
			}
		}
	}
}

func TestUnparentedIsNotGuessed(t *testing.T) {
	v := view.New(fixture.Home(), false)
	var loose []string
	for _, n := range v.Groups[0].Loose {
		loose = append(loose, view.Label(n))
	}
	if want := []string{"Garage door", "Letterbox"}; !slices.Equal(loose, want) {
		t.Errorf("loose: %q, want %q", loose, want)
	}
}

func TestDeadLinks(t *testing.T) {
	count := func(dead bool) int {
		n := 0
		for _, g := range view.New(fixture.Home(), dead).Groups {
			for _, h := range g.Hubs {
				n += len(h.Links)
			}
		}
		return n
	}
	if a, b := count(false), count(true); b != a+2 { // the one dead link has two ends
		t.Errorf("%d link ends without dead ones, %d with", a, b)
	}
}

func TestRLOC16ZeroIsARouter(t *testing.T) {
	n := &topology.Node{ID: "x", RLOC16: diag.MakeRLOC16(0)}
	if got := view.Label(n); got != "0x0000" {
		t.Errorf("label %q", got)
	}
	if got := view.Role(n); got != "router" {
		t.Errorf("role %q", got)
	}
	if got := view.Role(&topology.Node{ID: "x"}); got != "" {
		t.Errorf("role of an unknown node %q", got)
	}
}

func TestLabel(t *testing.T) {
	for _, c := range []struct {
		n    topology.Node
		want string
	}{
		{topology.Node{Name: "Lamp", Product: "P"}, "Lamp"},
		{topology.Node{Name: "\u200b\x1b[0m", Vendor: "Eve", Product: "Energy"}, "Eve Energy"},
		{topology.Node{Vendor: "Eve", Product: "Eve Energy"}, "Eve Energy"},
		{topology.Node{Vendor: "Eve", ExtAddr: 0x86c42aee25485123}, "86c42aee25485123"},
		{topology.Node{ID: "ba:1"}, "ba:1"},
		{topology.Node{}, "nameless"},
	} {
		if got := view.Label(&c.n); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestTwinsAreToldApart(t *testing.T) {
	b := &fixture.Builder{}
	net := b.Network("x", 1, 11)
	one, two, three := b.Router(net, "Lamp", 1), b.Router(net, "Lamp", 2), b.Router(net, "Lamp", 3)
	three.ExtAddr = 0
	other := b.Router(net, "", 4)
	other.Vendor, other.Product = "Apple Inc.", "HomePod mini"
	v := view.New(b.Done(), false)
	for n, want := range map[*topology.Node]string{one: "Lamp (9e37)", two: "Lamp (3c6e)", three: "Lamp (0x0c00)", other: "Apple HomePod mini"} {
		if got := v.Label(n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := v.LabelIn(two, 9, text.Truncate, text.Columns); got != "L… (3c6e)" {
		t.Errorf("cut to %q", got)
	}
}

func TestWorst(t *testing.T) {
	lq := func(v uint8) topology.Direction { return topology.Direction{LQ: diag.Some(v)} }
	margin := func(v uint8) topology.Direction { return topology.Direction{Margin: diag.Some(v)} }
	var none topology.Direction
	for _, c := range []struct {
		a, b topology.Direction
		want view.Grade
	}{
		{lq(3), lq(1), view.GradeWeak}, {lq(3), none, view.GradeGood}, {none, none, view.GradeUnknown}, {lq(0), lq(3), view.GradeNone},
		{none, lq(0), view.GradeNone}, {lq(7), none, view.GradeUnknown},
		{margin(21), none, view.GradeGood}, {margin(20), none, view.GradeFair}, {margin(11), none, view.GradeFair}, {margin(10), none, view.GradeWeak}, {margin(2), none, view.GradeNone},
	} {
		if got := view.Worst(&topology.Link{AToB: c.a, BToA: c.b}); got != c.want {
			t.Errorf("%v: %v, want %v", c, got, c.want)
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "a moment ago", 90 * time.Second: "90 s ago", 4 * time.Minute: "4 min ago", 5 * time.Hour: "5 h ago", 72 * time.Hour: "3 days ago", -time.Hour: "a moment ago"} {
		if got := view.Ago(fixture.At.Add(-d), fixture.At); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := view.Ago(time.Time{}, fixture.At); got != "" {
		t.Errorf("an unknown time was %q", got)
	}
}

// TestOverlap: children that only have a short address, and announced devices
// that have no place, may be the same ones and are counted once.
func TestOverlap(t *testing.T) {
	b := &fixture.Builder{}
	net := b.Network("Old", 1, 11)
	r := b.Router(net, "R", 1)
	for range 3 {
		c := b.Child(r, "", 3, -40)
		c.ExtAddr, c.Heard = 0, false
	}
	for range 2 {
		n := b.Loose(net, "")
		n.State, n.Heard, n.RLOC16 = topology.NodeUnknown, true, diag.RLOC16{}
	}
	g := view.New(b.Done(), false).Groups[0]
	devices, _ := g.Nodes()
	if g.Overlap() != 2 || devices != 4 || g.LooseName() != "place in the mesh not known; 2 of them may be the children without an address above" {
		t.Errorf("overlap %d, %d devices, %q", g.Overlap(), devices, g.LooseName())
	}
}
