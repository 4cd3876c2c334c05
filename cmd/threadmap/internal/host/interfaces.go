package host

import (
	"cmp"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"threadmap/diag"
	"threadmap/topology/doctor"
)

// maxInterfaces bounds the interfaces that are looked at; a machine with many
// containers has hundreds, which reach no LAN.
const maxInterfaces = 256

// A nic is an interface as the system lists it.
type nic struct {
	name     string
	flags    net.Flags
	prefixes func() []netip.Prefix
}

// interfaces lists those of the system; nil: it does not say.
func interfaces() []nic {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	out := []nic{}
	for _, i := range all {
		out = append(out, nic{name: i.Name, flags: i.Flags, prefixes: func() []netip.Prefix { return prefixes(&i) }})
	}
	return out
}

// prefixes are the addresses of an interface; nil: the system does not say.
func prefixes(i *net.Interface) []netip.Prefix {
	addrs, err := i.Addrs()
	if err != nil {
		return nil
	}
	out := []netip.Prefix{}
	for _, a := range addrs[:min(len(addrs), maxEntries)] {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if addr, ok := netip.AddrFromSlice(n.IP); ok {
			ones, _ := n.Mask.Size()
			out = append(out, netip.PrefixFrom(addr.Unmap(), ones))
		}
	}
	return out
}

// interfaces are those that are up and, where they may have one, have a carrier.
func (m *machine) interfaces() []doctor.HostInterface {
	if m.nics == nil {
		return nil
	}
	out := []doctor.HostInterface{}
	for _, n := range m.nics {
		const up = net.FlagUp | net.FlagRunning
		if n.flags&up != up || len(out) >= maxInterfaces {
			continue
		}
		i := doctor.HostInterface{Name: n.name, Kind: m.kind(n), Multicast: n.flags&net.FlagMulticast != 0}
		// Listing addresses takes time, and those within the machine are of use only
		// where they are bridges.
		if !strings.HasPrefix(n.name, "veth") {
			i.Prefixes = n.prefixes()
		}
		if m.root != nil {
			i.IPv6Disabled, i.Forwarding = m.flag(n.name, "disable_ipv6"), m.flag(n.name, "forwarding")
			i.AcceptRA, i.RouteInfoMaxLen = m.number(n.name, "accept_ra"), m.number(n.name, "accept_ra_rt_info_max_plen")
		}
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b doctor.HostInterface) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// number is a setting net.ipv6.conf.NAME.KEY.
func (m *machine) number(name, key string) diag.Opt[int] {
	b, ok := read(m.root, "proc/sys/net/ipv6/conf/"+name+"/"+key)
	if !ok {
		return diag.Opt[int]{}
	}
	v, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 32)
	if err != nil {
		return diag.Opt[int]{}
	}
	return diag.Some(int(v))
}

func (m *machine) flag(name, key string) diag.Opt[bool] {
	v, known := m.number(name, key).Get()
	if !known {
		return diag.Opt[bool]{}
	}
	return diag.Some(v != 0)
}

// kind tells what is behind an interface: on Linux by what the kernel says of
// it, else, and where that is not enough, by the names that programs give.
func (m *machine) kind(n nic) doctor.InterfaceKind {
	name := strings.ToLower(n.name)
	switch {
	case n.flags&net.FlagLoopback != 0:
		return doctor.InterfaceLoopback
	case begins(name, threadNames):
		return doctor.InterfaceThread
	}
	if m.root != nil {
		if k, sure := kernelKind(m.root, n.name); sure {
			return k
		}
	}
	switch {
	case begins(name, tunnelNames[m.system]) || begins(name, tunnelNames[""]), n.flags&net.FlagPointToPoint != 0:
		return doctor.InterfaceTunnel
	case begins(name, insideNames[m.system]), m.system == "linux" && dockerBridge(name):
		return doctor.InterfaceInside
	}
	return doctor.InterfaceLAN
}

// kernelKind reads what Linux says of an interface: its hardware type
// (linux/if_arp.h) and its device type.
func kernelKind(root fs.FS, name string) (k doctor.InterfaceKind, sure bool) {
	dir := "sys/class/net/" + name + "/"
	if b, ok := read(root, dir+"uevent"); ok {
		if t, _ := setting(b, "DEVTYPE"); t == "wireguard" {
			return doctor.InterfaceTunnel, true
		}
	}
	if exists(root, dir+"tun_flags") {
		return doctor.InterfaceTunnel, true
	}
	b, _ := read(root, dir+"type")
	switch strings.TrimSpace(string(b)) {
	case "804", "805", "825": // IEEE 802.15.4, its monitor, 6LoWPAN
		return doctor.InterfaceThread, true
	case "512", "768", "769", "776", "778", "823", "65534": // PPP, tunnels, and what has no hardware
		return doctor.InterfaceTunnel, true
	}
	return "", false
}

// Names that programs give to interfaces, in lower case, by system; "" for all.
var (
	threadNames = []string{"wpan"} // OpenThread's
	tunnelNames = map[string][]string{
		"":        {"tun", "tap", "utun", "wg", "ppp", "tailscale", "zt", "nordlynx", "proton", "ipsec", "cloudflarewarp", "gpd"},
		"windows": {"wireguard", "openvpn", "zerotier", "cisco anyconnect", "pangp", "mullvad", "fortinet", "sslvpn", "vpn"},
	}
	insideNames = map[string][]string{
		"linux":   {"docker", "veth", "virbr", "vnet", "lxcbr", "lxdbr", "incusbr", "podman", "cni", "flannel", "cali", "cilium", "hassio", "kube"},
		"darwin":  {"awdl", "llw", "anpi", "ap", "bridge1", "vmnet", "vmenet"},
		"windows": {"vethernet (wsl", "vethernet (default switch", "virtualbox", "vmware", "vboxnet"},
	}
)

func begins(name string, with []string) bool {
	return slices.ContainsFunc(with, func(w string) bool { return strings.HasPrefix(name, w) })
}

// dockerBridge reports whether a name is one that Docker gives to the bridge of
// a network: "br-" and twelve hex digits.
func dockerBridge(name string) bool {
	id, is := strings.CutPrefix(name, "br-")
	return is && len(id) == 12 && strings.Trim(id, "0123456789abcdef") == ""
}
