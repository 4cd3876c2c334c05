package discovery

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// gather makes the services anew from the records of all interfaces, by folded
// instance name, those of one name in a stable order.
func (b *Browser) gather() map[Name][]*Service {
	g := gathering{services: map[Name][]*Service{}, owners: map[netip.Addr]Name{}, portAt: map[*Service]time.Time{}, textAt: map[*Service]time.Time{}}
	for _, l := range b.links {
		g.addresses(l)
	}
	for _, l := range b.links {
		for _, in := range b.instances(l) {
			g.instance(l, in)
		}
	}
	for key, same := range g.services {
		g.services[key] = g.finish(same)
	}
	return g.services
}

// An instance is a name that is worth asking for.
type instance struct {
	name Name
	fold Name
	kind Kind
	ptr  *entry // nil: known without one
}

// instances are the names on one link that PTRs of the kinds point to, that
// have an SRV below a kind, or that the user named, sorted.
func (b *Browser) instances(l *link) []instance {
	var out []instance
	seen := map[Name]bool{}
	add := func(n Name, k Kind, ptr *entry) {
		if f := n.Fold(); !seen[f] {
			seen[f] = true
			out = append(out, instance{n, f, k, ptr})
		}
	}
	for _, k := range b.kinds {
		zone := k.Name()
		for _, e := range l.cache.entries(zone, TypePTR) {
			if t := e.rec.Target; t.Parent().Equal(zone) {
				add(t, k, e)
			}
		}
	}
	for key, set := range l.cache.sets {
		if key.typ != TypeSRV {
			continue
		}
		if k, ok := b.kindOf[key.name.Parent()]; ok {
			for _, e := range set {
				add(e.rec.Name, k, nil)
			}
		}
	}
	for _, n := range b.also {
		if k, ok := b.kindOf[n.Parent().Fold()]; ok {
			add(n, k, nil)
		}
	}
	slices.SortFunc(out, func(x, y instance) int { return cmp.Compare(x.fold.wire, y.fold.wire) })
	return out
}

// A gathering is the work of one gather.
type gathering struct {
	services map[Name][]*Service
	owners   map[netip.Addr]Name // who has an address; the root: several
	portAt   map[*Service]time.Time
	textAt   map[*Service]time.Time
}

// addresses notes who has which address.
func (g *gathering) addresses(l *link) {
	for key, set := range l.cache.sets {
		if key.typ != TypeA && key.typ != TypeAAAA {
			continue
		}
		for _, e := range set {
			a := l.zoned(e.rec.Addr)
			if h, ok := g.owners[a]; ok && h != key.name {
				g.owners[a] = Name{}
			} else {
				g.owners[a] = key.name
			}
		}
	}
}

// zoned gives a link-local address the zone it was heard in.
func (l *link) zoned(a netip.Addr) netip.Addr {
	if l.zone != "" && a.Is6() && a.IsLinkLocalUnicast() {
		return a.WithZone(l.zone)
	}
	return a
}

// instance adds what one link knows of an instance.
func (g *gathering) instance(l *link, in instance) {
	srvs, txts := l.cache.entries(in.name, TypeSRV), l.cache.entries(in.name, TypeTXT)
	if len(srvs) == 0 {
		if in.ptr == nil && len(txts) == 0 {
			return // only asked for
		}
		s := g.service(in, Name{})
		g.seen(s, l, in.ptr)
		g.text(s, l, txts, nil, true)
		return
	}
	done := map[Name]bool{}
	for _, srv := range srvs { // the newest first
		host := srv.rec.Target
		if done[host.Fold()] {
			continue // the same host at its old port
		}
		done[host.Fold()] = true
		s := g.service(in, host)
		if at, ok := g.portAt[s]; !ok || srv.at.After(at) {
			s.Port, g.portAt[s] = srv.rec.Port, srv.at
		}
		g.seen(s, l, srv)
		if in.ptr != nil {
			if len(srvs) == 1 {
				g.seen(s, l, in.ptr)
			} else if in.ptr.at.After(s.Last) {
				s.Last = in.ptr.at
			}
		}
		g.text(s, l, txts, srv, oneHost(srvs))
		for _, t := range []Type{TypeAAAA, TypeA} {
			for _, e := range l.cache.entries(host, t) {
				if a := l.zoned(e.rec.Addr); !slices.Contains(s.Addresses, a) {
					s.Addresses = append(s.Addresses, a)
				}
				if e.at.After(s.Last) {
					s.Last = e.at
				}
			}
		}
	}
}

// service is the service of that name and host, made where it is new.
func (g *gathering) service(in instance, host Name) *Service {
	key := in.name.Fold()
	for _, s := range g.services[key] {
		if s.Host.Equal(host) {
			return s
		}
	}
	s := &Service{Kind: in.kind, Instance: in.name.First(), Name: in.name, Host: host}
	g.services[key] = append(g.services[key], s)
	return s
}

// seen notes who said e, where and when.
func (g *gathering) seen(s *Service, l *link, e *entry) {
	if !slices.Contains(s.Interfaces, l.name) {
		s.Interfaces = append(s.Interfaces, l.name)
	}
	if e == nil {
		return
	}
	if e.at.After(s.Last) {
		s.Last = e.at
	}
	for _, who := range e.says {
		addr := l.zoned(who.addr)
		i := slices.IndexFunc(s.Responders, func(r Responder) bool { return r.Addr == addr && r.Interface == l.name })
		if i < 0 {
			s.Responders = append(s.Responders, Responder{Addr: addr, Interface: l.name, Host: g.owners[addr], First: who.first, Last: who.last})
			continue
		}
		if r := &s.Responders[i]; true {
			r.First, r.Last = earlier(r.First, who.first), later(r.Last, who.last)
		}
	}
}

// text picks the TXT of the service: the newest one that somebody said who
// said the SRV too, else the newest. The others are kept beside it.
func (g *gathering) text(s *Service, l *link, txts []*entry, srv *entry, one bool) {
	if len(txts) == 0 {
		return
	}
	best := txts[0]
	if srv != nil {
		if i := slices.IndexFunc(txts, func(t *entry) bool { return t.sharesSayer(srv) }); i >= 0 {
			best = txts[i]
		}
	}
	if at, ok := g.textAt[s]; !ok || best.at.After(at) {
		s.TXT, g.textAt[s] = nonNil(best.rec.TXT), best.at
	}
	for _, t := range txts {
		// One that was flushed is in doubt until it is heard again; with several
		// hosts each has its own.
		if t != best && one && !t.doubt && !t.sharesSayer(best) {
			s.OtherTXT = append(s.OtherTXT, nonNil(t.rec.TXT))
		}
	}
	if best.at.After(s.Last) {
		s.Last = best.at
	}
}

func oneHost(srvs []*entry) bool {
	return !slices.ContainsFunc(srvs, func(e *entry) bool { return !e.rec.Target.Equal(srvs[0].rec.Target) })
}

func nonNil(t [][]byte) TXT {
	if t == nil {
		return TXT{}
	}
	return t
}

func (e *entry) sharesSayer(o *entry) bool {
	return slices.ContainsFunc(e.says, func(s sayer) bool {
		return slices.ContainsFunc(o.says, func(t sayer) bool { return s.addr == t.addr })
	})
}

// finish sorts the services of one instance name and tells them of each other.
// One whose host is not known on some interface is the one whose host is known
// on another.
func (g *gathering) finish(same []*Service) []*Service {
	slices.SortFunc(same, compareServices)
	if len(same) > 1 && same[0].Host.IsRoot() {
		for _, name := range same[0].Interfaces {
			if !slices.Contains(same[1].Interfaces, name) {
				same[1].Interfaces = append(same[1].Interfaces, name)
			}
		}
		same = same[1:]
	}
	for _, s := range same {
		slices.SortFunc(s.Addresses, netip.Addr.Compare)
		slices.Sort(s.Interfaces)
		slices.SortFunc(s.Responders, func(a, b Responder) int {
			return cmp.Or(a.First.Compare(b.First), a.Addr.Compare(b.Addr), cmp.Compare(a.Interface, b.Interface))
		})
		slices.SortFunc(s.OtherTXT, func(a, b TXT) int { return slices.CompareFunc(a, b, slices.Compare) })
		s.OtherTXT = slices.CompactFunc(s.OtherTXT, TXT.Equal)
		s.OtherTXT = slices.DeleteFunc(s.OtherTXT, s.TXT.Equal)
		for _, o := range same {
			if o != s {
				s.OtherHosts = append(s.OtherHosts, o.Host)
			}
		}
	}
	return same
}
