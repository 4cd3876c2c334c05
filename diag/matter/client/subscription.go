package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
)

// Numbers of subscriptions.
const (
	// maxQueue is how many reports wait for Next. Nodes report seconds apart.
	maxQueue = 64
	// What a report may be late, besides the time that the node takes to send
	// it again and again: boost is what nodes on a mesh add to their intervals,
	// processing is what both sides take.
	boost      = 1500 * time.Millisecond
	processing = 2 * time.Second
)

// Errors of a Subscription that is over.
var (
	ErrSilent   = errors.New("no report came in time: the subscription is dead")
	ErrClosed   = errors.New("the subscription was closed")
	ErrReplaced = errors.New("the node gave its number to a new subscription")
	ErrSlow     = errors.New("more reports waited than are kept: the subscription was given up")
)

// A Subscription is a node's promise to report changes. It outlives the session
// it was made in: a node that was restarted may go on with it in a new one.
type Subscription struct {
	ID          uint32
	Node        uint64
	MaxInterval time.Duration // the node reports at the latest, changes or not
	Priming     *Report       // the first, with everything that was asked for

	of    *Subscriptions
	key   subscriptionKey
	grace time.Duration
	// patient: no silence ends it, see [Subscriptions.Adopt].
	patient bool
	ready   chan struct{} // holds a token when something is in the queue
	done    chan struct{}

	mu    sync.Mutex
	queue []*Report
	heard time.Time // when the last report came
	timer *time.Timer
	err   error
}

// Next waits for the next report; it may be empty, which says that the node is
// alive. After the subscription is over it gives what came before, and then
// Err.
func (s *Subscription) Next(ctx context.Context) (*Report, error) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			r := s.queue[0]
			s.queue[0] = nil
			s.queue = s.queue[1:]
			if len(s.queue) > 0 {
				s.signal() // to the next who waits
			}
			s.mu.Unlock()
			return r, nil
		}
		err := s.err
		s.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-s.ready:
		case <-s.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for a report of node %016X: %w", s.Node, context.Cause(ctx))
		}
	}
}

// Done is closed when the subscription is over: see Err.
func (s *Subscription) Done() <-chan struct{} { return s.done }

// Err is why the subscription is over, nil while it is not: it wraps ErrSilent,
// ErrClosed, ErrReplaced or ErrSlow.
func (s *Subscription) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Heard is when the last report came.
func (s *Subscription) Heard() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// Deadline is when the subscription is dead if no report comes: the node's
// MaxInterval, and the time for which it would go on repeating a report.
func (s *Subscription) Deadline() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard.Add(s.MaxInterval + s.grace)
}

// Close ends the subscription here. There is no message for it: the node learns
// it when its next report is refused.
func (s *Subscription) Close() { s.end(ErrClosed) }

func (s *Subscription) end(why error) {
	s.of.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = fmt.Errorf("subscription %08x of node %016X: %w", s.ID, s.Node, why)
	if s.timer != nil {
		s.timer.Stop()
	}
	close(s.done)
}

// alive notes that the node was heard, and arms the timer.
func (s *Subscription) alive(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.heard = at
	if s.patient {
		return
	}
	wait := s.MaxInterval + s.grace
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.late)
		return
	}
	s.timer.Reset(wait)
}

// late is called when a report may be late.
func (s *Subscription) late() {
	if time.Now().Before(s.Deadline()) { // one came just now
		return
	}
	s.end(ErrSilent)
}

// push puts a report into the queue.
func (s *Subscription) push(r *Report) {
	s.mu.Lock()
	over, full := s.err != nil, len(s.queue) >= maxQueue
	if !over && !full {
		s.queue = append(s.queue, r)
	}
	s.mu.Unlock()
	switch {
	case over:
	case full:
		s.end(ErrSlow)
	default:
		s.alive(r.At)
		s.signal()
	}
}

func (s *Subscription) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Subscribe asks a node to report now and at changes. The node's answer may be
// a MaxInterval longer than the request's ceiling. Reports that come later
// reach the Subscription only if those exchanges are given to [Subscriptions.Handle].
//
// Mind that im.SubscribeRequest.Keep must be set where another program may have
// subscriptions with the same node id.
func (all *Subscriptions) Subscribe(ctx context.Context, s *session.Secure, req im.SubscribeRequest) (*Subscription, error) {
	what := "subscribing to " + name(s)
	if s.PASE() {
		return nil, fmt.Errorf("%s: subscriptions need a session of CASE", what)
	}
	payload, err := req.Encode()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	var sub *Subscription
	err = do(ctx, s, what, func(t *turn) error {
		if sub != nil { // of a try that ended in "busy"
			sub.end(ErrClosed)
			sub = nil
		}
		r := newReport(s)
		first, err := t.ask(im.OpSubscribeRequest, payload, im.OpReportData)
		if err != nil {
			return err
		}
		err = t.collect(r, first, func(info im.ReportInfo) error {
			id, ok := info.Subscription.Get()
			switch {
			case !ok:
				return errNoID
			case sub != nil && sub.ID != id:
				return errOtherID
			case sub == nil:
				// From now on reports may come, even before the node's last word.
				sub, err = all.add(s, id)
				return err
			}
			return nil
		})
		if err != nil {
			return err
		}
		b, err := t.receive(im.OpSubscribeResponse)
		if err != nil {
			return err
		}
		t.own = false
		answer, err := im.ParseSubscribeResponse(b)
		switch {
		case err != nil:
			return err
		case answer.Subscription != sub.ID:
			return errOtherID
		}
		sub.mu.Lock()
		sub.MaxInterval, sub.Priming = time.Duration(answer.MaxInterval)*time.Second, r
		sub.mu.Unlock()
		sub.alive(time.Now())
		return nil
	})
	if err != nil {
		if sub != nil {
			sub.end(err)
		}
		return nil, err
	}
	return sub, nil
}

var (
	errNoID    = errors.New("the node's report is of no subscription")
	errOtherID = errors.New("the node's messages are of different subscriptions")
	errTooMany = errors.New("too many subscriptions are open")

	errNotReport = errors.New("a node sent something that is no report")
	errUnknown   = errors.New("a node reported to a subscription that is not ours, or not any more")
)

// grace is how long a report may be under way.
func grace(own message.SessionParameters) time.Duration {
	p := own.WithDefaults()
	return message.GivesUpAfter(max(p.Idle, p.Active)+boost) + processing
}
