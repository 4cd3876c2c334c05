package doctor

import (
	"fmt"
	"slices"

	"threadmap/topology"
)

// stuck finds devices that their controller can't reach although the mesh hears
// them: the radio is well, the conversation is not.
var stuck = Rule{
	Name:  "stuck",
	About: "a device that its controller can't reach, though the mesh hears it",
	Of:    OfAll,
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, s := range c.x.lost.controllers {
			out = append(out, Finding{
				Severity: Error, Confidence: High,
				Title:    fmt.Sprintf("The controller can't reach %d of its %d devices, though the mesh hears them", len(s.nodes), s.of),
				Detail:   fmt.Sprintf("The controller is %s; among the devices are %s. Routers hear them just now, so radio and batteries are well.", s.via, names(s.nodes)),
				Nodes:    slices.Clone(s.nodes),
				NextStep: "Look at the way from the controller to the mesh: is it on the LAN of the border routers, does it have a route to their prefix? Restarting the controller renews its conversations.",
				Evidence: s.evidence,
			})
		}
		for _, s := range c.x.lost.single {
			n := s.nodes[0]
			out = append(out, Finding{
				Severity: Warning, Confidence: Medium,
				Title:    fmt.Sprintf("%s is stuck: the mesh hears it, its controller does not reach it", n.Label()),
				Detail:   fmt.Sprintf("The controller (%s) says that it is unavailable, while a router heard it just now.", s.via),
				Nodes:    []*topology.Node{n},
				NextStep: fmt.Sprintf("A sleepy device may take minutes to come back after a restart of the controller; threadmap icd shows how far it is. If it stays so, switch %s off and on, then restart the controller.", n.Label()),
				Evidence: s.evidence,
			})
		}
		return out
	},
}
