package dump

import (
	"net/netip"
	"strconv"
	"strings"

	"threadmap/diag"
)

// rlocList reads the answer of "neighbor list": RLOC16s in a row. One alone is
// too little to know it by. cut says that the last one was cut off.
func rlocList(t string) (out []diag.RLOC16, cut, ok bool) {
	if !strings.HasPrefix(t, "0x") || len(t) < 13 {
		return nil, false, false
	}
	words := strings.Fields(t)
	if len(words) > maxRows {
		return nil, false, false
	}
	for i, w := range words {
		r, ok := parseRLOC16(w)
		if !ok || !strings.HasPrefix(w, "0x") {
			if i < 2 || i != len(words)-1 || len(w) >= 6 || !strings.HasPrefix("0x", w[:min(len(w), 2)]) {
				return nil, false, false
			}
			return out, true, true
		}
		if r.Known() {
			out = append(out, r)
		}
	}
	return out, false, len(words) > 1
}

// neighborList reads "neighbor list": routers that are heard, and children,
// which have a child id. Written from OpenThread 3094.
func (c *cli) neighborList(l cliLine, ids []diag.RLOC16, cut bool) {
	if cut {
		c.problem(l, "the list is cut off: its last word is skipped")
	}
	c.next()
	c.found = true
	var children, neighbors []diag.Neighbor
	for _, r := range ids {
		if id, _ := r.ChildID(); id == 0 {
			neighbors = append(neighbors, diag.Neighbor{RLOC16: r})
		} else {
			children = append(children, diag.Neighbor{RLOC16: r})
		}
	}
	if c.strangers(children) {
		c.flush()
	}
	c.begin("neighbor list", 0)
	if neighbors != nil {
		c.me.rep.Neighbors = merged(c.me.rep.Neighbors, neighbors)
	}
	if children != nil {
		c.me.rep.Children = merged(c.me.rep.Children, children)
	}
}

// childList reads "child list": child ids in a row. They name nodes only where
// the speaker's RLOC16 is known.
func (c *cli) childList(s string) bool {
	words := strings.Fields(s)
	if len(words) > maxRows {
		return false
	}
	children := []diag.Neighbor{}
	for _, w := range words {
		id, err := strconv.ParseUint(w, 10, 16)
		if err != nil || id == 0 || id > diag.MaxChildID {
			return false
		}
		if r := c.me.rep.RLOC16.Router().Child(uint16(id)); r.Known() {
			children = append(children, diag.Neighbor{RLOC16: r})
		}
	}
	if len(children) == len(words) {
		c.begin("child list", 0)
		c.me.rep.Children = merged(c.me.rep.Children, children)
	}
	return true
}

// childIP reads "childip", one address a line, of children that registered it:
//
//	3401: fdde:ad00:beef:0:3037:3e03:8c5f:bc0c
//
// From OpenThread's CLI reference.
func (c *cli) childIP() {
	children := []diag.Neighbor{}
	for {
		l, ok := c.value()
		if !ok {
			break
		}
		left, right, _ := strings.Cut(l.text, ":")
		rloc, is := parseRLOC16(left)
		a, err := netip.ParseAddr(strings.TrimSpace(right))
		if id, _ := rloc.ChildID(); !is || id == 0 || err != nil || !a.Is6() {
			break
		}
		c.next()
		if k := len(children) - 1; k < 0 || children[k].RLOC16 != rloc {
			if len(children) == maxRows {
				break
			}
			children = append(children, diag.Neighbor{RLOC16: rloc})
		}
		n := &children[len(children)-1]
		n.Addresses = withAddress(n.Addresses, a)
	}
	if len(children) == 0 {
		return
	}
	if c.strangers(children) {
		c.flush()
	}
	c.begin("childip", 0)
	c.me.rep.Children = merged(c.me.rep.Children, children)
}

// childNumber reads the argument of "child": a child id, or an RLOC16.
func childNumber(s string) (v uint64, ok bool) {
	if r, is := parseRLOC16(s); is {
		id, _ := r.ChildID()
		return uint64(id), id != 0
	}
	v, err := strconv.ParseUint(s, 10, 16)
	return v, err == nil && v != 0 && v <= diag.MaxChildID
}

// child reads "child 1", what the speaker knows of one child:
//
//	Child ID: 1
//	Rloc: 9c01
//	Ext Addr: e2b3540590b0fd87
//	Mode: rn
//	CSL Synchronized: 1
//	Net Data: 184
//	Timeout: 100
//	Age: 0
//	Link Quality In: 3
//	RSSI: -20
//
// From openthread 8606 and OpenThread's CLI reference.
func (c *cli) child() {
	n := neighborOf(c)
	if id, _ := n.RLOC16.ChildID(); id == 0 {
		return
	}
	c.found = true
	one := []diag.Neighbor{n}
	if c.strangers(one) {
		c.flush()
	}
	c.me.used = true // no table begins: the next child is another row of it
	c.me.rep.Children = merged(one, c.me.rep.Children)
}
