package meshcop

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/netdiag"
)

// A talk is a Session with a clock and a border agent that the test speaks for.
type talk struct {
	t   *testing.T
	s   *Session
	now time.Time
	mid uint16
}

func newTalk(t *testing.T, cfg Config) *talk {
	cfg.Rand = rand.New(rand.NewPCG(1, 1))
	k := &talk{t: t, now: time.Unix(1e9, 0), mid: 100}
	k.s = NewSession(k.now, cfg)
	return k
}

// sent are the messages that wait, by path.
func (k *talk) sent() map[string]coap.Message {
	k.t.Helper()
	out := map[string]coap.Message{}
	for _, b := range k.s.Datagrams() {
		m, err := coap.Parse(b)
		if err != nil {
			k.t.Fatal(err)
		}
		out[m.Path] = m
	}
	return out
}

func (k *talk) say(m coap.Message) {
	k.t.Helper()
	b, err := m.Append(nil)
	if err != nil {
		k.t.Fatal(err)
	}
	k.s.Receive(k.now, b)
}

// answer answers a request in its acknowledgement; apart, in a message of its
// own after an empty one.
func (k *talk) answer(m coap.Message, payload []byte) {
	k.t.Helper()
	if m.Type != coap.Confirmable {
		k.t.Fatalf("nothing to answer: %+v", m)
	}
	k.say(coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: m.MID, Token: m.Token, Payload: payload})
}

func (k *talk) apart(m coap.Message, payload []byte) {
	k.t.Helper()
	k.say(coap.Message{Type: coap.Acknowledgement, MID: m.MID})
	k.mid++
	k.say(coap.Message{Type: coap.NonConfirmable, Code: coap.Changed, MID: k.mid, Token: m.Token, Payload: payload})
}

// wait lets time pass, a step of the Session after the other; nobody answers.
func (k *talk) wait(d time.Duration) {
	for end := k.now.Add(d); ; {
		at := k.s.Next()
		if at.IsZero() || at.After(end) {
			k.now = end
			return
		}
		k.now = at
		k.s.Tick(k.now)
	}
}

func (k *talk) events() (out []EventKind) {
	for _, e := range k.s.Events() {
		out = append(out, e.Kind)
	}
	return out
}

// ended waits for the end.
func (k *talk) ended() error {
	k.t.Helper()
	for _, e := range k.s.Events() {
		if e.Kind == Ended {
			return e.Err
		}
	}
	k.t.Fatal("it goes on")
	return nil
}

var (
	dataset  = "0e0800000000000100000708fd000db800a00000"
	accepted = "1001010a0d7468726561646d61702d6c61620b0230c2" // captured
)

// activate lets the Session become the commissioner.
func (k *talk) activate() {
	k.t.Helper()
	first := k.sent()
	k.answer(first[PathActiveGet], unhex(k.t, dataset))
	k.answer(first[PathCommissionerGet], unhex(k.t, "0b0230c1"))
	k.apart(k.sent()[PathPetition], unhex(k.t, accepted))
	if !k.s.Active() || k.s.SessionID() != 0x30c2 {
		k.t.Fatalf("not the commissioner: %v", k.events())
	}
	k.answer(k.sent()[PathCommissionerGet], unhex(k.t, "090268000b0230c2080100"))
}

// What the Session says is what was recorded, but for message ids, tokens and
// the commissioner's id.
func TestSaysWhatWasRecorded(t *testing.T) {
	k := newTalk(t, Config{ID: "threadmap-lab"})
	recorded := map[string]coap.Message{}
	for _, c := range conversations(t) {
		if c.session == "pskc-1" && c.ours {
			recorded[c.m.Path] = c.m
		}
	}
	same := func(m coap.Message) {
		t.Helper()
		r, ok := recorded[m.Path]
		if !ok || m.Type != r.Type || m.Code != r.Code || len(m.Token) != len(r.Token) || !bytes.Equal(m.Payload, r.Payload) {
			t.Errorf("said %+v\nrecorded %+v", m, r)
		}
	}
	first := k.sent()
	same(first[PathCommissionerGet])
	k.answer(first[PathActiveGet], unhex(t, dataset))
	k.answer(first[PathCommissionerGet], unhex(t, "0b0230c1"))
	petition := k.sent()[PathPetition]
	same(petition)
	k.apart(petition, unhex(t, accepted))
	k.sent()
	k.wait(keepAlive)
	same(k.sent()[PathKeepAlive])

	if _, err := k.s.Ask(k.now, Locator(k.s.MeshLocal(), LeaderALOC16), PathDiagGet, unhex(t, "120b0001020405060708101319")); err != nil {
		t.Fatal(err)
	}
	ut := k.sent()[PathTransmit]
	got, err := ParseProxied(ut.Payload)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ParseProxied(recorded[PathTransmit].Payload)
	if err != nil {
		t.Fatal(err)
	}
	// The inner message has an id and a token, too.
	if len(got.Payload) != len(want.Payload) || got.Peer != want.Peer || ut.Type != coap.NonConfirmable {
		t.Fatalf("%+v, recorded %+v", got, want)
	}
	copy(got.Payload[2:8], want.Payload[2:8])
	if !bytes.Equal(got.Payload, want.Payload) {
		t.Errorf("%x\nrecorded %x", got.Payload, want.Payload)
	}
}

// The recorded node that was not acknowledged repeats itself: it is told of
// once, and acknowledged each time.
func TestRecordedRepetitions(t *testing.T) {
	k := newTalk(t, Config{})
	k.activate()
	k.events()
	times, told, acks := 0, 0, 0
	for _, c := range conversations(t) {
		if c.session != "noack" || c.m.Path != PathReceive {
			continue
		}
		p, err := ParseProxied(c.m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if inner, err := coap.Parse(p.Payload); err != nil || inner.Path != PathDiagAnswer {
			continue
		}
		times++
		k.now = k.now.Add(3 * time.Second)
		k.s.Receive(k.now, c.octets)
		for _, e := range k.s.Events() {
			if e.Kind == Node && e.CoAP.Kind == coap.Requested {
				told++
				k.s.Reply(k.now, e.CoAP.From, e.CoAP.Message)
			}
		}
		for _, b := range k.s.Datagrams() {
			m, err := coap.Parse(b)
			if err != nil || m.Path != PathTransmit {
				continue
			}
			p, err := ParseProxied(m.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if inner, err := coap.Parse(p.Payload); err == nil && inner.Type == coap.Acknowledgement && inner.MID == 0xcfaf {
				acks++
			}
		}
	}
	if times != 3 || told != 1 || acks != 3 || k.s.Traffic().Duplicates != 2 {
		t.Errorf("came %d times, told %d, acknowledged %d: %+v", times, told, acks, k.s.Traffic())
	}
}

func TestLocator(t *testing.T) {
	k := newTalk(t, Config{})
	k.activate()
	for _, e := range k.s.Events() {
		if e.Kind == GotLocator {
			if e.Locator != diag.MakeRLOC16(0x6800) {
				t.Errorf("locator %v", e.Locator)
			}
			return
		}
	}
	t.Error("no locator")
}

// A keep-alive is sent well within 50 s of the handshake and of the last one,
// also when the leader's answer to it gets lost.
func TestKeepsAlive(t *testing.T) {
	k := newTalk(t, Config{})
	k.activate()
	last := time.Unix(1e9, 0) // of the handshake
	for i := range 10 {
		k.now = k.s.Next()
		k.s.Tick(k.now)
		m := k.sent()[PathKeepAlive]
		if m.Path == "" {
			t.Fatalf("keep-alive %d: at %v there is none", i, k.now.Sub(last))
		}
		if k.now.Sub(last) > 30*time.Second {
			t.Errorf("keep-alive %d after %v", i, k.now.Sub(last))
		}
		last = k.now
		if i%2 == 0 {
			k.apart(m, []byte{16, 1, 1})
			continue
		}
		k.say(coap.Message{Type: coap.Acknowledgement, MID: m.MID})
		k.wait(6 * time.Second) // until the answer is given up
	}
	if !k.s.Active() {
		t.Error("it is over")
	}
}

func TestLosesTheRole(t *testing.T) {
	k := newTalk(t, Config{})
	k.activate()
	k.wait(keepAlive)
	k.apart(k.sent()[PathKeepAlive], []byte{16, 1, 0xff})
	if err := k.ended(); !errors.Is(err, ErrRoleLost) {
		t.Error(err)
	}
	// Not even an acknowledgement, but the border agent is there.
	k = newTalk(t, Config{})
	k.activate()
	for range 400 {
		k.wait(time.Second)
		if m, ok := k.sent()[PathActiveGet]; ok {
			k.answer(m, nil)
		}
		if k.s.Next().IsZero() {
			break
		}
	}
	if err := k.ended(); !errors.Is(err, ErrRoleLost) {
		t.Error(err)
	}
	// Nothing at all.
	k = newTalk(t, Config{})
	k.activate()
	k.wait(3 * time.Minute)
	if err := k.ended(); !errors.Is(err, ErrSilent) {
		t.Error(err)
	}
}

// While somebody is asked and nothing comes, it is found out early whether the
// border agent is still there.
func TestDoubts(t *testing.T) {
	k := newTalk(t, Config{Inner: coap.Config{Tries: 10}})
	k.activate()
	start := k.now
	if _, err := k.s.Ask(k.now, netip.MustParseAddr("fd00:db8:a0::ff:fe00:5c00"), PathDiagGet, nil); err != nil {
		t.Fatal(err)
	}
	k.wait(quiet + time.Second)
	s := k.sent()
	if s[PathKeepAlive].Path == "" || s[PathActiveGet].Path == "" {
		t.Errorf("after %v of silence: %v", k.now.Sub(start), s)
	}
	k.wait(25 * time.Second)
	if err := k.ended(); !errors.Is(err, ErrSilent) {
		t.Error(err)
	}
}

func TestRejected(t *testing.T) {
	k := newTalk(t, Config{Retry: 25 * time.Second})
	first := k.sent()
	k.answer(first[PathActiveGet], unhex(t, dataset))
	k.answer(first[PathCommissionerGet], nil)
	ids := map[string]bool{}
	for i := range 5 {
		m, ok := k.sent()[PathPetition]
		if !ok {
			if i != 3 {
				t.Errorf("petitioned %d times", i)
			}
			break
		}
		tlvs, err := netdiag.SplitTLVs(m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		id, _ := netdiag.Find(tlvs, TypeCommissionerID)
		ids[string(id)] = true
		k.apart(m, unhex(t, "1001ff0a056c61622d41"))
		k.wait(petitionAgain)
	}
	var taken *RoleTakenError
	if err := k.ended(); !errors.As(err, &taken) || taken.Holder != "lab-A" {
		t.Error(err)
	}
	if len(ids) != 1 || ids["lab-A"] {
		t.Errorf("petitioned as %v", ids)
	}
	if k.s.Resign(k.now, false); len(k.sent()) != 0 {
		t.Error("resigned from what it never had")
	}
}

// Nothing is petitioned for while a device is being added.
func TestRespectsJoining(t *testing.T) {
	k := newTalk(t, Config{})
	first := k.sent()
	k.answer(first[PathActiveGet], unhex(t, dataset))
	k.answer(first[PathCommissionerGet], unhex(t, "0801ff"))
	if err := k.ended(); !errors.Is(err, ErrJoining) {
		t.Error(err)
	}
	if s := k.sent(); s[PathPetition].Path != "" {
		t.Error("petitioned")
	}
	// Later, by the network data: another session admits joiners.
	k = newTalk(t, Config{})
	k.activate()
	k.s.NetworkData(k.now, true, diag.Some[uint16](0x30c2)) // its own
	k.s.NetworkData(k.now, false, diag.Some[uint16](0x30c3))
	if !k.s.Active() {
		t.Fatal("over for nothing")
	}
	k.s.NetworkData(k.now, true, diag.Some[uint16](0x30c3))
	k.apart(k.sent()[PathKeepAlive], []byte{16, 1, 0xff})
	if err := k.ended(); !errors.Is(err, ErrJoining) {
		t.Error(err)
	}
}

func TestResigns(t *testing.T) {
	resignation := func(k *talk) {
		t.Helper()
		m := k.sent()[PathKeepAlive]
		if !bytes.Equal(m.Payload, unhex(t, "1001ff0b0230c2")) { // as captured
			t.Errorf("resigns with %x", m.Payload)
		}
		k.apart(m, []byte{16, 1, 0xff})
		if err := k.ended(); err != nil {
			t.Error(err)
		}
	}
	k := newTalk(t, Config{})
	k.activate()
	k.s.Resign(k.now, true)
	resignation(k)

	// Nobody answers: it is over all the same, and soon.
	k = newTalk(t, Config{})
	k.activate()
	k.events()
	k.s.Resign(k.now, true)
	start := k.now
	for k.s.phase != over {
		k.wait(100 * time.Millisecond)
		if k.now.Sub(start) > 3*time.Second {
			t.Fatal("it goes on")
		}
	}

	// A petition is on its way: whether it was accepted is found out.
	k = newTalk(t, Config{})
	first := k.sent()
	k.answer(first[PathActiveGet], unhex(t, dataset))
	k.answer(first[PathCommissionerGet], nil)
	one := k.sent()[PathPetition]
	k.s.Resign(k.now, true)
	two := k.sent()[PathPetition]
	if !bytes.Equal(one.Payload, two.Payload) {
		t.Errorf("petitioned with %x, then %x", one.Payload, two.Payload)
	}
	k.apart(two, unhex(t, accepted))
	resignation(k)

	// Before the petition there is nothing to give up.
	k = newTalk(t, Config{})
	k.s.Resign(k.now, true)
	if err := k.ended(); err != nil {
		t.Error(err)
	}
}

// A border agent may be asked by no node of another network, and by nothing but
// Thread management.
func TestIgnoresStrangers(t *testing.T) {
	k := newTalk(t, Config{})
	k.activate()
	k.events()
	question, err := coap.Message{Type: coap.Confirmable, Code: coap.Post, MID: 9, Path: PathDiagAnswer}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]Proxied{
		"another network": {Peer: netip.MustParseAddr("fd99::ff:fe00:5c00"), From: PortTMF, To: PortTMF, Payload: question},
		"another port":    {Peer: netip.MustParseAddr("fd00:db8:a0::ff:fe00:5c00"), From: 5683, To: PortTMF, Payload: question},
		"no CoAP":         {Peer: netip.MustParseAddr("fd00:db8:a0::ff:fe00:5c00"), From: PortTMF, To: PortTMF, Payload: []byte{1}},
	} {
		k.mid++
		k.say(coap.Message{Type: coap.NonConfirmable, Code: coap.Post, MID: k.mid, Token: []byte{1}, Path: PathReceive, Payload: AppendProxied(nil, p)})
		if e := k.events(); len(e) != 0 {
			t.Errorf("%s: events %v", name, e)
		}
	}
	k.s.Receive(k.now, []byte("no CoAP"))
	k.s.Receive(k.now, nil)
	k.say(coap.Message{Type: coap.NonConfirmable, Code: coap.Post, MID: 5, Path: "c/dc"})
	if e := k.events(); len(e) != 0 || !k.s.Active() {
		t.Errorf("events %v", e)
	}
}

// Whatever a border agent says, the Session neither hangs nor asks for more
// than it may.
func FuzzSession(f *testing.F) {
	for _, c := range conversations(f) {
		if !c.ours {
			f.Add(c.octets, c.octets)
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		k := newTalk(t, Config{})
		k.activate()
		k.s.Ask(k.now, netip.MustParseAddr("fd00:db8:a0::ff:fe00:5c00"), PathDiagGet, nil)
		for _, x := range [][]byte{a, b} {
			k.s.Receive(k.now, x)
			k.s.Events()
			if n := len(k.s.Datagrams()); n > 20 {
				t.Errorf("%d datagrams", n)
			}
			k.wait(time.Second)
		}
		k.s.Resign(k.now, true)
		k.wait(10 * time.Second)
		if k.s.phase != over {
			t.Error("it goes on")
		}
	})
}

// Who resigns still sends what waits to be sent: a node whose answer is not
// acknowledged is kept busy by it.
func TestResignsAfterItsLastWords(t *testing.T) {
	k := newTalk(t, Config{})
	k.activate()
	k.sent()
	node := Locator(k.s.MeshLocal(), 0x5c00)
	k.s.inner.Receive(k.now, node, unhex(t, "4202cfac2008b164026461ff21025109")) // a d/da, as captured
	k.s.Reply(k.now, node, coap.Message{Type: coap.Confirmable, Code: coap.Post, MID: 0xcfac, Token: []byte{0x20, 8}, Path: PathDiagAnswer})
	k.s.Resign(k.now, false)
	sent := k.sent()
	p, err := ParseProxied(sent[PathTransmit].Payload)
	if err != nil || !bytes.Equal(p.Payload, unhex(t, "6244cfac2008")) || p.Peer != node {
		t.Errorf("%+v, %v", p, err)
	}
	if _, ok := sent[PathKeepAlive]; !ok {
		t.Error("does not resign")
	}
}
