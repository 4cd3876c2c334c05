package restdoc

import (
	"fmt"
	"math"
	"time"

	"threadmap/diag"
)

// tables puts the lists of one router together: its child table (TLV 16: short
// rows that never get lost), its children (TLV 29: long rows, by queries that
// do), the addresses of its children (TLV 30), and its router neighbors (TLV
// 31).
type tables struct {
	e                                               *entry
	childTable, children, childAddresses, neighbors value

	rows    []diag.Neighbor
	at      map[diag.RLOC16]int // rows by RLOC16
	nShort  int                 // rows of the child table
	nLong   int                 // rows of children
	hasLong bool
}

func (t *tables) read() {
	e := t.e
	t.at = map[diag.RLOC16]int{}
	has := false
	if t.childTable != nil {
		has = e.f.table("childtable", t.childTable, t.short) || has
	}
	if t.children != nil {
		t.hasLong = e.f.table("children", t.children, t.long)
		has = has || t.hasLong
	}
	if t.childAddresses != nil {
		e.f.table("childipv6addresses", t.childAddresses, t.addresses)
	}
	if has || len(t.rows) > 0 {
		e.r.Children = t.rows
		if e.r.Children == nil {
			e.r.Children = []diag.Neighbor{}
		}
		e.said = true
	}
	if t.neighbors != nil {
		rows := []diag.Neighbor{}
		if e.f.table("routerneighbors", t.neighbors, func(v value) { rows = append(rows, t.neighbor(v)) }) {
			e.r.Neighbors = rows
			e.said = true
		}
	}
	t.loss()
}

// loss compares the lists that queries brought with the tables that came
// without. OTBR shows a failed query as an empty list. The rows of the child
// table stay; an empty neighbor list beside direct links is no statement at all.
func (t *tables) loss() {
	e := t.e
	direct := 0
	for _, r := range e.r.Routes {
		if r.LinkQualityIn.Or(0) > 0 && r.LinkQualityOut.Or(0) > 0 {
			direct++
		}
	}
	who := e.who()
	if who == "" {
		who = "a router"
	}
	switch {
	case t.hasLong && t.nLong < t.nShort:
		e.lost = fmt.Sprintf("%s: %d of the %d children in its child table came with details; the rest was lost on the way", who, t.nLong, t.nShort)
	case e.r.Neighbors != nil && len(e.r.Neighbors) == 0 && direct > 0:
		e.lost = fmt.Sprintf("%s: its neighbor list came back empty, although its route table has %d direct links", who, direct)
	}
	if e.r.Neighbors != nil && len(e.r.Neighbors) == 0 && direct > 0 {
		e.r.Neighbors = nil
	}
}

// row finds the row of a child, or makes one. A child whose RLOC16 is not known
// is a row of its own.
func (t *tables) row(r diag.RLOC16) *diag.Neighbor {
	if i, ok := t.at[r]; ok && r.Known() {
		return &t.rows[i]
	}
	t.rows = append(t.rows, diag.Neighbor{RLOC16: r})
	t.at[r] = len(t.rows) - 1
	return &t.rows[len(t.rows)-1]
}

// short reads a row of the child table. Its timeout is an exponent.
func (t *tables) short(v value) {
	f := &t.e.f
	var n diag.Neighbor
	f.object("childtable", v, func(key string, v value) {
		switch key {
		case "childid":
			if id, ok := f.uint("childtable."+key, v, diag.MaxChildID); ok && t.e.r.RLOC16.IsRouter() {
				n.RLOC16 = t.e.r.RLOC16.Child(uint16(id))
			}
		case "timeout":
			if x, ok := f.uint("childtable."+key, v, 31); ok {
				n.Timeout = diag.Some(timeoutFromExponent(x))
			}
		case "linkquality":
			f.optUint8("childtable."+key, v, 3, &n.LinkQualityIn)
		case "mode":
			t.e.mode("childtable."+key, v, &n.Mode)
		}
	})
	t.nShort++
	*t.row(n.RLOC16) = n
}

// timeoutFromExponent is 2^(e-4) seconds, rounded up (Thread 10.11.4.4).
func timeoutFromExponent(e uint64) time.Duration {
	if e < 4 {
		return time.Second
	}
	return time.Duration(1<<(e-4)) * time.Second
}

// long reads a row of children and lays it over the short one.
func (t *tables) long(v value) {
	f := &t.e.f
	var n diag.Neighbor
	var m modeFlags
	var id diag.RLOC16
	rates := true
	f.object("children", v, func(key string, v value) {
		if m.read(f, key, v) || link(f, "children.", key, v, &n, &rates) {
			return
		}
		switch key {
		case "childid":
			if x, ok := f.uint("children."+key, v, diag.MaxChildID); ok && t.e.r.RLOC16.IsRouter() {
				id = t.e.r.RLOC16.Child(uint16(x))
			}
		case "timeout":
			f.seconds("children."+key, v, &n.Timeout)
		case "age":
			f.seconds("children."+key, v, &n.Age)
		case "supervisioninterval":
			f.seconds("children."+key, v, &n.Supervision)
		case "queuedmessagecount":
			f.optUint16("children."+key, v, &n.QueuedMessages)
		case "cslsynchronized":
			if b, ok := f.boolean("children."+key, v); ok {
				n.CSLSynchronized = diag.Some(b)
			}
		}
	})
	m.put(&n.Mode)
	if !rates {
		n.FrameErrorRate, n.MessageErrorRate = diag.Opt[diag.Rate]{}, diag.Opt[diag.Rate]{}
	}
	if !n.RLOC16.Known() {
		n.RLOC16 = id
	}
	t.nLong++
	row := t.row(n.RLOC16)
	n.LinkQualityIn = row.LinkQualityIn
	if !n.Mode.Known() {
		n.Mode = row.Mode
	}
	if !n.Timeout.Known() {
		n.Timeout = row.Timeout
	}
	*row = n
}

// link reads what rows of children and of router neighbors share.
func link(f *faults, table, key string, v value, n *diag.Neighbor, rates *bool) bool {
	switch key {
	case "rloc16":
		n.RLOC16 = f.rloc16(table+key, v)
	case "extaddress":
		n.ExtAddr = diag.ExtAddr(f.hex64(table+key, v))
	case "threadversion", "version":
		if x, ok := f.uint(table+key, v, math.MaxUint16); ok && x != 0 {
			n.ThreadVersion = diag.Some(uint16(x))
		}
	case "linkage", "connectiontime":
		f.seconds(table+key, v, &n.ConnectedFor)
	case "linkmargin":
		f.optUint8(table+key, v, 255, &n.LinkMargin)
	case "averagerssi":
		f.rssi(table+key, v, &n.AverageRSSI)
	case "lastrssi":
		f.rssi(table+key, v, &n.LastRSSI)
	case "frameerrorrate":
		f.rate(table+key, v, &n.FrameErrorRate)
	case "messageerrorrate":
		f.rate(table+key, v, &n.MessageErrorRate)
	case "supportserrorrate":
		if b, ok := f.boolean(table+key, v); ok {
			*rates = b
		}
	default:
		return false
	}
	return true
}

func (t *tables) neighbor(v value) diag.Neighbor {
	var n diag.Neighbor
	rates := true
	t.e.f.object("routerneighbors", v, func(key string, v value) { link(&t.e.f, "routerneighbors.", key, v, &n, &rates) })
	if !rates {
		n.FrameErrorRate, n.MessageErrorRate = diag.Opt[diag.Rate]{}, diag.Opt[diag.Rate]{}
	}
	return n
}

// addresses reads a row of childIpv6Addresses.
func (t *tables) addresses(v value) {
	f := &t.e.f
	var r diag.RLOC16
	var list value
	f.object("childipv6addresses", v, func(key string, v value) {
		switch key {
		case "rloc16":
			r = f.rloc16("childipv6addresses."+key, v)
		case "ipv6addresses", "ip6addresses", "ip6addresslist":
			list = v
		}
	})
	if list == nil || !r.Known() {
		return
	}
	if a := f.addresses("childipv6addresses", list); len(a) > 0 {
		t.row(r).Addresses = a
	}
}
