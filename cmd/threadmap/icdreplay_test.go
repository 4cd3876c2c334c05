package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"threadmap/diag/icd"
)

// replay runs the verb, and gives status and what it printed.
func replay(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	env := map[string]string{"THREADMAP_STATE": t.TempDir()}
	var out, errw bytes.Buffer
	status = run(context.Background(), append([]string{"icd", "replay"}, args...), strings.NewReader(""), &out, &errw, func(k string) string { return env[k] })
	return status, out.String(), errw.String()
}

const replayNode = "0E02020202020202"

// A lanPacket is an mDNS message from a border router.
type lanPacket struct {
	at  time.Duration
	ttl uint32 // of the device's records; 0: a goodbye
}

// writePcap writes a capture of a LAN: what one border router says of the device.
func writePcap(t *testing.T, start time.Time, packets []lanPacket) string {
	t.Helper()
	var b bytes.Buffer
	put := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	put([]uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 65535, 1})
	src, dst := netip.MustParseAddr("fe80::1c2b"), netip.MustParseAddr("ff02::fb")
	for _, p := range packets {
		m := new(dns.Msg)
		m.Response, m.Authoritative = true, true
		const name = "87E1B004E235A130-0000000000000012._matter._tcp.local."
		head := func(n string, kind uint16) dns.RR_Header {
			return dns.RR_Header{Name: n, Rrtype: kind, Class: dns.ClassINET, Ttl: p.ttl}
		}
		m.Answer = []dns.RR{
			&dns.PTR{Hdr: head("_matter._tcp.local.", dns.TypePTR), Ptr: name},
			&dns.SRV{Hdr: head(name, dns.TypeSRV), Port: 5540, Target: replayNode + ".local."},
			&dns.TXT{Hdr: head(name, dns.TypeTXT), Txt: []string{"SII=5000", "SAI=300", "SAT=4000"}},
			&dns.AAAA{Hdr: head(replayNode+".local.", dns.TypeAAAA), AAAA: net.ParseIP("fd5e:2b0c:1a2d:1::12")},
		}
		payload, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		udp := binary.BigEndian.AppendUint16(nil, 5353)
		udp = binary.BigEndian.AppendUint16(udp, 5353)
		udp = binary.BigEndian.AppendUint16(udp, uint16(8+len(payload)))
		udp = append(append(udp, 0, 0), payload...)
		ip := []byte{0x60, 0, 0, 0, byte(len(udp) >> 8), byte(len(udp)), 17, 255}
		ip = append(append(ip, src.AsSlice()...), dst.AsSlice()...)
		sum := checksum(append(append(append(src.AsSlice(), dst.AsSlice()...), 0, 0, byte(len(udp)>>8), byte(len(udp)), 0, 0, 0, 17), udp...))
		udp[6], udp[7] = byte(sum>>8), byte(sum)
		frame := append([]byte{0x33, 0x33, 0, 0, 0, 0xfb, 2, 0, 0, 0, 0, 1, 0x86, 0xdd}, append(ip, udp...)...)
		at := start.Add(p.at)
		put([]uint32{uint32(at.Unix()), uint32(at.Nanosecond() / 1000), uint32(len(frame)), uint32(len(frame))})
		b.Write(frame)
	}
	file := filepath.Join(t.TempDir(), "lan.pcap")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func checksum(b []byte) uint16 {
	sum := uint32(0)
	for len(b) > 1 {
		sum += uint32(b[0])<<8 | uint32(b[1])
		b = b[2:]
	}
	if len(b) > 0 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// TestReplayCaptures: a capture alone, and side by side with observations of
// another clock's beginning.
func TestReplayCaptures(t *testing.T) {
	start := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	lan := writePcap(t, start, []lanPacket{{0, 120}, {40 * time.Second, 0}, {40700 * time.Millisecond, 120}})
	status, out, errs := replay(t, "--pcap", lan, "--json")
	if status != exitDone {
		t.Fatalf("status %d: %s", status, errs)
	}
	var v struct {
		Node  string
		Chain []struct {
			Link, State string
			Because     []string
		}
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatal(err)
	}
	if !strings.EqualFold(v.Node, replayNode) || v.Chain[0].State != "seen" || v.Chain[4].State != "seen" {
		t.Errorf("the restart is not seen: %s", out)
	}

	// Observations that began 20 s later: they tell of 30 s after the goodbye.
	file := filepath.Join(t.TempDir(), "button.jsonl")
	lines := `{"format":"threadmap-observations","version":1,"node":"` + strings.ToLower(replayNode) + `","start":"2026-11-22T14:00:20Z"}
{"t":50,"by":"user","event":"press","works":false,"controller":"Home Assistant"}
`
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs = replay(t, file, "--pcap", lan, "--ticket", "--no-redact")
	if status != exitDone {
		t.Fatalf("status %d: %s", status, errs)
	}
	for _, want := range []string{"| 14:00:40.0 | announcements | withdrawn", "| 14:01:10.0 | you | pressed it: nothing happened at Home Assistant |"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}

	// A device that is not in it.
	if status, _, errs = replay(t, "--pcap", lan, "--node", "1111111111111111"); status != exitFailed || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d: %s", status, errs)
	}
	// One that ends in the middle of a packet: what stood before is judged.
	b, err := os.ReadFile(lan)
	if err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(t.TempDir(), "torn.pcap")
	if err := os.WriteFile(torn, b[:len(b)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, errs = replay(t, "--pcap", torn, "--node", replayNode); status != exitPartial || !strings.Contains(out, "The chain") || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d: %s\n%s", status, errs, out)
	}
}

// TestReplayLogs: the log of Home Assistant's Matter server, of the node that is
// asked for.
func TestReplayLogs(t *testing.T) {
	const log = "../../diag/icd/halog/testdata/matterjs.log"
	status, out, errs := replay(t, "--log", log, "--node", "36", "--json")
	if status != exitDone {
		t.Fatalf("status %d: %s", status, errs)
	}
	var v icdVerdictHead
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Subscriber != "Home Assistant" || v.Rung != 4 {
		t.Errorf("%v: %s", err, out)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--log", log}, "name its number with --node"},
		{[]string{"--log", log, "--node", "4711"}, "nothing of node 4711"},
		{[]string{"--log", "icdreplay_test.go", "--node", "36"}, "icdreplay_test.go: "},
	} {
		if status, _, errs := replay(t, c.args...); status != exitFailed || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: status %d: %s", c.args, status, errs)
		}
	}
}

type icdVerdictHead struct {
	Subscriber string
	Rung       int
	Mode       icd.Mode
}
