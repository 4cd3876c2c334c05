package tmf

import (
	"fmt"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/coap"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
)

// fewTypes is what one of a few routers is asked by request: who it is, what it
// reaches, and how many children it has. The first one is also asked for the
// Network Data, which is the same in the whole partition: it costs no message.
var fewTypes = []uint8{netdiag.TypeExtAddress, netdiag.TypeAddress16, netdiag.TypeRoute64, netdiag.TypeLeaderData, netdiag.TypeChildTable}

// A few is the asking of a few routers, one after the other: of each its tables
// by one request (d/dg), and its list of children, where it has any, by one
// query (d/dq). Each is repeated once where there is no answer. Nothing is
// multicast, and no child is asked.
type few struct {
	v  *survey
	to []uint16 // RLOC16s, or the leader's ALOC16; the first is the one that is asked now

	list    bool          // the query is under way, otherwise the request
	from    diag.RLOC16   // who answered the request
	tlvs    []netdiag.TLV // what it answered
	id      coap.ID       // of what is under way; 0: it was acknowledged
	query   uint16        // Query ID
	until   time.Time     // for how long the answer to a query is waited for
	attempt int           // how often this was asked before
	answer  netdiag.Assembly
	begun   bool // one router was asked: the others need not tell Network Data
	heard   int  // routers that answered
}

// ask sends what is next, or ends the survey.
func (f *few) ask(now time.Time) {
	v := f.v
	if len(f.to) == 0 {
		v.done = true
		return
	}
	to, path, payload := f.to[0], meshcop.PathDiagGet, []byte(nil)
	if f.list {
		if r, known := f.from.Get(); known {
			to = r
		}
		f.query, f.answer = v.queryID(), netdiag.Assembly{}
		path, payload = meshcop.PathDiagQuery, netdiag.AppendQueryID(netdiag.AppendTypeList(nil, netdiag.TypeChild), f.query)
	} else {
		types := fewTypes
		if !f.begun {
			types = append(slices.Clone(types), netdiag.TypeNetworkData)
		}
		payload = netdiag.AppendTypeList(nil, types...)
	}
	f.until = time.Time{}
	id, err := v.s.Ask(now, meshcop.Locator(v.s.MeshLocal(), to), path, payload)
	if err != nil {
		v.fault(err)
		v.done = true
		return
	}
	f.id = id
	v.count.Unicast++
	if f.attempt > 0 {
		v.count.Again++
	}
}

// next goes on to the next router.
func (f *few) next(now time.Time) {
	f.stop()
	f.to, f.list, f.from, f.tlvs, f.attempt, f.begun = f.to[1:], false, diag.RLOC16{}, nil, 0, true
	f.ask(now)
}

// stop takes what is under way out of the air.
func (f *few) stop() {
	if f.id != 0 {
		f.v.s.Cancel(f.id)
	}
	f.id, f.query, f.until = 0, 0, time.Time{}
}

// tick gives up an answer that does not come.
func (f *few) tick(now time.Time) {
	if !f.until.IsZero() && !now.Before(f.until) {
		f.over(now)
	}
}

// event takes what became of a question.
func (f *few) event(now time.Time, e coap.Event) {
	if e.ID != f.id || f.id == 0 {
		return
	}
	switch {
	case e.Kind == coap.Acknowledged:
	case e.Kind == coap.Responded && e.Message.Code.OK() && f.list: // the answer comes by itself
		f.id, f.until = 0, now.Add(answerWait)
	case e.Kind == coap.Responded && e.Message.Code.OK():
		f.responded(now, e.Message.Payload)
	case e.Kind == coap.TimedOut:
		f.id = 0
		f.over(now)
	default: // refused: a stack that does not know the question
		f.id, f.attempt = 0, refused
		f.over(now)
	}
}

// responded takes the answer to the request.
func (f *few) responded(now time.Time, payload []byte) {
	f.id = 0
	tlvs := f.v.split(f.to[0], payload)
	from := diag.MakeRLOC16(f.to[0]) // unknown for the leader's anycast locator
	if b, ok := netdiag.Find(tlvs, netdiag.TypeAddress16); ok && !from.Known() {
		from, _ = netdiag.ParseAddress16(b)
	}
	if len(tlvs) == 0 || !from.IsRouter() {
		f.over(now)
		return
	}
	f.from, f.tlvs = from, tlvs
	f.heard++
	f.v.tell(from, tlvs)
	f.v.notice(now, &node{id: f.to[0]}, tlvs)
	if b, ok := netdiag.Find(tlvs, netdiag.TypeChildTable); ok {
		if rows, err := netdiag.ParseChildTable(b); err == nil && len(rows) == 0 {
			f.next(now)
			return
		}
	}
	f.list, f.attempt = true, 0
	f.ask(now)
}

// answered takes a part of the answer to the query. A stack that is too old to
// echo the Query ID is believed where nothing else was asked of it.
func (f *few) answered(now time.Time, locator uint16, tlvs []netdiag.TLV) {
	if r, known := f.from.Get(); !f.list || !known || r != locator || f.query == 0 {
		return
	}
	if b, ok := netdiag.Find(tlvs, netdiag.TypeQueryID); ok {
		if id, err := netdiag.ParseQueryID(b); err != nil || id != f.query {
			return
		}
	}
	if _, err := f.answer.Add(tlvs); err != nil {
		f.v.problem(fmt.Sprintf("node 0x%04x: its answer is broken: %v", locator, err), "")
	}
	if f.answer.Complete() {
		f.tellList()
		f.next(now)
		return
	}
	if f.id != 0 { // its acknowledgement got lost
		f.v.s.Cancel(f.id)
		f.id = 0
	}
	f.until = now.Add(answerWait)
}

// tellList tells the children that were named, beside the table that has all.
func (f *few) tellList() {
	f.v.tell(f.from, append(slices.Clone(f.tlvs), f.answer.TLVs()...))
}

// over ends a question that was not, or not wholly, answered. Silence twice is
// an answer.
func (f *few) over(now time.Time) {
	f.stop()
	if f.attempt++; f.attempt < usual {
		f.ask(now)
		return
	}
	f.giveUp()
	f.next(now)
}

func (f *few) giveUp() {
	switch {
	case f.list && f.answer.Started():
		f.tellList()
		fallthrough
	case f.list:
		f.v.problem(fmt.Sprintf("router %v did not tell: %s", f.from, netdiag.TypeName(netdiag.TypeChild)), "ask again")
	case f.to[0] == meshcop.LeaderALOC16:
		f.v.problem("the leader did not answer", "ask again")
	default:
		f.v.count.Silent++
		f.v.problem(fmt.Sprintf("router %v did not answer", diag.MakeRLOC16(f.to[0])), "it may be gone")
	}
}

// conclude tells what came of an answer that is cut short. It says how far the
// asking got.
func (f *few) conclude() string {
	if f.v.done || len(f.to) == 0 {
		return ""
	}
	if f.list && f.answer.Started() {
		f.tellList()
	}
	return fmt.Sprintf("%d routers had answered, %d were still to be asked", f.heard, len(f.to))
}
