package tmf

import (
	"net"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// serve starts the border agent of m on a loopback socket.
func serve(b *testing.B, m *mesh.Mesh, o borderagent.Options) (*borderagent.Agent, string, pskc.Secret) {
	b.Helper()
	a, err := borderagent.New(m.View(), border(m), o)
	if err != nil {
		b.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- a.Serve(pc) }()
	b.Cleanup(func() { a.Close(); <-over })
	return a, pc.LocalAddr().String(), key(b, m.PSKc[:])
}

// scanAt makes one whole scan.
func scanAt(b *testing.B, m *mesh.Mesh, s Source, at string, secret pskc.Secret) {
	b.Helper()
	s.Credentials = func(diag.PANID64) (Credential, bool) { return Credential{Secret: secret}, true }
	e, err := Endpoint(at, m.ExtPANID, false)
	if err != nil {
		b.Fatal(err)
	}
	reports, problems := diag.Collect(b.Context(), diag.Plan([]diag.Source{s}, diag.Known{Endpoints: []diag.Endpoint{e}}), nil)
	if len(problems) > 0 || len(reports) < 100 {
		b.Fatalf("%d reports, %v", len(reports), problems)
	}
}

// BenchmarkScan is a whole scan of 32 routers and 250 children over loopback
// sockets, with a mesh that answers at once: our own work, the simulation's, and
// the gaps that keep questions apart. "in turn" is the way that needs no
// thought: one query to each node for the same. "messages" and "octets" (of
// CoAP) are what either puts on the mesh and gets from it, "hops" and
// "hop-octets" what that is on the air, where each hop is sent again.
func BenchmarkScan(b *testing.B) {
	m := office()
	still := borderagent.Options{HopDelay: time.Nanosecond, SleepyDelay: time.Nanosecond, Settle: -1}
	cost := func(b *testing.B, before, after borderagent.Stats) {
		n := float64(b.N)
		b.ReportMetric(float64(after.ToMesh+after.FromMesh-before.ToMesh-before.FromMesh)/n, "messages")
		b.ReportMetric(float64(after.ToMeshOctets+after.FromMeshOctets-before.ToMeshOctets-before.FromMeshOctets)/n, "octets")
		b.ReportMetric(float64(after.OnAir-before.OnAir)/n, "hops")
		b.ReportMetric(float64(after.OnAirOctets-before.OnAirOctets)/n, "hop-octets")
	}
	for _, sleepy := range []bool{false, true} {
		name := "routers"
		if sleepy {
			name = "and sleepy children"
		}
		b.Run(name, func(b *testing.B) {
			a, at, secret := serve(b, m, still)
			before := a.Stats()
			for b.Loop() {
				scanAt(b, m, Source{AskSleepy: sleepy}, at, secret)
			}
			cost(b, before, a.Stats())
		})
	}
	b.Run("in turn", func(b *testing.B) {
		a, at, secret := serve(b, m, still)
		before := a.Stats()
		for b.Loop() {
			raw, err := net.Dial("udp", at)
			if err != nil {
				b.Fatal(err)
			}
			if told := new(inTurn).run(b, raw, secret, m); told != len(m.Nodes) {
				b.Fatalf("%d answers", told)
			}
		}
		cost(b, before, a.Stats())
	})
}

// BenchmarkWait is a whole scan of the same mesh with nodes that take their
// time, as real ones: 10 ms a hop, and a new commissioner is known to all after
// 2.5 s only. "answer-s" is for how long at least one answer was owed, "over-%"
// what the scan took beyond that: handshake, petition, gaps, our own work.
func BenchmarkWait(b *testing.B) {
	m, w := office(), newWatch()
	_, at, secret := serve(b, m, borderagent.Options{HopDelay: 10 * time.Millisecond, Lose: w.see})
	var wall, answer time.Duration
	for b.Loop() {
		*w = *newWatch() // the agent is idle between two scans
		start := time.Now()
		scanAt(b, m, Source{}, at, secret)
		wall += time.Since(start)
		answer += w.answerTime()
	}
	b.ReportMetric(wall.Seconds()/float64(b.N), "wall-s")
	b.ReportMetric(answer.Seconds()/float64(b.N), "answer-s")
	b.ReportMetric(100*(wall.Seconds()/answer.Seconds()-1), "over-%")
}
