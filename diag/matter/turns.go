package matter

import (
	"context"
	"sync"
	"time"
)

// turns is a schedule with a clock, for several goroutines.
type turns struct {
	mu    sync.Mutex
	s     *schedule
	start map[*turn]chan struct{} // of those who wait
	alarm *time.Timer             // nil: never needed yet
}

func newTurns(pace func(network string) Pace) *turns {
	return &turns{s: newSchedule(pace), start: map[*turn]chan struct{}{}}
}

// take waits for a turn. The turn is over when done is called; without a turn,
// because ctx ended before, done does nothing.
func (q *turns) take(ctx context.Context, network string, a act, r rank) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return func() {}, err
	}
	q.mu.Lock()
	t := q.s.want(network, a, r)
	begun := make(chan struct{})
	q.start[t] = begun
	q.settle()
	q.mu.Unlock()
	end := func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.start, t)
		q.s.end(t)
		q.settle()
	}
	select {
	case <-begun:
		return end, nil
	case <-ctx.Done():
		end()
		return func() {}, ctx.Err()
	}
}

// settle starts those whose turn it is, and sets the alarm for the next. The
// lock is held.
func (q *turns) settle() {
	granted, wake := q.s.next(time.Now())
	for _, t := range granted {
		close(q.start[t])
		delete(q.start, t)
	}
	switch {
	case wake.IsZero() && q.alarm != nil:
		q.alarm.Stop()
	case wake.IsZero():
	case q.alarm == nil:
		q.alarm = time.AfterFunc(time.Until(wake), q.ring)
	default:
		q.alarm.Reset(time.Until(wake))
	}
}

func (q *turns) ring() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settle()
}
