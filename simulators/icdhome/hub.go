package icdhome

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"threadmap/diag/icd"
	"threadmap/diag/matter/fabric"
	"threadmap/simulators/controller"
	"threadmap/simulators/mdns"
)

const hubPort = 5541

// A hub is a controller in the home: the machine that it runs on, and its
// program. The first is the one that the user complains about, and the one that
// the observer sees inside of.
type hub struct {
	h       *Home
	name    string
	vendor  uint16 // of the fabric, as the device has it
	options controller.Options
	ca      *fabric.Authority
	addr    netip.Addr
	host    string
	on      *borderRouter // the machine is a border router; nil: one of its own
	voice   *voice
	c       *controller.Controller
	quiet   bool // nobody sees inside of it
}

func (h *Home) newHub(name string) *hub {
	ca, err := fabric.New(fabric.Config{})
	if err != nil { // only without a source of chance
		panic(err)
	}
	n := uint8(len(h.more))
	if h.hub != nil {
		n++
	}
	return &hub{h: h, name: name, ca: ca, addr: lan(0x77 + n), host: fmt.Sprintf("Hub-%d", n+1), vendor: fabric.VendorID, quiet: n > 0}
}

// instanceOf is how a node of its fabric is announced.
func (u *hub) instanceOf(node uint64) string { return u.ca.Member().InstanceName(node) }

func (u *hub) instance() string { return u.instanceOf(u.ca.Member().NodeID) }

func (u *hub) start() error {
	var err error
	if u.on != nil {
		u.addr, u.host, u.voice = u.on.addr, u.on.name, u.on.voice
	} else {
		if u.voice, err = newVoice(u.h.net, u.addr); err != nil {
			return err
		}
		u.voice.hear = func(s said) { u.heard(s) }
		u.voice.start()
	}
	o := u.options
	o.Fabric, o.Resolve, o.Tell, o.Seed = u.ca, u.resolve, u.told, u.h.o.Seed
	o.Listen = func() (net.PacketConn, error) { return u.h.net.ListenPacket(netip.AddrPortFrom(u.addr, hubPort)) }
	if u.c, err = controller.New(o); err != nil {
		return err
	}
	u.announce()
	u.c.Follow(DeviceNode)
	return nil
}

func (u *hub) service() mdns.Service {
	return mdns.Service{
		Kind: operational, Subtypes: []string{fmt.Sprintf("_I%016X", u.ca.Member().CompressedID())}, Instance: u.instance(),
		Host: u.host, Port: hubPort, Addrs: []netip.Addr{u.addr}, TXT: [][]byte{[]byte("SII=500"), []byte("SAI=300"), []byte("SAT=4000")},
	}
}

func (u *hub) announce() {
	if u.on == nil { // who is its own border router answers itself
		u.voice.put(u.service())
	}
}

func (u *hub) close() {
	if u.c != nil {
		u.c.Close()
	}
	if u.on == nil && u.voice != nil {
		u.voice.close()
	}
}

// leave is a controller that is no more: nobody answers for its name.
func (u *hub) leave() {
	u.c.Stop()
	if u.on == nil {
		u.voice.forget()
	}
}

// sleep puts the machine to sleep, and a sleep proxy speaks for it.
func (u *hub) sleep() error {
	u.h.with(func() { u.h.asleep[u.addr] = true })
	v, err := newVoice(u.h.net, lan(0x60))
	if err != nil {
		return err
	}
	v.proxied, v.services = true, []mdns.Service{u.service()}
	v.start()
	u.h.Go(func() { <-u.h.ctx.Done(); v.close() })
	return nil
}

// resolve looks a node up as the machine's resolver does.
func (u *hub) resolve(ctx context.Context, node uint64) (controller.Place, error) {
	instance := u.instanceOf(node)
	if u.on != nil {
		if s, ok := u.on.announced(instance); ok {
			return placeOf(s.Addrs, s.Port, s.TXT), nil
		}
	}
	s, err := u.voice.seek(ctx, instance)
	if err != nil {
		return controller.Place{}, err
	}
	if len(s.txt) == 0 || len(s.txt[0]) == 0 {
		return controller.Place{}, fmt.Errorf("%s is announced without TXT", instance)
	}
	return placeOf(s.addrs, s.port, s.txt), nil
}

func placeOf(addrs []netip.Addr, port uint16, txt [][]byte) (p controller.Place) {
	for _, a := range addrs {
		p.Addresses = append(p.Addresses, netip.AddrPortFrom(a, port))
	}
	p.Parameters, p.LongIdle = session(txt)
	return p
}

// heard is what border routers say of names.
func (u *hub) heard(s said) {
	if u.c != nil && strings.EqualFold(s.instance, u.instanceOf(DeviceNode)) && s.hasSRV {
		_, longIdle := session(s.txt)
		u.c.Heard(DeviceNode, s.bye, longIdle)
	}
}

// heard gives what was said near a border router to the controllers that run on it.
func (h *Home) heard(at netip.Addr, s said) {
	for _, u := range append([]*hub{h.hub}, h.more...) {
		if u.on != nil && u.on.addr == at {
			u.heard(s)
		}
	}
}

// told is what the controller tells of its inside.
func (u *hub) told(_ uint64, what any) {
	if u.quiet {
		return
	}
	by := icd.ByController
	if u.options.Policy == controller.MatterJS {
		by = icd.ByHA
	}
	see := func(event string, what any) { u.h.see(by, event, what) }
	switch w := what.(type) {
	case *controller.Subscribed:
		see("subscribed", &icd.Subscribed{ID: w.ID, Min: ptr(icd.Sec(float64(w.MinInterval))), Max: ptr(icd.Seconds(w.MaxInterval))})
	case *controller.Report:
		see("report", &icd.Report{ID: w.ID, Known: ptr(w.Known)})
	case *controller.Available:
		see("available", &icd.Available{Value: ptr(w.Value)})
	case *controller.Lost:
		see("subscription-lost", &icd.Lost{Reason: w.Reason})
	case *controller.Event:
		see("event", &icd.DeviceEvent{Number: w.Number, Cluster: w.Cluster, EventID: w.ID})
	case *controller.CheckIn:
		see("checkin", &icd.CheckIn{Counter: ptr(w.Counter), Decrypted: ptr(true)})
	case *controller.Log:
		see("log", &icd.Log{Text: w.Text})
	}
}

func ptr[T any](v T) *T { return &v }
