package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/setup"
	"threadmap/discovery"
)

// How long a device is looked for: one that has just opened its window may take
// a while until its border router announces it. After the first that fits,
// others that fit, too, have a moment.
const (
	findLimit  = 20 * time.Second
	findSettle = time.Second
)

// threadMargin is what the way through a border router and a mesh may take longer.
const threadMargin = 1500 * time.Millisecond

// A pairable is a device that waits to be paired.
type pairable struct {
	instance string
	words    string // who it is, for people
	at       []netip.AddrPort
	said     discovery.Commissionable
	thread   bool
	name     string // "": it does not say
}

// search listens and asks until ctx or the time is over, or a moment after the
// first service that fits is there.
func (l *lan) search(ctx context.Context, limit time.Duration, o discovery.Options, fits func(*discovery.Service) bool) heard {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	here := *l
	here.kinds, here.settle, here.adverts, here.explicit = o, 0, nil, true
	var enough *time.Timer
	h := here.browse(ctx, true, func(e discovery.Event) {
		if enough == nil && (e.Kind == discovery.Added || e.Kind == discovery.Changed) && len(e.Service.Endpoints()) > 0 && fits(&e.Service) {
			enough = time.AfterFunc(findSettle, cancel)
		}
	})
	if enough != nil {
		enough.Stop()
	}
	return h
}

// subtype is the part of all waiting devices that may be meant by a code.
func subtype(d setup.Discriminator) discovery.Subtype {
	label := fmt.Sprintf("_L%d", d.Value)
	if d.Short {
		label = fmt.Sprintf("_S%d", d.Value)
	}
	return discovery.Subtype{Kind: discovery.KindMatterC, Label: label}
}

// fits reports whether a code may be for a device: window says that it lets itself
// be paired.
func fits(p setup.Payload, c discovery.Commissionable) (may, window bool) {
	may = c.Discriminator.Known && p.Discriminator.Matches(c.Discriminator.Value)
	if v, ok := p.Vendor.Get(); ok && c.Vendor.Known && c.Vendor.Value != v {
		may = false
	}
	if v, ok := p.Product.Get(); ok && c.Product.Known && c.Product.Value != v {
		may = false
	}
	return may, !(c.CommissioningMode.Known && c.CommissioningMode.Value == 0)
}

// find looks for the device that a code is for. It never guesses: which is a part
// of what names it, "" for any.
func (l *lan) find(ctx context.Context, p setup.Payload, which string) (pairable, error) {
	h := l.search(ctx, findLimit, discovery.Options{Kinds: []discovery.Kind{discovery.KindMatterC}, Subtypes: []discovery.Subtype{subtype(p.Discriminator)}}, func(s *discovery.Service) bool {
		may, window := fits(p, discovery.ParseCommissionable(s.TXT))
		return may && window
	})
	if errors.Is(ctx.Err(), context.Canceled) {
		return pairable{}, ctx.Err()
	}
	var hits []pairable
	closed, others := 0, 0
	for i := range h.Services {
		s := &h.Services[i]
		c := discovery.ParseCommissionable(s.TXT)
		may, window := fits(p, c)
		switch {
		case s.Kind != discovery.KindMatterC || len(s.Endpoints()) == 0:
		case !window:
			closed++
		case !may:
			others++
		default:
			hits = append(hits, newPairable(s, c))
		}
	}
	if which != "" {
		hits = slices.DeleteFunc(hits, func(d pairable) bool { return !d.is(which) })
	}
	switch {
	case len(hits) == 1:
		return hits[0], nil
	case len(hits) > 1:
		var all []string
		for _, d := range hits {
			all = append(all, d.words)
		}
		return pairable{}, fail("%d devices wait for such a code: %s: name one with --device, or open the pairing window of one only", len(hits), clean(list(all, "and")))
	case !h.anyone && len(h.problems) > 0 && h.problems[0].Stage != diag.StageAsk: // silence is an answer here
		return pairable{}, fail("the device can't be looked for: %s", clean(lineOf(h.problems[0])))
	}
	seen := ""
	switch {
	case which != "":
		seen = " and goes by that name"
	case others == 1:
		seen = " (one waits, for another code)"
	case others > 1:
		seen = fmt.Sprintf(" (%d wait, for other codes)", others)
	case closed > 0:
		seen = " (there is one whose pairing window is closed)"
	}
	return pairable{}, fail(`no device is announced here that waits for this code%s: open the pairing window in your home app ("pairing mode", "share", "link to another service"), and type the code that it shows then: that of the label is good only for a device that nobody has paired yet`, seen)
}

func newPairable(s *discovery.Service, c discovery.Commissionable) pairable {
	d := pairable{instance: clean(s.Instance), at: s.Endpoints(), said: c, name: clean(c.DeviceName)}
	what, _ := discovery.Host(s.Host)
	d.thread = what == discovery.HostExtAddr
	var ids []string
	if c.Vendor.Known {
		ids = append(ids, fmt.Sprintf("vendor 0x%04X", c.Vendor.Value))
	}
	if c.Product.Known {
		ids = append(ids, fmt.Sprintf("product 0x%04X", c.Product.Value))
	}
	d.words = strings.TrimSpace(fmt.Sprintf("%s %s", d.name, d.instance)) + fmt.Sprintf(" at %v", d.at[0])
	if len(ids) > 0 {
		d.words += " (" + strings.Join(ids, ", ") + ")"
	}
	return d
}

// is reports whether a device goes by a name, or a part of it.
func (d pairable) is(which string) bool {
	return strings.Contains(strings.ToLower(d.words), strings.ToLower(which))
}

// parameters are what it announces of its sleep.
func parametersOf(s discovery.Session) message.SessionParameters {
	return message.SessionParameters{Idle: s.Idle.Value, Active: s.Active.Value, ActiveThreshold: s.Threshold.Value}
}

func (d pairable) margin() time.Duration {
	if d.thread {
		return threadMargin
	}
	return 0
}

// locate finds where a node of a fabric is now, by its instance name.
func (l *lan) locate(ctx context.Context, limit time.Duration, instance string) (at []netip.AddrPort, p message.SessionParameters, margin time.Duration, err error) {
	name, err := discovery.KindMatter.InstanceName(instance)
	if err != nil {
		return nil, p, 0, err
	}
	is := func(s *discovery.Service) bool {
		return s.Kind == discovery.KindMatter && strings.EqualFold(s.Instance, instance)
	}
	h := l.search(ctx, limit, discovery.Options{Kinds: []discovery.Kind{discovery.KindMatter}, Names: []discovery.Name{name}}, is)
	for i := range h.Services {
		s := &h.Services[i]
		if !is(s) {
			continue
		}
		at = append(at, s.Endpoints()...)
		p = p.Or(parametersOf(discovery.ParseSession(s.TXT)))
		if what, _ := discovery.Host(s.Host); what == discovery.HostExtAddr {
			margin = threadMargin
		}
	}
	if len(at) == 0 {
		return nil, p, 0, cmp.Or(ctx.Err(), fail("it is not announced here"))
	}
	return at, p, margin, nil
}
