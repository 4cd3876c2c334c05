package tmf

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
	"threadmap/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	agentAddr = netip.MustParseAddrPort("[2001:db8::1]:49154")
	here      = netip.MustParseAddr("2001:db8::2")
)

// A scene is one simulated border agent in virtual time, and a source that
// knows its key.
type scene struct {
	t      *testing.T
	m      *mesh.Mesh
	net    *simnet.Net
	agent  *borderagent.Agent
	source Source
	record Record
	notes  []string
	within time.Duration // of the probe; 0: as it is
}

// border is the first border router.
func border(m *mesh.Mesh) diag.ExtAddr {
	return m.Nodes[slices.IndexFunc(m.Nodes, func(n mesh.Node) bool { return n.BorderRouter && n.IsRouter() })].ExtAddr
}

// stage starts the agent of the mesh's first border router. It is called in a
// bubble.
func stage(t *testing.T, m *mesh.Mesh, o borderagent.Options) *scene {
	t.Helper()
	a, err := borderagent.New(m.View(), border(m), o)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, m: m, net: &simnet.Net{}, agent: a}
	pc, err := s.net.ListenPacket(agentAddr)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- a.Serve(pc) }()
	t.Cleanup(func() {
		a.Close()
		<-over
	})
	key, err := pskc.New(m.PSKc[:])
	if err != nil {
		t.Fatal(err)
	}
	s.source = sourceOf(s, key)
	return s
}

// sourceOf is a source in the scene's network that has that key.
func sourceOf(s *scene, key pskc.Secret) Source {
	return Source{
		Credentials: func(diag.PANID64) (Credential, bool) { return Credential{Secret: key}, true },
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return nil, err
			}
			return s.net.Dial(netip.AddrPortFrom(here, 0), to)
		},
		Done: func(r Record) { s.record = r },
		Note: func(_, text string) { s.notes = append(s.notes, text) },
		rand: rand.New(rand.NewPCG(1, 2)),
	}
}

// scan runs the probe of the agent.
func (s *scene) scan(ctx context.Context) ([]diag.Report, []diag.Problem) {
	s.t.Helper()
	e, err := Endpoint(agentAddr.String(), s.m.ExtPANID, false)
	if err != nil {
		s.t.Fatal(err)
	}
	probes := diag.Plan([]diag.Source{s.source}, diag.Known{Endpoints: []diag.Endpoint{e}})
	for i := range probes {
		if s.within > 0 {
			probes[i].Within = s.within
		}
	}
	return diag.Collect(ctx, probes, nil)
}

// differences compares a map with the mesh: every node under its parent, every
// link with both qualities, and what is known of signals.
func differences(m *mesh.Mesh, got *topology.Map, signals bool) (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	v := m.Truth()
	nodes := make([]*topology.Node, len(m.Nodes))
	for i := range m.Nodes {
		want := &m.Nodes[i]
		k := slices.IndexFunc(got.Nodes, func(n *topology.Node) bool {
			return n.ExtAddr == want.ExtAddr || n.ExtAddr == 0 && n.RLOC16 == diag.MakeRLOC16(want.RLOC16())
		})
		if k < 0 {
			say("node %s %04x is missing", want.ExtAddr, want.RLOC16())
			continue
		}
		nodes[i] = got.Nodes[k]
		role := m.Role(i)
		if role == diag.RoleREED {
			role = diag.RoleEndDevice // a mode can't tell
		}
		if nodes[i].Role != role {
			say("%s: role %q, want %q", want.ExtAddr, nodes[i].Role, role)
		}
		if len(nodes[i].Conflicts) > 0 {
			say("%s: conflicts %v", want.ExtAddr, nodes[i].Conflicts)
		}
	}
	if len(got.Nodes) != len(m.Nodes) || len(got.Links) != len(m.Links) || len(got.Networks) != 1 {
		say("%d networks, %d nodes, %d links; want 1, %d, %d", len(got.Networks), len(got.Nodes), len(got.Links), len(m.Nodes), len(m.Links))
	}
	for i, n := range nodes {
		if p := v.Parent(i); n != nil && p >= 0 && n.Parent != nodes[p] {
			say("%s: not under its parent %s", m.Nodes[i].ExtAddr, m.Nodes[p].ExtAddr)
		}
	}
	for _, l := range m.Links {
		a, b := nodes[l.A], nodes[l.B]
		if a == nil || b == nil {
			continue
		}
		k := slices.IndexFunc(got.Links, func(g *topology.Link) bool { return g.A == a && g.B == b || g.A == b && g.B == a })
		if k < 0 {
			say("link %s - %s is missing", a.ID, b.ID)
			continue
		}
		ab, ba := got.Links[k].AToB, got.Links[k].BToA
		if got.Links[k].A == b {
			ab, ba = ba, ab
		}
		kid := !m.Nodes[l.A].IsRouter() || !m.Nodes[l.B].IsRouter()
		for _, d := range []struct {
			name  string
			got   topology.Direction
			want  mesh.Direction
			byKid bool // only a child hears it, and nobody asks a child
		}{{a.ID + " to " + b.ID, ab, l.AToB, kid && !m.Nodes[l.B].IsRouter()}, {b.ID + " to " + a.ID, ba, l.BToA, kid && !m.Nodes[l.A].IsRouter()}} {
			if d.byKid {
				continue
			}
			if d.got.LQ != diag.Some(d.want.LQ) {
				say("%s: quality %v, want %d", d.name, d.got.LQ, d.want.LQ)
			}
			if signals && (d.got.RSSI != diag.Some(d.want.RSSI) || d.got.Margin != diag.Some(d.want.Margin)) {
				say("%s: %v dBm, margin %v; want %d, %d", d.name, d.got.RSSI, d.got.Margin, d.want.RSSI, d.want.Margin)
			}
			if rssi, known := d.got.RSSI.Get(); known && rssi != d.want.RSSI {
				say("%s: %d dBm, want %d", d.name, rssi, d.want.RSSI)
			}
		}
	}
	return out
}

func check(t *testing.T, m *mesh.Mesh, reports []diag.Report, problems []diag.Problem, signals bool) {
	t.Helper()
	for _, p := range problems {
		t.Errorf("problem: %v (%s)", p, p.Hint)
	}
	for _, d := range differences(m, topology.Build(reports), signals) {
		t.Error(d)
	}
}

// The mesh of the captures, and a home of fifty.
func TestWholeMesh(t *testing.T) {
	home := mesh.HomeOf50(1).Networks[0]
	home.Faults = nil
	for _, m := range []*mesh.Mesh{mesh.Lab(0), mesh.Lab(20), home} {
		t.Run(fmt.Sprintf("%s of %d", m.Name, len(m.Nodes)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stage(t, m, borderagent.Options{})
				start := time.Now()
				reports, problems := s.scan(t.Context())
				t.Logf("%v, %d reports, %+v, %+v", time.Since(start), len(reports), s.record.Traffic, s.record.Questions)
				check(t, m, reports, problems, true)
				if who, taken := s.agent.Commissioner(); taken {
					t.Errorf("the role is still with %q", who)
				}
				for _, r := range reports {
					if strings.Contains(fmt.Sprintf("%+v", r), "82bd6699") {
						t.Error("a key is in a report")
					}
				}
			})
		})
	}
}
