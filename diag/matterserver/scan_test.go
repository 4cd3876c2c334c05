package matterserver

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary stands for every secret that a scan is given.
const canary = "canary-5f2b"

// to is a Dialer to a server in this process, with a secret in its headers.
func to(h http.Handler) Dialer {
	return Through(&http.Client{Transport: &http.Transport{DialContext: matterserver.InProcess(h), DisableKeepAlives: true}},
		http.Header{"Cookie": {"ingress_session=" + canary}})
}

// scan runs one probe against h, to its end, in virtual time.
func scan(t *testing.T, h http.Handler, change func(*Source)) (reports []diag.Report, problems []diag.Problem, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		reports, problems, took = scanUntil(t, t.Context(), h, change)
	})
	return reports, problems, took
}

func scanUntil(t *testing.T, ctx context.Context, h http.Handler, change func(*Source)) ([]diag.Report, []diag.Problem, time.Duration) {
	t.Helper()
	s := Source{Dial: to(h)}
	if change != nil {
		change(&s)
	}
	probes := diag.Plan([]diag.Source{s}, diag.Known{Endpoints: []diag.Endpoint{
		{Source: Name, URL: "ws://someone:" + canary + "@ha.test/ws"}, {Source: "otbr", URL: "http://br.test"},
	}})
	if len(probes) != 1 || probes[0].Target != "ws://ha.test:5580/ws" {
		t.Fatalf("probes %+v", probes)
	}
	begin := time.Now()
	reports, problems := diag.Collect(ctx, probes, nil)
	for _, x := range []any{reports, problems} {
		if strings.Contains(fmt.Sprintf("%+v", x), canary) {
			t.Errorf("a secret comes out: %+v", x)
		}
	}
	for _, p := range problems {
		if strings.ContainsAny(p.Text+p.Hint, "\n\r") || p.Text == "" || p.Source != Name || p.Target != probes[0].Target {
			t.Errorf("problem %+v", p)
		}
	}
	return reports, problems, time.Since(begin)
}

func texts(problems []diag.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s: %s\n", p.Stage, p.Text)
	}
	return b.String()
}

// told sorts reports: what the server kept and what was read, by node id, and
// the border routers it heard.
func told(t *testing.T, reports []diag.Report) (kept, fresh map[uint64]diag.Report, routers []diag.Report) {
	t.Helper()
	kept, fresh = map[uint64]diag.Report{}, map[uint64]diag.Report{}
	for _, r := range reports {
		switch {
		case len(r.Matter) == 0:
			routers = append(routers, r)
		case r.Cached:
			if _, twice := kept[r.Matter[0].Node]; twice {
				t.Errorf("node %d is told twice", r.Matter[0].Node)
			}
			kept[r.Matter[0].Node] = r
		default:
			if _, twice := fresh[r.Matter[0].Node]; twice {
				t.Errorf("node %d is told twice", r.Matter[0].Node)
			}
			fresh[r.Matter[0].Node] = r
		}
		if r.Source != Name || r.Via != "ws://ha.test:5580/ws" || r.At.IsZero() {
			t.Errorf("%s via %s at %v", r.Source, r.Via, r.At)
		}
	}
	return kept, fresh, routers
}

func server(t *testing.T, h *mesh.Home, o matterserver.Options) *matterserver.Server {
	t.Helper()
	s, err := matterserver.New(h, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNodesThatAreAwakeAreRead: of every node there is what the server kept, and
// of those that don't sleep what they say now.
func TestNodesThatAreAwakeAreRead(t *testing.T) {
	home := mesh.HomeOf50(1)
	for _, flavour := range []matterserver.Flavour{matterserver.JS, matterserver.Python} {
		for _, ask := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := server(t, home, matterserver.Options{Flavour: flavour, Session: canary, ReadTime: 300 * time.Millisecond, SleepyTime: 8 * time.Second})
				reports, problems, took := scanUntil(t, t.Context(), s, func(s *Source) { s.AskSleepy = ask })
				if len(problems) != 0 {
					t.Errorf("%v", texts(problems))
				}
				kept, fresh, routers := told(t, reports)
				nodes, awake, borders := 0, 0, 0
				for _, m := range home.Networks {
					for i := range m.Nodes {
						n := &m.Nodes[i]
						if n.BorderRouter {
							borders++
							continue
						}
						nodes++
						id := n.Matter[0].Node
						if _, ok := kept[id]; !ok || kept[id].Available != diag.Some(true) {
							t.Errorf("%s: kept %v, available %v", n.Name, ok, kept[id].Available)
						}
						if _, read := fresh[id]; read != (!n.Sleepy() || ask) {
							t.Errorf("%s: read %v", n.Name, read)
						}
						if !n.Sleepy() {
							awake++
						}
					}
				}
				if len(kept) != nodes || awake == 0 || len(s.Reads()) != len(fresh) {
					t.Errorf("%d of %d nodes, %d awake, %d read, %d reads", len(kept), nodes, awake, len(fresh), len(s.Reads()))
				}
				if flavour == matterserver.Python {
					borders = 0 // has no such command, and is not asked
				}
				if len(routers) != borders || (s.Requests()["get_thread_border_routers"] > 0) != (borders > 0) {
					t.Errorf("%d border routers, want %d", len(routers), borders)
				}
				if !ask && took > 2*time.Second {
					t.Errorf("took %v", took)
				}
				pace(t, s)
			})
		}
	}
}

// pace checks that reads kept the pace: at most 4 under way in a network, and
// 100 ms between two that begin.
func pace(t *testing.T, s *matterserver.Server) {
	t.Helper()
	last := map[diag.PANID64]time.Time{}
	reads := s.Reads()
	for i, r := range reads {
		if before, ok := last[r.Network]; ok && r.From.Sub(before) < 100*time.Millisecond {
			t.Errorf("two reads in %s begin within %v", r.Network, r.From.Sub(before))
		}
		last[r.Network] = r.From
		under := 0
		for _, o := range reads[:i+1] {
			if o.Network == r.Network && o.To.After(r.From) {
				under++
			}
		}
		if under > 4 {
			t.Errorf("%d reads at once in %s", under, r.Network)
		}
	}
}

// TestFreshIsNotKept: what a node says now and what the server kept of it are
// told apart, in time and in words.
func TestFreshIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := &mesh.Home{Networks: []*mesh.Mesh{mesh.HomeOf50(1).Networks[0]}}
		s := server(t, before, matterserver.Options{ReadTime: time.Second})
		after := before.Networks[0].Clone()
		l := &after.Links[slices.IndexFunc(after.Links, func(l mesh.Link) bool {
			a, b := &after.Nodes[l.A], &after.Nodes[l.B]
			return a.IsRouter() && b.IsRouter() && !a.BorderRouter && !b.BorderRouter
		})]
		l.AToB, l.BToA = mesh.Hear(-93), mesh.Hear(-94)
		s.SetHome(&mesh.Home{Networks: []*mesh.Mesh{after}})
		reports, problems, _ := scanUntil(t, t.Context(), s, nil)
		if len(problems) != 0 {
			t.Error(texts(problems))
		}
		kept, fresh, _ := told(t, reports)
		a, b := &after.Nodes[l.A], &after.Nodes[l.B]
		for _, c := range []struct {
			at, of *mesh.Node
			rssi   int8
		}{{a, b, -94}, {b, a, -93}} {
			id := c.at.Matter[0].Node
			row := func(r diag.Report) diag.Opt[int8] {
				k := slices.IndexFunc(r.Neighbors, func(n diag.Neighbor) bool { return n.ExtAddr == c.of.ExtAddr })
				if k < 0 {
					return diag.Opt[int8]{}
				}
				return r.Neighbors[k].AverageRSSI
			}
			if row(fresh[id]) != diag.Some(c.rssi) || !row(kept[id]).Known() || row(kept[id]) == row(fresh[id]) {
				t.Errorf("%s hears %s with %v, kept %v", c.at.Name, c.of.Name, row(fresh[id]), row(kept[id]))
			}
			if f, k := fresh[id], kept[id]; !f.At.After(k.At) || f.Session == k.Session || f.Session == "" || f.Transport != diag.TransportThread ||
				len(f.Names) != 0 || len(k.Names) == 0 || f.RebootCount != diag.Some(uint16(3)) || f.Available != diag.Some(true) {
				t.Errorf("fresh %+v\nkept %+v", f, k)
			}
		}
	})
}

// TestUnavailableNodesAreNotAsked: their old tables are told as what they are.
func TestUnavailableNodesAreNotAsked(t *testing.T) {
	home := mesh.HomeOf50(1)
	off := home.Networks[0].Nodes[home.Networks[0].FindName("Desk plug")].Matter[0].Node
	s := server(t, home, matterserver.Options{Unavailable: func(n *mesh.Node) bool { return n.Name == "Desk plug" }})
	reports, problems, _ := scan(t, s, nil)
	kept, fresh, _ := told(t, reports)
	r := kept[off]
	if _, asked := fresh[off]; asked || r.Available != diag.Some(false) || !r.Cached || len(r.Neighbors) == 0 || len(problems) != 0 {
		t.Errorf("asked %v, %+v\n%s", asked, r, texts(problems))
	}
	if slices.ContainsFunc(s.Reads(), func(r matterserver.Read) bool { return r.Node == off }) {
		t.Error("was read")
	}
}

// TestGoneNode: the server says for minutes that it reaches a node that is gone.
func TestGoneNode(t *testing.T) {
	for abort, want := range map[time.Duration]string{
		35 * time.Second: "could not be read: the server did not answer read_attribute within 15s",
		8 * time.Second:  "could not be read: the server answered read_attribute with error 0: Operation aborted",
	} {
		home := mesh.HomeOf50(1)
		m := home.Networks[0]
		plug := &m.Nodes[m.FindName("Desk plug")]
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSilent, Node: plug.ExtAddr}}
		reports, problems, took := scan(t, server(t, home, matterserver.Options{AbortAfter: abort}), nil)
		kept, fresh, _ := told(t, reports)
		id := plug.Matter[0].Node
		if _, read := fresh[id]; read || kept[id].Available != diag.Some(false) || len(kept[id].Neighbors) == 0 {
			t.Errorf("read %v, kept %+v", read, kept[id])
		}
		if len(problems) != 1 || !strings.HasSuffix(problems[0].Text, want) || !strings.HasPrefix(problems[0].Text, fmt.Sprintf("node %d (Desk plug)", id)) || !problems[0].Partial || took > 17*time.Second {
			t.Errorf("%s took %v", texts(problems), took)
		}
		if len(fresh) < 10 {
			t.Errorf("%d others were read", len(fresh))
		}
	}
}

// TestSleeperThatDoesNotWake is no failure of the scan.
func TestSleeperThatDoesNotWake(t *testing.T) {
	home := mesh.HomeOf50(1)
	s := server(t, home, matterserver.Options{SleepyTime: time.Hour})
	reports, problems, _ := scan(t, s, func(s *Source) { s.AskSleepy = true })
	kept, fresh, _ := told(t, reports)
	if len(fresh) < 10 || len(kept) != 44 || len(problems) < 4 {
		t.Fatalf("%d kept, %d fresh, %d problems", len(kept), len(fresh), len(problems))
	}
	for _, p := range problems {
		if sleeps := strings.HasPrefix(p.Text, "node"); sleeps == p.Partial {
			t.Errorf("%+v", p)
		}
	}
	for id, r := range kept {
		if r.Available != diag.Some(true) {
			t.Errorf("node %d: available %v", id, r.Available)
		}
	}
}

// TestTestNodes: what is no node is not told.
func TestTestNodes(t *testing.T) {
	for _, f := range []matterserver.Flavour{matterserver.JS, matterserver.Python} {
		reports, problems, _ := scan(t, server(t, mesh.HomeOf50(1), matterserver.Options{Flavour: f, TestNodes: 3}), nil)
		kept, _, _ := told(t, reports)
		if len(kept) != 44 || texts(problems) != "parse: 3 of its nodes are test nodes, made from saved diagnostics: left out\n" || problems[0].Partial {
			t.Errorf("%d nodes, %s", len(kept), texts(problems))
		}
	}
}

// TestUnloadedNodes: a server that has just started shows some nodes empty.
func TestUnloadedNodes(t *testing.T) {
	s := server(t, mesh.HomeOf50(1), matterserver.Options{Unloaded: func(n *mesh.Node) bool { return n.Sleepy() || n.Name == "Desk plug" }})
	reports, problems, _ := scan(t, s, nil)
	kept, fresh, _ := told(t, reports)
	named := 0
	for _, r := range kept {
		if len(r.Names) > 0 && r.Network.ExtPANID != 0 {
			named++
		}
	}
	if named != 44 || len(fresh) < 10 || len(problems) != 0 || s.Requests()["get_node"] < 10 {
		t.Errorf("%d nodes, %d fresh, %s %v", named, len(fresh), texts(problems), s.Requests())
	}
}

// TestOldSchema: what can't be read anew is told as kept; what is older still
// is not understood.
func TestOldSchema(t *testing.T) {
	for schema, want := range map[uint64]string{
		6: "ask: speaks version 6 of its API, which can't read whole tables anew: they are those that it kept\n",
		1: "ask: speaks version 1 of its API, which is too old\n",
		9: "",
	} {
		s := server(t, mesh.HomeOf50(1), matterserver.Options{Flavour: matterserver.Python, Schema: schema})
		reports, problems, _ := scan(t, s, nil)
		kept, fresh, _ := told(t, reports)
		if texts(problems) != want || (len(kept) == 44) != (schema > 1) || (len(fresh) > 0) != (schema == 9) {
			t.Errorf("schema %d: %d kept, %d fresh, %s", schema, len(kept), len(fresh), texts(problems))
		}
	}
}

// TestDoor: a way that needs a cookie and a URL with a token in it.
func TestDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, mesh.HomeOf50(1), matterserver.Options{Session: canary})
		door := Door{Name: "the Matter server of ha.test", URL: "ws://ha.test/ws?" + canary, Dial: to(s)}
		shut := Door{Name: "shut", URL: "ws://ha.test/ws?" + canary, Dial: Through(&http.Client{Transport: &http.Transport{DialContext: matterserver.InProcess(s), DisableKeepAlives: true}}, nil)}
		absent := Door{Name: "absent", Dial: nil}
		absent.Dial = dialProblem
		reports, problems := diag.Collect(t.Context(), diag.Plan([]diag.Source{Source{Doors: []Door{door, shut, absent}}}, diag.Known{}), nil)
		if len(reports) < 44 || reports[0].Via != "the Matter server of ha.test" {
			t.Errorf("%d reports", len(reports))
		}
		if got := texts(problems); got != "resolve: has no Matter server\nhandshake: does not let us in (401)\n" {
			t.Error(got)
		}
		if strings.Contains(fmt.Sprintf("%+v %+v", reports, problems), canary) {
			t.Error("a secret comes out")
		}
	})
}
