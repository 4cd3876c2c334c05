package otbr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

const labBorder = diag.ExtAddr(0x0e01010101010101)

func lab() *mesh.Mesh {
	m := mesh.Lab(20)
	m.Partitions[0].DataVersion, m.Partitions[0].StableDataVersion = 230, 81
	return m
}

func newServer(t *testing.T, m *mesh.Mesh, o Options) *Server {
	t.Helper()
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := New(m.View(), labBorder, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask makes one request; header "Accept" is accept where that is not empty.
func ask(s http.Handler, method, target, accept, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	if body != "" {
		r.Header.Set("Content-Type", jsonAPI)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func decode(t *testing.T, what string, b []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return v
}

// changing are the keys whose values are no property of the mesh's shape; their
// types are compared all the same.
var changing = map[string]bool{
	"id": true, "created": true, "updated": true, "age": true, "linkAge": true, "idSequence": true, "networkData": true, "ipv6Addresses": true,
	"frameErrorRate": true, "mlEidIid": true, "omrIpv6Address": true, "macCounters": true, "mleCounters": true, "childIpv6Addresses": true,
	"IdSequence": true, "DataVersion": true, "StableDataVersion": true, "NetworkData": true, "IP6AddressList": true, "MACCounters": true,
}

// compare says where got differs from the captured want: in keys, in types and
// in values but for those under changing keys.
func compare(at string, want, got any, loose bool) (diffs []string) {
	if a, b := fmt.Sprintf("%T", want), fmt.Sprintf("%T", got); a != b {
		return []string{fmt.Sprintf("%s: captured %s, simulated %s", at, a, b)}
	}
	switch want := want.(type) {
	case map[string]any:
		got := got.(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if _, ok := got[k]; !ok {
				diffs = append(diffs, fmt.Sprintf("%s: lacks %q", at, k))
				continue
			}
			diffs = append(diffs, compare(at+"."+k, want[k], got[k], loose || changing[k])...)
		}
		for k := range got {
			if _, ok := want[k]; !ok {
				diffs = append(diffs, fmt.Sprintf("%s: has %q, which was not captured", at, k))
			}
		}
	case []any:
		got := got.([]any)
		if !loose && len(want) != len(got) {
			return []string{fmt.Sprintf("%s: captured %d entries, simulated %d", at, len(want), len(got))}
		}
		if key := identity(want); key != "" {
			want, got = sorted(want, key), sorted(got, key)
		}
		for i := range min(len(want), len(got)) {
			diffs = append(diffs, compare(fmt.Sprintf("%s[%d]", at, i), want[i], got[i], loose)...)
		}
	default:
		if !loose && want != got {
			diffs = append(diffs, fmt.Sprintf("%s: captured %v, simulated %v", at, want, got))
		}
	}
	return diffs
}

// identity is the key by which entries of a list of nodes are told apart.
func identity(list []any) string {
	if len(list) == 0 {
		return ""
	}
	o, _ := list[0].(map[string]any)
	for _, k := range []string{"ExtAddress", "extAddress"} {
		if _, ok := o[k]; ok {
			return k
		}
	}
	if a, ok := o["attributes"].(map[string]any); ok && a["extAddress"] != nil {
		return "attributes"
	}
	return ""
}

func sorted(list []any, key string) []any {
	name := func(v any) string {
		o, _ := v.(map[string]any)
		if a, ok := o[key].(map[string]any); ok {
			return fmt.Sprint(a["extAddress"], a["state"]) // a border router may stand there twice
		}
		return fmt.Sprint(o[key], o["state"])
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(name(a), name(b)) })
	return list
}

func golden(t *testing.T, file string, w *httptest.ResponseRecorder) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range compare("", decode(t, file, b), decode(t, file, w.Body.Bytes()), false) {
		t.Errorf("%s %s", file, d)
	}
}

func TestGeneration1SpeaksAsCaptured(t *testing.T) {
	m := lab()
	m.Partitions[0].DataVersion, m.Partitions[0].StableDataVersion = 241, 88
	s := newServer(t, m, Options{Generation: 1})
	golden(t, "gen1-node", ask(s, "GET", "/node", "", ""))
	golden(t, "gen1-diagnostics", ask(s, "GET", "/diagnostics", "", ""))
	golden(t, "gen1-dataset", ask(s, "GET", "/node/dataset/active", "", ""))
	for path, want := range map[string]string{
		"ba-id": `"AD08DE9EEF6E693440C458DB9CA3B007"`, "ext-address": `"0E01010101010101"`, "ext-panid": `"DEAD00BEEF00CAFE"`, "network-name": `"ThreadMapLab"`,
		"num-of-router": "6", "rloc": `"fd00:db8:a0::ff:fe00:6800"`, "rloc16": "26624", "state": `"router"`,
	} {
		if w := ask(s, "GET", "/node/"+path, "", ""); w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != plainJSON {
			t.Errorf("/node/%s: %d %s, captured %s", path, w.Code, w.Body, want)
		}
	}
	for _, path := range []string{"/api/devices", "/nope", "/node/nope", "/.well-known/thread/br-rest", "/topology"} {
		if w := ask(s, "GET", path, "", ""); w.Code != 404 || w.Body.Len() != 0 {
			t.Errorf("%s: %d %q, captured 404 and nothing", path, w.Code, w.Body)
		}
	}
}

func TestGeneration3SpeaksAsCaptured(t *testing.T) {
	s := newServer(t, lab(), Options{OldID: 0x12e2f8607cda76d1, KeepLists: true})
	golden(t, "gen3-node", ask(s, "GET", "/node", "", ""))
	golden(t, "gen3-dataset", ask(s, "GET", "/node/dataset/active", "", ""))
	golden(t, "gen3-well-known", ask(s, "GET", "/.well-known/thread/br-rest", "", ""))
	golden(t, "gen3-actions-empty", ask(s, "GET", "/api/actions", "", ""))
	golden(t, "gen3-devices-before", ask(s, "GET", "/api/devices", "", ""))
	golden(t, "gen3-not-found", ask(s, "GET", "/diagnostics", "", ""))
	golden(t, "gen3-not-found", ask(s, "GET", "/api/node", "", "")) // the agent's own address changed

	post := func(body string) *httptest.ResponseRecorder { return ask(s, "POST", "/api/actions", "", body) }
	golden(t, "gen3-post-update", post(`{"data":[{"type":"updateDeviceCollectionTask","attributes":{"maxAge":30,"timeout":60,"maxRetries":3,"deviceCount":9}}]}`))
	golden(t, "gen3-api-node", ask(s, "GET", "/api/node", "", ""))
	golden(t, "gen3-devices", ask(s, "GET", "/api/devices", "", ""))
	golden(t, "gen3-devices-sparse", ask(s, "GET", "/api/devices?fields[threadDevice]=extAddress,role", "", ""))
	golden(t, "gen3-devices-bare", ask(s, "GET", "/api/devices", plainJSON, ""))
	golden(t, "gen3-post-diagnostic", post(`{"data":[{"type":"getNetworkDiagnosticTask","attributes":{"destination":"0e04040404040404","types":`+
		`["extAddress","rloc16","mode","timeout","connectivity","route","leaderData","networkData","ipv6Addresses","macCounters","childTable","channelPages",`+
		`"maxChildTimeout","eui","threadVersion","vendorName","vendorModel","vendorSwVersion","threadStackVersion","children","childIpv6Addresses",`+
		`"routerNeighbors","mleCounters"],"timeout":60}}]}`))
	post(`{"data":[{"type":"getNetworkDiagnosticTask","attributes":{"destination":"0e02020202020202","types":["extAddress","rloc16","route","childTable","children","routerNeighbors"],"timeout":60}}]}`)
	post(`{"data":[{"type":"getNetworkDiagnosticTask","attributes":{"destination":"0e07070707070707","types":["extAddress","rloc16","mode","timeout","ipv6Addresses","batteryLevel","supplyVoltage"],"timeout":60}}]}`)
	golden(t, "gen3-diagnostics", ask(s, "GET", "/api/diagnostics", "", ""))
	golden(t, "gen3-diagnostics-bare", ask(s, "GET", "/api/diagnostics", plainJSON, ""))
	golden(t, "gen3-actions", ask(s, "GET", "/api/actions", "", ""))

	w := post(`{"data":[{"type":"getNetworkDiagnosticTask","attributes":{"destination":"nope","types":["xx"],"timeout":60}}]}`)
	golden(t, "gen3-bad-request", w)
	if w.Code != 422 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("bad request: %d, %v", w.Code, w.Header())
	}
	if w := ask(s, "GET", "/node/rloc16", "", ""); w.Body.String() != "26624" {
		t.Errorf("/node/rloc16: %s, captured a number", w.Body)
	}
	const tlvs = "0E080000000000010000000300000F35060004001FFFE00208DEAD00BEEF00CAFE0708FD000DB800A00000051000112233445566778899AABBCCDDEEFF030C5468726561644D61704C61620102FACE041082BD66995AB150DE4DAB943937B2B66D0C0402A0F7F8"
	if w := ask(s, "GET", "/node/dataset/active", "text/plain", ""); w.Body.String() != tlvs {
		t.Errorf("dataset as text %s", w.Body)
	}

	fresh := newServer(t, lab(), Options{})
	b, _ := os.ReadFile("testdata/gen3-api-node-disabled.json")
	b = bytes.ReplaceAll(b, []byte("12e2f8607cda76d1"), []byte(labBorder.String())) // the address it had then
	for _, d := range compare("", decode(t, "captured", b), decode(t, "disabled", ask(fresh, "GET", "/api/node", "", "").Body.Bytes()), false) {
		t.Errorf("before the first update %s", d)
	}
}

// The types of Espressif's answers; its mesh is another one.
func TestESPSpeaksAsItsUsersPosted(t *testing.T) {
	m := lab()
	m.OMRPrefixes = []netip.Prefix{netip.MustParsePrefix("fd8a:fd34:7273:1::/64")}
	s := newServer(t, m, Options{Generation: 1, ESP: true})
	for file, path := range map[string]string{"esp-diagnostics": "/diagnostics", "esp-topology": "/topology"} {
		b, err := os.ReadFile("testdata/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		first := func(v any) any {
			if o, ok := v.(map[string]any); ok {
				v = o["result"]
			}
			return v.([]any)[0]
		}
		got := decode(t, path, ask(s, "GET", path, "", "").Body.Bytes())
		for _, d := range compare("", first(decode(t, file, b)), first(got), true) {
			t.Errorf("%s %s", file, d)
		}
		if text := fmt.Sprint(got); !strings.Contains(text, "0e01010101010101") || !strings.Contains(text, "fe80:0:0:0:c01:101:101:101") {
			t.Errorf("%s: addresses are not as Espressif writes them", path)
		}
	}
}

// Generation 2 is unproved; this is what its description says.
func TestGeneration2Words(t *testing.T) {
	s := newServer(t, lab(), Options{Generation: 2, Updated: true})
	if w := ask(s, "GET", "/diagnostics", "", ""); w.Code != 404 {
		t.Errorf("/diagnostics: %d", w.Code)
	}
	if w := ask(s, "GET", "/node", "", ""); !strings.Contains(w.Body.String(), `"0x6800"`) {
		t.Errorf("/node %s", w.Body)
	}
	ask(s, "POST", "/api/actions", "", `{"data":[{"type":"getNetworkDiagnosticTask","attributes":{"destination":"0x8400","types":["extAddress","eui64","version","ipv6Addresses","childIpv6Addresses","children","mode"]}}]}`)
	got := ask(s, "GET", "/api/diagnostics", "", "").Body.String() + ask(s, "GET", "/api/devices", "", "").Body.String()
	for _, key := range []string{"deviceTypeFTD", "connectionTime", "ip6Addresses", "version", "hostName", "eui64"} {
		if !strings.Contains(got, `"`+key+`"`) {
			t.Errorf("lacks %s", key)
		}
	}
	for newer := range gen2 {
		if strings.Contains(got, `"`+newer+`"`) {
			t.Errorf("has %s, which is of generation 3", newer)
		}
	}
}
