package doctor

import (
	"fmt"

	"threadmap/diag"
	"threadmap/topology"
)

const (
	// maxChildren is how many children a router can have: the child id has nine
	// bits (Thread 5.9.2). How many a make of router really takes, 10 or 64, it
	// tells nobody.
	maxChildren = 511
	// manyChildren is what stacks take when their maker set nothing else.
	manyChildren = 10
	// manyTimes is by how much a router must exceed the others' average to bear
	// more than its share.
	manyTimes = 4
)

// fullParent finds routers that can't, or would rather not, take more children.
// No node tells how many it takes. What is known is the format's limit, its
// parent priority, which stacks lower when less than a third of the places is
// left, and how many others have.
var fullParent = Rule{
	Name:  "full-parent",
	About: "a router that has as many children as it can take, or far more than the others",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			type counted struct {
				n        *topology.Node
				r        *diag.Report
				children int
			}
			var all []counted
			sum := map[diag.Opt[uint32]]int{} // of a partition
			routers := map[diag.Opt[uint32]]int{}
			for _, n := range m.routers {
				if r := tableOf(n); r != nil && !r.Cached && c.fresh(r.At) {
					all = append(all, counted{n, r, len(n.Children)})
					sum[n.Partition] += len(n.Children)
					routers[n.Partition]++
				}
			}
			for _, k := range all {
				others, rest := routers[k.n.Partition]-1, sum[k.n.Partition]-k.children
				f := Finding{
					Nodes:    []*topology.Node{k.n},
					Evidence: []topology.Evidence{said(k.n, k.r, "child table")},
				}
				low, by := lowPriority(k.n)
				switch {
				case k.children >= maxChildren:
					f.Severity, f.Confidence = Warning, High
					f.Title = fmt.Sprintf("%s is full: it has %d devices", k.n.Label(), k.children)
					f.Detail = "A Thread router can have no more. Other devices that hear it best are turned away."
					f.NextStep = fmt.Sprintf("Put one more mains-powered Thread device near %s.", k.n.Label())
				case low && c.fresh(by.At) && !by.Cached && k.children > 0:
					f.Severity, f.Confidence = Warning, Medium
					f.Title = fmt.Sprintf("%s is nearly full: it has %s", k.n.Label(), count(k.children, "device", "devices"))
					f.Detail = "It asks new devices to choose another router (parent priority low), as routers do when most of their places are taken."
					f.NextStep = fmt.Sprintf("Put one more mains-powered Thread device near %s, so that not every device has to hang on it.", k.n.Label())
					f.Evidence = append(f.Evidence, said(k.n, by, "connectivity"))
				case k.children >= manyChildren && others >= 2 && k.children*others >= manyTimes*max(rest, others):
					f.Severity, f.Confidence = Info, Low
					f.Title = fmt.Sprintf("%s carries most of the devices: %d of %d", k.n.Label(), k.children, k.children+rest)
					f.Detail = fmt.Sprintf("The other %d routers have %d together. Some makes of router take no more than %d.", others, rest, manyChildren)
					f.NextStep = fmt.Sprintf("If devices near %s drop out or do not come back, put one more mains-powered Thread device there.", k.n.Label())
				default:
					continue
				}
				out = append(out, f)
			}
		}
		return out
	},
}

// lowPriority reports whether a router asks new devices to choose another one.
func lowPriority(n *topology.Node) (low bool, by *diag.Report) {
	by = latest(n, func(r *diag.Report) bool { return r.Connectivity.Known() })
	if by == nil {
		return false, nil
	}
	con, _ := by.Connectivity.Get()
	return con.ParentPriority < 0, by
}
