package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/diag"
	"threadmap/diag/dnssd"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
)

// How long the LAN is listened to. Answers come within a second or two; what
// is asked for again because a packet was lost, within three.
const (
	browseLimit  = 4500 * time.Millisecond
	browseSettle = 2 * time.Second
	resolveLimit = 2 * time.Second
)

// Bounds of what may be typed, and of what a name may stand for.
const (
	maxAsk       = 64
	maxAddresses = 4 // of one host
)

// lanFlags say where multicast DNS is listened to and asked.
type lanFlags struct {
	interfaces, ask namesFlag
}

func (f *lanFlags) add(c *cobra.Command) {
	f.interfaces.kind, f.ask.kind = "NAME", "HOST[:PORT]"
	c.Flags().Var(&f.interfaces, "interface", "browse this network interface instead of all that reach a LAN; may be repeated")
	c.Flags().Var(&f.ask, "ask", "send mDNS questions to this host, on another network, instead of to the LAN; may be repeated")
	c.RegisterFlagCompletionFunc("interface", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var out []string
		all, _ := net.Interfaces()
		for _, i := range all {
			out = append(out, i.Name)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	})
}

func (f *lanFlags) named() bool { return len(f.interfaces.names)+len(f.ask.names) > 0 }

// A responder is a host that is asked by unicast.
type responder struct {
	typed string
	host  string
	port  uint16
}

// A lan is where to listen and to ask, as the command line says.
type lan struct {
	interfaces []string
	ask        []responder
	// explicit: the command line asks for it, so a map without it is partial.
	explicit bool
	settle   time.Duration // 0: until the context ends
	kinds    discovery.Options
	adverts  func(discovery.Advert) // called for router advertisements; nil: not listened for
}

// lan reads the flags.
func (f *lanFlags) lan(c *cobra.Command) (*lan, error) {
	l := &lan{interfaces: f.interfaces.names, explicit: f.named(), settle: browseSettle}
	if slices.Contains(l.interfaces, "") {
		return nil, usage(c, "--interface: the name is empty")
	}
	if len(f.ask.names) > maxAsk {
		return nil, usage(c, "--ask: more than %d hosts", maxAsk)
	}
	for _, s := range f.ask.names {
		r, err := parseResponder(s)
		if err != nil {
			return nil, usage(c, "--ask %s: %v: want HOST or HOST:PORT", clean(s), err)
		}
		l.ask = append(l.ask, r)
	}
	return l, nil
}

// parseResponder reads HOST, HOST:PORT or an IPv6 address, bare or with a port
// behind brackets.
func parseResponder(s string) (responder, error) {
	r := responder{typed: s, host: s, port: mdns.Port}
	if _, err := netip.ParseAddr(s); err != nil {
		host, port, err := net.SplitHostPort(s)
		if err == nil {
			n, err := strconv.ParseUint(port, 10, 16)
			if err != nil || n == 0 {
				return r, errors.New("the port is no number from 1 to 65535")
			}
			r.host, r.port = host, uint16(n)
		} else {
			r.host = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
		}
	}
	if r.host == "" || len(r.host) > 253 || strings.ContainsAny(r.host, " /@?#\\") || clean(r.host) != r.host {
		return r, errors.New("that is no host")
	}
	if a, err := netip.ParseAddr(r.host); err == nil && (a.IsMulticast() || a.IsUnspecified() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})) {
		return r, errors.New("that is no address of one host")
	}
	return r, nil
}

// String says where a lan is, for progress and evidence.
func (l *lan) String() string {
	var words []string
	for _, r := range l.ask {
		words = append(words, r.typed)
	}
	words = append(words, l.interfaces...)
	if len(words) == 0 {
		return "LAN"
	}
	return list(words, "and")
}

// resolve finds the addresses of the hosts to ask: by the system's resolver, so
// names of a hosts file and of DNS do.
func (l *lan) resolve(ctx context.Context, problem func(diag.Problem)) (at []netip.AddrPort, whose map[string]string) {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	whose = map[string]string{}
	for _, r := range l.ask {
		addrs := []netip.Addr{}
		if a, err := netip.ParseAddr(r.host); err == nil {
			addrs = append(addrs, a)
		} else if addrs, err = net.DefaultResolver.LookupNetIP(ctx, "ip", r.host); err != nil {
			problem(diag.Problem{Source: dnssd.Name, Target: r.typed, Stage: diag.StageResolve, Text: "no address is known for this name", Hint: "check the name, or give an IP address", Partial: true})
			continue
		}
		for _, a := range addrs[:min(len(addrs), maxAddresses)] {
			p := netip.AddrPortFrom(a.Unmap(), r.port)
			if _, twice := whose[p.String()]; !twice {
				at, whose[p.String()] = append(at, p), r.typed
			}
		}
	}
	return at, whose
}

// heard is what listening gave.
type heard struct {
	mdns.Result
	problems []diag.Problem
	// anyone: somebody said something, of whatever kind.
	anyone bool
}

// testBrowse, where a test sets it, may forbid a browse.
var testBrowse func(mdns.Config) error

// browse listens until ctx ends, or until the LAN has settled. alone says that
// nothing else is there to be asked, so that hearing nothing is worth saying.
func (l *lan) browse(ctx context.Context, alone bool, tell func(discovery.Event)) heard {
	var h heard
	ask, whose := l.resolve(ctx, func(p diag.Problem) { h.problems = append(h.problems, p) })
	if len(l.ask) > 0 && len(ask) == 0 && len(l.interfaces) == 0 {
		return h // to browse all interfaces instead is not what was asked for
	}
	c := mdns.Config{Options: l.kinds, Interfaces: l.interfaces, Ask: ask, Settle: l.settle, Adverts: l.adverts}
	if testBrowse != nil {
		if err := testBrowse(c); err != nil {
			panic(err)
		}
	}
	var err error
	h.Result, err = mdns.Browse(ctx, c, tell)
	answered := map[string]bool{} // by what was typed
	for _, link := range h.Links {
		if link.Received > 0 {
			h.anyone = true
			answered[whose[link.Link]] = true
		}
	}
	all := h.Result.Problems
	if p := (mdns.Problem{}); errors.As(err, &p) && !slices.ContainsFunc(all, func(o mdns.Problem) bool { return o.Reason == p.Reason && o.Interface == p.Interface }) {
		all = append(all, p)
	}
	for _, p := range all {
		typed, asked := whose[p.Interface]
		if p.Reason == mdns.PortTaken && !p.Fatal || asked && answered[typed] {
			continue // nothing is missed
		}
		stage := diag.StageConnect
		if p.Reason == mdns.Silence {
			stage = diag.StageAsk
		}
		target := p.Interface
		switch {
		case asked:
			target = typed
		case target == "":
			target = l.String()
		}
		d := diag.Problem{Source: dnssd.Name, Target: target, Stage: stage, Text: strings.TrimPrefix(p.Error(), p.Interface+": "), Hint: p.Hint()}
		named := asked || p.Interface == "" || slices.Contains(l.interfaces, p.Interface)
		if p.Reason == mdns.NoRights { // a window more, which nobody asked for by name
			h.problems = append(h.problems, d)
			continue
		}
		d.Partial = l.explicit && (named || !h.anyone) || alone && !h.anyone
		if !slices.ContainsFunc(h.problems, func(o diag.Problem) bool { return o.Target == d.Target && o.Text == d.Text }) {
			h.problems = append(h.problems, d)
		}
	}
	return h
}

// probe is the first stage of a scan: what it hears goes to got, which has room
// for it, and, as reports, to the scan.
func (l *lan) probe(alone bool, tell func(discovery.Event), got chan<- heard) diag.Probe {
	return diag.Probe{Source: dnssd.Name, Target: l.String(), Within: browseLimit, Run: func(ctx context.Context, to *diag.Sink) {
		h := l.browse(ctx, alone, tell)
		for _, r := range dnssd.Reports(h.Services, time.Now(), l.String()) {
			to.Report(r)
		}
		for _, p := range h.problems {
			to.Problem(p)
		}
		got <- h
	}}
}
