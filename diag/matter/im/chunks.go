package im

import (
	"errors"
	"fmt"

	"threadmap/tlv"
)

// A Chunking is how a list that does not fit into a message is sent.
type Chunking uint8

// The ways seen in the field.
const (
	EmptyThenAppend Chunking = iota // an empty array, then every entry by itself (connectedhomeip)
	FirstThenAppend                 // as many entries as fit, then the others one by one (matter.js)
)

// ReportOptions say how reports become messages.
type ReportOptions struct {
	Subscription Opt[uint32]
	// SuppressResponse is for the last message: the end of a read wants no
	// StatusResponse, a subscription's does. The others always want one.
	SuppressResponse bool
	Limit            int // bytes of one message; 0: DefaultLimit
	Chunking         Chunking
}

// DefaultLimit is what always fits into an IPv6 packet of 1280 bytes: less the
// headers of IP and UDP (48), of message and protocol at their longest (38)
// and the MIC (16).
const DefaultLimit = 1280 - 48 - 38 - 16

// aroundReports is what a message needs besides its reports: structure,
// subscription id, two arrays, two flags, revision.
const aroundReports = 2 + 6 + 6 + 4 + 3

var errLimit = errors.New("the limit of a message is too small")

// EncodeReports makes the ReportData messages that carry the reports, in their
// order, attributes before events. There is always at least one message. A
// list is cut where it does not fit; anything else that does not fit into a
// message of its own is an error.
func EncodeReports(o ReportOptions, attributes []AttributeReport, events []EventReport) ([][]byte, error) {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	c := chunker{options: o, room: o.Limit - aroundReports}
	if c.room <= 0 {
		return nil, errLimit
	}
	for i := range attributes {
		c.attribute(&attributes[i])
	}
	for i := range events {
		c.add(func(e *tlv.Encoder) { events[i].encode(e) }, true, "an event")
	}
	c.flush(false)
	return c.out, c.err
}

type chunker struct {
	options            ReportOptions
	room               int // bytes for reports in one message
	out                [][]byte
	err                error
	size               int // of the reports of the message at hand
	attributes, events [][]byte
}

// element encodes one report.
func (c *chunker) element(put func(*tlv.Encoder)) []byte {
	var e tlv.Encoder
	put(&e)
	b, err := e.Bytes()
	if err != nil && c.err == nil {
		c.err = err
	}
	return b
}

// add puts a report into the message at hand, or into a new one.
func (c *chunker) add(put func(*tlv.Encoder), event bool, what string) {
	b := c.element(put)
	if c.err != nil {
		return
	}
	if len(b) > c.room {
		c.err = fmt.Errorf("%s needs %d bytes: more than the %d of a message", what, len(b), c.room)
		return
	}
	if c.size+len(b) > c.room {
		c.flush(true)
	}
	c.size += len(b)
	if event {
		c.events = append(c.events, b)
	} else {
		c.attributes = append(c.attributes, b)
	}
}

func (c *chunker) addAttribute(a *AttributeReport) {
	c.add(func(e *tlv.Encoder) { a.encode(e) }, false, "attribute "+a.Path.String())
}

// attribute adds a, cut where needed.
func (c *chunker) attribute(a *AttributeReport) {
	if c.err != nil {
		return
	}
	entries, list := listEntries(a)
	size := len(c.element(func(e *tlv.Encoder) { a.encode(e) }))
	if !list || c.size+size <= c.room || c.options.Chunking == FirstThenAppend && size <= c.room {
		c.addAttribute(a)
		return
	}
	first := 0
	base := *a
	base.Data = arrayOf(nil)
	if c.options.Chunking == FirstThenAppend {
		if c.size > 0 {
			c.flush(true)
		}
		size = len(c.element(func(e *tlv.Encoder) { base.encode(e) }))
		for first < len(entries) && size+len(entries[first]) <= c.room {
			size += len(entries[first])
			first++
		}
		base.Data = arrayOf(entries[:first])
	}
	c.addAttribute(&base)
	for _, entry := range entries[first:] {
		one := *a
		one.Index, one.Data = AppendEntry, entry
		c.addAttribute(&one)
	}
}

// listEntries takes apart the value of a where it is an array and whole.
func listEntries(a *AttributeReport) (entries [][]byte, ok bool) {
	if a.Data == nil || a.Index != WholeValue {
		return nil, false
	}
	d := tlv.NewDecoder(a.Data)
	if !d.Next() || d.Kind() != tlv.Array {
		return nil, false
	}
	d.Enter()
	for d.Next() {
		entries = append(entries, d.Raw())
	}
	return entries, d.Err() == nil
}

// arrayOf is an anonymous array of elements.
func arrayOf(entries [][]byte) []byte {
	var e tlv.Encoder
	e.Array(tlv.Anonymous)
	for _, b := range entries {
		e.PutElement(tlv.Anonymous, b)
	}
	e.End()
	b, err := e.Bytes()
	if err != nil {
		panic(err) // entries come out of a decoder
	}
	return b
}

// flush ends the message at hand.
func (c *chunker) flush(more bool) {
	if c.err != nil {
		return
	}
	b, err := message(func(e *tlv.Encoder) {
		putOpt(e, 0, c.options.Subscription)
		for i, reports := range [][][]byte{c.attributes, c.events} {
			if len(reports) == 0 {
				continue
			}
			e.Array(tlv.Context(uint8(1 + i)))
			for _, r := range reports {
				e.PutElement(tlv.Anonymous, r)
			}
			e.End()
		}
		if more {
			e.PutBool(tlv.Context(3), true)
		} else if c.options.SuppressResponse {
			e.PutBool(tlv.Context(4), true)
		}
	})
	c.err = err
	c.out = append(c.out, b)
	c.size, c.attributes, c.events = 0, nil, nil
}
