package listen

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
)

// routeLine is a line of /proc/net/ipv6_route.
func routeLine(prefix string, metric, flags uint32) string {
	p := netip.MustParsePrefix(prefix)
	b := p.Addr().As16()
	return fmt.Sprintf("%x %02x %032d 00 %032d %08x 00000001 00000000 %08x     eth0\n", b, p.Bits(), 0, 0, metric, flags)
}

// words are a recorder's observations, one line each.
func words(t *testing.T, rec *icd.Recorder) (out []string) {
	t.Helper()
	for o := range rec.Timeline().All() {
		b, err := json.Marshal(o.What)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s %s", o.By, o.Event, b))
	}
	return out
}

// TestRoute: when a missing route is one.
func TestRoute(t *testing.T) {
	const end = 0xffffffff
	own, byDefault := routeLine("fd00:1::/64", 1024, 3), routeLine("::/0", 1024, 3)
	last := routeLine("::/0", end, 0x200200)
	for name, tt := range map[string]struct {
		table   string
		offered bool
		want    string // "": nothing is said
	}{
		"its own":                   {own + byDefault + last, true, "true"},
		"a wider one":               {routeLine("fd00::/16", 1024, 3) + last, false, "true"},
		"none":                      {routeLine("fd99::/64", 256, 1) + last, false, "false"},
		"only the default one":      {byDefault + last, false, ""},
		"only that, though offered": {byDefault + last, true, "false"},
		"refused":                   {routeLine("fc00::/7", 1024, 0x200) + byDefault + last, false, "false"},
		"refused elsewhere":         {routeLine("fc00::/7", 1024, 0x200) + own + last, false, "true"},
		"of this machine":           {routeLine("fd00:1::/64", 0, 0x80200001) + last, false, "false"},
		"not readable":              {"nonsense\n", false, ""},
		"longer prefix only":        {routeLine("fd00:1::/72", 1024, 3) + last, false, "false"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, s := newHome(t), heard.NewScope(ext)
				tell(t, s, time.Hour, []string{"SII=5000"}, "fd00:1::a")
				if tt.offered {
					heard.RA(discovery.Advert{At: time.Now(), From: netip.MustParseAddr("fe80::a"), Interface: "eth0",
						Prefixes: []discovery.AdvertPrefix{{Prefix: netip.MustParsePrefix("fd00:1::/64"), Route: true, Lifetime: time.Hour}}}, s)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				root := fstest.MapFS{"proc/net/ipv6_route": {Data: []byte(tt.table)}}
				if err := Host(ctx, Config{Scope: s, Root: root}, h.rec.Observe); err != nil {
					t.Fatal(err)
				}
				var want []string
				if tt.want != "" {
					want = []string{`host route {"prefix":"fd00:1::/64","present":` + tt.want + `}`}
				}
				if got := words(t, h.rec); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// TestSysctl: told of where the kernel itself takes advertisements.
func TestSysctl(t *testing.T) {
	const dir = "proc/sys/net/ipv6/conf/"
	for name, tt := range map[string]struct {
		accept, forwarding, length string
		want                       bool
	}{
		"takes none": {"1", "0", "0", true}, "takes those of meshes": {"1", "0", "64", true}, "router that takes them": {"2", "1", "64", true},
		"another program takes them": {"0", "0", "0", false}, "router": {"1", "1", "0", false}, "no number": {"1", "0", "x\x1b", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHome(t)
				root := fstest.MapFS{}
				for _, nic := range []string{"eth0", "all", "default", "lo"} {
					for file, v := range map[string]string{"accept_ra": tt.accept, "forwarding": tt.forwarding, "accept_ra_rt_info_max_plen": tt.length} {
						root[dir+nic+"/"+file] = &fstest.MapFile{Data: []byte(v + "\n")}
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := Host(ctx, Config{Scope: heard.NewScope(ext), Root: root}, h.rec.Observe); err != nil {
					t.Fatal(err)
				}
				var want []string
				if tt.want {
					want = []string{`host sysctl {"name":"net.ipv6.conf.eth0.accept_ra_rt_info_max_plen","value":"` + tt.length + `"}`}
				}
				if got := words(t, h.rec); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// TestProxies: one network card for two machines.
func TestProxies(t *testing.T) {
	h, s := newHome(t), heard.NewScope(ext)
	tell(t, s, time.Hour, []string{"SII=5000"}, "fd00:1::a")
	for i, m := range []struct{ instance, host, addr string }{{hub, "mac-mini", "fe80::77"}, {fabric + "-0000000000000002", "homepod", "fe80::88"}} {
		n, _ := discovery.KindMatter.InstanceName(m.instance)
		host, _ := discovery.NewName(m.host, "local")
		heard.MDNS(&discovery.Message{Response: true, Records: []discovery.Record{
			{Name: n, Type: discovery.TypeSRV, TTL: time.Hour, Target: host, Port: 1},
			{Name: host, Type: discovery.TypeAAAA, TTL: time.Hour, Addr: netip.MustParseAddr(m.addr)},
			{Name: host, Type: discovery.TypeAAAA, TTL: time.Hour, Addr: netip.MustParseAddr(m.addr + ":1")},
		}}, discovery.Origin{Interface: "eth0", From: netip.AddrPortFrom(netip.MustParseAddr(m.addr), 5353), At: time.Now().Add(time.Duration(i) * time.Second)}, s)
	}
	l := looking{c: Config{Scope: s}, observe: h.rec.Observe, told: map[string]string{}}
	at := func(a string) netip.Addr { return netip.MustParseAddr(a) }
	awake := map[netip.Addr]string{at("fe80::77"): "02:00:00:00:00:77", at("fe80::77:1"): "02:00:00:00:00:77", at("fe80::88"): "02:00:00:00:00:88", at("192.0.2.1"): "02:00:00:00:00:77"}
	l.proxies(time.Now(), awake)
	l.proxies(time.Now(), awake)
	got := words(t, h.rec)
	if len(got) != 3 || strings.Contains(strings.Join(got, ""), "same_as") {
		t.Errorf("%q", got)
	}
	awake[at("fe80::77")] = "02:00:00:00:00:88"
	l.proxies(time.Now(), awake)
	if got = words(t, h.rec); !slices.Contains(got, `host neighbour {"to":"fe80::77","mac":"02:00:00:00:00:88","same_as":"fe80::88"}`) {
		t.Errorf("%q", got)
	}
}

// FuzzRoutes: a table of any form is read or refused.
func FuzzRoutes(f *testing.F) {
	f.Add(routeLine("fd00:1::/64", 1024, 3) + routeLine("::/0", 0xffffffff, 0x200200))
	f.Fuzz(func(t *testing.T, table string) {
		routes, ok := routes6(fstest.MapFS{"proc/net/ipv6_route": {Data: []byte(table)}})
		if !ok && routes != nil {
			t.Error("part of a table")
		}
		covering(routes, netip.MustParsePrefix("fd00:1::/64"))
	})
}
