package im

import "threadmap/tlv"

// A WriteRequest changes attributes (Core 10.7.6).
type WriteRequest struct {
	SuppressResponse bool
	Timed            bool // a TimedRequest came before, on the same exchange
	More             bool
	// Writes have Data each; Version makes a write fail where the cluster has
	// another one by then.
	Writes []AttributeReport
}

// Write makes the WriteRequest of one attribute.
func Write(p Path, data []byte, timed bool) ([]byte, error) {
	r := WriteRequest{Timed: timed, Writes: []AttributeReport{{Path: p, Data: data}}}
	return r.Encode()
}

// Encode makes the message.
func (r *WriteRequest) Encode() ([]byte, error) {
	return message(func(e *tlv.Encoder) {
		e.PutBool(tlv.Context(0), r.SuppressResponse)
		e.PutBool(tlv.Context(1), r.Timed)
		e.Array(tlv.Context(2))
		for i := range r.Writes {
			r.Writes[i].encodeData(e, tlv.Anonymous)
		}
		e.End()
		if r.More {
			e.PutBool(tlv.Context(3), true)
		}
	})
}

// ParseWriteRequest reads a WriteRequest. Data are parts of the payload. The
// paths have no wildcards.
func ParseWriteRequest(payload []byte) (WriteRequest, error) {
	var r WriteRequest
	err := decode(payload, 1<<2, func(d *tlv.Decoder, n int) {
		switch n {
		case 0:
			r.SuppressResponse = d.Bool()
		case 1:
			r.Timed = d.Bool()
		case 2:
			r.Writes = array(d, func(d *tlv.Decoder) (a AttributeReport) {
				decodeAttributeData(d, &a, nil)
				return a
			})
		case 3:
			r.More = d.Bool()
		}
	})
	return r, err
}

// An AttributeStatus is what became of the write of one attribute
// (AttributeStatusIB, Core 10.6.16).
type AttributeStatus struct {
	Path   Path
	Result Result
}

// EncodeWriteResponse makes a WriteResponse (Core 10.7.7).
func EncodeWriteResponse(statuses []AttributeStatus) ([]byte, error) {
	return message(func(e *tlv.Encoder) {
		e.Array(tlv.Context(0))
		for _, s := range statuses {
			encodeAttributeStatus(e, tlv.Anonymous, s.Path, s.Result)
		}
		e.End()
	})
}

// ParseWriteResponse reads a WriteResponse.
func ParseWriteResponse(payload []byte) (statuses []AttributeStatus, err error) {
	err = decode(payload, 1<<0, func(d *tlv.Decoder, n int) {
		if n == 0 {
			statuses = array(d, func(d *tlv.Decoder) (s AttributeStatus) {
				s.Path, s.Result = decodeAttributeStatus(d, nil)
				return s
			})
		}
	})
	return statuses, err
}
