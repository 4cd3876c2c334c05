package commission

import (
	"errors"
	"fmt"

	"threadmap/tlv"
)

// Sizes in octets.
const (
	nonceSize = 32
	// maxElements is RESP_MAX (Core 11.18.4.1): what a signed part of an answer
	// may have.
	maxElements   = 900
	signatureSize = 64
)

// A NOCSR is the NOCSRElements of a CSRResponse (Core 11.18.4.9.1): the request
// for a certificate, and the nonce that it was asked with. VendorReserved are
// whatever its maker adds, up to three.
type NOCSR struct {
	CSR            []byte // PKCS#10, see cert.ParseCSR
	Nonce          []byte // 32 octets
	VendorReserved [3][]byte
}

// Encode is the structure as it is signed.
func (n NOCSR) Encode() ([]byte, error) {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutOctets(tlv.Context(1), n.CSR)
	e.PutOctets(tlv.Context(2), n.Nonce)
	for i, v := range n.VendorReserved {
		if v != nil {
			e.PutOctets(tlv.Context(uint8(3+i)), v)
		}
	}
	e.End()
	return e.Bytes()
}

// ParseNOCSR reads the structure. What it gives is part of b.
func ParseNOCSR(b []byte) (n NOCSR, err error) {
	if len(b) > maxElements {
		return NOCSR{}, fmt.Errorf("certificate request: %d octets, %d is the most", len(b), maxElements)
	}
	err = each(b, func(tag uint8, d *tlv.Decoder) {
		switch tag {
		case 1:
			n.CSR = d.Octets()
		case 2:
			n.Nonce = d.Octets()
		case 3, 4, 5:
			n.VendorReserved[tag-3] = d.Octets()
		}
	})
	switch {
	case err != nil:
		return NOCSR{}, fmt.Errorf("certificate request: %w", err)
	case n.CSR == nil || len(n.Nonce) != nonceSize:
		return NOCSR{}, errors.New("certificate request: it has no request, or no nonce of 32 octets")
	}
	return n, nil
}

// A Signed is an AttestationResponse or a CSRResponse: elements, and the
// signature of the device's attestation key over them and the session's
// attestation challenge.
type Signed struct {
	Elements  []byte
	Signature []byte // r‖s
}

// Fields are the fields of the answer.
func (s Signed) Fields() []byte {
	return fields(func(e *tlv.Encoder) {
		e.PutOctets(tlv.Context(0), s.Elements)
		e.PutOctets(tlv.Context(1), s.Signature)
	})
}

// ParseSigned reads the fields of the answer, of which it gives parts.
func ParseSigned(answer []byte) (s Signed, err error) {
	err = each(answer, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 0:
			s.Elements = d.Octets()
		case 1:
			s.Signature = d.Octets()
		}
	})
	switch {
	case err != nil:
		return Signed{}, err
	case len(s.Elements) == 0 || len(s.Elements) > maxElements || len(s.Signature) != signatureSize:
		return Signed{}, errors.New("its answer has no elements of up to 900 octets, or no signature of 64")
	}
	return s, nil
}

// parseOctets reads an answer whose field 0 is all that counts.
func parseOctets(answer []byte, most int) (b []byte, err error) {
	err = each(answer, func(n uint8, d *tlv.Decoder) {
		if n == 0 {
			b = d.Octets()
		}
	})
	if err == nil && (len(b) == 0 || len(b) > most) {
		err = fmt.Errorf("its answer has %d octets, where there are 1 to %d", len(b), most)
	}
	return b, err
}
