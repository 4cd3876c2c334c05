package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag/icd"
	"threadmap/simulators/matternode"
)

// A recording is a file of observations that a command writes meanwhile.
type recording struct {
	t    *testing.T
	file string
}

// wait waits until lines of all kinds are there, each as many times as it is
// named.
func (r recording) wait(limit time.Duration, kinds ...string) {
	r.t.Helper()
	want := map[string]int{}
	for _, k := range kinds {
		want[k]++
	}
	var b []byte
	for end := time.Now().Add(limit); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		b, _ = os.ReadFile(r.file)
		missing := false
		for k, n := range want {
			by, event, _ := strings.Cut(k, " ")
			missing = missing || bytes.Count(b, []byte(`"by":"`+by+`","event":"`+event+`"`)) < n
		}
		if !missing {
			return
		}
	}
	r.t.Fatalf("%v did not come within %v:\n%s", kinds, limit, b)
}

// whole checks that the file is one, and gives what is in it.
func (r recording) whole() *icd.Timeline {
	r.t.Helper()
	if i, err := os.Stat(r.file); err != nil || i.Mode().Perm() != 0o600 {
		r.t.Errorf("%v, %v", i, err)
	}
	return readTimelineFile(r.t, r.file)
}

// An icdWatching is "icd NODE" that runs.
type icdWatching struct {
	recording
	u         *user
	stop      context.CancelFunc
	done      chan struct{}
	out, errs string
	status    int
}

func (h *buttonHome) watch(u *user, args ...string) *icdWatching {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &icdWatching{recording: recording{h.t, filepath.Join(h.t.TempDir(), "button.jsonl")}, u: u, stop: cancel, done: make(chan struct{})}
	args = append([]string{"icd", "hall button", "--interface", "lo", "--record", w.file}, args...)
	go func() {
		defer close(w.done)
		w.out, w.errs, w.status = u.runUntil(ctx, "", args...)
	}()
	h.t.Cleanup(func() { cancel(); <-w.done })
	return w
}

// end waits for the command.
func (w *icdWatching) end(limit time.Duration) {
	w.t.Helper()
	select {
	case <-w.done:
	case <-time.After(limit):
		w.stop()
		<-w.done
		w.t.Errorf("it did not end within %v", limit)
	}
}

// judged is what the command concluded, of --json.
type judged struct {
	Healthy *bool   `json:"healthy"`
	Link    *string `json:"link"`
	Party   string  `json:"party"`
	At      float64 `json:"at"`
	Rung    int     `json:"rung"`
	Chain   []struct{ Link, State string }
	Causes  []struct{ ID string }
	Await   []struct{ What string }
}

func (j *judged) state(link string) string {
	for _, x := range j.Chain {
		if x.Link == link {
			return x.State
		}
	}
	return ""
}

func judgedOf(t *testing.T, out string) *judged {
	t.Helper()
	j := &judged{}
	if err := json.Unmarshal([]byte(out), j); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return j
}

// clean checks that nothing of threadmap's is left, on the device or remembered.
func (h *buttonHome) clean(u *user) {
	h.t.Helper()
	if n := h.button.Subscriptions(); n != 0 {
		h.t.Errorf("%d subscriptions are left on the device", n)
	}
	if n := len(h.button.Stored()); n != 0 {
		h.t.Errorf("%d subscriptions are left in the device's memory", n)
	}
	if all, err := keptBy(u).all(); err != nil || len(all) != 0 {
		h.t.Errorf("%v, %v is remembered still", all, err)
	}
}

func keptBy(u *user) canaryStates {
	return canaryStates{&state.Store{Config: u.dir, Cache: u.dir}}
}

// TestICDNodeResumes: without a terminal, the restart of a device is heard, that
// it comes back to the subscription is seen, and a press ends the watching. The
// record gives the same verdict.
func TestICDNodeResumes(t *testing.T) {
	if !inLoopback(t) {
		return
	}
	h := newButtonHome(t, matternode.Resumption{Persistence: matternode.KeepsTrying}, nil)
	u := h.pair()
	w := h.watch(u, "--wait", "--for", "60s", "--json", "--subscriber", "canary")
	w.wait(30*time.Second, "canary subscribed", "mdns announce")
	h.button.Reboot(matternode.RebootOptions{Down: 300 * time.Millisecond, Boot: 300 * time.Millisecond})
	w.wait(30*time.Second, "mdns goodbye", "canary sigma1", "canary case", "canary case", "canary report", "canary report")
	h.button.Press()
	w.end(30 * time.Second)
	j := judgedOf(t, w.out)
	if w.status != exitDone || j.Link != nil || j.Party != "nobody" || j.Healthy == nil || !*j.Healthy {
		t.Errorf("status %d\n%s%s", w.status, w.out, w.errs)
	}
	for _, l := range []string{"L1", "L4", "L5", "L6", "L7", "L8", "L10"} {
		if s := j.state(l); s != "seen" {
			t.Errorf("%s is %s", l, s)
		}
	}
	if !strings.Contains(w.errs, "Nothing is awaited any more.") || !strings.Contains(w.errs, "opens a session, resuming the old one") {
		t.Errorf("%s", w.errs)
	}
	h.clean(u)
	w.whole()
	out, errs, status := u.run("", "icd", "replay", w.file, "--json", "--subscriber", "canary", "--at", fmt.Sprint(j.At))
	again := judgedOf(t, out)
	a, _ := json.Marshal(again)
	b, _ := json.Marshal(j)
	if status != exitDone || !bytes.Equal(a, b) {
		t.Errorf("status %d, replayed\n%s\n%s%s", status, a, b, errs)
	}
}

// shorter makes what the command waits for shorter, in a process of its own.
func shorter() { canaryPatience, leastWatch = 3*time.Second, 2*time.Second }

// TestICDNodeForgets: firmware that keeps no subscriptions does not come back by
// itself, and threadmap subscribes anew. Nobody is blamed: it was not given the time
// that devices get.
func TestICDNodeForgets(t *testing.T) {
	if !inLoopback(t) {
		return
	}
	shorter()
	h := newButtonHome(t, matternode.Resumption{}, nil)
	u := h.pair()
	w := h.watch(u, "--wait", "--for", "60s", "--json", "--subscriber", "canary")
	w.wait(30*time.Second, "canary subscribed")
	h.button.Reboot(matternode.RebootOptions{Down: 300 * time.Millisecond, Boot: 300 * time.Millisecond})
	w.wait(30*time.Second, "mdns goodbye", "canary case", "canary case", "canary subscribed", "canary subscribed")
	w.end(30 * time.Second)
	j := judgedOf(t, w.out)
	if w.status != exitDone || j.Link != nil || j.Party != "nobody" && j.Party != "unknown" {
		t.Errorf("status %d\n%s%s", w.status, w.out, w.errs)
	}
	h.clean(u)
	for o := range w.whole().All() {
		if _, came := o.What.(*icd.Sigma1); came {
			t.Error("the device opened a session")
		}
	}
}

// TestICDNodeInterrupted: whenever Ctrl-C comes, there is a verdict, the record is
// whole, and nothing is left on the device.
func TestICDNodeInterrupted(t *testing.T) {
	if !inLoopback(t) {
		return
	}
	shorter()
	h := newButtonHome(t, matternode.Resumption{Persistence: matternode.KeepsTrying}, nil)
	u := h.pair()
	for _, c := range []struct {
		name  string
		left  bool // something may be left, which is said
		until func(w *icdWatching)
	}{
		{"at once", false, func(w *icdWatching) { w.wait(30*time.Second, "mdns announce") }},
		{"while it subscribes", false, func(w *icdWatching) { w.wait(30*time.Second, "canary case") }},
		{"subscribed", false, func(w *icdWatching) { w.wait(30*time.Second, "canary subscribed") }},
		{"while it is off", true, func(w *icdWatching) {
			w.wait(30*time.Second, "canary subscribed")
			h.button.Reboot(matternode.RebootOptions{Down: time.Second, Boot: time.Second})
		}},
		{"while it resumes", false, func(w *icdWatching) {
			w.wait(30*time.Second, "canary subscribed")
			h.button.Reboot(matternode.RebootOptions{})
			w.wait(30*time.Second, "canary sigma1")
		}},
		{"resumed", false, func(w *icdWatching) {
			w.wait(30*time.Second, "canary subscribed")
			h.button.Reboot(matternode.RebootOptions{})
			w.wait(30*time.Second, "canary sigma1", "canary report", "canary report")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			w := h.watch(u, "--wait", "--for", "60s")
			c.until(w)
			w.stop()
			w.end(40 * time.Second)
			if w.status != exitInterrupted || !strings.Contains(w.out, "The chain, at ") || !strings.HasSuffix(w.errs, "Stopped: this is what was known by then.\n") {
				t.Errorf("status %d\n%s%s", w.status, w.out, w.errs)
			}
			w.whole()
			if all, _ := keptBy(u).all(); c.left && len(all) > 0 {
				if !strings.Contains(w.errs, "threadmap icd cleanup") {
					t.Errorf("what is left is not said: %s", w.errs)
				}
				if out, errs, status := u.run("", "icd", "cleanup", "--interface", "lo", "--for", "20s"); status != exitDone {
					t.Errorf("status %d: %s%s", status, out, errs)
				}
			}
			h.clean(u)
		})
	}
	h.t = t
}

// program starts the command as a process, which can be killed.
func (h *buttonHome) program(u *user, args ...string) *exec.Cmd {
	h.t.Helper()
	exe := filepath.Join(h.t.TempDir(), "threadmap") // so is it the command
	if err := os.Symlink(os.Args[0], exe); err != nil {
		h.t.Fatal(err)
	}
	c := exec.Command(exe, args...)
	c.Env = append(os.Environ(), state.Env+"="+u.dir)
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

// TestICDCleanup: what a program that was killed left on a device is taken out: of
// one that can be reached at once, of one that sleeps for long when it wakes.
func TestICDCleanup(t *testing.T) {
	if !inLoopback(t) {
		return
	}
	for _, longIdle := range []bool{false, true} {
		t.Run(fmt.Sprintf("long idle %v", longIdle), func(t *testing.T) {
			h := newButtonHome(t, matternode.Resumption{Persistence: matternode.KeepsTrying}, func(d *matternode.Device, o *matternode.Options) {
				if longIdle {
					d.ICD = &matternode.ICD{Idle: time.Hour, Active: time.Second, Threshold: 5 * time.Second, LIT: true, Hint: 1 << 8}
					o.Sleep.Slow, o.Sleep.Threshold = 30*time.Second, 5*time.Second
				}
			})
			u := h.pair()
			r := recording{t, filepath.Join(t.TempDir(), "button.jsonl")}
			args := []string{"icd", "hall button", "--interface", "lo", "--record", r.file, "--wait", "--for", "60s"}
			if longIdle {
				args = append(args, "--consent")
				h.button.Wake()
			}
			c := h.program(u, args...)
			r.wait(30*time.Second, "canary subscribed")
			c.Process.Kill()
			c.Wait()
			if all, err := keptBy(u).all(); err != nil || len(all) != 1 || h.button.Subscriptions() != 1 {
				t.Fatalf("%v, %v, %d subscriptions: the crash left nothing to clean up", all, err, h.button.Subscriptions())
			}
			r.whole()
			if longIdle {
				out, errs, status := u.run("", "icd", "cleanup", "--interface", "lo", "--for", "8s")
				if status != exitPartial || !strings.Contains(out, "Hall button: still there: ") || !strings.Contains(out, "wakes") {
					t.Errorf("status %d: %s%s", status, out, errs)
				}
				waiting, asked := make(chan struct{}), h.router.Asked()
				go func() { // until it looks for the device, and so is there
					defer close(waiting)
					for end := time.Now().Add(20 * time.Second); h.router.Asked() == asked && time.Now().Before(end); <-time.After(20 * time.Millisecond) {
					}
					h.button.Reboot(matternode.RebootOptions{Down: 4 * time.Second})
				}()
				out, errs, status = u.run("", "icd", "cleanup", "--interface", "lo", "--for", "50s")
				<-waiting
				if status != exitDone || !strings.Contains(out, "Hall button: clean") {
					t.Errorf("status %d: %s%s", status, out, errs)
				}
			} else {
				out, errs, status := u.run("", "icd", "cleanup", "--interface", "lo", "--for", "30s")
				if status != exitDone || !strings.Contains(out, "Hall button: clean") {
					t.Errorf("status %d: %s%s", status, out, errs)
				}
			}
			h.clean(u)
		})
	}
}
