package doctor

import (
	"net/netip"
	"strings"
)

// command marks what a person can type, so that no full stop becomes a part of it.
func command(words string) string { return "`" + words + "`" }

// word makes a name one word of a shell's command.
func word(name string) string {
	if name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@/=") == "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// sysctl is the name of a setting of an interface. Where the interface's name
// has a dot, slashes must part the others (sysctl.d).
func sysctl(iface, key string) string {
	if strings.Contains(iface, ".") {
		return word("net/ipv6/conf/" + iface + "/" + key)
	}
	return word("net.ipv6.conf." + iface + "." + key)
}

// lookAtWay is how to see the way to an address.
func (h *Host) lookAtWay(a netip.Addr) string {
	switch h.System {
	case "linux":
		return command("ip -6 route get " + a.String())
	case "windows":
		return command("Find-NetRoute -RemoteIPAddress " + a.String())
	}
	return command("route -n get -inet6 " + a.String())
}

// addRoute is the command that adds a route by hand.
func (h *Host) addRoute(to netip.Prefix, via netip.Addr, iface string) string {
	gateway := "FE80-ADDRESS"
	if via.IsValid() {
		gateway = via.String()
	}
	if iface == "" {
		iface = "INTERFACE"
	}
	switch h.System {
	case "linux":
		return command("sudo ip -6 route add " + to.String() + " via " + gateway + " dev " + word(iface))
	case "windows":
		return command("netsh interface ipv6 add route " + to.String() + ` "` + iface + `" ` + gateway)
	}
	return command("sudo route -n add -inet6 " + to.String() + " " + gateway + "%" + word(iface))
}

// inPrefix is an address of the prefix to ask for.
func inPrefix(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As16()
	b[15] |= 1
	return netip.AddrFrom16(b)
}

// ifaces names interfaces: "eth0 and wlan0".
func ifaces(of []*HostInterface) string {
	var out []string
	for _, n := range of {
		out = append(out, n.Name)
	}
	return list(out)
}

// first is the name of the first interface, "" for none.
func first(of []*HostInterface) string {
	if len(of) == 0 {
		return ""
	}
	return of[0].Name
}
