package matter

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/message"
	"threadmap/discovery"
)

// Bounds of a plan: whoever is on the LAN can announce nodes of our fabric.
const (
	maxNodes     = 1024
	maxAddresses = 8 // of one node
)

// Networks that have no extended PAN id.
const (
	lan = "lan"
	// unknown is for nodes that may be in any Thread network: all of them go as
	// if they were in one.
	unknown = "unknown"
)

const (
	// threadMargin is what a way through a border router and a mesh may take
	// longer than an interval of a peer: repetitions wait for it.
	threadMargin = 1500 * time.Millisecond
	// awakeInterval is the longest session idle interval of nodes that do not
	// sleep: Thread devices of the Matter SDK say 2 s.
	awakeInterval = 2 * time.Second
	// litInterval stands for the idle interval of a node in long idle time mode,
	// which tells none.
	litInterval = 15 * time.Second
	// lateLanes is how many of those that come last are asked side by side, so that
	// they never take all places of a collection.
	lateLanes = 4
)

// A plan is whom to ask.
type plan struct {
	targets []target // by rank and node id
	asleep  []uint64 // left out: in long idle time mode
	foreign int      // devices of other fabrics only
	fabrics int
}

// A target is one node that is to be asked.
type target struct {
	node     uint64
	instance string // as the fabric names it
	// network is what its asking loads: 16 hex digits of an extended PAN id, lan
	// or unknown.
	network string
	sleeps  sleep
	// stranger: it is announced, but not among the nodes that are known to be on
	// the fabric. Whoever is on the LAN can announce what he likes.
	stranger bool
	group    string // of the probe
	// announced: somebody on the LAN speaks of it.
	announced bool
	session   discovery.Session
	// first are the addresses to try first, best first; all are all of them.
	first, all []netip.AddrPort
}

// A sleep is whether a node listens all the time.
type sleep uint8

const (
	awake     sleep = iota
	shortIdle       // it listens at intervals of some seconds
	longIdle        // long idle time mode: it may not listen for hours
)

// rank is when it has its turn.
func (t *target) rank() rank {
	switch {
	case t.stranger:
		return rankStranger
	case t.sleeps == longIdle:
		return rankLIT
	case t.sleeps == shortIdle:
		return rankSleepy
	}
	return rankAwake
}

// late reports whether others go first.
func (t *target) late() bool { return t.rank() != rankAwake }

// thread reports whether the node may be in a Thread network.
func (t *target) thread() bool { return t.network != lan }

// margin is the delay of the way to the node.
func (t *target) margin() time.Duration {
	if t.thread() {
		return threadMargin
	}
	return 0
}

// parameters are what the node announced.
func (t *target) parameters() message.SessionParameters {
	p := message.SessionParameters{Idle: t.session.Idle.Value, Active: t.session.Active.Value, ActiveThreshold: t.session.Threshold.Value}
	if _, ok := t.session.IdleInterval(); !ok {
		p.Idle = litInterval
	}
	return p
}

// patience is how long the node may be silent in a handshake: three messages go
// out in that time, at the node's own intervals, so that losing one in three in
// each direction costs one node in eight its first try.
func (t *target) patience() time.Duration {
	idle := cmp.Or(t.parameters().Idle, discovery.DefaultSII)
	return min((idle+t.margin())*7/2, 60*time.Second)
}

// again is how long it may be silent the second time. A small processor can take
// many seconds for its part of a handshake.
func (t *target) again() time.Duration { return max(2*t.patience(), 20*time.Second) }

// reading is how long one read may take: a large node over a mesh that loses
// every third message needs half a minute. One that falls silent is given up
// earlier, see answer.
func (t *target) reading() time.Duration { return 30*time.Second + t.patience() }

// Waits of a probe.
const (
	// answer is how long a node that has acknowledged a message may take for its
	// answer.
	answer = 20 * time.Second
	// queueing is for other nodes that hold the turns because they are silent.
	queueing = 45 * time.Second
	// afterAwake is how long those that are late wait at most until all others are
	// done.
	afterAwake = 20 * time.Second
)

// within is the deadline of the node's probe: two handshakes, and twice the time
// of a read.
func (t *target) within() time.Duration {
	d := queueing + t.patience() + t.again() + 2*t.reading()
	if t.late() {
		d += afterAwake
	}
	return d
}

// operational reports whether n is the id of a node (Core 2.5.5).
func operational(n uint64) bool { return n >= message.MinOperational && n <= message.MaxOperational }

// plan decides whom to ask, from what is announced and what is remembered.
func (s Source) plan(k diag.Known) plan {
	var p plan
	ours := map[uint64][]*discovery.Service{}
	device := func(v *discovery.Service) string {
		if v.Host.IsRoot() {
			return strings.ToLower(v.Name.String())
		}
		return fmt.Sprintf("%s %d", strings.ToLower(v.Host.String()), v.Port)
	}
	own, foreign, fabrics := map[string]bool{}, map[string]bool{}, map[uint64]bool{}
	for i := range k.Services {
		v := &k.Services[i]
		if v.Kind != discovery.KindMatter {
			continue
		}
		f, n, ok := discovery.OperationalID(v.Instance)
		switch {
		case !ok:
		case s.Member != nil && f == s.Member.CompressedID():
			own[device(v)] = true
			if n != s.Member.NodeID && operational(n) {
				ours[n] = append(ours[n], v)
			}
		default:
			fabrics[f] = true
			foreign[device(v)] = true
		}
	}
	for d := range foreign {
		if !own[d] {
			p.foreign++
		}
	}
	p.fabrics = len(fabrics)
	if s.Member == nil {
		return p
	}
	networks := threadNetworks(k.Services)
	for _, n := range s.candidates(ours) {
		t := target{node: n, instance: s.Member.InstanceName(n), stranger: len(s.Nodes) > 0 && !slices.Contains(s.Nodes, n)}
		t.locate(ours[n], networks)
		t.doze()
		if t.sleeps == longIdle && !s.AskSleepy {
			p.asleep = append(p.asleep, n)
			continue
		}
		p.targets = append(p.targets, t)
	}
	slices.SortStableFunc(p.targets, func(a, b target) int { return cmp.Compare(a.rank(), b.rank()) })
	lanes := 0
	for i := range p.targets {
		if t := &p.targets[i]; t.late() {
			t.group = fmt.Sprintf("%s late %d", Name, lanes%lateLanes)
			lanes++
		}
	}
	return p
}

// candidates are the nodes that may be asked, sorted; those that are remembered
// are not crowded out by those that are announced.
func (s Source) candidates(ours map[uint64][]*discovery.Service) []uint64 {
	var known, others []uint64
	for _, n := range s.Nodes {
		if operational(n) && n != s.Member.NodeID {
			known = append(known, n)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for n := range ours {
		if _, found := slices.BinarySearch(known, n); !found {
			others = append(others, n)
		}
	}
	slices.Sort(others)
	out := append(known, others...)
	out = out[:min(len(out), maxNodes)]
	slices.Sort(out)
	return out
}

// threadNetworks tells which Thread network a /64 leads into, by the border
// routers' announcements. A prefix of two networks is given to the one with the
// smaller id, which only decides with whom its nodes share their pace.
func threadNetworks(services []discovery.Service) map[netip.Prefix]string {
	out := map[netip.Prefix]string{}
	for i := range services {
		v := &services[i]
		if v.Kind != discovery.KindMeshCoP {
			continue
		}
		m := discovery.ParseMeshCoP(v.TXT)
		if m.ExtPANID == 0 || m.OMRPrefix.Bits() != 64 || !m.OMRPrefix.Addr().Is6() {
			continue
		}
		id := diag.PANID64(m.ExtPANID).String()
		if have, ok := out[m.OMRPrefix.Masked()]; !ok || id < have {
			out[m.OMRPrefix.Masked()] = id
		}
	}
	return out
}

// locate finds out where the node is from what announces it.
func (t *target) locate(services []*discovery.Service, networks map[netip.Prefix]string) {
	t.network, t.announced = unknown, len(services) > 0
	var inMesh, rest []netip.AddrPort
	ipv4, mac := false, false
	var addresses []netip.Addr
	for _, v := range services {
		addresses = append(addresses, v.Addresses...)
	}
	// Where one address is a locator of the mesh, its prefix leads nowhere from
	// outside.
	inside, _ := diag.MeshLocalPrefix(addresses)
	for _, v := range services {
		if what, _ := discovery.Host(v.Host); what == discovery.HostMAC {
			mac = true
		}
		if v.TXT != nil && t.session == (discovery.Session{}) {
			t.session = discovery.ParseSession(v.TXT)
		}
		for _, at := range v.Endpoints() {
			a := at.Addr()
			ipv4 = ipv4 || a.Unmap().Is4()
			if inside.IsValid() && inside.Contains(a) || a.IsMulticast() || a.IsUnspecified() || len(inMesh)+len(rest) >= 8*maxAddresses ||
				slices.Contains(inMesh, at) || slices.Contains(rest, at) {
				continue
			}
			prefix, _ := a.WithZone("").Prefix(64)
			if id := networks[prefix]; a.Is6() && id != "" {
				t.network = id
				inMesh = append(inMesh, at)
			} else {
				rest = append(rest, at)
			}
		}
	}
	// A border router has an address of its mesh, too, but is reached over its
	// own interface. No Thread device has an IPv4 address, or a name that is made
	// of a MAC address.
	if ipv4 || mac && len(inMesh) == 0 {
		t.network = lan
	}
	if t.thread() {
		slices.SortStableFunc(rest, reach)
		t.all = append(inMesh, rest...)
		t.first = inMesh
	} else {
		slices.SortStableFunc(rest, reach)
		t.all = append(rest, inMesh...)
	}
	t.all = t.all[:min(len(t.all), maxAddresses)]
	if t.first = t.first[:min(len(t.first), maxAddresses)]; len(t.first) == 0 {
		t.first = t.all
	}
}

// reach orders addresses: global and unique local IPv6 ones, link-local ones,
// IPv4. A machine may announce IPv4 addresses that nobody listens on.
func reach(a, b netip.AddrPort) int {
	class := func(a netip.Addr) int {
		switch {
		case a.Unmap().Is4():
			return 2
		case a.IsLinkLocalUnicast():
			return 1
		}
		return 0
	}
	return cmp.Compare(class(a.Addr()), class(b.Addr()))
}

// doze finds out whether the node sleeps.
func (t *target) doze() {
	switch lit := t.session.LIT; {
	case lit.Known && lit.Value:
		t.sleeps = longIdle
	case lit.Known, t.session.Idle.Known && t.session.Idle.Value > awakeInterval:
		t.sleeps = shortIdle
	}
}
