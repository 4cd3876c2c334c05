package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"strings"
	"testing"
	"time"
)

var testValidity = Validity{NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}

// TestIssue makes a chain, verifies it, and has crypto/x509 agree.
func TestIssue(t *testing.T) {
	rootKey, icacKey, nodeKey := testKey(t, 0x11), testKey(t, 0x22), testKey(t, 0x33)
	root, err := NewRoot(rootKey, 7, testValidity)
	if err != nil {
		t.Fatal(err)
	}
	icac, err := root.IssueIntermediate(rootKey, &icacKey.PublicKey, 8, testFabric, testValidity)
	if err != nil {
		t.Fatal(err)
	}
	node := Node{FabricID: testFabric, NodeID: testNode, CATs: []uint32{0xABCD0001, 0xABCE0001, 0xFFFFFFFF}}
	below, err := icac.IssueNode(icacKey, &nodeKey.PublicKey, node, testValidity)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := root.IssueNode(rootKey, &nodeKey.PublicKey, node, testValidity)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		noc, icac *Certificate
	}{{below, icac}, {direct, nil}} {
		var i []byte
		issuer := root
		if tt.icac != nil {
			i, issuer = tt.icac.TLV(), tt.icac
		}
		p, err := VerifyNode(root, tt.noc.TLV(), i, testValidity.NotBefore)
		if err != nil {
			t.Fatal(err)
		}
		if p.NodeID != testNode || p.FabricID != testFabric || len(p.CATs) != 3 || p.CATs[2] != 0xFFFFFFFF || !p.PublicKey.Equal(&nodeKey.PublicKey) {
			t.Errorf("got %+v", p)
		}
		compareX509(t, tt.noc)
		x, err := x509.ParseCertificate(tt.noc.X509())
		if err != nil {
			t.Fatal(err)
		}
		y, err := x509.ParseCertificate(issuer.X509())
		if err != nil {
			t.Fatal(err)
		}
		if err := x.CheckSignatureFrom(y); err != nil {
			t.Errorf("crypto/x509: %v", err)
		}
	}
	if string(root.Serial) == string(icac.Serial) || string(direct.Serial) == string(below.Serial) {
		t.Error("serial numbers repeat")
	}
	if root.NotAfter != NoExpiry {
		t.Errorf("the root ends at %v", root.NotAfter.Time())
	}
}

// TestIssueRefuses: nothing is issued that VerifyNode would not take.
func TestIssueRefuses(t *testing.T) {
	key, other := testKey(t, 0x11), testKey(t, 0x22)
	root, err := NewRoot(key, 7, testValidity)
	if err != nil {
		t.Fatal(err)
	}
	node := Node{FabricID: testFabric, NodeID: testNode}
	noc, err := root.IssueNode(key, &other.PublicKey, node, testValidity)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(key *ecdsa.PrivateKey, subject *ecdsa.PublicKey, n Node, v Validity) func() (*Certificate, error) {
		return func() (*Certificate, error) { return root.IssueNode(key, subject, n, v) }
	}
	for _, tt := range []struct {
		name string
		make func() (*Certificate, error)
		want string
	}{
		{"another's key", issue(other, &other.PublicKey, node, testValidity), "not that of the issuer"},
		{"no key", issue(nil, &other.PublicKey, node, testValidity), "P-256"},
		{"no subject", issue(key, nil, node, testValidity), "P-256"},
		{"P-384", issue(key, &p384.PublicKey, node, testValidity), "P-256"},
		{"signed with P-384", issue(p384, &other.PublicKey, node, testValidity), "P-256"},
		{"node 0", issue(key, &other.PublicKey, Node{FabricID: 1}, testValidity), "operational node id"},
		{"fabric 0", issue(key, &other.PublicKey, Node{NodeID: 1}, testValidity), "fabric 0"},
		{"a tag of version 0", issue(key, &other.PublicKey, Node{FabricID: 1, NodeID: 1, CATs: []uint32{1 << 16}}, testValidity), "version 0"},
		{"four tags", issue(key, &other.PublicKey, Node{FabricID: 1, NodeID: 1, CATs: []uint32{0x10001, 0x20001, 0x30001, 0x40001}}, testValidity), "6 attributes"},
		{"no beginning", issue(key, &other.PublicKey, node, Validity{}), "after 2000-01-01"},
		{"an end before the beginning", issue(key, &other.PublicKey, node, Validity{testValidity.NotBefore, testValidity.NotBefore.Add(-time.Hour)}), "ends before it begins"},
		{"a node that issues", func() (*Certificate, error) { return noc.IssueIntermediate(other, &key.PublicKey, 1, 0, testValidity) }, ""},
		{"a root without key", func() (*Certificate, error) { return NewRoot(nil, 1, testValidity) }, "P-256"},
		{"a root of P-384", func() (*Certificate, error) { return NewRoot(p384, 1, testValidity) }, "P-256"},
	} {
		c, err := tt.make()
		if tt.want == "" {
			// What it issues has no chain to a root.
			if err == nil {
				_, err = VerifyNode(root, noc.TLV(), c.TLV(), testValidity.NotBefore)
			}
			if err == nil {
				t.Errorf("%s: no error", tt.name)
			}
			continue
		}
		if err == nil || c != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", tt.name, err, tt.want)
		}
	}
}

// TestSignature: r‖s of any length comes through DER, and nothing else is a
// signature.
func TestSignature(t *testing.T) {
	key := testKey(t, 0x11)
	for n := range 300 { // enough for some r and s with leading zeros
		m := []byte{byte(n), byte(n >> 8)}
		sig, err := Sign(key, m)
		if err != nil {
			t.Fatal(err)
		}
		if back, ok := signatureFromDER(signatureDER(sig)); !ok || back != sig {
			t.Fatalf("%x comes back as %x", sig, back)
		}
		if !Verify(&key.PublicKey, m, sig[:]) {
			t.Fatalf("%x is not taken", sig)
		}
		sig[n%64] ^= 0x10
		if Verify(&key.PublicKey, m, sig[:]) {
			t.Fatalf("changed, %x is taken", sig)
		}
	}
	small := [SigSize]byte{31: 1, 63: 2}
	if back, ok := signatureFromDER(signatureDER(small)); !ok || back != small {
		t.Errorf("%x comes back as %x", small, back)
	}
	for _, bad := range [][]byte{nil, make([]byte, 63), make([]byte, 64), make([]byte, 65)} {
		if Verify(&key.PublicKey, []byte("m"), bad) {
			t.Errorf("%d zeros are a signature", len(bad))
		}
	}
	if Verify(nil, []byte("m"), make([]byte, 64)) {
		t.Error("a signature without a key")
	}
	if _, err := Sign(nil, nil); err == nil {
		t.Error("signed without a key")
	}
}

func BenchmarkVerifyNode(b *testing.B) {
	_, v, _ := vectors(b)
	root := mustParse(b, v["case RCAC"].TLV)
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := VerifyNode(root, v["case ctlNOC"].TLV, nil, at); err != nil {
			b.Fatal(err)
		}
	}
}
