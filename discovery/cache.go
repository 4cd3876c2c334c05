package discovery

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Rules of RFC 6762 that the cache goes by.
const (
	// graceAfter is how long a record lives after its goodbye (section 10.1), or
	// after a cache-flush that another record of its name and type came with
	// (section 10.2).
	graceAfter = time.Second
	// maxTTL bounds how long a record is believed without being heard again,
	// whatever it says: the lease of a Thread device's registration.
	maxTTL = 2 * time.Hour
	// maxSayers bounds the addresses kept of those who said one record.
	maxSayers = 8
)

// Limits bound what a cache holds. A zero field means the default.
type Limits struct {
	Records int // default 20,000: 4,000 services
	Bytes   int // default 16 MiB, as estimated
	PerName int // records of one name and type, but for PTR; default 64
	TXT     int // octets of one TXT record; default 65,535
}

func (l Limits) orDefault() Limits {
	return Limits{cmp.Or(l.Records, 20_000), cmp.Or(l.Bytes, 16<<20), cmp.Or(l.PerName, 64), cmp.Or(l.TXT, 65_535)}
}

// A Cache holds the records heard on one interface. Time is an input; it must
// not run backwards.
type Cache struct {
	limits Limits
	sets   map[setKey]map[string]*entry
	// load is the number of records that each responder was the first to say.
	load    map[netip.Addr]int
	records int
	bytes   int
	dropped int
	gone    map[Name]Reason // folded names whose PTR target or SRV went since the last look
}

type setKey struct {
	name Name // folded
	typ  Type
}

// An entry is a record and what is known of it.
type entry struct {
	rec     Record
	id      string
	at      time.Time // last heard
	expires time.Time
	ttl     time.Duration
	says    []sayer    // by first
	bye     bool       // a goodbye was heard
	doubt   bool       // one responder took it back, another had said it too: worth a question
	charged netip.Addr // who said it first
}

type sayer struct {
	addr        netip.Addr
	first, last time.Time
}

// A Reason says why something is gone.
type Reason string

// The reasons.
const (
	Goodbye  Reason = "goodbye"  // it was said that it goes
	Expired  Reason = "expired"  // nobody repeated it within its time to live
	Replaced Reason = "replaced" // its owner says something else now
)

// NewCache makes an empty cache.
func NewCache(l Limits) *Cache {
	return &Cache{limits: l.orDefault(), sets: map[setKey]map[string]*entry{}, load: map[netip.Addr]int{}, gone: map[Name]Reason{}}
}

// Put takes a record that from said at a time. It reports whether anything but
// the age of a record changed. A record without the data that its type needs,
// and one beyond the limits, is dropped.
func (c *Cache) Put(r Record, from netip.Addr, at time.Time) (changed bool) {
	if !r.usable() || c.tooLong(&r) {
		c.dropped++
		return false
	}
	r.Addr = r.Addr.WithZone("")
	k := setKey{r.Name.Fold(), r.Type}
	set, id := c.sets[k], r.data()
	e := set[id]
	if r.CacheFlush && r.Type != TypePTR && r.TTL > 0 { // PTRs of DNS-SD are shared: a flush of theirs is a lie
		changed = c.flush(k, id, from, at)
		set = c.sets[k]
	}
	if r.TTL <= 0 {
		return c.goodbye(e, from, at) || changed
	}
	if e == nil {
		if r.Type != TypePTR && len(set) >= c.limits.PerName || !c.room(&r, from) {
			c.dropped++
			return changed
		}
		e = &entry{id: id, charged: from}
		if set = c.sets[k]; set == nil { // room may have emptied it
			set = map[string]*entry{}
			c.sets[k] = set
		}
		set[id] = e
		c.records++
		c.bytes += r.size()
		c.load[from]++
		changed = true
	} else {
		c.bytes += r.size() - e.rec.size()
		changed = changed || e.bye
	}
	e.rec, e.at, e.bye, e.doubt = r, at, false, false
	e.ttl = min(r.TTL, maxTTL)
	e.expires = at.Add(e.ttl)
	return e.say(from, at) || changed
}

func (c *Cache) tooLong(r *Record) bool {
	if r.Type != TypeTXT {
		return false
	}
	n := 0
	for _, s := range r.TXT {
		n += 1 + len(s)
	}
	return n > c.limits.TXT
}

// flush applies a cache-flush bit to the other records of a name and type.
// What only this responder had said of an SRV or TXT is replaced at once; what
// others said too, or say of addresses, may stand in another packet of the
// same answer, so it gets the second of the RFC, and a question.
func (c *Cache) flush(k setKey, id string, from netip.Addr, at time.Time) (changed bool) {
	for oid, o := range c.sets[k] {
		if oid == id {
			continue
		}
		if k.typ == TypeSRV || k.typ == TypeTXT {
			if o.unsay(from); len(o.says) == 0 {
				c.remove(k, o, Replaced)
				changed = true
				continue
			}
		}
		if at.Sub(o.at) > graceAfter {
			if end := at.Add(graceAfter); o.expires.After(end) {
				o.expires = end
				o.doubt = k.typ == TypeSRV || k.typ == TypeTXT
			}
		}
	}
	return changed
}

func (c *Cache) goodbye(e *entry, from netip.Addr, at time.Time) (changed bool) {
	if e == nil {
		return false
	}
	e.doubt = slices.ContainsFunc(e.says, func(s sayer) bool { return s.addr != from })
	if end := at.Add(graceAfter); e.expires.After(end) {
		e.expires = end
	}
	changed = !e.bye
	e.bye = true
	return changed
}

// say notes that addr said the record; it reports whether it is new.
func (e *entry) say(addr netip.Addr, at time.Time) bool {
	for i := range e.says {
		if e.says[i].addr == addr {
			e.says[i].last = at
			return false
		}
	}
	if len(e.says) >= maxSayers {
		return false
	}
	e.says = append(e.says, sayer{addr, at, at})
	return true
}

func (e *entry) unsay(addr netip.Addr) {
	e.says = slices.DeleteFunc(e.says, func(s sayer) bool { return s.addr == addr })
}

// room makes room for a record. A full cache takes it from the responder that
// filled it most, so that one that lies can't push out the others; that
// responder's own newcomers are dropped, and all newcomers where none fills
// more than an eighth. What is pushed out is at least 1/64 of the cache, so
// a flood does not make each packet search all of it.
func (c *Cache) room(r *Record, from netip.Addr) bool {
	full := func() bool { return c.records >= c.limits.Records || c.bytes+r.size() > c.limits.Bytes }
	if !full() {
		return true
	}
	if r.size() > c.limits.Bytes {
		return false
	}
	worst, most := netip.Addr{}, -1
	for a, n := range c.load {
		if n > most || n == most && a.Less(worst) {
			worst, most = a, n
		}
	}
	if c.load[from] >= most || most < c.records/8 {
		return false
	}
	type victim struct {
		k setKey
		e *entry
	}
	var all []victim
	for k, set := range c.sets {
		for _, e := range set {
			if e.charged == worst {
				all = append(all, victim{k, e})
			}
		}
	}
	slices.SortFunc(all, func(a, b victim) int {
		return cmp.Or(a.e.expires.Compare(b.e.expires), cmp.Compare(a.k.name.wire, b.k.name.wire), cmp.Compare(a.k.typ, b.k.typ), cmp.Compare(a.e.id, b.e.id))
	})
	for i, v := range all {
		if i > len(all)/8 && !full() {
			break
		}
		c.dropped++
		c.remove(v.k, v.e, Expired)
	}
	return !full()
}

// remove takes an entry out of its set.
func (c *Cache) remove(k setKey, e *entry, why Reason) {
	set := c.sets[k]
	if set[e.id] != e {
		return
	}
	delete(set, e.id)
	if len(set) == 0 {
		delete(c.sets, k)
	}
	c.records--
	c.bytes -= e.rec.size()
	if c.load[e.charged]--; c.load[e.charged] <= 0 {
		delete(c.load, e.charged)
	}
	if e.bye {
		why = Goodbye
	}
	switch k.typ {
	case TypeSRV:
		c.gone[k.name] = why
	case TypePTR:
		c.gone[e.rec.Target.Fold()] = why
	}
}

// Expire removes what is over at a time. An instance whose PTR is over loses
// its SRV and TXT too: some responders take back only the PTR.
func (c *Cache) Expire(at time.Time) (changed bool) {
	for k, set := range c.sets {
		for _, e := range set {
			if e.expires.After(at) {
				continue
			}
			c.remove(k, e, Expired)
			changed = true
			if k.typ != TypePTR {
				continue
			}
			target, why := e.rec.Target.Fold(), c.gone[e.rec.Target.Fold()]
			for _, t := range []Type{TypeSRV, TypeTXT} {
				for _, o := range c.sets[setKey{target, t}] {
					if !o.at.After(e.at) {
						c.remove(setKey{target, t}, o, why)
					}
				}
			}
			c.gone[target] = why
		}
	}
	return changed
}

// Next is when the next record is over; ok is false of an empty cache.
func (c *Cache) Next() (at time.Time, ok bool) {
	for _, set := range c.sets {
		for _, e := range set {
			if !ok || e.expires.Before(at) {
				at, ok = e.expires, true
			}
		}
	}
	return at, ok
}

// entries are the entries of a name and type in a stable order, the newest
// first.
func (c *Cache) entries(name Name, t Type) []*entry {
	set := c.sets[setKey{name.Fold(), t}]
	out := make([]*entry, 0, len(set))
	for _, e := range set {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *entry) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.id, b.id)) })
	return out
}

// Lookup lists the records of a name and type, the newest first.
func (c *Cache) Lookup(name Name, t Type) []Record {
	var out []Record
	for _, e := range c.entries(name, t) {
		out = append(out, e.rec)
	}
	return out
}

// Known lists the answers that a question need not bring again: those with
// half their time to live left or more (RFC 6762, section 7.1). Their TTL is
// what is left.
func (c *Cache) Known(name Name, t Type, at time.Time) []Record {
	var out []Record
	for _, e := range c.entries(name, t) {
		if left := e.expires.Sub(at).Truncate(time.Second); left > 0 && 2*left >= e.ttl && !e.bye {
			r := e.rec
			r.TTL, r.CacheFlush = left, false
			out = append(out, r)
		}
	}
	return out
}

// has reports whether there is a record of the name and type.
func (c *Cache) has(name Name, t Type) bool { return len(c.sets[setKey{name.Fold(), t}]) > 0 }

// CacheStats say how full a cache is.
type CacheStats struct {
	Records int
	Bytes   int // estimated
	Dropped int // records refused or pushed out by the limits, since the start
}

// Stats are the numbers of now.
func (c *Cache) Stats() CacheStats { return CacheStats{c.records, c.bytes, c.dropped} }
