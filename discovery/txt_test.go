package discovery

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func txt(s ...string) (t TXT) {
	for _, x := range s {
		t = append(t, []byte(x))
	}
	return t
}

func TestPairs(t *testing.T) {
	x := txt("rv=1", "", "=lost", "RV=2", "flag", "empty=", "bin=\x00\\\"\xff=", "key with space=1")
	if v, ok := x.Get("Rv"); string(v) != "1" || !ok {
		t.Errorf("%q %v", v, ok)
	}
	if v, ok := x.Get("FLAG"); v != nil || !ok {
		t.Errorf("%q %v", v, ok)
	}
	if v, ok := x.Get("empty"); v == nil || len(v) != 0 || !ok {
		t.Errorf("%q %v", v, ok)
	}
	if v, _ := x.Get("bin"); string(v) != "\x00\\\"\xff=" {
		t.Errorf("%q", v)
	}
	if _, ok := x.Get(""); ok {
		t.Error("a pair without a key")
	}
	var keys []string
	for _, p := range x.Pairs() {
		keys = append(keys, p.Key)
	}
	if got := strings.Join(keys, ","); got != "rv,flag,empty,bin,key with space" {
		t.Error(got)
	}
}

// A meshCoPRecord is a record of testdata/meshcop-txt.json, which says where
// it comes from.
type meshCoPRecord struct {
	Instance string            `json:"instance"`
	TXT      map[string]string `json:"txt_hex"`
}

func meshCoPRecords(t *testing.T) []MeshCoP {
	t.Helper()
	b, err := os.ReadFile("testdata/meshcop-txt.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Records []meshCoPRecord }
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.Records) != 4 {
		t.Fatal(err, len(doc.Records))
	}
	var out []MeshCoP
	for _, r := range doc.Records {
		var x TXT
		for k, v := range r.TXT {
			raw, err := hex.DecodeString(v)
			if err != nil {
				t.Fatal(err)
			}
			x = append(x, append([]byte(k+"="), raw...))
		}
		out = append(out, ParseMeshCoP(x))
	}
	return out
}

func TestMeshCoPOfUsers(t *testing.T) {
	r := meshCoPRecords(t)
	if r[0].ExtPANID != 0x9e75e256f61409a3 || r[1].ExtPANID != r[0].ExtPANID || r[0].PartitionID != some(uint32(0x34863044)) || r[1].PartitionID != r[0].PartitionID {
		t.Errorf("the two hubs are not in one partition: %+v %+v", r[0], r[1])
	}
	// They differ in role and state of the Thread interface.
	if a, b := r[0].State.Value, r[1].State.Value; a != 0x1b1 || b != 0xb1 || a.Interface() != InterfaceActive || b.Interface() != InterfaceActive || !a.BBRPrimary() || b.BBRPrimary() {
		t.Errorf("%#x %#x", a, b)
	}
	if r[0].NetworkName != "NEST-PAN-E1AF" || r[0].Vendor != "Google Inc." || r[0].Model != "Google Nest Hub" || r[0].ExtAddr != 0xf6a99b425a67abed ||
		r[0].ActiveTimestamp != some(uint64(0x000062f2f82454e3)) || r[0].BorderAgentID != "bc3740c3e963aa8735bebecd7cc503c7" || r[0].VendorOUI != "7cd95c" ||
		r[0].BBRPort != some(uint16(61631)) || r[0].BBRSequence != some(uint8(0x7b)) || r[0].Domain != "DefaultDomain" || r[0].Odd != nil || r[0].OMRPrefix.IsValid() {
		t.Errorf("%+v", r[0])
	}
	if r[2].OMRPrefix.String() != "fd20:be89:495a:1::/64" || r[2].ActiveTimestamp != some(uint64(0x10000)) || r[2].ThreadVersion != "1.3.0" {
		t.Errorf("%+v", r[2])
	}
	if s := r[3].State; !s.Known || s.Value != 0x7b1 || s.Value.Role() != RoleLeader || s.Value.EphemeralKey() {
		t.Errorf("%+v", s)
	}
	// Bits that a parser does not know must not make it fail, and role bits that
	// are zero say nothing.
	if r[0].State.Value.Role() != RoleUnknown {
		t.Error(r[0].State.Value.Role())
	}
}

// TestMeshCoPDump: tcpdump's vis notation, in which M-x is an octet of 0x80 and
// more and ^x a control character.
func TestMeshCoPDump(t *testing.T) {
	b, err := os.ReadFile("testdata/meshcop-tcpdump.txt")
	if err != nil {
		t.Fatal(err)
	}
	var x TXT
	for _, line := range strings.Split(string(b), "\n") {
		if !strings.HasPrefix(line, "TXT ") {
			continue
		}
		for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(line, -1) {
			x = append(x, unvis(m[1]))
		}
	}
	m := ParseMeshCoP(x)
	if m.ExtPANID != 0x087c4e34b73b9499 || m.ExtAddr != 0xca83ad6274691e32 || m.State != some(StateBitmap(0x4b1)) || m.ActiveTimestamp != some(uint64(0x20000)) ||
		m.PartitionID != some(uint32(0x64088e68)) || m.BBRPort != some(uint16(0xf0bf)) || m.OMRPrefix.String() != "fd13:3510:7f2b:1::/64" ||
		m.BorderAgentID != "9dba1df1d0c22cf88e191ad7b8ae987b" || m.NetworkName != "ha-thread-4c83" || m.Odd != nil || m.State.Value.Role() != RoleRouter {
		t.Errorf("%+v", m)
	}
}

func unvis(s string) (out []byte) {
	for i := 0; i < len(s); {
		high := byte(0)
		if strings.HasPrefix(s[i:], "M-") && i+2 < len(s) {
			high, i = 0x80, i+2
		}
		switch c := s[i]; {
		case c == '^' && i+1 < len(s):
			out, i = append(out, high|s[i+1]^0x40), i+2
		default:
			out, i = append(out, high|c), i+1
		}
	}
	return out
}

// TestMeshCoPOdd: what a home automation system's own tests feed, and values
// of the wrong length: they count as not said, never as zero.
func TestMeshCoPOdd(t *testing.T) {
	m := ParseMeshCoP(txt("vn=HomeAssistant\xff", "sb=\xff\x00\x01\xb1", "xp=short", "pt=\x00", "omr=", "id=12", "at", "vo=1234567", "omr2=x", "unknown=1"))
	if m.Vendor != "HomeAssistant\xff" || m.State != some(StateBitmap(0xff0001b1)) || m.ExtPANID != 0 || m.PartitionID.Known || m.OMRPrefix.IsValid() || m.ActiveTimestamp.Known {
		t.Errorf("%+v", m)
	}
	if got := strings.Join(m.Odd, " "); got != "id xp at pt omr vo" {
		t.Error(got)
	}
	for in, want := range map[string]string{"\x40\xfd\x12\x34\x56\x00\x00\x00\x01": "fd12:3456:0:1::/64", "\x3c\xfd\x12\x34\x56\x00\x00\x00\x1f": "fd12:3456:0:10::/60"} {
		if p, ok := omrPrefix([]byte(in)); !ok || p.String() != want {
			t.Error(p)
		}
	}
	for _, bad := range []string{"\x40\xfd", "\x81" + strings.Repeat("x", 17), "\x40" + strings.Repeat("x", 20)} {
		if p, ok := omrPrefix([]byte(bad)); ok {
			t.Error(p)
		}
	}
	if m := ParseMeshCoP(nil); m.State.Known || m.ExtAddr != 0 || m.Odd != nil {
		t.Errorf("%+v", m)
	}
}

func TestStateBitmap(t *testing.T) {
	for s, want := range map[StateBitmap]struct {
		conn   uint8
		iface  ThreadInterface
		role   MeshRole
		epskc  bool
		ail    uint8
		active bool
	}{
		0x1fb1: {1, InterfaceActive, RoleLeader, true, 1, true}, 0x1db1: {1, InterfaceActive, RoleRouter, true, 1, true},
		0x0db1: {1, InterfaceActive, RoleRouter, true, 0, true}, 0x01b1: {1, InterfaceActive, RoleUnknown, false, 0, true},
		0x0131: {1, InterfaceActive, RoleUnknown, false, 0, false}, 0x0629: {1, InterfaceInitialized, RoleUnknown, false, 0, false},
		0x0000: {}, 0x02b1: {1, InterfaceActive, RoleChild, false, 0, true},
	} {
		if s.ConnectionMode() != want.conn || s.Interface() != want.iface || s.Role() != want.role || s.EphemeralKey() != want.epskc || s.MultiAIL() != want.ail || s.BBRActive() != want.active {
			t.Errorf("%#04x: %d %d %d %v %d %v", uint32(s), s.ConnectionMode(), s.Interface(), s.Role(), s.EphemeralKey(), s.MultiAIL(), s.BBRActive())
		}
	}
}

func TestOperational(t *testing.T) {
	o, ok := ParseOperational("87E1B004E235A130-8FC7772401CD0696", txt("SII=5000", "SAI=300", "SAT=4000", "T=6", "ICD=1"))
	if !ok || o.Fabric != 0x87e1b004e235a130 || o.Node != 0x8fc7772401cd0696 || o.Idle != some(5*time.Second) || o.Threshold != some(4*time.Second) ||
		!o.TCPClient() || !o.TCPServer() || !o.LIT.Value {
		t.Errorf("%+v", o)
	}
	if o, ok := ParseOperational("87e1b004e235a130-8fc7772401cd0696", txt("")); !ok || o.Node != 0x8fc7772401cd0696 || o.Idle.Known || o.LIT.Known || o.ActiveInterval() != DefaultSAI || o.ActiveThreshold() != DefaultSAT {
		t.Errorf("%+v", o)
	}
	for _, bad := range []string{"", "87E1B004E235A130", "87E1B004E235A130_8FC7772401CD0696", "87E1B004E235A130-8FC7772401CD069G", "+7E1B004E235A130-8FC7772401CD0696", "87E1B004E235A130-8FC7772401CD06960"} {
		if _, ok := ParseOperational(bad, nil); ok {
			t.Error(bad)
		}
	}
	// Out of range is not said, and the default is another thing than unknown.
	for in, known := range map[string]bool{"SII=0": false, "SII=1": true, "SII=3600000": true, "SII=3600001": false, "SII=x": false, "SII=+5": false, "SII=": false, "SII": false,
		"SII=99999999999999999999999": false, "sii=500": true} {
		if s := ParseSession(txt(in)); s.Idle.Known != known {
			t.Errorf("%s: %+v", in, s)
		}
	}
	if d, ok := ParseSession(txt("ICD=1")).IdleInterval(); ok {
		t.Errorf("a device in long idle time mode has no default: %v", d)
	}
	if d, ok := ParseSession(txt("ICD=0")).IdleInterval(); !ok || d != DefaultSII {
		t.Error(d, ok)
	}
	if s := ParseSession(txt("SAT=65536", "ICD=2", "T=1")); s.Threshold.Known || s.LIT.Known || !s.TCPClient() || !s.TCPServer() {
		t.Errorf("%+v", s)
	}
}

func TestHost(t *testing.T) {
	for label, want := range map[string]struct {
		what HostMeaning
		addr uint64
	}{
		"6E979A59A6F2FE7C": {HostExtAddr, 0x6e979a59a6f2fe7c}, "6e979a59a6f2fe7c": {HostExtAddr, 0x6e979a59a6f2fe7c},
		"DCA632112233": {HostMAC, 0xdca632112233}, "DCA6321122330000": {HostMAC, 0xdca632112233},
		"0000000000000000": {}, "homeassistant": {}, "ot12e2f8607cda76d1": {}, "6E979A59A6F2FE7": {}, "6E979A59A6F2FE7G": {}, "": {},
	} {
		n := Name{}
		if label != "" {
			n = mustName(label, "local")
		}
		if what, addr := Host(n); what != want.what || addr != want.addr {
			t.Errorf("%s: %d %x", label, what, addr)
		}
	}
}

// TestCommissionable: the strings of testdata/matterc.txt (a public issue, see
// there).
func TestCommissionable(t *testing.T) {
	b, err := os.ReadFile("testdata/matterc.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, line := range strings.Split(string(b), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "txt = ") {
			continue
		}
		n++
		var x TXT
		for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(line, -1) {
			x = append(x, []byte(m[1]))
		}
		c := ParseCommissionable(x)
		if c.Discriminator != some(uint16(45)) || c.CommissioningMode != some(uint8(2)) || c.Vendor != some(uint16(65521)) || c.Product != some(uint16(32773)) ||
			c.Idle != some(2*time.Second) || c.Active != some(2*time.Second) || c.Threshold != some(4*time.Second) || c.LIT.Known || c.DeviceType.Known ||
			strings.Join(c.PairingHints(), "; ") != "use the administrator's app; see the manual" {
			t.Errorf("%+v %q", c, c.PairingHints())
		}
	}
	if n != 2 {
		t.Errorf("%d records", n)
	}
	c := ParseCommissionable(txt("D=4096", "CM=4", "VP=65536+1", "DT=4294967296", "DN="+strings.Repeat("x", 33), "RI=XY", "CP=1", "PI=press", "VP=2"))
	if c.Discriminator.Known || c.CommissioningMode.Known || c.Vendor.Known || c.Product.Known || c.DeviceType.Known || c.DeviceName != "" || c.RotatingID != "" ||
		!c.CommissionerPasscode.Value || c.PairingInstruction != "press" {
		t.Errorf("%+v", c)
	}
	if c := ParseCommissionable(txt("VP=4937", "PH=4294967295")); c.Vendor != some(uint16(4937)) || c.Product.Known || len(c.PairingHints()) != len(pairingHints) {
		t.Errorf("%+v", c)
	}
}

func TestOtherKinds(t *testing.T) {
	h := ParseHAP(txt("id=AA:BB:CC:DD:EE:FF", "md=Eve Energy", "c#=5", "s#=1", "ff=2", "sf=1", "ci=7", "pv=1.2", "sh=abcd"))
	if paired, ok := h.Paired(); paired || !ok || h.ID != "aa:bb:cc:dd:ee:ff" || h.Model != "Eve Energy" || h.ConfigNumber != some(uint32(5)) || h.Category != some(uint32(7)) {
		t.Errorf("%+v", h)
	}
	if _, ok := ParseHAP(nil).Paired(); ok {
		t.Error("paired or not, it did not say")
	}
	a := ParseHomeAssistant(txt("location_name=Home", "uuid=abc", "version=2026.11.1", "internal_url=http://192.0.2.1:8123", "external_url=", "base_url=http://192.0.2.1:8123"))
	if a.Name != "Home" || a.InternalURL == "" || a.ExternalURL != "" || a.UUID != "abc" || a.Version != "2026.11.1" || a.BaseURL != a.InternalURL {
		t.Errorf("%+v", a)
	}
	if s := ParseSRPL(txt("domain=openthread.thread.home.arpa.", "server-id=9092e054e3ad3482")); s.Domain != "openthread.thread.home.arpa." || s.ServerID != some(uint64(0x9092e054e3ad3482)) {
		t.Errorf("%+v", s)
	}
	if s := ParseSRPL(txt("server-id=0xg")); s.ServerID.Known {
		t.Errorf("%+v", s)
	}
	if r := ParseTREL(txt("xa=\x0e\x01\x01\x01\x01\x01\x01\x01", "xp=\xde\xad\x00\xbe\xef\x00\xca\xfe")); r.ExtAddr != 0x0e01010101010101 || r.ExtPANID != 0xdead00beef00cafe || r.Odd != nil {
		t.Errorf("%+v", r)
	}
}

func TestKinds(t *testing.T) {
	for _, k := range Kinds {
		if n := k.Name(); n.String() != string(k)+".local" {
			t.Error(k, n)
		}
	}
	if !Kind("nonsense").Name().IsRoot() {
		t.Error("nonsense is a kind")
	}
	if n, err := KindMatter.InstanceName("a.b"); err != nil || n.First() != "a.b" || n.String() != `a\.b._matter._tcp.local` {
		t.Error(n, err)
	}
	if _, err := KindMatter.InstanceName(""); err == nil {
		t.Error("an empty instance")
	}
}
