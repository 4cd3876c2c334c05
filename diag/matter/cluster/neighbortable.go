package cluster

import (
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/tlv"
)

// Fields of NeighborTableStruct.
const (
	neighborExtAddress = iota
	neighborAge
	neighborRloc16
	neighborLinkFrameCounter
	neighborMleFrameCounter
	neighborLQI
	neighborAverageRssi
	neighborLastRssi
	neighborFrameErrorRate
	neighborMessageErrorRate
	neighborRxOnWhenIdle
	neighborFullThreadDevice
	neighborFullNetworkData
	neighborIsChild
)

// neighborTable reads NeighborTable (0x0007): rows with IsChild are the child
// table, others the routers that a full device hears, or the parent of an MTD.
// An MTD has no child table, so its Children stay unknown, as do those of a node
// that may be one and shows none.
func neighborTable(r *reader, rep *diag.Report) {
	val, p := r.value(threadNeighborTable)
	children, neighbors, told := r.neighbors(val, p.String()+" NeighborTable")
	if !told {
		return
	}
	rep.Neighbors = neighbors
	if full(rep) || len(children) > 0 {
		rep.Children = children
	}
}

// DecodeNeighborTable reads NeighborTable as it stands in an Interaction Model
// report: rows with IsChild and the others. Whether no child means that there
// is none, or that the node has no child table, depends on its role. A table
// that breaks off gives its first rows and a problem.
func DecodeNeighborTable(element []byte) (children, neighbors []diag.Neighbor, problems []string, err error) {
	if err := checkTable(element); err != nil {
		return nil, nil, nil, err
	}
	var r reader
	children, neighbors, _ = r.neighbors(Value{kind: KindList, raw: element}, "NeighborTable")
	return children, neighbors, r.problems, nil
}

// neighbors reads the rows of a table; told is false where there is none.
func (r *reader) neighbors(val Value, table string) (children, neighbors []diag.Neighbor, told bool) {
	s := sorting{children: []diag.Neighbor{}, neighbors: []diag.Neighbor{}}
	told = r.eachRow(val, table, func(i int, w *row) {
		x, hasX := r.rowNumber(w[neighborExtAddress], 1<<64-1, table, i, "ExtAddress")
		var rloc diag.RLOC16
		if v, known := r.rowNumber(w[neighborRloc16], 1<<16-1, table, i, "Rloc16"); known {
			rloc = diag.MakeRLOC16(uint16(v))
		}
		if (!hasX || x == 0) && !rloc.Known() {
			r.problem("%s has neither ExtAddress nor Rloc16: skipped", rowName(table, i))
			return
		}
		child, known := boolean(w[neighborIsChild])
		if !known {
			r.problem("%s: IsChild is missing: skipped, since it can't be said whether it is a child or a neighbor", rowName(table, i))
			return
		}
		n := s.next(child)
		n.ExtAddr, n.RLOC16 = diag.ExtAddr(x), rloc
		r.neighbor(n, w, table, i)
	})
	s.flush()
	return s.children, s.neighbors, told
}

// A sorting parts the rows of a table into two. It first keeps some of them on
// the stack: then it is known how much room each kind needs, and few tables have
// more rows.
type sorting struct {
	children, neighbors []diag.Neighbor
	rows                [64]diag.Neighbor
	child               [64]bool
	n, nChildren        int // of rows
}

// next is where the next row goes, zero. It is good until next is called again.
func (s *sorting) next(child bool) *diag.Neighbor {
	if s.n == len(s.rows) {
		s.flush()
	}
	s.child[s.n] = child
	if child {
		s.nChildren++
	}
	s.n++
	return &s.rows[s.n-1]
}

// flush puts the rows where they belong.
func (s *sorting) flush() {
	s.children = slices.Grow(s.children, s.nChildren)
	s.neighbors = slices.Grow(s.neighbors, s.n-s.nChildren)
	for i := range s.n {
		if s.child[i] {
			s.children = append(s.children, s.rows[i])
		} else {
			s.neighbors = append(s.neighbors, s.rows[i])
		}
		s.rows[i] = diag.Neighbor{}
	}
	s.n, s.nChildren = 0, 0
}

// more appends a zero row to a table.
func more[T any](rows []T) ([]T, *T) {
	var zero T
	rows = append(rows, zero)
	return rows, &rows[len(rows)-1]
}

// neighbor fills in what a row says besides who it is about.
func (r *reader) neighbor(n *diag.Neighbor, w *row, table string, i int) {
	if v, known := r.rowNumber(w[neighborAge], 1<<32-1, table, i, "Age"); known {
		n.Age = diag.Some(time.Duration(v) * time.Second)
	}
	if v, known := r.rowNumber(w[neighborLinkFrameCounter], 1<<32-1, table, i, "LinkFrameCounter"); known {
		n.LinkFrameCounter = diag.Some(uint32(v))
	}
	if v, known := r.rowNumber(w[neighborMleFrameCounter], 1<<32-1, table, i, "MleFrameCounter"); known {
		n.MLEFrameCounter = diag.Some(uint32(v))
	}
	// The data model allows 0..255, but what is sent is Thread's link quality
	// 0..3. A larger number is on a scale that is not known.
	if v, known := r.rowNumber(w[neighborLQI], 3, table, i, "LQI"); known {
		n.LinkQualityIn = diag.Some(uint8(v))
	}
	n.AverageRSSI = rssi(w[neighborAverageRssi])
	n.LastRSSI = rssi(w[neighborLastRssi])
	if v, known := r.rowNumber(w[neighborFrameErrorRate], 100, table, i, "FrameErrorRate"); known {
		n.FrameErrorRate = diag.Some(diag.RateFromPercent(v))
	}
	if v, known := r.rowNumber(w[neighborMessageErrorRate], 100, table, i, "MessageErrorRate"); known {
		n.MessageErrorRate = diag.Some(diag.RateFromPercent(v))
	}
	rx, ok1 := boolean(w[neighborRxOnWhenIdle])
	ftd, ok2 := boolean(w[neighborFullThreadDevice])
	data, ok3 := boolean(w[neighborFullNetworkData])
	if ok1 && ok2 && ok3 {
		n.Mode = diag.Some(diag.Mode{RxOnWhenIdle: rx, FullThreadDevice: ftd, FullNetworkData: data})
	}
}

// rssi reads dBm. Null is "no sample"; some builds leak OpenThread's own word
// for that, 127, and no receiver hears more than 0 dBm.
func rssi(c tlv.Scalar) diag.Opt[int8] {
	v, ok := signed(c)
	if !ok || v < -128 || v > 0 {
		return diag.Opt[int8]{}
	}
	return diag.Some(int8(v))
}
