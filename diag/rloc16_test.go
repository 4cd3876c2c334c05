package diag

import (
	"net/netip"
	"testing"
)

func TestRLOC16(t *testing.T) {
	for _, tt := range []struct {
		v             uint16
		known, router bool
		id            uint8
		child         uint16
		text          string
	}{
		{0x0000, true, true, 0, 0, "0x0000"}, // a router like any other
		{0x0001, true, false, 0, 1, "0x0001"},
		{0x5c00, true, true, 23, 0, "0x5c00"},
		{0x5c02, true, false, 23, 2, "0x5c02"},
		{0x5dff, true, false, 23, 511, "0x5dff"},
		{0xf800, true, true, 62, 0, "0xf800"},
		{0xf9ff, true, false, 62, 511, "0xf9ff"},
		{0x5e00, false, false, 0, 0, "?"}, // reserved bit 9
		{0xfbff, false, false, 0, 0, "?"},
		{0xfc00, false, false, 0, 0, "?"}, // the leader's anycast locator
		{0xfc38, false, false, 0, 0, "?"}, // primary backbone router
		{0xfffe, false, false, 0, 0, "?"}, // "none"
		{0xffff, false, false, 0, 0, "?"},
	} {
		r := MakeRLOC16(tt.v)
		id, idKnown := r.RouterID()
		child, childKnown := r.ChildID()
		v, known := r.Get()
		switch {
		case known != tt.known, r.Known() != tt.known, r.IsZero() == tt.known, idKnown != tt.known, childKnown != tt.known:
			t.Errorf("0x%04x: known %v", tt.v, known)
		case tt.known && v != tt.v:
			t.Errorf("0x%04x became 0x%04x", tt.v, v)
		case r.IsRouter() != tt.router || r.IsChild() != (tt.known && !tt.router):
			t.Errorf("0x%04x: router %v, child %v", tt.v, r.IsRouter(), r.IsChild())
		case id != tt.id || child != tt.child || r.String() != tt.text:
			t.Errorf("0x%04x: router id %d, child id %d, %s", tt.v, id, child, r)
		case r.Router() != RouterRLOC16(tt.id) && tt.known:
			t.Errorf("0x%04x: its router is %v", tt.v, r.Router())
		case tt.known && tt.child != 0 && RouterRLOC16(tt.id).Child(tt.child) != r:
			t.Errorf("0x%04x is not made of its parts", tt.v)
		}
	}
	if MakeRLOC16(0) == (RLOC16{}) {
		t.Error("RLOC16 0x0000 equals the unknown one")
	}
	if (RLOC16{}).Router().Known() || (RLOC16{}).Child(1).Known() || (RLOC16{}).IsRouter() || (RLOC16{}).IsChild() {
		t.Error("something is known of the unknown RLOC16")
	}
}

// TestRLOC16All: of all 65536 numbers, the known ones are exactly the routers
// 0 to 62 and their children 1 to 511.
func TestRLOC16All(t *testing.T) {
	routers, children := 0, 0
	for v := range 1 << 16 {
		r := MakeRLOC16(uint16(v))
		switch {
		case r.IsRouter() && r.IsChild():
			t.Fatalf("%v is both", r)
		case r.IsRouter():
			routers++
			if r.Router() != r {
				t.Fatalf("%v is not its own router", r)
			}
		case r.IsChild():
			children++
			if !r.Router().IsRouter() {
				t.Fatalf("the router of %v is %v", r, r.Router())
			}
		case r.Known():
			t.Fatalf("%v is neither", r)
		}
	}
	if routers != 63 || children != 63*511 {
		t.Errorf("%d routers, %d children", routers, children)
	}
}

func TestRLOC16Parts(t *testing.T) {
	for _, id := range []uint8{63, 64, 255} {
		if r := RouterRLOC16(id); r.Known() {
			t.Errorf("router id %d: %v", id, r)
		}
	}
	for _, id := range []uint16{0, 512, 0xffff} {
		if r := RouterRLOC16(1).Child(id); r.Known() {
			t.Errorf("child id %d: %v", id, r)
		}
	}
	if a, b := MakeRLOC16(0x5c02).Child(3), MakeRLOC16(0x5c03); a != b {
		t.Errorf("sibling: %v, want %v", a, b)
	}
}

func TestRLOC16CBOR(t *testing.T) {
	for v := range 1 << 16 {
		want := MakeRLOC16(uint16(v))
		b, err := CBOREncoding.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := MakeRLOC16(0x1234)
		if err := CBORDecoding.Unmarshal(b, &got); err != nil || got != want {
			t.Fatalf("0x%04x: %x: %v, %v", v, b, got, err)
		}
		// a number that is no node's may stand in a file all the same
		b, _ = CBOREncoding.Marshal(v)
		if err := CBORDecoding.Unmarshal(b, &got); err != nil || got != want {
			t.Fatalf("0x%04x as a number: %v, %v", v, got, err)
		}
	}
	got := MakeRLOC16(0x1234)
	for _, b := range []string{"\x1a\x00\x01\x00\x00", "\x20", "\x60", "\x80", "\xf5", "\xc1\xf6"} {
		if err := got.UnmarshalCBOR([]byte(b)); err == nil || got != MakeRLOC16(0x1234) {
			t.Errorf("%x: %v, %v", b, got, err)
		}
	}
}

func TestRLOC16FromAddr(t *testing.T) {
	for _, tt := range []struct {
		addr   string
		rloc   RLOC16
		prefix string
	}{
		{"fd00:db8::ff:fe00:5c00", MakeRLOC16(0x5c00), "fd00:db8::/64"},
		{"fd00:db8::ff:fe00:0", MakeRLOC16(0), "fd00:db8::/64"},
		{"fd00:db8::ff:fe00:5c02%wpan0", MakeRLOC16(0x5c02), "fd00:db8::/64"},
		{"fd00:db8::ff:fe00:fc00", RLOC16{}, ""}, // leader anycast locator
		{"fd00:db8::ff:fe00:fc10", RLOC16{}, ""}, // service anycast locator
		{"fd00:db8::ff:fe00:fffe", RLOC16{}, ""},
		{"fd00:db8::ff:fe00:5e00", RLOC16{}, ""},
		{"fd00:db8::fe:fe00:5c00", RLOC16{}, ""},
		{"fd00:db8::200:ff:fe00:5c00", RLOC16{}, ""},
		{"fe80::ff:fe00:5c00", RLOC16{}, ""}, // link-local: tells no prefix
		{"ff05::ff:fe00:5c00", RLOC16{}, ""},
		{"::ffff:192.0.2.1", RLOC16{}, ""},
		{"192.0.2.1", RLOC16{}, ""},
		{"::", RLOC16{}, ""},
	} {
		r, p, ok := RLOC16FromAddr(netip.MustParseAddr(tt.addr))
		if r != tt.rloc || ok != tt.rloc.Known() || ok && p != netip.MustParsePrefix(tt.prefix) || !ok && p.IsValid() {
			t.Errorf("%s: %v, %v, %v", tt.addr, r, p, ok)
		}
	}
	if _, _, ok := RLOC16FromAddr(netip.Addr{}); ok {
		t.Error("no address has an RLOC16")
	}
}

func TestMeshLocalPrefix(t *testing.T) {
	addrs := func(s ...string) (out []netip.Addr) {
		for _, a := range s {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	for _, tt := range []struct {
		in   []netip.Addr
		want string
	}{
		{nil, ""},
		{[]netip.Addr{{}}, ""},
		{addrs("fe80::ff:fe00:5c00", "2001:db8::1", "192.0.2.1"), ""},
		{addrs("2001:db8::1", "fd00:1::ff:fe00:5c00"), "fd00:1::/64"},
		{addrs("fd00:2::ff:fe00:fc00%3"), "fd00:2::/64"}, // an anycast locator tells it too
		{addrs("ff02::ff:fe00:1", "fd00:3::ff:fe00:0", "fd00:4::ff:fe00:1"), "fd00:3::/64"},
	} {
		p, ok := MeshLocalPrefix(tt.in)
		if ok != (tt.want != "") || ok && p.String() != tt.want || !ok && p.IsValid() {
			t.Errorf("%v: %v, %v", tt.in, p, ok)
		}
	}
}
