package tmf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/meshcop"
)

// errGone: the DTLS session ended from the other side.
var errGone = errors.New("the border agent ended the session")

const (
	// maxRecord is the longest record that a border agent can send.
	maxRecord = 1 << 14
	// idle is how long to sleep at most: the session keeps itself alive.
	idle = 30 * time.Second
	// goodbye is how long resigning may take, hurried when the scan was stopped:
	// package diag leaves a probe behind 2 s after its end.
	goodbye, hurried = 6 * time.Second, 1500 * time.Millisecond
)

func dialUDP(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// A drive runs a session and a survey over a connection: the only place that
// waits.
type drive struct {
	p   *probe
	c   net.Conn
	s   *meshcop.Session
	v   *survey
	buf []byte

	ended bool
	err   error // of the session's end, or of the connection's
}

// converse runs the conversation and closes c. However it ends, the role is
// given up: also when something panics.
func (p *probe) converse(ctx context.Context, c net.Conn, cfg meshcop.Config) error {
	d := &drive{p: p, c: c, s: meshcop.NewSession(time.Now(), cfg), buf: make([]byte, maxRecord)}
	random := cfg.Rand
	if random == nil {
		random = meshcop.NewRand()
	}
	d.v = newSurvey(d.s, p.source.AskSleepy, func() uint16 { return uint16(random.Uint32()) })
	d.v.tell = p.tell
	if p.source.few != nil {
		d.v.few = &few{v: d.v, to: p.source.few}
	}
	d.v.problem = func(text, hint string) { p.problem(diag.StageAsk, text, hint) }
	defer c.Close()
	defer d.note()
	calm := false
	defer func() { d.resign(calm) }()

	// A context that ends wakes the read by a deadline in the past.
	interrupt := context.AfterFunc(ctx, func() { c.SetReadDeadline(time.Unix(1, 0)) })
	defer interrupt()
	for !d.step(ctx) {
	}
	if ctx.Err() != nil {
		d.err = context.Cause(ctx)
	}
	calm = ctx.Err() == nil
	if p.record.Petition {
		p.summary = d.v.conclude(d.err != nil)
	}
	return d.err
}

// step does what is due and waits for what comes next. It reports whether the
// conversation is over.
func (d *drive) step(ctx context.Context) bool {
	now := time.Now()
	d.s.Tick(now)
	d.v.tick(now)
	d.pump(now)
	if d.ended || d.v.done || ctx.Err() != nil {
		return true
	}
	until := now.Add(idle)
	for _, at := range []time.Time{d.s.Next(), d.v.next()} {
		if !at.IsZero() && at.Before(until) {
			until = at
		}
	}
	if err := d.c.SetReadDeadline(until); err != nil {
		d.gone(err)
		return true
	}
	if ctx.Err() != nil { // it may have ended before the deadline was set anew
		return true
	}
	return d.read()
}

// read waits for a record until the deadline. It reports whether the
// connection is over.
func (d *drive) read() bool {
	n, err := d.c.Read(d.buf)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false
	case err != nil:
		d.gone(err)
		return true
	}
	d.s.Receive(time.Now(), slices.Clone(d.buf[:n]))
	clear(d.buf[:n])
	d.pump(time.Now())
	return d.ended
}

// gone notes that the connection is over.
func (d *drive) gone(err error) {
	if d.ended {
		return
	}
	d.ended, d.err = true, errGone
	if !errors.Is(err, io.EOF) {
		d.err = fmt.Errorf("%w: %v", errGone, rootOf(err))
	}
}

// pump hands events to the survey and records to the connection, until there
// are no more.
func (d *drive) pump(now time.Time) {
	for {
		events := d.s.Events()
		for _, e := range events {
			d.event(now, e)
		}
		for _, b := range d.s.Datagrams() {
			if _, err := d.c.Write(b); err != nil {
				d.gone(err)
				return
			}
		}
		if len(events) == 0 {
			return
		}
		d.v.tick(now)
	}
}

func (d *drive) event(now time.Time, e meshcop.Event) {
	switch e.Kind {
	case meshcop.GotDataset:
		known := d.p.network
		d.p.network = e.Dataset.Network
		if d.p.network.ExtPANID == 0 {
			d.p.network.ExtPANID = known.ExtPANID
		}
		d.p.greet()
	case meshcop.Rejected:
		d.p.wait(&meshcop.RoleTakenError{Holder: e.Holder})
	case meshcop.Activated:
		d.p.record.Petition = true
		d.v.begin(now)
	case meshcop.GotLocator:
		d.v.locator(e.Locator)
	case meshcop.Node:
		d.v.event(now, e.CoAP)
	case meshcop.Ended:
		d.ended = true
		if d.err == nil {
			d.err = e.Err
		}
	}
}

// resign gives the role up. It needs no context: where there is little time,
// it takes little.
func (d *drive) resign(calm bool) {
	if d.ended {
		return
	}
	end := time.Now().Add(hurried)
	if calm {
		end = time.Now().Add(goodbye)
	}
	d.s.Resign(time.Now(), !calm)
	for d.pump(time.Now()); !d.ended && time.Now().Before(end); {
		until := end
		if at := d.s.Next(); !at.IsZero() && at.Before(until) {
			until = at
		}
		if d.c.SetReadDeadline(until) != nil || d.read() {
			return
		}
		d.s.Tick(time.Now())
		d.pump(time.Now())
	}
}

// note writes the record.
func (d *drive) note() {
	r := &d.p.record
	r.Traffic, r.Questions, r.Vanished = d.s.Traffic(), d.v.count, d.v.vanished
	r.Types = nil
	for t, came := range d.v.types {
		if came {
			r.Types = append(r.Types, uint8(t))
		}
	}
}
