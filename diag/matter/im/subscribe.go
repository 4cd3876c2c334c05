package im

import "threadmap/tlv"

// A SubscribeRequest asks to be told of changes (Core 10.7.4).
type SubscribeRequest struct {
	// Keep leaves the subscriber's other subscriptions on the node alive. False
	// ends all of them, those of another program with the same node id too.
	Keep       bool
	MinFloor   uint16 // seconds that must pass between two reports
	MaxCeiling uint16 // seconds after which a report is wished at the latest
	ReadRequest
}

// Encode makes the message.
func (r *SubscribeRequest) Encode() ([]byte, error) {
	return message(func(e *tlv.Encoder) {
		e.PutBool(tlv.Context(0), r.Keep)
		e.PutUint(tlv.Context(1), uint64(r.MinFloor))
		e.PutUint(tlv.Context(2), uint64(r.MaxCeiling))
		encodeAsking(e, &r.ReadRequest, 3)
	})
}

// ParseSubscribeRequest reads a SubscribeRequest.
func ParseSubscribeRequest(payload []byte) (SubscribeRequest, error) {
	var r SubscribeRequest
	err := decode(payload, 1<<0|1<<1|1<<2, func(d *tlv.Decoder, n int) {
		switch n {
		case 0:
			r.Keep = d.Bool()
		case 1:
			r.MinFloor = d.Uint16()
		case 2:
			r.MaxCeiling = d.Uint16()
		default:
			decodeAsking(d, n, &r.ReadRequest, 3)
		}
	})
	return r, err
}

// A SubscribeResponse ends the making of a subscription (Core 10.7.5).
type SubscribeResponse struct {
	Subscription uint32
	MaxInterval  uint16 // seconds after which the node reports at the latest; it may exceed MaxCeiling
}

// Encode makes the message.
func (r SubscribeResponse) Encode() ([]byte, error) {
	return message(func(e *tlv.Encoder) {
		e.PutUint(tlv.Context(0), uint64(r.Subscription))
		e.PutUint(tlv.Context(2), uint64(r.MaxInterval))
	})
}

// ParseSubscribeResponse reads a SubscribeResponse.
func ParseSubscribeResponse(payload []byte) (SubscribeResponse, error) {
	var r SubscribeResponse
	err := decode(payload, 1<<0|1<<2, func(d *tlv.Decoder, n int) {
		switch n {
		case 0:
			r.Subscription = d.Uint32()
		case 2:
			r.MaxInterval = d.Uint16()
		}
	})
	return r, err
}
