package cluster

import (
	"fmt"

	"threadmap/tlv"
)

// maxRowFields is how many fields the struct of a table's row can have here:
// NeighborTableStruct has 14, 0 to 13.
const maxRowFields = 14

// A row is a row of a table by field ids, wherever it comes from. Fields of
// other types than numbers, booleans and null have a kind only.
type row [maxRowFields]tlv.Scalar

func signed(c tlv.Scalar) (int64, bool) {
	return int64(c.Bits), c.Kind == tlv.Int || c.Kind == tlv.Uint && int64(c.Bits) >= 0
}

func boolean(c tlv.Scalar) (on, ok bool) { return c.Bits != 0, c.Kind == tlv.Bool }

// fromValue fills w; of fields with equal ids the first counts, as for Field.
func (w *row) fromValue(v Value) {
	*w = row{}
	for _, f := range v.fields {
		if f.ID < maxRowFields && w[f.ID].Kind == tlv.None {
			w[f.ID] = scalar(f.Value)
		}
	}
}

// scalar is v as a field of a row.
func scalar(v Value) tlv.Scalar {
	switch v.kind {
	case KindAbsent:
		return tlv.Scalar{}
	case KindNull:
		return tlv.Scalar{Kind: tlv.Null}
	case KindUint:
		return tlv.Scalar{Kind: tlv.Uint, Bits: v.num}
	case KindInt:
		return tlv.Scalar{Kind: tlv.Int, Bits: v.num}
	case KindBool:
		return tlv.Scalar{Kind: tlv.Bool, Bits: v.num}
	}
	return tlv.Scalar{Kind: tlv.Octets}
}

// rowsIn is about how many rows a table has, from the octets that a row takes,
// to make room for.
func rowsIn(val Value, octets int) int { return min(len(val.raw)/octets, maxRows) }

// eachRow calls f with every row of a table that is a struct. It is false
// where no table was told.
func (r *reader) eachRow(val Value, table string, f func(i int, w *row)) bool {
	if val.raw != nil {
		r.eachRawRow(val.raw, table, f)
		return true
	}
	rows := r.list(val, maxRows, table)
	if rows == nil {
		return false
	}
	var w row
	for i := range rows {
		if rows[i].kind != KindStruct {
			r.problem("%s row %d is no struct: skipped", table, i+1)
			continue
		}
		w.fromValue(rows[i])
		f(i, &w)
	}
	return true
}

// eachRawRow is eachRow for the TLV of a table.
func (r *reader) eachRawRow(raw []byte, table string, f func(i int, w *row)) {
	d := tlv.NewDecoder(raw)
	d.Next()
	d.EnterKind(tlv.Array)
	var w row
	for i := 0; d.Next(); i++ {
		if i == maxRows {
			n := i
			for ok := true; ok; ok = d.Next() {
				n++
			}
			r.problem("%s has %d elements: only the first %d are read", table, n, maxRows)
			break
		}
		if d.Kind() != tlv.Struct {
			r.problem("%s row %d is no struct: skipped", table, i+1)
			continue
		}
		if d.Scalars(w[:]); d.Err() != nil {
			r.problem("%s row %d and all after it can't be read: %v", table, i+1, d.Err())
			return
		}
		f(i, &w)
	}
	d.Leave()
	if d.Next() {
		r.problem("%s: something follows the table", table)
	}
	if d.Err() != nil {
		r.problem("%s ends early: %v", table, d.Err())
	}
}

// rowNumber reads one integer field of a table's row.
func (r *reader) rowNumber(c tlv.Scalar, limit uint64, table string, i int, name string) (uint64, bool) {
	if v, ok := c.Uint(); ok && v <= limit {
		return v, true
	}
	if c.Kind != tlv.None && c.Kind != tlv.Null {
		r.problem("%s: %s is no number of 0..%d: left out", rowName(table, i), name, limit)
	}
	return 0, false
}

func rowName(table string, i int) string { return fmt.Sprintf("%s row %d", table, i+1) }
