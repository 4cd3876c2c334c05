package otbr

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"threadmap/diag"
	"threadmap/simulators/matterserver"
	model "threadmap/simulators/mesh"
	simulated "threadmap/simulators/otbr"
)

// TestRouters: each generation is asked for two routers, then for one more that
// is silent; nobody else is asked, and what tasks were made are taken away.
func TestRouters(t *testing.T) {
	for generation := 1; generation <= 3; generation++ {
		t.Run("generation "+string(rune('0'+generation)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := model.Lab(0)
				border := slices.IndexFunc(m.Nodes, func(n model.Node) bool { return n.BorderRouter && n.IsRouter() })
				var others []int
				for i := range m.Nodes {
					if m.Nodes[i].IsRouter() && i != border {
						others = append(others, i)
					}
				}
				far := others[len(others)-1]
				m.Faults = append(m.Faults, model.Fault{Kind: model.FaultSilent, Node: m.Nodes[others[0]].ExtAddr})
				v := m.View()
				sim, err := simulated.New(v, m.Nodes[border].ExtAddr, simulated.Options{Generation: generation, Updated: true})
				if err != nil {
					t.Fatal(err)
				}
				transport := &http.Transport{DialContext: matterserver.InProcess(sim)}
				defer transport.CloseIdleConnections()
				ask := Source{HTTP: &http.Client{Transport: transport}}.Routers(diag.Known{Endpoints: []diag.Endpoint{{Source: Name, URL: "http://otbr.example:8081"}}})

				reports, problems := ask(t.Context(), []diag.RLOC16{diag.MakeRLOC16(m.Nodes[border].RLOC16()), diag.MakeRLOC16(m.Nodes[far].RLOC16())})
				if len(problems) > 0 {
					t.Errorf("problems: %v", problems)
				}
				for _, i := range []int{border, far} {
					told := false
					for _, r := range reports {
						told = told || r.RLOC16 == diag.MakeRLOC16(m.Nodes[i].RLOC16()) && r.Children != nil && len(r.Children) == len(v.Children(i))
					}
					if !told {
						t.Errorf("the children of %v were not told", m.Nodes[i].ExtAddr)
					}
				}
				requests := sim.Requests()
				switch {
				case generation == 1 && requests["GET /diagnostics"] != 1:
					t.Errorf("%v: want one GET /diagnostics", requests)
				case generation > 1 && requests["POST /api/actions"] > 2+maxByRLOC16:
					t.Errorf("%v: too many tasks", requests)
				}

				_, problems = ask(t.Context(), []diag.RLOC16{diag.MakeRLOC16(m.Nodes[others[0]].RLOC16())})
				if silent := slices.ContainsFunc(problems, func(p diag.Problem) bool {
					return strings.HasPrefix(p.Text, "router "+diag.MakeRLOC16(m.Nodes[others[0]].RLOC16()).String()) && strings.Contains(p.Text, "did not answer")
				}); silent != (generation > 1) {
					t.Errorf("silent router: problems %v", problems)
				}
				if reports, problems := ask(t.Context(), []diag.RLOC16{diag.RouterRLOC16(1).Child(1)}); reports != nil || problems != nil {
					t.Error("a child was asked")
				}
			})
		})
	}
}
