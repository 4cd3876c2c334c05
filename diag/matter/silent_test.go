package matter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/discovery"
	"threadmap/simulators/simnet"
)

// A node that hangs costs its own time, and none of the others'.
func TestHangingNodes(t *testing.T) {
	for _, c := range []struct {
		name  string
		dead  func(handshakes, reads int) bool
		stage diag.Stage
		text  string
	}{
		{"before the session", func(handshakes, _ int) bool { return true }, diag.StageHandshake, "did not go on"},
		{"in the read", func(_, reads int) bool { return reads > 0 }, diag.StageAsk, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *home) {
				h.delayed(5 * time.Millisecond)
				services := []discovery.Service{mesh}
				values := captured(t, "1")
				for n := range uint64(20) {
					d := h.add(n+1, fmt.Sprintf("fd01::%x", n+1), threadNode(t, values, 0xaabb000000000001+n))
					if n == 3 {
						d.dead = c.dead
					}
					services = append(services, d.service())
				}
				var others time.Duration
				begun := time.Now()
				h.source.Done = func(r Record) {
					h.outcome[r.Node] = r
					if r.Node != 4 {
						others = max(others, time.Since(begun))
					}
				}
				reports, problems, took := h.scan(t.Context(), services...)
				if len(reports) != 19 || others > 3*time.Second {
					t.Errorf("%d reports, the others took %v", len(reports), others)
				}
				if len(problems) != 1 || problems[0].Target != authority.Member().InstanceName(4) || problems[0].Stage != c.stage || !problems[0].Partial ||
					!strings.Contains(problems[0].Text, c.text) || problems[0].Hint == "" {
					t.Errorf("%+v", problems)
				}
				t.Logf("%v: %+v", took, problems)
				if took > 40*time.Second || h.outcome[4].Err == nil {
					t.Errorf("%v, %+v", took, h.outcome[4])
				}
				h.polite()
			})
		})
	}
}

// Dead nodes of a whole room, at addresses where nobody is.
func TestManyDeadNodes(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.delayed(5 * time.Millisecond)
		services := []discovery.Service{mesh}
		values := captured(t, "1")
		for n := range uint64(30) {
			if n%3 == 0 {
				services = append(services, announced(t, n+1, "0A1B2C3D4E5F6071", nil, fmt.Sprintf("fd01::%x", n+1)))
				continue
			}
			services = append(services, h.add(n+1, fmt.Sprintf("fd01::%x", n+1), threadNode(t, values, 0xaabb000000000001+n)).service())
		}
		reports, problems, took := h.scan(t.Context(), services...)
		if len(reports) != 20 || len(problems) != 10 {
			t.Errorf("%d reports, %+v", len(reports), problems)
		}
		for _, p := range problems {
			if p.Stage != diag.StageConnect || p.Hint == "" || !p.Partial {
				t.Errorf("%+v", p)
			}
		}
		t.Logf("%v: %+v", took, problems[0])
		if took > 90*time.Second {
			t.Errorf("took %v", took)
		}
		h.polite()
	})
}

// A mesh that loses one datagram in five each way loses hardly anybody.
func TestLoss(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		r := rand.New(rand.NewPCG(3, 4))
		h.net.Fate = func(simnet.Packet) []time.Duration {
			if r.Float64() < 0.2 {
				return nil
			}
			return []time.Duration{time.Duration(10+r.IntN(40)) * time.Millisecond}
		}
		services := []discovery.Service{mesh}
		values := captured(t, "2")
		for n := range uint64(12) {
			services = append(services, h.add(n+1, fmt.Sprintf("fd01::%x", n+1), threadNode(t, values, 0xaabb000000000001+n)).service())
		}
		reports, problems, took := h.scan(t.Context(), services...)
		whole := 0
		for _, r := range reports {
			if len(r.Neighbors)+len(r.Children) == 60 && len(r.Routes) == 63 {
				whole++
			}
		}
		// The waits of reliable messaging are random, so that now and then, in a
		// hundred such scans, one node is lost.
		if len(reports) < 10 || whole < 9 {
			t.Errorf("%d reports, %d of them whole, in %v: %v", len(reports), whole, took, problems)
		}
	})
}

// A sleepy node that does not answer is no fault of the map, and does not
// take anybody's time.
func TestSleepyNodeSleepsOn(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		d := h.add(1, "fd01::1", threadNode(t, captured(t, "1"), 1))
		_, problems, took := h.scan(t.Context(), mesh, d.service(), announced(t, 2, "0A1B2C3D4E5F6071", txt("SII=3000"), "fd01::2"))
		if len(problems) != 1 || problems[0].Partial || !strings.Contains(problems[0].Hint, "sleeps") || h.outcome[2].Tries != 1 || took > 20*time.Second {
			t.Errorf("%+v in %v, %+v", problems, took, h.outcome)
		}
		_, problems, took = h.scan(t.Context(), mesh, d.service(), announced(t, 2, "0A1B2C3D4E5F6071", txt("ICD=1"), "fd01::2"))
		if len(problems) != 0 || took > 2*time.Second {
			t.Errorf("a node in long idle time mode was asked: %+v in %v", problems, took)
		}
	})
}

func TestNotThere(t *testing.T) {
	bubble(t, func(t *testing.T, h *home) {
		h.source.Nodes = []uint64{5, 6}
		_, problems, took := h.scan(t.Context(), announced(t, 6, "0A1B2C3D4E5F6071", nil))
		if took != 0 || len(problems) != 2 {
			t.Fatalf("%+v in %v", problems, took)
		}
		for i, text := range []string{"not announced", "without an address"} {
			if p := problems[i]; p.Stage != diag.StageResolve || !strings.Contains(p.Text, text) || !p.Partial {
				t.Errorf("%+v", p)
			}
		}
	})
}
