package doctor

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// A truth is what may be found in a simulated home: for each rule the keys of
// its findings. It is worked out from the home itself, with other means than the
// rules use, so a weak link that chance has put into a home is no false alarm,
// and one that no rule finds is a miss.
type truth map[string]map[string]bool

func (t truth) add(rule string, key string) {
	if t[rule] == nil {
		t[rule] = map[string]bool{}
	}
	t[rule][key] = true
}

// networkRules speak of a network; their findings are keyed by its name. Those
// of the others are keyed by the first node.
var networkRules = []string{"split-partition", "thread-versions", "router-limit", "few-routers", "separate-networks"}

func keyOf(f *Finding) string {
	switch {
	case f.Rule == "separate-networks":
		return fmt.Sprint(len(f.Nodes))
	case slices.Contains(networkRules, f.Rule):
		return f.Nodes[0].Network.Name
	case f.Rule == "firmware-mix":
		return f.Title
	case f.Rule == "single-point-of-failure" && strings.Contains(f.Title, "one link"):
		return linkKey(f.Nodes[0].ExtAddr, f.Nodes[1].ExtAddr)
	}
	return f.Nodes[0].ID
}

func linkKey(a, b diag.ExtAddr) string { return min(a, b).String() + "-" + max(a, b).String() }

// truthOf works out what is to be found. up tells whether parents say what they
// hear of their children, down whether children say what they hear of their
// parents.
func truthOf(h *mesh.Home, up, down bool) truth {
	t := truth{}
	products := map[string]map[string]bool{}
	var withBorder []*mesh.Mesh
	for _, m := range h.Networks {
		v := m.Truth()
		var routers, borders []int
		versions := map[uint16]bool{}
		children := make([]int, len(m.Nodes))
		perPartition := make([]int, len(m.Partitions))
		all, reserve := 0, false
		for i := range m.Nodes {
			n := &m.Nodes[i]
			product := n.Vendor + " " + n.Model
			if products[product] == nil {
				products[product] = map[string]bool{}
			}
			if products[product][n.Firmware] = true; len(products[product]) > 1 {
				t.add("firmware-mix", product+": devices with different firmware")
			}
			if n.BorderRouter {
				borders = append(borders, i)
			}
			if n.IsRouter() {
				routers = append(routers, i)
				versions[n.ThreadVersion] = true
				perPartition[n.Partition]++
			} else {
				children[v.Parent(i)]++
				all++
				reserve = reserve || n.Mode.FullThreadDevice
			}
		}
		if len(borders) > 0 {
			withBorder = append(withBorder, m)
		}
		if len(borders) == 1 && len(m.Nodes) > 1 {
			t.add("one-border-router", m.Nodes[borders[0]].ExtAddr.String())
		}
		for p := range m.Partitions {
			var in []int
			for _, i := range borders {
				if m.Nodes[i].Partition == p {
					in = append(in, i)
				}
			}
			if len(in) == 1 {
				t.add("(one in its partition)", m.Nodes[in[0]].ExtAddr.String())
			}
		}
		if len(versions) > 1 {
			t.add("thread-versions", m.Name)
		}
		if len(m.Partitions) > 1 {
			t.add("split-partition", m.Name)
		}
		for _, routers := range perPartition {
			if routers >= 30 {
				t.add("router-limit", m.Name)
			}
		}
		if len(m.Partitions) == 1 && len(routers) <= 2 && all >= 10*len(routers) && !reserve {
			t.add("few-routers", m.Name)
		}
		for _, i := range routers {
			others, rest := perPartition[m.Nodes[i].Partition]-1, 0
			for _, j := range routers {
				if j != i && m.Nodes[j].Partition == m.Nodes[i].Partition {
					rest += children[j]
				}
			}
			if children[i] >= 511 || children[i] >= 10 && others >= 2 && float64(children[i]) >= 4*max(float64(rest)/float64(others), 1) {
				t.add("full-parent", m.Nodes[i].ExtAddr.String())
			}
		}
		links := make([][]mesh.Link, len(m.Nodes)) // of routers
		for _, l := range m.Links {
			a, b := &m.Nodes[l.A], &m.Nodes[l.B]
			if a.IsRouter() && b.IsRouter() {
				links[l.A], links[l.B] = append(links[l.A], l), append(links[l.B], l)
				continue
			}
			child, atParent, atChild := a, l.AToB, l.BToA
			if a.IsRouter() {
				child, atParent, atChild = b, l.BToA, l.AToB
			}
			var heard []mesh.Direction
			if up {
				heard = append(heard, atParent)
			}
			if down {
				heard = append(heard, atChild)
			}
			switch {
			case slices.ContainsFunc(heard, weakHeard):
				t.add("weak-link", child.ExtAddr.String())
			case slices.ContainsFunc(heard, func(d mesh.Direction) bool {
				return d.Margin < 10 || d.FrameError.Permille() >= 100 || d.MessageError.Permille() >= 50
			}):
				t.add("lossy-link", child.ExtAddr.String())
			}
		}
		said := map[int]bool{}
		cutsOf(t, m, routers, borders, links, said)
		slices.SortFunc(routers, func(a, b int) int { return cmp.Compare(m.Nodes[a].ExtAddr, m.Nodes[b].ExtAddr) })
		told := map[[2]int]bool{}
		for _, i := range routers {
			if len(links[i]) == 1 {
				t.add("(one link)", m.Nodes[i].ExtAddr.String())
			}
			weak := len(links[i]) > 0 && !slices.ContainsFunc(links[i], func(l mesh.Link) bool { return !weakHeard(l.AToB) && !weakHeard(l.BToA) })
			if weak {
				t.add("(all weak)", m.Nodes[i].ExtAddr.String())
			}
			switch {
			case weak && len(links[i]) == 1 && told[[2]int{links[i][0].A, links[i][0].B}]:
			case weak:
				t.add("weak-router", m.Nodes[i].ExtAddr.String())
				for _, l := range links[i] {
					told[[2]int{l.A, l.B}] = true
				}
			case len(links[i]) == 1 && len(m.Partitions) == 1 && perPartition[0] >= 3 && !m.Nodes[i].BorderRouter && !said[i]:
				t.add("lonely-router", m.Nodes[i].ExtAddr.String())
			}
		}
	}
	if len(withBorder) > 1 { // tied by the fabric of their devices, or by nothing
		biggest := slices.MaxFunc(withBorder, func(a, b *mesh.Mesh) int {
			return cmp.Or(cmp.Compare(len(a.Nodes), len(b.Nodes)), cmp.Compare(b.ExtPANID, a.ExtPANID))
		})
		devices := func(m *mesh.Mesh) bool {
			return slices.ContainsFunc(m.Nodes, func(n mesh.Node) bool { return len(n.Matter) > 0 })
		}
		together := 1
		for _, m := range withBorder {
			if m != biggest && devices(m) && devices(biggest) {
				together++
			}
		}
		if together > 1 {
			t.add("separate-networks", fmt.Sprint(together))
		}
		if apart := len(withBorder) - together; apart > 0 {
			t.add("separate-networks", fmt.Sprint(apart))
		}
	}
	return t
}

func weakHeard(d mesh.Direction) bool { return d.LQ == 1 || d.RSSI < -85 }

// cutsOf finds single points of failure the slow way: it takes each router and
// each link away and looks who still reaches a border router.
func cutsOf(t truth, m *mesh.Mesh, routers, borders []int, links [][]mesh.Link, said map[int]bool) {
	reach := func(without int, gone *mesh.Link) map[int]bool {
		seen := map[int]bool{}
		var open []int
		for _, b := range borders {
			if b != without {
				seen[b] = true
				open = append(open, b)
			}
		}
		for len(open) > 0 {
			i := open[len(open)-1]
			open = open[:len(open)-1]
			for _, l := range links[i] {
				j := l.A + l.B - i
				if j == without || seen[j] || gone != nil && l.A == gone.A && l.B == gone.B {
					continue
				}
				seen[j] = true
				open = append(open, j)
			}
		}
		return seen
	}
	split := len(m.Partitions) > 1 // what is cut off there is so for another reason
	whole := reach(-1, nil)
	cut := map[int]bool{}
	for _, x := range routers {
		left := reach(x, nil)
		for _, i := range routers {
			if i != x && whole[i] && !left[i] {
				t.add("(cut)", m.Nodes[x].ExtAddr.String())
				if !split && !(m.Nodes[x].BorderRouter && len(borders) == 1) {
					cut[x] = true
					t.add("single-point-of-failure", m.Nodes[x].ExtAddr.String())
					said[i] = true
				}
			}
		}
	}
	for _, l := range m.Links {
		if !m.Nodes[l.A].IsRouter() || !m.Nodes[l.B].IsRouter() {
			continue
		}
		left := reach(-1, &l)
		for _, i := range routers {
			if whole[i] && !left[i] {
				key := linkKey(m.Nodes[l.A].ExtAddr, m.Nodes[l.B].ExtAddr)
				t.add("(bridge)", key)
				if !split && !cut[l.A] && !cut[l.B] {
					t.add("single-point-of-failure", key)
					said[i] = true
				}
			}
		}
	}
}

// find examines what a home's nodes told.
func find(reports []diag.Report) []Finding {
	return Examine((&sick{reports: reports}).caseOf())
}

func healthyHomes() map[string]*mesh.Home {
	homes := map[string]*mesh.Home{
		"home of 50": mesh.HomeOf50(1), "campus": mesh.Campus(2), "office": mesh.Office(3, 250), "line": mesh.Line(20), "lab": {Networks: []*mesh.Mesh{mesh.Lab(5)}},
	}
	for seed := range uint64(200) {
		homes[fmt.Sprint("random ", seed)] = mesh.Random(seed, mesh.RandomOptions{})
	}
	for seed := range uint64(60) { // one-room flats, some of them with sleepy devices only
		homes[fmt.Sprint("flat ", seed)] = mesh.Random(seed, mesh.RandomOptions{Networks: 1, Routers: 1, Children: 10})
	}
	return homes
}

// TestTheTruthAndNothingElse: in homes without a fault the rules find exactly
// what is so, whichever form the tables come in.
func TestTheTruthAndNothingElse(t *testing.T) {
	found := map[string]int{}
	for name, h := range healthyHomes() {
		for form, o := range map[string]mesh.ReportOptions{
			"Route64":    {At: at, Names: true},
			"RouteTable": {At: at, Names: true, RouteTable: true},
		} {
			want := truthOf(h, true, o.RouteTable)
			for _, f := range find(h.Reports(o)) {
				key := keyOf(&f)
				if !want[f.Rule][key] {
					t.Errorf("%s, %s: false alarm: %s %s: %s. %s", name, form, f.Rule, key, f.Title, f.Detail)
				}
				delete(want[f.Rule], key)
				found[f.Rule]++
			}
			for rule, keys := range want {
				for key := range keys {
					if rule[0] != '(' { // no rule's
						t.Errorf("%s, %s: missed: %s %s", name, form, rule, key)
					}
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Log("found, all of it true:", found)
	for _, rule := range []string{"weak-link", "weak-router", "lossy-link", "single-point-of-failure", "one-border-router", "split-partition",
		"separate-networks", "thread-versions", "router-limit", "few-routers"} {
		if found[rule] == 0 {
			t.Errorf("no home has anything for %s: the homes do not test it", rule)
		}
	}
}

// TestFewerReports: of a home of which only some nodes told, nothing untrue is
// found. A node that was not asked looks like one that did not answer, so what is
// said of silence does not count.
func TestFewerReports(t *testing.T) {
	for seed := range uint64(120) {
		h := mesh.Random(seed, mesh.RandomOptions{})
		reports := h.Reports(mesh.ReportOptions{At: at, Names: true, RouteTable: seed%2 == 0})
		// Of each link it may be one end only that told.
		want := truthOf(h, true, true)
		for _, part := range []truth{truthOf(h, true, false), truthOf(h, false, true)} {
			for rule, keys := range part {
				for key := range keys {
					want.add(rule, key)
				}
			}
		}
		r := rand.New(rand.NewPCG(seed, 3))
		r.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		for keep := len(reports); keep > 0; keep = keep * 2 / 3 {
			for _, f := range find(reports[:keep]) {
				switch f.Rule {
				case "silent-router", "silent-border-router", "separate-networks":
					continue
				}
				rule := f.Rule
				switch rule { // others know more, and say so where they can
				case "lonely-router":
					rule = "(one link)"
				case "weak-router":
					rule = "(all weak)"
				case "one-border-router": // another partition is out of sight
					rule = "(one in its partition)"
				}
				key := keyOf(&f)
				if rule == "single-point-of-failure" { // another partition, or an end that is more, may be out of sight
					rule = "(cut)"
					if strings.Contains(f.Title, "on the one link") {
						rule = "(bridge)"
					}
				}
				if n := f.Nodes[0]; n.ExtAddr == 0 && key == n.ID {
					key = nameless(h, n).String()
				}
				if !want[rule][key] {
					t.Errorf("seed %d, %d of %d reports: %s %s: %s. %s", seed, keep, len(reports), f.Rule, key, f.Title, f.Detail)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

// nameless is the address of a node that is known by its place only.
func nameless(h *mesh.Home, n *topology.Node) diag.ExtAddr {
	for _, m := range h.Networks {
		for i := range m.Nodes {
			x := &m.Nodes[i]
			if m.ExtPANID == n.Network.ExtPANID && n.RLOC16 == diag.MakeRLOC16(x.RLOC16()) && n.Partition == diag.Some(m.Partitions[x.Partition].ID) {
				return x.ExtAddr
			}
		}
	}
	return 0
}

// TestOrderDoesNotMatter: shuffled and repeated reports give the same findings.
func TestOrderDoesNotMatter(t *testing.T) {
	print := func(found []Finding) string {
		var b strings.Builder
		for _, f := range found {
			fmt.Fprintf(&b, "%s %v %v %s|%s|%s|%v|", f.Rule, f.Severity, f.Confidence, f.Title, f.Detail, f.NextStep, f.Evidence)
			for _, n := range f.Nodes {
				b.WriteString(" " + n.ID)
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	for seed := range uint64(60) {
		h := mesh.Random(seed, mesh.RandomOptions{Faults: 6})
		reports := h.Reports(mesh.ReportOptions{At: at, Names: true})
		reports = append(reports, h.Reports(mesh.ReportOptions{At: at.Add(time.Second), RouteTable: true, Source: "other"})...)
		want := print(find(reports))
		r := rand.New(rand.NewPCG(seed, 7))
		for range 4 {
			s := append(slices.Clone(reports), reports[:r.IntN(len(reports)+1)]...)
			r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
			if got := print(find(s)); got != want {
				t.Fatalf("seed %d: another order gave\n%s\nnot\n%s", seed, got, want)
			}
		}
	}
}
