package doctor

import (
	"cmp"
	"fmt"
	"slices"

	"threadmap/topology"
)

// firmwareMix finds products of one kind that run different firmware.
var firmwareMix = Rule{
	Name:  "firmware-mix",
	About: "devices of one product that run different firmware",
	Find: func(c *Case) []Finding {
		type product struct{ vendor, product string }
		all := map[product]map[string][]*topology.Node{}
		for _, n := range c.Map.Nodes {
			if n.Vendor == "" || n.Product == "" || n.Firmware == "" || n.State == topology.NodeGhost || n.State == topology.NodeStale {
				continue
			}
			p := product{n.Vendor, n.Product}
			if all[p] == nil {
				all[p] = map[string][]*topology.Node{}
			}
			all[p][n.Firmware] = append(all[p][n.Firmware], n)
		}
		var out []Finding
		for p, versions := range all {
			if len(versions) < 2 {
				continue
			}
			f := Finding{
				Severity: Info, Confidence: High,
				Title:    fmt.Sprintf("%s %s: devices with different firmware", p.vendor, p.product),
				NextStep: "Update the older ones in the maker's app. If the one kind misbehaves and the other does not, the firmware is the reason.",
			}
			var words []string
			for _, v := range byFrequency(versions) {
				words = append(words, fmt.Sprintf("%s on %s", v, names(versions[v])))
				f.Nodes = append(f.Nodes, versions[v]...)
			}
			f.Detail = list(words) + "."
			f.Evidence = evidenceOf(f.Nodes...)
			out = append(out, f)
		}
		slices.SortFunc(out, func(a, b Finding) int { return cmp.Compare(a.Title, b.Title) })
		return out
	},
}
