package doctor

import (
	"fmt"

	"threadmap/topology"
)

// firewall finds firewalls of the machine that keep multicast DNS (UDP port 5353,
// RFC 6762) out. A firewall that is on is no trouble while devices are heard.
var firewall = Rule{
	Name:  "firewall",
	About: "a firewall of this machine that keeps the devices' announcements out",
	Find: func(c *Case) []Finding {
		if c.silence() != causeFirewall {
			return nil
		}
		f := Finding{
			Severity: Warning, Confidence: Medium,
			Title:    "A firewall of this machine may keep the devices' announcements out",
			Evidence: []topology.Evidence{{Source: announcing, At: c.Now, Field: "problems"}},
		}
		closed := c.Host.closedFirewalls()
		name, zone := "", ""
		if len(closed) > 0 {
			name, zone = closed[0].Name, closed[0].Zone
			f.Detail = fmt.Sprintf("The firewall %s is on, and nobody was heard.", name)
			if zone != "" {
				f.Detail = fmt.Sprintf("The firewall %s is on, with the zone %s, and nobody was heard.", name, zone)
			}
			f.Evidence = append(f.Evidence, c.seen("firewall"))
			if name == "ufw" { // its usual rules let multicast DNS in
				f.Confidence = Low
			}
		}
		if c.deaf().denied {
			f.Severity, f.Confidence = Error, Medium
			f.Title = "This machine does not let threadmap ask the LAN"
			f.Detail = "The system refused to send or to listen on UDP port 5353, as a firewall makes it do, or a sandbox such as a snap's."
			if name != "" {
				f.Confidence = High
				f.Detail = fmt.Sprintf("The system refused to send or to listen on UDP port 5353, and %s is on.", name)
			}
		}
		f.NextStep = c.Host.openFirewall(name, zone)
		return []Finding{f}
	},
}

// openFirewall says how to let multicast DNS pass a firewall.
func (h *Host) openFirewall(name, zone string) string {
	look, mend := "", ""
	switch {
	case name == "ufw":
		look, mend = command("sudo ufw status verbose"), command("sudo ufw allow 5353/udp")
	case name == "firewalld":
		if zone != "" {
			zone = " --zone=" + word(zone)
		}
		look, mend = command("sudo firewall-cmd --get-active-zones"), command("sudo firewall-cmd --permanent"+zone+" --add-service=mdns && sudo firewall-cmd --reload")
	case name == "nftables":
		look, mend = command("sudo nft list ruleset"), command("sudo nft insert rule inet filter input udp dport 5353 accept")+", and the same rule in /etc/nftables.conf to keep it"
	case h.System == "linux":
		look = command("sudo nft list ruleset") + " and " + command("sudo iptables -S")
		mend = "let UDP port 5353 in and out: " + command("sudo iptables -I INPUT -p udp --dport 5353 -j ACCEPT") + ", " + command("sudo iptables -I OUTPUT -p udp --dport 5353 -j ACCEPT") + ", and both with ip6tables"
	case h.System == "windows":
		look = command("Get-NetFirewallProfile") + ", and whether an antivirus program has a firewall of its own"
		mend = "as administrator " + command("New-NetFirewallRule -DisplayName threadmap -Direction Inbound -Protocol UDP -LocalPort 5353 -Action Allow")
	default:
		look, mend = command("sudo pfctl -s rules"), "let UDP port 5353 in and out"
	}
	return "To look: " + look + ". To mend: " + mend + "."
}
