package matterserver

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"threadmap/diag"
	"threadmap/topology"
)

// A recording answers as a real server did. Reads of single nodes are answered
// from the recorded nodes, but for the one that was recorded itself.
type recording struct {
	t     *testing.T
	nodes map[string]map[string]any // attributes, by node id
	alone bool                      // refuse every read, as was recorded of a path that is not there
}

func recorded(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decode reads JSON for comparison: numbers stay digits.
func decode(t *testing.T, b []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func newRecording(t *testing.T) *recording {
	r := &recording{t: t, nodes: map[string]map[string]any{}}
	for _, n := range decode(t, recorded(t, "get_nodes")).(map[string]any)["result"].([]any) {
		o := n.(map[string]any)
		r.nodes[o["node_id"].(json.Number).String()] = o["attributes"].(map[string]any)
	}
	return r
}

func (rec *recording) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ctx := r.Context()
	ws.Write(ctx, websocket.MessageText, recorded(rec.t, "server_info"))
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			return
		}
		q := decode(rec.t, b).(map[string]any)
		var a any
		switch q["command"] {
		case "get_nodes", "get_thread_border_routers":
			a = decode(rec.t, recorded(rec.t, q["command"].(string)))
		case "read_attribute":
			a = rec.read(q["args"].(map[string]any))
		default:
			a = decode(rec.t, recorded(rec.t, "unknown_command"))
		}
		a.(map[string]any)["message_id"] = q["message_id"]
		answer, _ := json.Marshal(a)
		ws.Write(ctx, websocket.MessageText, answer)
	}
}

func (rec *recording) read(args map[string]any) any {
	if rec.alone {
		return decode(rec.t, recorded(rec.t, "read_attribute_bad"))
	}
	id := args["node_id"].(json.Number).String()
	result := map[string]any{}
	if id == "29" {
		result = decode(rec.t, recorded(rec.t, "read_attribute_wild")).(map[string]any)["result"].(map[string]any)
	}
	for _, p := range args["attribute_path"].([]any) {
		prefix, wild := strings.CutSuffix(p.(string), "*")
		for path, v := range rec.nodes[id] {
			if wild && strings.HasPrefix(path, prefix) || path == prefix {
				result[path] = v
			}
		}
	}
	return map[string]any{"result": result}
}

// num is the exact value of a recorded number.
func num(t *testing.T, v any) uint64 {
	t.Helper()
	n, ok := v.(json.Number)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	u, err := strconv.ParseUint(n.String(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// signed is "-47", or "?" for null.
func signed(v any) string {
	if v == nil {
		return "?"
	}
	return fmt.Sprint(v)
}

// rows writes the tables of a recorded node as rowsOf writes those of a report.
func rows(t *testing.T, a map[string]any) []string {
	t.Helper()
	var out []string
	for _, v := range a["0/53/7"].([]any) {
		o := v.(map[string]any)
		kind := "neighbor"
		if o["13"].(bool) {
			kind = "child"
		}
		out = append(out, fmt.Sprintf("%s %016x %#04x age %v counters %v %v lq %v rssi %s %s errors %v%% %v%% mode %v %v %v", kind, num(t, o["0"]), num(t, o["2"]),
			o["1"], o["3"], o["4"], o["5"], signed(o["6"]), signed(o["7"]), o["8"], o["9"], o["10"], o["11"], o["12"]))
	}
	for _, v := range a["0/53/8"].([]any) {
		o := v.(map[string]any)
		out = append(out, fmt.Sprintf("route %016x router %v next %v cost %v lq %v %v age %v %v %v", num(t, o["0"]), o["2"], o["3"], o["4"], o["5"], o["6"], o["7"], o["8"], o["9"]))
	}
	slices.Sort(out)
	return out
}

func rowsOf(r diag.Report) []string {
	var out []string
	for kind, list := range map[string][]diag.Neighbor{"neighbor": r.Neighbors, "child": r.Children} {
		for _, n := range list {
			loc, _ := n.RLOC16.Get()
			age, _ := n.Age.Get()
			m, _ := n.Mode.Get()
			f, _ := n.FrameErrorRate.Get()
			e, _ := n.MessageErrorRate.Get()
			out = append(out, fmt.Sprintf("%s %016x %#04x age %d counters %v %v lq %v rssi %v %v errors %d%% %d%% mode %v %v %v", kind, uint64(n.ExtAddr), loc,
				int(age.Seconds()), n.LinkFrameCounter, n.MLEFrameCounter, n.LinkQualityIn, n.AverageRSSI, n.LastRSSI, f.Permille()/10, e.Permille()/10,
				m.RxOnWhenIdle, m.FullThreadDevice, m.FullNetworkData))
		}
	}
	for _, w := range r.Routes {
		age, _ := w.Age.Get()
		out = append(out, fmt.Sprintf("route %016x router %v next %v cost %v lq %v %v age %d %v %v", uint64(w.ExtAddr), w.RouterID, w.NextHop, w.PathCost,
			w.LinkQualityIn, w.LinkQualityOut, int(age.Seconds()), w.Allocated, w.LinkEstablished))
	}
	slices.Sort(out)
	return out
}

var roles = map[string]diag.Role{"2": diag.RoleSleepyEndDevice, "3": diag.RoleEndDevice, "4": diag.RoleREED, "5": diag.RoleRouter, "6": diag.RoleLeader}

// TestReportsEqualTheRecordedNodes: node by node and row by row, whether they
// were kept or read, with every number exact.
func TestReportsEqualTheRecordedNodes(t *testing.T) {
	for _, alone := range []bool{false, true} {
		rec := newRecording(t)
		rec.alone = alone
		reports, problems, _ := scan(t, rec, nil)
		kept, fresh, routers := told(t, reports)
		if len(kept) != 14 || len(routers) != 2 || len(rec.nodes) != 14 {
			t.Fatalf("%d kept, %d border routers, %d recorded", len(kept), len(routers), len(rec.nodes))
		}
		tables := 0
		for id, a := range rec.nodes {
			n, _ := strconv.ParseUint(id, 10, 64)
			role := roles[fmt.Sprint(a["0/53/1"])]
			_, icd := a["0/70/0"]
			if _, read := fresh[n]; read != (role != diag.RoleSleepyEndDevice && !icd && !alone) {
				t.Errorf("node %s, %s: read %v", id, role, read)
			}
			for _, r := range []diag.Report{kept[n], fresh[n]} {
				if r.Source == "" {
					continue
				}
				hardware, _ := base64.StdEncoding.DecodeString(a["0/51/0"].([]any)[0].(map[string]any)["4"].(string))
				want := diag.Report{
					RLOC16: diag.MakeRLOC16(uint16(num(t, a["0/53/64"]))), Role: role, Transport: diag.TransportThread,
					Own: []diag.AddrClaim{{ExtAddr: diag.ExtAddr(binary.BigEndian.Uint64(hardware)), Witness: diag.WitnessInterface},
						{ExtAddr: diag.ExtAddr(num(t, a["0/53/63"])), Witness: diag.WitnessAttribute}},
					Matter: []diag.MatterID{{Fabric: 9459049951292553703, Node: n}},
				}
				got := diag.Report{RLOC16: r.RLOC16, Role: r.Role, Transport: r.Transport, Own: r.Own, Matter: r.Matter}
				if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
					t.Errorf("node %s:\n got %+v\nwant %+v", id, got, want)
				}
				if r.Network.ExtPANID != diag.PANID64(num(t, a["0/53/4"])) || r.Network.Name != a["0/53/2"] || r.Leader.PartitionID != diag.Some(uint32(num(t, a["0/53/9"]))) ||
					r.Leader.RouterID != diag.Some(uint8(num(t, a["0/53/13"]))) || r.Network.Channel != diag.Some(uint8(num(t, a["0/53/0"]))) {
					t.Errorf("node %s: network %+v, leader %+v", id, r.Network, r.Leader)
				}
				if g, w := rowsOf(r), rows(t, a); !slices.Equal(g, w) {
					t.Errorf("node %s, cached %v:\n got %s\nwant %s", id, r.Cached, strings.Join(g, "\n     "), strings.Join(w, "\n     "))
				}
				tables += len(r.Neighbors) + len(r.Children) + len(r.Routes)
			}
		}
		if tables < 70 {
			t.Errorf("only %d rows were compared", tables)
		}
		if failed := strings.Count(texts(problems), "error 7: Failed to read attribute: no values returned"); failed != len(problems) || (failed == 8) != alone || len(fresh) != 8-failed {
			t.Errorf("%d read, %s", len(fresh), texts(problems))
		}
	}
}

// TestRecordedBorderRouters: one of the two is a Matter node, the other is not.
func TestRecordedBorderRouters(t *testing.T) {
	reports, _, _ := scan(t, newRecording(t), nil)
	_, _, routers := told(t, reports)
	var got []string
	for _, r := range routers {
		a, _ := r.BorderAgent.Get()
		got = append(got, fmt.Sprint(r.Own[0].ExtAddr, r.Own[0].Witness, r.Hosts, r.Vendor, r.Product, r.Network.Name, r.Network.ExtPANID, r.Leader.PartitionID, r.ThreadVersion,
			r.Network.ActiveTimestamp, a.StateBitmap, a.Endpoints, r.Cached, r.BorderRouter))
	}
	want := []string{
		"da5083b64f28dfa0 border agent announcement [labbr1] Lab VirtualBR threadmap-lab dead00beef00cafe 727675337 4 65536 1457 [[fd11:2233:4455::1]:49152 [fe80::4419:e6ff:fe21:16d3]:49152] true true",
		"62ff7c2d40eb967e border agent announcement [labbr2] Lab VirtualBR threadmap-lab dead00beef00cafe 727675337 4 65536 1457 [[fd11:2233:4455::1]:49153 [fe80::4419:e6ff:fe21:16d3]:49153] true true",
	}
	for i := range want {
		if i >= len(got) || spaceless(got[i]) != spaceless(want[i]) {
			t.Errorf("\n got %v\nwant %v", got, want[i])
		}
	}
}

func spaceless(s string) string { return strings.Join(strings.Fields(s), "") }

// TestMapEqualsTheRecordedTables: the links of the map are the pairs that stand
// in each other's neighbor tables, the parents those that hold the children.
func TestMapEqualsTheRecordedTables(t *testing.T) {
	rec := newRecording(t)
	reports, _, _ := scan(t, rec, nil)
	m := topology.Build(reports)
	want, parents := map[string]bool{}, map[string]string{}
	for _, a := range rec.nodes {
		own := fmt.Sprintf("%016x", num(t, a["0/53/63"]))
		child := num(t, a["0/53/64"])&0x1ff != 0
		for _, v := range a["0/53/7"].([]any) {
			o := v.(map[string]any)
			other := fmt.Sprintf("%016x", num(t, o["0"]))
			want[min(own, other)+" "+max(own, other)] = true
			if o["13"].(bool) {
				parents[other] = own
			} else if child {
				parents[own] = other
			}
		}
	}
	got := map[string]bool{}
	for _, l := range m.Links {
		got[min(l.A.ID, l.B.ID)+" "+max(l.A.ID, l.B.ID)] = true
	}
	if !maps.Equal(got, want) || len(want) != 29 {
		t.Errorf("%d links, want %d: %v", len(got), len(want), got)
	}
	if len(m.Networks) != 1 || len(m.Nodes) != 15 { // the second border router is no Matter node
		t.Errorf("%d networks, %d nodes", len(m.Networks), len(m.Nodes))
	}
	for _, n := range m.Nodes {
		parent := ""
		if n.Parent != nil {
			parent = n.Parent.ID
		}
		if parent != parents[n.ID] {
			t.Errorf("%s %s: parent %q, want %q", n.ID, n.Name, parent, parents[n.ID])
		}
	}
}
