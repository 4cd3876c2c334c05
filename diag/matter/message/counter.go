package message

import "math"

// MaxInitialCounter is the largest counter to begin with (Core 4.6.1.1): 28
// bits of chance, plus one.
const MaxInitialCounter = 1 << 28

// A Counter numbers the messages that one sends (Core 4.6): all of session 0
// share one, each secure session has its own. The zero Counter is used up.
type Counter struct{ next uint64 }

// NewCounter begins at a place that random chooses.
func NewCounter(random uint32) Counter {
	return Counter{uint64(random&(MaxInitialCounter-1)) + 1}
}

// Next is the number of the next new message; one that is sent again keeps its
// own. ok is false when there are no numbers left: a secure session must then
// be replaced, since a nonce must not come twice.
func (c *Counter) Next() (n uint32, ok bool) {
	if c.next == 0 || c.next > math.MaxUint32 {
		return 0, false
	}
	n = uint32(c.next)
	c.next++
	return n, true
}

// NextRolling is Next for session 0, whose numbers begin again.
func (c *Counter) NextRolling() uint32 {
	n, ok := c.Next()
	if !ok {
		n, c.next = 1, 2
	}
	return n
}

// windowSize is MSG_COUNTER_WINDOW_SIZE (Core 4.6.5): how far below the largest
// counter a message may come late.
const windowSize = 32

// A Window tells new messages from those that came before (Core 4.6.5): the
// largest counter so far and a bit for each of the 32 below. The zero Window
// has seen nothing.
type Window struct {
	// Unsecured is for messages of session 0: their counters roll over, and one
	// that is far off means that the sender started anew.
	Unsecured bool

	any  bool
	max  uint32
	bits uint32 // bit i: max-1-i came
}

// ahead and back are how far n is from the largest counter in both directions;
// what it is not is as far as can be.
func (w *Window) distance(n uint32) (ahead, back uint32) {
	const far = math.MaxUint32
	switch {
	case w.Unsecured:
		return n - w.max, w.max - n // modulo 2^32
	case n > w.max:
		return n - w.max, far
	case n < w.max:
		return far, w.max - n
	}
	return 0, 0
}

// Fresh reports whether a message is new. It changes nothing: call Mark when
// the message was found authentic and is taken.
func (w *Window) Fresh(n uint32) bool {
	if !w.any {
		return n > 0 || w.Unsecured
	}
	ahead, back := w.distance(n)
	switch {
	case ahead == 0:
		return false
	case back <= windowSize:
		return w.bits&(1<<(back-1)) == 0
	}
	return w.Unsecured || n > w.max
}

// Newest reports whether a fresh message is ahead of all others, so that it
// tells where its sender is now.
func (w *Window) Newest(n uint32) bool {
	_, back := w.distance(n)
	return !w.any || back > windowSize
}

// Mark notes that the fresh message n came.
func (w *Window) Mark(n uint32) {
	if !w.any {
		w.any, w.max = true, n
		return
	}
	ahead, back := w.distance(n)
	switch {
	case ahead == 0:
	case back <= windowSize:
		w.bits |= 1 << (back - 1)
	case ahead <= windowSize:
		w.max, w.bits = n, w.bits<<ahead|1<<(ahead-1)
	default:
		w.max, w.bits = n, 0
	}
}
