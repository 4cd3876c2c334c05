package cert

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// octets are hexadecimal digits in JSON.
type octets []byte

func (o *octets) UnmarshalText(b []byte) error {
	*o = make([]byte, hex.DecodedLen(len(b)))
	_, err := hex.Decode(*o, b)
	return err
}

type vector struct {
	Name, Issuer   string
	TLV, TBS, X509 octets
}

// vectors are certificates and requests of other stacks; testdata says whose.
func vectors(t testing.TB) (certs []vector, byName map[string]vector, requests []struct {
	Name     string
	CSR, Key octets
}) {
	t.Helper()
	b, err := os.ReadFile("testdata/certificates.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Certificates []vector
		Requests     []struct {
			Name     string
			CSR, Key octets
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	byName = map[string]vector{}
	for _, v := range doc.Certificates {
		byName[v.Name] = v
	}
	return doc.Certificates, byName, doc.Requests
}

func mustParse(t testing.TB, b []byte) *Certificate {
	t.Helper()
	c, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestVectors converts every certificate both ways, and compares with what the
// other stack made of it, and with what crypto/x509 reads in it.
func TestVectors(t *testing.T) {
	list, byName, _ := vectors(t)
	if len(list) < 11 {
		t.Fatalf("%d vectors", len(list))
	}
	for _, v := range list {
		t.Run(v.Name, func(t *testing.T) {
			var c *Certificate
			if v.TLV != nil {
				c = mustParse(t, v.TLV)
				if got := c.TLV(); !bytes.Equal(got, v.TLV) {
					t.Errorf("TLV comes back as\n%x, was\n%x", got, v.TLV)
				}
			}
			if v.X509 != nil {
				d, err := FromX509(v.X509)
				if err != nil {
					t.Fatal(err)
				}
				if c == nil {
					c = d
				}
				if !bytes.Equal(d.TLV(), c.TLV()) || !d.Equal(c) {
					t.Errorf("from X.509\n%+v, from TLV\n%+v", d, c)
				}
				if got := c.X509(); !bytes.Equal(got, v.X509) {
					t.Errorf("X.509 is\n%x, want\n%x", got, v.X509)
				}
			}
			if v.TBS != nil && !bytes.Equal(c.TBS(), v.TBS) {
				t.Errorf("TBS is\n%x, want\n%x", c.TBS(), v.TBS)
			}
			if issuer, ok := byName[v.Issuer]; ok {
				if k := mustParse(t, issuer.TLV).Key(); !Verify(k, c.TBS(), c.Signature[:]) {
					t.Error("the signature does not fit")
				}
			}
			compareX509(t, c)
		})
	}
}

// compareX509 has the standard library read our X.509.
func compareX509(t *testing.T, c *Certificate) {
	t.Helper()
	x, err := x509.ParseCertificate(c.X509())
	if err != nil {
		t.Fatalf("crypto/x509: %v", err)
	}
	if !bytes.Equal(x.RawTBSCertificate, c.TBS()) {
		t.Error("crypto/x509 sees another TBSCertificate")
	}
	if got := x.SerialNumber.Bytes(); !bytes.Equal(got, bytes.TrimLeft(c.Serial, "\x00")) {
		t.Errorf("crypto/x509: serial number %x, not %x", got, c.Serial)
	}
	until := c.NotAfter.Time()
	if c.NotAfter == NoExpiry {
		until = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	if !x.NotBefore.Equal(c.NotBefore.Time()) || !x.NotAfter.Equal(until) {
		t.Errorf("crypto/x509: valid %v to %v, not %v to %v", x.NotBefore, x.NotAfter, c.NotBefore.Time(), until)
	}
	if !c.Key().Equal(x.PublicKey) {
		t.Error("crypto/x509: another public key")
	}
	if b, ok := find[BasicConstraints](c); ok && (b.CA != x.IsCA || b.HasPathLen && int(b.PathLen) != x.MaxPathLen || !b.HasPathLen && x.MaxPathLen > 0) {
		t.Errorf("crypto/x509: CA %v, path length %d, not %+v", x.IsCA, x.MaxPathLen, b)
	}
	if k, _ := find[KeyUsage](c); x.KeyUsage != x509.KeyUsage(k) {
		t.Errorf("crypto/x509: key usage %b, not %b", x.KeyUsage, k)
	}
	if e, _ := find[ExtendedKeyUsage](c); len(x.ExtKeyUsage) != len(e) {
		t.Errorf("crypto/x509: extended key usage %v, not %v", x.ExtKeyUsage, e)
	}
	if id, ok := find[SubjectKeyID](c); ok && !bytes.Equal(id[:], x.SubjectKeyId) {
		t.Errorf("crypto/x509: subject key id %x, not %x", x.SubjectKeyId, id)
	}
	if id, ok := find[AuthorityKeyID](c); ok && !bytes.Equal(id[:], x.AuthorityKeyId) {
		t.Errorf("crypto/x509: authority key id %x, not %x", x.AuthorityKeyId, id)
	}
	if len(x.Subject.Names) != len(c.Subject) {
		t.Fatalf("crypto/x509: %d attributes in the subject, not %d", len(x.Subject.Names), len(c.Subject))
	}
	for i, a := range c.Subject {
		want := a.Text
		if a.Type.matter() {
			want = a.hex()
		}
		if got := x.Subject.Names[i].Value; got != want {
			t.Errorf("crypto/x509: subject attribute %d is %q, not %q", i, got, want)
		}
	}
}

// TestVerifyNodeVectors takes real chains from end to end.
func TestVerifyNodeVectors(t *testing.T) {
	_, v, _ := vectors(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, root, icac, noc string
		fabric, node          uint64
		cats                  []uint32
	}{
		{"a device below an ICAC", "case RCAC", "case ICAC", "case deviceNOC", 0x2906C908D115D362, 0x1122334455667788, nil},
		{"a controller with a tag, below the root", "case RCAC", "", "case ctlNOC", 0x2906C908D115D362, 0x1B669, []uint32{0xFFFD0001}},
		{"CHIP", "CHIP Root01", "CHIP ICA01", "CHIP Node01_01", 0xFAB000000000001D, 0xDEDEDEDE00010001, nil},
		{"matter.js device", "matter.js RCAC", "", "matter.js device NOC", 0xDADF8DD3A33C6578, 1, nil},
		{"matter.js controller", "matter.js RCAC", "", "matter.js controller NOC", 0xDADF8DD3A33C6578, 0x0DFD0FF4F3532E97, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var icac []byte
			if tt.icac != "" {
				icac = v[tt.icac].TLV
			}
			noc := mustParse(t, v[tt.noc].TLV)
			p, err := VerifyNode(mustParse(t, v[tt.root].TLV), v[tt.noc].TLV, icac, now)
			if err != nil {
				t.Fatal(err)
			}
			if p.FabricID != tt.fabric || p.NodeID != tt.node || !bytes.Equal(noc.PublicKey[:], mustBytes(t, p)) || len(p.CATs) != len(tt.cats) || len(p.CATs) > 0 && p.CATs[0] != tt.cats[0] {
				t.Errorf("got %+v", p)
			}
		})
	}
	// Each chain below another's root, and without its ICAC.
	for _, tt := range []struct{ root, icac, noc, want string }{
		{"CHIP Root01", "case ICAC", "case deviceNOC", "issued with another key"}, // both roots have one name
		{"matter.js RCAC", "case ICAC", "case deviceNOC", "issued by another"},
		{"case RCAC", "", "case deviceNOC", "issued by another"},
		{"case RCAC", "CHIP ICA01", "case deviceNOC", "issued with another key"},
		{"case RCAC", "case deviceNOC", "case ctlNOC", "matter-node-id does not belong"},
		{"case RCAC", "", "case ICAC", "0 times matter-node-id"},
		{"case ICAC", "", "case deviceNOC", "root certificate"},
	} {
		var icac []byte
		if tt.icac != "" {
			icac = v[tt.icac].TLV
		}
		_, err := VerifyNode(mustParse(t, v[tt.root].TLV), v[tt.noc].TLV, icac, now)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s below %s and %q: %v, want …%s…", tt.noc, tt.root, tt.icac, err, tt.want)
		}
	}
}

func mustBytes(t *testing.T, p Peer) []byte {
	t.Helper()
	b, err := p.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestParseEveryPrefix: nothing that is cut off is a certificate, and nothing
// with more behind it.
func TestParseEveryPrefix(t *testing.T) {
	list, _, requests := vectors(t)
	for _, v := range list {
		for n := range len(v.TLV) {
			if _, err := Parse(v.TLV[:n]); err == nil {
				t.Fatalf("%s: %d of %d octets are a certificate", v.Name, n, len(v.TLV))
			}
		}
		for n := range len(v.X509) {
			if _, err := FromX509(v.X509[:n]); err == nil {
				t.Fatalf("%s: %d of %d octets are X.509", v.Name, n, len(v.X509))
			}
		}
		for _, more := range []string{"\x00", "\x18", "\x15\x18"} {
			if v.TLV != nil {
				if _, err := Parse(append(bytes.Clone(v.TLV), more...)); err == nil {
					t.Errorf("%s: trailing %q is taken", v.Name, more)
				}
			}
			if v.X509 != nil {
				if _, err := FromX509(append(bytes.Clone(v.X509), more...)); err == nil {
					t.Errorf("%s: trailing %q is taken in X.509", v.Name, more)
				}
			}
		}
	}
	for _, r := range requests {
		for n := range len(r.CSR) {
			if _, err := ParseCSR(r.CSR[:n]); err == nil {
				t.Fatalf("%s: %d of %d octets are a request", r.Name, n, len(r.CSR))
			}
		}
	}
}

// TestEveryBit: no bit of a signed certificate can be turned without notice.
func TestEveryBit(t *testing.T) {
	_, v, _ := vectors(t)
	root, noc := mustParse(t, v["case RCAC"].TLV), v["case ctlNOC"].TLV
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i := range 8 * len(noc) {
		b := bytes.Clone(noc)
		b[i/8] ^= 1 << (i % 8)
		if p, err := VerifyNode(root, b, nil, now); err == nil {
			t.Errorf("bit %d of octet %d can be turned: %+v", i%8, i/8, p)
		}
	}
}
