package dump

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
)

// value reads the one line that answers a command. It takes nothing where the
// next line is another command or ends the answer.
func (c *cli) value() (l cliLine, ok bool) {
	for {
		l, ok = c.peek()
		switch {
		case !ok || l.ends() || l.command() != "":
			return l, false
		case l.text == "":
			c.next()
		default:
			return l, true
		}
	}
}

// answer reads a one-line answer by parse, which says whether it is one.
func (c *cli) answer(parse func(string) bool) {
	if l, ok := c.value(); ok && parse(l.text) {
		c.found = true
		c.next()
	}
}

// sure is like answer for values without a form of their own: they count only
// with "Done" under them, for a list of commands in a page of help looks the same.
func (c *cli) sure(parse func(string) bool) {
	l, ok := c.value()
	if !ok {
		return
	}
	c.next()
	if d, ok := c.peek(); ok && d.done() && parse(l.text) {
		c.found = true
		c.next()
	}
}

// Readers of single values of the speaker, proved on a command line of 2026.

func (c *cli) extaddr(s string) bool {
	x, err := diag.ParseExtAddr(s)
	if err != nil || len(s) != 16 {
		return false
	}
	c.identify(x, diag.RLOC16{})
	c.me.used = true
	return true
}

func (c *cli) rloc16(s string) bool {
	r, ok := parseRLOC16(s)
	if !ok {
		return false
	}
	if r.Known() { // fffe: it has none
		c.identify(0, r)
		c.me.used = true
	}
	return true
}

func (c *cli) eui64(s string) bool {
	x, err := diag.ParseExtAddr(s)
	if err != nil || len(s) != 16 {
		return false
	}
	if c.me.rep.EUI64 != 0 && c.me.rep.EUI64 != x {
		c.flush()
	}
	c.me.rep.EUI64, c.me.used = x, true
	return true
}

// state reads the role; "disabled" says nothing about the mesh. "child" does
// not tell a sleepy one from others, so it is left open: "mode" tells.
func (c *cli) state(s string) bool {
	switch s {
	case "disabled":
		return true
	case "child":
		c.me.kid, c.me.rep.Role = true, diag.RoleUnknown
		return true
	case "detached":
		c.me.rep.Role = diag.RoleDetached
	case "router":
		c.me.rep.Role = diag.RoleRouter
	case "leader":
		c.me.rep.Role = diag.RoleLeader
	default:
		return false
	}
	c.me.used, c.me.kid = true, false
	return true
}

// mode reads "rdn", or "-" for a child that sleeps.
func (c *cli) mode(s string) bool {
	m, ok := parseMode(s)
	if !ok || len(s) > 4 {
		return false
	}
	c.me.rep.Mode, c.me.used = diag.Some(m), true
	return true
}

func (c *cli) extpanid(s string) bool {
	x, err := diag.ParsePANID64(s)
	if err != nil || len(s) != 16 {
		return false
	}
	c.me.rep.Network.ExtPANID, c.me.used = x, true
	return true
}

func (c *cli) panid(s string) bool {
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "0x"), 16, 16)
	if err != nil || len(strings.TrimPrefix(s, "0x")) != 4 {
		return false
	}
	if v != 0xffff {
		c.me.rep.Network.PANID, c.me.used = diag.Some(uint16(v)), true
	}
	return true
}

func (c *cli) channel(s string) bool {
	v := small(s, 255)
	if !v.Known() {
		return false
	}
	c.me.rep.Network.Channel, c.me.used = v, true
	return true
}

func (c *cli) networkName(s string) bool {
	if len(s) > 16 {
		return false
	}
	c.me.rep.Network.Name, c.me.used = s, true
	return true
}

func (c *cli) partitionID(s string) bool {
	v, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return false
	}
	c.me.rep.Leader.PartitionID, c.me.used = diag.Some(uint32(v)), true
	return true
}

// addresses reads "ipaddr", one address a line.
func (c *cli) addresses() {
	for {
		l, ok := c.value()
		if !ok {
			return
		}
		word, _, _ := strings.Cut(l.text, " ") // "ipaddr -v" says more
		a, err := netip.ParseAddr(word)
		if err != nil || !a.Is6() {
			return
		}
		c.next()
		c.found = true
		if len(c.me.rep.Addresses) < maxAddresses && !slices.Contains(c.me.rep.Addresses, a) {
			c.me.rep.Addresses, c.me.used = append(c.me.rep.Addresses, a), true
		}
	}
}

// pairs calls use for each "Key: value" line of an answer.
func (c *cli) pairs(use func(key, value string)) {
	for {
		l, ok := c.value()
		if !ok {
			if l.done() {
				c.next()
			}
			return
		}
		key, val, ok := strings.Cut(l.text, ":")
		if !ok || len(key) > 60 {
			return
		}
		use(key, strings.TrimSpace(val))
		c.next()
	}
}

// leaderData reads "leaderdata".
func (c *cli) leaderData() {
	if c.me.told["leaderdata"] {
		c.flush()
	}
	c.me.told["leaderdata"] = true
	d := &c.me.rep.Leader
	c.pairs(func(key, v string) {
		switch key {
		case "Partition ID":
			c.partitionID(v)
		case "Weighting":
			d.Weighting = small(v, 255)
		case "Data Version":
			d.DataVersion = small(v, 255)
		case "Stable Data Version":
			d.StableDataVersion = small(v, 255)
		case "Leader Router ID":
			d.RouterID = small(v, diag.MaxRouterID)
		default:
			return
		}
		c.me.used, c.found = true, true
	})
}

// dataset reads "dataset active" as text: the lines below and no others, so
// that no key is ever in memory of ours. The timestamp is left out: it is
// printed without its ticks.
func (c *cli) dataset() {
	c.pairs(func(key, v string) {
		n := &c.me.rep.Network
		switch key {
		case "Channel":
			c.channel(v)
		case "Ext PAN ID":
			c.extpanid(v)
		case "Network Name":
			c.networkName(v)
		case "PAN ID":
			c.panid(v)
		case "Mesh Local Prefix":
			if p, err := netip.ParsePrefix(v); err == nil && p.Addr().Is6() && p.Bits() == 64 {
				n.MeshLocalPrefix, c.me.used = p.Masked(), true
			}
		default:
			return
		}
		c.found = true
	})
}

// parent reads "parent" of a child. "Link Quality Out", what the parent hears, has no place in a neighbor's row.
// A router that was a child still shows its last parent; for that its role is
// looked at.
func (c *cli) parent() {
	n := neighborOf(c)
	if n.ExtAddr == 0 && !n.RLOC16.Known() {
		return
	}
	c.found = true
	if c.me.rep.Role.Routes() || c.me.rep.Role == diag.RoleDetached {
		return
	}
	c.begin(tableParent, 0)
	c.me.rep.Neighbors = merged([]diag.Neighbor{n}, c.me.rep.Neighbors)
}

// neighborOf reads the lines about one neighbor that "parent" and "child 1" print.
func neighborOf(c *cli) (n diag.Neighbor) {
	c.pairs(func(key, v string) {
		switch key {
		case "Ext Addr":
			n.ExtAddr, _ = diag.ParseExtAddr(v)
		case "Rloc": // "c00": without leading zeros
			if len(v) > 0 && len(v) < 4 {
				v = ("000" + v)[len(v)-1:]
			}
			n.RLOC16, _ = parseRLOC16(v)
		case "Mode":
			if m, ok := parseMode(v); ok {
				n.Mode = diag.Some(m)
			}
		case "CSL Synchronized":
			if v == "0" || v == "1" {
				n.CSLSynchronized = diag.Some(v == "1")
			}
		case "Timeout":
			n.Timeout = seconds(v)
		case "Link Quality In":
			n.LinkQualityIn = small(v, 3)
		case "RSSI":
			n.AverageRSSI = dBm(v)
		case "Age":
			n.Age = seconds(v)
		case "Version":
			n.ThreadVersion = version(v)
		}
	})
	return n
}

// clock reads a duration as OpenThread prints it: "00:11:07" or "3d.01:08:53".
func clock(s string) diag.Opt[time.Duration] {
	var days uint64
	if d, rest, ok := strings.Cut(s, "."); ok {
		v, err := strconv.ParseUint(strings.TrimSuffix(d, "d"), 10, 16)
		if err != nil {
			return diag.Opt[time.Duration]{}
		}
		days, s = v, rest
	}
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return diag.Opt[time.Duration]{}
	}
	sum := days * 24
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 8)
		if err != nil || i > 0 && v > 59 {
			return diag.Opt[time.Duration]{}
		}
		if i == 0 {
			sum += v
		} else {
			sum = sum*60 + v
		}
	}
	return diag.Some(time.Duration(sum) * time.Second)
}
