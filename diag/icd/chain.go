package icd

import "slices"

// maxBecause bounds the observations that a verdict quotes for one statement.
const maxBecause = 5

// A finding is what is known of one link.
type finding struct {
	state   State
	because []string
	when    Seconds
}

func seen(at Seconds, because ...string) finding   { return finding{Seen, because, at} }
func broken(at Seconds, because ...string) finding { return finding{Broken, because, at} }
func unknown(because ...string) finding            { return finding{Unknown, because, never} }

// A chain is the ten links, as one subscriber's history shows them.
type chain struct {
	links [lastLink + 1]finding
}

func (c *chain) state(l Link) State { return c.links[l].state }
func (c *chain) at(l Link) Seconds  { return c.links[l].when }
func (c *chain) first(s State) Link { return c.next(s, 0) }
func (c *chain) because(l Link) string {
	if b := c.links[l].because; len(b) > 0 {
		return b[0]
	}
	return ""
}

// next is the first link after l in that state, 0 where there is none.
func (c *chain) next(s State, l Link) Link {
	for l++; l <= lastLink; l++ {
		if c.links[l].state == s {
			return l
		}
	}
	return 0
}

// walk examines the links in order; a later one may rest on earlier ones.
func (v *view) walk(h *history) *chain {
	c := &chain{}
	c.links[L1] = v.up()
	c.links[L2] = v.attached(c)
	c.links[L3] = v.reachable(c, h)
	c.links[L4], c.links[L5] = v.published(c, h)
	c.links[L6] = v.resolves(h)
	c.links[L7] = v.opensSession(c, h)
	c.links[L8] = v.resumes(c, h)
	c.links[L9] = v.recovers(c, h)
	c.links[L10] = v.eventsArrive(c, h)
	v.impliedByService(c, h)
	for l := range c.links {
		f := &c.links[l]
		if f.because = slices.Compact(f.because); len(f.because) > maxBecause {
			f.because = f.because[:maxBecause]
		}
		f.because = some(f.because)
	}
	return c
}

// impliedByService fills in what needs no witness of its own: a subscriber that
// is served now has a device that is up, attached, reachable and in session
// with it, however it came to be. Registration and announcement are not implied:
// a session outlives them.
func (v *view) impliedByService(c *chain, h *history) {
	s := h.served()
	if s.o == nil || s.at < v.since(h) || !v.rebooted && !v.fresh(h, s.at) || s.at < h.down().at {
		return
	}
	if bad, is := h.complaint(); is && bad.at > s.at {
		return
	}
	for _, l := range []Link{L1, L2, L3} {
		if c.state(l) == Unknown || c.state(l) == Broken && c.at(l) < s.at {
			c.links[l] = seen(s.at, s.o.String())
		}
	}
	for _, l := range []Link{L6, L7, L8, L9} {
		if c.state(l) != Seen && (c.at(l) < s.at || c.state(l) == Unknown) {
			c.links[l] = seen(s.at, "not needed any more, it is served: "+s.o.String())
		}
	}
}
