package cert

import (
	"bytes"
	"errors"
	"fmt"

	"threadmap/tlv"
)

// Context tags of a certificate's fields (Core 6.5.2), all mandatory and in
// this order.
const (
	fieldSerial       = 1
	fieldSigAlgorithm = 2
	fieldIssuer       = 3
	fieldNotBefore    = 4
	fieldNotAfter     = 5
	fieldSubject      = 6
	fieldKeyAlgorithm = 7
	fieldCurve        = 8
	fieldPublicKey    = 9
	fieldExtensions   = 10
	fieldSignature    = 11
)

// The only value of each algorithm field: ecdsa-with-sha256, ec-public-key,
// prime256v1.
const theAlgorithm = 1

// Parse reads a Matter TLV certificate and checks its form, not its worth. The
// certificate keeps nothing of b.
func Parse(b []byte) (*Certificate, error) {
	if len(b) > MaxTLV {
		return nil, fmt.Errorf("cert: a Matter certificate of %d octets: %d is the most", len(b), MaxTLV)
	}
	d := tlv.NewDecoder(b)
	c := decode(&d)
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("cert: not a Matter certificate: %w", err)
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	return c, nil
}

// complete checks the form and both lengths.
func (c *Certificate) complete() error {
	if err := c.form(); err != nil {
		return fmt.Errorf("cert: %w", err)
	}
	t, err := c.encode()
	if err != nil {
		return fmt.Errorf("cert: %w", err)
	}
	x, err := c.build(true)
	if err != nil {
		return fmt.Errorf("cert: %w", err)
	}
	if len(t) > MaxTLV || len(x) > MaxX509 {
		return fmt.Errorf("cert: %d octets of TLV and %d of X.509: at most %d and %d are allowed", len(t), len(x), MaxTLV, MaxX509)
	}
	return nil
}

func decode(d *tlv.Decoder) *Certificate {
	c := new(Certificate)
	if !d.Next() || d.Tag() != tlv.Anonymous {
		d.Fail(errors.New("no anonymous structure"))
	}
	d.EnterKind(tlv.Struct)
	next(d, fieldSerial)
	c.Serial = bytes.Clone(d.Octets())
	algorithm(d, fieldSigAlgorithm)
	next(d, fieldIssuer)
	c.Issuer = decodeName(d)
	next(d, fieldNotBefore)
	c.NotBefore = Time(number(d, 1<<32-1))
	next(d, fieldNotAfter)
	c.NotAfter = Time(number(d, 1<<32-1))
	next(d, fieldSubject)
	c.Subject = decodeName(d)
	algorithm(d, fieldKeyAlgorithm)
	algorithm(d, fieldCurve)
	next(d, fieldPublicKey)
	fixed(d, c.PublicKey[:])
	next(d, fieldExtensions)
	c.Extensions = decodeExtensions(d)
	next(d, fieldSignature)
	fixed(d, c.Signature[:])
	last(d)
	if d.Next() {
		d.Fail(errors.New("something follows the certificate"))
	}
	return c
}

// next goes to the next field, which must be the one numbered n.
func next(d *tlv.Decoder, n uint8) {
	if d.Next() && d.Tag() == tlv.Context(n) {
		return
	}
	d.Fail(fmt.Errorf("no field %d in its place", n))
}

// last leaves a container that must have no further field.
func last(d *tlv.Decoder) {
	if d.Next() {
		d.Fail(fmt.Errorf("an unknown field, %s", d.Tag()))
	}
	d.Leave()
}

// number reads an unsigned number. A signed one, which the Decoder would take
// too, is not what the specification says, and no stack writes it here.
func number(d *tlv.Decoder, limit uint64) uint64 {
	v := d.Uint()
	if d.Kind() != tlv.Uint || v > limit {
		d.Fail(errors.New("not an unsigned number that fits"))
		return 0
	}
	return v
}

// algorithm reads a field that has only one value.
func algorithm(d *tlv.Decoder, n uint8) {
	next(d, n)
	if v := number(d, 1<<8-1); v != theAlgorithm {
		d.Fail(fmt.Errorf("field %d names algorithm %d, and Matter has only %d", n, v, theAlgorithm))
	}
}

// fixed reads octets into all of to.
func fixed(d *tlv.Decoder, to []byte) {
	b := d.Octets()
	if len(b) != len(to) {
		d.Fail(fmt.Errorf("%d octets, not %d", len(b), len(to)))
	}
	copy(to, b)
}

func decodeName(d *tlv.Decoder) Name {
	var n Name
	d.EnterKind(tlv.List)
	for d.Next() {
		if len(n) == maxRDNs {
			d.Fail(fmt.Errorf("a name of more than %d attributes", maxRDNs))
			return nil
		}
		t, ok := d.Tag().Context()
		a := Attribute{Type: AttributeType(t)}
		if ok && t&printableTag != 0 {
			a.Type, a.Printable = AttributeType(t&^printableTag), true
		}
		switch {
		case !ok || !a.Type.known() || a.Printable && a.Type.matter():
			d.Fail(fmt.Errorf("an unknown attribute of a name, %s", d.Tag()))
		case a.Type.matter():
			a.ID = number(d, 1<<64-1)
		default:
			a.Text = string(d.Text())
		}
		n = append(n, a)
	}
	d.Leave()
	return n
}

func decodeExtensions(d *tlv.Decoder) []Extension {
	var list []Extension
	d.EnterKind(tlv.List)
	for d.Next() {
		t, ok := d.Tag().Context()
		if !ok {
			t = 0
		}
		switch t {
		case tagBasicConstraints:
			list = append(list, decodeBasicConstraints(d))
		case tagKeyUsage:
			list = append(list, KeyUsage(number(d, 1<<16-1)))
		case tagExtendedKeyUsage:
			var e ExtendedKeyUsage
			d.EnterKind(tlv.Array)
			for d.Next() {
				e = append(e, KeyPurpose(number(d, 1<<8-1)))
			}
			d.Leave()
			list = append(list, e)
		case tagSubjectKeyID:
			var id SubjectKeyID
			fixed(d, id[:])
			list = append(list, id)
		case tagAuthorityKeyID:
			var id AuthorityKeyID
			fixed(d, id[:])
			list = append(list, id)
		case tagFutureExtension:
			list = append(list, FutureExtension(bytes.Clone(d.Octets())))
		default:
			d.Fail(fmt.Errorf("an unknown extension, %s", d.Tag()))
		}
	}
	d.Leave()
	return list
}

func decodeBasicConstraints(d *tlv.Decoder) (b BasicConstraints) {
	d.EnterKind(tlv.Struct)
	next(d, 1)
	b.CA = d.Bool()
	if d.Next() {
		if d.Tag() != tlv.Context(2) {
			d.Fail(fmt.Errorf("an unknown field, %s", d.Tag()))
		}
		b.PathLen, b.HasPathLen = uint8(number(d, 1<<8-1)), true
	}
	last(d)
	return b
}

// TLV is the certificate as Matter sends it, or nil if it has no such form.
func (c *Certificate) TLV() []byte {
	if c.complete() != nil {
		return nil
	}
	b, _ := c.encode()
	return b
}

func (c *Certificate) encode() ([]byte, error) {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutOctets(tlv.Context(fieldSerial), c.Serial)
	e.PutUint(tlv.Context(fieldSigAlgorithm), theAlgorithm)
	encodeName(&e, fieldIssuer, c.Issuer)
	e.PutUint(tlv.Context(fieldNotBefore), uint64(c.NotBefore))
	e.PutUint(tlv.Context(fieldNotAfter), uint64(c.NotAfter))
	encodeName(&e, fieldSubject, c.Subject)
	e.PutUint(tlv.Context(fieldKeyAlgorithm), theAlgorithm)
	e.PutUint(tlv.Context(fieldCurve), theAlgorithm)
	e.PutOctets(tlv.Context(fieldPublicKey), c.PublicKey[:])
	e.List(tlv.Context(fieldExtensions))
	for _, x := range c.Extensions {
		encodeExtension(&e, x)
	}
	e.End()
	e.PutOctets(tlv.Context(fieldSignature), c.Signature[:])
	e.End()
	return e.Bytes()
}

func encodeName(e *tlv.Encoder, field uint8, n Name) {
	e.List(tlv.Context(field))
	for _, a := range n {
		switch {
		case a.Type.matter():
			e.PutUint(tlv.Context(uint8(a.Type)), a.ID)
		case a.Printable:
			e.PutText(tlv.Context(uint8(a.Type)|printableTag), a.Text)
		default:
			e.PutText(tlv.Context(uint8(a.Type)), a.Text)
		}
	}
	e.End()
}

func encodeExtension(e *tlv.Encoder, x Extension) {
	t := tlv.Context(x.tag())
	switch x := x.(type) {
	case BasicConstraints:
		e.Struct(t)
		e.PutBool(tlv.Context(1), x.CA)
		if x.HasPathLen {
			e.PutUint(tlv.Context(2), uint64(x.PathLen))
		}
		e.End()
	case KeyUsage:
		e.PutUint(t, uint64(x))
	case ExtendedKeyUsage:
		e.Array(t)
		for _, p := range x {
			e.PutUint(tlv.Anonymous, uint64(p))
		}
		e.End()
	case SubjectKeyID:
		e.PutOctets(t, x[:])
	case AuthorityKeyID:
		e.PutOctets(t, x[:])
	case FutureExtension:
		e.PutOctets(t, x)
	}
}
