package tmf

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
	"threadmap/topology"
)

// A border agent that drops what does not fit into 768 octets: parents and
// link qualities are complete, signals are unknown where a list is too long.
func TestSmallRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(20)
		s := stage(t, m, borderagent.Options{RecordLimit: 768})
		start := time.Now()
		reports, problems := s.scan(t.Context())
		t.Logf("%v %+v %+v", time.Since(start), s.record.Traffic, s.record.Questions)
		if len(problems) != 1 || !strings.Contains(problems[0].Text, "did not get through") {
			t.Errorf("problems %v", problems)
		}
		if s.record.Vanished == 0 {
			t.Error("the record says nothing of the limit")
		}
		check(t, m, reports, nil, false)
	})
}

// Old stacks know no lists, and echo no Query ID.
func TestOldStacks(t *testing.T) {
	for name, o := range map[string]borderagent.Options{
		"no TLVs 29 to 31":                    {NoNewTLVs: borderagent.Everybody},
		"none of them, and the old TLV 48":    {NoNewTLVs: borderagent.Everybody, OldUDPEncapsulation: true},
		"some nodes without TLVs 29 to 31":    {NoNewTLVs: func(n *mesh.Node) bool { return n.RouterID%2 == 0 }},
		"none of them, in records of 768":     {NoNewTLVs: borderagent.Everybody, RecordLimit: 768},
		"none of them, and a mesh that loses": {NoNewTLVs: borderagent.Everybody, Lose: lossyMesh(1, 10)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := mesh.Lab(3)
				s := stage(t, m, o)
				reports, problems := s.scan(t.Context())
				check(t, m, reports, problems, false)
			})
		})
	}
}

// The old form of TLV 48, whose length is always of three octets, carries all.
func TestOldUDPEncapsulation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(20)
		s := stage(t, m, borderagent.Options{OldUDPEncapsulation: true})
		reports, problems := s.scan(t.Context())
		check(t, m, reports, problems, true)
	})
}

// A silent router is said to be silent, once, and the rest is complete.
func TestSilentRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSilent, Node: m.Nodes[4].ExtAddr}}
		s := stage(t, m, borderagent.Options{})
		start := time.Now()
		reports, problems := s.scan(t.Context())
		if took := time.Since(start); took > 45*time.Second {
			t.Errorf("took %v", took)
		}
		if len(problems) != 1 || !strings.Contains(problems[0].Text, "0x8400 0e05050505050505 is in 6 route tables, but did not answer") {
			t.Errorf("problems %v", problems)
		}
		got := topology.Build(reports)
		for i := range m.Nodes {
			k := slices.IndexFunc(got.Nodes, func(n *topology.Node) bool { return n.ExtAddr == m.Nodes[i].ExtAddr })
			switch {
			case i == 6: // its sleepy child, which nobody else knows
			case k < 0:
				t.Errorf("node %s is missing", m.Nodes[i].ExtAddr)
			case i == 4 && got.Nodes[k].State != topology.NodeSilent:
				t.Errorf("the silent router is %q", got.Nodes[k].State)
			}
		}
		// Once by multicast, twice by itself, and the others as always.
		if q := s.record.Questions; q.Silent != 1 || q.Again != 1 || q.Multicast != 1 || q.Unicast > 3*6+1 {
			t.Errorf("%+v", s.record.Questions)
		}
	})
}

// Far routers, and one that needs four seconds for each answer.
func TestSlowRouters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Line(14).Networks[0]
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSlow, Node: m.Nodes[5].ExtAddr, Delay: 4 * time.Second}}
		s := stage(t, m, borderagent.Options{HopDelay: 100 * time.Millisecond})
		reports, problems := s.scan(t.Context())
		check(t, m, reports, problems, true)
	})
}

// A router whose lists come back empty beside a full child table.
func TestLostLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(5)
		m.Faults = []mesh.Fault{{Kind: mesh.FaultLostLists, Node: m.Nodes[3].ExtAddr}}
		s := stage(t, m, borderagent.Options{})
		reports, _ := s.scan(t.Context())
		for _, d := range differences(m, topology.Build(reports), false) {
			if !strings.Contains(d, "quality") { // the neighbor list of one side is gone
				t.Error(d)
			}
		}
	})
}

// Sleepy children are asked when that is wanted, and only then.
func TestSleepy(t *testing.T) {
	for _, ask := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := mesh.Lab(0)
			s := stage(t, m, borderagent.Options{})
			s.source.AskSleepy = ask
			reports, problems := s.scan(t.Context())
			check(t, m, reports, problems, true)
			said := slices.ContainsFunc(reports, func(r diag.Report) bool { return r.RLOC16 == diag.MakeRLOC16(0x8401) && r.Timeout.Known() })
			if said != ask {
				t.Errorf("ask %v: the sleepy child spoke: %v", ask, said)
			}
		})
	}
}

// Another commissioner is never displaced. When its role becomes free, it is
// taken.
func TestRoleTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		s := stage(t, m, borderagent.Options{SecondCommissioner: "lab-A"})
		start := time.Now()
		reports, problems := s.scan(t.Context())
		if took := time.Since(start); took < 45*time.Second || took > time.Minute {
			t.Errorf("gave up after %v", took)
		}
		if len(reports) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Text, `"lab-A"`) || !problems[0].Partial {
			t.Errorf("%d reports, problems %v", len(reports), problems)
		}
		if who, taken := s.agent.Commissioner(); !taken || who != "lab-A" {
			t.Errorf("the commissioner is %q", who)
		}
		if n := s.agent.Stats().Requests["c/cp"]; n < 3 || n > 8 {
			t.Errorf("petitioned %d times", n)
		}
		if s.agent.Stats().Requests["d/dg"] != 0 || len(s.notes) == 0 || !strings.Contains(s.notes[0], "lab-A") {
			t.Errorf("asked nodes, or told nobody: %v", s.notes)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		s := stage(t, m, borderagent.Options{SecondCommissioner: "lab-A"})
		time.AfterFunc(15*time.Second, s.agent.Release)
		reports, problems := s.scan(t.Context())
		check(t, m, reports, problems, true)
	})
}

// Nothing is asked while somebody is adding a device.
func TestJoining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stage(t, mesh.Lab(0), borderagent.Options{SecondCommissioner: "phone", Steering: []byte{0xff}})
		_, problems := s.scan(t.Context())
		if len(problems) != 1 || !strings.Contains(problems[0].Text, "adding a device") || s.agent.Stats().Requests["c/cp"] != 0 {
			t.Errorf("%v, %v", problems, s.agent.Stats().Requests)
		}
	})
}

func TestWrongKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stage(t, mesh.Lab(0), borderagent.Options{})
		key, err := pskc.New(bytes.Repeat([]byte{7}, 16))
		if err != nil {
			t.Fatal(err)
		}
		s.source.Credentials = func(diag.PANID64) (Credential, bool) { return Credential{Secret: key}, true }
		_, problems := s.scan(t.Context())
		if len(problems) != 1 || problems[0].Stage != diag.StageHandshake || !strings.Contains(problems[0].Text, "the key is wrong") {
			t.Errorf("%v", problems)
		}
	})
}

func TestNobodyThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stage(t, mesh.Lab(0), borderagent.Options{})
		s.agent.GoSilent(true)
		_, problems := s.scan(t.Context())
		if len(problems) != 1 || problems[0].Stage != diag.StageHandshake || !strings.Contains(problems[0].Text, "no border agent answered") {
			t.Errorf("%v", problems)
		}
	})
}

// What was learnt before the border agent died stays.
func TestGoneInMidSession(t *testing.T) {
	for _, how := range []string{"power cut", "closed"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stage(t, mesh.Lab(0), borderagent.Options{})
				time.AfterFunc(500*time.Millisecond, func() {
					if how == "closed" {
						s.agent.Close()
					} else {
						s.agent.GoSilent(true)
					}
				})
				start := time.Now()
				reports, problems := s.scan(t.Context())
				t.Logf("%v: %v", time.Since(start), problems)
				if took := time.Since(start); took > 80*time.Second {
					t.Errorf("noticed after %v", took)
				}
				if len(reports) == 0 {
					t.Error("nothing is left of what was learnt")
				}
				if len(problems) == 0 || !slices.ContainsFunc(problems, func(p diag.Problem) bool {
					return strings.Contains(p.Text, "the border agent stopped answering") || strings.Contains(p.Text, "the border agent ended the session")
				}) {
					t.Errorf("%v", problems)
				}
			})
		})
	}
}

// The role is free at the leader after every end.
func TestRoleIsFreeAfterwards(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   time.Duration
		do   func(*scene, context.CancelFunc)
	}{
		{"stopped in the handshake", 2 * time.Millisecond, nil},
		{"stopped in the petition", 11 * time.Millisecond, nil},
		{"stopped while nodes answer", time.Second, nil},
		{"stopped late", 2900 * time.Millisecond, nil},
		{"normal end", time.Hour, nil},
		{"deadline", 0, func(s *scene, cancel context.CancelFunc) { s.within = 300 * time.Millisecond }},
		{"panic in what is told", 0, func(s *scene, _ context.CancelFunc) {
			now, n := time.Now, 0
			s.source.Now = func() time.Time {
				if n++; n == 3 {
					panic("a fault of ours")
				}
				return now()
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stage(t, mesh.Lab(0), borderagent.Options{})
				s.net.Fate = func(simnet.Packet) []time.Duration { return []time.Duration{time.Millisecond} }
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.do != nil {
					tt.do(s, cancel)
				} else {
					time.AfterFunc(tt.at, cancel)
				}
				_, problems := s.scan(ctx)
				if who, taken := s.agent.Commissioner(); taken {
					t.Errorf("the role is still with %q", who)
				}
				if (len(problems) == 0) != (tt.name == "normal end") {
					t.Errorf("%d lines about it", len(problems))
				}
				if s.agent.Stats().Requests["c/ca"] == 0 && tt.name != "stopped in the handshake" {
					t.Error("the role was never given up")
				}
				for _, p := range problems {
					if strings.Contains(p.Text, "did not stop") {
						t.Error(p)
					}
				}
			})
		})
	}
}

// A session that somebody displaced is told so, and is over.
func TestRoleLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Line(20).Networks[0]
		for i := range m.Nodes[10:] {
			m.Faults = append(m.Faults, mesh.Fault{Kind: mesh.FaultSilent, Node: m.Nodes[10+i].ExtAddr})
		}
		s := stage(t, m, borderagent.Options{})
		time.AfterFunc(3*time.Second, func() { s.agent.Hold("phone", nil) })
		_, problems := s.scan(t.Context())
		if !slices.ContainsFunc(problems, func(p diag.Problem) bool { return strings.Contains(p.Text, meshcop.ErrRoleLost.Error()) }) {
			t.Errorf("%v", problems)
		}
		if who, taken := s.agent.Commissioner(); !taken || who != "phone" {
			t.Errorf("the commissioner is %q", who)
		}
		if !errors.Is(s.record.Err, meshcop.ErrRoleLost) {
			t.Errorf("record: %v", s.record.Err)
		}
	})
}

// A one-time code is used once, and not tried again.
func TestOneTimeCode(t *testing.T) {
	for _, right := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m := mesh.Lab(0)
			s := stage(t, m, borderagent.Options{EphemeralCode: "475689122"})
			digits := "475689122"
			if !right {
				digits = "123456787"
			}
			key, err := pskc.New([]byte(digits))
			if err != nil {
				t.Fatal(err)
			}
			s.source.Credentials = func(diag.PANID64) (Credential, bool) { return Credential{Secret: key, OneTime: true}, true }
			reports, problems := s.scan(t.Context())
			st := s.agent.Stats()
			if right {
				check(t, m, reports, problems, true)
				if st.Sessions != 1 {
					t.Errorf("%d sessions", st.Sessions)
				}
			} else if len(problems) != 1 || !strings.Contains(problems[0].Text, "one-time code") || st.Refused != 1 {
				t.Errorf("%v %+v", problems, st)
			}
		})
	}
}
