package tmf

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// office is 32 routers and 250 children.
func office() *mesh.Mesh { return mesh.Office(1, 282).Networks[0] }

// A large mesh: complete, within the number of questions that the design
// allows, and hardly longer than the mesh itself needs to settle.
func TestLargeMesh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := office()
		s := stage(t, m, borderagent.Options{HopDelay: 10 * time.Millisecond})
		start := time.Now()
		reports, problems := s.scan(t.Context())
		took := time.Since(start)
		check(t, m, reports, problems, true)
		routers := 0
		for i := range m.Nodes {
			if m.Nodes[i].IsRouter() {
				routers++
			}
		}
		q := s.record.Questions
		if q.Multicast != 1 || q.Unicast > 3*routers+1 {
			t.Errorf("%d multicasts, %d questions to %d routers", q.Multicast, q.Unicast, routers)
		}
		t.Logf("%v, %d reports, %+v, %+v", took, len(reports), s.record.Traffic, q)
	})
}

// BenchmarkScan is a whole scan of the large mesh over loopback sockets, with a
// mesh that answers at once: our own work, the simulation's, and the gaps that
// keep questions apart. "messages" and "octets" (of CoAP) are what it puts on
// the mesh; "each node" asks every sleepy child as well.
func BenchmarkScan(b *testing.B) {
	m := office()
	for _, sleepy := range []bool{false, true} {
		name := "routers"
		if sleepy {
			name = "each node"
		}
		b.Run(name, func(b *testing.B) {
			a, err := borderagent.New(m.View(), border(m), borderagent.Options{HopDelay: time.Nanosecond, SleepyDelay: time.Nanosecond, Settle: -1})
			if err != nil {
				b.Fatal(err)
			}
			pc, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			over := make(chan error, 1)
			go func() { over <- a.Serve(pc) }()
			defer func() { a.Close(); <-over }()
			key, err := pskc.New(m.PSKc[:])
			if err != nil {
				b.Fatal(err)
			}
			var record Record
			s := Source{Credentials: func(diag.PANID64) (Credential, bool) { return Credential{Secret: key}, true }, AskSleepy: sleepy, Done: func(r Record) { record = r }}
			e, err := Endpoint(pc.LocalAddr().String(), m.ExtPANID, false)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				reports, problems := diag.Collect(b.Context(), diag.Plan([]diag.Source{s}, diag.Known{Endpoints: []diag.Endpoint{e}}), nil)
				if len(problems) > 0 || len(reports) < 100 {
					b.Fatalf("%d reports, %v", len(reports), problems)
				}
			}
			b.ReportMetric(float64(record.Traffic.Sent+record.Traffic.Received), "messages")
			b.ReportMetric(float64(record.Traffic.SentOctets+record.Traffic.ReceivedOctets), "octets")
		})
	}
}
