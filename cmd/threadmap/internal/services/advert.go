package services

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"threadmap/discovery"
)

// maxRouters bounds the routers whose last advertisement a watch remembers.
const maxRouters = 256

type advertDoc struct {
	From      string         `json:"from"`
	Interface string         `json:"interface"`
	Default   bool           `json:"default_router"`
	Prefixes  []advertPrefix `json:"prefixes"`
}

type advertPrefix struct {
	Prefix    string `json:"prefix"`
	Route     bool   `json:"route"`      // the way to a mesh; else a prefix of the LAN
	LifetimeS *int64 `json:"lifetime_s"` // null: for ever
}

// sayAdvert reports whether a router advertisement is worth telling: routers
// repeat theirs every few minutes, so only what differs from their last is.
func (w *Watch) sayAdvert(a *discovery.Advert) bool {
	key, now := a.From.String()+" "+a.Interface, strings.Join(prefixWords(a, false), ", ")
	last, known := w.routers[key]
	if known && last == now {
		return false
	}
	if len(w.routers) >= maxRouters {
		clear(w.routers)
	}
	w.routers[key] = now
	return true
}

// AdvertLine is a router advertisement as a line for people, "" for one that
// says what its router said before.
func (w *Watch) AdvertLine(a discovery.Advert) string {
	if !w.sayAdvert(&a) {
		return ""
	}
	said := prefixWords(&a, true)
	if len(said) == 0 {
		said = []string{"no prefix"}
	}
	return fmt.Sprintf("%s  router   %s says: %s", a.At.Local().Format("15:04:05"), clean(a.From.String()), strings.Join(said, ", "))
}

// AdvertDocument is the object of a router advertisement, nil for one that says
// what its router said before.
func (w *Watch) AdvertDocument(a discovery.Advert) *EventDocument {
	if !w.sayAdvert(&a) {
		return nil
	}
	d := &EventDocument{Format: EventFormat, Version: version, At: stamp(a.At), Event: "router-advertisement", What: []string{}}
	d.Advert = &advertDoc{From: clean(a.From.String()), Interface: clean(a.Interface), Default: a.RouterLifetime > 0, Prefixes: []advertPrefix{}}
	for _, p := range a.Prefixes {
		q := advertPrefix{Prefix: p.Prefix.String(), Route: p.Route}
		if p.Lifetime != discovery.Forever {
			q.LifetimeS = new(int64(p.Lifetime / time.Second))
		}
		d.Advert.Prefixes = append(d.Advert.Prefixes, q)
	}
	return d
}

// prefixWords lists what an advertisement says of each prefix; the default route
// is named as such. lifetimes count down from one to the next, so they are left
// out of comparisons.
func prefixWords(a *discovery.Advert, lifetimes bool) []string {
	var out []string
	if a.RouterLifetime > 0 {
		out = append(out, "the way out of the LAN")
	}
	for _, p := range a.Prefixes {
		s := p.Prefix.String() + " is on this LAN"
		if p.Route {
			s = "the way to " + p.Prefix.String()
			if p.Prefix == (netip.PrefixFrom(netip.IPv6Unspecified(), 0)) {
				s = "the way to everything"
			}
		}
		switch {
		case p.Lifetime == 0:
			s += ", withdrawn"
		case lifetimes && p.Lifetime != discovery.Forever:
			s += fmt.Sprintf(" for %s", p.Lifetime)
		}
		out = append(out, s)
	}
	return out
}
