package doctor

import (
	"fmt"
	"slices"
	"strings"

	"threadmap/topology"
)

// routerAdvertisements finds settings of Linux that keep the routes which border
// routers announce (RFC 4191) out, on a machine that lacks such a route. Where it
// has one, by whatever means, the settings do no harm.
var routerAdvertisements = Rule{
	Name:  "router-advertisements",
	About: "settings of this machine that keep out the routes which border routers announce",
	Find: func(c *Case) []Finding {
		var in []stranded
		var near []*HostInterface
		for _, s := range c.x.stranded {
			if bad := c.ignoring(s); bad != nil {
				in = append(in, s)
				for _, n := range bad {
					if !slices.Contains(near, n) {
						near = append(near, n)
					}
				}
			}
		}
		if in == nil {
			return nil
		}
		f := Finding{
			Severity: Error, Confidence: High,
			Title:    fmt.Sprintf("This machine ignores the routes that border routers announce on %s", ifaces(near)),
			Nodes:    bordersOf(in),
			NextStep: c.acceptAdvertisements(near[0]),
		}
		manager := c.Host.manager(near[0])
		var words []string
		for _, n := range near {
			words = append(words, n.ignores())
		}
		f.Detail = fmt.Sprintf("%s. No route of its own leads to %s of %s.", capital(list(words)), prefixesOf(in), networksOf(in))
		if manager != "" {
			f.Confidence = Medium
			f.Detail += fmt.Sprintf(" That is so where %s takes announcements in the kernel's stead, but it has not set the route.", manager)
		} else if !slices.ContainsFunc(in, func(s stranded) bool { return s.none }) {
			f.Severity = Warning
		}
		f.Evidence = append([]topology.Evidence{c.seen("IPv6 routes"), c.seen("IPv6 settings")}, evidenceOf(f.Nodes...)...)
		return []Finding{f}
	},
}

// ignoring are the interfaces towards the border routers where they all ignore
// announced routes.
func (c *Case) ignoring(s stranded) []*HostInterface {
	if s.apart.IsValid() || len(s.near) == 0 {
		return nil
	}
	for _, n := range s.near {
		if n.ignores() == "" {
			return nil
		}
	}
	return s.near
}

// ignores says by which settings an interface ignores announced routes (ip-sysctl:
// accept_ra, accept_ra_rt_info_max_plen); "" where it does not, or they are
// unknown.
func (n *HostInterface) ignores() string {
	var why []string
	switch accept, known := n.AcceptRA.Get(); {
	case known && accept <= 0:
		why = append(why, fmt.Sprintf("accept_ra is %d", accept))
	case known && accept == 1 && n.Forwarding.Or(false):
		why = append(why, "accept_ra is 1 while forwarding is on, which turns it off")
	}
	if bits, known := n.RouteInfoMaxLen.Get(); known && bits < prefixBits {
		why = append(why, fmt.Sprintf("accept_ra_rt_info_max_plen is %d, though it must be %d", bits, prefixBits))
	}
	if why == nil {
		return ""
	}
	return "on " + n.Name + " " + strings.Join(why, ", and ")
}

// prefixBits is the length of the prefixes that border routers publish.
const prefixBits = 64

// manager is the program that may take announcements in the kernel's stead; it
// turns the kernel's own handling off. "" where none is there.
func (h *Host) manager(n *HostInterface) string {
	if len(h.Managers) == 0 || n.AcceptRA.Or(1) != 0 {
		return ""
	}
	return h.Managers[0]
}

// acceptAdvertisements says how to mend an interface.
func (c *Case) acceptAdvertisements(n *HostInterface) string {
	name := word(n.Name)
	switch c.Host.manager(n) {
	case "NetworkManager":
		return fmt.Sprintf("To look: %s. To mend: %s, and to keep it %s with the connection that the first names.", command("nmcli -f GENERAL.CONNECTION,IP6 device show "+name), command("sudo nmcli device modify "+name+" ipv6.method auto"), command("nmcli connection modify CONNECTION ipv6.method auto"))
	case "systemd-networkd":
		return fmt.Sprintf("To look: %s. To mend: write IPv6AcceptRA=yes under [Network] and UseRoutePrefix=yes under [IPv6AcceptRA] into its .network file, then %s.", command("networkctl status "+name), command("sudo networkctl reload"))
	}
	accept, longest := sysctl(n.Name, "accept_ra"), sysctl(n.Name, "accept_ra_rt_info_max_plen")
	value := 1
	if n.Forwarding.Or(false) {
		value = 2
	}
	look, mend := command("sysctl "+accept+" "+longest), command(fmt.Sprintf("sudo sysctl -w %s=%d %s=%d", accept, value, longest, prefixBits))
	if c.Host.manager(n) == "dhcpcd" {
		return fmt.Sprintf("To look: %s. To mend: write noipv6rs under interface %s into /etc/dhcpcd.conf, restart dhcpcd, then %s.", look, n.Name, mend)
	}
	return fmt.Sprintf("To look: %s. To mend: %s. Write both into /etc/sysctl.d/60-thread.conf to keep them; the route comes with the next announcement, within minutes.", look, mend)
}
