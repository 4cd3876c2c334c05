package doctor

import (
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/topology"
)

// addressConflict finds addresses that two radios have, and radios of which two
// addresses are told.
var addressConflict = Rule{
	Name:  "address-conflict",
	About: "two devices with one radio address, or one with two",
	Of:    OfAll,
	Find: func(c *Case) []Finding {
		var out []Finding
		for _, m := range c.x.meshes {
			out = append(out, c.sharedRLOC16(m)...)
			for _, n := range m.nodes {
				if f, ok := c.sharedExtAddr(n); ok {
					out = append(out, f)
				} else if f, ok := twoAddresses(n); ok {
					out = append(out, f)
				}
			}
		}
		return out
	},
}

// sharedRLOC16 finds short addresses that two nodes say they have, at one time
// and in one partition.
func (c *Case) sharedRLOC16(m *members) []Finding {
	at := map[place][]*topology.Node{}
	var order []place
	for _, n := range m.nodes {
		r := ownWord(n)
		if r == nil || r.Cached || !c.fresh(r.At) || n.State != topology.NodeOK || !n.Partition.Known() {
			continue
		}
		p := place{n.Network, n.Partition, r.RLOC16}
		if len(at[p]) == 1 {
			order = append(order, p)
		}
		at[p] = append(at[p], n)
	}
	var out []Finding
	for _, p := range order {
		nodes := at[p]
		f := Finding{
			Severity: Error, Confidence: Medium,
			Title:    fmt.Sprintf("%s use one mesh address", names(nodes)),
			Detail:   fmt.Sprintf("Each of %d devices says that its short address (RLOC16) is %s. What is sent to one may go to the other.", len(nodes), p.rloc16),
			Nodes:    nodes,
			NextStep: "Scan again: an address may have changed hands during the scan. If it stays so, switch one of them off and on.",
		}
		for _, n := range nodes {
			f.Evidence = append(f.Evidence, said(n, ownWord(n), "own RLOC16"))
		}
		out = append(out, f)
	}
	return out
}

// ownWord is the report in which a node last told its RLOC16.
func ownWord(n *topology.Node) *diag.Report {
	return latest(n, func(r *diag.Report) bool { return r.RLOC16.Known() })
}

// sharedExtAddr finds a radio address under which two devices speak: they have
// different factory addresses.
func (c *Case) sharedExtAddr(n *topology.Node) (Finding, bool) {
	var chips []diag.ExtAddr
	var evidence []topology.Evidence
	for _, r := range n.Reports {
		if r.EUI64 == 0 || r.Cached || !c.fresh(r.At) || !slices.ContainsFunc(r.Own, func(a diag.AddrClaim) bool { return a.ExtAddr == n.ExtAddr }) {
			continue
		}
		evidence = append(evidence, said(n, r, "EUI-64"))
		if !slices.Contains(chips, r.EUI64) && len(chips) < mostWords {
			chips = append(chips, r.EUI64)
		}
	}
	if len(chips) < 2 {
		return Finding{}, false
	}
	slices.Sort(chips)
	return Finding{
		Severity: Error, Confidence: High,
		Title:    fmt.Sprintf("Two devices share the radio address of %s", n.Label()),
		Detail:   fmt.Sprintf("The chips %s and %s both speak under the address %s. Each takes the other's frames for its own.", chips[0], chips[1], n.ExtAddr),
		Nodes:    []*topology.Node{n},
		NextStep: "Find the two devices (often two of one make, or a restored backup of one on another) and reset one of them to its factory settings.",
		Evidence: evidence,
	}, true
}

// twoAddresses finds nodes whose witnesses disagree about its radio address.
func twoAddresses(n *topology.Node) (Finding, bool) {
	for _, k := range n.Conflicts {
		if k.About != "ext_addr" || len(k.Claims) < 2 {
			continue
		}
		other := slices.IndexFunc(k.Claims, func(x topology.Claim) bool { return x.Value != k.Claims[0].Value })
		if other < 0 {
			continue
		}
		f := Finding{
			Severity: Info, Confidence: Medium,
			Title: fmt.Sprintf("%s gives two radio addresses", n.Label()),
			Detail: fmt.Sprintf("%s (%s) is believed, %s (%s) is not. The links of such a device may be drawn at a stranger.",
				k.Claims[0].Value, k.Claims[0].Evidence.Field, k.Claims[other].Value, k.Claims[other].Evidence.Field),
			Nodes:    []*topology.Node{n},
			NextStep: "Nothing to do in the mesh: the firmware of the device reports another address than the one on the air. An update may mend it.",
		}
		for _, x := range k.Claims {
			f.Evidence = append(f.Evidence, x.Evidence)
		}
		return f, true
	}
	return Finding{}, false
}
