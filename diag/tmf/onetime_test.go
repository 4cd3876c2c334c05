package tmf

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"threadmap/diag"
	"threadmap/diag/tmf/meshcop"
	"threadmap/discovery"
	"threadmap/simulators/borderagent"
	"threadmap/simulators/mesh"
)

// TestOneTimeAgent: a one-time code goes to the agent it is for, by announcement
// or by address, in one session; its network is asked in no other way.
func TestOneTimeAgent(t *testing.T) {
	const code = "475689122"
	for _, byAddress := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := mesh.Lab(0)
			s := stage(t, m, borderagent.Options{EphemeralCode: code})
			plain := announce(t, discovery.KindMeshCoP, "a", m.ExtPANID, 7, 0x1fb1, "[2001:db8::1]:1")
			shown := announce(t, discovery.KindMeshCoPE, "a", 0, 0, 0, agentAddr.String())
			k := diag.Known{Services: []discovery.Service{plain, shown}}
			one := &OneTime{Code: key(t, []byte(code)), Address: agentAddr.String()}
			if !byAddress {
				for _, a := range meshcop.Choose(k.Services) {
					if a.OneTime {
						one.Agent, one.Address = a, ""
					}
				}
			}
			s.source.OneTime = one
			s.source.Credentials = func(diag.PANID64) (Credential, bool) { return Credential{}, false }
			if !byAddress { // there is a PSKc, too, and a border agent that was named
				s.source.Credentials = func(diag.PANID64) (Credential, bool) {
					return Credential{Secret: key(t, []byte("0123456789abcdef"))}, true
				}
				e, err := Endpoint("[2001:db8::1]:1", m.ExtPANID, false)
				if err != nil {
					t.Fatal(err)
				}
				k.Endpoints = []diag.Endpoint{e}
			}
			dial := s.source.Dial
			s.source.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != agentAddr.String() {
					t.Errorf("dialled %s", address)
				}
				return dial(ctx, network, address)
			}
			reports, problems := diag.Collect(t.Context(), diag.Plan([]diag.Source{s.source}, k), nil)
			check(t, m, reports, problems, true)
			if st := s.agent.Stats(); st.Sessions != 1 || st.Refused != 0 {
				t.Errorf("%d sessions, %d refused", st.Sessions, st.Refused)
			}
		})
	}
}

// TestOneTimeAddress: what is no address is a line, not a session.
func TestOneTimeAddress(t *testing.T) {
	for _, one := range []OneTime{{Address: "nonsense"}, {Agent: meshcop.Agent{Instance: "a"}}} {
		one.Code = key(t, []byte("475689122"))
		probes := Source{OneTime: &one}.Probes(diag.Known{})
		_, problems := diag.Collect(t.Context(), probes, nil)
		if len(problems) != 1 || !problems[0].Partial || problems[0].Hint == "" || strings.Contains(problems[0].Text, "nonsense") {
			t.Errorf("%v", problems)
		}
	}
}

// TestWaitIsBounded: how long a role that is taken is waited for is said, and
// kept: with a one-time code that is one session.
func TestWaitIsBounded(t *testing.T) {
	for oneTime, want := range map[bool]string{false: "waiting up to 52 s for it", true: "waiting up to 40 s for it"} {
		synctest.Test(t, func(t *testing.T) {
			o := borderagent.Options{SecondCommissioner: "lab-A"}
			if oneTime {
				o.EphemeralCode = "475689122"
			}
			s := stage(t, mesh.Lab(0), o)
			if oneTime {
				s.source.OneTime = &OneTime{Code: key(t, []byte(o.EphemeralCode)), Address: agentAddr.String()}
				diag.Collect(t.Context(), diag.Plan([]diag.Source{s.source}, diag.Known{}), nil)
			} else {
				s.scan(t.Context())
			}
			if len(s.notes) == 0 {
				t.Fatal("nothing is said")
			}
			for _, n := range s.notes {
				if !strings.Contains(n, want) || !strings.Contains(n, `"lab-A"`) || n != s.notes[0] {
					t.Errorf("%q", n)
				}
			}
			if n := s.agent.Stats().Sessions; oneTime && n != 1 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// TestNamedAgentMoved: where a named border agent has another port by now, what
// is announced of its network stands in for it.
func TestNamedAgentMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		s := stage(t, m, borderagent.Options{})
		e, err := Endpoint("[2001:db8::1]:1", m.ExtPANID, false)
		if err != nil {
			t.Fatal(err)
		}
		k := diag.Known{Endpoints: []diag.Endpoint{e}, Services: []discovery.Service{announce(t, discovery.KindMeshCoP, "a", m.ExtPANID, 7, 0x1fb1, agentAddr.String())}}
		reports, problems := diag.Collect(t.Context(), diag.Plan([]diag.Source{s.source}, k), nil)
		check(t, m, reports, problems, true)
		if NetworkOf(e) != m.ExtPANID || NetworkOf(diag.Endpoint{Source: "otbr", URL: e.URL}) != 0 {
			t.Error("the endpoint's network is not found")
		}
	})
}
