package snapshot

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"threadmap/diag"
)

func frozenName(v int) string { return fmt.Sprintf("testdata/version%d.cbor", v) }

// frozen is what testdata/version1.cbor says: made up, but of the shape of a
// scan of one border router with one sleepy child. The file was written once,
// checked by eye in diagnostic notation (version1.txt), and is never written
// again: files like it are on people's disks.
func frozen() *diag.Scan {
	at := time.Date(2026, 11, 22, 14, 2, 3, 456789012, time.UTC)
	return &diag.Scan{
		From: at, To: at.Add(6200 * time.Millisecond), Probe: "attic", Complete: false,
		Sources: []diag.SourceState{
			{Name: "otbr", Via: "http://[fd00::1]:8081", State: diag.StateAnswered},
			{Name: "homeassistant", State: diag.StateSkipped, Hint: "threadmap login ha would add names and rooms"},
		},
		Reports: []diag.Report{
			{
				Source: "otbr", Via: "http://[fd00::1]:8081", Session: "otbr-1", At: at,
				Own:    []diag.AddrClaim{{ExtAddr: 0x0e02020202020202, Witness: diag.WitnessDiagnostic}},
				RLOC16: diag.MakeRLOC16(0x0000), BorderAgentID: "0123456789abcdef0123456789abcdef",
				Names: []diag.Name{{Value: "Küche", Kind: diag.NameHome}},
				Addresses: []netip.Addr{netip.MustParseAddr("fd00:db8::ff:fe00:0"), netip.MustParseAddr("fe80::c02:202:202:202%eth0"),
					netip.MustParseAddr("192.0.2.7")},
				Transport: diag.TransportThread, Role: diag.RoleLeader, Mode: diag.Some(diag.ModeFromTLV(0x0f)), BorderRouter: diag.Some(true),
				ThreadVersion: diag.Some[uint16](5), UpTime: diag.Some(90 * time.Second),
				Network: diag.Network{
					ExtPANID: 0xfedcba9876543210, Name: "MyHome", PANID: diag.Some[uint16](0xface), Channel: diag.Some[uint8](25),
					MeshLocalPrefix: netip.MustParsePrefix("fd00:db8::/64"), ActiveTimestamp: diag.Some[uint64](1<<16 | 1),
					OMRPrefixes: []netip.Prefix{}, BorderRouters: []diag.RLOC16{diag.MakeRLOC16(0)},
				},
				Leader: diag.LeaderData{PartitionID: diag.Some[uint32](0xffffffff), RouterID: diag.Some[uint8](0)},
				Children: []diag.Neighbor{{
					ExtAddr: 0xffffffffffffffff, RLOC16: diag.MakeRLOC16(0x0002), Mode: diag.Some(diag.ModeFromTLV(0)),
					LinkQualityIn: diag.Some[uint8](1), AverageRSSI: diag.Some[int8](-89), FrameErrorRate: diag.Some[diag.Rate](0),
					Age: diag.Some(4 * time.Minute),
				}},
				Neighbors: []diag.Neighbor{},
				Routes:    []diag.Route{{RouterID: 0, NextHop: diag.Some[uint8](63), PathCost: diag.Some[uint8](0)}},
				Counters:  map[diag.Counter]uint64{diag.TxTotalCount: 1 << 63},
			},
			{Source: "mdns", Instances: []string{"0123456789ABCDEF-0000000000000001"}, Cached: true,
				Matter: []diag.MatterID{{Fabric: 0x0123456789abcdef, Node: 1}}},
		},
		Problems: []diag.Problem{{Source: "otbr", Target: "0x5c00", Stage: diag.StageAsk, Text: "did not answer", Hint: "ask again", Partial: true}},
	}
}

func TestFrozenVersion1(t *testing.T) {
	b, err := os.ReadFile(frozenName(1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(frozen(), read(t, b), exact); diff != "" {
		t.Errorf("(-meant +read)\n%s", diff)
	}
	if version == 1 && !bytes.Equal(written(t, frozen()), b) {
		t.Error("the same scan is written differently now: that takes a new version, or, for an added key, omitzero")
	}
	notation, err := cbor.Diagnose(b)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/version1.txt")
	if err != nil {
		t.Fatal(err)
	}
	blanks := strings.NewReplacer(" ", "", "\n", "") // the file is broken into lines for people
	if blanks.Replace(notation) != blanks.Replace(string(want)) {
		t.Errorf("diagnostic notation:\n%s", notation)
	}
}

// TestNoSecrets walks the vocabulary: no field may be meant for a secret. A yes
// or no about a key is none.
func TestNoSecrets(t *testing.T) {
	secret := regexp.MustCompile(`(?i)key|psk|passw|passphrase|passcode|token|secret|credential|pin_?code|setup_?code|dataset`)
	seen := map[reflect.Type]bool{}
	fields := 0
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Slice, reflect.Array, reflect.Pointer:
			walk(path, typ.Elem())
			return
		case reflect.Map:
			walk(path+"(key)", typ.Key())
			walk(path, typ.Elem())
			return
		case reflect.Struct:
		default:
			if secret.MatchString(typ.Name()) {
				t.Errorf("%s is of type %s", path, typ)
			}
			return
		}
		if typ.PkgPath() != "threadmap/diag" || seen[typ] {
			return
		}
		seen[typ] = true
		if v, ok := optOf(typ); ok {
			walk(path, v)
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			fields++
			v, _ := optOf(f.Type)
			yesNo := f.Type.Kind() == reflect.Bool || v != nil && v.Kind() == reflect.Bool
			if !yesNo && (secret.MatchString(f.Name) || secret.MatchString(f.Tag.Get("cbor"))) {
				t.Errorf("%s.%s looks like a secret", path, f.Name)
			}
			walk(path+"."+f.Name, f.Type)
		}
	}
	walk("Scan", reflect.TypeFor[diag.Scan]())
	for _, must := range []reflect.Type{reflect.TypeFor[diag.Report](), reflect.TypeFor[diag.Neighbor](), reflect.TypeFor[diag.ICD](), reflect.TypeFor[diag.BorderAgent]()} {
		if !seen[must] {
			t.Errorf("the walk missed %s", must)
		}
	}
	if fields < 100 {
		t.Errorf("the walk saw %d fields only", fields)
	}
	for _, name := range []string{"NetworkKey", "PSKc", "psk", "Password", "access_token"} {
		if !secret.MatchString(name) {
			t.Errorf("%s would not be noticed", name)
		}
	}
}

// optOf is the type inside of a diag.Opt.
func optOf(typ reflect.Type) (reflect.Type, bool) {
	if typ.Kind() != reflect.Struct || !strings.HasPrefix(typ.Name(), "Opt[") {
		return nil, false
	}
	get, ok := typ.MethodByName("Get")
	if !ok {
		return nil, false
	}
	return get.Type.Out(0), true
}
