package im

import (
	"errors"
	"iter"

	"threadmap/tlv"
)

// The bounds of an Assembly.
const (
	DefaultMaxBytes      = 1 << 20 // of all values together
	DefaultMaxAttributes = 8192
	maxEntries           = 4096 // of one list that comes in pieces
	maxMessages          = 8192 // of one transaction
)

// Errors of single attributes in an Assembly.
var (
	ErrInconsistent = errors.New("the list changed while it was sent in pieces: read it again")
	ErrNoBase       = errors.New("an entry was added to a list that was not sent: read it again")
	ErrNumbered     = errors.New("an entry of a list was sent by its number, which no revision of Matter does")
	ErrLongList     = errors.New("the list has too many entries")
	ErrCut          = errors.New("the report ended early and the list may lack entries: read it again")
)

// Errors of a whole transaction.
var (
	ErrTooLarge = errors.New("the report is too large: ask for less at a time")
	ErrTooMany  = errors.New("the report has too many attributes: ask for less at a time")
	ErrEndless  = errors.New("the report does not end: ask for less at a time")
)

// An Assembly keeps the attributes of one report transaction, from its first
// ReportData to the last, and puts lists together that come in pieces. Of an
// attribute that is reported again the last report counts. It copies what it
// keeps: payloads can be used again.
//
// The zero Assembly is ready.
type Assembly struct {
	MaxBytes      int // 0: DefaultMaxBytes
	MaxAttributes int // 0: DefaultMaxAttributes

	reader   ReportReader
	index    map[Path]int
	values   []assembled
	bytes    int // of all Data
	messages int
	last     int // the value that was reported last, counted from 1; 0: the transaction is over
}

// A Value is what a report transaction said of one attribute.
type Value struct {
	Path    Path
	Version Opt[uint32]
	Data    []byte // one anonymous TLV element; nil: Result or Err tell why
	Result  Result
	Err     error // the pieces make no list: the attribute is best read again
}

type assembled struct {
	Value
	entries int // of a list that had pieces added, -1: not counted yet
}

// Add takes one ReportData. Events are passed on; their Data is part of the
// payload. A nil event ignores them. After an error the message must be
// refused, but what came before it is kept.
func (a *Assembly) Add(payload []byte, event func(EventReport)) (ReportInfo, error) {
	if a.messages++; a.messages > maxMessages {
		return ReportInfo{}, ErrEndless
	}
	r := &a.reader
	r.Reset(payload)
	for r.Next() {
		if r.isEvent {
			if event != nil {
				event(r.event)
			}
			continue
		}
		if err := a.report(&r.attr); err != nil {
			return r.info, err
		}
	}
	info, err := r.End()
	if err == nil && !info.More {
		a.last = 0
	}
	return info, err
}

// report takes one report. Its error means that the bounds are reached.
func (a *Assembly) report(r *AttributeReport) error {
	if a.index == nil {
		a.index = make(map[Path]int, 64)
	}
	i, known := a.index[r.Path]
	if !known {
		if len(a.values) >= limitOr(a.MaxAttributes, DefaultMaxAttributes) {
			return ErrTooMany
		}
		i = len(a.values)
		a.index[r.Path] = i
		a.values = append(a.values, assembled{Value: Value{Path: r.Path}})
	}
	a.last = i + 1
	v := &a.values[i]
	if r.Data == nil || r.Index == WholeValue {
		return a.replace(v, r)
	}
	return a.appendTo(v, r)
}

func limitOr(limit, otherwise int) int {
	if limit == 0 {
		return otherwise
	}
	return limit
}

// replace makes r all that is known of its attribute.
func (a *Assembly) replace(v *assembled, r *AttributeReport) error {
	if a.bytes-len(v.Data)+len(r.Data) > limitOr(a.MaxBytes, DefaultMaxBytes) {
		return ErrTooLarge
	}
	a.bytes -= len(v.Data)
	data := v.Data[:0]
	*v = assembled{Value: Value{Path: r.Path, Version: r.Version, Result: r.Result}, entries: -1}
	if r.Data != nil {
		v.Data = appendAnonymous(data, r.Data)
		v.Result = Result{}
	}
	a.bytes += len(v.Data)
	return nil
}

// appendTo adds one entry to a list.
func (a *Assembly) appendTo(v *assembled, r *AttributeReport) error {
	if v.Err != nil {
		return nil
	}
	switch {
	case r.Index != AppendEntry:
		a.spoil(v, ErrNumbered)
		return nil
	case len(v.Data) == 0 || v.Data[0] != arrayStart:
		a.spoil(v, ErrNoBase)
		return nil
	case r.Version.known && v.Version.known && r.Version != v.Version:
		a.spoil(v, ErrInconsistent)
		return nil
	}
	if v.entries < 0 {
		v.entries = countEntries(v.Data)
	}
	if v.entries++; v.entries > maxEntries {
		a.spoil(v, ErrLongList)
		return nil
	}
	if a.bytes+len(r.Data) > limitOr(a.MaxBytes, DefaultMaxBytes) {
		return ErrTooLarge
	}
	a.bytes -= len(v.Data)
	v.Data = append(appendAnonymous(v.Data[:len(v.Data)-1], r.Data), arrayEnd)
	a.bytes += len(v.Data)
	return nil
}

// spoil gives an attribute up until it is reported whole again.
func (a *Assembly) spoil(v *assembled, err error) {
	a.bytes -= len(v.Data)
	v.Data, v.Err = nil, err
}

// The bytes around the entries of an anonymous array.
const (
	arrayStart = 0x16
	arrayEnd   = 0x18
)

// appendAnonymous appends element, which a decoder has found to be one, without
// its tag.
func appendAnonymous(b, element []byte) []byte {
	tagBytes := [8]int{0, 1, 2, 4, 2, 4, 6, 8}
	b = append(b, element[0]&0x1F)
	return append(b, element[1+tagBytes[element[0]>>5]:]...)
}

func countEntries(array []byte) (n int) {
	d := tlv.NewDecoder(array)
	d.Next()
	d.Enter()
	for d.Next() {
		n++
	}
	return n
}

// Cut is for a transaction that ended before its last message: a list that came
// last may have more entries, and its Value gets [ErrCut]. Otherwise it does
// nothing.
func (a *Assembly) Cut() {
	if a.last == 0 {
		return
	}
	if v := &a.values[a.last-1]; len(v.Data) > 0 && v.Data[0] == arrayStart {
		a.spoil(v, ErrCut)
	}
}

// Len returns the number of attributes.
func (a *Assembly) Len() int { return len(a.values) }

// Values returns the attributes in the order in which they came first. Their
// Data belongs to a.
func (a *Assembly) Values() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for i := range a.values {
			if !yield(a.values[i].Value) {
				return
			}
		}
	}
}

// Value returns what was said of one attribute; ok is false where nothing was.
func (a *Assembly) Value(p Path) (v Value, ok bool) {
	i, ok := a.index[p]
	if !ok {
		return Value{Path: p}, false
	}
	return a.values[i].Value, true
}
