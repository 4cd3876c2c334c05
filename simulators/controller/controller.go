package controller

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// A Controller is one running controller. Its methods are safe for concurrent
// use.
type Controller struct {
	o    Options
	ca   *fabric.Authority
	life sync.Mutex // held by who starts and stops it

	mu      sync.Mutex
	faults  Faults
	rand    *rand.Rand
	nodes   []uint64
	records map[uint64]sigma.Record
	keys    map[uint64]*registration
	run     *run // nil: it does not run
	last    map[uint64]uint64
	pressed map[uint64]uint64 // number of the last event that reached automations
	tell    sync.Mutex
}

// A run is a controller between a start and its end: what it has in memory.
type run struct {
	c       *Controller
	ctx     context.Context
	cancel  context.CancelFunc
	ep      *transport.Endpoint
	subs    *client.Subscriptions
	answers *session.Responder
	going   sync.WaitGroup

	mu        sync.Mutex
	followers map[uint64]*follower
}

// New starts a controller.
func New(o Options) (*Controller, error) {
	if err := o.withDefaults(); err != nil {
		return nil, err
	}
	ca := o.Fabric
	if ca == nil {
		var err error
		if ca, err = fabric.New(fabric.Config{}); err != nil {
			return nil, err
		}
	}
	c := &Controller{
		o: o, ca: ca, faults: o.Faults, rand: rand.New(rand.NewPCG(o.Seed, 0x6375)),
		records: map[uint64]sigma.Record{}, keys: map[uint64]*registration{}, last: map[uint64]uint64{}, pressed: map[uint64]uint64{},
	}
	return c, c.Start()
}

// Fabric is the controller's own fabric: its devices' certificates come from it.
func (c *Controller) Fabric() *fabric.Authority { return c.ca }

// Instance is how the controller is announced in `_matter._tcp`.
func (c *Controller) Instance() string {
	m := c.ca.Member()
	return m.InstanceName(m.NodeID)
}

// Start starts a controller that was stopped; its fabric, devices and
// resumption records it still has, subscriptions it has none.
func (c *Controller) Start() error {
	c.life.Lock()
	defer c.life.Unlock()
	c.mu.Lock()
	running := c.run != nil
	c.mu.Unlock()
	if running {
		return nil
	}
	pc, err := c.o.Listen()
	if err != nil {
		return fmt.Errorf("simulated controller: %w", err)
	}
	r := &run{c: c, followers: map[uint64]*follower{}}
	r.subs = &client.Subscriptions{Own: patience(c.o.Policy.grace())}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.answers = &session.Responder{Identities: c.identities, Record: c.record, Now: c.o.Time, Margin: margin}
	r.ep = transport.New(pc, transport.Options{Accept: r.accept, NodeIDs: c.o.Policy == MatterJS})
	c.mu.Lock()
	c.run = r
	nodes := c.nodes
	c.mu.Unlock()
	for _, n := range nodes {
		r.follow(n)
	}
	return nil
}

// margin is for the way through a border router.
const margin = 1500 * time.Millisecond

// patience are parameters by which a report may be late by d, or a little more.
func patience(d time.Duration) message.SessionParameters {
	for idle := message.DefaultIdle; ; idle += 250 * time.Millisecond {
		if message.GivesUpAfter(idle+margin)+2*time.Second >= d {
			return message.SessionParameters{Idle: idle, Active: message.DefaultActive}
		}
	}
}

// Stop ends the controller without a word to anybody, as a crash does.
func (c *Controller) Stop() {
	c.life.Lock()
	defer c.life.Unlock()
	c.mu.Lock()
	r := c.run
	c.run = nil
	c.mu.Unlock()
	if r == nil {
		return
	}
	r.cancel()
	r.ep.Close()
	r.going.Wait()
}

// Close is Stop.
func (c *Controller) Close() error {
	c.Stop()
	return nil
}

// Follow subscribes to a node now, and again whenever the subscription is lost.
func (c *Controller) Follow(node uint64) {
	c.mu.Lock()
	c.nodes = append(c.nodes[:len(c.nodes):len(c.nodes)], node)
	r := c.run
	c.mu.Unlock()
	if r != nil {
		r.follow(node)
	}
}

// SetFaults changes what it does wrong from now on.
func (c *Controller) SetFaults(f Faults) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = f
}

func (c *Controller) fault() Faults {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults
}

// Pressed is the number of the last event of a node that reached its
// automations; 0: none did.
func (c *Controller) Pressed(node uint64) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pressed[node]
}

// Subscribed reports whether it has a subscription on a node, by what it knows.
func (c *Controller) Subscribed(node uint64) bool {
	c.mu.Lock()
	r := c.run
	c.mu.Unlock()
	if r == nil {
		return false
	}
	f := r.follower(node)
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sub != nil && f.sub.Err() == nil
}

func (c *Controller) say(node uint64, what any) {
	c.tell.Lock()
	defer c.tell.Unlock()
	c.o.Tell(node, what)
}

func (c *Controller) log(node uint64, format string, args ...any) {
	c.say(node, &Log{fmt.Sprintf(format, args...)})
}

func (c *Controller) identities() []sigma.Identity {
	if c.fault().Stranger {
		return nil
	}
	return []sigma.Identity{{Member: c.ca.Member()}}
}

func (c *Controller) record(id [16]byte) (sigma.Record, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.records {
		if r.ID() == id {
			return r, true
		}
	}
	return sigma.Record{}, false
}

func (c *Controller) remember(node uint64, r sigma.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.faults.ForgetsRecords {
		c.records[node] = r
	}
}

// accept serves an exchange that a device opened.
func (r *run) accept(x *transport.Exchange) {
	first, err := x.Receive(r.ctx)
	if err != nil {
		return
	}
	c := r.c
	switch {
	case x.Session().IsSecure():
		r.takeReport(x, first)
	case first.Protocol != message.SecureChannel:
	case first.Opcode == message.CheckIn:
		r.takeCheckIn(first.Payload)
	case first.Opcode == message.Sigma1:
		node := r.nodeAt(x.Session())
		c.log(node, "received Sigma1 from %s", x.Session().Peer().Addr())
		s, err := r.answers.Answer(r.ctx, x, first)
		switch {
		case r.ctx.Err() != nil:
		case err != nil && c.fault().Stranger:
			c.log(node, "Sigma1 refused: no shared trust roots")
		case err != nil:
			c.log(node, "CASE session of the device failed: sent Sigma2, no ack: timed out")
		default:
			c.remember(s.Node(), s.Record)
			how := "by a full handshake"
			if s.Resumed {
				how = "by resumption"
			}
			c.log(s.Node(), "CASE session established, opened by the device, %s", how)
		}
	}
}

// nodeAt is the node that sent something, as far as there is but one; 0 else.
func (r *run) nodeAt(*transport.Session) uint64 {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if len(r.c.nodes) == 1 {
		return r.c.nodes[0]
	}
	return 0
}

// takeReport takes a report of a subscription, or refuses it.
func (r *run) takeReport(x *transport.Exchange, first transport.Message) {
	node := uint64(0)
	if s := session.Of(x.Session()); s != nil {
		node = s.Node()
	}
	f := r.follower(node)
	if first.Protocol == message.InteractionModel && first.Opcode == im.OpReportData {
		reader := im.NewReportReader(first.Payload)
		for reader.Next() {
		}
		if info, err := reader.End(); err == nil {
			id, ok := info.Subscription.Get()
			known := false
			if f != nil {
				known = f.knows(id)
			}
			if ok {
				r.c.say(node, &Report{ID: id, Known: known})
			}
			if ok && !known {
				r.c.log(node, "report of unknown subscription %08x: answered INVALID_SUBSCRIPTION", id)
			}
		}
	}
	r.subs.Handle(r.ctx, x, first)
	if f != nil && r.c.o.Policy == CHIP { // any word of the device ends a wait
		f.kick(0)
	}
}

var errNoAddress = errors.New("no address of the node is known")
