package otbr

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// entriesOf splits a recorded /diagnostics into its nodes.
func entriesOf(t testing.TB, name string) (out []string) {
	var raw []json.RawMessage
	if err := json.Unmarshal(file(t, name), &raw); err != nil {
		t.Fatal(err)
	}
	for _, r := range raw {
		out = append(out, string(r))
	}
	return out
}

// recordedResults are the attributes of the recorded diagnostics by address.
func recordedResults(t testing.TB) map[string]string {
	var doc struct {
		Data []struct{ Attributes json.RawMessage }
	}
	if err := json.Unmarshal(file(t, "2026-api-diagnostics.json"), &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, d := range doc.Data {
		var x struct{ ExtAddress string }
		if err := json.Unmarshal(d.Attributes, &x); err != nil {
			t.Fatal(err)
		}
		out[x.ExtAddress] = string(d.Attributes)
	}
	return out
}

// generation1 answers /diagnostics with one part of the mesh after the other.
func generation1(t testing.TB, asked *int, parts ...[]int) http.Handler {
	all := entriesOf(t, "2025-diagnostics.json")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /node", func(w http.ResponseWriter, _ *http.Request) { w.Write(file(t, "2025-node.json")) })
	mux.HandleFunc("GET /node/dataset/active", func(w http.ResponseWriter, _ *http.Request) { w.Write(file(t, "2025-dataset.json")) })
	mux.HandleFunc("GET /diagnostics", func(w http.ResponseWriter, _ *http.Request) {
		var part []string
		for _, i := range parts[min(*asked, len(parts)-1)] {
			part = append(part, all[i])
		}
		*asked++
		fmt.Fprintf(w, "[%s]", strings.Join(part, ","))
	})
	return mux
}

func TestGeneration1(t *testing.T) {
	for _, c := range []struct {
		name     string
		parts    [][]int
		asked    int
		nodes    int
		problems string
	}{
		{"all at once", [][]int{{0, 1, 2, 3, 4, 5, 6}}, 1, 29, ""},
		{"in parts", [][]int{{0, 3, 6}, {0, 1, 4}, {2, 5, 6}}, 3, 29, ""},
		{"one stays silent", [][]int{{0, 1, 3, 4, 5, 6}}, 3, 8,
			"ask: router 0xc000 is in 6 route tables, but did not answer\n"},
		{"nobody", [][]int{{}}, 3, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			srv := httptest.NewServer(generation1(t, &asked, c.parts...))
			defer srv.Close()
			reports, problems := scan(t, srv.URL)
			_, byRLOC := nodes(reports)
			if len(byRLOC) != c.nodes || asked != c.asked {
				t.Errorf("%d nodes after %d requests, want %d after %d", len(byRLOC), asked, c.nodes, c.asked)
			}
			if got := texts(problems); got != c.problems {
				t.Errorf("problems:\n%swant:\n%s", got, c.problems)
			}
			sessions := map[string]bool{}
			speakers := map[diag.RLOC16]int{}
			for _, r := range reports {
				sessions[r.Session] = true
				speakers[r.RLOC16]++
				if r.Via != srv.URL || r.Source != "otbr" || r.At.IsZero() || r.Network.ExtPANID != 0xdead00beef00cafe || r.Network.Name != "ThreadMapLab" {
					t.Errorf("report without its origin: %+v", r)
				}
			}
			if len(sessions) != 1 {
				t.Errorf("sessions %v, want one", sessions)
			}
			if r := reports[1]; r.Network.Channel != diag.Some[uint8](15) || r.Network.PANID != diag.Some[uint16](0xface) || ownExt(&r) != 0x0e01010101010101 {
				t.Errorf("the dataset's harmless part: %+v", r)
			}
			for who, n := range speakers {
				if n > 1 && who != diag.MakeRLOC16(0x6800) {
					t.Errorf("%v is reported %d times", who, n)
				}
			}
		})
	}
}

func TestSessionsDiffer(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(generation1(t, &asked, []int{0}))
	defer srv.Close()
	a, _ := scan(t, srv.URL)
	b, _ := scan(t, srv.URL)
	if a[0].Session == b[0].Session {
		t.Errorf("two runs share the session %q", a[0].Session)
	}
}

func generation3(t testing.TB) *fakeOTBR {
	recorded := recordedResults(t)
	return &fakeOTBR{t: t, node: file(t, "2026-node.json"), dataset: file(t, "2026-dataset.json"),
		devices: func(int) []byte { return file(t, "2026-api-devices.json") },
		result:  func(dest string, _ int, _ []string) string { return recorded[dest] }}
}

func TestGeneration3(t *testing.T) {
	f := generation3(t)
	reports, problems := scan(t, f.start().URL)
	byAddr, _ := nodes(reports)
	if len(byAddr) != 29 {
		t.Errorf("%d nodes, want 29", len(byAddr))
	}
	parents := map[diag.ExtAddr]diag.RLOC16{}
	for _, r := range reports {
		for _, c := range r.Children {
			if c.ExtAddr != 0 {
				parents[c.ExtAddr] = r.RLOC16
			}
		}
	}
	if len(parents) != 21 || parents[0x0e09090909090909] != diag.MakeRLOC16(0x5c00) || parents[0x0e0a0a0a0a0a0a0a] != diag.MakeRLOC16(0xc000) {
		t.Errorf("%d children with a parent: %v", len(parents), parents)
	}
	// Only two routers were recorded; the other four must have been asked and told.
	got := texts(problems)
	for _, x := range []string{"0e01010101010101", "0e03030303030303", "0e05050505050505", "0e06060606060606"} {
		if !strings.Contains(got, "router "+x+": no complete answer within 10s") {
			t.Errorf("no line for %s in\n%s", x, got)
		}
	}
	if n := len(problems); n != 4 {
		t.Errorf("%d problems, want one for each router that did not answer:\n%s", n, got)
	}
	for _, a := range f.asked {
		switch dest, _, _ := strings.Cut(a, " "); dest {
		case "0e07070707070707", "0e08080808080808", "0e09090909090909", "0e0a0a0a0a0a0a0a":
			t.Errorf("a child was asked: %s", a)
		}
	}
	if !strings.HasPrefix(f.asked[0], "0e01010101010101 ") {
		t.Errorf("the border router itself comes first, got %s", f.asked[0])
	}
	if len(f.tasks) != 0 {
		t.Errorf("tasks left behind: %v", f.tasks)
	}
	// The neighbors lists name routers, so RLOC16s were tried as well.
	if !slices.ContainsFunc(f.asked, func(s string) bool { return strings.HasPrefix(s, "0x4000 ") }) {
		t.Errorf("0x4000 was not asked by RLOC16: %v", f.asked)
	}
}

const routerEntry = `{"extAddress":%q,"rloc16":%q,"route":{"idSequence":6,"routeData":[%s]},"leaderData":{"partitionId":7,"weighting":64,"dataVersion":1,"stableDataVersion":1,"leaderRouterId":26},"childTable":[%s],"children":[%s],"routerNeighbors":[%s]}`

func route(id, lq int) string {
	return fmt.Sprintf(`{"routeId":%d,"linkQualityOut":%d,"linkQualityIn":%[2]d,"routeCost":1}`, id, lq)
}

func device(x, role string) string {
	return fmt.Sprintf(`{"id":%q,"type":"threadDevice","attributes":{"extAddress":%[1]q,"mlEidIid":"13527e63df07d630","omrIpv6Address":"::","hostname":"","role":%q,"mode":{"fullThreadDevice":true,"rxOnWhenIdle":true,"fullNetworkData":true}}}`, x, role)
}

func deviceList(entries ...string) []byte {
	return fmt.Appendf(nil, `{"data":[%s],"meta":{"collection":{"offset":0,"limit":200,"total":%d}}}`, strings.Join(entries, ","), len(entries))
}

const br, other = "0e01010101010101", "0e03030303030303"

func TestLostListsAreAskedForOnceMore(t *testing.T) {
	const short, long = `{"childId":1,"timeout":12,"linkQuality":3,"mode":{"rxOnWhenIdle":false,"fullThreadDevice":false,"fullNetworkData":false}}`, `{"rloc16":"0x6801","extAddress":"0e07070707070707","timeout":240}`
	neighbor := `{"rloc16":"0x4000","extAddress":"` + other + `"}`
	for _, found := range []bool{true, false} {
		f := generation3(t)
		f.devices = func(int) []byte { return deviceList(device(other, "router")) }
		f.result = func(dest string, n int, types []string) string {
			switch {
			case dest == other:
				return fmt.Sprintf(routerEntry, other, "0x4000", route(26, 3), "", "", `{"rloc16":"0x6800","extAddress":"`+br+`"}`)
			case n == 1 && found:
				if !slices.Contains(types, "children") || !slices.Contains(types, "routerNeighbors") {
					t.Errorf("asked again for %v", types)
				}
				return fmt.Sprintf(routerEntry, br, "0x6800", route(16, 3), short, long, neighbor)
			}
			return fmt.Sprintf(routerEntry, br, "0x6800", route(16, 3), short, "", "")
		}
		reports, problems := scan(t, f.start().URL)
		byAddr, _ := nodes(reports)
		if byAddr[0x0e07070707070707] != found {
			t.Errorf("found %v: nodes %v", found, byAddr)
		}
		if got := texts(problems); (got == "") != found || !found && !strings.Contains(got, "0 of the 1 children") {
			t.Errorf("found %v: problems\n%s", found, got)
		}
		for _, r := range reports {
			if r.RLOC16 == diag.MakeRLOC16(0x6800) && r.Routes != nil && len(r.Children) != 1 {
				t.Errorf("the child table's row is gone: %+v", r)
			}
		}
		if f.count[br] < 2 || f.count[br] > 4 {
			t.Errorf("asked %d times", f.count[br])
		}
	}
}

func TestRouterThatTheCollectionLacks(t *testing.T) {
	for _, c := range []struct {
		name     string
		later    bool // the second look finds it
		byRLOC   bool // it answers to its RLOC16
		problems string
	}{
		{"found by a second look", true, false, ""},
		{"found by its RLOC16", false, true, ""},
		{"not found", false, false, "ask: router 0x4000 " + other + " is in 1 route table, but did not answer\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := generation3(t)
			f.devices = func(round int) []byte {
				if round > 1 && c.later {
					return deviceList(device(other, "router"))
				}
				return deviceList(device("0e07070707070707", "child"))
			}
			f.result = func(dest string, _ int, _ []string) string {
				if dest == br {
					return fmt.Sprintf(routerEntry, br, "0x6800", route(16, 3), "", "", `{"rloc16":"0x4000","extAddress":"`+other+`"}`)
				}
				if dest == other && c.later || dest == "0x4000" && c.byRLOC {
					return fmt.Sprintf(routerEntry, other, "0x4000", route(26, 3), "", "", `{"rloc16":"0x6800","extAddress":"`+br+`"}`)
				}
				return ""
			}
			reports, problems := scan(t, f.start().URL)
			if got := texts(problems); got != c.problems {
				t.Errorf("problems:\n%swant:\n%s", got, c.problems)
			}
			spoke := slices.ContainsFunc(reports, func(r diag.Report) bool { return r.RLOC16 == diag.MakeRLOC16(0x4000) && r.Routes != nil })
			if spoke != (c.problems == "") {
				t.Errorf("0x4000 spoke: %v", spoke)
			}
		})
	}
}

// Generation 2 by OTBR's source, unproved: other type names, and here a server
// that shows tasks only as a list.
func TestGeneration2Unproved(t *testing.T) {
	f := generation3(t)
	f.refuseType, f.listOnly = "threadVersion", true
	f.devices = func(int) []byte { return deviceList(device(other, "router")) }
	f.result = func(dest string, _ int, types []string) string {
		r := map[string]string{br: "0x6800", other: "0x4000"}[dest]
		if slices.Contains(types, "version") {
			return fmt.Sprintf(`{"extAddress":%q,"rloc16":%q,"version":4,"vendorName":"Acme","childTable":[],"childIpv6Addresses":[]}`, dest, r)
		}
		return fmt.Sprintf(`{"extAddress":%q,"rloc16":%q,"mode":{"rxOnWhenIdle":true,"deviceTypeFTD":true,"fullNetworkData":true},"childTable":[],"children":[],
			"routerNeighbors":[{"rloc16":"0x4000","extAddress":"0e03030303030303","version":5,"connectionTime":868}]}`, dest, r)
	}
	reports, problems := scan(t, f.start().URL)
	if len(problems) > 0 {
		t.Errorf("problems:\n%s", texts(problems))
	}
	versions := 0
	for _, r := range reports {
		if r.ThreadVersion == diag.Some[uint16](4) && r.Vendor == "Acme" {
			versions++
		}
	}
	if versions != 2 {
		t.Errorf("%d routers told their version, want 2", versions)
	}
}

// A probe that is stopped takes its task back and keeps what it has.
func TestStopTakesTheTaskBack(t *testing.T) {
	f := generation3(t)
	f.neverEnds = true
	f.started = make(chan struct{}, 10000)
	url := f.start().URL
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-f.started
		cancel()
	}()
	began := time.Now()
	reports, problems := scanUntil(t, ctx, url, generous)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v to stop", took)
	}
	if len(reports) < 2 || len(problems) == 0 {
		t.Errorf("%d reports, problems:\n%s", len(reports), texts(problems))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.deleted) != 1 || len(f.tasks) != 0 {
		t.Errorf("deleted %v, left %v", f.deleted, f.tasks)
	}
}

func TestThreadSwitchedOff(t *testing.T) {
	f := generation3(t)
	f.node = file(t, "2026-node-disabled.json")
	reports, problems := scan(t, f.start().URL)
	if got := texts(problems); got != "ask: its Thread interface is off\n" || len(reports) != 1 || reports[0].Network.Name != "" || len(f.asked) != 0 {
		t.Errorf("%+v\n%s", reports, got)
	}
}

// A border router that can't finish looking for devices is asked for what it
// has, and not made to look again.
func TestLookingForDevicesGivenUp(t *testing.T) {
	f := generation3(t)
	f.stopUpdates = true
	reports, problems := scan(t, f.start().URL)
	if got := texts(problems); !strings.Contains(got, "ask: looking for devices: no complete answer within 11s\n") || f.rounds != 1 {
		t.Errorf("after %d rounds:\n%s", f.rounds, got)
	}
	if byAddr, _ := nodes(reports); len(byAddr) != 29 {
		t.Errorf("%d nodes, want the 29 that it had listed before", len(byAddr))
	}
}

// What a live OTBR of 2026-08 did with routers that were switched off: those
// that tables still hold were asked in vain, by both names; those that nobody
// reaches stayed in its list for good, and are no reason to call a map partial.
func TestRoutersThatAreGone(t *testing.T) {
	const gone1, gone2 = "0e08080808080808", "0e09090909090909"
	for _, reached := range []bool{true, false} {
		f := generation3(t)
		f.devices = func(int) []byte {
			return deviceList(device(other, "router"), device(gone1, "router"), device(gone2, "router"))
		}
		links, neighbors := route(26, 3), `{"rloc16":"0x6800","extAddress":"`+br+`"}`
		if reached {
			links += "," + route(13, 3) + "," + route(42, 3)
			neighbors += `,{"rloc16":"0x3400","extAddress":"` + gone1 + `"},{"rloc16":"0xa800","extAddress":"` + gone2 + `"}`
		}
		f.result = func(dest string, _ int, types []string) string {
			if slices.Contains(types, "vendorName") && slices.ContainsFunc(types, func(s string) bool { return strings.HasPrefix(s, "child") || s == "route" }) {
				t.Errorf("tables are asked for again: %v", types)
			}
			switch dest {
			case br:
				return fmt.Sprintf(routerEntry, br, "0x6800", route(16, 3), "", "", `{"rloc16":"0x4000","extAddress":"`+other+`"}`)
			case other:
				return fmt.Sprintf(routerEntry, other, "0x4000", links, "", "", neighbors)
			}
			return "none"
		}
		_, problems := scan(t, f.start().URL)
		want := "ask: router " + gone1 + ": did not answer\nask: router " + gone2 + ": did not answer\n"
		if !reached {
			want = strings.ReplaceAll(want, ": did not answer", " is in the border router's list, but no route table reaches it and it did not answer: it is probably gone")
		}
		if got := texts(problems); got != want {
			t.Errorf("reached %v:\n%swant\n%s", reached, got, want)
		}
		byRLOC16 := 0
		for _, a := range f.asked {
			if strings.HasPrefix(a, "0x") {
				byRLOC16++
			}
		}
		if want := map[bool]int{true: 1, false: 0}[reached]; byRLOC16 != want {
			t.Errorf("reached %v: asked %d times by RLOC16, want %d", reached, byRLOC16, want)
		}
		for _, p := range problems {
			if p.Partial != reached {
				t.Errorf("reached %v: %+v", reached, p)
			}
		}
	}
}

// A border router that is a child at the moment has no tables to wait for.
func TestBorderRouterThatIsAChild(t *testing.T) {
	f := generation3(t)
	f.node = bytes.Replace(bytes.Replace(f.node, []byte(`"router"`), []byte(`"child"`), 1), []byte("0x6800"), []byte("0x4003"), 1)
	f.devices = func(int) []byte { return deviceList(device("0e02020202020202", "router")) }
	scan(t, f.start().URL)
	if len(f.asked) == 0 || slices.ContainsFunc(f.asked, func(s string) bool { return strings.HasPrefix(s, br) }) {
		t.Errorf("asked %v", f.asked)
	}
}

// A border router that sends its devices in pages is followed, and one that
// promises more than it has is not asked for ever.
func TestDevicesInPages(t *testing.T) {
	const page = `{"data":[%s],"meta":{"collection":{"offset":%d,"limit":2,"total":%d}}}`
	a, b, c := device("0e07070707070707", "child"), device("0e08080808080808", "child"), device("0e09090909090909", "child")
	for _, total := range []int{3, 1000} {
		f := generation3(t)
		asked := 0
		f.pages = func(offset string) []byte {
			asked++
			if offset == "" {
				return fmt.Appendf(nil, page, a+","+b, 0, total)
			}
			if offset == "2" {
				return fmt.Appendf(nil, page, c, 2, total)
			}
			return fmt.Appendf(nil, page, "", 3, total)
		}
		f.result = func(string, int, []string) string { return "" }
		reports, _ := scan(t, f.start().URL)
		byAddr, _ := nodes(reports)
		if len(byAddr) != 4 || asked > 3 || asked < 2 {
			t.Errorf("total %d: %d nodes after %d pages", total, len(byAddr), asked)
		}
	}
}
