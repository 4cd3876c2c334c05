package dnssd

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"threadmap/diag"
	"threadmap/discovery"
)

var at = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)

func name(t testing.TB, labels ...string) discovery.Name {
	t.Helper()
	n, err := discovery.NewName(labels...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// announce makes a service. TXT values that begin with "hex:" are binary.
func announce(t testing.TB, k discovery.Kind, instance, host string, port uint16, txt string, addrs ...string) discovery.Service {
	t.Helper()
	n, err := k.InstanceName(instance)
	if err != nil {
		t.Fatal(err)
	}
	s := discovery.Service{Kind: k, Instance: instance, Name: n, Port: port, TXT: discovery.TXT{}, Last: at, Interfaces: []string{"eth0"}}
	if host != "" {
		s.Host = name(t, host, "local")
	}
	for _, p := range strings.Fields(txt) {
		key, v, _ := strings.Cut(p, "=")
		if h, ok := strings.CutPrefix(v, "hex:"); ok {
			b, err := hex.DecodeString(h)
			if err != nil {
				t.Fatal(err)
			}
			v = string(b)
		}
		s.TXT = append(s.TXT, []byte(key+"="+v))
	}
	for _, a := range addrs {
		s.Addresses = append(s.Addresses, netip.MustParseAddr(a))
	}
	return s
}

// The border router of captured announcements (OpenThread border router of
// 2026-08).
const labTXT = "id=hex:ad08de9eef6e693440c458db9ca3b007 rv=1 sb=hex:00001fb1 tv=1.4.0 xa=hex:0e01010101010101 xp=hex:dead00beef00cafe nn=ThreadMapLab " +
	"pt=hex:3e1d2649 at=hex:0000000000010000 sq=hex:3c bb=hex:f0bf dn=DefaultDomain omr=hex:40fdef7c1ef8fc0001 vn=LabBR mn=ThreadMapLabBR"

var labAddrs = []string{"10.77.0.1", "fd11:db8::1", "fe80::38e6:4bff:fee8:4e34%eth0", "fe80::38e6:4bff:fee8:4e34%wlan0"}

func TestBorderRouter(t *testing.T) {
	got := Reports([]discovery.Service{
		announce(t, discovery.KindMeshCoP, "LabBR ThreadMapLabBR #76D1", "ot12e2f8607cda76d1", 49154, labTXT, labAddrs...),
		announce(t, discovery.KindMeshCoPE, "LabBR ThreadMapLabBR #0101", "OT12e2f8607cda76d1", 49157, "", labAddrs...),
		announce(t, discovery.KindTREL, "0e01010101010101", "ot12e2f8607cda76d1", 52000, "xa=hex:0e01010101010101 xp=hex:dead00beef00cafe", labAddrs...),
		// The same again, renamed by a responder that thought the name was taken.
		announce(t, discovery.KindMeshCoP, "LabBR ThreadMapLabBR #76D1 (2)", "ot12e2f8607cda76d1", 49154, labTXT, labAddrs[:2]...),
	}, at, "eth0")
	if len(got) != 1 {
		t.Fatalf("%d reports: %+v", len(got), got)
	}
	r := got[0]
	want := diag.Report{
		Source: "mdns", Via: "eth0", At: at,
		Own:           []diag.AddrClaim{{ExtAddr: 0x0e01010101010101, Witness: diag.WitnessMeshCoP}},
		BorderAgentID: "ad08de9eef6e693440c458db9ca3b007",
		Hosts:         []string{"OT12e2f8607cda76d1", "ot12e2f8607cda76d1"},
		Instances:     []string{"0e01010101010101", "LabBR ThreadMapLabBR #0101", "LabBR ThreadMapLabBR #76D1", "LabBR ThreadMapLabBR #76D1 (2)"},
		Names:         []diag.Name{{Value: "LabBR ThreadMapLabBR #76D1", Kind: diag.NameInstance}, {Value: "LabBR ThreadMapLabBR #76D1 (2)", Kind: diag.NameInstance}},
		Addresses:     []netip.Addr{netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("fd11:db8::1")},
		Transport:     diag.TransportThread, Role: diag.RoleLeader, BorderRouter: diag.Some(true), ThreadVersion: diag.Some[uint16](5),
		Vendor: "LabBR", Product: "ThreadMapLabBR",
		Network: diag.Network{ExtPANID: 0xdead00beef00cafe, Name: "ThreadMapLab", ActiveTimestamp: diag.Some[uint64](0x10000),
			OMRPrefixes: []netip.Prefix{netip.MustParsePrefix("fdef:7c1e:f8fc:1::/64")}},
		Leader: diag.LeaderData{PartitionID: diag.Some[uint32](0x3e1d2649)},
		BorderAgent: diag.Some(diag.BorderAgent{StateBitmap: diag.Some[uint32](0x1fb1), EphemeralKey: diag.Some(true), Endpoints: []netip.AddrPort{
			netip.MustParseAddrPort("10.77.0.1:49154"), netip.MustParseAddrPort("[fd11:db8::1]:49154"),
			netip.MustParseAddrPort("[fe80::38e6:4bff:fee8:4e34%eth0]:49154"), netip.MustParseAddrPort("[fe80::38e6:4bff:fee8:4e34%wlan0]:49154"),
		}}),
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}
}

// TestUnknownStaysUnknown: role bits count only while the interface is active,
// and what was not said is not zero.
func TestUnknownStaysUnknown(t *testing.T) {
	for sb, role := range map[string]diag.Role{
		"000001b1": diag.RoleUnknown, "00001629": diag.RoleUnknown, "000003b1": diag.RoleEndDevice, "000005b1": diag.RoleRouter, "00000db1": diag.RoleRouter, "00001fb1": diag.RoleLeader, "short": diag.RoleUnknown,
	} {
		if sb != "short" {
			sb = "hex:" + sb
		}
		r := Reports([]discovery.Service{announce(t, discovery.KindMeshCoP, "BR", "br", 1, "sb="+sb)}, at, "")[0]
		if r.Role != role || r.Leader.PartitionID.Known() || r.Network.ExtPANID != 0 || r.ThreadVersion.Known() || r.Own != nil || r.Network.OMRPrefixes != nil || r.ICD.Known() || r.Matter != nil || r.Children != nil {
			t.Errorf("%s: %+v", sb, r)
		}
		if ba, _ := r.BorderAgent.Get(); ba.StateBitmap.Known() != (sb != "short") || ba.EphemeralKey.Known() || ba.Endpoints != nil {
			t.Errorf("%s: %+v", sb, ba)
		}
	}
	for tv, want := range map[string]diag.Opt[uint16]{"1.1.1": diag.Some[uint16](2), "1.2.0": diag.Some[uint16](3), "1.3": diag.Some[uint16](4), "1.4.0": diag.Some[uint16](5), "1.40": {}, "2.0.0": {}, "": {}} {
		if r := Reports([]discovery.Service{announce(t, discovery.KindMeshCoP, "BR", "br", 1, "tv="+tv)}, at, "")[0]; r.ThreadVersion != want {
			t.Errorf("%s: %v", tv, r.ThreadVersion)
		}
	}
}

// TestBorderRoutersApart: two border routers on one machine are two, and a
// window for an ephemeral key on that machine is neither's.
func TestBorderRoutersApart(t *testing.T) {
	other := strings.NewReplacer("ad08de9e", "ffffffff", "0e0101", "0e0202").Replace(labTXT)
	got := Reports([]discovery.Service{
		announce(t, discovery.KindMeshCoP, "one", "homeassistant", 49154, labTXT, "192.0.2.1"),
		announce(t, discovery.KindMeshCoP, "two", "homeassistant", 49155, other, "192.0.2.1"),
		announce(t, discovery.KindMeshCoPE, "e", "homeassistant", 49157, "", "192.0.2.1"),
		announce(t, discovery.KindTREL, "x", "homeassistant", 1, "xa=hex:0e02020101010101"),
		announce(t, discovery.KindTREL, "y", "elsewhere", 1, "xa=hex:0e03030101010101 xp=hex:dead00beef00cafe"),
		announce(t, discovery.KindMeshCoPE, "lone", "lone", 49157, "", "192.0.2.9"),
	}, at, "")
	if len(got) != 4 {
		t.Fatalf("%+v", got)
	}
	for _, r := range got {
		ba, _ := r.BorderAgent.Get()
		switch {
		case len(r.Instances) == 1 && r.Instances[0] == "lone":
			if !ba.EphemeralKey.Or(false) || r.Own != nil {
				t.Errorf("%+v", r)
			}
		case ba.EphemeralKey.Known():
			t.Errorf("%+v", r)
		}
	}
}

func TestMatterDevice(t *testing.T) {
	const host = "6E979A59A6F2FE7C"
	icd := "SII=5000 SAI=300 SAT=4000 ICD=1"
	own := diag.ExtAddr(0x6e979a59a6f2fe7c)
	got := Reports([]discovery.Service{
		announce(t, discovery.KindMatter, "87E1B004E235A130-8FC7772401CD0696", host, 5540, icd, "fd12::1"),
		announce(t, discovery.KindMatter, "0000000000000001-0000000000000002", strings.ToLower(host), 5540, icd, "fd12::1", own.LinkLocal().String()+"%eth0"),
		announce(t, discovery.KindMatterC, "FFBE0A87879ED352", host, 5540, "D=45 CM=2 DT=256 DN=Lamp SII=5000", "fd12::2"),
		announce(t, discovery.KindHAP, "Hall \u00e9\xff", host, 5683, "md=Eve id=A1:B2:C3:D4:E5:F6", "fd12::1"),
	}, at, "eth0")
	if len(got) != 1 {
		t.Fatalf("%d reports: %+v", len(got), got)
	}
	want := diag.Report{
		Source: "mdns", Via: "eth0", At: at, Own: []diag.AddrClaim{{ExtAddr: own, Witness: diag.WitnessHost}}, Transport: diag.TransportThread,
		Matter:    []diag.MatterID{{Fabric: 1, Node: 2}, {Fabric: 0x87e1b004e235a130, Node: 0x8fc7772401cd0696}},
		Hosts:     []string{host, strings.ToLower(host)},
		Instances: []string{"0000000000000001-0000000000000002", "87E1B004E235A130-8FC7772401CD0696", "FFBE0A87879ED352", "Hall \u00e9\uFFFD"},
		Names:     []diag.Name{{Value: "Hall \u00e9\uFFFD", Kind: diag.NameInstance}, {Value: "Lamp", Kind: diag.NameInstance}},
		Addresses: []netip.Addr{netip.MustParseAddr("fd12::1"), netip.MustParseAddr("fd12::2"), own.LinkLocal().WithZone("eth0")},
		Product:   "Eve", DeviceTypes: []uint32{256}, HAPID: "a1:b2:c3:d4:e5:f6",
		ICD: diag.Some(diag.ICD{LIT: diag.Some(true), SessionIdleInterval: diag.Some(5 * time.Second), SessionActiveInterval: diag.Some(300 * time.Millisecond), SessionActiveThreshold: diag.Some(4 * time.Second)}),
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}
}

// TestNotThread: hosts that say nothing of a radio, and hosts that several
// programs share.
func TestNotThread(t *testing.T) {
	matter := func(node int, host string, port uint16, addrs ...string) discovery.Service {
		return announce(t, discovery.KindMatter, fmt.Sprintf("87E1B004E235A130-%016X", node), host, port, "", addrs...)
	}
	for what, tt := range map[string]struct {
		services []discovery.Service
		reports  int
		own      int
	}{
		"a MAC address":                          {[]discovery.Service{matter(1, "DCA632112233", 5540, "fd00::1", "fe80::1234%eth0")}, 1, 0},
		"matter.js, one program, two ports":      {[]discovery.Service{matter(1, "DCA6321122330000", 5540), matter(2, "DCA6321122330000", 5541), matter(3, "DCA6321122330000", 5541)}, 2, 0},
		"random digits, on IPv4":                 {[]discovery.Service{matter(1, "6E979A59A6F2FE7C", 5540, "192.0.2.1", "fd00::1")}, 1, 0},
		"a name":                                 {[]discovery.Service{matter(1, "kitchen", 5540)}, 1, 0},
		"no host known yet":                      {[]discovery.Service{matter(1, "", 0), matter(2, "", 0)}, 2, 0},
		"two devices to commission on a machine": {[]discovery.Service{announce(t, discovery.KindMatterC, "A", "kitchen", 1, ""), announce(t, discovery.KindMatterC, "B", "kitchen", 2, "")}, 2, 0},
		"not a mesh's": {[]discovery.Service{announce(t, discovery.KindHomeAssistant, "Home", "ha", 8123, ""), announce(t, discovery.KindMatterD, "TV", "tv", 5550, ""),
			announce(t, discovery.KindSRPLTLS, "x", "br", 853, ""), announce(t, discovery.KindTREL, "x", "br", 1, "")}, 0, 0},
	} {
		got := Reports(tt.services, at, "")
		if len(got) != tt.reports {
			t.Errorf("%s: %+v", what, got)
		}
		for _, r := range got {
			if len(r.Own) != tt.own || r.Transport != diag.TransportUnknown {
				t.Errorf("%s: %+v", what, r)
			}
			for _, a := range r.Addresses {
				if a.IsLinkLocalUnicast() {
					t.Errorf("%s: %v would be read as an extended address", what, a)
				}
			}
			if len(r.Matter) == 0 && r.Hosts != nil {
				t.Errorf("%s: a shared host is the only name: %+v", what, r)
			}
		}
	}
	if got := Reports(nil, at, ""); got == nil || len(got) != 0 {
		t.Error(got)
	}
	hap := Reports([]discovery.Service{announce(t, discovery.KindHAP, "Eve", "eve-1234", 5683, "md=Eve")}, at, "")
	if len(hap) != 1 || hap[0].Transport != diag.TransportThread || hap[0].Own != nil || hap[0].Hosts[0] != "eve-1234" {
		t.Errorf("%+v", hap)
	}
}

// TestOrder: the same services in another order give the same reports.
func TestOrder(t *testing.T) {
	var services []discovery.Service
	for i := range 40 {
		x := binary.BigEndian.AppendUint64(nil, uint64(0x0e00+i/2)<<48|1)
		services = append(services, announce(t, discovery.KindMeshCoP, fmt.Sprint("BR ", i), fmt.Sprint("br", i), 1, fmt.Sprintf("xa=hex:%x vn=v%d mn=m%d sb=hex:00001%cb1", x, i, i, "df"[i%2])),
			announce(t, discovery.KindMatter, fmt.Sprintf("87E1B004E235A130-%016X", i), fmt.Sprintf("0E%014X", i/3+1), 5540, fmt.Sprintf("SII=%d", 1+i)))
		services[len(services)-2].Last = at.Add(time.Duration(i) * time.Second)
	}
	want := fmt.Sprintf("%+v", Reports(services, at, ""))
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		r.Shuffle(len(services), func(i, j int) { services[i], services[j] = services[j], services[i] })
		if got := fmt.Sprintf("%+v", Reports(services, at, "")); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// FuzzReports: whatever is announced, the reports are text, and have no address
// that nobody announced.
func FuzzReports(f *testing.F) {
	f.Add("LabBR", "ot12", "id=ad08", "fd00::1", uint8(0))
	f.Add("87E1B004E235A130-8FC7772401CD0696", "6E979A59A6F2FE7C", "SII=500\nICD=1", "fe80::1%eth0", uint8(3))
	f.Add("\xff", "\x00", "xa=\x0e\x01\x01\x01\x01\x01\x01\x01\nsb=\x00\x00\x1f\xb1", "::1", uint8(0))
	f.Fuzz(func(t *testing.T, instance, host, txt, addr string, kind uint8) {
		s := discovery.Service{Kind: discovery.Kinds[int(kind)%len(discovery.Kinds)], Instance: instance, Port: 1}
		if n, err := s.Kind.InstanceName(instance); err == nil {
			s.Name = n
		}
		if n, err := discovery.NewName(host, "local"); err == nil {
			s.Host = n
		}
		for _, x := range strings.Split(txt, "\n") {
			s.TXT = append(s.TXT, []byte(x))
		}
		a, err := netip.ParseAddr(addr)
		if err == nil {
			s.Addresses = append(s.Addresses, a)
		}
		for _, r := range Reports([]discovery.Service{s, s}, at, "") {
			for _, text := range append(append([]string{r.Vendor, r.Product, r.Network.Name, r.BorderAgentID}, r.Instances...), r.Hosts...) {
				if !utf8.ValidString(text) {
					t.Errorf("%q", text)
				}
			}
			for _, n := range r.Names {
				if !utf8.ValidString(n.Value) {
					t.Errorf("%q", n.Value)
				}
			}
			for _, o := range r.Addresses {
				if o != a {
					t.Errorf("%v", o)
				}
			}
			if !r.At.Equal(at) {
				t.Error(r.At)
			}
			if _, err := diag.CBOREncoding.Marshal(r); err != nil {
				t.Error(err)
			}
		}
	})
}
