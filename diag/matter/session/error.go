package session

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/pase"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// An Error is why there is no session.
type Error struct {
	// Stage is StageResolve (there was no address to try), StageConnect (nobody
	// answered) or StageHandshake (somebody did, and it went wrong).
	Stage  diag.Stage
	Target string // whom we wanted, in words
	Text   string // what went wrong
	Hint   string // what to do; empty: nothing is known to help
	// Err is what happened, at one address or joined from several:
	// message.StatusReport, sigma.ErrPeer, pase.ErrPasscode,
	// transport.NoAckError, context errors and others are in its chain.
	Err error
}

// Error is one line.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s: %s", e.Target, e.Stage, e.Text)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Unwrap is what happened.
func (e *Error) Unwrap() error { return e.Err }

// A failure is what became of one address. How far it got decides which of
// several is told.
type failure struct {
	at  netip.AddrPort
	far progress
	err error
}

type progress uint8

const (
	unheard   progress = iota // nobody acknowledged anything
	silent                    // somebody acknowledged and said no more
	busy                      // it was asked to come later
	refused                   // it said no, or something wrong
	forbidden                 // it proved to be the wrong one, or to have another passcode
)

// explain makes one error of all failures.
func (d *dialer) explain(ctx context.Context, took time.Duration, all []failure) *Error {
	e := &Error{Target: d.target}
	errs := make([]error, len(all))
	worst := all[0]
	var at []string
	for i, f := range all {
		errs[i] = f.err
		at = append(at, f.at.String())
		if f.far > worst.far {
			worst = f
		}
	}
	if e.Err = errs[0]; len(errs) > 1 {
		e.Err = errors.Join(errs...)
	}
	e.Stage = diag.StageHandshake
	stopped := errors.Is(ctx.Err(), context.Canceled)
	var report message.StatusReport
	switch {
	case stopped:
		if worst.far == unheard {
			e.Stage = diag.StageConnect
		}
		e.Text = "stopped after " + round(took)
	case worst.far == unheard:
		e.Stage = diag.StageConnect
		e.Text = fmt.Sprintf("no answer from %s in %s", strings.Join(at, ", "), round(took))
		var gone *transport.NoAckError
		if len(all) == 1 && errors.As(worst.err, &gone) && gone.Cause != nil {
			e.Text = fmt.Sprintf("no way to %v: %v", worst.at, gone.Cause)
		}
		e.Hint = "is it powered, and is this machine in its network?"
	case worst.far == silent:
		e.Text = fmt.Sprintf("%v is there, and did not go on within %s", worst.at, round(took))
		e.Hint = "it may have much to do: try again"
	case worst.far == busy:
		e.Text = fmt.Sprintf("%v is busy with another controller", worst.at)
		e.Hint = "try again in a minute"
	case errors.Is(worst.err, pase.ErrPasscode):
		e.Text = fmt.Sprintf("%v has another passcode", worst.at)
		e.Hint = "check the setup code, and open the pairing window again if the code was for one that is over"
	case errors.Is(worst.err, sigma.ErrPeer):
		e.Text = fmt.Sprintf("%v: %v", worst.at, worst.err)
		e.Hint = "do not trust it: the addresses are another device's, or somebody pretends"
	case errors.As(worst.err, &report) && report.Code == message.CodeNoSharedTrustRoots:
		e.Text = fmt.Sprintf("the device at %v is not on this fabric", worst.at)
		e.Hint = "it was reset or removed, or has another node id: pair it (again)"
	case errors.As(worst.err, &report) && d.pase:
		e.Text = fmt.Sprintf("%v refused: %v", worst.at, report)
		e.Hint = "check the setup code, and open the pairing window again"
	default:
		e.Text = fmt.Sprintf("%v: %v", worst.at, worst.err)
	}
	return e
}

func round(d time.Duration) string {
	if d >= time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
