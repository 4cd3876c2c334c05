package tmf

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
)

// A bench runs a survey without sockets: the test speaks for the border agent
// and for the mesh, and the clock is the test's.
type bench struct {
	t       testing.TB
	s       *meshcop.Session
	v       *survey
	now     time.Time
	mid     uint16
	reports []diag.Report
	asked   []coap.Message // questions to nodes, in the order of asking
	to      []uint16       // whom
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t, now: time.Unix(1e9, 0), mid: 1}
	r := rand.New(rand.NewPCG(1, 1))
	b.s = meshcop.NewSession(b.now, meshcop.Config{Rand: r})
	b.v = newSurvey(b.s, true, func() uint16 { return uint16(r.Uint32()) })
	b.v.tell = func(from diag.RLOC16, tlvs []netdiag.TLV) {
		report, _ := netdiag.Report(from, tlvs)
		b.reports = append(b.reports, report)
	}
	b.v.problem = func(string, string) {}
	return b
}

func (b *bench) receive(m coap.Message) {
	b.t.Helper()
	o, err := m.Append(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.s.Receive(b.now, o)
	b.pump()
}

// up is a message of a node.
func (b *bench) up(from uint16, m coap.Message) {
	b.t.Helper()
	o, err := m.Append(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mid++
	b.receive(coap.Message{Type: coap.NonConfirmable, Code: coap.Post, MID: b.mid, Token: []byte{1}, Path: meshcop.PathReceive,
		Payload: meshcop.AppendProxied(nil, meshcop.Proxied{Peer: meshcop.Locator(mesh.Lab(0).MeshLocalPrefix, from), From: meshcop.PortTMF, To: meshcop.PortTMF, Payload: o})})
}

// pump answers for the border agent itself and notes what nodes are asked.
func (b *bench) pump() {
	for range 1000 {
		events := b.s.Events()
		for _, e := range events {
			switch e.Kind {
			case meshcop.Activated:
				b.v.begin(b.now)
			case meshcop.GotLocator:
				b.v.locator(e.Locator)
			case meshcop.Node:
				b.v.event(b.now, e.CoAP)
			}
		}
		b.v.tick(b.now)
		sent := b.s.Datagrams()
		for _, o := range sent {
			b.agent(o)
		}
		if len(events)+len(sent) == 0 {
			return
		}
	}
	b.t.Fatal("it talks without end")
}

func (b *bench) agent(o []byte) {
	m, err := coap.Parse(o)
	if err != nil {
		b.t.Fatal(err)
	}
	payload := ""
	switch m.Path {
	case meshcop.PathActiveGet:
		payload = "0708fd000db800a00000"
	case meshcop.PathPetition:
		payload = "1001010b0230c2"
	case meshcop.PathKeepAlive:
		payload = "100101"
	case meshcop.PathCommissionerGet:
		payload = "090268000b0230c2"
	case meshcop.PathTransmit:
		p, err := meshcop.ParseProxied(m.Payload)
		if err != nil {
			b.t.Fatal(err)
		}
		inner, err := coap.Parse(p.Payload)
		if err != nil {
			b.t.Fatal(err)
		}
		if inner.Code.IsRequest() {
			to, _ := meshcop.LocatorOf(b.s.MeshLocal(), p.Peer)
			b.asked, b.to = append(b.asked, inner), append(b.to, to)
		}
		return
	}
	reply, err := hex.DecodeString(payload)
	if err != nil {
		b.t.Fatal(err)
	}
	o, err = coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: m.MID, Token: m.Token, Payload: reply}.Append(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.s.Receive(b.now, o)
}

// run lets time pass until the survey is done.
func (b *bench) run(atMost int) {
	b.t.Helper()
	for range atMost {
		b.pump()
		if b.v.done {
			return
		}
		at := b.s.Next()
		if n := b.v.next(); !n.IsZero() && (at.IsZero() || n.Before(at)) {
			at = n
		}
		if at.IsZero() {
			b.t.Fatal("it waits for nothing")
		}
		if at.After(b.now) {
			b.now = at
		}
		b.s.Tick(b.now)
	}
	b.t.Fatalf("not done after %d steps and %v", atMost, b.now.Sub(time.Unix(1e9, 0)))
}

// A mesh of which nobody answers is asked a bounded number of times.
func TestNobodyAnswers(t *testing.T) {
	b := newBench(t)
	b.run(1000)
	if took := b.now.Sub(time.Unix(1e9, 0)); took > 90*time.Second || len(b.asked) > maxShouts+9 {
		t.Errorf("asked %d times in %v", len(b.asked), took)
	}
	if !b.s.Active() {
		t.Error("the role was lost")
	}
}

// What is asked of a node: of all, once, by multicast; of a router without
// children no more than its neighbors.
func TestPlan(t *testing.T) {
	b := newBench(t)
	b.pump()
	id, ok := netdiag.Find(must(netdiag.SplitTLVs(b.asked[0].Payload)), netdiag.TypeQueryID)
	if !ok || b.asked[0].Type != coap.NonConfirmable || b.asked[0].Path != meshcop.PathDiagQuery {
		t.Fatalf("first %+v", b.asked[0])
	}
	answer := netdiag.AppendTLV(nil, netdiag.TypeQueryID, id)
	answer = netdiag.AppendExtAddress(answer, 2)
	answer = netdiag.AppendAddress16(answer, diag.MakeRLOC16(0x5c00))
	answer = netdiag.AppendVersion(answer, 5)
	answer = netdiag.AppendChildTable(answer, nil)
	answer = netdiag.AppendRoute64(answer, netdiag.Route64{IDSequence: 1, Rows: []netdiag.Route64Row{{RouterID: 23, Cost: 1}, {RouterID: 26, LQIn: 3, LQOut: 3, Cost: 1}}})
	answer = netdiag.AppendAnswer(answer, netdiag.Answer{Last: true})
	b.up(0x5c00, coap.Message{Type: coap.Confirmable, Code: coap.Post, MID: 9, Token: []byte{1, 2}, Path: meshcop.PathDiagAnswer, Payload: answer})
	if len(b.reports) != 1 || b.reports[0].RLOC16 != diag.MakeRLOC16(0x5c00) {
		t.Fatalf("%+v", b.reports)
	}
	b.now = b.now.Add(gap)
	b.pump()
	b.now = b.now.Add(gap)
	b.pump()
	var got []string
	for i, m := range b.asked[1:] {
		types, _ := netdiag.Find(must(netdiag.SplitTLVs(m.Payload)), netdiag.TypeTypeList)
		got = append(got, hex.EncodeToString(binary.BigEndian.AppendUint16(nil, b.to[i+1]))+" "+m.Path+" "+hex.EncodeToString(types))
	}
	want := []string{"6800 d/dg " + hex.EncodeToString(ofBorder), "5c00 d/dq 000125221f"}
	if !slices.Equal(got, want) {
		t.Errorf("asked %q\nwant  %q", got, want)
	}
}

func must(tlvs []netdiag.TLV, err error) []netdiag.TLV {
	if err != nil {
		panic(err)
	}
	return tlvs
}

// Whatever nodes say, in answers to the multicast and to questions, a survey
// ends, with a bounded number of questions, and tells no nonsense.
func FuzzSurvey(f *testing.F) {
	for _, s := range []string{
		"5c00" + "00" + "00080e0202020202020201025c00050fd30000832040008000f10601f10605100366020f18020005",
		"4000" + "01" + "1d2be85c020e090909090909090005000000f0000000bb000000bb000032cece000000000000000000000000001d00",
		"6800" + "02" + "00080e0101010101010101026800050fc60000832040008000e207f1010706" + "060805d71bb341c74e17",
	} {
		o, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(o, o)
	}
	f.Fuzz(func(t *testing.T, x, y []byte) {
		b := newBench(t)
		b.pump()
		for i := range 24 {
			in := x
			if i%2 == 1 {
				in = y
			}
			if len(in) < 3 || len(in) > 1200 {
				return
			}
			b.now = b.now.Add(30 * time.Millisecond)
			b.s.Tick(b.now)
			b.pump()
			// To the question asked last, or to the one that the input chooses.
			k := (int(in[2])>>2 + i) % len(b.asked)
			q, from := b.asked[k], b.to[k]
			if k == 0 || in[2]&2 != 0 {
				from = binary.BigEndian.Uint16(in)
			}
			var answer []byte
			if id, ok := netdiag.Find(must(netdiag.SplitTLVs(q.Payload)), netdiag.TypeQueryID); ok && in[2]&1 == 0 {
				answer = netdiag.AppendTLV(nil, netdiag.TypeQueryID, id)
			}
			answer = append(answer, in[3:]...)
			if q.Path == meshcop.PathDiagGet {
				b.up(from, coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: q.MID, Token: q.Token, Payload: answer})
			} else {
				b.up(from, coap.Message{Type: coap.Confirmable, Code: coap.Post, MID: uint16(i), Token: []byte{1, 2}, Path: meshcop.PathDiagAnswer, Payload: answer})
			}
		}
		// Sessions that see somebody else add a device end: nothing more is asked.
		if b.s.Active() {
			b.run(60 * maxQuestions)
		}
		b.v.conclude(false)
		if b.v.asked > maxQuestions || len(b.v.nodes) > maxNodes {
			t.Errorf("%d questions, %d nodes", b.v.asked, len(b.v.nodes))
		}
		for _, r := range b.reports {
			for _, w := range r.Routes {
				if w.RouterID > diag.MaxRouterID {
					t.Errorf("router %d", w.RouterID)
				}
			}
		}
	})
}
