package heard

import (
	"net/netip"
	"time"

	"threadmap/discovery"
)

// One machine says everything twice where it has IPv4 and IPv6, and is heard
// twice where we have two interfaces on its link. Two border routers say the
// same too, and that is worth knowing. What was said within copyWithin, by
// senders that may be one, is taken for one.
const (
	copyWithin = 150 * time.Millisecond
	maxCopies  = 256
)

// copies are what was told of last.
type copies struct {
	ring [maxCopies]copied
	next int
}

type copied struct {
	key    string
	from   netip.Addr // of the machine, as far as known
	raw    netip.Addr
	on     string
	at     time.Time
	paired bool // its copy by the other family was heard
}

// is reports whether something is a copy, and remembers it.
func (c *copies) is(key string, from netip.Addr, o discovery.Origin) bool {
	raw := sender(o)
	found := false
	for i := range c.ring {
		e := &c.ring[i]
		if e.key != key || e.at.IsZero() || o.At.Sub(e.at) > copyWithin {
			continue
		}
		if e.from == from || e.raw == raw {
			found = true
			break
		}
		if e.raw.Is4() != raw.Is4() && e.on == o.Interface && !e.paired {
			e.paired, found = true, true
			break
		}
	}
	c.ring[c.next] = copied{key, from, raw, o.Interface, o.At, found}
	c.next = (c.next + 1) % maxCopies
	return found
}

// sender is the address that a message came from, without zone: the interface
// stands beside it.
func sender(o discovery.Origin) netip.Addr { return o.From.Addr().Unmap().WithZone("") }

// from is the address under which the sending machine is known: the one that
// was heard first of those that its host name has.
func (s *Scope) from(o discovery.Origin) netip.Addr {
	raw := sender(o)
	n, ok := s.owners[raw]
	if !ok {
		return raw
	}
	h := s.hosts[n]
	if h == nil {
		return raw
	}
	if !h.from.IsValid() {
		h.from = raw
	}
	return h.from
}
