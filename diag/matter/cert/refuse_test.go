package cert

import (
	"bytes"
	"crypto/ecdsa"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/tlv"
)

// A chain is three certificates before they are signed, so that a test can
// break one rule and leave all others kept, the signatures included.
type chain struct {
	root, icac, node          *Certificate
	rootKey, icacKey, nodeKey *ecdsa.PrivateKey // who is certified
	signer                    *ecdsa.PrivateKey // of the NOC; nil: the ICAC's
	direct                    bool              // no ICAC: the root issues the NOC
	at                        time.Time

	afterwards func(root *Certificate, noc, icac *[]byte) // what happens on the way
}

const testFabric, testNode = 0x2906C908D115D362, 0x1122334455667788

func newChain(t testing.TB) *chain {
	c := &chain{rootKey: testKey(t, 0x11), icacKey: testKey(t, 0x22), nodeKey: testKey(t, 0x33), at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	from, err := TimeOf(c.at.AddDate(-1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	until, err := TimeOf(c.at.AddDate(10, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	rootID, icacID, nodeID := KeyID(public(c.rootKey)), KeyID(public(c.icacKey)), KeyID(public(c.nodeKey))
	rootName := Name{{Type: RCACID, ID: 1}, {Type: FabricID, ID: testFabric}}
	icacName := Name{{Type: ICACID, ID: 2}, {Type: FabricID, ID: testFabric}, {Type: CommonName, Text: "home"}}
	c.root = &Certificate{
		Serial: []byte{1}, Issuer: rootName, Subject: slices.Clone(rootName), NotBefore: from, NotAfter: until, PublicKey: public(c.rootKey),
		Extensions: []Extension{BasicConstraints{CA: true, PathLen: 1, HasPathLen: true}, KeyCertSign | CRLSign, SubjectKeyID(rootID), AuthorityKeyID(rootID)},
	}
	c.icac = &Certificate{
		Serial: []byte{2}, Issuer: rootName, Subject: icacName, NotBefore: from, NotAfter: until, PublicKey: public(c.icacKey),
		Extensions: []Extension{BasicConstraints{CA: true, HasPathLen: true}, KeyCertSign | CRLSign, SubjectKeyID(icacID), AuthorityKeyID(rootID)},
	}
	c.node = &Certificate{
		Serial: []byte{3}, Issuer: slices.Clone(icacName), NotBefore: from, PublicKey: public(c.nodeKey),
		Subject:    Name{{Type: NodeID, ID: testNode}, {Type: FabricID, ID: testFabric}, {Type: NOCCAT, ID: 0xABCD0002}},
		Extensions: []Extension{BasicConstraints{}, DigitalSignature, ExtendedKeyUsage{ClientAuth, ServerAuth}, SubjectKeyID(nodeID), AuthorityKeyID(icacID)},
	}
	return c
}

func public(k *ecdsa.PrivateKey) [keySize]byte {
	b, err := publicKeyBytes(&k.PublicKey)
	if err != nil {
		panic(err)
	}
	return b
}

// replace puts x in the place of the extension of its type.
func (c *Certificate) replace(x Extension) {
	for i, old := range c.Extensions {
		if old.tag() == x.tag() {
			c.Extensions[i] = x
			return
		}
	}
	c.Extensions = append(c.Extensions, x)
}

// remove removes an extension.
func (c *Certificate) remove(tag uint8) {
	c.Extensions = slices.DeleteFunc(c.Extensions, func(x Extension) bool { return x.tag() == tag })
}

// verify signs everything and has it verified.
func (c *chain) verify(t *testing.T) (Peer, error) {
	t.Helper()
	sign := func(x *Certificate, key *ecdsa.PrivateKey) []byte {
		tbs, err := x.build(false)
		if err != nil {
			t.Fatal(err)
		}
		if x.Signature, err = Sign(key, tbs); err != nil {
			t.Fatal(err)
		}
		b, err := x.encode()
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(b)
	}
	signer := c.signer
	if signer == nil {
		signer = c.icacKey
	}
	sign(c.root, c.rootKey)
	icac := sign(c.icac, c.rootKey)
	if c.direct {
		icac, signer = nil, c.rootKey
		c.node.Issuer = c.root.Subject
		c.node.replace(AuthorityKeyID(KeyID(c.root.PublicKey)))
	}
	noc := sign(c.node, signer)
	if c.afterwards != nil {
		c.afterwards(c.root, &noc, &icac)
	}
	return VerifyNode(c.root, noc, icac, c.at)
}

// TestVerifyNodeTakes: what must not be refused, above all the chain that the
// refusals below differ from in one thing.
func TestVerifyNodeTakes(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*chain)
	}{
		{"the chain", func(*chain) {}},
		{"without an ICAC", func(c *chain) { c.direct = true }},
		{"without an ICAC, below a root of path length 0", func(c *chain) { c.direct = true; c.root.replace(BasicConstraints{CA: true, HasPathLen: true}) }},
		{"an empty ICAC is none", func(c *chain) {
			c.direct = true
			c.afterwards = func(_ *Certificate, _, icac *[]byte) { *icac = []byte{} }
		}},
		{"authorities without a fabric id and a path length", func(c *chain) {
			c.root.Subject = Name{{Type: RCACID, ID: 1}}
			c.root.Issuer, c.icac.Issuer = c.root.Subject, c.root.Subject
			c.icac.Subject = Name{{Type: ICACID, ID: 2}}
			c.node.Issuer = c.icac.Subject
			c.root.replace(BasicConstraints{CA: true})
			c.icac.replace(BasicConstraints{CA: true})
		}},
		{"authorities that may sign as well", func(c *chain) {
			c.root.replace(KeyCertSign | CRLSign | DigitalSignature)
			c.icac.replace(KeyCertSign | CRLSign | DigitalSignature)
		}},
		{"purposes the other way round", func(c *chain) { c.node.replace(ExtendedKeyUsage{ServerAuth, ClientAuth}) }},
		{"an unknown extension that isn't critical", func(c *chain) { c.node.Extensions = append(c.node.Extensions, unknownExtension(false)) }},
		{"the last second", func(c *chain) { c.at = c.icac.NotAfter.Time().Add(999 * time.Millisecond) }},
		{"the first second", func(c *chain) { c.at = c.node.NotBefore.Time() }},
		{"never an end", func(c *chain) {
			c.root.NotAfter, c.icac.NotAfter, c.at = NoExpiry, NoExpiry, time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)
		}},
		{"the lowest node id", func(c *chain) { c.node.Subject[0].ID = MinNodeID }},
		{"the highest node id", func(c *chain) { c.node.Subject[0].ID = MaxNodeID }},
		{"three tags", func(c *chain) {
			c.icac.Subject = c.icac.Subject[:2] // else it is more than 600 octets of X.509
			c.node.Issuer = c.icac.Subject
			c.node.Subject = append(c.node.Subject, Attribute{Type: NOCCAT, ID: 0x00010001}, Attribute{Type: NOCCAT, ID: 0x0000FFFF})
		}},
		{"serial number 0, as matter.js has it", func(c *chain) { c.root.Serial = []byte{0} }},
		{"serial number of 20 octets", func(c *chain) { c.node.Serial = bytes.Repeat([]byte{0x7F}, 20) }},
		{"years from 2050 on", func(c *chain) { c.root.NotAfter, c.icac.NotAfter, c.node.NotAfter = 1<<32-1, 1<<32-2, 1<<31 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newChain(t)
			tt.edit(c)
			p, err := c.verify(t)
			if err != nil {
				t.Fatal(err)
			}
			if p.NodeID != c.node.Subject[0].ID || p.FabricID != testFabric || !p.PublicKey.Equal(&c.nodeKey.PublicKey) || len(p.CATs) != len(c.node.Subject)-2 || p.CATs[0] != 0xABCD0002 {
				t.Errorf("got %+v", p)
			}
			compareX509(t, c.root)
			compareX509(t, c.node)
		})
	}
}

func unknownExtension(critical bool) FutureExtension {
	der := "\x30\x0a\x06\x03\x55\x1d\x12\x04\x03\x02\x01\x05"
	if critical {
		der = "\x30\x0d\x06\x03\x55\x1d\x12\x01\x01\xff\x04\x03\x02\x01\x05"
	}
	return FutureExtension(der)
}

// TestVerifyNodeRefuses breaks each rule once.
func TestVerifyNodeRefuses(t *testing.T) {
	onTheWay := func(edit func(root *Certificate, noc, icac *[]byte)) func(*chain) {
		return func(c *chain) { c.afterwards = edit }
	}
	flip := func(b *[]byte, fromEnd int) {
		*b = bytes.Clone(*b)
		(*b)[len(*b)-fromEnd] ^= 1
	}
	for _, tt := range []struct {
		name string
		edit func(*chain)
		want string
	}{
		// who signed
		{"no root", func(c *chain) { c.root = nil }, "no root certificate"},
		{"root signature", onTheWay(func(r *Certificate, _, _ *[]byte) { r.Signature[5] ^= 1 }), "root certificate: the signature is wrong"},
		{"ICAC signature", onTheWay(func(_ *Certificate, _, icac *[]byte) { flip(icac, 5) }), "intermediate certificate: the signature is wrong"},
		{"NOC signature", onTheWay(func(_ *Certificate, noc, _ *[]byte) { flip(noc, 5) }), "node certificate: the signature is wrong"},
		{"signature of zeros", onTheWay(func(_ *Certificate, noc, _ *[]byte) { clear((*noc)[len(*noc)-65 : len(*noc)-1]) }), "node certificate: the signature is wrong"},
		{"NOC signed by the root instead", func(c *chain) { c.signer = c.rootKey }, "node certificate: the signature is wrong"},
		{"NOC signed by itself", func(c *chain) { c.signer = c.nodeKey }, "node certificate: the signature is wrong"},
		{"another root key, same names and key ids", onTheWay(func(r *Certificate, _, _ *[]byte) { r.PublicKey = public(testKey(t, 0x77)) }), "root certificate: the signature is wrong"},
		{"node key swapped", onTheWay(func(_ *Certificate, noc, _ *[]byte) {
			own, other := public(testKey(t, 0x33)), public(testKey(t, 0x77))
			*noc = bytes.Replace(*noc, own[:], other[:], 1)
		}), "node certificate: the signature is wrong"},
		{"ICAC left out", onTheWay(func(_ *Certificate, _, icac *[]byte) { *icac = nil }), "issued by another"},
		// names
		{"root issued by another", func(c *chain) { c.root.Issuer = Name{{Type: RCACID, ID: 9}} }, "issued by another than itself"},
		{"root's issuer in another encoding", func(c *chain) {
			c.root.Subject = append(c.root.Subject, Attribute{Type: CommonName, Text: "a"})
			c.root.Issuer = append(slices.Clone(c.root.Issuer), Attribute{Type: CommonName, Text: "a", Printable: true})
		}, "issued by another than itself"},
		{"ICAC issued by another", func(c *chain) { c.icac.Issuer = Name{{Type: RCACID, ID: 9}} }, "intermediate certificate: issued by another"},
		{"NOC issued by another", func(c *chain) { c.node.Issuer = Name{{Type: ICACID, ID: 9}} }, "node certificate: issued by another"},
		{"NOC's issuer in another order", func(c *chain) { slices.Reverse(c.node.Issuer) }, "node certificate: issued by another"},
		{"NOC's issuer in another encoding", func(c *chain) { c.node.Issuer[2].Printable = true }, "node certificate: issued by another"},
		// fabric ids
		{"another fabric in the NOC", func(c *chain) { c.node.Subject[1].ID++ }, "below an authority of fabric 2906C908D115D362"},
		{"another fabric in the ICAC", func(c *chain) { c.icac.Subject[1].ID++; c.node.Issuer = c.icac.Subject }, "below an authority of fabric 2906C908D115D363"},
		{"another fabric in the root", func(c *chain) {
			c.root.Subject[1].ID--
			c.root.Issuer, c.icac.Issuer = c.root.Subject, c.root.Subject
		}, "below an authority of fabric 2906C908D115D361"},
		{"fabric 0", func(c *chain) { c.node.Subject[1].ID = 0 }, "fabric 0"},
		{"fabric 0 in the ICAC", func(c *chain) { c.icac.Subject[1].ID = 0; c.node.Issuer = c.icac.Subject }, "fabric 0"},
		{"two fabrics", func(c *chain) { c.node.Subject[2] = c.node.Subject[1] }, "2 times matter-fabric-id"},
		{"two fabrics in the root", func(c *chain) {
			c.root.Subject = append(c.root.Subject, c.root.Subject[1])
			c.root.Issuer, c.icac.Issuer = c.root.Subject, c.root.Subject
		}, "2 times matter-fabric-id"},
		{"no fabric", func(c *chain) { c.node.Subject = c.node.Subject[:1] }, "0 times matter-fabric-id"},
		// node ids
		{"node 0", func(c *chain) { c.node.Subject[0].ID = 0 }, "not an operational node id"},
		{"a group's node id", func(c *chain) { c.node.Subject[0].ID = 0xFFFFFFFFFFFF0001 }, "not an operational node id"},
		{"just above the range", func(c *chain) { c.node.Subject[0].ID = MaxNodeID + 1 }, "not an operational node id"},
		{"two node ids", func(c *chain) { c.node.Subject[2] = c.node.Subject[0] }, "2 times matter-node-id"},
		{"no node id", func(c *chain) { c.node.Subject = c.node.Subject[1:] }, "0 times matter-node-id"},
		// what belongs to others
		{"NOC with an rcac-id", func(c *chain) { c.node.Subject[2] = Attribute{Type: RCACID, ID: 1} }, "matter-rcac-id does not belong"},
		{"NOC with an icac-id", func(c *chain) { c.node.Subject[2] = Attribute{Type: ICACID, ID: 1} }, "matter-icac-id does not belong"},
		{"NOC that signs firmware", func(c *chain) { c.node.Subject[2] = Attribute{Type: FirmwareSigningID, ID: 1} }, "matter-firmware-signing-id does not belong"},
		{"NOC that signs vendor ids", func(c *chain) { c.node.Subject[2] = Attribute{Type: VVSID, ID: 1} }, "matter-vvs-id does not belong"},
		{"root with a node id", func(c *chain) {
			c.root.Subject = append(c.root.Subject, Attribute{Type: NodeID, ID: 1})
			c.root.Issuer, c.icac.Issuer = c.root.Subject, c.root.Subject
		}, "matter-node-id does not belong"},
		{"root without rcac-id", func(c *chain) {
			c.root.Subject = c.root.Subject[1:]
			c.root.Issuer, c.icac.Issuer = c.root.Subject, c.root.Subject
		}, "0 times matter-rcac-id"},
		{"root with two rcac-ids", func(c *chain) {
			c.root.Subject = append(c.root.Subject, c.root.Subject[0])
			c.root.Issuer, c.icac.Issuer = c.root.Subject, c.root.Subject
		}, "2 times matter-rcac-id"},
		{"root with a tag", func(c *chain) {
			c.root.Subject = append(c.root.Subject, Attribute{Type: NOCCAT, ID: 1})
			c.root.Issuer, c.icac.Issuer = c.root.Subject, c.root.Subject
		}, "matter-noc-cat does not belong"},
		{"ICAC with a node id", func(c *chain) { c.icac.Subject[2] = Attribute{Type: NodeID, ID: 1}; c.node.Issuer = c.icac.Subject }, "matter-node-id does not belong"},
		{"ICAC without icac-id", func(c *chain) { c.icac.Subject = c.icac.Subject[1:]; c.node.Issuer = c.icac.Subject }, "0 times matter-icac-id"},
		// tags
		{"tag of version 0", func(c *chain) { c.node.Subject[2].ID = 0xABCD0000 }, "version 0"},
		{"two tags of one identifier", func(c *chain) { c.node.Subject = append(c.node.Subject, Attribute{Type: NOCCAT, ID: 0xABCD0003}) }, "of one identifier"},
		{"tag of 33 bits", func(c *chain) { c.node.Subject[2].ID = 1 << 32 }, "more than 32 bits"},
		{"six attributes", func(c *chain) {
			c.node.Subject = append(c.node.Subject, Attribute{Type: NOCCAT, ID: 0x10001}, Attribute{Type: NOCCAT, ID: 0x20001}, Attribute{Type: NOCCAT, ID: 0x30001})
		}, "more than 5 attributes"},
		// what for
		{"NOC that is an authority", func(c *chain) { c.node.replace(BasicConstraints{CA: true}) }, "no authority"},
		{"NOC without basic constraints", func(c *chain) { c.node.remove(tagBasicConstraints) }, "no authority"},
		{"root that is none", func(c *chain) { c.root.replace(BasicConstraints{}) }, "root certificate: basic constraints"},
		{"root without basic constraints", func(c *chain) { c.root.remove(tagBasicConstraints) }, "root certificate: basic constraints"},
		{"ICAC that is none", func(c *chain) { c.icac.replace(BasicConstraints{}) }, "intermediate certificate: basic constraints"},
		{"root of path length 2", func(c *chain) { c.root.replace(BasicConstraints{CA: true, PathLen: 2, HasPathLen: true}) }, "path length 2"},
		{"ICAC of path length 1", func(c *chain) { c.icac.replace(BasicConstraints{CA: true, PathLen: 1, HasPathLen: true}) }, "path length 1"},
		{"an ICAC below a root of path length 0", func(c *chain) { c.root.replace(BasicConstraints{CA: true, HasPathLen: true}) }, "the root allows none"},
		{"path length of a NOC", func(c *chain) { c.node.replace(BasicConstraints{HasPathLen: true}) }, "a path length where none can be"},
		{"NOC without key usage", func(c *chain) { c.node.remove(tagKeyUsage) }, "not digitalSignature"},
		{"NOC that certifies", func(c *chain) { c.node.replace(DigitalSignature | KeyCertSign) }, "not digitalSignature"},
		{"root without key usage", func(c *chain) { c.root.remove(tagKeyUsage) }, "root certificate: key usage"},
		{"root that doesn't certify", func(c *chain) { c.root.replace(CRLSign) }, "root certificate: key usage"},
		{"ICAC that doesn't revoke", func(c *chain) { c.icac.replace(KeyCertSign) }, "intermediate certificate: key usage"},
		{"ICAC that does more", func(c *chain) { c.icac.replace(KeyCertSign | CRLSign | 1<<4) }, "intermediate certificate: key usage"},
		{"unknown bits of key usage", func(c *chain) { c.node.replace(KeyUsage(1 << 9)) }, "unknown bits"},
		{"NOC without extended key usage", func(c *chain) { c.node.remove(tagExtendedKeyUsage) }, "clientAuth and serverAuth"},
		{"NOC of a client only", func(c *chain) { c.node.replace(ExtendedKeyUsage{ClientAuth}) }, "clientAuth and serverAuth"},
		{"NOC of a server only", func(c *chain) { c.node.replace(ExtendedKeyUsage{ServerAuth}) }, "clientAuth and serverAuth"},
		{"NOC that signs code", func(c *chain) { c.node.replace(ExtendedKeyUsage{ClientAuth, ServerAuth, CodeSigning}) }, "clientAuth and serverAuth"},
		{"a purpose twice", func(c *chain) { c.node.replace(ExtendedKeyUsage{ClientAuth, ClientAuth}) }, "twice"},
		{"root with a purpose", func(c *chain) { c.root.replace(ExtendedKeyUsage{ServerAuth, ClientAuth}) }, "no extended key usage"},
		{"ICAC with a purpose", func(c *chain) { c.icac.replace(ExtendedKeyUsage{ServerAuth, ClientAuth}) }, "no extended key usage"},
		{"a critical extension nobody knows", func(c *chain) { c.node.Extensions = append(c.node.Extensions, unknownExtension(true)) }, "critical extension"},
		{"a critical extension in the root", func(c *chain) { c.root.Extensions = append(c.root.Extensions, unknownExtension(true)) }, "critical extension"},
		{"a second basic constraints in disguise", func(c *chain) {
			c.node.Extensions = append(c.node.Extensions, FutureExtension("\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"))
		}, "hides basic constraints"},
		{"an extension twice", func(c *chain) { c.node.Extensions = append(c.node.Extensions, DigitalSignature) }, "key usage: twice"},
		// key identifiers
		{"NOC without subject key id", func(c *chain) { c.node.remove(tagSubjectKeyID) }, "no subject key identifier"},
		{"NOC without authority key id", func(c *chain) { c.node.remove(tagAuthorityKeyID) }, "no authority key identifier"},
		{"root without authority key id", func(c *chain) { c.root.remove(tagAuthorityKeyID) }, "no authority key identifier"},
		{"ICAC without subject key id", func(c *chain) { c.icac.remove(tagSubjectKeyID) }, "no subject key identifier"},
		{"root key ids differ", func(c *chain) { c.root.replace(AuthorityKeyID{1}) }, "root certificate: issued with another key"},
		{"ICAC names another key", func(c *chain) { c.icac.replace(AuthorityKeyID{1}) }, "intermediate certificate: issued with another key"},
		{"NOC names another key", func(c *chain) { c.node.replace(AuthorityKeyID(KeyID(c.root.PublicKey))) }, "node certificate: issued with another key"},
		// when
		{"NOC not yet valid", func(c *chain) { c.node.NotBefore += 2 * 365 * 86400 }, "node certificate: valid from 2027-11-22T"},
		{"NOC expired", func(c *chain) { c.node.NotAfter = c.node.NotBefore + 1 }, "node certificate: expired at 2025-11-22T"},
		{"ICAC expired", func(c *chain) { c.icac.NotAfter = c.icac.NotBefore }, "intermediate certificate: expired"},
		{"root expired", func(c *chain) { c.root.NotAfter = c.root.NotBefore }, "root certificate: expired"},
		{"one second after the end", func(c *chain) { c.at = c.root.NotAfter.Time().Add(time.Second) }, "root certificate: expired"},
		{"a nanosecond before the beginning", func(c *chain) { c.at = c.root.NotBefore.Time().Add(-1) }, "root certificate: valid from"},
		{"a clock that never was set", func(c *chain) { c.at = time.Unix(0, 0) }, "check the clock"},
		{"no time at all", func(c *chain) { c.at = time.Time{} }, "check the clock"},
		// form
		{"NOC of more than 400 octets", func(c *chain) {
			c.node.Subject = append(c.node.Subject, Attribute{Type: CommonName, Text: strings.Repeat("n", 200)})
		}, "400 is the most"},
		{"root of more than 400 octets", func(c *chain) {
			c.root.Subject = append(c.root.Subject, Attribute{Type: CommonName, Text: strings.Repeat("n", 100)})
			c.root.Issuer = c.root.Subject
		}, "at most 400 and 600"},
		{"NOC empty", onTheWay(func(_ *Certificate, noc, _ *[]byte) { *noc = nil }), "not a Matter certificate"},
		{"NOC trailed by an octet", onTheWay(func(_ *Certificate, noc, _ *[]byte) { *noc = append(*noc, 0) }), "not a Matter certificate"},
		{"NOC trailed by another element", onTheWay(func(_ *Certificate, noc, _ *[]byte) { *noc = append(*noc, 0x14) }), "something follows"},
		{"key that is no point", func(c *chain) { c.node.PublicKey[64] ^= 1 }, "not a point of the curve"},
		{"key in another form", func(c *chain) { c.node.PublicKey[0] = 2 }, "not a point of the curve"},
		{"serial number negative", func(c *chain) { c.node.Serial = []byte{0x80} }, "negative"},
		{"serial number empty", func(c *chain) { c.node.Serial = nil }, "0 octets"},
		{"serial number of 21 octets", func(c *chain) { c.node.Serial = bytes.Repeat([]byte{1}, 21) }, "21 octets"},
		{"serial number padded", func(c *chain) { c.node.Serial = []byte{0, 1} }, "shortest form"},
		{"text that is not UTF-8", func(c *chain) {
			c.node.Subject = append(c.node.Subject, Attribute{Type: CommonName, Text: "\xff"})
		}, "not UTF-8"},
		{"text beyond PrintableString", func(c *chain) {
			c.node.Subject = append(c.node.Subject, Attribute{Type: CommonName, Text: "a@b", Printable: true})
		}, "no PrintableString"},
		{"no subject", func(c *chain) { c.node.Subject = nil }, "subject: 0 attributes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newChain(t)
			tt.edit(c)
			var p Peer
			var err error
			if c.root == nil {
				p, err = VerifyNode(nil, nil, nil, c.at)
			} else {
				p, err = c.verify(t)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want …%s…", err, tt.want)
			}
			if p.NodeID != 0 || p.FabricID != 0 || p.PublicKey != nil || p.CATs != nil {
				t.Errorf("refused, and says %+v", p)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %q", err)
			}
		})
	}
}

// TestParseRefuses: TLV that is not a certificate, though each difference is
// well-formed TLV.
func TestParseRefuses(t *testing.T) {
	_, v, _ := vectors(t)
	noc := v["case ctlNOC"].TLV
	if _, err := Parse(noc); err != nil {
		t.Fatal(err)
	}
	swap := func(old, new string) []byte {
		t.Helper()
		if n := bytes.Count(noc, []byte(old)); n != 1 {
			t.Fatalf("%x is there %d times", old, n)
		}
		return bytes.Replace(noc, []byte(old), []byte(new), 1)
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"the fixture is not changed by chance", swap("\x24\x02\x01\x37\x03", "\x24\x02\x02\x37\x03"), "algorithm 2"},
		{"key algorithm", swap("\x24\x07\x01\x24\x08\x01", "\x24\x07\x02\x24\x08\x01"), "field 7 names algorithm 2"},
		{"curve", swap("\x24\x07\x01\x24\x08\x01", "\x24\x07\x01\x24\x08\x02"), "field 8 names algorithm 2"},
		{"fields in another order", swap("\x24\x07\x01\x24\x08\x01", "\x24\x08\x01\x24\x07\x01"), "no field 7"},
		{"a field missing", swap("\x24\x07\x01\x24\x08\x01", "\x24\x07\x01"), "no field 8"},
		{"a field more", append(bytes.Clone(noc[:len(noc)-1]), 0x24, 0x0C, 0x01, 0x18), "an unknown field, tag 12"},
		{"a field more, of a vendor", append(bytes.Clone(noc[:len(noc)-1]), 0xC4, 0xF1, 0xFF, 1, 0, 1, 0, 1, 0x18), "an unknown field"},
		{"an unknown attribute", swap("\x26\x16\x01\x00\xfd\xff", "\x26\x18\x01\x00\xfd\xff"), "unknown attribute"},
		{"attribute 0", swap("\x26\x16\x01\x00\xfd\xff", "\x26\x00\x01\x00\xfd\xff"), "unknown attribute"},
		{"a printable number", swap("\x26\x16\x01\x00\xfd\xff", "\x26\x96\x01\x00\xfd\xff"), "unknown attribute"},
		{"an attribute without tag", swap("\x26\x16\x01\x00\xfd\xff", "\x06\x01\x00\xfd\xff"), "unknown attribute"},
		{"an attribute of text", swap("\x26\x16\x01\x00\xfd\xff", "\x2c\x16\x04\x41\x42\x43\x44"), "uint expected"},
		{"an unknown extension", swap("\x24\x02\x01\x36\x03", "\x24\x07\x01\x36\x03"), "an unknown extension, tag 7"},
		{"basic constraints with more", swap("\x35\x01\x28\x01\x18", "\x35\x01\x28\x01\x24\x03\x01\x18"), "an unknown field, tag 3"},
		{"basic constraints with less", swap("\x35\x01\x28\x01\x18", "\x35\x01\x18"), "no field 1"},
		{"an authority key id of 19 octets", swap("\x30\x05\x14\x33", "\x30\x05\x13"), "19 octets, not 20"},
		{"a key of 64 octets", swap("\x30\x09\x41\x04", "\x30\x09\x40"), "64 octets, not 65"},
		{"a structure for a list", swap("\x37\x0a\x35\x01", "\x35\x0a\x35\x01"), "a list expected"},
		{"a date of 33 bits", swap("\x26\x04\x80\x22\x81\x27", "\x27\x04\x80\x22\x81\x27\x01\x00\x00\x00"), "that fits"},
		{"a list around all", append([]byte{0x17}, noc[1:]...), "a struct expected"},
		{"a tag on all", append([]byte{0x35, 0x01}, noc[1:]...), "no anonymous structure"},
		{"purposes in a list", swap("\x36\x03\x04\x02\x04\x01\x18", "\x37\x03\x04\x02\x04\x01\x18"), "array expected"},
		{"purpose 7", swap("\x36\x03\x04\x02\x04\x01\x18", "\x36\x03\x04\x02\x04\x07\x18"), "unknown purpose 7"},
		{"a kind of future extension that is no DER", swap("\x35\x01\x28\x01\x18", "\x35\x01\x28\x01\x18\x30\x06\x02\x30\x00"), "not one DER Extension"},
		{"nested beyond all depth", append(bytes.Repeat([]byte{0x15}, 1), bytes.Repeat([]byte{0x37, 0x01}, 150)...), "octets expected"},
	} {
		c, err := Parse(tt.b)
		if err == nil || !strings.Contains(err.Error(), tt.want) || c != nil {
			t.Errorf("%s: %v, want …%s…", tt.name, err, tt.want)
		}
	}
}

// TestParseWideNumbers: a number may take more octets than it needs; the
// signature does not cover that, and TLV writes it in the shortest form.
func TestParseWideNumbers(t *testing.T) {
	_, v, _ := vectors(t)
	noc := v["case ctlNOC"].TLV
	wide := bytes.Replace(noc, []byte("\x24\x07\x01"), []byte("\x25\x07\x01\x00"), 1)
	c := mustParse(t, wide)
	if !bytes.Equal(c.TLV(), noc) {
		t.Errorf("TLV %x, want %x", c.TLV(), noc)
	}
}

// TestNoForm: a certificate put together by hand that can't be one has neither
// TLV nor X.509, and says so by nil.
func TestNoForm(t *testing.T) {
	c := new(Certificate)
	if c.TLV() != nil || c.X509() != nil || c.TBS() != nil || c.Key() != nil {
		t.Error("an empty certificate has a form")
	}
	if c.Equal(nil) || (*Certificate)(nil).Equal(c) {
		t.Error("nil is a certificate")
	}
	var e tlv.Encoder
	encodeExtension(&e, nilExtension{})
	if e.Len() != 0 {
		t.Error("an unknown extension was written")
	}
}

type nilExtension struct{}

func (nilExtension) tag() uint8  { return tagFutureExtension }
func (nilExtension) form() error { return nil }
