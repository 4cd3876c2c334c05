package doctor

import (
	"fmt"
	"net/netip"
	"strings"

	"threadmap/diag"
	"threadmap/topology"
)

// separateNetworks finds networks that could be one: each maker's border routers
// like to start a network of their own, and then neither helps the other's
// devices. Radio waves and lists of credentials also show the neighbor's home,
// so what ties two networks to one home decides how sure this is.
var separateNetworks = Rule{
	Name:  "separate-networks",
	About: "several Thread networks in one home that could be one",
	Of:    OfAll,
	Find: func(c *Case) []Finding {
		var nets []*members
		for _, m := range c.x.meshes {
			if len(m.borders) > 0 && m.ExtPANID != 0 { // else it may be one of the others
				nets = append(nets, m)
			}
		}
		if len(nets) < 2 {
			return nil
		}
		biggest := nets[0]
		for _, m := range nets {
			if len(m.nodes) > len(biggest.nodes) {
				biggest = m
			}
		}
		ties := tiesOf(biggest)
		together, apart := []*members{biggest}, []*members{}
		sure, why := High, ""
		for _, m := range nets {
			if m == biggest {
				continue
			}
			tie, words := ties.with(tiesOf(m))
			if tie == Low {
				apart = append(apart, m)
				continue
			}
			together = append(together, m)
			if tie < sure || why == "" {
				sure, why = min(sure, tie), words
			}
		}
		var out []Finding
		if len(together) > 2 {
			why = strings.Replace(why, "in both", "in more than one of them", 1)
		}
		if len(together) > 1 {
			out = append(out, Finding{
				Severity: Warning, Confidence: sure,
				Title: fmt.Sprintf("%s are separate networks", meshNames(together)),
				Detail: fmt.Sprintf("Each has border routers of its own: %s. Devices and routers of one do not carry traffic for the others. They seem to be in one home: %s.",
					borderWords(together), why),
				Nodes:    firstBorders(together),
				NextStep: "Choose one network as the preferred one in the app of each maker, so that all border routers and new devices join it. Devices that are in another network move when they are added anew.",
				Evidence: evidenceOf(firstBorders(together)...),
			})
		}
		if len(apart) > 0 {
			out = append(out, Finding{
				Severity: Info, Confidence: Low,
				Title:    fmt.Sprintf("%s, perhaps a neighbor's: heard beside %s", meshNames(apart), network(biggest.Network)),
				Detail:   fmt.Sprintf("Border routers: %s. Nothing ties them to the home of %s.", borderWords(apart), network(biggest.Network)),
				Nodes:    firstBorders(apart),
				NextStep: "If these border routers are yours, choose one network as the preferred one in the app of each maker. If they are a neighbor's, there is nothing to do.",
				Evidence: evidenceOf(firstBorders(apart)...),
			})
		}
		return out
	},
}

// ties are what shows in which home a network is.
type ties struct {
	fabrics, homes, lans map[string]bool
}

func tiesOf(m *members) ties {
	t := ties{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, n := range m.nodes {
		for _, id := range n.Matter {
			if id.Fabric != 0 {
				t.fabrics[fmt.Sprint(id.Fabric)] = true
			}
		}
		for _, r := range n.Reports {
			for _, name := range r.Names {
				if name.Kind == diag.NameHome {
					t.homes[r.Source+" "+r.Via] = true
				}
			}
		}
	}
	for _, n := range m.borders {
		for _, a := range n.Addresses {
			if p, ok := lanPrefix(a, m.Network); ok {
				t.lans[p.String()] = true
			}
		}
	}
	return t
}

// lanPrefix is the network that an address of a border router tells it to be in
// on its other side.
func lanPrefix(a netip.Addr, in *topology.Network) (netip.Prefix, bool) {
	a = a.Unmap()
	bits := 64
	switch {
	case a.Is4():
		bits = 24
	case !a.IsGlobalUnicast() || in.MeshLocalPrefix.IsValid() && in.MeshLocalPrefix.Contains(a):
		return netip.Prefix{}, false
	}
	for _, p := range in.OMRPrefixes {
		if p.Contains(a) {
			return netip.Prefix{}, false
		}
	}
	p, err := a.Prefix(bits)
	return p, err == nil && !a.IsLinkLocalUnicast() && !a.IsLoopback()
}

// with says how surely two networks are of one home, and why.
func (t ties) with(o ties) (Confidence, string) {
	switch {
	case meet(t.fabrics, o.fabrics):
		return High, "one Matter controller has devices in both"
	case meet(t.homes, o.homes):
		return High, "one home system names devices in both"
	case meet(t.lans, o.lans):
		return Medium, "their border routers are on one LAN"
	}
	return Low, ""
}

func meet(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

func meshNames(ms []*members) string {
	words := make([]string, len(ms))
	for i, m := range ms {
		words[i] = network(m.Network)
	}
	return list(words)
}

// borderWords is "Hub in MyHome, Speaker and 2 others in NEST-PAN".
func borderWords(ms []*members) string {
	words := make([]string, len(ms))
	for i, m := range ms {
		words[i] = fmt.Sprintf("%s in %s", names(m.borders), network(m.Network))
	}
	return list(words)
}

func firstBorders(ms []*members) []*topology.Node {
	out := make([]*topology.Node, len(ms))
	for i, m := range ms {
		out[i] = m.borders[0]
	}
	return out
}
