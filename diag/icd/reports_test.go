package icd_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/homeassistant"
	"threadmap/diag/icd"
	"threadmap/diag/matterserver"
	"threadmap/simulators/mesh"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Events of the sources are those of this package.
var (
	_ = icd.ControllerEvent(matterserver.Event{})
	_ = icd.ControllerEvent(homeassistant.Event{})
)

// of picks the observations of one event.
func of[T any](list []icd.Dated) (out []*T) {
	for _, d := range list {
		if w, ok := d.What.(*T); ok {
			out = append(out, w)
		}
	}
	return out
}

// TestFromReportsSaysWhatTheMeshIs: of every generated mesh, for every node, the
// observations say what the model says, whatever the order of the reports.
func TestFromReportsSaysWhatTheMeshIs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	checked := 0
	for seed := range uint64(60) {
		home := mesh.Random(seed, mesh.RandomOptions{Faults: int(seed % 7)})
		reports := home.Reports(mesh.ReportOptions{At: noon, RoutersOnly: seed%2 == 0, ChildTableOnly: seed%5 == 4})
		rng.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		for _, m := range home.Networks {
			v := m.View()
			for i := range m.Nodes {
				n := &m.Nodes[i]
				got := icd.FromReports(reports, nil, icd.Device{Ext: n.ExtAddr}, noon)
				holders := map[string]mesh.ChildRow{}
				answered := 0
				for k := range m.Nodes {
					if !m.Nodes[k].IsRouter() || !v.Answers(k) {
						continue
					}
					answered++
					for _, row := range v.Children(k) {
						if row.ExtAddr == n.ExtAddr {
							holders[m.Nodes[k].ExtAddr.String()] = row
						}
					}
				}
				children := of[icd.Child](got)
				nameless := seed%5 == 4 || slices.ContainsFunc(m.Faults, func(f mesh.Fault) bool { return f.Kind == mesh.FaultLostLists })
				if len(children) > len(holders) || !nameless && len(children) != len(holders) {
					t.Fatalf("seed %d, %v: %d rows, %d routers have it", seed, n.ExtAddr, len(children), len(holders))
				}
				for _, c := range children {
					row, ok := holders[c.Parent]
					switch {
					case !ok:
						t.Errorf("seed %d, %v: child of %s, which does not have it", seed, n.ExtAddr, c.Parent)
					case c.RLOC16 != diag.MakeRLOC16(row.RLOC16).String():
						t.Errorf("seed %d, %v: RLOC16 %s", seed, n.ExtAddr, c.RLOC16)
					case c.Age != nil && time.Duration(*c.Age) != row.Age, c.Margin != nil && *c.Margin != int(row.Heard.Margin):
						t.Errorf("seed %d, %v: row %+v, want age %v margin %d", seed, n.ExtAddr, c, row.Age, row.Heard.Margin)
					}
					checked++
				}
				if no := of[icd.NoChild](got); len(no) > 0 && (len(holders) > 0 || n.IsRouter() && v.Answers(i)) {
					t.Errorf("seed %d, %v: %v, but it is there", seed, n.ExtAddr, no[0])
				}
				if r := of[icd.Router](got); len(r) > answered+routersOf(home, m) {
					t.Errorf("seed %d: %d routers, %d answered", seed, len(r), answered)
				}
				for _, d := range got {
					if !d.At.Equal(noon) {
						t.Errorf("said at %v", d.At)
					}
				}
			}
		}
	}
	if checked < 500 {
		t.Errorf("only %d rows were looked at", checked)
	}
}

// routersOf counts the routers of the home's other networks: where nobody knows
// which network a device is in, theirs are told, too.
func routersOf(h *mesh.Home, but *mesh.Mesh) (n int) {
	for _, m := range h.Networks {
		for i := range m.Nodes {
			if m != but && m.Nodes[i].IsRouter() {
				n++
			}
		}
	}
	return n
}

// TestFromReportsNoChild: that nobody has the device is said only where all
// tables that were told name all their children.
func TestFromReportsNoChild(t *testing.T) {
	const x = diag.ExtAddr(0x1122334455667788)
	router := func(id uint8, rows ...diag.Neighbor) diag.Report {
		return diag.Report{Source: "thread", Session: "s", At: noon, RLOC16: diag.RouterRLOC16(id), Own: []diag.AddrClaim{{ExtAddr: 0xa0 + diag.ExtAddr(id), Witness: diag.WitnessDiagnostic}}, Children: append([]diag.Neighbor{}, rows...)}
	}
	other := diag.Neighbor{ExtAddr: 0x99, RLOC16: diag.RouterRLOC16(1).Child(3)}
	nameless := diag.Neighbor{RLOC16: diag.RouterRLOC16(1).Child(4)}
	for name, c := range map[string]struct {
		reports []diag.Report
		want    string
	}{
		"two tables":        {[]diag.Report{router(1, other), router(2)}, "[0x0400 0x0800]"},
		"a row of somebody": {[]diag.Report{router(1, other, nameless), router(2)}, ""},
		"no table":          {[]diag.Report{{Source: "thread", Session: "s", RLOC16: diag.RouterRLOC16(1), Routes: []diag.Route{}}}, ""},
		"cached":            {[]diag.Report{func() diag.Report { r := router(1); r.Cached = true; return r }()}, ""},
		"it is a router":    {[]diag.Report{router(1), {Source: "thread", Session: "s", RLOC16: diag.RouterRLOC16(9), Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}}}}, ""},
		"found":             {[]diag.Report{router(1), router(2, diag.Neighbor{ExtAddr: x, RLOC16: diag.RouterRLOC16(2).Child(1)})}, ""},
		"another network":   {[]diag.Report{func() diag.Report { r := router(1); r.Network.ExtPANID = 7; return r }(), func() diag.Report { r := router(2, diag.Neighbor{ExtAddr: x}); r.Network.ExtPANID = 8; return r }()}, ""},
	} {
		no := of[icd.NoChild](icd.FromReports(c.reports, nil, icd.Device{Ext: x}, noon))
		got := ""
		if len(no) > 0 {
			got = fmt.Sprint(no[0].Asked)
		}
		if got != c.want || len(no) > 1 {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestFromReportsMerges: the answers that a router gives one after the other
// are one row.
func TestFromReportsMerges(t *testing.T) {
	const x = diag.ExtAddr(0x1122334455667788)
	r := diag.RouterRLOC16(23)
	first := diag.Report{Source: "thread", Session: "s", At: noon, RLOC16: r, Children: []diag.Neighbor{{RLOC16: r.Child(1), Timeout: diag.Some(256 * time.Second), LinkQualityIn: diag.Some(uint8(3))}}}
	second := diag.Report{Source: "thread", Session: "s", At: noon.Add(time.Second), RLOC16: r, Children: []diag.Neighbor{{
		ExtAddr: x, RLOC16: r.Child(1), Timeout: diag.Some(240 * time.Second), Age: diag.Some(7 * time.Second), ConnectedFor: diag.Some(90 * time.Second),
		QueuedMessages: diag.Some(uint16(0)), LinkMargin: diag.Some(uint8(20)), AverageRSSI: diag.Some(int8(-70)), FrameErrorRate: diag.Some(diag.RateFromPercent(50))}}}
	for _, reports := range [][]diag.Report{{first, second}, {second, first}} {
		c := of[icd.Child](icd.FromReports(reports, nil, icd.Device{Ext: x}, noon))
		if len(c) != 1 {
			t.Fatalf("%d rows", len(c))
		}
		line, err := icd.Observation{By: "tmf", Event: "child", What: c[0]}.MarshalJSON()
		const want = `{"t":0,"by":"tmf","event":"child","parent":"0x5c00","rloc16":"0x5c01","age":7,"connected":90,"timeout":240,"queued":0,"margin":20,"rssi":-70,"fer":0.5}`
		if err != nil || string(line) != want {
			t.Errorf("%s %v, want %s", line, err, want)
		}
	}
}

func TestFromReportsValues(t *testing.T) {
	id := diag.MatterID{Fabric: 5, Node: 1<<64 - 1}
	d := icd.Device{Ext: 0xabc, Matter: []diag.MatterID{id}}
	r := diag.Report{Source: matterserver.Name, At: noon, Matter: []diag.MatterID{id}, Available: diag.Some(true), RebootCount: diag.Some(uint16(0)), UpTime: diag.Some(90 * time.Second),
		ICD: diag.Some(diag.ICD{LIT: diag.Some(true), IdleModeDuration: diag.Some(time.Hour), ActiveModeDuration: diag.Some(300 * time.Millisecond), FeatureMap: diag.Some(uint32(7)), UserActiveModeTriggerInstruction: "x\"y"})}
	say := func(r diag.Report) (out []string) {
		for _, o := range icd.FromReports([]diag.Report{r}, nil, d, noon) {
			switch w := o.What.(type) {
			case *icd.Attribute:
				out = append(out, w.Path+"="+string(w.Value))
			case *icd.Available:
				out = append(out, fmt.Sprint("available=", *w.Value))
			case *icd.Read:
				out = append(out, fmt.Sprint("read ", len(w.Values)))
			case *icd.Announce:
				out = append(out, fmt.Sprint(w.Instance, w.Host, w.Addresses, w.TXT))
			}
		}
		return out
	}
	check := func(name string, r diag.Report, want ...string) {
		t.Helper()
		if got := say(r); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	fixed := []string{"0/70/0=3600", "0/70/1=300", `0/70/7="x\"y"`}
	check("read now", r, slices.Concat([]string{"available=true", "0/51/1=0", "0/51/2=90"}, fixed, []string{"0/70/8=1", "0/70/65532=7"})...)
	r.Cached = true
	check("kept, reachable", r, slices.Concat([]string{"available=true", "0/51/1=0"}, fixed, []string{"0/70/8=1", "0/70/65532=7"})...)
	r.Available = diag.Some(false)
	check("kept, not reachable", r, slices.Concat([]string{"available=false"}, fixed, []string{"0/70/65532=7"})...)
	r.Cached, r.Source = false, "matter"
	check("own fabric", r, "read 7")
	r.Matter[0].Fabric = 6
	d.Matter = []diag.MatterID{{Fabric: 5, Node: id.Node}}
	check("another fabric's node of that number", r)
	check("announced", diag.Report{Source: "mdns", At: noon, Own: []diag.AddrClaim{{ExtAddr: 0xabc, Witness: diag.WitnessHost}}, Hosts: []string{"0000000000000abc"},
		Instances: []string{"0000000000000005-FFFFFFFFFFFFFFFF", "other"}, Addresses: []netip.Addr{netip.MustParseAddr("fd00::1")},
		ICD: diag.Some(diag.ICD{SessionIdleInterval: diag.Some(5 * time.Second), LIT: diag.Some(false)})},
		"0000000000000005-FFFFFFFFFFFFFFFF0000000000000abc[fd00::1] map[ICD:0 SII:5000]")
}

func TestFromReportsSilentAndNetdata(t *testing.T) {
	m := mesh.Lab(0)
	v := m.View()
	reports := m.Reports(mesh.ReportOptions{At: noon})
	got := icd.FromReports(reports, []diag.Problem{
		{Text: "router 0x5c00 7ad82e9d9ca02ba5 is in 2 route tables, but did not answer"}, {Text: "router 7ad82e9d9ca02ba6: did not answer"},
		{Text: "router 0x5c01 did not answer"}, {Text: "router 0x6000 is in 1 route table, but the time was over before it answered"}, {Text: "the leader did not answer"},
		{Text: "router 0x5c00 7ad82e9d9ca02ba5 is in 2 route tables, but did not answer"},
	}, icd.Device{Ext: m.Nodes[len(m.Nodes)-1].ExtAddr}, noon)
	var silent []string
	for _, w := range of[icd.RouterSilent](got) {
		silent = append(silent, w.RLOC16+" "+w.Ext)
	}
	if !slices.Equal(silent, []string{"0x5c00 7ad82e9d9ca02ba5", " 7ad82e9d9ca02ba6"}) {
		t.Errorf("silent: %q", silent)
	}
	n := of[icd.Netdata](got)
	if len(n) != len(m.Partitions) || len(n[0].SRP) == 0 || len(n[0].Prefixes) != len(m.OMRPrefixes) {
		t.Fatalf("network data: %+v of %d octets", n, len(v.NetworkData(0)))
	}
	if p := n[0].Prefixes[0]; p.Prefix != m.OMRPrefixes[0].String() || p.SLAAC == nil || !*p.SLAAC {
		t.Errorf("prefix %+v", p)
	}
	for _, s := range n[0].SRP {
		if a, err := netip.ParseAddr(s.Address); err != nil || !a.Is6() || s.Port == 0 {
			t.Errorf("SRP server %+v", s)
		}
	}
	if w, ok := icd.NetdataOf([]byte{0xff}, netip.Prefix{}); ok {
		t.Errorf("garbage: %+v", w)
	}
	if w, ok := icd.NetdataOf([]byte{}, netip.Prefix{}); !ok || w.SRP == nil || len(w.SRP) != 0 {
		t.Errorf("empty network data: %+v %v", w, ok)
	}
}

func TestFromController(t *testing.T) {
	d := icd.Device{Ext: 1, Matter: []diag.MatterID{{Fabric: 5, Node: 12}}}
	for _, c := range []struct {
		e    icd.ControllerEvent
		want string
	}{
		{icd.ControllerEvent{Kind: icd.KindAvailable, Fabric: 5, Node: 12, Available: diag.Some(false)}, `"event":"available","value":false}`},
		{icd.ControllerEvent{Kind: icd.KindAvailable, Fabric: 5, Node: 12}, ""},
		{icd.ControllerEvent{Kind: icd.KindAvailable, Fabric: 5, Node: 13, Available: diag.Some(false)}, ""},
		{icd.ControllerEvent{Kind: icd.KindAvailable, Fabric: 6, Node: 12, Available: diag.Some(false)}, ""},
		{icd.ControllerEvent{Kind: icd.KindAttribute, Node: 12, Path: "0/51/1", Value: []byte("0")}, `"event":"attribute","path":"0/51/1","value":0}`},
		{icd.ControllerEvent{Kind: icd.KindEvent, Node: 12, Cluster: 59, EventID: 1, Number: 1<<64 - 1, Text: "InitialPress"}, `"event":"event","number":18446744073709551615,"cluster":59,"event_id":1,"name":"InitialPress"}`},
		{icd.ControllerEvent{Kind: icd.KindRemoved, Node: 12}, `"event":"subscription-lost","reason":"the controller removed the device"}`},
		{icd.ControllerEvent{Kind: icd.KindEnded, Text: "x\ny"}, `"event":"log","text":"listening to the controller broke off: x y"}`},
		{icd.ControllerEvent{Kind: "new", Node: 12}, ""},
	} {
		got := ""
		for _, o := range d.FromController(icd.ByHA, noon, c.e) {
			line, err := o.MarshalJSON()
			if err != nil || !o.At.Equal(noon) {
				t.Errorf("%v %v", o.At, err)
			}
			got += string(line)
		}
		if c.want != "" {
			c.want = `{"t":0,"by":"ha",` + c.want
		}
		if got != c.want {
			t.Errorf("%+v: %s, want %s", c.e, got, c.want)
		}
	}
}
