package heard

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"threadmap/diag/icd"
	"threadmap/discovery"
)

// sameAdvert is how long an advertisement that says nothing new is not told of
// again. It is repeated after that, for what it promises ends.
const sameAdvert = time.Minute

// longest is the longest lifetime that an observation can have; the infinite
// one is longer.
const longest = 100_000_000 * time.Second

// An advertised is what a router advertised last.
type advertised struct {
	key    string
	at     time.Time
	routes []netip.Prefix
}

// RA turns a router advertisement, with the time and address that it came with,
// into observations: at most one. Prefixes that are withdrawn have the lifetime
// 0.
func RA(a discovery.Advert, s *Scope) []icd.Observation {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.from(discovery.Origin{From: addrPort(a.From)})
	w := &icd.Advert{From: text(from)}
	var key strings.Builder
	var routes []netip.Prefix
	for _, p := range a.Prefixes {
		kind := "pio"
		if p.Route {
			kind = "rio"
			if p.Lifetime > 0 {
				routes = append(routes, p.Prefix)
			}
		}
		w.Prefixes = append(w.Prefixes, icd.AdvertPrefix{Prefix: p.Prefix.String(), Kind: kind, Lifetime: icd.Seconds(min(p.Lifetime, longest))})
		fmt.Fprintf(&key, "%s %s %t,", p.Prefix, kind, p.Lifetime == 0)
	}
	id := w.From + "%" + a.Interface
	last, known := s.adverts[id]
	if known && last.key == key.String() && a.At.Sub(last.at) < sameAdvert || !known && len(s.adverts) >= maxAdverts {
		return nil
	}
	s.adverts[id] = advertised{key.String(), a.At, routes}
	if !s.rest.take(a.At) {
		s.dropped++
		return nil
	}
	return []icd.Observation{{By: icd.ByRA, Event: "advert", What: w}}
}
