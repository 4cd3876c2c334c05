//go:build linux

package mdns

import (
	"bufio"
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// TestAvahiSeesUs: avahi sees what the product announces, resolves it, also
// when it asks after the announcement, finds it by its subtype, and sees the
// goodbye. Beside avahi on one machine too: both share the port.
func TestAvahiSeesUs(t *testing.T) {
	const instance = "87E1B004E235A130-000000000001B669"
	for name, beside := range map[string]bool{"on the LAN": false, "beside avahi on one machine": true} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, avahiPrograms...)
			l.avahi(l.far, 0)
			l.until("avahi that answers", func() bool { return l.command(l.far, "avahi-browse", "-tk", "_x._tcp").Run() == nil })
			ns := l.near
			if beside {
				ns = l.far
			}
			// A browse that goes on all the time, for what comes and goes.
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := l.command(l.far, "avahi-browse", "-rpk", "_matter._tcp")
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			lines := make(chan string, 100)
			go func() {
				defer close(lines)
				for s := bufio.NewScanner(out); s.Scan(); {
					select {
					case lines <- s.Text():
					case <-ctx.Done():
						return
					}
				}
			}()
			defer func() { c.Process.Signal(os.Interrupt); c.Wait() }()
			until := func(begin string, parts ...string) {
				t.Helper()
				late := time.After(30 * time.Second)
				var all []string
				for {
					select {
					case line, ok := <-lines:
						all = append(all, line)
						good := ok && strings.HasPrefix(line, begin)
						for _, p := range parts {
							good = good && strings.Contains(line, p)
						}
						if good {
							return
						}
						if !ok {
							t.Fatalf("no %s in %q", begin, all)
						}
					case <-late:
						t.Fatalf("no %s with %q after 30 s, but %q", begin, parts, all)
					}
				}
			}
			start := time.Now()
			end := l.serve(ns, "advertise")
			address := "fd00:2::1"
			if beside {
				address = "fd00:2::2"
			}
			until("=;tm0;IPv6;"+instance, "threadmap-interop.local", ";5541;", `"bin=\000\\\"\255" "SII=500"`)
			t.Logf("resolved %v after the start", time.Since(start))
			if !beside { // avahi asks no other responder of its own machine by unicast
				b, err := l.command(l.far, "avahi-resolve", "-6n", "threadmap-interop.local").CombinedOutput()
				if err != nil || !strings.Contains(string(b), address) && !strings.Contains(string(b), "fe80::") {
					t.Errorf("%s: %v", b, err)
				}
			}
			b, err := l.command(l.far, "avahi-browse", "-ptk", "_I87E1B004E235A130._sub._matter._tcp").CombinedOutput()
			if err != nil || !strings.Contains(string(b), instance) {
				t.Errorf("by subtype: %s: %v", b, err)
			}
			before := time.Now()
			end()
			until("-;tm0;IPv6;" + instance)
			t.Logf("gone %v after the end", time.Since(before))
		})
	}
}

// TestListen: the observers of the LAN over real sockets: a device that
// restarts, a router that offers a way to it, pings, and this machine's route;
// as root, and as somebody who may not open raw sockets.
func TestListen(t *testing.T) {
	l := newLab(t)
	l.serve(l.far, "device")
	l.serve(l.far, "router")
	got := map[string]string{}
	l.again(l.near, "listen", []string{"mdns announce", "mdns goodbye", "ra advert", "icmp ping", "host route"}, &got)
	for what, parts := range map[string][]string{
		"mdns announce": {deviceInstance, `"addresses":["fd00:2::2"]`, `"interface":"tm0"`}, "mdns goodbye": {deviceInstance, `"ttl":0`},
		"ra advert": {"fdef:7c1e:f8fc:1::/64", "rio"}, "icmp ping": {`"to":"fd00:2::2"`, `"received":1`}, "host route": {"fd00:2::/64", "true"},
	} {
		for _, p := range parts {
			if !strings.Contains(got[what], p) {
				t.Errorf("%s: no %s in %q", what, p, got[what])
			}
		}
	}
}
