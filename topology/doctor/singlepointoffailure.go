package doctor

import (
	"fmt"
	"slices"

	"threadmap/topology"
)

// singlePointOfFailure finds routers and links without which other routers, and
// what hangs on them, have no way to any border router.
var singlePointOfFailure = Rule{
	Name:  "single-point-of-failure",
	About: "a router or a link without which other routers are cut off from every border router",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, cut := range c.x.cuts {
			f := Finding{Severity: Warning, Confidence: Medium}
			if cut.Loses() == 1 {
				f.Severity = Info
			}
			lost := hang(cut.Loses())
			if n := cut.Router; n != nil {
				f.Title = fmt.Sprintf("%s on %s alone", lost, n.Label())
				f.Detail = fmt.Sprintf("Without %s there is no known way from %s to a border router.", n.Label(), names(cut.Routers))
				f.Nodes = append([]*topology.Node{n}, cut.Routers...)
				f.NextStep = fmt.Sprintf("Put one more mains-powered Thread device near %s and a router on the other side of %s, so that there are two ways.", cut.Routers[0].Label(), n.Label())
				f.Evidence = evidenceOf(f.Nodes...)
			} else {
				a, b := cut.Link.A, cut.Link.B
				f.Title = fmt.Sprintf("%s on the one link between %s and %s", lost, a.Label(), b.Label())
				f.Detail = fmt.Sprintf("If it fails there is no known way from %s to a border router.", names(cut.Routers))
				f.Nodes = append([]*topology.Node{a, b}, cut.Routers...)
				f.NextStep = fmt.Sprintf("Put one more mains-powered Thread device between %s and %s, so that there are two ways.", a.Label(), b.Label())
				f.Evidence = cut.Link.Evidence
			}
			out = append(out, f)
		}
		return out
	},
}

func hang(devices int) string {
	if devices == 1 {
		return "1 device hangs"
	}
	return fmt.Sprintf("%d devices hang", devices)
}

// cuts are the single points of failure that are worth a word. A router that
// gave no table may have a way around that nobody told of, so cuts that would
// lose one are left out; so are all cuts in a network that has split, where ways
// are missing for that reason, and in one of which a text breaks off; the only border router, of which oneBorderRouter
// speaks; and links one end of which is a cut that is told of, which says more.
func (c *Case) cuts() []topology.Cut {
	all := c.Ways.Cuts()
	borders := map[*topology.Network]int{}
	for _, n := range c.Ways.BorderRouters() {
		borders[n.Network]++
	}
	router := make(map[*topology.Node]bool, len(all))
	all = slices.DeleteFunc(all, func(cut topology.Cut) bool {
		if m := c.x.of[cut.Routers[0].Network]; m == nil || m.split != nil || m.cut || slices.ContainsFunc(cut.Routers, func(n *topology.Node) bool { return !n.RouterTable }) {
			return true
		}
		n := cut.Router
		if n != nil && n.BorderRouter.Or(false) && borders[n.Network] == 1 {
			return true
		}
		router[n] = true
		return false
	})
	return slices.DeleteFunc(all, func(cut topology.Cut) bool {
		return cut.Link != nil && (router[cut.Link.A] || router[cut.Link.B])
	})
}
