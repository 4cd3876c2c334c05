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
//	unthrottled  the same request by both, to all nodes at once
//	polite       what both do on their own to nodes of one Thread network;
//	             threadmap's source asks for more than 0x0035
//
// What is reported, for each scan:
//
//	cpu-ms     CPU time of the asking process
//	peers-ms   CPU time of the nodes' one thread: no scan can be faster
//	own-ms     time beyond that, which is the asker's own doing, or its manners
//	datagrams  of the asker over IPv6, both ways, per node, with the sessions' end
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
	theirs := func(network string) func() error {
		return func() error {
			command := map[string]any{"do": "read", "nodes": ids, "cluster": 53, "parallel": count}
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
		{"unthrottled/threadmap", nodes, ownCPU, func() error { return ours.read(ctx) }, nothing},
		{"unthrottled/matter.js", others, there, theirs("unlimited"), forget},
		{"polite/threadmap", nodes, ownCPU, func() error { return ours.scan(ctx) }, nothing},
		{"polite/matter.js", others, there, theirs(""), forget},
	} {
		b.Run(v.name, func(b *testing.B) {
			var wall, cpu, peers time.Duration
			var datagrams uint64
			rounds := 0
			for b.Loop() {
				b.StopTimer()
				cpu0, peers0, datagrams0 := v.cpu(), v.peers.mainThread(), udp6(b)
				began := time.Now()
				b.StartTimer()
				if err := v.scan(); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				wall, cpu, peers = wall+time.Since(began), cpu+v.cpu()-cpu0, peers+v.peers.mainThread()-peers0
				v.after()
				datagrams += udp6(b) - datagrams0
				rounds++
				b.StartTimer()
			}
			report := func(v float64, unit string) { b.ReportMetric(v/float64(rounds), unit) }
			report(float64(cpu.Microseconds())/1000, "cpu-ms/op")
			report(float64(peers.Microseconds())/1000, "peers-ms/op")
			report(float64((wall-peers).Microseconds())/1000, "own-ms/op")
			report(float64(datagrams)/float64(count), "datagrams/node")
		})
	}
}

// An asker is threadmap, with a fabric that some nodes are on.
type asker struct {
	endpoint  *transport.Endpoint
	authority *fabric.Authority
	nodes     []node
	records   []sigma.Record
}

// read asks all nodes at once for the whole of 0x0035, in resumed sessions.
func (a *asker) read(ctx context.Context) error {
	failed := make(chan error, len(a.nodes))
	for i, n := range a.nodes {
		go func() { failed <- a.readOne(ctx, i, n) }()
	}
	var err error
	for range a.nodes {
		err = errors.Join(err, <-failed)
	}
	return err
}

func (a *asker) readOne(ctx context.Context, i int, n node) error {
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
	r, err := client.Read(ctx, s, im.ReadRequest{Attributes: []im.AttributePath{im.Whole(0, 53)}})
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

// udp6 counts the datagrams over IPv6 of this namespace, both ways.
func udp6(t testing.TB) (n uint64) {
	t.Helper()
	b, err := os.ReadFile("/proc/thread-self/net/snmp6")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 && (f[0] == "Udp6InDatagrams" || f[0] == "Udp6OutDatagrams") {
			v, err := strconv.ParseUint(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			n += v
		}
	}
	return n
}

// ownCPU is the CPU time that this process took so far.
func ownCPU() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
