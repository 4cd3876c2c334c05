package otbr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// An answer of a collection, as far as these tests look.
type collection struct {
	Data []struct {
		ID, Type   string
		Attributes struct {
			ExtAddress, Status, Role string
			Timeout                  *int
			Children                 []struct{ ExtAddress, Rloc16 string }
			ChildTable               []struct{ ChildID, Timeout int }
			RouterNeighbors          []struct{ ExtAddress string }
			Mode                     struct{ FullThreadDevice, RxOnWhenIdle bool }
		}
		Relationships struct {
			Result struct{ Data struct{ ID string } }
		}
	}
	Meta struct {
		Collection struct{ Offset, Limit, Total, Pending int }
	}
}

func get(t *testing.T, s *Server, path string) (c collection) {
	t.Helper()
	w := ask(s, "GET", path, "", "")
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != 200 {
		t.Fatalf("%s: %d, %v", path, w.Code, err)
	}
	return c
}

func postDiagnostic(t *testing.T, s *Server, timeout int, destinations ...string) {
	t.Helper()
	for _, d := range destinations {
		body := fmt.Sprintf(`{"data":[{"type":"getNetworkDiagnosticTask","attributes":{"destination":%q,"timeout":%d,"types":["extAddress","rloc16","childTable","children","routerNeighbors"]}}]}`, d, timeout)
		if w := ask(s, "POST", "/api/actions", "", body); w.Code != 200 {
			t.Fatalf("%s: %d %s", d, w.Code, w.Body)
		}
	}
}

func TestActionTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, lab(), Options{ActionTime: 4 * time.Second})
		ask(s, "POST", "/api/actions", "", `{"data":[{"type":"updateDeviceCollectionTask","attributes":{"timeout":60}}]}`)
		for _, c := range []struct {
			after   time.Duration
			status  string
			timeout int // -1: gone
			devices int
		}{{0, "pending", 59, 1}, {2 * time.Second, "active", 57, 1}, {2 * time.Second, "completed", -1, 29}} {
			time.Sleep(c.after) // virtual
			a := get(t, s, "/api/actions")
			if got := a.Data[0].Attributes; got.Status != c.status || (got.Timeout == nil) != (c.timeout < 0) || got.Timeout != nil && *got.Timeout != c.timeout {
				t.Errorf("after %v: %s, timeout %v; want %s, %d", c.after, got.Status, got.Timeout, c.status, c.timeout)
			}
			if pending := a.Meta.Collection.Pending; (pending == 0) != (c.timeout < 0) {
				t.Errorf("%s: %d pending", c.status, pending)
			}
			if n := get(t, s, "/api/devices").Meta.Collection.Total; n != c.devices {
				t.Errorf("%s: %d devices, want %d", c.status, n, c.devices)
			}
		}
	})
}

func TestActionOnSilentAndSlowNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := lab()
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSilent, Node: 0x0e03030303030303}, {Kind: mesh.FaultSlow, Node: 0x0e05050505050505, Delay: 3 * time.Second}}
		s := newServer(t, m, Options{})
		postDiagnostic(t, s, 10, "0e03030303030303", "0e05050505050505", "0x7c00", "ffffffffffffffff")
		time.Sleep(3 * time.Second)
		status := func() (out []string) {
			for _, a := range get(t, s, "/api/actions").Data {
				out = append(out, a.Attributes.Status)
			}
			return out
		}
		if got := fmt.Sprint(status()); got != "[active active completed active]" { // newest first
			t.Errorf("after 3 s: %v", got)
		}
		time.Sleep(8 * time.Second)
		if got := fmt.Sprint(status()); got != "[stopped stopped completed stopped]" {
			t.Errorf("after 11 s: %v", got)
		}
		if d := get(t, s, "/api/diagnostics"); len(d.Data) != 1 {
			t.Errorf("%d diagnostics of one that answered", len(d.Data))
		}
	})
}

// Many diagnostics at once lose the lists of far routers, one by one does not.
func TestListsGetLostInACrowd(t *testing.T) {
	routers := []string{"0e04040404040404", "0e02020202020202"} // three hops, one hop
	for _, c := range []struct {
		name    string
		options Options
		pause   time.Duration
		far     int // children told of the far router
	}{
		{"at once", Options{ActionTime: time.Second}, 0, 0},
		{"one by one", Options{ActionTime: time.Second}, 2 * time.Second, 20},
		{"careful router", Options{ActionTime: time.Second, KeepLists: true}, 0, 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t, lab(), c.options)
			for _, r := range routers {
				postDiagnostic(t, s, 60, r)
				time.Sleep(c.pause)
			}
			time.Sleep(time.Second)
			for _, d := range get(t, s, "/api/diagnostics").Data {
				children, table, neighbors := len(d.Attributes.Children), len(d.Attributes.ChildTable), len(d.Attributes.RouterNeighbors)
				if d.Attributes.ExtAddress == routers[1] {
					if children != 1 || table != 1 || neighbors != 2 {
						t.Errorf("%s: near router: %d children, %d in the table, %d neighbors", c.name, children, table, neighbors)
					}
				} else if children != c.far || table != 20 || (neighbors == 0) != (c.far == 0) {
					t.Errorf("%s: far router: %d children, %d in the table, %d neighbors", c.name, children, table, neighbors)
				}
			}
			if a := get(t, s, "/api/actions").Data[0]; a.Attributes.Status != "completed" || a.Relationships.Result.Data.ID == "" {
				t.Errorf("%s: a loss must not show in the action: %+v", c.name, a)
			}
		})
	}
}

func TestDestinations(t *testing.T) {
	s := newServer(t, lab(), Options{})
	postDiagnostic(t, s, 60, "0e02020202020202", "f3be6f38690dc4b9", "0x5c00", "0x5c02")
	for i, want := range []string{"0e02020202020202", "0e02020202020202", "0e02020202020202", "0e09090909090909"} {
		if got := get(t, s, "/api/diagnostics").Data[i].Attributes.ExtAddress; got != want {
			t.Errorf("destination %d led to %s", i, got)
		}
	}
}

func TestPagingAndSingleEntries(t *testing.T) {
	s := newServer(t, lab(), Options{Updated: true})
	page := get(t, s, "/api/devices?page[offset]=25&page[limit]=10")
	if len(page.Data) != 4 || page.Meta.Collection.Total != 29 || page.Meta.Collection.Offset != 25 || page.Meta.Collection.Limit != 10 {
		t.Errorf("page of %d, %+v", len(page.Data), page.Meta)
	}
	if past := get(t, s, "/api/devices?page[offset]=1000"); len(past.Data) != 0 {
		t.Errorf("past the end: %d", len(past.Data))
	}
	if w := ask(s, "GET", "/api/devices/0e04040404040404", "", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"8f6852978a6c03f6"`) {
		t.Errorf("one device: %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/api/devices/nobody", "/api", "/api/nope", "/api/node/x", "/api/devices/a/b"} {
		if w := ask(s, "GET", path, "", ""); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	postDiagnostic(t, s, 60, "0x5c00")
	id := get(t, s, "/api/diagnostics").Data[0].ID
	for _, c := range []struct {
		method, path string
		want         int
	}{{"DELETE", "/api/diagnostics/" + id, 204}, {"DELETE", "/api/diagnostics/" + id, 404}, {"DELETE", "/api/actions", 204}, {"DELETE", "/api/devices", 405}, {"PUT", "/node", 405}, {"OPTIONS", "/api/actions", 200}} {
		if w := ask(s, c.method, c.path, "", ""); w.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.want)
		}
	}
	if len(get(t, s, "/api/actions").Data)+len(get(t, s, "/api/diagnostics").Data) != 0 {
		t.Error("something was not removed")
	}
}

func TestBadPosts(t *testing.T) {
	s := newServer(t, lab(), Options{})
	for body, want := range map[string]int{
		"{":                                      400,
		`{"data":[]}`:                            422,
		`{"data":"no"}`:                          400,
		`{"data":[{"type":"resetNetworkTask"}]}`: 422,
		`{"data":[{"type":"updateDeviceCollectionTask","attributes":{"timeout":-1}}]}`:                                  422,
		`{"data":[{"type":"getNetworkDiagnosticTask","attributes":{"destination":"0x5c00","types":[]}}]}`:               422,
		`{"data":[{"type":"getNetworkDiagnosticTask","attributes":{"destination":"5c00","types":["rloc16"]}}]}`:         422,
		`{"data":[` + strings.Repeat(`{"type":"updateDeviceCollectionTask"},`, 300) + `{}]}`:                            422,
		`{"data":[{"type":"updateDeviceCollectionTask","attributes":{"x":"` + strings.Repeat("x", maxBody) + `"}}]}`:    413,
		`{"data":[{"type":"updateDeviceCollectionTask"},{"type":"getNetworkDiagnosticTask","attributes":{"types":1}}]}`: 400,
	} {
		if w := ask(s, "POST", "/api/actions", "", body); w.Code != want {
			t.Errorf("%.80s: %d, want %d", body, w.Code, want)
		}
	}
	r := httptest.NewRequest("POST", "/api/actions", bytes.NewReader([]byte(`{"data":[{"type":"updateDeviceCollectionTask"}]}`)))
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != 415 {
		t.Errorf("without a content type: %d", w.Code)
	}
	if n := len(get(t, s, "/api/actions").Data); n != 0 {
		t.Errorf("%d actions of bad requests", n)
	}
	for range maxActions + 50 {
		postDiagnostic(t, s, 60, "0x5c00")
	}
	if a, d := get(t, s, "/api/actions").Meta.Collection.Total, get(t, s, "/api/diagnostics").Meta.Collection.Total; a != maxActions || d != maxDiagnostics {
		t.Errorf("keeps %d actions and %d diagnostics", a, d)
	}
}

// Only what the agent can know is in the collection, and modes of children are
// mixed up.
func TestDeviceCollection(t *testing.T) {
	m := lab()
	m.Nodes[1].Mode.RxOnWhenIdle = true
	m.Faults = []mesh.Fault{
		{Kind: mesh.FaultSilent, Node: 0x0e05050505050505},    // its child 7 stays unknown
		{Kind: mesh.FaultHidden, Node: 0x0e03030303030303},    // not seen
		{Kind: mesh.FaultLostLists, Node: 0x0e06060606060606}, // its child 8 stays unknown
		{Kind: mesh.FaultStaleChild, Node: 0x0e0a0a0a0a0a0a0a, Peer: 0x0e02020202020202, ChildID: 7, Age: time.Minute},
	}
	s := newServer(t, m, Options{Updated: true})
	seen := map[string]int{}
	for _, d := range get(t, s, "/api/devices").Data {
		seen[d.ID]++
		if d.ID == "0e0b0b0b0b0b0b0b" && (!d.Attributes.Mode.FullThreadDevice || d.Attributes.Mode.RxOnWhenIdle || d.Attributes.Role != "child") {
			t.Errorf("mode of a receiver-on minimal child: %+v", d.Attributes)
		}
	}
	for _, id := range []string{"0e05050505050505", "0e07070707070707", "0e03030303030303", "0e08080808080808"} {
		if seen[id] != 0 {
			t.Errorf("%s is listed", id)
		}
	}
	if seen["0e0a0a0a0a0a0a0a"] != 1 || len(seen) != 25 {
		t.Errorf("%d devices, the one that moved %d times", len(seen), seen["0e0a0a0a0a0a0a0a"])
	}
}

func TestOtherHalfOfASplitIsInvisible(t *testing.T) {
	m := lab()
	m.Faults = []mesh.Fault{{Kind: mesh.FaultSplit, Node: 0x0e04040404040404, Nodes: []diag.ExtAddr{0x0e05050505050505, 0x0e06060606060606}}}
	s := newServer(t, m, Options{Updated: true})
	if n := get(t, s, "/api/devices").Meta.Collection.Total; n != 4 {
		t.Errorf("%d devices, want 1, 2, 3 and 9", n)
	}
	one := newServer(t, m, Options{Generation: 1})
	var nodes []struct{ Rloc16 int }
	if err := json.Unmarshal(ask(one, "GET", "/diagnostics", "", "").Body.Bytes(), &nodes); err != nil || len(nodes) != 4 {
		t.Errorf("%d nodes, %v", len(nodes), err)
	}
}

func TestGeneration1MissesTheSlow(t *testing.T) {
	m := lab()
	m.Faults = []mesh.Fault{
		{Kind: mesh.FaultSlow, Node: 0x0e04040404040404, Delay: 5 * time.Second}, {Kind: mesh.FaultSlow, Node: 0x0e05050505050505, Delay: time.Second},
		{Kind: mesh.FaultOverhears, Node: 0x0e09090909090909, Peer: 0x0e03030303030303, LQ: 2},
	}
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, m, Options{Generation: 1, DiagnosticsTime: 2 * time.Second})
		start := time.Now()
		var nodes []struct {
			ExtAddress string
			Route      struct {
				RouteData []struct{ RouteID, LinkQualityIn, LinkQualityOut int }
			}
		}
		if err := json.Unmarshal(ask(s, "GET", "/diagnostics", "", "").Body.Bytes(), &nodes); err != nil || len(nodes) != 6 || time.Since(start) != 2*time.Second {
			t.Errorf("%d nodes after %v, %v", len(nodes), time.Since(start), err)
		}
		for _, n := range nodes {
			for _, r := range n.Route.RouteData {
				if n.ExtAddress == "0E09090909090909" && (r.LinkQualityIn != 0) != (r.RouteID == 16) {
					t.Errorf("the child that overhears router 16 says %+v", r)
				}
			}
		}
	})
}

func TestSetView(t *testing.T) {
	s := newServer(t, lab(), Options{Updated: true})
	if err := s.SetView(mesh.Line(3).Networks[0].View()); err == nil {
		t.Error("a mesh without the border router was taken")
	}
	m := mesh.Lab(0)
	if err := s.SetView(m.View()); err != nil {
		t.Fatal(err)
	}
	if n := get(t, s, "/api/devices").Meta.Collection.Total; n != 29 {
		t.Errorf("the collection changed without an update: %d", n)
	}
	ask(s, "POST", "/api/actions", "", `{"data":[{"type":"updateDeviceCollectionTask"}]}`)
	if n := get(t, s, "/api/devices").Meta.Collection.Total; n != 9 {
		t.Errorf("%d devices after the update", n)
	}
	if n := s.Requests()["GET /api/devices"]; n != 2 {
		t.Errorf("%d requests counted", n)
	}
}

func TestNewRefuses(t *testing.T) {
	v := lab().View()
	for _, c := range []struct {
		id  diag.ExtAddr
		gen int
	}{{1, 3}, {0x0e09090909090909, 3}, {labBorder, 4}} {
		if _, err := New(v, c.id, Options{Generation: c.gen}); err == nil {
			t.Errorf("%s of generation %d was made", c.id, c.gen)
		}
	}
}
