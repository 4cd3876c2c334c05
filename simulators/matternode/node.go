package matternode

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/setup"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/mesh"
)

// A Node is one simulated Matter device. Its methods are safe for concurrent
// use.
type Node struct {
	o         Options
	gate      *gate
	responder *session.Responder
	restart   sync.Mutex // held by who ends the endpoint

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup // of subscriptions

	stats counters

	mu          sync.Mutex
	closed      bool
	off         bool // between two starts
	ep          *transport.Endpoint
	rand        *rand.Rand
	device      Device
	endpoints   []endpoint
	booted      time.Time // with Device.UpTime taken off
	reboots     uint16
	on          bool // what endpoint 1 does: a plug's relay, a contact
	fabrics     map[uint8]*owner
	parties     map[*transport.Session]*party
	records     []sigma.Record // oldest first
	window      window
	failSafe    failSafe
	versions    map[clusterPath]uint32
	events      []event
	lastEvent   uint64
	subs        map[uint32]*subscription
	clients     []registration // of ICD Management
	icdCount    uint32
	icdReserved uint32 // the counter after the next start
	bootReason  BootReason
	position    uint8 // of a switch
	stored      map[uint32]*stored

	life        context.Context // ends with the next restart
	endLife     context.CancelFunc
	lost        chan struct{} // holds a token when a subscriber did not answer
	resumed     bool          // stored subscriptions were tried since the start
	retries     int           // failed in a row
	attestation *attestation
	breadcrumb  breadcrumb
	country     country
	regulatory  regulatory
}

// An owner is one fabric that the node is on.
type owner struct {
	Fabric
	index uint8
}

// New starts a node on a socket, which it closes in the end. The socket's
// addresses must be *net.UDPAddr.
func New(pc net.PacketConn, d Device, o Options) (*Node, error) {
	d.withDefaults()
	seed := o.Seed ^ uint64(d.Thread.Node)*0x9e3779b97f4a7c15
	for _, b := range d.MAC {
		seed = seed*0x100000001b3 ^ uint64(b)
	}
	if err := o.withDefaults(mix(seed)); err != nil {
		pc.Close()
		return nil, err
	}
	// Its label, too, says who made it, and that it is in the network already.
	o.Setup.Vendor, o.Setup.Product = diag.Some(d.VendorID), diag.Some(d.ProductID)
	o.Setup.Flow, o.Setup.Discovery = diag.Some(setup.Standard), diag.Some(setup.OnNetwork)
	if _, i := d.threadNode(); d.hasThread() && i < 0 {
		pc.Close()
		return nil, fmt.Errorf("simulated Matter node %q: no node of the mesh has extended address %s", d.Name, d.Thread.Node)
	}
	now := time.Now()
	n := &Node{
		o: o, rand: rand.New(rand.NewPCG(seed, o.Seed)), device: d, booted: now.Add(-d.UpTime), reboots: d.RebootCount,
		fabrics: map[uint8]*owner{}, parties: map[*transport.Session]*party{}, versions: map[clusterPath]uint32{}, subs: map[uint32]*subscription{},
		stored: map[uint32]*stored{}, bootReason: PowerOnReboot,
	}
	n.country, n.regulatory = "XX", indoorOutdoor
	n.icdCount = n.rand.Uint32N(1 << 28)
	n.icdReserved = n.icdCount + counterEpoch
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.endpoints = n.layout()
	n.happened(0, basicInformation, startUpEvent, critical, startUp)
	n.happened(0, generalDiagnostics, 3, critical, bootReason)
	for i, f := range o.Fabrics {
		n.fabrics[uint8(i+1)] = &owner{Fabric: f, index: uint8(i + 1)}
	}
	if len(o.Fabrics) == 0 {
		if err := n.openFactoryWindow(); err != nil {
			n.cancel()
			pc.Close()
			return nil, err
		}
	}
	var s *sleeper
	if o.Sleep != nil {
		s = newSleeper(*o.Sleep, now)
	}
	n.gate, n.responder = newGate(pc, s), n.newResponder()
	life := n.begin()
	n.listen()
	n.lives(life)
	return n, nil
}

// mix spreads a seed over all bits.
func mix(v uint64) uint64 {
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

func parseHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

// Close switches the node off, without a word to anybody, and waits for
// everything it started.
func (n *Node) Close() error {
	n.restart.Lock()
	n.mu.Lock()
	n.closed = true
	n.stopTimers()
	ep := n.ep
	n.mu.Unlock()
	n.cancel()
	err := ep.Close()
	n.restart.Unlock() // who waits to restart it sees that it is closed
	n.running.Wait()
	return err
}

// Addr is where the node listens.
func (n *Node) Addr() netip.AddrPort {
	if u, ok := n.gate.LocalAddr().(*net.UDPAddr); ok {
		return u.AddrPort()
	}
	return netip.AddrPort{}
}

// Setup is the node's label: what a user needs to pair it in its factory
// window.
func (n *Node) Setup() setup.Payload { return n.o.Setup }

// Fabrics are those that the node is on, by fabric index.
func (n *Node) Fabrics() []Fabric {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Fabric
	for _, f := range n.owners() {
		out = append(out, f.Fabric)
	}
	return out
}

// owners are the fabrics by index. The lock is held.
func (n *Node) owners() []*owner {
	out := make([]*owner, 0, len(n.fabrics))
	for i := range 255 {
		if f := n.fabrics[uint8(i)]; f != nil {
			out = append(out, f)
		}
	}
	return out
}

// GoSilent cuts the node off, as when its battery is taken out, or lets it hear
// and speak again. It keeps its sessions.
func (n *Node) GoSilent(silent bool) { n.gate.silent.Store(silent) }

// Wake is a user at the node, who presses what makes a sleepy one active.
func (n *Node) Wake() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.off && !n.closed {
		n.touched()
	}
}

// touched is a node that somebody has woken. The lock is held.
func (n *Node) touched() {
	if s := n.gate.sleep; s != nil && s.wake() {
		n.checkIns(n.life)
	}
}

// SetView changes the mesh in which the node's radio is. Subscribers are told
// of what has changed, but for counters and ages.
func (n *Node) SetView(v *mesh.View) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.device.hasThread() {
		return fmt.Errorf("simulated Matter node %q: has no radio", n.device.Name)
	}
	if v == nil || v.Find(n.device.Thread.Node) < 0 {
		return fmt.Errorf("simulated Matter node %q: is not in the mesh any more", n.device.Name)
	}
	before := n.threadValues()
	n.device.Thread.View = v
	for _, p := range n.threadValues().differ(before) {
		n.changed(p)
	}
	return nil
}

// SetLabel is a user who names the node.
func (n *Node) SetLabel(label string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.setLabel(label)
}

func (n *Node) setLabel(label string) {
	if n.device.Name != label {
		n.device.Name = label
		n.changed(pathOf(0, basicInformation, 5))
	}
}

// Switch changes what the node is for: a plug's relay, a contact.
func (n *Node) Switch(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.turn(on)
}

// turn is Switch with the lock held.
func (n *Node) turn(on bool) {
	if n.on == on {
		return
	}
	n.on = on
	switch n.device.Type {
	case OnOffPlug:
		n.changed(pathOf(1, onOff, 0))
	case ContactSensor:
		n.changed(pathOf(1, booleanState, 0))
	}
}

// listen begins to listen. The lock is held.
func (n *Node) listen() {
	n.ep = transport.New(n.gate, transport.Options{Accept: n.accept, NodeIDs: n.o.Quirks.NodeIDs})
}

// listening is the endpoint of now.
func (n *Node) listening() *transport.Endpoint {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ep
}

// Stats are counts since the start.
type Stats struct {
	Handshakes, Resumptions int // CASE sessions, all and those resumed
	Pairings                int // PASE sessions
	Refused                 int // handshakes that failed
	Reads, Subscribes       int // requests that came
	Writes, Invokes         int
	ReportData              int             // messages sent, those of subscriptions too
	Evicted                 int             // sessions that were forgotten for others
	CheckIns                int             // messages sent
	Lookups                 int             // of addresses of subscribers and registered clients
	Opened                  int             // CASE sessions that it began to open itself
	Resumed                 int             // subscriptions that went on after a restart or an outage
	ResumeFailed            int             // tries that did not succeed, those refused too
	ReportsRefused          int             // reports of stored subscriptions that were answered with an error
	Messages                transport.Stats // since it was last switched on
}

type counters struct {
	handshakes, resumptions, pairings, refused, reads, subscribes, writes, invokes, reportData, evicted, checkIns atomic.Int64
	lookups, opened, resumed, resumeFailed, resumeRefused                                                         atomic.Int64
}

// Stats counts until now.
func (n *Node) Stats() Stats {
	c := &n.stats
	get := func(v *atomic.Int64) int { return int(v.Load()) }
	return Stats{
		Handshakes: get(&c.handshakes), Resumptions: get(&c.resumptions), Pairings: get(&c.pairings), Refused: get(&c.refused),
		Reads: get(&c.reads), Subscribes: get(&c.subscribes), Writes: get(&c.writes), Invokes: get(&c.invokes),
		ReportData: get(&c.reportData), Evicted: get(&c.evicted), CheckIns: get(&c.checkIns),
		Lookups: get(&c.lookups), Opened: get(&c.opened), Resumed: get(&c.resumed), ResumeFailed: get(&c.resumeFailed),
		ReportsRefused: get(&c.resumeRefused), Messages: n.listening().Stats(),
	}
}

// Subscriptions is how many there are now.
func (n *Node) Subscriptions() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.subs)
}

// Sessions is how many secure sessions there are now.
func (n *Node) Sessions() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sweep()
	return len(n.parties)
}

// pause is the node at work; false where it was closed meanwhile.
func (n *Node) pause(d time.Duration) bool {
	if d <= 0 {
		return n.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-n.ctx.Done():
		return false
	}
}

// announcementChanged tells the owner of the node. The lock may be held: it is
// told from elsewhere.
func (n *Node) announcementChanged() {
	if n.o.Changed != nil && !n.closed {
		n.running.Go(n.o.Changed)
	}
}

func removeIf[T any](list []T, f func(T) bool) []T { return slices.DeleteFunc(list, f) }
