package matternode

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
)

// A stored subscription is what of one outlives a restart: not its session, nor
// where the subscriber was, nor which event came last.
type stored struct {
	id      uint32
	fabric  uint8
	node    uint64
	request im.ReadRequest // paths only
	floor   time.Duration
	longest time.Duration
	failed  int
}

// store keeps a subscription for the next start, as far as there is room. The
// lock is held.
func (n *Node) store(s *subscription) {
	n.retries = 0
	if n.o.Resumption.Persistence == Forgets {
		return
	}
	count := 0
	for _, e := range n.stored {
		if e.fabric == s.fabric {
			count++
		}
	}
	if count >= n.o.Quirks.MaxSubscriptions {
		return
	}
	n.stored[s.id] = &stored{
		id: s.id, fabric: s.fabric, node: s.node, floor: s.floor, longest: s.longest,
		request: im.ReadRequest{
			Attributes: slices.Clone(s.request.Attributes), Events: slices.Clone(s.request.Events), FabricFiltered: s.request.FabricFiltered,
		},
	}
}

// Stored are the subscriptions that the node will try to resume after its next
// start, by id.
func (n *Node) Stored() []Stored {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Stored
	for _, e := range n.stored {
		out = append(out, Stored{ID: e.id, Fabric: e.fabric, Node: e.node, Failed: e.failed, Live: n.subs[e.id] != nil})
	}
	slices.SortFunc(out, func(a, b Stored) int { return int(int64(a.ID) - int64(b.ID)) })
	return out
}

// A peer is a node of a fabric.
type peer struct {
	fabric uint8
	node   uint64
}

// pending are the stored subscriptions that don't report, by subscriber. The
// lock is held.
func (n *Node) pending() map[peer][]*stored {
	out := map[peer][]*stored{}
	for id, e := range n.stored {
		if n.subs[id] == nil {
			p := peer{e.fabric, e.node}
			out[p] = append(out[p], e)
		}
	}
	return out
}

// resumes brings subscriptions back after a start, and whenever one was lost.
// The first time, it waits for the largest of all MinIntervals, which keeps a
// node that restarts again and again from calling everybody each time.
func (n *Node) resumes(life context.Context, lost <-chan struct{}) {
	n.mu.Lock()
	var wait time.Duration
	for _, e := range n.stored {
		wait = max(wait, e.floor)
	}
	n.mu.Unlock()
	for pauseIn(life, wait) {
		left := n.resumeAll(life)
		if left == 0 {
			select {
			case <-lost:
			case <-life.Done():
				return
			}
		}
		n.mu.Lock()
		wait = n.o.Resumption.retryAfter(n.retries)
		if left > 0 {
			n.retries++
		}
		n.mu.Unlock()
	}
}

// resumeAll tries to resume what is stored and does not report, with one session
// for each subscriber, and returns how many there are left to try again.
func (n *Node) resumeAll(life context.Context) (left int) {
	n.mu.Lock()
	n.resumed = true
	all := n.pending()
	n.mu.Unlock()
	var running sync.WaitGroup
	for p, list := range all {
		running.Go(func() { n.resumeFor(life, p, list) })
	}
	running.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, list := range n.pending() {
		left += len(list)
	}
	return left
}

// resumeFor resumes the subscriptions of one subscriber.
func (n *Node) resumeFor(life context.Context, at peer, list []*stored) {
	p, err := n.reach(life, at)
	if err != nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, e := range list {
			n.unresumed(life, e)
		}
		return
	}
	var running sync.WaitGroup
	for _, e := range list {
		running.Go(func() { n.resume(life, p, e) })
	}
	running.Wait()
}

// resume begins a stored subscription again under its old id, with a report of
// everything.
func (n *Node) resume(life context.Context, p *party, e *stored) {
	n.mu.Lock()
	if life.Err() != nil || n.stored[e.id] != e || n.subs[e.id] != nil || n.fabrics[e.fabric] == nil {
		n.mu.Unlock()
		return
	}
	s := &subscription{
		id: e.id, fabric: e.fabric, node: e.node, p: p, request: e.request, floor: e.floor, longest: e.longest,
		kick: make(chan struct{}, 1), dirty: map[im.Path]bool{}, everything: true,
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(life)
	n.subs[s.id] = s
	n.mu.Unlock()
	err := n.tell(ctx, s, false)
	if err != nil {
		n.stats.resumeFailed.Add(1)
		n.over(ctx, s, err, true)
		return
	}
	n.stats.resumed.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.subs[s.id] != s || n.closed {
		return
	}
	n.retries, e.failed = 0, 0
	n.running.Go(func() { n.serve(ctx, s) })
}

// unresumed notes that a try failed. The lock is held.
func (n *Node) unresumed(life context.Context, e *stored) {
	if life.Err() != nil || n.stored[e.id] != e || n.subs[e.id] != nil {
		return
	}
	n.stats.resumeFailed.Add(1)
	n.failed(e)
}

// failed is a try more that was for nothing. The lock is held.
func (n *Node) failed(e *stored) {
	if n.o.Resumption.Persistence != KeepsTrying || e.failed > mostRetries {
		delete(n.stored, e.id)
		return
	}
	e.failed++
}

// over ends a subscription whose report failed. A subscriber that said no is
// not asked again; one that said nothing is, by a node that keeps trying. The
// report may have been the first after a start.
func (n *Node) over(ctx context.Context, s *subscription, err error, first bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ended := ctx.Err() != nil // by who wanted it to
	n.drop(s)
	e := n.stored[s.id]
	if ended || e == nil {
		return
	}
	var no *im.StatusError
	switch {
	case errors.As(err, &no):
		n.stats.resumeRefused.Add(1)
		delete(n.stored, s.id)
	case first:
		n.failed(e)
	case n.o.Resumption.Persistence != KeepsTrying:
		delete(n.stored, s.id)
	default:
		select {
		case n.lost <- struct{}{}:
		default:
		}
	}
}

var (
	errNoResolver = errors.New("there is nobody to ask for addresses")
	errNotFound   = errors.New("nobody knows the address")
	errNotAdmit   = errors.New("the fabric is gone")
)

// reach gets a session with a subscriber: the one there is, or a new one.
func (n *Node) reach(life context.Context, at peer) (*party, error) {
	n.mu.Lock()
	p, f, ep := n.partyWith(at), n.fabrics[at.fabric], n.ep
	var record *sigma.Record
	if f != nil && !n.o.Quirks.ForgetRecords {
		for _, r := range n.records {
			if r.Peer().NodeID == at.node && r.In(f.Member) {
				record = &r
			}
		}
	}
	n.mu.Unlock()
	switch {
	case p != nil:
		return p, nil
	case f == nil:
		return nil, errNotAdmit
	}
	addresses, err := n.lookup(life, f.Member.CompressedID(), at.node)
	if err != nil {
		return nil, err
	}
	n.stats.opened.Add(1)
	c := session.CASEConfig{
		Member: f.Member, Node: at.node, Record: record, Addresses: addresses, Own: n.o.Parameters, Time: n.o.Time(),
	}
	if n.device.hasThread() {
		c.Margin = threadMargin
	}
	s, err := session.CASE(life, ep, c)
	if err != nil {
		return nil, err
	}
	if p = n.party(s); p == nil {
		return nil, errNotAdmit
	}
	return p, nil
}

// partyWith is the party whose session with a node was used last and works; nil:
// there is none. The lock is held.
func (n *Node) partyWith(at peer) (p *party) {
	for t, q := range n.parties {
		if q.fabric == at.fabric && !q.PASE() && q.Node() == at.node && t.Err() == nil && !t.Defunct() && (p == nil || q.used.After(p.used)) {
			p = q
		}
	}
	return p
}
