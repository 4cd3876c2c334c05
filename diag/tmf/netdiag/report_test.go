package netdiag

import (
	"bufio"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// A captured is one answer of testdata/answers.txt.
type captured struct {
	session string
	from    uint16 // RLOC16 or ALOC16 of the source address
	payload []byte
}

func answers(t testing.TB) (out []captured) {
	t.Helper()
	f, err := os.Open("testdata/answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		w := strings.Fields(s.Text())
		from, err := strconv.ParseUint(w[1], 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, captured{w[0], uint16(from), unhex(t, w[2])})
	}
	if s.Err() != nil || len(out) < 20 {
		t.Fatalf("%d answers, %v", len(out), s.Err())
	}
	return out
}

func split(t testing.TB, b []byte) []TLV {
	t.Helper()
	tlvs, err := SplitTLVs(b)
	if err != nil {
		t.Fatal(err)
	}
	return tlvs
}

func report(t testing.TB, from uint16, tlvs []TLV) diag.Report {
	t.Helper()
	r, errs := Report(diag.MakeRLOC16(from), tlvs)
	for _, err := range errs {
		t.Error(err)
	}
	return r
}

// The leader's answer to a request, every field of it.
func TestCapturedLeader(t *testing.T) {
	a := answers(t)[0]
	got := report(t, a.from, split(t, a.payload))
	raw := unhex(t, "03140040fdf027d3e9ad000105046800f1000702114003080007fc0103680010080b090268000b0230c2080100")
	lq := func(id, out, in, cost uint8) diag.Route {
		return diag.Route{RouterID: id, LinkQualityOut: diag.Some(out), LinkQualityIn: diag.Some(in), PathCost: diag.Some(cost)}
	}
	want := diag.Report{
		Transport: diag.TransportThread, Own: []diag.AddrClaim{{ExtAddr: 0x0e02020202020202, Witness: diag.WitnessDiagnostic}}, RLOC16: diag.MakeRLOC16(0x5c00),
		Mode:         diag.Some(full),
		Connectivity: diag.Some(diag.Connectivity{LinkQuality3: 2, IDSequence: 0xc4, ActiveRouters: 6, SEDBufferSize: diag.Some[uint16](1280), SEDDatagramCount: diag.Some[uint8](1)}),
		RouterCount:  diag.Some[uint8](6), RouteIDSequence: diag.Some[uint8](0xc4),
		Routes: []diag.Route{lq(16, 3, 3, 1), lq(22, 0, 0, 6), lq(23, 0, 0, 1), lq(26, 3, 3, 1), lq(33, 0, 0, 6), lq(48, 0, 0, 5)},
		Leader: diag.LeaderData{PartitionID: diag.Some[uint32](0x05d71bb3), Weighting: diag.Some[uint8](65), DataVersion: diag.Some[uint8](199), StableDataVersion: diag.Some[uint8](78), RouterID: diag.Some[uint8](23)},
		Network: diag.Network{MeshLocalPrefix: netip.MustParsePrefix("fd00:db8:a0::/64"), OMRPrefixes: []netip.Prefix{netip.MustParsePrefix("fdf0:27d3:e9ad:1::/64")},
			BorderRouters: []diag.RLOC16{diag.MakeRLOC16(0x6800)}, NetworkData: raw},
		BorderRouter: diag.Some(false),
		Addresses:    addrs("fdf0:27d3:e9ad:1:5a29:fd6e:f1cd:f61", "fd00:db8:a0::ff:fe00:fc00", "fd00:db8:a0::ff:fe00:5c00", "fd00:db8:a0:0:f3be:6f38:690d:c4b9", "fe80::c02:202:202:202"),
		Children:     []diag.Neighbor{{RLOC16: diag.MakeRLOC16(0x5c02), Mode: diag.Some(full), LinkQualityIn: diag.Some[uint8](3), Timeout: diag.Some(256 * time.Second)}},
		Vendor:       "RD:",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The radio graph on which everything was captured: what the router with the
// first id receives of the one with the second.
var heardIn = map[[2]uint8]uint8{
	{26, 23}: 3, {23, 26}: 3, {16, 26}: 3, {26, 16}: 2, {23, 16}: 3, {16, 23}: 3, {48, 16}: 2, {16, 48}: 1, {48, 33}: 3, {33, 48}: 3,
	{48, 22}: 3, {22, 48}: 3, {22, 33}: 1, {33, 22}: 2,
}

// The Route64s of all routers are the radio graph, both asymmetric links
// included; what an FTD child answers has no quality in it.
func TestCapturedRoutesAreTheRadioGraph(t *testing.T) {
	for _, session := range []string{"mcast-ff03-2", "ot-ctl"} {
		routers := 0
		for _, a := range answers(t) {
			if a.session != session || a.from >= 0xfc00 {
				continue
			}
			r := report(t, a.from, split(t, a.payload))
			me, _ := r.RLOC16.RouterID()
			for _, row := range r.Routes {
				in, out := heardIn[[2]uint8{me, row.RouterID}], heardIn[[2]uint8{row.RouterID, me}]
				if r.RLOC16.IsChild() {
					in, out = 0, 0
				}
				if row.LinkQualityIn != diag.Some(in) || row.LinkQualityOut != diag.Some(out) {
					t.Errorf("%s: %v about router %d: in %v out %v, want %d and %d", session, r.RLOC16, row.RouterID, row.LinkQualityIn, row.LinkQualityOut, in, out)
				}
			}
			switch {
			case r.RLOC16.IsChild():
				if r.Children != nil {
					t.Errorf("%s: a child answers with a child table", session)
				}
			case r.Children == nil:
				t.Errorf("%s: %v has no child table", session, r.RLOC16)
			default:
				routers++
			}
			if want := diag.ExtAddr(0); r.Own[0].ExtAddr == want {
				t.Errorf("%s: %v without extended address", session, r.RLOC16)
			}
		}
		// The border router whose agent is used does not answer its own multicast.
		if want := map[string]int{"mcast-ff03-2": 5, "ot-ctl": 6}[session]; routers != want {
			t.Errorf("%s: %d routers, want %d", session, routers, want)
		}
	}
}

// A sleepy child's own answer.
func TestCapturedSleepyChild(t *testing.T) {
	i := slices.IndexFunc(answers(t), func(a captured) bool { return a.from == 0x8401 })
	a := answers(t)[i]
	r := report(t, a.from, split(t, a.payload))
	if r.RLOC16 != diag.MakeRLOC16(0x8401) || r.Mode != diag.Some(diag.Mode{}) || r.Timeout != diag.Some(240*time.Second) || len(r.Addresses) != 4 || r.Routes != nil || r.Children != nil {
		t.Errorf("%+v", r)
	}
}

// The answer to a query for children, their addresses and router neighbors.
func TestCapturedLists(t *testing.T) {
	all := answers(t)
	byID := func(session string, id uint16) []TLV {
		var a Assembly
		for _, c := range all {
			tlvs := split(t, c.payload)
			v, ok := Find(tlvs, TypeQueryID)
			if !ok || c.session != session {
				continue
			}
			if got, err := ParseQueryID(v); err != nil || got != id {
				continue
			}
			if fresh, err := a.Add(tlvs); !fresh || err != nil {
				t.Errorf("message of query %04x: %v, %v", id, fresh, err)
			}
		}
		if !a.Complete() {
			t.Fatalf("query %04x: not complete", id)
		}
		return a.TLVs()
	}
	r := report(t, 0x5c00, byID("queries", 0x5109))
	want := diag.Neighbor{ExtAddr: 0x0e09090909090909, RLOC16: diag.MakeRLOC16(0x5c02), Mode: diag.Some(full), ThreadVersion: diag.Some[uint16](5),
		Timeout: diag.Some(240 * time.Second), Age: diag.Some(187 * time.Second), ConnectedFor: diag.Some(187 * time.Second), Supervision: diag.Some(time.Duration(0)),
		LinkMargin: diag.Some[uint8](50), AverageRSSI: diag.Some[int8](-50), LastRSSI: diag.Some[int8](-50), FrameErrorRate: diag.Some(diag.Rate(0)),
		MessageErrorRate: diag.Some(diag.Rate(0)), QueuedMessages: diag.Some[uint16](0), CSLSynchronized: diag.Some(false)}
	if len(r.Children) != 1 || !reflect.DeepEqual(r.Children[0], want) {
		t.Errorf("children %+v", r.Children)
	}
	if len(r.Neighbors) != 2 || r.Neighbors[0].ExtAddr != 0x0e03030303030303 || r.Neighbors[1].RLOC16 != diag.MakeRLOC16(0x6800) || r.Neighbors[1].ConnectedFor != diag.Some(102*time.Second) {
		t.Errorf("neighbors %+v", r.Neighbors)
	}
	// What c000 hears of 4000 is weaker than the rest: the asymmetric link.
	r = report(t, 0xc000, byID("queries", 0x510a))
	if r.Own[0].ExtAddr != 0x0e04040404040404 || len(r.Neighbors) != 3 || r.Neighbors[0].AverageRSSI != diag.Some[int8](-85) || r.Neighbors[0].LinkMargin != diag.Some[uint8](15) {
		t.Errorf("%+v", r)
	}
	r = report(t, 0x8400, byID("queries", 0x510b))
	if len(r.Children) != 1 || !slices.Equal(r.Children[0].Addresses, addrs("fd00:db8:a0:0:369f:fbf3:79a9:e8a8", "fdf0:27d3:e9ad:1:bbe8:dd7c:4035:44f0")) || r.Children[0].Supervision != diag.Some(129*time.Second) {
		t.Errorf("%+v", r.Children)
	}
	// Twenty children, in two messages, with addresses in a query of their own.
	r = report(t, 0xc000, append(byID("20children", 0x5108), byID("20children", 0x510a)...))
	if len(r.Children) != 20 {
		t.Errorf("%d children", len(r.Children))
	}
	for i, c := range r.Children {
		if c.RLOC16 != diag.MakeRLOC16(0xc003+uint16(i)) || c.Mode != diag.Some(diag.Mode{RxOnWhenIdle: true, FullNetworkData: true}) || c.AverageRSSI != diag.Some[int8](-50) {
			t.Errorf("child %d: %+v", i, c)
		}
	}
	// And all lists at once, in three messages.
	r = report(t, 0xc000, byID("20children", 0x510c))
	if len(r.Children) != 20 || len(r.Neighbors) != 3 || len(r.Addresses) != 4 {
		t.Errorf("%d children, %d neighbors, %d addresses", len(r.Children), len(r.Neighbors), len(r.Addresses))
	}
	for _, c := range r.Children {
		if len(c.Addresses) != 2 || c.ExtAddr == 0 || c.LinkQualityIn != diag.Some[uint8](3) {
			t.Errorf("%+v", c)
		}
	}
}

func TestQuirks(t *testing.T) {
	c := func(id uint16, x diag.ExtAddr) []byte {
		return AppendChild(nil, Child{RLOC16: diag.MakeRLOC16(id), ExtAddr: x, LinkMargin: 3, AverageRSSI: NoRSSI, LastRSSI: NoRSSI})
	}
	table := AppendChildTable(nil, []ChildTableRow{{1, 12, 3, diag.Mode{}}, {2, 3, 0, full}})
	end := func(typ uint8) []byte { return AppendListEnd(nil, typ) }
	for _, tt := range []struct {
		name string
		tlvs [][]byte
		ok   func(diag.Report) bool
		errs int
	}{
		{name: "nothing said", ok: func(r diag.Report) bool {
			return r.Children == nil && r.Neighbors == nil && r.Routes == nil && !r.BorderRouter.Known()
		}},
		{name: "an empty list is a word", tlvs: [][]byte{end(29), end(31)}, ok: func(r diag.Report) bool {
			return r.Children != nil && len(r.Children) == 0 && r.Neighbors != nil && len(r.Neighbors) == 0
		}},
		{name: "an empty list beside a full table got lost", tlvs: [][]byte{table, end(29)}, ok: func(r diag.Report) bool { return len(r.Children) == 2 && r.Children[0].ExtAddr == 0 }},
		{name: "quality 0 is not told", tlvs: [][]byte{table}, ok: func(r diag.Report) bool {
			return r.Children[0].LinkQualityIn == diag.Some[uint8](3) && !r.Children[1].LinkQualityIn.Known() && r.Children[1].Timeout == diag.Some(time.Second)
		}},
		{name: "a list shorter than the table", tlvs: [][]byte{c(0x4402, 7), end(29), table}, ok: func(r diag.Report) bool {
			return len(r.Children) == 2 && r.Children[0].ExtAddr == 0 && r.Children[1].ExtAddr == 7 && !r.Children[1].AverageRSSI.Known() && !r.Children[1].LinkMargin.Known()
		}},
		{name: "an empty neighbor list beside links got lost", errs: 1, tlvs: [][]byte{end(31), AppendRoute64(nil, Route64{1, []Route64Row{{17, 0, 0, 1}, {18, 3, 3, 1}}})},
			ok: func(r diag.Report) bool { return r.Neighbors == nil }},
		{name: "an extended address of zero is none", tlvs: [][]byte{AppendExtAddress(nil, 0)}, ok: func(r diag.Report) bool { return r.Own == nil }},
		{name: "its own word for its RLOC16 goes first", tlvs: [][]byte{AppendAddress16(nil, diag.MakeRLOC16(0))}, ok: func(r diag.Report) bool { return r.RLOC16 == diag.MakeRLOC16(0) }},
		{name: "next hops beside costs", tlvs: [][]byte{AppendRoute64(nil, Route64{9, []Route64Row{{17, 0, 0, 1}, {18, 3, 2, 2}}}), AppendEnhancedRoute(nil, []EnhancedRouteRow{{RouterID: 17, Self: true, NextHop: 63}, {RouterID: 18, HasLink: true, LQOut: 3, LQIn: 2, NextHop: 63}})},
			ok: func(r diag.Report) bool {
				return len(r.Routes) == 2 && r.Routes[1].PathCost == diag.Some[uint8](2) && r.Routes[1].LinkEstablished == diag.Some(true) && r.Routes[0].NextHop == diag.Some[uint8](63)
			}},
		{name: "next hops alone", tlvs: [][]byte{AppendEnhancedRoute(nil, []EnhancedRouteRow{{RouterID: 18, LQOut: 0, LQIn: 0, NextHop: 3, Cost: 2}})},
			ok: func(r diag.Report) bool {
				return len(r.Routes) == 1 && !r.Routes[0].PathCost.Known() && r.Routes[0].NextHop == diag.Some[uint8](3)
			}},
		{name: "border routing at work", tlvs: [][]byte{AppendBRState(nil, BRRunning)}, ok: func(r diag.Report) bool { return r.BorderRouter == diag.Some(true) }},
		{name: "border routing off says nothing", tlvs: [][]byte{AppendBRState(nil, BRDisabled)}, ok: func(r diag.Report) bool { return !r.BorderRouter.Known() }},
		{name: "named in its own network data", tlvs: [][]byte{AppendTLV(nil, TypeNetworkData, unhex(t, "03080007fc0103440010"))}, ok: func(r diag.Report) bool { return r.BorderRouter == diag.Some(true) }},
		{name: "version zero is none", tlvs: [][]byte{AppendVersion(nil, 0)}, ok: func(r diag.Report) bool { return !r.ThreadVersion.Known() }},
		{name: "a broken TLV costs only itself", errs: 1, tlvs: [][]byte{{TypeMode, 0}, AppendVersion(nil, 4)}, ok: func(r diag.Report) bool { return !r.Mode.Known() && r.ThreadVersion == diag.Some[uint16](4) }},
		{name: "counters", tlvs: [][]byte{AppendMACCounters(nil, MACCounters{8: 1<<32 - 1}), AppendMLECounters(nil, MLECounters{[9]uint16{8: 3}, [6]uint64{1<<64 - 1}})},
			ok: func(r diag.Report) bool {
				return r.Counters[diag.IfOutDiscards] == 1<<32-1 && r.Counters[diag.ParentChangeCount] == 3 && r.Counters[diag.TrackedMillis] == 1<<64-1 && len(r.Counters) == 24
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tlvs := split(t, slices.Concat(tt.tlvs...))
			r, errs := Report(diag.MakeRLOC16(0x4400), tlvs)
			if !tt.ok(r) || len(errs) != tt.errs {
				t.Errorf("%+v, %v", r, errs)
			}
		})
	}
}

func TestAssembly(t *testing.T) {
	msg := func(index uint16, last bool, body ...byte) []TLV {
		b := AppendAnswer(AppendTLV(AppendQueryID(nil, 7), 99, body), Answer{index, last})
		return split(t, b)
	}
	var a Assembly
	if a.Started() || a.Complete() {
		t.Error("an empty one is started or complete")
	}
	for _, s := range []struct {
		tlvs            []TLV
		fresh, bad, all bool
	}{
		{tlvs: msg(2, true, 3), fresh: true},
		{tlvs: msg(0, false, 1), fresh: true},
		{tlvs: msg(0, false, 9)},
		{tlvs: msg(3, false, 9), bad: true},
		{tlvs: msg(1, true, 9), bad: true},
		{tlvs: msg(1, false, 2), fresh: true, all: true},
	} {
		fresh, err := a.Add(s.tlvs)
		if fresh != s.fresh || (err != nil) != s.bad || a.Complete() != s.all {
			t.Errorf("%v: fresh %v, %v, complete %v", s.tlvs, fresh, err, a.Complete())
		}
	}
	if got := a.TLVs(); !reflect.DeepEqual(got, []TLV{{99, []byte{1}}, {99, []byte{2}}, {99, []byte{3}}}) {
		t.Errorf("%v", got)
	}
	var single Assembly
	if _, err := single.Add(split(t, []byte{99, 0})); err != nil || !single.Complete() {
		t.Errorf("a message without Answer TLV: %v", err)
	}
	var late Assembly
	late.Add(msg(5, false))
	if _, err := late.Add(msg(1, true)); err == nil {
		t.Error("a last message before one that is there is taken")
	}
	var big Assembly
	for i := range uint16(100) {
		if _, err := big.Add(msg(i, false, make([]byte, 1000)...)); err != nil {
			return
		}
	}
	t.Error("an answer without end is kept")
}

// Whatever a node says, the report keeps the rules of diag.Report.
func FuzzReport(f *testing.F) {
	for _, a := range answers(f) {
		f.Add(a.from, a.payload)
	}
	for _, c := range codecs {
		f.Add(uint16(0x4400), unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, from uint16, b []byte) {
		tlvs, _ := SplitTLVs(b)
		r, _ := Report(diag.MakeRLOC16(from), tlvs)
		for _, o := range r.Own {
			if o.ExtAddr == 0 {
				t.Error("an own address of zero")
			}
		}
		for _, c := range r.Children {
			if lq, known := c.LinkQualityIn.Get(); known && (lq == 0 || lq > 3) {
				t.Errorf("quality %d", lq)
			}
		}
		for i, w := range r.Routes {
			if w.RouterID > diag.MaxRouterID || i > 0 && w.RouterID <= r.Routes[i-1].RouterID {
				t.Errorf("routes %v", r.Routes)
			}
		}
		var a Assembly
		a.Add(tlvs)
		a.TLVs()
	})
}
