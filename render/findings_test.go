package render

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/render/schema/schematest"
	"threadmap/simulators/golden"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// withFindings is a home with one finding of each severity.
func withFindings() *Document {
	d := documents()["home"]
	n := func(name string) *topology.Node { return d.Map.Find(name)[0] }
	d.Findings = []doctor.Finding{
		{Rule: "dying-link", Severity: doctor.Error, Confidence: doctor.High, Title: "The link of Hall bulb and Garden plug is dying", Detail: "Neither end hears of itself from the other any more.",
			Nodes: []*topology.Node{n("Hall bulb"), n("Garden plug")}, NextStep: "Look whether Garden plug has power.", Evidence: n("Hall bulb").Evidence},
		{Rule: "weak-link", Severity: doctor.Warning, Confidence: doctor.Medium, Title: "Hall button hangs on a weak link", Detail: "Kitchen HomePod hears it at −89 dBm.",
			Nodes: []*topology.Node{n("Hall button")}, NextStep: "Put a mains-powered Thread device between the two.", Evidence: n("Kitchen HomePod").Evidence},
		{Rule: "firmware-mix", Severity: doctor.Info, Confidence: doctor.Low, Title: "Two devices of one model have different firmware", Detail: "1.0 and 1.1.", NextStep: "Update the older one."},
	}
	return d
}

func TestFindingsGolden(t *testing.T) {
	var text, doc bytes.Buffer
	if err := Findings(&text, withFindings(), Options{}); err != nil {
		t.Fatal(err)
	}
	if err := FindingsJSON(&doc, withFindings()); err != nil {
		t.Fatal(err)
	}
	schematest.Document(t, doc.Bytes())
	golden.Same(t, "home-findings.txt", text.Bytes())
	golden.Same(t, "home-findings.json", doc.Bytes())
}

// TestFindingsOfNothing: who did not look does not praise.
func TestFindingsOfNothing(t *testing.T) {
	for _, c := range []struct {
		found      []doctor.Finding
		want, null string
	}{
		{nil, "Nobody looked", `"findings":null`},
		{[]doctor.Finding{}, "rules looked", `"findings":[`},
	} {
		d := documents()["line"]
		d.Findings = c.found
		var text, doc bytes.Buffer
		if err := Findings(&text, d, Options{}); err != nil || !strings.Contains(text.String(), c.want) {
			t.Errorf("%v: %s", err, text.String())
		}
		if err := FindingsJSON(&doc, d); err != nil || !strings.Contains(doc.String(), c.null) {
			t.Errorf("%v: %s", err, doc.String())
		}
		schematest.Document(t, doc.Bytes())
	}
}

// TestWhyIsValid: the document about a node keeps its promise, for every node.
func TestWhyIsValid(t *testing.T) {
	for name, d := range documents() {
		for _, n := range d.topology().Nodes {
			var doc bytes.Buffer
			if err := WhyJSON(&doc, d, n); err != nil {
				t.Fatal(name, err)
			}
			schematest.Document(t, doc.Bytes())
		}
	}
	d := withFindings()
	var doc bytes.Buffer
	if err := WhyJSON(&doc, d, d.Map.Find("Hall button")[0]); err != nil || !strings.Contains(doc.String(), `"rule":"weak-link"`) || strings.Contains(doc.String(), "dying-link") {
		t.Errorf("%v: %s", err, doc.String())
	}
	schematest.Document(t, doc.Bytes())
}

// compared is one change of every kind, told by scans of which each asked a
// source that the other did not.
func compared() *Comparison {
	before, after := documents()["home"], &Document{Map: fixture.Home(), Scan: fixture.Scan()}
	after.Scan.To = after.Scan.To.Add(26 * time.Hour)
	after.Scan.Sources = append(after.Scan.Sources[1:], diag.SourceState{Name: "thread", State: diag.StateAnswered}, diag.SourceState{Name: "otbr", State: diag.StateAnswered})
	a := func(name string) *topology.Node { return before.Map.Find(name)[0] }
	b := func(name string) *topology.Node { return after.Map.Find(name)[0] }
	net := after.Map.Networks[0]
	c := &Comparison{Before: before, After: after}
	for _, x := range []topology.Change{
		{Kind: topology.NetworkSplit, Before: "1", After: "2"},
		{Kind: topology.NetworkSplit, Before: "10", After: "2"},
		{Kind: topology.BorderRouterGone, Node: a("Living room hub"), Before: "router", After: "nobody tells of it"},
		{Kind: topology.NodeGone, Node: a("Roof window"), Before: "sleepy-end-device", After: "nobody tells of it"},
		{Kind: topology.NodeSilenced, Node: b("Garden plug"), Before: "ok", After: "silent"},
		{Kind: topology.ParentLost, Node: b("Letterbox"), Peer: b("Desk plug"), Before: "Desk plug"},
		{Kind: topology.LinkLost, Node: b("Attic plug"), Peer: b("Desk plug"), Before: "quality 2/2", After: "no link"},
		{Kind: topology.LinkLost, Node: b("Attic plug"), Peer: b("Cellar bulb"), Before: "quality 2/2", After: "one-way"},
		{Kind: topology.LinkWorse, Node: b("Hall bulb"), Peer: b("Cellar bulb"), Before: "quality 3/3", After: "quality 2/1"},
		{Kind: topology.ParentChanged, Node: b("Leak sensor"), Peer: b("Cellar bulb"), Before: "Hall\x1b[31m bulb", After: "Cellar bulb"},
		{Kind: topology.LeaderChanged, Node: b("Kitchen HomePod"), Peer: b("Living room hub"), Before: "Living room hub", After: "Kitchen HomePod"},
		{Kind: topology.NodeCame, Node: b("TV lamp"), Peer: b("Hall bulb"), After: "reed"},
		{Kind: topology.NodeCame, Node: b("Dishwasher")},
		{Kind: topology.NodeBack, Node: b("Washing machine"), Before: "silent", After: "ok"},
		{Kind: topology.LinkCame, Node: b("Hall bulb"), Peer: b("Living room hub"), After: "quality 3/3"},
		{Kind: topology.LinkCame, Node: b("Hall bulb"), Peer: b("Attic plug"), Before: "one-way", After: "quality 3/3"},
		{Kind: topology.LinkBetter, Node: b("Hall bulb"), Peer: b("Desk plug"), Before: "quality 1/1", After: "quality 3/3"},
		{Kind: topology.RoleChanged, Node: b("Attic plug"), Before: "end-device", After: "router"},
		{Kind: topology.BorderRouterChanged, Node: b("Desk plug"), Before: "border router", After: "no border router"},
		{Kind: topology.NetworkChanged, Before: "channel 15", After: "channel 25"},
		{Kind: topology.FirmwareChanged, Node: b("Kitchen HomePod"), Before: "18.0", After: "18.1"},
		{Kind: topology.RLOC16Changed, Node: b("Desk plug"), Before: "0x0000", After: "0x5c00"},
		{Kind: topology.NameChanged, Node: b("Desk plug"), Before: "Plug", After: "Desk plug"},
	} {
		x.Network = net
		c.Changes = append(c.Changes, x)
	}
	return c
}

func TestDiffGolden(t *testing.T) {
	var text, doc bytes.Buffer
	if err := Diff(&text, compared(), Options{}); err != nil {
		t.Fatal(err)
	}
	if err := DiffJSON(&doc, compared()); err != nil {
		t.Fatal(err)
	}
	schematest.Document(t, doc.Bytes())
	golden.Same(t, "home-diff.txt", text.Bytes())
	golden.Same(t, "home-diff.json", doc.Bytes())
	if strings.Contains(text.String()+doc.String(), "\x1b") {
		t.Error("a name brought an escape sequence")
	}
	for _, kind := range compared().Changes {
		if !strings.Contains(doc.String(), `"kind":"`+kind.Kind.String()+`"`) || kind.Kind.String() == "" {
			t.Errorf("kind %d is not told", kind.Kind)
		}
	}
}

// TestDiffOfTheSame: a document and itself differ in nothing, and what is empty
// can be compared, too.
func TestDiffOfTheSame(t *testing.T) {
	for name, d := range documents() {
		c := Compare(d, d)
		var text, doc bytes.Buffer
		if err := Diff(&text, c, Options{}); err != nil || text.String() != "Nothing changed.\n" {
			t.Errorf("%s: %v %s", name, err, text.String())
		}
		if err := DiffJSON(&doc, c); err != nil {
			t.Fatal(err)
		}
		schematest.Document(t, doc.Bytes())
	}
}
