// Package relistentest writes down what somebody who listens is told, in virtual
// time.
//
// The reader is beside the tests of the sources that listen with package
// relisten; the product does not import it.
package relistentest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A Hearing is a listening that is going on.
type Hearing struct {
	mu    sync.Mutex
	lines []string
	over  chan error
}

// Begin listens in a bubble of synctest, until the bubble ends: then it must be
// over within a second, without an error. What is told is written down with how
// long after the begin that was, in whole seconds: "45s available 29 false".
func Begin(t *testing.T, listen func(ctx context.Context, tell func(at time.Time, what string)) error) *Hearing {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	h := &Hearing{over: make(chan error, 1)}
	begun := time.Now()
	go func() {
		h.over <- listen(ctx, func(at time.Time, what string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.lines = append(h.lines, fmt.Sprintf("%v %s", at.Sub(begun).Round(time.Second), what))
		})
	}()
	t.Cleanup(func() {
		cancel()
		begun := time.Now()
		if err := h.Over(); err != nil {
			t.Errorf("ended with %v", err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("ending took %v", took)
		}
	})
	return h
}

// Over waits until it is over by itself. An error that was seen here is expected.
func (h *Hearing) Over() error {
	err, ok := <-h.over
	if ok {
		close(h.over)
	}
	return err
}

// Heard are the lines since the last call, once all is quiet.
func (h *Hearing) Heard() []string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := h.lines
	h.lines = nil
	return lines
}

// Want fails the test where something else was heard since the last call.
func (h *Hearing) Want(t *testing.T, want ...string) {
	t.Helper()
	if got := h.Heard(); !slices.Equal(got, want) {
		t.Errorf("heard\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
