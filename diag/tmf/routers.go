package tmf

import (
	"context"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/meshcop"
)

// fewWithin is the deadline of asking a few routers: a handshake, a role that is
// taken and soon free, and for each silent router half a minute of repetitions.
const fewWithin = 85 * time.Second

// maxFew bounds the routers that are asked in one session.
const maxFew = diag.MaxRouterID + 1

// Routers is a func that asks a few routers, by RLOC16, for their children and
// routes, and nobody else; without any it asks the leader. It is for one who
// watches one device's parent, not for a map: each call makes one session with
// a border agent of those networks of k that s has a credential of, and gives
// the commissioner's role back at its end, so that others can have it in
// between.
//
// What a call puts on the mesh, beside the session itself: for each router one
// request, one query where it has children, each repeated once where the answer
// stays out, and one acknowledgement for each message of an answer. Children are
// never asked, and nothing is multicast.
//
// One-time codes are left alone: they are good for one session.
func (s Source) Routers(k diag.Known) func(ctx context.Context, routers []diag.RLOC16) ([]diag.Report, []diag.Problem) {
	s.OneTime, s.AskSleepy = nil, false
	credentials := s.Credentials
	s.Credentials = func(network diag.PANID64) (Credential, bool) {
		if credentials == nil {
			return Credential{}, false
		}
		c, ok := credentials(network)
		return c, ok && !c.OneTime
	}
	return func(ctx context.Context, routers []diag.RLOC16) ([]diag.Report, []diag.Problem) {
		s := s
		s.few = nil
		for _, r := range routers {
			if v, _ := r.Get(); r.IsRouter() && len(s.few) < maxFew {
				s.few = append(s.few, v)
			}
		}
		if len(s.few) == 0 {
			if len(routers) > 0 {
				return nil, nil // children only: they are not asked
			}
			s.few = []uint16{meshcop.LeaderALOC16}
		}
		probes := diag.Plan([]diag.Source{s}, k)
		for i := range probes {
			probes[i].Within = min(probes[i].Within, fewWithin)
		}
		return diag.Collect(ctx, probes, nil)
	}
}
