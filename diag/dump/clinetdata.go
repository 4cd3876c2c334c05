package dump

import (
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag"
)

// netdata reads "netdata show": the prefixes and which routers publish them.
//
//	Prefixes:
//	fd00:dead:beef:cafe::/64 paros med dc00
//	Routes:
//	fd49:7770:7fc5:0::/64 s med 4000
//	Services:
//	44970 5d c000 s 4000
//
// Written from OpenThread's CLI reference, without a sample. An on-mesh prefix
// for addresses (flags a and o) is an OMR prefix.
func (c *cli) netdata() {
	n := &c.me.rep.Network
	section := ""
	for {
		l, ok := c.value()
		if !ok {
			if l.done() {
				c.next()
			}
			return
		}
		f := strings.Fields(l.text)
		switch {
		case strings.HasSuffix(l.text, ":") && len(f) == 1:
			section = l.text
		case section == "Prefixes:" || section == "Routes:":
			if len(f) < 4 || len(f) > 5 {
				c.problem(l, "line of \"netdata show\" is cut off: skipped")
				break
			}
			p, err := netip.ParsePrefix(f[0])
			rloc, ok := parseRLOC16(f[3])
			if err != nil || !ok {
				c.problem(l, "line of \"netdata show\" holds no prefix and RLOC16: skipped")
				break
			}
			if section == "Prefixes:" && strings.Contains(f[1], "a") && strings.Contains(f[1], "o") && !slices.Contains(n.OMRPrefixes, p.Masked()) && len(n.OMRPrefixes) < 64 {
				n.OMRPrefixes = append(n.OMRPrefixes, p.Masked())
			}
			if !slices.Contains(n.BorderRouters, rloc) && rloc.Known() && len(n.BorderRouters) < diag.MaxRouterID {
				n.BorderRouters = append(n.BorderRouters, rloc)
			}
			c.me.used, c.found = true, true
		case section == "":
			return // "netdata show -x" and stories
		}
		c.next()
	}
}
