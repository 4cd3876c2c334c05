package dnssd

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/discovery/mdns"
	sim "threadmap/simulators/mdns"
	"threadmap/simulators/mesh"
)

// TestHome: a simulated home, asked over the loopback interface, gives back what
// its border routers and their clients are.
func TestHome(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	home := mesh.HomeOf50(7)
	const other = 0x0123456789abcdef
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		sim.New(conn, netip.AddrPort{}, sim.FromHome(home, sim.HomeOptions{OtherFabric: other, HomeKit: func(n *mesh.Node) bool { return n.Vendor == "Eve Systems" }}), sim.Behaviour{}).Serve(ctx)
	}()
	limited, stop := context.WithTimeout(ctx, 20*time.Second)
	r, err := mdns.Browse(limited, mdns.Config{Ask: []netip.AddrPort{conn.LocalAddr().(*net.UDPAddr).AddrPort()}, Settle: 200 * time.Millisecond}, nil)
	stop()
	cancel()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	reports := Reports(r.Services, time.Now(), "127.0.0.1")
	if len(reports) != home.Nodes() {
		t.Errorf("%d reports of %d nodes", len(reports), home.Nodes())
	}
	for _, m := range home.Networks {
		v := m.View()
		for i := range m.Nodes {
			n := &m.Nodes[i]
			k := slices.IndexFunc(reports, func(r diag.Report) bool { return len(r.Own) == 1 && r.Own[0].ExtAddr == n.ExtAddr })
			if k < 0 {
				t.Errorf("%s is missing", n.Name)
				continue
			}
			r := reports[k]
			if n.BorderRouter {
				want := v.Role(i)
				if r.Network.ExtPANID != m.ExtPANID || r.Network.Name != m.Name || r.BorderAgentID != n.BorderAgentID || r.Role != want || r.Vendor != n.Vendor || r.Product != n.Model ||
					r.Leader.PartitionID != diag.Some(v.Leader(i).ID) || r.ThreadVersion != diag.Some(n.ThreadVersion) || r.Network.ActiveTimestamp != diag.Some(m.ActiveTimestamp) ||
					len(r.Network.OMRPrefixes) != 1 || r.Network.OMRPrefixes[0] != m.OMRPrefixes[0] || !r.BorderRouter.Or(false) {
					t.Errorf("%s: %+v", n.Name, r)
				}
				continue
			}
			ids := slices.DeleteFunc(slices.Clone(r.Matter), func(id diag.MatterID) bool { return id.Fabric == other })
			if !slices.Equal(ids, n.Matter) || !slices.Equal(r.Addresses, v.OMR(i)) || r.Transport != diag.TransportThread || !r.ICD.Known() {
				t.Errorf("%s: %+v", n.Name, r)
			}
			if n.Vendor == "Eve Systems" && (len(r.Names) != 1 || r.Names[0].Value != n.Name || r.Product != n.Model) {
				t.Errorf("%s: %+v", n.Name, r.Names)
			}
		}
	}
}
