package session

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// Numbers of the race.
const (
	// MaxAddresses is how many addresses of one node are tried. Nodes have two
	// or three; a record on the LAN may list any number.
	MaxAddresses = 8
	// stagger is how long an address has for its acknowledgement before the
	// next one is tried beside it, as RFC 8305 wants it; staggerSlow where the
	// way is slow by itself, so that the mesh does not carry the same twice.
	stagger     = 250 * time.Millisecond
	staggerSlow = time.Second
	// patience is how long one that acknowledged has for its answer before the
	// next one is tried. Small processors take seconds for a signature.
	patience = 10 * time.Second
	// A busy node is asked so often, and left alone for a second if it does not
	// say how long.
	maxBusy     = 5
	busyUnknown = time.Second
)

// A dialer makes a session with one node at one of several addresses.
type dialer struct {
	ep         *transport.Endpoint
	addresses  []netip.AddrPort
	parameters message.SessionParameters
	margin     time.Duration
	target     string // in errors
	pase       bool
	record     sigma.Record // zero: a full handshake
	begin      func(id uint16, record sigma.Record) (handshake, error)

	// waiting is what attempts without an answer wait by: it ends when one has
	// the answer, after which nobody else may take one.
	waiting context.Context
	over    context.CancelCauseFunc
	taken   atomic.Bool
	acked   chan struct{} // an attempt has its first acknowledgement
}

// errLost is the end of an attempt beside which another one won.
var errLost = errors.New("another address was faster")

// take makes the attempt that calls it the only one that goes on.
func (d *dialer) take() bool {
	if d.taken.Swap(true) {
		return false
	}
	d.over(errLost)
	return true
}

// dial races the addresses. It returns when all attempts have ended.
func (d *dialer) dial(ctx context.Context) (*Secure, error) {
	at := order(d.addresses)
	if len(at) == 0 {
		return nil, d.noAddress()
	}
	if ctx.Err() != nil {
		return nil, d.explain(ctx, 0, []failure{{at[0], unheard, context.Cause(ctx)}})
	}
	began := time.Now()
	d.waiting, d.over = context.WithCancelCause(ctx)
	defer d.over(nil)
	d.acked = make(chan struct{}, len(at))
	type result struct {
		s *Secure
		f failure
	}
	results := make(chan result, len(at))
	started, running := 0, 0
	start := func() {
		a := at[started]
		started++
		running++
		go func() {
			s, far, err := d.attempt(ctx, a)
			results <- result{s, failure{a, far, err}}
		}()
	}
	next := time.NewTimer(0) // fires for the first address
	defer next.Stop()
	wait := stagger
	if d.margin > 0 {
		wait = staggerSlow
	}
	var won *Secure
	var failures []failure
	for started < len(at) && d.waiting.Err() == nil || running > 0 {
		select {
		case r := <-results:
			running--
			if r.s != nil {
				won = r.s
				continue
			}
			if !errors.Is(r.f.err, errLost) {
				failures = append(failures, r.f)
			}
			next.Reset(0)
		case <-d.acked:
			next.Reset(patience)
		case <-next.C:
			if started < len(at) && d.waiting.Err() == nil {
				start()
				next.Reset(wait)
			}
		case <-d.done(running):
		}
	}
	if won != nil {
		return won, nil
	}
	slices.SortFunc(failures, func(a, b failure) int { return cmp.Compare(slices.Index(at, a.at), slices.Index(at, b.at)) })
	return nil, d.explain(ctx, time.Since(began), failures)
}

// done wakes dial when the race is over and nothing runs any more.
func (d *dialer) done(running int) <-chan struct{} {
	if running > 0 {
		return nil
	}
	return d.waiting.Done()
}

func (d *dialer) noAddress() error {
	e := &Error{Stage: diag.StageResolve, Target: d.target, Text: "no address is known", Hint: "is it powered, and is its border router on this network?"}
	if n := len(d.addresses); n > 0 {
		e.Text = "none of its addresses can be used from here"
		e.Hint = "a link-local address needs its interface"
	}
	return e
}

// order puts addresses in the order in which they are tried: those of IPv6 that
// are routed, then those of the link, then IPv4, which nodes publish without
// listening there. Within these, the caller's order stays.
func order(addresses []netip.AddrPort) (out []netip.AddrPort) {
	class := func(a netip.Addr) int {
		switch {
		case a.Is4():
			return 2
		case a.IsLinkLocalUnicast():
			return 1
		}
		return 0
	}
	for c := range 3 {
		for _, a := range addresses {
			ip := a.Addr().Unmap()
			a = netip.AddrPortFrom(ip, a.Port())
			usable := ip.IsValid() && a.Port() != 0 && !ip.IsMulticast() && !ip.IsUnspecified() && (ip.Is4() || !ip.IsLinkLocalUnicast() || ip.Zone() != "")
			if usable && class(ip) == c && !slices.Contains(out, a) && len(out) < MaxAddresses {
				out = append(out, a)
			}
		}
	}
	return out
}
