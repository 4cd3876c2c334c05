package icdhome

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/simulators/matternode"
	"threadmap/simulators/mdns"
)

const devicePort = 5540

// A device is the sleepy one: a generic switch.
type device struct {
	h       *Home
	icd     matternode.ICD
	sleep   matternode.Sleep
	options matternode.Options
	timeout time.Duration // of a child

	radio *radio
	node  *matternode.Node

	mu         sync.Mutex
	addrs      []netip.Addr
	regGap     time.Duration // between removing its registration and making a new one
	registered chan struct{} // closed while it is registered
	lives      int           // starts so far
}

func newDevice(h *Home) *device {
	d := &device{
		h: h, timeout: 240 * time.Second, addrs: []netip.Addr{deviceAddr(prefixA)}, registered: make(chan struct{}),
		icd:   matternode.ICD{Idle: 5 * time.Minute, Active: time.Second, Threshold: 4 * time.Second},
		sleep: matternode.Sleep{Slow: 5 * time.Second, Fast: 300 * time.Millisecond, Threshold: 4 * time.Second},
	}
	d.regGap = h.seconds(0.6, 1.8)
	d.options.Resumption.Persistence = matternode.TriesOnce
	return d
}

func (d *device) start() error {
	h := d.h
	var err error
	if d.radio, err = newRadio(h.net, netip.AddrPortFrom(d.addrs[0], devicePort)); err != nil {
		return err
	}
	o := d.options
	on := func(a *fabric.Authority, vendor uint16) error {
		m, err := a.NewNode(DeviceNode)
		if err == nil {
			o.Fabrics = append(o.Fabrics, matternode.Fabric{Member: m, Admins: []uint64{a.Member().NodeID}, VendorID: vendor})
		}
		return err
	}
	for _, u := range append([]*hub{h.hub}, h.more...) {
		if err := on(u.ca, u.vendor); err != nil {
			return err
		}
	}
	if err := on(h.ours, fabric.VendorID); err != nil {
		return err
	}
	o.Resolve, o.Registers, o.Changed, o.Seed = d.resolve, d.booted, d.changed, h.o.Seed
	o.Parameters = message.SessionParameters{Idle: d.sleep.Slow, Active: d.sleep.Fast, ActiveThreshold: d.sleep.Threshold}
	if !h.o.Quick { // whose radio listens all the time, as nobody wants to wait for it
		o.Sleep = &d.sleep
	}
	d.node, err = matternode.New(d.radio, matternode.Device{
		Name: "Button", Vendor: "ACME", Model: "Button", Firmware: "1.0.9", Type: matternode.GenericSwitch, Battery: 80,
		ICD: &d.icd, RebootCount: 17, UpTime: 72 * time.Hour,
	}, o)
	return err
}

func (d *device) close() {
	if d.node != nil {
		d.node.Close()
	} else if d.radio != nil {
		d.radio.Close()
	}
}

// services are what it registers.
func (d *device) services() []mdns.Service {
	d.mu.Lock()
	addrs := append([]netip.Addr(nil), d.addrs...)
	d.mu.Unlock()
	return d.node.Services(matternode.Place{Host: strings.ToUpper(string(d.h.Name())), Port: devicePort, Addrs: addrs})
}

// restart takes the battery out and puts it in again; the user says so.
func (d *device) restart(off time.Duration, o matternode.RebootOptions) {
	d.h.see(icd.ByUser, "power-off", &icd.PowerOff{})
	d.reboot(off, o)
	if d.h.pause(off) {
		d.h.see(icd.ByUser, "power-on", &icd.PowerOn{})
	}
}

// reboot is a restart that nobody tells of.
func (d *device) reboot(off time.Duration, o matternode.RebootOptions) {
	d.mu.Lock()
	d.lives++
	d.registered = make(chan struct{})
	d.mu.Unlock()
	d.radio.forget()
	d.h.mesh.powerOff(d.h, d.timeout)
	o.Down, o.Boot = off, d.h.seconds(1, 3)
	d.node.Reboot(o)
}

// booted is the moment when the firmware's radio runs: it looks for a parent
// for as long as it takes, and then registers.
func (d *device) booted() {
	d.mu.Lock()
	life := d.lives
	d.mu.Unlock()
	for {
		d.mu.Lock()
		still := d.lives == life
		d.mu.Unlock()
		if !still {
			return
		}
		if d.attach() {
			break
		}
		if !d.h.pause(10 * time.Second) {
			return
		}
	}
	if d.h.pause(500 * time.Millisecond) {
		d.register(false)
	}
}

func (d *device) attach() bool {
	d.h.mu.Lock()
	defer d.h.mu.Unlock()
	return d.h.mesh.attach()
}

// register removes the registration that the server may have, and makes a new
// one: so does the firmware at each start. At the beginning of a story all is
// registered already.
func (d *device) register(silently bool) {
	h := d.h
	d.mu.Lock()
	life := d.lives
	d.mu.Unlock()
	b := h.serving()
	if b == nil {
		return
	}
	all := d.services()
	if !silently {
		for _, s := range all {
			b.voice.take(s.Instance)
			for _, o := range h.allRouters() {
				if o != b && o.replicates {
					o.voice.take(s.Instance)
				}
			}
		}
		if !h.pause(d.regGap) {
			return
		}
	}
	d.mu.Lock()
	if d.lives != life { // it was restarted meanwhile
		d.mu.Unlock()
		return
	}
	select {
	case <-d.registered:
	default:
		close(d.registered)
	}
	d.mu.Unlock()
	b.announce(all)
	for _, o := range h.allRouters() {
		h.mu.Lock()
		also := o != b && o.alive && o.replicates
		h.mu.Unlock()
		if also {
			h.After(400*time.Millisecond, func() { o.announce(d.services()) })
		}
	}
}

// changed is told when what it announces is not so any more.
func (d *device) changed() {
	if b := d.h.serving(); b != nil && b.voice.has(d.h.ours.Member().InstanceName(DeviceNode)) {
		b.announce(d.services())
	}
}

// resolve is the device's look-up of a subscriber: the border router's discovery
// proxy asks on the LAN.
func (d *device) resolve(ctx context.Context, compressed, node uint64) ([]netip.AddrPort, error) {
	d.mu.Lock()
	ready := d.registered
	d.mu.Unlock()
	select {
	case <-ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b := d.h.serving()
	d.h.mu.Lock()
	blind := b == nil || b.noLookUp || !d.h.mesh.attached()
	d.h.mu.Unlock()
	if blind {
		<-ctx.Done()
		return nil, errNotFound
	}
	instance := fabric.InstanceName(compressed, node)
	for _, u := range append([]*hub{d.h.hub}, d.h.more...) {
		if u.on == b && u.instance() == instance {
			return []netip.AddrPort{netip.AddrPortFrom(u.addr, hubPort)}, nil
		}
	}
	s, err := b.voice.seek(ctx, instance)
	if err != nil {
		return nil, err
	}
	return placeOf(s.addrs, s.port, s.txt).Addresses, nil
}

// addAddress gives it an address in one more prefix, from which it speaks from
// now on, and registers it.
func (d *device) addAddress(p netip.Prefix) error {
	a := deviceAddr(p)
	if err := d.radio.add(d.h.net, netip.AddrPortFrom(a, devicePort)); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addrs = append(d.addrs, a)
	return nil
}

// dropAddress takes its first address from it.
func (d *device) dropAddress() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addrs = d.addrs[1:]
}
