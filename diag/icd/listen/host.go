package listen

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"threadmap/diag/icd"
	"threadmap/discovery"
)

// lookEvery is how often this machine's settings are looked at; what is as it
// was is not told of again.
const lookEvery = 15 * time.Second

// offered is how long after an advertisement its route must be in the table.
const offered = 5 * time.Second

// Host reports what this machine does with the way to the device: whether it
// has a route to the prefixes of the mesh, whether its kernel takes routes
// from router advertisements at all, and whether one network card answers for
// two machines, as a sleep proxy does. It only reads.
func Host(ctx context.Context, c Config, observe icd.Observe) error {
	h := looking{c: c, observe: observe, root: c.Root, told: map[string]string{}, lacks: map[netip.Prefix]time.Time{}}
	if h.root == nil && runtime.GOOS == "linux" {
		h.root, h.neighbours = os.DirFS("/"), neighbours
	}
	if h.root == nil {
		h.way = wayTo
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		changed := c.Scope.Changed()
		h.look(time.Now())
		// Not at once for each of many messages.
		least := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			least.Stop()
			return nil
		case <-least.C:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

// A looking is the work of one Host.
type looking struct {
	c          Config
	observe    icd.Observe
	root       fs.FS
	neighbours func() (map[netip.Addr]string, error)
	way        func(netip.Addr) (reachable, known bool)
	told       map[string]string
	lacks      map[netip.Prefix]time.Time // since when an advertised route is missing
}

// maxTold bounds what is remembered of what was told.
const maxTold = 4096

// tell reports what is not as it was.
func (h *looking) tell(at time.Time, event, key, value string, what any) {
	key = event + " " + key
	if old, known := h.told[key]; known && old == value || !known && len(h.told) >= maxTold {
		return
	}
	h.told[key] = value
	h.observe.See(at, icd.ByHost, event, what)
}

func (h *looking) look(at time.Time) {
	for _, p := range h.prefixes() {
		if present, known := h.route(p, at); known {
			word := "no"
			if present {
				word = "yes"
			}
			h.tell(at, "route", p.String(), word, &icd.Route{Prefix: p.String(), Present: &present})
		}
	}
	if h.root == nil {
		return
	}
	for _, nic := range h.interfaces() {
		if name, value, ok := routeInfo(h.root, nic); ok {
			raw, _ := json.Marshal(value)
			h.tell(at, "sysctl", name, value, &icd.Sysctl{Name: name, Value: raw})
		}
	}
	if h.neighbours != nil {
		if table, err := h.neighbours(); err == nil {
			h.proxies(at, table)
		}
	}
}

// prefixes are those that the mesh and the device have.
func (h *looking) prefixes() []netip.Prefix {
	out := h.c.Scope.Prefixes()
	for _, a := range h.c.Scope.Device().Addresses {
		if a.Is4() || slices.ContainsFunc(out, func(p netip.Prefix) bool { return p.Contains(a) }) {
			continue
		}
		if p, err := a.Prefix(64); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// route says whether there is a route to a prefix. A default route alone says
// nothing: whether the router behind it knows the way is its own affair. Only
// where a border router offers the route itself is a missing one missing.
func (h *looking) route(p netip.Prefix, at time.Time) (present, known bool) {
	if h.way != nil {
		b := p.Addr().As16()
		b[15] |= 1
		if reachable, ok := h.way(netip.AddrFrom16(b)); ok && !reachable {
			return false, true
		}
		return false, false
	}
	routes, ok := routes6(h.root)
	if !ok {
		return false, false
	}
	exact, byDefault, refused := covering(routes, p)
	if exact {
		delete(h.lacks, p)
		return true, true
	}
	if refused || !byDefault {
		return false, true
	}
	if !h.c.Scope.Routed(p) {
		delete(h.lacks, p)
		return false, false
	}
	if since, ok := h.lacks[p]; !ok {
		if len(h.lacks) < maxTold {
			h.lacks[p] = at
		}
		return false, false
	} else if at.Sub(since) < offered {
		return false, false
	}
	return false, true
}

// interfaces are the names of those that are listened on.
func (h *looking) interfaces() []string {
	if len(h.c.Interfaces) > 0 {
		return h.c.Interfaces
	}
	if h.c.Root != nil {
		return folders(h.root, "proc/sys/net/ipv6/conf")
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var out []string
	for _, i := range all[:min(len(all), maxFolders)] {
		if i.Flags&(net.FlagUp|net.FlagMulticast) == net.FlagUp|net.FlagMulticast && i.Flags&(net.FlagLoopback|net.FlagPointToPoint) == 0 {
			out = append(out, i.Name)
		}
	}
	return out
}

// proxies reports the hardware addresses of the controllers' machines, and of
// which other machine's address it is too.
func (h *looking) proxies(at time.Time, table map[netip.Addr]string) {
	machines := h.c.Scope.Machines()
	same := map[string][]netip.Addr{}
	for _, a := range slices.SortedFunc(maps.Keys(table), netip.Addr.Compare) {
		same[table[a]] = append(same[table[a]], a)
	}
	for _, a := range h.c.Scope.Subscribers() {
		mac, ok := table[a]
		if !ok {
			continue
		}
		w := &icd.Neighbour{To: a.String(), MAC: mac}
		for _, o := range same[mac] {
			if of, known := machines[o]; known && !of.Equal(machines[a]) && of != (discovery.Name{}) {
				w.SameAs = o.String()
				break
			}
		}
		h.tell(at, "neighbour", w.To, mac+" "+w.SameAs, w)
	}
}

// wayTo asks for the way to an address by connecting a UDP socket, which sends
// nothing. known is false where the system does not tell.
func wayTo(a netip.Addr) (reachable, known bool) {
	c, err := net.DialUDP("udp6", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 5540)))
	if err == nil {
		c.Close()
		return true, true
	}
	var no syscall.Errno
	const wsaeNetUnreach, wsaeHostUnreach = 10051, 10065 // winsock2.h
	if errors.As(err, &no) && (no == syscall.ENETUNREACH || no == syscall.EHOSTUNREACH || no == wsaeNetUnreach || no == wsaeHostUnreach) {
		return false, true
	}
	return false, false
}

// routeInfo reads how long the prefix of a route from an advertisement may be
// that the kernel takes on an interface. ok is false where the kernel does not
// handle advertisements there: another program does, by rules of its own.
func routeInfo(root fs.FS, nic string) (name, value string, ok bool) {
	dir := "proc/sys/net/ipv6/conf/" + nic + "/"
	accept, ok1 := setting(root, dir+"accept_ra")
	forwarding, ok2 := setting(root, dir+"forwarding")
	value, ok3 := setting(root, dir+"accept_ra_rt_info_max_plen")
	if !ok1 || !ok2 || !ok3 || accept == "0" || accept == "1" && forwarding != "0" {
		return "", "", false
	}
	return "net.ipv6.conf." + strings.ReplaceAll(nic, ".", "/") + ".accept_ra_rt_info_max_plen", value, true
}
