package heard

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"threadmap/diag/icd"
	"threadmap/discovery"
)

// Bounds of what a Scope remembers. No home has as much.
const (
	maxOwn         = 32   // instances of the device: one for each fabric
	maxRouters     = 64   // border agents
	maxSubscribers = 64   // other nodes of the device's fabrics that are no Thread devices
	maxSiblings    = 2048 // Thread devices
	maxHosts       = 512  // of which at most maxOwn+maxRouters+maxSubscribers have services
	maxAddresses   = 16   // of one host
	maxAsks        = 512
	maxAdverts     = 64 // routers that advertise
)

// How much is told of, at most: a burst and what comes in a second, of the
// device itself and of all else together. A LAN that says more is broken or
// hostile, and its word is worth no more for being repeated.
const (
	burst, perSecond = 1000, 10
	// siblingsAtOnce bounds the withdrawals of other Thread devices that are told
	// of within siblingsWithin: that others vanish matters, not which.
	siblingsAtOnce, siblingsWithin = 8, 10 * time.Second
)

// A Scope is the device that is watched and what was heard of it. Its methods
// are safe for concurrent use.
type Scope struct {
	mu      sync.Mutex
	ext     uint64 // the device's extended address; 0: not known
	own     map[discovery.Name]*record
	fabrics map[uint64]bool // the device's, by compressed fabric id

	routers, subscribers map[discovery.Name]*record
	siblings             map[discovery.Name]bool // Thread devices' instances
	hosts                map[discovery.Name]*host
	owners               map[netip.Addr]discovery.Name // of machines that may send
	asks                 map[discovery.Name]time.Time  // when a name was last asked for
	copies               copies
	adverts              map[string]advertised

	mine, rest bucket
	vanished   []time.Time // siblings told of lately
	dropped    int

	lit       discovery.Opt[bool]
	described bool
	at        time.Time // of the last announcement of the device
	changed   chan struct{}
}

// A record is what was last said of an instance.
type record struct {
	name discovery.Name
	host discovery.Name
	port uint16
	txt  discovery.TXT // nil: not said
	said bool          // announced, and not withdrawn since
	gone time.Time     // last withdrawal
	back time.Time     // when it was announced again after that
	omr  netip.Prefix  // of a border router
}

// A host is what was last said of a host name.
type host struct {
	addrs []netip.Addr
	from  netip.Addr // what its messages are said to come from
	asked time.Time
}

// NewScope makes a Scope for a device, named by its extended address (16 hex
// digits) or by one of its operational instances. Compressed ids of fabrics
// that it is known to be on may be given; others are learnt.
func NewScope(node icd.NodeName, fabrics ...uint64) *Scope {
	s := &Scope{
		own: map[discovery.Name]*record{}, fabrics: map[uint64]bool{}, routers: map[discovery.Name]*record{}, subscribers: map[discovery.Name]*record{},
		siblings: map[discovery.Name]bool{}, hosts: map[discovery.Name]*host{}, owners: map[netip.Addr]discovery.Name{},
		asks: map[discovery.Name]time.Time{}, adverts: map[string]advertised{}, changed: make(chan struct{}),
		mine: bucket{left: burst}, rest: bucket{left: burst},
	}
	for _, f := range fabrics[:min(len(fabrics), maxOwn)] {
		s.fabrics[f] = true
	}
	name := strings.NewReplacer(":", "", " ", "").Replace(string(node))
	if len(name) > 33 && strings.HasPrefix(strings.ToLower(name[33:]), "._matter._tcp") {
		name = name[:33]
	}
	if fabric, _, ok := discovery.OperationalID(name); ok {
		if n, err := discovery.KindMatter.InstanceName(name); err == nil {
			s.own[n.Fold()] = &record{name: n}
			s.fabrics[fabric] = true
		}
	} else if n, err := discovery.NewName(name); err == nil && len(name) == 16 {
		_, s.ext = discovery.Host(n)
	}
	return s
}

// A Device is what was heard of the device.
type Device struct {
	Instances []string // operational, "<compressed fabric id>-<node id>", sorted; those announced now
	// Addresses are sorted, without link-local ones. They are kept when its names
	// are withdrawn: whether it lives on then tells a border router's loss from
	// its own.
	Addresses []netip.Addr
	// LongIdle is the key ICD of its newest TXT record: true while it sleeps for
	// long and must not be bothered.
	LongIdle  discovery.Opt[bool]
	Idle      discovery.Opt[time.Duration] // SII: how long it sleeps at most while idle, of a short idle time device
	Announced time.Time                    // last time; zero: never
	// Described: a TXT record of the device was heard. Before that a LongIdle that
	// is not known means nothing.
	Described bool
}

// Device is what is known of the device now.
func (s *Scope) Device() Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := Device{LongIdle: s.lit, Announced: s.at, Described: s.described}
	hosts := map[discovery.Name]bool{}
	for _, r := range s.own {
		if r.said {
			d.Instances = append(d.Instances, r.name.First())
		}
		if x := discovery.ParseSession(r.txt).Idle; x.Known && (!d.Idle.Known || x.Value > d.Idle.Value) {
			d.Idle = x
		}
		if h := s.hosts[r.host.Fold()]; h != nil && !hosts[r.host.Fold()] {
			hosts[r.host.Fold()] = true
			d.Addresses = append(d.Addresses, global(h.addrs)...)
		}
	}
	slices.Sort(d.Instances)
	slices.SortFunc(d.Addresses, netip.Addr.Compare)
	d.Addresses = slices.Compact(d.Addresses)
	return d
}

// Prefixes are the off-mesh routable prefixes that border routers announce,
// sorted.
func (s *Scope) Prefixes() []netip.Prefix {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []netip.Prefix
	for _, r := range s.routers {
		if r.said && r.omr.IsValid() {
			out = append(out, r.omr)
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}

// Subscribers are the addresses of the machines in the device's fabrics that
// are no Thread devices: its controllers are among them. Sorted.
func (s *Scope) Subscribers() []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []netip.Addr
	for _, r := range s.subscribers {
		if h := s.hosts[r.host.Fold()]; h != nil && r.said {
			out = append(out, h.addrs...)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// Machines are the host names of the addresses that machines other than Thread
// devices have.
func (s *Scope) Machines() map[netip.Addr]discovery.Name {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.owners)
}

// Routed reports whether a route to the prefix was advertised, and is not
// withdrawn.
func (s *Scope) Routed(p netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.adverts {
		if slices.Contains(a.routes, p.Masked()) {
			return true
		}
	}
	return false
}

// Changed is closed by the next message that told of the device.
func (s *Scope) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Dropped counts the observations that were not told of because there were too
// many.
func (s *Scope) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Asked notes a question that the observer itself sends: what answers it is no
// announcement.
func (s *Scope) Asked(n discovery.Name, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteAsk(n, at)
}

func (s *Scope) noteAsk(n discovery.Name, at time.Time) {
	if len(s.asks) >= maxAsks {
		for k, t := range s.asks {
			if at.Sub(t) > answersTake {
				delete(s.asks, k)
			}
		}
		if len(s.asks) >= maxAsks {
			return
		}
	}
	s.asks[n.Fold()] = at
}

// solicited reports whether somebody has just asked for the name.
func (s *Scope) solicited(n discovery.Name, at time.Time) bool {
	t, ok := s.asks[n.Fold()]
	return ok && at.Sub(t) <= answersTake
}

// host is the host of that name, made where it is new; nil beyond the bound.
func (s *Scope) host(n discovery.Name) *host {
	k := n.Fold()
	h := s.hosts[k]
	if h != nil || k.IsRoot() {
		return h
	}
	if len(s.hosts) >= maxHosts {
		s.forgetHosts()
	}
	if len(s.hosts) < maxHosts {
		h = &host{}
		s.hosts[k] = h
	}
	return h
}

// forgetHosts drops the hosts that nothing is on any more, and their addresses.
func (s *Scope) forgetHosts() {
	used := map[discovery.Name]bool{}
	for _, m := range []map[discovery.Name]*record{s.own, s.routers, s.subscribers} {
		for _, r := range m {
			used[r.host.Fold()] = true
		}
	}
	maps.DeleteFunc(s.hosts, func(n discovery.Name, _ *host) bool { return !used[n] })
	maps.DeleteFunc(s.owners, func(_ netip.Addr, n discovery.Name) bool { return s.hosts[n] == nil })
}

// isDevice reports whether a host name is the device's.
func (s *Scope) isDevice(n discovery.Name) bool {
	what, addr := discovery.Host(n)
	if s.ext != 0 {
		return what == discovery.HostExtAddr && addr == s.ext
	}
	// Named by an instance, and on a host whose name is no extended address.
	for _, r := range s.own {
		if !r.host.IsRoot() && r.host.Equal(n) {
			return true
		}
	}
	return false
}

// isThread reports whether a host name is that of a Thread device.
func isThread(n discovery.Name) bool {
	what, _ := discovery.Host(n)
	return what == discovery.HostExtAddr
}

// wake tells those who wait that something of the device was heard.
func (s *Scope) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func global(in []netip.Addr) (out []netip.Addr) {
	for _, a := range in {
		if !a.IsLinkLocalUnicast() {
			out = append(out, a)
		}
	}
	return out
}

// A bucket lets a burst and then so many a second through.
type bucket struct {
	left float64
	at   time.Time
}

func (b *bucket) take(at time.Time) bool {
	if d := at.Sub(b.at); d > 0 {
		if !b.at.IsZero() {
			b.left = min(burst, b.left+d.Seconds()*perSecond)
		}
		b.at = at
	}
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
