package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"threadmap/diag/icd"
	icdlisten "threadmap/diag/icd/listen"
	icdheard "threadmap/diag/icd/listen/heard"
)

// An observer sees something of a device that is watched. start runs until ctx
// ends, cleans up, and returns; an error is one line.
type observer struct {
	name  string
	rung  int // of the evidence ladder that it stands on
	start func(ctx context.Context, observe icd.Observe) error
}

// A notHere says why an observer does not run, and what would let it.
type notHere struct{ why, hint string }

func (e *notHere) Error() string { return e.why }

// observers lists them all; a new one is a line here and a file of its own.
func (w *icdWatch) observers() []observer {
	c := w.listening()
	return []observer{
		{"mdns", 0, func(ctx context.Context, to icd.Observe) error { return icdlisten.MDNS(ctx, c, to) }},
		{"ra", 0, func(ctx context.Context, to icd.Observe) error { return icdlisten.RA(ctx, c, to) }},
		{"host", 0, func(ctx context.Context, to icd.Observe) error { return icdlisten.Host(ctx, c, to) }},
		{"ping", 1, func(ctx context.Context, to icd.Observe) error { return icdlisten.Ping(ctx, c, to) }},
		{"parent", 2, w.watchParent},
		{"canary", 3, func(ctx context.Context, to icd.Observe) error { return w.watchCanary(ctx, c, to) }},
		{"home-assistant", 4, w.listenHA},
	}
}

// observerNames lists the values of --observe.
func observerNames() []string {
	var out []string
	for _, o := range (&icdWatch{f: &icdFlags{}, home: &icdHome{}}).observers() {
		out = append(out, o.name)
	}
	return out
}

// listening is what the observers of the LAN share.
func (w *icdWatch) listening() icdlisten.Config {
	var fabrics []uint64
	if w.node != nil {
		for _, m := range w.node.Matter {
			if m.Fabric != 0 {
				fabrics = append(fabrics, m.Fabric)
			}
		}
	}
	c := icdlisten.Config{Scope: icdheard.NewScope(w.device.Name(), fabrics...), Warn: func(err error) { w.say("%s", plain(err)) }}
	if w.lan != nil {
		c.Interfaces = w.lan.interfaces
	}
	if testICD != nil {
		testICD.listening(&c)
	}
	return c
}

// observers are those that run.
type observers struct {
	left    atomic.Int32
	mu      sync.Mutex
	running map[string]bool
	done    chan struct{}
}

// begin starts all observers that are wanted. One that can't run says why, in one
// line, and the others go on.
func (w *icdWatch) begin(ctx context.Context) *observers {
	r := &observers{running: map[string]bool{}, done: make(chan struct{})}
	var all sync.WaitGroup
	wanted := slices.DeleteFunc(w.observers(), func(o observer) bool {
		return len(w.f.observe.names) > 0 && !slices.Contains(w.f.observe.names, o.name)
	})
	for _, o := range wanted {
		r.running[o.name] = true
		r.left.Add(1)
	}
	for _, o := range wanted {
		all.Go(func() {
			err := w.run(ctx, o)
			r.mu.Lock()
			delete(r.running, o.name)
			r.mu.Unlock()
			r.left.Add(-1)
			here := (*notHere)(nil)
			switch {
			case errors.As(err, &here):
				hint := ""
				if here.hint != "" {
					hint = ": " + here.hint
				}
				w.say("%s: %s%s.", o.name, here.why, hint)
				w.lacks(o.name, here.hint)
			case err != nil && !errors.Is(err, context.Canceled):
				w.say("%s: %s.", o.name, plain(err))
			}
		})
	}
	go func() {
		all.Wait()
		close(r.done)
	}()
	return r
}

// lacks remembers that an observer does not run, and what would let it.
func (w *icdWatch) lacks(name, hint string) {
	w.tellMu.Lock()
	defer w.tellMu.Unlock()
	if w.missing == nil {
		w.missing = map[string]string{}
	}
	w.missing[name] = hint
}

// run is one observer; a panic of it, whatever a peer sent, costs only it.
func (w *icdWatch) run(ctx context.Context, o observer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it failed in a way that it should not (%v): please report that", p)
		}
	}()
	return o.start(ctx, w.observe)
}

// allOver reports whether no observer is left.
func (r *observers) allOver() bool { return r.left.Load() == 0 }

// wait waits for the observers to end, but not for ever, and gives the names of
// those that did not.
func (r *observers) wait(limit time.Duration) []string {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-r.done:
		return nil
	case <-t.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for name := range r.running {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
