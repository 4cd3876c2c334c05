//go:build linux

package matter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The two ends of the cable. Nodes have an IPv4 address that they publish and
// do not listen on.
const (
	cable        = "tm0"
	near6, far6  = "fd00:2::1", "fd00:2::2"
	near4, far4  = "192.0.2.1", "192.0.2.2"
	insideEnv    = "THREADMAP_INSIDE"
	insideLab    = "lab"
	insideHolder = "holder"
)

// noLab is why there are no namespaces, nil where there are.
var noLab error

// far is the namespace at the other end of the cable.
var far *os.File

// TestMain starts this binary again in a network namespace of its own, where
// the tests then run. The namespaces have no names and end with the processes
// in them.
func TestMain(m *testing.M) {
	switch os.Getenv(insideEnv) {
	case insideHolder: // keeps a namespace until its stdin ends
		io.Copy(io.Discard, os.Stdin)
		return
	case insideLab:
		holder, err := cableUp()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		code := m.Run()
		holder.Close()
		os.Exit(code)
	}
	if noLab = labMissing(); noLab != nil {
		os.Exit(m.Run())
	}
	runtime.LockOSThread() // Pdeathsig is about the thread
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Env = append(os.Environ(), insideEnv+"="+insideLab)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := c.Run(); c.ProcessState == nil {
		noLab = fmt.Errorf("no network namespace: %w", err)
		os.Exit(m.Run())
	}
	os.Exit(c.ProcessState.ExitCode())
}

// labMissing is what the lab lacks.
func labMissing() error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root")
	}
	for _, p := range []string{"ip", "node"} {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Errorf("%s is not installed", p)
		}
	}
	if _, err := os.Stat(filepath.Join(jsDir(), "node_modules")); err != nil {
		return fmt.Errorf("matter.js is not installed; the script run installs it: %w", err)
	}
	return nil
}

// needLab skips the test, or fails it in CI, where there is no lab.
func needLab(t testing.TB) {
	t.Helper()
	if noLab == nil {
		return
	}
	if os.Getenv("THREADMAP_INTEROP") != "" {
		t.Fatal(noLab)
	}
	t.Skip(noLab)
}

// jsDir is the folder of the programs, with node_modules.
func jsDir() string {
	if d := os.Getenv("THREADMAP_MATTERJS"); d != "" {
		return d
	}
	return "js"
}

// cableUp makes the far namespace and the cable to it. The far namespace is
// there until what it returns is closed.
func cableUp() (io.Closer, error) {
	holder := exec.Command("/proc/self/exe")
	holder.Env = append(os.Environ(), insideEnv+"="+insideHolder)
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	stdin, err := holder.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := holder.Start(); err != nil {
		return nil, err
	}
	if far, err = os.Open(fmt.Sprintf("/proc/%d/ns/net", holder.Process.Pid)); err != nil {
		return nil, err
	}
	here, there := func(f func() error) error { return f() }, inFar
	for _, step := range []struct {
		in   func(func() error) error
		args string
	}{
		{here, fmt.Sprintf("link add %s type veth peer name %s netns %d", cable, cable, holder.Process.Pid)},
		{here, "link set lo up"}, {there, "link set lo up"},
		{here, "addr add " + near4 + "/24 dev " + cable}, {there, "addr add " + far4 + "/24 dev " + cable},
		{here, "addr add " + near6 + "/64 nodad dev " + cable}, {there, "addr add " + far6 + "/64 nodad dev " + cable},
		{here, "link set " + cable + " up"}, {there, "link set " + cable + " up"},
	} {
		err := step.in(func() error {
			// Addresses are usable at once.
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0o644); err != nil {
				return err
			}
			os.WriteFile("/proc/sys/net/ipv6/conf/"+cable+"/accept_dad", []byte("0"), 0o644) // not there at first
			out, err := exec.Command("ip", strings.Fields(step.args)...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("ip %s: %w: %s", step.args, err, bytes.TrimSpace(out))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, in := range []func(func() error) error{here, there} {
		err := until(10*time.Second, "a link-local address on "+cable, func() bool {
			var out []byte
			in(func() (err error) {
				out, err = exec.Command("ip", "-6", "addr", "show", "dev", cable, "scope", "link").Output()
				return err
			})
			return bytes.Contains(out, []byte("fe80::")) && !bytes.Contains(out, []byte("tentative"))
		})
		if err != nil {
			return nil, err
		}
	}
	return stdin, nil
}

// inFar runs f in the far namespace: sockets that it makes and processes that it
// starts stay there.
func inFar(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Setns(int(far.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("setns: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}

// until waits for a condition that another process fulfils.
func until(within time.Duration, what string, ok func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !ok(); <-tick.C {
		if time.Now().After(end) {
			return fmt.Errorf("no %s after %v", what, within)
		}
	}
	return nil
}
