//go:build linux

package matter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/canary"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	sim "threadmap/simulators/mdns"
)

// An icdDevice makes a node intermittently connected, with a button.
type icdDevice struct {
	LIT     bool `json:"lit"`
	Persist bool `json:"persist"` // subscriptions outlive the process; matter.js has that off for these devices
	State   any  `json:"state"`
}

// restartWait is how long the canary waits after a restart before it opens a
// session of its own.
const restartWait = 150 * time.Second

// An icdStory is what becomes of one device.
type icdStory struct {
	name    string
	device  icdDevice
	consent bool
	restart func(*icdPlay) // ends the device's process, and starts it again or not
	after   time.Duration  // that then passes
	link    map[icd.Link]icd.State
	check   func(t *testing.T, p *icdPlay, v *icd.Verdict)
}

// An icdPlay is a story that is being played.
type icdPlay struct {
	t         *testing.T
	story     icdStory
	home      *home
	node      node
	env       []string
	authority *fabric.Authority
	recorder  *icd.Recorder
	file      bytes.Buffer
	restarted chan struct{}

	mu    sync.Mutex
	state canary.State
}

// TestCanary: the canary on devices of matter.js, each of which ends in another
// way. It tells them apart, and leaves nothing.
func TestCanary(t *testing.T) {
	needLab(t)
	short := map[string]any{"idleModeDuration": 60, "activeModeDuration": 1000, "activeModeThreshold": 5000, "maximumCheckInBackoff": 60}
	long := map[string]any{
		"idleModeDuration": 600, "activeModeDuration": 1000, "activeModeThreshold": 5000, "maximumCheckInBackoff": 600,
		"userActiveModeTriggerHint": map[string]bool{"actuateSensor": true}, "operatingMode": 0,
	}
	killed := func(p *icdPlay) {
		p.home.kill()
		p.again()
	}
	stopped := func(p *icdPlay) {
		p.home.ask(map[string]any{"do": "stop", "id": p.node.ID}, nil)
		p.home.kill()
		p.again()
	}
	stories := []icdStory{
		{name: "resumed", device: icdDevice{Persist: true, State: short}, restart: killed, after: 20 * time.Second,
			link: map[icd.Link]icd.State{icd.L1: icd.Seen, icd.L7: icd.Seen, icd.L8: icd.Seen},
			check: func(t *testing.T, p *icdPlay, v *icd.Verdict) {
				if n := p.count("subscribed"); n != 1 || p.count("sigma1") != 1 {
					t.Errorf("%d subscriptions, %d sessions of the device", n, p.count("sigma1"))
				}
			}},
		{name: "forgotten", device: icdDevice{State: short}, restart: killed, after: restartWait + 20*time.Second,
			link: map[icd.Link]icd.State{icd.L1: icd.Seen, icd.L7: icd.Broken},
			check: func(t *testing.T, p *icdPlay, v *icd.Verdict) {
				if p.count("sigma1") != 0 || p.count("case") != 2 || v.Link != icd.L7 || !slices.Contains(v.TopCauses(), "R1") {
					t.Errorf("link %v, causes %v; %d sessions of the device, %d in all", v.Link, v.TopCauses(), p.count("sigma1"), p.count("case"))
				}
			}},
		{name: "stopped", device: icdDevice{State: short}, restart: stopped, after: restartWait + 20*time.Second,
			link: map[icd.Link]icd.State{icd.L1: icd.Seen},
			check: func(t *testing.T, p *icdPlay, v *icd.Verdict) {
				if p.count("sigma1") != 0 || p.count("case") != 2 {
					t.Errorf("%d sessions of the device, %d in all", p.count("sigma1"), p.count("case"))
				}
				if !slices.ContainsFunc(v.Facts, func(f icd.Fact) bool { return strings.Contains(f.Says, "stopped in order") }) {
					t.Errorf("facts: %v", v.Facts)
				}
			}},
		{name: "stopped-and-resumed", device: icdDevice{Persist: true, State: short}, restart: stopped, after: 20 * time.Second,
			link: map[icd.Link]icd.State{icd.L1: icd.Seen, icd.L7: icd.Seen, icd.L8: icd.Seen},
			check: func(t *testing.T, p *icdPlay, v *icd.Verdict) {
				if n := p.count("subscribed"); n != 1 || p.count("sigma1") != 1 {
					t.Errorf("%d subscriptions, %d sessions of the device", n, p.count("sigma1"))
				}
				t.Logf("facts: %v, causes %v", v.Facts, v.TopCauses())
			}},
		{name: "check-in", device: icdDevice{LIT: true, State: long}, consent: true, restart: func(p *icdPlay) {
			p.home.ask(map[string]any{"do": "forget", "id": p.node.ID}, nil)
			p.home.ask(map[string]any{"do": "doze", "id": p.node.ID}, nil)
			p.home.ask(map[string]any{"do": "wake", "id": p.node.ID}, nil)
		}, after: 10 * time.Second,
			link: map[icd.Link]icd.State{icd.L1: icd.Seen},
			check: func(t *testing.T, p *icdPlay, v *icd.Verdict) {
				if p.count("checkin") == 0 || p.count("subscribed") != 2 || v.Mode != icd.ModeLongIdle {
					t.Errorf("%d Check-Ins, %d subscriptions, mode %v", p.count("checkin"), p.count("subscribed"), v.Mode)
				}
			}},
	}
	if testing.Short() { // the wait after a restart is a real one
		stories = slices.DeleteFunc(stories, func(s icdStory) bool { return s.after > restartWait })
	}
	mdns := responder(t)
	var (
		mu       sync.Mutex
		announce []sim.Service
	)
	done := make(chan struct{}, len(stories))
	plays := make([]*icdPlay, len(stories))
	for i, s := range stories { // all at once: waits are real here
		plays[i] = &icdPlay{
			t: t, story: s, node: newNode(60+i, 0x1a1a1a1a1a1a1a00, 0xbbbb000000000001), authority: authority(t), restarted: make(chan struct{}, 4),
			env: []string{noIPv4, "THREADMAP_STORAGE=" + t.TempDir()},
		}
		plays[i].node.Attributes["53"], plays[i].node.ICD = notAttached(), &plays[i].story.device
	}
	for _, p := range plays {
		go func() {
			defer func() { done <- struct{}{} }()
			p.play(func(a canary.Announcement) {
				mu.Lock()
				defer mu.Unlock()
				announce = append(announce, sim.Service{
					Kind: a.Service, Instance: a.Instance, Host: "threadmap", Port: a.Port, Addrs: []netip.Addr{netip.MustParseAddr(near6)},
				})
				mdns.Set(announce)
			})
		}()
	}
	for range plays {
		<-done
	}
	for _, p := range plays {
		t.Run(p.story.name, func(t *testing.T) { p.judge(t) })
	}
}

// again starts the device's process again.
func (p *icdPlay) again() {
	p.home = startNodesWith(p.t, p.env, p.node)
}

func (p *icdPlay) play(announce func(canary.Announcement)) {
	ctx, end := context.WithTimeout(context.Background(), 8*time.Minute)
	defer end()
	const id = 0x2000
	e := endpoint(p.t)
	p.again()
	p.home.join(p.t, ctx, e, p.authority, p.node, id)
	e.Close()

	pc, err := net.ListenPacket("udp6", "[::]:0")
	if err != nil {
		p.t.Error(err)
		return
	}
	if p.recorder, err = icd.NewRecorder(icd.NodeName(p.node.ID), time.Now(), &p.file); err != nil {
		p.t.Error(err)
		return
	}
	cfg := canary.Config{
		Member: p.authority.Member(), Node: id, Socket: pc, Observe: p.recorder.Observe, Consent: p.story.consent, Owner: "test",
		Resolve: func(context.Context) (canary.Target, error) {
			return canary.Target{Addresses: p.node.addresses()[1:], Parameters: message.SessionParameters{Idle: 500 * time.Millisecond}}, nil
		},
		KeepRecord: func(sigma.Record) {},
		Keep: func(s canary.State) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.state = s
			return nil
		},
		Restarted: p.restarted,
	}
	a, err := cfg.Announcement()
	if err != nil {
		p.t.Error(err)
		return
	}
	announce(a)
	watching, stop := context.WithCancel(ctx)
	over := make(chan error, 1)
	go func() { over <- canary.Watch(watching, cfg) }()
	if err := p.until(ctx, func() bool { return p.count("subscribed") == 1 }); err != nil {
		p.t.Errorf("%s: no subscription: %v", p.story.name, err)
	}
	if p.story.device.Persist { // matter.js writes it down a moment later
		p.until(ctx, func() bool {
			found, err := filepath.Glob(filepath.Join(strings.TrimPrefix(p.env[1], "THREADMAP_STORAGE="), "*", "root.subscriptions.subscriptions"))
			return err == nil && len(found) == 1
		})
	}
	pause(ctx, 4*time.Second) // clocks of observers may differ by that
	p.home.ask(map[string]any{"do": "press", "id": p.node.ID}, nil)
	pause(ctx, 4*time.Second)
	p.story.restart(p)
	if p.story.name != "check-in" { // that one did not restart
		p.restarted <- struct{}{}
	}
	pause(ctx, p.story.after)
	p.home.ask(map[string]any{"do": "press", "id": p.node.ID}, nil)
	pause(ctx, 3*time.Second)
	stop()
	begin := time.Now()
	if err := <-over; err != nil {
		p.t.Errorf("%s: %v", p.story.name, err)
	}
	p.t.Logf("%s: ended within %v", p.story.name, time.Since(begin))
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// until waits for a condition that observations fulfil, or the device.
func (p *icdPlay) until(ctx context.Context, ok func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(time.Minute); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			return errors.New("not within a minute")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (p *icdPlay) count(event string) (n int) {
	for o := range p.recorder.Timeline().All() {
		if o.By == icd.ByCanary && o.Event == event {
			n++
		}
	}
	return n
}

func (p *icdPlay) judge(t *testing.T) {
	if p.recorder == nil {
		t.Fatal("it did not come to that")
	}
	if p.story.name == "forgotten" {
		p.recorder.Observe(time.Now(), icd.Observation{By: icd.ByUser, Event: "complaint", What: &icd.Complaint{Text: "no reaction", Controller: "Google Home"}})
	}
	tl := p.recorder.Timeline()
	v, err := icd.Evaluate(tl, icd.Sec(time.Since(tl.Start).Seconds()), "")
	if err != nil {
		t.Fatal(err)
	}
	for l, want := range p.story.link {
		if got := v.State(l); got != want {
			t.Errorf("%s is %s, want %s: %v", l, got, want, v.Chain)
		}
	}
	p.story.check(t, p, v)
	for o := range tl.All() {
		t.Logf("%s", o)
	}
	var left struct{ Subscriptions, Stored, Clients int }
	p.home.ask(map[string]any{"do": "left", "id": p.node.ID}, &left)
	p.mu.Lock()
	defer p.mu.Unlock()
	if left.Subscriptions != 0 || left.Stored != 0 || left.Clients != 0 || !p.state.Empty() {
		b, _ := json.Marshal(p.state)
		t.Errorf("on the device: %+v; state %s", left, b)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(filepath.Join("testdata", fmt.Sprintf("icd-%s.jsonl", p.story.name)), p.file.Bytes(), 0o644); err != nil {
			t.Error(err)
		}
	}
}
