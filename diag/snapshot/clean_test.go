package snapshot

import (
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"threadmap/diag"
)

func known[T any](v T) diag.Opt[T] { return diag.Some(v) }

// hostileScan is a scan that no source could make.
func hostileScan() *diag.Scan {
	return &diag.Scan{
		From: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Probe: "\xff",
		Sources: []diag.SourceState{{Name: "otbr", State: "victorious"}, {State: diag.StateFailed}, {Name: "ok", State: diag.StateFailed}},
		Reports: []diag.Report{{
			Via: strings.Repeat("v", maxLine+1), At: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
			Own: []diag.AddrClaim{{ExtAddr: 0, Witness: diag.WitnessHost}, {ExtAddr: 1, Witness: 0}, {ExtAddr: 2, Witness: 6},
				{ExtAddr: 3, Witness: diag.WitnessHost}},
			BorderAgentID: "0123456789ABCDEF0123456789ABCDEF", HAPID: "AA:BB:CC:DD:EE:FF",
			Matter:    []diag.MatterID{{Node: 0}, {Node: 1}},
			Hosts:     []string{"", "h\xff", strings.Repeat("h", maxName+1), "host"},
			Instances: []string{"\xc3("},
			Names:     []diag.Name{{Value: "first of all", Kind: 0}, {Value: "x", Kind: 7}, {Value: "", Kind: 1}, {Value: "lamp", Kind: 1}},
			Addresses: []netip.Addr{{}, netip.IPv6Unspecified(), netip.MustParseAddr("fe80::1").WithZone("a b"), netip.MustParseAddr("fd00::1")},
			Transport: "carrier pigeon", Role: "king",
			Vendor: "\xff", Product: strings.Repeat("p", maxName+1), BatteryPercent: known[uint8](101), UpTime: known(time.Duration(-1)),
			ICD: known(diag.ICD{LIT: known(true), IdleModeDuration: known(time.Duration(math.MaxInt64))}),
			BorderAgent: known(diag.BorderAgent{Endpoints: []netip.AddrPort{{}, netip.MustParseAddrPort("[::]:1"),
				netip.MustParseAddrPort("[fd00::1]:0"), netip.MustParseAddrPort("[fd00::1]:49152")}}),
			Network: diag.Network{
				PANID: known[uint16](0xffff), MeshLocalPrefix: netip.MustParsePrefix("192.0.2.0/24"),
				OMRPrefixes:   []netip.Prefix{{}, netip.MustParsePrefix("fd00::1/64")},
				BorderRouters: []diag.RLOC16{{}, diag.MakeRLOC16(0)}, NetworkData: make([]byte, maxNetData+1),
			},
			Leader:      diag.LeaderData{RouterID: known[uint8](63), Weighting: known[uint8](64)},
			Children:    []diag.Neighbor{{ExtAddr: 7, LinkQualityIn: known[uint8](4), Age: known(maxDuration + 1), Timeout: known(time.Minute)}},
			Routes:      []diag.Route{{RouterID: 63}, {RouterID: 255}},
			RouterCount: known[uint8](200),
			Connectivity: known(diag.Connectivity{
				ParentPriority: -2,
			}),
			Counters: map[diag.Counter]uint64{"": 1, "Tx Total": 2, diag.Counter(strings.Repeat("x", 65)): 3, diag.TxTotalCount: math.MaxUint64},
		}, {
			Source: "otbr",
			Routes: []diag.Route{{RouterID: 62, NextHop: known[uint8](64), LinkQualityIn: known[uint8](3), LinkQualityOut: known[uint8](255)}, {RouterID: 63}},
		}},
		Problems: []diag.Problem{{Source: "otbr", Stage: "lunch", Text: strings.Repeat("é", maxLine) + "\xff"}},
	}
}

// hostileClean is what is left of it.
func hostileClean() *diag.Scan {
	return &diag.Scan{
		To:      time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Sources: []diag.SourceState{{Name: "ok", State: diag.StateFailed}},
		Reports: []diag.Report{{
			Source: "unknown",
			Own:    []diag.AddrClaim{{ExtAddr: 3, Witness: diag.WitnessHost}},
			Matter: []diag.MatterID{{Node: 1}},
			Hosts:  []string{"host"},
			Names:  []diag.Name{{Value: "lamp", Kind: diag.NameAlias}}, Addresses: []netip.Addr{netip.MustParseAddr("fd00::1")},
			ICD:         known(diag.ICD{LIT: known(true)}),
			BorderAgent: known(diag.BorderAgent{Endpoints: []netip.AddrPort{netip.MustParseAddrPort("[fd00::1]:49152")}}),
			Network: diag.Network{OMRPrefixes: []netip.Prefix{netip.MustParsePrefix("fd00::/64")},
				BorderRouters: []diag.RLOC16{diag.MakeRLOC16(0)}},
			Leader:   diag.LeaderData{Weighting: known[uint8](64)},
			Children: []diag.Neighbor{{ExtAddr: 7, Timeout: known(time.Minute)}},
			Counters: map[diag.Counter]uint64{diag.TxTotalCount: math.MaxUint64},
		}, {
			Source: "otbr",
			Routes: []diag.Route{{RouterID: 62, LinkQualityIn: known[uint8](3)}},
		}},
	}
}

// TestHostile: a file can't bring what a source can't, by whichever way it was
// made: cleaned when it is written, or when it is read.
func TestHostile(t *testing.T) {
	raw, err := diag.CBOREncoding.Marshal(file{format, version, *mended(hostileScan())})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]*diag.Scan{
		"cleaned when written": read(t, written(t, hostileScan())),
		"cleaned when read":    read(t, append([]byte("\xd9\xd9\xf7"), raw...)),
	} {
		t.Run(name, func(t *testing.T) {
			problems := got.Problems
			got.Problems = nil
			if diff := cmp.Diff(hostileClean(), got, exact); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			text := ""
			for i, p := range problems {
				if i == 0 {
					if p.Stage != diag.StageAsk || len(p.Text) > maxLine || !utf8.ValidString(p.Text) || !strings.HasSuffix(p.Text, "é…") {
						t.Errorf("the scan's own problem became %q", p)
					}
					continue
				}
				if p.Source != "snapshot" || p.Stage != diag.StageParse {
					t.Errorf("%+v", p)
				}
				text += p.Target + ": " + p.Text + "\n"
			}
			wants := []string{
				"report 1: link quality above 3: 2 taken as unknown\n", "report 1: route to a router id above 62: 3 left out\n",
				"report 1: router id above 62: 1 taken", "source 1: source in an unknown state: 1 left out\n", "unknown role", "unknown transport",
				"span of time", "battery", "PAN id 0xffff", "prefix that is not of IPv6", "problem 1: unknown stage",
			}
			if name == "cleaned when written" {
				wants = append(wants, "time outside the years 1 to 9999: 2", "text that is no UTF-8: 4")
			}
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("no word of %q in\n%s", want, text)
				}
			}
		})
	}
}

// mended makes the strings of s valid, since our encoder would make a file of
// the others that is refused for its UTF-8, and drops the time it can't write.
func mended(s *diag.Scan) *diag.Scan {
	s.From, s.Probe = time.Time{}, ""
	r := &s.Reports[0]
	r.At = time.Time{}
	r.Hosts = []string{"", strings.Repeat("h", maxName+1), "host"}
	r.Instances, r.Vendor = []string{""}, ""
	s.Problems[0].Text = strings.TrimSuffix(s.Problems[0].Text, "\xff")
	return s
}

// TestBounds: what is beyond a bound is left out and counted.
func TestBounds(t *testing.T) {
	g := newGenerator(1)
	s := &diag.Scan{Reports: make([]diag.Report, maxReports+3), Sources: make([]diag.SourceState, maxSources+2), Problems: make([]diag.Problem, maxProblems+7)}
	for i := range s.Reports {
		s.Reports[i].Source = "x"
	}
	for i := range s.Sources {
		s.Sources[i] = diag.SourceState{Name: "x", State: diag.StateFailed}
	}
	for i := range s.Problems {
		s.Problems[i] = diag.Problem{Source: "x", Stage: diag.StageAsk, Text: fmt.Sprint(i)}
	}
	s.Reports[0].Children = make([]diag.Neighbor, maxRows+5)
	s.Reports[1].Counters = map[diag.Counter]uint64{}
	for i := range 300 {
		s.Reports[1].Counters[diag.Counter(fmt.Sprintf("c%03d", i))] = g.Uint64()
	}
	got := clean(s) // what Write writes and Read returns
	if n := len(got.Reports); n != maxReports {
		t.Errorf("%d reports", n)
	}
	if n := len(got.Reports[0].Children); n != maxRows {
		t.Errorf("%d children", n)
	}
	if _, ok := got.Reports[1].Counters["c255"]; len(got.Reports[1].Counters) != 256 || !ok {
		t.Errorf("%d counters", len(got.Reports[1].Counters))
	}
	if len(got.Sources) != maxSources || len(got.Problems) != maxProblems {
		t.Errorf("%d sources, %d problems", len(got.Sources), len(got.Problems))
	}
	tail := fmt.Sprint(got.Problems[maxProblems-6:])
	for _, want := range []string{"5 left out", "44 left out", "3 left out", "2 left out", "7 left out"} {
		if !strings.Contains(tail, want) {
			t.Errorf("no %q in %s", want, tail)
		}
	}
	again := clean(got)
	if len(again.Reports) != maxReports || len(again.Sources) != maxSources || !slices.Equal(again.Problems, got.Problems) ||
		!reflect.DeepEqual(again.Reports[:2], got.Reports[:2]) {
		t.Error("cleaned again, it changed")
	}
}

// TestUndefined: CBOR's null and undefined are unknown wherever they stand, and
// a null row is no row (a zero row would be one about router 0).
func TestUndefined(t *testing.T) {
	for _, null := range []string{"\xf6", "\xf7", "\xd8\x64\xf6"} {
		b := "\xd9\xd9\xf7\xa3\x66format\x72threadmap-snapshot\x67version\x01\x68contents\xa1\x67reports\x82" +
			null + "\xa3\x66source\x61x\x66rloc16" + null + "\x71route_id_sequence" + null
		s, err := Read(strings.NewReader(b))
		if err != nil {
			t.Fatalf("%x: %v", null, err)
		}
		for _, r := range s.Reports {
			if r.Source == "unknown" {
				t.Errorf("%x was taken for a report", null)
			}
			if r.RLOC16.Known() || r.RouteIDSequence.Known() {
				t.Errorf("%x: known as %v, %v", null, r.RLOC16, r.RouteIDSequence)
			}
		}
		if len(s.Problems) == 0 {
			t.Errorf("%x: nothing was said of the null report", null)
		}
	}
}
