package canary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/tlv"
)

// leave ends the canary: it takes itself out of the device as far as that can be
// done now, and stops.
func (w *watcher) leave() {
	w.refuse()
	ctx, cancel := context.WithTimeout(w.ctx, w.c.CleanUp)
	defer cancel()
	if why := w.clean(ctx, false); why != nil {
		w.change(func(s *State) { s.Pending = cut(why.Error()) })
	}
	w.stop()
}

// refuse says no to every report from now on.
func (w *watcher) refuse() {
	w.mu.Lock()
	w.leaving = true
	all := w.held
	w.held = nil
	w.mu.Unlock()
	for _, h := range all {
		h.sub.Close()
	}
}

func (w *watcher) stop() {
	if s := w.live(); s != nil { // who can't hear it need not be told
		s.Close()
	}
	w.cancel()
	w.ep.Close()
	w.running.Wait()
}

var errAsleep = errors.New("the device sleeps; it can be done when it wakes")

// clean takes the canary out of the device. One that sleeps for long is let
// sleep, unless it is to be knocked at. The error says why something is left.
func (w *watcher) clean(ctx context.Context, knock bool) error {
	s := w.has()
	if s.Empty() {
		return nil
	}
	live := w.live()
	if live != nil {
		err := w.remove(ctx, live)
		if err == nil || ctx.Err() != nil || !errors.Is(err, session.ErrDefunct) {
			return err
		}
	}
	w.mu.Lock()
	asleep := w.mode == modeLongIdle && !w.isAwake()
	w.mu.Unlock()
	if asleep && !knock {
		return errAsleep
	}
	fresh, err := w.dial(ctx, knock)
	switch {
	case errors.As(err, new(*fatalError)): // off our fabric, and what was ours with it
		return w.change(func(s *State) { *s = State{} })
	case err != nil:
		return err
	}
	w.use(fresh)
	return w.remove(ctx, fresh)
}

// live is the session that there is, unless the device can't hear it now.
func (w *watcher) live() *session.Secure {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.current
	if s == nil || s == w.doubted || s.Session.Defunct() || s.Session.Err() != nil {
		return nil
	}
	if w.mode == modeLongIdle && time.Since(s.Session.Heard()) > s.Session.Parameters().ActiveThreshold {
		return nil
	}
	return s
}

// remove takes out what the State knows of, over a session.
func (w *watcher) remove(ctx context.Context, s *session.Secure) error {
	if w.has().Registered {
		if err := w.unregister(ctx, s); err != nil {
			return err
		}
	}
	if t := w.has(); t.Subscribing || len(t.Subscriptions) > 0 {
		if err := w.release(ctx, s); err != nil {
			return err
		}
	}
	return w.change(func(t *State) { t.Pending = "" })
}

func (w *watcher) unregister(ctx context.Context, s *session.Secure) error {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutUint(tlv.Context(0), w.c.Member.NodeID)
	e.End()
	fields, err := e.Bytes()
	if err != nil {
		return err
	}
	_, err = client.Invoke(ctx, s, im.CommandPath{Cluster: clusterICD, Command: unregisterClient}, fields)
	var no *im.StatusError
	if errors.As(err, &no) && no.Result.Status == im.NotFound {
		err = nil
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.reg = nil
	w.mu.Unlock()
	return w.change(func(t *State) { t.Registered = false })
}

// release makes the device forget all subscriptions of ours. There is no message
// for that, and to refuse the next report would take up to MaxInterval. But who
// subscribes without KeepSubscriptions ends all that it had there (Core
// 8.5.1.1), those that were kept over a restart too; and the new subscription
// does not come to be, since we refuse its first report. That is two messages,
// at once, and needs no numbers: it also ends one whose number was never learnt.
func (w *watcher) release(ctx context.Context, s *session.Secure) error {
	for wait := time.Second; ; wait *= 2 {
		status, err := w.replace(ctx, s)
		switch {
		case err != nil:
			return fmt.Errorf("ending the subscription: %w", s.Lost(err))
		case status == im.Success:
			return w.change(func(t *State) { t.Subscriptions, t.Subscribing = nil, false })
		case status != im.Busy:
			return fmt.Errorf("ending the subscription: %w", &im.StatusError{Result: im.Result{Status: status}})
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// replace asks for a subscription in place of all others and refuses it. The
// status is the device's, where it does not begin one.
func (w *watcher) replace(ctx context.Context, s *session.Secure) (im.Status, error) {
	request := im.SubscribeRequest{
		Keep: false, MaxCeiling: ceilingLIT, ReadRequest: im.ReadRequest{Attributes: attributePaths(false)[:1]},
	}
	payload, err := request.Encode()
	if err != nil {
		return 0, err
	}
	x, err := s.Session.Open(ctx)
	if err != nil {
		return 0, err
	}
	defer x.Close()
	if err := x.Send(ctx, message.InteractionModel, im.OpSubscribeRequest, payload); err != nil {
		return 0, err
	}
	m, err := x.Receive(ctx)
	switch {
	case err != nil:
		return 0, err
	case m.Protocol == message.InteractionModel && m.Opcode == im.OpStatusResponse:
		status, err := im.ParseStatusResponse(m.Payload)
		if err == nil && status == im.Success {
			err = errors.New("the device says success and answers nothing")
		}
		return status, err
	case m.Protocol != message.InteractionModel || m.Opcode != im.OpReportData:
		return 0, fmt.Errorf("the device answered with opcode 0x%02x", m.Opcode)
	}
	if err := x.Send(ctx, message.InteractionModel, im.OpStatusResponse, im.EncodeStatusResponse(im.InvalidSubscription)); err != nil {
		return 0, err
	}
	return im.Success, x.Flush(ctx)
}
