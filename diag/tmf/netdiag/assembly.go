package netdiag

import (
	"errors"
	"fmt"
	"slices"
)

// Bounds of an answer. OpenThread closes a message once it has 800 octets, so
// the 511 children that one router can have take some 30.
const (
	maxMessages = 64
	maxGathered = 64 << 10 // octets
)

// An Assembly puts together the messages (d/da) with which one node answers
// one query, in whatever order and however often they come. Its zero value is
// ready; the messages must be of one node and one Query ID.
type Assembly struct {
	parts map[uint16][]TLV
	last  int  // index of the last message
	known bool // last is known
	top   int  // the largest index that is there
	size  int
}

// Add takes the TLVs of one message; they are kept, so their octets must not be
// changed. A message without an Answer TLV is the only one. fresh is false for
// a message that was there already.
func (a *Assembly) Add(tlvs []TLV) (fresh bool, err error) {
	place := Answer{Last: true}
	if v, ok := Find(tlvs, TypeAnswer); ok {
		if place, err = ParseAnswer(v); err != nil {
			return false, err
		}
	}
	if _, ok := a.parts[place.Index]; ok {
		return false, nil
	}
	n := 0
	for _, t := range tlvs {
		n += len(t.Value) + 4
	}
	if place.Index >= maxMessages || a.size+n > maxGathered {
		return false, fmt.Errorf("answer of more than %d messages or %d octets", maxMessages, maxGathered)
	}
	if a.known && (place.Last || int(place.Index) > a.last) || place.Last && int(place.Index) < a.top {
		return false, errors.New("answer with a message after its last one")
	}
	if a.parts == nil {
		a.parts = map[uint16][]TLV{}
	}
	a.parts[place.Index] = tlvs
	a.size += n
	a.top = max(a.top, int(place.Index))
	if place.Last {
		a.last, a.known = int(place.Index), true
	}
	return true, nil
}

// Complete reports whether all messages are there, from the first to the one
// that says it is the last.
func (a *Assembly) Complete() bool { return a.known && len(a.parts) == a.last+1 }

// Started reports whether any message is there.
func (a *Assembly) Started() bool { return len(a.parts) > 0 }

// TLVs are those of the messages that are there, in the order of their index,
// without Query ID and Answer.
func (a *Assembly) TLVs() []TLV {
	var out []TLV
	index := make([]uint16, 0, len(a.parts))
	for i := range a.parts {
		index = append(index, i)
	}
	slices.Sort(index)
	for _, i := range index {
		for _, t := range a.parts[i] {
			if t.Type != TypeQueryID && t.Type != TypeAnswer {
				out = append(out, t)
			}
		}
	}
	return out
}
