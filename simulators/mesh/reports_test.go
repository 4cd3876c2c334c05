package mesh

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

func hexOf(b []byte) string        { return hex.EncodeToString(b) }
func contains(s, part string) bool { return strings.Contains(s, part) }
func stringsOf(as []netip.Addr) (out []string) {
	for _, a := range as {
		out = append(out, a.String())
	}
	return out
}

// Whatever the home, reports agree with the truth, row by row.
func TestReportsTellTheTruth(t *testing.T) {
	for seed := range uint64(60) {
		h := Random(seed, RandomOptions{})
		for _, m := range h.Networks {
			rs := m.Reports(ReportOptions{})
			if len(rs) != len(m.Nodes) {
				t.Fatalf("seed %d: %d reports of %d nodes", seed, len(rs), len(m.Nodes))
			}
			type end struct{ from, to diag.ExtAddr }
			said := map[end]uint8{} // quality of what 'to' receives of 'from'
			for i, r := range rs {
				n := &m.Nodes[i]
				if v, ok := r.RLOC16.Get(); !ok || v != n.RLOC16() || r.Own[0].ExtAddr != n.ExtAddr {
					t.Fatalf("seed %d: report %d is of %v", seed, i, r.RLOC16)
				}
				for _, w := range append(r.Children, r.Neighbors...) {
					said[end{w.ExtAddr, n.ExtAddr}] = w.LinkQualityIn.Or(9)
				}
				if n.IsRouter() != (r.Children != nil) || n.IsRouter() != (r.Neighbors != nil) || n.Mode.FullThreadDevice != (r.Routes != nil) {
					t.Fatalf("seed %d: %s: tables that it can't have, or lacks tables", seed, n.Name)
				}
			}
			for _, l := range m.Links {
				a, b := &m.Nodes[l.A], &m.Nodes[l.B]
				if b.IsRouter() && said[end{a.ExtAddr, b.ExtAddr}] != l.AToB.LQ || a.IsRouter() && said[end{b.ExtAddr, a.ExtAddr}] != l.BToA.LQ {
					t.Fatalf("seed %d: link %s–%s is told wrong", seed, a.Name, b.Name)
				}
			}
			want := 0
			for _, l := range m.Links {
				if want++; m.Nodes[l.A].IsRouter() && m.Nodes[l.B].IsRouter() {
					want++
				}
			}
			if len(said) != want {
				t.Fatalf("seed %d: %d rows for %d", seed, len(said), want)
			}
		}
	}
}

func TestReportOptions(t *testing.T) {
	m := Lab(1)
	leader := func(o ReportOptions) diag.Report { return m.View().Report(1, o) }
	at := time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	r := leader(ReportOptions{Source: "tmf", Via: "BR", Session: "one", At: at})
	if r.Source != "tmf" || r.Via != "BR" || r.Session != "one" || !r.At.Equal(at) {
		t.Errorf("head: %+v", r)
	}
	if c := r.Children[0]; c.ExtAddr != labAddr(9) || c.Timeout.Or(0) != 240*time.Second || !c.Age.Known() {
		t.Errorf("child %+v", c)
	}
	if c := leader(ReportOptions{ChildTableOnly: true}).Children[0]; c.ExtAddr != 0 || c.Timeout.Or(0) != 256*time.Second || c.AverageRSSI.Known() || c.LinkQualityIn.Or(9) != 3 {
		t.Errorf("child table only: %+v", c)
	}
	if leader(ReportOptions{NoNeighbors: true}).Neighbors != nil {
		t.Error("neighbors not left out")
	}
	own := leader(ReportOptions{RouteTable: true}).Routes[2]
	if own.ExtAddr != labAddr(2) || own.NextHop.Or(0) != 63 || own.PathCost.Or(9) != 0 || own.LinkEstablished.Or(true) {
		t.Errorf("own row of a route table: %+v", own)
	}
	far := leader(ReportOptions{RouteTable: true}).Routes[5] // router 48, over 16
	if far.NextHop.Or(0) != 16 || far.ExtAddr != 0 || far.PathCost.Or(0) != 5 {
		t.Errorf("far row of a route table: %+v", far)
	}
	if leader(ReportOptions{}).Routes[2].NextHop.Known() {
		t.Error("a Route64 gives no next hop")
	}
	sed := m.View().Report(6, ReportOptions{RouteTable: true})
	if len(sed.Neighbors) != 1 || sed.Neighbors[0].ExtAddr != labAddr(5) || sed.Routes != nil || sed.Children != nil {
		t.Errorf("sleepy child: %+v", sed)
	}
	if n := len(m.Reports(ReportOptions{RoutersOnly: true})); n != 6 {
		t.Errorf("%d routers", n)
	}
	if n := len(m.Reports(ReportOptions{Skip: func(n *Node) bool { return n.ExtAddr == labAddr(4) }})); n != 9 {
		t.Errorf("%d of 10 nodes with one skipped", n)
	}
	if r := leader(ReportOptions{NoNetwork: true}); !r.Network.IsZero() || r.Leader.IsZero() {
		t.Errorf("network %+v", r.Network)
	}
	if r := leader(ReportOptions{Names: true}); r.Names[0].Value != "lab node 2" {
		t.Errorf("names %+v", r.Names)
	}
}

func TestReportsHoldNoKeys(t *testing.T) {
	for _, m := range append(HomeOf50(1).Networks, Lab(20)) {
		for _, r := range m.Reports(ReportOptions{Names: true}) {
			text := []byte(fmt.Sprintf("%+v", r))
			for _, key := range [][16]byte{m.NetworkKey, m.PSKc} {
				if bytes.Contains(text, key[:]) || bytes.Contains(text, []byte(hexOf(key[:]))) || bytes.Contains(r.Network.NetworkData, key[:]) {
					t.Fatalf("a report of %s holds a key", m.Name)
				}
			}
		}
	}
}
