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
type row [maxRowFields]cell

// A cell is a field of a row.
type cell struct {
	kind Kind
	num  uint64
}

func (c cell) uint() (uint64, bool) { return Value{kind: c.kind, num: c.num}.Uint() }

func (c cell) int() (int64, bool) { return Value{kind: c.kind, num: c.num}.Int() }

func (c cell) bool() (on, ok bool) { return c.num != 0, c.kind == KindBool }

// fromValue fills w; of fields with equal ids the first counts, as for Field.
func (w *row) fromValue(v Value) {
	*w = row{}
	for _, f := range v.fields {
		if f.ID < maxRowFields && w[f.ID].kind == KindAbsent {
			w[f.ID] = cell{f.Value.kind, f.Value.num}
		}
	}
}

// fromTLV fills w from the structure at d.
func (w *row) fromTLV(d *tlv.Decoder) {
	var fields [maxRowFields]tlv.Scalar
	d.Scalars(fields[:])
	for i, f := range &fields {
		w[i] = cell{kindOf(f.Kind), f.Bits}
	}
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
		if w.fromTLV(&d); d.Err() != nil {
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
func (r *reader) rowNumber(c cell, limit uint64, table string, i int, name string) (uint64, bool) {
	if c.kind <= KindNull {
		return 0, false
	}
	v, ok := c.uint()
	if !ok || v > limit {
		r.problem("%s: %s is no number of 0..%d: left out", rowName(table, i), name, limit)
		return 0, false
	}
	return v, true
}

func rowName(table string, i int) string { return fmt.Sprintf("%s row %d", table, i+1) }
