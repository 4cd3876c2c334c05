package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"
)

// foreign makes X.509 with the standard library: what a certificate authority
// that knows nothing of Matter TLV would issue.
func foreign(t *testing.T, edit func(*x509.Certificate)) []byte {
	t.Helper()
	key := testKey(t, 0x44)
	oid := func(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 37244, 1, n} }
	attribute := func(id asn1.ObjectIdentifier, tag int, s string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: id, Value: asn1.RawValue{Tag: tag, Bytes: []byte(s)}}
	}
	x := &x509.Certificate{
		SerialNumber: big.NewInt(0x1234),
		Subject: pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
			attribute(oid(1), asn1.TagUTF8String, "00000000000000AF"),
			attribute(oid(5), asn1.TagUTF8String, "FAB0000000000001"),
			attribute(asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.TagPrintableString, "Lamp & Co."),
			attribute(asn1.ObjectIdentifier{2, 5, 4, 11}, asn1.TagUTF8String, "Küche"),
			attribute(asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, asn1.TagIA5String, "home@"),
		}},
		NotBefore: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), NotAfter: time.Date(2060, 1, 2, 3, 4, 5, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		SubjectKeyId: bytes.Repeat([]byte{1}, 20), AuthorityKeyId: bytes.Repeat([]byte{2}, 20),
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: []byte("\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02")},
			{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: []byte("\x05\x00")},
		},
	}
	if edit != nil {
		edit(x)
	}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: "ca"}, SubjectKeyId: x.AuthorityKeyId}
	der, err := x509.CreateCertificate(rand.Reader, x, parent, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestFromX509Foreign(t *testing.T) {
	der := foreign(t, nil)
	c, err := FromX509(der)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.X509(); !bytes.Equal(got, der) {
		t.Errorf("X.509 is\n%x, want\n%x", got, der)
	}
	d := mustParse(t, c.TLV())
	if !d.Equal(c) {
		t.Errorf("by TLV\n%+v, was\n%+v", d, c)
	}
	want := Name{{Type: NodeID, ID: 0xAF}, {Type: FabricID, ID: 0xFAB0000000000001},
		{Type: CommonName, Text: "Lamp & Co.", Printable: true}, {Type: OrganizationalUnit, Text: "Küche"}, {Type: DomainComponent, Text: "home@"}}
	if !d.Subject.Equal(want) {
		t.Errorf("subject %+v, want %+v", d.Subject, want)
	}
	compareX509(t, d)
	if !Verify(&testKey(t, 0x44).PublicKey, d.TBS(), d.Signature[:]) {
		t.Error("the signature does not fit")
	}
}

// TestFromX509Times covers each of the forms that a time has.
func TestFromX509Times(t *testing.T) {
	for _, tt := range []struct {
		at   time.Time
		want string // the DER
	}{
		{time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC), "170d3030303130313030303030315a"},
		{time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC), "170d3439313233313233353935395a"},
		{time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC), "180f32303530303130313030303030305a"},
		{time.Date(2136, 2, 7, 6, 28, 15, 0, time.UTC), "180f32313336303230373036323831355a"},
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), "180f39393939313233313233353935395a"},
	} {
		der := foreign(t, func(x *x509.Certificate) { x.NotAfter = tt.at })
		if want, _ := hex.DecodeString(tt.want); !bytes.Contains(der, want) {
			t.Fatalf("%v: crypto/x509 wrote it in another form", tt.at)
		}
		c, err := FromX509(der)
		if err != nil {
			t.Errorf("%v: %v", tt.at, err)
			continue
		}
		d := mustParse(t, c.TLV())
		if !bytes.Equal(d.X509(), der) {
			t.Errorf("%v: X.509 is %x, want %x", tt.at, d.X509(), der)
		}
		if no := tt.at.Year() == 9999; no != (d.NotAfter == NoExpiry) || !no && !d.NotAfter.Time().Equal(tt.at) {
			t.Errorf("%v: got %d, %v", tt.at, d.NotAfter, d.NotAfter.Time())
		}
	}
	// Not after 0 in a certificate that begins with 0 as well.
	c := mustParse(t, foreignTLV(t))
	c.NotBefore = 0
	if !bytes.Contains(c.TBS(), bytes.Repeat([]byte("\x18\x0f99991231235959Z"), 1)) {
		t.Error("a beginning of 0 is not written as 9999")
	}
}

func foreignTLV(t *testing.T) []byte {
	c, err := FromX509(foreign(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	return c.TLV()
}

func TestFromX509Refuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*x509.Certificate)
		want string
	}{
		{"before Matter's time", func(x *x509.Certificate) { x.NotBefore = time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC) }, "1999-12-31"},
		{"at the number that means never", func(x *x509.Certificate) { x.NotBefore = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }, "2000-01-01"},
		{"after Matter's time", func(x *x509.Certificate) { x.NotAfter = time.Date(2136, 2, 7, 6, 28, 16, 0, time.UTC) }, "2136-02-07"},
		{"an attribute Matter has no number for", func(x *x509.Certificate) {
			x.Subject.ExtraNames[2].Type = asn1.ObjectIdentifier{2, 5, 4, 9}
		}, "an attribute that Matter does not have"},
		{"a node id in lower case", func(x *x509.Certificate) {
			x.Subject.ExtraNames[0].Value = asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("00000000000000af")}
		}, "not upper-case hexadecimal"},
		{"a node id of 15 digits", func(x *x509.Certificate) {
			x.Subject.ExtraNames[0].Value = asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("0000000000000AF")}
		}, "15 characters, not 16"},
		{"a node id as PrintableString", func(x *x509.Certificate) {
			x.Subject.ExtraNames[0].Value = asn1.RawValue{Tag: asn1.TagPrintableString, Bytes: []byte("00000000000000AF")}
		}, "a type of string"},
		{"a domain component as UTF8String", func(x *x509.Certificate) {
			x.Subject.ExtraNames[4].Value = asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("home")}
		}, "a type of string"},
		{"six attributes", func(x *x509.Certificate) {
			x.Subject.ExtraNames = append(x.Subject.ExtraNames, x.Subject.ExtraNames[2])
		}, "more than 5"},
		{"purposes that are not critical", func(x *x509.Certificate) { x.ExtraExtensions[0].Critical = false }, "the critical flag"},
		{"a purpose Matter has no number for", func(x *x509.Certificate) { x.ExtraExtensions[0].Value[11] = 0x11 }, "unknown purpose 0"},
		{"a key id of 19 octets", func(x *x509.Certificate) { x.SubjectKeyId = x.SubjectKeyId[1:] }, "not a form that Matter has"},
		{"more than 600 octets", func(x *x509.Certificate) { x.ExtraExtensions[1].Value = make([]byte, 200) }, "600 is the most"},
		{"an extension that is there twice", func(x *x509.Certificate) {
			x.ExtraExtensions[1] = pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: x.ExtraExtensions[0].Value}
		}, "twice"},
	} {
		der := foreign(t, tt.edit)
		c, err := FromX509(der)
		if err == nil || c != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", tt.name, err, tt.want)
		}
	}
	// Keys and signatures of other kinds.
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, x, x, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := FromX509(der); err == nil {
		t.Error("P-384 with SHA-384 is taken")
	}
	// The same certificate, written longer than DER has it: a length in two octets.
	good := foreign(t, nil)
	at := bytes.Index(good, []byte("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"))
	if at < 0 {
		t.Fatal("no algorithm")
	}
	bad := append(append(bytes.Clone(good[:at]), 0x30, 0x81, 0x0a), good[at+2:]...)
	if _, err := FromX509(bad); err == nil {
		t.Error("a length that is not DER is taken")
	}
}

// TestKeyUsageDER writes and reads all 512 values; X.509 counts the bits from
// the other end and leaves out zeros.
func TestKeyUsageDER(t *testing.T) {
	c := mustParse(t, foreignTLV(t))
	for k := range KeyUsage(maxKeyUsage + 1) {
		c.replace(k)
		der := c.X509()
		d, err := FromX509(der)
		if err != nil {
			t.Fatalf("key usage %09b: %v", k, err)
		}
		if got, ok := find[KeyUsage](d); !ok || got != k {
			t.Fatalf("key usage %09b comes back as %09b", k, got)
		}
		x, err := x509.ParseCertificate(der)
		if err != nil || x.KeyUsage != x509.KeyUsage(k) {
			t.Fatalf("key usage %09b: crypto/x509 reads %09b, %v", k, x.KeyUsage, err)
		}
	}
}

// TestAllAttributes has each attribute come back from both forms.
func TestAllAttributes(t *testing.T) {
	c := mustParse(t, foreignTLV(t))
	for at := CommonName; at <= VVSID; at++ {
		list := []Attribute{{Type: at, Text: "a B-9"}, {Type: at, Text: "a B-9", Printable: true}}
		switch {
		case at == NOCCAT:
			list = []Attribute{{Type: at, ID: 0}, {Type: at, ID: 1<<32 - 1}}
		case at.matter():
			list = []Attribute{{Type: at, ID: 0}, {Type: at, ID: 0xFEDCBA9876543210}, {Type: at, ID: 1<<64 - 1}}
		case at == DomainComponent:
			list = list[:1]
		}
		for _, a := range list {
			c.Subject = Name{a}
			d, err := FromX509(c.X509())
			if err != nil {
				t.Fatalf("%+v: %v", a, err)
			}
			e := mustParse(t, d.TLV())
			if !e.Subject.Equal(Name{a}) {
				t.Errorf("%+v comes back as %+v", a, e.Subject)
			}
		}
	}
}

func TestTimeOf(t *testing.T) {
	for _, at := range []time.Time{{}, time.Unix(0, 0), epoch, time.Date(2136, 2, 7, 6, 28, 16, 0, time.UTC), time.Unix(1<<62, 0), time.Unix(-1<<62, 0)} {
		if got, err := TimeOf(at); err == nil {
			t.Errorf("%v is %d", at, got)
		}
	}
	if got, err := TimeOf(epoch.Add(time.Second)); err != nil || got != 1 {
		t.Errorf("got %d, %v", got, err)
	}
	if got, err := TimeOf(epoch.Add((1<<32 - 1) * time.Second)); err != nil || got != 1<<32-1 {
		t.Errorf("got %d, %v", got, err)
	}
}
