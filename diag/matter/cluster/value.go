package cluster

import "math"

// A Kind is what a [Value] holds.
type Kind uint8

// The kinds. The zero Kind is that of a value that is not there.
const (
	KindAbsent Kind = iota
	KindNull
	KindUint
	KindInt // negative integers, and those declared signed
	KindBool
	KindFloat
	KindText
	KindOctets
	KindList
	KindStruct
)

// A Value is one Matter attribute value, or a part of one. Integers are exact
// over 64 bits. The zero Value is absent, which is not the same as null.
type Value struct {
	kind   Kind
	num    uint64 // integer, bool, or the bits of a float
	text   string // text or octets
	list   []Value
	fields []Field
	raw    []byte // a table as TLV; list is not filled then
}

// A Field is one field of a struct, by its context tag.
type Field struct {
	ID    uint32
	Value Value
}

// Null is the value null.
func Null() Value { return Value{kind: KindNull} }

// Uint is an unsigned integer.
func Uint(v uint64) Value { return Value{kind: KindUint, num: v} }

// Int is a signed integer.
func Int(v int64) Value { return Value{kind: KindInt, num: uint64(v)} }

// Bool is a boolean.
func Bool(v bool) Value {
	if v {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Float is a single or double.
func Float(v float64) Value { return Value{kind: KindFloat, num: math.Float64bits(v)} }

// Text is a UTF-8 string.
func Text(v string) Value { return Value{kind: KindText, text: v} }

// Octets is an octet string. b is copied.
func Octets(b []byte) Value { return Value{kind: KindOctets, text: string(b)} }

// List is an array or list. The slice is kept.
func List(v ...Value) Value { return Value{kind: KindList, list: v} }

// Struct is a structure. The slice is kept.
func Struct(f ...Field) Value { return Value{kind: KindStruct, fields: f} }

// Kind says what v holds.
func (v Value) Kind() Kind { return v.kind }

// Present reports whether v says something: it is neither absent nor null.
func (v Value) Present() bool { return v.kind > KindNull }

// Uint returns an integer that fits an unsigned 64-bit one.
func (v Value) Uint() (uint64, bool) {
	switch v.kind {
	case KindUint:
		return v.num, true
	case KindInt:
		return v.num, int64(v.num) >= 0
	}
	return 0, false
}

// Int returns an integer that fits a signed 64-bit one.
func (v Value) Int() (int64, bool) {
	switch v.kind {
	case KindInt:
		return int64(v.num), true
	case KindUint:
		return int64(v.num), v.num <= math.MaxInt64
	}
	return 0, false
}

// Bool returns a boolean.
func (v Value) Bool() (on, ok bool) { return v.num != 0, v.kind == KindBool }

// Float returns a floating point number.
func (v Value) Float() (float64, bool) {
	return math.Float64frombits(v.num), v.kind == KindFloat
}

// Text returns a string.
func (v Value) Text() (string, bool) { return v.text, v.kind == KindText }

// Octets returns an octet string.
func (v Value) Octets() ([]byte, bool) {
	if v.kind != KindOctets {
		return nil, false
	}
	return []byte(v.text), true
}

// List returns the elements of a list. The slice must not be changed.
func (v Value) List() ([]Value, bool) {
	if v.raw != nil {
		return v.rows()
	}
	return v.list, v.kind == KindList
}

// Field returns the struct's field with that id; absent where v has none or is
// no struct.
func (v Value) Field(id uint32) Value {
	for _, f := range v.fields {
		if f.ID == id {
			return f.Value
		}
	}
	return Value{}
}
