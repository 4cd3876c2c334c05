package message

import "encoding/binary"

// Bits of the flags of a message header (Core 4.4.1.2).
const (
	versionMask = 0xf0
	flagSource  = 0x04
	dsizMask    = 0x03
	dsizNone    = 0
	dsizNode    = 1
	dsizGroup   = 2
)

// Bits of the security flags (Core 4.4.1.4).
const (
	securityPrivacy    = 0x80
	securityControl    = 0x40
	securityExtensions = 0x20
	sessionTypeMask    = 0x03
	sessionUnicast     = 0
)

const (
	minHeader = 8
	maxHeader = 24 // without extensions
)

// A Header is a unicast message header. A message of a secure session needs no
// node ids; some stacks write them and they are authenticated, but the session
// knows who its peer is. In session 0 the one with Source is the initiator's,
// the one with Destination the responder's.
type Header struct {
	SessionID      uint16 // chosen by the receiver; 0: not secured
	Counter        uint32
	Source         uint64
	Destination    uint64
	HasSource      bool
	HasDestination bool

	security byte // as received, for the nonce
}

// Parse reads the header of a datagram and how many octets it takes, which is
// also what the tag authenticates. The error is a [Drop].
func Parse(b []byte) (h Header, n int, err error) {
	switch {
	case len(b) > MaxDatagram:
		return Header{}, 0, Oversized
	case len(b) < minHeader:
		return Header{}, 0, Truncated
	case b[0]&versionMask != 0:
		return Header{}, 0, UnknownVersion
	}
	security := b[3]
	switch {
	case security&sessionTypeMask != sessionUnicast:
		return Header{}, 0, NotUnicast
	case security&securityPrivacy != 0:
		return Header{}, 0, Private
	case security&securityControl != 0:
		return Header{}, 0, Control
	}
	h = Header{SessionID: binary.LittleEndian.Uint16(b[1:]), Counter: binary.LittleEndian.Uint32(b[4:]), security: security}
	n = minHeader
	if b[0]&flagSource != 0 {
		if len(b) < n+8 {
			return Header{}, 0, Truncated
		}
		h.Source, h.HasSource = binary.LittleEndian.Uint64(b[n:]), true
		n += 8
	}
	switch b[0] & dsizMask {
	case dsizNone:
	case dsizNode:
		if len(b) < n+8 {
			return Header{}, 0, Truncated
		}
		h.Destination, h.HasDestination = binary.LittleEndian.Uint64(b[n:]), true
		n += 8
	default: // a group id in a unicast message, or reserved
		return Header{}, 0, BadNodeIDs
	}
	if security&securityExtensions != 0 {
		if n, err = skipExtension(b, n); err != nil {
			return Header{}, 0, err
		}
	}
	return h, n, nil
}

// skipExtension steps over a length of two octets and what it counts.
func skipExtension(b []byte, n int) (int, error) {
	if len(b) < n+2 {
		return 0, Truncated
	}
	length := int(binary.LittleEndian.Uint16(b[n:]))
	n += 2
	if len(b)-n < length {
		return 0, Truncated
	}
	return n + length, nil
}

// Append appends the header. It never has extensions: stacks disagree on
// whether those are authenticated.
func (h Header) Append(b []byte) []byte {
	var flags byte
	if h.HasSource {
		flags |= flagSource
	}
	if h.HasDestination {
		flags |= dsizNode
	}
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint16(b, h.SessionID)
	b = append(b, sessionUnicast)
	b = binary.LittleEndian.AppendUint32(b, h.Counter)
	if h.HasSource {
		b = binary.LittleEndian.AppendUint64(b, h.Source)
	}
	if h.HasDestination {
		b = binary.LittleEndian.AppendUint64(b, h.Destination)
	}
	return b
}
