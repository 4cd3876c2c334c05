package doctor

import (
	"threadmap/topology"
)

// silentBorderRouter finds border routers that the mesh lists and that did not
// answer when everybody was asked.
var silentBorderRouter = Rule{
	Name:  "silent-border-router",
	About: "a border router that the mesh lists, but that did not answer",
	Find: func(c *Case) []Finding {
		return c.silent(func(n *topology.Node) bool { return n.BorderRouter.Or(false) }, "border router",
			"Look whether it has power and is on the network; restart it.")
	},
}
