//go:build linux

package matter

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	source "threadmap/diag/matter"
	"threadmap/diag/matter/sigma"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
)

// announced browses the cable for Matter nodes; names are asked for by name.
func announced(t testing.TB, ctx context.Context, names ...string) []discovery.Service {
	t.Helper()
	c := mdns.Config{Interfaces: []string{cable}, Settle: time.Second}
	c.Kinds = []discovery.Kind{discovery.KindMatter}
	for _, s := range names {
		n, err := discovery.NewName(s, "_matter", "_tcp", "local")
		if err != nil {
			t.Fatal(err)
		}
		c.Names = append(c.Names, n)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := mdns.Browse(ctx, c, func(discovery.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Log(p)
	}
	return r.Services
}

// A memory keeps records between scans, as the state folder does.
type memory struct {
	records map[uint64]sigma.Record
}

func (m *memory) keep() source.Records {
	m.records = map[uint64]sigma.Record{}
	return source.Records{
		Load: func(n uint64) (sigma.Record, bool) { r, ok := m.records[n]; return r, ok },
		Save: func(n uint64, r sigma.Record) { m.records[n] = r },
	}
}

// TestSource: the map that the source makes of real nodes is the mesh that they
// were told, and the second scan resumes the sessions of the first.
func TestSource(t *testing.T) {
	m := lab(4)
	nodes := nodesOf(m, 1)
	h := startNodes(t, nodes...)
	ctx, e, a := patience(t, 2*time.Minute), endpoint(t), authority(t)
	var mem memory
	records := map[uint64]source.Record{}
	s := source.Source{Member: a.Member(), Records: mem.keep(), Done: func(r source.Record) { records[r.Node] = r }}
	for i, n := range nodes {
		h.join(t, ctx, e, a, n, uint64(i+1))
		s.Nodes = append(s.Nodes, uint64(i+1))
	}
	t.Logf("a browse without names finds %d of %d nodes", len(announced(t, ctx)), len(nodes))
	services := announced(t, ctx, s.Instances()...)
	if len(services) != len(nodes) {
		t.Fatalf("%d of %d nodes are announced: %v", len(services), len(nodes), services)
	}
	hosts := map[string]bool{}
	for _, v := range services {
		hosts[v.HostLabel()] = true
		if v.TXT == nil || len(v.TXT.Pairs()) != 0 {
			t.Errorf("%s: TXT %q: it used to be empty", v.Instance, v.TXT)
		}
		if !slices.Contains(v.Addresses, netip.MustParseAddr(far4)) {
			t.Errorf("%s is at %v: an address that nobody listens on used to be among them", v.Instance, v.Addresses)
		}
	}
	if len(hosts) != 1 {
		t.Errorf("hosts %v: nodes of one machine used to share one name", hosts)
	}
	for scan, resumed := range []bool{false, true} {
		clear(records)
		began := time.Now()
		reports, problems := diag.Collect(ctx, diag.Plan([]diag.Source{s}, diag.Known{Services: services}), nil)
		took := time.Since(began)
		for _, p := range problems {
			t.Error(p)
		}
		for _, d := range differences(m, draw(t, reports)) {
			t.Errorf("scan %d: %s", scan+1, d)
		}
		var sent, received uint64
		for n, r := range records {
			if r.Resumed != resumed || r.Err != nil {
				t.Errorf("scan %d: node %d: %+v", scan+1, n, r)
			}
			sent, received = sent+r.Sent, received+r.Received
		}
		if len(records) != len(nodes) {
			t.Errorf("%d of %d nodes were asked", len(records), len(nodes))
		}
		t.Logf("scan %d: %v, %d datagrams sent, %d received", scan+1, took, sent, received)
	}
}
