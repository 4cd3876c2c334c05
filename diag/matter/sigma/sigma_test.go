package sigma

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag/hidden"
	"threadmap/diag/internal/vectors"
	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/internal/establish/establishtest"
	"threadmap/diag/matter/message"
)

// Both roles with fresh numbers, with and without intermediate certificates,
// each way round; then resumed three times, then in full again.
func TestBothRoles(t *testing.T) {
	controller, device := recorded(t)
	for _, c := range []struct{ from, to party }{{controller, device}, {device, controller}} {
		begin := func(mine, theirs Record) (*Initiator, *Responder) {
			i, err := NewInitiator(InitiatorConfig{Member: c.from.Member, PeerNodeID: c.to.NodeID, SessionID: 1, Time: now, Record: mine})
			ok(t, err)
			r, err := NewResponder(ResponderConfig{
				Identities: []Identity{{Member: c.to.Member}}, SessionID: 2, Time: now, Record: store([]Record{theirs}),
			})
			ok(t, err)
			return i, r
		}
		i, r := begin(Record{}, Record{})
		sigma2 := establishtest.One(t, message.Sigma2)(r.Receive(message.Sigma1, i.Start().Payload))
		sigma3 := establishtest.One(t, message.Sigma3)(i.Receive(message.Sigma2, sigma2))
		if i.result.Record.get().secret != *r.secret {
			t.Fatal("the shared secrets differ")
		}
		status := establishtest.One(t, message.Status)(r.Receive(message.Sigma3, sigma3))
		if *r.secret != [32]byte{} {
			t.Error("the responder keeps the secret")
		}
		_, err := i.Receive(message.Status, status)
		ok(t, err)
		ie, re := agreed(t, i, r)
		if ie.Resumed || !slices.Equal(re.Peer.CATs, c.from.CATs) || !slices.Equal(ie.Peer.CATs, c.to.CATs) {
			t.Errorf("%+v %+v", ie, re)
		}
		for n := range 3 {
			i, r := begin(ie.Record, re.Record)
			if a, b := establishtest.Run(i, r, nil); a != nil || b != nil {
				t.Fatal(n, a, b)
			}
			ne, nr := agreed(t, i, r)
			if !ne.Resumed || ne.Keys == ie.Keys || ne.Record.ID() == ie.Record.ID() || !ne.Peer.PublicKey.Equal(ie.Peer.PublicKey) {
				t.Errorf("resumption %d: %+v", n, ne)
			}
			ie, re = ne, nr
		}
		if _, err := i.Receive(message.Status, status); !errors.Is(err, errOver) {
			t.Errorf("a handshake that is over: %v", err)
		}
	}
}

// Whatever is wrong with the responder's record, the handshake goes on in full
// and ends with a new one.
func TestResumptionFallsBack(t *testing.T) {
	controller, device := recorded(t)
	ie, re := session(t, controller, device)
	wrongSecret := *re.Record.get()
	wrongSecret.secret[0] ^= 1
	otherRoot := *re.Record.get()
	otherRoot.root = newRealm(t, 1, 1).root.PublicKey
	otherFabric := *re.Record.get()
	otherFabric.peer.FabricID++
	for what, find := range map[string]func([16]byte) (Record, bool){
		"no records":           nil,
		"no such record":       store(nil),
		"another secret":       store([]Record{newRecord(wrongSecret)}),
		"a root we left":       store([]Record{newRecord(otherRoot)}),
		"a fabric we left":     store([]Record{newRecord(otherFabric)}),
		"a record that is not": func([16]byte) (Record, bool) { return Record{}, true },
		"a record with another id": func(id [16]byte) (Record, bool) {
			return re.Record.renewed([16]byte{1}), true
		},
	} {
		i := initiator(t, controller, device.NodeID, ie.Record)
		r := responder(t, device)
		r.cfg.Record = find
		if a, b := establishtest.Run(i, r, nil); a != nil || b != nil {
			t.Fatal(what, a, b)
		}
		if e, _ := agreed(t, i, r); e.Resumed {
			t.Errorf("%s: resumed", what)
		}
	}
}

// session is a full handshake with fixed numbers.
func session(t testing.TB, from, to party) (ie, re Established) {
	t.Helper()
	i, r := initiator(t, from, to.NodeID, Record{}), responder(t, to)
	if a, b := establishtest.Run(i, r, nil); a != nil || b != nil {
		t.Fatal(a, b)
	}
	return agreed(t, i, r)
}

// An initiator does not offer a record of another node or another fabric, and
// does not take Sigma2_Resume unless it offered one, or with a wrong MIC.
func TestInitiatorRecords(t *testing.T) {
	controller, device := recorded(t)
	ie, _ := session(t, controller, device)
	other := *ie.Record.get()
	other.peer.NodeID++
	root := *ie.Record.get()
	root.root = newRealm(t, 1, 1).root.PublicKey
	for what, r := range map[string]record{"another node": other, "another root": root} {
		_, err := NewInitiator(InitiatorConfig{Member: controller.Member, PeerNodeID: device.NodeID, SessionID: 1, Time: now, Record: newRecord(r)})
		if !errors.Is(err, errRecord) {
			t.Errorf("%s: %v", what, err)
		}
	}
	random := [32]byte(bytes.Repeat([]byte{0x55}, 32))
	mic := resume2Key(make([]byte, 32), random, [16]byte{}).mic(nonceResume2)
	b, err := sigma2Resume{mic: mic, session: 1}.encode()
	ok(t, err)
	i := initiator(t, controller, device.NodeID, Record{})
	if _, err := i.Receive(message.Sigma2Resume, b); err == nil {
		t.Error("resumed what was not offered")
	}
	neither(t, "not offered", i)
	i = initiator(t, controller, device.NodeID, ie.Record)
	ms, err := i.Receive(message.Sigma2Resume, b)
	if !errors.Is(err, errMIC) || len(ms) != 1 || ms[0].Opcode != message.Status {
		t.Errorf("a wrong MIC: %v, %v", ms, err)
	}
	neither(t, "wrong MIC", i)
	// A MIC over the old id does not do for a new one.
	good := resume2Key(ie.Record.get().secret[:], random, ie.Record.ID()).mic(nonceResume2)
	if b, err = (sigma2Resume{id: [16]byte{9}, mic: good, session: 1}).encode(); err != nil {
		t.Fatal(err)
	}
	if _, err := initiator(t, controller, device.NodeID, ie.Record).Receive(message.Sigma2Resume, b); !errors.Is(err, errMIC) {
		t.Errorf("a MIC for another id: %v", err)
	}
}

// A responder in several fabrics, one of them with keys of several epochs, is
// found in each, and by nobody who looks for somebody else.
func TestSeveralFabrics(t *testing.T) {
	const node = 0x42
	var ids []Identity
	var realms []realm
	for n := range byte(3) {
		realms = append(realms, newRealm(t, 1, n+1)) // the same name for all three roots
		ids = append(ids, Identity{Member: realms[n].party(t, cert.Node{FabricID: 1, NodeID: node}).Member})
	}
	older := []fabric.Key{epochKey(t, bytes.Repeat([]byte{0xa0}, 16)), epochKey(t, bytes.Repeat([]byte{0xb0}, 16))}
	ids[1].OtherIPKs = older
	new := func() *Responder {
		r, err := NewResponder(ResponderConfig{Identities: ids, SessionID: 2, Time: now})
		ok(t, err)
		return r
	}
	for n, realm := range realms {
		keys := []fabric.Key{realm.ipk}
		if n == 1 {
			keys = append(keys, older...)
		}
		for _, ipk := range keys {
			realm.ipk = ipk
			from := realm.party(t, cert.Node{FabricID: 1, NodeID: 7})
			i, r := initiator(t, from, node, Record{}), new()
			if a, b := establishtest.Run(i, r, nil); a != nil || b != nil {
				t.Fatal(n, a, b)
			}
			if _, re := agreed(t, i, r); re.Member != ids[n].Member {
				t.Errorf("fabric %d: found in another", n)
			}
		}
	}
	stranger := newRealm(t, 1, 1) // the IPK of the first
	noIPK := realms[2]
	noIPK.ipk = older[0] // of another fabric
	for what, c := range map[string]struct {
		from party
		to   uint64
	}{
		"another node":   {realms[0].party(t, cert.Node{FabricID: 1, NodeID: 7}), node + 1},
		"another fabric": {realms[0].party(t, cert.Node{FabricID: 2, NodeID: 7}), node},
		"another root":   {stranger.party(t, cert.Node{FabricID: 1, NodeID: 7}), node},
		"another IPK":    {noIPK.party(t, cert.Node{FabricID: 1, NodeID: 7}), node},
	} {
		i, r := initiator(t, c.from, c.to, Record{}), new()
		ie, re := establishtest.Run(i, r, nil)
		if !errors.Is(re, ErrNoSharedRoot) {
			t.Errorf("%s: the responder says %v", what, re)
		}
		var s message.StatusReport
		if !errors.As(ie, &s) || s.General != message.Failure || s.Code != message.CodeNoSharedTrustRoots {
			t.Errorf("%s: the initiator says %v", what, ie)
		}
		neither(t, what, i, r)
	}
}

// A busy responder says how long to wait.
func TestBusy(t *testing.T) {
	controller, device := recorded(t)
	for given, want := range map[time.Duration]time.Duration{
		500 * time.Millisecond: 500 * time.Millisecond, time.Hour: 65535 * time.Millisecond, -1: 0,
	} {
		i := initiator(t, controller, device.NodeID, Record{})
		m := Busy(given)
		ms, err := i.Receive(m[0].Opcode, m[0].Payload)
		var s message.StatusReport
		if !errors.As(err, &s) || ms != nil {
			t.Fatal(ms, err)
		}
		if d, busy := s.Wait(); !busy || d != want {
			t.Errorf("%v: wait %v, %v", given, d, busy)
		}
		if !strings.Contains(err.Error(), "1122334455667788") {
			t.Errorf("who is busy? %v", err)
		}
	}
	vectors.Same(t, "500 ms", Busy(500 * time.Millisecond)[0].Payload, []byte{8, 0, 0, 0, 0, 0, 4, 0, 0xf4, 1})
}

func TestConfig(t *testing.T) {
	controller, device := recorded(t)
	m := controller.Member
	for what, c := range map[string]InitiatorConfig{
		"no member":     {PeerNodeID: 1, SessionID: 1, Time: now},
		"no node":       {Member: m, SessionID: 1, Time: now},
		"a group":       {Member: m, PeerNodeID: 0xffffffffffff0001, SessionID: 1, Time: now},
		"itself":        {Member: m, PeerNodeID: m.NodeID, SessionID: 1, Time: now},
		"no session id": {Member: m, PeerNodeID: 1, Time: now},
		"no time":       {Member: m, PeerNodeID: 1, SessionID: 1},
		"no ephemeral":  {Member: m, PeerNodeID: 1, SessionID: 1, Time: now, Random: &Random{}},
	} {
		if _, err := NewInitiator(c); err == nil {
			t.Errorf("initiator with %s", what)
		}
	}
	d := []Identity{{Member: device.Member}}
	for what, c := range map[string]ResponderConfig{
		"no identity":   {SessionID: 1, Time: now},
		"no member":     {Identities: []Identity{{}}, SessionID: 1, Time: now},
		"many fabrics":  {Identities: slices.Repeat(d, MaxIdentities+1), SessionID: 1, Time: now},
		"many keys":     {Identities: []Identity{{device.Member, make([]fabric.Key, MaxOtherIPKs+1)}}, SessionID: 1, Time: now},
		"no session id": {Identities: d, Time: now},
		"no time":       {Identities: d, SessionID: 1},
		"no ephemeral":  {Identities: d, SessionID: 1, Time: now, Random: &Random{}},
	} {
		if _, err := NewResponder(c); err == nil {
			t.Errorf("responder with %s", what)
		}
	}
}

// No way of printing tells a secret.
func TestNothingPrinted(t *testing.T) {
	controller, device := recorded(t)
	i, r := initiator(t, controller, device.NodeID, Record{}), responder(t, device)
	sigma2 := establishtest.One(t, message.Sigma2)(r.Receive(message.Sigma1, i.Start().Payload))
	sigma3 := establishtest.One(t, message.Sigma3)(i.Receive(message.Sigma2, sigma2))
	var all strings.Builder
	printAll := func() {
		type wrap struct {
			i *Initiator
			r *Responder
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			fmt.Fprintf(&all, verb+verb+verb+verb, i, r, wrap{i, r}, &wrap{i, r})
		}
	}
	secret := *r.secret
	printAll() // in the middle of the handshake
	status := establishtest.One(t, message.Status)(r.Receive(message.Sigma3, sigma3))
	_, err := i.Receive(message.Status, status)
	ok(t, err)
	printAll()
	e, _ := agreed(t, i, r)
	type wrap struct{ e Record }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		fmt.Fprintf(&all, verb+verb+verb+verb, e, e.Record, wrap{e.Record}, &wrap{e.Record})
	}
	j, err := json.Marshal([]any{i, r, e.Keys, e.Record, wrap{e.Record}})
	ok(t, err)
	all.Write(j)
	private := i.random.Ephemeral.Bytes()
	for what, b := range map[string][]byte{
		"I2R": e.Keys.I2R[:], "R2I": e.Keys.R2I[:], "challenge": e.Keys.AttestationChallenge[:], "secret": secret[:],
		"IPK": device.IPK.Bytes(), "ephemeral key": private,
	} {
		for _, s := range []string{string(b), hex.EncodeToString(b), strings.Trim(fmt.Sprint(b), "[]")} {
			if strings.Contains(all.String(), s) {
				t.Errorf("%s was printed", what)
			}
		}
	}
	if !strings.Contains(all.String(), hidden.Text) {
		t.Error("nothing says that there is a secret")
	}
}

func BenchmarkFull(b *testing.B) { benchmark(b, false) }

func BenchmarkResumption(b *testing.B) { benchmark(b, true) }

// benchmark runs whole handshakes: the work of both sides.
func benchmark(b *testing.B, resume bool) {
	controller, device := recorded(b)
	ie, re := session(b, controller, device)
	if !resume {
		ie, re = Established{}, Established{}
	}
	b.ReportAllocs()
	for b.Loop() {
		i, err := NewInitiator(InitiatorConfig{Member: controller.Member, PeerNodeID: device.NodeID, SessionID: 1, Time: now, Record: ie.Record})
		ok(b, err)
		r, err := NewResponder(ResponderConfig{
			Identities: []Identity{{Member: device.Member}}, SessionID: 2, Time: now, Record: store([]Record{re.Record}),
		})
		ok(b, err)
		if a, c := establishtest.Run(i, r, nil); a != nil || c != nil {
			b.Fatal(a, c)
		}
		if e, _ := i.Done(); e.Resumed != resume {
			b.Fatal("not what was meant")
		}
	}
}

// BenchmarkInitiator is our own share of a full handshake.
func BenchmarkInitiator(b *testing.B) {
	controller, device := recorded(b)
	var sigma2 []byte
	{
		i, r := initiator(b, controller, device.NodeID, Record{}), responder(b, device)
		sigma2 = establishtest.One(b, message.Sigma2)(r.Receive(message.Sigma1, i.Start().Payload))
	}
	random := fixed(b, 0x55)
	for b.Loop() {
		i, err := NewInitiator(InitiatorConfig{
			Member: controller.Member, PeerNodeID: device.NodeID, SessionID: 0x1111, Parameters: chipParameters, Time: now, Random: random,
		})
		ok(b, err)
		establishtest.One(b, message.Sigma3)(i.Receive(message.Sigma2, sigma2))
	}
}
