package graphviz

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The test binary is the foreign program, too: under its name it does what the
// graph on its standard input says.
func TestMain(m *testing.M) {
	if name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe"); name == own || name == "dot" {
		act()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func act() {
	raw, _ := io.ReadAll(os.Stdin)
	what, rest, _ := strings.Cut(string(raw), " ")
	switch what {
	case "draw":
		fmt.Print(frame + oneNode + "</svg>\n")
	case "tell": // its arguments, surroundings and folder
		fmt.Fprintln(os.Stderr, "error:", os.Args[1:], os.Environ(), "in", workingDir())
		os.Exit(1)
	case "litter":
		os.WriteFile(filepath.Join(os.TempDir(), "left"), []byte("x"), 0o600)
		os.WriteFile("left, too", []byte("x"), 0o600)
		fmt.Print(frame + oneNode + "</svg>\n")
	case "flood":
		for {
			if _, err := os.Stdout.WriteString(strings.Repeat("x", 1<<16)); err != nil {
				os.Exit(1)
			}
		}
	case "hang": // with a child that holds the output open, and both deaf to polite signals
		signal.Ignore(os.Interrupt)
		child := exec.Command(os.Args[0])
		child.Stdin, child.Stdout, child.Stderr = strings.NewReader("sit "+rest), os.Stdout, os.Stderr
		if err := child.Run(); err != nil {
			os.Exit(1)
		}
	case "sit": // until somebody ends it; the file shows that it began
		os.WriteFile(rest, fmt.Appendf(nil, "%d", os.Getpid()), 0o600)
		<-time.NewTimer(time.Minute).C
	case "eat":
		var all [][]byte
		for range 64 {
			b := make([]byte, 64<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
		}
		fmt.Print(len(all))
	case "fail":
		fmt.Fprint(os.Stderr, rest)
		os.Exit(1)
	case "lie":
		fmt.Print(rest)
	case "silent":
		os.Exit(3)
	}
}

func workingDir() string { d, _ := os.Getwd(); return d }

// as puts the test binary into a folder under a name.
func as(t *testing.T, dir, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	file := filepath.Join(dir, name)
	if err := os.Symlink(self, file); err != nil {
		b, err := os.ReadFile(self)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func job(dot string) Job {
	return Job{DOT: []byte(dot), Nodes: 1, Engine: "neato", Format: "svg", Getenv: os.Getenv}
}

func TestFind(t *testing.T) {
	beside, onPath, nowhere := t.TempDir(), t.TempDir(), t.TempDir()
	self := filepath.Join(beside, "threadmap")
	t.Setenv("PATH", nowhere)
	if _, err := Find(self, "svg"); err == nil || !strings.Contains(err.Error(), own) || !strings.Contains(err.Error(), "dot") || strings.Contains(err.Error(), "\n") {
		t.Errorf("neither is there: %v", err)
	}
	if _, err := Find(self, "png"); err == nil || !strings.Contains(err.Error(), "a .png needs Graphviz's dot") {
		t.Errorf("no dot for a PNG: %v", err)
	}
	dot := as(t, onPath, "dot")
	t.Setenv("PATH", nowhere+string(os.PathListSeparator)+onPath)
	if p, err := Find(self, "svg"); err != nil || p != (Program{dot, false}) {
		t.Errorf("dot alone: %v, %v", p, err)
	}
	ours := as(t, onPath, own)
	if p, err := Find(self, "svg"); err != nil || p != (Program{ours, true}) {
		t.Errorf("ours on the path: %v, %v", p, err)
	}
	if p, err := Find(self, "png"); err != nil || p != (Program{dot, false}) {
		t.Errorf("a PNG: %v, %v", p, err)
	}
	near := as(t, beside, own)
	if p, err := Find(self, "svg"); err != nil || p != (Program{near, true}) {
		t.Errorf("ours beside threadmap: %v, %v", p, err)
	}
	if p, err := Find("threadmap", "svg"); err != nil || p != (Program{ours, true}) {
		t.Errorf("we don't know where we are: %v, %v", p, err)
	}
	// The folder one happens to stand in is no place for programs.
	t.Chdir(beside)
	t.Setenv("PATH", ".")
	if p, err := Find("threadmap", "svg"); err == nil {
		t.Errorf("found %v in the current folder", p)
	}
}

func TestDraw(t *testing.T) {
	p := Program{as(t, t.TempDir(), own), true}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for dot, want := range map[string]string{
		"draw":   "",
		"litter": "",
		"silent": "not drawn by Graphviz: exit status 3",
		"fail Warning: one\nError: <stdin>: syntax error \x1b[31mred\nmore": "not drawn by Graphviz: Error: <stdin>: syntax error",
		"fail " + strings.Repeat("long ", 100_000):                          "long ...",
		"lie <svg></svg>":                   "it shows 0 nodes of 1",
		"lie ":                              "no whole SVG",
		"lie <script>alert(1)</script>":     "it is no SVG",
		"draw" + strings.Repeat(" ", 1<<20): "", // it reads all of it
	} {
		b, err := p.Draw(t.Context(), job(dot))
		switch {
		case want == "" && (err != nil || !bytes.HasSuffix(b, []byte("</svg>\n"))):
			t.Errorf("%.20q: %v", dot, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || b != nil):
			t.Errorf("%.20q: %v, want %q", dot, err, want)
		case err != nil && (strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 400):
			t.Errorf("%.20q: no clean line: %q", dot, err)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// TestSurroundings: the program gets a folder of its own, what it needs of the
// environment, and nothing that is secret.
func TestSurroundings(t *testing.T) {
	p := Program{as(t, t.TempDir(), own), true}
	t.Setenv("THREADMAP_HA_TOKEN", "c0ffee")
	for _, name := range inherited {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", "/somewhere")
	_, err := p.Draw(t.Context(), job("tell"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"[-Kneato -Tsvg]", "TMPDIR=its folder", "HOME=/somewhere", "in its folder"} {
		if !strings.Contains(err.Error(), want) && runtime.GOOS == "linux" {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "c0ffee") || strings.Contains(err.Error(), "THREADMAP") {
		t.Errorf("a secret: %v", err)
	}
}

// TestItEnds: a program that is late or says too much ends, with what it started;
// so does one that nobody waits for any more.
func TestItEnds(t *testing.T) {
	p := Program{as(t, t.TempDir(), own), true}
	began := filepath.Join(t.TempDir(), "began")
	for what, c := range map[string]struct {
		dot   string
		limit time.Duration
		stop  bool
		want  string
	}{
		"late":    {"hang " + began, 3 * time.Second, false, "not done by Graphviz after 3s"},
		"stopped": {"hang " + began, time.Minute, true, "context canceled"},
		"floods":  {"flood", time.Minute, false, "more than 1 MB"},
	} {
		os.Remove(began)
		ctx, cancel := context.WithCancel(t.Context())
		if c.stop {
			go func() {
				waitFor(began)
				cancel()
			}()
		}
		_, err := p.draw(ctx, job(c.dot), c.limit, 1<<20)
		cancel()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if pid := process(began); pid > 0 && runtime.GOOS == "linux" && !gone(pid) {
			t.Errorf("%s: what it started still runs", what)
		}
	}
	if _, err := p.Draw(canceled(), job("draw")); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped before it began: %v", err)
	}
}

// TestMemory: a program that does not limit itself is limited. (The race detector
// says it in words of its own.)
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux limits a process from outside")
	}
	p := Program{as(t, t.TempDir(), "dot"), false}
	if _, err := p.Draw(t.Context(), job("eat")); err == nil || !strings.Contains(err.Error(), "memory") && !strings.Contains(err.Error(), "failed to allocate") {
		t.Errorf("4 GB: %v", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// waitFor returns when a file is there, or not much later than a test may take.
func waitFor(file string) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for {
		if b, err := os.ReadFile(file); err == nil && len(b) > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			return
		}
	}
}

// process is the one that a file names; 0: none.
func process(file string) (pid int) {
	b, _ := os.ReadFile(file)
	fmt.Sscan(string(b), &pid)
	return pid
}

// gone waits until a process is no more, or is only waited for.
func gone(pid int) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || bytes.Contains(b, []byte(") Z ")) {
			return true
		}
		select {
		case <-tick.C:
		case <-end:
			return false
		}
	}
}

// fixSum makes the checksum of a PNG's first chunk right.
func fixSum(b []byte) {
	n := binary.BigEndian.Uint32(b[8:])
	binary.BigEndian.PutUint32(b[16+n:], crc32.ChecksumIEEE(b[12:16+n]))
}
