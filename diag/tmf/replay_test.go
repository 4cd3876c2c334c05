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

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
)

// A recording is what a real border agent and the nodes behind it said, to be
// said again to whoever asks the same.
type recording struct {
	t      *testing.T
	direct map[string][]byte // payload of the answer, by path of the border agent
	get    map[uint16][]byte // payload of the answer to a d/dg, by destination
	shout  map[uint16][]byte // payload of the answer to the multicast, by node
	query  map[uint16][]byte // payload of the answer to a d/dq, by node
	// Of the session with twenty children more: the messages of the answers to a
	// d/dq, by the list that was asked for, and the router's child table.
	lists map[uint8][][]byte
	table []byte
	then  map[uint16]func() // what a d/da's acknowledgement brings, by message id
	conn  net.Conn
	mid   uint16
	acked map[uint16]int // d/da that were acknowledged, by message id
	sent  map[uint16]bool
	last  uint16
	asked map[string]int // by path
}

func record(t *testing.T) *recording {
	r := &recording{t: t, direct: map[string][]byte{}, get: map[uint16][]byte{}, shout: map[uint16][]byte{}, query: map[uint16][]byte{},
		lists: map[uint8][][]byte{}, then: map[uint16]func(){}, acked: map[uint16]int{}, sent: map[uint16]bool{}, asked: map[string]int{}, mid: 0x4000}
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
	case session == "20children":
		r.part(inner.Payload)
	case session == "mcast-ff03-2":
		r.shout[from] = inner.Payload
	case session == "queries":
		r.query[from] = inner.Payload
	}
}

// part notes a message of the router with twenty children.
func (r *recording) part(payload []byte) {
	tlvs, err := netdiag.SplitTLVs(slices.Clone(payload))
	if err != nil {
		r.t.Fatal(err)
	}
	b, _ := netdiag.Find(tlvs, netdiag.TypeQueryID)
	switch id, _ := netdiag.ParseQueryID(b); id {
	case 0x5108:
		r.lists[netdiag.TypeChild] = append(r.lists[netdiag.TypeChild], payload)
	case 0x510a:
		r.lists[netdiag.TypeChildIPv6Addresses] = append(r.lists[netdiag.TypeChildIPv6Addresses], payload)
	case 0x510c:
		if b, ok := netdiag.Find(tlvs, netdiag.TypeChildTable); ok {
			r.table = b
		}
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
		if next := r.then[inner.MID]; next != nil && inner.Code == coap.Changed {
			delete(r.then, inner.MID)
			next()
		}
	case inner.Path == meshcop.PathDiagGet && r.get[to] != nil:
		r.up(to, coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: inner.MID, Token: inner.Token, Payload: r.get[to]})
	case inner.Path == meshcop.PathDiagQuery && p.Peer.IsMulticast():
		for from, payload := range r.shout {
			r.say(from, inner.Payload, payload)
		}
	case inner.Path == meshcop.PathDiagQuery && r.query[to] != nil:
		if parts := r.listed(to, inner.Payload); parts != nil {
			r.up(to, coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: inner.MID, Token: inner.Token})
			r.sayAll(to, inner.Payload, parts)
			return
		}
		r.up(to, coap.Message{Type: coap.Acknowledgement, Code: coap.Changed, MID: inner.MID, Token: inner.Token})
		r.say(to, inner.Payload, r.query[to])
	}
}

// listed are the messages recorded of a list that is asked for; nil: none.
func (r *recording) listed(to uint16, question []byte) [][]byte {
	tlvs, err := netdiag.SplitTLVs(slices.Clone(question))
	if err != nil {
		r.t.Error(err)
	}
	types, _ := netdiag.Find(tlvs, netdiag.TypeTypeList)
	for list, parts := range r.lists {
		if to == 0xc000 && bytes.IndexByte(types, list) >= 0 {
			return parts
		}
	}
	return nil
}

// sayAll is an answer in several messages, each sent when the one before it was
// acknowledged.
func (r *recording) sayAll(from uint16, question []byte, parts [][]byte) {
	question = slices.Clone(question)
	r.say(from, question, parts[0])
	if len(parts) > 1 {
		r.then[r.last] = func() { r.sayAll(from, question, parts[1:]) }
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
	r.sent[mid], r.last = true, mid
	r.up(from, coap.Message{Type: coap.Confirmable, Code: coap.Post, MID: mid, Token: []byte{7, 7}, Path: meshcop.PathDiagAnswer, Payload: netdiag.AppendTLVs(nil, tlvs)})
}

// replay scans what was recorded, through the real code.
func replay(t *testing.T, r *recording) ([]diag.Report, []diag.Problem) {
	t.Helper()
	m := mesh.Lab(0)
	n := &simnet.Net{}
	s := &scene{t: t, m: m, net: n}
	key := key(t, m.PSKc[:])
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
	served := make(chan bool)
	go func() { r.serve(l); close(served) }()
	reports, problems := s.scan(t.Context())
	<-served
	for mid := range r.sent {
		if r.acked[mid] != 1 {
			t.Errorf("message %04x of a node was acknowledged %d times", mid, r.acked[mid])
		}
	}
	if r.asked[meshcop.PathKeepAlive] == 0 || r.asked["d/dr"] != 0 {
		t.Errorf("asked %v", r.asked)
	}
	return reports, problems
}
