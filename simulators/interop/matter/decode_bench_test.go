//go:build linux

package matter

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
)

// BenchmarkDecode takes what a real node with full tables says, nine messages,
// and decodes the same octets here and in matter.js:
//
//	reports    each ReportData: here a walk over every attribute's path,
//	           version and data, there TlvDataReport.decode
//	neighbors  a NeighborTable of 60 rows: here to diag.Neighbors, there to objects
//
// cpu-ns is the time of all threads of the process that decodes, which a busy
// machine changes less.
func BenchmarkDecode(b *testing.B) {
	n := crowded(1)
	startNodes(b, n)
	ctx, e := patience(b, time.Minute), endpoint(b)
	s, err := session.PASE(ctx, e, session.PASEConfig{Passcode: n.Passcode, Addresses: n.addresses()})
	if err != nil {
		b.Fatal(err)
	}
	payloads, err := chunks(ctx, s, im.ReadRequest{Attributes: []im.AttributePath{im.Whole(0, 53)}})
	if err != nil {
		b.Fatal(err)
	}
	var (
		inHex []string
		size  int64
		a     im.Assembly
	)
	for _, p := range payloads {
		inHex, size = append(inHex, hex.EncodeToString(p)), size+int64(len(p))
		if _, err := a.Add(p, nil); err != nil {
			b.Fatal(err)
		}
	}
	table, ok := a.Value(im.Path{Cluster: 53, Attribute: 7})
	if !ok {
		b.Fatal("no NeighborTable")
	}
	js := start(b, inNear, "decode.mjs")
	// there makes matter.js do b.N rounds, after some to warm up.
	there := func(b *testing.B, command map[string]any) {
		var took struct {
			NS   float64
			Rows int
		}
		command["rounds"] = 300
		js.ask(command, nil)
		command["rounds"] = b.N
		b.ResetTimer()
		before := js.usage().CPU
		js.ask(command, &took)
		b.StopTimer()
		b.ReportMetric(float64(js.usage().CPU-before)/float64(b.N), "cpu-ns/op")
		if rows, ok := command["rows"]; ok && rows != took.Rows {
			b.Fatalf("%d rows", took.Rows)
		}
	}
	b.Run("reports/threadmap", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		var r im.ReportReader
		before := ownCPU()
		for b.Loop() {
			for _, p := range payloads {
				r.Reset(p)
				for r.Next() {
				}
				if _, err := r.End(); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(ownCPU()-before)/float64(b.N), "cpu-ns/op")
	})
	b.Run("reports/matter.js", func(b *testing.B) {
		b.SetBytes(size)
		there(b, map[string]any{"do": "reports", "payloads": inHex})
	})
	b.Run("neighbors/threadmap", func(b *testing.B) {
		b.SetBytes(int64(len(table.Data)))
		b.ReportAllocs()
		var children, neighbors []diag.Neighbor
		before := ownCPU()
		for b.Loop() {
			var problems []string
			var err error
			if children, neighbors, problems, err = cluster.DecodeNeighborTable(table.Data); err != nil || len(problems) > 0 {
				b.Fatal(err, problems)
			}
		}
		b.ReportMetric(float64(ownCPU()-before)/float64(b.N), "cpu-ns/op")
		if len(children) != 30 || len(neighbors) != 30 {
			b.Fatalf("%d children, %d neighbors", len(children), len(neighbors))
		}
	})
	b.Run("neighbors/matter.js", func(b *testing.B) {
		b.SetBytes(int64(len(table.Data)))
		there(b, map[string]any{"do": "neighbors", "element": hex.EncodeToString(table.Data), "rows": 60})
	})
}

// chunks reads by hand and returns what came, message by message: a client
// gives the attributes only.
func chunks(ctx context.Context, s *session.Secure, request im.ReadRequest) ([][]byte, error) {
	b, err := request.Encode()
	if err != nil {
		return nil, err
	}
	x, err := s.Session.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	if err := x.Send(ctx, message.InteractionModel, im.OpReadRequest, b); err != nil {
		return nil, err
	}
	var out [][]byte
	for {
		m, err := x.Receive(ctx)
		if err != nil {
			return out, err
		}
		if m.Opcode != im.OpReportData {
			return out, fmt.Errorf("opcode %#02x in answer to a read: %x", m.Opcode, m.Payload)
		}
		out = append(out, bytes.Clone(m.Payload))
		r := im.NewReportReader(m.Payload)
		info, err := r.End()
		if err != nil || !info.More {
			return out, err
		}
		if err := x.Send(ctx, message.InteractionModel, im.OpStatusResponse, im.EncodeStatusResponse(im.Success)); err != nil {
			return out, err
		}
	}
}
