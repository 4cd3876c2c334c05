package association

import (
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// A messageType is a handshake message type (RFC 5246, section 7.4; RFC 6347,
// section 4.3.2).
type messageType uint8

const (
	typeHelloRequest       messageType = 0
	typeClientHello        messageType = 1
	typeServerHello        messageType = 2
	typeHelloVerifyRequest messageType = 3
	typeServerKeyExchange  messageType = 12
	typeServerHelloDone    messageType = 14
	typeClientKeyExchange  messageType = 16
	typeFinished           messageType = 20
)

func (t messageType) String() string {
	switch t {
	case typeHelloRequest:
		return "HelloRequest"
	case typeClientHello:
		return "ClientHello"
	case typeServerHello:
		return "ServerHello"
	case typeHelloVerifyRequest:
		return "HelloVerifyRequest"
	case typeServerKeyExchange:
		return "ServerKeyExchange"
	case typeServerHelloDone:
		return "ServerHelloDone"
	case typeClientKeyExchange:
		return "ClientKeyExchange"
	case typeFinished:
		return "Finished"
	}
	return "a handshake message of another kind"
}

// Cipher suites.
const (
	suiteECJPAKE = 0xc0ff // TLS_ECJPAKE_WITH_AES_128_CCM_8
	suiteSCSV    = 0x00ff // TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746, section 3.3)
)

// Extensions.
const (
	extSupportedGroups  = 10
	extPointFormats     = 11
	extKeyKPPair        = 256   // ecjpake_key_kp_pair
	extRenegotiation    = 65281 // renegotiation_info (RFC 5746)
	groupSecp256r1      = 0x0017
	uncompressed        = 0
	nullCompression     = 0
	maxExtensions       = 32
	messageHeaderLen    = 12 // of a handshake message in DTLS
	unfragmentedMessage = 0
)

// A message is a complete handshake message.
type message struct {
	typ  messageType
	seq  uint16 // message_seq
	body []byte
}

// marshal is the message in one fragment, which is also the form in which it
// enters the transcript (RFC 6347, section 4.2.6).
func (m message) marshal() []byte {
	b := make([]byte, 0, messageHeaderLen+len(m.body))
	b = append(b, byte(m.typ))
	b = appendUint24(b, len(m.body))
	b = binary.BigEndian.AppendUint16(b, m.seq)
	b = appendUint24(b, unfragmentedMessage)
	b = appendUint24(b, len(m.body))
	return append(b, m.body...)
}

func appendUint24(b []byte, n int) []byte { return append(b, byte(n>>16), byte(n>>8), byte(n)) }

// An extension of a hello (RFC 5246, section 7.4.1.4).
type extension struct {
	typ  uint16
	body []byte
}

type extensions []extension

func (e extensions) get(typ uint16) (body []byte, ok bool) {
	for _, x := range e {
		if x.typ == typ {
			return x.body, true
		}
	}
	return nil, false
}

func (e extensions) marshal(b *cryptobyte.Builder) {
	if len(e) == 0 {
		return
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, x := range e {
			b.AddUint16(x.typ)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(x.body) })
		}
	})
}

// readExtensions reads the rest of a hello: nothing, or a list without doubles.
func readExtensions(s cryptobyte.String) (e extensions, ok bool) {
	if s.Empty() {
		return nil, true
	}
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) || !s.Empty() {
		return nil, false
	}
	for !list.Empty() {
		var x extension
		var body cryptobyte.String
		if !list.ReadUint16(&x.typ) || !list.ReadUint16LengthPrefixed(&body) || len(e) == maxExtensions {
			return nil, false
		}
		if _, double := e.get(x.typ); double {
			return nil, false
		}
		x.body = body
		e = append(e, x)
	}
	return e, true
}

// A clientHello is RFC 6347, section 4.2.1.
type clientHello struct {
	version      uint16
	random       [32]byte
	sessionID    []byte // at most 32 octets
	cookie       []byte // at most 255 octets
	suites       []uint16
	compressions []byte
	extensions   extensions
}

func (h *clientHello) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint16(h.version)
	b.AddBytes(h.random[:])
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.sessionID) })
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.cookie) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, s := range h.suites {
			b.AddUint16(s)
		}
	})
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.compressions) })
	h.extensions.marshal(&b)
	return b.Bytes()
}

func (h *clientHello) unmarshal(body []byte) bool {
	s := cryptobyte.String(body)
	var id, cookie, suites, compressions cryptobyte.String
	var n clientHello
	if !s.ReadUint16(&n.version) || !s.CopyBytes(n.random[:]) ||
		!s.ReadUint8LengthPrefixed(&id) || len(id) > 32 ||
		!s.ReadUint8LengthPrefixed(&cookie) ||
		!s.ReadUint16LengthPrefixed(&suites) || len(suites) == 0 || len(suites)%2 != 0 ||
		!s.ReadUint8LengthPrefixed(&compressions) || len(compressions) == 0 {
		return false
	}
	n.sessionID, n.cookie, n.compressions = id, cookie, compressions
	for !suites.Empty() {
		var suite uint16
		suites.ReadUint16(&suite)
		n.suites = append(n.suites, suite)
	}
	var ok bool
	if n.extensions, ok = readExtensions(s); !ok {
		return false
	}
	*h = n
	return true
}

// offersRenegotiationInfo reports whether the client expects the extension of
// RFC 5746 in the answer.
func (h *clientHello) offersRenegotiationInfo() bool {
	_, ok := h.extensions.get(extRenegotiation)
	return ok || slices.Contains(h.suites, suiteSCSV)
}

// A serverHello is RFC 5246, section 7.4.1.3.
type serverHello struct {
	version     uint16
	random      [32]byte
	sessionID   []byte // at most 32 octets
	suite       uint16
	compression uint8
	extensions  extensions
}

func (h *serverHello) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint16(h.version)
	b.AddBytes(h.random[:])
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.sessionID) })
	b.AddUint16(h.suite)
	b.AddUint8(h.compression)
	h.extensions.marshal(&b)
	return b.Bytes()
}

func (h *serverHello) unmarshal(body []byte) bool {
	s := cryptobyte.String(body)
	var id cryptobyte.String
	var n serverHello
	if !s.ReadUint16(&n.version) || !s.CopyBytes(n.random[:]) ||
		!s.ReadUint8LengthPrefixed(&id) || len(id) > 32 ||
		!s.ReadUint16(&n.suite) || !s.ReadUint8(&n.compression) {
		return false
	}
	n.sessionID = id
	var ok bool
	if n.extensions, ok = readExtensions(s); !ok {
		return false
	}
	*h = n
	return true
}

// marshalHelloVerifyRequest is RFC 6347, section 4.2.1.
func marshalHelloVerifyRequest(cookie []byte) []byte {
	b := append(make([]byte, 0, 3+len(cookie)), version12>>8, version12&0xff, byte(len(cookie)))
	return append(b, cookie...)
}

var errMessage = errors.New("it is malformed")

// unmarshalHelloVerifyRequest gives the cookie. The version in it says nothing
// about the version of the association.
func unmarshalHelloVerifyRequest(body []byte) ([]byte, error) {
	s := cryptobyte.String(body)
	var version uint16
	var cookie cryptobyte.String
	if !s.ReadUint16(&version) || version>>8 != version12>>8 || !s.ReadUint8LengthPrefixed(&cookie) || !s.Empty() {
		return nil, errMessage
	}
	return cookie, nil
}
