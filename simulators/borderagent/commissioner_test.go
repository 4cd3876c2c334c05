package borderagent

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
)

func TestPetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{})
		one, two := lab(t, n), lab(t, n)
		if id, ok := a.Commissioner(); ok {
			t.Errorf("%q has the role before anybody asked", id)
		}
		sid := one.commission()
		if id, ok := a.Commissioner(); id != "test" || !ok {
			t.Errorf("the commissioner is %q, %v", id, ok)
		}

		// Another id is refused, and told whose the role is.
		refused := two.petition("phone")
		if state, _ := netdiag.Find(refused, mcState); !bytes.Equal(state, []byte{0xff}) {
			t.Errorf("state %x", state)
		}
		if id, _ := netdiag.Find(refused, mcCommissionerID); string(id) != "test" || len(refused) != 2 {
			t.Errorf("holder %q in %v", id, refused)
		}
		// A session without the role gets no answer to a keep-alive.
		keep := netdiag.AppendTLV(netdiag.AppendTLV(nil, mcState, []byte{1}), mcSessionID, sid)
		if p, ok := two.ask("c/ca", keep); ok {
			t.Errorf("answered %+v", p)
		}
		if p, ok := one.ask("c/ca", keep); !ok || !bytes.Equal(p.payload, []byte{mcState, 1, 1}) {
			t.Errorf("keep-alive: %+v, %v", p, ok)
		}

		// The same id takes over; the first one is not told and has nothing more.
		next := two.commission()
		if uint16(next[0])<<8|uint16(next[1]) != (uint16(sid[0])<<8|uint16(sid[1]))+2 { // "nobody" had one between
			t.Errorf("session ids %x and %x", sid, next)
		}
		one.proxy(rloc(0x5c00), get(1, 0))
		if got, _ := one.listen(10 * time.Second); len(got) > 0 {
			t.Errorf("who lost the role got %+v", got)
		}
		if p, ok := one.ask("c/ca", keep); ok {
			t.Errorf("who lost the role kept it alive: %+v", p)
		}

		// Resigning frees it.
		if p, ok := two.ask("c/ca", netdiag.AppendTLV([]byte{mcState, 1, 0xff}, mcSessionID, next)); !ok || p.payload[2] != 0xff {
			t.Errorf("resigning: %+v, %v", p, ok)
		}
		if id, ok := a.Commissioner(); ok {
			t.Errorf("%q has the role still", id)
		}
		if p, ok := two.ask("c/cp", nil); !ok || !bytes.Equal(p.payload, []byte{mcState, 1, 0xff}) {
			t.Errorf("a petition without an id: %+v, %v", p, ok)
		}

		// With a wrong session id the agent forgets who it is, the leader does not.
		two.commission()
		if p, ok := two.ask("c/ca", netdiag.AppendTLV([]byte{mcState, 1, 0xff}, mcSessionID, next)); !ok || p.payload[2] != 0xff {
			t.Errorf("a wrong session id: %+v, %v", p, ok)
		}
		if id, ok := a.Commissioner(); id != "test" || !ok {
			t.Errorf("a wrong session id freed the role: %q, %v", id, ok)
		}
		if p, ok := two.ask("c/ca", keep); ok {
			t.Errorf("answered %+v", p)
		}
	})
}

// A session that ends without resigning leaves the role taken for 50 s.
func TestRoleOutlivesSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{})
		one := lab(t, n)
		one.commission()
		since := time.Now().Add(-3 * time.Second) // ask waits
		one.conn.Close()
		two := lab(t, n)
		for {
			refused := two.petition("phone")
			if _, given := netdiag.Find(refused, mcSessionID); given {
				break
			}
			if time.Since(since) > time.Minute {
				t.Fatal("the role is never free")
			}
			if _, over := two.listen(time.Second); over {
				two = lab(t, n)
			}
		}
		if d := time.Since(since); d < commissionerLife || d > commissionerLife+8*time.Second {
			t.Errorf("free after %v", d)
		}
		if id, ok := a.Commissioner(); id != "phone" || !ok {
			t.Errorf("%q, %v", id, ok)
		}
	})
}

// The session ends 50 s after the handshake or the last keep-alive, whatever
// else was said.
func TestSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := serve(t, mesh.Lab(0), Options{})
		idle, kept := lab(t, n), lab(t, n)
		begin := time.Now()
		sid := kept.commission()
		kept.listen(30 * time.Second)
		if p, ok := kept.ask("c/ca", netdiag.AppendTLV([]byte{mcState, 1, 1}, mcSessionID, sid)); !ok || p.payload[2] != 1 {
			t.Fatalf("keep-alive %+v, %v", p, ok)
		}
		if _, over := idle.listen(time.Hour); !over || time.Since(begin) != commissionerLife {
			t.Errorf("an idle session ended after %v, %v", time.Since(begin), over)
		}
		if _, over := kept.listen(time.Hour); !over || time.Since(begin) < 83*time.Second || time.Since(begin) > 84*time.Second {
			t.Errorf("a session with one keep-alive ended after %v, %v", time.Since(begin), over)
		}
	})
}

// Captured too: without the role what is proxied vanishes.
func TestProxyWithoutPetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{})
		c := lab(t, n)
		c.proxy(rloc(0xfc00), get(1, 0, 1))
		if got, over := c.listen(20 * time.Second); len(got) > 0 || over {
			t.Errorf("%+v, %v", got, over)
		}
		if s := a.Stats(); s.ToMesh != 0 || s.Requests["c/ut"] != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestSecondCommissioner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{SecondCommissioner: "Phone of Ann", Steering: []byte{0xff}})
		c := lab(t, n)
		if id, _ := netdiag.Find(c.petition("threadmap"), mcCommissionerID); string(id) != "Phone of Ann" {
			t.Errorf("holder %q", id)
		}
		p, ok := c.ask("c/cg", nil)
		tlvs, err := netdiag.SplitTLVs(p.payload)
		if steering, _ := netdiag.Find(tlvs, mcSteering); !ok || err != nil || !bytes.Equal(steering, []byte{0xff}) {
			t.Errorf("c/cg %x, %v", p.payload, err)
		}
		a.Release()
		if _, given := netdiag.Find(c.petition("threadmap"), mcSessionID); !given {
			t.Error("refused though the role is free")
		}
		a.Hold("Phone of Bob", nil)
		if id, ok := a.Commissioner(); id != "Phone of Bob" || !ok {
			t.Errorf("%q, %v", id, ok)
		}
	})
}

// Two border routers of one mesh have one leader.
func TestBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		m.Nodes[2].BorderRouter = true
		a, n := serve(t, m, Options{})
		b, err := a.Beside(m.Nodes[2].ExtAddr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		other := netip.MustParseAddrPort("[2001:db8::3]:49154")
		start(t, b, n, other)
		one := lab(t, n)
		two, err := dial(t, n, other, m.PSKc[:])
		if err != nil {
			t.Fatal(err)
		}
		one.commission()
		if id, _ := netdiag.Find(two.petition("other"), mcCommissionerID); string(id) != "test" {
			t.Errorf("holder %q", id)
		}
		sid := one.session(t)
		two.commission() // the same id
		one.proxy(rloc(0x5c00), get(1, 0))
		two.proxy(rloc(0x5c00), get(1, 0))
		if got, _ := one.listen(3 * time.Second); len(got) > 0 {
			t.Errorf("the old commissioner got %+v", got)
		}
		if got, _ := two.listen(3 * time.Second); len(inner(got, "")) != 1 {
			t.Errorf("the new one got %+v", got)
		}
		// The other agent learns of it only by the leader's word.
		lost := netdiag.AppendTLV([]byte{mcState, 1, 1}, mcSessionID, be16(sid))
		if p, ok := one.ask("c/ca", lost); !ok || p.payload[2] != 0xff {
			t.Errorf("the old commissioner's keep-alive: %+v, %v", p, ok)
		}
		if p, ok := one.ask("c/ca", lost); ok {
			t.Errorf("after that: %+v", p)
		}
		a.Close()
		if got := two.petition("test"); len(got) != 3 {
			t.Errorf("with one agent closed the other says %v", got)
		}
	})
}

func TestDataset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		_, n := serve(t, m, Options{})
		c := lab(t, n)
		p, ok := c.ask("c/ag", nil) // no types: all, keys too
		if !ok || !bytes.Contains(p.payload, m.NetworkKey[:]) || !bytes.Contains(p.payload, m.PSKc[:]) {
			t.Errorf("%x, %v", p.payload, ok)
		}
		p, _ = c.ask("c/ag", netdiag.AppendTLV(nil, mcGet, []byte{mcNetworkName, mcPANID}))
		if want := "\x03\x0cThreadMapLab\x01\x02\xfa\xce"; string(p.payload) != want {
			t.Errorf("%q", p.payload)
		}
		if p, ok = c.ask("c/pg", nil); !ok || len(p.payload) > 0 {
			t.Errorf("pending: %x, %v", p.payload, ok)
		}
	})
}

// What is not for the agent, and what is said twice.
func TestCoAP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{})
		c := lab(t, n)
		for _, x := range []struct {
			p    packet
			kind message.Type
			code codes.Code
		}{
			{packet{kind: message.Confirmable, code: codes.POST, path: "c/xx"}, message.Acknowledgement, codes.NotFound},
			{packet{kind: message.Confirmable, code: codes.GET, path: "c/ag"}, message.Acknowledgement, codes.MethodNotAllowed},
			{packet{kind: message.Confirmable, code: codes.PUT, path: "c/ut"}, message.Acknowledgement, codes.MethodNotAllowed},
			{packet{kind: message.Confirmable}, message.Reset, codes.Empty},
		} {
			x.p.mid = c.next()
			c.send(x.p.bytes())
			if got, _ := c.listen(time.Second); len(got) != 1 || got[0].outer.kind != x.kind || got[0].outer.code != x.code || got[0].outer.mid != x.p.mid {
				t.Errorf("%+v: %+v", x.p, got)
			}
		}
		for _, x := range []packet{
			{kind: message.NonConfirmable, code: codes.POST, path: "c/ca"}, {kind: message.NonConfirmable, code: codes.POST, path: "c/ut"},
			{kind: message.Acknowledgement, code: codes.Changed}, {kind: message.Confirmable, code: codes.POST, path: "c/ut"},
		} {
			c.send(x.bytes())
		}
		c.send([]byte("nonsense"))
		if got, over := c.listen(time.Second); len(got) > 0 || over {
			t.Errorf("%+v, %v", got, over)
		}
		// What needs no acknowledgement is answered without one.
		for _, path := range []string{"c/ag", "c/cp", "c/xx"} {
			c.send(packet{kind: message.NonConfirmable, code: codes.POST, mid: c.next(), token: []byte("n"), path: path}.bytes())
			if got, _ := c.listen(time.Second); len(got) != 1 || got[0].outer.kind != message.NonConfirmable || string(got[0].outer.token) != "n" {
				t.Errorf("%s: %+v", path, got)
			}
		}
		// A petition that is repeated with its message id is acknowledged again
		// and not handled again.
		p := packet{kind: message.Confirmable, code: codes.POST, mid: c.next(), path: "c/cp", payload: netdiag.AppendTLV(nil, mcCommissionerID, []byte("x"))}
		c.send(p.bytes())
		c.listen(time.Second)
		c.send(p.bytes())
		if got, _ := c.listen(time.Second); len(got) != 1 || got[0].outer.kind != message.Acknowledgement {
			t.Errorf("%+v", got)
		}
		if s := a.Stats(); s.Requests["c/cp"] != 3 || s.Requests["other"] != 2 || s.Sessions != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWrongKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{})
		if _, err := dial(t, n, agentAddr, []byte("some other key!!")); !errors.Is(err, dtls.ErrWrongKey) {
			t.Errorf("%v", err)
		}
		synctest.Wait() // the agent counts after it has answered
		if s := a.Stats(); s.Refused != 1 || s.Sessions != 0 {
			t.Errorf("%+v", s)
		}
	})
}
