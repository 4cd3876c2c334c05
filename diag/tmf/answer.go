package tmf

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
)

// refused is more than any number of attempts.
const refused = 99

// event takes what became of a question, or a message of a node.
func (v *survey) event(now time.Time, e coap.Event) {
	if e.Kind == coap.Requested {
		v.request(now, e.From, e.Message)
		return
	}
	if v.few != nil {
		v.few.event(now, e)
		return
	}
	i := slices.IndexFunc(v.flying, func(q *question) bool { return q.id == e.ID })
	if i < 0 {
		return
	}
	q := v.flying[i]
	if e.Kind != coap.TimedOut {
		q.acked = true
	}
	switch {
	case e.Kind == coap.Acknowledged:
	case e.Kind == coap.Responded && e.Message.Code.OK() && q.list() == 0:
		v.land(q)
		v.responded(now, q, e.Message.Payload)
	case e.Kind == coap.Responded && e.Message.Code.OK(): // the answer comes by itself
		q.id, q.until = 0, now.Add(answerWait)
	case e.Kind == coap.TimedOut:
		q.id = 0
		v.over(q)
	default: // refused: a stack that does not know the question
		q.id, q.attempt = 0, refused
		v.over(q)
	}
}

// responded takes the answer to a request (d/dg).
func (v *survey) responded(now time.Time, q *question, payload []byte) {
	tlvs := v.split(q.to, payload)
	if len(tlvs) == 0 {
		v.over(q)
		return
	}
	q.done = true
	from := diag.MakeRLOC16(q.to) // unknown for an anycast locator
	if b, ok := netdiag.Find(tlvs, netdiag.TypeAddress16); ok && !from.Known() {
		from, _ = netdiag.ParseAddress16(b)
	}
	v.learn(now, from, q, tlvs)
}

// split takes a payload apart and keeps what is whole.
func (v *survey) split(from uint16, payload []byte) []netdiag.TLV {
	tlvs, err := netdiag.SplitTLVs(slices.Clone(payload))
	if err != nil {
		v.problem(fmt.Sprintf("node 0x%04x: its answer is broken: %v", from, err), "")
	}
	for _, t := range tlvs {
		v.types[t.Type] = true
	}
	return tlvs
}

// request takes a message that a node sends by itself: a part of the answer to
// a query (d/da). Every one is acknowledged, or the node repeats it and never
// sends what comes next.
func (v *survey) request(now time.Time, from netip.Addr, m coap.Message) {
	v.s.Reply(now, from, m)
	locator, ok := meshcop.LocatorOf(v.s.MeshLocal(), from)
	if m.Path != meshcop.PathDiagAnswer || !ok || !diag.MakeRLOC16(locator).Known() {
		return
	}
	tlvs := v.split(locator, m.Payload)
	if v.few != nil {
		v.few.answered(now, locator, tlvs)
		return
	}
	q := v.askedBy(locator, tlvs)
	if q == nil {
		return // of an earlier commissioner with the same address, or of nobody
	}
	q.acked = true
	if _, err := q.answer.Add(tlvs); err != nil {
		v.problem(fmt.Sprintf("node 0x%04x: its answer is broken: %v", locator, err), "")
	}
	switch {
	case q.done:
	case q.answer.Complete():
		v.land(q)
		q.done = true
		v.arrived = max(v.arrived, q.expects())
		if v.arrived >= v.vanished {
			v.vanished = 0 // something else was wrong
		}
		v.learn(now, diag.MakeRLOC16(locator), q, q.answer.TLVs())
	case slices.Contains(v.flying, q):
		if q.id != 0 { // its acknowledgement got lost
			v.s.Cancel(q.id)
			q.id = 0
		}
		q.until = now.Add(answerWait)
	}
}

// askedBy finds the question that an answer belongs to. Old stacks echo no
// Query ID; then it is what was asked of that node last.
func (v *survey) askedBy(from uint16, tlvs []netdiag.TLV) *question {
	b, ok := netdiag.Find(tlvs, netdiag.TypeQueryID)
	if ok {
		id, err := netdiag.ParseQueryID(b)
		switch {
		case err != nil:
			return nil
		case v.shoutIDs[id]:
			return v.shoutedTo(from, id)
		case v.queries[id] != nil && v.queries[id].to == from:
			return v.queries[id]
		}
		return nil
	}
	for _, q := range v.flying {
		if q.query != 0 && q.to == from {
			return q
		}
	}
	return v.shoutedTo(from, 0)
}

// shoutedTo is the multicast as a question to one node.
func (v *survey) shoutedTo(from, id uint16) *question {
	k := [2]uint16{from, id}
	if q := v.answers[k]; q != nil {
		return q
	}
	n := v.node(from)
	if n == nil {
		return nil
	}
	q := &question{about: who, node: n, to: from, quiet: true}
	v.answers[k] = q
	return q
}

// conclude tells what is missing at the end. Where the end came before its
// time, early, it makes one line of that: how far it got.
func (v *survey) conclude(early bool) (summary string) {
	if v.few != nil {
		return v.few.conclude()
	}
	for _, q := range append(slices.Clone(v.flying), v.parts()...) {
		if q.done || !q.answer.Started() {
			continue
		}
		if q.done = true; q.about == who {
			v.tell(q.node.rloc(), q.answer.TLVs())
		} else {
			v.learnPart(q)
		}
	}
	routers, answered := v.routers(), 0
	for _, id := range routers {
		n := v.nodes[uint16(id)<<10]
		switch {
		case n.answered:
			answered++
			if len(n.lacks) > 0 && !early {
				slices.Sort(n.lacks)
				v.problem(fmt.Sprintf("router %v did not tell: %s", n.rloc(), strings.Join(slices.Compact(n.lacks), ", ")), "scan again")
			}
		case !early:
			v.silent(n)
		}
	}
	v.count.Silent = len(routers) - answered
	if v.unfit > 0 {
		v.problem(fmt.Sprintf("%d lists of more than %d octets did not get through this border agent: link margins and signal strengths of those rows are unknown", v.unfit, v.vanished),
			"another border router of this network may let them through")
	}
	if len(routers) == 0 {
		if !early {
			v.problem("the border agent let threadmap in, but no node of the mesh answered", "scan again")
		}
		return "no router had answered"
	}
	return fmt.Sprintf("%d of the %d routers heard of had answered, %d questions were open", answered, len(routers), len(v.flying)+len(v.queue))
}

// silent tells of a router that others reach and that did not answer.
func (v *survey) silent(n *node) {
	name, tables := n.rloc().String(), "1 route table"
	if n.ext != 0 {
		name += " " + n.ext.String()
	}
	if len(n.listedBy) != 1 {
		tables = fmt.Sprintf("%d route tables", len(n.listedBy))
	}
	v.problem(fmt.Sprintf("router %s is in %s, but did not answer", name, tables), "scan again; if it stays silent it may be gone")
}

// parts are the answers to the multicast, in a stable order.
func (v *survey) parts() []*question {
	var out []*question
	for _, n := range v.sorted() {
		for id := range v.shoutIDs {
			if q := v.answers[[2]uint16{n.id, id}]; q != nil && !n.answered {
				out = append(out, q)
			}
		}
	}
	return out
}
