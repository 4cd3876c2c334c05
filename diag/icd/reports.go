package icd

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
)

// A Device is who the observations are wanted of, as far as known.
type Device struct {
	Ext    diag.ExtAddr    // 0: not known
	Matter []diag.MatterID // on the fabrics that know it; fabric 0 is that of whoever tells
}

// Name is how a timeline calls the device: its extended address, else its
// Matter node id, else "".
func (d Device) Name() NodeName {
	if d.Ext != 0 {
		return NodeName(d.Ext.String())
	}
	if len(d.Matter) > 0 {
		return nodeID(d.Matter[0].Node)
	}
	return ""
}

// FromReports is what a collection of reports says of a device: its row in a
// parent's child table, or that no router has it, the routers that answered and
// those that did not, Network Data, and the values that were read of it.
//
// at is when the collection ended: problems, and reports without a time, count
// as said then. What a cache answered is of an unknown time, so of it only what
// does not change is taken, and what the server's own state vouches for.
//
// Nothing is said that was not heard: that no router has the device only where
// all of a session's tables name all of their children.
func FromReports(reports []diag.Report, problems []diag.Problem, d Device, at time.Time) []Dated {
	c := &collection{device: d, at: at, sessions: map[string]*session{}}
	c.learnNames(reports)
	for i := range reports {
		if r := &reports[i]; c.concerns(r) {
			c.session(r).hear(c, r)
			c.own(r)
		}
	}
	for _, s := range c.order {
		s.tell(c)
	}
	c.nobody()
	c.silent(problems)
	SortDated(c.out)
	return c.out
}

// FromScan is FromReports of a scan.
func FromScan(s *diag.Scan, d Device) []Dated {
	if s == nil {
		return nil
	}
	at := s.To
	if at.IsZero() {
		at = s.From
	}
	return FromReports(s.Reports, s.Problems, d, at)
}

// Bounds of what is looked at in one collection; no home has as many.
const (
	maxSessions = 256
	maxRouters  = 16 * (diag.MaxRouterID + 1) // in some partitions
	maxNetdata  = 64
)

// A collection is what one call of FromReports gathers.
type collection struct {
	device   Device
	networks map[diag.PANID64]bool // in which the device was seen; empty: not known
	at       time.Time
	sessions map[string]*session
	order    []*session
	out      []Dated
}

func (c *collection) see(at time.Time, by, event string, what any) {
	c.out = append(c.out, Dated{At: at, Observation: Observation{By: by, Event: event, What: what}})
}

// when is the time of a report.
func (c *collection) when(r *diag.Report) time.Time {
	if r.At.IsZero() {
		return c.at
	}
	return r.At
}

// learnNames adds what reports say of who the device is: an extended address
// and Matter ids in one report are of one node.
func (c *collection) learnNames(reports []diag.Report) {
	c.device.Matter = slices.Clone(c.device.Matter)
	c.networks = map[diag.PANID64]bool{}
	for range 2 { // what the first round learns may join more
		for i := range reports {
			r := &reports[i]
			if !c.isDevice(r) {
				continue
			}
			if r.Network.ExtPANID != 0 {
				c.networks[r.Network.ExtPANID] = true
			}
			for _, m := range r.Matter {
				if !slices.Contains(c.device.Matter, m) && len(c.device.Matter) < maxFabrics {
					c.device.Matter = append(c.device.Matter, m)
				}
			}
			if c.device.Ext == 0 {
				c.device.Ext = agreed(r.Own)
			}
		}
	}
	if c.device.Ext == 0 {
		return
	}
	for i := range reports {
		if id := reports[i].Network.ExtPANID; id != 0 && slices.ContainsFunc(reports[i].Children, func(n diag.Neighbor) bool { return n.ExtAddr == c.device.Ext }) {
			c.networks[id] = true
		}
	}
}

// agreed is the address that a node's witnesses give for it, 0 where they
// contradict each other.
func agreed(own []diag.AddrClaim) diag.ExtAddr {
	var x diag.ExtAddr
	for _, o := range own {
		switch {
		case o.ExtAddr == 0 || o.Witness == diag.WitnessAttribute: // in either byte order
		case x != 0 && x != o.ExtAddr:
			return 0
		default:
			x = o.ExtAddr
		}
	}
	return x
}

// isDevice reports whether the device itself speaks, or is spoken of by a
// server as one of its nodes.
func (c *collection) isDevice(r *diag.Report) bool {
	if c.device.Ext != 0 {
		for _, o := range r.Own {
			if o.ExtAddr == c.device.Ext || o.Witness == diag.WitnessAttribute && o.ExtAddr.Swapped() == c.device.Ext {
				return true
			}
		}
		if agreed(r.Own) != 0 {
			return false // another radio, whatever its number
		}
	}
	return slices.ContainsFunc(r.Matter, func(m diag.MatterID) bool {
		return slices.ContainsFunc(c.device.Matter, func(k diag.MatterID) bool {
			return m.Node == k.Node && m.Node != 0 && (m.Fabric == k.Fabric || m.Fabric == 0 || k.Fabric == 0)
		})
	})
}

// concerns reports whether a report is of the device's network, as far as both
// are known.
func (c *collection) concerns(r *diag.Report) bool {
	id := r.Network.ExtPANID
	return id == 0 || len(c.networks) == 0 || c.networks[id]
}

// session finds or makes the session that a report belongs to.
func (c *collection) session(r *diag.Report) *session {
	key := r.Source + "\x00" + r.Session + "\x00" + r.Network.ExtPANID.String()
	if r.Session == "" {
		key += "\x00" + r.Via
	}
	s := c.sessions[key]
	if s == nil {
		if len(c.order) >= maxSessions {
			return c.order[len(c.order)-1]
		}
		s = &session{netdata: map[string]bool{}}
		c.sessions[key], c.order = s, append(c.order, s)
	}
	return s
}

// silent tells of routers that were asked in vain. The sources name them in the
// words of their problems, "router 0x5c00 … did not answer", as no report can.
func (c *collection) silent(problems []diag.Problem) {
	told := map[RouterSilent]bool{}
	for _, p := range problems {
		w, ok := silentRouter(p.Text)
		if ok && !told[w] && len(told) <= maxRouters {
			told[w] = true
			c.see(c.at, ByTMF, "router-silent", &w)
		}
	}
}

// silentRouter reads the words in which the sources tell of a router that did
// not answer: "router 0x5c00 7ad82e9d9ca02ba5 is in 2 route tables, but did not
// answer", "router 7ad82e9d9ca02ba5: did not answer".
func silentRouter(text string) (w RouterSilent, ok bool) {
	rest, ok := strings.CutPrefix(text, "router ")
	if !ok || !strings.Contains(rest, "did not answer") || len(text) > 400 {
		return w, false
	}
	for i, f := range strings.Fields(rest) {
		f = strings.TrimSuffix(f, ":")
		if i > 1 {
			break
		}
		if n, hex := strings.CutPrefix(f, "0x"); hex && len(n) == 4 {
			if r, err := parseRLOC16(n); err == nil && r.IsRouter() {
				w.RLOC16 = r.String()
			}
		} else if len(f) == 16 {
			if x, err := diag.ParseExtAddr(f); err == nil && x != 0 {
				w.Ext = x.String()
			}
		}
	}
	return w, w != RouterSilent{}
}

// sortRouters puts routers in the order of their RLOC16.
func sortRouters(list []*heardRouter) {
	slices.SortFunc(list, func(a, b *heardRouter) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.ext, b.ext)) })
}
