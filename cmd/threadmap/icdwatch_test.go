package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag/icd"
	"threadmap/simulators/matternode"
)

// TestWatchByCanary: a device of threadmap's own fabric is subscribed to while it
// is watched, what it says is recorded, and after Ctrl-C nothing of threadmap's is
// left on it, nor in the folder that remembers what is.
func TestWatchByCanary(t *testing.T) {
	t.Parallel()
	h, u := newMatterHome(t), newUser(t)
	n := h.add(1, owned(t, matternode.Options{}))
	if out, errs, status := u.run("", "pair", window(t, n), "--ask", h.mdns, "--name", "My button"); status != exitDone {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	if out, errs, status := u.run("", "scan", "--source", "matter", "--ask", h.mdns); status != exitDone {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	record := filepath.Join(t.TempDir(), "button.jsonl")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	kept := 0
	watched := make(chan struct{})
	go func() { // until the subscription is recorded
		defer close(watched)
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
			b, _ := os.ReadFile(record)
			if strings.Contains(string(b), `"by":"canary","event":"subscribed"`) {
				all, _ := canaryStates{&state.Store{Config: u.dir, Cache: u.dir}}.all()
				kept = len(all)
				break
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
		cancel()
	}()
	out, errs, status := u.runUntil(ctx, "", "icd", "my button", "--ask", h.mdns, "--interface", "lo", "--observe", "canary", "--wait", "--for", "40s", "--record", record)
	<-watched
	if status != exitInterrupted || !strings.Contains(out, "The chain, at ") || !strings.Contains(errs, "Stopped: this is what was known by then.") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if kept != 1 {
		t.Errorf("%d devices were remembered while something was on them, want 1", kept)
	}
	tl := readTimelineFile(t, record)
	got := map[string]int{}
	for o := range tl.All() {
		if o.By == icd.ByCanary {
			got[o.Event]++
		}
	}
	if got["subscribed"] != 1 || got["read"] == 0 {
		t.Errorf("observed %v\n%s", got, errs)
	}
	if n := n.Subscriptions(); n != 0 {
		t.Errorf("%d subscriptions are left on the device", n)
	}
	if all, err := (canaryStates{&state.Store{Config: u.dir, Cache: u.dir}}).all(); err != nil || len(all) != 0 {
		t.Errorf("%v, %v is remembered still", all, err)
	}
	if out, errs, status := u.run("", "icd", "cleanup"); status != exitDone || !strings.Contains(out, "Nothing of threadmap's") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}
