package canary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/tlv"
)

// maxAddresses are tried in one attempt: each costs the device, or the mesh on
// the way to where it was, up to five messages.
const maxAddresses = 2

// connect opens a session of our own, see dial.
func (w *watcher) connect(ctx context.Context, asleepToo bool) (*session.Secure, error) {
	s, err := w.dial(ctx, asleepToo)
	switch {
	case err == nil:
		w.see(time.Now(), "case", &icd.CASE{OpenedBy: "canary", Result: resultOf(s), Fabric: w.fabric()})
		w.use(s)
		return s, nil
	case errors.Is(err, errAsleep), ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled):
		return nil, err // it says nothing about the device
	}
	w.see(time.Now(), "case", &icd.CASE{OpenedBy: "canary", Result: "failed", Error: cut(err.Error()), Fabric: w.fabric()})
	return nil, err
}

// fabric is whose our name is that the device looks up: it stands in all that is
// said of a session, so that no other fabric's questions are taken for ours.
func (w *watcher) fabric() string { return hex16(w.c.Member.CompressedID()) }

// asleepInterval is the time between repetitions of a message that waits for a
// sleeping device at its parent.
const asleepInterval = 40 * time.Second

// dial makes a session. A device that sleeps for long, as its announcement says,
// is not looked for, unless that is to be.
func (w *watcher) dial(ctx context.Context, asleepToo bool) (*session.Secure, error) {
	looking, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	target, err := w.c.Resolve(looking)
	if err != nil {
		return nil, fmt.Errorf("looking for node %016X: %w", w.c.Node, err)
	}
	w.mu.Lock()
	if w.mode == modeUnknown && target.LongIdle {
		w.mode = modeLongIdle
	}
	record, awake := w.record, w.isAwake()
	w.mu.Unlock()
	if target.LongIdle && !awake && !asleepToo {
		return nil, errAsleep
	}
	peer := target.Parameters
	if target.LongIdle && !awake {
		// Its parent keeps what is for it until it wakes, or for some minutes: so few
		// messages, and patience, not one every second.
		peer.Idle = max(peer.Idle, asleepInterval)
	}
	s, err := session.CASE(ctx, w.ep, session.CASEConfig{
		Member: w.c.Member, Node: w.c.Node, Record: &record, Addresses: target.Addresses[:min(len(target.Addresses), maxAddresses)],
		Parameters: peer, Own: w.c.Own, Margin: w.c.Margin, Time: w.c.now(),
	})
	var no message.StatusReport
	if errors.As(err, &no) && no.Protocol == uint32(message.SecureChannel) && no.Code == message.CodeNoSharedTrustRoots {
		return nil, &fatalError{fmt.Errorf("node %016X is not on threadmap's fabric any more; pair it again: %w", w.c.Node, err)}
	}
	return s, err
}

// attempt is the one session of our own: the first, to set the canary up, or
// the one after the device had its time to come back.
func (w *watcher) attempt(ctx context.Context) error {
	w.mu.Lock()
	first := !w.setUp
	again := len(w.held) > 0 && first // an earlier run's subscription may live
	w.mu.Unlock()
	s, err := w.connect(ctx, first && !again)
	if err != nil {
		return err
	}
	if first {
		if err := w.read(ctx, s); err != nil {
			return err
		}
	}
	if err := w.register(ctx, s); err != nil {
		return err
	}
	if !again {
		if err := w.subscribe(ctx, s); err != nil {
			return err
		}
	}
	w.mu.Lock()
	w.setUp = true
	w.mu.Unlock()
	if first {
		w.meter.begin(time.Now(), w.ep.Stats().Sent)
	}
	return nil
}

// read reads what is to be known of a device that is new, of all fabrics.
func (w *watcher) read(ctx context.Context, s *session.Secure) error {
	r, err := client.Read(ctx, s, im.ReadRequest{Attributes: whole})
	if r != nil && !r.Empty() {
		filtered := false
		w.see(time.Now(), "read", &icd.Read{Values: w.values(r), FabricFiltered: &filtered})
	}
	return err
}

// subscribe makes a new subscription. The State says so before the device has
// it.
func (w *watcher) subscribe(ctx context.Context, s *session.Secure) error {
	if err := w.change(func(t *State) { t.Subscribing = true }); err != nil {
		return &fatalError{err}
	}
	w.mu.Lock()
	ceiling := uint16(ceilingSIT)
	if w.mode == modeLongIdle {
		ceiling = ceilingLIT
	}
	longIdle := w.mode != modeUnknown
	w.mu.Unlock()
	request := im.SubscribeRequest{
		Keep: true, MinFloor: 0, MaxCeiling: ceiling,
		ReadRequest: im.ReadRequest{Attributes: attributePaths(longIdle), Events: eventPaths()},
	}
	sub, err := w.subs.Subscribe(ctx, s, request)
	var no *im.StatusError
	if errors.As(err, &no) && no.Result.Status == im.PathsExhausted { // every device takes three
		request.Attributes, request.Events = attributePaths(false)[:1], eventPaths()[:im.MaxSubscribePaths-1]
		sub, err = w.subs.Subscribe(ctx, s, request)
	}
	if err != nil {
		return err // the device may have it all the same: Subscribing stays
	}
	at := time.Now()
	if err := w.change(func(t *State) {
		t.Subscribing = false
		for len(t.Subscriptions) >= maxHeld {
			t.Subscriptions, t.Subscribing = t.Subscriptions[1:], true
		}
		t.Subscriptions = append(t.Subscriptions, Held{ID: sub.ID, Max: uint32(sub.MaxInterval / time.Second), At: w.c.now()})
	}); err != nil {
		return &fatalError{err}
	}
	least, most := icd.Sec(0), icd.Sec(sub.MaxInterval.Seconds())
	w.see(at, "subscribed", &icd.Subscribed{ID: sub.ID, Min: &least, Max: &most, Urgent: true, Fabric: w.fabric()})
	yes := true
	w.see(at, "report", &icd.Report{ID: sub.ID, Known: &yes, Priming: true, Values: w.values(sub.Priming)})
	if all := w.seen.all(sub.Priming.Events); len(all) > 0 {
		w.see(at, "read-events", &icd.ReadEvents{Events: all})
	}
	return w.hold(sub.ID, sub.MaxInterval, sub)
}

// registerTime is how long the device may take to answer RegisterClient.
const registerTime = 10 * time.Second

// register makes us a client of the device's Check-In messages, where that
// changes nothing for anybody: it sleeps for long already, for another client.
func (w *watcher) register(ctx context.Context, s *session.Secure) error {
	k := w.seen.known()
	w.mu.Lock()
	have := w.reg != nil
	allowed := w.state.Registered || k.longIdle && k.otherClients || w.c.Consent
	w.mu.Unlock()
	if have || !allowed || !k.checkIn {
		return nil
	}
	if err := w.change(func(t *State) { t.Registered = true }); err != nil {
		return &fatalError{err}
	}
	key := NewKey()
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutUint(tlv.Context(0), w.c.Member.NodeID)
	e.PutUint(tlv.Context(1), w.c.Member.NodeID)
	e.PutOctets(tlv.Context(2), (**key.p)[:])
	if k.revision >= 3 {
		e.PutUint(tlv.Context(4), permanentClient)
	}
	e.End()
	fields, err := e.Bytes()
	if err != nil {
		return err
	}
	// Its end is waited for even where the canary ends: what would remove it must
	// not overtake it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), registerTime)
	defer cancel()
	r, err := client.Invoke(ctx, s, im.CommandPath{Cluster: clusterICD, Command: registerClient}, fields)
	var no *im.StatusError
	switch {
	case errors.As(err, &no): // no room, no right: it goes without
		return w.change(func(t *State) { t.Registered = false })
	case err != nil:
		return err
	}
	counter, err := firstUint(r.Fields)
	if err != nil {
		return fmt.Errorf("the device's answer to RegisterClient: %w", err)
	}
	w.mu.Lock()
	w.reg = &registration{key: key, start: counter, last: -1}
	w.mode = modeLongIdle // by now
	w.mu.Unlock()
	return nil
}

// firstUint is field 0 of a structure.
func firstUint(fields []byte) (uint32, error) {
	d := tlv.NewDecoder(fields)
	var n uint32
	found := false
	if d.Next() {
		d.EnterKind(tlv.Struct)
		for d.Next() {
			if tag, ok := d.Tag().Context(); ok && tag == 0 {
				n, found = d.Uint32(), true
			}
		}
		d.Leave()
	}
	if err := d.Err(); err != nil {
		return 0, err
	}
	if !found {
		return 0, errors.New("it has no counter")
	}
	return n, nil
}
