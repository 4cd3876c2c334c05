package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/simulators/simnet"
)

var subscribe = im.SubscribeRequest{Keep: true, MaxCeiling: 60, ReadRequest: everything}

// tell makes the node send a report, and gives the answer.
func (w *world) tell(s *session.Secure, id uint32, attributes []im.AttributeReport, suppress bool) error {
	w.t.Helper()
	x, err := s.Session.Open(context.Background())
	ok(w.t, err)
	defer x.Close()
	chunks, err := im.EncodeReports(im.ReportOptions{Subscription: im.Some(id), SuppressResponse: suppress, Chunking: w.node.chunking}, attributes, nil)
	ok(w.t, err)
	v := &serving{node: w.node, x: x, left: 1000}
	for i, b := range chunks {
		if err := v.send(im.OpReportData, b); err != nil {
			return err
		}
		if suppress && i == len(chunks)-1 {
			return x.Flush(context.Background())
		}
		if err := v.word(); err != nil {
			return err
		}
	}
	return nil
}

// theirs is the node's end of the session that was made last.
func (w *world) theirs() *session.Secure {
	w.t.Helper()
	synctest.Wait()
	w.node.mu.Lock()
	defer w.node.mu.Unlock()
	return w.node.sessions[len(w.node.sessions)-1]
}

func TestSubscribe(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(60)
		s := w.session()
		began := time.Now()
		sub, err := w.subscriptions.Subscribe(t.Context(), s, subscribe)
		ok(t, err)
		w.same(sub.Priming)
		if sub.ID != 0x12345678 || sub.Node != nodeID || sub.MaxInterval != time.Minute || sub.Err() != nil {
			t.Errorf("%+v", sub)
		}
		if n := len(w.node.words); n != sub.Priming.Messages { // each is answered, the last one too
			t.Errorf("%d StatusResponses to %d messages", n, sub.Priming.Messages)
		}
		theirs := w.theirs()
		<-time.After(50 * time.Second)
		ok(t, w.tell(theirs, sub.ID, diagnostics(60)[5:9], false)) // a change, in chunks
		r, err := sub.Next(t.Context())
		ok(t, err)
		if r.Attributes.Len() != 4 || !r.Complete || r.Session != s || r.Messages < 5 {
			t.Errorf("%d attributes in %d messages", r.Attributes.Len(), r.Messages)
		}
		// Reports that say nothing keep it alive, however they end.
		for _, suppress := range []bool{true, false} {
			<-time.After(55 * time.Second)
			ok(t, w.tell(theirs, sub.ID, nil, suppress))
			r, err := sub.Next(t.Context())
			ok(t, err)
			if !r.Empty() || r.At != time.Now() || sub.Heard() != r.At {
				t.Errorf("%+v", r)
			}
		}
		if deadline, want := sub.Deadline(), time.Now().Add(time.Minute+grace(message.SessionParameters{})); deadline != want {
			t.Errorf("%v, want %v", deadline, want)
		}
		// Then there is silence.
		_, err = sub.Next(t.Context())
		if !errors.Is(err, ErrSilent) || !errors.Is(sub.Err(), ErrSilent) || !time.Now().Equal(sub.Deadline()) {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		<-sub.Done()
		var status *im.StatusError
		if err := w.tell(theirs, sub.ID, nil, false); !errors.As(err, &status) || status.Result.Status != im.InvalidSubscription {
			t.Errorf("%v", err)
		}
	})
}

// A node that was restarted goes on with its subscription in a session of its
// own making.
func TestResumedSubscription(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(2)
		s := w.session()
		sub, err := w.subscriptions.Subscribe(t.Context(), s, subscribe)
		ok(t, err)
		ok(t, w.node.ep.Close())
		w.node.ep = w.listen(device, w.node.accept)
		back := w.back()
		ok(t, w.tell(back, sub.ID, diagnostics(2), false))
		r, err := sub.Next(t.Context())
		ok(t, err)
		w.same(r)
		if r.Session == s || r.Session.Node() != nodeID || r.Session.Session.IsSecure() != true {
			t.Errorf("%v", r.Session)
		}
		// A number that is not known, and nothing else either.
		var status *im.StatusError
		if err := w.tell(back, sub.ID+1, nil, false); !errors.As(err, &status) || status.Result.Status != im.InvalidSubscription {
			t.Errorf("%v", err)
		}
		sub.Close()
		sub.Close()
		if _, err := sub.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if err := w.tell(back, sub.ID, nil, false); !errors.As(err, &status) || status.Result.Status != im.InvalidSubscription {
			t.Errorf("%v", err)
		}
	})
}

// Another node can't speak for a subscription, though it knows its number; nor
// can the same node of another fabric.
func TestForeignReports(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(2)
		sub, err := w.subscriptions.Subscribe(t.Context(), w.session(), subscribe)
		ok(t, err)
		other, err := w.authority.NewNode(99)
		ok(t, err)
		w.node.member = other
		var status *im.StatusError
		if err := w.tell(w.back(), sub.ID, diagnostics(1), false); !errors.As(err, &status) || status.Result.Status != im.InvalidSubscription {
			t.Errorf("%v", err)
		}
		synctest.Wait()
		if sub.mu.Lock(); len(sub.queue) != 0 {
			t.Error("another node's report was taken")
		}
		sub.mu.Unlock()
		// Something else than a report is refused.
		back := w.back()
		x, err := back.Session.Open(t.Context())
		ok(t, err)
		b, err := im.Invoke(command(0), nil, false)
		ok(t, err)
		ok(t, x.Send(t.Context(), message.InteractionModel, im.OpInvokeRequest, b))
		v := &serving{node: w.node, x: x}
		if err := v.word(); !errors.As(err, &status) || status.Result.Status != im.InvalidAction {
			t.Errorf("%v", err)
		}
		sub.Close()
	})
}

func TestSubscribeRefused(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(1)
		s := w.session()
		w.node.busy, w.node.busyStatus = 2, im.ResourceExhausted
		sub, err := w.subscriptions.Subscribe(t.Context(), s, subscribe)
		ok(t, err)
		// The node begins anew and gives the same number again.
		again, err := w.subscriptions.Subscribe(t.Context(), s, subscribe)
		ok(t, err)
		if !errors.Is(sub.Err(), ErrReplaced) || again.Err() != nil {
			t.Errorf("%v, %v", sub.Err(), again.Err())
		}
		again.Close()
		// It stops before each of its messages.
		for stop := range 2 {
			w.node.mu.Lock()
			w.node.stopAfter = stop + 1
			w.node.mu.Unlock()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_, err := w.subscriptions.Subscribe(ctx, s, subscribe)
			cancel()
			if stop == 0 && !errors.Is(err, context.DeadlineExceeded) || stop == 1 && err != nil {
				t.Errorf("%d: %v", stop, err)
			}
		}
		w.subscriptions.mu.Lock()
		n := len(w.subscriptions.all)
		w.subscriptions.mu.Unlock()
		if n != 1 {
			t.Errorf("%d subscriptions", n)
		}
		w.subscriptions.find(s, 0x12345678).Close()
	})
}

// Reports that nobody takes end the subscription: memory is bounded.
func TestSlowTaker(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(1)
		sub, err := w.subscriptions.Subscribe(t.Context(), w.session(), subscribe)
		ok(t, err)
		theirs := w.theirs()
		var refused error
		sent := 0
		for ; refused == nil && sent < 2*maxQueue; sent++ {
			refused = w.tell(theirs, sub.ID, nil, false)
			synctest.Wait() // the answer comes before the report is kept
		}
		if sent != maxQueue+2 {
			t.Errorf("%d reports were sent", sent)
		}
		for range maxQueue {
			_, err := sub.Next(t.Context())
			ok(t, err)
		}
		if _, err := sub.Next(t.Context()); !errors.Is(err, ErrSlow) {
			t.Errorf("%v", err)
		}
	})
}

// Subscriptions with as many nodes at once, over a network that doubles and
// delays, find their own reports.
func TestManySubscriptions(t *testing.T) {
	fate := func(p simnet.Packet) []time.Duration {
		return []time.Duration{time.Duration(len(p.Data)%7) * time.Millisecond, 9 * time.Millisecond}
	}
	bubble(t, fate, func(t *testing.T, w *world) {
		w.node.attributes = diagnostics(2)
		s := w.session()
		var subs []*Subscription
		for i := range uint32(5) {
			w.node.mu.Lock()
			w.node.subscription = i
			w.node.mu.Unlock()
			sub, err := w.subscriptions.Subscribe(t.Context(), s, subscribe)
			ok(t, err)
			subs = append(subs, sub)
		}
		theirs := w.theirs()
		for i := range 20 {
			ok(t, w.tell(theirs, uint32(i%5), diagnostics(2)[i:i+1], false))
		}
		for i, sub := range subs {
			for round := range 4 {
				r, err := sub.Next(t.Context())
				ok(t, err)
				if _, ok := r.Attributes.Value(im.Path{Cluster: 0x35, Attribute: uint32(i + 5*round)}); !ok || r.Attributes.Len() != 1 {
					t.Errorf("%d, %d", i, round)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := sub.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			cancel()
			sub.Close()
		}
	})
}
