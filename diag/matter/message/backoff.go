package message

import "time"

// Numbers of reliable messaging, MRP (Core 4.12.8).
const (
	// MaxTransmissions is how often a message is sent: once and four times again.
	MaxTransmissions = 5
	// AckTimeout is how long an acknowledgement waits for a message to ride on.
	AckTimeout = 200 * time.Millisecond

	backoffThreshold = 1 // MRP_BACKOFF_THRESHOLD: sends before the wait grows
	backoffMaxPower  = 4
)

// Backoff is how long to wait after transmission n (0: the first) for an
// acknowledgement (Core 4.12.2.1):
//
//	base × 1.1 × 1.6^max(0, n−1) × (1 + random × 0.25)
//
// base is the peer's active or idle interval and what else the way there needs,
// random is in [0, 1).
func Backoff(n int, base time.Duration, random float64) time.Duration {
	d := min(max(base, 0), 2*MaxInterval)
	d = d * 11 / 10
	for range min(max(n-backoffThreshold, 0), backoffMaxPower) {
		d = d * 8 / 5
	}
	return d + time.Duration(float64(d)*min(max(random, 0), 1)/4)
}

// GivesUpAfter is the longest time from the first transmission until a message
// counts as lost.
func GivesUpAfter(base time.Duration) (d time.Duration) {
	for n := range MaxTransmissions {
		d += Backoff(n, base, 1)
	}
	return d
}
