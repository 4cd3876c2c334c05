package redact

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/snapshot"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

var (
	at  = time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	key = bytes.Repeat([]byte{7}, 32)
)

// leftOut are the fields of the vocabulary that a redacted report never has.
var leftOut = map[string]bool{
	"Report.Room": true, "Neighbor.LinkFrameCounter": true, "Neighbor.MLEFrameCounter": true,
	"SourceState.Hint": true, "Problem.Hint": true, "Scan.Probe": true,
}

// canary is text that must not come out.
const canary = "Zanzibar"

// fill sets every field of a value to something that would tell whose home it is,
// or to something that must stay.
func fill(v reflect.Value, name string) {
	switch x := v.Addr().Interface().(type) {
	case *diag.Opt[diag.Mode]:
		*x = diag.Some(diag.Mode{RxOnWhenIdle: true})
		return
	case *diag.Opt[diag.ICD]:
		var icd diag.ICD
		fill(reflect.ValueOf(&icd).Elem(), "ICD")
		*x = diag.Some(icd)
		return
	case *diag.Opt[diag.BorderAgent]:
		var ba diag.BorderAgent
		fill(reflect.ValueOf(&ba).Elem(), "BorderAgent")
		*x = diag.Some(ba)
		return
	case *diag.Opt[diag.Connectivity]:
		*x = diag.Some(diag.Connectivity{ParentPriority: 1})
		return
	case *diag.Opt[bool]:
		*x = diag.Some(true)
		return
	case *diag.Opt[uint8]:
		*x = diag.Some(uint8(3))
		return
	case *diag.Opt[int8]:
		*x = diag.Some(int8(-60))
		return
	case *diag.Opt[uint16]:
		*x = diag.Some(uint16(0xcafe))
		return
	case *diag.Opt[uint32]:
		*x = diag.Some(uint32(77))
		return
	case *diag.Opt[uint64]:
		*x = diag.Some(uint64(78))
		return
	case *diag.Opt[time.Duration]:
		*x = diag.Some(time.Minute)
		return
	case *diag.Opt[diag.Rate]:
		*x = diag.Some(diag.Rate(5))
		return
	case *diag.RLOC16:
		*x = diag.MakeRLOC16(0x5c01)
		return
	case *time.Time:
		*x = at
		return
	case *netip.Addr:
		*x = netip.MustParseAddr("2a02:1234:5678:9abc::dead:beef")
		return
	case *netip.AddrPort:
		*x = netip.MustParseAddrPort("[2a02:1234:5678:9abc::dead:beef]:49154")
		return
	case *netip.Prefix:
		*x = netip.MustParsePrefix("2a02:1234:5678:9abc::/64")
		return
	case *diag.Witness:
		*x = diag.WitnessDiagnostic
		return
	case *diag.NameKind:
		*x = diag.NameHome
		return
	case *map[diag.Counter]uint64:
		*x = map[diag.Counter]uint64{diag.TxTotalCount: 9, canary: 1}
		return
	case *[]byte:
		*x = []byte{4<<1 | 1, 7, 8, 1, 0xff, 9, 2, 0x5c, 0x00, 3, 4, 0x2a, 0x02, 0x12, 0x34}
		return
	case *diag.State:
		*x = diag.StateAnswered
		return
	case *diag.Stage:
		*x = diag.StageAsk
		return
	case *diag.Role:
		*x = diag.RoleRouter
		return
	case *diag.Transport:
		*x = diag.TransportThread
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(map[string]string{
			"Report.Source": "otbr", "SourceState.Name": "otbr", "Problem.Source": "otbr", "Report.Vendor": "Eve", "Report.Product": "Eve Energy", "Report.Firmware": "3.2.1.0",
			"Report.ThreadStack": "OPENTHREAD/thread-reference-20250612-12-g1fceb225b; NRF52840",
			"Report.HAPID":       "c0:ff:ee:c0:ff:ee", "Report.BorderAgentID": "c0ffeec0ffeec0ffeec0ffeec0ffee00",
			"Problem.Text": "GET http://" + canary + ".local:8081/node: connection refused",
		}[name])
		if v.String() == "" {
			v.SetString(canary)
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
		if v.Kind() == reflect.Uint64 {
			v.SetUint(0xc0ffee00c0ffee00)
		}
	case reflect.Int8, reflect.Int64:
		v.SetInt(5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name)
		}
	default:
		panic(fmt.Sprintf("%s: what is a %v?", name, v.Type()))
	}
}

// holes lists the fields of a value that are not set.
func holes(v reflect.Value, name string, out *[]string) {
	switch v.Interface().(type) {
	case diag.Scan, diag.Report, diag.Network, diag.LeaderData, diag.Neighbor, diag.Route, diag.AddrClaim, diag.MatterID, diag.Name, diag.SourceState, diag.Problem:
		for i := range v.NumField() {
			holes(v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name, out)
		}
		return
	}
	if v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 {
		*out = append(*out, name)
	} else if v.Kind() == reflect.Slice {
		holes(v.Index(0), name, out)
	}
}

// TestEveryFieldIsDecided: of a report in which every field is set, each is kept
// or replaced, unless the list above says that it is left out. A new field of the
// vocabulary fails here until somebody decides.
func TestEveryFieldIsDecided(t *testing.T) {
	var s diag.Scan
	fill(reflect.ValueOf(&s).Elem(), "Scan")
	out := New(key).Scan(&s)
	var missing []string
	holes(reflect.ValueOf(out).Elem(), "Scan", &missing)
	for _, name := range missing {
		if !leftOut[name] {
			t.Errorf("%s is not in a redacted scan: keep it, replace it, or list it as left out", name)
		}
	}
	for name := range leftOut {
		if !slices.Contains(missing, name) {
			t.Errorf("%s is to be left out", name)
		}
	}
	text := fmt.Sprintf("%+v", out)
	for _, bad := range []string{canary, "c0ffee", "C0FFEE", "c0:ff:ee", "cafe", "2a02", "1234:5678", "dead:beef", "51966" /* 0xcafe */} {
		if strings.Contains(text, bad) && !(bad == "51966" && onlyNumbers(out)) {
			t.Errorf("%q is in %s", bad, text)
		}
	}
	if again := New(key).Scan(&s); !reflect.DeepEqual(out, again) {
		t.Error("pseudonyms of one key differ")
	}
	if other := New([]byte("another")).Scan(&s); other.Reports[0].Own[0] == out.Reports[0].Own[0] || other.Reports[0].Via == out.Reports[0].Via {
		t.Error("pseudonyms of two keys are the same")
	}
}

// onlyNumbers reports whether 0xcafe stands only where numbers of devices do, not
// where the PAN id does.
func onlyNumbers(s *diag.Scan) bool {
	id, _ := s.Reports[0].Network.PANID.Get()
	return id != 0xcafe
}

// homes are meshes of several makes.
func homes() map[string]*mesh.Home {
	out := map[string]*mesh.Home{"lab": {Name: "Lab", Networks: []*mesh.Mesh{mesh.Lab(0)}}, "home": mesh.HomeOf50(3)}
	for seed := range uint64(10) {
		out[fmt.Sprint("random ", seed)] = mesh.Random(seed, mesh.RandomOptions{})
	}
	return out
}

// shape is a map without what names anybody: how many nodes of each kind there are
// and how they hang together.
func shape(m *topology.Map) []string {
	var out []string
	describe := func(n *topology.Node) string {
		parent, conf := "", n.ParentConfidence
		if n.Parent != nil {
			parent = n.Parent.RLOC16.String()
		}
		return fmt.Sprintf("%s %s %v %s child of %s %s, %d children, conflicts %d, partition %v, product %q", n.RLOC16, n.Role, n.BorderRouter, n.State, parent, conf, len(n.Children), len(n.Conflicts), n.Partition, n.Product)
	}
	for _, n := range m.Nodes {
		out = append(out, describe(n))
	}
	for _, l := range m.Links {
		a, b := describe(l.A)+fmt.Sprint(l.AToB), describe(l.B)+fmt.Sprint(l.BToA)
		out = append(out, fmt.Sprint(min(a, b), max(a, b), l.Kind, l.State, l.Confidence, l.Age))
	}
	for _, n := range m.Networks {
		out = append(out, fmt.Sprint("network ", n.Channel, len(n.Partitions), len(n.OMRPrefixes), n.MeshLocalPrefix.IsValid(), n.Name != "", len(n.Conflicts)))
	}
	slices.Sort(out)
	return out
}

// TestShapeStays: what is inferred from a redacted scan is what is inferred from
// the scan, but for who is who.
func TestShapeStays(t *testing.T) {
	for name, h := range homes() {
		for _, o := range []mesh.ReportOptions{{At: at, Names: true}, {At: at, RouteTable: true}, {At: at, ChildTableOnly: true, RoutersOnly: true}, {At: at, NoNetwork: true}} {
			s := &diag.Scan{To: at, Reports: h.Reports(o)}
			want, got := shape(topology.Build(s.Reports)), shape(topology.Build(New(key).Scan(s).Reports))
			if !slices.Equal(want, got) {
				for i := range min(len(want), len(got)) {
					if want[i] != got[i] {
						t.Fatalf("%s %+v:\nwant %s\ngot  %s", name, o, want[i], got[i])
					}
				}
				t.Fatalf("%s: %d lines, want %d", name, len(got), len(want))
			}
		}
	}
}

// TestScanStays: redacting changes nothing of what is redacted, and the result can
// be saved and read again.
func TestScanStays(t *testing.T) {
	for name, h := range homes() {
		s := &diag.Scan{From: at, To: at, Complete: true, Reports: h.Reports(mesh.ReportOptions{At: at, Names: true})}
		before := fmt.Sprintf("%+v", s)
		out := New(key).Scan(s)
		if fmt.Sprintf("%+v", s) != before {
			t.Errorf("%s was changed", name)
		}
		var b bytes.Buffer
		if err := snapshot.Write(&b, out); err != nil {
			t.Fatal(name, err)
		}
		back, err := snapshot.Read(&b)
		if err != nil || len(back.Problems) != 0 || len(back.Reports) != len(out.Reports) {
			t.Errorf("%s: %v, %v", name, err, back.Problems)
		}
	}
}

// TestAddresses: what Thread makes of an address stays visible, and nothing else.
func TestAddresses(t *testing.T) {
	r := New(key)
	x := diag.ExtAddr(0x86c42aee25485123)
	ll, _ := r.address(x.LinkLocal())
	if got, ok := diag.ExtAddrFromLinkLocal(ll); !ok || got != r.ext(x) || got == x {
		t.Errorf("link-local %v of %v", ll, got)
	}
	p := netip.MustParsePrefix("fd12:3456:789a:bcde::/64")
	rp := r.prefix(p)
	for _, s := range []string{"fd12:3456:789a:bcde:0:ff:fe00:5c01", "fd12:3456:789a:bcde:1111:2222:3333:4444"} {
		a := netip.MustParseAddr(s)
		got, ok := r.address(a)
		if !ok || !rp.Contains(got) || got.As16()[0] != 0xfd || strings.Contains(got.String(), "3456") {
			t.Errorf("%v became %v, prefix %v", a, got, rp)
		}
		was, _, isLocator := diag.RLOC16FromAddr(a)
		is, _, _ := diag.RLOC16FromAddr(got)
		if was != is || isLocator != is.Known() {
			t.Errorf("%v became %v", a, got)
		}
	}
	global, _ := r.address(netip.MustParseAddr("2a02:1234::1"))
	if !netip.MustParsePrefix("3fff::/20").Contains(global) || !global.IsGlobalUnicast() {
		t.Errorf("global: %v", global)
	}
	for _, s := range []string{"192.168.1.7", "::1", "ff02::1", "::ffff:192.168.1.7", "::"} {
		if a, ok := r.address(netip.MustParseAddr(s)); ok {
			t.Errorf("%s became %v", s, a)
		}
	}
	if got := r.prefix(netip.MustParsePrefix("fd12:3456::/32")); got.Bits() != 32 || strings.Contains(got.String(), "3456") {
		t.Errorf("short prefix %v", got)
	}
	if r.prefix(netip.Prefix{}).IsValid() || r.prefix(netip.MustParsePrefix("10.0.0.0/8")).IsValid() {
		t.Error("a prefix came from nothing")
	}
	if r.ext(0) != 0 || r.host("") != "" || r.borderAgent("") != "" || r.hap("") != "" {
		t.Error("the unknown got a pseudonym")
	}
}

// TestNamesOfServices: hosts and instances of one node stay its own.
func TestNamesOfServices(t *testing.T) {
	r := New(key)
	x := diag.ExtAddr(0x0e01010101010101)
	if got := r.host("0E01010101010101"); got != strings.ToUpper(r.ext(x).String()) && got != r.ext(x).String() {
		t.Errorf("host %q of %v", got, r.ext(x))
	}
	m := r.matter(diag.MatterID{Fabric: 0x87e1b004e235a130, Node: 0x8fc7772401cd0696})
	if got, want := r.instance("87E1B004E235A130-8FC7772401CD0696"), fmt.Sprintf("%016X-%016X", m.Fabric, m.Node); got != want {
		t.Errorf("instance %q, want %q", got, want)
	}
	for _, s := range []string{"Kitchen HomePod", "87E1B004E235A130-x", "-", "0e0101010101010", "87E1B004E235A130-8FC7772401CD069G"} {
		if got := r.instance(s); !strings.HasPrefix(got, "instance-") || len(got) != len("instance-")+8 {
			t.Errorf("%q became %q", s, got)
		}
	}
	if r.host("Kitchen") != r.host("kitchen") {
		t.Error("the case of a host matters")
	}
}

// TestSwappedAddress: an address that an old stack sends in the wrong order of
// octets is the same node's afterwards.
func TestSwappedAddress(t *testing.T) {
	x := diag.ExtAddr(0x0123456789abcdef)
	out := New(key).Scan(&diag.Scan{Reports: []diag.Report{
		{Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessHost}}},
		{Own: []diag.AddrClaim{{ExtAddr: x.Swapped(), Witness: diag.WitnessAttribute}}},
		{Own: []diag.AddrClaim{{ExtAddr: 5, Witness: diag.WitnessAttribute}}},
	}})
	if a, b := out.Reports[0].Own[0].ExtAddr, out.Reports[1].Own[0].ExtAddr; a.Swapped() != b || a == x {
		t.Error(a, b)
	}
}

func TestReason(t *testing.T) {
	for in, want := range map[string]string{
		`Get "http://anna.local:8081/node": dial tcp 192.168.1.7:8081: connect: connection refused`: "the connection was refused",
		"status 404 Not Found from anna.local":                                                      "HTTP status 404 " + withheld,
		"Anna's border router said: go away":                                                        withheld,
		"":                                                                                          withheld,
		"did not answer within 5 s (fd12::1)":                                                       "it did not answer",
		"x509: certificate signed by unknown authority \"Anna Corp\"":                               "its certificate is not trusted",
		strings.Repeat("x", 1<<20) + "timed out":                                                    withheld,
	} {
		if got := reason(in); got != want {
			t.Errorf("%.60q: %q, want %q", in, got, want)
		}
	}
}

func TestMakers(t *testing.T) {
	for in, keep := range map[string]bool{
		"Eve Energy 20EBO8301": true, "HomePod mini": true, "3.2.1.0": true, "OPENTHREAD/thread-reference-20250612-12-g1fceb225b; NRF52840": true, "2026.8.1": true,
		"0e01010101010101": false, "Lamp 0e:01:01:01:01:01": false, "at 192.168.1.7": false, "fd12::1": false, "http://anna.local": false, "anna@example.org": false, "10.1.2.3": false, strings.Repeat("x", 81): false,
	} {
		if got := makers(in); (got == in) != keep || got != in && got != "" {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// FuzzScan: whatever a snapshot holds, nothing panics and no text of it that is
// not a maker's comes out.
func FuzzScan(f *testing.F) {
	f.Add("Zanzibar lamp", "kitchen", uint64(0x0e01010101010101), []byte{9, 4, 9, 2, 0x5c, 0})
	f.Add("\x00\xff", strings.Repeat("-", 300), uint64(0), []byte{9})
	f.Fuzz(func(t *testing.T, name, host string, x uint64, data []byte) {
		name, host = "Zanzibar "+name, "Zanzibar"+host
		s := &diag.Scan{Probe: name, Reports: []diag.Report{{
			Source: name, Via: host, Session: name, Own: []diag.AddrClaim{{ExtAddr: diag.ExtAddr(x), Witness: diag.Witness(x)}}, BorderAgentID: name, HAPID: host, Hosts: []string{host}, Instances: []string{name, host},
			Names: []diag.Name{{Value: name, Kind: diag.NameHome}}, Room: name, Role: diag.Role(name), Transport: diag.Transport(host), Counters: map[diag.Counter]uint64{diag.Counter(name): x},
			Network: diag.Network{Name: name, ExtPANID: diag.PANID64(x), NetworkData: data},
		}}, Sources: []diag.SourceState{{Name: name, Via: host, State: diag.State(name), Hint: name}}, Problems: []diag.Problem{{Source: name, Target: host, Stage: diag.Stage(name), Text: name, Hint: host}}}
		out := New(key).Scan(s)
		if text := fmt.Sprintf("%+v", out); strings.Contains(text, "Zanzibar") {
			t.Error(text)
		}
		if got := out.Reports[0].Network.NetworkData; len(got) > 6 {
			t.Errorf("network data %x", got)
		}
	})
}
