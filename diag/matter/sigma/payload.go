package sigma

import (
	"bytes"
	"errors"

	"threadmap/diag/matter/internal/establish"
	"threadmap/diag/matter/message"
	"threadmap/tlv"
)

// The payloads, each one anonymous structure (Core 4.14.2.3). Members that this
// program does not know are skipped: what they say is in the hashes all the
// same.

type sigma1 struct {
	random      [32]byte
	session     uint16
	destination [32]byte
	ephemeral   [65]byte
	parameters  message.SessionParameters
	resume      *resume // nil: a full handshake
}

// resume is how Sigma1 asks for a resumption.
type resume struct{ id, mic [16]byte }

func (m sigma1) encode() ([]byte, error) {
	return establish.Payload(func(e *tlv.Encoder) {
		e.PutOctets(tlv.Context(1), m.random[:])
		e.PutUint(tlv.Context(2), uint64(m.session))
		e.PutOctets(tlv.Context(3), m.destination[:])
		e.PutOctets(tlv.Context(4), m.ephemeral[:])
		establish.PutParameters(e, tlv.Context(5), m.parameters)
		if m.resume != nil {
			e.PutOctets(tlv.Context(6), m.resume.id[:])
			e.PutOctets(tlv.Context(7), m.resume.mic[:])
		}
	})
}

var errHalfResumption = errors.New("half a resumption: id and MIC come together or not at all")

func decodeSigma1(b []byte) (m sigma1, err error) {
	var r resume
	var have [2]bool
	err = establish.Structure(b, []uint8{1, 2, 3, 4}, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 1:
			establish.Octets(d, m.random[:])
		case 2:
			m.session = establish.SessionID(d)
		case 3:
			establish.Octets(d, m.destination[:])
		case 4:
			establish.Octets(d, m.ephemeral[:])
		case 5:
			m.parameters = message.DecodeSessionParameters(d)
		case 6:
			have[0] = true
			establish.Octets(d, r.id[:])
		case 7:
			have[1] = true
			establish.Octets(d, r.mic[:])
		}
	})
	switch {
	case err != nil:
		return m, err
	case have[0] != have[1]:
		return m, errHalfResumption
	case have[0]:
		m.resume = &r
	}
	return m, nil
}

type sigma2 struct {
	random     [32]byte
	session    uint16
	ephemeral  [65]byte
	encrypted  []byte // TBEData2
	parameters message.SessionParameters
}

func (m sigma2) encode() ([]byte, error) {
	return establish.Payload(func(e *tlv.Encoder) {
		e.PutOctets(tlv.Context(1), m.random[:])
		e.PutUint(tlv.Context(2), uint64(m.session))
		e.PutOctets(tlv.Context(3), m.ephemeral[:])
		e.PutOctets(tlv.Context(4), m.encrypted)
		establish.PutParameters(e, tlv.Context(5), m.parameters)
	})
}

func decodeSigma2(b []byte) (m sigma2, err error) {
	err = establish.Structure(b, []uint8{1, 2, 3, 4}, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 1:
			establish.Octets(d, m.random[:])
		case 2:
			m.session = establish.SessionID(d)
		case 3:
			establish.Octets(d, m.ephemeral[:])
		case 4:
			m.encrypted = d.Octets()
		case 5:
			m.parameters = message.DecodeSessionParameters(d)
		}
	})
	return m, err
}

func encodeSigma3(encrypted []byte) ([]byte, error) { return establish.OctetsPayload(encrypted) }

func decodeSigma3(b []byte) (encrypted []byte, err error) {
	err = establish.Structure(b, []uint8{1}, func(n uint8, d *tlv.Decoder) {
		if n == 1 {
			encrypted = d.Octets()
		}
	})
	return encrypted, err
}

type sigma2Resume struct {
	id, mic    [16]byte
	session    uint16
	parameters message.SessionParameters
}

func (m sigma2Resume) encode() ([]byte, error) {
	return establish.Payload(func(e *tlv.Encoder) {
		e.PutOctets(tlv.Context(1), m.id[:])
		e.PutOctets(tlv.Context(2), m.mic[:])
		e.PutUint(tlv.Context(3), uint64(m.session))
		establish.PutParameters(e, tlv.Context(4), m.parameters)
	})
}

func decodeSigma2Resume(b []byte) (m sigma2Resume, err error) {
	err = establish.Structure(b, []uint8{1, 2, 3}, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 1:
			establish.Octets(d, m.id[:])
		case 2:
			establish.Octets(d, m.mic[:])
		case 3:
			m.session = establish.SessionID(d)
		case 4:
			m.parameters = message.DecodeSessionParameters(d)
		}
	})
	return m, err
}

// encodeTBE is TBEData2, or TBEData3 if there is no resumption id.
func encodeTBE(p proof, resumptionID *[16]byte) ([]byte, error) {
	return establish.Payload(func(e *tlv.Encoder) {
		putCertificates(e, p.noc, p.icac)
		e.PutOctets(tlv.Context(3), p.signature[:])
		if resumptionID != nil {
			e.PutOctets(tlv.Context(4), resumptionID[:])
		}
	})
}

var errEmptyICAC = errors.New("an intermediate certificate of no length")

// decodeTBE reads TBEData2, or TBEData3 if resumptionID is nil. The
// certificates are copies.
func decodeTBE(b []byte, resumptionID *[16]byte) (p proof, err error) {
	want := []uint8{1, 3}
	if resumptionID != nil {
		want = []uint8{1, 3, 4}
	}
	err = establish.Structure(b, want, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 1:
			p.noc = bytes.Clone(d.Octets())
		case 2:
			if p.icac = bytes.Clone(d.Octets()); len(p.icac) == 0 {
				d.Fail(errEmptyICAC)
			}
		case 3:
			establish.Octets(d, p.signature[:])
		case 4:
			if resumptionID != nil {
				establish.Octets(d, resumptionID[:])
			}
		}
	})
	return p, err
}

// encodeTBS is TBSData2 or TBSData3: what the party with these certificates and
// the ephemeral key signer signs, so that the key is known to be its own.
func encodeTBS(noc, icac []byte, signer, other [65]byte) ([]byte, error) {
	return establish.Payload(func(e *tlv.Encoder) {
		putCertificates(e, noc, icac)
		e.PutOctets(tlv.Context(3), signer[:])
		e.PutOctets(tlv.Context(4), other[:])
	})
}

func putCertificates(e *tlv.Encoder, noc, icac []byte) {
	e.PutOctets(tlv.Context(1), noc)
	if icac != nil {
		e.PutOctets(tlv.Context(2), icac)
	}
}
