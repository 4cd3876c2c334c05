package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"threadmap/render/schema/schematest"
	sim "threadmap/simulators/mdns"
)

// hostileText is what no terminal and no format should get as it is.
const hostileText = "\x1b[31mred\x1b]0;title\x07 \"q\" 'a' \\ <b>&amp; \u202eRTL\u2066 🔥👩‍👩 \x00\xff ]]> =1+1 x.y"

// hostileServices are a border router, Matter and HomeKit devices of it, a
// device that waits, and Home Assistant, whose makers mean harm.
func hostileServices() []sim.Service {
	xp, xa := "\xde\xad\x00\x22\x5c\xff\xca\xfe", "\x0e\x01\x5c\x22\x00\xff\x01\x01"
	lan, mesh := netip.MustParseAddr("192.0.2.66"), netip.MustParseAddr("fd12:3456:789a:1::1")
	name := func(s string) string { return s[:min(len(s), 63)] }
	txt := func(pairs ...string) (out [][]byte) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, []byte(pairs[i]+"="+pairs[i+1]))
		}
		return out
	}
	return []sim.Service{
		{Kind: "_meshcop._udp", Instance: name(hostileText), Host: "evil\x1b.host", Port: 49152, Addrs: []netip.Addr{lan}, TXT: txt(
			"rv", "1", "xp", xp, "xa", xa, "nn", hostileText, "vn", hostileText, "mn", "OpenThread "+hostileText, "tv", "1.4\x1b[2J", "sb", "\xff\xff\xff\xff",
			"pt", "\x00\x00\x00\x01", "omr", "\x40\xfd\x12\x34\x56\x78\x9a\x00\x01", "id", "short", "\x1bkey", "\x1bvalue", hostileText, hostileText)},
		{Kind: "_hap._udp", Instance: name("Lamp " + hostileText), Host: "0E00AABB0000FFF1", Port: 5683, Addrs: []netip.Addr{mesh}, TXT: txt("md", hostileText, "id", hostileText)},
		{Kind: "_matter._tcp", Instance: "87E1B004E235A130-8FC7772401CD0696", Host: "0E00AABB0000FFF1", Port: 5540, Addrs: []netip.Addr{mesh}, TXT: txt("SII", "99999999", "T", "\x1b")},
		{Kind: "_matter._tcp", Instance: name("no id " + hostileText), Host: "x", Port: 5541, Addrs: []netip.Addr{lan}},
		{Kind: "_matterc._udp", Instance: "0123456789ABCDEF", Host: "y", Port: 5542, Addrs: []netip.Addr{lan}, TXT: txt("DN", name(hostileText)[:32], "PI", hostileText, "PH", "4294967295", "CM", "1", "VP", "4937+1", "D", "3840")},
		{Kind: "_home-assistant._tcp", Instance: name("HA " + hostileText), Host: "z", Port: 8123, Addrs: []netip.Addr{lan}, TXT: txt("location_name", hostileText, "internal_url", "http://\x1b[0m", "version", hostileText)},
	}
}

// respond serves services on loopback, asked directly.
func respond(services []sim.Service) (at string, end func(), err error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		sim.New(conn, netip.AddrPort{}, services, sim.Behaviour{}).Serve(ctx)
	}()
	return conn.LocalAddr().String(), func() { cancel(); <-over }, nil
}

// cmdHostile sets a variable to where hostile services are announced.
func cmdHostile(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "hostile VARIABLE")
	at, end, err := respond(hostileServices())
	ts.Check(err)
	ts.Defer(end)
	ts.Setenv(args[0], at)
}

// cmdHole sets a variable to a UDP port that never answers.
func cmdHole(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "hole VARIABLE")
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	ts.Setenv(args[0], conn.LocalAddr().String())
}

// cmdServices checks a document against the schema of discover.
func cmdServices(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "services FILE")
	f := &failer{TB: nil}
	schematest.Services(f, []byte(ts.ReadFile(args[0])))
	if f.said != "" {
		ts.Fatalf("%s", f.said)
	}
}

// cmdHarmless checks that files hold nothing that a terminal, a viewer or a
// reader of their format could act on.
func cmdHarmless(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: harmless FILE...")
	}
	for _, file := range args {
		text := ts.ReadFile(file)
		if file == "stdout" || strings.HasSuffix(file, ".md") { // Markdown is made harmless with word joiners
			for _, sign := range []string{"#", "@", "!", ":", ".", "-"} {
				text = strings.ReplaceAll(text, sign+"\u2060", sign)
			}
		}
		for i, r := range strings.ReplaceAll(text, "\r\n", "\n") {
			if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
				ts.Fatalf("%s: %U at %d", file, r, i)
			}
		}
		switch {
		case strings.HasSuffix(file, ".svg"):
			for d := xml.NewDecoder(strings.NewReader(text)); ; {
				tok, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				ts.Check(err)
				if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "b" {
					ts.Fatalf("%s: a name became an element", file)
				}
			}
		case strings.HasSuffix(file, ".json"):
			if !json.Valid([]byte(text)) {
				ts.Fatalf("%s: not JSON", file)
			}
		case strings.HasSuffix(file, ".csv"):
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			ts.Check(err)
			for _, row := range rows {
				for _, cell := range row {
					if strings.HasPrefix(cell, "=") {
						ts.Fatalf("%s: a formula: %q", file, cell)
					}
				}
			}
		}
	}
}

func TestParseResponder(t *testing.T) {
	for in, want := range map[string]string{
		"otbr.local": "otbr.local 5353", "otbr.local:1234": "otbr.local 1234", "192.0.2.1": "192.0.2.1 5353", "192.0.2.1:53": "192.0.2.1 53",
		"fd00::1": "fd00::1 5353", "[fd00::1]": "fd00::1 5353", "[fd00::1]:99": "fd00::1 99", "fe80::1%eth0": "fe80::1%eth0 5353", "[fe80::1%eth0]:99": "fe80::1%eth0 99",
		"": "", ":53": "", "a b": "", "http://x": "", "x:0": "", "x:65536": "", "x:-1": "", "224.0.0.251": "", "ff02::fb": "", "0.0.0.0": "", "::": "", "255.255.255.255": "",
		"me@x": "", "x\x1b": "", strings.Repeat("x", 300): "",
	} {
		r, err := parseResponder(in)
		got := ""
		if err == nil {
			got = r.host + " " + netip.AddrPortFrom(netip.IPv4Unspecified(), r.port).String()[len("0.0.0.0:"):]
		}
		if got != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
}
