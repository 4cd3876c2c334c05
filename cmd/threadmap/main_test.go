package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"threadmap/diag"
	"threadmap/diag/snapshot"
	"threadmap/discovery/mdns"
	"threadmap/render/schema/schematest"
	simmdns "threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
)

// The test binary is the program too: scripts run it as "threadmap".
func TestMain(m *testing.M) {
	testBrowse = onlyLoopback
	flag.Set("test.parallel", "8") // scripts wait more than they work; the command line goes first
	testscript.Main(m, map[string]func(){"threadmap": main})
}

// inNamespace is set where all interfaces may be browsed: a script made them.
const inNamespace = "THREADMAP_TEST_NAMESPACE"

// onlyLoopback keeps tests from sending multicast on the machine's own
// interfaces.
func onlyLoopback(c mdns.Config) error {
	if os.Getenv(inNamespace) != "" {
		return nil
	}
	for _, a := range c.Ask {
		if !a.Addr().IsLoopback() {
			return fmt.Errorf("a test would ask %s", a)
		}
	}
	if len(c.Ask) == 0 && len(c.Interfaces) == 0 || slices.ContainsFunc(c.Interfaces, func(s string) bool { return !strings.HasPrefix(s, "lo") && !strings.HasPrefix(s, "nosuch") }) {
		return errors.New("a test would browse the interfaces of this machine")
	}
	return nil
}

// scriptTime is when the scans of scripts were made.
var scriptTime = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			for k, v := range map[string]string{
				"HOME": home, "USERPROFILE": home, "AppData": home, "LocalAppData": home,
				"XDG_CONFIG_HOME": filepath.Join(home, "config"), "XDG_CACHE_HOME": filepath.Join(home, "cache"),
				"TZ": "UTC", "ESC": "\x1b", inNamespace: "",
			} {
				e.Setenv(k, v)
			}
			return os.MkdirAll(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"absent":   cmdAbsent,
			"asked":    cmdAsked,
			"code":     cmdCode,
			"exits":    cmdExits,
			"halfway":  cmdHalfway,
			"hang":     cmdHang,
			"oneline":  cmdOneLine,
			"private":  cmdPrivate,
			"refused":  cmdRefused,
			"schema":   cmdSchema,
			"snapshot": cmdSnapshot,
			"watch":    cmdWatch,
			"hole":     cmdHole,
			"hostile":  cmdHostile,
			"harmless": cmdHarmless,
			"services": cmdServices,
			"world":    cmdWorld,
			"nosecret": cmdNoSecret,
			"token":    cmdToken,
			"ha":       cmdHA,
			"dataset":  cmdDataset,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// want parses the arguments of a command that takes n of them.
func want(ts *testscript.TestScript, neg bool, args []string, n int, form string) {
	if neg || len(args) != n {
		ts.Fatalf("usage: %s", form)
	}
}

// cmdExits runs a program and checks its exit status.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if ee := (*exec.ExitError)(nil); errors.As(err, &ee) {
		got = ee.ExitCode()
	} else {
		ts.Check(err)
	}
	if want, err := strconv.Atoi(args[0]); err != nil || got != want {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// cmdWatch remembers the one program in the background, for code.
func cmdWatch(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, "watch")
	cmds := ts.BackgroundCmds()
	if len(cmds) != 1 {
		ts.Fatalf("%d programs in the background", len(cmds))
	}
	values(ts).background = cmds[0]
}

// cmdCode checks the exit status of the watched program after wait.
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "code STATUS")
	if got := values(ts).background.ProcessState.ExitCode(); strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// cmdOneLine checks that standard error is exactly one line of the program's,
// without the words of its language.
func cmdOneLine(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, "oneline")
	s := ts.ReadFile("stderr")
	if strings.Count(s, "\n") != 1 || !strings.HasPrefix(s, "threadmap: ") {
		ts.Fatalf("standard error is not one line: %q", s)
	}
	for _, word := range []string{"%!", "context ", "goroutine", "strconv", "dial tcp", "<nil>", "EOF"} {
		if strings.Contains(s, word) {
			ts.Fatalf("standard error says %q: %q", word, s)
		}
	}
}

type scriptValues struct {
	background *exec.Cmd
	asked      chan struct{}
	home       world.HomeAssistant
}

var (
	valuesLock sync.Mutex
	allValues  = map[*testscript.TestScript]*scriptValues{}
)

func values(ts *testscript.TestScript) *scriptValues {
	valuesLock.Lock()
	defer valuesLock.Unlock()
	if allValues[ts] == nil {
		allValues[ts] = &scriptValues{asked: make(chan struct{}, 1000)}
	}
	return allValues[ts]
}

// cmdWorld starts a simulated home: $OTBR1 … are its border routers, $MDNS
// answers for what it announces. It announces addresses of a LAN, unless its
// border agents are to be reachable. $PSKC1 … are the PSKc of its networks. $HA is
// its Home Assistant, where it has one, with $HA_TOKEN of an administrator and
// $HA_GUEST of another user; $MATTER_SERVER is the Matter server's own port.
func cmdWorld(ts *testscript.TestScript, neg bool, args []string) {
	o := world.Options{}
	o.MDNS.Address = simmdns.LANAddresses
	knobs := map[string]func(){
		"reachable":     func() { o.MDNS.Address = nil },
		"homeassistant": func() { o.HomeAssistant = &world.HomeOptions{} },
		"openport":      func() { o.HomeAssistant.OpenPort = true },
	}
	for len(args) > 1 && knobs[args[1]] != nil {
		knobs[args[1]]()
		args = slices.Delete(args, 1, 2)
	}
	want(ts, neg, args, 1, "world lab|home [reachable] [homeassistant [openport]]")
	model := home(ts, args[0])
	w, err := world.Start(model, o)
	ts.Check(err)
	for i, m := range model.Networks {
		ts.Setenv("PSKC"+strconv.Itoa(i+1), hex.EncodeToString(m.PSKc[:]))
	}
	ts.Defer(func() { ts.Check(w.Close()) })
	for i, u := range w.OTBRs() {
		ts.Setenv("OTBR"+strconv.Itoa(i+1), u)
	}
	ts.Setenv("MDNS", w.MDNS().String())
	if ha, ok := w.HomeAssistant(); ok {
		values(ts).home = ha
		ts.Setenv("HA", ha.URL)
		ts.Setenv("HA_TOKEN", world.AdminToken)
		ts.Setenv("HA_GUEST", world.GuestToken)
		ts.Setenv("MATTER_SERVER", ha.MatterServer)
	}
}

func home(ts *testscript.TestScript, name string) *mesh.Home {
	switch name {
	case "lab":
		return &mesh.Home{Name: "Lab", Networks: []*mesh.Mesh{mesh.Lab(0)}}
	case "home":
		return mesh.HomeOf50(demoSeed)
	}
	ts.Fatalf("no home is called %q", name)
	return nil
}

// cmdSnapshot writes the snapshot of a perfect scan.
func cmdSnapshot(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "snapshot lab|home FILE")
	s := &diag.Scan{From: scriptTime.Add(-2 * time.Second), To: scriptTime, Complete: true,
		Sources: []diag.SourceState{{Name: "simulated", State: diag.StateAnswered}},
		Reports: home(ts, args[0]).Reports(mesh.ReportOptions{At: scriptTime, Names: true})}
	var b bytes.Buffer
	ts.Check(snapshot.Write(&b, s))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
}

// cmdRefused sets a variable to a URL at which nobody listens.
func cmdRefused(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "refused VARIABLE")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], "http://"+l.Addr().String())
	ts.Check(l.Close())
}

// cmdHang sets a variable to the URL of a server that takes questions and
// never answers; asked waits for the first.
func cmdHang(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "hang VARIABLE")
	url, end := hangingServer(nil, values(ts).asked)
	ts.Defer(end)
	ts.Setenv(args[0], url)
}

// cmdHalfway sets a variable to the URL of a border router that says who it is
// and then nothing; asked waits for the first question that it leaves open.
func cmdHalfway(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "halfway VARIABLE")
	url, end := hangingServer(map[string]string{"/node": halfwayNode}, values(ts).asked)
	ts.Defer(end)
	ts.Setenv(args[0], url)
}

// halfwayNode is GET /node, captured from OpenThread border router of 2026-08.
const halfwayNode = `{"baId": "ad08de9eef6e693440c458db9ca3b007", "baState": "", "state": "router", "routerCount": 6,
"rlocAddress": "fd00:db8:a0::ff:fe00:6800", "extAddress": "0e01010101010101", "networkName": "ThreadMapLab", "rloc16": "0x6800", "routerId": 26,
"leaderData": {"partitionId": 97983411, "weighting": 65, "dataVersion": 230, "stableDataVersion": 81, "leaderRouterId": 23}, "extPanId": "dead00beef00cafe"}`

// hangingServer gives the answers that it has and leaves the other questions
// open; of each it tells asked.
func hangingServer(answers map[string]string, asked chan<- struct{}) (url string, end func()) {
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := answers[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, a)
			return
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}))
	return s.URL, func() { close(over); s.Close() }
}

func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, "asked")
	select {
	case <-values(ts).asked:
	case <-time.After(20 * time.Second):
		ts.Fatalf("nobody asked")
	}
}

// cmdSchema checks a document against the schema of a map, or of another format.
func cmdSchema(ts *testscript.TestScript, neg bool, args []string) {
	format := "threadmap-map"
	if len(args) == 2 {
		format, args = args[1], args[:1]
	}
	want(ts, neg, args, 1, "schema FILE [FORMAT]")
	f := &failer{TB: nil}
	doc := ts.ReadFile(args[0])
	if !strings.HasPrefix(doc, `{"format":"`+format+`",`) {
		ts.Fatalf("no %s document: %.60s", format, doc)
	}
	schematest.Document(f, []byte(doc))
	if f.said != "" {
		ts.Fatalf("%s", f.said)
	}
}

// A failer hands the verdict of a test helper to a script.
type failer struct {
	testing.TB
	said string
}

func (*failer) Helper()                          {}
func (f *failer) Errorf(format string, a ...any) { f.said = fmt.Sprintf(format, a...) }
func (f *failer) Fatalf(format string, a ...any) { f.said = fmt.Sprintf(format, a...) }
func (f *failer) Fatal(a ...any)                 { f.said = fmt.Sprint(a...) }

// cmdPrivate checks that nobody else can read what is under a folder.
func cmdPrivate(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "private PATH")
	if runtime.GOOS == "windows" {
		return
	}
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err == nil && fi.Mode().Perm()&0o077 != 0 {
			err = fmt.Errorf("%s has permissions %v", p, fi.Mode().Perm())
		}
		return err
	}))
}

// cmdAbsent checks that the keys of the simulated networks are nowhere: not in
// what was printed, and in no file, but that the PSKc may be in credentials.json.
func cmdAbsent(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "absent lab|home")
	type needle struct {
		text []byte
		pskc bool
	}
	var needles []needle
	for _, m := range home(ts, args[0]).Networks {
		for i, key := range [][16]byte{m.NetworkKey, m.PSKc} {
			if key == [16]byte{} {
				ts.Fatalf("%s has no key to look for", m.Name)
			}
			for _, form := range []string{string(key[:]), hex.EncodeToString(key[:]), base64.StdEncoding.EncodeToString(key[:15]), fmt.Sprint(key)} {
				needles = append(needles, needle{bytes.ToLower([]byte(form)), i == 1})
			}
		}
	}
	check := func(where string, b []byte) {
		b = bytes.ToLower(b)
		for _, n := range needles {
			if bytes.Contains(b, n.text) && !(n.pskc && filepath.Base(where) == "credentials.json") {
				ts.Fatalf("a key is in %s", where)
			}
		}
	}
	check("standard output", []byte(ts.ReadFile("stdout")))
	check("standard error", []byte(ts.ReadFile("stderr")))
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(p)
		check(p, b)
		return err
	}))
	if files == 0 {
		ts.Fatalf("there are no files to look into")
	}
}

// runApp runs the program in this process.
func runApp(t *testing.T, in io.Reader, args ...string) (out, errs string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	dir := t.TempDir()
	status = run(context.Background(), args, in, &o, &e, func(k string) string {
		if k == "THREADMAP_STATE" {
			return dir
		}
		return ""
	})
	return o.String(), e.String(), status
}

// TestHelp: each command has a help that says what it is for, and the first
// one says what the exit statuses mean and where files are.
func TestHelp(t *testing.T) {
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: os.Getenv}
	for _, c := range a.root().Commands() {
		for _, c := range append(slices.Clone(c.Commands()), c) {
			if c.Short == "" {
				t.Errorf("%s has no short help", c.CommandPath())
			}
			if strings.HasPrefix(c.CommandPath(), "threadmap completion ") {
				continue
			}
			out, errs, status := runApp(t, nil, append([]string{"help"}, strings.Fields(c.CommandPath())[1:]...)...)
			if status != exitDone || errs != "" || !strings.Contains(out, "Usage:\n  "+c.CommandPath()) {
				t.Errorf("help of %s: status %d, %q, %q", c.CommandPath(), status, errs, out)
			}
		}
	}
	for _, args := range [][]string{{"help"}, {"--help"}, {}} {
		out, errs, status := runApp(t, nil, args...)
		if status != exitDone || errs != "" {
			t.Errorf("%q: status %d, %q", args, status, errs)
		}
		for _, want := range []string{"Exit status:", "130", "Files:", "logins.json", "scans", "$THREADMAP_STATE", "--json"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q does not say %q", args, want)
			}
		}
		for line := range strings.Lines(out) {
			if !strings.Contains(line, string(filepath.Separator)) && len([]rune(line)) > 101 {
				t.Errorf("line of %d columns: %s", len(line), line)
			}
		}
	}
}

// A brokenWriter is a full disk, or a reader that went away.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestOutputThatFails(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"login", "list", "--json"}} {
		var e bytes.Buffer
		status := run(context.Background(), args, nil, brokenWriter{}, &e, func(string) string { return t.TempDir() })
		if status != exitFailed || !strings.Contains(e.String(), "standard output: no space left") {
			t.Errorf("%q: status %d, %q", args, status, e.String())
		}
	}
}

func BenchmarkHelp(b *testing.B) {
	for b.Loop() {
		if status := run(context.Background(), []string{"--help"}, nil, io.Discard, io.Discard, os.Getenv); status != exitDone {
			b.Fatal(status)
		}
	}
}
