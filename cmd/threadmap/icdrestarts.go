package main

import (
	"sync"
	"time"

	"threadmap/diag/icd"
)

// restarts tell observers that the device restarted.
type restarts struct {
	mu   sync.Mutex
	last icd.Seconds
	any  bool
	to   []chan struct{}
	// times are told the time of the restart, too.
	times []func(at icd.Seconds)
}

// subscribe gives a channel that has something when a restart was seen.
func (r *restarts) subscribe() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan struct{}, 1)
	r.to = append(r.to, c)
	return c
}

// sameRestart is how far two witnesses of one restart may be apart.
const sameRestart = icd.Seconds(30 * time.Second)

// tell says that the device restarted then; of one restart it is said once.
func (r *restarts) tell(at icd.Seconds) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.any && at <= r.last+sameRestart {
		return
	}
	r.any, r.last = true, at
	for _, c := range r.to {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	for _, told := range r.times {
		told(at)
	}
}
