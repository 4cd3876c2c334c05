package borderagent

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"go.uber.org/goleak"

	"threadmap/diag"
	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/netdiag"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const labBorder = diag.ExtAddr(0x0e01010101010101)

var (
	agentAddr = netip.MustParseAddrPort("[2001:db8::1]:49154")
	here      = netip.MustParseAddrPort("[2001:db8::2]:0")
)

// serve starts the agent of the lab's border router in virtual time.
func serve(t *testing.T, m *mesh.Mesh, o Options) (*Agent, *simnet.Net) {
	t.Helper()
	a, err := New(m.View(), labBorder, o)
	if err != nil {
		t.Fatal(err)
	}
	n := &simnet.Net{}
	start(t, a, n, agentAddr)
	return a, n
}

func start(t *testing.T, a *Agent, n *simnet.Net, at netip.AddrPort) {
	t.Helper()
	pc, err := n.ListenPacket(at)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- a.Serve(pc) }()
	t.Cleanup(func() {
		a.Close()
		if err := <-over; err != nil {
			t.Errorf("served until %v", err)
		}
	})
}

// A client is a commissioner that says what the test wants.
type client struct {
	t     *testing.T
	conn  *dtls.Conn
	mid   uint16
	mute  bool // acknowledge no d/da
	heard []heard
}

// heard is a message from the agent; inner and from are of a c/ur.
type heard struct {
	at     time.Duration
	outer  packet
	inner  packet
	from   netip.Addr
	tlv48  byte // first octet of its length
	octets int
}

func dial(t *testing.T, n *simnet.Net, at netip.AddrPort, key []byte) (*client, error) {
	t.Helper()
	raw, err := n.Dial(here, at)
	if err != nil {
		t.Fatal(err)
	}
	k, err := pskc.New(key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := dtls.Client(context.Background(), raw, k, dtls.Config{})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	return &client{t: t, conn: c, mid: 0x1000}, nil
}

func lab(t *testing.T, n *simnet.Net) *client {
	t.Helper()
	key := mesh.Lab(0).PSKc
	c, err := dial(t, n, agentAddr, key[:])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// listen takes in what comes in d, or until the session ends; over says that.
func (c *client) listen(d time.Duration) (got []heard, over bool) {
	c.t.Helper()
	begin := time.Now()
	b := make([]byte, maxDatagram)
	for {
		c.conn.SetReadDeadline(begin.Add(d))
		k, err := c.conn.Read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return got, false
		case err != nil:
			return got, true
		}
		h := heard{at: time.Since(begin), octets: k}
		if h.outer, err = parsePacket(bytes.Clone(b[:k])); err != nil {
			c.t.Fatalf("%x: %v", b[:k], err)
		}
		if h.outer.path == "c/ur" {
			c.unwrap(&h)
		}
		got = append(got, h)
		c.heard = append(c.heard, heard{outer: clone(h.outer)})
		if h.inner.path == answerPath && !c.mute {
			c.proxy(h.from, packet{kind: message.Acknowledgement, code: codes.Changed, mid: h.inner.mid, token: h.inner.token})
		}
	}
}

// clone is p with a payload of its own.
func clone(p packet) packet { p.payload = bytes.Clone(p.payload); return p }

func (c *client) unwrap(h *heard) {
	c.t.Helper()
	tlvs, err := netdiag.SplitTLVs(h.outer.payload)
	if err != nil || len(tlvs) != 2 || tlvs[0].Type != mcUDPEncapsulation || tlvs[1].Type != mcIPv6Address {
		c.t.Fatalf("c/ur %x: %v", h.outer.payload, err)
	}
	if udp := tlvs[0].Value; !bytes.Equal(udp[:4], []byte{0xf0, 0xbf, 0xf0, 0xbf}) {
		c.t.Fatalf("ports %x", udp[:4])
	} else if h.inner, err = parsePacket(udp[4:]); err != nil {
		c.t.Fatal(err)
	}
	h.tlv48 = h.outer.payload[1]
	h.from, _ = netip.AddrFromSlice(tlvs[1].Value)
}

func (c *client) next() uint16 { c.mid++; return c.mid }

// ask sends a request to the agent and waits for its answer, also a separate
// one; ok is false when none comes within 3 s.
func (c *client) ask(path string, payload []byte) (answer packet, ok bool) {
	c.t.Helper()
	mid := c.next()
	token := append([]byte{'T'}, be16(mid)...)
	c.send(packet{kind: message.Confirmable, code: codes.POST, mid: mid, token: token, path: path, payload: payload}.bytes())
	got, _ := c.listen(3 * time.Second)
	for k, h := range got {
		if string(h.outer.token) != string(token) {
			continue
		}
		if h.outer.kind == message.NonConfirmable && (k == 0 || got[k-1].outer.kind != message.Acknowledgement || got[k-1].outer.mid != mid) {
			c.t.Error("a separate answer without an acknowledgement")
		}
		return h.outer, true
	}
	return packet{}, false
}

// petition asks for the role and gives the answer's TLVs.
func (c *client) petition(id string) []netdiag.TLV {
	c.t.Helper()
	p, ok := c.ask("c/cp", netdiag.AppendTLV(nil, mcCommissionerID, []byte(id)))
	if !ok {
		c.t.Fatal("no answer to a petition")
	}
	tlvs, err := netdiag.SplitTLVs(p.payload)
	if err != nil {
		c.t.Fatal(err)
	}
	return tlvs
}

// commission gets the role, and gives the session id.
func (c *client) commission() []byte {
	c.t.Helper()
	tlvs := c.petition("test")
	sid, ok := netdiag.Find(tlvs, mcSessionID)
	if !ok {
		c.t.Fatalf("petition refused: %x", tlvs)
	}
	return sid
}

func (c *client) proxy(to netip.Addr, inner packet) {
	c.t.Helper()
	udp := append([]byte{0xf0, 0xbf, 0xf0, 0xbf}, inner.bytes()...)
	a := to.As16()
	b := netdiag.AppendTLV(netdiag.AppendTLV(nil, mcUDPEncapsulation, udp), mcIPv6Address, a[:])
	c.send(packet{kind: message.NonConfirmable, code: codes.POST, mid: c.next(), token: []byte("u"), path: "c/ut", payload: b}.bytes())
}

func rloc(loc16 uint16) netip.Addr {
	b := netip.MustParseAddr("fd00:db8:a0::ff:fe00:0").As16()
	b[14], b[15] = byte(loc16>>8), byte(loc16)
	return netip.AddrFrom16(b)
}

// get is a d/dg, query a d/dq with Query ID 0x4242.
func get(mid uint16, types ...uint8) packet {
	return packet{kind: message.Confirmable, code: codes.POST, mid: mid, token: []byte("dg"), path: "d/dg", payload: netdiag.AppendTypeList(nil, types...)}
}

func query(mid uint16, types ...uint8) packet {
	p := get(mid, types...)
	p.path, p.token = "d/dq", []byte("dq")
	p.payload = netdiag.AppendQueryID(p.payload, 0x4242)
	return p
}

func multicast(mid uint16, types ...uint8) packet {
	p := query(mid, types...)
	p.kind = message.NonConfirmable
	return p
}

// inner are the messages of the mesh among got, by path: "" for answers.
func inner(got []heard, path string) (out []heard) {
	for _, h := range got {
		if h.outer.path == "c/ur" && h.inner.path == path {
			out = append(out, h)
		}
	}
	return out
}
