package doctor

import (
	"fmt"

	"threadmap/diag"
)

// leaderFlapping finds networks whose leader changes, or that fall apart and join
// again, several times a day. Every node of a network counts the same events, so
// there is one finding for each network, by the node that counted most.
var leaderFlapping = Rule{
	Name:  "leader-flapping",
	About: "a network whose leader or partition changes several times a day",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			var f Finding
			var worst uint64
			for _, n := range m.nodes {
				r, over := c.counted(n, diag.LeaderRoleCount, diag.PartitionIDChangeCount)
				if r == nil {
					continue
				}
				leader, partition := r.Counters[diag.LeaderRoleCount], r.Counters[diag.PartitionIDChangeCount]
				most := max(leader, partition)
				if !often(most, over) {
					continue
				}
				f.Nodes = append(f.Nodes, n)
				f.Evidence = append(f.Evidence, said(n, r, "MLE counters"))
				if rate := perDay(most, over); rate > worst {
					worst = rate
					f.Title = fmt.Sprintf("%s is unsteady: leader or partition change %s a day", network(m.Network), times(most, over))
					f.Detail = fmt.Sprintf("In %s %s became the leader %d times and saw the partition change %d times.", lasting(over), n.Label(), leader, partition)
				}
			}
			if f.Nodes == nil {
				continue
			}
			f.Severity, f.Confidence = Warning, Medium
			if len(f.Nodes) > 1 {
				f.Confidence = High
				f.Detail += fmt.Sprintf(" %s the like.", count(len(f.Nodes)-1, "other device counts", "other devices count"))
			}
			f.NextStep = "The mesh falls apart and joins again. Look for a weak link between its parts (threadmap scan shows links), and for a router that is switched off and on, such as a lamp behind a wall switch."
			out = append(out, f)
		}
		return out
	},
}
