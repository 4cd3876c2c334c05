package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"threadmap/diag/icd"
	icdcanary "threadmap/diag/icd/canary"
	icdlisten "threadmap/diag/icd/listen"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
)

// Times of the canary.
const (
	// canaryMargin is added to what a device says of its own slowness, as in a scan.
	canaryMargin = 1500 * time.Millisecond
	// canaryFindLimit bounds the looking up of the device before a session of our own.
	canaryFindLimit = 5 * time.Second
)

// canaryPatience is how long a restarted device is left alone; 0: as long as the
// canary thinks right. Tests have less time.
var canaryPatience time.Duration

// watchCanary subscribes to the device as threadmap itself, and sees whether it
// comes back by itself. While it does, threadmap's own instance is announced, so
// that the device can find it.
func (w *icdWatch) watchCanary(ctx context.Context, c icdlisten.Config, observe icd.Observe) error {
	if w.home.ownFabric() == 0 {
		return &notHere{"threadmap has no fabric of its own, so it can't subscribe to the device itself", "threadmap pair CODE adds the device to one"}
	}
	node, ok := matterID(w.node, w.home.ownFabric())
	if !ok {
		return &notHere{"the device is not on threadmap's own fabric, so threadmap can't subscribe to it itself", "threadmap pair CODE adds it"}
	}
	k := &canaryKeeper{app: w.app, home: w.home, lan: w.lan, say: w.say}
	conf, err := k.config(node)
	if err != nil {
		return err
	}
	conf.Observe, conf.Restarted, conf.Consent = observe, w.restarts.subscribe(), w.f.consent
	if w.f.consent {
		w.say("canary: it may register as a client, as --consent allows; that is taken back in the end.")
	}
	ended, err := k.announce(conf)
	if err != nil {
		conf.Socket.Close()
		return err
	}
	defer ended()
	return icdcanary.Watch(ctx, *conf)
}

// A canaryKeeper gives canaries what they need: threadmap's identity, where the
// device is, what earlier runs left, and somebody who announces them.
type canaryKeeper struct {
	*app
	home *icdHome
	lan  *lan
	say  func(format string, args ...any)
}

// config is what watching and cleaning up have in common.
func (k *canaryKeeper) config(node uint64) (*icdcanary.Config, error) {
	fabric := k.home.fabric
	states := canaryStates{k.home.store}
	state, err := states.read(fabric.id(), node)
	if err != nil {
		return nil, err
	}
	socket, err := ownSocket()
	if err != nil {
		return nil, fmt.Errorf("there is no port to be found at: %w", err)
	}
	c := &icdcanary.Config{
		Member: fabric.authority.Member(), Node: node, Socket: socket, State: state, Owner: "threadmap icd", Margin: canaryMargin, Patience: canaryPatience,
		Keep:    func(s icdcanary.State) error { return states.keep(fabric.id(), node, s) },
		Resolve: func(ctx context.Context) (icdcanary.Target, error) { return k.find(ctx, fabric.instance(node)) },
		KeepRecord: func(r sigma.Record) {
			fabric.save(node, r)
			if err := fabric.keep(context.Background(), k.home.store); err != nil {
				k.say("canary: the session is not kept: %s", plain(err))
			}
		},
	}
	if r, ok := fabric.load(node); ok {
		c.Record = r
	}
	return c, nil
}

// find looks up where a node of threadmap's fabric is now, by one question.
func (k *canaryKeeper) find(ctx context.Context, instance string) (icdcanary.Target, error) {
	if testICD != nil {
		return testICD.find()
	}
	ctx, cancel := context.WithTimeout(ctx, canaryFindLimit)
	defer cancel()
	name, err := discovery.KindMatter.InstanceName(instance)
	if err != nil {
		return icdcanary.Target{}, err
	}
	l := *k.lan
	l.settle, l.explicit, l.adverts = browseSettle, false, nil
	l.kinds = discovery.Options{Kinds: []discovery.Kind{discovery.KindMatter}, Names: []discovery.Name{name}}
	h := l.browse(ctx, false, nil)
	var t icdcanary.Target
	for i := range h.Services {
		s := &h.Services[i]
		if o, ok := discovery.ParseOperational(s.Instance, s.TXT); !ok || o.Fabric != k.home.fabric.id() || k.home.fabric.instance(o.Node) != instance {
			continue
		}
		session := discovery.ParseSession(s.TXT)
		for _, at := range s.Endpoints() {
			if !slices.Contains(t.Addresses, at) {
				t.Addresses = append(t.Addresses, at)
			}
		}
		t.LongIdle = session.LIT.Known && session.LIT.Value
		t.Parameters = message.SessionParameters{Idle: session.Idle.Value, Active: session.Active.Value, ActiveThreshold: session.Threshold.Value}
	}
	if len(t.Addresses) == 0 {
		return t, errors.New("nobody announces it now")
	}
	// A global address first: a link-local one reaches no Thread device.
	slices.SortStableFunc(t.Addresses, func(a, b netip.AddrPort) int {
		return btoi(a.Addr().IsLinkLocalUnicast()) - btoi(b.Addr().IsLinkLocalUnicast())
	})
	return t, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// announce announces threadmap's own instance until ended is called, which says
// goodbye and waits for that.
func (k *canaryKeeper) announce(c *icdcanary.Config) (ended func(), err error) {
	a, err := c.Announcement()
	if err != nil {
		return nil, err
	}
	var txt discovery.TXT
	for _, key := range []string{"SII", "SAI", "SAT"} {
		if v, ok := a.TXT[key]; ok {
			txt = append(txt, []byte(key+"="+v))
		}
	}
	host := fmt.Sprintf("threadmap-%08x", rand.Uint32()) // not the machine's own, which another responder speaks for
	conf := mdns.AdvertiseConfig{
		Advertisement: mdns.Operational(c.Member.CompressedID(), c.Member.NodeID, host, a.Port, txt), Interfaces: k.lan.interfaces,
		Trouble: func(p mdns.Problem) { k.say("canary: its announcement: %s", p.Error()) },
	}
	if testBrowse != nil {
		if err := testBrowse(mdns.Config{Interfaces: conf.Interfaces}); err != nil {
			panic(err)
		}
	}
	if testICD != nil {
		testICD.announce(&conf)
	}
	ctx, cancel := context.WithCancel(context.Background()) // beyond the watch: the device may need us to be rid of us
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := mdns.Advertise(ctx, conf); err != nil {
			k.say("canary: it can't be announced, so the device can't find it: %s", plain(err))
		}
	}()
	return func() {
		cancel()
		<-done
	}, nil
}
