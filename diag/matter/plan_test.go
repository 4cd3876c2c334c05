package matter

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"threadmap/diag"
	"threadmap/diag/matter/fabric"
	"threadmap/discovery"
)

// authority is the fabric of most tests.
var authority = func() *fabric.Authority {
	a, err := fabric.New(fabric.Config{NodeID: 112233})
	if err != nil {
		panic(err)
	}
	return a
}()

func hostName(t testing.TB, label string) discovery.Name {
	t.Helper()
	n, err := discovery.NewName(label, "local")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// txt is a TXT record of strings.
func txt(list ...string) discovery.TXT {
	out := discovery.TXT{}
	for _, s := range list {
		out = append(out, []byte(s))
	}
	return out
}

// announced is a service of a node of our fabric.
func announced(t testing.TB, node uint64, host string, keys discovery.TXT, at ...string) discovery.Service {
	return service(t, authority.Member().InstanceName(node), host, keys, at...)
}

func service(t testing.TB, instance, host string, keys discovery.TXT, at ...string) discovery.Service {
	t.Helper()
	name, err := discovery.KindMatter.InstanceName(instance)
	if err != nil {
		t.Fatal(err)
	}
	return discovery.Service{Kind: discovery.KindMatter, Instance: instance, Name: name, Host: hostName(t, host), Port: 5540, TXT: keys, Addresses: addrs(at...)}
}

// borderRouter announces a network and a prefix that leads into it.
func borderRouter(xp byte, prefix string) discovery.Service {
	omr := netip.MustParsePrefix(prefix)
	a := omr.Addr().As16()
	return discovery.Service{Kind: discovery.KindMeshCoP, Instance: "br", TXT: txt(
		"xp="+string([]byte{xp, 0, 0, 0, 0, 0, 0, min(xp, 1)}),
		"omr="+string([]byte{byte(omr.Bits())})+string(a[:(omr.Bits()+7)/8]),
	)}
}

func known(services ...discovery.Service) diag.Known { return diag.Known{Services: services} }

const (
	one = "aa00000000000001"
	two = "bb00000000000001"
)

func TestWhereNodesAre(t *testing.T) {
	routers := []discovery.Service{borderRouter(0xbb, "fd02::/64"), borderRouter(0xaa, "fd01::/64"), borderRouter(0xaa, "fd11::/64"),
		borderRouter(0xbb, "fd01::/64"), // also claims the other one's prefix
		borderRouter(0xcc, "f000::/4"),  // and one claims everything
		borderRouter(0, "fd03::/64")}
	for _, c := range []struct {
		name       string
		host       string
		at         []string
		network    string
		first, all string
	}{
		{"Thread, by its address", "0A1B2C3D4E5F6071", []string{"fd01::5", "fe80::1%eth0"}, one, "[fd01::5]", "[fd01::5] [fe80::1%eth0]"},
		{"a network with two prefixes", "0A1B2C3D4E5F6071", []string{"fd01::5", "fd11::5", "fd99::1"}, one, "[fd01::5] [fd11::5]", "[fd01::5] [fd11::5] [fd99::1]"},
		{"the other network", "0A1B2C3D4E5F6071", []string{"fd02::5"}, two, "[fd02::5]", "[fd02::5]"},
		{"an address of the mesh is of no use", "0A1B2C3D4E5F6071", []string{"fdde:ad00:beef::1234:5:6", "fdde:ad00:beef::ff:fe00:fc11", "fd02::5"}, two, "[fd02::5]", "[fd02::5]"},
		{"Thread, network unknown", "0A1B2C3D4E5F6071", []string{"fd77::5", "fe80::1%eth0"}, unknown, "[fd77::5] [fe80::1%eth0]", "[fd77::5] [fe80::1%eth0]"},
		{"no prefix of nobody's network", "0A1B2C3D4E5F6071", []string{"fd03::5"}, unknown, "[fd03::5]", "[fd03::5]"},
		{"nothing tells", "lamp", []string{"fd77::5"}, unknown, "[fd77::5]", "[fd77::5]"},
		{"an extended address that looks like matter.js' host", "0A1B2C3D4E5F0000", []string{"fd01::5"}, one, "[fd01::5]", "[fd01::5]"},
		{"a MAC address", "0A1B2C3D4E5F", []string{"fd77::5"}, lan, "[fd77::5]", "[fd77::5]"},
		{"matter.js", "0A1B2C3D4E5F0000", []string{"10.0.0.5", "fe80::1%eth0", "fd77::5"}, lan, "[fd77::5] [fe80::1%eth0] 10.0.0.5", "[fd77::5] [fe80::1%eth0] 10.0.0.5"},
		{"IPv4 is no Thread", "lamp", []string{"10.0.0.5"}, lan, "10.0.0.5", "10.0.0.5"},
		{"a border router", "0A1B2C3D4E5F", []string{"fd01::5", "10.0.0.5", "fd77::5"}, lan, "[fd77::5] 10.0.0.5 [fd01::5]", "[fd77::5] 10.0.0.5 [fd01::5]"},
		{"no address", "0A1B2C3D4E5F6071", nil, unknown, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Source{Member: authority.Member()}.plan(known(append(slices.Clone(routers), announced(t, 5, c.host, nil, c.at...))...))
			if len(p.targets) != 1 {
				t.Fatalf("%+v", p)
			}
			got := p.targets[0]
			if got.network != c.network || ports(got.first) != c.first || ports(got.all) != c.all || !got.announced {
				t.Errorf("%s, %s, %s", got.network, ports(got.first), ports(got.all))
			}
			want := 2 * time.Second * 7 / 2
			if c.network == lan {
				want = 500 * time.Millisecond * 7 / 2
			}
			if got.patience() != want || (got.margin() == 0) != (c.network == lan) {
				t.Errorf("%v, %v", got.patience(), got.margin())
			}
		})
	}
}

func ports(list []netip.AddrPort) (s string) {
	for _, a := range list {
		if a.Port() != 5540 {
			return a.String()
		}
		if s != "" {
			s += " "
		}
		if a.Addr().Is4() {
			s += a.Addr().String()
		} else {
			s += "[" + a.Addr().String() + "]"
		}
	}
	return s
}

func TestWhoSleeps(t *testing.T) {
	for _, c := range []struct {
		keys     discovery.TXT
		rank     rank
		patience time.Duration
	}{
		{nil, rankAwake, 7 * time.Second},
		{txt(""), rankAwake, 7 * time.Second},
		{txt("SII=2000", "SAI=2000"), rankAwake, 12250 * time.Millisecond},
		{txt("SII=5000"), rankSleepy, 22750 * time.Millisecond},
		{txt("SII=3600000"), rankSleepy, time.Minute},
		{txt("SII=3600001"), rankAwake, 7 * time.Second}, // no interval
		{txt("ICD=0"), rankSleepy, 7 * time.Second},
		{txt("ICD=1"), rankLIT, 57750 * time.Millisecond},
		{txt("ICD=1", "SII=5000"), rankLIT, 22750 * time.Millisecond},
	} {
		for _, ask := range []bool{false, true} {
			p := Source{Member: authority.Member(), AskSleepy: ask}.plan(known(announced(t, 5, "0A1B2C3D4E5F6071", c.keys, "fd77::1")))
			if c.rank == rankLIT && !ask {
				if len(p.targets) != 0 || !slices.Equal(p.asleep, []uint64{5}) {
					t.Errorf("%s: %+v", c.keys, p)
				}
				continue
			}
			if len(p.targets) != 1 || len(p.asleep) != 0 {
				t.Fatalf("%s: %+v", c.keys, p)
			}
			got := p.targets[0]
			if got.rank() != c.rank || got.patience() != c.patience || (got.group != "") != (c.rank >= rankSleepy) {
				t.Errorf("%s: rank %d, patience %v, group %q", c.keys, got.rank(), got.patience(), got.group)
			}
			if got.within() < 3*got.patience() {
				t.Errorf("%s: within %v", c.keys, got.within())
			}
		}
	}
}

func TestWhoIsAsked(t *testing.T) {
	us := authority.Member()
	foreign := "00000000000000AA-0000000000000005"
	k := known(
		announced(t, 9, "0A1B2C3D4E5F6071", txt("SII=5000"), "fd77::9"),
		announced(t, 7, "0A1B2C3D4E5F6072", nil, "fd77::7"),
		announced(t, 7, "0A1B2C3D4E5F6073", nil, "fd77::8"), // another host says it is that node, too
		service(t, foreign, "0A1B2C3D4E5F6072", nil, "fd77::7"),
		service(t, foreign[:32]+"6", "0A1B2C3D4E5F6099", nil, "fd77::9"),
		service(t, "00000000000000BB-0000000000000001", "0A1B2C3D4E5F6099", nil, "fd77::9"),
		announced(t, us.NodeID, "pc", nil, "fd77::a"), // ourselves
		announced(t, 0, "pc", nil, "fd77::a"),         // no node's id
		announced(t, 1<<64-1, "pc", nil, "fd77::a"),
		service(t, "Kitchen", "pc", nil, "fd77::a"),
		announced(t, 11, "0A1B2C3D4E5F6074", txt("ICD=1"), "fd77::b"),
		discovery.Service{Kind: discovery.KindMatterC, Instance: us.InstanceName(77)},
	)
	s := Source{Member: us, Nodes: []uint64{8, 7, 9, 8, us.NodeID, 0}}
	var got []string
	for _, p := range diag.Plan([]diag.Source{s}, k) {
		if p.Source != "matter" || p.Within <= 0 || p.Run == nil {
			t.Errorf("%+v", p)
		}
		got = append(got, p.Target+" "+p.Group)
	}
	want := []string{us.InstanceName(7) + " ", us.InstanceName(8) + " ", us.InstanceName(9) + " matter late 0"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Unasked{Asleep: 1, Foreign: 1, Fabrics: 2}, s.Unasked(k)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Unasked{Foreign: 6, Fabrics: 3}, Source{}.Unasked(k)); d != "" {
		t.Error(d) // without a fabric of our own all are others'
	}
	if (Source{}).Probes(k) != nil || (Source{Nodes: []uint64{1}}).Instances() != nil {
		t.Error("somebody is asked without a fabric")
	}
	if d := cmp.Diff([]string{us.InstanceName(8), us.InstanceName(7), us.InstanceName(9), us.InstanceName(8)}, s.Instances()); d != "" {
		t.Error(d)
	}
	for _, p := range s.plan(k).targets {
		if p.node == 7 && ports(p.all) != "[fd77::7] [fd77::8]" {
			t.Error(ports(p.all))
		}
	}
}

// Whoever is on the LAN can announce what he likes.
func TestHostileAnnouncements(t *testing.T) {
	var services []discovery.Service
	for n := range uint64(3000) {
		services = append(services, announced(t, n+1, fmt.Sprintf("h%d", n), nil, "fd77::1"))
	}
	crowd := announced(t, 5000, "h", nil)
	for i := range 500 {
		crowd.Addresses = append(crowd.Addresses, netip.AddrFrom16([16]byte{0: 0xfd, 1: 0x77, 14: byte(i >> 8), 15: byte(i)}))
	}
	s := Source{Member: authority.Member(), Nodes: []uint64{5000}}
	p := s.plan(known(append(services, crowd)...))
	if len(p.targets) != maxNodes {
		t.Errorf("%d targets", len(p.targets))
	}
	groups := map[string]bool{}
	for _, a := range p.targets {
		if a.group != "" {
			groups[a.group] = true
		}
		if (a.rank() == rankStranger) != (a.node != 5000) {
			t.Errorf("node %d has rank %d", a.node, a.rank())
		}
		if len(a.all) > maxAddresses || len(a.first) > maxAddresses {
			t.Errorf("%d addresses", len(a.all))
		}
	}
	if i := slices.IndexFunc(p.targets, func(a target) bool { return a.node == 5000 }); i != 0 {
		t.Errorf("the node that is remembered is number %d", i)
	}
	if len(groups) != lateLanes {
		t.Errorf("%v", groups)
	}
}
