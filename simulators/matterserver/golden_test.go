package matterserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"threadmap/simulators/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func decode(t *testing.T, b []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func captured(t *testing.T, name string) map[string]any {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, b)
}

// shape is the keys and types of a JSON value; of a list, those of its elements.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var out []string
		for k, e := range v {
			out = append(out, k+":"+shape(e))
		}
		slices.Sort(out)
		return "{" + strings.Join(out, ",") + "}"
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, shape(e))
		}
		slices.Sort(out)
		return "[" + strings.Join(slices.Compact(out), "|") + "]"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "float"
		}
		return "integer"
	}
	return fmt.Sprintf("%T", v)
}

func ask(t *testing.T, s *Server, command string, args string) map[string]any {
	t.Helper()
	q := request{ID: "2", Command: command}
	if args != "" {
		if err := json.Unmarshal([]byte(args), &q.Args); err != nil {
			t.Fatal(err)
		}
	}
	return decode(t, encode(s.answer(t.Context(), &q)))
}

func home(t *testing.T) *mesh.Home {
	h := mesh.HomeOf50(1)
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	return h
}

func newServer(t *testing.T, h *mesh.Home, o Options) *Server {
	t.Helper()
	s, err := New(h, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSpeaksAsCaptured: every message has the keys and types of the captured
// ones. Attributes that are simulated are compared, there are more in captures.
func TestSpeaksAsCaptured(t *testing.T) {
	s := newServer(t, home(t), Options{})
	if got, want := shape(decode(t, encode(s.greeting()))), shape(captured(t, "server_info")); got != want {
		t.Errorf("greeting\n got %s\nwant %s", got, want)
	}
	if got, want := shape(ask(t, s, "get_thread_border_routers", "")), shape(captured(t, "get_thread_border_routers")); got != want {
		t.Errorf("border routers\n got %s\nwant %s", got, want)
	}
	if got, want := ask(t, s, "no_such_command", ""), captured(t, "unknown_command"); got["error_code"] != want["error_code"] || got["details"] != want["details"] || shape(got) != shape(want) {
		t.Errorf("unknown command: %v, captured %v", got, want)
	}
	if got, want := ask(t, s, "read_attribute", `{"node_id":1,"attribute_path":"0/99/*"}`), captured(t, "read_attribute_bad"); got["error_code"] != want["error_code"] || got["details"] != want["details"] {
		t.Errorf("bad path: %v, captured %v", got, want)
	}
	values := map[string]map[string]bool{} // shapes of captured attributes, by path
	note := func(a map[string]any) {
		for path, v := range a {
			if values[path] == nil {
				values[path] = map[string]bool{}
			}
			values[path][shape(v)] = true
		}
	}
	var outside string
	for _, n := range captured(t, "get_nodes")["result"].([]any) {
		o := n.(map[string]any)
		note(o["attributes"].(map[string]any))
		delete(o, "attributes")
		outside = shape(o)
	}
	nodes := ask(t, s, "get_nodes", "")["result"].([]any)
	compared := 0
	for _, n := range nodes {
		o := n.(map[string]any)
		for path, v := range o["attributes"].(map[string]any) {
			if want := values[path]; want != nil {
				compared++
				// A table of another node may be empty, a measured value missing.
				if got := shape(v); !want[got] && got != "[]" && !want[strings.ReplaceAll(got, "6:integer", "6:<nil>")] && !covered(want, got) {
					t.Errorf("%s\n got %s\nwant one of %v", path, got, want)
				}
			} else if !strings.HasPrefix(path, "1/47/") { // no captured node had a battery
				t.Errorf("%s was not captured", path)
			}
		}
		delete(o, "attributes")
		if got := shape(o); got != outside {
			t.Errorf("node\n got %s\nwant %s", got, outside)
		}
	}
	if len(nodes) != 44 || compared < 44*40 {
		t.Errorf("%d nodes, %d values", len(nodes), compared)
	}
	python := newServer(t, home(t), Options{Flavour: Python})
	if got := ask(t, python, "get_thread_border_routers", ""); got["error_code"] != json.Number("9") {
		t.Errorf("%v", got)
	}
}

// covered reports whether rows of got are among captured ones, where those
// differ among each other.
func covered(want map[string]bool, got string) bool {
	for w := range want {
		rows := strings.Split(strings.Trim(w, "[]"), "|")
		if !slices.ContainsFunc(strings.Split(strings.Trim(got, "[]"), "|"), func(row string) bool { return !slices.Contains(rows, row) }) {
			return true
		}
	}
	return false
}

// TestNumbersAreBareAndExact: 64-bit integers are neither strings nor rounded.
func TestNumbersAreBareAndExact(t *testing.T) {
	h := home(t)
	n := &h.Networks[0].Nodes[h.Networks[0].FindName("Desk plug")]
	n.Matter[0].Node = 1<<63 + 1
	s := newServer(t, h, Options{})
	b := string(encode(s.answer(t.Context(), &request{ID: "1", Command: "get_nodes"})))
	for _, want := range []string{fmt.Sprintf(`"node_id":%d,`, uint64(1<<63+1)), fmt.Sprintf(`"0/53/63":%d,`, uint64(n.ExtAddr)), fmt.Sprintf(`"0/53/4":%d,`, uint64(h.Networks[0].ExtPANID))} {
		if !strings.Contains(b, want) {
			t.Errorf("lacks %s", want)
		}
	}
}

// TestNoSecrets: nothing of the network's keys is in any answer.
func TestNoSecrets(t *testing.T) {
	s := newServer(t, home(t), Options{})
	for _, c := range []string{"server_info", "get_nodes", "get_thread_border_routers"} {
		if b := string(encode(s.answer(t.Context(), &request{ID: "1", Command: c}))); strings.Contains(b, "canary") {
			t.Errorf("%s hands out keys", c)
		}
	}
}

func TestNew(t *testing.T) {
	h := &mesh.Home{Networks: []*mesh.Mesh{mesh.Lab(0)}}
	if _, err := New(h, Options{}); err == nil {
		t.Error("a home without Matter nodes has a server")
	}
	h = home(t)
	h.Networks[0].Nodes[h.Networks[0].FindName("Desk plug")].Matter[0].Node = 2
	if _, err := New(h, Options{}); err == nil {
		t.Error("two nodes have one id")
	}
}
