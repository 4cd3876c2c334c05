package simnet

import (
	"container/heap"
	"time"
)

// A flight is a copy of a packet on its way.
type flight struct {
	due    time.Time
	number uint64 // of sending: copies due at one time arrive in this order
	packet Packet
}

// flights is a heap, the next to arrive first.
type flights []flight

func (f flights) Len() int { return len(f) }
func (f flights) Less(i, j int) bool {
	if f[i].due.Equal(f[j].due) {
		return f[i].number < f[j].number
	}
	return f[i].due.Before(f[j].due)
}
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)   { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	old := *f
	x := old[len(old)-1]
	*f = old[:len(old)-1]
	return x
}

// later lets p arrive after d. Timers of one instant fire in any order, so a
// timer does not carry a packet: each lets arrive all that is due.
func (n *Net) later(p Packet, d time.Duration) {
	n.sent++
	heap.Push(&n.air, flight{time.Now().Add(d), n.sent, p})
	time.AfterFunc(d, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for now := time.Now(); len(n.air) > 0 && !n.air[0].due.After(now); {
			n.arrive(heap.Pop(&n.air).(flight).packet)
		}
	})
}
