package cluster

import (
	"bytes"
	"errors"

	"threadmap/tlv"
)

// Bounds of one attribute's TLV.
const (
	maxElementBytes = 1 << 20
	maxElements     = 4096
	maxElementDepth = 8
)

// Add decodes one attribute as it stands in an Interaction Model report, under
// whatever tag, where [Reads] says that it is of use. The element is copied.
func (a Attributes) Add(p Path, element []byte) error {
	if !Reads(p) {
		return nil
	}
	v, err := FromTLV(p, element)
	if err != nil {
		return err
	}
	a[p] = v
	return nil
}

// FromTLV decodes the TLV element that is the value of p, whatever its tag is.
// Tables are checked and kept as they are, and read row by row when a report
// is made of them.
func FromTLV(p Path, element []byte) (Value, error) {
	if len(element) > maxElementBytes {
		return Value{}, errTooLarge
	}
	if err := tlv.Check(element); err != nil {
		return Value{}, err
	}
	d := tlv.NewDecoder(element)
	d.Next()
	if p.Cluster == ThreadNetworkDiagnostics && (p.Attribute == threadNeighborTable || p.Attribute == threadRouteTable) && d.Kind() == tlv.Array {
		return Value{kind: KindList, raw: bytes.Clone(element)}, nil
	}
	left := maxElements
	v := fromTLV(&d, 0, &left)
	if err := d.Err(); err != nil {
		return Value{}, err
	}
	return v, nil
}

var (
	errTooLarge = errors.New("is too large or too deep")
	errNoTable  = errors.New("is no list")
)

// checkTable reports whether element is one that a table can be. Its rows are
// looked at one by one.
func checkTable(element []byte) error {
	if len(element) > maxElementBytes {
		return errTooLarge
	}
	d := tlv.NewDecoder(element)
	if d.Next() && d.Kind() == tlv.Array {
		return nil
	}
	if d.Err() != nil {
		return d.Err()
	}
	return errNoTable
}

func kindOf(k tlv.Kind) Kind {
	return [...]Kind{
		tlv.None: KindAbsent, tlv.Int: KindInt, tlv.Uint: KindUint, tlv.Bool: KindBool,
		tlv.Float32: KindFloat, tlv.Float64: KindFloat, tlv.Text: KindText, tlv.Octets: KindOctets,
		tlv.Null: KindNull, tlv.Struct: KindStruct, tlv.Array: KindList, tlv.List: KindList,
	}[k]
}

// fromTLV converts the current element of d.
func fromTLV(d *tlv.Decoder, depth int, left *int) Value {
	if *left--; *left < 0 || depth > maxElementDepth {
		d.Fail(errTooLarge)
		return Value{}
	}
	switch kindOf(d.Kind()) {
	case KindInt:
		return Int(d.Int())
	case KindUint:
		return Uint(d.Uint())
	case KindBool:
		return Bool(d.Bool())
	case KindFloat:
		return Float(d.Float())
	case KindText:
		return Text(tlv.Display(d.Text()))
	case KindOctets:
		return Octets(d.Octets())
	case KindNull:
		return Null()
	case KindStruct:
		fields := []Field{}
		d.Enter()
		for d.Next() {
			if n, ok := d.Tag().Context(); ok { // others are a maker's own
				fields = append(fields, Field{ID: uint32(n), Value: fromTLV(d, depth+1, left)})
			}
		}
		d.Leave()
		return Struct(fields...)
	case KindList:
		list := []Value{}
		d.Enter()
		for d.Next() {
			list = append(list, fromTLV(d, depth+1, left))
		}
		d.Leave()
		return List(list...)
	}
	return Value{}
}

// rows decodes a table that was kept as TLV.
func (v Value) rows() ([]Value, bool) {
	d := tlv.NewDecoder(v.raw)
	d.Next()
	left := maxRows * (maxRowFields + 8)
	l := fromTLV(&d, 0, &left)
	return l.list, d.Err() == nil && l.kind == KindList
}
