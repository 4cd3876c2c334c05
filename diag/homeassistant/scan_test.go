package homeassistant

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag"
	"threadmap/simulators/homeassistant"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Canaries: nothing that comes out of this package may hold them.
const (
	adminToken = "eyJhbGciOiJIUzI1NiJ9.Canary-Admin-Token.0123456789abcdefghij"
	guestToken = "eyJhbGciOiJIUzI1NiJ9.Canary-Guest-Token.0123456789abcdefghij"
	wrongToken = "eyJhbGciOiJIUzI1NiJ9.Canary-Wrong-Token.0123456789abcdefghij"
)

// short cuts waiting to a tenth: a command may take 1 s.
var short = pace{shorter: 10, routers: 50 * time.Millisecond}

type stage struct {
	home *mesh.Home
	sim  *homeassistant.Server
	url  string

	mu       sync.Mutex
	datasets []Dataset
	refused  []string
	tokens   map[string]Token // one value for each text, as a program keeps it
	trust    Fingerprint
}

// start serves a simulated Home Assistant with a Matter server.
func start(t testing.TB, o homeassistant.Options) *stage {
	t.Helper()
	g := &stage{home: mesh.HomeOf50(1), tokens: map[string]Token{}}
	if o.Users == nil {
		o.Users = map[string]homeassistant.User{adminToken: {Name: "Anna", Admin: true}, guestToken: {Name: "Gus"}}
	}
	if o.MatterServer == nil {
		ms, err := matterserver.New(g.home, matterserver.Options{Session: homeassistant.IngressSession})
		if err != nil {
			t.Fatal(err)
		}
		o.MatterServer = ms
	}
	sim, err := homeassistant.New(g.home, o)
	if err != nil {
		t.Fatal(err)
	}
	g.sim = sim
	srv := httptest.NewUnstartedServer(sim)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	g.url = srv.URL
	return g
}

func (g *stage) source(t testing.TB, text string, p pace) Source {
	t.Helper()
	token, have := g.tokens[text]
	if !have {
		var err error
		if token, err = ParseToken(text); err != nil {
			t.Fatal(err)
		}
		g.tokens[text] = token
	}
	return Source{
		Logins: func(url string) (Login, bool) { return Login{Token: token, Trust: g.trust}, url == g.url },
		OnDataset: func(d Dataset) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.datasets = append(g.datasets, d)
		},
		OnRefused: func(url string) { g.refused = append(g.refused, url) },
		pace:      p,
	}
}

func (g *stage) scan(t testing.TB, token string, p pace) ([]diag.Report, []diag.Problem) {
	t.Helper()
	return g.scanWith(t, g.source(t, token, p))
}

func (g *stage) scanWith(t testing.TB, s Source) ([]diag.Report, []diag.Problem) {
	t.Helper()
	probes := diag.Plan([]diag.Source{s}, diag.Known{Endpoints: []diag.Endpoint{{Source: Name, URL: g.url}, {Source: "otbr", URL: "http://127.0.0.1:1"}}})
	if len(probes) != 1 {
		t.Fatalf("%d probes, want 1", len(probes))
	}
	reports, problems := diag.Collect(t.Context(), probes, nil)
	g.noSecrets(t, reports, problems, g.datasets, slices.Collect(maps.Values(g.tokens)), s)
	for _, r := range reports {
		if r.Source != Name || r.Via != g.url || r.At.IsZero() || !r.Cached {
			t.Fatalf("report of %q via %q at %v, cached %v", r.Source, r.Via, r.At, r.Cached)
		}
	}
	for _, q := range problems {
		if q.Source != Name || q.Target != g.url || strings.ContainsAny(q.Text+q.Hint, "\n\r") || len(q.Text) > 300 || q.Text == "" {
			t.Errorf("problem %+v", q)
		}
	}
	if w := g.sim.Writing(); len(w) > 0 {
		t.Errorf("asked to change something: %v", w)
	}
	return reports, problems
}

// noSecrets searches everything that was printed for tokens and keys.
func (g *stage) noSecrets(t testing.TB, things ...any) {
	t.Helper()
	secrets := []string{"Canary", homeassistant.IngressToken, homeassistant.IngressSession}
	for _, m := range g.home.Networks {
		secrets = append(secrets, hex.EncodeToString(m.NetworkKey[:]), hex.EncodeToString(m.PSKc[:]), fmt.Sprint(m.NetworkKey)[1:40], fmt.Sprint(m.PSKc)[1:40])
	}
	for _, x := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x"} {
			out := strings.ToLower(fmt.Sprintf(verb, x))
			for _, s := range secrets {
				if strings.Contains(out, strings.ToLower(s)) {
					t.Fatalf("a secret comes out with %s: …%s…", verb, s)
				}
			}
		}
	}
}

func lines(problems []diag.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s: %s (%s) partial %v\n", p.Stage, p.Text, p.Hint, p.Partial)
	}
	return b.String()
}

// An administrator's token gives all: the map made of it has the names, rooms,
// batteries, parents and networks of the home.
func TestScan(t *testing.T) {
	g := start(t, homeassistant.Options{})
	reports, problems := g.scan(t, adminToken, pace{routers: time.Second})
	if len(problems) > 0 {
		t.Fatal(lines(problems))
	}
	m := topology.Build(reports)
	if len(m.Networks) != len(g.home.Networks) {
		for _, n := range m.Networks {
			t.Logf("%s %s", n.ID, n.Name)
		}
		t.Fatalf("%d networks, want %d", len(m.Networks), len(g.home.Networks))
	}
	byExt := map[diag.ExtAddr]*topology.Node{}
	for _, n := range m.Nodes {
		if byExt[n.ExtAddr] = n; n.ExtAddr == 0 {
			t.Errorf("node %s without an extended address", n.ID)
		}
	}
	for _, net := range g.home.Networks {
		v := net.View()
		for i := range net.Nodes {
			want := &net.Nodes[i]
			n := byExt[want.ExtAddr]
			if n == nil {
				t.Errorf("%s is not on the map", want.Name)
				continue
			}
			if n.Network == nil || n.Network.ExtPANID != net.ExtPANID || n.Network.Name != net.Name {
				t.Errorf("%s is in network %v", want.Name, n.Network)
			}
			if want.BorderRouter {
				if n.BorderRouter != diag.Some(true) || n.Vendor != want.Vendor || n.BorderAgentID != want.BorderAgentID {
					t.Errorf("border router %s: %v %s %s", want.Name, n.BorderRouter, n.Vendor, n.BorderAgentID)
				}
				continue
			}
			if n.Name != want.Name || n.Room != want.Room || n.Vendor != want.Vendor || n.Product != want.Model || n.Firmware != want.Firmware || !slices.Equal(n.Matter, want.Matter) {
				t.Errorf("%s: %q in %q, %s %s %s, %v", want.Name, n.Name, n.Room, n.Vendor, n.Product, n.Firmware, n.Matter)
			}
			if p, known := n.Battery.Get(); known != (want.Battery != 0) || p != want.Battery {
				t.Errorf("%s: battery %v, want %d", want.Name, n.Battery, want.Battery)
			}
			if n.Role != v.Role(i) || n.RLOC16 != diag.MakeRLOC16(want.RLOC16()) {
				t.Errorf("%s: %s %v", want.Name, n.Role, n.RLOC16)
			}
			if k := v.Parent(i); k >= 0 && (n.Parent == nil || n.Parent.ExtAddr != net.Nodes[k].ExtAddr) {
				t.Errorf("%s: parent %v, want %s", want.Name, n.Parent, net.Nodes[k].Name)
			}
		}
	}
	if len(g.datasets) < len(g.home.Networks) {
		t.Fatalf("%d datasets", len(g.datasets))
	}
	for i, d := range g.datasets[:len(g.home.Networks)] {
		net := g.home.Networks[i]
		if d.ExtPANID != net.ExtPANID || d.Name != net.Name || string(d.PSKc.Bytes()) != string(net.PSKc[:]) || d.Preferred != (i == 0) || d.Origin != "otbr" {
			t.Errorf("dataset %d: %v %s preferred %v by %s", i, d.ExtPANID, d.Name, d.Preferred, d.Origin)
		}
	}
	if got := g.sim.Requests(); got["download"] != 1 || got["matter/network_topology"] != 0 || got["matter/node_diagnostics"] != 0 || g.sim.WrongLogins() != 0 {
		t.Errorf("asked %v", got)
	}
}

// Without the hook no credential is asked for.
func TestNoHookNoCredentials(t *testing.T) {
	g := start(t, homeassistant.Options{})
	s := g.source(t, adminToken, short)
	s.OnDataset = nil
	g.scanWith(t, s)
	if got := g.sim.Requests(); got["thread/list_datasets"]+got["thread/get_dataset_tlv"] != 0 {
		t.Errorf("asked %v", got)
	}
}

// Names are there whatever is not, and what is not there costs one line.
func TestLesserHomes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		o        homeassistant.Options
		token    string
		problems []string
		radios   int // Matter nodes whose radio is known
		routers  int
		asked    map[string]int
	}{
		{"no administrator", homeassistant.Options{}, guestToken, []string{"tells this user, who is no administrator, nothing of border routers and Thread credentials"}, 44, 0,
			map[string]int{"otbr/info": 0, "thread/list_datasets": 0, "download": 1}},
		{"no administrator, no download", homeassistant.Options{NoDownload: true}, guestToken, []string{"tells this user", "does not let this user have the diagnostics download (401)"}, 44, 6,
			map[string]int{"download": 1, "matter/network_topology": 1, "matter/node_diagnostics": 0}},
		{"no download, no graph", homeassistant.Options{NoDownload: true, Misbehave: only("matter/network_topology", homeassistant.Refuse)}, guestToken, []string{"tells this user", "(401)"}, 44, 0,
			map[string]int{"download": 1, "matter/node_diagnostics": 44}},
		{"download broken", homeassistant.Options{Misbehave: only("download", homeassistant.Refuse)}, guestToken, []string{"tells this user", "answered the diagnostics download with 500"}, 44, 6,
			map[string]int{"matter/network_topology": 1}},
		{"of 2023", homeassistant.Options{Old: true, Version: "2023.1.0"}, adminToken, nil, 44, 0, map[string]int{"download": 1}},
		{"in a container", homeassistant.Options{NoSupervisor: true}, adminToken, nil, 44, 6, nil},
		{"starting", homeassistant.Options{Starting: true}, adminToken, []string{"is still starting"}, 44, 6, nil},
		{"answers in arrays", homeassistant.Options{Arrays: true}, adminToken, nil, 44, 6, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := start(t, tt.o)
			reports, problems := g.scan(t, tt.token, pace{shorter: 3, routers: 300 * time.Millisecond})
			radios, routers, named := map[uint64]bool{}, map[diag.ExtAddr]bool{}, 0
			for _, r := range reports {
				if len(r.Matter) == 1 && len(r.Own) > 0 {
					radios[r.Matter[0].Node] = true
				}
				if r.BorderRouter == diag.Some(true) && len(r.Own) > 0 {
					routers[r.Own[0].ExtAddr] = true
				}
				if r.Room != "" {
					named++
				}
			}
			if len(radios) != tt.radios || len(routers) < tt.routers || named != 44 {
				t.Errorf("%d radios, %d border routers, %d rooms", len(radios), len(routers), named)
			}
			if len(problems) != len(tt.problems) {
				t.Errorf("problems:\n%s", lines(problems))
			}
			for i, want := range tt.problems {
				if i < len(problems) && !strings.Contains(problems[i].Text, want) {
					t.Errorf("problem %q, want %q", problems[i].Text, want)
				}
			}
			for what, n := range tt.asked {
				if got := g.sim.Requests()[what]; got != n {
					t.Errorf("asked %s %d times, want %d", what, got, n)
				}
			}
		})
	}
}

func only(command string, m homeassistant.Misbehaviour) func(string) homeassistant.Misbehaviour {
	return func(c string) homeassistant.Misbehaviour {
		if c == command {
			return m
		}
		return homeassistant.Behave
	}
}

// HomeKit accessories are told where they are on Thread: those that announced
// themselves there or say so. Their rows join nothing yet but by pairing id.
func TestHomeKit(t *testing.T) {
	g := start(t, homeassistant.Options{HomeKit: func(n *mesh.Node) bool { return n.Vendor == "Eve Systems" }})
	reports, problems := g.scan(t, adminToken, short)
	n := 0
	for _, r := range reports {
		if r.HAPID != "" {
			if n++; len(r.HAPID) != 17 || r.HAPID != strings.ToLower(r.HAPID) || r.Room == "" || r.Names[0].Kind != diag.NameHome || r.Transport != diag.TransportUnknown {
				t.Errorf("%+v", r)
			}
		}
	}
	if n == 0 || len(problems) > 0 {
		t.Errorf("%d accessories, %s", n, lines(problems))
	}
}

// A token that was refused is not tried again, not by the next scan either.
func TestWrongTokenIsTriedOnce(t *testing.T) {
	g := start(t, homeassistant.Options{Misbehave: only("auth", homeassistant.Quote)})
	for i := range 3 {
		reports, problems := g.scan(t, wrongToken, short)
		if len(reports) != 0 || len(problems) != 1 || !problems[0].Partial || problems[0].Stage != diag.StageHandshake {
			t.Fatalf("%d reports, %s", len(reports), lines(problems))
		}
		want := "refused the token: Unknown token (secret)"
		if i > 0 {
			want = "refused this token before, so it is not tried again: Home Assistant bans who does"
		}
		if problems[0].Text != want {
			t.Errorf("%q, want %q", problems[0].Text, want)
		}
	}
	if g.sim.WrongLogins() != 1 || !slices.Equal(g.refused, []string{g.url}) {
		t.Errorf("%d wrong logins, told of %v", g.sim.WrongLogins(), g.refused)
	}
	for _, ask := range []func(context.Context, string) error{
		func(ctx context.Context, url string) error {
			_, err := g.source(t, wrongToken, short).Check(ctx, url)
			return err
		},
		func(ctx context.Context, url string) error {
			_, err := g.source(t, wrongToken, short).Beforehand(ctx, url, true)
			return err
		},
		func(ctx context.Context, url string) error {
			_, err := g.source(t, wrongToken, short).MatterServer(url)(ctx, "")
			return err
		},
	} {
		if err := ask(t.Context(), g.url); err == nil || !strings.Contains(err.Error(), "not tried again") {
			t.Errorf("%v", err)
		} else {
			g.noSecrets(t, err)
		}
	}
	if g.sim.WrongLogins() != 1 {
		t.Errorf("%d wrong logins", g.sim.WrongLogins())
	}
}

func TestNoLoginAndBadURLs(t *testing.T) {
	for url, want := range map[string]string{"http://127.0.0.1:1": "no token for it", "ftp://hunter2@x": "begins with neither", "http://u:hunter2@x": "user name"} {
		probes := Source{}.Probes(diag.Known{Endpoints: []diag.Endpoint{{Source: Name, URL: url}}})
		_, problems := diag.Collect(t.Context(), probes, nil)
		if len(problems) != 1 || !strings.Contains(problems[0].Text, want) || strings.Contains(fmt.Sprint(problems), "hunter2") {
			t.Errorf("%s: %v", url, problems)
		}
	}
}

// A scan that is stopped returns at once and keeps what it has.
func TestStopped(t *testing.T) {
	g := start(t, homeassistant.Options{Misbehave: only("get_states", homeassistant.Hang)})
	s := g.source(t, adminToken, pace{routers: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	probes := s.Probes(diag.Known{Endpoints: []diag.Endpoint{{Source: Name, URL: g.url}}})
	began := time.Now()
	reports, problems := diag.Collect(ctx, probes, func(p diag.Progress) {
		if p.Reports > 6 { // the border routers
			cancel()
		}
	})
	if took := time.Since(began); took > 5*time.Second || len(reports) < 7 || len(problems) == 0 {
		t.Errorf("%v, %d reports, %s", took, len(reports), lines(problems))
	}
}

var _ http.Handler = (*homeassistant.Server)(nil)
