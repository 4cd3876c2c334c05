package listen

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/listen/heard"
)

// How often a device is pinged. Each echo request costs its battery.
const (
	idlePing = 5 * time.Minute
	// budget bounds the echo requests within budgetWithin, whatever is announced.
	budget, budgetWithin = 12, 15 * time.Minute
)

// afterAnnounce are the times of the echo requests after the device announced
// itself. The first that is answered for each of its addresses is the last.
var afterAnnounce = [...]time.Duration{3 * time.Second, 15 * time.Second, 40 * time.Second, 75 * time.Second, 120 * time.Second, 180 * time.Second}

// errNoRights is an Echo's: the system does not let this program ping.
var errNoRights = errors.New("no-rights: pings need the right to open a ping socket or a raw socket")

// Ping reports whether the device answers echo requests. Its addresses are
// those that the Scope knows; nothing is sent before a TXT record of it was
// heard, nor while it sleeps for long (ICD=1). A device that sleeps for short
// answers when it polls next, so a reply is waited for longer than that.
func Ping(ctx context.Context, c Config, observe icd.Observe) error {
	echo := c.Echo
	if echo == nil {
		p, err := openPinger()
		if err != nil {
			return err
		}
		defer p.close()
		echo = p.echo
	}
	p := pinging{c: c, echo: echo, observe: observe}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed := c.Scope.Changed()
		next, err := p.step(ctx, time.Now())
		if err != nil {
			return err
		}
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-timer.C:
		}
	}
}

// A pinging is the work of one Ping.
type pinging struct {
	c       Config
	echo    func(context.Context, netip.Addr) (time.Duration, error)
	observe icd.Observe

	series time.Time // the announcement that is being followed; zero: none
	at     int       // index into afterAnnounce
	ok     map[netip.Addr]bool
	turn   int       // which address is next
	last   time.Time // last echo request
	sent   []time.Time
}

// step pings if that is due, and says when to look again.
func (p *pinging) step(ctx context.Context, now time.Time) (next time.Time, err error) {
	d := p.c.Scope.Device()
	d.Addresses = slices.DeleteFunc(slices.Clone(d.Addresses), func(a netip.Addr) bool { return a.Unmap().Is4() }) // echo requests are ICMPv6
	if !d.Described || d.LongIdle.Known && d.LongIdle.Value || len(d.Addresses) == 0 {
		return now.Add(idlePing), nil // an announcement wakes us before
	}
	if d.Announced.After(p.series) && (p.series.IsZero() || now.Sub(p.series) > afterAnnounce[len(afterAnnounce)-1] || p.at == 0) {
		p.series, p.at, p.ok = d.Announced, 0, map[netip.Addr]bool{}
	}
	if due, ok := p.due(d); !ok || now.Before(due) {
		return due, nil
	}
	for len(p.sent) > 0 && now.Sub(p.sent[0]) > budgetWithin {
		p.sent = p.sent[1:]
	}
	if len(p.sent) >= budget {
		return p.sent[0].Add(budgetWithin + time.Second), nil
	}
	p.sent, p.last = append(p.sent, now), now
	to := p.next(d)
	if p.at < len(afterAnnounce) {
		p.at++
	}
	return now, p.ping(ctx, to, patience(d))
}

// due is when the next echo request is to be sent.
func (p *pinging) due(d heard.Device) (time.Time, bool) {
	if p.at < len(afterAnnounce) {
		for _, a := range d.Addresses {
			if !p.ok[a] {
				return p.series.Add(afterAnnounce[p.at]), true
			}
		}
		p.at = len(afterAnnounce)
	}
	return p.last.Add(idlePing), true
}

// next is the address whose turn it is: those that did not answer since the
// announcement first.
func (p *pinging) next(d heard.Device) netip.Addr {
	for range d.Addresses {
		a := d.Addresses[p.turn%len(d.Addresses)]
		p.turn++
		if p.at >= len(afterAnnounce) || !p.ok[a] {
			return a
		}
	}
	return d.Addresses[0]
}

// patience is how long a reply is waited for: two of the intervals in which the
// device says that it wakes, and then the mesh's delay.
func patience(d heard.Device) time.Duration {
	wait := 15 * time.Second
	if d.Idle.Known {
		wait = max(wait, 2*d.Idle.Value+5*time.Second)
	}
	return min(wait, 45*time.Second)
}

// ping sends one echo request and reports what came of it. The error says that
// pings can't be sent at all.
func (p *pinging) ping(ctx context.Context, to netip.Addr, wait time.Duration) error {
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	rtt, err := p.echo(within, to)
	if ctx.Err() != nil && err != nil {
		return nil // the observer ended, not the wait
	}
	if errors.Is(err, errNoRights) {
		return err
	}
	w := &icd.Ping{To: to.String(), From: "host", Sent: 1}
	switch {
	case err == nil:
		ms := float64(rtt.Microseconds()) / 1000
		w.Received, w.RTT = 1, &ms
		p.ok[to] = true
	case !errors.Is(err, context.DeadlineExceeded):
		w.Error = oneLine(err)
	}
	p.observe.See(time.Now(), icd.ByICMP, "ping", w)
	return nil
}
