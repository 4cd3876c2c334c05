package discovery

import (
	"net/netip"
	"slices"
	"time"
)

// Bounds of what is remembered of others' questions.
const (
	maxAsked  = 2048 // names
	maxAskers = 16   // for one name
	maxAsks   = 4096 // single questions
)

// An Ask is one question that somebody else asked.
type Ask struct {
	Question
	At        time.Time
	From      netip.AddrPort // a port other than 5353: a simple resolver (RFC 6762, section 6.7)
	Interface string
	Known     int // known answers in the same packet
}

// Asked sums up who looks for one name. A device that wants its subscription
// back asks for `<fabric>-<node>._matter._tcp.local`, so a question tells of a
// fabric whose credentials nobody gave us.
type Asked struct {
	Name   Name
	Kind   Kind   // "" for a host name
	Fabric uint64 // of an operational instance name, else 0
	Node   uint64
	Types  []Type // in the order of first asking
	Askers []Asker
	First  time.Time
	Last   time.Time
	Count  int
	// Answered is when an answer was last heard at or after the first question;
	// zero: none was. An answer may have gone to the asker by unicast, and one
	// that the asker named as known is not repeated, so silence proves little.
	Answered time.Time
	// There: the name was announced when it was first asked for.
	There bool
}

// An Asker is an address that asked for a name.
type Asker struct {
	Addr      netip.Addr // with zone where link-local
	Interface string
	First     time.Time
	Last      time.Time
	Count     int
}

// asks is what is remembered of others' questions.
type asks struct {
	log  []Ask // the last maxAsks
	by   map[Name]*Asked
	lost int
}

// question takes a message with questions. Only those about the browsed kinds
// and about hosts of services that are there are kept.
func (b *Browser) question(m *Message, l *link, o Origin) {
	for _, q := range m.Questions {
		kind, ok := b.about(l, q.Name)
		if !ok {
			continue
		}
		a := Ask{Question: q, At: o.At, From: netip.AddrPortFrom(l.zoned(o.From.Addr().Unmap()), o.From.Port()), Interface: l.name, Known: len(m.Records)}
		if len(b.asks.log) >= maxAsks {
			b.asks.log = append(b.asks.log[:0], b.asks.log[maxAsks/4:]...)
		}
		b.asks.log = append(b.asks.log, a)
		b.asks.add(a, kind, l.cache.has(q.Name, TypeSRV) || l.cache.has(q.Name, TypePTR) || l.cache.has(q.Name, TypeAAAA) || l.cache.has(q.Name, TypeA))
		b.tell(Event{Kind: Asking, At: o.At, On: l.name, From: a.From, Asked: a})
	}
}

// about says which kind a name belongs to, "" for the host of a service.
func (b *Browser) about(l *link, n Name) (Kind, bool) {
	for z := n.Fold(); !z.IsRoot(); z = z.Parent() { // the kind, an instance, a subtype
		if k, ok := b.kindOf[z]; ok {
			return k, true
		}
	}
	return "", l.cache.has(n, TypeAAAA) || l.cache.has(n, TypeA)
}

func (s *asks) add(a Ask, kind Kind, there bool) {
	key := a.Name.Fold()
	w := s.by[key]
	if w == nil {
		if len(s.by) >= maxAsked {
			s.forget()
		}
		w = &Asked{Name: a.Name, Kind: kind, First: a.At, There: there}
		if kind == KindMatter && a.Name.Parent().Equal(KindMatter.Name()) {
			w.Fabric, w.Node, _ = OperationalID(a.Name.First())
		}
		s.by[key] = w
	}
	w.Last = a.At
	w.Count++
	if !slices.Contains(w.Types, a.Type) && len(w.Types) < maxAskers {
		w.Types = append(w.Types, a.Type)
	}
	i := slices.IndexFunc(w.Askers, func(x Asker) bool { return x.Addr == a.From.Addr() && x.Interface == a.Interface })
	if i < 0 {
		if len(w.Askers) >= maxAskers {
			return
		}
		i = len(w.Askers)
		w.Askers = append(w.Askers, Asker{Addr: a.From.Addr(), Interface: a.Interface, First: a.At})
	}
	w.Askers[i].Last = a.At
	w.Askers[i].Count++
}

// forget drops the quarter of the names that was asked for longest ago.
func (s *asks) forget() {
	all := s.list()
	slices.SortFunc(all, func(a, b *Asked) int { return a.Last.Compare(b.Last) })
	for _, w := range all[:len(all)/4+1] {
		delete(s.by, w.Name.Fold())
		s.lost++
	}
}

// answer notes that somebody said something of a name.
func (s *asks) answer(n Name, ttl time.Duration, at time.Time) {
	if ttl <= 0 || len(s.by) == 0 {
		return
	}
	if w := s.by[n.Fold()]; w != nil {
		w.Answered = at
	}
}

func (s *asks) list() []*Asked {
	out := make([]*Asked, 0, len(s.by))
	for _, w := range s.by {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b *Asked) int {
		if c := a.First.Compare(b.First); c != 0 {
			return c
		}
		return slices.Compare([]byte(a.Name.Fold().wire), []byte(b.Name.Fold().wire))
	})
	return out
}

// Asked sums up others' questions, in the order of first asking.
func (b *Browser) Asked() []Asked {
	out := []Asked{}
	for _, w := range b.asks.list() {
		c := *w
		c.Types, c.Askers = slices.Clone(w.Types), slices.Clone(w.Askers)
		out = append(out, c)
	}
	return out
}

// Asks are the last single questions of others, oldest first.
func (b *Browser) Asks() []Ask { return slices.Clone(b.asks.log) }
