package capture

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/discovery"
)

// A device is the one that the observations are about.
type device struct {
	node    icd.NodeName
	addrs   map[netip.Addr]bool
	fabrics map[uint64]uint64 // by compressed id: its node id there
}

func (d *device) has(a netip.Addr) bool { return d.addrs[a] }

// choose finds the device by what the caller calls it; nil where it is not in
// the file.
func (h *home) choose(devices []Device) *device {
	name := strings.TrimSpace(h.o.Node)
	if name == "" {
		// The one that restarted, or the only one that there is.
		if n := len(devices); n == 0 || len(devices[0].Restarts) == 0 && n > 1 || n > 1 && len(devices[1].Restarts) > 0 {
			return nil
		}
		return h.device(devices[0])
	}
	if i := slices.IndexFunc(devices, func(d Device) bool { return strings.EqualFold(strings.ReplaceAll(name, ":", ""), string(d.Node)) }); i >= 0 {
		return h.device(devices[i])
	}
	if a, err := netip.ParseAddr(name); err == nil {
		a = a.WithZone("")
		for _, d := range devices {
			if slices.Contains(d.Addresses, a) {
				return h.device(d)
			}
		}
		if !h.talks.to[a] && !h.spoken(a) {
			return nil
		}
		return h.device(Device{Node: icd.NodeName(a.String()), Addresses: []netip.Addr{a}})
	}
	if i := strings.Index(strings.ToLower(name), "._matter"); i >= 0 {
		name = name[:i]
	}
	for _, d := range devices {
		if slices.ContainsFunc(d.Instances, func(i string) bool { return strings.EqualFold(i, name) }) {
			return h.device(d)
		}
	}
	// Not on a host that is named by its extended address.
	for _, in := range h.book.instances {
		if strings.EqualFold(instanceName(in.fabric, in.node), name) {
			return h.device(Device{Node: icd.NodeName(instanceName(in.fabric, in.node)), Instances: []string{instanceName(in.fabric, in.node)}, Addresses: h.book.hosts[in.host]})
		}
	}
	if x, err := diag.ParseExtAddr(name); err == nil && len(h.o.Addresses) > 0 {
		return h.device(Device{Node: icd.NodeName(x.String())})
	}
	return nil
}

func (h *home) device(d Device) *device {
	dev := &device{node: d.Node, addrs: map[netip.Addr]bool{}, fabrics: map[uint64]uint64{}}
	for _, a := range slices.Concat(d.Addresses, h.o.Addresses) {
		dev.addrs[a.WithZone("")] = true
	}
	for _, i := range d.Instances {
		if fabric, node, ok := discovery.OperationalID(i); ok {
			dev.fabrics[fabric] = node
		}
	}
	return dev
}

// spoken reports whether an address took part in a handshake.
func (h *home) spoken(a netip.Addr) bool {
	return slices.ContainsFunc(h.handshakes.all, func(x *handshake) bool { return x.initiator.Addr() == a || x.responder.Addr() == a })
}

// longest is how long an observations file may be about.
const longest = int64(100_000_000 * time.Second)

// result puts together what is known at the end of the file.
func (h *home) result(format string) *Result {
	r := &Result{Format: format, Start: time.Unix(0, h.start+h.shift).UTC(), End: time.Unix(0, h.end+h.shift).UTC(), Devices: h.book.devices()}
	for i := range r.Devices {
		for j := range r.Devices[i].Restarts {
			r.Devices[i].Restarts[j] = r.Devices[i].Restarts[j].Add(time.Duration(h.shift))
		}
	}
	if dev := h.choose(r.Devices); dev != nil {
		r.Node = dev.node
		add := func(at int64, o icd.Observation) {
			if len(r.seen) >= icd.MaxLines || at-h.start > longest {
				h.counts.Dropped++
				return
			}
			r.seen = append(r.seen, sighting{at + h.shift, o})
		}
		fabrics := make([]uint64, 0, len(dev.fabrics))
		for f := range dev.fabrics {
			fabrics = append(fabrics, f)
		}
		slices.Sort(fabrics)
		h.tellHeard(dev.node, fabrics, add)
		h.pingsOf(dev, add)
		h.tellErrors(dev, add)
		h.tellNeighbours(dev, add)
		h.tellHandshakes(dev, add)
		h.tellTalks(dev, add)
		sortSightings(r.seen)
	}
	r.Counts = h.counts
	return r
}

// fabric is whom a session of the device is with: the fabric, as 16 hex digits,
// by our own keys, or by the names that are announced for the peer's address and
// port; "" where that is not known.
func (h *home) fabric(dev *device, peer netip.AddrPort, x *handshake) string {
	if x != nil && x.hasDestination {
		for _, f := range h.o.Fabrics {
			if h.meant(dev, f, x) {
				return fmt.Sprintf("%016X", f.CompressedID())
			}
		}
	}
	name, known := h.fabrics[peer]
	if !known {
		name = h.announced(dev, peer)
		h.fabrics[peer] = name
	}
	return name
}

// announced is the one fabric of the device that a machine serves at an address
// and port; "" where there are several.
func (h *home) announced(dev *device, peer netip.AddrPort) string {
	found := uint64(0)
	for _, in := range h.book.at(peer) {
		if _, on := dev.fabrics[in.fabric]; !on && len(dev.fabrics) > 0 {
			continue
		}
		if found != 0 && found != in.fabric {
			return ""
		}
		found = in.fabric
	}
	if found == 0 {
		return ""
	}
	return fmt.Sprintf("%016X", found)
}

// meant reports whether a Sigma1 is for a node of our own fabric.
func (h *home) meant(dev *device, f Fabric, x *handshake) bool {
	id := f.CompressedID()
	if !dev.has(x.initiator.Addr()) {
		node, on := dev.fabrics[id]
		return on && f.DestinationID(x.random[:], node) == x.destination
	}
	for _, in := range h.book.instances {
		if in.fabric != id || h.tries >= maxTries {
			continue
		}
		h.tries++
		if f.DestinationID(x.random[:], in.node) == x.destination {
			return true
		}
	}
	return false
}

const (
	byDevice     = "device"
	byController = "controller"
)

// roles says who of two is the device; ok is false where neither is, or both.
func (d *device) roles(from, to netip.AddrPort) (by string, peer netip.AddrPort, ok bool) {
	a, b := d.has(from.Addr()), d.has(to.Addr())
	if a {
		return byDevice, to, !b
	}
	return byController, from, b
}

func (h *home) tellHandshakes(dev *device, add func(int64, icd.Observation)) {
	for _, x := range h.handshakes.all {
		by, peer, ok := dev.roles(x.initiator, x.responder)
		if !ok {
			continue
		}
		from, to := x.initiator.String(), x.responder.String()
		tell := func(at int64, event string, what any) {
			add(at, icd.Observation{By: icd.ByCapture, Event: event, What: what})
		}
		switch x.kind {
		case kindCheckIn:
			if by == byDevice {
				tell(x.first, "checkin", &icd.CheckIn{From: from, To: to, Fabric: h.fabric(dev, peer, nil)})
			}
		case kindPASE:
			tell(x.first, "pase", &icd.PASE{OpenedBy: by, From: from, To: to})
		case kindCASE:
			if !x.isCASE() {
				continue
			}
			fabric := h.fabric(dev, peer, x)
			if x.sent[initiator][stepFirst].times > 0 {
				tell(x.first, "sigma1", &icd.Sigma1{Resumption: x.resumption, OpenedBy: by, From: from, To: to, Fabric: fabric})
			}
			if end := x.outcome(h.end); end.result != "" {
				if end.result == "failed" {
					end.err += h.objection(x)
				}
				tell(x.last, "case", &icd.CASE{OpenedBy: by, Result: end.result, Error: end.err, From: from, To: to, Fabric: fabric})
			}
		}
	}
}

// isCASE reports whether more than acknowledgements and reports was seen.
func (a *handshake) isCASE() bool {
	i, r := &a.sent[initiator], &a.sent[responder]
	return i[stepFirst].times+i[stepThird].times+r[stepSecond].times+r[stepResume].times > 0
}

// objection is what routers and hosts said of the packets of a handshake.
func (h *home) objection(x *handshake) string {
	for _, e := range h.icmp.errors {
		if e.at < x.first || e.at > x.last+settled {
			continue
		}
		i, r := x.initiator.Addr(), x.responder.Addr()
		if e.from == i && e.dest == r || e.from == r && e.dest == i {
			return fmt.Sprintf("; %s says of a packet to %s: %s", e.router, e.dest, e.reason())
		}
	}
	return ""
}

// reason is the meaning of an ICMPv6 error (RFC 4443, sections 3.1 and 3.3).
func (e *icmpError) reason() string {
	if e.kind == icmpTimeout {
		return "hop limit exceeded"
	}
	words := []string{"no route", "prohibited", "beyond scope", "address unreachable", "port unreachable", "source address failed policy", "route rejected"}
	if int(e.code) < len(words) {
		return words[e.code]
	}
	return fmt.Sprintf("unreachable, code %d", e.code)
}

// tellErrors tells of packets to the device that did not get there. Where a
// router that is no border router has no route, the sender's host has none.
func (h *home) tellErrors(dev *device, add func(int64, icd.Observation)) {
	last := map[icmpError]int64{}
	for _, e := range h.icmp.errors {
		if !dev.has(e.dest) || dev.has(e.router) {
			continue
		}
		key := e
		key.at = 0
		if at, told := last[key]; told && e.at-at < int64(10*time.Second) {
			continue
		}
		last[key] = e.at
		by := icd.ByCapture
		if e.kind == icmpUnreachable && e.code == 0 && len(h.book.routers) > 0 && !h.book.borderRouter(e.router) {
			by = icd.ByHost // its sender gave the packet to a router that is none of the mesh
		}
		add(e.at, icd.Observation{By: by, Event: "unreachable", What: &icd.Unreachable{To: e.dest.String(), From: e.router.String(), Reason: e.reason()}})
	}
}

// tellNeighbours tells whose machine answers for the addresses of the device's
// peers.
func (h *home) tellNeighbours(dev *device, add func(int64, icd.Observation)) {
	peers := map[netip.Addr]bool{}
	for _, in := range h.book.instances {
		if _, on := dev.fabrics[in.fabric]; on && !isThread(in.host) {
			for _, a := range h.book.hosts[in.host] {
				peers[a] = true
			}
		}
	}
	owner := map[mac]netip.Addr{}
	for _, n := range h.icmp.neighbours {
		same, known := owner[n.mac]
		if !known && len(owner) < maxHosts {
			owner[n.mac] = n.addr
		}
		if !peers[n.addr] {
			continue
		}
		w := &icd.Neighbour{To: n.addr.String(), MAC: n.mac.String()}
		if known && same != n.addr {
			w.SameAs = same.String()
		}
		add(n.at, icd.Observation{By: icd.ByHost, Event: "neighbour", What: w})
	}
}

func (m mac) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

func (h *home) tellTalks(dev *device, add func(int64, icd.Observation)) {
	for _, s := range h.talks.spokes {
		by, peer, ok := dev.roles(s.from, s.to)
		if !ok || !s.answered && h.end-s.last < answerWithin {
			continue
		}
		at := s.at
		if !s.answered {
			at = s.last
		}
		add(at, icd.Observation{By: icd.ByCapture, Event: "spoke", What: &icd.Spoke{
			OpenedBy: by, From: s.from.String(), To: s.to.String(), Fabric: h.sessionFabric(dev, peer, s), Session: s.session, Sent: s.sent, Answered: s.answered,
		}})
	}
	// What the capture would have seen of each controller.
	type seen struct {
		peer     netip.AddrPort
		fabric   string
		messages int
		last     int64
	}
	var all []*seen
	for k, t := range h.talks.all {
		who, peer := 0, k.b
		if dev.has(k.b) {
			who, peer = 1, k.a
		}
		if dev.has(k.a) == dev.has(k.b) || t.messages[who] == 0 {
			continue
		}
		p := netip.AddrPortFrom(peer, t.port[1-who])
		w := &seen{p, h.fabric(dev, p, nil), t.messages[who], t.lastFrom[who]}
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *seen) int { return a.peer.Compare(b.peer) })
	for _, w := range all {
		last := icd.Seconds(max(0, h.end-w.last))
		add(h.end, icd.Observation{By: icd.ByCapture, Event: "watched", What: &icd.Watched{
			For: icd.Seconds(h.end - h.start), To: w.peer.Addr().String(), Fabric: w.fabric, Messages: w.messages, Last: &last,
		}})
	}
}

// sessionFabric is the fabric of a session: that of its handshake, or of the
// peer.
func (h *home) sessionFabric(dev *device, peer netip.AddrPort, s *spoke) string {
	if s.handshake != nil {
		return h.fabric(dev, peer, s.handshake)
	}
	return h.fabric(dev, peer, nil)
}
