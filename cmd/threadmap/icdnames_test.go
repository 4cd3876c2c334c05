package main

import (
	"strings"
	"testing"

	"threadmap/diag/icd"
)

// TestICDNames: digits become words where it is known whose they are, and nowhere
// else.
func TestICDNames(t *testing.T) {
	n := &icdNames{own: 0xf0da0bff3a4fb2f1, self: 0x2fd6a6f10c34dce3, fabrics: map[uint64]string{0xb189cd5b23ec1503: "Apple Home"},
		device: map[uint64]uint64{0xf0da0bff3a4fb2f1: 0x42, 0xb189cd5b23ec1503: 0x42, 0x87e1b004e235a130: 0x42}}
	for _, c := range []struct{ in, want string }{
		{"looked for: F0DA0BFF3A4FB2F1-2FD6A6F10C34DCE3", "looked for: threadmap"},
		{"goodbye B189CD5B23EC1503-0000000000000042._matter._tcp.local from fd00::1", "goodbye its name for Apple Home from fd00::1"},
		{"b189cd5b23ec1503-0000000000000043._matter._tcp.local.", "node 0000… of Apple Home"},
		{"1111111111111111-2222222222222222 announced", "node 2222… of another fabric (1111…) announced"},
		{"F0DA0BFF3A4FB2F1-0000000000000042", "its name for threadmap"},
		{"F0DA0BFF3A4FB2F1-0000000000000043", "node 0000… of threadmap's fabric"},
		{"B189CD5B23EC1503 subscribes anew", "Apple Home subscribes anew"},
		{"87E1B004E235A130 subscribes anew", "the controller of another fabric (87E1…) subscribes anew"},
		{"child of 0e02020202020202", "child of 0e02020202020202"},
		{"a handshake that [fd11::1]:5540 began: [fd11::1]:5540 did not acknowledge opcode 0x33 of protocol 0x0000 (sent 5 times in 3.759s)", "the answer that resumes the session got through to nobody (sent 5 times in 3.7 s)"},
		{"", ""},
	} {
		if got := n.say(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
		(&icdNames{}).say(c.in)
	}
	tl := icd.NewTimeline("0e02020202020202", listAt)
	for i := range 2 * maxFabricsOfDevice { // of a file that claims many
		tl.Add(icd.Observation{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: strings.Repeat(string("0123456789abcdef"[i%16]), 15) + "1-0000000000000001", Host: "0E02020202020202.local"}})
	}
	tl.Add(icd.Observation{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: "\x1b[31m", Host: "0E02020202020202"}})
	if m := (&icdNames{}).learn(tl); len(m.device) != 16 {
		t.Errorf("%d names of the device", len(m.device))
	}
}

// TestClocked: reasons of a verdict that count seconds get clock times.
func TestClocked(t *testing.T) {
	when := func(s icd.Seconds) string { return "<" + s.String() + ">" }
	for in, want := range map[string]string{
		"12.1 s mdns goodbye X; 12.3 s tmf child of 0xb800 last heard 2.0 s before":         "<12.1 s> mdns goodbye X; <12.3 s> tmf child of 0xb800 last heard 2.0 s before",
		"a subscription (0.3 s canary subscribed id 4) and did not come back until 152.5 s": "a subscription (<0.3 s> canary subscribed id 4) and did not come back until <152.5 s>",
		"between 115.5 s and 235.5 s; until then":                                           "between <115.5 s> and <235.5 s>; until then",
		"attached for 0.0 s, within 15 s":                                                   "attached for 0.0 s, within 15 s",
	} {
		if got := clocked(in, when); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := clocked("99999999999999999999999 s mdns goodbye", when); got != "99999999999999999999999 s mdns goodbye" {
		t.Error(got)
	}
}
