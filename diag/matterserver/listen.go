package matterserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/diag/internal/relisten"
	"threadmap/diag/matterserver/wsdoc"
)

// An Event is something that a Matter server told of a node while it was
// listened to.
type Event struct {
	Kind      string // see KindAvailable and the others
	Fabric    uint64 // compressed fabric id of the server, 0: not said
	Node      uint64 // Matter node id, 0: of no one node
	Available diag.Opt[bool]
	Path      string // of a value: "endpoint/cluster/attribute"
	Value     json.RawMessage
	Endpoint  uint16
	Cluster   uint32
	EventID   uint32
	Number    uint64 // of the event
	Text      string // one line
}

// The kinds of events.
const (
	KindAvailable = "available" // whether the server reaches the node: Available
	KindAttribute = "attribute" // a value came: Path, Value
	KindEvent     = "event"     // a Matter event came: Endpoint, Cluster, EventID, Number, Text (its name)
	KindRemoved   = "removed"   // the server has the node no more
	KindBegan     = "began"     // the listening began; what the server shows follows
	KindEnded     = "ended"     // the listening broke off and is tried again: Text says why
)

// Bounds of what is remembered while listening.
const (
	// maxPending bounds the events that come before the list of nodes.
	maxPending = 1000
	// maxShown bounds the nodes of which it is remembered what was shown.
	maxShown = 1 << 16
)

// ListenOptions say how to listen.
type ListenOptions struct {
	Dial Dialer // nil: that of [Source]
	// Node is the node whose events are wanted; 0: all.
	Node uint64
	// Now is the clock that stamps events; nil means time.Now.
	Now func() time.Time
}

// beginnings are the attributes of a reachable node that are told when the listening
// begins: those that a later value is compared with. The up time is not among
// them, since nobody knows when it was read.
var beginnings = []string{"0/51/1", "0/51/4", "0/70/0", "0/70/1", "0/70/2", "0/70/3", "0/70/6", "0/70/7", "0/70/8", "0/70/65532"}

// Listen tells what happens to the nodes of the server at url until ctx ends,
// which is no error. It asks for nothing but to listen, so no radio is woken. A
// connection that breaks is made anew, after 1 s, 2 s and so on up to a minute;
// a server that never was there is given up after three tries. tell is called
// one event at a time and must not wait.
func Listen(ctx context.Context, url string, o ListenOptions, tell func(at time.Time, e Event)) error {
	if o.Dial == nil {
		at, err := parseEndpoint(url)
		if err != nil {
			return err
		}
		url, o.Dial = at.Full(), Through(nil, nil)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	fabric := uint64(0)
	err := relisten.Listener{
		Once: func(ctx context.Context) (bool, error) {
			l := &listening{o: o, tell: tell}
			err := l.run(ctx, url)
			fabric = l.fabric
			return l.began, err
		},
		Broke: func(err error) {
			tell(o.Now(), Event{Kind: KindEnded, Fabric: fabric, Text: asFailure(err).text})
		},
	}.Run(ctx)
	if err == nil {
		return nil
	}
	f := asFailure(err)
	if f.hint != "" {
		return fmt.Errorf("the Matter server %w: %s", f, f.hint)
	}
	return fmt.Errorf("the Matter server %w", f)
}

// A listening is one connection.
type listening struct {
	o      ListenOptions
	tell   func(time.Time, Event)
	fabric uint64
	greet  wsdoc.Greeting

	mu      sync.Mutex
	began   bool
	pending []stamped       // events that came before the list of nodes
	shown   map[uint64]bool // what was told of nodes' availability
}

type stamped struct {
	at time.Time
	e  wsdoc.Event
}

// run listens until the connection ends. The error is never nil.
func (l *listening) run(ctx context.Context, url string) error {
	c, err := openListening(ctx, url, l.o.Dial, l.event)
	if err != nil {
		return err
	}
	defer c.close()
	l.mu.Lock()
	l.fabric, l.greet = c.greeting.Fabric, c.greeting
	l.mu.Unlock()
	result, err := c.call(ctx, listWithin, "start_listening", nil)
	if err != nil {
		return err
	}
	nodes, _, err := wsdoc.Nodes(result)
	if err != nil {
		return &failure{stage: diag.StageParse, text: err.Error(), hint: notOne}
	}
	l.begin(nodes)
	return l.watch(ctx, c)
}

// begin tells what the server shows now, and then what came meanwhile.
func (l *listening) begin(nodes []wsdoc.Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began = true
	at := l.o.Now()
	l.tell(at, Event{Kind: KindBegan, Fabric: l.fabric})
	for i := range nodes {
		n := &nodes[i]
		if !l.wanted(n.ID) {
			continue
		}
		l.available(at, n.ID, n.Available)
		if !n.Available.Or(false) {
			continue // what it keeps is of an unknown time
		}
		for _, path := range beginnings {
			if v, ok := n.Attributes[path]; ok {
				l.tell(at, Event{Kind: KindAttribute, Fabric: l.fabric, Node: n.ID, Path: path, Value: v})
			}
		}
	}
	for _, p := range l.pending {
		l.pass(p.at, p.e)
	}
	l.pending = nil
}

// event takes a frame; what can't be read is passed over.
func (l *listening) event(frame []byte) {
	e, ok, err := wsdoc.ParseEvent(frame)
	if err != nil || !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.wanted(e.Node) {
		return
	}
	if at := l.o.Now(); l.began {
		l.pass(at, e)
	} else if len(l.pending) < maxPending {
		l.pending = append(l.pending, stamped{at, e})
	}
}

// available tells what the server shows of a node, where that changed: it says
// so with every change of anything else, too.
func (l *listening) available(at time.Time, node uint64, a diag.Opt[bool]) {
	v, known := a.Get()
	if old, told := l.shown[node]; !known || told && old == v || len(l.shown) >= maxShown {
		return
	}
	if l.shown == nil {
		l.shown = map[uint64]bool{}
	}
	l.shown[node] = v
	l.tell(at, Event{Kind: KindAvailable, Fabric: l.fabric, Node: node, Available: a})
}

func (l *listening) wanted(node uint64) bool {
	n := wsdoc.Node{ID: node}
	return (l.o.Node == 0 || l.o.Node == node) && !n.IsTest(l.greet)
}

func (l *listening) pass(at time.Time, e wsdoc.Event) {
	out := Event{Fabric: l.fabric, Node: e.Node}
	switch e.Name {
	case wsdoc.EventNodeAdded, wsdoc.EventNodeUpdated:
		l.available(at, e.Node, e.Available)
		return
	case wsdoc.EventNodeRemoved:
		out.Kind = KindRemoved
	case wsdoc.EventAttribute:
		if out.Kind, out.Path, out.Value = KindAttribute, e.Path, e.Value; e.Value == nil {
			return
		}
	case wsdoc.EventNode:
		out.Kind, out.Endpoint, out.Cluster, out.EventID, out.Number = KindEvent, e.Endpoint, e.Cluster, e.EventID, e.Number
		if out.Text = wsdoc.EventName(e.Cluster, e.EventID); out.Text == "" {
			out.Text = "cluster " + strconv.FormatUint(uint64(e.Cluster), 10) + " event " + strconv.FormatUint(uint64(e.EventID), 10)
		}
	default:
		return
	}
	l.tell(at, out)
}

// watch pings the server until it is gone. The error is never nil.
func (l *listening) watch(ctx context.Context, c *conn) error {
	err := relisten.Alive(ctx, c.done, c.ws.Ping, nil)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return c.broken()
	case errors.Is(err, relisten.ErrSilent):
		return &failure{stage: diag.StageAsk, text: err.Error()}
	}
	return &failure{stage: diag.StageAsk, text: "broke off the connection"}
}
