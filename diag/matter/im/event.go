package im

import (
	"math"

	"threadmap/tlv"
)

// An EventReport is an event, or why there is none (EventReportIB, Core
// 10.6.9).
type EventReport struct {
	Endpoint uint16
	Cluster  uint32
	Event    uint32
	Number   uint64 // rises over the node's life, over reboots too
	Priority uint8  // 0 debug, 1 info, 2 critical
	Time     EventTime
	Data     []byte // a TLV structure under whatever tag; nil: there is none
	IsStatus bool   // there is no event: Result tells why
	Result   Result
}

// An EventTime is when an event happened.
type EventTime struct {
	Clock        Clock
	Milliseconds uint64
}

// A Clock is what the time of an event counts from.
type Clock uint8

// The clocks.
const (
	NoClock     Clock = iota // no time was told
	UnixClock                // 1970-01-01 UTC
	SystemClock              // the node's start
)

// An eventClock turns the times of events that are told as distances from the
// event before into times.
type eventClock struct{ last EventTime }

func (c *eventClock) at(clock Clock, ms uint64) EventTime {
	c.last = EventTime{clock, ms}
	return c.last
}

func (c *eventClock) after(clock Clock, ms uint64) EventTime {
	if c.last.Clock != clock || ms > math.MaxUint64-c.last.Milliseconds {
		c.last = EventTime{} // a distance from something that was not told
		return c.last
	}
	c.last.Milliseconds += ms
	return c.last
}

// decodeEvent reads the current EventReportIB.
func decodeEvent(d *tlv.Decoder, clock *eventClock) (r EventReport) {
	kinds := 0
	members(d, tlv.Struct, 0, func(n int) {
		switch n {
		case 0:
			kinds++
			r.IsStatus = true
			r.status(d)
		case 1:
			kinds++
			r.data(d, clock)
		}
	})
	if kinds != 1 {
		d.Fail(errBoth)
	}
	return r
}

// status reads an EventStatusIB.
func (r *EventReport) status(d *tlv.Decoder) {
	members(d, tlv.Struct, 1<<0|1<<1, func(n int) {
		switch n {
		case 0:
			r.path(d)
		case 1:
			r.Result = decodeResult(d)
		}
	})
}

// path reads an EventPathIB of a report. That of a status may have wildcards,
// which are then zero.
func (r *EventReport) path(d *tlv.Decoder) {
	p := decodeEventPath(d)
	if !r.IsStatus && !(p.Endpoint.known && p.Cluster.known && p.Event.known) {
		d.Fail(errMissing)
	}
	r.Endpoint, r.Cluster, r.Event = p.Endpoint.v, p.Cluster.v, p.Event.v
}

// data reads an EventDataIB.
func (r *EventReport) data(d *tlv.Decoder, clock *eventClock) {
	members(d, tlv.Struct, 1<<0|1<<1, func(n int) {
		switch n {
		case 0:
			r.path(d)
		case 1:
			r.Number = d.Uint()
		case 2:
			r.Priority = d.Uint8()
		case 3:
			r.Time = clock.at(UnixClock, d.Uint())
		case 4:
			r.Time = clock.at(SystemClock, d.Uint())
		case 5:
			r.Time = clock.after(UnixClock, d.Uint())
		case 6:
			r.Time = clock.after(SystemClock, d.Uint())
		case 7:
			r.Data = d.Raw()
		}
	})
}

// encode puts an EventReportIB.
func (r *EventReport) encode(e *tlv.Encoder) {
	path := func() {
		e.List(tlv.Context(0))
		e.PutUint(tlv.Context(1), uint64(r.Endpoint))
		e.PutUint(tlv.Context(2), uint64(r.Cluster))
		e.PutUint(tlv.Context(3), uint64(r.Event))
		e.End()
	}
	e.Struct(tlv.Anonymous)
	if r.IsStatus {
		e.Struct(tlv.Context(0))
		path()
		r.Result.encode(e, tlv.Context(1))
	} else {
		e.Struct(tlv.Context(1))
		path()
		e.PutUint(tlv.Context(1), r.Number)
		e.PutUint(tlv.Context(2), uint64(r.Priority))
		switch r.Time.Clock {
		case UnixClock:
			e.PutUint(tlv.Context(3), r.Time.Milliseconds)
		case SystemClock:
			e.PutUint(tlv.Context(4), r.Time.Milliseconds)
		}
		if r.Data != nil {
			e.PutElement(tlv.Context(7), r.Data)
		}
	}
	e.End()
	e.End()
}
