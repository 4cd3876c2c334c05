package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/tmf"
	"threadmap/simulators/borderagent"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
	"threadmap/simulators/world"
)

// rightCode was shown by an OpenThread border router of 2026-08; wrongCode has a
// good check digit, too.
const rightCode, wrongCode = "475689122", "864213578"

var thisHost = netip.MustParseAddr("127.0.0.1")

// startWorld serves a simulated home until the test ends.
func startWorld(t *testing.T, home *mesh.Home, o world.Options) *world.World {
	t.Helper()
	w, err := world.Start(home, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// serveAgent runs the border agent of a mesh's first border router on loopback.
func serveAgent(t *testing.T, m *mesh.Mesh, o borderagent.Options) (*borderagent.Agent, netip.AddrPort) {
	t.Helper()
	border := m.Nodes[slices.IndexFunc(m.Nodes, func(n mesh.Node) bool { return n.BorderRouter && n.IsRouter() })].ExtAddr
	a, err := borderagent.New(m.View(), border, o)
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- a.Serve(pc) }()
	t.Cleanup(func() {
		a.Close()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return a, pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// announceHome announces a mesh and its border agent at that port, and, for codes
// that are waited for, services of their own: OpenThread gives them no TXT record
// and another name than the border agent's.
func announceHome(t *testing.T, m *mesh.Mesh, port uint16, codes map[string]netip.AddrPort) (at string) {
	t.Helper()
	services := sim.FromHome(&mesh.Home{Networks: []*mesh.Mesh{m}}, sim.HomeOptions{
		Address:     func(*mesh.Node) []netip.Addr { return []netip.Addr{thisHost} },
		BorderAgent: func(*mesh.Node) uint16 { return port },
	})
	host := services[slices.IndexFunc(services, func(s sim.Service) bool { return s.Kind == "_meshcop._udp" })].Host
	for name, c := range codes {
		services = append(services, sim.Service{Kind: "_meshcop-e._udp", Instance: name, Host: host, Port: c.Port(), Addrs: []netip.Addr{c.Addr()}, TXT: [][]byte{{}}})
	}
	at, end, err := respond(services)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return at
}

// A user is one with a state of its own.
type user struct {
	t   *testing.T
	dir string
	env map[string]string
}

func newUser(t *testing.T) *user { return &user{t, t.TempDir(), map[string]string{}} }

func (u *user) run(stdin string, args ...string) (out, errs string, status int) {
	u.t.Helper()
	return u.runUntil(context.Background(), stdin, args...)
}

func (u *user) runUntil(ctx context.Context, stdin string, args ...string) (out, errs string, status int) {
	u.t.Helper()
	var o, e bytes.Buffer
	status = run(ctx, args, strings.NewReader(stdin), &o, &e, func(k string) string {
		if k == state.Env {
			return u.dir
		}
		return u.env[k]
	})
	return o.String(), e.String(), status
}

// TestOneTimeCode: whoever has the code gets the whole mesh by it, once, by
// either verb, and it is kept nowhere.
func TestOneTimeCode(t *testing.T) {
	t.Parallel()
	for name, give := range map[string]func(u *user, mdns string) (string, string, int){
		"scan, from a file": func(u *user, mdns string) (string, string, int) {
			return u.run(rightCode+"\n", "scan", "--code-file", "-", "--ask", mdns)
		},
		"login, from the variable": func(u *user, mdns string) (string, string, int) {
			u.env[threadEnv] = "475-689-122"
			return u.run("", "login", "thread", "--ask", mdns)
		},
		"login, and its whole name": func(u *user, mdns string) (string, string, int) {
			return u.run(rightCode, "login", "thread", "--file", "-", "--agent", "LabBR #0101", "--ask", mdns)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := mesh.Lab(0)
			a, at := serveAgent(t, lab, borderagent.Options{EphemeralCode: rightCode, Settle: -1})
			u := newUser(t)
			out, errs, status := give(u, announceHome(t, lab, 1, map[string]netip.AddrPort{"LabBR #0101": at}))
			if status != exitDone || !strings.Contains(out, "ThreadMapLab   channel 15, 1 partition, 9 devices") || !strings.Contains(errs, "Saved as ") {
				t.Errorf("status %d\n%s%s", status, out, errs)
			}
			if st := a.Stats(); st.Sessions != 1 || st.Refused != 0 {
				t.Errorf("%d sessions, %d refused", st.Sessions, st.Refused)
			}
			if id, held := a.Commissioner(); held {
				t.Errorf("%q still has the role", id)
			}
			if _, err := os.Stat(filepath.Join(u.dir, "credentials.json")); err == nil {
				t.Error("a one-time code was kept")
			}
			if out, errs, _ := u.run("", "login", "list"); out != "" {
				t.Errorf("logins: %s%s", out, errs)
			}
		})
	}
}

// TestCodeIsNotWasted: what would use a code up for nothing is refused before.
func TestCodeIsNotWasted(t *testing.T) {
	t.Parallel()
	lab := mesh.Lab(0)
	a, at := serveAgent(t, lab, borderagent.Options{EphemeralCode: rightCode, Settle: -1})
	one := announceHome(t, lab, 1, map[string]netip.AddrPort{"LabBR #0101": at})
	two := announceHome(t, lab, 1, map[string]netip.AddrPort{"LabBR #0101": at, "Attic\x1b[31m": at})
	none := announceHome(t, lab, 1, nil)
	u := newUser(t)
	for _, x := range []struct {
		name, code, want string
		status           int
		args             []string
	}{
		{"a digit typed wrong", "475689123", "check digit", exitFailed, []string{"--ask", one}},
		{"too short", "47568912", "want 9 digits", exitFailed, []string{"--ask", one}},
		{"nobody waits for one", rightCode, "no border router is announced that waits for one: the code is not used up", exitPartial, []string{"--ask", none}},
		{"two wait for one", rightCode, "2 of them wait for one: Attic", exitPartial, []string{"--ask", two}},
		{"nobody of that name", rightCode, `none is announced that "cellar" fits: the code is not used up`, exitPartial, []string{"--ask", one, "--agent", "cellar"}},
		{"not asked for border agents", rightCode, "--source leaves them out", exitUsage, []string{"--source", "otbr"}},
		{"quick", rightCode, "--quick asks mDNS only", exitUsage, []string{"--quick", "--ask", one}},
		{"a network", rightCode, "needs no NETWORK", exitUsage, []string{"--agent", at.String() + "/ThreadMapLab"}},
		{"no address", rightCode, "HOST:PORT", exitUsage, []string{"--agent", "[::1]:99999"}},
	} {
		out, errs, status := u.run(x.code, append([]string{"scan", "--json", "--code-file", "-"}, x.args...)...)
		if status != x.status || !strings.Contains(errs, x.want) || strings.Contains(out+errs, x.code) || strings.Contains(errs, "\x1b") {
			t.Errorf("%s: status %d, %s", x.name, status, errs)
		}
	}
	if st := a.Stats(); st.Sessions+st.Refused != 0 {
		t.Fatalf("%d sessions, %d refused", st.Sessions, st.Refused)
	}
	// It is as good as before.
	out, errs, status := u.run(rightCode, "scan", "--code-file", "-", "--ask", two, "--agent", "labbr")
	if status != exitDone || !strings.Contains(out, "9 devices") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// TestWrongCode: it is tried once.
func TestWrongCode(t *testing.T) {
	t.Parallel()
	lab := mesh.Lab(0)
	a, at := serveAgent(t, lab, borderagent.Options{EphemeralCode: rightCode, Settle: -1})
	mdns := announceHome(t, lab, 1, map[string]netip.AddrPort{"LabBR #0101": at})
	out, errs, status := newUser(t).run(wrongCode, "scan", "--code-file", "-", "--ask", mdns)
	if status != exitPartial || !strings.Contains(out, "the one-time code is not the one that this border router shows") || strings.Contains(out+errs, wrongCode) {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if st := a.Stats(); st.Sessions != 0 || st.Refused != 1 {
		t.Errorf("%d sessions, %d refused", st.Sessions, st.Refused)
	}
}

// TestCodeAtAnAddress: without a single announcement.
func TestCodeAtAnAddress(t *testing.T) {
	t.Parallel()
	_, at := serveAgent(t, mesh.Lab(0), borderagent.Options{EphemeralCode: rightCode, Settle: -1})
	u := newUser(t)
	u.env[codeEnv] = rightCode
	out, errs, status := u.run("", "scan", "--source", "thread", "--code", "--agent", at.String())
	if status != exitDone || !strings.Contains(out, "9 devices") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// TestNamedAgent: by its address a border agent is asked without any
// announcement, also from then on; what is announced stands in for it.
func TestNamedAgent(t *testing.T) {
	t.Parallel()
	lab := mesh.Lab(0)
	a, at := serveAgent(t, lab, borderagent.Options{Settle: -1})
	u := newUser(t)
	ask := func(want int, args ...string) (string, string) {
		t.Helper()
		out, errs, status := u.run("", append([]string{"scan", "--source", "thread"}, args...)...)
		if status != want || want == exitDone && !slices.Contains(args, "--json") && !strings.Contains(out, "9 devices") {
			t.Errorf("%q: status %d, want %d\n%s%s", args, status, want, out, errs)
		}
		return out, errs
	}
	_, errs := ask(exitUsage, "--agent", at.String())
	if !strings.Contains(errs, "no credential to enter with") {
		t.Error(errs)
	}
	if out, errs, status := u.run(datasetOf(lab), "login", "thread", "--file", "-"); status != exitDone {
		t.Fatal(out, errs)
	}
	ask(exitDone, "--agent", at.String())
	ask(exitDone, "--agent", at.String()+"/dead00beef00cafe")
	ask(exitDone, "--agent", "thread://"+at.String()+"/ThreadMapLab")
	ask(exitUsage, "--agent", at.String()+"/Elsewhere")
	ask(exitUsage, "--agent", "http://127.0.0.1:80/x")

	u.run("00112233445566778899aabbccddeeff", "login", "thread", "--network", "00000000000000f1", "--name", "Elsewhere", "--file", "-")
	_, errs = ask(exitUsage, "--agent", at.String())
	if !strings.Contains(errs, at.String()+"/00000000000000f1 or "+at.String()+"/dead00beef00cafe") {
		t.Error(errs)
	}
	out, _ := ask(exitDone, "--json", "--agent", at.String()+"/ThreadMapLab")
	if !strings.Contains(out, `"via":"00000000000000f1","state":"skipped"`) {
		t.Error("the other network is not said to be left out")
	}
	u.run("", "login", "remove", "Elsewhere")

	// The address is kept with the credential, and goes with it.
	mdns := announceHome(t, lab, at.Port(), nil)
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, address := range []string{at.String(), gone.LocalAddr().String()} {
		if out, errs, status := u.run(datasetOf(lab), "login", "thread", "--file", "-", "--agent", address, "--json"); status != exitDone || !strings.Contains(out, `"url":"thread://`+address+`/dead00beef00cafe"`) {
			t.Fatal(out, errs)
		}
		if out, _, _ := u.run("", "login", "list"); strings.Count(out, "thread://") != 1 || strings.Count(out, "\n") != 2 {
			t.Errorf("logins: %s", out)
		}
		before := a.Stats().Sessions
		if out, errs, status := u.run("", "scan", "--ask", mdns); status != exitDone || !strings.Contains(out, "channel 15, 1 partition, 9 devices") || a.Stats().Sessions != before+1 {
			t.Errorf("%s: status %d, %d sessions\n%s%s", address, status, a.Stats().Sessions-before, out, errs)
		}
	}
	if out, errs, status := u.run("", "login", "remove", "ThreadMapLab"); status != exitDone {
		t.Error(out, errs)
	}
	if out, _, _ := u.run("", "login", "list"); out != "" {
		t.Errorf("still there: %s", out)
	}
}

// TestAgentByName: of the border agents that are announced the named one is
// entered, and no other.
func TestAgentByName(t *testing.T) {
	t.Parallel()
	lab := mesh.Lab(0)
	a, at := serveAgent(t, lab, borderagent.Options{Settle: -1})
	mdns := announceHome(t, lab, at.Port(), nil)
	u := newUser(t)
	u.run(datasetOf(lab), "login", "thread", "--file", "-")
	name := lab.Nodes[slices.IndexFunc(lab.Nodes, func(n mesh.Node) bool { return n.BorderRouter })].Name
	if out, errs, status := u.run("", "scan", "--ask", mdns, "--agent", strings.ToUpper(name)); status != exitDone || !strings.Contains(out, "9 devices") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	before := a.Stats().Sessions
	if out, errs, status := u.run("", "scan", "--ask", mdns, "--agent", "cellar"); status != exitPartial || !strings.Contains(out, `none is announced that "cellar" fits`) {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if n := a.Stats().Sessions; n < 1 || before != 1 {
		t.Errorf("%d sessions, %d before", n, before)
	}
}

// TestAskSleepy: sleeping devices are asked only when that is wanted.
func TestAskSleepy(t *testing.T) {
	t.Parallel()
	lab := mesh.Lab(0)
	var sleepy []diag.ExtAddr
	for i := range lab.Nodes {
		if lab.Nodes[i].Sleepy() {
			sleepy = append(sleepy, lab.Nodes[i].ExtAddr)
		}
	}
	for _, wanted := range []bool{false, true} {
		var mu sync.Mutex // the mesh speaks on after the scan
		spoke := map[diag.ExtAddr]bool{}
		_, at := serveAgent(t, lab, borderagent.Options{Settle: -1, SleepyDelay: 20 * time.Millisecond, Lose: func(d borderagent.Datagram) bool {
			mu.Lock()
			defer mu.Unlock()
			if d.Up {
				spoke[d.Node] = true
			}
			return false
		}})
		u := newUser(t)
		u.run(datasetOf(lab), "login", "thread", "--file", "-")
		args := []string{"scan", "--source", "thread", "--agent", at.String()}
		if wanted {
			args = append(args, "--ask-sleepy")
		}
		if out, errs, status := u.run("", args...); status != exitDone {
			t.Errorf("status %d\n%s%s", status, out, errs)
		}
		mu.Lock()
		for _, x := range sleepy {
			if spoke[x] != wanted {
				t.Errorf("--ask-sleepy %v: sleeping %s answered: %v", wanted, x, spoke[x])
			}
		}
		mu.Unlock()
	}
	if len(sleepy) == 0 {
		t.Error("nobody sleeps in the lab")
	}
}

// TestWaitingIsSaid: that another commissioner has the role is said while it is
// waited for, by its name without what a terminal would act on, once; and as the
// problem when it never becomes free.
func TestWaitingIsSaid(t *testing.T) {
	for _, freed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			lab := mesh.Lab(0)
			border := lab.Nodes[slices.IndexFunc(lab.Nodes, func(n mesh.Node) bool { return n.BorderRouter && n.IsRouter() })].ExtAddr
			agent, err := borderagent.New(lab.View(), border, borderagent.Options{SecondCommissioner: "Anna's phone\x1b[31m\u202e"})
			if err != nil {
				t.Fatal(err)
			}
			n, at := &simnet.Net{}, netip.MustParseAddrPort("[2001:db8::1]:49154")
			pc, err := n.ListenPacket(at)
			if err != nil {
				t.Fatal(err)
			}
			over := make(chan error, 1)
			go func() { over <- agent.Serve(pc) }()
			defer func() { agent.Close(); <-over }()

			var stderr lockedBuffer
			a := &app{err: &stderr, getenv: func(string) string { return "" }}
			e, err := keysOf(t, &mesh.Home{Networks: []*mesh.Mesh{lab}}).endpoint(at.String(), "")
			if err != nil {
				t.Fatal(err)
			}
			source := tmf.Source{Credentials: keysOf(t, &mesh.Home{Networks: []*mesh.Mesh{lab}}).find, Note: a.notes.tell, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				return n.Dial(netip.MustParseAddrPort("[2001:db8::2]:0"), netip.MustParseAddrPort(address))
			}}
			early := make(chan string, 1)
			time.AfterFunc(15*time.Second, func() {
				early <- stderr.String()
				if freed {
					agent.Release()
				}
			})
			scan, _ := a.collect(t.Context(), job{plan: planned([]diag.Source{source}, []diag.Endpoint{e}), limit: scanLimit})
			said := <-early
			want := `[2001:db8::1]:49154: another commissioner, "Anna's phone`
			if !strings.HasPrefix(said, want) || !strings.Contains(said, "waiting up to 52 s for it") || strings.ContainsAny(said, "\x1b\u202e") {
				t.Errorf("after 15 s it had said %q", said)
			}
			if got := stderr.String(); got != said || strings.Count(got, "\n") != 1 {
				t.Errorf("in the end it had said %q", got)
			}
			if freed {
				if !scan.Complete || len(scan.Problems) != 0 {
					t.Errorf("%v", scan.Problems)
				}
				return
			}
			if len(scan.Problems) != 1 || !strings.Contains(scan.Problems[0].Text, `"Anna's phone`) || scan.Problems[0].Hint == "" {
				t.Fatalf("%v", scan.Problems)
			}
			a.tellProblems(scan.Problems)
			if got := strings.TrimPrefix(stderr.String(), said); strings.ContainsAny(got, "\x1b\u202e") || !strings.Contains(got, "Anna's phone") || !a.partial {
				t.Errorf("the problem is told as %q", got)
			}
		})
	}
}

// TestNoticesEnd: who speaks after the end is not heard.
func TestNoticesEnd(t *testing.T) {
	var b bytes.Buffer
	var n notices
	n.tell("a", "early")
	n.begin(&b, nil)
	for i := range 2 * maxNotices {
		n.tell("a", fmt.Sprint("text ", i/2))
	}
	n.end()
	n.tell("a", "late")
	if got := strings.Count(b.String(), "\n"); got != maxNotices || strings.Contains(b.String(), "early") || strings.Contains(b.String(), "late") {
		t.Errorf("%d lines: %s", got, b.String())
	}
}

// TestParseAgent tells addresses from names.
func TestParseAgent(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:49154": "192.0.2.1:49154 ", "[fd00::1]:49154": "[fd00::1]:49154 ", "br.local:1/MyHome": "br.local:1 MyHome", "thread://br.local:1/dead00beef00cafe": "br.local:1 dead00beef00cafe",
		"[fe80::1%eth0]:5": "[fe80::1%eth0]:5 ", "Living Room": " ", "Bedroom: lamp": " ", "a/b": " ", "MyHome": " ", "dead00beef00cafe": " ", "fd00::1x": " ",
		"": "!", "  ": "!", "[fd00::1]": "!", "[::1]:0": "!", "br:99999": "!", "thread://x": "!", "http://br.local:1": "!", "a\x1b": "!", strings.Repeat("x", 600): "!",
	} {
		address, network, err := parseAgent(in)
		got := address + " " + network
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%.40q: got %q, %v; want %q", in, got, err, want)
		}
	}
}
