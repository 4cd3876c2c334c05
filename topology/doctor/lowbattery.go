package doctor

import (
	"fmt"

	"threadmap/diag"
	"threadmap/topology"
)

// lowBatteryPercent is under which share devices begin to misbehave: cells drop
// below the radio's voltage while sending, long before they are empty.
const lowBatteryPercent = 15

// lowBattery finds devices whose battery is nearly empty.
var lowBattery = Rule{
	Name:  "low-battery",
	About: "a device whose battery is nearly empty",
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, n := range c.Map.Nodes {
			level, known := n.Battery.Get()
			if !known || level >= lowBatteryPercent || n.State == topology.NodeGhost {
				continue
			}
			r := latest(n, func(r *diag.Report) bool { return r.BatteryPercent.Known() })
			if r == nil {
				continue
			}
			out = append(out, Finding{
				Severity: Warning, Confidence: High,
				Title:    fmt.Sprintf("The battery of %s is at %d %%", n.Label(), level),
				Detail:   "A weak battery makes a device lose its parent and answer late before it is empty.",
				Nodes:    []*topology.Node{n},
				NextStep: fmt.Sprintf("Change the battery of %s.", n.Label()),
				Evidence: []topology.Evidence{said(n, r, "battery")},
			})
		}
		return out
	},
}
