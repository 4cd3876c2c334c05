package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"threadmap/diag"
)

// severalPrefixes finds networks in which several off-mesh-routable prefixes
// (Thread 9.6) are published at once: border routers that do not see each other
// each publish one, and the one that is dropped later leaves devices behind. A
// split network, whose parts each need one, is splitPartition's.
var severalPrefixes = Rule{
	Name:  "several-prefixes",
	About: "border routers that publish different address ranges for one network",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			prefixes := c.published(m)
			if len(prefixes) < 2 || len(m.Partitions) > 1 {
				continue
			}
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("%s has %d address ranges at once", network(m.Network), len(prefixes)),
				NextStep: "For some minutes after a border router started this is normal: scan again. If it stays, restart the border routers one after the other, and see that they are on one LAN whose switches and access points pass IPv6 multicast.",
				Evidence: slices.Clone(m.Evidence),
			}
			var words []string
			for _, p := range prefixes {
				words = append(words, p.String())
			}
			f.Detail = fmt.Sprintf("Prefixes: %s. Devices keep addresses of both, and of a range that is dropped later some keep the wrong one.", list(words))
			for _, n := range m.borders {
				if r := latest(n, func(r *diag.Report) bool { return len(r.Network.OMRPrefixes) > 0 }); r != nil && c.fresh(r.At) {
					f.Nodes = append(f.Nodes, n)
					f.Evidence = append(f.Evidence, said(n, r, "network"))
				}
			}
			out = append(out, f)
		}
		return out
	},
}

// published are the off-mesh-routable prefixes of m that somebody said are
// published now, sorted. Only those of the usual length count: others are routes.
func (c *Case) published(m *members) []netip.Prefix {
	const bits = 64
	var out []netip.Prefix
	for _, n := range m.nodes {
		for _, r := range n.Reports {
			if len(r.Network.OMRPrefixes) == 0 || !c.fresh(r.At) {
				continue
			}
			for _, p := range r.Network.OMRPrefixes {
				if p.Bits() == bits && p.Addr().Is6() && p.Masked() != m.MeshLocalPrefix.Masked() && !slices.Contains(out, p.Masked()) && len(out) < maxPrefixes {
					out = append(out, p.Masked())
				}
			}
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return out
}

// maxPrefixes bounds what a hostile announcer may add; network data has room for
// fewer.
const maxPrefixes = 32
