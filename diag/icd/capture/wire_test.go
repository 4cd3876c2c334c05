package capture_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"threadmap/diag/matter/message"
)

var began = time.Date(2026, 8, 22, 10, 0, 0, 0, time.UTC)

// A lan builds a capture packet by packet.
type lan struct {
	t     testing.TB
	order binary.ByteOrder
	nano  bool
	link  uint32
	buf   bytes.Buffer
	all   []timed
}

// timed is a frame and when it was seen.
type timed struct {
	at    time.Time
	frame []byte
}

func newLAN(t testing.TB) *lan {
	l := &lan{t: t, order: binary.LittleEndian, link: 1}
	l.header()
	return l
}

func (l *lan) header() {
	magic := uint32(0xa1b2c3d4)
	if l.nano {
		magic = 0xa1b23c4d
	}
	l.buf.Reset()
	b := l.order.(binary.AppendByteOrder)
	h := b.AppendUint32(nil, magic)
	h = b.AppendUint16(h, 2)
	h = b.AppendUint16(h, 4)
	h = append(h, make([]byte, 8)...)
	h = b.AppendUint32(h, 262144)
	l.buf.Write(b.AppendUint32(h, l.link))
}

// frame appends a frame that was seen s seconds after the beginning.
func (l *lan) frame(s float64, frame []byte) {
	l.put(began.Add(time.Duration(s*1e6)*time.Microsecond), frame)
}

func (l *lan) put(at time.Time, frame []byte) {
	l.all = append(l.all, timed{at, frame})
	b := l.order.(binary.AppendByteOrder)
	frac := uint32(at.Nanosecond())
	if !l.nano {
		frac /= 1000
	}
	h := b.AppendUint32(nil, uint32(at.Unix()))
	h = b.AppendUint32(h, frac)
	h = b.AppendUint32(h, uint32(len(frame)))
	l.buf.Write(b.AppendUint32(h, uint32(len(frame))))
	l.buf.Write(frame)
}

// macOf makes up the machine of an address: its last octet.
func macOf(a netip.Addr) []byte {
	b := a.AsSlice()
	return []byte{2, 0, 0, 0, 0, b[len(b)-1]}
}

func ethernet(src, dst netip.Addr, packet []byte) []byte {
	f := append(macOf(dst), macOf(src)...)
	if src.Is4() {
		return append(append(f, 8, 0), packet...)
	}
	return append(append(f, 0x86, 0xdd), packet...)
}

func ipv6(src, dst netip.Addr, proto, hops byte, payload []byte) []byte {
	p := []byte{0x60, 0, 0, 0}
	p = binary.BigEndian.AppendUint16(p, uint16(len(payload)))
	p = append(p, proto, hops)
	p = append(append(p, src.AsSlice()...), dst.AsSlice()...)
	return append(p, payload...)
}

func ipv4(src, dst netip.Addr, payload []byte) []byte {
	p := []byte{0x45, 0}
	p = binary.BigEndian.AppendUint16(p, uint16(20+len(payload)))
	p = append(p, 0, 0, 0, 0, 64, 17, 0, 0)
	p = append(append(p, src.AsSlice()...), dst.AsSlice()...)
	return append(p, payload...)
}

func udpOf(src, dst netip.AddrPort, payload []byte) []byte {
	u := binary.BigEndian.AppendUint16(nil, src.Port())
	u = binary.BigEndian.AppendUint16(u, dst.Port())
	u = binary.BigEndian.AppendUint16(u, uint16(8+len(payload)))
	return append(append(u, 0, 0), payload...)
}

func packetOf(src, dst netip.AddrPort, payload []byte) []byte {
	if src.Addr().Is4() {
		return ipv4(src.Addr(), dst.Addr(), udpOf(src, dst, payload))
	}
	return ipv6(src.Addr(), dst.Addr(), 17, 64, udpOf(src, dst, payload))
}

func (l *lan) udp(s float64, src, dst netip.AddrPort, payload []byte) {
	l.frame(s, ethernet(src.Addr(), dst.Addr(), packetOf(src, dst, payload)))
}

func (l *lan) icmp(s float64, src, dst netip.Addr, hops byte, message []byte) {
	l.frame(s, ethernet(src, dst, ipv6(src, dst, 58, hops, message)))
}

var (
	group6 = netip.MustParseAddrPort("[ff02::fb]:5353")
	group4 = netip.MustParseAddrPort("224.0.0.251:5353")
)

// mdns multicasts a message of records or questions.
func (l *lan) mdns(s float64, from netip.Addr, m *dns.Msg) {
	l.t.Helper()
	b, err := m.Pack()
	if err != nil {
		l.t.Fatal(err)
	}
	to := group6
	if from.Is4() {
		to = group4
	}
	l.udp(s, netip.AddrPortFrom(from, 5353), to, b)
}

func records(t testing.TB, lines ...string) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	m.Response, m.Authoritative = true, true
	for _, s := range lines {
		rr, err := dns.NewRR(s)
		if err != nil {
			t.Fatal(s, err)
		}
		rr.Header().Class |= 1 << 15
		if rr.Header().Rrtype == dns.TypePTR {
			rr.Header().Class = dns.ClassINET
		}
		m.Answer = append(m.Answer, rr)
	}
	return m
}

func question(name string) *dns.Msg {
	m := new(dns.Msg)
	for _, kind := range []uint16{dns.TypeSRV, dns.TypeTXT} {
		m.Question = append(m.Question, dns.Question{Name: name, Qtype: kind, Qclass: dns.ClassINET})
	}
	return m
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plain is a message of session 0 by the initiator, or to it.
func plain(initiator bool, ephemeral uint64, counter uint32, exchange uint16, opcode byte, payload []byte) []byte {
	h := message.Header{Counter: counter}
	if initiator {
		h.HasSource, h.Source = true, ephemeral
	} else {
		h.HasDestination, h.Destination = true, ephemeral
	}
	return message.AppendPlain(nil, h, message.Protocol{Initiator: initiator, Reliable: true, Opcode: opcode, Exchange: exchange}, payload)
}

// sealed is a message of a session: only its header can be read.
func sealed(session uint16, counter uint32, size int) []byte {
	b := message.Header{SessionID: session, Counter: counter}.Append(nil)
	for i := range size + 22 {
		b = append(b, byte(i*7+int(counter)))
	}
	return b
}
