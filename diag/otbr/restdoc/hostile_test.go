package restdoc

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// One wrong value costs its field, one wrong entry itself, and each entry one line.
func TestWrongTypesCostTheField(t *testing.T) {
	reports, problems := Decode([]byte(`[
		{"extAddress":"0e01010101010101","rloc16":true,"mode":7,"leaderData":{"partitionId":-1,"leaderRouterId":5},"route":{"routeData":[{"routeId":70},{"routeId":3,"linkQualityIn":9}]},"childTable":{"no":"list"}},
		"what is this",
		{"extAddress":123,"rloc16":"0x0000","ipv6Addresses":["fe80::1","nonsense",7,"10.0.0.1","::"],"children":[7,{"childId":3,"averageRssi":127,"lastRssi":-300}]}
	]`), context())
	if len(reports) != 2 || len(problems) != 3 {
		t.Fatalf("%d reports, %d problems: %v", len(reports), len(problems), problems)
	}
	a, b := reports[0], reports[1]
	if a.RLOC16.Known() || a.Mode.Known() || a.Leader.PartitionID.Known() || a.Leader.RouterID != diag.Some[uint8](5) || a.Children != nil ||
		!reflect.DeepEqual(a.Routes, []diag.Route{{RouterID: 3}}) {
		t.Errorf("first: %+v", a)
	}
	if v, known := b.RLOC16.Get(); !known || v != 0 {
		t.Errorf("0x0000 is a real router, got %v", b.RLOC16)
	}
	if len(b.Addresses) != 1 || len(b.Children) != 1 || b.Children[0].AverageRSSI.Known() || b.Children[0].LastRSSI.Known() || b.Children[0].RLOC16 != diag.MakeRLOC16(3) {
		t.Errorf("third: %+v", b)
	}
	for i, want := range []string{`entry 1 (0e01010101010101): rloc16: want a number or text such as "0x5c00", got true (and 5 more`, "entry 2: want an object", "entry 3 (0x0000): "} {
		if p := problems[i]; !strings.HasPrefix(p.Text, want) || p.Stage != diag.StageParse || p.Target != "http://br:8081" || strings.Contains(p.Text, "\n") {
			t.Errorf("problem %d: %+v, want it to begin with %s", i, p, want)
		}
	}
}

func TestRLOC16Forms(t *testing.T) {
	for _, c := range []struct {
		text string
		want diag.RLOC16
		bad  bool
	}{
		{"23552", diag.MakeRLOC16(0x5c00), false}, {`"0x5c00"`, diag.MakeRLOC16(0x5c00), false}, {`"0X5C00"`, diag.MakeRLOC16(0x5c00), false},
		{`"5c00"`, diag.MakeRLOC16(0x5c00), false}, {"0", diag.MakeRLOC16(0), false}, {`"0x0"`, diag.MakeRLOC16(0), false},
		{"65534", diag.RLOC16{}, false}, {`"0xfffe"`, diag.RLOC16{}, false}, {"64512", diag.RLOC16{}, false}, {"null", diag.RLOC16{}, false},
		{"65536", diag.RLOC16{}, true}, {"-1", diag.RLOC16{}, true}, {"2.5", diag.RLOC16{}, true}, {`"23552"`, diag.RLOC16{}, true}, {`""`, diag.RLOC16{}, true}, {"[]", diag.RLOC16{}, true},
	} {
		var f faults
		if got := f.rloc16("rloc16", value(c.text)); got != c.want || (f.first != "") != c.bad {
			t.Errorf("%s: %v, complaint %q", c.text, got, f.first)
		}
	}
}

func TestTimeoutFromExponent(t *testing.T) {
	for e, want := range map[uint64]time.Duration{0: 1, 3: 1, 4: 1, 5: 2, 12: 256, 31: 1 << 27} {
		if got := timeoutFromExponent(e); got != want*time.Second {
			t.Errorf("exponent %d: %v, want %d s", e, got, want)
		}
	}
}

// Lists lost on the way are no statement that there is nothing.
func TestLostLists(t *testing.T) {
	const entry = `{"extAddress":"0e04040404040404","rloc16":"0xc000","route":{"idSequence":6,"routeData":[{"routeId":16,"linkQualityOut":%d,"linkQualityIn":%[1]d,"routeCost":1}]},
		"childTable":[%s],"children":[%s],"routerNeighbors":[%s]}`
	const short1, short2 = `{"childId":1,"timeout":12,"linkQuality":3,"mode":{"rxOnWhenIdle":false,"fullThreadDevice":false,"fullNetworkData":false}}`, `{"childId":2,"timeout":13}`
	const long1, neighbor = `{"rloc16":"0xc001","extAddress":"0e07070707070707","timeout":240}`, `{"rloc16":"0x4000"}`
	for _, c := range []struct {
		name                             string
		lq                               int
		short, long, neighbors           string
		children                         int
		lost, neighborsNil, neighborsNon bool
	}{
		{"nothing lost", 3, short1, long1, neighbor, 1, false, false, true},
		{"no children, no links", 0, "", "", "", 0, false, false, false},
		{"children lost", 3, short1 + "," + short2, "", neighbor, 2, true, false, true},
		{"one of two lost", 3, short1 + "," + short2, long1, neighbor, 2, true, false, true},
		{"neighbors lost", 3, "", "", "", 0, true, true, false},
		{"both lost", 3, short1, "", "", 1, true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte("[" + fmt.Sprintf(entry, c.lq, c.short, c.long, c.neighbors) + "]")
			d := Read(body, context())
			if len(d.Problems) > 0 || len(d.Reports) != 1 {
				t.Fatalf("%+v", d)
			}
			r := d.Reports[0]
			if r.Children == nil || len(r.Children) != c.children || (r.Neighbors == nil) != c.neighborsNil || (len(r.Neighbors) > 0) != c.neighborsNon {
				t.Errorf("children %v, neighbors %v", r.Children, r.Neighbors)
			}
			if (len(d.Lost) == 1) != c.lost {
				t.Errorf("lost: %v", d.Lost)
			}
			if _, problems := Decode(body, context()); (len(problems) == 1) != c.lost {
				t.Errorf("problems: %v", problems)
			}
			if c.short != "" && r.Children[0].LinkQualityIn.Known() != strings.Contains(c.short, "linkQuality") {
				t.Errorf("the short row's link quality: %+v", r.Children[0])
			}
		})
	}
}

// A border router's flag "false" is known to be wrong at times; alone it says nothing.
func TestBorderRouterFlag(t *testing.T) {
	const named, notNamed = `"03080007fc0103680010"`, `"03080007fc0103440010"`
	for _, c := range []struct {
		flag, data string
		want       diag.Opt[bool]
	}{
		{"", "", diag.Opt[bool]{}}, {"true", "", diag.Some(true)}, {"false", "", diag.Opt[bool]{}},
		{"", named, diag.Some(true)}, {"", notNamed, diag.Opt[bool]{}},
		{"false", named, diag.Some(true)}, {"false", notNamed, diag.Some(false)}, {"true", notNamed, diag.Some(true)},
	} {
		body := `{"extAddress":"0e01010101010101","rloc16":"0x6800"`
		if c.flag != "" {
			body += `,"isBorderRouter":` + c.flag
		}
		if c.data != "" {
			body += `,"networkData":` + c.data
		}
		if got := decode(t, []byte(body+"}")); len(got) != 1 || got[0].BorderRouter != c.want {
			t.Errorf("flag %q, network data %s: %v, want %v", c.flag, c.data, got[0].BorderRouter, c.want)
		}
	}
}

// Generation 2 by OTBR's source; unproved by any recording.
func TestGeneration2NamesUnproved(t *testing.T) {
	reports := decode(t, []byte(`{"data":[{"id":"a","type":"networkDiagnostics","attributes":{"extAddress":"0e04040404040404","rloc16":"0xc000","routerId":48,
		"mode":{"rxOnWhenIdle":true,"deviceTypeFTD":true,"fullNetworkData":true},"version":5,"ipv6Addresses":["fd00:db8:a0::ff:fe00:c000"],
		"children":[{"rxOnWhenIdle":true,"deviceTypeFTD":false,"fullNetworkData":true,"supportsErrorRate":false,"frameErrorRate":0.5,"rloc16":"0xc003","childId":3,"extAddress":"0e0a0a0a0a0a0a0a","version":4,"timeout":240,"connectionTime":485}],
		"childIpv6Addresses":[{"rloc16":"0xc003","ip6Addresses":["fd00:db8:a0:0:5650:d926:d640:3413"]}],
		"routerNeighbors":[{"rloc16":"0x4000","extAddress":"0e03030303030303","version":5,"connectionTime":868}],"isLeader":true,"created":"2026-05-01T10:00:00+02:00"}}],
		"meta":{"collection":{"offset":0,"limit":200,"total":1}}}`))
	r := by(t, reports, 0xc000)
	c := r.Children[0]
	if r.Mode != diag.Some(diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}) || r.ThreadVersion != diag.Some[uint16](5) || r.Role != diag.RoleLeader {
		t.Errorf("%+v", r)
	}
	if c.Mode != diag.Some(diag.Mode{RxOnWhenIdle: true, FullNetworkData: true}) || c.ThreadVersion != diag.Some[uint16](4) || c.ConnectedFor.Or(0) != 485*time.Second || len(c.Addresses) != 1 || c.FrameErrorRate.Known() {
		t.Errorf("%+v", c)
	}
	if r.Neighbors[0].ConnectedFor.Or(0) != 868*time.Second {
		t.Errorf("%+v", r.Neighbors)
	}
	devices := decode(t, []byte(`[{"extAddress":"0e04040404040404","mlEidIid":"8f6852978a6c03f6","omrIpv6Address":"::","hostName":"8e1b4c5d6e7f8091.default.service.arpa.","role":"router","mode":{"deviceTypeFTD":true}}]`))
	if len(devices) != 1 || !reflect.DeepEqual(devices[0].Hosts, []string{"8e1b4c5d6e7f8091"}) || fmt.Sprint(devices[0].Addresses) != "[fd00:db8:a0:0:8f68:5297:8a6c:3f6]" {
		t.Errorf("%+v", devices)
	}
}

// Without a time of the caller, a saved file has that of its entries.
func TestCreatedWhereTheCallerHasNoTime(t *testing.T) {
	reports, _ := Decode(file(t, "2026-api-diagnostics.json"), Context{})
	if want := time.Date(2026, 11, 22, 13, 37, 31, 0, time.UTC); len(reports) != 3 || !reports[0].At.Equal(want) {
		t.Errorf("%v, want %v", reports[0].At, want)
	}
}

func TestBounds(t *testing.T) {
	row := `{"childId":1},`
	for _, c := range []struct{ name, body string }{
		{"too large", strings.Repeat(" ", MaxBytes) + "[]"},
		{"deep", strings.Repeat("[", 1<<20)},
		{"deep in an entry", `[{"extAddress":"0e01010101010101","rloc16":1,"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}]`},
		{"many entries", "[" + strings.Repeat(`{"extAddress":"0e01010101010101","rloc16":1},`, 100000) + "{}]"},
		{"many rows", `[{"extAddress":"0e01010101010101","rloc16":"0xc000","childTable":[` + strings.Repeat(row, 100000) + "{}]}]"},
		{"many keys", `{"extAddress":"0e01010101010101","rloc16":1` + strings.Repeat(`,"a":1`, 100000) + "}"},
		{"many bad entries", "[" + strings.Repeat(`{"extAddress":7,"rloc16":1},`, 4000) + `{"extAddress":"0e01010101010101","rloc16":1}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			reports, problems := Decode([]byte(c.body), context())
			if len(problems) == 0 || len(problems) > maxProblems || len(reports) > maxEntries {
				t.Errorf("%d reports, %d problems", len(reports), len(problems))
			}
			for _, r := range reports {
				if len(r.Children) > maxRows {
					t.Errorf("%d children", len(r.Children))
				}
			}
			for _, p := range problems {
				if len(p.Text) > 400 {
					t.Errorf("problem of %d octets", len(p.Text))
				}
			}
		})
	}
}

func TestActions(t *testing.T) {
	a, err := ParseActions(file(t, "2026-api-actions.json"))
	if err != nil || len(a) != 4 || !reflect.DeepEqual(a[0], Action{ID: "7fa08817-6da2-4503-bda6-6b320f408863", Type: "getNetworkDiagnosticTask", Status: "completed",
		Result: []string{"860958d4-7744-4626-9a76-cd6078cf36c3"}}) || a[3].Type != "updateDeviceCollectionTask" || !a[3].Over() || a[3].Result != nil {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = ParseActions(file(t, "2026-post-netdiag.json"))
	if err != nil || len(a) != 1 || a[0].Status != "pending" || a[0].Over() {
		t.Errorf("%+v, %v", a, err)
	}
	one := `{"data":{"id":"a-1","type":"t","attributes":{"status":"Failed"},"relationships":{"result":{"data":{"id":"b,../../node/dataset/active, c"}}}}}`
	if a, err = ParseActions([]byte(one)); err != nil || !reflect.DeepEqual(a, []Action{{ID: "a-1", Type: "t", Status: "failed", Result: []string{"b", "c"}}}) {
		t.Errorf("%+v, %v", a, err)
	}
	for _, bad := range []string{"", "[]", "{}", `{"data":7}`, `{"data":[{"id":"x"}`} {
		if _, err := ParseActions([]byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestSingleValues(t *testing.T) {
	var r diag.Report
	// Captured from OpenThread Border Router of 2025-09, but for "state" and "network-name", which are as in 2026.
	for name, body := range map[string]string{
		"ext-address": `"0E01010101010101"`, "ba-id": `"AD08DE9EEF6E693440C458DB9CA3B007"` + "\n", "rloc16": "26624", "state": `"router"`,
		"rloc": `"fd00:db8:a0::ff:fe00:6800"`, "ext-panid": `"DEAD00BEEF00CAFE"`, "network-name": `"ThreadMapLab"`, "num-of-router": "6",
		"leader-data": `{"PartitionId":	97983411,	"Weighting":	65,	"DataVersion":	241,	"StableDataVersion":	88,	"LeaderRouterId":	23}`,
	} {
		if err := DecodeValue(name, []byte(body), &r); err != nil {
			t.Error(err)
		}
	}
	whole, _ := Decode(file(t, "2025-node.json"), Context{})
	want := whole[0]
	want.Transport, want.BorderRouter = "", diag.Opt[bool]{} // what the caller knows
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}
	before := r
	for name, body := range map[string]string{"rloc16": "true", "state": `"flying"`, "nope": "1", "ext-address": `"12"`, "leader-data": "{", "num-of-router": "1e3"} {
		if err := DecodeValue(name, []byte(body), &r); err == nil {
			t.Errorf("%s accepted as %s", body, name)
		}
	}
	if !reflect.DeepEqual(r, before) {
		t.Errorf("a refused value changed the report")
	}
}

func TestGenerationAndVersion(t *testing.T) {
	for name, want := range map[string]int{"2025-node.json": 1, "2026-node.json": 2, "2026-dataset.json": 0} {
		if got := Generation(file(t, name)); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if got := APIVersion(file(t, "2026-wellknown.json")); got != "0.5.0" {
		t.Errorf("version %q", got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"2025-node.json", "2025-diagnostics.json", "2026-node-disabled.json", "2026-api-node.json", "2026-api-devices-stale.json",
		"2026-api-diagnostics.json", "2026-dataset.json", "2026-api-actions.json", "2026-error-422.json", "esp-topology.json"} {
		f.Add(file(f, name))
	}
	f.Add([]byte(`{"data":[{"type":"networkDiagnostics","attributes":{"rloc16":"0x0000"}}],"meta":{"collection":{"total":7}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		reports, problems := Decode(b, Context{Source: "otbr", Via: "fuzz"})
		if len(problems) > maxProblems || len(reports) > maxEntries {
			t.Errorf("%d reports, %d problems", len(reports), len(problems))
		}
		for _, r := range reports {
			for _, c := range r.Own {
				if c.ExtAddr == 0 {
					t.Error("claims the address zero")
				}
			}
			if len(r.Children) > 3*maxRows || len(r.Addresses) > maxAddresses+2 {
				t.Errorf("%d children, %d addresses", len(r.Children), len(r.Addresses))
			}
		}
		for _, p := range problems {
			if strings.ContainsAny(p.Text, "\n\r\x1b") {
				t.Errorf("problem of several lines: %q", p.Text)
			}
		}
		ParseActions(b)
		Generation(b)
		APIVersion(b)
		var r diag.Report
		for _, v := range Values {
			DecodeValue(v, b, &r)
		}
	})
}

// A table that lacks a row says so: the id that could not be read is taken.
func TestUnreadableRouteRow(t *testing.T) {
	for id, partial := range map[string]bool{"3": false, "99": true, `"x"`: true} {
		r := Read([]byte(`[{"extAddress":"0e04040404040404","rloc16":"0xc000","route":{"routeData":[{"routeId":16},{"routeId":`+id+`}]}}]`), context()).Reports[0]
		if r.RoutesPartial != partial {
			t.Errorf("id %s: partial %v", id, r.RoutesPartial)
		}
	}
}
