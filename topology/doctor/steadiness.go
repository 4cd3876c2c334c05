package doctor

import (
	"fmt"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

const (
	// fewEvents is under which count nothing is said, however short the time: a
	// device attaches, and looks around, a few times after each start.
	fewEvents = 5
	// oftenADay is how often a day is unsteady.
	oftenADay = 4
	// leastTime is how long must have been counted.
	leastTime = time.Hour
)

// counted is the newest report of n with one of the counters and with the time
// that they cover; nil where there is none, or that time is short.
func (c *Case) counted(n *topology.Node, any ...diag.Counter) (*diag.Report, time.Duration) {
	for i := len(n.Reports) - 1; i >= 0; i-- {
		r := n.Reports[i]
		for _, k := range any {
			if _, told := r.Counters[k]; !told {
				continue
			}
			over := r.UpTime.Or(0)
			if ms, told := r.Counters[diag.TrackedMillis]; told && ms < uint64(maxTime/time.Millisecond) {
				over = time.Duration(ms) * time.Millisecond
			}
			if over < leastTime || over > maxTime || !c.fresh(r.At) {
				return nil, 0
			}
			return r, over
		}
	}
	return nil, 0
}

// maxTime bounds times that are believed: longer ones are a fault of whoever
// counts, and would overflow.
const maxTime = 100 * 365 * 24 * time.Hour

func often(events uint64, over time.Duration) bool {
	return events >= fewEvents && perDay(events, over) >= oftenADay
}

// perDay is events a day, rounded down. over is at least leastTime.
func perDay(events uint64, over time.Duration) uint64 {
	minutes := uint64(over / time.Minute)
	return min(events, 1<<32) * 24 * 60 / max(minutes, 1)
}

func times(events uint64, over time.Duration) string {
	return fmt.Sprintf("about %d times", perDay(events, over))
}

// lasting prints a duration as people say it: "5 hours", "3 days".
func lasting(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
