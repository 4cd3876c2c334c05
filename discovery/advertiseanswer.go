package discovery

import (
	"slices"
	"time"
)

// question makes an answer to a message's questions, to be sent at its time.
func (a *Advertiser) question(l *adLink, m *Message, o Origin) {
	known := map[string]time.Duration{}
	for i := range m.Records {
		known[adKey(&m.Records[i])] = m.Records[i].TTL
	}
	suppress := func(r Record) bool { // section 7.1
		ttl, ok := known[adKey(&r)]
		return ok && ttl >= r.TTL/2
	}
	if len(m.Questions) == 0 { // more known answers (section 7.2)
		for _, p := range l.pending {
			if p.from == o.From {
				p.records = slices.DeleteFunc(p.records, suppress)
			}
		}
		return
	}
	all := a.records(l)
	p := &adPending{due: o.At, from: o.From, id: m.ID, legacy: o.From.Port() != mdnsPort, unicast: true, defend: len(m.Claims) > 0}
	shared := false
	for _, q := range m.Questions {
		matched := false
		for _, r := range all {
			if (q.Type == r.Type || q.Type == TypeANY) && q.Name.Equal(r.Name) && !suppress(r) {
				matched = true
				shared = shared || r.Type == TypePTR
				if !slices.ContainsFunc(p.records, func(x Record) bool { return adKey(&x) == adKey(&r) }) {
					p.records = append(p.records, r)
				}
			}
		}
		if matched {
			p.unicast = p.unicast && q.Unicast
			if len(p.questions) < maxSubtypes {
				p.questions = append(p.questions, q)
			}
		}
	}
	if len(p.records) == 0 || len(l.pending) >= maxPending {
		return
	}
	switch {
	case p.legacy:
		p.unicast = true
	case m.Truncated:
		p.due = o.At.Add(400*time.Millisecond + time.Duration(a.random.Int64N(int64(100*time.Millisecond))))
	case shared:
		p.due = o.At.Add(20*time.Millisecond + time.Duration(a.random.Int64N(int64(100*time.Millisecond))))
	}
	if p.unicast && !p.legacy && !p.defend {
		// What the link has not heard for long, all should hear (section 5.4).
		for i := range p.records {
			r := &p.records[i]
			if last, ok := l.last[adKey(r)]; !ok || o.At.Sub(last) > r.TTL/4 {
				p.unicast = false
			}
		}
	}
	l.pending = append(l.pending, p)
}

// mdnsPort is what resolvers that know multicast DNS ask from (section 5.2).
const mdnsPort = 5353

// answers sends the answers that are due: those by multicast in one packet.
func (a *Advertiser) answers(l *adLink, at time.Time, out []Outgoing) []Outgoing {
	l.tokens = min(unicastBurst, l.tokens+at.Sub(l.filled).Seconds()*unicastPerSecond)
	l.filled = at
	group, inGroup := Outgoing{Link: l.name}, map[string]bool{}
	var left []*adPending
	for _, p := range l.pending {
		switch {
		case at.Before(p.due):
			left = append(left, p)
		case len(p.records) == 0: // all of it was known
		case p.unicast:
			if l.tokens < 1 {
				continue
			}
			l.tokens--
			one := Outgoing{Link: l.name, To: p.from, Answers: p.records}
			one.Extra = a.extra(l, p.records)
			if p.legacy {
				one.ID, one.Questions = p.id, p.questions
				one.Answers, one.Extra = simple(one.Answers), simple(one.Extra)
			}
			out = append(out, one)
		default:
			var wait []Record
			again := time.Time{}
			for _, r := range p.records {
				k := adKey(&r)
				within := onceWithin
				if p.defend {
					within = defendWithin
				}
				if inGroup[k] {
					continue // two who asked the same
				}
				if last, ok := l.last[k]; ok && at.Before(last.Add(within)) {
					if due := last.Add(within); len(wait) == 0 || due.Before(again) {
						again = due
					}
					wait = append(wait, r)
					continue
				}
				l.last[k], inGroup[k] = at, true
				group.Answers = append(group.Answers, r)
			}
			if len(wait) > 0 {
				p.records, p.due = wait, again
				left = append(left, p)
			}
		}
	}
	l.pending = left
	if len(group.Answers) > 0 {
		for _, r := range a.extra(l, group.Answers) {
			k := adKey(&r)
			if last, ok := l.last[k]; !ok || !at.Before(last.Add(onceWithin)) {
				l.last[k] = at
				group.Extra = append(group.Extra, r)
			}
		}
		out = append(out, group)
	}
	return out
}

// extra are the records that go with others (RFC 6763, section 12).
func (a *Advertiser) extra(l *adLink, answers []Record) (out []Record) {
	ptr, srv := false, false
	have := map[string]bool{}
	for i := range answers {
		r := &answers[i]
		have[adKey(r)] = true
		ptr = ptr || r.Type == TypePTR && r.Target.Equal(a.instance)
		srv = srv || r.Type == TypeSRV
	}
	var more []Record
	switch {
	case ptr:
		more = a.unique(l)
	case srv:
		more = a.hostRecords(l)
	}
	for _, r := range more {
		if !have[adKey(&r)] {
			out = append(out, r)
		}
	}
	return out
}

// simple are records as a simple resolver takes them (RFC 6762, section 6.7).
func simple(in []Record) []Record {
	out := slices.Clone(in)
	for i := range out {
		out[i].TTL, out[i].CacheFlush = min(out[i].TTL, legacyTTL), false
	}
	return out
}
