//go:build linux

package mdns

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/><allow receive_type="*"/></policy></busconfig>
`

const avahiConfig = `[server]
host-name=tmhost
use-ipv4=yes
use-ipv6=yes
allow-interfaces=tm0
ratelimit-interval-usec=0
[publish]
publish-workstation=no
publish-hinfo=no
[rlimits]
`

// avahi starts avahi-daemon in a namespace, with its own message bus and n
// services. It sees folders of its own where it looks for files.
func (l *lab) avahi(ns string, n int) {
	l.t.Helper()
	write := func(name, text string) string {
		p := filepath.Join(l.dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			l.t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			l.t.Fatal(err)
		}
		return p
	}
	write("services/none", "")
	for i := range n {
		write(fmt.Sprintf("services/%d.service", i), fmt.Sprintf(`<?xml version="1.0" standalone='no'?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>87E1B004E235A130-%016X</name><service><type>_matter._tcp</type><port>%d</port>
<txt-record>SII=5000</txt-record><txt-record value-format="binary-hex">bin=005c22ff</txt-record></service></service-group>
`, i+1, 5540+i))
	}
	l.start(ns, "dbus-daemon", "--nofork", "--nopidfile", "--config-file="+write("bus.conf", fmt.Sprintf(busConfig, l.bus())))
	l.until("message bus", func() bool { _, err := os.Stat(filepath.Join(l.dir, "bus")); return err == nil })
	const script = `mkdir -p /run/avahi-daemon /etc/avahi/services && mount --make-rprivate / && mount -t tmpfs none /run/avahi-daemon &&
mount --bind "$1" /etc/avahi/services && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$2"`
	l.start(ns, "unshare", "-m", "sh", "-c", script, "sh", filepath.Join(l.dir, "services"), write("avahi.conf", avahiConfig))
	l.until("avahi with all services", func() bool {
		out, _ := l.command(ns, "avahi-browse", "-ptk", "_matter._tcp").Output()
		return strings.Count(string(out), "+;tm0;IPv6;") == n && strings.Count(string(out), "+;tm0;IPv4;") == n || n == 0 && len(out) == 0 && l.command(ns, "avahi-browse", "-tk", "_x._tcp").Run() == nil
	})
}

var avahiPrograms = []string{"avahi-daemon", "avahi-browse", "dbus-daemon", "unshare"}

// browse runs a browse in a namespace and checks that it found n services, each
// within a second.
func (l *lab) browse(ns string, n int, by ...string) browsed {
	l.t.Helper()
	var got browsed
	l.again(ns, "browse", browsing{Want: n, Within: 10 * time.Second}, &got, by...)
	if len(got.Complete) != n {
		l.t.Errorf("%d of %d services; %v", len(got.Complete), n, got.Hints)
	}
	for _, d := range got.Complete {
		if d > time.Second {
			l.t.Errorf("a service took %v", d)
		}
	}
	if len(got.Complete) > 0 {
		l.t.Logf("%d of %d services, the last after %v; %+v %v", len(got.Complete), n, slices.Max(got.Complete), got.Result.Links, got.Hints)
	}
	if len(got.Hints) > 0 {
		l.t.Error(got.Hints)
	}
	return got
}

// TestAvahi: 100 services of a real avahi, each within a second, with the
// octets of its TXT.
func TestAvahi(t *testing.T) {
	l := newLab(t, append(avahiPrograms, "setpriv")...)
	l.avahi(l.far, 100)
	nobody := []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}
	for what, tt := range map[string]struct {
		ns string
		by []string
	}{"on the LAN": {l.near, nil}, "beside avahi on one machine": {l.far, nil}, "on the LAN, as nobody": {l.near, nobody}, "beside avahi, as nobody": {l.far, nobody}} {
		got := l.browse(tt.ns, 100, tt.by...)
		for _, s := range got.Result.Services {
			if v, _ := s.TXT.Get("bin"); string(v) != "\x00\\\"\xff" || s.HostLabel() != "tmhost" {
				t.Errorf("%s: %+v", what, s)
			}
		}
	}
}

// TestZeroconf: a service of another Go implementation is found.
func TestZeroconf(t *testing.T) {
	l := newLab(t)
	l.serve(l.far, "zeroconf")
	got := l.browse(l.near, 1)
	if s := got.Result.Services; len(s) != 1 || s[0].HostLabel() != "0E01010101010101" || fmt.Sprint(s[0].Addresses) != "[192.0.2.1 fd00:2::1]" {
		t.Errorf("%+v", s)
	} else if v, _ := s[0].TXT.Get("bin"); string(v) != "\x00\\\"\xff" {
		t.Errorf("%q", v)
	}
}

// TestAvahiSeesSimulator: avahi finds what the simulated responder announces,
// so the simulator speaks as others do.
func TestAvahiSeesSimulator(t *testing.T) {
	l := newLab(t, avahiPrograms...)
	l.serve(l.near, "responder")
	l.avahi(l.far, 0)
	want := len(responderServices())
	var out []byte
	l.until("avahi that sees all", func() bool {
		a, _ := l.command(l.far, "avahi-browse", "-rptk", "_matter._tcp").Output()
		b, _ := l.command(l.far, "avahi-browse", "-rptk", "_meshcop._udp").Output()
		out = append(a, b...)
		return strings.Count(string(out), "=;tm0;IPv6;") == want
	})
	for _, part := range []string{`Dr\.\032K\195\188che\032\240\159\146\161\032\0351E32`, `0E00000000000001.local;fd00:2::100;5540;`, `"bin=\000\\\"\255" "SII=5000"`} {
		if !strings.Contains(string(out), part) {
			t.Errorf("no %s in %s", part, out)
		}
	}
	l.browse(l.far, want) // and we do, beside it
}

// TestPortTaken: where a program has port 5353 for itself, all is found from a
// port of our own, and that is said.
func TestPortTaken(t *testing.T) {
	l := newLab(t)
	l.serve(l.far, "responder")
	l.serve(l.near, "occupant")
	want := len(responderServices())
	var got browsed
	l.again(l.near, "browse", browsing{Want: want, Within: 10 * time.Second}, &got)
	if len(got.Complete) != want || slices.Max(got.Complete) > time.Second || len(got.Hints) == 0 || !strings.HasPrefix(got.Hints[0], "tm0: another program has UDP port 5353 for itself") {
		t.Errorf("%d of %d services; %q", len(got.Complete), want, got.Hints)
	}
}

// TestAdverts: router advertisements are heard by root.
func TestAdverts(t *testing.T) {
	l := newLab(t)
	l.serve(l.far, "router")
	var got browsed
	l.again(l.near, "browse", browsing{Within: 10 * time.Second, Adverts: true}, &got)
	a := got.Result.Adverts
	if len(a) == 0 || a[0].Interface != "tm0" || a[0].From.Zone() != "tm0" || len(a[0].Prefixes) != 1 || a[0].Prefixes[0].Prefix.String() != "fdef:7c1e:f8fc:1::/64" || !a[0].Prefixes[0].Route {
		t.Errorf("%+v %v", a, got.Hints)
	}
}

// TestNobody: on a LAN without any device that is said, in time.
func TestNobody(t *testing.T) {
	l := newLab(t)
	var got browsed
	l.again(l.near, "browse", browsing{Within: 2500 * time.Millisecond}, &got)
	if len(got.Hints) != 1 || !strings.HasPrefix(got.Hints[0], "nothing was heard of any device") {
		t.Error(got.Hints)
	}
}

func TestCleanUp(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil {
		missing(t, "ip is not installed")
	}
	out, _ := exec.Command("ip", "netns", "list").Output()
	if strings.Contains(string(out), fmt.Sprintf("-%d", os.Getpid())) {
		t.Errorf("a test left a namespace: %s", out)
	}
}
