package tmf

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
	"threadmap/topology"
)

// The recorded sessions, through the real code, give the mesh on which they
// were recorded: radio graph, parents, and the signals that were asked for.
func TestRecordedMesh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		clear(r.lists)
		m := mesh.Lab(0)
		reports, problems := replay(t, r)

		// What was never recorded is missing, and said to be.
		for _, p := range problems {
			if !strings.Contains(p.Text, "did not tell") {
				t.Errorf("problem: %v", p)
			}
		}
		got := topology.Build(reports)
		for _, d := range differences(m, got, false) {
			t.Error(d)
		}
		find := func(x diag.ExtAddr) *topology.Node {
			return got.Nodes[slices.IndexFunc(got.Nodes, func(n *topology.Node) bool { return n.ExtAddr == x })]
		}
		child, router := find(0x0e07070707070707), find(0x0e04040404040404)
		if child.Role != diag.RoleSleepyEndDevice || child.Parent != find(0x0e05050505050505) || len(child.Addresses) < 2 {
			t.Errorf("sleepy child: %+v", child)
		}
		if got.Networks[0].Name != "ThreadMapLab" || got.Networks[0].ExtPANID != 0xdead00beef00cafe || router.RLOC16 != diag.MakeRLOC16(0xc000) {
			t.Errorf("network %+v, router %+v", got.Networks[0], router)
		}
		// The radio graph of that mesh, as its Route64 tell it: both asymmetric links,
		// each with the quality of what the second hears of the first, and back.
		for _, l := range []struct {
			a, b     diag.ExtAddr
			atA, atB uint8
		}{
			{0x0e01010101010101, 0x0e02020202020202, 3, 3}, {0x0e01010101010101, 0x0e03030303030303, 2, 3}, {0x0e02020202020202, 0x0e03030303030303, 3, 3},
			{0x0e03030303030303, 0x0e04040404040404, 1, 2}, {0x0e04040404040404, 0x0e05050505050505, 3, 3}, {0x0e04040404040404, 0x0e06060606060606, 3, 3},
			{0x0e05050505050505, 0x0e06060606060606, 2, 1},
		} {
			k := slices.IndexFunc(got.Links, func(x *topology.Link) bool { return x.A.ExtAddr == l.a && x.B.ExtAddr == l.b })
			if k < 0 || got.Links[k].AToB.LQ != diag.Some(l.atB) || got.Links[k].BToA.LQ != diag.Some(l.atA) || got.Links[k].Confidence != topology.Confirmed {
				t.Errorf("link %s - %s: %+v", l.a, l.b, got.Links)
			}
		}
	})
}

// The session with twenty children more, whose lists come in two messages, the
// second after the first was acknowledged: each child hangs on its parent, with
// what the parent hears of it and its addresses.
func TestRecordedChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		if len(r.lists[netdiag.TypeChild]) != 2 || len(r.lists[netdiag.TypeChildIPv6Addresses]) != 1 || len(r.table) != 60 {
			t.Fatalf("recording: %d lists, child table of %d octets", len(r.lists), len(r.table))
		}
		// What the router said to the multicast was recorded before it had the
		// children; its table is that of the later session.
		tlvs, err := netdiag.SplitTLVs(r.shout[0xc000])
		if err != nil {
			t.Fatal(err)
		}
		tlvs = slices.DeleteFunc(slices.Clone(tlvs), func(x netdiag.TLV) bool { return x.Type == netdiag.TypeChildTable })
		tlvs = slices.Insert(tlvs, len(tlvs)-1, netdiag.TLV{Type: netdiag.TypeChildTable, Value: r.table}) // before the Answer TLV
		r.shout[0xc000] = netdiag.AppendTLVs(nil, tlvs)
		reports, _ := replay(t, r)
		got := topology.Build(reports)
		children, parent := 0, diag.ExtAddr(0x0e04040404040404)
		for _, n := range got.Nodes {
			if n.Parent == nil || n.Parent.ExtAddr != parent {
				continue
			}
			children++
			rloc, _ := n.RLOC16.Get()
			if want := diag.ExtAddr(0x0e00000000000000 | uint64(rloc-0xc003+0x0a)*0x01010101010101); n.ExtAddr != want || n.Role != diag.RoleEndDevice || len(n.Addresses) < 2 {
				t.Errorf("child %s: %s %s, addresses %v; want %s", n.RLOC16, n.ExtAddr, n.Role, n.Addresses, want)
			}
			k := slices.IndexFunc(got.Links, func(x *topology.Link) bool { return x.A == n || x.B == n })
			if k < 0 {
				t.Errorf("no link to child %s", n.RLOC16)
				continue
			}
			d := got.Links[k].AToB
			if got.Links[k].B == n {
				d = got.Links[k].BToA
			}
			if d.RSSI != diag.Some[int8](-50) || d.Margin != diag.Some[uint8](50) || d.LQ != diag.Some[uint8](3) {
				t.Errorf("child %s: %+v", n.RLOC16, d)
			}
		}
		if children != 20 || len(got.Nodes) != 29 {
			t.Errorf("%d children of %d nodes", children, len(got.Nodes))
		}
	})
}

// The border agent of a real stack hands keys over to who names no types. Ours
// names them, and none of the two.
func TestNeverAsksForKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen [][]byte
		s := meshcop.NewSession(time.Now(), meshcop.Config{})
		for _, b := range s.Datagrams() {
			m, err := coap.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if m.Path == meshcop.PathActiveGet {
				tlvs, err := netdiag.SplitTLVs(m.Payload)
				if err != nil {
					t.Fatal(err)
				}
				v, ok := netdiag.Find(tlvs, meshcop.TypeGet)
				if !ok || bytes.IndexByte(v, meshcop.TypePSKc) >= 0 || bytes.IndexByte(v, meshcop.TypeNetworkKey) >= 0 {
					t.Errorf("asks %x", m.Payload)
				}
				seen = append(seen, v)
			}
		}
		if len(seen) != 1 {
			t.Errorf("%d requests for the dataset", len(seen))
		}
	})
}
