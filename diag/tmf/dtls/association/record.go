package association

import "encoding/binary"

// A contentType is the type of a record (RFC 5246, section 6.2.1).
type contentType uint8

const (
	typeChangeCipherSpec contentType = 20
	typeAlert            contentType = 21
	typeHandshake        contentType = 22
	typeApplicationData  contentType = 23
)

// Protocol versions on the wire count down.
const (
	version10 = 0xfeff
	version12 = 0xfefd
)

const (
	headerLen = 13        // of a record
	maxSeq    = 1<<48 - 1 // RFC 6347, section 4.1
	// MaxPlaintext is the longest plaintext of a record, in octets (RFC 5246,
	// section 6.2.1).
	MaxPlaintext = 1 << 14
	// Overhead is what a record adds to the application data, in octets.
	Overhead = headerLen + explicitNonceLen + tagLen
)

// A record is one DTLSPlaintext or DTLSCiphertext (RFC 6347, section 4.1).
type record struct {
	typ     contentType
	version uint16
	epoch   uint16
	seq     uint64 // 48 bits
	body    []byte
}

// cutRecord cuts the first record off a datagram. ok is false where the rest of
// the datagram is not one.
func cutRecord(b []byte) (r record, rest []byte, ok bool) {
	if len(b) < headerLen {
		return r, nil, false
	}
	n := int(binary.BigEndian.Uint16(b[11:]))
	if len(b) < headerLen+n {
		return r, nil, false
	}
	seq := binary.BigEndian.Uint64(b[3:])
	r = record{
		typ: contentType(b[0]), version: binary.BigEndian.Uint16(b[1:]),
		epoch: uint16(seq >> 48), seq: seq & maxSeq, body: b[headerLen : headerLen+n],
	}
	// Before the version is agreed on, clients may write DTLS 1.0.
	if r.version != version12 && (r.version != version10 || r.epoch != 0) {
		return r, nil, false
	}
	return r, b[headerLen+n:], true
}

// appendHeader appends a record header for a body of n octets.
func appendHeader(b []byte, typ contentType, epoch uint16, seq uint64, n int) []byte {
	b = append(b, byte(typ), version12>>8, version12&0xff)
	b = binary.BigEndian.AppendUint64(b, uint64(epoch)<<48|seq)
	return binary.BigEndian.AppendUint16(b, uint16(n))
}

// A replayWindow remembers which of the last 64 sequence numbers were seen (RFC
// 6347, section 4.1.2.6). The zero value has seen none.
type replayWindow struct {
	next uint64 // one more than the highest seen
	seen uint64 // bit i: next−1−i
}

// fresh reports whether seq is neither seen nor older than the window.
func (w *replayWindow) fresh(seq uint64) bool {
	if seq >= w.next {
		return true
	}
	age := w.next - 1 - seq
	return age < 64 && w.seen>>age&1 == 0
}

// mark remembers seq, which is fresh and authentic.
func (w *replayWindow) mark(seq uint64) {
	if seq >= w.next {
		w.seen <<= min(seq+1-w.next, 64)
		w.next = seq + 1
	}
	w.seen |= 1 << (w.next - 1 - seq)
}
