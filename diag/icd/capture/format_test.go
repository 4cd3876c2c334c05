package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/capture"
)

// story is one that has some of everything.
func story(t testing.TB) *home {
	h := newHome(t)
	h.restart(600)
	h.look(603)
	h.resume(604)
	h.report(720)
	return h.end(900)
}

// pcapOf writes the frames of a LAN anew, each changed.
func pcapOf(l *lan, order binary.ByteOrder, nano bool, link uint32, change func([]byte) []byte) []byte {
	out := &lan{t: l.t, order: order, nano: nano, link: link}
	out.header()
	for _, f := range l.all {
		out.put(f.at, change(f.frame))
	}
	return out.buf.Bytes()
}

func same(f []byte) []byte { return f }

// ng writes blocks of pcapng.
type ng struct {
	bytes.Buffer
	order binary.ByteOrder
}

func (w *ng) block(kind uint32, body []byte) {
	b := w.order.(binary.AppendByteOrder)
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	n := uint32(len(body) + 12)
	w.Write(b.AppendUint32(b.AppendUint32(nil, kind), n))
	w.Write(body)
	w.Write(b.AppendUint32(nil, n))
}

func (w *ng) section() {
	b := w.order.(binary.AppendByteOrder)
	h := b.AppendUint32(nil, 0x1a2b3c4d)
	h = b.AppendUint16(b.AppendUint16(h, 1), 0)
	w.block(0x0a0d0d0a, b.AppendUint64(h, math.MaxUint64))
}

func (w *ng) iface(link uint16, resolution byte, offset int64, name string) {
	b := w.order.(binary.AppendByteOrder)
	h := b.AppendUint32(b.AppendUint16(b.AppendUint16(nil, link), 0), 0)
	option := func(code uint16, v []byte) {
		h = b.AppendUint16(b.AppendUint16(h, code), uint16(len(v)))
		h = append(h, v...)
		for len(h)%4 != 0 {
			h = append(h, 0)
		}
	}
	option(2, []byte(name))
	if resolution != 6 {
		option(9, []byte{resolution})
	}
	if offset != 0 {
		option(14, b.AppendUint64(nil, uint64(offset)))
	}
	option(0, nil)
	w.block(1, h)
}

func (w *ng) packet(kind uint32, iface uint32, units uint64, frame []byte) {
	b := w.order.(binary.AppendByteOrder)
	h := b.AppendUint32(nil, iface)
	if kind == 2 {
		h = b.AppendUint16(b.AppendUint16(nil, uint16(iface)), 0xffff)
	}
	h = b.AppendUint32(b.AppendUint32(h, uint32(units>>32)), uint32(units))
	h = b.AppendUint32(b.AppendUint32(h, uint32(len(frame))), uint32(len(frame)))
	w.block(kind, append(h, frame...))
}

// ngOf writes the frames as pcapng: two interfaces in turn, of different
// clocks, blocks that nobody knows, and a second section half-way.
func ngOf(l *lan, order binary.ByteOrder, kind uint32) []byte {
	w := &ng{order: order}
	begin := func() {
		w.section()
		w.block(0x0bad, []byte("a vendor's"))
		w.iface(1, 6, 0, "eth0")
		w.iface(1, 9, 1000, "eth0")
		w.iface(1, 0x80|20, 0, "eth0")
	}
	begin()
	for i, f := range l.all {
		if i == len(l.all)/2 {
			begin()
		}
		switch i % 3 {
		case 0:
			w.packet(kind, 0, uint64(f.at.UnixMicro()), f.frame)
		case 1:
			w.packet(kind, 1, uint64(f.at.UnixNano())-1000e9, f.frame)
		case 2:
			ns := uint64(f.at.Nanosecond())
			w.packet(kind, 2, uint64(f.at.Unix())<<20+(ns<<20+999_999_999)/1_000_000_000, f.frame)
		}
		if i%10 == 0 {
			w.block(5, make([]byte, 20)) // statistics
		}
	}
	return w.Bytes()
}

// TestFormats reads one story in every form that it may come in.
func TestFormats(t *testing.T) {
	h := story(t)
	r := h.read(capture.Options{})
	want := lines(t, r.Timeline())
	if !strings.Contains(want, `"resumed"`) || r.Format != "pcap" {
		t.Fatal(want)
	}
	link := func(f []byte) []byte { return f[12:14] }
	tagged := func(tags ...byte) func([]byte) []byte {
		return func(f []byte) []byte {
			return bytes.Join([][]byte{f[:12], tags, f[12:]}, nil)
		}
	}
	le, be := binary.LittleEndian, binary.BigEndian
	for name, file := range map[string][]byte{
		"big-endian":                    pcapOf(h.lan, be, false, 1, same),
		"nanoseconds":                   pcapOf(h.lan, le, true, 1, same),
		"big-endian nanoseconds":        pcapOf(h.lan, be, true, 1, same),
		"with the length of an FCS":     pcapOf(h.lan, le, false, 0x24000001, func(f []byte) []byte { return append(bytes.Clone(f), 1, 2, 3, 4) }),
		"VLAN":                          pcapOf(h.lan, le, false, 1, tagged(0x81, 0, 0, 7)),
		"two VLANs":                     pcapOf(h.lan, le, false, 1, tagged(0x88, 0xa8, 0, 9, 0x81, 0, 0, 7)),
		"pcapng":                        ngOf(h.lan, le, 6),
		"big-endian pcapng":             ngOf(h.lan, be, 6),
		"pcapng with old packet blocks": ngOf(h.lan, be, 2),
		"Linux any": pcapOf(h.lan, le, false, 113, func(f []byte) []byte {
			return bytes.Join([][]byte{{0, 2, 0, 1, 0, 6}, f[6:12], {0, 0}, link(f), f[14:]}, nil)
		}),
		"Linux any, second form": pcapOf(h.lan, le, false, 276, func(f []byte) []byte {
			return bytes.Join([][]byte{link(f), {0, 0, 0, 0, 0, 2, 0, 1, 2, 6}, f[6:12], {0, 0}, f[14:]}, nil)
		}),
		"macOS": pcapOf(h.lan, le, false, 258, func(f []byte) []byte {
			head := make([]byte, 108)
			le.PutUint32(head, 108)
			le.PutUint32(head[8:], 1)
			return append(head, f...)
		}),
		"extension headers": pcapOf(h.lan, le, false, 1, func(f []byte) []byte {
			if f[12] != 0x86 {
				return f
			}
			next := f[20]
			out := bytes.Clone(f[:54])
			out[20] = 0
			be.PutUint16(out[18:], be.Uint16(out[18:])+24)
			out = append(out, 60, 0, 1, 4, 0, 0, 0, 0)                       // hop-by-hop
			out = append(out, 44, 0, 1, 4, 0, 0, 0, 0)                       // destination options
			return append(append(out, next, 0, 0, 0, 0, 0, 0, 9), f[54:]...) // a fragment that is all
		}),
	} {
		r, err := capture.Read(iotest.HalfReader(bytes.NewReader(file)), capture.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := lines(t, r.Timeline())
		if strings.Contains(r.Format, "ng") {
			got = strings.ReplaceAll(got, `,"interface":"eth0"`, "")
		}
		if got != want {
			t.Errorf("%s: differs\n%s\n%s", name, got, want)
		}
		if r.Counts.Packets != len(h.all) || r.Counts.Malformed+r.Counts.Skipped+r.Counts.Dropped > 0 {
			t.Errorf("%s: %+v", name, r.Counts)
		}
	}
	// Without a link layer nobody knows which addresses are one machine: the
	// sessions are the same.
	for name, file := range map[string][]byte{
		"raw IP": pcapOf(h.lan, le, false, 101, func(f []byte) []byte { return f[14:] }),
		"loopback": pcapOf(h.lan, le, false, 0, func(f []byte) []byte {
			return append([]byte{30, 0, 0, 0}, f[14:]...)
		}),
	} {
		r, err := capture.Read(bytes.NewReader(file), capture.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := lines(t, r.Timeline()); only(got, `"by":"capture"`) != only(want, `"by":"capture"`) {
			t.Errorf("%s: differs\n%s\n%s", name, got, want)
		}
	}
}

func only(text, with string) (out string) {
	for l := range strings.Lines(text) {
		if strings.Contains(l, with) {
			out += l
		}
	}
	return out
}

// TestSimplePackets: blocks without a time take that of the packet before.
func TestSimplePackets(t *testing.T) {
	h := story(t)
	w := &ng{order: binary.LittleEndian}
	w.section()
	w.iface(1, 6, 0, "eth0")
	for i, f := range h.all {
		if i == 0 {
			w.packet(6, 0, uint64(f.at.UnixMicro()), f.frame)
			continue
		}
		w.block(3, append(binary.LittleEndian.AppendUint32(nil, uint32(len(f.frame))), f.frame...))
	}
	r, err := capture.Read(bytes.NewReader(w.Bytes()), capture.Options{Node: ext})
	if err != nil || r.Counts.Packets != len(h.all) || !r.Start.Equal(r.End) || !r.Start.Equal(began.Add(500*time.Millisecond)) {
		t.Errorf("%+v %v", r, err)
	}
}

// TestTruncated cuts a file anywhere: what stood before is there.
func TestTruncated(t *testing.T) {
	h := story(t)
	for name, file := range map[string][]byte{"pcap": h.buf.Bytes(), "pcapng": ngOf(h.lan, binary.LittleEndian, 6)} {
		whole, last := 0, -1
		for n := 400; n <= len(file); n += 1 + n/37 {
			r, err := capture.Read(bytes.NewReader(file[:n]), capture.Options{})
			if r == nil {
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
			if r.Counts.Packets < last {
				t.Errorf("%s cut at %d: %d packets, %d in less of it", name, n, r.Counts.Packets, last)
			}
			last = r.Counts.Packets
			if err == nil {
				whole++
			} else if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "ends in the middle") {
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
		}
		if r, err := capture.Read(bytes.NewReader(file), capture.Options{}); err != nil || r.Node == "" {
			t.Error(name, err)
		}
		if last < len(h.all)/2 {
			t.Errorf("%s: %d packets", name, last)
		}
	}
	broken := errors.New("the disk is gone")
	r, err := capture.Read(io.MultiReader(bytes.NewReader(h.buf.Bytes()), iotest.ErrReader(broken)), capture.Options{})
	if !errors.Is(err, broken) || r == nil || r.Node != ext {
		t.Errorf("%v %v", r, err)
	}
}

// TestRefused: what is no capture of a LAN is said in one line.
func TestRefused(t *testing.T) {
	h := story(t)
	le := binary.LittleEndian
	ngRadio := &ng{order: le}
	ngRadio.section()
	ngRadio.iface(195, 6, 0, "wpan0")
	ngRadio.packet(6, 0, 0, []byte{1, 2, 3})
	damaged := bytes.Clone(h.buf.Bytes())
	le.PutUint32(damaged[24+8:], 1<<30)
	for name, c := range map[string]struct {
		file []byte
		says string
		has  bool // a result
	}{
		"empty":        {nil, "empty", false},
		"short":        {[]byte{1, 2}, "no packet capture", false},
		"text":         {[]byte("10:00:00.000 IP6 fe80::1 > ff02::fb"), "no packet capture", false},
		"half header":  {h.buf.Bytes()[:20], "no packet capture", false},
		"gzip":         {[]byte{0x1f, 0x8b, 8, 0, 0}, "gunzip", false},
		"radio":        {pcapOf(h.lan, le, false, 195, same), "capture on the home's LAN", false},
		"radio, TAP":   {pcapOf(h.lan, le, false, 283, same), "capture on the home's LAN", false},
		"radio pcapng": {ngRadio.Bytes(), "capture on the home's LAN", false},
		"Wi-Fi":        {pcapOf(h.lan, le, false, 127, same), "monitor", false},
		"USB":          {pcapOf(h.lan, le, false, 189, same), "link type 189", false},
		"damaged":      {damaged, "damaged at octet", true},
	} {
		r, err := capture.Read(bytes.NewReader(c.file), capture.Options{})
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") || (r != nil) != c.has {
			t.Errorf("%s: %v (result %t)", name, err, r != nil)
		}
	}
}

// TestWhich: which device is looked at.
func TestWhich(t *testing.T) {
	h := story(t)
	sibling := "00ff00ffb8000001"
	h.mdns(5, router, records(t, hubFabric+"-0000000000000077._matter._tcp.local. 120 IN SRV 0 0 5540 "+sibling+".local.", sibling+".local. 120 IN AAAA fd11:2233:4455:1::77"))
	for node, want := range map[string]string{
		"": ext, "  " + strings.ToUpper(ext): ext, "1a:2b:3c:4d:5e:6f:70:81": ext, hubFabric + "-" + nodeID: ext,
		strings.ToLower(other + "-" + nodeID + "._matter._tcp.local"): ext, deviceAt.Addr().String(): ext,
		sibling: sibling, "fd11:2233:4455:1::77": sibling, hubFabric + "-" + hubID: hubFabric + "-" + hubID,
	} {
		r, err := capture.Read(bytes.NewReader(h.buf.Bytes()), capture.Options{Node: node})
		if err != nil || string(r.Node) != want {
			t.Errorf("%q: %q %v", node, r.Node, err)
		}
	}
	r, err := capture.Read(bytes.NewReader(h.buf.Bytes()), capture.Options{Node: "0011223344556677"})
	if err == nil || r == nil || r.Node != "" || r.Timeline() != nil || r.Len() != 0 || !strings.Contains(err.Error(), ext) {
		t.Errorf("%+v %v", r, err)
	}
	// Both vanish at once: that was the border router.
	h2 := newHome(t)
	h2.mdns(5, router, records(t, hubFabric+"-0000000000000077._matter._tcp.local. 120 IN SRV 0 0 5540 "+sibling+".local."))
	h2.goodbye(600)
	h2.mdns(600.2, router, records(t, hubFabric+"-0000000000000077._matter._tcp.local. 0 IN SRV 0 0 5540 "+sibling+".local."))
	h2.announce(603)
	if r := h2.read(capture.Options{}); r.Node != "" || len(r.Devices) != 2 || len(r.Devices[0].Restarts) != 0 {
		t.Errorf("%+v", r.Devices)
	}
	// No mDNS at all, but somebody knows the address.
	h3 := &home{lan: newLAN(t)}
	h3.resume(10)
	for s := 100.0; s < 500; s += 100 {
		h3.report(s)
	}
	h3.end(600)
	r, err = capture.Read(bytes.NewReader(h3.buf.Bytes()), capture.Options{Node: ext, Addresses: []netip.Addr{deviceAt.Addr()}})
	if err != nil || r.Node != ext || r.Len() == 0 {
		t.Fatalf("%+v %v", r, err)
	}
	v, err := icd.Evaluate(r.Timeline(), icd.Sec(600), "")
	if err != nil || v.State(icd.L7) != icd.Seen || v.State(icd.L3) != icd.Seen {
		t.Errorf("%+v %v", v, err)
	}
}
