package tmf

import (
	"fmt"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
)

const (
	// maxFlying is how many questions are on their way at once: enough to hide
	// their latency, few enough for a mesh of 250 kbit/s.
	maxFlying = 3
	// gap is the least time between two questions.
	gap = 10 * time.Millisecond
	// collect is how long answers to the multicast are waited for: nodes that are
	// far from the border agent can't reach a new commissioner for about 3 s, and
	// repeat an answer that got lost after 2.9 s.
	collect = 5 * time.Second
	// deafness is after how long without any answer the multicast is taken for
	// lost; it is sent maxShouts times at most.
	deafness  = 1500 * time.Millisecond
	maxShouts = 5
	// answerWait is how long the answer to a query that was acknowledged is
	// waited for, since its last message: a node repeats after 2.9 and 8.6 s.
	answerWait = 9500 * time.Millisecond
	// maxQuestions bounds what a survey asks, whatever the mesh says.
	maxQuestions = 4096
)

// A survey asks a mesh, through a session that is its commissioner. It owns no
// socket and no clock, as the session does.
type survey struct {
	s         *meshcop.Session
	askSleepy bool
	newID     func() uint16 // Query IDs
	// tell takes what a node said; problem, what was not learnt.
	tell    func(from diag.RLOC16, tlvs []netdiag.TLV)
	problem func(text, hint string)

	begun    time.Time // of the multicast
	shouted  time.Time // of the last one
	shouts   int
	shoutIDs map[uint16]bool
	answers  map[[2]uint16]*question // to the multicast, by node and Query ID
	late     bool                    // the answers to it are no longer waited for

	nodes      map[uint16]*node
	border     diag.RLOC16
	sought     bool                 // border is looked for
	leaderID   diag.Opt[uint8]      // router id
	leaderKeys map[uint8]bool       // router ids that the leader has given out; nil: not known
	queries    map[uint16]*question // by Query ID
	queue      []*question
	flying     []*question
	nextAt     time.Time // not before that another question
	asked      int
	children   bool
	done       bool

	extra    int // questions that were asked once more than usual
	vanished int // octets of the smallest answer that seems to be too large for the border agent; 0: none
	arrived  int // octets of the largest answer that came
	unfit    int // lists that did not come for that reason
	count    Questions
	types    [256]bool

	few *few // in place of the whole mesh; nil: the whole mesh
}

func newSurvey(s *meshcop.Session, askSleepy bool, newID func() uint16) *survey {
	return &survey{s: s, askSleepy: askSleepy, newID: newID, nodes: map[uint16]*node{}, queries: map[uint16]*question{},
		shoutIDs: map[uint16]bool{}, answers: map[[2]uint16]*question{}}
}

// begin is called when the session has become active.
func (v *survey) begin(now time.Time) {
	v.begun = now
	if v.few != nil {
		v.few.ask(now)
		return
	}
	v.shout(now)
}

// shout multicasts the first question.
func (v *survey) shout(now time.Time) {
	id := v.queryID()
	v.shoutIDs[id] = true
	v.shouted = now
	v.shouts++
	v.count.Multicast++
	payload := netdiag.AppendQueryID(netdiag.AppendTypeList(nil, identity...), id)
	if err := v.s.Multicast(now, meshcop.AllRouters, meshcop.PathDiagQuery, payload); err != nil {
		v.fault(err)
	}
}

// fault tells of what can't be: paths and payloads are this package's own.
func (v *survey) fault(err error) {
	v.problem(fmt.Sprintf("internal error: %v", err), "please report this")
}

func (v *survey) queryID() uint16 {
	for {
		if id := v.newID(); id != 0 && v.queries[id] == nil && !v.shoutIDs[id] {
			return id
		}
	}
}

// locator is told where the border agent's own node is; unknown: the border
// agent does not tell.
func (v *survey) locator(r diag.RLOC16) {
	switch {
	case v.few != nil, v.border.Known():
	case r.Known():
		v.border, v.sought = r, true
		id, _ := r.Get()
		// It never answers a proxied multicast.
		if n := v.node(id); n != nil {
			v.askWho(n)
		}
	case !v.sought: // the network data name it
		v.sought = true
		v.enqueue(&question{about: leader, to: meshcop.LeaderALOC16})
	}
}

// askWho asks a node for its identity, once.
func (v *survey) askWho(n *node) {
	if !n.answered && !n.asking {
		n.asking = true
		v.enqueue(&question{about: who, node: n, to: n.id, quiet: n.rloc().IsChild()})
	}
}

// tick does what is due: gives up answers, sends questions, finds that all is
// done.
func (v *survey) tick(now time.Time) {
	if v.done || v.begun.IsZero() {
		return
	}
	if v.few != nil {
		v.few.tick(now)
		return
	}
	for _, q := range slices.Clone(v.flying) {
		if !q.until.IsZero() && !now.Before(q.until) {
			v.over(q)
		}
	}
	if len(v.answers) == 0 && v.shouts < maxShouts && now.Sub(v.shouted) >= deafness {
		v.shout(now)
	}
	v.late = v.late || now.Sub(v.begun) >= collect || v.complete()
	if v.late {
		for _, id := range v.routers() {
			if n := v.node(uint16(id) << 10); n != nil {
				v.askWho(n)
			}
		}
	}
	v.launch(now)
	if v.busy() || !v.late || !v.sought {
		return
	}
	if !v.children {
		// Children that are full Thread devices answer the multicast, too.
		if now.Sub(v.begun) < collect && len(v.expectedChildren()) > 0 {
			return
		}
		v.children = true
		v.askChildren()
		v.launch(now)
	}
	v.done = !v.busy()
}

func (v *survey) busy() bool { return len(v.flying) > 0 || len(v.queue) > 0 }

// next is when tick is wanted; zero: not at all.
func (v *survey) next() (at time.Time) {
	if v.done || v.begun.IsZero() {
		return at
	}
	if v.few != nil {
		return v.few.until
	}
	soonest := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	for _, q := range v.flying {
		if !q.until.IsZero() {
			soonest(q.until)
		}
	}
	if len(v.answers) == 0 && v.shouts < maxShouts {
		soonest(v.shouted.Add(deafness))
	}
	if !v.late || v.sought && !v.children && !v.busy() {
		soonest(v.begun.Add(collect))
	}
	if len(v.queue) > 0 && len(v.flying) < maxFlying {
		soonest(v.nextAt)
	}
	return at
}

// launch sends questions of the queue as long as there is room for them.
func (v *survey) launch(now time.Time) {
	for len(v.queue) > 0 && len(v.flying) < maxFlying && !now.Before(v.nextAt) {
		q := v.queue[0]
		v.queue = v.queue[1:]
		if v.hopeless(q) {
			v.giveUp(q)
			continue
		}
		v.nextAt = now.Add(gap)
		v.send(now, q)
	}
}

func (v *survey) send(now time.Time, q *question) {
	payload := netdiag.AppendTypeList(nil, q.types(q.node != nil && q.node.rloc() == v.border)...)
	path := meshcop.PathDiagGet
	if q.list() != 0 {
		q.query = v.queryID()
		v.queries[q.query] = q
		payload, path = netdiag.AppendQueryID(payload, q.query), meshcop.PathDiagQuery
	}
	id, err := v.s.Ask(now, meshcop.Locator(v.s.MeshLocal(), q.to), path, payload)
	if err != nil {
		v.fault(err)
		return
	}
	q.id = id
	v.count.Unicast++
	if q.again {
		v.count.Again++
	}
	v.flying = append(v.flying, q)
}

// hopeless reports whether the answer would be as large as one that the border
// agent did not let through.
func (v *survey) hopeless(q *question) bool {
	return v.vanished > 0 && q.list() != 0 && q.expects() >= v.vanished
}

// over ends a question for this time. What came of its answer is told, and it
// is asked for less after the others.
func (v *survey) over(q *question) {
	v.land(q)
	if q.done {
		return
	}
	if q.answer.Started() {
		v.learnPart(q)
	}
	if q.attempt++; q.quiet || q.attempt >= v.patience(q) {
		v.giveUp(q)
		return
	}
	v.enqueue(&question{about: q.about, node: q.node, to: q.to, again: true, attempt: q.attempt})
}

// land takes a question out of the air.
func (v *survey) land(q *question) {
	v.flying = slices.DeleteFunc(v.flying, func(o *question) bool { return o == q })
	if q.id != 0 {
		v.s.Cancel(q.id)
		q.id = 0
	}
}

// giveUp is for a question that was asked often enough.
func (v *survey) giveUp(q *question) {
	if q.about == leader {
		v.problem("the leader did not answer, so the border agent's own node could not be found", "scan again")
		return
	}
	if q.node == nil || q.quiet {
		return
	}
	if q.about == who {
		v.forget(q.node)
		return // told at the end, with all that others say of it
	}
	if size := q.expects(); q.acked && size >= large && size > v.arrived && (v.vanished == 0 || size < v.vanished) {
		v.vanished = size
	}
	if v.hopeless(q) {
		v.unfit++
	} else {
		q.node.lacks = append(q.node.lacks, netdiag.TypeName(max(q.list(), netdiag.TypeChildTable)))
	}
	if q.about == children && !q.node.hasTable {
		v.enqueue(&question{about: childTable, node: q.node, to: q.to})
	}
}
