package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/discovery/mdns"
)

func pfx(words ...string) (out []netip.Prefix) {
	for _, w := range words {
		out = append(out, netip.MustParsePrefix(w))
	}
	return out
}

// omr is the prefix that the border routers of soundHome publish, by routes of
// 192.168.1.0/24.
var omr = netip.MustParsePrefix("fd11:22:33:44::/64")

func route(to, iface string, metric uint32) HostRoute {
	return HostRoute{To: netip.MustParsePrefix(to), Interface: iface, Metric: metric}
}

// soundMachine is a Linux machine on which all is well.
func soundMachine() *Host {
	return &Host{
		System: "linux", WSL: diag.Some(false), Container: diag.Some(""), Managers: []string{}, Firewalls: []HostFirewall{},
		Interfaces: []HostInterface{
			{Name: "eth0", Multicast: true, Prefixes: pfx("192.168.1.50/24", "fd12:3456:789a:1::50/64", "fe80::1/64"),
				IPv6Disabled: diag.Some(false), Forwarding: diag.Some(false), AcceptRA: diag.Some(1), RouteInfoMaxLen: diag.Some(64)},
			{Name: "lo", Kind: InterfaceLoopback, Prefixes: pfx("127.0.0.1/8", "::1/128")},
		},
		Routes: []HostRoute{
			{To: omr, Interface: "eth0", Metric: 1024, Gateway: netip.MustParseAddr("fe80::b042:ceff:fe20:6933")},
			route("fd12:3456:789a:1::/64", "eth0", 256), route("fe80::/64", "eth0", 256), route("ff00::/8", "eth0", 256),
		},
		Routes4: []HostRoute{route("0.0.0.0/0", "eth0", 0), route("192.168.1.0/24", "eth0", 0)},
		Ways:    []HostWay{{To: omr, Interface: "eth0"}},
	}
}

// on plants something in a sound machine.
func on(changes ...func(*Host)) func(*sick) {
	return func(s *sick) {
		s.host = soundMachine()
		for _, c := range changes {
			c(s.host)
		}
	}
}

func (h *Host) eth0() *HostInterface { return h.named("eth0") }

// unrouted takes the route to the mesh away.
func unrouted(h *Host) {
	h.Routes, h.Ways = h.Routes[1:], []HostWay{{To: omr, Unreachable: true}}
}

// byDefault leaves a default route.
func byDefault(h *Host) {
	h.Routes = append(h.Routes[1:], HostRoute{To: netip.MustParsePrefix("::/0"), Interface: "eth0", Metric: 1024, Gateway: netip.MustParseAddr("fe80::cafe")})
}

// apple makes it a Mac, on which routes are not read.
func apple(h *Host) {
	h.System, h.Routes, h.Routes4, h.Managers, h.Firewalls = "darwin", nil, nil, nil, nil
	h.WSL, h.Container = diag.Opt[bool]{}, diag.Opt[string]{}
	n := h.eth0()
	n.Name, n.IPv6Disabled, n.Forwarding, n.AcceptRA, n.RouteInfoMaxLen = "en0", diag.Opt[bool]{}, diag.Opt[bool]{}, diag.Opt[int]{}, diag.Opt[int]{}
	h.Ways = []HostWay{{To: omr, Interface: "en0"}}
}

// tunneled adds a VPN that takes all traffic.
func tunneled(h *Host) {
	h.Interfaces = append(h.Interfaces, HostInterface{Name: "tun0", Kind: InterfaceTunnel, Prefixes: pfx("10.8.0.2/24", "fd0a::2/64")})
	h.Routes = append(h.Routes, route("::/1", "tun0", 1024), route("8000::/1", "tun0", 1024))
	h.Routes4 = append(h.Routes4, route("0.0.0.0/1", "tun0", 0), route("128.0.0.0/1", "tun0", 0))
}

// boxed puts the machine into a network within another.
func boxed(addr string) func(*Host) {
	return func(h *Host) {
		h.eth0().Prefixes = pfx(addr)
		h.Routes, h.Ways = []HostRoute{}, []HostWay{{To: omr, Unreachable: true}}
	}
}

func docker(h *Host)  { h.Container = diag.Some("docker") }
func windows(h *Host) { h.WSL = diag.Some(true) }

// met is what listening to the LAN met with.
func met(reasons ...mdns.Reason) func(*sick) {
	return func(s *sick) {
		s.scan = func(scan *diag.Scan) {
			scan.Sources = append(scan.Sources, diag.SourceState{Name: "mdns", Via: "LAN", State: diag.StateFailed})
			for _, r := range reasons {
				scan.Problems = append(scan.Problems, diag.Problem{Source: "mdns", Target: "LAN", Stage: diag.StageAsk, Text: mdns.Problem{Reason: r}.Error()})
			}
		}
	}
}

// somebody is heard all the same.
func somebody(s *sick) {
	s.borderAnnounced(addressOf(1), s.node("Kitchen hub").BorderAgentID, "kitchen-hub", diag.Network{ExtPANID: home}, 0x1db1)
}

// borderAt tells an address of the kitchen hub.
func borderAt(addrs ...string) func(*sick) {
	return func(s *sick) {
		for _, a := range addrs {
			s.word("Kitchen hub").Addresses = append(s.word("Kitchen hub").Addresses, netip.MustParseAddr(a))
		}
	}
}

func walled(name, zone string, mdns diag.Opt[bool]) func(*Host) {
	return func(h *Host) { h.Firewalls = []HostFirewall{{Name: name, Zone: zone, MDNS: mdns}} }
}

// hostFaults are those of the machine. They are among the faults.
var hostFaults = []planted{
	{"a sound machine", "", nil, on()},
	{"a sound machine that is a Mac", "", nil, on(apple)},
	{"a sound machine with a VPN that leaves the home alone", "", nil, on(tunneled)},

	{"IPv6 is off", "ipv6-off", nil, on(unrouted, func(h *Host) {
		h.eth0().Prefixes, h.eth0().IPv6Disabled = pfx("192.168.1.50/24"), diag.Some(true)
	})},
	{"IPv6 is off on a Mac", "ipv6-off", nil, on(apple, func(h *Host) {
		h.Interfaces[0].Prefixes = pfx("192.168.1.50/24")
		h.Ways[0] = HostWay{To: omr, Unreachable: true}
	})},
	{"no route to the mesh", "no-route", nil, then(borderAt("192.168.1.20", "fe80::b042:ceff:fe20:6933"), on(unrouted))},
	{"no route to the mesh on a Mac", "no-route", nil, on(apple, func(h *Host) { h.Ways[0] = HostWay{To: omr, Unreachable: true} })},
	{"a route that refuses", "no-route", nil, on(func(h *Host) { h.Routes[0].Refused = true; h.Ways = nil })},
	{"only a default route", "no-route", nil, on(byDefault)},
	{"border routers on another LAN", "no-route", nil, then(borderAt("192.168.77.20"), on(unrouted))},
	{"the kernel's default settings", "router-advertisements", nil, on(unrouted, func(h *Host) { h.eth0().RouteInfoMaxLen = diag.Some(0) })},
	{"forwarding turns announcements off", "router-advertisements", nil, on(byDefault, func(h *Host) { h.eth0().Forwarding = diag.Some(true) })},
	{"NetworkManager without IPv6", "router-advertisements", nil, on(unrouted, func(h *Host) { h.eth0().AcceptRA, h.Managers = diag.Some(0), []string{"NetworkManager"} })},
	{"a VPN has the route to the mesh", "vpn", nil, on(tunneled, func(h *Host) {
		h.Routes = append(h.Routes, HostRoute{To: omr, Interface: "tun0", Metric: 50})
		h.Ways[0].Interface = "tun0"
	})},
	{"a VPN that takes all by a table of its own", "vpn", nil, on(tunneled, func(h *Host) { h.Routes = h.Routes[1:]; h.Ways[0].Interface = "tun0" })},
	{"a VPN, and nobody is heard", "vpn", nil, then(on(tunneled), met(mdns.Silence))},
	{"a VPN on a Mac, and multicast has no way", "vpn", nil, then(on(apple, func(h *Host) {
		h.Interfaces = append(h.Interfaces, HostInterface{Name: "utun4", Kind: InterfaceTunnel, Prefixes: pfx("10.8.0.2/32")})
	}), met(mdns.NoRoute))},
	{"firewalld, and nobody is heard", "firewall", nil, then(on(walled("firewalld", "public", diag.Some(false))), met(mdns.Silence))},
	{"ufw, and nobody is heard", "firewall", nil, then(on(walled("ufw", "", diag.Opt[bool]{})), met(mdns.Silence))},
	{"a firewall refuses", "firewall", nil, then(on(), met(mdns.Denied))},
	{"a container of its own network", "container-network", nil, then(on(docker, boxed("172.17.0.2/16")), met(mdns.Silence))},
	{"a container that asks across", "container-network", nil, then(somebody, on(docker, boxed("172.17.0.2/16")))},
	{"a container whose network has no multicast", "container-network", nil, then(on(docker), met(mdns.NoMulticast))},
	{"WSL", "wsl-network", nil, then(on(windows, boxed("172.29.112.5/20")), met(mdns.Silence))},
	{"macOS refuses", "local-network-privacy", nil, then(on(apple), met(mdns.Denied))},
	{"nobody is heard", "client-isolation", nil, then(on(), met(mdns.Silence))},
	{"nobody is heard, and border routers are elsewhere", "client-isolation", nil, then(borderAt("192.168.77.20"), on(), met(mdns.Silence))},
	{"Avahi for itself", "avahi-alone", nil, on(func(h *Host) { h.Avahi = diag.Some(HostAvahi{DisallowOtherStacks: true}) })},
	{"cable and Wi-Fi at once", "several-interfaces", nil, on(func(h *Host) {
		h.Interfaces = append(h.Interfaces, HostInterface{Name: "wlan0", Multicast: true, Prefixes: pfx("192.168.1.51/24", "fd12:3456:789a:1::51/64", "fe80::2/64")})
	})},
}

var hostParts = map[string]threeParts{
	"ipv6-off": {
		[]planted{{what: "a link-local address is one", after: on(func(h *Host) { h.eth0().Prefixes = pfx("192.168.1.50/24", "fe80::1/64") })},
			{what: "off on the loopback interface", after: on(func(h *Host) { h.named("lo").Prefixes = pfx("127.0.0.1/8") })},
			but("IPv6 is off", "but on one of two", func(s *sick) {
				s.host.Interfaces = append(s.host.Interfaces, HostInterface{Name: "wlan0", Multicast: true, Prefixes: pfx("192.168.1.51/24", "fe80::2/64")})
			})},
		[]planted{but("IPv6 is off", "and addresses can't be read", func(s *sick) { s.host.eth0().Prefixes = nil }),
			but("IPv6 is off", "and the machine was not looked at", func(s *sick) { s.host = nil })},
	},
	"no-route": {
		[]planted{but("no route to the mesh", "but there is one of half the length", func(s *sick) {
			s.host.Routes = append(s.host.Routes, route("fd11:22::/32", "eth0", 1))
			s.host.Ways = nil
		}),
			but("only a default route", "but to a border router", borderAt("fe80::cafe")),
			but("only a default route", "but the prefix is a delegated one", func(s *sick) {
				for i := range s.reports {
					if s.reports[i].Network.OMRPrefixes != nil {
						s.reports[i].Network.OMRPrefixes = pfx("2001:db8:1:2::/64")
					}
				}
			}),
			{what: "the machine is a border router", after: on(func(h *Host) { h.Routes[0].Interface = "wpan0"; h.Ways[0].Interface = "wpan0" })}},
		[]planted{but("no route to the mesh", "and nobody publishes a prefix", eachTold(func(r *diag.Report) { r.Network.OMRPrefixes = nil })),
			but("no route to the mesh", "and routes can't be read", func(s *sick) { s.host.Routes, s.host.Ways = nil, nil }),
			but("no route to the mesh", "an hour ago", eachTold(old)),
			but("only a default route", "which may be one to the mesh", func(s *sick) { s.host.Routes = nil }),
			but("no route to the mesh", "but the system has one in a table that was not read", func(s *sick) { s.host.Ways[0].Unreachable = false }),
			but("no route to the mesh", "and the machine was not looked at", func(s *sick) { s.host = nil })},
	},
	"router-advertisements": {
		[]planted{{what: "settings of old with a route by hand", after: on(func(h *Host) { h.eth0().AcceptRA, h.eth0().RouteInfoMaxLen = diag.Some(0), diag.Some(0) })},
			but("forwarding turns announcements off", "but for 2, which takes them nevertheless", func(s *sick) { s.host.eth0().AcceptRA = diag.Some(2) }),
			but("the kernel's default settings", "on the LAN without border routers", then(borderAt("10.1.1.1"), func(s *sick) {
				s.host.Interfaces = append(s.host.Interfaces, HostInterface{Name: "eth1", Multicast: true, Prefixes: pfx("10.1.1.50/24", "fe80::9/64"), AcceptRA: diag.Some(1), RouteInfoMaxLen: diag.Some(64)})
			}))},
		[]planted{but("the kernel's default settings", "which were not read", func(s *sick) { s.host.eth0().RouteInfoMaxLen = diag.Opt[int]{} }),
			but("the kernel's default settings", "and routes were not read", func(s *sick) { s.host.Routes, s.host.Ways = nil, nil }),
			but("the kernel's default settings", "of another LAN than theirs", borderAt("192.168.77.20"))},
	},
	"vpn": {
		[]planted{{what: "a VPN that leaves the home alone", after: on(tunneled)},
			but("a VPN, and nobody is heard", "but for one", somebody),
			but("a VPN on a Mac, and multicast has no way", "but it is a network over the LAN", func(s *sick) { s.host.Interfaces[2].Prefixes = pfx("100.101.1.2/32") })},
		[]planted{but("a VPN, and nobody is heard", "and whose routes are not known", func(s *sick) { s.host.Routes, s.host.Routes4, s.host.Interfaces[2].Prefixes = nil, nil, nil }),
			{what: "a VPN that takes all by a table of its own, and nobody asked the system", after: on(tunneled, func(h *Host) { h.Routes, h.Ways = nil, nil })},
			but("a VPN, and nobody is heard", "nor listened to", func(s *sick) { s.scan = nil })},
	},
	"firewall": {
		[]planted{but("firewalld, and nobody is heard", "though it lets them in", func(s *sick) { s.host.Firewalls[0].MDNS = diag.Some(true) }),
			but("firewalld, and nobody is heard", "but for one", somebody)},
		[]planted{but("firewalld, and nobody is heard", "and firewalls were not looked for", func(s *sick) { s.host.Firewalls = nil }),
			but("firewalld, and nobody is heard", "nor listened to", func(s *sick) { s.scan = nil })},
	},
	"container-network": {
		[]planted{{what: "a container with the host's network", after: then(on(docker, boxed("172.17.0.2/16"), func(h *Host) {
			h.Interfaces = append(h.Interfaces, HostInterface{Name: "docker0", Kind: InterfaceInside, Prefixes: pfx("172.17.0.1/16")})
		}), met(mdns.Silence))},
			{what: "a container with an address of the LAN", after: then(on(docker), met(mdns.Silence))},
			{what: "LXC, on the LAN", after: then(on(boxed("172.17.0.2/16"), func(h *Host) { h.Container = diag.Some("lxc") }), met(mdns.Silence))}},
		[]planted{but("a container of its own network", "if it is one", func(s *sick) { s.host.Container = diag.Opt[string]{} }),
			{what: "a container of its own network that did not listen, of a mesh without prefixes", after: then(on(docker, boxed("172.17.0.2/16")), eachTold(func(r *diag.Report) { r.Network.OMRPrefixes = nil }))}},
	},
	"wsl-network": {
		[]planted{but("WSL", "with the interfaces of Windows", func(s *sick) { s.host.Interfaces = append(s.host.Interfaces, HostInterface{Name: "loopback0"}) }),
			but("WSL", "bridged to the LAN", func(s *sick) { s.host.eth0().Prefixes = pfx("192.168.1.50/24", "fe80::1/64") })},
		[]planted{but("WSL", "if it is that", func(s *sick) { s.host.WSL = diag.Opt[bool]{} }),
			but("WSL", "which did not listen, of a mesh without prefixes", then(func(s *sick) { s.scan = nil }, eachTold(func(r *diag.Report) { r.Network.OMRPrefixes = nil })))},
	},
	"local-network-privacy": {
		[]planted{but("macOS refuses", "but somebody is heard", somebody), but("a firewall refuses", "which is no macOS", func(*sick) {})},
		[]planted{{what: "macOS, and nobody is heard", after: then(on(apple), met(mdns.Silence))}, but("macOS refuses", "and the machine was not looked at", func(s *sick) { s.host = nil })},
	},
	"client-isolation": {
		[]planted{but("nobody is heard", "but for one", somebody), but("firewalld, and nobody is heard", "", func(*sick) {}), but("a VPN, and nobody is heard", "", func(*sick) {})},
		[]planted{but("nobody is heard", "nor listened to", func(s *sick) { s.scan = nil }),
			but("nobody is heard", "and there is no LAN", func(s *sick) { s.host.Interfaces = s.host.Interfaces[1:] }),
			but("nobody is heard", "and the machine was not looked at", func(s *sick) { s.host = nil })},
	},
	"avahi-alone": {
		[]planted{but("Avahi for itself", "as it is not", func(s *sick) { s.host.Avahi = diag.Some(HostAvahi{}) })},
		[]planted{but("Avahi for itself", "if it runs", func(s *sick) { s.host.Avahi = diag.Opt[HostAvahi]{} })},
	},
	"several-interfaces": {
		[]planted{but("cable and Wi-Fi at once", "on two LANs", func(s *sick) { s.host.Interfaces[2].Prefixes = pfx("192.168.2.51/24", "fe80::2/64") }),
			but("cable and Wi-Fi at once", "but one is a bridge for containers", func(s *sick) { s.host.Interfaces[2].Kind = InterfaceInside }),
			{what: "two addresses of one interface", after: on(func(h *Host) { h.eth0().Prefixes = append(h.eth0().Prefixes, pfx("192.168.1.60/24")...) })}},
		[]planted{but("cable and Wi-Fi at once", "with lengths that are not known", func(s *sick) {
			s.host.eth0().Prefixes, s.host.Interfaces[2].Prefixes = pfx("192.168.1.50/32"), pfx("192.168.1.51/32")
		})},
	},
}

// TestOneTroubleOneRule: of a machine's trouble one rule speaks, the one that was
// planted.
func TestOneTroubleOneRule(t *testing.T) {
	for _, p := range hostFaults {
		var rules []string
		for _, f := range Examine(plant(p).caseOf()) {
			if !slices.Contains(rules, f.Rule) {
				rules = append(rules, f.Rule)
			}
		}
		want := []string{p.rule}
		if p.rule == "" {
			want = nil
		}
		if !slices.Equal(rules, want) {
			t.Errorf("%s: %q speak, want %q", p.what, rules, want)
		}
	}
}

// TestCommandsAreWords: a name that an interface got from somebody does not become
// a part of a command.
func TestCommandsAreWords(t *testing.T) {
	const name = "e;rm -r ~'$(x)"
	s := plant(planted{after: on(unrouted, func(h *Host) { h.eth0().Name = name; h.named(name).RouteInfoMaxLen = diag.Some(0) })})
	found := Examine(s.caseOf())
	if len(found) != 1 || found[0].Rule != "router-advertisements" {
		t.Fatalf("%+v", found)
	}
	if next := found[0].NextStep; strings.Contains(strings.ReplaceAll(next, `'\''`, ""), "-w net.ipv6.conf."+name) || !strings.Contains(next, `'net.ipv6.conf.e;rm -r ~'\''$(x).accept_ra'`) {
		t.Errorf("not quoted: %s", next)
	}
	for in, want := range map[string]string{"eth0": "net.ipv6.conf.eth0.accept_ra", "eth0.100": "net/ipv6/conf/eth0.100/accept_ra"} {
		if got := sysctl(in, "accept_ra"); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestOddMachines: no machine makes the rules panic or talk without end.
func TestOddMachines(t *testing.T) {
	many := &Host{System: "plan9", Routes: []HostRoute{}, Routes4: []HostRoute{}, Ways: []HostWay{{}, {To: omr}}}
	for range 300 {
		many.Interfaces = append(many.Interfaces, HostInterface{Name: "", Multicast: true, Prefixes: append(pfx("192.168.1.1/24", "::/0", "0.0.0.0/0", "fe80::1/64"), netip.Prefix{})},
			HostInterface{Kind: InterfaceTunnel, Prefixes: []netip.Prefix{{}}})
		many.Routes = append(many.Routes, HostRoute{}, route("::/0", "", 0))
		many.Routes4 = append(many.Routes4, HostRoute{}, route("0.0.0.0/0", "x", 0))
	}
	for _, h := range []*Host{{}, {System: "linux", Interfaces: []HostInterface{{}}, Firewalls: []HostFirewall{{}}}, many} {
		for _, m := range append(mdnsReasons, "") {
			s := plant(planted{after: then(borderAt("192.168.77.20", "::ffff:192.168.1.9"), met(m))})
			s.host = h
			s.reports[0].Network.OMRPrefixes = append(pfx("::/0", "fd11:22:33:44::/64"), netip.Prefix{})
			for _, f := range Examine(s.caseOf()) {
				if len(f.Title)+len(f.Detail)+len(f.NextStep) > 4000 {
					t.Errorf("%s talks too much: %s", f.Rule, f.Title)
				}
			}
		}
	}
}

var mdnsReasons = []mdns.Reason{mdns.Denied, mdns.NoRoute, mdns.NoMulticast, mdns.Silence, mdns.PortTaken, mdns.SocketFailed}
