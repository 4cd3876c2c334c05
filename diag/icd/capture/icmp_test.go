package capture_test

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"threadmap/diag/icd/capture"
)

func echoOf(kind byte, seq uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte{kind, 0, 0, 0, 0, 9}, seq)
}

func TestPings(t *testing.T) {
	h := newHome(t)
	pinger := netip.MustParseAddr("fd00:1234::5")
	h.icmp(650, pinger, deviceAt.Addr(), 64, echoOf(128, 1))
	h.icmp(654.5, deviceAt.Addr(), pinger, 63, echoOf(129, 1))
	h.icmp(660, pinger, deviceAt.Addr(), 64, echoOf(128, 2))
	h.icmp(662, pinger, netip.MustParseAddr("fd11::5"), 64, echoOf(128, 3)) // somebody else's
	h.icmp(895, pinger, deviceAt.Addr(), 64, echoOf(128, 4))                // too late to say
	// One who is never answered here: the capture may not see his answers.
	h.icmp(700, netip.MustParseAddr("fd00:1234::6"), deviceAt.Addr(), 64, echoOf(128, 1))
	_, tl := evaluate(t, h.end(900).read(capture.Options{Node: ext}), false)
	got := only(lines(t, tl), `"event":"ping"`)
	want := `{"t":654,"by":"icmp","event":"ping","to":"fd11:2233:4455:1:99aa:bbcc:ddee:ff01","from":"fd00:1234::5","sent":1,"received":1,"rtt_ms":4500}
{"t":679.5,"by":"icmp","event":"ping","to":"fd11:2233:4455:1:99aa:bbcc:ddee:ff01","from":"fd00:1234::5","sent":1,"received":0}
`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestErrorsOfRouters(t *testing.T) {
	h := newHome(t)
	inner := packetOf(hubAt, deviceAt, sealed(1, 1, 10))
	unreachable := func(code byte) []byte { return append([]byte{1, code, 0, 0, 0, 0, 0, 0}, inner...) }
	h.icmp(650, netip.MustParseAddr("fe80::aa"), hubAt.Addr(), 64, unreachable(3))
	h.icmp(651, netip.MustParseAddr("fe80::1"), hubAt.Addr(), 64, unreachable(0)) // the home's router
	h.icmp(652, netip.MustParseAddr("fe80::1"), hubAt.Addr(), 64, unreachable(0)) // and again
	h.icmp(653, deviceAt.Addr(), hubAt.Addr(), 64, unreachable(4))                // it lives
	_, tl := evaluate(t, h.end(900).read(capture.Options{Node: ext}), false)
	got := only(lines(t, tl), `"event":"unreachable"`)
	want := `{"t":649.5,"by":"capture","event":"unreachable","to":"fd11:2233:4455:1:99aa:bbcc:ddee:ff01","from":"fe80::aa","reason":"address unreachable"}
{"t":650.5,"by":"host","event":"unreachable","to":"fd11:2233:4455:1:99aa:bbcc:ddee:ff01","from":"fe80::1","reason":"no route"}
`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestSleepProxy: another machine begins to answer for the hub's address.
func TestSleepProxy(t *testing.T) {
	h := newHome(t)
	na := func(target netip.Addr, machine byte) []byte {
		b := append([]byte{136, 0, 0, 0, 0x60, 0, 0, 0}, target.AsSlice()...)
		return append(b, 2, 1, 2, 0, 0, 0, 0, machine)
	}
	proxy := netip.MustParseAddr("fe80::99")
	h.icmp(10, hubLocal, hubLocal, 255, na(hubAt.Addr(), 0x77))
	h.icmp(11, proxy, hubLocal, 255, na(proxy, 0x99))
	h.icmp(12, proxy, hubLocal, 64, na(hubAt.Addr(), 0x99)) // from afar: forged
	h.icmp(590, proxy, hubLocal, 255, na(hubAt.Addr(), 0x99))
	_, tl := evaluate(t, h.end(900).read(capture.Options{Node: ext}), false)
	got := only(lines(t, tl), `"event":"neighbour"`)
	want := `{"t":9.5,"by":"host","event":"neighbour","to":"fd00:1234::77","mac":"02:00:00:00:00:77"}
{"t":589.5,"by":"host","event":"neighbour","to":"fd00:1234::77","mac":"02:00:00:00:00:99","same_as":"fe80::99"}
`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestAdvertsOfNeighbours: a router advertisement from further away is none.
func TestAdvertsOfNeighbours(t *testing.T) {
	h := newHome(t)
	forged := make([]byte, 16)
	forged[0] = 134
	h.icmp(50, netip.MustParseAddr("fe80::66"), netip.MustParseAddr("ff02::1"), 64, append(forged, 24, 2, 64, 0, 0, 0, 7, 8, 0xfd, 9, 0, 0, 0, 0, 0, 0))
	h.advert(700, 0)
	_, tl := evaluate(t, h.end(900).read(capture.Options{Node: ext}), false)
	got := only(lines(t, tl), `"event":"advert"`)
	if strings.Count(got, "\n") != 2 || !strings.Contains(got, `"lifetime":0`) || strings.Contains(got, "fe80::66") {
		t.Error(got)
	}
}

// TestFragments are counted, and never put together.
func TestFragments(t *testing.T) {
	h := newHome(t)
	before := h.read(capture.Options{}).Counts
	piece := append([]byte{17, 0, 0, 1, 0, 0, 0, 5}, make([]byte, 64)...) // more follow
	h.frame(700, ethernet(hubAt.Addr(), deviceAt.Addr(), ipv6(hubAt.Addr(), deviceAt.Addr(), 44, 64, piece)))
	four := ipv4(router4, router4, udpOf(netip.AddrPortFrom(router4, 5353), group4, make([]byte, 20)))
	four[6] = 0x20
	h.frame(701, ethernet(router4, router4, four))
	if c := h.read(capture.Options{}).Counts; c.Fragments != 2 || c.MDNS != before.MDNS || c.Malformed != before.Malformed {
		t.Errorf("%+v", c)
	}
}

// TestBridge captures each packet twice, a millisecond apart: what is told is
// the same.
func TestBridge(t *testing.T) {
	h := story(t)
	want := lines(t, h.read(capture.Options{}).Timeline())
	twice := &home{lan: newLAN(t)}
	for _, f := range h.all {
		twice.put(f.at, f.frame)
		twice.put(f.at.Add(1e6), f.frame)
	}
	r := twice.read(capture.Options{})
	// The file ends a millisecond later.
	cut := func(s string) string { return strings.ReplaceAll(s, only(s, `"event":"watched"`), "") }
	if got := lines(t, r.Timeline()); cut(got) != cut(want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if !strings.Contains(only(lines(t, r.Timeline()), `"event":"watched"`), `"messages":13`) {
		t.Error("copies are counted")
	}
	if r.Counts.Duplicate < len(h.all)/2 {
		t.Errorf("%+v", r.Counts)
	}
}
