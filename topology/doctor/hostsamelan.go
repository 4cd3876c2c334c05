package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"threadmap/topology"
)

// severalInterfaces finds machines that are on one LAN twice, by cable and by
// Wi-Fi say: what is asked by one way may be answered by the other.
var severalInterfaces = Rule{
	Name:  "several-interfaces",
	About: "two interfaces of this machine on one LAN",
	Find: func(c *Case) []Finding {
		if c.Host == nil || c.boxed() {
			return nil
		}
		lans := c.Host.lans()
		on := map[netip.Prefix][]*HostInterface{}
		var order []netip.Prefix
		for _, n := range lans {
			for _, p := range n.Prefixes {
				if p = p.Masked(); !shared(p) || slices.Contains(on[p], n) {
					continue
				}
				if on[p] = append(on[p], n); len(on[p]) == 2 {
					order = append(order, p)
				}
			}
		}
		slices.SortFunc(order, netip.Prefix.Compare)
		var out []Finding
		told := map[string]bool{}
		for _, p := range order {
			names := ifaces(on[p])
			if told[names] || len(out) >= maxPrefixes {
				continue
			}
			told[names] = true
			off := on[p][len(on[p])-1]
			for _, n := range on[p] {
				if strings.HasPrefix(strings.ToLower(n.Name), "w") { // wlan0, wlp3s0, Wi-Fi
					off = n
				}
			}
			out = append(out, Finding{
				Severity: Info, Confidence: High,
				Title:    fmt.Sprintf("%s are on one LAN", names),
				Detail:   fmt.Sprintf("Each has an address in %s. Answers may come by the other way than questions go, and routes of border routers are there twice; some controllers stumble over that.", p),
				NextStep: fmt.Sprintf("If devices come and go, use one of them only: %s.", c.Host.turnOff(off.Name)),
				Evidence: []topology.Evidence{c.seen("addresses")},
			})
		}
		return out
	},
}

// turnOff is how to turn an interface off.
func (h *Host) turnOff(name string) string {
	switch h.System {
	case "windows":
		return command(`Disable-NetAdapter -Name "`+name+`"`) + ", as administrator; " + command("Get-NetIPAddress") + " shows the addresses"
	case "linux":
		if slices.Contains(h.Managers, "NetworkManager") {
			return command("nmcli device disconnect "+word(name)) + "; " + command("ip addr") + " shows the addresses"
		}
		return command("sudo ip link set "+word(name)+" down") + "; " + command("ip addr") + " shows the addresses"
	}
	return command("sudo ifconfig "+word(name)+" down") + "; " + command("ifconfig") + " shows the addresses"
}
