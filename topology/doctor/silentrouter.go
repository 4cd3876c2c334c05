package doctor

import (
	"threadmap/topology"
)

// silentRouter finds other routers of that kind. Tables keep a router that is
// gone for minutes, and children that it had look for another parent meanwhile.
var silentRouter = Rule{
	Name:  "silent-router",
	About: "a router that the mesh lists, but that did not answer",
	Find: func(c *Case) []Finding {
		return c.silent(func(n *topology.Node) bool { return !n.BorderRouter.Or(false) }, "router",
			"Look whether it has power: lamps behind a wall switch are the usual case. If it does, scan again in some minutes.")
	},
}
