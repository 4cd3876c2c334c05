package icd

import (
	"fmt"
	"slices"
	"strconv"
)

// How long a router's answer counts as news of it.
const routerFresh = 10 * minute

func sameRouter(a, b string) bool {
	return a != "" && NodeName(a).fold() == NodeName(b).fold()
}

// routerNames are the names under which a router is known: its RLOC16 and its
// extended address.
func (v *view) routerNames(name string) []string {
	out := []string{name}
	for w := range v.routers() {
		if sameRouter(w.RLOC16, name) || sameRouter(w.Ext, name) {
			for _, n := range []string{w.RLOC16, w.Ext} {
				if n != "" && len(out) < maxNames && !slices.ContainsFunc(out, func(x string) bool { return sameRouter(x, n) }) {
					out = append(out, n)
				}
			}
		}
	}
	// A child's short address has its parent's in front.
	rloc := ""
	for _, w := range each[Child](v, "tmf child") {
		if sameRouter(w.Parent, name) && w.RLOC16 != "" {
			rloc = w.RLOC16
		}
	}
	if n, err := strconv.ParseUint(rloc, 0, 16); err == nil && n != 0 {
		if p := fmt.Sprintf("0x%04x", n&^0x3ff); !slices.ContainsFunc(out, func(x string) bool { return sameRouter(x, p) }) {
			out = append(out, p)
		}
	}
	return out
}

func (v *view) routers() func(func(*Router) bool) {
	return func(yield func(*Router) bool) {
		seen := map[Router]bool{}
		for _, w := range each[Router](v, "tmf router") {
			k := Router{RLOC16: w.RLOC16, Ext: w.Ext}
			if !seen[k] {
				seen[k] = true
				if !yield(w) {
					return
				}
			}
		}
	}
}

// routerLives reports whether the router was heard at about that time or later:
// it answered, or gave another child's row.
func (v *view) routerLives(name string, at Seconds) bool {
	if name == "" {
		return false
	}
	names := v.routerNames(name)
	is := func(n string) bool {
		return slices.ContainsFunc(names, func(x string) bool { return sameRouter(x, n) })
	}
	for o, w := range each[Router](v, "tmf router") {
		if o.At >= at-slack && (is(w.RLOC16) || is(w.Ext)) {
			return true
		}
	}
	for o, w := range each[Child](v, "tmf child") {
		if o.At >= at-slack && is(w.Parent) {
			return true
		}
	}
	for o, w := range ours[NoChild](v, "tmf no-child") {
		if o.At >= at-slack && slices.ContainsFunc(w.Asked, is) && v.routerSilent(name, at) == nil {
			return true
		}
	}
	return false
}

// routerSilent is the last observation that the router did not answer, if it
// has not answered since.
func (v *view) routerSilent(name string, at Seconds) (silent *Observation) {
	names := v.routerNames(name)
	is := func(n string) bool {
		return slices.ContainsFunc(names, func(x string) bool { return sameRouter(x, n) })
	}
	for o, w := range each[RouterSilent](v, "tmf router-silent") {
		if o.At >= at-minute && (is(w.RLOC16) || is(w.Ext)) {
			silent = o
		}
	}
	if silent == nil {
		return nil
	}
	for o, w := range each[Router](v, "tmf router") {
		if o.At > silent.At && (is(w.RLOC16) || is(w.Ext)) {
			return nil
		}
	}
	return silent
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
