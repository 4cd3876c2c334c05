package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/matter"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	matterSession "threadmap/diag/matter/session"
	"threadmap/diag/matter/setup"
	"threadmap/simulators/matternode"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
)

// matterHome is a home whose devices wait to be paired, or are in the home of
// somebody else.
type matterHome struct {
	t     *testing.T
	mdns  string
	view  *mesh.View
	nodes []*matternode.Node

	mu        sync.Mutex
	responder *sim.Responder
	away      bool // nothing is announced
}

// home of other: its fabric, on which devices are already.
var otherHome = sync.OnceValue(func() *fabric.Authority {
	a, err := fabric.New(fabric.Config{})
	if err != nil {
		panic(err)
	}
	return a
})

func newMatterHome(t *testing.T) *matterHome {
	t.Helper()
	h := &matterHome{t: t, view: mesh.Lab(0).View()}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.mdns, h.responder = conn.LocalAddr().String(), sim.New(conn, netip.AddrPort{}, nil, sim.Behaviour{})
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); h.responder.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-over })
	return h
}

// announce says what is so now.
func (h *matterHome) announce() {
	var all []sim.Service
	h.mu.Lock()
	defer h.mu.Unlock()
	nodes := h.nodes
	if h.away {
		nodes = nil
	}
	for _, n := range nodes {
		at := n.Addr()
		all = append(all, n.Services(matternode.Place{Port: at.Port(), Addrs: []netip.Addr{at.Addr()}})...)
	}
	h.responder.Set(all)
}

// goAway takes all announcements back, or says them again.
func (h *matterHome) goAway(away bool) {
	h.mu.Lock()
	h.away = away
	h.mu.Unlock()
	h.announce()
}

// add puts a node of the mesh into the home, on fabrics of others.
func (h *matterHome) add(i int, o matternode.Options) *matternode.Node {
	h.t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	o.Changed = h.announce
	n, err := matternode.New(pc, matternode.FromMesh(h.view, i), o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { n.Close() })
	h.mu.Lock()
	h.nodes = append(h.nodes, n)
	h.mu.Unlock()
	h.announce()
	return n
}

// owned is a node that somebody has paired already.
func owned(t *testing.T, o matternode.Options) matternode.Options {
	t.Helper()
	a := otherHome()
	m, err := a.NewNode(a.NewNodeID())
	if err != nil {
		t.Fatal(err)
	}
	o.Fabrics = []matternode.Fabric{{Member: m, Admins: []uint64{a.Member().NodeID}, VendorID: 0xFFF1, Label: "Home"}}
	return o
}

// window opens a pairing window, and gives the code that an app shows.
func window(t *testing.T, n *matternode.Node) string {
	t.Helper()
	p, err := n.OpenWindow(3 * time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return manualCode(t, p)
}

func manualCode(t *testing.T, p setup.Payload) string {
	t.Helper()
	s, err := p.ManualCode()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPair: a device is paired with the code of its window, asked in a scan with a
// session that is resumed, listed, and taken off again.
func TestPair(t *testing.T) {
	t.Parallel()
	h, u := newMatterHome(t), newUser(t)
	n := h.add(1, owned(t, matternode.Options{}))
	if out, errs, status := u.run("", "scan", "--source", "matter", "--ask", h.mdns, "--json"); status == exitDone && strings.Contains(out, `"name":"matter"`) {
		t.Errorf("a device of others is asked: %s%s", out, errs)
	}
	code := window(t, n)
	out, errs, status := u.run("", "pair", code[:4]+"-"+code[4:7]+"-"+code[7:], "--ask", h.mdns, "--name", "My device")
	if status != exitDone || !strings.HasPrefix(out, "My device: it is on threadmap's fabric now") {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	if f := n.Fabrics(); len(f) != 2 || f[1].Label != fabricLabel || len(f[1].Admins) != 1 {
		t.Errorf("fabrics %+v", f)
	}
	out, _, status = u.run("", "login", "list", "--json")
	var list loginsDoc
	if err := json.Unmarshal([]byte(out), &list); err != nil || status != exitDone || len(list.Logins) != 1 {
		t.Fatalf("status %d, %v: %s", status, err, out)
	}
	l := list.Logins[0]
	if l.Source != "matter" || *l.Name != "My device" || l.Network != nil || *l.Node != fmt.Sprintf("%016x", n.Fabrics()[1].Member.NodeID) || len(*l.Fabric) != 16 || l.Pending {
		t.Errorf("%s", out)
	}
	if out, _, _ := u.run("", "login", "list"); !strings.Contains(out, "matter://"+strings.ToUpper(*l.Fabric)+"-") || !strings.Contains(out, "My device") {
		t.Errorf("%s", out)
	}
	before := n.Stats()
	out, errs, status = u.run("", "scan", "--source", "matter", "--ask", h.mdns, "--json")
	if status != exitDone || !strings.Contains(out, `"name":"matter"`) || !strings.Contains(out, "My device") || !strings.Contains(out, h.view.Node(1).ExtAddr.String()) {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if s := n.Stats(); s.Handshakes != before.Handshakes+1 || s.Resumptions != before.Resumptions+1 {
		t.Errorf("a scan after pairing: %+v, before %+v", s, before)
	}
	u.run("", "scan", "--source", "matter", "--ask", h.mdns)
	if s := n.Stats(); s.Resumptions != before.Resumptions+2 {
		t.Errorf("a second scan: %+v", s)
	}
	if out, _, status := u.run("", "scan", "--quick", "--ask", h.mdns, "--json"); status != exitDone || !strings.Contains(out, `"left out by --quick"`) {
		t.Errorf("status %d: %s", status, out)
	}

	// The same device again keeps its place and its name.
	out, errs, status = u.run(window(t, n), "login", "matter", "--file", "-", "--ask", h.mdns, "--json")
	if status != exitDone || json.Unmarshal([]byte(out), &list) != nil || len(list.Logins) != 1 || *list.Logins[0].Node != *l.Node || *list.Logins[0].Name != "My device" {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if f := n.Fabrics(); len(f) != 2 {
		t.Errorf("%d fabrics", len(f))
	}
	n.CloseWindow()

	// One that can't be asked is kept, unless the user says so.
	n.GoSilent(true)
	h.goAway(true)
	out, errs, status = u.run("", "login", "remove", "My device", "--ask", h.mdns)
	if status != exitFailed || out != "" || !strings.Contains(errs, "--forget") || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	n.GoSilent(false)
	h.goAway(false)
	out, errs, status = u.run("", "login", "remove", "My device", "--ask", h.mdns)
	if left := fabricsLeft(n, 1); status != exitDone || out != "My device is forgotten.\n" || left != 1 {
		t.Errorf("status %d: %s%s; %d fabrics", status, out, errs, left)
	}
	if out, _, _ := u.run("", "login", "list"); out != "" {
		t.Errorf("%s", out)
	}
	out, errs, status = u.run("", "login", "remove", "matter", "--ask", h.mdns)
	if status != exitDone || !strings.Contains(out, "fabric is forgotten") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	for _, f := range []string{"matter-fabric.json", "matter-nodes.json", "matter-sessions.json"} {
		if _, err := os.Stat(filepath.Join(u.dir, f)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", f, err)
		}
	}
}

// TestPairFinds: which device is meant is never guessed, and what is in the way is
// said in one line.
func TestPairFinds(t *testing.T) {
	t.Parallel()
	h, u := newMatterHome(t), newUser(t)
	same := func(passcode uint32) matternode.Options {
		p, err := setup.NewPasscode(passcode)
		if err != nil {
			t.Fatal(err)
		}
		return matternode.Options{Setup: setup.Payload{Passcode: p, Discriminator: setup.Discriminator{Value: 3840}}}
	}
	one, two := h.add(1, same(20202021)), h.add(2, same(20202022))
	fails := func(want string, args ...string) {
		t.Helper()
		out, errs, status := u.run("", append(args, "--ask", h.mdns)...)
		if status != exitFailed || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) || strings.Contains(errs, "2020202") {
			t.Errorf("%q: status %d: %s%s; want %q", args, status, out, errs, want)
		}
	}
	code := manualCode(t, one.Setup())
	fails("2 devices wait for such a code", "pair", code)
	fails("has another passcode", "pair", code, "--device", fmt.Sprint(two.Addr()))
	if out, _, _ := u.run("", "login", "list"); out != "" || len(one.Fabrics())+len(two.Fabrics()) != 0 {
		t.Errorf("something is paired: %s", out)
	}
	qr, err := setup.QRCode(one.Setup())
	if err != nil {
		t.Fatal(err)
	}
	out, errs, status := u.run("", "pair", qr, "--device", fmt.Sprint(one.Addr()), "--ask", h.mdns)
	if status != exitDone || len(one.Fabrics()) != 1 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	// Now only the other one waits.
	out, errs, status = u.run("", "pair", manualCode(t, two.Setup()), "--ask", h.mdns)
	if status != exitDone || len(two.Fabrics()) != 1 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	out, errs, status = u.run("", "scan", "--ask", h.mdns, "--source", "matter", "--json")
	if status != exitDone || strings.Count(out, `{"name":"matter"`) != 2 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	out, errs, status = u.run("", "login", "remove", "matter", "--ask", h.mdns, "--json")
	if status != exitDone || fabricsLeft(one, 0)+fabricsLeft(two, 0) != 0 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

// TestPairedAndGone: a device that was reset is told from one that is away.
func TestPairedAndGone(t *testing.T) {
	t.Parallel()
	h, u := newMatterHome(t), newUser(t)
	n := h.add(1, owned(t, matternode.Options{}))
	if out, errs, status := u.run("", "pair", window(t, n), "--ask", h.mdns); status != exitDone {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	h.goAway(true)
	out, errs, status := u.run("", "scan", "--ask", h.mdns, "--source", "matter")
	if status != exitPartial || !strings.Contains(out, "not announced") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	out, errs, status = u.run("", "login", "remove", "matter", "--forget", "--ask", h.mdns)
	if status != exitDone || !strings.Contains(errs, "keeps an entry") || len(n.Fabrics()) != 2 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

// TestFabricDamaged: the keys are never replaced by others.
func TestFabricDamaged(t *testing.T) {
	t.Parallel()
	h, u := newMatterHome(t), newUser(t)
	n := h.add(1, owned(t, matternode.Options{}))
	code := window(t, n)
	file := filepath.Join(u.dir, "matter-fabric.json")
	damaged := []byte(`{"format":"threadmap-fabric","version":1,"root_key":"c0ffee`)
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"pair", code, "--ask", h.mdns}, {"login", "list"}} {
		out, errs, status := u.run("", args...)
		if status != exitFailed || !strings.Contains(errs, "matter-fabric.json is damaged") || strings.Contains(out+errs, "c0ffee") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: status %d: %s%s", args, status, out, errs)
		}
	}
	if out, errs, status := u.run("", "scan", "--ask", h.mdns); status != exitPartial || !strings.Contains(errs, "damaged") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, damaged) {
		t.Errorf("the file is %q, %v", b, err)
	}
	if out, errs, status := u.run("", "login", "remove", "matter", "--forget", "--ask", h.mdns); status != exitDone {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if out, errs, status := u.run("", "pair", code, "--ask", h.mdns); status != exitDone {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

// TestPairStopped: Ctrl-C in the middle leaves nothing behind, here and there.
func TestPairStopped(t *testing.T) {
	t.Parallel()
	h, u := newMatterHome(t), newUser(t)
	n := h.add(1, owned(t, matternode.Options{Quirks: matternode.Quirks{Delay: 100 * time.Millisecond}}))
	code := window(t, n)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for n.Stats().Invokes < 3 && ctx.Err() == nil {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
			}
		}
		cancel()
	}()
	out, errs, status := u.runUntil(ctx, "", "pair", code, "--ask", h.mdns)
	if status != exitInterrupted || !strings.Contains(errs, "stopped") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if out, _, _ := u.run("", "login", "list"); out != "" || len(n.Fabrics()) != 1 {
		t.Errorf("%s; %d fabrics", out, len(n.Fabrics()))
	}
	n.CloseWindow()
	if out, errs, status := u.run("", "pair", code, "--timeout", "2", "--ask", h.mdns); status != exitFailed || !strings.Contains(errs, "no device is announced") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if out, errs, status := u.run("", "pair", window(t, n), "--ask", h.mdns); status != exitDone || len(n.Fabrics()) != 2 {
		t.Errorf("once more: status %d: %s%s", status, out, errs)
	}
}

// TestMatterKeysAreNowhere: the fabric's keys, the sessions' secrets and the codes
// are on no stream and in no file but their own.
func TestMatterKeysAreNowhere(t *testing.T) {
	t.Parallel()
	h, u := newMatterHome(t), newUser(t)
	n := h.add(1, owned(t, matternode.Options{}))
	work := t.TempDir()
	var seen []canary
	add := func(name string, b []byte) { seen = append(seen, newCanary(name, b, false)) }
	var said bytes.Buffer
	do := func(want int, stdin string, args ...string) {
		t.Helper()
		out, errs, status := u.run(stdin, args...)
		if status != want {
			t.Errorf("%q: status %d, want %d: %s%s", args[:2], status, want, out, errs)
		}
		said.WriteString(out + errs)
	}
	code := func() string {
		p, err := n.OpenWindow(3 * time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		c := manualCode(t, p)
		add("code", []byte(c))
		add("passcode", fmt.Appendf(nil, "%08d", p.Passcode.Number()))
		return c
	}
	c := code()
	wrong := c[:10] + string('0'+(c[10]-'0'+1)%10)
	add("mistyped code", []byte(wrong))
	do(exitUsage, "", "pair", wrong)
	do(exitUsage, "", "pair", c, "--file", c)
	do(exitUsage, "", "pair", "--file", c)
	do(exitUsage, "", "pair", "--timeout", c)
	do(exitUsage, "", "login", "matter", c, "--interface", "lo", "--nosuch", c)
	do(exitFailed, "", "login", "remove", c)
	do(exitFailed, wrong, "login", "matter", "--file", "-", "--ask", h.mdns)
	do(exitDone, c, "login", "matter", "--file", "-", "--ask", h.mdns, "--json")
	n.CloseWindow()
	u.env[matterEnv] = code()
	do(exitDone, "", "pair", "--ask", h.mdns)
	u.env[matterEnv] = ""
	do(exitDone, "", "scan", "--ask", h.mdns, "-o", filepath.Join(work, "m.json"), "-o", filepath.Join(work, "m.cbor"), "-o", filepath.Join(work, "m.svg"))
	do(exitDone, "", "render", "--json")
	do(exitDone, "", "login", "list", "--json")

	store := &state.Store{Config: u.dir, Cache: u.dir}
	var file map[string]any
	b, err := os.ReadFile(store.FabricFile())
	if err != nil || json.Unmarshal(b, &file) != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, k := range []string{"root_key", "node_key", "ipk_epoch_key"} {
		raw := unhexed(t, file[k].(string))
		add(k, raw)
		keys++
	}
	a, err := store.Fabric()
	if err != nil {
		t.Fatal(err)
	}
	add("operational IPK", a.Member().IPK.Bytes())
	records := store.Sessions(a.Member().CompressedID())
	if len(records) != 1 || keys != 3 {
		t.Fatalf("%d records, %d keys", len(records), keys)
	}
	for _, r := range records {
		add("session", r.Bytes()[30:62]) // of the shared secret
	}
	may := map[string]bool{store.FabricFile(): true, store.SessionsFile(): true}
	for _, c := range seen {
		if c.in(said.Bytes()) {
			t.Errorf("the %s is told: %s", c.name, said.String())
		}
		found := false
		for _, dir := range []string{u.dir, work} {
			err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return err
				}
				b, err := os.ReadFile(p)
				if c.in(b) {
					found = true
					if !may[p] || strings.Contains(c.name, "code") {
						t.Errorf("the %s is in %s", c.name, p)
					}
				}
				if fi, err := d.Info(); err != nil || dir == u.dir && fi.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s has permissions %v, %v", p, fi.Mode(), err)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !found && !strings.Contains(c.name, "code") && c.name != "operational IPK" {
			t.Errorf("the %s is not where it should be, so this test sees nothing", c.name)
		}
	}
}

func unhexed(t *testing.T, s string) []byte {
	t.Helper()
	var b []byte
	if _, err := fmt.Sscanf(s, "%x", &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPendingIsSettled: of a device whose pairing was cut short the next scan learns
// whether it is on the fabric.
func TestPendingIsSettled(t *testing.T) {
	t.Parallel()
	store := &state.Store{Config: t.TempDir(), Cache: t.TempDir()}
	a, err := store.MakeFabric(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := a.Member().CompressedID()
	for n := uint64(1); n <= 4; n++ {
		if _, err := store.AddNode(t.Context(), id, state.MatterNode{Node: n, Pending: n != 4}); err != nil {
			t.Fatal(err)
		}
	}
	own, err := openFabric(store)
	if err != nil {
		t.Fatal(err)
	}
	gone := &matterSession.Error{Err: message.StatusReport{General: message.Failure, Code: message.CodeNoSharedTrustRoots}}
	own.done(matter.Record{Node: 1, Stage: diag.StageAsk})
	own.done(matter.Record{Node: 2, Stage: diag.StageHandshake, Err: gone})
	own.done(matter.Record{Node: 3, Stage: diag.StageConnect, Err: context.DeadlineExceeded})
	own.done(matter.Record{Node: 4, Stage: diag.StageHandshake, Err: gone}) // it was known to be there: for the user to judge
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as after Ctrl-C
	if err := own.keep(ctx, store); err != nil {
		t.Fatal(err)
	}
	nodes, err := store.Nodes(id)
	got := map[uint64]bool{}
	for _, n := range nodes {
		got[n.Node] = n.Pending
	}
	if want := map[uint64]bool{1: false, 3: true, 4: false}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// fabricsLeft waits until the device has so many fabrics: it leaves one after it
// has answered that it will.
func fabricsLeft(n *matternode.Node, want int) int {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); len(n.Fabrics()) != want && time.Now().Before(end); {
		<-tick.C
	}
	return len(n.Fabrics())
}
