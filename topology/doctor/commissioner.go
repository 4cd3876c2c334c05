package doctor

import (
	"fmt"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/topology"
)

// asking is the name of the source that asks a mesh through a border agent.
const asking = "thread"

// commissionerRole finds meshes that could not be asked because somebody else has
// the commissioner's role (Thread 8.4), which one at a time can have, or because
// no border router lets anybody have it.
var commissionerRole = Rule{
	Name:  "commissioner-role",
	About: "a mesh that could not be asked, because another app is its commissioner or nobody may be",
	Find: func(c *Case) []Finding {
		var out []Finding
		asked := false
		for _, p := range c.Scan.Problems {
			if p.Source != asking {
				continue
			}
			asked = true
			held := strings.Contains(p.Text, "commissioner role")
			if !held && !strings.Contains(p.Text, "adding a device") || len(out) >= maxNodes {
				continue
			}
			f := Finding{
				Severity: Warning, Confidence: High,
				Title:    fmt.Sprintf("%s could not be asked: somebody is adding a device", p.Target),
				Detail:   fmt.Sprintf("The border router said: %s.", p.Text),
				NextStep: "Scan again when the new device is added.",
				Evidence: []topology.Evidence{{Source: p.Source, Via: p.Target, At: c.Now, Field: "commissioner"}},
			}
			if held {
				f.Title = fmt.Sprintf("%s could not be asked: another app is its commissioner", p.Target)
				f.NextStep = "Close the app that adds devices or shows diagnostics, or scan again in a minute. threadmap never takes the role from another."
			}
			out = append(out, f)
		}
		for _, s := range c.Scan.Sources {
			asked = asked || s.Name == asking && s.State != diag.StateSkipped
		}
		for _, m := range c.x.meshes {
			if f, ok := c.foreignCommissioner(m, asked); ok {
				out = append(out, f)
			} else if f, ok := c.closed(m); ok {
				out = append(out, f)
			}
		}
		return out
	},
}

// foreignCommissioner reads out of network data that somebody is the commissioner
// now. While this scan asked through a border agent itself, that may be it.
func (c *Case) foreignCommissioner(m *members, asked bool) (Finding, bool) {
	if asked {
		return Finding{}, false
	}
	for _, n := range m.nodes {
		r := latest(n, func(r *diag.Report) bool { return len(r.Network.NetworkData) > 0 })
		if r == nil || r.Source == asking || r.Cached || !c.fresh(r.At) || !commissionerActive(r.Network.NetworkData) {
			continue
		}
		return Finding{
			Severity: Info, Confidence: Medium,
			Title:    fmt.Sprintf("An app is the commissioner of %s right now", network(m.Network)),
			Detail:   "Its network data names the border router that serves a commissioner. Only one at a time can add devices or ask the whole mesh.",
			Nodes:    []*topology.Node{n},
			NextStep: "If a device is being added, wait for that. Else close apps that add devices or show diagnostics.",
			Evidence: []topology.Evidence{said(n, r, "network data")},
		}, true
	}
	return Finding{}, false
}

// commissionerActive reports whether network data (Thread 5.18) has commissioning
// data that names a border agent: the leader takes the name out when the
// commissioner leaves. What can't be read says nothing.
func commissionerActive(data []byte) bool {
	const commissioning, borderAgentLocator = 4, 9
	for len(data) >= 2 && len(data) >= 2+int(data[1]) {
		kind, value := data[0]>>1, data[2:2+int(data[1])]
		data = data[2+int(data[1]):]
		for kind == commissioning && len(value) >= 2 && len(value) >= 2+int(value[1]) {
			if value[0] == borderAgentLocator && value[1] == 2 {
				return true
			}
			value = value[2+int(value[1]):]
		}
	}
	return false
}

// closed finds networks that nobody can ask: every border router says that it
// lets no commissioner in, and no other source told of the mesh either.
func (c *Case) closed(m *members) (Finding, bool) {
	// Bits of the state bitmap of _meshcop._udp: connection mode, Thread interface.
	const mode, iface, active = 0x7, 0x18, 0x10
	f := Finding{Severity: Info, Confidence: High, Nodes: m.borders}
	if len(m.borders) == 0 || slices.ContainsFunc(m.nodes, func(n *topology.Node) bool { return n.RouterTable }) {
		return f, false
	}
	for _, n := range m.borders {
		r := latest(n, func(r *diag.Report) bool { b, ok := r.BorderAgent.Get(); return ok && b.StateBitmap.Known() })
		if r == nil {
			return f, false
		}
		b, _ := r.BorderAgent.Get()
		if state, _ := b.StateBitmap.Get(); state&iface != active || state&mode != 0 {
			return f, false
		}
		f.Evidence = append(f.Evidence, said(n, r, "border agent state"))
	}
	f.Title = fmt.Sprintf("No border router of %s lets threadmap ask the mesh", network(m.Network))
	f.Detail = fmt.Sprintf("%s: announced with the connection mode that refuses every commissioner.", names(m.borders))
	f.NextStep = "Ask another way: threadmap login ha brings what Home Assistant knows, and a Matter device that threadmap is paired with tells its own links."
	return f, true
}
