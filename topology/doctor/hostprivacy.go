package doctor

import "threadmap/topology"

// localNetworkPrivacy finds macOS keeping programs off the LAN that the user did
// not allow. The system answers them as if there were no route.
var localNetworkPrivacy = Rule{
	Name:  "local-network-privacy",
	About: "macOS does not let this program use the local network",
	Find: func(c *Case) []Finding {
		if c.silence() != causePrivacy {
			return nil
		}
		return []Finding{{
			Severity: Error, Confidence: Medium,
			Title:    "macOS seems not to let this program use the local network",
			Detail:   "All that was sent to the LAN was refused, as macOS does for programs whose user has not allowed it.",
			NextStep: "To look and to mend: System Settings, Privacy & Security, Local Network; turn it on for the terminal that runs threadmap, and start that terminal anew. Programs in Apple's own Terminal need no such permission, so a scan from there tells whether this is the cause; else it may be a VPN, which " + command("scutil --nwi") + " shows.",
			Evidence: []topology.Evidence{c.seen("system"), {Source: announcing, At: c.Now, Field: "problems"}},
		}}
	},
}
