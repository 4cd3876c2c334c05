package homeassistant

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"threadmap/diag"
	"threadmap/discovery"
)

func TestTokenIsNeverPrinted(t *testing.T) {
	token, err := ParseToken(" " + adminToken + "\r\n")
	if err != nil || token.Text() != adminToken || token.IsZero() || token.Refused() {
		t.Fatal(err)
	}
	in := struct {
		token Token
		l     Login
		p     *Token
	}{token, Login{Token: token}, &token}
	var out strings.Builder
	for _, v := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p"} {
		fmt.Fprintf(&out, v+v+v, token, in, Source{Logins: func(string) (Login, bool) { return in.l, true }})
	}
	j, _ := json.Marshal(map[string]any{"t": token, "l": in.l})
	c, _ := cbor.Marshal(token)
	b, _ := token.MarshalBinary()
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "token", token, "login", in.l)
	all := out.String() + string(j) + string(c) + string(b)
	if strings.Contains(all, "Canary") || strings.Contains(all, fmt.Sprintf("%x", "Canary")) || !strings.Contains(all, "(secret)") {
		t.Error(all)
	}
	if got := token.scrub([]byte("a " + adminToken + " b " + adminToken)); string(got) != "a (secret) b (secret)" {
		t.Errorf("%s", got)
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", 5000), adminToken + " " + adminToken, adminToken + "\x00", "\"" + adminToken + "\""} {
		if _, err := ParseToken(bad); err == nil || strings.Contains(err.Error(), "Canary") {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	if !(Token{}).IsZero() || (Token{}).Refused() {
		t.Error("zero token")
	}
}

func TestFingerprints(t *testing.T) {
	f, err := ParseFingerprint(strings.Repeat("ab", 32))
	if err != nil || f.String() != strings.TrimSuffix(strings.Repeat("AB:", 32), ":") || f.IsZero() || (Fingerprint{}).String() != "" {
		t.Errorf("%v %v", f, err)
	}
	for _, bad := range []string{"", "ab", strings.Repeat("ab", 31), strings.Repeat("zz", 32), strings.Repeat("ab", 500)} {
		if _, err := ParseFingerprint(bad); err == nil {
			t.Errorf("%q", bad)
		}
	}
}

func TestNormalizeURL(t *testing.T) {
	for in, want := range map[string]string{
		"homeassistant.local": "http://homeassistant.local:8123", " HA.Local:8123 ": "http://ha.local:8123", "192.0.2.7": "http://192.0.2.7:8123", "fd00::1": "http://[fd00::1]:8123",
		"[fd00::1]:80": "http://[fd00::1]:80", "https://ha.example": "https://ha.example:443", "http://ha:8123/lovelace/0?x=y#z": "http://ha:8123",
		"ws://ha:8123/api/websocket": "http://ha:8123", "wss://ha": "https://ha:443", "fe80::1%eth0": "http://[fe80::1%25eth0]:8123",
	} {
		if got, err := NormalizeURL(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "ftp://x", "http://", "http://u:hunter2@x", "http://x:0", "http://x:99999", "http://%zz", "a b", strings.Repeat("x", 2000)} {
		if got, err := NormalizeURL(bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}

func TestIdentify(t *testing.T) {
	for in, want := range map[string]identity{
		`[["matter","deviceid_1122334455667788-000000000000001D-MatterNodeDevice"],["matter","serial_x"]]`: {matter: diag.MatterID{Fabric: 1234605616436508552, Node: 29}},
		`[["matter","deviceid_8347A5D3C4B1E2F7-FFFFFFFFFFFFFFFF-MatterNodeDevice"]]`:                       {matter: diag.MatterID{Fabric: 0x8347A5D3C4B1E2F7, Node: 1<<64 - 1}},
		`[["matter","deviceid_1122334455667788-000000000000001D-3"]]`:                                      {},
		`[["matter","deviceid_1122334455667788-0000000000000000-MatterNodeDevice"]]`:                       {},
		`[["matter","deviceid_112233445566778-000000000000001D-MatterNodeDevice"]]`:                        {},
		`[["homekit_controller:accessory-id","AA:BB:CC:DD:EE:FF:aid:1"]]`:                                  {hap: "aa:bb:cc:dd:ee:ff"},
		`[["homekit_controller:accessory-id","AA:BB:CC:DD:EE:FF:aid:2"]]`:                                  {},
		`[["homekit_controller","accessory-id","AA:BB:CC:DD:EE:FF"]]`:                                      {hap: "aa:bb:cc:dd:ee:ff"},
		`[["homekit_controller","serial-number","AA:BB:CC:DD:EE:FF"]]`:                                     {},
		`[["zha","00:11:22:33:44:55:66:77"]]`:                                                              {},
		`[[1,2],"x",null,["matter"],["matter",5]]`:                                                         {},
		`null`: {}, `{}`: {}, ``: {}, `"x"`: {},
	} {
		if got := identify(json.RawMessage(in), json.RawMessage(`[["zigbee","00:11:22:33:44:55:66:77"]]`)); got.matter != want.matter || got.hap != want.hap || (got.radio != 0) != (want.matter.Node != 0) {
			t.Errorf("%s: %+v", in, got)
		}
	}
}

// Two batteries that disagree are no battery; a row of odd types costs itself.
func TestRegistry(t *testing.T) {
	var g registry
	g.readDevices(json.RawMessage(`[{"id":"d","identifiers":[["matter","deviceid_00000000000000FF-0000000000000001-MatterNodeDevice"]],"name":"Eve Energy","model":"Eve Energy","area_id":"a"},
		{"id":"e","identifiers":[["matter","deviceid_00000000000000FF-0000000000000002-MatterNodeDevice"]],"name":"Plug\u0000\u001b[31m","name_by_user":"Plug"},5,{"id":[]}]`))
	g.readAreas(json.RawMessage(`[{"area_id":"a","name":"Hall"},{"area_id":"b","name":5}]`))
	g.readEntities(json.RawMessage(`[{"entity_id":"sensor.a","device_id":"d"},{"entity_id":"sensor.b","device_id":"d"},{"entity_id":"sensor.c","device_id":"e"},{"entity_id":"binary_sensor.c","device_id":"e"},[]]`))
	g.readStates(json.RawMessage(`[{"entity_id":"sensor.a","state":"50","attributes":{"device_class":"battery"}},{"entity_id":"sensor.b","state":"51","attributes":{"device_class":"battery"}},
		{"entity_id":"sensor.c","state":"0.0","attributes":{"device_class":"battery"}},{"entity_id":"binary_sensor.c","state":"9","attributes":{"device_class":"battery"}},{"entity_id":"sensor.c","state":"unknown","attributes":[]}]`))
	r := g.reports(nil)
	if len(r) != 2 || g.dropped != 2 || r[0].BatteryPercent.Known() || r[1].BatteryPercent != diag.Some(uint8(0)) || r[0].Room != "Hall" ||
		r[0].Names[0] != (diag.Name{Value: "Eve Energy", Kind: diag.NameProduct}) || r[1].Names[0] != (diag.Name{Value: "Plug", Kind: diag.NameHome}) || r[1].Names[1].Value != "Plug  [31m" {
		t.Errorf("%d dropped, %+v", g.dropped, r)
	}
	for s, want := range map[string]int{"0": 0, "100": 100, "87.5": 87, "101": -1, "-1": -1, "": -1, "unknown": -1, "1e2": -1, "99999999999999999999": -1} {
		if p, ok := percent(s); ok != (want >= 0) || ok && int(p) != want {
			t.Errorf("%s: %d %v", s, p, ok)
		}
	}
}

func TestOTBRInfo(t *testing.T) {
	if r := readOTBRInfo(json.RawMessage(`{"a1b2c3d4e5f60718":{"active_dataset_tlvs":null,"border_agent_id":"AD08DE9EEF6E693440C458DB9CA3B007","channel":null,"extended_address":"a1b2c3d4e5f60718","extended_pan_id":null,"url":"http://x"}}`), nil); len(r) != 1 ||
		r[0].Own[0].ExtAddr != 0xa1b2c3d4e5f60718 || r[0].BorderAgentID != "ad08de9eef6e693440c458db9ca3b007" || r[0].Network.Channel.Known() || r[0].Network.ExtPANID != 0 {
		t.Errorf("%+v", r)
	}
	// Old versions name no router: only the credential is of use.
	var got []Dataset
	flat := `{"url":"http://x","active_dataset_tlvs":"0208dead00beef00cafe041082bd66995ab150de4dab943937b2b66d0303616263"}`
	if r := readOTBRInfo(json.RawMessage(flat), func(d Dataset) { got = append(got, d) }); len(r) != 0 || len(got) != 1 || got[0].ExtPANID != 0xdead00beef00cafe || got[0].PSKc.IsZero() {
		t.Errorf("%+v, %v", r, got)
	}
	for _, odd := range []string{"null", "[]", `{"a":5}`, `{"url":5}`, `{"x":{"active_dataset_tlvs":"zz"}}`} {
		if r := readOTBRInfo(json.RawMessage(odd), nil); len(r) != 0 {
			t.Errorf("%s: %+v", odd, r)
		}
	}
}

func TestFindAnnounced(t *testing.T) {
	name, err := discovery.NewName("0123", "local")
	if err != nil {
		t.Fatal(err)
	}
	got := FindAnnounced([]discovery.Service{{Kind: discovery.KindMatter}, {
		Kind: discovery.KindHomeAssistant, Instance: "My home", Host: name, Port: 8123,
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::1%eth0")},
		TXT:       discovery.TXT{[]byte("location_name=Home"), []byte("uuid=abc"), []byte("version=2026.11.2"), []byte("internal_url=https://ha.example")},
	}})
	if len(got) != 1 || got[0].Name != "Home" || got[0].UUID != "abc" || got[0].Version != "2026.11.2" ||
		!slices.Equal(got[0].URLs, []string{"https://ha.example:443", "http://192.0.2.7:8123", "http://[fe80::1%25eth0]:8123", "https://192.0.2.7:8123", "https://[fe80::1%25eth0]:8123"}) {
		t.Errorf("%+v", got)
	}
}
