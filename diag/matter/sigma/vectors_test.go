package sigma

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"threadmap/diag/internal/vectors"
	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/internal/establish/establishtest"
	"threadmap/diag/matter/message"
)

func keysOf(i2r, r2i, challenge []byte) message.Keys {
	return message.NewKeys([48]byte(slices.Concat(i2r, r2i, challenge)))
}

// recordedPair are both roles with the random numbers and the signatures of the
// computed handshake.
func recordedPair(t *testing.T, n map[string][]byte) (*Initiator, *Responder) {
	controller, device := recorded(t)
	vectors.Same(t, "operational IPK", controller.IPK.Bytes(), n["IPK"])
	s1, err := decodeSigma1(n["Sigma1"])
	ok(t, err)
	s2, err := decodeSigma2(n["Sigma2"])
	ok(t, err)
	i, err := NewInitiator(InitiatorConfig{
		Member: controller.Member, PeerNodeID: binary.BigEndian.Uint64(n["deviceNodeID"]), SessionID: s1.session,
		Parameters: chipParameters, Time: now,
		Random: &Random{Random: s1.random, Ephemeral: ephemeral(t, n["initiatorPrivate"])},
	})
	ok(t, err)
	i.sign = func(m []byte) ([cert.SigSize]byte, error) {
		vectors.Same(t, "TBSData3", m, n["TBSData3"])
		return [64]byte(n["signature3"]), nil
	}
	r, err := NewResponder(ResponderConfig{
		Identities: []Identity{{Member: device.Member}}, SessionID: s2.session, Parameters: s2.parameters, Time: now,
		Random: &Random{s2.random, ephemeral(t, n["responderPrivate"]), [16]byte(n["resumptionID"])},
	})
	ok(t, err)
	r.sign = func(_ *fabric.Member, m []byte) ([cert.SigSize]byte, error) {
		vectors.Same(t, "TBSData2", m, n["TBSData2"])
		return [64]byte(n["signature2"]), nil
	}
	return i, r
}

// Both roles compute a handshake again that another implementation computed,
// and agree with it in every octet; every key is compared.
func TestComputed(t *testing.T) {
	n := computed(t)
	i, r := recordedPair(t, n)
	b := i.Start().Payload
	vectors.Same(t, "Sigma1", b, n["Sigma1"])
	s1, err := decodeSigma1(b)
	ok(t, err)
	vectors.Same(t, "destination id", s1.destination[:], n["destinationID"])

	b = establishtest.One(t, message.Sigma2)(r.Receive(message.Sigma1, b))
	vectors.Same(t, "shared secret", r.secret[:], n["secret"])
	vectors.Same(t, "SHA-256(Sigma1)", hash(n["Sigma1"]), n["hash1"])
	s2, err := decodeSigma2(n["Sigma2"])
	ok(t, err)
	k := sigma2Key(n["secret"], i.cfg.Member.IPK, s2.random, s2.ephemeral, n["Sigma1"])
	vectors.Same(t, "S2K", k[:], n["S2K"])
	k = derive(n["secret"], n["S2KSalt"], "Sigma2")
	vectors.Same(t, "S2K of the salt", k[:], n["S2K"])
	vectors.Same(t, "encrypted2", k.seal(nonceSigma2, n["TBEData2"]), n["encrypted2"])
	vectors.Same(t, "Sigma2", b, n["Sigma2"])

	b = establishtest.One(t, message.Sigma3)(i.Receive(message.Sigma2, b))
	k = sigma3Key(n["secret"], i.cfg.Member.IPK, n["Sigma1"], n["Sigma2"])
	vectors.Same(t, "S3K", k[:], n["S3K"])
	k = derive(n["secret"], n["S3KSalt"], "Sigma3")
	vectors.Same(t, "S3K of the salt", k[:], n["S3K"])
	encrypted, err := decodeSigma3(n["Sigma3"])
	ok(t, err)
	plain, err := k.open(nonceSigma3, encrypted)
	ok(t, err)
	vectors.Same(t, "TBEData3", plain, n["TBEData3"])
	vectors.Same(t, "Sigma3", b, n["Sigma3"])
	vectors.Same(t, "salt of the session keys", slices.Concat(n["IPK"], hash(n["Sigma1"], n["Sigma2"], n["Sigma3"])), n["sessionSalt"])
	if _, done := i.Done(); done {
		t.Error("the initiator is done before the responder said so")
	}

	b = establishtest.One(t, message.Status)(r.Receive(message.Sigma3, b))
	vectors.Same(t, "StatusReport", b, make([]byte, 8))
	ms, err := i.Receive(message.Status, b)
	if err != nil || ms != nil {
		t.Fatal(ms, err)
	}
	ie, re := agreed(t, i, r)
	if want := keysOf(n["I2R"], n["R2I"], n["challenge"]); ie.Keys != want {
		t.Error("the session keys are others")
	}
	if ie.LocalSessionID != 0x1111 || ie.PeerSessionID != 0x2222 || ie.Resumed || ie.PeerParameters.Idle != chipParameters.Idle {
		t.Errorf("%+v", ie)
	}
	if re.Peer.NodeID != 0x1b669 || !slices.Equal(re.Peer.CATs, []uint32{0xfffd0001}) || re.Peer.FabricID != 0x2906c908d115d362 {
		t.Errorf("%+v", re.Peer)
	}
	if ie.Peer.NodeID != 0x1122334455667788 || ie.Peer.CATs != nil {
		t.Errorf("%+v", ie.Peer)
	}
	id := ie.Record.ID()
	vectors.Same(t, "resumption id", id[:], n["resumptionID"])
}

// The resumption of that session.
func TestComputedResumption(t *testing.T) {
	n := computed(t)
	i, r := recordedPair(t, n)
	if ie, re := establishtest.Run(i, r, nil); ie != nil || re != nil {
		t.Fatal(ie, re)
	}
	fie, fre := agreed(t, i, r)

	s1, err := decodeSigma1(n["resumeSigma1"])
	ok(t, err)
	s2, err := decodeSigma2Resume(n["Sigma2Resume"])
	ok(t, err)
	i, err = NewInitiator(InitiatorConfig{
		Member: i.cfg.Member, PeerNodeID: i.cfg.PeerNodeID, SessionID: s1.session, Parameters: s1.parameters, Time: now,
		Record: fie.Record, Random: &Random{Random: [32]byte(n["resumeRandom"]), Ephemeral: ephemeral(t, n["initiatorPrivate"])},
	})
	ok(t, err)
	r, err = NewResponder(ResponderConfig{
		Identities: r.cfg.Identities, SessionID: s2.session, Parameters: s2.parameters, Time: now, Record: store([]Record{fre.Record}),
		Random: &Random{Ephemeral: ephemeral(t, n["responderPrivate"]), ResumptionID: [16]byte(n["newResumptionID"])},
	})
	ok(t, err)
	k := resume1Key(n["secret"], [32]byte(n["resumeRandom"]), [16]byte(n["resumptionID"]))
	vectors.Same(t, "S1RK", k[:], n["S1RK"])
	mic := k.mic(nonceResume1)
	vectors.Same(t, "initiatorResumeMIC", mic[:], n["initiatorMIC"])
	vectors.Same(t, "destination id", s1.destination[:], n["resumeDestinationID"])
	b := i.Start().Payload
	vectors.Same(t, "Sigma1", b, n["resumeSigma1"])
	k = resume2Key(n["secret"], [32]byte(n["resumeRandom"]), [16]byte(n["newResumptionID"]))
	vectors.Same(t, "S2RK", k[:], n["S2RK"])
	mic = k.mic(nonceResume2)
	vectors.Same(t, "sigma2ResumeMIC", mic[:], n["responderMIC"])
	b = establishtest.One(t, message.Sigma2Resume)(r.Receive(message.Sigma1, b))
	vectors.Same(t, "Sigma2_Resume", b, n["Sigma2Resume"])
	if _, done := r.Done(); done {
		t.Error("the responder is done before the initiator said so")
	}
	b = establishtest.One(t, message.Status)(i.Receive(message.Sigma2Resume, b))
	vectors.Same(t, "StatusReport", b, make([]byte, 8))
	if ms, err := r.Receive(message.Status, b); ms != nil || err != nil {
		t.Fatal(ms, err)
	}
	ie, re := agreed(t, i, r)
	if want := keysOf(n["resumedI2R"], n["resumedR2I"], n["resumedChallenge"]); ie.Keys != want || !ie.Resumed {
		t.Error("the session keys are others")
	}
	if ie.PeerSessionID != 0x4444 || re.PeerSessionID != 0x3333 || !slices.Equal(re.Peer.CATs, []uint32{0xfffd0001}) {
		t.Errorf("%+v, %+v", ie, re)
	}
	id := ie.Record.ID()
	vectors.Same(t, "the next resumption id", id[:], n["newResumptionID"])
}

// The initiator against a real device, from a capture: it says what the other
// controller said, call by call.
func TestMatterJS(t *testing.T) {
	n := vectors.Read(t, "testdata/matterjs.txt", 27)
	root, err := cert.Parse(n["RCAC"])
	ok(t, err)
	noc, err := cert.Parse(n["controllerNOC"])
	ok(t, err)
	id := fabric.CompressedID(root.PublicKey, noc.Subject.IDs(cert.FabricID)[0])
	vectors.Same(t, "compressed fabric id", binary.BigEndian.AppendUint64(nil, id), n["compressedID"])
	ipk := fabric.OperationalIPK(epochKey(t, n["IPKEpoch"]), id)
	vectors.Same(t, "operational IPK", ipk.Bytes(), n["IPK"])
	member, err := fabric.NewMember(fabric.Credentials{
		Root: root, NOC: n["controllerNOC"], PrivateKey: private(t, n["controllerPrivate"]), IPK: ipk,
	}, now)
	ok(t, err)
	s1, err := decodeSigma1(n["Sigma1"])
	ok(t, err)
	vectors.Same(t, "destination id", s1.destination[:], n["destinationID"])
	i, err := NewInitiator(InitiatorConfig{
		Member: member, PeerNodeID: 1, SessionID: s1.session, Parameters: s1.parameters, Time: now,
		Random: &Random{Random: [32]byte(n["initiatorRandom"]), Ephemeral: ephemeral(t, n["initiatorPrivate"])},
	})
	ok(t, err)
	i.sign = func(m []byte) ([cert.SigSize]byte, error) {
		vectors.Same(t, "TBSData3", m, n["TBSData3"])
		return [64]byte(n["signature3"]), nil
	}
	vectors.Same(t, "Sigma1", i.Start().Payload, n["Sigma1"])

	s2, err := decodeSigma2(n["Sigma2"])
	ok(t, err)
	secret, err := agree(i.random.Ephemeral, s2.ephemeral)
	ok(t, err)
	vectors.Same(t, "shared secret", secret[:], n["secret"])
	vectors.Same(t, "salt of S2K", slices.Concat(ipk.Bytes(), s2.random[:], s2.ephemeral[:], n["hash1"]), n["S2KSalt"])
	k := sigma2Key(secret[:], ipk, s2.random, s2.ephemeral, n["Sigma1"])
	vectors.Same(t, "S2K", k[:], n["S2K"])
	plain, err := k.open(nonceSigma2, s2.encrypted)
	ok(t, err)
	vectors.Same(t, "TBEData2", plain, n["TBEData2"])
	var resumptionID [16]byte
	p, err := decodeTBE(plain, &resumptionID)
	ok(t, err)
	vectors.Same(t, "the device's NOC", p.noc, n["deviceNOC"])
	vectors.Same(t, "hash of two", hash(n["Sigma1"], n["Sigma2"]), n["hash12"])
	k = sigma3Key(secret[:], ipk, n["Sigma1"], n["Sigma2"])
	vectors.Same(t, "S3K", k[:], n["S3K"])
	vectors.Same(t, "encrypted3", k.seal(nonceSigma3, n["TBEData3"]), n["encrypted3"])

	vectors.Same(t, "Sigma3", establishtest.One(t, message.Sigma3)(i.Receive(message.Sigma2, n["Sigma2"])), n["Sigma3"])
	vectors.Same(t, "hash of three", hash(n["Sigma1"], n["Sigma2"], n["Sigma3"]), n["hash123"])
	if ms, err := i.Receive(message.Status, n["StatusReport"]); ms != nil || err != nil {
		t.Fatal(ms, err)
	}
	e, done := i.Done()
	if !done || e.Keys != message.NewKeys([48]byte(n["sessionKeys"])) || e.LocalSessionID != 34007 || e.PeerSessionID != 50818 {
		t.Errorf("%+v, %v", e, done)
	}
	if e.Peer.NodeID != 1 || e.Record.ID() != resumptionID || e.PeerParameters.SpecificationVersion == 0 {
		t.Errorf("%+v", e)
	}
}

// A destination id of the specification, by another road than package fabric's
// own test: a responder finds itself by it.
func TestFindsItself(t *testing.T) {
	controller, device := recorded(t)
	i := initiator(t, controller, device.NodeID, Record{})
	m, err := decodeSigma1(i.Start().Payload)
	ok(t, err)
	r := responder(t, device)
	if member, ipk, found := r.find(m); !found || member != device.Member || !bytes.Equal(ipk.Bytes(), device.IPK.Bytes()) {
		t.Error("the responder is not found")
	}
	m.random[0] ^= 1
	if _, _, found := r.find(m); found {
		t.Error("the random number does not matter")
	}
}
