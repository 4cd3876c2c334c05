package icd

import "fmt"

// defaultTimeout is OpenThread's child timeout: after that silence a parent
// drops a child.
const defaultTimeout = 4 * minute

// up is L1: the device has power and its firmware runs.
func (v *view) up() finding {
	loop, open := v.loops()
	if open && loop.state == Broken {
		return loop
	}
	life := v.lastLife()
	if off := v.by["user power-off"]; len(off) > 0 {
		if o := off[len(off)-1]; o.At > life.at && o.At >= v.t0 {
			return unknown(o.String() + ": nobody said that it is on again")
		}
	}
	if gone, last := v.fellSilent(); gone != nil {
		if n := len(v.claims); n > 0 && v.claims[n-1].at > last.at+slack {
			if full := v.fullRouter(); full != nil {
				return unknown(gone.String(), v.claims[n-1].because[0]+": it may be up and find no parent", full.String()+": has no room")
			}
		}
		return broken(gone.At, gone.String(), "its last frame was heard at "+max(0, last.at).String()+": "+last.o.String())
	}
	if why := v.quiet(); why != "" {
		return unknown(why)
	}
	if no := v.lastNoChild(); no != nil && no.At > life.at+slack && no.At > v.t0+attachTime {
		return unknown(no.String() + ": whether it is up nobody knows since")
	}
	if open {
		return loop
	}
	switch {
	case v.rebooted:
		return seen(v.t0, v.boots[len(v.boots)-1].because...)
	case v.claimed:
		if life.at >= v.t0+slack {
			return seen(life.at, life.o.String())
		}
		return unknown(v.claims[len(v.claims)-1].because[0] + ": nothing was heard of it since")
	case life.o != nil:
		return seen(life.at, "no sign of a restart; alive: "+life.o.String())
	}
	return unknown()
}

// quiet says why nobody knows whether the device is still there: it answered
// pings or was heard before, and now pings go unanswered.
func (v *view) quiet() string {
	if p := v.pings(); p.failed >= manyPings && v.lastLife().at < p.firstFail.at && v.mode != ModeLongIdle {
		return fmt.Sprintf("nothing was heard of it since %d pings went unanswered, the first at %s", p.failed, p.firstFail.at)
	}
	return ""
}

// fellSilent reports a device that stopped talking while its parent went on:
// the child's row grew old until the parent dropped it, and nobody has heard
// of it since. That is power or firmware, not the mesh.
func (v *view) fellSilent() (gone *Observation, last trace) {
	row, age := v.lastRow()
	if row.o == nil {
		return nil, row
	}
	timeout := row.o.What.(*Child).timeout()
	no := v.lastNoChild()
	life := v.lastLife()
	if life.at > row.at+slack { // heard by others since
		return nil, row
	}
	if no != nil && no.At > row.o.At && v.routerLives(row.o.What.(*Child).Parent, no.At) {
		// Dropped for its silence, not earlier; a row that was already old says the same.
		if first := v.firstNoChildAfter(row.o.At); age > timeout/2 || first.At-row.at >= timeout && row.o.At-row.at > timeout/2 {
			return no, row
		}
	}
	if age > timeout && v.at-row.at > timeout {
		return row.o, row
	}
	return nil, row
}

func (c *Child) timeout() Seconds {
	if c.Timeout != nil && *c.Timeout > 0 && *c.Timeout <= 24*hour {
		return *c.Timeout
	}
	return defaultTimeout
}

// lastRow is the device's last row in a child table; at is when the parent last
// heard it.
func (v *view) lastRow() (t trace, age Seconds) {
	t.at = never
	for o, w := range ours[Child](v, "tmf child") {
		if w.Age != nil {
			t, age = trace{o.At - *w.Age, o}, *w.Age
		}
	}
	return t, age
}

// lastNoChild is the last time that no router had the device.
func (v *view) lastNoChild() *Observation {
	if n := len(v.index.complete); n > 0 {
		return v.index.complete[n-1]
	}
	return nil
}

func (v *view) firstNoChildAfter(at Seconds) *Observation {
	for o := range ours[NoChild](v, "tmf no-child") {
		if o.At > at {
			return o
		}
	}
	return nil
}
