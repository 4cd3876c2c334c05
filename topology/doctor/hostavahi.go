package doctor

import "threadmap/topology"

// avahiAlone finds an Avahi that is told to let no other program have UDP port
// 5353 beside it.
var avahiAlone = Rule{
	Name:  "avahi-alone",
	About: "Avahi lets no other program of this machine hear announcements",
	Find: func(c *Case) []Finding {
		if c.Host == nil {
			return nil
		}
		if a, known := c.Host.Avahi.Get(); !known || !a.DisallowOtherStacks {
			return nil
		}
		const file = "/etc/avahi/avahi-daemon.conf"
		return []Finding{{
			Severity: Warning, Confidence: High,
			Title:    "Avahi lets no other program of this machine hear announcements",
			Detail:   "It runs with disallow-other-stacks=yes, so it has UDP port 5353 for itself. A scan gets answers all the same, but threadmap discover --watch and Matter controllers on this machine don't hear devices that come and go.",
			NextStep: "To look: " + command("grep disallow-other-stacks "+file) + ". To mend: " + command("sudo sed -i 's/^disallow-other-stacks=yes/disallow-other-stacks=no/' "+file+" && sudo systemctl restart avahi-daemon") + ".",
			Evidence: []topology.Evidence{c.seen("avahi-daemon.conf")},
		}}
	},
}
