package sigma

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"threadmap/diag/internal/vectors"
	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/internal/establish/establishtest"
	"threadmap/diag/matter/message"
)

func computed(t testing.TB) map[string][]byte { return vectors.Read(t, "testdata/computed.txt", 49) }

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	now            = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	chipParameters = message.SessionParameters{Idle: 500 * time.Millisecond, Active: 300 * time.Millisecond, ActiveThreshold: 4 * time.Second}
)

func private(t testing.TB, b []byte) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b)
	ok(t, err)
	return k
}

func ephemeral(t testing.TB, b []byte) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.P256().NewPrivateKey(b)
	ok(t, err)
	return k
}

func epochKey(t testing.TB, b []byte) fabric.Key {
	t.Helper()
	k, err := fabric.NewKey(b)
	ok(t, err)
	return k
}

// A party is a member of a fabric whose signatures are the same every time.
type party struct {
	*fabric.Member
	key *ecdsa.PrivateKey
}

// sign follows RFC 6979.
func (p party) sign(m []byte) ([cert.SigSize]byte, error) { return signWith(p.key, m) }

func signWith(k *ecdsa.PrivateKey, m []byte) (sig [cert.SigSize]byte, err error) {
	h := sha256.Sum256(m)
	der, err := k.Sign(nil, h[:], crypto.SHA256)
	if err != nil {
		return sig, err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return sig, err
	}
	rs.R.FillBytes(sig[:32])
	rs.S.FillBytes(sig[32:])
	return sig, nil
}

// recorded are the controller and the device of the computed handshake. The
// device has an intermediate certificate, the controller has none.
func recorded(t testing.TB) (controller, device party) {
	t.Helper()
	n := computed(t)
	root, err := cert.Parse(n["RCAC"])
	ok(t, err)
	id := fabric.CompressedID(root.PublicKey, binary.BigEndian.Uint64(n["fabricID"]))
	ipk := fabric.OperationalIPK(epochKey(t, n["IPKEpoch"]), id)
	member := func(noc, icac, key []byte) party {
		k := private(t, key)
		m, err := fabric.NewMember(fabric.Credentials{Root: root, NOC: noc, ICAC: icac, PrivateKey: k, IPK: ipk}, now)
		ok(t, err)
		return party{m, k}
	}
	return member(n["controllerNOC"], nil, n["controllerPrivate"]), member(n["deviceNOC"], n["ICAC"], n["devicePrivate"])
}

// initiator and responder with fixed numbers, in the recorded fabric.
func initiator(t testing.TB, from party, to uint64, r Record) *Initiator {
	t.Helper()
	i, err := NewInitiator(InitiatorConfig{
		Member: from.Member, PeerNodeID: to, SessionID: 0x1111, Parameters: chipParameters, Time: now, Record: r,
		Random: fixed(t, 0x55),
	})
	ok(t, err)
	i.sign = from.sign
	return i
}

func responder(t testing.TB, at party, records ...Record) *Responder {
	t.Helper()
	r, err := NewResponder(ResponderConfig{
		Identities: []Identity{{Member: at.Member}}, SessionID: 0x2222, Parameters: chipParameters, Time: now,
		Record: store(records), Random: fixed(t, 0x66),
	})
	ok(t, err)
	if len(records) > 0 {
		r.random.ResumptionID = [16]byte{15: 0x99} // another one every time
	}
	r.sign = func(_ *fabric.Member, m []byte) ([cert.SigSize]byte, error) { return at.sign(m) }
	return r
}

// fixed are random numbers that are the same every time.
func fixed(t testing.TB, n byte) *Random {
	return &Random{[32]byte(bytes.Repeat([]byte{n}, 32)), ephemeral(t, bytes.Repeat([]byte{n ^ 0x0f}, 32)), [16]byte{15: n}}
}

func store(records []Record) func([16]byte) (Record, bool) {
	return func(id [16]byte) (Record, bool) {
		for _, r := range records {
			if r.ID() == id {
				return r, true
			}
		}
		return Record{}, false
	}
}

// A machine is either role.
type machine interface {
	establishtest.Machine
	Done() (Established, bool)
}

// agreed checks that both have the same session.
func agreed(t testing.TB, i *Initiator, r *Responder) (ie, re Established) {
	t.Helper()
	ie, iok := i.Done()
	re, rok := r.Done()
	switch {
	case !iok || !rok:
		t.Fatalf("done: %v, %v", iok, rok)
	case ie.Keys != re.Keys || ie.Keys == (message.Keys{}):
		t.Fatal("the keys differ")
	case ie.PeerSessionID != re.LocalSessionID || re.PeerSessionID != ie.LocalSessionID:
		t.Fatal("the session ids differ")
	case ie.Resumed != re.Resumed:
		t.Fatal("one has resumed, the other has not")
	case ie.Record.ID() != re.Record.ID() || ie.Record.get().secret != re.Record.get().secret || ie.Record.get().root != re.Record.get().root:
		t.Fatal("the resumption records differ")
	case ie.Peer.NodeID != re.Member.NodeID || re.Peer.NodeID != ie.Member.NodeID || ie.Peer.FabricID != re.Peer.FabricID:
		t.Fatal("they do not know each other")
	}
	return ie, re
}

// neither checks that there is no session, on no side.
func neither(t testing.TB, what string, ms ...machine) {
	t.Helper()
	for _, m := range ms {
		if e, done := m.Done(); done || e.Keys != (message.Keys{}) {
			t.Errorf("%s: there is a session", what)
		}
	}
}

// A realm is a root with its key, made for one test.
type realm struct {
	root *cert.Certificate
	key  *ecdsa.PrivateKey
	ipk  fabric.Key
}

var always = cert.Validity{NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	return k
}

func newRealm(t testing.TB, rcacID uint64, ipk byte) realm {
	t.Helper()
	k := newKey(t)
	root, err := cert.NewRoot(k, rcacID, always)
	ok(t, err)
	return realm{root, k, epochKey(t, bytes.Repeat([]byte{ipk}, 16))}
}

func (r realm) noc(t testing.TB, k *ecdsa.PrivateKey, n cert.Node, v cert.Validity) []byte {
	t.Helper()
	c, err := r.root.IssueNode(r.key, &k.PublicKey, n, v)
	ok(t, err)
	return c.TLV()
}

func (r realm) party(t testing.TB, n cert.Node) party {
	t.Helper()
	k := newKey(t)
	m, err := fabric.NewMember(fabric.Credentials{Root: r.root, NOC: r.noc(t, k, n, always), PrivateKey: k, IPK: r.ipk}, now)
	ok(t, err)
	return party{m, k}
}
