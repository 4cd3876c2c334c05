package canary

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"threadmap/diag/icd"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/simulators/matternode"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
	"threadmap/tlv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	date      = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	deviceAt  = netip.MustParseAddrPort("[fd00::1]:5540")
	canaryAt  = netip.MustParseAddrPort("[fd00::c]:40000")
	foreignAt = netip.MustParseAddrPort("[fd00::f]:40001")
)

// polls is what the sleeping device tells of itself.
var polls = message.SessionParameters{Idle: 5 * time.Second, Active: 200 * time.Millisecond, ActiveThreshold: 4 * time.Second}

const deviceNode = 0x1122334455667788

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A home has one device, threadmap's fabric and another controller's.
type home struct {
	t       *testing.T
	net     *simnet.Net
	ca      *fabric.Authority
	other   *fabric.Authority
	device  *matternode.Node
	foreign *transport.Endpoint

	mu     sync.Mutex
	found  bool // our name is announced
	state  State
	record sigma.Record
	toIt   int // datagrams of the canary
	cutAt  int // the datagram after which snap is called; 0: never
	snap   func()
	dead   bool // nothing of the canary's arrives
}

// in plays in a bubble of virtual time.
func in(t *testing.T, d matternode.Device, o matternode.Options, f func(*home)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &home{t: t, found: true}
		h.net = &simnet.Net{Buffer: 1 << 22, Fate: h.fate}
		h.ca, h.other = authority(t), authority(t)
		o.Time = func() time.Time { return date }
		o.Resolve = h.resolve
		o.Fabrics = []matternode.Fabric{h.member(h.ca, deviceNode), h.member(h.other, deviceNode+1)}
		pc, err := h.net.ListenPacket(deviceAt)
		must(t, err)
		h.device, err = matternode.New(pc, d, o)
		must(t, err)
		defer func() { must(t, h.device.Close()) }()
		pc, err = h.net.ListenPacket(foreignAt)
		must(t, err)
		h.foreign = transport.New(pc, transport.Options{Accept: func(x *transport.Exchange) {
			x.Receive(t.Context())
			x.Abort()
		}})
		defer h.foreign.Close()
		f(h)
	})
}

func authority(t testing.TB) *fabric.Authority {
	t.Helper()
	a, err := fabric.New(fabric.Config{})
	must(t, err)
	return a
}

func (h *home) member(a *fabric.Authority, node uint64) matternode.Fabric {
	m, err := a.NewNode(node)
	must(h.t, err)
	return matternode.Fabric{Member: m, Admins: []uint64{a.Member().NodeID}, VendorID: fabric.VendorID}
}

// fate counts what the canary makes the device hear.
func (h *home) fate(p simnet.Packet) []time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	const way = 20 * time.Millisecond
	if p.From == canaryAt {
		if h.dead {
			return nil
		}
		h.toIt++
		if h.toIt == h.cutAt {
			go h.snap()
		}
	}
	if p.To == canaryAt && h.dead {
		return nil
	}
	return []time.Duration{way}
}

func (h *home) messages() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.toIt
}

// resolve is how the device finds subscribers.
func (h *home) resolve(ctx context.Context, compressed, node uint64) ([]netip.AddrPort, error) {
	h.mu.Lock()
	found := h.found
	h.mu.Unlock()
	switch us, other := h.ca.Member(), h.other.Member(); {
	case found && compressed == us.CompressedID() && node == us.NodeID:
		return []netip.AddrPort{canaryAt}, nil
	case compressed == other.CompressedID() && node == other.NodeID:
		return []netip.AddrPort{foreignAt}, nil
	}
	<-ctx.Done()
	return nil, errors.New("nobody answers")
}

func (h *home) saved() State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// config is that of a canary of the home, with what an earlier one kept.
func (h *home) config(o icd.Observe) Config {
	pc, err := h.net.ListenPacket(canaryAt)
	must(h.t, err)
	h.mu.Lock()
	defer h.mu.Unlock()
	return Config{
		Member: h.ca.Member(), Node: deviceNode, Socket: pc, Observe: o, Owner: "test",
		Resolve: func(context.Context) (Target, error) {
			t := Target{Addresses: []netip.AddrPort{deviceAt}, Parameters: polls}
			for _, s := range h.device.Services(matternode.Place{Port: deviceAt.Port()}) {
				for _, txt := range s.TXT {
					t.LongIdle = t.LongIdle || string(txt) == "ICD=1"
				}
			}
			return t, nil
		},
		Now: func() time.Time { return date }, Record: h.record, State: h.state,
		KeepRecord: func(r sigma.Record) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.record = r
		},
		Keep: func(s State) error {
			b, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if !s.Empty() {
				if s, err = ParseState(b); err != nil {
					return err
				}
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if !h.dead { // a program that was killed keeps nothing more
				h.state = s
			}
			return nil
		},
	}
}

// A canary is one that runs.
type canary struct {
	h         *home
	r         *icd.Recorder
	restarted chan struct{}
	cancel    context.CancelFunc
	done      chan struct{}
	err       error
}

func (h *home) start(change func(*Config)) *canary {
	r, err := icd.NewRecorder("device", time.Now(), nil)
	must(h.t, err)
	return h.startWith(r, change)
}

func (h *home) startWith(r *icd.Recorder, change func(*Config)) *canary {
	c := &canary{h: h, r: r, restarted: make(chan struct{}), done: make(chan struct{})}
	cfg := h.config(r.Observe)
	cfg.Restarted = c.restarted
	if change != nil {
		change(&cfg)
	}
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(h.t.Context())
	go func() {
		defer close(c.done)
		c.err = Watch(ctx, cfg)
	}()
	return c
}

// stop is Ctrl-C: the canary ends in bounded time.
func (c *canary) stop() {
	c.h.t.Helper()
	begin := time.Now()
	c.cancel()
	<-c.done
	if took := time.Since(begin); took > defaultCleanUp+registerTime+time.Second {
		c.h.t.Errorf("it took %v to end", took)
	}
	must(c.h.t, c.err)
}

// reboot restarts the device, and lets that be heard.
func (c *canary) reboot(o matternode.RebootOptions) {
	c.h.device.Reboot(o)
	time.Sleep(o.Down + o.Boot + time.Second)
	c.restarted <- struct{}{}
}

// saw are the observations of one kind, as JSON without time.
func (c *canary) saw(event string) (out []icd.Observation) {
	for o := range c.r.Timeline().All() {
		if o.Event == event {
			out = append(out, *o)
		}
	}
	return out
}

func (c *canary) verdict(after time.Duration) *icd.Verdict {
	c.h.t.Helper()
	tl := c.r.Timeline()
	at := icd.Sec(time.Since(tl.Start).Seconds() + after.Seconds())
	v, err := icd.Evaluate(tl, at, "")
	must(c.h.t, err)
	return v
}

// complain is somebody whose other controller does not get presses.
func (c *canary) complain() {
	c.r.Observe(time.Now(), icd.Observation{By: icd.ByUser, Event: "complaint", What: &icd.Complaint{Text: "dead", Controller: "Google Home"}})
}

func (c *canary) log() {
	for o := range c.r.Timeline().All() {
		c.h.t.Logf("%s", o)
	}
}

// asOther does something as the other fabric's controller.
func (h *home) asOther(f func(context.Context, *session.Secure)) {
	h.t.Helper()
	h.device.Wake()
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*time.Minute)
	defer cancel()
	s, err := session.CASE(ctx, h.foreign, session.CASEConfig{Member: h.other.Member(), Node: deviceNode + 1, Addresses: []netip.AddrPort{deviceAt}, Time: date})
	must(h.t, err)
	defer s.Close()
	f(ctx, s)
}

// register makes the other controller a client of the device's Check-Ins.
func (h *home) register() {
	h.t.Helper()
	h.asOther(func(ctx context.Context, s *session.Secure) {
		var e tlv.Encoder
		e.Struct(tlv.Anonymous)
		e.PutUint(tlv.Context(0), h.other.Member().NodeID)
		e.PutUint(tlv.Context(1), h.other.Member().NodeID)
		e.PutOctets(tlv.Context(2), make([]byte, 16))
		e.End()
		b, err := e.Bytes()
		must(h.t, err)
		_, err = client.Invoke(ctx, s, im.CommandPath{Cluster: clusterICD, Command: registerClient}, b)
		must(h.t, err)
	})
}

// clients counts who is registered, in all fabrics.
func (h *home) clients() (n int) {
	h.t.Helper()
	h.asOther(func(ctx context.Context, s *session.Secure) {
		r, err := client.Read(ctx, s, im.ReadRequest{Attributes: []im.AttributePath{im.One(0, clusterICD, 3)}})
		must(h.t, err)
		v, ok := r.Attributes.Value(im.Path{Cluster: clusterICD, Attribute: 3})
		if !ok || v.Data == nil {
			return // without long idle times
		}
		d := tlv.NewDecoder(v.Data)
		d.Next()
		d.Enter()
		for d.Next() {
			n++
		}
	})
	return n
}

// clean fails the test where anything of the canary is on the device.
func (h *home) clean(registered int) {
	h.t.Helper()
	time.Sleep(2 * time.Minute) // a report that was under way is given up
	if n, stored := h.device.Subscriptions(), h.device.Stored(); n != 0 || len(stored) != 0 {
		h.t.Errorf("on the device: %d subscriptions, %+v for the next start", n, stored)
	}
	if n := h.clients(); n != registered {
		h.t.Errorf("on the device: %d registered clients, want %d", n, registered)
	}
	if s := h.saved(); !s.Empty() {
		h.t.Errorf("the state says that there is something left: %+v", s)
	}
}

// aSwitch is a button on a battery; idle is how long it sleeps.
func aSwitch(idle time.Duration, long bool) matternode.Device {
	m := mesh.HomeOf50(1).Networks[0]
	d := matternode.FromMesh(m.View(), m.FindName("Window sensor"))
	d.Type = matternode.GenericSwitch
	d.ICD = &matternode.ICD{Idle: idle, Active: time.Second, Threshold: 5 * time.Second, LIT: long, Hint: 1}
	return d
}

func sleeping(p matternode.Persistence) matternode.Options {
	return matternode.Options{
		Sleep:      &matternode.Sleep{Slow: 5 * time.Second, Fast: 200 * time.Millisecond, Threshold: 4 * time.Second},
		Resumption: matternode.Resumption{Persistence: p},
	}
}

func has[T any](all []icd.Observation, ok func(*T) bool) bool {
	return slices.ContainsFunc(all, func(o icd.Observation) bool {
		w, is := o.What.(*T)
		return is && ok(w)
	})
}

var _ net.PacketConn = (*simnet.Conn)(nil)
