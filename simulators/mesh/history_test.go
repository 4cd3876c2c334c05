package mesh

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func lab(events ...Event) *History { return &History{Start: Lab(0), Events: events} }

// index of a lab node by its number in the experiment.
func node(n int) int { return n - 1 }

// TestCutLinkDiesOneSided: the times that were measured on OpenThread by cutting
// the radio between two routers.
func TestCutLinkDiesOneSided(t *testing.T) {
	h := lab(Event{At: 10 * time.Second, Kind: EventCut, Node: node(5), Peer: node(6)})
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	type side struct{ in, out uint8 }
	for _, tt := range []struct {
		at   time.Duration
		want []side // what may stand in the row of router 22 at node 5
		rows int    // router neighbors of node 5; -1: either
	}{
		{0, []side{{2, 1}}, 2},
		{30 * time.Second, []side{{2, 1}}, 2},
		{54 * time.Second, []side{{2, 1}}, 2},
		{56 * time.Second, []side{{2, 0}}, 2},
		{150 * time.Second, []side{{2, 0}}, 2},
		{170 * time.Second, []side{{2, 0}, {0, 0}}, -1},
		{200 * time.Second, []side{{0, 0}}, 1},
	} {
		v := h.View(tt.at)
		i := v.Find(labAddr(5))
		r := row(t, v, i, 22)
		if got := (side{r.LQIn, r.LQOut}); !slices.Contains(tt.want, got) {
			t.Errorf("after %s node 5 says %+v, want one of %+v", tt.at, got, tt.want)
		}
		if n := len(v.RouterNeighbors(i)); tt.rows >= 0 && n != tt.rows {
			t.Errorf("after %s node 5 has %d router neighbors, want %d", tt.at, n, tt.rows)
		}
		if k := v.Find(labAddr(6)); !v.Reaches(i, k) {
			t.Errorf("after %s node 6 is not reached over node 4", tt.at)
		}
	}
}

// TestDeadRouterKeepsItsID: a router that is off stays in everybody's list of
// router ids for minutes, at the leader shortest; its children are adrift.
func TestDeadRouterKeepsItsID(t *testing.T) {
	h := lab(Event{At: time.Second, Kind: EventDie, Node: node(6)})
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	has := func(at time.Duration, n int) bool {
		v := h.View(at)
		return slices.ContainsFunc(v.Route64(v.Find(labAddr(n))), func(r RouteRow) bool { return r.RouterID == 22 })
	}
	if !has(200*time.Second, 2) || !has(200*time.Second, 5) || has(300*time.Second, 2) || has(300*time.Second, 5) {
		t.Error("the router id is freed too early or too late")
	}
	v := h.View(100 * time.Second)
	if v.Find(labAddr(6)) >= 0 || v.Find(labAddr(8)) >= 0 || v.Routers(v.Find(labAddr(2))) != 6 {
		t.Errorf("node 6 or its child is up, or %d routers are known", v.Routers(0))
	}
	if err := h.Mesh(100 * time.Second).Validate(); err != nil {
		t.Error(err)
	}
	// The id is not given out before the reuse delay is over.
	again := func(at time.Duration) bool {
		return lab(h.Events[0], Event{At: at, Kind: EventPromote, Node: node(9), RouterID: 22}).Validate() == nil
	}
	if again(300*time.Second) || !again(400*time.Second) {
		t.Error("the reuse delay of router ids is not kept")
	}
}

// TestChildListedTwiceAfterAMove: a child that restarts near another parent
// stands in both tables, one that tells where it goes for a second.
func TestChildListedTwiceAfterAMove(t *testing.T) {
	for _, told := range []bool{false, true} {
		h := lab(Event{At: time.Second, Kind: EventMove, Node: node(8), Peer: node(5), ChildID: 3, Told: told})
		if err := h.Validate(); err != nil {
			t.Fatal(err)
		}
		listed := func(at time.Duration) (who []int) {
			v := h.View(at)
			for i := range v.Mesh().Nodes {
				for _, c := range v.Children(i) {
					if c.ExtAddr == labAddr(8) {
						who = append(who, i)
					}
				}
			}
			return who
		}
		if got := len(listed(1500 * time.Millisecond)); got != 2 {
			t.Errorf("told %v: right after the move %d tables have the child, want 2", told, got)
		}
		if got, want := len(listed(100*time.Second)), map[bool]int{false: 2, true: 1}[told]; got != want {
			t.Errorf("told %v: after 100 s %d tables have the child, want %d", told, got, want)
		}
		if got := len(listed(250 * time.Second)); got != 1 {
			t.Errorf("told %v: after its timeout %d tables have the child, want 1", told, got)
		}
	}
}

// TestRandomHistories: what is drawn can happen, is the same whenever it is
// replayed, leaves a mesh that could exist at every moment, and has all events.
func TestRandomHistories(t *testing.T) {
	seen := map[EventKind]int{}
	leftover, former := 0, 0
	for seed := range uint64(150) {
		h := RandomHistory(seed, int(seed%2), 20*time.Minute, 12)
		if err := h.Validate(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, e := range h.Events {
			seen[e.Kind]++
		}
		for at := time.Duration(0); at <= 20*time.Minute; at += 97 * time.Second {
			m, v := h.Mesh(at), h.View(at)
			for _, p := range m.Partitions {
				leader := slices.IndexFunc(m.Nodes, func(n Node) bool { return n.IsRouter() && n.RouterID == p.Leader })
				if leader < 0 {
					m = nil // between two leaders
					break
				}
			}
			if m != nil {
				if err := m.Validate(); err != nil {
					t.Fatalf("seed %d at %s: %v", seed, at, err)
				}
			}
			leftover, former = leftover+len(v.left), former+len(v.former)
			for i := range v.Mesh().Nodes {
				rows := v.Route64(i)
				if !slices.IsSortedFunc(rows, func(a, b RouteRow) int { return int(a.RouterID) - int(b.RouterID) }) {
					t.Fatalf("seed %d at %s: unsorted route table", seed, at)
				}
			}
			if !reflect.DeepEqual(v.Reports(ReportOptions{}), h.View(at).Reports(ReportOptions{})) {
				t.Fatalf("seed %d at %s: replayed, it is another mesh", seed, at)
			}
		}
	}
	for _, k := range []EventKind{EventCut, EventDie, EventMove, EventDemote, EventPromote, EventReaddress, EventPart, EventJoin} {
		if seen[k] < 10 {
			t.Errorf("%s happened %d times: the histories do not test it", k, seen[k])
		}
	}
	if leftover < 100 || former < 100 {
		t.Errorf("%d tables with lost routers and %d with lost children: the histories do not test them", leftover, former)
	}
}

// TestHistoryRefusesWhatCannotHappen: each event is checked.
func TestHistoryRefusesWhatCannotHappen(t *testing.T) {
	for name, e := range map[string]Event{
		"cut of no link":             {Kind: EventCut, Node: node(1), Peer: node(6)},
		"move of a router":           {Kind: EventMove, Node: node(1), Peer: node(2), ChildID: 1},
		"move under a child":         {Kind: EventMove, Node: node(7), Peer: node(8), ChildID: 1},
		"child id in use":            {Kind: EventMove, Node: node(7), Peer: node(6), ChildID: 1},
		"demotion of the leader":     {Kind: EventDemote, Node: node(2), Peer: node(1), ChildID: 1},
		"promotion of a sleepy node": {Kind: EventPromote, Node: node(7), RouterID: 1},
		"router id in use":           {Kind: EventPromote, Node: node(9), RouterID: 26},
		"an address in use":          {Kind: EventReaddress, Node: node(1), ExtAddr: labAddr(3), RouterID: 26},
		"a join of one partition":    {Kind: EventJoin, Node: node(1), Peer: node(3)},
		"a partition id in use":      {Kind: EventPart, Node: node(1), PartitionID: 97983411},
		"a node that is not there":   {Kind: EventDie, Node: 99},
		"no such event":              {Kind: "fly"},
	} {
		if lab(e).Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if lab(Event{At: 2, Kind: EventDie, Node: node(7)}, Event{At: 1, Kind: EventDie, Node: node(8)}).Validate() == nil {
		t.Error("events out of order: accepted")
	}
}
