package matternode

import (
	"context"
	"errors"
	"time"

	"threadmap/diag/matter/im"
)

// A subscription is a party's wish to be told of changes (Core 8.5).
type subscription struct {
	id      uint32
	fabric  uint8
	node    uint64 // of the subscriber
	p       *party
	request im.ReadRequest
	floor   time.Duration
	longest time.Duration // between two reports

	cancel context.CancelFunc
	kick   chan struct{} // holds a token after a change

	// Guarded by the node's lock.
	dirty map[im.Path]bool
	next  uint64 // event number
	// everything: the next report is of a subscription that was resumed, and has
	// all values and all events since the start.
	everything bool
}

// note notes a change that the subscriber wants to be told of. The lock is
// held.
func (s *subscription) note(p im.Path) {
	for _, a := range s.request.Attributes {
		if a.Matches(p) {
			s.dirty[p] = true
			s.wake()
			return
		}
	}
}

func (s *subscription) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// subscribe answers a SubscribeRequest: the first report, then the id.
func (t *turn) subscribe(payload []byte) {
	n := t.n
	n.stats.subscribes.Add(1)
	r, err := im.ParseSubscribeRequest(payload)
	switch paths := len(r.Attributes) + len(r.Events); {
	case err != nil, paths == 0, r.MinFloor > r.MaxCeiling:
		t.status(im.InvalidAction)
		return
	case paths > n.o.Quirks.MaxPaths:
		t.status(im.PathsExhausted)
		return
	}
	s, refusal := n.newSubscription(t, &r)
	if s == nil {
		t.status(refusal)
		return
	}
	established := false
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if !established {
			n.drop(s)
		}
	}()
	n.mu.Lock()
	a := t.asker(r.FabricFiltered)
	attributes, events := n.attributes(a, &r.ReadRequest, nil), n.eventsFor(&r.ReadRequest, a)
	s.next = n.lastEvent + 1
	clear(s.dirty) // by what changed since, it goes on
	n.mu.Unlock()
	messages, err := im.EncodeReports(im.ReportOptions{Subscription: im.Some(s.id), Chunking: n.o.Quirks.Chunking}, attributes, events)
	if err != nil {
		t.status(im.ResourceExhausted)
		return
	}
	if t.report(messages, true) != nil {
		return
	}
	b, err := im.SubscribeResponse{Subscription: s.id, MaxInterval: uint16(s.longest / time.Second)}.Encode()
	if err != nil {
		return // of a message made here
	}
	t.send(im.OpSubscribeResponse, b)
	// The first change waits until the subscriber knows the id.
	if t.x.Flush(n.ctx) == nil {
		established = n.start(s)
	}
}

// newSubscription is one that does not report yet, or why there can't be one.
// Others of the subscriber end, unless it wants to keep them.
func (n *Node) newSubscription(t *turn, r *im.SubscribeRequest) (*subscription, im.Status) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := t.asker(r.FabricFiltered)
	if a.privilege < view {
		return nil, im.UnsupportedAccess
	}
	if !r.Keep {
		for _, s := range n.subs {
			if s.fabric == t.p.fabric && s.node == t.p.Node() {
				n.drop(s)
			}
		}
		for id, e := range n.stored {
			if e.fabric == t.p.fabric && e.node == t.p.Node() {
				delete(n.stored, id)
			}
		}
	}
	count := 0
	for _, s := range n.subs {
		if s.fabric == t.p.fabric {
			count++
		}
	}
	if count >= n.o.Quirks.MaxSubscriptions {
		return nil, im.ResourceExhausted
	}
	s := &subscription{
		fabric: t.p.fabric, node: t.p.Node(), p: t.p, request: r.ReadRequest,
		floor: time.Duration(r.MinFloor) * time.Second, longest: n.longest(r), kick: make(chan struct{}, 1), dirty: map[im.Path]bool{},
	}
	for s.id == 0 || n.subs[s.id] != nil || n.stored[s.id] != nil {
		s.id = n.rand.Uint32()
	}
	n.subs[s.id] = s
	return s, im.Success
}

// longest is the longest time between two reports: what the subscriber wishes,
// but of a sleepy device a multiple of its idle time (connectedhomeip).
func (n *Node) longest(r *im.SubscribeRequest) time.Duration {
	ceiling, floor := time.Duration(r.MaxCeiling)*time.Second, time.Duration(r.MinFloor)*time.Second
	icd := n.device.ICD
	if icd == nil || icd.Idle <= 0 {
		return ceiling
	}
	d := icd.Idle
	if d < floor {
		d = (floor + icd.Idle - 1) / icd.Idle * icd.Idle
	}
	return min(d, max(ceiling, max(icd.Idle, time.Hour)))
}

// start lets s report until it ends; false where it has ended.
func (n *Node) start(s *subscription) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.subs[s.id] != s {
		return false
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(n.life)
	n.store(s)
	n.running.Go(func() { n.serve(ctx, s) })
	return true
}

var errNoSession = errors.New("no session with the subscriber is left")

// drop ends a subscription. The lock is held.
func (n *Node) drop(s *subscription) {
	if n.subs[s.id] == s {
		delete(n.subs, s.id)
	}
	if s.cancel != nil {
		s.cancel()
	}
}

// serve reports changes, and at the latest after s.longest that there are none.
func (n *Node) serve(ctx context.Context, s *subscription) {
	defer s.cancel()
	for {
		last, due := time.Now(), false
		timer := time.NewTimer(s.longest)
		select {
		case <-timer.C:
			due = true
		case <-s.kick:
			timer.Stop()
			if wait := time.Until(last.Add(s.floor)); wait > 0 {
				timer.Reset(wait)
				select {
				case <-timer.C:
				case <-ctx.Done():
				}
			}
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
		if err := n.tell(ctx, s, due); err != nil {
			n.over(ctx, s, err, false)
			return
		}
	}
}

// tell sends what has changed since the last report, in an exchange of the
// node's own. It is due where nothing was told for the longest time.
func (n *Node) tell(ctx context.Context, s *subscription, due bool) error {
	n.mu.Lock()
	// The request may have come over a session that is no more; what counts is
	// the subscriber (Core 8.5.2).
	session := n.sessionWith(s.fabric, s.node)
	a := &asker{party: s.p, privilege: n.privilege(s.p), filtered: s.request.FabricFiltered}
	dirty := s.dirty
	s.dirty = map[im.Path]bool{}
	everything := s.everything
	s.everything = false
	attributes := n.attributes(a, &s.request, func(p im.Path) bool { return everything || dirty[p] })
	request := s.request
	request.EventFilters = append(request.EventFilters[:len(request.EventFilters):len(request.EventFilters)], im.EventFilter{Min: s.next})
	var events []im.EventReport
	if due || everything || !n.o.Resumption.LazyEvents {
		events = n.eventsFor(&request, a)
		s.next = n.lastEvent + 1
	}
	n.mu.Unlock()
	if session == nil {
		return errNoSession
	}
	quiet := len(attributes) == 0 && len(events) == 0 && n.o.Quirks.QuietKeepAlive
	messages, err := im.EncodeReports(im.ReportOptions{Subscription: im.Some(s.id), SuppressResponse: quiet, Chunking: n.o.Quirks.Chunking}, attributes, events)
	if err != nil {
		return err
	}
	x, err := session.Open(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	t := &turn{n, x, s.p}
	if err := t.report(messages, !quiet); err != nil || !quiet {
		return err
	}
	return x.Flush(ctx)
}
