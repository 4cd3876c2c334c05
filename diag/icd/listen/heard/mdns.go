package heard

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"threadmap/diag/icd"
	"threadmap/discovery"
)

// Times of the conversion.
const (
	// answersTake is how long after a question a message still answers it.
	answersTake = 2 * time.Second
	// returning is how long after a return everything is an announcement, whoever
	// asks: a second border router's counts.
	returning = 2 * time.Second
)

// MDNS turns one message, with where and when it was heard, into observations,
// in the order of the message:
//
//   - "announce" and "goodbye" of the device's instances (of any fabric), of
//     border routers, of other nodes of the device's fabrics that are no Thread
//     devices (its controllers are among them), and "goodbye" alone, a few at a
//     time, of other Thread devices, which tells a border router's restart from
//     the device's;
//   - "question" for the device, for its host, and for other nodes of its
//     fabrics: a Thread device that looks its subscriber up does so through its
//     border router, which asks by multicast. As long as no fabric of the device
//     is known, those of all fabrics;
//   - "answer" to such questions.
//
// What answers somebody's question and says nothing new of the device is an
// "answer", never an "announce": two border routers that answer one question
// have not announced the device twice. Probes (RFC 6762, section 8.1) are no
// questions. One machine that speaks on IPv4 and IPv6, or is heard on two
// interfaces, counts once; From is the same address each time, as far as the
// records of its host tell.
//
// Owner is set where a sleep proxy speaks: the packet has an owner option, and
// its sender is not the host itself, which sends the option too after waking.
//
// The At of the observations is not set: they are all of o.At, which must not
// run backwards.
func MDNS(m *discovery.Message, o discovery.Origin, s *Scope) []icd.Observation {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := conversion{Scope: s, m: m, o: o}
	if m.Response {
		c.response()
	} else {
		c.question()
	}
	return c.out
}

// A conversion is the work on one message.
type conversion struct {
	*Scope
	m   *discovery.Message
	o   discovery.Origin
	out []icd.Observation
}

// tell appends an observation unless it is a copy, or too many. Of the device
// itself it is told from another measure than of all else.
func (c *conversion) tell(own bool, event, key string, what any) bool {
	from := c.from(c.o)
	if c.copies.is(event+" "+key, from, c.o) {
		return false
	}
	b := &c.rest
	if own {
		b = &c.mine
	}
	if !b.take(c.o.At) {
		c.dropped++
		return false
	}
	c.out = append(c.out, icd.Observation{By: icd.ByMDNS, Event: event, What: what})
	return true
}

func (c *conversion) response() {
	all := c.instances()
	c.learnHosts(all)
	fresh := c.learnAddresses(c.hostsWanted(all))
	told := map[discovery.Name]bool{} // hosts whose instances were told of
	for _, in := range all {
		if !in.there && !in.bye {
			continue
		}
		told[in.host.Fold()] = true
		switch {
		case in.kind == discovery.KindMeshCoP:
			c.router(in, fresh[in.host.Fold()])
		case c.own[in.name.Fold()] != nil:
			c.device(in, fresh[in.host.Fold()])
		default:
			c.other(in, fresh[in.host.Fold()])
		}
	}
	c.hostsAlone(fresh, told)
}

// announce is the observation of an instance.
func (c *conversion) announce(in *instance) (key string, w *icd.Announce) {
	w = &icd.Announce{Instance: in.name.String(), Service: string(in.kind), From: text(c.from(c.o)), Interface: plain(c.o.Interface)}
	ttl := icd.Seconds(0)
	if in.there {
		ttl = icd.Seconds(min(in.ttl, longest))
		w.Port, w.TXT, w.Addresses = in.port, textOf(in.kind, in.txt), c.addresses(in.host)
		w.Owner = c.proxied(in.host)
	}
	w.TTL = &ttl
	for _, h := range []discovery.Name{in.host, in.lastHost} {
		if w.Host == "" && !h.IsRoot() {
			w.Host = h.String()
		}
	}
	return fmt.Sprintf("%s %s %d %q", w.Instance, w.Host, w.Port, in.txt), w
}

// proxied reports whether a sleep proxy speaks for a host.
func (c *conversion) proxied(n discovery.Name) bool {
	if !c.m.Owner {
		return false
	}
	h := c.hosts[n.Fold()]
	return h == nil || !slices.Contains(h.addrs, sender(c.o))
}

// take notes what is said, and reports whether it is news.
func (r *record) take(in *instance, freshAddress bool, at time.Time) (news bool) {
	if !in.there {
		r.said, r.gone = false, at
		return true
	}
	news = !r.said || freshAddress
	if !in.host.IsRoot() {
		news = news || !in.host.Equal(r.host) || in.port != r.port
		r.host, r.port = in.host, in.port
	}
	if in.txt != nil {
		news = news || !in.txt.Equal(r.txt)
		r.txt = in.txt
	}
	if !r.said && !r.gone.IsZero() {
		r.back = at
	}
	r.said = true
	return news
}

func (c *conversion) solicitedInstance(in *instance) bool {
	if c.solicited(in.name, c.o.At) || c.solicited(in.kind.Name(), c.o.At) {
		return true
	}
	if fabric, _, ok := discovery.OperationalID(in.name.First()); ok {
		return c.solicited(discovery.Subtype{Kind: in.kind, Label: fmt.Sprintf("_I%016X", fabric)}.Name(), c.o.At)
	}
	return false
}

// device tells of one of the device's own instances.
func (c *conversion) device(in *instance, freshAddress bool) {
	r := c.own[in.name.Fold()]
	news := r.take(in, freshAddress, c.o.At)
	key, w := c.announce(in)
	switch {
	case !in.there:
		c.tell(true, "goodbye", key, w)
	case news || !c.solicitedInstance(in) || !r.back.IsZero() && c.o.At.Sub(r.back) <= returning:
		c.tell(true, "announce", key, w)
		c.at = c.o.At
	default:
		c.answer(true, in.name, w)
	}
	if in.txt != nil {
		c.lit, c.described = discovery.ParseSession(in.txt).LIT, true
	}
	c.wake()
}

func (c *conversion) answer(own bool, n discovery.Name, w *icd.Announce) {
	c.tell(own, "answer", n.Fold().String(), &icd.Answer{Name: n.String(), Addresses: w.Addresses, From: w.From, TTL: w.TTL, Owner: w.Owner})
}

// router tells of a border agent.
func (c *conversion) router(in *instance, freshAddress bool) {
	f := in.name.Fold()
	r := c.routers[f]
	if r == nil {
		if !in.there {
			return
		}
		if !room(c.routers, maxRouters) {
			c.dropped++
			return
		}
		r = &record{name: in.name}
		c.routers[f] = r
	}
	news := r.take(in, freshAddress, c.o.At)
	if in.txt != nil {
		r.omr = discovery.ParseMeshCoP(in.txt).OMRPrefix
	}
	key, w := c.announce(in)
	switch {
	case !in.there:
		c.tell(false, "goodbye", key, w)
	case news || !c.solicitedInstance(in):
		c.tell(false, "announce", key, w)
	}
}

// other tells of a node that is not the device.
func (c *conversion) other(in *instance, freshAddress bool) {
	f := in.name.Fold()
	if c.siblings[f] || isThread(in.host) || in.host.IsRoot() && isThread(in.lastHost) {
		if !in.there {
			c.sibling(in)
		}
		return
	}
	fabric, _, ok := discovery.OperationalID(in.name.First())
	if !ok || !c.fabrics[fabric] {
		return
	}
	r := c.subscribers[f]
	if r == nil {
		if !in.there || in.host.IsRoot() { // not known whether it is a Thread device
			return
		}
		if !room(c.subscribers, maxSubscribers) {
			c.dropped++
			return
		}
		r = &record{name: in.name}
		c.subscribers[f] = r
	}
	known := r.said
	news := r.take(in, freshAddress, c.o.At)
	key, w := c.announce(in)
	if !in.there {
		c.tell(false, "goodbye", key, w)
		return
	}
	asked := c.solicited(in.name, c.o.At)
	if asked {
		c.answer(false, in.name, w)
	}
	if news && (!asked || !known) || !c.solicitedInstance(in) {
		c.tell(false, "announce", key, w)
	}
}

// room reports whether one more may be kept, and makes room by forgetting one
// that is not announced any more.
func room(m map[discovery.Name]*record, most int) bool {
	for f, r := range m {
		if len(m) < most {
			break
		}
		if !r.said {
			delete(m, f)
		}
	}
	return len(m) < most
}

// sibling tells of another Thread device that goes, if not too many went.
func (c *conversion) sibling(in *instance) {
	c.vanished = slices.DeleteFunc(c.vanished, func(t time.Time) bool { return c.o.At.Sub(t) > siblingsWithin })
	if len(c.vanished) >= siblingsAtOnce {
		return
	}
	key, w := c.announce(in)
	if c.tell(false, "goodbye", key, w) {
		c.vanished = append(c.vanished, c.o.At)
	}
}

func compareNames(a, b discovery.Name) int { return slices.Compare(a.Labels(), b.Labels()) }

func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func addrPort(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 0) }
