package im

import "threadmap/tlv"

// ReportInfo is what a ReportData says of itself.
type ReportInfo struct {
	Subscription     Opt[uint32]
	More             bool // the rest follows, once this was answered with SUCCESS
	SuppressResponse bool // no StatusResponse is wanted
}

// An AttributeReport is the value of an attribute, or why there is none
// (AttributeReportIB, Core 10.6.4).
type AttributeReport struct {
	Path    Path
	Index   ListIndex
	Version Opt[uint32] // of the cluster's data
	Data    []byte      // one TLV element under whatever tag; nil: Result tells why
	Result  Result
}

// A ReportReader walks a ReportData:
//
//	r := im.NewReportReader(payload)
//	for r.Next() {
//		if a, ok := r.Attribute(); ok { … }
//		if e, ok := r.Event(); ok { … }
//	}
//	info, err := r.End()
//
// It allocates nothing, and what it returns are parts of the payload. Reports
// before the place of an error are delivered.
type ReportReader struct {
	d       tlv.Decoder
	in      section
	ended   bool
	info    ReportInfo
	isEvent bool
	attr    AttributeReport
	event   EventReport
	prev    *Path // of the report before; nil: this is the first
	path    Path
	clock   eventClock
}

type section uint8

const (
	inMessage section = iota
	inAttributes
	inEvents
)

// NewReportReader returns a reader that stands before the first report.
func NewReportReader(payload []byte) *ReportReader {
	r := &ReportReader{}
	r.Reset(payload)
	return r
}

// Reset makes r stand before the first report of another message.
func (r *ReportReader) Reset(payload []byte) {
	r.in, r.ended, r.info, r.prev, r.clock = inMessage, false, ReportInfo{}, nil, eventClock{}
	enter(&r.d, payload)
}

// Next goes to the next report. It is false at the end and on error.
func (r *ReportReader) Next() bool {
	d := &r.d
	for !r.ended {
		switch r.in {
		case inAttributes:
			if d.Next() {
				r.attribute()
				r.isEvent = false
				return d.Err() == nil
			}
		case inEvents:
			if d.Next() {
				r.event, r.isEvent = decodeEvent(d, &r.clock), true
				return d.Err() == nil
			}
		default:
			r.member()
			continue
		}
		d.Leave()
		r.in = inMessage
	}
	return false
}

// member reads a member of the message up to its reports.
func (r *ReportReader) member() {
	d := &r.d
	if !d.Next() {
		r.ended = true
		_ = leave(d) // the error stays with d
		return
	}
	switch field(d) {
	case 0:
		r.info.Subscription = Some(d.Uint32())
	case 1:
		d.EnterKind(tlv.Array)
		r.in = inAttributes
	case 2:
		d.EnterKind(tlv.Array)
		r.in = inEvents
	case 3:
		r.info.More = d.Bool()
	case 4:
		r.info.SuppressResponse = d.Bool()
	}
}

// Attribute returns the current report; ok is false where it is of an event.
// Its Path may be of any endpoint and cluster, asked for or not.
func (r *ReportReader) Attribute() (a AttributeReport, ok bool) {
	if r.isEvent {
		return AttributeReport{}, false
	}
	return r.attr, true
}

// Event returns the current report; ok is false where it is of an attribute.
func (r *ReportReader) Event() (e EventReport, ok bool) {
	if !r.isEvent {
		return EventReport{}, false
	}
	return r.event, true
}

// End steps over what is left and returns what the message says of itself.
func (r *ReportReader) End() (ReportInfo, error) {
	for r.Next() {
	}
	return r.info, r.d.Err()
}

// attribute reads the current AttributeReportIB.
func (r *ReportReader) attribute() {
	d, a := &r.d, &r.attr
	*a = AttributeReport{}
	kinds := 0
	members(d, tlv.Struct, 0, func(n int) {
		switch n {
		case 0:
			kinds++
			a.Path, a.Result = decodeAttributeStatus(d, r.prev)
		case 1:
			kinds++
			decodeAttributeData(d, a, r.prev)
		}
	})
	if kinds != 1 {
		d.Fail(errBoth)
	}
	r.path = a.Path
	r.prev = &r.path
}

// decodeAttributeStatus reads an AttributeStatusIB.
func decodeAttributeStatus(d *tlv.Decoder, prev *Path) (p Path, res Result) {
	members(d, tlv.Struct, 1<<0|1<<1, func(n int) {
		switch n {
		case 0:
			p, _ = decodePath(d, prev)
		case 1:
			res = decodeResult(d)
		}
	})
	return p, res
}

// decodeAttributeData reads an AttributeDataIB.
func decodeAttributeData(d *tlv.Decoder, a *AttributeReport, prev *Path) {
	members(d, tlv.Struct, 1<<1|1<<2, func(n int) {
		switch n {
		case 0:
			a.Version = Some(d.Uint32())
		case 1:
			a.Path, a.Index = decodePath(d, prev)
		case 2:
			a.Data = d.Raw()
		}
	})
}

// encode puts an AttributeReportIB.
func (a *AttributeReport) encode(e *tlv.Encoder) {
	e.Struct(tlv.Anonymous)
	if a.Data == nil {
		encodeAttributeStatus(e, tlv.Context(0), a.Path, a.Result)
	} else {
		a.encodeData(e, tlv.Context(1))
	}
	e.End()
}

func encodeAttributeStatus(e *tlv.Encoder, t tlv.Tag, p Path, res Result) {
	e.Struct(t)
	encodePath(e, tlv.Context(0), p, WholeValue)
	res.encode(e, tlv.Context(1))
	e.End()
}

// encodeData puts an AttributeDataIB.
func (a *AttributeReport) encodeData(e *tlv.Encoder, t tlv.Tag) {
	e.Struct(t)
	putOpt(e, 0, a.Version)
	encodePath(e, tlv.Context(1), a.Path, a.Index)
	e.PutElement(tlv.Context(2), a.Data)
	e.End()
}
