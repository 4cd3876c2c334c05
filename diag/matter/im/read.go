package im

import "threadmap/tlv"

// A ReadRequest asks for attributes and events (Core 10.7.2).
type ReadRequest struct {
	Attributes         []AttributePath
	Events             []EventPath
	EventFilters       []EventFilter
	FabricFiltered     bool // of lists that belong to fabrics, only the entries of ours
	DataVersionFilters []DataVersionFilter
}

// An EventFilter leaves out events before a number (EventFilterIB, Core 10.6.6).
type EventFilter struct {
	Node Opt[uint64]
	Min  uint64
}

// A DataVersionFilter leaves out the attributes of a cluster that still has
// that version (DataVersionFilterIB, Core 10.6.5). Counters change without a
// new version.
type DataVersionFilter struct {
	Endpoint uint16
	Cluster  uint32
	Version  uint32
}

// Encode makes the message.
func (r *ReadRequest) Encode() ([]byte, error) {
	return message(func(e *tlv.Encoder) { encodeAsking(e, r, 0) })
}

// encodeAsking puts what ReadRequest and SubscribeRequest have in common, the
// attribute paths at tag base.
func encodeAsking(e *tlv.Encoder, r *ReadRequest, base uint8) {
	if len(r.Attributes) > 0 {
		e.Array(tlv.Context(base))
		for _, p := range r.Attributes {
			if err := p.Valid(); err != nil {
				e.Fail(err)
			}
			p.encode(e)
		}
		e.End()
	}
	if len(r.Events) > 0 {
		e.Array(tlv.Context(base + 1))
		for _, p := range r.Events {
			p.encode(e)
		}
		e.End()
	}
	if len(r.EventFilters) > 0 {
		e.Array(tlv.Context(base + 2))
		for _, f := range r.EventFilters {
			e.Struct(tlv.Anonymous)
			putOpt(e, 0, f.Node)
			e.PutUint(tlv.Context(1), f.Min)
			e.End()
		}
		e.End()
	}
	fabricFiltered, versions := askingTags(base)
	e.PutBool(tlv.Context(fabricFiltered), r.FabricFiltered)
	if len(r.DataVersionFilters) > 0 {
		e.Array(tlv.Context(versions))
		for _, f := range r.DataVersionFilters {
			e.Struct(tlv.Anonymous)
			e.List(tlv.Context(0))
			e.PutUint(tlv.Context(1), uint64(f.Endpoint))
			e.PutUint(tlv.Context(2), uint64(f.Cluster))
			e.End()
			e.PutUint(tlv.Context(1), uint64(f.Version))
			e.End()
		}
		e.End()
	}
}

// askingTags are the tags of FabricFiltered and DataVersionFilters, between
// which and the others SubscribeRequest has a hole.
func askingTags(base uint8) (fabricFiltered, versions uint8) {
	if base == 0 {
		return 3, 4
	}
	return 7, 8
}

// ParseReadRequest reads a ReadRequest. A server answers an error with
// INVALID_ACTION.
func ParseReadRequest(payload []byte) (ReadRequest, error) {
	var r ReadRequest
	err := decode(payload, 0, func(d *tlv.Decoder, n int) { decodeAsking(d, n, &r, 0) })
	return r, err
}

// decodeAsking reads the current member, whose tag is n, if it is one that
// ReadRequest and SubscribeRequest have in common.
func decodeAsking(d *tlv.Decoder, n int, r *ReadRequest, base uint8) {
	fabricFiltered, versions := askingTags(base)
	switch n {
	case int(base):
		r.Attributes = array(d, func(d *tlv.Decoder) AttributePath {
			p := decodeAttributePath(d)
			d.Fail(p.Valid())
			return p
		})
	case int(base) + 1:
		r.Events = array(d, decodeEventPath)
	case int(base) + 2:
		r.EventFilters = array(d, decodeEventFilter)
	case int(fabricFiltered):
		r.FabricFiltered = d.Bool()
	case int(versions):
		r.DataVersionFilters = array(d, decodeDataVersionFilter)
	}
}

func decodeEventFilter(d *tlv.Decoder) (f EventFilter) {
	members(d, tlv.Struct, 0, func(n int) {
		switch n {
		case 0:
			f.Node = Some(d.Uint())
		case 1:
			f.Min = d.Uint()
		}
	})
	return f
}

func decodeDataVersionFilter(d *tlv.Decoder) (f DataVersionFilter) {
	members(d, tlv.Struct, 1<<0|1<<1, func(n int) {
		switch n {
		case 0:
			members(d, tlv.List, 1<<1|1<<2, func(n int) {
				switch n {
				case 1:
					f.Endpoint = d.Uint16()
				case 2:
					f.Cluster = d.Uint32()
				}
			})
		case 1:
			f.Version = d.Uint32()
		}
	})
	return f
}
