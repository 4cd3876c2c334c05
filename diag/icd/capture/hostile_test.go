package capture_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/capture"
	"threadmap/diag/matter/message"
)

// TestFlood: a hundred thousand made-up handshakes, sessions and names. The
// device is still found, in bounded time and memory.
func TestFlood(t *testing.T) {
	h := newHome(t)
	rng := rand.New(rand.NewPCG(1, 1))
	address := func() netip.AddrPort {
		var a [16]byte
		for i := range a {
			a[i] = byte(rng.Uint32())
		}
		a[0] = 0xfd
		return netip.AddrPortFrom(netip.AddrFrom16(a), 5540)
	}
	c := messages(t).Case
	sigma1 := unhex(t, c["Sigma1"])
	n := 30_000
	if testing.Short() {
		n = 3000
	}
	for i := range n {
		s := 560 + float64(i)/1000
		a, b := address(), address()
		h.udp(s, a, b, plain(true, rng.Uint64(), rng.Uint32(), 1, message.Sigma1, sigma1))
		h.udp(s, b, a, sealed(uint16(i)|1, rng.Uint32(), 30))
		h.icmp(s, a.Addr(), deviceAt.Addr(), 64, echoOf(128, uint16(i)))
	}
	h.restart(600)
	h.resume(604)
	began := time.Now()
	r := h.end(900).read(capture.Options{Node: ext})
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	if r.Counts.Dropped == 0 && !testing.Short() {
		t.Errorf("%+v", r.Counts)
	}
	if all := lines(t, r.Timeline()); !strings.Contains(all, `"event":"spoke"`) || !strings.Contains(all, `"event":"goodbye"`) || !strings.Contains(all, `"resumed"`) {
		t.Error("the device is lost in the flood")
	}
}

// check is what holds of every result.
func check(t *testing.T, r *capture.Result, err error) {
	t.Helper()
	if err != nil && (strings.Contains(err.Error(), "\n") || len(err.Error()) > 1000) {
		t.Errorf("%q", err)
	}
	if r == nil {
		if err == nil {
			t.Error("neither a result nor an error")
		}
		return
	}
	if r.Start.After(r.End) || r.Len() > icd.MaxLines {
		t.Errorf("%v to %v, %d", r.Start, r.End, r.Len())
	}
	last := time.Time{}
	r.Tell(func(at time.Time, o icd.Observation) {
		if at.Before(last) || at.Before(r.Start) || at.After(r.End.Add(time.Minute)) {
			t.Errorf("%v of %v to %v, after %v", at, r.Start, r.End, last)
		}
		last = at
		if _, err := o.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
	if tl := r.Timeline(); tl != nil {
		var b bytes.Buffer
		if err := icd.WriteTimeline(&b, tl); err != nil {
			t.Error(err)
		}
		if _, err := icd.Evaluate(tl, tl.End(), ""); err != nil {
			t.Error(err)
		}
	}
}

// FuzzFile reads any octets as a file.
func FuzzFile(f *testing.F) {
	h := newHome(f)
	h.restart(600)
	h.resume(604)
	small := &home{lan: newLAN(f)}
	for _, t := range h.all[len(h.all)-14:] {
		small.put(t.at, t.frame)
	}
	f.Add(small.buf.Bytes())
	f.Add(ngOf(small.lan, binary.LittleEndian, 6))
	f.Add(ngOf(small.lan, binary.BigEndian, 2))
	f.Add(pcapOf(small.lan, binary.BigEndian, true, 1, same))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := capture.Read(bytes.NewReader(b), capture.Options{})
		check(t, r, err)
		r, err = capture.Read(bytes.NewReader(b), capture.Options{Node: ext, Addresses: []netip.Addr{deviceAt.Addr()}})
		check(t, r, err)
	})
}

// FuzzPacket reads any octets as a packet among those of a home.
func FuzzPacket(f *testing.F) {
	h := newHome(f)
	h.restart(600)
	h.resume(604)
	h.icmp(650, hubAt.Addr(), deviceAt.Addr(), 64, echoOf(128, 1))
	for _, t := range h.all {
		f.Add(uint16(1), t.frame)
		f.Add(uint16(101), t.frame[14:])
	}
	f.Fuzz(func(t *testing.T, link uint16, frame []byte) {
		h := &home{lan: &lan{t: t, order: binary.LittleEndian, link: uint32(link)}}
		h.header()
		h.frame(1, frame)
		h.frame(70, frame)
		r, err := capture.Read(bytes.NewReader(h.buf.Bytes()), capture.Options{Node: ext, Addresses: []netip.Addr{deviceAt.Addr()}})
		check(t, r, err)
	})
}

// TestGolden: what is told of one story, line by line.
func TestGolden(t *testing.T) {
	got := lines(t, story(t).read(capture.Options{}).Timeline())
	name := filepath.Join("testdata", "resumed.jsonl")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs (UPDATE=1 writes it anew):\n%s", got)
	}
}

// BenchmarkRead reads what a home's capture mostly is: other people's TCP, and
// some Matter.
func BenchmarkRead(b *testing.B) {
	h := story(b)
	tcp := ethernet(hubAt.Addr(), strayAt.Addr(), ipv6(hubAt.Addr(), strayAt.Addr(), 6, 64, make([]byte, 1400)))
	quic := ethernet(hubAt.Addr(), strayAt.Addr(), packetOf(hubAt, strayAt, append([]byte{0x40}, make([]byte, 1200)...)))
	for i := range 20_000 {
		h.frame(610+float64(i)/100, tcp)
		h.frame(610+float64(i)/100, quic)
	}
	for name, file := range map[string][]byte{"pcap": h.buf.Bytes(), "pcapng": ngOf(h.lan, binary.LittleEndian, 6)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := capture.Read(bytes.NewReader(file), capture.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkChatter reads nothing but messages of Matter sessions.
func BenchmarkChatter(b *testing.B) {
	h := story(b)
	for i := range 100_000 {
		h.counter++
		h.udp(1000+float64(i)/100, deviceAt, hubAt, sealed(30986, h.counter, 60))
	}
	b.SetBytes(int64(h.buf.Len()))
	for b.Loop() {
		if _, err := capture.Read(bytes.NewReader(h.buf.Bytes()), capture.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMDNS reads nothing but a border router's announcements.
func BenchmarkMDNS(b *testing.B) {
	h := story(b)
	for i := range 10_000 {
		h.announce(1000 + float64(i))
	}
	b.SetBytes(int64(h.buf.Len()))
	for b.Loop() {
		if _, err := capture.Read(bytes.NewReader(h.buf.Bytes()), capture.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
