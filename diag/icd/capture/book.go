package capture

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"threadmap/diag/icd"
	"threadmap/discovery"
)

// A book is who has which name and address, by all mDNS of the file.
type book struct {
	instances map[discovery.Name]*instance // operational, by folded name
	hosts     map[discovery.Name][]netip.Addr
	routers   map[discovery.Name]bool // hosts of border agents, folded
	thread    map[netip.Addr]bool     // addresses of Thread devices
	byes      []bye
	returns   []bye
}

// An instance is a Matter node on one fabric.
type instance struct {
	name         discovery.Name
	fabric, node uint64
	host         discovery.Name // folded
	port         uint16
	gone         int64 // of its last withdrawal; 0: it was announced since
}

// A bye is a withdrawal of a Thread device's name, or the announcement that
// followed soon after.
type bye struct {
	at   int64
	host discovery.Name
	from netip.Addr
}

// A device that starts withdraws its name and announces it anew within seconds
// (see package icd). Names that others lose in the same moment were withdrawn
// by their border router.
const (
	returnsWithin = int64(10 * time.Second)
	together      = int64(3 * time.Second)
)

func newBook() book {
	return book{instances: map[discovery.Name]*instance{}, hosts: map[discovery.Name][]netip.Addr{}, routers: map[discovery.Name]bool{}, thread: map[netip.Addr]bool{}}
}

// learn takes the records of a message. It reports whether they are of any
// interest for Matter.
func (b *book) learn(m *discovery.Message, at int64, from netip.Addr) (relevant bool) {
	for i := range m.Questions {
		n := &m.Questions[i].Name
		relevant = relevant || ofMatter(*n) || isThread(*n)
	}
	for i := range m.Records {
		r := &m.Records[i]
		switch r.Type {
		case discovery.TypeA, discovery.TypeAAAA:
			relevant = true
			if m.Response && r.TTL > 0 && r.Addr.IsValid() {
				b.address(r.Name.Fold(), r.Addr.WithZone(""))
			}
		case discovery.TypePTR:
			if m.Response && r.Name.Equal(discovery.KindMatter.Name()) && r.TTL == 0 {
				b.withdrawn(r.Target, at, from)
			}
			relevant = relevant || ofMatter(r.Name) || ofMatter(r.Target)
		case discovery.TypeSRV:
			relevant = relevant || ofMatter(r.Name)
			if !m.Response {
				continue
			}
			if r.TTL == 0 {
				b.withdrawn(r.Name, at, from)
			} else {
				b.server(r, at, from)
			}
		default:
			relevant = relevant || ofMatter(r.Name)
		}
	}
	return relevant
}

// ofMatter reports whether a name is in a service that is looked at.
func ofMatter(n discovery.Name) bool {
	return n.In(discovery.KindMatter.Name()) || n.In(discovery.KindMeshCoP.Name())
}

func isThread(n discovery.Name) bool {
	what, _ := discovery.Host(n)
	return what == discovery.HostExtAddr
}

func (b *book) address(host discovery.Name, a netip.Addr) {
	addrs, known := b.hosts[host]
	if !known && len(b.hosts) >= maxHosts || len(addrs) >= maxPerHost || slices.Contains(addrs, a) {
		return
	}
	b.hosts[host] = append(addrs, a)
	if isThread(host) {
		b.thread[a] = true
	}
}

func (b *book) server(r *discovery.Record, at int64, from netip.Addr) {
	if r.Name.In(discovery.KindMeshCoP.Name()) && len(b.routers) < maxPerHost {
		b.routers[r.Target.Fold()] = true
	}
	if !r.Name.In(discovery.KindMatter.Name()) {
		return
	}
	fabric, node, ok := discovery.OperationalID(r.Name.First())
	if !ok {
		return
	}
	f := r.Name.Fold()
	in := b.instances[f]
	if in == nil {
		if len(b.instances) >= maxHosts {
			return
		}
		in = &instance{name: r.Name, fabric: fabric, node: node}
		b.instances[f] = in
	}
	in.host, in.port = r.Target.Fold(), r.Port
	if in.gone != 0 && at-in.gone <= returnsWithin && isThread(in.host) && len(b.returns) < maxErrors {
		b.returns = append(b.returns, bye{in.gone, in.host, from})
	}
	in.gone = 0
}

func (b *book) withdrawn(n discovery.Name, at int64, from netip.Addr) {
	in := b.instances[n.Fold()]
	if in == nil || in.host.IsRoot() {
		return
	}
	if in.gone == 0 || at-in.gone > returnsWithin/2 { // it is said more than once
		in.gone = at
	}
	if isThread(in.host) && len(b.byes) < maxErrors {
		b.byes = append(b.byes, bye{at, in.host, from})
	}
}

// devices lists the Thread devices, those that restarted first.
func (b *book) devices() []Device {
	byHost := map[discovery.Name]*Device{}
	for _, in := range b.instances {
		if !isThread(in.host) {
			continue
		}
		d := byHost[in.host]
		if d == nil {
			_, ext := discovery.Host(in.host)
			d = &Device{Node: icd.NodeName(fmt.Sprintf("%016x", ext)), Addresses: slices.Clone(b.hosts[in.host])}
			slices.SortFunc(d.Addresses, netip.Addr.Compare)
			byHost[in.host] = d
		}
		d.Instances = append(d.Instances, instanceName(in.fabric, in.node))
	}
	slices.SortFunc(b.byes, func(x, y bye) int { return int(min(max(x.at-y.at, -1), 1)) })
	for _, r := range b.returns {
		d := byHost[r.host]
		if d == nil || b.othersWent(r) {
			continue
		}
		at := time.Unix(0, r.at).UTC()
		if n := len(d.Restarts); n == 0 || at.Sub(d.Restarts[n-1]).Abs() > 20*time.Second {
			d.Restarts = append(d.Restarts, at)
		}
	}
	out := make([]Device, 0, len(byHost))
	for _, d := range byHost {
		slices.Sort(d.Instances)
		slices.SortFunc(d.Restarts, time.Time.Compare)
		out = append(out, *d)
	}
	slices.SortFunc(out, func(x, y Device) int {
		if a, b := len(x.Restarts) > 0, len(y.Restarts) > 0; a != b {
			if a {
				return -1
			}
			return 1
		}
		return strings.Compare(string(x.Node), string(y.Node))
	})
	return out[:min(len(out), maxDevices)]
}

// othersWent reports whether other devices' names were withdrawn in the same
// moment by the same sender.
func (b *book) othersWent(r bye) bool {
	i, _ := slices.BinarySearchFunc(b.byes, r.at-together, func(x bye, at int64) int { return int(min(max(x.at-at, -1), 1)) })
	for ; i < len(b.byes) && b.byes[i].at <= r.at+together; i++ {
		if x := b.byes[i]; x.host != r.host && x.from == r.from {
			return true
		}
	}
	return false
}

func instanceName(fabric, node uint64) string { return fmt.Sprintf("%016X-%016X", fabric, node) }

// borderRouter reports whether an address is a border router's.
func (b *book) borderRouter(a netip.Addr) bool {
	for n := range b.routers {
		if slices.Contains(b.hosts[n], a) {
			return true
		}
	}
	return false
}

// at are the instances that a machine with the address serves; those at the
// port alone, where there are any.
func (b *book) at(a netip.AddrPort) (out []*instance) {
	exact := false
	for _, in := range b.instances {
		if !slices.Contains(b.hosts[in.host], a.Addr()) {
			continue
		}
		switch {
		case in.port == a.Port() && !exact:
			out, exact = []*instance{in}, true
		case in.port == a.Port() || !exact:
			out = append(out, in)
		}
	}
	return out
}
