//go:build linux

package matter

import (
	"strconv"
	"testing"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/commission"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
)

// TestFabric: fifteen nodes get onto our fabric and are read twice, the second
// time in sessions that are resumed.
func TestFabric(t *testing.T) {
	nodes := fifteen()
	h := startNodes(t, nodes...)
	ctx, e, a := patience(t, 2*time.Minute), endpoint(t), authority(t)
	whole := im.ReadRequest{Attributes: []im.AttributePath{im.Whole(0, 53)}}
	for i, n := range nodes {
		began := time.Now()
		r := h.join(t, ctx, e, a, n, uint64(i+1))
		took := time.Since(began)
		if r.Already || r.VendorName != n.Vendor || r.ProductName != n.Product || r.Label != n.Label || r.Fabrics != 0 {
			t.Errorf("%s: %+v", n.ID, r)
		}
		if v := r.Attestation; v.Verdict != commission.AttestationTest || v.Vendor != 0xfff1 || v.Product != 0x8000 {
			t.Errorf("%s: attestation %+v", n.ID, v)
		}
		for _, record := range []*sigma.Record{nil, &r.Record} {
			s, err := session.CASE(ctx, e, session.CASEConfig{Member: a.Member(), Node: uint64(i + 1), Addresses: n.addresses(), Record: record})
			if err != nil {
				t.Fatalf("%s: %v", n.ID, err)
			}
			if s.Resumed != (record != nil) {
				t.Errorf("%s: resumed: %v", n.ID, s.Resumed)
			}
			before := s.Session.Stats()
			report, err := client.Read(ctx, s, whole)
			if err != nil {
				t.Fatalf("%s: %v", n.ID, err)
			}
			after := s.Session.Stats()
			n.compare(t, "53", said(t, report, 53))
			// A request, an answer to each part but the last, and an
			// acknowledgement of that.
			if sent, want := after.Sent-before.Sent, uint64(report.Messages)+1; sent != want {
				t.Errorf("%s: %d datagrams for %d messages, want %d", n.ID, sent, report.Messages, want)
			}
			t.Logf("%s: paired in %v, read in %d messages", n.ID, took, report.Messages)
			s.Close()
			if record == nil { // it takes the place of the older one
				r.Record = s.Record
			}
		}
	}
	var on struct {
		Nodes map[string][]struct {
			FabricID string `json:"fabric_id"`
			NodeID   string `json:"node_id"`
			Label    string `json:"label"`
		} `json:"nodes"`
	}
	h.ask(map[string]any{"do": "fabrics"}, &on)
	for i, n := range nodes {
		f := on.Nodes[n.ID]
		if len(f) != 1 || f[0].NodeID != strconv.Itoa(i+1) || f[0].FabricID != strconv.FormatUint(a.FabricID(), 10) || f[0].Label != "threadmap" {
			t.Errorf("%s says it is on %+v", n.ID, f)
		}
	}
}
