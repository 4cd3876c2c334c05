package heard

import (
	"fmt"
	"net/netip"
	"slices"

	"threadmap/diag/icd"
	"threadmap/discovery"
)

// learnHosts learns whose the instances are, before anything is told of them.
func (c *conversion) learnHosts(all []*instance) {
	for _, in := range all {
		h := in.host
		if h.IsRoot() {
			h = in.lastHost
		}
		if in.kind != discovery.KindMatter || h.IsRoot() {
			continue
		}
		fabric, _, ok := discovery.OperationalID(in.name.First())
		if !ok {
			continue
		}
		f := in.name.Fold()
		if r := c.own[f]; r != nil && c.ext == 0 {
			if what, addr := discovery.Host(h); what == discovery.HostExtAddr {
				c.ext = addr
			}
		}
		switch {
		case c.isDevice(h):
			if c.own[f] == nil && len(c.own) < maxOwn {
				c.own[f] = &record{name: in.name}
				delete(c.siblings, f)
			}
			c.fabrics[fabric] = len(c.fabrics) < maxOwn || c.fabrics[fabric]
		case isThread(h):
			if c.own[f] == nil && (len(c.siblings) < maxSiblings || c.siblings[f]) {
				c.siblings[f] = true
			}
		}
	}
}

// hostsWanted are the hosts of the instances that are told of, by folded name.
func (c *conversion) hostsWanted(all []*instance) map[discovery.Name]bool {
	wanted := map[discovery.Name]bool{}
	for _, in := range all {
		f := in.name.Fold()
		fabric, _, _ := discovery.OperationalID(in.name.First())
		if !in.host.IsRoot() && (in.kind == discovery.KindMeshCoP || c.own[f] != nil || c.fabrics[fabric] && !c.siblings[f]) {
			wanted[in.host.Fold()] = true
		}
	}
	return wanted
}

// learnAddresses takes the addresses that a message has of hosts that are
// wanted or known. It gives back, of each host that something new was said of,
// whether that is so.
func (c *conversion) learnAddresses(wanted map[discovery.Name]bool) map[discovery.Name]bool {
	said := map[discovery.Name][]netip.Addr{}
	flush := map[discovery.Name]bool{}
	fresh := map[discovery.Name]bool{}
	for i := range c.m.Records {
		r := &c.m.Records[i]
		if r.Type != discovery.TypeA && r.Type != discovery.TypeAAAA || !r.Addr.IsValid() {
			continue
		}
		f := r.Name.Fold()
		if own := c.isDevice(r.Name); !own && (isThread(r.Name) || !wanted[f] && c.hosts[f] == nil) {
			continue // neighbours' addresses are nobody's business, and never send
		}
		if r.TTL == 0 {
			if h := c.hosts[f]; h != nil && (len(h.addrs) > 1 || !c.isDevice(r.Name)) {
				h.addrs = slices.DeleteFunc(h.addrs, func(a netip.Addr) bool { return a == r.Addr.WithZone("") })
			}
			continue
		}
		if a := r.Addr.WithZone(""); len(said[f]) < maxAddresses && !slices.Contains(said[f], a) {
			said[f] = append(said[f], a)
		}
		flush[f] = flush[f] || r.CacheFlush
	}
	for f, addrs := range said {
		h := c.host(f)
		if h == nil {
			continue
		}
		four, six := false, false
		for _, a := range addrs {
			fresh[f] = fresh[f] || !slices.Contains(h.addrs, a)
			four, six = four || a.Is4(), six || !a.Is4()
		}
		keep := slices.DeleteFunc(slices.Clone(h.addrs), func(a netip.Addr) bool {
			gone := flush[f] && (a.Is4() && four || !a.Is4() && six) && !slices.Contains(addrs, a)
			fresh[f] = fresh[f] || gone
			return gone || slices.Contains(addrs, a)
		})
		h.addrs = append(slices.Clone(addrs), keep...)
		h.addrs = h.addrs[:min(len(h.addrs), maxAddresses)]
		n := f
		if !isThread(n) && len(c.owners) < maxHosts*maxAddresses {
			for _, a := range addrs {
				if old, ok := c.owners[a]; !ok || old == n {
					c.owners[a] = n
				}
			}
		}
	}
	return fresh
}

// addresses are those that the message has of a host, as text; nil where it
// has none.
func (c *conversion) addresses(n discovery.Name) (out []string) {
	for i := range c.m.Records {
		r := &c.m.Records[i]
		if (r.Type == discovery.TypeA || r.Type == discovery.TypeAAAA) && r.TTL > 0 && r.Addr.IsValid() && !n.IsRoot() && r.Name.Equal(n) && len(out) < maxAddresses {
			if a := text(r.Addr.WithZone("")); !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// hostsAlone tells of hosts whose addresses came without their services: a new
// address of the device is an announcement, and what was asked for an answer.
func (c *conversion) hostsAlone(fresh, told map[discovery.Name]bool) {
	done := map[discovery.Name]bool{}
	for i := range c.m.Records {
		r := &c.m.Records[i]
		f := r.Name.Fold()
		if r.Type != discovery.TypeA && r.Type != discovery.TypeAAAA || r.TTL == 0 || done[f] || told[f] {
			continue
		}
		done[f] = true
		own := c.isDevice(r.Name)
		if own && fresh[f] {
			for _, o := range c.ownOn(f) {
				in := &instance{name: o.name, kind: discovery.KindMatter, there: true, host: r.Name, port: o.port, ttl: r.TTL}
				key, w := c.announce(in)
				c.tell(true, "announce", key+fmt.Sprint(w.Addresses), w)
			}
			c.at = c.o.At
			c.wake()
			continue
		}
		if h := c.hosts[f]; h != nil && !h.asked.IsZero() && c.o.At.Sub(h.asked) <= answersTake {
			ttl := icd.Seconds(min(r.TTL, longest))
			w := &icd.Announce{Addresses: c.addresses(r.Name), From: text(c.from(c.o)), TTL: &ttl, Owner: c.proxied(r.Name)}
			c.answer(own, r.Name, w)
		}
	}
}

// ownOn are the device's announced instances on a host, sorted.
func (c *conversion) ownOn(f discovery.Name) (out []*record) {
	for _, r := range c.own {
		if r.said && r.host.Fold() == f {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *record) int { return compareNames(a.name, b.name) })
	return out
}
