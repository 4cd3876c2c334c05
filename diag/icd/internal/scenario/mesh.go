package scenario

import (
	"fmt"
	"net/netip"

	"threadmap/diag/icd"
)

type mesh struct {
	routers []*router
	netdata []string // prefixes of the Network Data
	srp     bool
	cut     bool // unicast between the mesh and the LAN is lost
}

type router struct {
	rloc      string
	alive     bool
	otherHalf bool // in another partition than the first border router
	full      bool
	others    int  // other children
	has       bool // the device's row is in its table
}

type borderRouter struct {
	w          *World
	name, addr string
	alive      bool
	omr        string
	partition  string
	txt        bool // its announcements of devices are whole
	registered bool // has the device's SRP registration
	replicates bool // announces what another border router has registered, too
	blind      bool // looks nothing up for devices
}

// asks is its discovery proxy, which looks a name up for a device.
func (b *borderRouter) asks(name string) {
	if !b.blind {
		b.w.say(icd.ByMDNS, "question", &icd.Question{Name: name, Types: []string{"SRV", "TXT"}, From: b.addr})
	}
}

// neighbour is another device of the mesh that looks the hub up.
func (w *World) neighbour(at float64) {
	w.after(at, func() {
		if b := w.serving(); b != nil {
			b.asks(hubFabric + "-" + hubNode + "._matter._tcp.local")
		}
	})
}

func (b *borderRouter) hostName() string { return b.name + ".local" }

func (b *borderRouter) announceSelf() {
	p := netip.MustParsePrefix(b.omr)
	b.w.announce("announce", &icd.Announce{
		Instance: b.name + "._meshcop._udp.local", Service: "_meshcop._udp", Host: b.hostName(), Port: 49191, From: b.addr,
		TXT: map[string]string{"xp": "1122334455667788", "pt": b.partition, "omr": fmt.Sprintf("40%x", p.Addr().AsSlice()[:8]), "nn": "MyHome"},
	})
}

func (b *borderRouter) goodbyeSelf() {
	b.w.announce("goodbye", &icd.Announce{Instance: b.name + "._meshcop._udp.local", Service: "_meshcop._udp", Host: b.hostName(), From: b.addr})
}

func (b *borderRouter) advertise() {
	b.w.say(icd.ByRA, "advert", &icd.Advert{From: b.addr, Prefixes: []icd.AdvertPrefix{{Prefix: b.omr, Kind: "rio", Lifetime: icd.Sec(1800)}}})
}

func (b *borderRouter) withdraw(prefix string) {
	b.w.say(icd.ByRA, "advert", &icd.Advert{From: b.addr, Prefixes: []icd.AdvertPrefix{{Prefix: prefix, Kind: "rio", Lifetime: 0}}})
}

func (b *borderRouter) record(fabric string) *icd.Announce {
	a := &icd.Announce{Instance: b.w.instance(fabric) + "._matter._tcp.local", Service: "_matter._tcp", Host: deviceExt + ".local", From: b.addr}
	return a
}

func (b *borderRouter) announceDevice() {
	for _, f := range b.w.fabrics() {
		a := b.record(f)
		a.Addresses, a.Port, a.TXT = []string{b.w.dev.address}, 5540, map[string]string{}
		if b.txt {
			for k, v := range b.w.dev.txt {
				a.TXT[k] = v
			}
		}
		b.w.announce("announce", a)
		b.w.hub.heardAnnounce(f)
	}
}

func (b *borderRouter) goodbyeDevice() {
	for _, f := range b.w.fabrics() {
		b.w.announce("goodbye", b.record(f))
	}
	b.w.hub.heardGoodbye()
}

// goodbyeOthers withdraws the other devices' records.
func (b *borderRouter) sayOthers(event string) {
	for i := range 3 {
		a := &icd.Announce{Instance: fmt.Sprintf("%s-%016X._matter._tcp.local", hubFabric, 0x77+i), Service: "_matter._tcp", Host: fmt.Sprintf("00ff00ffb800%04d.local", i), From: b.addr}
		if event == "announce" {
			a.TXT = map[string]string{"SII": "5000"}
		}
		b.w.announce(event, a)
	}
}

// serve is the border router that takes the device's registration.
func (w *World) serving() *borderRouter {
	for _, b := range w.routers {
		if b.alive && w.mesh.srp {
			return b
		}
	}
	return nil
}
