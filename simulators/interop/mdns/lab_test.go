//go:build linux

package mdns

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// insideEnv names what this test binary does when it is started again in a
// network namespace.
const insideEnv = "THREADMAP_INSIDE"

func TestMain(m *testing.M) {
	if what := os.Getenv(insideEnv); what != "" {
		if err := inside(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// missing skips the test, or fails it in CI.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("THREADMAP_INTEROP") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// A lab is two network namespaces joined by a cable.
type lab struct {
	t         *testing.T
	dir       string
	near, far string
}

func newLab(t *testing.T, programs ...string) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "network namespaces need root")
	}
	for _, p := range append(programs, "ip") {
		if _, err := exec.LookPath(p); err != nil {
			missing(t, p+" is not installed; the script run installs it")
		}
	}
	l := &lab{t: t, dir: t.TempDir(), near: fmt.Sprintf("tm-near-%d", os.Getpid()), far: fmt.Sprintf("tm-far-%d", os.Getpid())}
	ip := func(args ...string) error {
		out, err := exec.Command("ip", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	for _, ns := range []string{l.near, l.far} {
		if err := ip("netns", "add", ns); err != nil {
			missing(t, err.Error())
		}
		t.Cleanup(func() {
			if err := ip("netns", "delete", ns); err != nil {
				t.Error(err)
			}
		})
		// Addresses are usable at once.
		l.command(ns, "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad").Run()
	}
	for _, args := range [][]string{
		{"link", "add", "tm0", "netns", l.near, "type", "veth", "peer", "name", "tm0", "netns", l.far},
		{"-n", l.near, "link", "set", "lo", "up"}, {"-n", l.far, "link", "set", "lo", "up"},
		{"-n", l.near, "addr", "add", "192.0.2.1/24", "dev", "tm0"}, {"-n", l.far, "addr", "add", "192.0.2.2/24", "dev", "tm0"},
		{"-n", l.near, "addr", "add", "fd00:2::1/64", "dev", "tm0", "nodad"}, {"-n", l.far, "addr", "add", "fd00:2::2/64", "dev", "tm0", "nodad"},
		{"-n", l.near, "link", "set", "tm0", "up"}, {"-n", l.far, "link", "set", "tm0", "up"},
	} {
		if err := ip(args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, ns := range []string{l.near, l.far} { // until the link-local address is there
		l.until("a link-local address", func() bool {
			out, _ := exec.Command("ip", "-n", ns, "-6", "addr", "show", "dev", "tm0", "scope", "link").Output()
			return bytes.Contains(out, []byte("fe80::")) && !bytes.Contains(out, []byte("tentative"))
		})
	}
	return l
}

// until waits for a condition that another process fulfils.
func (l *lab) until(what string, ok func() bool) {
	l.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		if ok() {
			return
		}
		if time.Now().After(end) {
			l.t.Fatalf("no %s after a minute", what)
		}
	}
}

// command is a command in a namespace.
func (l *lab) command(ns, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(l.t.Context(), "ip", append([]string{"netns", "exec", ns, name}, args...)...)
	c.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+l.bus())
	c.WaitDelay = 5 * time.Second
	return c
}

func (l *lab) bus() string { return "unix:path=" + filepath.Join(l.dir, "bus") }

// start starts a program in a namespace, to be ended with the test.
func (l *lab) start(ns, name string, args ...string) *bytes.Buffer {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", ns, name}, args...)...)
	c.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+l.bus())
	c.WaitDelay = 5 * time.Second
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	out := new(bytes.Buffer)
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		cancel()
		c.Wait()
		if l.t.Failed() {
			l.t.Logf("%s: %s", name, out)
		}
	})
	return out
}

// again runs this test binary in a namespace, by way of the programs in by, and
// reads the JSON that it prints.
func (l *lab) again(ns, what string, args any, result any, by ...string) {
	l.t.Helper()
	command := append(by, testBinary(l.t))
	c := l.command(ns, command[0], command[1:]...)
	b, err := json.Marshal(args)
	if err != nil {
		l.t.Fatal(err)
	}
	c.Env = append(c.Env, insideEnv+"="+what)
	c.Stdin = bytes.NewReader(b)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		l.t.Fatalf("%s in %s: %v: %s", what, ns, err, &stderr)
	}
	if err := json.Unmarshal(out, result); err != nil {
		l.t.Fatalf("%v: %s", err, out)
	}
}

// serve starts this test binary in a namespace, to be ended with the test, and
// waits until it says that it is ready.
func (l *lab) serve(ns, what string) (end func()) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, "ip", "netns", "exec", ns, testBinary(l.t))
	c.Env = append(os.Environ(), insideEnv+"="+what)
	c.Stderr = os.Stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 5 * time.Second
	out, err := c.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		l.t.Fatal(err)
	}
	end = sync.OnceFunc(func() { cancel(); c.Wait() })
	l.t.Cleanup(end)
	line := make([]byte, 6)
	if n, err := out.Read(line); err != nil || string(line[:n]) != "ready\n" {
		l.t.Fatalf("%s: %q, %v", what, line[:n], err)
	}
	return end
}

func testBinary(t *testing.T) string {
	t.Helper()
	p, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
