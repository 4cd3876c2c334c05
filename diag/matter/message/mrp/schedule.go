package mrp

import "container/heap"

// schedule is a heap of the exchanges that wait for something, the next one
// first.
type schedule struct{ waiting waiting }

func (s *schedule) first() *Exchange {
	if len(s.waiting) == 0 {
		return nil
	}
	return s.waiting[0]
}

// update puts x where its deadlines want it, or takes it out if it has none.
func (s *schedule) update(x *Exchange) {
	x.due = x.ackDue
	if x.unacked != nil && (x.due.IsZero() || x.resend.Before(x.due)) {
		x.due = x.resend
	}
	switch in := x.place > 0; {
	case x.due.IsZero() && in:
		heap.Remove(&s.waiting, x.place-1)
	case x.due.IsZero():
	case in:
		heap.Fix(&s.waiting, x.place-1)
	default:
		heap.Push(&s.waiting, x)
	}
}

type waiting []*Exchange

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].due.Before(w[j].due) }
func (w waiting) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i+1, j+1
}

func (w *waiting) Push(v any) {
	x := v.(*Exchange)
	*w = append(*w, x)
	x.place = len(*w)
}

func (w *waiting) Pop() any {
	old := *w
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*w = old[:len(old)-1]
	x.place = 0
	return x
}
