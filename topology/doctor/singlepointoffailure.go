package doctor

import (
	"fmt"

	"threadmap/topology"
)

// singlePointOfFailure finds routers and links without which other routers, and
// what hangs on them, have no way to any border router.
var singlePointOfFailure = Rule{
	Name:  "single-point-of-failure",
	About: "a router or a link without which other routers are cut off from every border router",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, cut := range c.Ways.Cuts() {
			f := Finding{Severity: Warning, Confidence: Medium}
			lost := count(cut.Loses(), "device", "devices")
			if n := cut.Router; n != nil {
				if n.BorderRouter.Or(false) && len(c.Ways.BorderRouters()) == 1 {
					continue // everything hangs on it: one-border-router says so
				}
				f.Title = fmt.Sprintf("%s hang on %s alone", lost, n.Label())
				f.Detail = fmt.Sprintf("Without %s there is no known way from %s to a border router.", n.Label(), names(cut.Routers))
				f.Nodes = append([]*topology.Node{n}, cut.Routers...)
				f.NextStep = fmt.Sprintf("Put one more mains-powered Thread device near %s and a router on the other side of %s, so that there are two ways.", cut.Routers[0].Label(), n.Label())
				f.Evidence = n.Evidence
			} else {
				a, b := cut.Link.A, cut.Link.B
				if both(c, a, b) {
					continue // the router at its end says the same, and more
				}
				f.Title = fmt.Sprintf("%s hang on the one link between %s and %s", lost, a.Label(), b.Label())
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

// both reports whether one end of a link is a cut router itself.
func both(c *Case, ends ...*topology.Node) bool {
	for _, cut := range c.Ways.Cuts() {
		for _, n := range ends {
			if cut.Router == n {
				return true
			}
		}
	}
	return false
}
