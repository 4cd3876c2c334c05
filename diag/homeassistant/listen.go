package homeassistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/internal/apiurl"
	"threadmap/diag/internal/relisten"
)

// An Event is something that Home Assistant showed of a device while it was
// listened to.
type Event struct {
	Kind      string // see KindAvailable and the others
	Fabric    uint64 // compressed fabric id, 0: not said
	Node      uint64 // Matter node id, 0: of no one node
	Available diag.Opt[bool]
	Path      string // of a value: the entity's id
	Value     json.RawMessage
	Endpoint  uint16 // Home Assistant tells of Matter's events neither endpoint …
	Cluster   uint32 // … nor cluster …
	EventID   uint32 // … nor their id …
	Number    uint64 // … nor their number: all zero
	Text      string // one line
}

// The kinds of events.
const (
	KindAvailable = "available" // whether any entity of the device is available: Available
	KindAttribute = "attribute" // an event entity got an event, a press: Path, Value {"state", "event_type"}
	KindRemoved   = "removed"   // no entity of the device is left
	KindBegan     = "began"     // the listening began; what is shown follows
	KindEnded     = "ended"     // the listening broke off and is tried again: Text says why
)

// maxListened bounds the entities of one device.
const maxListened = 200

// Listen tells what the Home Assistant at url shows of a Matter node until ctx
// ends, which is no error: whether it is available, and events of its event
// entities, which are presses of buttons. It subscribes to the entities of that
// device alone; nothing is asked of the device.
//
// A conversation that breaks is begun anew after 1 s, 2 s and so on up to a
// minute; one that never was is given up after three tries, and a token that is
// refused at once. tell is called one event at a time and must not wait.
//
// The Matter server tells more, event numbers and attributes among it: where it
// can be reached, listen to that.
func (s Source) Listen(ctx context.Context, url string, node diag.MatterID, tell func(at time.Time, e Event)) error {
	at, err := parseEndpoint(url)
	if err != nil {
		return err
	}
	login, ok := s.login(at)
	if !ok {
		return oneLine(at, &failure{text: "no token for it", hint: "threadmap login ha " + at.String()})
	}
	now := s.Now
	if now == nil {
		now = time.Now
	}
	err = relisten.Listener{
		Once: func(ctx context.Context) (bool, error) {
			l := &listening{node: node, now: now, tell: tell}
			err := s.listenOnce(ctx, at, login, l)
			return l.began, err
		},
		Broke: func(err error) {
			tell(now(), Event{Kind: KindEnded, Fabric: node.Fabric, Text: asFailure(err).text})
		},
		Refused:   func(err error) bool { return asFailure(err).code == "auth_invalid" || login.Token.Refused() },
		Pointless: func(err error) bool { return asFailure(err).code == codeNoDevice },
		Scale:     s.pace.scale,
	}.Run(ctx)
	if err == nil {
		return nil
	}
	s.refused(at, err)
	return oneLine(at, err)
}

// codeNoDevice is this package's own: Home Assistant has no such device.
const codeNoDevice = "no device"

// listenOnce is one conversation. The error is never nil.
func (s Source) listenOnce(ctx context.Context, at apiurl.URL, login Login, l *listening) error {
	c, done := s.newClient(at, login)
	defer done()
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.close()
	entities, err := conn.entitiesOf(ctx, &l.node)
	if err != nil {
		return err
	}
	// Events come only after the result, from one reader.
	l.began = false
	if _, err = conn.ask(ctx, "subscribe_entities", map[string]any{"entity_ids": entities}, registryWithin, l.event); err != nil {
		return err
	}
	switch err := relisten.Alive(ctx, conn.over, conn.ws.Ping, s.pace.scale); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return conn.ended()
	case errors.Is(err, relisten.ErrSilent):
		return &failure{stage: diag.StageAsk, text: err.Error()}
	}
	return &failure{stage: diag.StageAsk, text: "broke off the connection"}
}

// entitiesOf lists the entities of the device that is a Matter node, whose
// fabric it fills in.
func (s *socket) entitiesOf(ctx context.Context, node *diag.MatterID) ([]string, error) {
	raw, err := s.call(ctx, "config/device_registry/list", nil, registryWithin)
	if err != nil {
		return nil, err
	}
	var g registry
	g.readDevices(raw)
	g.devices = slices.DeleteFunc(g.devices, func(d device) bool {
		return d.matter.Node != node.Node || node.Node == 0 || node.Fabric != 0 && d.matter.Fabric != node.Fabric
	})
	if len(g.devices) != 1 { // of several fabrics with that node id nobody can tell which is meant
		text := fmt.Sprintf("has no Matter device with node id %d", node.Node)
		if len(g.devices) > 1 {
			text = fmt.Sprintf("has several Matter devices with node id %d", node.Node)
		}
		return nil, &failure{stage: diag.StageAsk, text: text, hint: "is the device on Home Assistant's fabric?", code: codeNoDevice}
	}
	node.Fabric = g.devices[0].matter.Fabric
	if raw, err = s.call(ctx, "config/entity_registry/list", nil, registryWithin); err != nil {
		return nil, err
	}
	g.readEntities(raw)
	var ids []string
	for id := range g.entities {
		if isEntityID(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, &failure{stage: diag.StageAsk, text: fmt.Sprintf("shows nothing of node id %d: it has no entities", node.Node), hint: "are they switched off?", code: codeNoDevice}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), maxListened)], nil
}

// isEntityID reports whether s is a domain, a dot and a name. One that is not
// would make Home Assistant refuse the whole request.
func isEntityID(s string) bool {
	domain, name, ok := strings.Cut(s, ".")
	return ok && domain != "" && name != "" && len(s) <= 255 && strings.Trim(domain+name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// A listening is one conversation's state. After the first event, which has all
// entities, it is the reader's alone.
type listening struct {
	node   diag.MatterID
	now    func() time.Time
	tell   func(time.Time, Event)
	began  bool
	states map[string]string // by entity
	shown  diag.Opt[bool]
}

// A compressed state of an entity; what is missing did not change.
type compressed struct {
	State      text `json:"s"` // "" for what is none
	Attributes struct {
		Type text `json:"event_type"`
	} `json:"a"`
}

// event takes an event of subscribe_entities: "a" has entities that are new, "c"
// what changed, "r" those that are gone.
func (l *listening) event(raw json.RawMessage) {
	var e struct {
		Added   map[string]json.RawMessage `json:"a"`
		Changed map[string]json.RawMessage `json:"c"`
		Removed json.RawMessage            `json:"r"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return
	}
	at := l.now()
	if !l.began {
		l.began, l.states = true, map[string]string{}
		l.tell(at, Event{Kind: KindBegan, Fabric: l.node.Fabric})
	}
	for id, v := range e.Added {
		var c compressed
		if json.Unmarshal(v, &c) == nil && c.State != "" && len(l.states) < maxListened {
			l.states[id] = string(c.State)
		}
	}
	changed := make([]string, 0, min(len(e.Changed), maxListened))
	for id := range e.Changed {
		if _, known := l.states[id]; known && len(changed) < maxListened {
			changed = append(changed, id)
		}
	}
	slices.Sort(changed)
	var pressed []Event
	for _, id := range changed {
		var diff struct {
			Plus compressed `json:"+"`
		}
		if json.Unmarshal(e.Changed[id], &diff) != nil || diff.Plus.State == "" {
			continue
		}
		old, state := l.states[id], string(diff.Plus.State)
		l.states[id] = state
		// The state of an event entity is the time of its last event. That it is
		// there again after it was away is no event.
		if strings.HasPrefix(id, "event.") && live(state) && live(old) && state != old {
			value, err := json.Marshal(struct {
				State string `json:"state"`
				Type  text   `json:"event_type,omitempty"`
			}{state, diff.Plus.Attributes.Type})
			if err == nil {
				pressed = append(pressed, Event{Kind: KindAttribute, Fabric: l.node.Fabric, Node: l.node.Node, Path: id, Value: value})
			}
		}
	}
	gone, _ := rows[text](e.Removed, maxListened)
	for _, id := range gone {
		delete(l.states, string(id))
	}
	l.available(at, len(gone) > 0)
	for _, p := range pressed {
		l.tell(at, p)
	}
}

// live reports whether a state is one of a device that is available.
func live(state string) bool { return state != "" && state != "unavailable" }

// available tells whether the device is available, where that changed.
func (l *listening) available(at time.Time, removed bool) {
	any := false
	for _, state := range l.states {
		any = any || live(state)
	}
	switch {
	case len(l.states) == 0 && removed:
		l.tell(at, Event{Kind: KindRemoved, Fabric: l.node.Fabric, Node: l.node.Node})
	case len(l.states) > 0 && l.shown != diag.Some(any):
		l.shown = diag.Some(any)
		l.tell(at, Event{Kind: KindAvailable, Fabric: l.node.Fabric, Node: l.node.Node, Available: l.shown})
	}
}
