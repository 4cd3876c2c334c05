package render

import (
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

func TestTreeFitsTheTerminal(t *testing.T) {
	for _, width := range []int{80, 100, 132} {
		for _, o := range []Options{{Width: width}, {Width: width, Color: true}} {
			got := string(draw(t, Formats[0], documents()["home"], o))
			for line := range strings.Lines(got) {
				if n := shown(strings.TrimRight(line, "\n")); n > width {
					t.Errorf("%d columns on a terminal of %d: %q", n, width, line)
				}
			}
		}
	}
	for _, width := range []int{-1, 1, 2, 7, 20} { // nothing to read there, but no harm either
		draw(t, Formats[0], documents()["home"], Options{Width: width})
		draw(t, Formats[0], documents()["tongues"], Options{Width: width, Color: true})
	}
}

// TestColourIsOnlyPaint: without the escapes the words are the same.
func TestColourIsOnlyPaint(t *testing.T) {
	for name, d := range documents() {
		plain, coloured := string(draw(t, Formats[0], d, Options{})), string(draw(t, Formats[0], d, Options{Color: true}))
		if got := ourColours.ReplaceAllString(coloured, ""); squeeze(got) != squeeze(plain) {
			t.Errorf("%s: colours changed the text", name)
		}
		if strings.Contains(plain, "\x1b") || !strings.Contains(coloured, "\x1b") {
			t.Errorf("%s: colours where none were asked for, or none where they were", name)
		}
	}
}

// Tables that have no link qualities may still have signals.
func TestTreeTellsSignalsWithoutQuality(t *testing.T) {
	var b fixture.Builder
	net := b.Network("Home", 7, 15)
	near, far := b.Router(net, "Near", 1), b.Router(net, "Far", 2)
	l := b.Link(near, far, 1, 1)
	l.AToB, l.BToA = topology.Direction{RSSI: diag.Some(int8(-52))}, topology.Direction{}
	got := string(draw(t, Formats[0], &Document{Map: b.Done()}, Options{}))
	if !strings.Contains(got, "Far −52 dBm") && !strings.Contains(got, "Far -52 dBm") || strings.Contains(got, "-/-") || strings.Contains(got, "too little is known") {
		t.Error(got)
	}
}

// squeeze forgets blanks at line ends: they end up inside of the paint.
func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func TestColumnsLineUp(t *testing.T) {
	got := string(draw(t, Formats[0], &Document{Map: fixture.Tongues()}, Options{}))
	at := -1
	for line := range strings.Lines(got) {
		i := strings.Index(line, " sleepy ")
		if i < 0 {
			continue
		}
		if c := shown(line[:i]); at >= 0 && c != at {
			t.Errorf("the second column begins at %d and at %d:\n%s", at, c, got)
		} else {
			at = c
		}
	}
	if at < 0 {
		t.Error("no child in the tree")
	}
}

func TestDyingLinksAreNotCalledGood(t *testing.T) {
	got := string(draw(t, Formats[0], documents()["home"], Options{}))
	for _, want := range []string{"Garden plug 1/3 dying", "Garden plug 2/0 one-way", "Cellar bulb 0/2 one-way", "? 86c42aee0004f1b8 1/- weak", "disagreement about parent: Kitchen HomePod (OTBR) against Desk plug (Matter)"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "0/0 dead") {
		t.Error("a dead link is drawn though nobody asked")
	}
}

// A router of a dense mesh lists what is wrong and counts the rest.
func TestManyLinksAreCounted(t *testing.T) {
	m := &topology.Map{}
	net := &topology.Network{ID: "dead00beef00cafe"}
	m.Networks = []*topology.Network{net}
	for i := range 10 {
		x := diag.ExtAddr(0x0e00000000000000 + i)
		m.Nodes = append(m.Nodes, &topology.Node{ID: x.String(), ExtAddr: x, Network: net, Role: diag.RoleRouter, RLOC16: diag.RouterRLOC16(uint8(i)), State: topology.NodeOK, Heard: true})
	}
	for i, n := range m.Nodes[1:] {
		lq := topology.Direction{LQ: diag.Some(uint8(3 - i%2))}
		if i == 4 {
			lq.LQ = diag.Some(uint8(1))
		}
		m.Links = append(m.Links, &topology.Link{A: m.Nodes[0], B: n, Kind: topology.LinkRouter, State: topology.LinkOK, AToB: lq, BToA: lq})
	}
	var b strings.Builder
	if err := Tree(&b, &Document{Map: m}, Options{}); err != nil {
		t.Fatal(err)
	}
	if want := "links: 4 good, 4 fair, 0e00000000000005 1/1 weak"; !strings.Contains(b.String(), want) {
		t.Errorf("want %q in\n%s", want, b.String())
	}
}

// TestFindings: what a doctor found makes the sentence and stands below the map;
// that somebody looked and found nothing is told apart from nobody having looked.
func TestFindings(t *testing.T) {
	m := fixture.Home()
	found := []doctor.Finding{
		{Rule: "a", Severity: doctor.Error, Confidence: doctor.High, Title: "One \x1b[31mthing", Detail: "Seen so.", NextStep: "Do this.", Nodes: m.Nodes[:1]},
		{Rule: "b", Severity: doctor.Info, Confidence: doctor.Low, Title: "Just news", Detail: "Seen so.", NextStep: "Do that."},
	}
	for range 6 {
		found = append(found, doctor.Finding{Rule: "c", Severity: doctor.Warning, Confidence: doctor.Low, Title: "More", Detail: "Seen so.", NextStep: "Do that."})
	}
	var b strings.Builder
	if err := Tree(&b, &Document{Map: m, Findings: found}, Options{Width: -1}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"7 problems: One thing; More; More; and 4 more; 22 devices, 3 border routers in all.\n", "\n  ✗ One thing\n    Seen so.\n    → Do this.\n  · Just news\n", "\n  and 3 more: threadmap doctor\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := JSON(&b, &Document{Map: m, Findings: found[:1]}, Options{}); err != nil {
		t.Fatal(err)
	}
	if want := `{"rule":"a","severity":"error","confidence":"high","title":"One thing","detail":"Seen so.","nodes":["` + m.Nodes[0].ID + `"],"next_step":"Do this.","evidence":[]}`; !strings.Contains(b.String(), want) {
		t.Errorf("no %s in the document", want)
	}
	b.Reset()
	if err := JSON(&b, &Document{Map: m, Findings: []doctor.Finding{}}, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"findings":[]`) {
		t.Error("nothing found is not []")
	}
}
