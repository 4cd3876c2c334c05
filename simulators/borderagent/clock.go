package borderagent

import (
	"container/heap"
	"sync"
	"time"
)

// maxEvents bounds what waits: more than all nodes of the largest network
// answering several multicasts.
const maxEvents = 1 << 17

// A clock runs functions later, those of one moment in the order in which they
// were put in, so that one seed gives one conversation. Its lock is the lock of
// the whole mesh: functions run with it held.
type clock struct {
	sync.Mutex
	events  events
	n       uint64
	timer   *time.Timer
	stopped bool
}

type event struct {
	at time.Time
	n  uint64
	do func()
}

// after runs do in d. The lock is held.
func (c *clock) after(d time.Duration, do func()) {
	if c.stopped || len(c.events) >= maxEvents {
		return
	}
	c.n++
	heap.Push(&c.events, event{time.Now().Add(d), c.n, do})
	c.arm()
}

// arm sets the timer for the first event. The lock is held.
func (c *clock) arm() {
	if len(c.events) == 0 {
		return
	}
	d := time.Until(c.events[0].at)
	if c.timer == nil {
		c.timer = time.AfterFunc(d, c.run)
		return
	}
	c.timer.Reset(d)
}

func (c *clock) run() {
	c.Lock()
	defer c.Unlock()
	for len(c.events) > 0 && !c.events[0].at.After(time.Now()) {
		heap.Pop(&c.events).(event).do()
	}
	c.arm()
}

// stop forgets everything. The lock is held.
func (c *clock) stop() {
	c.stopped, c.events = true, nil
	if c.timer != nil {
		c.timer.Stop()
	}
}

// events are a heap, the earliest first.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].n < e[j].n
	}
	return e[i].at.Before(e[j].at)
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = event{}
	*e = (*e)[:len(*e)-1]
	return last
}
