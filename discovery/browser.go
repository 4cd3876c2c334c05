package discovery

import (
	"cmp"
	"slices"
	"time"
)

// patience is how long an instance that lacks something is kept back before it
// is told of as it is.
const patience = 3 * time.Second

// Options say what a [Browser] looks for. The zero value is all of [Kinds].
type Options struct {
	Kinds []Kind
	// Names are instances that are asked for by name: some responders answer a
	// browse with one of many (matter.js with one for each process).
	Names []Name
	// Subtypes are browsed beside Kinds, of which they are parts: by them such a
	// responder says which of its many instances are meant.
	Subtypes []Subtype
	Limits   Limits // of each interface
	Heard    bool   // tell of every announcement, not only of news
}

// A Link is an interface to browse on, or one responder that is asked
// directly.
type Link struct {
	Name string // as in [Origin]; unique
	// Zone is what link-local addresses heard there belong to; "" for none.
	Zone string
	// Plain: questions go to one responder from a port of our own (RFC 6762,
	// sections 5.5 and 6.7), or from a port other than 5353. Answers to those
	// have a TTL of at most 10 s, whatever the record is worth, so records live
	// for plainTTL.
	Plain bool
}

// plainTTL is how long a record of a plain answer lives at least: the TTL of
// host names in mDNS.
const plainTTL = 120 * time.Second

// A Browser turns messages into services and says what to ask. It is not safe
// for concurrent use. Time must not run backwards.
type Browser struct {
	kinds  []Kind
	kindOf map[Name]Kind // by folded name
	also   []Name
	sub    []Name
	subOf  map[Name]Name // the kind's name, by folded name of the subtype
	limits Limits
	heard  bool

	links  []*link
	shown  map[Name][]*Service // told of, by folded instance name
	first  map[Name]time.Time  // when an instance was first heard of
	asks   asks
	events []Event
	dirty  bool
	lateAt time.Time // when something kept back is due; zero: nothing
}

// A link is a Link and its records.
type link struct {
	name, zone string
	plain      bool
	cache      *Cache
	schedule
}

// NewBrowser makes a Browser without links.
func NewBrowser(o Options) *Browser {
	b := &Browser{kinds: o.Kinds, kindOf: map[Name]Kind{}, subOf: map[Name]Name{}, limits: o.Limits, heard: o.Heard,
		shown: map[Name][]*Service{}, first: map[Name]time.Time{}, asks: asks{by: map[Name]*Asked{}}}
	if b.kinds == nil {
		b.kinds = Kinds
	}
	b.kinds = slices.DeleteFunc(slices.Clone(b.kinds), func(k Kind) bool { return k.Name().IsRoot() })
	for _, k := range b.kinds {
		b.kindOf[k.Name().Fold()] = k
	}
	for _, n := range o.Names {
		if _, ok := b.kindOf[n.Parent().Fold()]; ok {
			b.also = append(b.also, n)
		}
	}
	for _, s := range o.Subtypes {
		n := s.Name()
		if _, ok := b.kindOf[s.Kind.Name().Fold()]; ok && !n.IsRoot() {
			b.sub = append(b.sub, n)
			b.subOf[n.Fold()] = s.Kind.Name()
		}
	}
	return b
}

// AddLink adds a link; the first questions on it are due at once.
func (b *Browser) AddLink(l Link, at time.Time) {
	b.links = append(b.links, &link{name: l.Name, zone: l.Zone, plain: l.Plain, cache: NewCache(b.limits), schedule: newSchedule(at)})
}

func (b *Browser) link(name string) *link {
	for _, l := range b.links {
		if l.name == name {
			return l
		}
	}
	return nil
}

// Take takes a message that arrived. One from an unknown link is ignored.
func (b *Browser) Take(m *Message, o Origin) {
	l := b.link(o.Interface)
	if l == nil {
		return
	}
	if !m.Response {
		b.question(m, l, o)
		return
	}
	from := o.From.Addr().Unmap()
	for _, r := range m.Records {
		if zone, ok := b.subOf[r.Name.Fold()]; ok && r.Type == TypePTR {
			if r.TTL == 0 { // an instance may leave a subtype and stay
				continue
			}
			r.Name = zone // an instance of a subtype is one of the kind
		}
		if !b.wanted(&r) {
			continue
		}
		b.asks.answer(r.Name, r.TTL, o.At)
		ttl := r.TTL
		if l.plain && ttl > 0 {
			ttl = max(ttl, plainTTL)
		}
		r.TTL = ttl
		if l.cache.Put(r, from, o.At) {
			b.dirty = true
		}
		l.answered(r.Name, r.Type)
	}
	if b.heard {
		b.tellHeard(m, l, o)
	}
}

// wanted reports whether a record is of a browsed kind, or the address of a
// host; other services of the LAN are not kept.
func (b *Browser) wanted(r *Record) bool {
	switch r.Type {
	case TypePTR:
		_, ok := b.kindOf[r.Name.Fold()]
		return ok
	case TypeSRV, TypeTXT:
		_, ok := b.kindOf[r.Name.Parent().Fold()]
		return ok
	case TypeA, TypeAAAA:
		// Hosts can't be told from other services' hosts before their SRV came,
		// which may stand behind them or in a later packet; the limits bound them.
		return true
	}
	return false
}

// tellHeard tells of each instance in a message once.
func (b *Browser) tellHeard(m *Message, l *link, o Origin) {
	told := map[Name]bool{}
	for _, r := range m.Records {
		n := r.Name
		switch r.Type {
		case TypePTR:
			if n = r.Target; !n.Parent().Equal(r.Name) {
				continue
			}
		case TypeSRV, TypeTXT:
		default:
			continue
		}
		k, ok := b.kindOf[n.Parent().Fold()]
		if !ok || told[n.Fold()] {
			continue
		}
		told[n.Fold()] = true
		s := Service{Kind: k, Instance: n.First(), Name: n}
		for _, r := range m.Records { // as this message has it
			switch {
			case r.Type == TypeSRV && r.Name.Equal(n):
				s.Host, s.Port = r.Target, r.Port
			case r.Type == TypeTXT && r.Name.Equal(n):
				s.TXT = nonNil(r.TXT)
			}
		}
		for _, r := range m.Records {
			if (r.Type == TypeA || r.Type == TypeAAAA) && !s.Host.IsRoot() && r.Name.Equal(s.Host) && r.TTL > 0 {
				s.Addresses = append(s.Addresses, l.zoned(r.Addr))
			}
		}
		b.tell(Event{Kind: Heard, At: o.At, Service: s, From: o.From, On: l.name, TTL: r.TTL, Owner: m.Owner})
	}
}

// tell appends an event. Somebody who never collects them must not make us
// keep them all.
func (b *Browser) tell(e Event) {
	const most = 100_000
	if len(b.events) < most {
		b.events = append(b.events, e)
	}
}

// Step brings everything up to a time: what happened since the last Step, and
// what is to be asked now.
func (b *Browser) Step(at time.Time) (events []Event, ask []Query) {
	for _, l := range b.links {
		if l.cache.Expire(at) {
			b.dirty = true
		}
	}
	if b.dirty || !b.lateAt.IsZero() && !at.Before(b.lateAt) {
		b.compare(at)
	}
	for _, l := range b.links {
		ask = append(ask, b.plan(l, at)...)
	}
	events, b.events = b.events, nil
	return events, ask
}

// compare tells what changed since the last time.
func (b *Browser) compare(at time.Time) {
	b.dirty, b.lateAt = false, time.Time{}
	now := b.gather()
	why := map[Name]Reason{}
	for _, l := range b.links {
		for n, r := range l.cache.gone {
			if why[n] != Goodbye {
				why[n] = r
			}
		}
		clear(l.cache.gone)
	}
	names := make([]Name, 0, len(now))
	for n := range now {
		names = append(names, n)
	}
	for n := range b.shown {
		if now[n] == nil {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(a, c Name) int { return cmp.Compare(a.wire, c.wire) })
	for _, n := range names {
		b.compareName(n, now[n], why[n], at)
	}
	for n := range b.first {
		if now[n] == nil {
			delete(b.first, n)
		}
	}
}

func (b *Browser) compareName(n Name, now []*Service, why Reason, at time.Time) {
	old := b.shown[n]
	if len(now) > 0 {
		if _, ok := b.first[n]; !ok {
			b.first[n] = at
		}
	}
	var shown []*Service
	claimed := map[*Service]bool{}
	before := func(s *Service) *Service {
		for _, o := range old {
			if !claimed[o] && o.Host.Equal(s.Host) {
				return o
			}
		}
		if len(old) == 1 && len(now) == 1 && !claimed[old[0]] { // the same service on another host
			return old[0]
		}
		return nil
	}
	for _, s := range now {
		o := before(s)
		if o != nil {
			claimed[o] = true
			s.First = o.First
			if s.Host.IsRoot() && !o.Host.IsRoot() || s.TXT == nil && o.TXT != nil || len(s.Addresses) == 0 && len(o.Addresses) > 0 {
				s.keep(o)
			}
			if what := s.changes(o); len(what) > 0 {
				b.tell(Event{Kind: Changed, At: at, Service: s.clone(), What: what})
			}
			shown = append(shown, s)
			continue
		}
		s.First = b.first[n]
		if due := s.First.Add(patience); len(s.Missing()) > 0 && at.Before(due) {
			if b.lateAt.IsZero() || due.Before(b.lateAt) {
				b.lateAt = due
			}
			continue
		}
		b.tell(Event{Kind: Added, At: at, Service: s.clone()})
		shown = append(shown, s)
	}
	for _, o := range old {
		if !claimed[o] {
			b.tell(Event{Kind: Removed, At: at, Service: o.clone(), Reason: cmp.Or(why, Expired)})
		}
	}
	if shown == nil {
		delete(b.shown, n)
	} else {
		b.shown[n] = shown
	}
}

// keep fills in what was known and is being asked for again: part of a service
// that is still announced lapsed. What was learnt is not lost.
func (s *Service) keep(o *Service) {
	if s.Host.IsRoot() {
		s.Host, s.Port = o.Host, o.Port
	}
	if s.TXT == nil {
		s.TXT = o.TXT
	}
	if len(s.Addresses) == 0 && s.Host.Equal(o.Host) {
		s.Addresses = o.Addresses
	}
}

// Services are all services of now, complete or not, sorted.
func (b *Browser) Services() []Service {
	var all []*Service
	for n, same := range b.gather() {
		for _, s := range same {
			s.First = b.first[n]
			for _, o := range b.shown[n] {
				if o.Host.Equal(s.Host) || s.Host.IsRoot() && len(same) == 1 && len(b.shown[n]) == 1 {
					s.First = o.First
					s.keep(o)
				}
			}
			if s.First.IsZero() {
				s.First = s.Last
			}
			all = append(all, s)
		}
	}
	slices.SortFunc(all, compareServices)
	out := make([]Service, 0, len(all))
	for _, s := range all {
		out = append(out, s.clone())
	}
	return out
}

// Unfinished counts the instances that lack something, to know when it makes
// sense to stop.
func (b *Browser) Unfinished() int {
	n := 0
	for _, same := range b.gather() {
		for _, s := range same {
			if len(s.Missing()) > 0 {
				n++
			}
		}
	}
	return n
}

// Stats are the numbers of one link.
func (b *Browser) Stats(linkName string) (s CacheStats, ok bool) {
	l := b.link(linkName)
	if l == nil {
		return CacheStats{}, false
	}
	return l.cache.Stats(), true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
