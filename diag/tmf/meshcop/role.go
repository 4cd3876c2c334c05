package meshcop

import (
	"fmt"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
)

// keepDue is when the next keep-alive is due, and whether it is in doubt that
// the border agent is still there; zero: none is due.
func (s *Session) keepDue() (at time.Time, doubt bool) {
	if s.phase != active || s.ca != 0 {
		return at, false
	}
	if t := s.heardAt.Add(quiet); s.inner.Busy() && t.Before(s.keepAt) {
		return t, true
	}
	return s.keepAt, s.misses > 0
}

// keep keeps the role alive. Who lost it gets not even an acknowledgement; the
// dataset is told to everybody, so asking for that, too, tells whether the
// border agent is there.
func (s *Session) keep(now time.Time, doubt bool) {
	s.keptAt, s.doubt = now, doubt
	s.ca = s.request(now, PathKeepAlive, AppendSessionID(AppendState(nil, Accept), s.session))
	if doubt {
		s.ping = s.request(now, PathActiveGet, AppendGet(nil, TypeActiveTimestamp))
	}
}

func (s *Session) maybePetition(now time.Time) {
	if s.phase == reading && s.ag == 0 && s.cg == 0 {
		s.petition(now)
	}
}

func (s *Session) petition(now time.Time) {
	s.phase, s.unsure = petitioning, true
	s.cp = s.request(now, PathPetition, AppendCommissionerID(nil, s.id))
}

func (s *Session) gotVerdict(now time.Time, e coap.Event, ok bool) {
	var v Verdict
	var err error
	if ok {
		v, err = ParseVerdict(e.Message.Payload)
	}
	id, named := v.SessionID.Get()
	accepted := ok && err == nil && v.State == diag.Some(Accept) && named
	switch {
	case s.phase == resigning && accepted: // late, or asked again to learn the session id
		s.session = id
		s.resign(now)
		return
	case s.phase == resigning:
		s.end(s.why)
		return
	case accepted:
		s.session, s.phase = id, active
		s.tell(Event{Kind: Activated})
		s.cg = s.request(now, PathCommissionerGet, nil)
		return
	case e.Kind == coap.TimedOut:
		// The answer comes apart from its acknowledgement and may be lost. The
		// same petition again takes nothing from anybody: the id is ours.
		s.retry(now, now, ErrSilent)
		return
	case !ok || err != nil || v.State == diag.Some(Accept):
		s.end(fmt.Errorf("%w the petition", ErrRefused))
		return
	}
	s.unsure = false
	s.tell(Event{Kind: Rejected, Holder: v.Holder})
	s.retry(now, now.Add(petitionAgain), &RoleTakenError{v.Holder})
}

// retry petitions again at a later time, a bounded number of times.
func (s *Session) retry(now, at time.Time, why error) {
	if s.retryUntil.IsZero() {
		s.retryUntil = now.Add(s.cfg.Retry)
	}
	if at.After(s.retryUntil) || s.cfg.Retry < 0 {
		s.end(why)
		return
	}
	s.phase, s.retryAt = waiting, at
}

func (s *Session) gotKeepAlive(now time.Time, e coap.Event, ok bool) {
	if s.phase == resigning {
		s.end(s.why)
		return
	}
	if e.Kind == coap.TimedOut {
		switch {
		case now.Before(s.keepAt): // it was acknowledged
		case s.doubt && s.heardAt.Before(s.keptAt):
			s.end(ErrSilent)
		case s.misses > 1:
			s.end(ErrRoleLost) // it is there, but no longer hears our keep-alives
		default:
			s.misses++
			s.keep(now, true)
		}
		return
	}
	v, err := ParseVerdict(e.Message.Payload)
	if !ok || err != nil || v.State != diag.Some(Accept) {
		s.end(ErrRoleLost)
		return
	}
	s.keepAt, s.misses = now.Add(keepAlive), 0
}

// Resign gives the role up, if the Session has it or may have it. Ended follows,
// whether the border agent answers or not: if hurry is set within three seconds,
// of which the second half is only waiting.
func (s *Session) Resign(now time.Time, hurry bool) { s.leave(now, nil, hurry) }

// leave resigns; why is told at the end.
func (s *Session) leave(now time.Time, why error, hurry bool) {
	has, may := s.phase == active, s.unsure && (s.phase == petitioning || s.phase == waiting)
	switch {
	case s.phase == over || s.phase == resigning:
		return
	case !has && !may:
		s.end(why)
		return
	}
	s.phase, s.why = resigning, why
	// What is to be sent is sent: an answer that is not acknowledged keeps a node
	// busy for minutes. Nothing of what was under way is repeated.
	for _, d := range s.outer.Datagrams() {
		s.out = append(s.out, d.Data)
	}
	// In more of a hurry.
	cfg := coap.Config{Wait: resignWait, Tries: resignTries, Response: 2 * resignWait}
	if hurry {
		cfg.Wait, cfg.Tries = hurriedWait, hurriedTries
	}
	s.outer = coap.NewEndpoint(cfg, s.cfg.Rand)
	s.ag, s.cg, s.cp, s.ca, s.ping = 0, 0, 0, 0, 0
	if has {
		s.resign(now)
	} else {
		// Whether the petition was accepted is not known, and with which session
		// id. The same once more brings it to light.
		s.cp = s.request(now, PathPetition, AppendCommissionerID(nil, s.id))
	}
	s.work(now)
}

func (s *Session) resign(now time.Time) {
	s.ca = s.request(now, PathKeepAlive, AppendSessionID(AppendState(nil, Reject), s.session))
}
