package doctor

import (
	"fmt"

	"threadmap/diag"
	"threadmap/topology"
)

// threadVersions finds networks whose routers speak different versions of
// Thread. What children speak does not matter to others.
var threadVersions = Rule{
	Name:  "thread-versions",
	About: "a network whose routers speak different versions of Thread",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			versions := map[string][]*topology.Node{}
			for _, n := range m.routers {
				if v, known := n.ThreadVersion.Get(); known && diag.ThreadVersionName(v) != "" {
					name := diag.ThreadVersionName(v)
					versions[name] = append(versions[name], n)
				}
			}
			if len(versions) < 2 {
				continue
			}
			f := Finding{
				Severity: Info, Confidence: High,
				Title:    fmt.Sprintf("The routers of %s speak %d versions of Thread", network(m.Network), len(versions)),
				NextStep: "This works. What only the newer version has (faster joining of split networks, better help for sleepy devices) works where both ends have it: update border routers first.",
			}
			var words []string
			for _, v := range sortedKeys(versions) {
				words = append(words, fmt.Sprintf("%s on %s", v, names(versions[v])))
				f.Nodes = append(f.Nodes, versions[v]...)
			}
			f.Detail = list(words) + "."
			f.Evidence = evidenceOf(f.Nodes...)
			out = append(out, f)
		}
		return out
	},
}
