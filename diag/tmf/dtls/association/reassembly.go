package association

import "encoding/binary"

// Bounds of what is kept of an incomplete handshake: a peer can make us hold
// (maxAhead+1) · maxMessage octets and as many bits.
const (
	// maxMessage is the longest handshake message, in octets. A ClientHello of
	// Mbed TLS has 442.
	maxMessage = 2048
	// maxAhead is how far a message may be ahead of the one that is missing. No
	// flight has more than three messages.
	maxAhead = 4
)

// A reassembly puts handshake messages together from fragments and gives them
// out in their order (RFC 6347, sections 4.2.2 and 4.2.3).
type reassembly struct {
	next    uint16 // the message that is to be given out
	partial [maxAhead + 1]*partial
}

// A partial is a message of which some octets are still missing.
type partial struct {
	typ     messageType
	body    []byte
	have    []uint64 // one bit an octet
	missing int
}

// A fragment is a part of a message, or a whole one.
type fragment struct {
	typ    messageType
	length int // of the whole message
	seq    uint16
	offset int
	body   []byte
}

// cutFragment cuts the first fragment off the body of a handshake record.
func cutFragment(b []byte) (f fragment, rest []byte, ok bool) {
	if len(b) < messageHeaderLen {
		return f, nil, false
	}
	u24 := func(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
	n := u24(b[9:])
	f = fragment{typ: messageType(b[0]), length: u24(b[1:]), seq: binary.BigEndian.Uint16(b[4:]), offset: u24(b[6:])}
	if len(b) < messageHeaderLen+n || f.offset+n > f.length {
		return f, nil, false
	}
	f.body = b[messageHeaderLen : messageHeaderLen+n]
	return f, b[messageHeaderLen+n:], true
}

// add takes a fragment in. Where fragments overlap, the first one holds.
func (r *reassembly) add(f fragment) {
	ahead := int(f.seq) - int(r.next)
	if ahead < 0 || ahead > maxAhead || f.length > maxMessage || len(f.body) == 0 && f.length > 0 {
		return
	}
	p := r.partial[ahead]
	if p == nil {
		p = &partial{typ: f.typ, body: make([]byte, f.length), have: make([]uint64, (f.length+63)/64), missing: f.length}
		r.partial[ahead] = p
	}
	if p.typ != f.typ || len(p.body) != f.length {
		return
	}
	for i, o := range f.body {
		at := f.offset + i
		if bit := uint64(1) << (at % 64); p.have[at/64]&bit == 0 {
			p.have[at/64] |= bit
			p.body[at] = o
			p.missing--
		}
	}
}

// take gives the next message if it is complete.
func (r *reassembly) take() (m message, ok bool) {
	p := r.partial[0]
	if p == nil || p.missing > 0 {
		return m, false
	}
	m = message{p.typ, r.next, p.body}
	copy(r.partial[:], r.partial[1:])
	r.partial[maxAhead] = nil
	r.next++
	return m, true
}

// forget drops what is incomplete, or ahead.
func (r *reassembly) forget() { clear(r.partial[:]) }
