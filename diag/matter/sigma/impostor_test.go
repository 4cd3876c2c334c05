package sigma

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"testing"
	"time"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/internal/establish/establishtest"
	"threadmap/diag/matter/message"
)

// A claim is what a party that may be an impostor shows.
type claim struct {
	noc, icac []byte
	sign      func(tbs []byte) ([64]byte, error)
}

// claims are things to show instead of the truth, by one who even knows the
// fabric's identity protection key. real is whom to pass for; other is another
// member of the fabric, whose key the impostor has.
func claims(t testing.TB, r realm, real, other party, icac realm, node cert.Node) map[string]claim {
	key := newKey(t)
	by := func(k *ecdsa.PrivateKey) func([]byte) ([64]byte, error) {
		return func(m []byte) ([64]byte, error) { return signWith(k, m) }
	}
	issued := func(x realm, n cert.Node, v cert.Validity) claim { return claim{x.noc(t, key, n, v), nil, by(key)} }
	stranger := newRealm(t, 1, 1) // has the name of the true root, and another key
	foreign := node
	foreign.FabricID++
	day := 24 * time.Hour
	return map[string]claim{
		"wrong root":                 issued(stranger, node, always),
		"wrong root, named true one": {stranger.noc(t, key, node, always), r.root.TLV(), by(key)},
		"wrong fabric":               issued(r, foreign, always),
		"wrong fabric, under ICAC":   {icac.noc(t, key, foreign, always), icac.root.TLV(), by(key)},
		"expired":                    issued(r, node, cert.Validity{NotBefore: now.Add(-2 * day), NotAfter: now.Add(-day)}),
		"not yet valid":              issued(r, node, cert.Validity{NotBefore: now.Add(day)}),
		"stolen NOC":                 {real.NOC, real.ICAC, by(key)},
		"signed by the root":         {real.NOC, real.ICAC, by(r.key)},
		"no signature":               {real.NOC, real.ICAC, func([]byte) ([64]byte, error) { return [64]byte{}, nil }},
		"signed something else":      {real.NOC, real.ICAC, func([]byte) ([64]byte, error) { return signWith(real.key, []byte("else")) }},
		"signed the keys swapped": {real.NOC, real.ICAC, func(tbs []byte) ([64]byte, error) {
			n := len(tbs) - 1 - 65 // end, the second key
			swapped := bytes.Clone(tbs)
			copy(swapped[n-3-65:], tbs[n:n+65])
			copy(swapped[n:], tbs[n-3-65:n-3])
			return signWith(real.key, swapped)
		}},
		"the root's certificate as NOC": {r.root.TLV(), nil, by(r.key)},
		"an ICAC as NOC":                {icac.root.TLV(), nil, by(icac.key)},
		"ICAC left out":                 {icac.noc(t, key, node, always), nil, by(key)},
		"ICAC of nobody":                {icac.noc(t, key, node, always), []byte{0x15, 0x18}, by(key)},
		"the NOC as ICAC":               {other.NOC, other.NOC, by(other.key)},
		"issued by a node":              {realm{parse(t, other.NOC), other.key, r.ipk}.forge(t, key, node), other.NOC, by(key)},
		"no NOC":                        {nil, nil, by(key)},
		"garbage":                       {bytes.Repeat([]byte{0x15}, 400), nil, by(key)},
		"giant":                         {make([]byte, 700), nil, by(key)},
		"NOC with a changed octet":      {flip(real.NOC, 60), real.ICAC, real.sign},
		"X.509":                         {parse(t, real.NOC).X509(), nil, real.sign},
	}
}

func parse(t testing.TB, b []byte) *cert.Certificate {
	t.Helper()
	c, err := cert.Parse(b)
	ok(t, err)
	return c
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// forge issues a NOC where package cert refuses to, below a certificate that
// is no authority.
func (r realm) forge(t testing.TB, k *ecdsa.PrivateKey, n cert.Node) []byte {
	t.Helper()
	helper := realm{root: func() *cert.Certificate {
		c, err := cert.NewRoot(r.key, 9, always)
		ok(t, err)
		return c
	}(), key: r.key}
	c := parse(t, helper.noc(t, k, n, always))
	c.Issuer = r.root.Subject
	sig, err := signWith(r.key, c.TBS())
	ok(t, err)
	c.Signature = sig
	return c.TLV()
}

// stage is a fabric with two members and an intermediate authority.
func stage(t testing.TB) (r, icac realm, controller, device party) {
	r = newRealm(t, 1, 1)
	k := newKey(t)
	c, err := r.root.IssueIntermediate(r.key, &k.PublicKey, 5, 0, always)
	ok(t, err)
	icac = realm{c, k, r.ipk}
	return r, icac, r.party(t, cert.Node{FabricID: 3, NodeID: 7}), r.party(t, cert.Node{FabricID: 3, NodeID: 8})
}

// Nobody but the node that was asked for gets a session as responder.
func TestImpostorResponds(t *testing.T) {
	r, icac, controller, device := stage(t)
	other := r.party(t, cert.Node{FabricID: 3, NodeID: 9})
	all := claims(t, r, device, other, icac, cert.Node{FabricID: 3, NodeID: 8})
	// What only an initiator can notice: it asked for somebody else.
	all["another node"] = claim{other.NOC, nil, other.sign}
	all["ourselves"] = claim{controller.NOC, nil, controller.sign}
	for what, c := range all {
		i := initiator(t, controller, 8, Record{})
		impostor := responder(t, device)
		lying := *device.Member
		lying.NOC, lying.ICAC = c.noc, c.icac
		impostor.cfg.Identities = []Identity{{Member: &lying}}
		impostor.sign = func(_ *fabric.Member, m []byte) ([64]byte, error) { return c.sign(m) }
		sigma2 := establishtest.One(t, message.Sigma2)(impostor.Receive(message.Sigma1, i.Start().Payload))
		ms, err := i.Receive(message.Sigma2, sigma2)
		if !errors.Is(err, ErrPeer) {
			t.Errorf("%s: %v", what, err)
		}
		if len(ms) != 1 || ms[0].Opcode != message.Status || !bytes.Equal(ms[0].Payload, []byte{1, 0, 0, 0, 0, 0, 2, 0}) {
			t.Errorf("%s: the peer is told %v", what, ms)
		}
		if i.Receive(message.Status, make([]byte, 8)); i.result != nil {
			t.Errorf("%s: something is left", what)
		}
		neither(t, what, i, impostor)
	}
	// And the stage is good: the truth is taken.
	session(t, controller, device)
	k := newKey(t)
	under, err := fabric.NewMember(fabric.Credentials{
		Root: r.root, NOC: icac.noc(t, k, cert.Node{FabricID: 3, NodeID: 8}, always), ICAC: icac.root.TLV(), PrivateKey: k, IPK: r.ipk,
	}, now)
	ok(t, err)
	session(t, controller, party{under, k})
}

// Nobody but a member of the fabric gets a session as initiator.
func TestImpostorInitiates(t *testing.T) {
	r, icac, controller, device := stage(t)
	other := r.party(t, cert.Node{FabricID: 3, NodeID: 9})
	for what, c := range claims(t, r, controller, other, icac, cert.Node{FabricID: 3, NodeID: 7}) {
		impostor := initiator(t, controller, 8, Record{})
		lying := *controller.Member
		lying.NOC, lying.ICAC = c.noc, c.icac
		impostor.cfg.Member, impostor.sign = &lying, c.sign
		r := responder(t, device)
		ie, re := establishtest.Run(impostor, r, nil)
		if !errors.Is(re, ErrPeer) {
			t.Errorf("%s: the responder says %v", what, re)
		}
		var s message.StatusReport
		if !errors.As(ie, &s) || s.Code != message.CodeInvalidParameter {
			t.Errorf("%s: the initiator hears %v", what, ie)
		}
		neither(t, what, impostor, r)
	}
}

// One who knows the IPK and sits between the two: it makes an own key agreement
// with each, and passes the device's certificates and signature on.
func TestInTheMiddle(t *testing.T) {
	controller, device := recorded(t)
	victim, honest := initiator(t, controller, device.NodeID, Record{}), responder(t, device)
	asked, err := decodeSigma1(victim.Start().Payload)
	ok(t, err)

	own := fixed(t, 0x77)
	toDevice := asked
	toDevice.ephemeral = [65]byte(own.Ephemeral.PublicKey().Bytes())
	b1, err := toDevice.encode()
	ok(t, err)
	b2 := establishtest.One(t, message.Sigma2)(honest.Receive(message.Sigma1, b1))
	s2, err := decodeSigma2(b2)
	ok(t, err)
	secret, err := agree(own.Ephemeral, s2.ephemeral)
	ok(t, err)
	plain, err := sigma2Key(secret[:], device.IPK, s2.random, s2.ephemeral, b1).open(nonceSigma2, s2.encrypted)
	ok(t, err)

	if secret, err = agree(own.Ephemeral, asked.ephemeral); err != nil {
		t.Fatal(err)
	}
	s2.ephemeral = toDevice.ephemeral
	s2.encrypted = sigma2Key(secret[:], device.IPK, s2.random, s2.ephemeral, victim.Start().Payload).seal(nonceSigma2, plain)
	b2, err = s2.encode()
	ok(t, err)
	if _, err := victim.Receive(message.Sigma2, b2); !errors.Is(err, ErrPeer) {
		t.Errorf("passed on: %v", err)
	}
	neither(t, "in the middle", victim, honest)
}

// A certificate of the peer must be valid now, and our clock says what now is.
func TestTime(t *testing.T) {
	controller, device := recorded(t)
	for _, c := range []struct {
		at   time.Time
		fine bool
	}{{now, true}, {time.Date(2020, 12, 31, 23, 59, 59, 0, time.UTC), false}, {time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC), false}} {
		i, r := initiator(t, controller, device.NodeID, Record{}), responder(t, device)
		i.cfg.Time = c.at
		ie, _ := establishtest.Run(i, r, nil)
		if (ie == nil) != c.fine || !c.fine && !errors.Is(ie, ErrPeer) {
			t.Errorf("initiator at %v: %v", c.at, ie)
		}
		i, r = initiator(t, controller, device.NodeID, Record{}), responder(t, device)
		r.cfg.Time = c.at
		_, re := establishtest.Run(i, r, nil)
		if (re == nil) != c.fine || !c.fine && !errors.Is(re, ErrPeer) {
			t.Errorf("responder at %v: %v", c.at, re)
		}
	}
}
