package borderagent

import (
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
)

const (
	// maxAnswer is from how many octets on, CoAP header included, a d/da is
	// closed and another begun.
	maxAnswer = 800
	// firstRepeat is when a node repeats a d/da that nobody acknowledged, as
	// captured; each further wait is twice as long.
	firstRepeat = 2850 * time.Millisecond
	// maxRepeats is how often (MAX_RETRANSMIT, RFC 7252, section 4.8).
	maxRepeats = 4
	// maxAnswering is to how many queries a node answers at once.
	maxAnswering = 8
	answerPath   = "d/da"
)

// A node is the TMF server of one node.
type node struct {
	id        diag.ExtAddr
	mid       uint16
	tokens    uint64
	cache     responses
	answering []*answer
}

// An answer is what a node sends for one query: messages, one after the other,
// each until it is acknowledged.
type answer struct {
	to      transit
	packets [][]byte // the TLVs of those that are still to be sent
	now     packet   // the one under way
	repeats int
	heard   bool // an empty acknowledgement came: no repetition any more
}

// receive takes in a datagram for node i. The network's lock is held.
func (x *node) receive(n *network, i int, t transit) {
	p, err := parsePacket(t.payload)
	if err != nil || t.nodePort != tmfPort {
		return
	}
	if !p.isRequest() {
		x.acknowledged(n, i, t, p)
		return
	}
	n.stats.Requests[countable(p.path)]++
	if t.multicast {
		t.node = n.view.RLOC(i) // whence the answers come
	}
	id := exchangeID{t.aloc, t.port, p.mid}
	if b, ok := x.cache.find(id, time.Now()); ok {
		if old, err := parsePacket(b); err == nil {
			n.up(i, t, old)
		}
		return
	}
	reply := packet{kind: message.Acknowledgement, code: codes.Changed, mid: p.mid, token: p.token}
	if p.code != codes.POST && knownPath(p.path) {
		if reply.code = codes.MethodNotAllowed; !t.multicast {
			n.up(i, t, reply)
		}
		return
	}
	tlvs, err := netdiag.SplitTLVs(p.payload)
	if err != nil {
		return
	}
	switch p.path {
	case "d/dg":
		list, ok := netdiag.Find(tlvs, netdiag.TypeTypeList)
		if !ok || p.kind != message.Confirmable {
			return
		}
		for _, typ := range netdiag.ParseTypeList(list) {
			if !netdiag.IsList(typ) { // those only by query
				reply.payload = n.appendTLV(reply.payload, i, typ, t.agent)
			}
		}
		x.cache.add(id, reply.bytes(), time.Now())
		n.up(i, t, reply)
	case "d/dq":
		if p.kind == message.Confirmable {
			x.cache.add(id, reply.bytes(), time.Now())
			n.up(i, t, reply)
		}
		x.query(n, i, t, tlvs)
	default:
		if !t.multicast && !knownPath(p.path) {
			if reply.code = codes.NotFound; p.kind != message.Confirmable {
				x.mid++
				reply.kind, reply.mid = message.NonConfirmable, x.mid
			}
			n.up(i, t, reply)
		}
	}
}

// query answers a d/dq.
func (x *node) query(n *network, i int, t transit, tlvs []netdiag.TLV) {
	list, ok := netdiag.Find(tlvs, netdiag.TypeTypeList)
	if !ok || len(x.answering) >= maxAnswering {
		return
	}
	a := &answer{to: t}
	a.to.node, a.to.port = n.view.RLOC(i), tmfPort // whatever address and port were used
	a.packets = n.messages(i, netdiag.ParseTypeList(list), tlvs, t.agent)
	x.answering = append(x.answering, a)
	x.next(n, i, a)
}

// messages are the payloads of the d/da that answer a query.
func (n *network) messages(i int, types []uint8, query []netdiag.TLV, agent *Agent) [][]byte {
	head := len(packet{token: make([]byte, 2), path: answerPath, payload: []byte{0}}.bytes()) - 1
	var out [][]byte
	id, tied := netdiag.Find(query, netdiag.TypeQueryID)
	tied = tied && len(id) == 2
	old, full := n.old(i), n.view.Node(i).Mode.FullThreadDevice
	begin := func() (b []byte) {
		if tied && !old {
			b = netdiag.AppendTLV(b, netdiag.TypeQueryID, id)
		}
		return b
	}
	b := begin()
	check := func() { // minimal devices have one message whatever comes
		if full && !old && head+len(b) >= maxAnswer {
			out = append(out, netdiag.AppendAnswer(b, netdiag.Answer{Index: uint16(len(out))}))
			b = begin()
		}
	}
	for _, typ := range types {
		if !netdiag.IsList(typ) {
			b = n.appendTLV(b, i, typ, agent)
			check()
			continue
		}
		n.eachRow(i, typ, func(row func([]byte) []byte) {
			b = row(b)
			check()
		})
	}
	if !old {
		b = netdiag.AppendAnswer(b, netdiag.Answer{Index: uint16(len(out)), Last: true})
	}
	return append(out, b)
}

// next sends the next message of an answer, if there is one.
func (x *node) next(n *network, i int, a *answer) {
	if len(a.packets) == 0 {
		x.drop(a)
		return
	}
	x.mid++
	x.tokens = x.tokens*6364136223846793005 + 1442695040888963407
	a.now = packet{kind: message.Confirmable, code: codes.POST, mid: x.mid, token: be16(uint16(x.tokens >> 48)), path: answerPath, payload: a.packets[0]}
	a.packets, a.repeats, a.heard = a.packets[1:], 0, false
	n.up(i, a.to, a.now)
	x.repeatLater(n, a)
}

func (x *node) repeatLater(n *network, a *answer) {
	mid := a.now.mid
	n.after(firstRepeat<<a.repeats, func() {
		i := n.view.Find(x.id)
		if i < 0 || a.now.mid != mid || !x.has(a) {
			return
		}
		if a.heard || a.repeats == maxRepeats { // nobody is there: the rest is not sent
			x.drop(a)
			return
		}
		a.repeats++
		n.up(i, a.to, a.now)
		x.repeatLater(n, a)
	})
}

// acknowledged takes in an acknowledgement or a reset.
func (x *node) acknowledged(n *network, i int, t transit, p packet) {
	for _, a := range x.answering {
		if a.to.aloc != t.aloc || t.port != tmfPort || a.now.mid != p.mid {
			continue
		}
		switch {
		case p.kind == message.Reset:
			x.drop(a)
		case p.kind != message.Acknowledgement:
		case p.code == codes.Empty:
			a.heard = true
		case string(p.token) != string(a.now.token):
		case p.code == codes.Changed:
			x.next(n, i, a)
		default:
			x.drop(a)
		}
		return
	}
}

func (x *node) has(a *answer) bool {
	for _, o := range x.answering {
		if o == a {
			return true
		}
	}
	return false
}

func (x *node) drop(a *answer) {
	for k, o := range x.answering {
		if o == a {
			x.answering = append(x.answering[:k:k], x.answering[k+1:]...)
			return
		}
	}
}

// hasLists reports whether a message has lists of children or neighbors.
func hasLists(p packet) bool {
	if p.path != answerPath {
		return false
	}
	tlvs, _ := netdiag.SplitTLVs(p.payload)
	for _, t := range tlvs {
		if netdiag.IsList(t.Type) {
			return true
		}
	}
	return false
}

// knownPath reports whether nodes know a path, be it that they say nothing here.
func knownPath(path string) bool { return path == answerPath || countable(path) != "other" }

// countable bounds the paths that are counted.
func countable(path string) string {
	switch path {
	case "c/ag", "c/pg", "c/cg", "c/cp", "c/ca", "c/ut", "d/dg", "d/dq",
		"c/cs", "c/as", "c/ps", "c/tx", "c/ed", "c/ab", "c/pq", "d/dr":
		return path
	}
	return "other"
}
