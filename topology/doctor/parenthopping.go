package doctor

import (
	"fmt"

	"threadmap/diag"
	"threadmap/topology"
)

// parentHopping finds devices that change their parent, or lose the mesh, several
// times a day. The counters count since the start, so it needs the time since
// then too; they have 16 bits and wrap, which makes them too small, never too
// large.
var parentHopping = Rule{
	Name:  "parent-hopping",
	About: "a device that changes its parent or loses the mesh several times a day",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, n := range c.Map.Nodes {
			r, over := c.counted(n, diag.ParentChangeCount, diag.DetachedRoleCount)
			if r == nil {
				continue
			}
			detached, changed := r.Counters[diag.DetachedRoleCount], r.Counters[diag.ParentChangeCount]
			f := Finding{
				Severity: Warning, Confidence: Medium,
				Nodes:    []*topology.Node{n},
				Evidence: []topology.Evidence{said(n, r, "MLE counters")},
				NextStep: fmt.Sprintf("Look at its links: several routers of nearly the same weak signal make a device hop. Put a mains-powered Thread device near %s.", n.Label()),
			}
			switch {
			case often(detached, over):
				f.Title = fmt.Sprintf("%s loses the mesh %s a day", n.Label(), times(detached, over))
				f.Detail = fmt.Sprintf("It was without any parent %d times in %s, and changed its parent %d times.", detached, lasting(over), changed)
			case often(changed, over):
				f.Title = fmt.Sprintf("%s changes its parent %s a day", n.Label(), times(changed, over))
				f.Detail = fmt.Sprintf("It changed its parent %d times in %s.", changed, lasting(over))
			default:
				continue
			}
			out = append(out, f)
		}
		return out
	},
}
