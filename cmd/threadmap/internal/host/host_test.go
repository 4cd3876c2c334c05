package host

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"threadmap/diag"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// Optional values and addresses are compared by what they print.
var printed = cmp.Transformer("printed", func(v interface{ String() string }) string { return v.String() })

func tree(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return out
}

// recorded is a machine's tree of files.
func recorded(t testing.TB, name string) fstest.MapFS {
	t.Helper()
	a, err := txtar.ParseFile(path.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	return tree(files)
}

func pfx(words ...string) []netip.Prefix {
	out := []netip.Prefix{}
	for _, w := range words {
		out = append(out, netip.MustParsePrefix(w))
	}
	return out
}

const lan = net.FlagUp | net.FlagRunning | net.FlagBroadcast | net.FlagMulticast

func card(name string, flags net.Flags, addrs ...string) nic {
	return nic{name: name, flags: flags, prefixes: func() []netip.Prefix { return pfx(addrs...) }}
}

// omr is the prefix that the recorded machines were told of.
var omr = netip.MustParsePrefix("fd11:22:33:44::/64")

// machineOf puts a recorded tree behind the interfaces that it had.
func machineOf(t testing.TB, name string) *machine {
	m := &machine{system: "linux", root: recorded(t, name), nics: []nic{
		card("lo", net.FlagUp|net.FlagRunning|net.FlagLoopback, "127.0.0.1/8", "::1/128"),
		card("eth0", lan, "192.168.1.50/24", "fd12:3456:789a:1:34ea:8eff:fedc:4543/64", "fe80::34ea:8eff:fedc:4543/64"),
	}}
	switch name {
	case "vpn":
		m.nics = append(m.nics, card("tun0", net.FlagUp|net.FlagRunning|net.FlagPointToPoint|net.FlagMulticast, "10.8.0.2/24", "fd0a::2/64"))
	case "forwarding":
		m.nics = append(m.nics, card("docker0", lan, "172.17.0.1/16", "fe80::f441:87ff:fe88:df2c/64"))
	case "no-ipv6":
		m.nics[1] = card("eth0", lan, "192.168.1.50/24")
	}
	return m
}

// scanned is a scan of a home whose border router publishes omr.
func scanned() *diag.Scan {
	at := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	return &diag.Scan{From: at, To: at, Complete: true, Reports: []diag.Report{{
		Source: "otbr", At: at, Own: []diag.AddrClaim{{ExtAddr: 0x0e11_2233_4455_6677, Witness: diag.WitnessDiagnostic}}, BorderRouter: diag.Some(true),
		Names: []diag.Name{{Value: "Hub", Kind: diag.NameHome}}, Role: diag.RoleLeader, RLOC16: diag.RouterRLOC16(1), Transport: diag.TransportThread,
		Addresses: []netip.Addr{netip.MustParseAddr("192.168.1.20")}, Network: diag.Network{ExtPANID: 1, Name: "MyHome", OMRPrefixes: []netip.Prefix{omr}},
	}}}
}

// TestRecordedMachines: what the doctor says of machines whose kernel was in that
// state, from its files to the finding.
func TestRecordedMachines(t *testing.T) {
	scan := scanned()
	m := topology.Build(scan.Reports)
	if got := doctor.Prefixes(m); !slices.Equal(got, []netip.Prefix{omr}) {
		t.Fatalf("the prefixes to ask for: %v", got)
	}
	for name, want := range map[string]string{
		"lan": "", "default-settings": "router-advertisements", "forwarding": "router-advertisements", "vpn": "vpn", "no-ipv6": "ipv6-off",
	} {
		var rules []string
		for _, f := range doctor.Examine(doctor.New(m, scan, machineOf(t, name).look(doctor.Prefixes(m)))) {
			t.Logf("%s: %s: %s. %s %s", name, f.Rule, f.Title, f.Detail, f.NextStep)
			rules = append(rules, f.Rule)
		}
		if got := strings.Join(rules, " "); got != want {
			t.Errorf("%s: %q speak, want %q", name, got, want)
		}
	}
}

func TestLook(t *testing.T) {
	m := machineOf(t, "vpn")
	asked := []netip.Addr{}
	m.wayTo = func(a netip.Addr) (answer, bool) {
		asked = append(asked, a)
		return answer{from: netip.MustParseAddr("fd0a::2")}, true
	}
	h := m.look([]netip.Prefix{omr, {}, netip.MustParsePrefix("ff02::/16"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fe80::/64")})
	gateway := netip.MustParseAddr("fe80::b042:ceff:fe20:6933")
	want := &doctor.Host{
		System: "linux", WSL: diag.Some(false), Container: diag.Some(""), Managers: []string{}, Firewalls: []doctor.HostFirewall{},
		Ways: []doctor.HostWay{{To: omr, Interface: "tun0"}},
		Interfaces: []doctor.HostInterface{
			{Name: "eth0", Multicast: true, Prefixes: m.nics[1].prefixes(), IPv6Disabled: diag.Some(false), Forwarding: diag.Some(false), AcceptRA: diag.Some(1), RouteInfoMaxLen: diag.Some(64)},
			{Name: "lo", Kind: doctor.InterfaceLoopback, Prefixes: m.nics[0].prefixes(), IPv6Disabled: diag.Some(false), Forwarding: diag.Some(false), AcceptRA: diag.Some(1), RouteInfoMaxLen: diag.Some(0)},
			{Name: "tun0", Kind: doctor.InterfaceTunnel, Multicast: true, Prefixes: m.nics[2].prefixes(), IPv6Disabled: diag.Some(false), Forwarding: diag.Some(false), AcceptRA: diag.Some(1), RouteInfoMaxLen: diag.Some(0)},
		},
		Routes: []doctor.HostRoute{
			{To: netip.MustParsePrefix("::/1"), Interface: "tun0", Metric: 1024},
			{To: netip.MustParsePrefix("fd0a::/64"), Interface: "tun0", Metric: 256},
			{To: omr, Interface: "tun0", Metric: 50},
			{To: omr, Interface: "eth0", Metric: 1024, Gateway: gateway},
			{To: netip.MustParsePrefix("fd12:3456:789a:1::/64"), Interface: "eth0", Metric: 256},
			{To: netip.MustParsePrefix("fd99::/16"), Interface: "lo", Metric: 1024, Refused: true},
			{To: netip.MustParsePrefix("fe80::/64"), Interface: "eth0", Metric: 256},
			{To: netip.MustParsePrefix("8000::/1"), Interface: "tun0", Metric: 1024},
			{To: netip.MustParsePrefix("::/0"), Interface: "eth0", Metric: 1024, Gateway: gateway},
			{To: netip.MustParsePrefix("ff00::/8"), Interface: "eth0", Metric: 256},
			{To: netip.MustParsePrefix("ff00::/8"), Interface: "tun0", Metric: 256},
		},
		Routes4: []doctor.HostRoute{
			{To: netip.MustParsePrefix("0.0.0.0/1"), Interface: "tun0"},
			{To: netip.MustParsePrefix("0.0.0.0/0"), Interface: "eth0", Gateway: netip.MustParseAddr("192.168.1.1")},
			{To: netip.MustParsePrefix("10.8.0.0/24"), Interface: "tun0"},
			{To: netip.MustParsePrefix("128.0.0.0/1"), Interface: "tun0"},
			{To: netip.MustParsePrefix("192.168.1.0/24"), Interface: "eth0"},
			{To: netip.MustParsePrefix("224.0.0.0/4"), Interface: "tun0"},
		},
	}
	if d := cmp.Diff(want, h, printed); d != "" {
		t.Error(d)
	}
	if want := []netip.Addr{netip.MustParseAddr("fd11:22:33:44::1")}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
}

// TestNothingIsKnown: what can't be read is unknown, never empty.
func TestNothingIsKnown(t *testing.T) {
	for what, m := range map[string]*machine{
		"a Mac":           {system: "darwin"},
		"no files at all": {system: "linux", root: fstest.MapFS{}},
		"folders instead of files": {system: "linux", root: tree(map[string]string{
			"proc/net/ipv6_route/x": "", "proc/net/route/x": "", "proc/sys/kernel/osrelease/x": "", "proc/version/x": "",
		})},
		"routes that are none": {system: "linux", root: tree(map[string]string{"proc/net/ipv6_route": "fd11 40\n", "proc/net/route": "eth0 zz\n"})},
		"more routes than a home has": {system: "linux", root: tree(map[string]string{
			"proc/net/ipv6_route": strings.Repeat("fd110022003300440000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000032 00000001 00000000 00000001 a\n", maxRoutes+1),
			"proc/net/route":      strings.Repeat("tun0 00000000 00000000 0001 0 0 0 00000080 0 0 0\n", maxRoutes+1),
		})},
		"a line without end": {system: "linux", root: tree(map[string]string{"proc/net/ipv6_route": strings.Repeat("f", maxFile), "proc/net/route": strings.Repeat(" ", maxLine+1)})},
	} {
		h := m.look([]netip.Prefix{omr})
		if h.Routes != nil || h.Routes4 != nil || h.Interfaces != nil || h.Ways != nil || h.WSL.Known() || h.Avahi.Known() {
			t.Errorf("%s: %+v", what, h)
		}
		if m.root == nil && (h.Container.Known() || h.Firewalls != nil || h.Managers != nil) {
			t.Errorf("%s: %+v", what, h)
		}
		scan := scanned()
		for _, f := range doctor.Examine(doctor.New(topology.Build(scan.Reports), scan, h)) {
			t.Errorf("%s: %s says: %s", what, f.Rule, f.Title)
		}
	}
}

func TestKinds(t *testing.T) {
	root := tree(map[string]string{
		"sys/class/net/home/uevent": "DEVTYPE=wireguard\nINTERFACE=home\n", "sys/class/net/home/type": "65534\n",
		"sys/class/net/office/tun_flags": "0x1001\n", "sys/class/net/office/type": "65534\n",
		"sys/class/net/br0/uevent": "DEVTYPE=bridge\n", "sys/class/net/br0/type": "1\n",
		"sys/class/net/wpan0/tun_flags": "0x1001\n", "sys/class/net/lowpan0/type": "825\n", "sys/class/net/wwp0/type": "512\n",
		"sys/class/net/wlan0/uevent": "DEVTYPE=wlan\n", "sys/class/net/wlan0/type": "1\n",
	})
	for _, tt := range []struct {
		system, name string
		flags        net.Flags
		want         doctor.InterfaceKind
	}{
		{"linux", "eth0", lan, doctor.InterfaceLAN}, {"linux", "wlan0", lan, doctor.InterfaceLAN}, {"linux", "br0", lan, doctor.InterfaceLAN},
		{"linux", "br-lan", lan, doctor.InterfaceLAN}, {"linux", "end0.100", lan, doctor.InterfaceLAN},
		{"linux", "home", lan, doctor.InterfaceTunnel}, {"linux", "office", lan, doctor.InterfaceTunnel}, {"linux", "wwp0", lan, doctor.InterfaceTunnel},
		{"linux", "tailscale0", lan, doctor.InterfaceTunnel}, {"linux", "sit1", lan | net.FlagPointToPoint, doctor.InterfaceTunnel},
		{"linux", "wpan0", lan | net.FlagPointToPoint, doctor.InterfaceThread}, {"linux", "lowpan0", lan, doctor.InterfaceThread},
		{"linux", "docker0", lan, doctor.InterfaceInside}, {"linux", "br-0123456789ab", lan, doctor.InterfaceInside}, {"linux", "hassio", lan, doctor.InterfaceInside},
		{"linux", "lo", net.FlagLoopback, doctor.InterfaceLoopback},
		{"darwin", "en0", lan, doctor.InterfaceLAN}, {"darwin", "utun3", lan | net.FlagPointToPoint, doctor.InterfaceTunnel},
		{"darwin", "awdl0", lan, doctor.InterfaceInside}, {"darwin", "bridge100", lan, doctor.InterfaceInside}, {"darwin", "lo0", net.FlagLoopback, doctor.InterfaceLoopback},
		{"windows", "Ethernet", lan, doctor.InterfaceLAN}, {"windows", "Wi-Fi", lan, doctor.InterfaceLAN}, {"windows", "Tailscale", lan, doctor.InterfaceTunnel},
		{"windows", "vEthernet (WSL (Hyper-V firewall))", lan, doctor.InterfaceInside}, {"windows", "OpenVPN TAP-Windows6", lan, doctor.InterfaceTunnel},
	} {
		m := &machine{system: tt.system}
		if tt.system == "linux" {
			m.root = root
		}
		if got := m.kind(nic{name: tt.name, flags: tt.flags}); got != tt.want {
			t.Errorf("%s, %s: %q, want %q", tt.system, tt.name, got, tt.want)
		}
	}
}

// TestInterfacesThatAreDown: one without a cable is no way to a LAN, and one
// whose addresses the system does not tell has unknown ones.
func TestInterfacesThatAreDown(t *testing.T) {
	m := &machine{system: "darwin", nics: []nic{
		card("en1", net.FlagUp|net.FlagMulticast, "192.168.1.9/24"), {name: "en0", flags: lan, prefixes: func() []netip.Prefix { return nil }},
	}}
	for range 2 * maxInterfaces {
		m.nics = append(m.nics, card("en2", lan))
	}
	got := m.look(nil).Interfaces
	if len(got) != maxInterfaces || got[0].Name != "en0" || got[0].Prefixes != nil || got[1].Prefixes == nil || got[0].AcceptRA.Known() {
		t.Errorf("%d interfaces: %+v", len(got), got[:2])
	}
}

func TestSystem(t *testing.T) {
	for _, tt := range []struct {
		what, container string
		wsl             diag.Opt[bool]
		files           map[string]string
	}{
		{"nothing to see", "", diag.Opt[bool]{}, nil},
		{"a Linux", "", diag.Some(false), map[string]string{"proc/sys/kernel/osrelease": "6.12.47+rpt-rpi-v8\n", "proc/1/cgroup": "0::/init.scope\n"}},
		{"WSL 2", "", diag.Some(true), map[string]string{"proc/sys/kernel/osrelease": "6.6.87.2-microsoft-standard-WSL2\n"}},
		{"WSL 1", "", diag.Some(true), map[string]string{"proc/version": "Linux version 4.4.0-22621-Microsoft (Microsoft@Microsoft.com)\n"}},
		{"Docker", "docker", diag.Opt[bool]{}, map[string]string{".dockerenv": ""}},
		{"Docker, old", "docker", diag.Opt[bool]{}, map[string]string{"proc/1/cgroup": "12:pids:/docker/0123\n"}},
		{"Podman", "podman", diag.Opt[bool]{}, map[string]string{"run/.containerenv": "", ".dockerenv": ""}},
		{"Kubernetes", "kubernetes", diag.Opt[bool]{}, map[string]string{"run/secrets/kubernetes.io/serviceaccount/token": "", ".dockerenv": ""}},
		{"Proxmox", "lxc", diag.Opt[bool]{}, map[string]string{"run/systemd/container": "lxc"}},
		{"nspawn", "container", diag.Opt[bool]{}, map[string]string{"run/systemd/container": "systemd-nspawn\n"}},
	} {
		h := (&machine{system: "linux", root: tree(tt.files)}).look(nil)
		if h.Container.Or("?") != tt.container || h.WSL != tt.wsl || (h.Firewalls == nil) != (tt.container != "") {
			t.Errorf("%s: container %v, WSL %v, firewalls %v", tt.what, h.Container, h.WSL, h.Firewalls)
		}
	}
}

func TestManagers(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"":                      {"run/systemd/netif/links/2": "ADMIN_STATE=unmanaged\n"},
		"NetworkManager dhcpcd": {"run/NetworkManager/devices/2": "[device]\nmanaged=true\n", "run/dhcpcd/pid": "7\n"},
		"systemd-networkd":      {"run/systemd/netif/links/1": "ADMIN_STATE=unmanaged\n", "run/systemd/netif/links/2": "# This is private data. Do not parse.\nADMIN_STATE=configured\nOPER_STATE=routable\n"},
	} {
		got := managers(tree(files))
		if got == nil || strings.Join(got, " ") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAvahi(t *testing.T) {
	const conf = "etc/avahi/avahi-daemon.conf"
	for _, tt := range []struct {
		what  string
		want  diag.Opt[doctor.HostAvahi]
		files map[string]string
	}{
		{"as it comes", diag.Some(doctor.HostAvahi{}), map[string]string{"run/avahi-daemon/pid": "1", conf: "[server]\n#disallow-other-stacks=no\nuse-ipv6=yes\n"}},
		{"alone", diag.Some(doctor.HostAvahi{DisallowOtherStacks: true}), map[string]string{"run/avahi-daemon/socket": "", conf: "[server]\ndisallow-other-stacks = yes\n"}},
		{"alone, but it does not run", diag.Opt[doctor.HostAvahi]{}, map[string]string{conf: "disallow-other-stacks=yes\n"}},
		{"settings that can't be read", diag.Opt[doctor.HostAvahi]{}, map[string]string{"run/avahi-daemon/pid": "1"}},
	} {
		if got := avahi(tree(tt.files)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, got, tt.want)
		}
	}
}

func TestFirewalls(t *testing.T) {
	const wants = "etc/systemd/system/multi-user.target.wants/"
	open, closed, unknown := diag.Some(true), diag.Some(false), diag.Opt[bool]{}
	const before = "-A ufw-before-input -p udp -d 224.0.0.251 --dport 5353 -j ACCEPT\n"
	const zones = "usr/lib/firewalld/zones/"
	public := `<?xml version="1.0" encoding="utf-8"?><zone><short>Public</short><service name="ssh"/><service name="dhcpv6-client"/><forward/></zone>`
	for _, tt := range []struct {
		what  string
		want  []doctor.HostFirewall
		files map[string]string
	}{
		{"none", nil, map[string]string{"etc/passwd": ""}},
		{"ufw, off", nil, map[string]string{"etc/ufw/ufw.conf": "# /etc/ufw/ufw.conf\nENABLED=no\nLOGLEVEL=low\n"}},
		{"ufw, rules for root only", []doctor.HostFirewall{{Name: "ufw", MDNS: unknown}}, map[string]string{"etc/ufw/ufw.conf": "ENABLED=yes\n"}},
		{"ufw with its usual rules", []doctor.HostFirewall{{Name: "ufw", MDNS: open}}, map[string]string{"etc/ufw/ufw.conf": "ENABLED=\"Yes\"\n", "etc/ufw/before.rules": before}},
		{"ufw without", []doctor.HostFirewall{{Name: "ufw", MDNS: closed}}, map[string]string{"etc/ufw/ufw.conf": "ENABLED=yes\n", "etc/ufw/before.rules": "#" + before}},
		{"firewalld, not enabled", nil, map[string]string{"etc/firewalld/firewalld.conf": "DefaultZone=public\n"}},
		{"firewalld, for root only", []doctor.HostFirewall{{Name: "firewalld"}}, map[string]string{wants + "firewalld.service": ""}},
		{"firewalld, public", []doctor.HostFirewall{{Name: "firewalld", Zone: "public", MDNS: closed}}, map[string]string{wants + "firewalld.service": "", "etc/firewalld/firewalld.conf": "DefaultZone=public\n", zones + "public.xml": public}},
		{"firewalld, changed", []doctor.HostFirewall{{Name: "firewalld", Zone: "public", MDNS: open}}, map[string]string{wants + "firewalld.service": "", "etc/firewalld/firewalld.conf": "DefaultZone=public\n",
			"etc/firewalld/zones/public.xml": `<zone><service name="mdns"/></zone>`, zones + "public.xml": public}},
		{"firewalld on a workstation", []doctor.HostFirewall{{Name: "firewalld", Zone: "FedoraWorkstation", MDNS: open}}, map[string]string{wants + "firewalld.service": "", "etc/firewalld/firewalld.conf": "DefaultZone=FedoraWorkstation\n",
			zones + "FedoraWorkstation.xml": `<zone><service name="ssh"/><port protocol="udp" port="1025-65535"/></zone>`}},
		{"firewalld, a zone that leads astray", []doctor.HostFirewall{{Name: "firewalld"}}, map[string]string{wants + "firewalld.service": "", "etc/firewalld/firewalld.conf": "DefaultZone=../../../tmp/x\n"}},
		{"firewalld, a zone that is no XML", []doctor.HostFirewall{{Name: "firewalld", Zone: "home"}}, map[string]string{wants + "firewalld.service": "", "etc/firewalld/firewalld.conf": "DefaultZone=home\n", zones + "home.xml": "<zone><service"}},
		{"nftables that drops", []doctor.HostFirewall{{Name: "nftables"}}, map[string]string{wants + "nftables.service": "", "etc/nftables.conf": "table inet filter {\n chain input {\n  type filter hook input priority filter; policy drop;\n # udp dport 5353 accept\n }\n}\n"}},
		{"nftables that lets it in", []doctor.HostFirewall{{Name: "nftables", MDNS: open}}, map[string]string{wants + "nftables.service": "", "etc/nftables.conf": "chain input { type filter hook input priority 0; policy drop;\n udp dport 5353 accept\n}\n"}},
		{"nftables as it comes", nil, map[string]string{wants + "nftables.service": "", "etc/nftables.conf": "chain input {\n type filter hook input priority filter;\n }\n chain forward { type filter hook forward priority 0; policy drop; }\n"}},
	} {
		got := firewalls(tree(tt.files))
		if got == nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.what, got, tt.want)
		}
	}
}

// TestPipe: a pipe in the place of a file is not waited for.
func TestPipe(t *testing.T) {
	root := fstest.MapFS{"etc/avahi/avahi-daemon.conf": {Mode: fs.ModeNamedPipe}, "run/avahi-daemon/pid": {}}
	if got := avahi(noOpen{root}); got.Known() {
		t.Errorf("%v", got)
	}
}

// noOpen fails the test's way: opening a pipe would wait for ever.
type noOpen struct{ fstest.MapFS }

func (f noOpen) Open(name string) (fs.File, error) {
	if i := f.MapFS[name]; i != nil && i.Mode&fs.ModeNamedPipe != 0 {
		panic("opened a pipe: " + name)
	}
	return f.MapFS.Open(name)
}

// TestWayTo asks the system itself; nothing is sent.
func TestWayTo(t *testing.T) {
	a, ok := wayTo(netip.IPv6Loopback())
	if !ok || a.unreachable {
		t.Skipf("there is no IPv6 here: %+v", a)
	}
	if a.from != netip.IPv6Loopback() {
		t.Errorf("the way to ::1 begins at %v", a.from)
	}
	for err, want := range map[error]bool{
		syscall.ENETUNREACH: true, syscall.EHOSTUNREACH: true, syscall.Errno(10051): true, syscall.Errno(10065): true,
		syscall.EPERM: false, syscall.EADDRINUSE: false, errors.New("network is unreachable"): false,
	} {
		if got := unreachable(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)}); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// TestLookHere looks at the machine that tests: whatever it is, facts agree with
// each other, and it is quick.
func TestLookHere(t *testing.T) {
	h := Look(netip.MustParsePrefix("fd11:22:33:44::/64"))
	if len(h.Interfaces) == 0 || h.System == "" {
		t.Fatalf("%+v", h)
	}
	loopback := false
	for _, i := range h.Interfaces {
		loopback = loopback || i.Kind == doctor.InterfaceLoopback
	}
	if !loopback {
		t.Errorf("no loopback interface: %+v", h.Interfaces)
	}
	t.Logf("%+v", h)
}

func BenchmarkLook(b *testing.B) {
	for b.Loop() {
		Look(omr)
	}
}

// FuzzFiles: no content of a file makes it panic, or invents a fact out of a
// table that can't be read.
func FuzzFiles(f *testing.F) {
	for _, name := range []string{"lan", "default-settings", "forwarding", "vpn", "no-ipv6"} {
		root := recorded(f, name)
		f.Add(root["proc/net/ipv6_route"].Data)
		f.Add(root["proc/net/route"].Data)
	}
	f.Add([]byte("DefaultZone=x\nENABLED=yes\ndisallow-other-stacks=yes\n<zone><port port='1-'/></zone>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		root := fstest.MapFS{}
		for _, name := range []string{
			"proc/net/ipv6_route", "proc/net/route", "proc/sys/kernel/osrelease", "proc/1/cgroup", "etc/ufw/ufw.conf", "etc/ufw/user.rules",
			"etc/firewalld/firewalld.conf", "etc/firewalld/zones/x.xml", "etc/systemd/system/multi-user.target.wants/firewalld.service",
			"etc/systemd/system/multi-user.target.wants/nftables.service", "etc/nftables.conf", "etc/avahi/avahi-daemon.conf", "run/avahi-daemon/pid",
			"proc/sys/net/ipv6/conf/eth0/accept_ra", "sys/class/net/eth0/type", "sys/class/net/eth0/uevent", "run/systemd/netif/links/1",
		} {
			root[name] = &fstest.MapFile{Data: b, Mode: 0o644}
		}
		h := (&machine{system: "linux", root: root, nics: []nic{card("eth0", lan, "192.168.1.9/24"), card("../../etc", lan)}}).look(nil)
		for _, routes := range [][]doctor.HostRoute{h.Routes, h.Routes4} {
			for _, r := range routes {
				if !r.To.IsValid() || r.Interface == "" {
					t.Fatalf("%+v", r)
				}
			}
		}
		scan := scanned()
		doctor.Examine(doctor.New(topology.Build(scan.Reports), scan, h))
	})
}

// TestCutTables: a table cut off in the middle of a line says nothing.
func TestCutTables(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fields int
		read   func(fs.FS) []doctor.HostRoute
	}{{"proc/net/ipv6_route", 10, routes6}, {"proc/net/route", 11, routes4}} {
		whole := string(recorded(t, "vpn")[tt.name].Data)
		all := len(tt.read(tree(map[string]string{tt.name: whole})))
		if all == 0 {
			t.Fatalf("%s: nothing was read", tt.name)
		}
		for n := strings.Index(whole, "\n") + 1; n < len(whole); n++ { // behind the heading of one of them
			last := strings.Fields(whole[strings.LastIndex(whole[:n], "\n")+1 : n])
			got := tt.read(tree(map[string]string{tt.name: whole[:n]}))
			if whole := len(last) == 0 || len(last) == tt.fields; !whole && got != nil || len(got) > all {
				t.Fatalf("%s cut in %q: %v", tt.name, last, got)
			}
		}
	}
}
