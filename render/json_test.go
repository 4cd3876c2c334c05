package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/fixture"
	"threadmap/render/schema/schematest"
	"threadmap/topology"
)

func TestJSONIsValid(t *testing.T) {
	for name, d := range documents() {
		t.Run(name, func(t *testing.T) { schematest.Map(t, draw(t, Formats[1], d, Options{})) })
	}
}

// TestUnknownIsNull: a node and a link of which nothing is known.
func TestUnknownIsNull(t *testing.T) {
	a, b := &topology.Node{ID: "a"}, &topology.Node{ID: "b", RLOC16: diag.MakeRLOC16(0), Partition: diag.Some(uint32(0)), Battery: diag.Some(uint8(0))}
	m := &topology.Map{Nodes: []*topology.Node{a, b}, Networks: []*topology.Network{{ID: "n", Partitions: []topology.Partition{{}}}},
		Links: []*topology.Link{{A: a, B: b, Kind: topology.LinkRouter, State: topology.LinkOK, AToB: topology.Direction{LQ: diag.Some(uint8(0)), RSSI: diag.Some(int8(0)), FrameError: diag.Some(diag.Rate(0))}}}}
	raw := draw(t, Formats[1], &Document{Map: m}, Options{})
	schematest.Map(t, raw)
	for _, want := range []string{
		`{"id":"a","transport":"unknown","ext_addr":null,"rloc16":null,"role":"unknown","border_router":null,"parent":null,"parent_confidence":null,"network":null,"partition":null,"name":null,"names":[],"room":null,"vendor":null,"product":null,"firmware":null,"thread_version":null,"matter":[],"addresses":[],"icd":null,"state":"unknown","paths":null,"conflicts":[],"evidence":[],`,
		`"id":"b","transport":"unknown","ext_addr":null,"rloc16":"0x0000"`, `"partition":0,`, `"battery_percent":0,`,
		`"a_to_b":{"lq":0,"rssi":0,"margin":null,"frame_error":0,"message_error":null,"second_hand":false},"b_to_a":{"lq":null,"rssi":null,`,
		`"confidence":null,"age_s":null,`, `"partitions":[{"id":null,"leader":null}]`, `"complete":null`, `"scanned":{"from":null,"to":null,`, `"findings":null`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s\nis not in\n%s", want, raw)
		}
	}
}

// TestNumbersAreExact: 64-bit values survive, and nothing is printed by way of
// a float.
func TestNumbersAreExact(t *testing.T) {
	b := &fixture.Builder{}
	net := b.Network("x", 0xffffffffffffffff, 11)
	net.ActiveTimestamp = diag.Some(uint64(0xfedcba9876543211))
	p, q := b.Router(net, "p", 1), b.Router(net, "q", 2)
	p.Matter = []diag.MatterID{{Node: 7992705159264415015}}
	l := b.Link(p, q, 3, 3)
	l.Age = diag.Some(1001 * time.Millisecond)
	l.AToB.FrameError, l.BToA.FrameError, l.AToB.MessageError = diag.Some(diag.Rate(401)), diag.Some(diag.Rate(65535)), diag.Some(diag.Rate(65534))
	p.Evidence[0].At = time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 3600))
	q.LastHeard = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) // RFC 3339 can't say it
	raw := draw(t, Formats[1], &Document{Map: b.Done()}, Options{})
	schematest.Map(t, raw)
	for _, want := range []string{`"active_timestamp":"fedcba9876543211"`, `"node_id":"6eebcafec4632d27"`, `"fabric":null`, `"age_s":1.001`, `"frame_error":0.0061`, `"frame_error":1,`, `"message_error":0.9999`, `"at":"2026-01-02T02:04:05.123456789Z"`, `"last_heard":null`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s is not in\n%s", want, raw)
		}
	}
}

// TestJSONSaysWhatTheMapSays reads the document back and compares.
func TestJSONSaysWhatTheMapSays(t *testing.T) {
	m := fixture.Home()
	var doc struct {
		Nodes []struct {
			ID, Parent, Network string
			Role                string
			RLOC16              string
		}
		Links []struct {
			A, B   string
			AToB   struct{ LQ *uint8 } `json:"a_to_b"`
			BToA   struct{ LQ *uint8 } `json:"b_to_a"`
			Kind   topology.LinkKind
			State  topology.LinkState
			Except any
		}
	}
	dec := json.NewDecoder(bytes.NewReader(draw(t, Formats[1], &Document{Map: m}, Options{})))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Nodes) != len(m.Nodes) || len(doc.Links) != len(m.Links) {
		t.Fatalf("%d nodes and %d links, want %d and %d (dead links too)", len(doc.Nodes), len(doc.Links), len(m.Nodes), len(m.Links))
	}
	for i, n := range m.Nodes {
		parent := ""
		if n.Parent != nil {
			parent = n.Parent.ID
		}
		if d := doc.Nodes[i]; d.ID != n.ID || d.Parent != parent || d.RLOC16 != strings.ReplaceAll(n.RLOC16.String(), "?", "") {
			t.Errorf("node %+v, want %v under %q", d, n.ID, parent)
		}
	}
	same := func(p *uint8, o diag.Opt[uint8]) bool {
		v, ok := o.Get()
		return (p != nil) == ok && (p == nil || *p == v)
	}
	for i, l := range m.Links {
		if d := doc.Links[i]; d.A != l.A.ID || d.B != l.B.ID || d.Kind != l.Kind || d.State != l.State || !same(d.AToB.LQ, l.AToB.LQ) || !same(d.BToA.LQ, l.BToA.LQ) {
			t.Errorf("link %+v, want %+v", d, l)
		}
	}
}

func TestThreadVersion(t *testing.T) {
	for v, want := range map[diag.Opt[uint16]]string{{}: "", diag.Some(uint16(5)): "1.4", diag.Some(uint16(77)): "#77", diag.Some(uint16(0)): "#0"} {
		if got := threadVersion(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
