package doctor

import (
	"fmt"

	"threadmap/topology"
)

// ipv6Off finds machines without IPv6 on any LAN: Thread devices speak nothing
// else.
var ipv6Off = Rule{
	Name:  "ipv6-off",
	About: "IPv6 is off on this machine",
	Find: func(c *Case) []Finding {
		off := c.ipv6Off()
		if off == nil {
			return nil
		}
		f := Finding{
			Severity: Error, Confidence: Medium,
			Title:    fmt.Sprintf("IPv6 is off on %s", ifaces(off)),
			Detail:   fmt.Sprintf("There is no IPv6 address on %s, not even a link-local one. Thread devices speak IPv6 only, so this machine reaches none of them.", ifaces(off)),
			Evidence: []topology.Evidence{c.seen("addresses")},
		}
		n := off[0]
		if n.IPv6Disabled.Or(false) {
			f.Confidence = High
			f.Evidence = append(f.Evidence, c.seen("IPv6 settings"))
		}
		switch c.Host.System {
		case "linux":
			setting := sysctl(n.Name, "disable_ipv6")
			f.NextStep = fmt.Sprintf("To look: %s; where it does not know that name, take ipv6.disable=1 out of the kernel's command line. To mend: %s, and look for the file in /etc/sysctl.d that sets it.", command("sysctl "+setting), command("sudo sysctl -w "+setting+"=0"))
			if len(c.Host.Managers) > 0 && c.Host.Managers[0] == "NetworkManager" {
				f.NextStep += fmt.Sprintf(" Then: %s.", command("sudo nmcli device modify "+word(n.Name)+" ipv6.method auto"))
			}
		case "windows":
			f.NextStep = fmt.Sprintf("To look: %s. To mend, as administrator: %s.", command(`Get-NetAdapterBinding -Name "`+n.Name+`" -ComponentID ms_tcpip6`), command(`Enable-NetAdapterBinding -Name "`+n.Name+`" -ComponentID ms_tcpip6`))
		case "darwin":
			f.NextStep = fmt.Sprintf("To look: %s names the service of %s. To mend: %s, with that name in the place of Wi-Fi.", command("networksetup -listallhardwareports"), n.Name, command("networksetup -setv6automatic Wi-Fi"))
		default:
			f.NextStep = fmt.Sprintf("To look: %s. Let the interface have IPv6 in the system's network settings.", command("ifconfig "+word(n.Name)))
		}
		return []Finding{f}
	},
}

// ipv6Off are the LANs' interfaces, where all lack IPv6.
func (c *Case) ipv6Off() []*HostInterface {
	if c.Host == nil || c.boxed() {
		return nil
	}
	lans := c.Host.lans()
	for _, n := range lans {
		if n.has6() {
			return nil
		}
	}
	return lans
}
