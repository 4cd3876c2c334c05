package mdns

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"threadmap/discovery"
)

// captured are the packets of a file in testdata, whose first line says where
// it comes from.
func captured(t testing.TB, file string) (out [][]byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		if h, ok := strings.CutPrefix(line, "HEX "); ok {
			p, err := hex.DecodeString(h)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		t.Fatal("no packet")
	}
	return out
}

// services are those that packets of one link tell of.
func heard(t testing.TB, packets ...[]byte) []discovery.Service {
	t.Helper()
	b := discovery.NewBrowser(discovery.Options{})
	now := time.Unix(0, 0)
	b.AddLink(discovery.Link{Name: "eth0", Zone: "eth0"}, now)
	for _, p := range packets {
		m, err := Parse(p)
		if err != nil {
			t.Fatal(err)
		}
		b.Take(m, discovery.Origin{Interface: "eth0", From: netip.MustParseAddrPort("[fe80::38e6:4bff:fee8:4e34]:5353"), At: now})
	}
	return b.Services()
}

func TestCaptures(t *testing.T) {
	for file, want := range map[string]struct {
		services, instance, host string
		port                     uint16
		sb                       discovery.StateBitmap
		pt                       uint32
		sq                       uint8
	}{
		"mdns-meshcop-otbr.txt":      {"1", "LabBR ThreadMapLabBR #76D1", "ot12e2f8607cda76d1.local", 49154, 0x1fb1, 0x3e1d2649, 0x3c},
		"mdns-meshcop-otbr-gen1.txt": {"1", "OpenThread BR (unspecified vendor) 0e01010101010101", "ot0e01010101010101.local", 49156, 0xdb1, 0x05d71bb3, 0x3f},
		"mdns-meshcop-e-otbr.txt":    {"2", "LabBR ThreadMapLabBR #76D1", "ot12e2f8607cda76d1.local", 49154, 0x1db1, 0x05d71bb3, 0x3d},
	} {
		s := heard(t, captured(t, file)...)
		if fmt.Sprint(len(s)) != want.services {
			t.Fatalf("%s: %d services", file, len(s))
		}
		i := len(s) - 1 // "_meshcop-e" sorts before "_meshcop."
		if s[0].Kind == discovery.KindMeshCoP {
			i = 0
		}
		if s[i].Instance != want.instance || s[i].Host.String() != want.host || s[i].Port != want.port ||
			fmt.Sprint(s[i].Addresses) != "[10.77.0.1 fd11:db8::1 fe80::38e6:4bff:fee8:4e34%eth0]" || len(s[i].Missing()) != 0 {
			t.Errorf("%s: %+v", file, s[i])
		}
		m := discovery.ParseMeshCoP(s[i].TXT)
		if m.State.Value != want.sb || m.PartitionID.Value != want.pt || m.BBRSequence.Value != want.sq || m.ExtAddr != 0x0e01010101010101 || m.ExtPANID != 0xdead00beef00cafe ||
			m.BorderAgentID != "ad08de9eef6e693440c458db9ca3b007" || m.NetworkName != "ThreadMapLab" || m.ThreadVersion != "1.4.0" || m.ActiveTimestamp.Value != 0x10000 ||
			m.BBRPort.Value != 0xf0bf || m.Domain != "DefaultDomain" || m.OMRPrefix.String() != "fdef:7c1e:f8fc:1::/64" || m.Vendor != "LabBR" || m.Model != "ThreadMapLabBR" ||
			m.RecordVersion != "1" || m.Odd != nil {
			t.Errorf("%s: %+v", file, m)
		}
		if file == "mdns-meshcop-e-otbr.txt" {
			e := s[1-i]
			if e.Kind != discovery.KindMeshCoPE || e.Instance != "LabBR ThreadMapLabBR #0101" || e.Port != 49157 || e.Host.String() != want.host || len(e.TXT) != 1 || len(e.TXT[0]) != 0 {
				t.Errorf("%+v", e)
			}
		}
	}
}

// TestOddOctets: everything that a label or a TXT may hold comes out as it was
// sent.
func TestOddOctets(t *testing.T) {
	every := make([]byte, 0, 255)
	for c := range 200 {
		every = append(every, byte(c))
	}
	for _, label := range []string{"plain", "Dr. Who's lamp", "💡 Küche", "a\\b\"c", "\x00\x01\x5c\x22\xff", "123", `\065`, string(every[:63]), string(every[137:200])} {
		value := append([]byte("k=\x00\\\"\xff\\065"), every...)
		name := escape(label) + "._matter._tcp.local."
		m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true}, Answer: []dns.RR{
			&dns.PTR{Hdr: dns.RR_Header{Name: "_MATTER._tcp.local.", Rrtype: dns.TypePTR, Class: 1, Ttl: 10}, Ptr: name},
			&dns.SRV{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeSRV, Class: 0x8001, Ttl: 10}, Port: 5540, Target: escape("host.with dots") + ".local."},
			&dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: 0x8001, Ttl: 10}, Txt: []string{escape(string(value)), ""}},
			&dns.AAAA{Hdr: dns.RR_Header{Name: escape("host.with dots") + ".local.", Rrtype: dns.TypeAAAA, Class: 0x8001, Ttl: 10}, AAAA: netip.MustParseAddr("fd00::1").AsSlice()},
		}}
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		s := heard(t, b)
		if len(s) != 1 || s[0].Instance != label || s[0].HostLabel() != "host.with dots" || len(s[0].TXT) != 2 || !bytes.Equal(s[0].TXT[0], value) || len(s[0].Missing()) != 0 {
			t.Errorf("%q: %+v", label, s)
			continue
		}
		// And as a question, a known answer and back.
		q, err := pack(discovery.Query{Questions: []discovery.Question{{Name: s[0].Name, Type: discovery.TypeSRV, Unicast: true}},
			Known: []discovery.Record{{Name: discovery.KindMatter.Name(), Type: discovery.TypePTR, TTL: 7 * time.Second, Target: s[0].Name}}}, 0)
		if err != nil || len(q) != 1 {
			t.Fatal(len(q), err)
		}
		back, err := Parse(q[0])
		if err != nil || back.Response || back.Questions[0].Name != s[0].Name || !back.Questions[0].Unicast || back.Records[0].Target != s[0].Name || back.Records[0].TTL != 7*time.Second {
			t.Errorf("%q: %+v, %v", label, back, err)
		}
	}
}

func escape(s string) string {
	out := ""
	for _, c := range []byte(s) {
		out += fmt.Sprintf(`\%03d`, c)
	}
	return out
}

// TestMalformed: what is broken costs itself, never the rest or the program.
func TestMalformed(t *testing.T) {
	whole := captured(t, "mdns-meshcop-otbr.txt")[0]
	for n := range whole { // every prefix
		m, err := Parse(whole[:n])
		if err == nil {
			t.Errorf("%d octets are a packet", n)
		}
		if m != nil && len(m.Records) > 5 {
			t.Errorf("%d octets: %d records", n, len(m.Records))
		}
	}
	head := func(flags, qd, an uint16) []byte {
		b := make([]byte, 12)
		binary.BigEndian.PutUint16(b[2:], flags)
		binary.BigEndian.PutUint16(b[4:], qd)
		binary.BigEndian.PutUint16(b[6:], an)
		return b
	}
	rr := func(b []byte, name []byte, typ uint16, data ...byte) []byte {
		b = append(b, name...)
		b = binary.BigEndian.AppendUint16(b, typ)
		b = append(b, 0x80, 1, 0, 0, 0, 120)
		b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
		return append(b, data...)
	}
	host := []byte("\x01h\x05local\x00")
	for name, tt := range map[string]struct {
		b       []byte
		records int
		fails   bool
	}{
		"a pointer to itself":     {append(head(0x8400, 0, 1), 0xc0, 12, 0, 1, 0, 1), 0, true},
		"pointers in a circle":    {append(head(0x8400, 0, 1), 0xc0, 14, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0), 0, true},
		"a pointer past the end":  {append(head(0x8400, 0, 1), 0xff, 0xff, 0, 1), 0, true},
		"a reserved label":        {append(head(0x8400, 0, 1), 0x80, 0, 0, 1), 0, true},
		"giant counts":            {head(0x8400, 0xffff, 0xffff), 0, true},
		"giant count of answers":  {rr(head(0x8400, 0, 0xffff), host, 1, 10, 0, 0, 1), 1, true},
		"data of the wrong size":  {rr(rr(head(0x8400, 0, 2), host, 1, 10, 0, 0), host, 1, 10, 0, 0, 1), 1, false},
		"an A of no octets":       {rr(rr(head(0x8400, 0, 2), host, 1), host, 1, 10, 0, 0, 1), 1, false},
		"a TXT that overruns":     {rr(rr(head(0x8400, 0, 2), host, 16, 200, 'x'), host, 16, 1, 'x'), 1, false},
		"a TXT of no octets":      {rr(head(0x8400, 0, 1), host, 16), 1, false},
		"a type nobody looks at":  {rr(rr(head(0x8400, 0, 2), host, 47, 1, 2, 3), host, 1, 10, 0, 0, 1), 1, false},
		"a class nobody looks at": {append(rr(head(0x8400, 0, 1), host, 1, 10, 0, 0, 1)[:23], 0, 3, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4), 0, false},
		"another opcode":          {head(0x8400|1<<11, 0, 0), 0, true},
		"an error answer":         {head(0x8403, 0, 0), 0, true},
		"an empty packet":         {nil, 0, true},
	} {
		m, err := Parse(tt.b)
		n := 0
		if m != nil {
			n = len(m.Records)
		}
		if n != tt.records || (err != nil) != tt.fails {
			t.Errorf("%s: %d records, %v", name, n, err)
		}
	}
	// A TXT record as large as a datagram can hold.
	big := append(head(0x8400, 0, 1), host...)
	big = append(big, 0, 16, 0x80, 1, 0, 0, 0, 120)
	data := bytes.Repeat(append([]byte{255}, bytes.Repeat([]byte{'x'}, 255)...), 255)
	big = binary.BigEndian.AppendUint16(big, uint16(len(data)))
	big = append(big, data...)
	if m, err := Parse(big); err != nil || len(m.Records) != 1 || len(m.Records[0].TXT) != 255 {
		t.Error(err)
	}
	// A header that promises much allocates nothing.
	if n := testing.AllocsPerRun(10, func() { Parse(head(0x8400, 0xffff, 0xffff)) }); n > 10 {
		t.Errorf("%v allocations", n)
	}
}

func TestOwner(t *testing.T) {
	b := make([]byte, 12)
	b[2], b[11] = 0x84, 1
	b = append(b, 0, 0, 41, 5, 0xa0, 0, 0, 0, 0, 0, 18, 0, 9, 0, 2, 1, 2, 0, 4, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7)
	if m, err := Parse(b); err != nil || !m.Owner {
		t.Errorf("%+v, %v", m, err)
	}
	b[len(b)-11] = 5
	if m, err := Parse(b); err != nil || m.Owner {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestPack: every packet fits, the known answers are all there, and the TC bit
// says that more of them follow.
func TestPack(t *testing.T) {
	q := discovery.Query{}
	for _, k := range discovery.Kinds {
		q.Questions = append(q.Questions, discovery.Question{Name: k.Name(), Type: discovery.TypePTR})
	}
	for i := range 300 {
		k := discovery.Kinds[i%len(discovery.Kinds)]
		n, err := k.InstanceName(fmt.Sprintf("87E1B004E235A130-%016X #%s", i, strings.Repeat("ä", i%14)))
		if err != nil {
			t.Fatal(err)
		}
		q.Known = append(q.Known, discovery.Record{Name: k.Name(), Type: discovery.TypePTR, TTL: time.Hour, Target: n})
	}
	packets, err := pack(q, 7)
	if err != nil || len(packets) < 10 {
		t.Fatal(len(packets), err)
	}
	known, questions := 0, 0
	for i, b := range packets {
		m, err := Parse(b)
		if err != nil || len(b) > maxSent || m.Response || m.Truncated != (i < len(packets)-1) || binary.BigEndian.Uint16(b) != 7 || i > 0 && len(m.Questions) > 0 {
			t.Errorf("packet %d: %d octets, %+v, %v", i, len(b), m.Truncated, err)
		}
		questions += len(m.Questions)
		for _, r := range m.Records {
			if r.Target != q.Known[known].Target {
				t.Errorf("known answer %d is %s", known, r.Target)
			}
			known++
		}
	}
	if known != 300 || questions != len(q.Questions) {
		t.Errorf("%d, %d", known, questions)
	}
	// Questions with the longest names are split too.
	q = discovery.Query{}
	for i := range 100 {
		n, _ := discovery.KindMatter.InstanceName(fmt.Sprintf("%063d", i))
		q.Questions = append(q.Questions, discovery.Question{Name: n, Type: discovery.TypeSRV}, discovery.Question{Name: n, Type: discovery.TypeTXT})
	}
	packets, err = pack(q, 0)
	questions = 0
	for _, b := range packets {
		m, err := Parse(b)
		if err != nil || len(b) > maxSent || m.Truncated {
			t.Error(len(b), err)
		}
		questions += len(m.Questions)
	}
	if err != nil || questions != 200 {
		t.Error(questions, err)
	}
	if packets, err := pack(discovery.Query{}, 0); err != nil || packets != nil {
		t.Error(packets, err)
	}
}

// FuzzParse: no packet makes the parser panic or take more than its bounds, and
// a name that it gives can be asked for.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"mdns-meshcop-otbr.txt", "mdns-meshcop-otbr-gen1.txt", "mdns-meshcop-e-otbr.txt"} {
		for _, p := range captured(f, file) {
			f.Add(p)
		}
	}
	q, _ := pack(discovery.Query{Questions: []discovery.Question{{Name: discovery.KindMatter.Name(), Type: discovery.TypePTR, Unicast: true}}}, 0)
	f.Add(q[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, _ := Parse(b)
		if m == nil {
			return
		}
		if len(m.Questions) > maxQuestions || len(m.Records) > maxRecords {
			t.Fatal(len(m.Questions), len(m.Records))
		}
		var query discovery.Query
		query.Questions = append(query.Questions, m.Questions...)
		for _, r := range m.Records {
			query.Questions = append(query.Questions, discovery.Question{Name: r.Name, Type: r.Type})
			if r.Type == discovery.TypePTR {
				r.TTL = time.Second
				query.Known = append(query.Known, r)
			}
		}
		packets, err := pack(query, 0)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range packets {
			back, err := Parse(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range back.Questions {
				if one.Name != query.Questions[n].Name {
					t.Fatalf("%s became %s", query.Questions[n].Name, one.Name)
				}
				n++
			}
		}
		if n != len(query.Questions) {
			t.Fatalf("%d of %d questions", n, len(query.Questions))
		}
		br := discovery.NewBrowser(discovery.Options{})
		now := time.Unix(0, 0)
		br.AddLink(discovery.Link{Name: "x"}, now)
		br.Take(m, discovery.Origin{Interface: "x", From: netip.MustParseAddrPort("[fe80::1]:5353"), At: now})
		br.Step(now)
	})
}
