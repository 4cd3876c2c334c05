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
//	fd2c:d5c0:8cd7:1::/64 paos low 9800
//	Routes:
//	fc00::/7 sa med 9800
//	Services:
//	44970 5d fdfa028c524543542db8337f3b39748ed120 s 9800 0
//	Contexts:
//	…
//
// An on-mesh prefix for addresses (flags a and o) is an OMR prefix. A node that
// keeps only the stable data shows fffe for the router.
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
