package render

import (
	"bytes"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/simulators/golden"
	"threadmap/topology"
)

// TestWhyGolden looks at a node of each kind.
func TestWhyGolden(t *testing.T) {
	d := documents()["home"]
	var all, doc bytes.Buffer
	for _, name := range []string{"Kitchen HomePod", "Desk plug", "Hall button", "Garden plug", "Garage door", "Hue Bridge", "86c42aee00058fef"} {
		found := d.Map.Find(name)
		if len(found) != 1 {
			t.Fatalf("%s: %d nodes", name, len(found))
		}
		if err := Why(&all, d, found[0], Options{}); err != nil {
			t.Fatal(err)
		}
		all.WriteString("\n────\n\n")
		if err := WhyJSON(&doc, d, found[0]); err != nil {
			t.Fatal(err)
		}
	}
	golden.Same(t, "home-why.txt", all.Bytes())
	golden.Same(t, "home-why.json", doc.Bytes())
}

// A node of unknown role that hears one other: no link is drawn, since that may be
// its parent or a neighbor, but it is told.
func TestWhyTellsALoneNeighbor(t *testing.T) {
	hears := diag.Report{Source: "matter", At: fixture.At, Own: []diag.AddrClaim{{ExtAddr: 0xa1, Witness: diag.WitnessInterface}},
		Neighbors: []diag.Neighbor{{ExtAddr: 0xb2, LinkQualityIn: diag.Some(uint8(2)), AverageRSSI: diag.Some(int8(-84))}}}
	m := topology.Build([]diag.Report{hears})
	var b strings.Builder
	if err := Why(&b, &Document{Map: m}, m.Find("00000000000000a1")[0], Options{}); err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(s, "quality 2") || !strings.Contains(s, "84 dBm; parent or neighbor not known.") {
		t.Error(s)
	}
}

// TestWhyOfEverybody: for every node of every home, hostile ones too, the text
// fits the terminal and holds nothing that a terminal acts on.
func TestWhyOfEverybody(t *testing.T) {
	hostile, scan := fixture.Hostile()
	docs := documents()
	docs["hostile"] = &Document{Map: hostile, Scan: scan}
	for name, d := range docs {
		for _, n := range d.topology().Nodes {
			for _, width := range []int{40, 80, -1} {
				var b strings.Builder
				if err := Why(&b, d, n, Options{Width: width}); err != nil {
					t.Fatal(err)
				}
				for line := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n"), "\n") {
					if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
						t.Errorf("%s, %s: a control character in %q", name, n.ID, line)
					}
				}
			}
		}
	}
}

// TestWhyTellsWhoHangsOnIt: a router that others need is shown with those.
func TestWhyTellsWhoHangsOnIt(t *testing.T) {
	m := fixture.Line(4)
	m.Nodes[0].BorderRouter = diag.Some(true)
	var b strings.Builder
	if err := Why(&b, &Document{Map: m}, m.Nodes[1], Options{Width: -1}); err != nil {
		t.Fatal(err)
	}
	ways := m.Routing()
	if len(ways.Cuts()) == 0 || !strings.Contains(b.String(), "Without it 2 devices have no way to a border router: ") {
		t.Errorf("cuts %v; the text is\n%s", len(ways.Cuts()), b.String())
	}
}
