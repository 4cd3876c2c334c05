package topology

// An arena cuts small slices out of large ones: thousands of single ones would
// keep the collector busy.
type arena[T any] struct{ block []T }

// take is an empty slice with room for n. What is appended beyond that moves to a
// slice of its own, so that neighbors never share.
func (a *arena[T]) take(n int) []T {
	if n > len(a.block) {
		a.block = make([]T, max(n, arenaSize))
	}
	out := a.block[:0:n]
	a.block = a.block[n:]
	return out
}

const arenaSize = 256
