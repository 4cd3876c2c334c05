package pase

import (
	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/spake2p"
	"threadmap/tlv"
)

// The payloads, each one anonymous structure (Core 4.14.1.2). Members that
// this program does not know are skipped: what they say is in the transcript
// all the same.

// request is PBKDFParamRequest, and what a request and a response share.
type request struct {
	random     [32]byte
	session    uint16
	passcodeID uint16
	knowsPBKDF bool // hasPBKDFParameters
	parameters message.SessionParameters
}

type response struct {
	initiatorRandom [32]byte
	random          [32]byte
	session         uint16
	pbkdf           *pbkdf // nil: none
	parameters      message.SessionParameters
}

// pbkdf is Crypto_PBKDFParameterSet (Core 3.9).
type pbkdf struct {
	iterations uint32
	salt       []byte
}

type pake2 struct {
	y       [spake2p.PointLen]byte
	confirm [spake2p.ConfirmLen]byte
}

func (m request) encode() ([]byte, error) {
	return establish.Payload(func(e *tlv.Encoder) {
		e.PutOctets(tlv.Context(1), m.random[:])
		e.PutUint(tlv.Context(2), uint64(m.session))
		e.PutUint(tlv.Context(3), uint64(m.passcodeID))
		e.PutBool(tlv.Context(4), m.knowsPBKDF)
		establish.PutParameters(e, tlv.Context(5), m.parameters)
	})
}

func decodeRequest(b []byte) (m request, err error) {
	err = establish.Structure(b, []uint8{1, 2, 3, 4}, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 1:
			establish.Octets(d, m.random[:])
		case 2:
			m.session = establish.SessionID(d)
		case 3:
			m.passcodeID = d.Uint16()
		case 4:
			m.knowsPBKDF = d.Bool()
		case 5:
			m.parameters = message.DecodeSessionParameters(d)
		}
	})
	return m, err
}

func (m response) encode() ([]byte, error) {
	return establish.Payload(func(e *tlv.Encoder) {
		e.PutOctets(tlv.Context(1), m.initiatorRandom[:])
		e.PutOctets(tlv.Context(2), m.random[:])
		e.PutUint(tlv.Context(3), uint64(m.session))
		if m.pbkdf != nil {
			e.Struct(tlv.Context(4))
			e.PutUint(tlv.Context(1), uint64(m.pbkdf.iterations))
			e.PutOctets(tlv.Context(2), m.pbkdf.salt)
			e.End()
		}
		establish.PutParameters(e, tlv.Context(5), m.parameters)
	})
}

func decodeResponse(b []byte) (m response, err error) {
	err = establish.Structure(b, []uint8{1, 2, 3}, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 1:
			establish.Octets(d, m.initiatorRandom[:])
		case 2:
			establish.Octets(d, m.random[:])
		case 3:
			m.session = establish.SessionID(d)
		case 4:
			m.pbkdf = decodePBKDF(d)
		case 5:
			m.parameters = message.DecodeSessionParameters(d)
		}
	})
	return m, err
}

// decodePBKDF refuses numbers out of bounds, before anything is computed with
// them.
func decodePBKDF(d *tlv.Decoder) *pbkdf {
	var p pbkdf
	d.EnterKind(tlv.Struct)
	for d.Next() {
		switch d.Tag() {
		case tlv.Context(1):
			p.iterations = d.Uint32()
		case tlv.Context(2):
			p.salt = d.Octets()
		}
	}
	d.Leave()
	if err := spake2p.CheckParameters(p.salt, p.iterations); err != nil {
		d.Fail(err)
	}
	return &p
}

func encodePake1(x [spake2p.PointLen]byte) ([]byte, error) { return establish.OctetsPayload(x[:]) }

func decodePake1(b []byte) (x [spake2p.PointLen]byte, err error) {
	err = decodeOctets(b, x[:])
	return x, err
}

func (m pake2) encode() ([]byte, error) { return establish.OctetsPayload(m.y[:], m.confirm[:]) }

func decodePake2(b []byte) (m pake2, err error) {
	err = decodeOctets(b, m.y[:], m.confirm[:])
	return m, err
}

func encodePake3(confirm [spake2p.ConfirmLen]byte) ([]byte, error) {
	return establish.OctetsPayload(confirm[:])
}

func decodePake3(b []byte) (confirm [spake2p.ConfirmLen]byte, err error) {
	err = decodeOctets(b, confirm[:])
	return confirm, err
}

// decodeOctets reads octet strings with the tags 1, 2, …, each of which has just
// the length of its place.
func decodeOctets(b []byte, to ...[]byte) error {
	want := []uint8{1, 2}[:len(to)]
	return establish.Structure(b, want, func(n uint8, d *tlv.Decoder) {
		if 1 <= n && int(n) <= len(to) {
			establish.Octets(d, to[n-1])
		}
	})
}
