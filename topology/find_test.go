package topology

import (
	"net/netip"
	"strings"
	"testing"

	"threadmap/diag"
)

func findFixture() *Map {
	net := &Network{ID: "dead00beef00cafe", MeshLocalPrefix: netip.MustParsePrefix("fd11:22:33:44::/64")}
	mk := func(id string, ext diag.ExtAddr, rloc uint16, name string) *Node {
		return &Node{ID: id, ExtAddr: ext, RLOC16: diag.MakeRLOC16(rloc), Name: name, Network: net,
			Names: []NameBy{{Value: name, Kind: diag.NameHome}}}
	}
	hall := mk("02fbac0123456789", 0x02fbac0123456789, 0x5c00, "Hall button")
	hall.Matter = []diag.MatterID{{Fabric: 0x1122334455667788, Node: 18}}
	hall.Instances = []string{"1122334455667788-0000000000000012"}
	hall.Hosts = []string{"02FBAC0123456789"}
	bulb := mk("5c00aa0000000001", 0x5c00aa0000000001, 0x0000, "Hall bulb")
	bulb.Names = append(bulb.Names, NameBy{Value: "CAFE", Kind: diag.NameAlias})
	bulb.Addresses = []netip.Addr{netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fe80::7%eth0")}
	street := mk("cafe000000000002", 0xcafe000000000002, 0x5c01, "ΣΟΦΊΑ straße Küche")
	street.Matter = []diag.MatterID{{Node: 18446744073709551615}}
	agent := &Node{ID: "ba-1", BorderAgentID: "6a2f0c9d3b4e5f60718293a4b5c6d7e8", Name: "HomePod", Instances: []string{"HomePod (2)"}}
	short := &Node{ID: "dead00beef00cafe/5c02", RLOC16: diag.MakeRLOC16(0x5c02), Network: net}
	return &Map{Networks: []*Network{net}, Nodes: []*Node{hall, bulb, agent, street, short}}
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ name, query, want string }{
		{"fragment of two", "hall", "Hall button, Hall bulb"},
		{"whole name over fragment", "  hall BUTTON ", "Hall button"},
		{"part of a name", "butt", "Hall button"},
		{"Greek case, final sigma", "σοφία", "ΣΟΦΊΑ straße Küche"},
		{"umlaut case", "KÜCHE", "ΣΟΦΊΑ straße Küche"},
		{"alias over address prefix", "cafe", "Hall bulb"},
		{"ext address", "cafe000000000002", "ΣΟΦΊΑ straße Küche"},
		{"ext address, 0x and upper case", "0xCAFE000000000002", "ΣΟΦΊΑ straße Küche"},
		{"ext address, colons", "ca:fe:00:00:00:00:00:02", "ΣΟΦΊΑ straße Küche"},
		{"ext address, hyphens", "CA-FE-00-00-00-00-00-02", "ΣΟΦΊΑ straße Küche"},
		{"prefix", "cafe0", "ΣΟΦΊΑ straße Küche"},
		{"prefix with 0x", "0x02fbac", "Hall button"},
		{"prefix with colons", "02:fb:ac", "Hall button"},
		{"prefix too short", "02f", "Hall button"}, // as a part of its host name only
		{"prefix too short for an address", "caf", "Hall bulb"},
		{"rloc16", "0x5c00", "Hall button"},
		{"rloc16 of router 0", "0x0000", "Hall bulb"},
		{"rloc16 of a child without a name", "0x5C02", "dead00beef00cafe/5c02"},
		{"bare rloc16 or prefix: both", "5c00", "Hall button, Hall bulb"},
		{"reserved rloc16 is nobody", "0xfffe", ""},
		{"matter decimal", "18", "Hall button"},
		{"matter hex", "0x12", "Hall button"},
		{"matter 16 digits", "0000000000000012", "Hall button"},
		{"matter largest", "18446744073709551615", "ΣΟΦΊΑ straße Küche"},
		{"matter beyond 53 bits differs", "18446744073709551614", ""},
		{"matter too large", "18446744073709551616", ""},
		{"matter instance", "1122334455667788-0000000000000012", "Hall button"},
		{"matter instance, other fabric", "1122334455667789-0000000000000012", ""},
		{"matter instance with type", "1122334455667788-0000000000000012._matter._tcp.local.", "Hall button"},
		{"host with domain", "02fbac0123456789.local", "Hall button"},
		{"address", "FD00:0::1", "Hall bulb"},
		{"address in brackets", "[fd00::1]", "Hall bulb"},
		{"address, other zone", "fe80::7%wlan0", "Hall bulb"},
		{"link-local of an ext address", "fe80::c8fe:0:0:2", "ΣΟΦΊΑ straße Küche"},
		{"routing locator", "fd11:22:33:44:0:ff:fe00:5c01", "ΣΟΦΊΑ straße Küche"},
		{"routing locator of another mesh", "fd11:22:33:45:0:ff:fe00:5c01", ""},
		{"border agent id", "6A2F0C9D3B4E5F60718293A4B5C6D7E8", "HomePod"},
		{"instance", "homepod (2)", "HomePod"},
		{"id", "dead00beef00cafe/5c02", "dead00beef00cafe/5c02"},
		{"nothing", "no such node", ""},
		{"empty", "   ", ""},
		{"hostile", "\x00\xff\x1b[31m", ""},
		{"long", strings.Repeat("a", 600), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, n := range findFixture().Find(c.query) {
				if n.Name == "" {
					got = append(got, n.ID)
				} else {
					got = append(got, n.Name)
				}
			}
			if g := strings.Join(got, ", "); g != c.want {
				t.Errorf("Find(%q) = %q, want %q", c.query, g, c.want)
			}
		})
	}
}

// TestFindUnknownIsNobody: a node of which nothing is known is hit by no
// address, so that a zero is never taken for unknown.
func TestFindUnknownIsNobody(t *testing.T) {
	m := &Map{Nodes: []*Node{{ID: "x"}}}
	for _, q := range []string{"0x0000", "0000", "0000000000000000", "0", "fe80::200:0:0:0", "::"} {
		if got := m.Find(q); got != nil {
			t.Errorf("Find(%q) hit a node of which nothing is known", q)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"hall", "0x5c00", "fd00::1", "02:fb:ac", "1122334455667788-0000000000000012", "\xff", "["} {
		f.Add(s)
	}
	m := findFixture()
	f.Fuzz(func(t *testing.T, s string) {
		upper := m.Find(strings.ToUpper(s))
		got := m.Find(s)
		if isASCII(s) && len(upper) != len(got) {
			t.Errorf("Find(%q) depends on case: %d and %d hits", s, len(got), len(upper))
		}
	})
}

func isASCII(s string) bool {
	for _, c := range []byte(s) {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
