package diag

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseExtAddr(t *testing.T) {
	const want = ExtAddr(0x86c42aee25485123)
	for _, s := range []string{
		"86c42aee25485123", "86C42AEE25485123", "0x86c42aee25485123", "0X86C42aee25485123",
		"86:c4:2a:ee:25:48:51:23", "86-C4-2A-EE-25-48-51-23",
	} {
		if x, err := ParseExtAddr(s); err != nil || x != want {
			t.Errorf("%q: %v, %v", s, x, err)
		}
	}
	for _, s := range []string{
		"", "0x", "86c42aee2548512", "86c42aee254851234", "86c42aee2548512g", "+6c42aee25485123", "86c4_aee25485123",
		"0x0X86c42aee25485123", "86:c4:2a:ee:25:48:51-23", "86c:4:2a:ee:25:48:51:23", ":::::::86c42aee25485123", "86:c4:2a:ee:25:48:51:2",
		"86c42aee25485123 ", "1e16", strings.Repeat("8", 1<<20),
	} {
		x, err := ParseExtAddr(s)
		if err == nil || x != 0 {
			t.Errorf("%.30q was read as %v", s, x)
			continue
		}
		if n := len(err.Error()); n > 200 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.30q: an error of %d bytes", s, n)
		}
	}
	if x, err := ParseExtAddr("0000000000000000"); err != nil || x != 0 || x.String() != "" {
		t.Errorf("zero: %q, %v", x, err)
	}
	if p, err := ParsePANID64("FEDCBA9876543210"); err != nil || p.String() != "fedcba9876543210" {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := ParsePANID64("x"); err == nil || !strings.Contains(err.Error(), "extended PAN id") {
		t.Error(err)
	}
}

// TestExtAddrIsNoFloat: neighbors that one float64 can't tell apart.
func TestExtAddrIsNoFloat(t *testing.T) {
	a, _ := ParseExtAddr("fffffffffffffffe")
	b, _ := ParseExtAddr("ffffffffffffffff")
	if a == b || a.String() != "fffffffffffffffe" || b.String() != "ffffffffffffffff" {
		t.Error(a, b)
	}
}

func TestSwapped(t *testing.T) {
	x := ExtAddr(0x0123456789abcdef)
	if got := x.Swapped(); got != 0xefcdab8967452301 {
		t.Errorf("%v", got)
	}
	if x.Swapped().Swapped() != x || ExtAddr(0).Swapped() != 0 {
		t.Error("twice is not the same")
	}
}

func TestLinkLocal(t *testing.T) {
	for _, tt := range []struct {
		x ExtAddr
		a string
	}{
		// RFC 4944, section 6, and the example network of the Thread documents.
		{0x0e02020202020202, "fe80::c02:202:202:202"},
		{0x86c42aee25485123, "fe80::84c4:2aee:2548:5123"},
		{0xffffffffffffffff, "fe80::fdff:ffff:ffff:ffff"},
		{1, "fe80::200:0:0:1"},
	} {
		want := netip.MustParseAddr(tt.a)
		if got := tt.x.LinkLocal(); got != want {
			t.Errorf("%v: %v, want %v", tt.x, got, want)
		}
		for _, a := range []netip.Addr{want, want.WithZone("wpan0")} {
			if x, ok := ExtAddrFromLinkLocal(a); !ok || x != tt.x {
				t.Errorf("%v: %v, %v", a, x, ok)
			}
		}
	}
	if a := ExtAddr(0).LinkLocal(); a.IsValid() {
		t.Errorf("the unknown address has the link-local address %v", a)
	}
	for _, s := range []string{
		"fe80::200:0:0:0",          // of the unknown address
		"fe80::ff:fe00:5c00",       // of a short address
		"fe80::0212:34ff:fe56:789", // of a 48-bit MAC
		"fe81::84c4:2aee:2548:5123", "fe80:0:0:1:84c4:2aee:2548:5123", "fd00::84c4:2aee:2548:5123", "ff02::1", "::", "169.254.1.2", "::ffff:169.254.1.2",
	} {
		if x, ok := ExtAddrFromLinkLocal(netip.MustParseAddr(s)); ok {
			t.Errorf("%s: %v", s, x)
		}
	}
	if x, ok := ExtAddrFromLinkLocal(netip.Addr{}); ok {
		t.Error("no address:", x)
	}
}
