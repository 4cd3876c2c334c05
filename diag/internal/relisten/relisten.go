// Package relisten listens to a server for as long as somebody wants to hear it:
// a conversation that breaks is begun anew, with waits that grow, one that never
// came about is given up, and what was refused for good is never tried twice. A
// server that says nothing is asked from time to time whether it is there.
//
// The sources that listen (diag/homeassistant, diag/matterserver) say what one
// conversation is, and what its errors mean. The package knows no network.
package relisten

import (
	"context"
	"errors"
	"time"
)

// The pace of listening.
const (
	// PingEvery is how often a quiet server is asked whether it is there, and
	// PingWithin how long its answer may take.
	PingEvery, PingWithin = 30 * time.Second, 10 * time.Second
	// FirstRetry and LastRetry are the waits before a conversation is begun anew,
	// which double.
	FirstRetry, LastRetry = time.Second, time.Minute
	// MaxTries is how often it is tried where there never was a conversation.
	MaxTries = 3
)

// A Listener says what a conversation is. Only Once is needed.
type Listener struct {
	// Once is one conversation, until it breaks or ctx ends. began tells whether
	// something could be heard in it. The error is never nil.
	Once func(ctx context.Context) (began bool, err error)
	// Broke is told when a conversation that had begun is over, before the next.
	Broke func(err error)
	// Refused reports whether an error says that whoever tries again does harm,
	// as with a wrong token: it is not tried again, whatever was before.
	Refused func(err error) bool
	// Pointless reports whether an error of a conversation that never began says
	// that another try would end so, too.
	Pointless func(err error) bool
	// Scale shortens waits, in tests; nil: as they are.
	Scale func(time.Duration) time.Duration
}

// Run has conversations until ctx ends, which is no error. Otherwise the error is
// that of the last conversation: it was refused, or there never was one.
func (l Listener) Run(ctx context.Context) error {
	pause, tries, ever := FirstRetry, 0, false
	for {
		began, err := l.Once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if l.Refused != nil && l.Refused(err) {
			return err
		}
		if ever = ever || began; began {
			pause, tries = FirstRetry, 0
			if l.Broke != nil {
				l.Broke(err)
			}
		} else if tries++; !ever && (tries >= MaxTries || l.Pointless != nil && l.Pointless(err)) {
			return err
		}
		timer := time.NewTimer(scaled(l.Scale, pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		pause = min(2*pause, LastRetry)
	}
}

// ErrSilent: a ping was not answered within [PingWithin].
var ErrSilent = errors.New("did not answer a ping within " + PingWithin.String())

// Alive pings until ctx ends or over is closed, which both are no error. A server
// that says nothing for hours may have nothing to say, or may be gone without a
// word: then it is ErrSilent, or the error of the ping. scale may be nil.
func Alive(ctx context.Context, over <-chan struct{}, ping func(context.Context) error, scale func(time.Duration) time.Duration) error {
	for {
		timer := time.NewTimer(scaled(scale, PingEvery))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-over:
			timer.Stop()
			return nil
		case <-timer.C:
		}
		inner, cancel := context.WithTimeout(ctx, scaled(scale, PingWithin))
		err := ping(inner)
		late := errors.Is(inner.Err(), context.DeadlineExceeded)
		cancel()
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
			return nil
		case late:
			return ErrSilent
		}
		select {
		case <-over:
			return nil
		default:
			return err
		}
	}
}

func scaled(scale func(time.Duration) time.Duration, d time.Duration) time.Duration {
	if scale == nil {
		return d
	}
	return scale(d)
}
