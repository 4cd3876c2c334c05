package canary

import (
	"errors"
	"slices"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/transport"
	"threadmap/tlv"
)

// accept takes what the device opens: a session, a report, a Check-In. All of it
// may come from anybody who can reach the socket.
func (w *watcher) accept(x *transport.Exchange) {
	first, err := x.Receive(w.ctx)
	if err != nil {
		return
	}
	at := time.Now()
	switch {
	case x.Session().IsSecure():
		w.secured(x, first, at)
	case first.Protocol != message.SecureChannel:
	case first.Opcode == message.CheckIn:
		w.checkIn(first.Payload, at)
	case first.Opcode == message.Sigma1:
		w.sigma1(x, first, at)
	}
}

// sigma1 answers a session that the device begins.
func (w *watcher) sigma1(x *transport.Exchange, first transport.Message, at time.Time) {
	resumption := wantsResumption(first.Payload)
	s, err := w.responder.Answer(w.ctx, x, first)
	if err != nil {
		if w.ctx.Err() == nil && w.strangers.allow(at) { // nobody has proved who that was
			w.see(at, "sigma1", &icd.Sigma1{Resumption: resumption, Fabric: w.fabric()})
			w.see(time.Now(), "case", &icd.CASE{OpenedBy: "device", Result: "failed", Error: cut(err.Error()), Fabric: w.fabric()})
		}
		return
	}
	if s.Node() != w.c.Node { // another device of our fabric
		s.Close()
		return
	}
	w.see(at, "sigma1", &icd.Sigma1{Resumption: resumption, Fabric: w.fabric()})
	w.see(time.Now(), "case", &icd.CASE{OpenedBy: "device", Result: resultOf(s), Fabric: w.fabric()})
	w.mu.Lock()
	w.heardAt, w.came = time.Now(), s
	switch {
	case w.leaving:
	case !w.setUp && len(w.held) == 0:
		w.due = time.Now()
	default:
		w.suspect() // until a report comes
	}
	w.mu.Unlock()
	w.use(s)
	w.wake()
}

func resultOf(s *session.Secure) string {
	if s.Resumed {
		return "resumed"
	}
	return "full"
}

// wantsResumption reports whether Sigma1 has a resumption id and its MIC (Core
// 4.14.2.3).
func wantsResumption(payload []byte) bool {
	have := 0
	d := tlv.NewDecoder(payload)
	if d.Next() && d.Kind() == tlv.Struct {
		d.Enter()
		for d.Next() {
			switch n, ok := d.Tag().Context(); {
			case ok && n == 6:
				have |= 1
			case ok && n == 7:
				have |= 2
			}
		}
		d.Leave()
	}
	return d.Err() == nil && have == 3
}

// maxOlder sessions are kept besides the newest, as many as devices keep.
const maxOlder = 2

// use makes s the session that the canary has with the device.
func (w *watcher) use(s *session.Secure) {
	w.mu.Lock()
	if w.current != nil { // the device may still use it
		w.older = append(w.older, w.current)
		if len(w.older) > maxOlder {
			w.older[0].Session.Drop()
			w.older = w.older[1:]
		}
	}
	w.current, w.record = s, s.Record
	w.mu.Unlock()
	if w.c.KeepRecord != nil {
		w.c.KeepRecord(s.Record)
	}
	w.running.Go(func() {
		select {
		case <-s.Session.Closed():
		case <-w.ctx.Done():
			return
		}
		w.mu.Lock()
		ours := w.leaving || w.current != s
		if w.current == s {
			w.current = nil
		}
		var lost *held
		if h := w.newest(); !ours && h != nil && !h.lost {
			h.lost, lost = true, h
			w.suspect()
		}
		w.mu.Unlock()
		if lost != nil {
			w.see(time.Now(), "lost", &icd.Lost{Reason: "the device closed the session"})
		}
		w.wake()
	})
}

// secured takes an exchange of a session: a report, or something that one does
// not ask of us.
func (w *watcher) secured(x *transport.Exchange, first transport.Message, at time.Time) {
	s := session.Of(x.Session())
	if s == nil || s.Node() != w.c.Node {
		x.Abort()
		return
	}
	id, isReport := uint32(0), false
	if first.Protocol == message.InteractionModel && first.Opcode == im.OpReportData {
		if info, err := im.NewReportReader(first.Payload).End(); err == nil {
			id, isReport = info.Subscription.Get()
		}
	}
	w.mu.Lock()
	known := false
	for _, h := range w.held {
		known = known || h.id == id
	}
	leaving := w.leaving
	w.mu.Unlock()
	err := w.subs.Handle(w.ctx, x, first)
	switch {
	case !isReport:
	case leaving:
		if x.Flush(w.ctx) == nil { // it knows that the subscription is refused
			w.change(w.dropState(id))
		}
		w.wake()
	case !known:
		no := false
		w.see(at, "report", &icd.Report{ID: id, Known: &no})
	case err != nil && w.ctx.Err() == nil:
		w.wake()
	}
}

// reported takes a report of one of our subscriptions.
func (w *watcher) reported(h *held, r reportOf) {
	now := time.Now()
	w.mu.Lock()
	if w.leaving {
		w.mu.Unlock()
		return
	}
	if n := w.newest(); h == n || n == nil || n.lost {
		w.due = time.Time{} // it is back by itself, or was never away
		w.held = append(slices.DeleteFunc(w.held, func(o *held) bool { return o == h }), h)
	}
	h.heard, h.lost, w.heardAt, w.doubted = r.At, false, now, nil
	if r.Session == w.came {
		w.came, w.backAt = nil, now
	}
	w.mu.Unlock()
	yes := true
	values := w.values(r)
	w.see(r.At, "report", &icd.Report{ID: h.id, Known: &yes, Values: values})
	for _, e := range w.seen.fresh(r.Events) {
		w.see(r.At, "event", &e)
	}
	w.meter.note(now, w.ep.Stats().Sent)
	w.wake()
}

// hintTime is how often at most a Check-In message that nobody can open makes
// the canary look.
const hintTime = 10 * time.Minute

// checkIn takes a Check-In message, which is nobody's word until our key opens
// it.
func (w *watcher) checkIn(payload []byte, at time.Time) {
	w.mu.Lock()
	reg, expected := w.reg, w.state.Registered
	var in CheckIn
	err, renew := errCheckIn, false
	if reg != nil {
		in, renew, err = reg.take(payload)
	}
	if err == nil {
		if h := w.newest(); h != nil {
			h.lost = true // or it would not check in
		}
		if renew {
			w.reg = nil // by the next session
		}
		w.due, w.heardAt = time.Now(), time.Now()
	} else if expected && (w.leaving || reg == nil && at.Sub(w.hinted) >= hintTime) {
		// An earlier run's key would open it, perhaps. It is no secret's word, but
		// reason enough to try.
		w.heardAt, w.hinted = time.Now(), at
		if !w.leaving {
			w.due = time.Now()
		}
	}
	w.mu.Unlock()
	defer w.wake()
	opened := err == nil
	switch {
	case opened:
		w.see(at, "checkin", &icd.CheckIn{Counter: &in.Counter, Decrypted: &opened})
	case errors.Is(err, errReplayed), !expected, !w.strangers.allow(at):
	default:
		w.see(at, "checkin", &icd.CheckIn{Decrypted: &opened})
	}
}
