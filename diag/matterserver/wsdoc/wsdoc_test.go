package wsdoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		`{"message_id":"7","result":[1]}`:  `answer 7 [1]`,
		`{"message_id":"7","result":null}`: `answer 7 null`,
		`{"message_id":"7"}`:               `answer 7 `,
		`{"message_id":"7","error_code":5,"details":"Node 1\n does  not exist"}`:             `refusal 7 5 "Node 1 does not exist"`,
		`{"message_id":"7","error_code":9,"details":null}`:                                   `refusal 7 9 ""`,
		`{"message_id":"7","error_code":"x"}`:                                                `no message`,
		`{"event":"node_updated","data":{}}`:                                                 `event node_updated`,
		`{"schema_version":13,"compressed_fabric_id":9459049951292553703,"sdk_version":"x"}`: `greeting 13 9459049951292553703 x`,
		`{"sdk_version":"matter-server/1 (matter.js/0.17.9)"}`:                               `greeting ? 0 matter-server/1 (matter.js/0.17.9)`,
		`{"schema_version":1.5,"compressed_fabric_id":1e3,"sdk_version":"x"}`:                `greeting ? 0 x`,
		`{"type":"auth_required","ha_version":"2026.8.1"}`:                                   `no message`, // Home Assistant itself
		`[]`: `no message`, `null`: `no message`, `7`: `no message`, ``: `no message`, `<html>`: `no message`,
		`{"message_id":"7","result":[{"node_`: `cut short`, `{`: `cut short`,
		`{"message_id":7,"result":[]}`: `no message`,
	} {
		m, err := Parse([]byte(in))
		got := ""
		switch {
		case errors.Is(err, ErrCutShort):
			got = "cut short"
		case err != nil:
			got = "no message"
		case m.Greeting != nil:
			got = fmt.Sprintf("greeting %v %d %s", m.Greeting.Schema, m.Greeting.Fabric, m.Greeting.SDK)
		case m.Refusal != nil:
			got = fmt.Sprintf("refusal %s %d %q", m.ID, m.Refusal.Code, m.Refusal.Details)
		case m.ID != "":
			got = fmt.Sprintf("answer %s %s", m.ID, m.Result)
		default:
			got = "event " + m.Event
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	if m, err := Parse([]byte(`{"message_id":"7","error_code":0,"details":"` + strings.Repeat("é", 1000) + `"}`)); err != nil || len(m.Refusal.Details) > 130 {
		t.Errorf("%v %+v", err, m.Refusal)
	}
}

func TestNodes(t *testing.T) {
	nodes, problems, err := Nodes(json.RawMessage(` [
		{"node_id":18446744073709551615,"available":true,"attributes":{"0/53/1":5,"0/53/4":16045481867444538110,"0/62/0":["noc"],"1/6/0":true,"x":1}},
		{"node_id":"7","attributes":{}}, {"node_id":7}, {"node_id":8,"attributes":[]}, 17,
		{"node_id":9,"available":null,"attributes":{}},
		{"node_id":9,"available":false,"attributes":{"0/53/1":2}}]`))
	if err != nil || len(nodes) != 2 || len(problems) != 2 || problems[0] != "a node without a node_id that is a number: skipped" || problems[1] != "3 more such nodes: skipped" {
		t.Fatalf("%+v %v %v", nodes, problems, err)
	}
	n := nodes[0]
	if n.ID != math.MaxUint64 || n.Available != diag.Some(true) || len(n.Attributes) != 2 { // certificates are not even kept
		t.Errorf("%+v", n)
	}
	if nodes[1].Available != diag.Some(false) || len(nodes[1].Attributes) != 1 {
		t.Errorf("%+v", nodes[1])
	}
	r, problems := n.Report(Greeting{Fabric: 9459049951292553703})
	if len(problems) != 0 || r.Network.ExtPANID != 16045481867444538110 || r.Role != diag.RoleRouter || r.Matter[0] != (diag.MatterID{Fabric: 9459049951292553703, Node: math.MaxUint64}) {
		t.Errorf("%+v %v", r, problems)
	}
	for _, bad := range []string{``, `null`, `{}`, `7`, `"x"`} {
		if _, _, err := Nodes(json.RawMessage(bad)); err == nil {
			t.Errorf("%s is a list of nodes", bad)
		}
	}
	many := `[` + strings.TrimSuffix(strings.Repeat(`{"node_id":%d,"attributes":{}},`, maxNodes+5), ",") + `]`
	args := make([]any, maxNodes+5)
	for i := range args {
		args[i] = i
	}
	nodes, problems, err = Nodes(json.RawMessage(fmt.Sprintf(many, args...)))
	if len(nodes) != maxNodes || len(problems) != 1 || err != nil {
		t.Errorf("%d nodes, %v %v", len(nodes), problems, err)
	}
}

func TestTestNodes(t *testing.T) {
	js, python := Greeting{SDK: "matter-server/1.4.1 (matter.js/0.17.9)"}, Greeting{SDK: "2025.7.0"}
	for id, want := range map[uint64][2]bool{1: {}, 899999: {}, 900000: {false, true}, 0xFFFFFFFDFFFFFFFF: {false, true}, 0xFFFFFFFE00000000: {true, true}} {
		n := Node{ID: id}
		if got := [2]bool{n.IsTest(js), n.IsTest(python)}; got != want {
			t.Errorf("%d: %v", id, got)
		}
	}
}

// TestFreshly: what is read again is on the endpoint that the report was made
// of, and nothing is asked for that the node has not.
func TestFreshly(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                         ``,
		`{"0/51/0":[]}`:              ``,
		`{"0/53/1":5,"1/53/1":null}`: `0/53/*`,
		`{"2/53/1":5,"3/53/7":[]}`:   `2/53/*`,
		`{"0/53/1":5,"0/51/0":[],"0/51/2":7,"0/51/8":true,"1/51/1":3}`: `0/53/* 0/51/0 0/51/2`,
	} {
		a, err := Attributes(json.RawMessage(in))
		n := Node{Attributes: a}
		if got := strings.Join(n.Freshly(), " "); got != want || err != nil || (n.Freshly() == nil) != (want == "") {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}

func TestBorderRouters(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	reports, problems, err := BorderRouters(json.RawMessage(fmt.Sprintf(`[
		{"extAddressHex":"DA5083B64F28DFA0","borderAgentIdHex":"AD08DE9EEF6E693440C458DB9CA3B007","addresses":["fe80::1%%eth0","fe80::1","::","x",7],"meshcopPort":49152,"lastSeen":%d},
		{"extAddressHex":"0000000000000000"}, {"extAddressHex":7}, "x",
		{"extAddressHex":"62FF7C2D40EB967E","lastSeen":%d,"meshcopPort":99999,"addresses":["fd11::1"],"partitionIdHex":"123456789","stateBitmapHex":"zz"}]`,
		now.Add(-time.Hour).UnixMilli(), now.Add(time.Hour).UnixMilli())), now)
	if err != nil || len(reports) != 2 || len(problems) != 3 || problems[0] != "border router 2: extAddressHex is no extended address: skipped" {
		t.Fatalf("%+v %v %v", reports, problems, err)
	}
	a, _ := reports[0].BorderAgent.Get()
	if r := reports[0]; r.At != now.Add(-time.Hour) || r.BorderAgentID != "ad08de9eef6e693440c458db9ca3b007" || len(r.Addresses) != 1 || len(a.Endpoints) != 1 || !r.Cached {
		t.Errorf("%+v", r)
	}
	if r := reports[1]; r.At != now || r.BorderAgent.Known() || r.Leader.PartitionID.Known() || len(r.Addresses) != 1 { // its clock is fast
		t.Errorf("%+v", r)
	}
	if _, _, err := BorderRouters(json.RawMessage(`{}`), now); err == nil {
		t.Error("an object is a list")
	}
	reports, problems, _ = BorderRouters(json.RawMessage(`[`+strings.TrimSuffix(strings.Repeat(`{"extAddressHex":"DA5083B64F28DFA0"},`, 300), ",")+`]`), now)
	if len(reports) != maxBorderRouters || len(problems) != 1 {
		t.Errorf("%d, %v", len(reports), problems)
	}
}

func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		`{"message_id":"7","result":[{"node_id":29,"available":true,"attributes":{"0/53/1":6,"0/53/7":[{"0":1,"13":false}],"0/51/0":[{"4":"Pumc7QzbXA0=","7":4}]}}]}`,
		`{"message_id":"7","result":[{"extAddressHex":"DA5083B64F28DFA0","addresses":["fe80::1"],"lastSeen":1795354159362}]}`,
		`{"message_id":"7","result":{"0/53/8":[{"0":0,"2":63}]}}`, `{"message_id":"7","error_code":0,"details":"Operation aborted"}`,
		`{"schema_version":13,"sdk_version":"x"}`, `{"event":"server_shutdown"}`,
	} {
		f.Add([]byte(s))
	}
	now := time.Unix(1795354159, 0).UTC()
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		var lines []string
		if m.Refusal != nil {
			lines = append(lines, m.Refusal.Details)
		}
		check := func(n Node) {
			_, problems := n.Report(Greeting{})
			lines = append(lines, problems...)
			if p := n.Freshly(); len(p) > 9 {
				t.Errorf("%d paths", len(p))
			}
		}
		nodes, problems, _ := Nodes(m.Result)
		lines = append(lines, problems...)
		for _, n := range nodes {
			check(n)
		}
		if a, err := Attributes(m.Result); err == nil {
			check(Node{Attributes: a})
		}
		reports, problems, _ := BorderRouters(m.Result, now)
		lines = append(lines, problems...)
		for _, r := range reports {
			if r.At.After(now) || r.At.IsZero() || len(r.Own) != 1 {
				t.Errorf("%+v", r)
			}
		}
		if slices.ContainsFunc(lines, func(l string) bool { return strings.ContainsAny(l, "\n\r") || len(l) > 1000 }) {
			t.Errorf("%q", lines)
		}
	})
}
