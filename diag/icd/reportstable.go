package icd

import (
	"slices"
	"strconv"
	"time"

	"threadmap/diag"
)

// A session is what one asker heard in one mesh at one time: RLOC16s mean the
// same node within it.
type session struct {
	routers []*heardRouter
	netdata map[string]bool // what was told of it, raw
	rloc16  diag.RLOC16     // the device's
	router  bool            // the device is a router itself

	asked []string  // routers whose tables came and do not have the device
	last  time.Time // of those tables
	open  bool      // a table has it, or may have it
}

// A heardRouter is a router that answered.
type heardRouter struct {
	id   uint16 // RLOC16
	ext  diag.ExtAddr
	at   time.Time
	rows map[uint16]diag.Neighbor // its child table by RLOC16, as far as told; nil: not told
	// more are rows that name no RLOC16.
	more []diag.Neighbor
}

// parseRLOC16 reads four hexadecimal digits.
func parseRLOC16(s string) (diag.RLOC16, error) {
	v, err := strconv.ParseUint(s, 16, 16)
	return diag.MakeRLOC16(uint16(v)), err
}

func nodeID(id uint64) NodeName { return NodeName(strconv.FormatUint(id, 10)) }

// hear takes in what a report says of the mesh. A cached table may be of any
// time, so it is no news of who is whose child now.
func (s *session) hear(c *collection, r *diag.Report) {
	if c.isDevice(r) && r.RLOC16.Known() && !r.Cached {
		s.rloc16, s.router = r.RLOC16, r.RLOC16.IsRouter()
	}
	if r.Cached {
		return
	}
	s.hearNetdata(c, r)
	id, known := r.RLOC16.Get()
	if !known || !r.RLOC16.IsRouter() || r.Children == nil && r.Routes == nil && r.Neighbors == nil {
		return
	}
	k := s.find(id, agreed(r.Own))
	if k == nil {
		return
	}
	if at := c.when(r); at.After(k.at) {
		k.at = at
	}
	if r.Children == nil || r.ChildrenPartial {
		return
	}
	if k.rows == nil {
		k.rows = map[uint16]diag.Neighbor{}
	}
	for _, row := range r.Children[:min(len(r.Children), diag.MaxChildID)] {
		v, known := row.RLOC16.Get()
		if !known {
			k.more = append(k.more, row)
			continue
		}
		if row.ExtAddr != 0 && row.ExtAddr == c.device.Ext {
			s.rloc16 = row.RLOC16
		}
		k.rows[v] = merged(k.rows[v], row)
	}
}

// find finds or makes a router; nil where there are too many. Two of one RLOC16
// are of two partitions.
func (s *session) find(id uint16, x diag.ExtAddr) *heardRouter {
	for _, k := range s.routers {
		if k.id == id && (k.ext == x || k.ext == 0 || x == 0) {
			k.ext = max(k.ext, x) // one of them may be unknown
			return k
		}
	}
	if len(s.routers) >= maxRouters {
		return nil
	}
	k := &heardRouter{id: id, ext: x}
	s.routers = append(s.routers, k)
	return k
}

// merged is an earlier row of a table with what a later one of the same child
// says: the answers that a router gives one after the other tell different
// things. A row with another extended address is another child.
func merged(old, row diag.Neighbor) diag.Neighbor {
	if old.ExtAddr != 0 && row.ExtAddr != 0 && old.ExtAddr != row.ExtAddr {
		return row
	}
	if row.ExtAddr == 0 {
		row.ExtAddr = old.ExtAddr
	}
	if old.ConnectedFor.Known() && !row.ConnectedFor.Known() && old.Timeout.Known() {
		row.Timeout = old.Timeout // TLV 16 has it rounded up to a power of two, TLV 29 as it is
	}
	keep(&row.Age, old.Age)
	keep(&row.ConnectedFor, old.ConnectedFor)
	keep(&row.Timeout, old.Timeout)
	keep(&row.QueuedMessages, old.QueuedMessages)
	keep(&row.LinkMargin, old.LinkMargin)
	keep(&row.AverageRSSI, old.AverageRSSI)
	keep(&row.FrameErrorRate, old.FrameErrorRate)
	return row
}

func keep[T any](v *diag.Opt[T], old diag.Opt[T]) {
	if !v.Known() {
		*v = old
	}
}

// tell says what the session's tables say of the device.
func (s *session) tell(c *collection) {
	sortRouters(s.routers)
	for _, k := range s.routers {
		c.see(k.at, ByTMF, "router", k.told())
		if k.rows == nil {
			continue
		}
		if row, ok := k.find(c.device.Ext, s.rloc16); ok {
			s.open = true
			c.see(k.at, ByTMF, "child", childOf(k, row))
			continue
		}
		s.open = s.open || !k.names(s.rloc16)
		s.asked = append(s.asked, diag.MakeRLOC16(k.id).String())
		if k.at.After(s.last) {
			s.last = k.at
		}
	}
}

// nobody tells of the sessions in which no router has the device. Where its
// network is not known, it may be in any, so then all must say the same.
func (c *collection) nobody() {
	if c.device.Ext == 0 || len(c.networks) == 0 && slices.ContainsFunc(c.order, func(s *session) bool { return s.open || s.router }) {
		return
	}
	for _, s := range c.order {
		if !s.open && !s.router && len(s.asked) > 0 {
			c.see(s.last, ByTMF, "no-child", &NoChild{Asked: s.asked})
		}
	}
}

// told is the router as an observation.
func (k *heardRouter) told() *Router {
	w := &Router{RLOC16: diag.MakeRLOC16(k.id).String(), Ext: k.ext.String()}
	if k.rows != nil {
		n := len(k.rows) + len(k.more)
		w.Children = &n
	}
	return w
}

// find is the device's row in the router's child table. By its RLOC16 only a
// row is taken that has no extended address.
func (k *heardRouter) find(x diag.ExtAddr, rloc16 diag.RLOC16) (diag.Neighbor, bool) {
	for _, row := range k.rows {
		if x != 0 && row.ExtAddr == x {
			return row, true
		}
	}
	if i := slices.IndexFunc(k.more, func(row diag.Neighbor) bool { return x != 0 && row.ExtAddr == x }); i >= 0 {
		return k.more[i], true
	}
	if v, known := rloc16.Get(); known && rloc16.IsChild() {
		if row, ok := k.rows[v]; ok && row.ExtAddr == 0 {
			return row, true
		}
	}
	return diag.Neighbor{}, false
}

// names reports whether every row of the table is surely another child than
// the device: it has an extended address, or the device is known to have
// another RLOC16.
func (k *heardRouter) names(device diag.RLOC16) bool {
	other := func(row diag.Neighbor) bool {
		return row.ExtAddr != 0 || device.Known() && row.RLOC16.Known() && row.RLOC16 != device
	}
	for _, row := range k.rows {
		if !other(row) {
			return false
		}
	}
	return !slices.ContainsFunc(k.more, func(row diag.Neighbor) bool { return !other(row) })
}

// childOf is a row as an observation.
func childOf(k *heardRouter, row diag.Neighbor) *Child {
	w := &Child{Parent: k.ext.String(), Age: length(row.Age), Connected: length(row.ConnectedFor), Timeout: length(row.Timeout)}
	if w.Parent == "" {
		w.Parent = diag.MakeRLOC16(k.id).String()
	}
	if row.RLOC16.Known() {
		w.RLOC16 = row.RLOC16.String()
	}
	w.Queued, w.Margin, w.RSSI = whole(row.QueuedMessages), whole(row.LinkMargin), whole(row.AverageRSSI)
	if r, known := row.FrameErrorRate.Get(); known {
		f := float64(r.Permille()) / 1000
		w.FER = &f
	}
	return w
}

// length is a length of time in a line, nil where it is not known or no length.
func length(o diag.Opt[time.Duration]) *Seconds {
	d, known := o.Get()
	if !known || d < 0 || d > maxSeconds*time.Second {
		return nil
	}
	s := Seconds(d)
	return &s
}

func whole[T int8 | uint8 | uint16](o diag.Opt[T]) *int {
	v, known := o.Get()
	if !known {
		return nil
	}
	n := int(v)
	return &n
}
