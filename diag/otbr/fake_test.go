package otbr

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// scan runs one probe against url, with short waits.
func scan(t testing.TB, url string) ([]diag.Report, []diag.Problem) {
	t.Helper()
	return scanUntil(t, t.Context(), url, generous)
}

// Looks at tasks follow fast in both; with short, a request may take 5 s / 25.
var (
	generous = pace{first: time.Millisecond, longest: 2 * time.Millisecond, shorter: 1}
	short    = pace{first: time.Millisecond, longest: 2 * time.Millisecond, shorter: 25}
)

func scanUntil(t testing.TB, ctx context.Context, url string, limits pace) ([]diag.Report, []diag.Problem) {
	t.Helper()
	s := Source{pace: limits}
	probes := diag.Plan([]diag.Source{s}, diag.Known{Endpoints: []diag.Endpoint{{Source: "otbr", URL: url}, {Source: "ha", URL: "http://127.0.0.1:1"}}})
	if len(probes) != 1 {
		t.Fatalf("%d probes, want 1", len(probes))
	}
	reports, problems := diag.Collect(ctx, probes, nil)
	for _, x := range []any{reports, problems} {
		if out := strings.ToLower(fmt.Sprintf("%+v", x)); strings.Contains(out, "00112233445566") || strings.Contains(out, "82bd66995ab150de") || strings.Contains(out, "hunter2") {
			t.Errorf("a secret comes out: %s", out)
		}
	}
	return reports, problems
}

func texts(problems []diag.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s: %s\n", p.Stage, p.Text)
	}
	return b.String()
}

// nodes lists the RLOC16s and addresses of everybody that reports speak of.
func nodes(reports []diag.Report) (byAddr map[diag.ExtAddr]bool, byRLOC map[diag.RLOC16]bool) {
	byAddr, byRLOC = map[diag.ExtAddr]bool{}, map[diag.RLOC16]bool{}
	add := func(x diag.ExtAddr, r diag.RLOC16) {
		if x != 0 {
			byAddr[x] = true
		}
		if r.Known() {
			byRLOC[r] = true
		}
	}
	for _, r := range reports {
		add(ownExt(&r), r.RLOC16)
		for _, n := range append(slices.Clone(r.Children), r.Neighbors...) {
			add(n.ExtAddr, n.RLOC16)
		}
	}
	return byAddr, byRLOC
}

// A fakeOTBR plays generations 2 and 3: it keeps their rules about headers and
// answers tasks with what it was given.
type fakeOTBR struct {
	t       testing.TB
	node    []byte
	dataset []byte
	devices func(round int) []byte
	pages   func(offset string) []byte // instead of devices
	// result gives the attributes for the n-th task for a destination, "" for a
	// task that gets stopped, "none" for one that ends as OTBR of 2026-08 ends
	// it when nobody answers: completed, with a result that has no id.
	result      func(destination string, n int, types []string) string
	refuseType  string // 422 for tasks with this type
	listOnly    bool   // tasks are shown only as a list
	neverEnds   bool   // tasks stay active
	stopUpdates bool   // updateDeviceCollectionTask ends as stopped

	mu       sync.Mutex
	tasks    map[string]string // status by id
	results  map[string]string // by id
	order    []string
	count    map[string]int // tasks by destination
	rounds   int            // of updateDeviceCollectionTask
	asked    []string       // destination and types
	deleted  []string
	complain []string
	started  chan struct{} // one for each look at a task, if not nil
}

func (f *fakeOTBR) start() *httptest.Server {
	f.tasks, f.results, f.count = map[string]string{}, map[string]string{}, map[string]int{}
	srv := httptest.NewServer(f)
	f.t.Cleanup(func() {
		srv.Close()
		for _, c := range f.complain {
			f.t.Error(c)
		}
	})
	return srv
}

func (f *fakeOTBR) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path, api := r.URL.Path, strings.HasPrefix(r.URL.Path, "/api/")
	if a := r.Header.Get("Accept"); api && a != "application/vnd.api+json" || !api && a != "application/json" {
		f.complain = append(f.complain, fmt.Sprintf("%s %s: Accept is %q", r.Method, path, a))
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	if api {
		w.Header().Set("Content-Type", "application/vnd.api+json")
	}
	id := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case path == "/node":
		w.Write(f.node)
	case path == "/node/dataset/active" && f.dataset != nil:
		w.Write(f.dataset)
	case path == "/.well-known/thread/br-rest":
		w.Write(file(f.t, "2026-wellknown.json"))
	case path == "/api/actions" && r.Method == http.MethodPost:
		f.post(w, r)
	case path == "/api/actions":
		var all []string
		for _, id := range f.order {
			all = append(all, f.action(id))
		}
		fmt.Fprintf(w, `{"data":[%s],"meta":{"collection":{"offset":0,"limit":200,"total":%d,"pending":0}}}`, strings.Join(all, ","), len(all))
	case strings.HasPrefix(path, "/api/") && r.Method == http.MethodDelete:
		f.deleted = append(f.deleted, path)
		delete(f.tasks, id)
		f.order = slices.DeleteFunc(f.order, func(s string) bool { return s == id })
		w.WriteHeader(http.StatusNoContent)
	case strings.HasPrefix(path, "/api/actions/") && !f.listOnly && f.tasks[id] != "":
		fmt.Fprintf(w, `{"data":%s}`, f.action(id))
	case path == "/api/devices":
		if f.pages != nil {
			w.Write(f.pages(r.URL.Query().Get("page[offset]")))
		} else {
			w.Write(f.devices(f.rounds))
		}
	case strings.HasPrefix(path, "/api/diagnostics/") && f.results[id] != "":
		fmt.Fprintf(w, `{"data":{"id":%q,"type":"networkDiagnostics","attributes":%s}}`, id, f.results[id])
	default:
		w.WriteHeader(http.StatusNotFound)
		w.Write([]byte(`{"title":"Not Found","status":404,"detail":""}`))
	}
}

func (f *fakeOTBR) post(w http.ResponseWriter, r *http.Request) {
	if c := r.Header.Get("Content-Type"); c != "application/vnd.api+json" {
		f.complain = append(f.complain, "POST with Content-Type "+c)
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	var in struct {
		Data []struct {
			Type       string
			Attributes struct {
				Destination string
				Types       []string
				Timeout     int
				DeviceCount int
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Data) != 1 || in.Data[0].Attributes.Timeout <= 0 {
		f.complain = append(f.complain, fmt.Sprintf("bad task: %v %+v", err, in))
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	task := in.Data[0]
	for id, status := range f.tasks {
		if status == "pending" || status == "active" {
			f.complain = append(f.complain, "two tasks at once: "+id)
		}
	}
	if slices.Contains(task.Attributes.Types, f.refuseType) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	id := fmt.Sprintf("task-%d", len(f.tasks)+len(f.deleted))
	f.tasks[id] = "pending"
	f.order = append(f.order, id)
	if task.Type == "updateDeviceCollectionTask" {
		f.rounds++
	} else {
		a := task.Attributes
		f.asked = append(f.asked, a.Destination+" "+strings.Join(a.Types, ","))
		if len(a.Types) > 9 {
			f.complain = append(f.complain, fmt.Sprintf("%d types at once", len(a.Types)))
		}
		f.results["of-"+id] = f.result(a.Destination, f.count[a.Destination], a.Types)
		f.count[a.Destination]++
	}
	fmt.Fprintf(w, `{"data":[%s],"meta":{"collection":{"offset":0,"limit":200,"total":1}}}`, f.show(id, task.Type))
}

func (f *fakeOTBR) show(id, typ string) string {
	result := ""
	if r := f.results["of-"+id]; r == "none" && f.tasks[id] == "completed" {
		result = `,"relationships":{"result":{"data":{"type":"diagnostics","id":""}}}`
	} else if r != "" && f.tasks[id] == "completed" {
		result = fmt.Sprintf(`,"relationships":{"result":{"data":{"type":"diagnostics","id":"of-%s"}}}`, id)
	}
	return fmt.Sprintf(`{"id":%q,"type":%q,"attributes":{"status":%q,"timeout":9}%s}`, id, typ, f.tasks[id], result)
}

// action shows a task and moves it one step on.
func (f *fakeOTBR) action(id string) string {
	if f.started != nil {
		f.started <- struct{}{}
	}
	switch r, diagnostic := f.results["of-"+id]; {
	case f.tasks[id] == "pending":
		f.tasks[id] = "active"
	case f.neverEnds:
	case f.tasks[id] == "active" && (diagnostic && r == "" || !diagnostic && f.stopUpdates):
		f.tasks[id] = "stopped"
	case f.tasks[id] == "active":
		f.tasks[id] = "completed"
	}
	return f.show(id, "task")
}
