package borderagent

import (
	"net"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
)

// A sink is a session's connection that checks and counts what is written.
type sink struct {
	net.Conn
	t       *testing.T
	written int
}

func (s *sink) Write(b []byte) (int, error) {
	s.written++
	if p, err := parsePacket(b); err != nil {
		s.t.Errorf("sent %x: %v", b, err)
	} else if _, err := netdiag.SplitTLVs(p.payload); err != nil {
		s.t.Errorf("sent %x: %v", b, err)
	}
	return len(b), nil
}

func (s *sink) Close() error { return nil }

// FuzzClient: whatever a client that has the key says, the agent and its mesh
// neither panic nor answer with what is no CoAP.
func FuzzClient(f *testing.F) {
	for _, p := range []packet{
		get(1, 0, 1, 5, 8, 16), query(2, 29, 30, 31), multicast(3, 0, 5),
		{kind: message.Acknowledgement, code: codes.Changed, mid: 7, token: []byte("ab")},
	} {
		f.Add(p.bytes(), true)
	}
	for _, path := range []string{"c/ag", "c/cg", "c/cp", "c/ca", "c/ut", "c/zz"} {
		b := netdiag.AppendTLV(nil, mcGet, []byte{1, 2, 3})
		b = netdiag.AppendTLV(netdiag.AppendTLV(b, mcCommissionerID, []byte("me")), mcState, []byte{1})
		f.Add(packet{kind: message.Confirmable, code: codes.POST, mid: 9, token: []byte("t"), path: path, payload: b}.bytes(), false)
	}
	v := mesh.Lab(20).View()
	f.Fuzz(func(t *testing.T, b []byte, proxied bool) {
		a, err := New(v, labBorder, Options{Settle: -1, HopDelay: -1, SleepyDelay: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		out := &sink{t: t}
		s := &session{agent: a, conn: out}
		n := a.net
		n.Lock()
		defer n.Unlock()
		a.sessions[s] = true
		v := a.petition([]netdiag.TLV{{Type: mcCommissionerID, Value: []byte("fuzz")}})
		a.active, s.sid = s, v.session
		if proxied {
			for _, to := range []uint16{0x5c00, 0x8401} {
				n.down(transit{agent: a, aloc: aloc(s.sid), port: tmfPort, node: rloc(to), nodePort: tmfPort, payload: b})
			}
		} else if p, err := parsePacket(b); err == nil {
			s.handle(p)
		}
		for k := 0; len(n.events) > 0 && k < 1000; k++ { // whenever it is due
			e := n.events[0]
			n.events = n.events[1:]
			if !e.at.After(time.Now().Add(time.Second)) {
				e.do()
			}
		}
		if a.forwarded > out.written {
			t.Errorf("%d forwarded, %d written", a.forwarded, out.written)
		}
	})
}
