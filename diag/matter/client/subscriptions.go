package client

import (
	"context"
	"sync"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/transport"
)

// maxSubscriptions is how many are open at once: more than a home has nodes.
const maxSubscriptions = 4096

// Subscriptions are those of one program. Reports find theirs by fabric, node
// and number, whatever session they come through. The zero value is ready. Its
// methods are safe for concurrent use.
type Subscriptions struct {
	// Own are the parameters that the sessions' handshakes told the nodes (see
	// session.CASEConfig): by them a node knows how long to repeat a report.
	Own message.SessionParameters

	mu  sync.Mutex
	all map[subscriptionKey]*Subscription
}

type subscriptionKey struct {
	fabric, node uint64
	id           uint32
}

func keyOf(s *session.Secure, id uint32) subscriptionKey {
	return subscriptionKey{s.Fabric(), s.Node(), id}
}

// add begins a subscription that was just made.
func (all *Subscriptions) add(s *session.Secure, id uint32) (*Subscription, error) {
	return all.begin(keyOf(s, id), false)
}

// begin begins a subscription. Where there is one of the same number, the node
// has forgotten that, or it is handed over.
func (all *Subscriptions) begin(k subscriptionKey, patient bool) (*Subscription, error) {
	all.mu.Lock()
	old := all.all[k]
	if old == nil && len(all.all) >= maxSubscriptions {
		all.mu.Unlock()
		return nil, errTooMany
	}
	if all.all == nil {
		all.all = map[subscriptionKey]*Subscription{}
	}
	sub := &Subscription{
		ID: k.id, Node: k.node, of: all, key: k, grace: grace(all.Own), patient: patient,
		ready: make(chan struct{}, 1), done: make(chan struct{}),
	}
	all.all[k] = sub // in place of the old one: no report falls between them
	all.mu.Unlock()
	if old != nil {
		old.end(ErrReplaced)
	}
	return sub, nil
}

func (all *Subscriptions) find(s *session.Secure, id uint32) *Subscription {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.all[keyOf(s, id)]
}

func (all *Subscriptions) remove(sub *Subscription) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.all[sub.key] == sub {
		delete(all.all, sub.key)
	}
}

// Handle takes an exchange that a node opened in a secure session, with its
// first message: a report. One of a subscription that is not among these is
// refused, so that the node forgets it; and so is everything else that one asks
// only of servers. It closes the exchange. See session.Responder.Answer for
// where it belongs.
func (all *Subscriptions) Handle(ctx context.Context, x *transport.Exchange, first transport.Message) error {
	t := &turn{ctx: ctx, x: x, own: true}
	err := all.handle(t, first)
	t.end(err)
	return err
}

func (all *Subscriptions) handle(t *turn, first transport.Message) error {
	s := session.Of(t.x.Session())
	if s == nil || s.PASE() || first.Protocol != message.InteractionModel || first.Opcode != im.OpReportData {
		return errNotReport
	}
	r := newReport(s)
	var sub *Subscription
	err := t.collect(r, first.Payload, func(info im.ReportInfo) error {
		id, ok := info.Subscription.Get()
		switch {
		case sub != nil && (!ok || sub.ID == id): // some name it in the first message only
			return nil
		case sub != nil:
			return errOtherID
		case ok:
			sub = all.find(s, id)
		}
		if sub == nil {
			if err := t.send(im.OpStatusResponse, im.EncodeStatusResponse(im.InvalidSubscription)); err != nil {
				return err
			}
			t.bye = true
			return errUnknown
		}
		return nil
	})
	if sub != nil && err == nil || sub != nil && r.Messages > 0 && !r.Empty() {
		r.Attributes.Cut()
		sub.push(r)
	}
	return err
}
