package icdhome

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag/icd"
)

// A mesh is the Thread network as far as the device's fate depends on it.
// Guarded by Home.mu.
type mesh struct {
	routers  []*router
	prefixes []netip.Prefix // of the Network Data

	parent         *router // nil: it has none
	up             bool
	connected      time.Time // when it attached
	last           time.Time // its last frame, while it is not attached
	unknownAddress bool      // its parent does not answer for its address
	epoch          int       // of its being off
}

type router struct {
	rloc      string
	alive     bool
	otherHalf bool // in another partition than the first border router
	full      bool
	others    int  // other children
	has       bool // the device's row is in its table
}

func newMesh() mesh {
	return mesh{routers: []*router{{rloc: "0x5c00", alive: true, others: 3}, {rloc: "0xb800", alive: true, others: 2}}, prefixes: []netip.Prefix{prefixA}}
}

func (m *mesh) attached() bool { return m.up && m.parent != nil && m.parent.alive && m.parent.has }

// attach takes the first router that has room; the second one is nearer.
func (m *mesh) attach() bool {
	for i := len(m.routers) - 1; i >= 0; i-- {
		if r := m.routers[i]; r.alive && !r.full {
			m.epoch++
			m.up, m.parent, m.connected = true, r, time.Now()
			r.has = true
			return true
		}
	}
	return false
}

// powerOff takes the device off the air; its parent drops it after its timeout.
func (m *mesh) powerOff(h *Home, timeout time.Duration) {
	h.mu.Lock()
	m.up, m.last = false, time.Now()
	m.epoch++
	epoch, p := m.epoch, m.parent
	h.mu.Unlock()
	h.After(timeout, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if p != nil && m.epoch == epoch {
			p.has = false
		}
	})
}

// pollMesh is what the mesh's credential tells: each router of the half that
// the first border router is in.
func (h *Home) pollMesh() {
	type line struct {
		ext, event string
		what       any
	}
	var out []line
	see := func(ext, event string, what any) { out = append(out, line{ext, event, what}) }
	h.mu.Lock()
	m := &h.mesh
	now := time.Now()
	var asked []string
	var parent *router
	for _, r := range m.routers {
		switch {
		case r.otherHalf:
			continue
		case !r.alive:
			see("", "router-silent", &icd.RouterSilent{RLOC16: r.rloc})
			continue
		}
		asked = append(asked, r.rloc)
		n := r.others
		if r == m.parent && r.has {
			parent = r
			n++
		}
		see("", "router", &icd.Router{RLOC16: r.rloc, Children: ptr(n)})
	}
	for _, r := range m.routers {
		for i := range r.others {
			ext := fmt.Sprintf("00ff00ff%s%04d", r.rloc[2:], i)
			switch {
			case r.otherHalf:
			case r.alive:
				see(ext, "child", &icd.Child{Parent: r.rloc, Age: ptr(icd.Sec(3)), Timeout: ptr(icd.Sec(240))})
			default:
				see(ext, "no-child", &icd.NoChild{Asked: asked})
			}
		}
	}
	ext := string(h.Name())
	if parent != nil {
		age := 2 * time.Second
		if !m.up {
			age = now.Sub(m.last)
		}
		see(ext, "child", &icd.Child{
			Parent: parent.rloc, RLOC16: parent.rloc[:4] + "01", Age: ptr(icd.Seconds(age)), Timeout: ptr(icd.Seconds(h.dev.timeout)), Queued: ptr(0),
			Connected: ptr(icd.Seconds(now.Sub(m.connected).Truncate(time.Second))),
		})
	} else {
		see(ext, "no-child", &icd.NoChild{Asked: asked})
	}
	nd := &icd.Netdata{SRP: []icd.SRPServer{}, Prefixes: []icd.NetdataPrefix{}}
	for _, b := range h.routers {
		if b.alive && !b.noSRP && len(nd.SRP) == 0 {
			nd.SRP = append(nd.SRP, icd.SRPServer{Address: b.addr.String(), Port: 53535})
		}
	}
	for _, p := range m.prefixes {
		nd.Prefixes = append(nd.Prefixes, icd.NetdataPrefix{Prefix: p.String(), SLAAC: ptr(true)})
	}
	h.mu.Unlock()
	for _, l := range out {
		h.seeOf(l.ext, icd.ByTMF, l.event, l.what)
	}
	h.see(icd.ByTMF, "netdata", nd)
}

// Echo is an ICMPv6 echo request to the device from the observer's machine: it
// is answered when the device polls.
func (h *Home) Echo(ctx context.Context, to netip.Addr) (time.Duration, error) {
	rtt := time.Duration(h.random() * float64(h.dev.sleep.Slow))
	p, _ := to.WithZone("").Prefix(64)
	h.mu.Lock()
	noRoute, passes := h.noRoute[p], inMesh(to) && h.reachable(p) && !h.dropped[p]
	h.mu.Unlock()
	if noRoute {
		return 0, errors.New("network is unreachable")
	}
	if !passes {
		rtt = time.Hour
	}
	t := time.NewTimer(rtt)
	defer t.Stop()
	select {
	case <-t.C:
		return rtt, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
