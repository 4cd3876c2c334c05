package icdhome_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/canary"
	"threadmap/diag/icd/listen"
	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
	"threadmap/simulators/icdhome"
)

// observed is what the product's observers recorded of a home.
type observed struct {
	timeline *icd.Timeline
	ours     string // compressed fabric id of the canary's fabric
}

// watch tells a story and lets all observers of the product look on. It runs in
// a bubble, in virtual time.
func watch(t *testing.T, s *icdhome.Scenario, seed uint64) observed {
	t.Helper()
	return watchHome(t, 1500*time.Millisecond, func() (*icdhome.Home, error) { return s.New(icdhome.Options{Seed: seed}) }, func(h *icdhome.Home) {
		time.Sleep(20 * time.Second) // all know each other by then
		synctest.Wait()
		s.Play(h)
		time.Sleep(s.End)
	})
}

// watchHome is watch for any home and what happens in it; margin is what the
// canary gives the way to the device.
func watchHome(t *testing.T, margin time.Duration, make func() (*icdhome.Home, error), play func(*icdhome.Home)) (out observed) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, err := make()
		if err != nil {
			t.Fatal(err)
		}
		recorder, err := icd.NewRecorder(h.Name(), time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		h.Observe = recorder.Observe
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var observers sync.WaitGroup
		run := func(name string, f func() error) {
			observers.Go(func() {
				if err := f(); err != nil && ctx.Err() == nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		socket, err := h.Socket(0)
		if err != nil {
			t.Fatal(err)
		}
		scope := heard.NewScope(h.Name(), h.Fabric().Member().CompressedID())
		c := listen.Config{
			Scope: scope, Sockets: []mdns.Socket{{Link: discovery.Link{Name: "lan"}, Conn: socket, To: icdhome.Group()}},
			Adverts: h.Adverts(), Echo: h.Echo,
		}
		run("mdns", func() error { return listen.MDNS(ctx, c, recorder.Observe) })
		run("ra", func() error { return listen.RA(ctx, c, recorder.Observe) })
		run("ping", func() error { return listen.Ping(ctx, c, recorder.Observe) })
		run("canary", func() error { return watchCanary(ctx, h, scope, margin, recorder.Observe) })
		play(h)
		synctest.Wait()
		out.timeline = recorder.Timeline()
		out.ours = fmt.Sprintf("%016X", h.Fabric().Member().CompressedID())
		cancel()
		observers.Wait()
		h.Close()
	})
	return out
}

// watchCanary announces our instance and runs the canary, told of restarts by
// what was heard.
func watchCanary(ctx context.Context, h *icdhome.Home, scope *heard.Scope, margin time.Duration, observe icd.Observe) error {
	socket, err := h.Listen(netip.AddrPortFrom(h.Host(1), 5550))
	if err != nil {
		return err
	}
	restarted := make(chan struct{}, 1)
	c := canary.Config{
		Member: h.Fabric().Member(), Node: icdhome.DeviceNode, Socket: socket, Margin: margin, Observe: observe, Owner: "test",
		Resolve: func(context.Context) (canary.Target, error) {
			addrs, p, longIdle, ok := h.Place()
			if !ok {
				return canary.Target{}, fmt.Errorf("the device is not announced")
			}
			return canary.Target{Addresses: addrs, Parameters: p, LongIdle: longIdle}, nil
		},
		Restarted: restarted,
		Now:       func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
	}
	a, err := c.Announcement()
	if err != nil {
		return err
	}
	at, err := h.Socket(2)
	if err != nil {
		return err
	}
	var txt discovery.TXT
	for k, v := range a.TXT {
		txt = append(txt, []byte(k+"="+v))
	}
	m := c.Member
	announced, silence := context.WithCancel(context.WithoutCancel(ctx)) // the device may want to find us until we have left
	var done sync.WaitGroup
	var advertised error
	done.Go(func() {
		advertised = mdns.Advertise(announced, mdns.AdvertiseConfig{
			Advertisement: mdns.Operational(m.CompressedID(), m.NodeID, "threadmap", a.Port, txt),
			Addresses:     func(string) []netip.Addr { return []netip.Addr{h.Host(1)} },
			Sockets:       []mdns.Socket{{Link: discovery.Link{Name: "lan"}, Conn: at, To: icdhome.Group()}},
		})
	})
	go tellRestarts(ctx, scope, restarted)
	err = canary.Watch(ctx, c)
	silence()
	done.Wait()
	return errors.Join(err, advertised)
}

// tellRestarts tells of each return of the device's name.
func tellRestarts(ctx context.Context, scope *heard.Scope, restarted chan<- struct{}) {
	var last time.Time
	for {
		changed := scope.Changed()
		if at := scope.Device().Announced; at.After(last) {
			if !last.IsZero() {
				select {
				case restarted <- struct{}{}:
				default:
				}
			}
			last = at
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// on is what observers up to a rung of the evidence ladder saw. Without a
// canary there is no such fabric, either.
func (o *observed) on(rung int) *icd.Timeline {
	need := map[string]int{icd.ByICMP: 1, icd.ByTMF: 2, icd.ByCanary: 3, icd.ByHA: 4, icd.ByController: 4}
	t := icd.NewTimeline(o.timeline.Node, o.timeline.Start)
	for l := range o.timeline.All() {
		name := ""
		switch w := l.What.(type) {
		case *icd.Announce:
			name = w.Instance
		case *icd.Question:
			name = w.Name
		case *icd.Answer:
			name = w.Name
		}
		if need[l.By] <= rung && (rung >= 3 || !strings.HasPrefix(strings.ToUpper(name), o.ours)) {
			t.Add(*l)
		}
	}
	return t
}
