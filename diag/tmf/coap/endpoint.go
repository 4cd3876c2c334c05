package coap

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// Defaults of an Endpoint (RFC 7252, section 4.8, but for fewer repetitions: a
// mesh answers within a second or not at all).
const (
	defaultWait     = 2 * time.Second
	defaultTries    = 3
	defaultResponse = 10 * time.Second
	// lifetime is how long a message id is remembered (EXCHANGE_LIFETIME).
	lifetime = 247 * time.Second
	// maxRemembered bounds the memory of message ids.
	maxRemembered = 8192
	// maxWaiting bounds what is sent or told between two calls.
	maxWaiting = 4096
)

// A Config says how an Endpoint repeats. The zero value is good.
type Config struct {
	// Wait is how long the first repetition of a confirmable message waits, up
	// to half as long more by chance; each further wait doubles, up to MaxWait.
	// 0: 2 s, and without a limit.
	Wait, MaxWait time.Duration
	// Tries is how often a confirmable message is sent at most. 0: 3.
	Tries int
	// Response is how long to wait for a response after an empty
	// acknowledgement. 0: 10 s.
	Response time.Duration
}

// An ID names a request that was sent. The zero ID is none.
type ID uint64

// A Datagram is to be sent. To is the zero Addr where there is only one peer.
type Datagram struct {
	To   netip.Addr
	Data []byte
}

// An EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	Requested    EventKind = iota + 1 // the peer asks, for the first time: see Endpoint.Reply
	Responded                         // to the request ID
	Acknowledged                      // the request ID; the response comes later
	Refused                           // the request ID was answered by a reset
	TimedOut                          // nobody answered the request ID
)

// An Event is something that happened.
type Event struct {
	Kind    EventKind
	ID      ID         // of the request that was sent; 0 for Requested
	From    netip.Addr // who sent the message
	Message Message    // of Requested and Responded
}

// An Endpoint is one side of CoAP over one transport that may lose, double and
// reorder. It is driven: call [Endpoint.Receive] with what came, [Endpoint.Tick]
// when [Endpoint.Next] has come, and after each call send [Endpoint.Datagrams]
// and take [Endpoint.Events]. It is for one goroutine.
//
// Message ids start anywhere and then count up, so none comes twice in a
// session: mesh nodes give old answers to old ids.
type Endpoint struct {
	cfg    Config
	rand   *rand.Rand
	mid    uint16
	lastID ID

	open    []*exchange // in the order of sending
	seen    map[seenKey]*remembered
	order   []seenAt
	out     []Datagram
	events  []Event
	Repeats int // confirmable messages that were sent again
	Doubles int // duplicates that came
	Rescued int // of the requests, those that something came back for after they were sent again
}

type exchange struct {
	id    ID
	to    netip.Addr
	mid   uint16
	token []byte
	data  []byte
	due   time.Time // of the next repetition, or of giving up
	wait  time.Duration
	left  int  // tries
	acked bool // nothing is repeated any more
	again bool // it was sent more than once
}

type seenKey struct {
	from netip.Addr
	mid  uint16
}

type seenAt struct {
	seenKey
	until time.Time
}

// remembered is the reply that a duplicate gets again; nil: none.
type remembered struct{ reply []byte }

// NewEndpoint begins without exchanges. r is asked for message ids, tokens and
// waits.
func NewEndpoint(cfg Config, r *rand.Rand) *Endpoint {
	if cfg.Wait <= 0 {
		cfg.Wait = defaultWait
	}
	if cfg.Tries <= 0 {
		cfg.Tries = defaultTries
	}
	if cfg.Response <= 0 {
		cfg.Response = defaultResponse
	}
	return &Endpoint{cfg: cfg, rand: r, mid: uint16(r.Uint32()), seen: map[seenKey]*remembered{}}
}

func (e *Endpoint) nextMID() uint16 {
	e.mid++
	return e.mid
}

func (e *Endpoint) send(to netip.Addr, data []byte) {
	if len(e.out) < maxWaiting {
		e.out = append(e.out, Datagram{to, data})
	}
}

func (e *Endpoint) tell(v Event) {
	if len(e.events) < maxWaiting {
		e.events = append(e.events, v)
	}
}

// Request sends a confirmable POST and repeats it until something comes back.
func (e *Endpoint) Request(now time.Time, to netip.Addr, path string, payload []byte) (ID, error) {
	m := Message{Type: Confirmable, Code: Post, MID: e.nextMID(), Token: e.token(), Path: path, Payload: payload}
	data, err := m.Append(nil)
	if err != nil {
		return 0, err
	}
	e.lastID++
	wait := e.cfg.Wait + time.Duration(e.rand.Int64N(int64(e.cfg.Wait)/2+1))
	e.open = append(e.open, &exchange{id: e.lastID, to: to, mid: m.MID, token: m.Token, data: data, due: now.Add(wait), wait: wait, left: e.cfg.Tries - 1})
	e.send(to, data)
	return e.lastID, nil
}

// Notify sends a non-confirmable POST, of which nothing is expected back.
func (e *Endpoint) Notify(to netip.Addr, path string, payload []byte) error {
	m := Message{Type: NonConfirmable, Code: Post, MID: e.nextMID(), Token: e.token(), Path: path, Payload: payload}
	data, err := m.Append(nil)
	if err == nil {
		e.send(to, data)
	}
	return err
}

// token is four octets, so that a guess has little chance, none of which is in
// use.
func (e *Endpoint) token() []byte {
	for {
		n := e.rand.Uint32()
		t := []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
		if e.byToken(t) < 0 {
			return t
		}
	}
}

// Cancel stops waiting for a request; nothing more is told of it.
func (e *Endpoint) Cancel(id ID) {
	for i, x := range e.open {
		if x.id == id {
			e.close(i)
			return
		}
	}
}

func (e *Endpoint) close(i int) { e.open = append(e.open[:i], e.open[i+1:]...) }

// Reply answers a request that was Requested: in its acknowledgement if it was
// confirmable, else not at all. A duplicate of the request gets the same.
func (e *Endpoint) Reply(to netip.Addr, request Message, code Code, payload []byte) error {
	if request.Type != Confirmable {
		return nil
	}
	data, err := Message{Type: Acknowledgement, Code: code, MID: request.MID, Token: request.Token, Payload: payload}.Append(nil)
	if err != nil {
		return err
	}
	if r := e.seen[seenKey{to, request.MID}]; r != nil {
		r.reply = data
	}
	e.send(to, data)
	return nil
}

// Receive takes in a message. What is no CoAP is an error and changes nothing.
func (e *Endpoint) Receive(now time.Time, from netip.Addr, b []byte) error {
	m, err := Parse(b)
	if err != nil {
		return err
	}
	switch {
	case m.Code.IsRequest() && (m.Type == Confirmable || m.Type == NonConfirmable):
		e.request(now, from, m)
	case m.Code.IsResponse() && m.Type != Reset:
		e.response(now, from, m)
	case m.Code == Empty && (m.Type == Acknowledgement || m.Type == Reset):
		e.empty(now, from, m)
	case m.Code == Empty && m.Type == Confirmable: // a ping
		e.empties(from, Reset, m.MID)
	}
	return nil
}

func (e *Endpoint) request(now time.Time, from netip.Addr, m Message) {
	if r, again := e.remember(now, from, m.MID); again {
		e.Doubles++
		if r.reply != nil {
			e.send(from, r.reply)
		}
		return
	}
	e.tell(Event{Kind: Requested, From: from, Message: m})
}

// response takes in an answer, alone or in an acknowledgement. It is known by
// its token: what was asked of an anycast address may be answered from another.
func (e *Endpoint) response(now time.Time, from netip.Addr, m Message) {
	if m.Type == Confirmable {
		e.empties(from, Acknowledgement, m.MID)
	}
	i := e.byToken(m.Token)
	if i < 0 || m.Type == Acknowledgement && e.open[i].mid != m.MID {
		e.Doubles++
		return
	}
	id := e.open[i].id
	e.rescue(e.open[i])
	e.close(i)
	e.tell(Event{Kind: Responded, ID: id, From: from, Message: m})
}

// rescue counts what only a repetition brought back, once.
func (e *Endpoint) rescue(x *exchange) {
	if x.again && !x.acked {
		e.Rescued++
	}
}

func (e *Endpoint) byToken(t []byte) int {
	for i, x := range e.open {
		if string(x.token) == string(t) {
			return i
		}
	}
	return -1
}

func (e *Endpoint) empty(now time.Time, from netip.Addr, m Message) {
	for i, x := range e.open {
		if x.mid != m.MID || x.to != from {
			continue
		}
		if m.Type == Reset {
			e.close(i)
			e.tell(Event{Kind: Refused, ID: x.id, From: from})
			return
		}
		if !x.acked {
			e.rescue(x)
			x.acked, x.left, x.due = true, 0, now.Add(e.cfg.Response)
			e.tell(Event{Kind: Acknowledged, ID: x.id, From: from})
		}
		return
	}
}

// empties sends an empty message.
func (e *Endpoint) empties(to netip.Addr, typ Type, mid uint16) {
	if data, err := (Message{Type: typ, MID: mid}).Append(nil); err == nil {
		e.send(to, data)
	}
}

// remember notes a message id, and reports whether it was there already.
func (e *Endpoint) remember(now time.Time, from netip.Addr, mid uint16) (*remembered, bool) {
	for len(e.order) > 0 && (!now.Before(e.order[0].until) || len(e.order) >= maxRemembered) {
		delete(e.seen, e.order[0].seenKey)
		e.order = e.order[1:]
	}
	k := seenKey{from, mid}
	if r := e.seen[k]; r != nil {
		return r, true
	}
	r := &remembered{}
	e.seen[k] = r
	e.order = append(e.order, seenAt{k, now.Add(lifetime)})
	return r, false
}

// Tick repeats what is due and gives up what was repeated often enough.
func (e *Endpoint) Tick(now time.Time) {
	for i := 0; i < len(e.open); {
		x := e.open[i]
		if now.Before(x.due) {
			i++
			continue
		}
		if x.left == 0 {
			e.close(i)
			e.tell(Event{Kind: TimedOut, ID: x.id, From: x.to})
			continue
		}
		x.left--
		x.again = true
		if x.wait *= 2; e.cfg.MaxWait > 0 {
			x.wait = min(x.wait, e.cfg.MaxWait)
		}
		x.due = now.Add(x.wait)
		e.Repeats++
		e.send(x.to, x.data)
		i++
	}
}

// Busy reports whether a request waits for something.
func (e *Endpoint) Busy() bool { return len(e.open) > 0 }

// Next is when Tick is wanted; zero: not at all.
func (e *Endpoint) Next() (at time.Time) {
	for _, x := range e.open {
		if at.IsZero() || x.due.Before(at) {
			at = x.due
		}
	}
	return at
}

// Datagrams gives what is to be sent, once.
func (e *Endpoint) Datagrams() []Datagram {
	out := e.out
	e.out = nil
	return out
}

// Events gives what happened, once.
func (e *Endpoint) Events() []Event {
	v := e.events
	e.events = nil
	return v
}
