package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"threadmap/topology"
)

// clientIsolation finds machines that hear nobody though nothing of their own
// explains it: a guest network, another VLAN, or an access point that keeps its
// clients apart. It speaks last of all that a silent LAN may mean.
var clientIsolation = Rule{
	Name:  "client-isolation",
	About: "a LAN on which nobody is heard: a guest network, another VLAN, or clients kept apart",
	Find: func(c *Case) []Finding {
		if c.silence() != causeIsolation || slices.ContainsFunc(c.x.stranded, func(s stranded) bool { return s.apart.IsValid() }) {
			return nil // noRoute tells that border routers are elsewhere
		}
		lans := c.Host.lans()
		var at []string
		for _, n := range lans {
			at = append(at, n.Name+" ("+addressOfInterface(n)+")")
		}
		f := Finding{
			Severity: Warning, Confidence: Low,
			Title:    fmt.Sprintf("Nobody is heard on %s: perhaps a guest network, another VLAN, or clients kept apart", ifaces(lans)),
			Detail:   fmt.Sprintf("This machine is connected at %s, its firewall is not known to be in the way, and no device answers.", list(at)),
			NextStep: c.Host.lookAround() + " Compare the network with that of your phone or hub: it must be the same, and no guest network. In the access point's settings turn client isolation (AP isolation) off and let multicast pass.",
			Evidence: []topology.Evidence{c.seen("addresses"), {Source: announcing, At: c.Now, Field: "problems"}},
		}
		for _, m := range c.ownMeshes() {
			if _, apart := c.near(m); apart.IsValid() {
				f.Confidence = Medium
				f.Title = fmt.Sprintf("This machine is not on the LAN of the border routers of %s", network(m.Network))
				f.Detail = fmt.Sprintf("A border router is at %s; this machine is connected at %s, and no device answers there.", apart, list(at))
				f.Nodes = m.borders
				f.Evidence = append(f.Evidence, evidenceOf(m.borders...)...)
				f.NextStep = fmt.Sprintf("Connect this machine to that LAN, or let it ask across: %s.", command("threadmap scan --ask "+apart.String()))
				break
			}
		}
		return []Finding{f}
	},
}

// addressOfInterface is the address that tells a person which LAN it is.
func addressOfInterface(n *HostInterface) string {
	var best netip.Prefix
	for _, p := range n.Prefixes {
		if !best.IsValid() || p.Addr().Is4() && !best.Addr().Is4() {
			best = p
		}
	}
	return best.String()
}

// lookAround is how the system's own tools listen to the LAN.
func (h *Host) lookAround() string {
	switch h.System {
	case "linux":
		return "To look: " + command("avahi-browse -t _meshcop._udp") + "."
	case "windows":
		return "To look: " + command("ipconfig") + ", and whether " + command("Get-NetConnectionProfile") + " says Private."
	}
	return "To look: " + command("dns-sd -B _meshcop._udp") + "."
}
