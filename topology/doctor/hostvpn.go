package doctor

import (
	"fmt"
	"net/netip"
	"strings"

	"threadmap/topology"
)

// vpn finds tunnels that take what is for the home: the way to the mesh ends in
// one, or nothing is heard of the LAN while one takes all traffic. A VPN that
// leaves the home alone is none of its business.
var vpn = Rule{
	Name:  "vpn",
	About: "a VPN that takes the way to the mesh or to the LAN",
	Find: func(c *Case) []Finding {
		if c.Host == nil {
			return nil
		}
		var out []Finding
		told := map[string]bool{}
		for _, m := range c.ownMeshes() {
			for _, p := range c.published(m) {
				w := c.Host.wayTo(p)
				if !c.Host.tunnel(w.iface) || told[w.iface] {
					continue
				}
				told[w.iface] = true
				near, _ := c.near(m)
				out = append(out, Finding{
					Severity: Error, Confidence: High,
					Title:    fmt.Sprintf("What is for the devices of %s goes into the VPN %s", network(m.Network), w.iface),
					Detail:   fmt.Sprintf("The border routers publish %s, and this machine's way there is %s, not the LAN.", p, w.iface),
					Nodes:    m.borders,
					NextStep: fmt.Sprintf("To see the way: %s. %s Or give the mesh a way of its own: %s.", c.Host.lookAtWay(inPrefix(p)), pause(w.iface), c.Host.addRoute(p, linkLocal(m), first(near))),
					Evidence: append([]topology.Evidence{c.seen("IPv6 routes")}, evidenceOf(m.borders...)...),
				})
			}
		}
		if c.silence() != causeVPN {
			return out
		}
		name, sure := c.Host.captured()
		if told[name] {
			return out
		}
		f := Finding{
			Severity: Warning, Confidence: Medium,
			Title:    fmt.Sprintf("The VPN %s may keep the LAN away from this machine", name),
			Detail:   fmt.Sprintf("It takes all traffic that has no route of its own, or multicast, and listening to the LAN met with: %s.", c.deaf().words()),
			NextStep: fmt.Sprintf("%s To look: %s. Then scan again; or name the LAN's interface: %s.", pause(name), c.Host.lookAtMulticast(), command("threadmap scan --interface "+word(lanName(c.Host)))),
			Evidence: []topology.Evidence{c.seen("routes"), {Source: announcing, At: c.Now, Field: "problems"}},
		}
		if !sure {
			f.Confidence = Low
			f.Detail = fmt.Sprintf("It is on, and listening to the LAN met with: %s.", c.deaf().words())
			f.Evidence[0] = c.seen("addresses")
		}
		return append(out, f)
	},
}

// words says what listening met with.
func (d deafness) words() string {
	switch {
	case d.denied:
		return "the system did not let it"
	case d.noRoute:
		return "multicast had no way out"
	case d.noMulticast:
		return "the system has no multicast to the LAN"
	}
	return "nobody was heard"
}

// pause says how to stop a VPN or to let it leave the LAN alone.
func pause(name string) string {
	switch lower := strings.ToLower(name); {
	case strings.HasPrefix(lower, "tailscale"):
		return "Let Tailscale leave the home alone: " + command("tailscale set --exit-node= --accept-routes=false") + "."
	case strings.HasPrefix(lower, "wg"):
		return fmt.Sprintf("Pause it: %s; or take the home's ranges out of its AllowedIPs.", command("sudo wg-quick down "+word(name)))
	}
	return "Pause the VPN, or turn on its setting that lets local network traffic pass (split tunneling)."
}

// lookAtMulticast is how to see where multicast goes.
func (h *Host) lookAtMulticast() string {
	group := netip.AddrFrom4([4]byte{224, 0, 0, 251}).String()
	switch h.System {
	case "linux":
		return command("ip route get " + group)
	case "windows":
		return command("Find-NetRoute -RemoteIPAddress " + group)
	}
	return command("route -n get " + group)
}

// lanName is the name of the first interface to a LAN.
func lanName(h *Host) string {
	if n := first(h.lans()); n != "" {
		return n
	}
	return "INTERFACE"
}
