//go:build linux

package matter

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"threadmap/diag"
	source "threadmap/diag/matter"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/discovery"
	"threadmap/simulators/mesh"
)

// BenchmarkScan asks 20 and 50 real nodes for their cluster 0x0035, in resumed
// sessions: threadmap and, in the same run, matter.js's controller, which has
// the same nodes in a process of their own.
//
//	unthrottled  0x0035 by both, to all nodes at once
//	polite       what both do on their own to nodes of one Thread network;
//	             threadmap's source asks for more than 0x0035
//
// threadmap asks nodes to leave out what tells of the cluster itself, which
// matter.js's controller does not. In rows that end in "same" both send paths
// for the same facts: in unthrottled without that wish, in polite matter.js asks
// for all that threadmap's source does.
//
// What is reported, for each scan:
//
//	cpu-ms     CPU time of the asking process
//	peers-ms   CPU time of the nodes' one thread: no scan can be faster
//	own-ms     time beyond that, which is the asker's own doing, or its manners
//	datagrams  of the asker over IPv6 to one node or from it, with the session's
//	           end; multicast, the announcements of the nodes, is not counted
//	octets     of these IPv6 packets
func BenchmarkScan(b *testing.B) {
	for _, n := range []int{20, 50} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) { benchmarkScan(b, n) })
	}
}

func benchmarkScan(b *testing.B, count int) {
	quiet := []string{noIPv4} // matter.js would try each for 15 s
	m := mesh.Office(7, count).Networks[0]
	ctx, e, a := patience(b, 9*time.Minute), endpoint(b), authority(b)
	nodes, others := startNodesWith(b, quiet, nodesOf(m, 1)...), startNodesWith(b, quiet, nodesOf(m, 1+count)...)
	ours := asker{endpoint: e, authority: a, nodes: nodes.nodes, records: make([]sigma.Record, count)}
	began := time.Now()
	for i, n := range nodes.nodes {
		ours.records[i] = nodes.join(b, ctx, e, a, n, uint64(i+1)).Record
	}
	paired := time.Since(began)
	js := start(b, inNear, "controller.mjs", quiet...)
	var ids []string
	began = time.Now()
	for _, n := range others.nodes {
		var done struct{ Node string }
		js.ask(map[string]any{"do": "commission", "discriminator": n.Discriminator, "passcode": n.Passcode}, &done)
		ids = append(ids, done.Node)
	}
	b.Logf("%d nodes paired by threadmap in %v, by matter.js in %v", count, paired, time.Since(began))
	theirs := func(network string, paths []map[string]any) func() error {
		return func() error {
			command := map[string]any{"do": "read", "nodes": ids, "cluster": 53, "parallel": count}
			if paths != nil {
				command["paths"] = paths
			}
			if network != "" {
				command["network"] = network
			}
			var said struct{ Values map[string]map[string]bool }
			if err := js.try(command, &said); err != nil {
				return err
			}
			for _, id := range ids {
				if len(said.Values[id]) < len(others.nodes[0].Attributes["53"]) {
					return fmt.Errorf("node %s: %d attributes", id, len(said.Values[id]))
				}
			}
			return nil
		}
	}
	forget := func() { js.ask(map[string]any{"do": "forget_sessions"}, nil) }
	there := func() time.Duration { return js.usage().CPU }
	nothing := func() {}
	forget() // those of pairing
	for _, v := range []struct {
		name  string
		peers *home
		cpu   func() time.Duration
		scan  func() error
		after func() // not timed
	}{
		{"unthrottled/threadmap", nodes, ownCPU, func() error { return ours.read(ctx, im.SkipGlobalAttributes|im.SkipFixedAttributes) }, nothing},
		{"unthrottled/threadmap-same", nodes, ownCPU, func() error { return ours.read(ctx, 0) }, nothing},
		{"unthrottled/matter.js", others, there, theirs("unlimited", nil), forget},
		{"polite/threadmap", nodes, ownCPU, func() error { return ours.scan(ctx) }, nothing},
		{"polite/matter.js", others, there, theirs("", nil), forget},
		{"polite/matter.js-same", others, there, theirs("", scanned), forget},
	} {
		b.Run(v.name, func(b *testing.B) {
			var wall, cpu, peers time.Duration
			var sent traffic
			rounds := 0
			for b.Loop() {
				b.StopTimer()
				cpu0, peers0, sent0 := v.cpu(), v.peers.mainThread(), ipv6Traffic(b)
				began := time.Now()
				b.StartTimer()
				if err := v.scan(); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				wall, cpu, peers = wall+time.Since(began), cpu+v.cpu()-cpu0, peers+v.peers.mainThread()-peers0
				v.after()
				now := ipv6Traffic(b)
				sent.datagrams += now.datagrams - sent0.datagrams
				sent.octets += now.octets - sent0.octets
				rounds++
				b.StartTimer()
			}
			report := func(v float64, unit string) { b.ReportMetric(v/float64(rounds), unit) }
			report(float64(cpu.Microseconds())/1000, "cpu-ms/op")
			report(float64(peers.Microseconds())/1000, "peers-ms/op")
			report(float64((wall-peers).Microseconds())/1000, "own-ms/op")
			report(float64(sent.datagrams)/float64(count), "datagrams/node")
			report(float64(sent.octets)/float64(count), "octets/node")
		})
	}
}

// scanned are the paths of threadmap's source, for a controller.
var scanned = []map[string]any{
	{"endpointId": 0, "clusterId": 0x35}, {"endpointId": 0, "clusterId": 0x33}, {"endpointId": 0, "clusterId": 0x46},
	{"endpointId": 0, "clusterId": 0x31, "attributeId": 0xFFFC},
	{"endpointId": 0, "clusterId": 0x28, "attributeId": 1}, {"endpointId": 0, "clusterId": 0x28, "attributeId": 3},
	{"endpointId": 0, "clusterId": 0x28, "attributeId": 5}, {"endpointId": 0, "clusterId": 0x28, "attributeId": 10},
	{"clusterId": 0x2F, "attributeId": 12},
}

// An asker is threadmap, with a fabric that some nodes are on.
type asker struct {
	endpoint  *transport.Endpoint
	authority *fabric.Authority
	nodes     []node
	records   []sigma.Record
}

// read asks all nodes at once for the whole of 0x0035, in resumed sessions.
func (a *asker) read(ctx context.Context, flags uint32) error {
	failed := make(chan error, len(a.nodes))
	for i, n := range a.nodes {
		go func() { failed <- a.readOne(ctx, i, n, flags) }()
	}
	var err error
	for range a.nodes {
		err = errors.Join(err, <-failed)
	}
	return err
}

func (a *asker) readOne(ctx context.Context, i int, n node, flags uint32) error {
	s, err := session.CASE(ctx, a.endpoint, session.CASEConfig{
		Member: a.authority.Member(), Node: uint64(i + 1), Addresses: n.addresses()[1:], Record: &a.records[i],
	})
	if err != nil {
		return err
	}
	defer s.Close()
	a.records[i] = s.Record
	if !s.Resumed {
		return fmt.Errorf("%s was not resumed", n.ID)
	}
	all := im.Whole(0, 53)
	all.Flags = flags
	r, err := client.Read(ctx, s, im.ReadRequest{Attributes: []im.AttributePath{all}})
	if err == nil && r.Attributes.Len() < len(n.Attributes["53"]) {
		err = fmt.Errorf("%s: %d attributes", n.ID, r.Attributes.Len())
	}
	return err
}

// scan asks all nodes as the product does: all are in one Thread network, as
// the announcement of a border router tells.
func (a *asker) scan(ctx context.Context) error {
	far := discovery.Service{Kind: discovery.KindMeshCoP, TXT: discovery.TXT{
		[]byte("xp=\x00\x00\x00\x00\x00\x00\x00\x01"), []byte("omr=\x40\xfd\x00\x00\x02\x00\x00\x00\x00"),
	}}
	services := []discovery.Service{far}
	s := source.Source{
		Member: a.authority.Member(),
		Records: source.Records{
			Load: func(n uint64) (sigma.Record, bool) { return a.records[n-1], true },
			Save: func(n uint64, r sigma.Record) { a.records[n-1] = r },
		},
	}
	for i, n := range a.nodes {
		v := discovery.Service{Kind: discovery.KindMatter, Instance: s.Member.InstanceName(uint64(i + 1)), Port: n.Port, TXT: discovery.TXT{},
			Addresses: []netip.Addr{netip.MustParseAddr(far6)}}
		services = append(services, v)
	}
	reports, problems := diag.Collect(ctx, diag.Plan([]diag.Source{s}, diag.Known{Services: services}), nil)
	if len(reports) < len(a.nodes) || len(problems) > 0 {
		return fmt.Errorf("%d reports, problems: %v", len(reports), problems)
	}
	return nil
}

// A traffic is what went over IPv6 unicast in this namespace, both ways, but for
// neighbor discovery.
type traffic struct {
	datagrams uint64
	octets    uint64 // of IPv6 packets, their headers included
}

func ipv6Traffic(t testing.TB) traffic {
	t.Helper()
	b, err := os.ReadFile("/proc/thread-self/net/snmp6")
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]uint64{}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 {
			if n[f[0]], err = strconv.ParseUint(f[1], 10, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	discovery := n["Icmp6InNeighborSolicits"] + n["Icmp6OutNeighborSolicits"] + n["Icmp6InNeighborAdvertisements"] + n["Icmp6OutNeighborAdvertisements"]
	const discoveryOctets = 72 // of such a packet
	return traffic{
		n["Ip6InReceives"] + n["Ip6OutRequests"] - n["Ip6InMcastPkts"] - n["Ip6OutMcastPkts"] - discovery,
		n["Ip6InOctets"] + n["Ip6OutOctets"] - n["Ip6InMcastOctets"] - n["Ip6OutMcastOctets"] - discovery*discoveryOctets,
	}
}

// ownCPU is the CPU time that this process took so far.
func ownCPU() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
