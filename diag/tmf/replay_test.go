package tmf

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
	"threadmap/topology"
)

// A recording is what a real border agent and the nodes behind it said, to be
// said again to whoever asks the same.
type recording struct {
	t      *testing.T
	direct map[string][]byte // payload of the answer, by path of the border agent
	get    map[uint16][]byte // payload of the answer to a d/dg, by destination
	shout  map[uint16][]byte // payload of the answer to the multicast, by node
	query  map[uint16][]byte // payload of the answer to a d/dq, by node
	conn   net.Conn
	mid    uint16
	acked  map[uint16]int // d/da that were acknowledged, by message id
	sent   map[uint16]bool
	asked  map[string]int // by path
}

func record(t *testing.T) *recording {
	r := &recording{t: t, direct: map[string][]byte{}, get: map[uint16][]byte{}, shout: map[uint16][]byte{}, query: map[uint16][]byte{},
		acked: map[uint16]int{}, sent: map[uint16]bool{}, asked: map[string]int{}, mid: 0x4000}
	f, err := os.Open("testdata/conversations.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	paths := map[string]string{} // of requests, by token
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.Fields(s.Text())
		if w[0] == "#" {
			continue
		}
		b, err := hex.DecodeString(w[3])
		if err != nil {
			t.Fatal(err)
		}
		m, err := coap.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case w[1] == ">":
			paths[string(m.Token)] = m.Path
		case m.Path == meshcop.PathReceive:
			r.node(w[0], m.Payload)
		case m.Code.IsResponse() && w[0] == "pskc-1":
			r.direct[paths[string(m.Token)]] = m.Payload
		}
	}
	if len(r.direct) < 4 || len(r.get) != 3 || len(r.shout) != 6 || len(r.query) != 3 {
		t.Fatalf("recording: %d, %d, %d, %d", len(r.direct), len(r.get), len(r.shout), len(r.query))
	}
	return r
}

// node notes what a node said in a session.
func (r *recording) node(session string, payload []byte) {
	p, err := meshcop.ParseProxied(payload)
	if err != nil {
		r.t.Fatal(err)
	}
	inner, err := coap.Parse(p.Payload)
	if err != nil {
		r.t.Fatal(err)
	}
	a := p.Peer.As16()
	from := uint16(a[14])<<8 | uint16(a[15])
	switch {
	case len(inner.Payload) == 0:
	case inner.Code.IsResponse() && (session == "pskc-1" || session == "queries"):
		r.get[from] = inner.Payload
	case session == "mcast-ff03-2":
		r.shout[from] = inner.Payload
	case session == "queries":
		r.query[from] = inner.Payload
	}
}

// serve is the border agent of the recording.
func (r *recording) serve(l *dtls.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	r.conn = c
	b := make([]byte, 2000)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		m, err := coap.Parse(slices.Clone(b[:n]))
		if err != nil {
			r.t.Error(err)
			continue
		}
		r.asked[m.Path]++
		switch m.Path {
		case meshcop.PathTransmit:
			r.proxy(m)
		case meshcop.PathPetition, meshcop.PathKeepAlive: // acknowledged first, answered apart
			r.write(coap.Message{Type: coap.Acknowledgement, MID: m.MID})
			r.mid++
			payload := r.direct[m.Path]
			if m.Path == meshcop.PathKeepAlive {
				payload = m.Payload[:3] // the state that was asked for, as recorded
			}
			r.write(coap.Message{Type: coap.NonConfirmable, Code: coap.Changed, MID: r.mid, Token: m.Token, Payload: payload})
		default:
			r.write(coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: m.MID, Token: m.Token, Payload: r.direct[m.Path]})
		}
	}
}

func (r *recording) write(m coap.Message) {
	b, err := m.Append(nil)
	if err != nil {
		r.t.Error(err)
	}
	r.conn.Write(b)
}

func (r *recording) up(from uint16, m coap.Message) {
	b, err := m.Append(nil)
	if err != nil {
		r.t.Error(err)
	}
	r.mid++
	peer := meshcop.Locator(mesh.Lab(0).MeshLocalPrefix, from)
	r.write(coap.Message{Type: coap.NonConfirmable, Code: coap.Post, MID: r.mid, Token: []byte{1, 2}, Path: meshcop.PathReceive,
		Payload: meshcop.AppendProxied(nil, meshcop.Proxied{Peer: peer, From: meshcop.PortTMF, To: meshcop.PortTMF, Payload: b})})
}

// proxy lets the nodes speak. A recorded answer fits when path and node are the
// same; its Query ID becomes that of the question.
func (r *recording) proxy(m coap.Message) {
	p, err := meshcop.ParseProxied(m.Payload)
	if err != nil {
		r.t.Error(err)
		return
	}
	inner, err := coap.Parse(p.Payload)
	if err != nil {
		r.t.Error(err)
		return
	}
	a := p.Peer.As16()
	to := uint16(a[14])<<8 | uint16(a[15])
	switch {
	case inner.Type == coap.Acknowledgement:
		r.acked[inner.MID]++
	case inner.Path == meshcop.PathDiagGet && r.get[to] != nil:
		r.up(to, coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: inner.MID, Token: inner.Token, Payload: r.get[to]})
	case inner.Path == meshcop.PathDiagQuery && p.Peer.IsMulticast():
		for from, payload := range r.shout {
			r.say(from, inner.Payload, payload)
		}
	case inner.Path == meshcop.PathDiagQuery && r.query[to] != nil:
		r.up(to, coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: inner.MID, Token: inner.Token})
		r.say(to, inner.Payload, r.query[to])
	}
}

// say is a d/da.
func (r *recording) say(from uint16, question, recorded []byte) {
	asked, err := netdiag.SplitTLVs(question)
	if err != nil {
		r.t.Error(err)
	}
	id, ok := netdiag.Find(asked, netdiag.TypeQueryID)
	if !ok {
		r.t.Error("a query without Query ID")
	}
	tlvs, err := netdiag.SplitTLVs(slices.Clone(recorded))
	if err != nil {
		r.t.Error(err)
	}
	if old, ok := netdiag.Find(tlvs, netdiag.TypeQueryID); ok {
		copy(old, id)
	}
	r.mid++
	mid := r.mid
	r.sent[mid] = true
	r.up(from, coap.Message{Type: coap.Confirmable, Code: coap.Post, MID: mid, Token: []byte{7, 7}, Path: meshcop.PathDiagAnswer, Payload: netdiag.AppendTLVs(nil, tlvs)})
}

// The recorded sessions, through the real code, give the mesh on which they
// were recorded: radio graph, parents, and the signals that were asked for.
func TestRecordedMesh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		n := &simnet.Net{}
		s := &scene{t: t, m: m, net: n}
		key, err := pskc.New(m.PSKc[:])
		if err != nil {
			t.Fatal(err)
		}
		s.source = sourceOf(s, key)
		pc, err := n.ListenPacket(agentAddr)
		if err != nil {
			t.Fatal(err)
		}
		l, err := dtls.Listen(pc, key, dtls.ListenConfig{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		r := record(t)
		served := make(chan bool)
		go func() { r.serve(l); close(served) }()
		reports, problems := s.scan(t.Context())
		<-served

		// What was never recorded is missing, and said to be.
		for _, p := range problems {
			if !strings.Contains(p.Text, "did not tell") {
				t.Errorf("problem: %v", p)
			}
		}
		got := topology.Build(reports)
		for _, d := range differences(m, got, false) {
			t.Error(d)
		}
		find := func(x diag.ExtAddr) *topology.Node {
			return got.Nodes[slices.IndexFunc(got.Nodes, func(n *topology.Node) bool { return n.ExtAddr == x })]
		}
		child, router := find(0x0e07070707070707), find(0x0e04040404040404)
		if child.Role != diag.RoleSleepyEndDevice || child.Parent != find(0x0e05050505050505) || len(child.Addresses) < 2 {
			t.Errorf("sleepy child: %+v", child)
		}
		if got.Networks[0].Name != "ThreadMapLab" || got.Networks[0].ExtPANID != 0xdead00beef00cafe || router.RLOC16 != diag.MakeRLOC16(0xc000) {
			t.Errorf("network %+v, router %+v", got.Networks[0], router)
		}
		for mid := range r.sent {
			if r.acked[mid] != 1 {
				t.Errorf("message %04x of a node was acknowledged %d times", mid, r.acked[mid])
			}
		}
		if r.asked[meshcop.PathKeepAlive] == 0 || r.asked["d/dr"] != 0 {
			t.Errorf("asked %v", r.asked)
		}
	})
}

// The border agent of a real stack hands keys over to who names no types. Ours
// names them, and none of the two.
func TestNeverAsksForKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen [][]byte
		s := meshcop.NewSession(time.Now(), meshcop.Config{})
		for _, b := range s.Datagrams() {
			m, err := coap.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if m.Path == meshcop.PathActiveGet {
				tlvs, err := netdiag.SplitTLVs(m.Payload)
				if err != nil {
					t.Fatal(err)
				}
				v, ok := netdiag.Find(tlvs, meshcop.TypeGet)
				if !ok || bytes.IndexByte(v, meshcop.TypePSKc) >= 0 || bytes.IndexByte(v, meshcop.TypeNetworkKey) >= 0 {
					t.Errorf("asks %x", m.Payload)
				}
				seen = append(seen, v)
			}
		}
		if len(seen) != 1 {
			t.Errorf("%d requests for the dataset", len(seen))
		}
	})
}
