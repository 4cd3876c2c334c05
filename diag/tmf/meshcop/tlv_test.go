package meshcop

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/netdiag"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A spoken is a message of testdata/conversations.txt.
type spoken struct {
	session string
	ours    bool // to the border agent
	octets  []byte
	m       coap.Message
}

func conversations(t testing.TB) (out []spoken) {
	t.Helper()
	f, err := os.Open("testdata/conversations.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.Fields(s.Text())
		if w[0] == "#" {
			continue
		}
		b := unhex(t, w[3])
		m, err := coap.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, spoken{w[0], w[1] == ">", b, m})
	}
	if len(out) < 90 {
		t.Fatalf("%d messages", len(out))
	}
	return out
}

// Every captured message of the proxy is read, and written the same.
func TestCapturedProxy(t *testing.T) {
	n := 0
	for _, c := range conversations(t) {
		if c.m.Path != PathTransmit && c.m.Path != PathReceive {
			continue
		}
		n++
		p, err := ParseProxied(c.m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendProxied(nil, p); !bytes.Equal(got, c.m.Payload) {
			t.Errorf("%x became %x", c.m.Payload, got)
		}
		if _, err := coap.Parse(p.Payload); err != nil || p.From != PortTMF || p.To != PortTMF {
			t.Errorf("%+v: %v", p, err)
		}
		for k := range c.m.Payload {
			if p, err := ParseProxied(c.m.Payload[:k]); err == nil {
				t.Errorf("the first %d octets are %+v", k, p)
			}
		}
	}
	if n < 40 {
		t.Errorf("%d proxied messages", n)
	}
}

// Border routers of 2025 write the long form of TLV 48 whatever its length.
func TestBothFormsOfEncapsulation(t *testing.T) {
	short := unhex(t, "300af0bff0bf6244cfac2008"+"3110fd000db800a00000000000fffe005c00")
	long := unhex(t, "30ff000af0bff0bf6244cfac2008"+"3110fd000db800a00000000000fffe005c00")
	turned := unhex(t, "3110fd000db800a00000000000fffe005c00"+"300af0bff0bf6244cfac2008")
	want := Proxied{Peer: netip.MustParseAddr("fd00:db8:a0::ff:fe00:5c00"), From: PortTMF, To: PortTMF, Payload: unhex(t, "6244cfac2008")}
	for _, b := range [][]byte{short, long, turned} {
		if p, err := ParseProxied(b); err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%x: %+v, %v", b, p, err)
		}
	}
	for _, s := range []string{"", "3110fd000db800a00000000000fffe005c00", "300af0bff0bf6244cfac2008", "3003f0bff0" + "3110fd000db800a00000000000fffe005c00",
		"30040000f0bf" + "3110fd000db800a00000000000fffe005c00", "3004f0bff0bf" + "310ffd000db800a00000000000fffe005c"} {
		if p, err := ParseProxied(unhex(t, s)); err == nil {
			t.Errorf("%s: %+v", s, p)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		want      Verdict
	}{
		{"accepted, captured", "1001010a0d7468726561646d61702d6c61620b0230c2", Verdict{diag.Some(Accept), diag.Some[uint16](0x30c2), "threadmap-lab"}},
		{"rejected, captured", "1001ff0a056c61622d41", Verdict{State: diag.Some(Reject), Holder: "lab-A"}},
		{"kept alive, captured", "100101", Verdict{State: diag.Some(Accept)}},
		{"nothing said", "", Verdict{}},
		{"a hostile name", "1001ff0a071b5b326d0aff61", Verdict{State: diag.Some(Reject), Holder: "?[2m??a"}},
	} {
		got, err := ParseVerdict(unhex(t, c.hex))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	for _, s := range []string{"1000", "10020101", "0b0130", "10"} {
		if v, err := ParseVerdict(unhex(t, s)); err == nil {
			t.Errorf("%s: %+v", s, v)
		}
	}
	if got := AppendSessionID(AppendState(nil, Reject), 0x30d0); !bytes.Equal(got, unhex(t, "1001ff0b0230d0")) {
		t.Errorf("resigns with %x, captured was another", got)
	}
	if got := AppendCommissionerID(nil, strings.Repeat("x", 100)); len(got) != 2+MaxID {
		t.Errorf("an id of %d octets", len(got)-2)
	}
	if a, b := NewID(), NewID(); a == b || !strings.HasPrefix(a, "threadmap-") || len(a) > MaxID {
		t.Errorf("ids %q, %q", a, b)
	}
}

func TestDataset(t *testing.T) {
	const captured = "0e080000000000010000" + "000300000f" + "35060004001fffe0" + "0208dead00beef00cafe" + "0708fd000db800a00000" + "030c5468726561644d61704c6162" + "0102face" + "0c0402a0f7f8"
	want := diag.Network{ExtPANID: 0xdead00beef00cafe, Name: "ThreadMapLab", PANID: diag.Some[uint16](0xface), Channel: diag.Some[uint8](15),
		MeshLocalPrefix: netip.MustParsePrefix("fd00:db8:a0::/64"), ActiveTimestamp: diag.Some[uint64](0x10000)}
	// With keys, which nobody asked for, it reads the same.
	for _, s := range []string{captured, captured + "0510" + strings.Repeat("5e", 16) + "0410" + strings.Repeat("4e", 16) + "c8021234"} {
		d, err := ParseDataset(unhex(t, s))
		if err != nil || !reflect.DeepEqual(d.Network, want) {
			t.Errorf("%+v, %v", d, err)
		}
	}
	for name, s := range map[string]string{
		"no mesh-local prefix": "0102face", "a prefix of 7": "0707fd000db800a000", "a channel of 2": "00020000", "a PAN id of 3": "0103facefa",
		"a name that is none": "0302fffe" + "0708fd000db800a00000", "cut short": "0708fd000db8", "an extended PAN id of 7": "0207dead00beef00ca", "a time stamp of 2": "0e020000",
	} {
		if d, err := ParseDataset(unhex(t, s)); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestCommissioning(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		want      Commissioning
	}{
		{"nobody now, captured", "0b0230c1", Commissioning{SessionID: diag.Some[uint16](0x30c1)}},
		{"somebody who adds nothing, captured", "090268000b0230c2080100", Commissioning{diag.MakeRLOC16(0x6800), diag.Some[uint16](0x30c2), false}},
		{"somebody adds any device", "0801ff", Commissioning{Joining: true}},
		{"somebody adds one device", "081000000000000000000000000000008000", Commissioning{Joining: true}},
		{"nothing", "", Commissioning{}},
	} {
		if got, err := ParseCommissioning(unhex(t, c.hex)); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	if c, err := ParseCommissioning(unhex(t, "0b03")); err == nil {
		t.Errorf("%+v", c)
	}
}

func TestLocators(t *testing.T) {
	p := netip.MustParsePrefix("fd00:db8:a0::/64")
	a := Locator(p, 0x5c00)
	if a != netip.MustParseAddr("fd00:db8:a0::ff:fe00:5c00") {
		t.Error(a)
	}
	if l, ok := LocatorOf(p, a); l != 0x5c00 || !ok {
		t.Errorf("%04x", l)
	}
	for _, s := range []string{"fd00:db8:a1::ff:fe00:5c00", "fd00:db8:a0::1", "192.0.2.1", "fe80::ff:fe00:5c00"} {
		if l, ok := LocatorOf(p, netip.MustParseAddr(s)); ok {
			t.Errorf("%s: %04x", s, l)
		}
	}
	if _, ok := LocatorOf(netip.Prefix{}, a); ok {
		t.Error("a locator of no network")
	}
}

func FuzzParsers(f *testing.F) {
	for _, c := range conversations(f) {
		f.Add(c.m.Payload)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseVerdict(b)
		ParseCommissioning(b)
		if d, err := ParseDataset(b); err == nil && !d.Network.MeshLocalPrefix.IsValid() {
			t.Error("a dataset without prefix")
		}
		if p, err := ParseProxied(b); err == nil {
			again, err := ParseProxied(AppendProxied(nil, p))
			if err != nil || !reflect.DeepEqual(p, again) && len(p.Payload)+len(again.Payload) > 0 {
				t.Errorf("%+v became %+v, %v", p, again, err)
			}
		}
		netdiag.SplitTLVs(b)
	})
}
