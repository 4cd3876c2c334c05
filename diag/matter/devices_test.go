package matter

import (
	"errors"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/tlv"
)

// The address in the mesh's prefix is tried first and alone; if nobody answers
// there, the others.
func TestStaleAddress(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.delayed(5 * time.Millisecond)
		d := h.add(1, "fd09::1", threadNode(t, captured(t, "1"), 1))
		s := d.service()
		s.Addresses = append(s.Addresses, addrs("fd01::99")...)
		reports, problems, took := h.scan(t.Context(), mesh, s)
		if len(reports) != 1 || len(problems) != 0 || h.outcome[1].Tries != 2 || took > 10*time.Second {
			t.Errorf("%v, %+v in %v", problems, h.outcome, took)
		}
	})
}

// A node that was restarted between the handshake and the read is asked again.
func TestLostSession(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		d := h.add(1, "fd01::1", threadNode(t, captured(t, "2"), 1))
		d.stopAt = 2
		h.source.Done = func(r Record) { h.outcome[1] = r }
		reports, problems, _ := h.scan(t.Context(), mesh, d.service())
		if o := h.outcome[1]; o.Tries != 2 || o.Reads != 2 || !o.Resumed || !errors.Is(o.Err, session.ErrDefunct) {
			t.Errorf("%+v", o)
		}
		// What came before is kept; the table that was cut is not in it.
		if r := reports[1]; len(reports) != 1 || r.Role == "" || r.Network.Name == "" || len(problems) != 1 || problems[0].Stage != diag.StageAsk {
			t.Errorf("%+v, %+v", reports, problems)
		}
	})
}

// A node that has no room for nine paths is asked for the most important ones.
func TestFewerPaths(t *testing.T) {
	for _, status := range []im.Status{im.PathsExhausted, im.InvalidAction, im.ResourceExhausted} {
		bubble(t, func(t *testing.T, h *home) {
			d := h.add(1, "fd01::1", threadNode(t, captured(t, "1"), 1))
			d.refuse = status
			reports, problems, _ := h.scan(t.Context(), mesh, d.service())
			if r := reports[1]; len(problems) != 0 || len(r.Neighbors)+len(r.Children) != 8 || len(r.Own) == 0 || !r.UpTime.Known() || r.Vendor != "" {
				t.Errorf("%v: %+v, %+v", status, reports, problems)
			}
		})
	}
	bubble(t, func(t *testing.T, h *home) { // no other refusal is bargained with
		d := h.add(1, "fd01::1", threadNode(t, captured(t, "1"), 1))
		d.refuse = im.UnsupportedAccess
		reports, problems, _ := h.scan(t.Context(), mesh, d.service())
		if len(reports) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Text, "UNSUPPORTED_ACCESS") || !strings.Contains(problems[0].Hint, "pair") || len(d.requests) != 1 {
			t.Errorf("%+v, %+v", reports, problems)
		}
	})
}

// The cluster may be on another endpoint, beside another network.
func TestClusterElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		values := map[im.Path][]byte{}
		for p, v := range threadNode(t, captured(t, "1"), 1) {
			if p.Cluster == cluster.ThreadNetworkDiagnostics {
				p.Endpoint = 3
			}
			values[p] = v
		}
		d := h.add(1, "fd01::1", values)
		reports, problems, _ := h.scan(t.Context(), mesh, d.service())
		if r := reports[1]; len(problems) != 0 || len(r.Neighbors)+len(r.Children) != 8 || h.outcome[1].Reads != 2 {
			t.Errorf("%+v, %+v", reports, problems)
		}
		// A node that says it is on Wi-Fi is not asked for that.
		values[im.Path{Cluster: cluster.NetworkCommissioning, Attribute: 0xFFFC}] = number(t, 1)
		reports, _, _ = h.scan(t.Context(), mesh, d.service())
		if r := reports[1]; r.Transport != diag.TransportWiFi || r.Vendor != "Acme" || h.outcome[1].Reads != 1 {
			t.Errorf("%+v, %+v", r, h.outcome)
		}
	})
}

// An MTD shows its parent in both tables, and answers an error for the route
// table while it has none. A device in a network's Dataset-less time has nulls.
func TestQuirksOfDevices(t *testing.T) {
	null := element(t, func(e *tlv.Encoder) { e.PutNull(tlv.Anonymous) })
	thread := func(a uint32) im.Path { return im.Path{Cluster: cluster.ThreadNetworkDiagnostics, Attribute: a} }
	bubble(t, func(t *testing.T, h *home) {
		values := threadNode(t, captured(t, "1"), 0x0a1b2c3d4e5f6071)
		values[thread(1)] = number(t, 2) // a sleepy end device
		values[thread(7)] = element(t, func(e *tlv.Encoder) {
			e.Array(tlv.Anonymous)
			e.Struct(tlv.Anonymous)
			for i, v := range []uint64{0xca6b77f8dc48bd93, 4, 0x5c00, 9, 9, 3} {
				e.PutUint(tlv.Context(uint8(i)), v)
			}
			e.PutNull(tlv.Context(6))
			e.PutInt(tlv.Context(7), -61)
			e.PutUint(tlv.Context(8), 0)
			e.PutUint(tlv.Context(9), 0)
			for i := range uint8(4) {
				e.PutBool(tlv.Context(10+i), i < 3)
			}
			e.End()
			e.End()
		})
		delete(values, thread(8))
		values[thread(0x3f)] = number(t, uint64(diag.ExtAddr(0x0a1b2c3d4e5f6071).Swapped())) // before SDK 1.4.2
		for _, a := range []uint32{0, 2, 3, 4, 5, 9} {
			values[thread(a)] = null
		}
		values[im.Path{Cluster: cluster.ICDManagement, Attribute: 0}] = number(t, 300)
		values[im.Path{Cluster: cluster.ICDManagement, Attribute: 3}] = element(t, func(e *tlv.Encoder) {
			e.Array(tlv.Anonymous)
			for f := range uint64(2) { // of two fabrics; whose is not told
				e.Struct(tlv.Anonymous)
				e.PutUint(tlv.Context(254), f+1)
				e.End()
			}
			e.End()
		})
		d := h.add(1, "fd01::1", values)
		reports, problems, _ := h.scan(t.Context(), mesh, d.service())
		r := reports[1]
		icd, _ := r.ICD.Get()
		if len(problems) != 0 || r.Children != nil || len(r.Neighbors) != 1 || r.Routes != nil || r.Role != diag.RoleSleepyEndDevice || r.Network.ExtPANID != 0 ||
			r.Network.Channel.Known() || r.Leader.PartitionID.Known() || icd.RegisteredClients != diag.Some(uint16(2)) || icd.IdleModeDuration != diag.Some(5*time.Minute) {
			t.Errorf("%+v, %v", r, problems)
		}
		if d.requests[0].FabricFiltered || len(d.requests[0].DataVersionFilters) != 0 {
			t.Errorf("%+v", d.requests[0])
		}
		if len(r.Own) != 2 || r.Own[0].ExtAddr != r.Own[1].ExtAddr.Swapped() { // both are kept; topology decides
			t.Errorf("%+v", r.Own)
		}
		if n := r.Neighbors[0]; n.AverageRSSI.Known() || n.LastRSSI != diag.Some(int8(-61)) || n.RLOC16 != diag.MakeRLOC16(0x5c00) {
			t.Errorf("%+v", n)
		}
	})
}

// A device that was reset, or given to somebody else, answers and is not ours.
func TestOtherFabric(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		d := h.add(1, "fd01::1", nil)
		d.answer.Identities = func() []sigma.Identity { return nil }
		_, problems, took := h.scan(t.Context(), mesh, d.service())
		if len(problems) != 1 || problems[0].Stage != diag.StageHandshake || !strings.Contains(problems[0].Text, "not on this fabric") || h.outcome[1].Tries != 1 || took > time.Second {
			t.Errorf("%+v in %v", problems, took)
		}
	})
}

// A record that the node has no more, or that is of another node, is replaced.
func TestOldRecord(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		a := h.add(1, "fd01::1", threadNode(t, captured(t, "1"), 1))
		b := h.add(2, "fd01::2", threadNode(t, captured(t, "1"), 2))
		h.scan(t.Context(), mesh, a.service(), b.service())
		a.records = map[[16]byte]sigma.Record{}
		h.records[2] = h.records[1]
		reports, problems, _ := h.scan(t.Context(), mesh, a.service(), b.service())
		if len(reports) != 2 || len(problems) != 0 || h.outcome[1].Resumed || h.outcome[2].Resumed {
			t.Errorf("%v, %+v", problems, h.outcome)
		}
		reports, problems, _ = h.scan(t.Context(), mesh, a.service(), b.service())
		if len(reports) != 2 || len(problems) != 0 || !h.outcome[1].Resumed || !h.outcome[2].Resumed || h.records[2].Peer().NodeID != 2 {
			t.Errorf("%v, %+v", problems, h.outcome)
		}
	})
}
