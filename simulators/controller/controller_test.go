package controller

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/simulators/matternode"
	"threadmap/simulators/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const node = 0x42

var (
	home   = netip.MustParseAddrPort("[fd00::77]:5541")
	device = netip.MustParseAddrPort("[fd11::1]:5540")
)

// A stage is one controller and one device; the way between them can be cut.
type stage struct {
	t    *testing.T
	net  *simnet.Net
	c    *Controller
	node *matternode.Node

	mu       sync.Mutex
	cut      bool
	began    time.Time
	words    []string
	longIdle bool
}

// perform runs a test in virtual time.
func perform(t *testing.T, o Options, r matternode.Resumption, f func(*stage)) {
	synctest.Test(t, func(t *testing.T) {
		g := &stage{t: t, began: time.Now()}
		g.net = &simnet.Net{Fate: func(simnet.Packet) []time.Duration {
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.cut {
				return nil
			}
			return []time.Duration{10 * time.Millisecond}
		}}
		o.Listen = func() (net.PacketConn, error) { return g.net.ListenPacket(home) }
		o.Resolve = func(context.Context, uint64) (Place, error) {
			return Place{Addresses: []netip.AddrPort{device}, LongIdle: g.longIdle}, nil
		}
		o.Tell = g.told
		c, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		g.c = c
		m, err := c.Fabric().NewNode(node)
		if err != nil {
			t.Fatal(err)
		}
		pc, err := g.net.ListenPacket(device)
		if err != nil {
			t.Fatal(err)
		}
		g.node, err = matternode.New(pc, matternode.Device{
			Name: "Button", Type: matternode.GenericSwitch, ICD: &matternode.ICD{Idle: 5 * time.Minute, Active: time.Second, Threshold: 5 * time.Second, LIT: true},
		}, matternode.Options{
			Fabrics:    []matternode.Fabric{{Member: m, Admins: []uint64{c.Fabric().Member().NodeID}}},
			Resumption: r,
			Resolve: func(context.Context, uint64, uint64) ([]netip.AddrPort, error) {
				return []netip.AddrPort{home}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer g.node.Close()
		c.Follow(node)
		g.at(10 * time.Second)
		if !c.Subscribed(node) {
			t.Fatal("it did not subscribe")
		}
		f(g)
	})
}

func (g *stage) told(_ uint64, what any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := strings.TrimPrefix(fmt.Sprintf("%T%+v", what, what), "*controller.")
	g.words = append(g.words, fmt.Sprintf("%.0f %s", time.Since(g.began).Seconds(), w))
}

// at waits until a time since the start.
func (g *stage) at(d time.Duration) {
	time.Sleep(time.Until(g.began.Add(d)))
	synctest.Wait()
}

func (g *stage) cutOff(cut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = cut
}

// said is the first word since a time that has a text; "" where there is none.
func (g *stage) said(text string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.words, func(w string) bool { return strings.Contains(w, text) })
	if i < 0 {
		return ""
	}
	return g.words[i]
}

func (g *stage) times(text string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.words {
		if strings.Contains(w, text) {
			n++
		}
	}
	return n
}

func TestBackOff(t *testing.T) {
	for _, c := range []struct {
		p      Policy
		random float64
		want   []time.Duration
	}{
		{CHIP, 1, []time.Duration{10, 10, 20, 30, 50, 80, 130, 210, 340, 550, 890, 1440, 2330, 3770, 3770}},
		{CHIP, 0, []time.Duration{3, 3, 6, 9, 15}},
		{Darwin, 0.5, []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600}},
	} {
		for i, want := range c.want {
			if got := c.p.backOff(i+1, c.random); got != want*time.Second {
				t.Errorf("policy %d, attempt %d: %v, want %v s", c.p, i+1, got, int(want))
			}
		}
	}
}

// Each kind notices silence in its own time.
func TestLiveness(t *testing.T) {
	for p, margin := range map[Policy]time.Duration{CHIP: graceOthers, Darwin: graceOthers, MatterJS: graceMatterJS} {
		perform(t, Options{Policy: p}, matternode.Resumption{}, func(g *stage) {
			g.cutOff(true)
			const max = 5 * time.Minute
			g.at(max + margin - time.Second)
			if !g.c.Subscribed(node) || g.said("Lost") != "" {
				t.Errorf("policy %d: lost too early: %s", p, g.said("Lost"))
			}
			g.at(max + margin + 15*time.Second)
			if g.c.Subscribed(node) || !strings.Contains(g.said("Lost"), "liveness timeout") || g.said("Available&{Value:false}") == "" {
				t.Errorf("policy %d: not lost: %q", p, g.words)
			}
		})
	}
}

// A device that goes on with its subscription keeps it alive, and its events
// arrive; a restarted controller does not know it any more.
func TestResumedReports(t *testing.T) {
	perform(t, Options{}, matternode.Resumption{Persistence: matternode.TriesOnce}, func(g *stage) {
		g.node.Reboot(matternode.RebootOptions{Down: 5 * time.Second, Boot: 2 * time.Second})
		g.at(30 * time.Second)
		if g.times("Report") == 0 || g.said("Known:false") != "" || g.times("Subscribed") != 1 || g.said("by resumption") == "" {
			t.Fatalf("%q", g.words)
		}
		g.node.Press()
		g.at(31 * time.Second)
		if g.c.Pressed(node) == 0 {
			t.Errorf("no press arrived: %q", g.words)
		}
	})
	perform(t, Options{Faults: Faults{}}, matternode.Resumption{Persistence: matternode.TriesOnce}, func(g *stage) {
		g.node.Reboot(matternode.RebootOptions{Down: 5 * time.Second, Boot: 2 * time.Second})
		g.c.SetFaults(Faults{NoAddress: true}) // or it would be back before the device
		g.c.Stop()
		if err := g.c.Start(); err != nil {
			t.Fatal(err)
		}
		g.at(30 * time.Second)
		if g.said("Known:false") == "" || g.said("INVALID_SUBSCRIPTION") == "" || len(g.node.Stored()) != 0 {
			t.Errorf("%q, %v", g.words, g.node.Stored())
		}
	})
}

// Apple's controller is kicked by a name that newly appears, and by nothing
// else.
func TestKicks(t *testing.T) {
	const lost = 6 * time.Minute
	for name, c := range map[string]struct {
		policy Policy
		faults Faults
		heard  []time.Duration // announcements, negative: withdrawals
		want   bool
	}{
		"Darwin, nothing":                  {Darwin, Faults{}, nil, false},
		"Darwin, an announcement again":    {Darwin, Faults{}, []time.Duration{1}, false},
		"Darwin, gone for half a second":   {Darwin, Faults{}, []time.Duration{-1000, 1500}, false},
		"Darwin, gone and back":            {Darwin, Faults{}, []time.Duration{-1000, 3000}, true},
		"Darwin, back twice":               {Darwin, Faults{}, []time.Duration{-1000, 3000, 3400}, true},
		"Darwin, back twice, and cancels":  {Darwin, Faults{CancelsTwice: true}, []time.Duration{-1000, 3000, 3400}, false},
		"matter.js, nothing":               {MatterJS, Faults{}, nil, false},
		"matter.js, an announcement again": {MatterJS, Faults{}, []time.Duration{1}, true},
		"matter.js, hangs":                 {MatterJS, Faults{Hangs: true}, nil, false},
		"matter.js, hangs, announced":      {MatterJS, Faults{Hangs: true}, []time.Duration{1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			perform(t, Options{Policy: c.policy, Faults: c.faults}, matternode.Resumption{}, func(g *stage) {
				g.c.Heard(node, false, false) // it has been there
				g.cutOff(true)
				// Until its waits are longer than what is looked at here.
				g.at(lost + 40*time.Minute)
				begin := time.Since(g.began)
				for ; g.waits() < time.Minute; begin += time.Second {
					g.at(begin)
				}
				g.cutOff(false)
				for _, at := range c.heard {
					g.at(begin + max(at, -at)*time.Millisecond)
					g.c.Heard(node, at < 0, false)
				}
				g.at(begin + 20*time.Second)
				if got := g.c.Subscribed(node); got != c.want {
					t.Errorf("subscribed %v, want %v: %q", got, c.want, g.words[len(g.words)-3:])
				}
			})
		})
	}
}

// waits is how long the controller still waits before its next attempt; a
// controller that hangs waits for ever.
func (g *stage) waits() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := g.words[len(g.words)-1]
	var at, ms int
	if strings.Contains(last, "retransmission") {
		return time.Hour
	}
	i := strings.Index(last, "resubscribe in ")
	if i < 0 {
		return 0
	}
	if _, err := fmt.Sscanf(last[i:], "resubscribe in %d ms", &ms); err != nil {
		return 0
	}
	fmt.Sscanf(last, "%d", &at)
	return time.Until(g.began.Add(time.Duration(at)*time.Second + time.Duration(ms)*time.Millisecond))
}

// A controller that is registered subscribes anew when the device checks in.
func TestCheckIn(t *testing.T) {
	perform(t, Options{Faults: Faults{AwaitsCheckIn: true}}, matternode.Resumption{}, func(g *stage) {
		g.longIdle = true
		if err := g.c.Register(g.t.Context(), node); err != nil {
			t.Fatal(err)
		}
		g.node.Reboot(matternode.RebootOptions{Down: 5 * time.Second, Boot: 2 * time.Second})
		g.at(40 * time.Second)
		if g.said("CheckIn") == "" || g.times("Subscribed") != 2 || !g.c.Subscribed(node) {
			t.Errorf("%q", g.words)
		}
	})
}

func TestCheckInOfOthers(t *testing.T) {
	for n := range 60 {
		if _, err := openCheckIn([16]byte{1}, make([]byte, n)); !errors.Is(err, errCheckIn) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func TestFaults(t *testing.T) {
	perform(t, Options{Faults: Faults{DropsEvents: true}}, matternode.Resumption{}, func(g *stage) {
		g.node.Press()
		g.at(12 * time.Second)
		if g.times("Report") == 0 || g.c.Pressed(node) != 0 {
			t.Errorf("%q", g.words)
		}
	})
	perform(t, Options{}, matternode.Resumption{Persistence: matternode.TriesOnce}, func(g *stage) {
		g.c.SetFaults(Faults{Stranger: true})
		g.node.Reboot(matternode.RebootOptions{Down: time.Second})
		g.at(30 * time.Second)
		if g.said("no shared trust roots") == "" || len(g.node.Stored()) != 0 {
			t.Errorf("%q", g.words)
		}
	})
	if _, err := New(Options{}); err == nil {
		t.Error("a controller without a network")
	}
}
