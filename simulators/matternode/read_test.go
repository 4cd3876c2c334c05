package matternode

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/simulators/mesh"
)

// What a scan asks: the Thread cluster, and some attributes of others.
var scanPaths = []im.AttributePath{
	im.Whole(0, threadNetworkDiagnostics), im.One(0, generalDiagnostics, 0), im.One(0, generalDiagnostics, 1), im.One(0, generalDiagnostics, 2),
	im.One(0, networkCommissioning, featureMap), im.One(0, networkCommissioning, 10), im.Whole(0, basicInformation), im.Whole(0, icdManagement), im.Whole(1, powerSource),
}

// reported is what the product makes of a node's answer.
func reported(t *testing.T, g *stage, s *session.Secure) diag.Report {
	t.Helper()
	attrs := cluster.Attributes{}
	for v := range g.read(s, scanPaths...).Attributes.Values() {
		if v.Err != nil {
			t.Fatalf("%v: %v", v.Path, v.Err)
		}
		if v.Data == nil {
			continue
		}
		x, err := cluster.FromTLV(cluster.Path(v.Path), v.Data)
		if err != nil {
			t.Fatalf("%v: %v", v.Path, err)
		}
		attrs[cluster.Path(v.Path)] = x
	}
	r, problems := cluster.Report(attrs)
	if len(problems) > 0 {
		t.Errorf("%s: %q", r.Names, problems)
	}
	return r
}

// truth is what the model says of node i in the words of Matter.
func truth(v *mesh.View, i int) diag.Report {
	n := v.Node(i)
	r := v.Report(i, mesh.ReportOptions{RouteTable: true, Names: true})
	w := diag.Report{
		Own:    []diag.AddrClaim{{ExtAddr: n.ExtAddr, Witness: diag.WitnessInterface}, {ExtAddr: n.ExtAddr, Witness: diag.WitnessAttribute}},
		RLOC16: r.RLOC16, Addresses: r.Addresses, Transport: diag.TransportThread, Role: r.Role, ThreadVersion: r.ThreadVersion,
		Vendor: n.Vendor, Product: n.Model, Firmware: n.Firmware, Names: []diag.Name{{Value: n.Name, Kind: diag.NameLabel}},
		Leader: r.Leader, Children: r.Children, Neighbors: r.Neighbors, Routes: r.Routes, BatteryPercent: r.BatteryPercent,
		RebootCount: diag.Some(uint16(3)),
	}
	w.Network = diag.Network{
		ExtPANID: r.Network.ExtPANID, Name: r.Network.Name, PANID: r.Network.PANID, Channel: r.Network.Channel,
		MeshLocalPrefix: r.Network.MeshLocalPrefix, ActiveTimestamp: r.Network.ActiveTimestamp,
	}
	w.Addresses = w.Addresses[:min(len(w.Addresses), 8)]
	if !n.Mode.FullThreadDevice { // one row: its parent
		w.Children = nil
		w.Routes = []diag.Route{}
		if p, ok := v.ParentRow(i); ok {
			w.Routes = append(w.Routes, diag.Route{
				RouterID: uint8(p.RLOC16 >> 10), ExtAddr: p.ExtAddr, NextHop: diag.Some(uint8(p.RLOC16 >> 10)), PathCost: diag.Some(uint8(0)),
				LinkQualityIn: diag.Some(p.Heard.LQ), LinkQualityOut: diag.Some(p.Heard.LQ), Age: diag.Some(p.Age % (256 * time.Second)),
				LinkEstablished: diag.Some(true), Allocated: diag.Some(true),
			})
		}
	}
	if r.Role == diag.RoleREED { // it could have children, and has none
		w.Children = []diag.Neighbor{}
	}
	// Of a row the cluster says less, and in whole seconds and percents.
	row := func(n *diag.Neighbor, mode diag.Mode) {
		*n = diag.Neighbor{
			ExtAddr: n.ExtAddr, RLOC16: n.RLOC16, LinkQualityIn: n.LinkQualityIn, AverageRSSI: n.AverageRSSI, LastRSSI: n.LastRSSI,
			FrameErrorRate: wholePercent(n.FrameErrorRate), MessageErrorRate: wholePercent(n.MessageErrorRate), Age: wholeSeconds(n.Age), Mode: diag.Some(mode),
			LinkFrameCounter: diag.Some(uint32(n.ExtAddr)), MLEFrameCounter: diag.Some(uint32(uint64(n.ExtAddr) >> 32 % 200000)),
		}
	}
	for k := range w.Children {
		mode, _ := w.Children[k].Mode.Get()
		row(&w.Children[k], mode)
	}
	for k := range w.Neighbors {
		row(&w.Neighbors[k], diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true})
	}
	for k := range w.Routes {
		w.Routes[k].Age = wholeSeconds(w.Routes[k].Age)
		if !w.Routes[k].Age.Known() {
			w.Routes[k].Age = diag.Some(time.Duration(0))
		}
	}
	if n.Sleepy() {
		w.ICD = diag.Some(diag.ICD{
			LIT: diag.Some(false), IdleModeDuration: diag.Some(5 * time.Minute), ActiveModeDuration: diag.Some(time.Second),
			ActiveModeThreshold: diag.Some(4 * time.Second), CheckIn: diag.Some(false), FeatureMap: diag.Some(uint32(0)),
		})
	}
	return w
}

func wholePercent(r diag.Opt[diag.Rate]) diag.Opt[diag.Rate] {
	v, ok := r.Get()
	if !ok {
		return r
	}
	return diag.Some(diag.RateFromPercent(percent(v)))
}

func wholeSeconds(d diag.Opt[time.Duration]) diag.Opt[time.Duration] {
	v, ok := d.Get()
	if !ok {
		return d
	}
	return diag.Some(v.Truncate(time.Second))
}

var sameValues = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

// compare leaves out what the model has not: counters, the time since the
// start, and who the maker says it is in more words.
func compare(t *testing.T, what string, got, want diag.Report) {
	t.Helper()
	if len(got.Counters) < 40 {
		t.Errorf("%s: %d counters", what, len(got.Counters))
	}
	if up, ok := got.UpTime.Get(); !ok || up < 24*time.Hour {
		t.Errorf("%s: up for %v", what, got.UpTime)
	}
	got.Counters, got.UpTime, got.DeviceTypes, got.SupplyMillivolt = nil, diag.Opt[time.Duration]{}, nil, diag.Opt[uint16]{}
	got.Names = slices.DeleteFunc(got.Names, func(n diag.Name) bool { return n.Kind == diag.NameProduct })
	if d := cmp.Diff(want, got, sameValues); d != "" {
		t.Errorf("%s, - is the model:\n%s", what, d)
	}
}

// A reading of every node gives back the mesh, with all forms of messages.
func TestReadEqualsTheModel(t *testing.T) {
	for name, q := range map[string]Quirks{
		"as connectedhomeip": {},
		"as matter.js":       {Chunking: im.FirstThenAppend, NodeIDs: true, QuietKeepAlive: true, EmptyTXT: true},
	} {
		for _, home := range []*mesh.Home{mesh.HomeOf50(1), mesh.TroubledHome(2), {Name: "Lab", Networks: []*mesh.Mesh{mesh.Lab(3)}}, mesh.Random(7, mesh.RandomOptions{Networks: 2, Routers: 32, Children: 30})} {
			t.Run(name+", "+home.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newStage(t)
					for _, m := range home.Networks {
						v := m.View()
						for i := range m.Nodes {
							if m.Nodes[i].BorderRouter || !attached(v, i) || v.LostLists(i) { // what a mesh loses of Thread's own diagnostics comes through here
								continue
							}
							at := netip.AddrPortFrom(v.MLEID(i), 5540)
							n := g.node(at, FromMesh(v, i), Options{Fabrics: []Fabric{g.member(nodeID)}, Quirks: q})
							s, err := g.cased(session.CASEConfig{Addresses: []netip.AddrPort{at}})
							if err != nil {
								t.Fatal(err)
							}
							compare(t, m.Nodes[i].Name, reported(t, g, s), truth(v, i))
							if st := n.Stats(); st.Reads != 1 || st.Handshakes != 1 || st.Messages.Retransmitted != 0 {
								t.Errorf("%+v", st)
							}
							s.Close()
						}
					}
				})
			})
		}
	}
}

func attached(v *mesh.View, i int) bool {
	_, ok := v.ParentRow(i)
	return ok || v.Node(i).IsRouter()
}

// A big router's tables come in pieces, by either way of making them.
func TestBigTables(t *testing.T) {
	for name, q := range map[string]Quirks{"empty, then entries": {}, "first entries, then others": {Chunking: im.FirstThenAppend}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := mesh.Office(3, 200).Networks[0]
				v := m.View()
				big := 0
				for i := range m.Nodes {
					if len(v.Children(i))+len(v.RouterNeighbors(i)) > len(v.Children(big))+len(v.RouterNeighbors(big)) {
						big = i
					}
				}
				g := newStage(t)
				d := FromMesh(v, big)
				d.MAC = [6]byte{} // as if it were no border router
				g.ours(d, Options{Quirks: q})
				s := g.mustCASE()
				r := g.read(s, im.Whole(0, threadNetworkDiagnostics))
				if r.Messages < 3 || !r.Complete {
					t.Errorf("%d messages", r.Messages)
				}
				got, want := reported(t, g, s), truth(v, big)
				if len(got.Children) != len(want.Children) || len(got.Neighbors) != len(want.Neighbors) || len(got.Routes) != len(want.Routes) || len(want.Routes) < 30 {
					t.Errorf("%d children, %d neighbors, %d routes", len(got.Children), len(got.Neighbors), len(got.Routes))
				}
			})
		})
	}
}

// What a path names that is not there, and what wildcards leave out.
func TestPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		s := g.mustCASE()
		for p, want := range map[im.Path]im.Status{
			pathOf(7, descriptor, 0):                             im.UnsupportedEndpoint,
			pathOf(0, 0x9999, 0):                                 im.UnsupportedCluster,
			pathOf(1, threadNetworkDiagnostics, 0):               im.UnsupportedCluster,
			pathOf(0, threadNetworkDiagnostics, 0x99):            im.UnsupportedAttribute,
			pathOf(0, threadNetworkDiagnostics, clusterRevision): im.Success,
		} {
			if got := g.status(s, p); got != want {
				t.Errorf("%v: %v", p, got)
			}
		}
		everything := g.read(s, im.AttributePath{})
		clusters := map[clusterPath]bool{}
		for v := range everything.Attributes.Values() {
			if v.Data == nil || v.Err != nil {
				t.Errorf("%+v", v)
			}
			clusters[clusterPath{v.Path.Endpoint, v.Path.Cluster}] = true
		}
		for _, e := range n.endpoints {
			for _, srv := range e.servers {
				if !clusters[clusterPath{e.number, srv.id}] {
					t.Errorf("nothing of %d/%d", e.number, srv.id)
				}
			}
		}
		// AttributeList names what a reading of the cluster gives.
		for c := range clusters {
			list, _ := g.value(s, pathOf(c.endpoint, c.cluster, attributeList)).List()
			count := 0
			for range g.read(s, im.Whole(c.endpoint, c.cluster)).Attributes.Values() {
				count++
			}
			if len(list) != count {
				t.Errorf("%v: a list of %d attributes, %d were read", c, len(list), count)
			}
		}
		few := g.read(s, im.AttributePath{Cluster: im.Some(descriptor), Attribute: im.Some[uint32](0)})
		if few.Attributes.Len() != 2 {
			t.Errorf("%d device type lists", few.Attributes.Len())
		}
		skip := im.AttributePath{Flags: im.SkipRootNode | im.SkipGlobalAttributes | im.SkipFixedAttributes}
		for v := range g.read(s, skip).Attributes.Values() {
			if v.Path.Endpoint == 0 || im.Global(v.Path.Attribute) {
				t.Errorf("%v", v.Path)
			}
		}
		// The large global attributes are the lists; the small ones are fixed.
		count := func(flags uint32) (lists, small int) {
			p := im.Whole(0, threadNetworkDiagnostics)
			p.Flags = flags
			for v := range g.read(s, p).Attributes.Values() {
				switch {
				case im.Listing(v.Path.Attribute):
					lists++
				case im.Global(v.Path.Attribute):
					small++
				}
			}
			return lists, small
		}
		for flags, want := range map[uint32][2]int{0: {3, 2}, im.SkipGlobalAttributes: {0, 2}, im.SkipFixedAttributes: {0, 0}, im.SkipAttributeList: {2, 2}} {
			if lists, small := count(flags); lists != want[0] || small != want[1] {
				t.Errorf("flags %#x: %d lists, %d small global attributes, want %v", flags, lists, small, want)
			}
		}
		// By name and by wildcard at once: each comes once.
		twice := g.read(s, im.One(0, basicInformation, 5), im.Whole(0, basicInformation))
		if twice.Messages > 1 || twice.Attributes.Len() < 15 {
			t.Errorf("%d messages, %d attributes", twice.Messages, twice.Attributes.Len())
		}
	})
}

// A cluster that has the version which the asker has is left out.
func TestDataVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		s := g.mustCASE()
		r := g.read(s, im.Whole(0, basicInformation))
		v, _ := r.Attributes.Value(im.Path(pathOf(0, basicInformation, 5)))
		version, ok := v.Version.Get()
		if !ok {
			t.Fatal("no version")
		}
		again := func() int {
			r, err := g.tryRead(s, im.ReadRequest{
				Attributes:         []im.AttributePath{im.Whole(0, basicInformation)},
				DataVersionFilters: []im.DataVersionFilter{{Cluster: basicInformation, Version: version}},
			})
			if err != nil {
				t.Fatal(err)
			}
			return r.Attributes.Len()
		}
		if n := again(); n != 0 {
			t.Errorf("%d attributes, though nothing changed", n)
		}
		n.SetLabel("Ofen")
		if n := again(); n != r.Attributes.Len() {
			t.Errorf("%d attributes after a change", n)
		}
		if got := g.text(s, pathOf(0, basicInformation, 5)); got != "Ofen" {
			t.Error(got)
		}
	})
}

// A child that lost its parent says so, and a route table it has not.
func TestDetached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.HomeOf50(1).Networks[0].Clone()
		i := m.FindName("Window sensor")
		m.Links = slices.DeleteFunc(m.Links, func(l mesh.Link) bool { return l.A == i || l.B == i })
		g := newStage(t)
		g.ours(FromMesh(m.View(), i), Options{})
		s := g.mustCASE()
		if got := g.number(s, pathOf(0, threadNetworkDiagnostics, 1)); got != roleUnassigned {
			t.Errorf("role %d", got)
		}
		if got := g.status(s, pathOf(0, threadNetworkDiagnostics, 8)); got != im.Failure {
			t.Errorf("route table: %v", got)
		}
		r := reported(t, g, s)
		if r.Role != diag.RoleDetached || r.Neighbors == nil || len(r.Neighbors) != 0 || r.Routes != nil {
			t.Errorf("%v %v %v", r.Role, r.Neighbors, r.Routes)
		}
	})
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		s := g.mustCASE()
		ask := func(least uint64) []im.EventReport {
			r, err := g.tryRead(s, im.ReadRequest{Events: []im.EventPath{{}}, EventFilters: []im.EventFilter{{Min: least}}})
			if err != nil {
				t.Fatal(err)
			}
			return r.Events
		}
		first := ask(0)
		if len(first) != 2 || first[0].Cluster != basicInformation || first[1].Cluster != generalDiagnostics || first[1].Priority != critical {
			t.Fatalf("%+v", first)
		}
		if more := ask(first[1].Number + 1); len(more) != 0 {
			t.Errorf("%+v", more)
		}
		n.Reboot(RebootOptions{})
		s = g.mustCASE()
		if more := ask(first[1].Number + 1); len(more) != 2 || more[0].Number < first[1].Number+1000 {
			t.Errorf("%+v", more)
		}
		if got := g.number(s, pathOf(0, generalDiagnostics, 1)); got != 4 {
			t.Errorf("RebootCount %d", got)
		}
	})
}
