package canary

import (
	"sync"
	"time"
)

// The canary's manners, in messages that the device has to hear.
const (
	// PerHour is how many messages the canary sends in an hour after it was set
	// up, but for those that the device asks for: reports that come more often
	// than every 20 minutes are answered, too.
	PerHour = 12
	// attemptCost is what one session of our own usually takes: a handshake (2 to
	// 3), a subscription (3).
	attemptCost = 6

	maxSamples = 4096
)

// A meter knows how many messages were sent in the last hour.
type meter struct {
	mu      sync.Mutex
	samples []sample
}

type sample struct {
	at   time.Time
	sent uint64
}

// note takes how many messages were sent until now.
func (m *meter) note(now time.Time, sent uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.samples); n > 0 && m.samples[n-1].sent == sent {
		return
	}
	m.samples = append(m.samples, sample{now, sent})
	// One from before the hour stays: it is what the hour began with.
	for len(m.samples) > 1 && (now.Sub(m.samples[1].at) >= time.Hour || len(m.samples) > maxSamples) {
		m.samples = m.samples[1:]
	}
}

// begin forgets what was sent until now.
func (m *meter) begin(now time.Time, sent uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples[:0], sample{now, sent})
}

// wait is how long there is no room for a session of our own.
func (m *meter) wait(now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.samples) == 0 {
		return 0
	}
	last := m.samples[len(m.samples)-1].sent
	for i, s := range m.samples {
		if last-s.sent+attemptCost > PerHour {
			continue
		}
		if i == 0 {
			return 0
		}
		return max(0, s.at.Add(time.Hour).Sub(now)) // then all up to s is an hour old
	}
	return time.Hour
}

// A limiter lets some things happen in a while.
type limiter struct {
	mu    sync.Mutex
	since time.Time
	n     int
}

// Strangers can make the canary say things; this is how often.
const (
	strangersTime = time.Minute
	strangersMost = 10
)

func (l *limiter) allow(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) >= strangersTime {
		l.since, l.n = now, 0
	}
	l.n++
	return l.n <= strangersMost
}
