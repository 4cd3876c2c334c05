package host

import (
	"encoding/xml"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"threadmap/diag"
	"threadmap/topology/doctor"
)

// mdnsPort is multicast DNS' (RFC 6762, section 3).
const mdnsPort = 5353

// firewalls lists the firewalls that are turned on, as far as files tell that
// everybody may read. The rules themselves only root can read.
func firewalls(root fs.FS) []doctor.HostFirewall {
	out := []doctor.HostFirewall{}
	enabled := entries(root, "etc/systemd/system/multi-user.target.wants")
	if b, ok := read(root, "etc/ufw/ufw.conf"); ok {
		if v, _ := setting(b, "ENABLED"); strings.EqualFold(v, "yes") {
			out = append(out, doctor.HostFirewall{Name: "ufw", MDNS: ufwMDNS(root)})
		}
	}
	if slices.Contains(enabled, "firewalld.service") {
		out = append(out, firewalld(root))
	}
	if slices.Contains(enabled, "nftables.service") || slices.Contains(entries(root, "etc/systemd/system/sysinit.target.wants"), "nftables.service") {
		if b, ok := read(root, "etc/nftables.conf"); ok {
			rules := comment.ReplaceAllString(string(b), "")
			if dropsInput.MatchString(rules) {
				f := doctor.HostFirewall{Name: "nftables"}
				if strings.Contains(rules, strconv.Itoa(mdnsPort)) || strings.Contains(rules, "mdns") {
					f.MDNS = diag.Some(true)
				}
				out = append(out, f)
			}
		}
	}
	return out
}

var (
	comment    = regexp.MustCompile(`(?m)#.*$`)
	dropsInput = regexp.MustCompile(`hook\s+input\s[^{}]*policy\s+drop`)
)

// ufwMDNS reads ufw's rules, where that is allowed. Those that it brings let
// multicast DNS in.
func ufwMDNS(root fs.FS) (open diag.Opt[bool]) {
	for _, name := range []string{"etc/ufw/before.rules", "etc/ufw/user.rules"} {
		b, ok := read(root, name)
		if !ok {
			continue
		}
		open = diag.Some(open.Or(false))
		ok = true
		for line := range lines(b, &ok) {
			if !strings.HasPrefix(line, "#") && strings.Contains(line, "--dport "+strconv.Itoa(mdnsPort)) && strings.HasSuffix(line, "ACCEPT") {
				open = diag.Some(true)
			}
		}
	}
	return open
}

// firewalld reads firewalld's default zone and what that lets in.
func firewalld(root fs.FS) doctor.HostFirewall {
	f := doctor.HostFirewall{Name: "firewalld"}
	b, ok := read(root, "etc/firewalld/firewalld.conf")
	if !ok {
		return f
	}
	zone, _ := setting(b, "DefaultZone")
	if zone == "" || len(zone) > 64 || !zoneName.MatchString(zone) {
		return f
	}
	f.Zone = zone
	for _, dir := range []string{"etc/firewalld/zones/", "usr/lib/firewalld/zones/"} { // the first counts
		b, ok := read(root, dir+zone+".xml")
		if !ok {
			continue
		}
		var z struct {
			Target   string `xml:"target,attr"`
			Services []struct {
				Name string `xml:"name,attr"`
			} `xml:"service"`
			Ports []struct {
				Port     string `xml:"port,attr"`
				Protocol string `xml:"protocol,attr"`
			} `xml:"port"`
		}
		if xml.Unmarshal(b, &z) != nil {
			return f
		}
		open := z.Target == "ACCEPT"
		for _, s := range z.Services {
			open = open || s.Name == "mdns"
		}
		for _, p := range z.Ports {
			open = open || p.Protocol == "udp" && covers(p.Port, mdnsPort)
		}
		f.MDNS = diag.Some(open)
		return f
	}
	return f
}

var zoneName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// covers reports whether "5353" or "1025-65535" has a port.
func covers(ports string, port uint64) bool {
	from, to, isRange := strings.Cut(ports, "-")
	if !isRange {
		to = from
	}
	a, err1 := strconv.ParseUint(from, 10, 16)
	b, err2 := strconv.ParseUint(to, 10, 16)
	return err1 == nil && err2 == nil && a <= port && port <= b
}
