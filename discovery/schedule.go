package discovery

import (
	"cmp"
	"slices"
	"time"
)

// When questions are asked.
const (
	// quPause is when the browse question is asked by multicast after it was
	// asked for unicast answers, which may go to another socket of this machine.
	quPause = 300 * time.Millisecond
	// longestPause is between browse questions once nothing new comes.
	longestPause = time.Minute
	// settle is how long the rest of an answer may take to follow its PTR, in
	// packets of its own, before it is asked for.
	settle = 60 * time.Millisecond
	// firstRetry is doubled at each question for the same record, up to longestPause.
	firstRetry = 250 * time.Millisecond
	// A record is asked for again when refreshFrom of its time to live is over
	// (RFC 6762, section 5.2), and then with all those past refreshWith, so that
	// questions share packets.
	refreshFrom = 80
	refreshWith = 65
	// maxPackets and perPacket bound the questions: a LAN full of lies must not make us
	// flood it.
	maxPackets   = 120 // at once
	packetsPerS  = 2
	perPacket    = 40 // questions
	packetOctets = 1200
	// maxKnown bounds the known answers of one browse question, in octets: some
	// forty packets. Where there are more, the rest is answered again.
	maxKnown = 40 * packetOctets
)

// A Query is what is to be asked on one link now.
type Query struct {
	Link      string
	Questions []Question
	Known     []Record // known answers, which may need packets of their own (RFC 6762, section 7.2)
	Packets   int      // about
}

// A schedule says when one link asks what.
type schedule struct {
	browseAt time.Time
	round    int // browse questions so far
	tries    map[setKey]try
	again    time.Time // when the next of tries is due; zero: none
	tokens   float64
	filledAt time.Time
}

type try struct {
	n     int
	after time.Time
	seen  bool // wanted in the present plan
}

func newSchedule(at time.Time) schedule {
	return schedule{browseAt: at, tries: map[setKey]try{}, tokens: maxPackets, filledAt: at}
}

// pause is the time between browse question number round and the next one.
func pause(round int) time.Duration {
	if round == 0 {
		return quPause
	}
	return min(time.Second<<min(round-1, 10), longestPause)
}

// answered forgets the tries for a record that came.
func (s *schedule) answered(n Name, t Type) {
	if len(s.tries) > 0 {
		delete(s.tries, setKey{n.Fold(), t})
	}
}

// plan is what to ask on a link at a time.
func (b *Browser) plan(l *link, at time.Time) []Query {
	l.tokens = min(maxPackets, l.tokens+packetsPerS*at.Sub(l.filledAt).Seconds())
	l.filledAt = at
	var out []Query
	if !at.Before(l.browseAt) {
		q, octets := Query{Link: l.name}, 0
		for _, k := range b.kinds {
			zone := k.Name()
			q.Questions = append(q.Questions, Question{zone, TypePTR, l.round == 0 && !l.plain})
			for _, r := range l.cache.Known(zone, TypePTR, at) {
				if octets += r.wireSize(); octets <= maxKnown {
					q.Known = append(q.Known, r)
				}
			}
		}
		for _, n := range b.sub {
			q.Questions = append(q.Questions, Question{n, TypePTR, l.round == 0 && !l.plain})
		}
		l.browseAt = at.Add(pause(l.round))
		l.round++
		out = append(out, l.spend(q))
	}
	if l.tokens < 1 {
		return out
	}
	wants := b.wants(l, at)
	if room := max(0, int(l.tokens)) * perPacket; len(wants) > room {
		wants = wants[:room]
	}
	if len(wants) == 0 {
		return out
	}
	q := Query{Link: l.name}
	for _, w := range wants {
		k := setKey{w.Name.Fold(), w.Type}
		t := l.tries[k]
		t.after = at.Add(min(firstRetry<<min(t.n, 10), longestPause))
		t.n++
		l.tries[k] = t
		q.Questions = append(q.Questions, w)
	}
	return append(out, l.spend(q))
}

// spend counts the packets of a query.
func (l *link) spend(q Query) Query {
	octets := 0
	for i := range q.Known {
		octets += q.Known[i].wireSize()
	}
	q.Packets = max((len(q.Questions)+perPacket-1)/perPacket, (octets+packetOctets-1)/packetOctets)
	l.tokens -= float64(q.Packets)
	return q
}

// wants lists the records that are missing, doubted or about to lapse on a
// link and are due, the ones asked for least often first.
func (b *Browser) wants(l *link, at time.Time) []Question {
	type want struct {
		q    Question
		fold Name
		n    int
	}
	var out []want
	l.again = time.Time{}
	for k, t := range l.tries {
		t.seen = false
		l.tries[k] = t
	}
	need := func(n Name, t Type, from time.Time) {
		k := setKey{n.Fold(), t}
		have := l.tries[k]
		if have.seen {
			return
		}
		due := from
		if have.n > 0 {
			due = have.after
		}
		have.seen, have.after = true, due
		l.tries[k] = have
		if at.Before(due) {
			if l.again.IsZero() || due.Before(l.again) {
				l.again = due
			}
			return
		}
		out = append(out, want{Question{n, t, false}, k.name, have.n})
	}
	var soft []want // to be refreshed only if something else is
	refresh := func(n Name, t Type) {
		for _, e := range l.cache.entries(n, t) {
			from := e.at.Add(e.ttl * refreshFrom / 100)
			switch {
			case e.doubt:
				need(n, t, at)
			case e.bye:
			case !at.Before(from):
				need(n, t, from)
			default:
				if !at.Before(e.at.Add(e.ttl * refreshWith / 100)) {
					soft = append(soft, want{Question{n, t, false}, n.Fold(), 0})
				}
				if l.again.IsZero() || from.Before(l.again) {
					l.again = from
				}
			}
		}
	}
	hosts := map[Name]bool{}
	for _, in := range b.instances(l) {
		from := at
		if in.ptr != nil {
			from = in.ptr.says0().Add(settle)
		}
		for _, t := range []Type{TypeSRV, TypeTXT} {
			if !l.cache.has(in.name, t) {
				need(in.name, t, from)
			}
			refresh(in.name, t)
		}
		for _, srv := range l.cache.entries(in.name, TypeSRV) {
			h := srv.rec.Target
			if hosts[h.Fold()] {
				continue
			}
			hosts[h.Fold()] = true
			if !l.cache.has(h, TypeAAAA) && !l.cache.has(h, TypeA) {
				need(h, TypeAAAA, srv.says0().Add(settle))
				need(h, TypeA, srv.says0().Add(settle))
			}
			refresh(h, TypeAAAA)
			refresh(h, TypeA)
		}
	}
	if len(out) > 0 {
		for _, w := range soft {
			if k := (setKey{w.fold, w.q.Type}); !l.tries[k].seen {
				out = append(out, w)
				l.tries[k] = try{seen: true}
			}
		}
	}
	for k, t := range l.tries {
		if !t.seen {
			delete(l.tries, k)
		}
	}
	slices.SortFunc(out, func(x, y want) int {
		return cmp.Or(cmp.Compare(x.n, y.n), cmp.Compare(x.fold.wire, y.fold.wire), cmp.Compare(x.q.Type, y.q.Type))
	})
	qs := make([]Question, len(out))
	for i, w := range out {
		qs[i] = w.q
	}
	return qs
}

// says0 is when the entry was first said by anybody who still says it.
func (e *entry) says0() time.Time {
	first := e.at
	for _, s := range e.says {
		first = earlier(first, s.first)
	}
	return first
}

// Next is when [Browser.Step] has something to do again, if no message comes
// before.
func (b *Browser) Next(at time.Time) time.Time {
	next := at.Add(longestPause)
	soon := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	for _, l := range b.links {
		soon(l.browseAt)
		if t, ok := l.cache.Next(); ok {
			soon(t)
		}
		least := at.Add(10 * time.Millisecond)
		if l.tokens < 1 { // nothing more may be asked before; then some packets at once
			least = at.Add(time.Duration((10 - l.tokens) / packetsPerS * float64(time.Second)))
		}
		if !l.again.IsZero() {
			soon(later(l.again, least))
		}
		for _, t := range l.tries {
			soon(later(t.after, least))
		}
	}
	soon(b.lateAt)
	return later(next, at.Add(time.Millisecond))
}
