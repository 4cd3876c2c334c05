package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// TestCtrlCInASession: a program that gets a signal in the middle of a session
// gives the role back before it ends, shows what was learnt and keeps it. Killed,
// it can't, and the leader frees the role by itself.
func TestCtrlCInASession(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a test can't press Ctrl-C on Windows")
	}
	t.Parallel()
	for _, signal := range []os.Signal{os.Interrupt, os.Kill} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			lab := mesh.Lab(0)
			var once sync.Once
			answered := make(chan struct{})
			agent, at := serveAgent(t, lab, borderagent.Options{Settle: -1, Lose: func(d borderagent.Datagram) bool {
				lists := !d.Up && bytes.Contains(d.Payload, []byte("\xb1d\x02dq")) && !d.Multicast
				if lists { // what was answered before was identities
					once.Do(func() { close(answered) })
				}
				return lists // so it would go on for a while
			}})
			u := newUser(t)
			if out, errs, status := u.run(datasetOf(lab), "login", "thread", "--file", "-"); status != exitDone {
				t.Fatal(out, errs)
			}
			picture := filepath.Join(t.TempDir(), "mesh.svg")
			c := exec.Command("threadmap", "scan", "--source", "thread", "--agent", at.String(), "-o", picture)
			c.Env = append(os.Environ(), state.Env+"="+u.dir)
			var stdout, stderr bytes.Buffer
			c.Stdout, c.Stderr = &stdout, &stderr
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- c.Wait() }()
			defer c.Process.Kill()
			select {
			case <-answered:
			case err := <-ended:
				t.Fatalf("it ended: %v, %s%s", err, stdout.String(), stderr.String())
			case <-time.After(20 * time.Second):
				t.Fatal("nobody was asked")
			}
			if id, held := agent.Commissioner(); !held || !strings.HasPrefix(id, "threadmap-") {
				t.Fatalf("the role is held by %q", id)
			}
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			err := <-ended
			id, held := agent.Commissioner()
			if signal == os.Kill {
				if !held {
					t.Error("who was killed gave the role back")
				}
				return
			}
			if ee := (*exec.ExitError)(nil); !errors.As(err, &ee) || ee.ExitCode() != exitInterrupted {
				t.Errorf("%v, want exit status %d", err, exitInterrupted)
			}
			if held {
				t.Errorf("%q still has the role", id)
			}
			if !strings.Contains(stdout.String(), "ThreadMapLab") || !strings.Contains(stdout.String(), "0x6800") || !strings.Contains(stderr.String(), "Stopped") || !strings.Contains(stderr.String(), "Saved as ") {
				t.Errorf("%s%s", stdout.String(), stderr.String())
			}
			if _, err := os.Stat(picture); err != nil {
				t.Error(err)
			}
			if out, errs, status := u.run("", "render", "--json"); status != exitDone || !strings.Contains(out, `"complete":false`) || !strings.Contains(out, `"rloc16":"0x6800"`) {
				t.Errorf("saved is: %d, %s%s", status, out, errs)
			}
		})
	}
}
