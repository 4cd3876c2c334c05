package commission

import (
	"context"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
)

// A Step is a part of a commissioning, in words for people.
type Step string

// The steps, in their order.
const (
	StepPair        Step = "setup code"
	StepRead        Step = "who it is"
	StepArm         Step = "fail-safe"
	StepAttestation Step = "attestation"
	StepRegulatory  Step = "regulatory domain"
	StepRequest     Step = "certificate request"
	StepKeep        Step = "keeping it in mind"
	StepRoot        Step = "root certificate"
	StepCertificate Step = "node certificate"
	StepSession     Step = "session with its certificate"
	StepComplete    Step = "completion"
)

// A Progress tells how far a commissioning has come.
type Progress struct {
	Step Step
	Note string // what is waited for, ""; nothing unusual
}

// A Left is what a commissioning that failed has left behind on the node.
type Left uint8

// What is left.
const (
	LeftNothing     Left = iota // nothing, or it was undone
	LeftUntilExpiry             // the node undoes it by itself, when its fail-safe expires
	LeftUnknown                 // nobody knows whether the node is on the fabric
)

// An Error is why a node is not on the fabric.
type Error struct {
	Step Step
	Text string
	Hint string // what to do; "": the text says it
	Left Left
	// Expires is when the node undoes by itself what is left.
	Expires time.Duration
	Err     error // what happened
}

// Error is one line.
func (e *Error) Error() string {
	s := fmt.Sprintf("pairing: %s: %s", e.Step, e.Text)
	switch e.Left {
	case LeftUntilExpiry:
		s += fmt.Sprintf("; the device undoes by itself what was begun, within %v", e.Expires.Round(time.Second))
	case LeftUnknown:
		s += "; it may be on threadmap's fabric all the same: the next scan asks it"
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Unwrap is what happened.
func (e *Error) Unwrap() error { return e.Err }

const again = "open the pairing window again in your home app, and try again with the code that it shows"

// NotOnFabric reports whether err is the answer of a node that it is not on our
// fabric, or not under the node id that it was asked by.
func NotOnFabric(err error) bool {
	var report message.StatusReport
	return errors.As(err, &report) && report.Protocol == uint32(message.SecureChannel) && report.Code == message.CodeNoSharedTrustRoots && report.General != message.Success
}

// answered reports whether err is a node's answer, so that it is known what
// happened.
func answered(err error) bool {
	var status *im.StatusError
	return errors.As(err, new(*refusal)) || errors.As(err, &status)
}

// explain makes an Error of what went wrong in a step that had so much time.
func explain(at Step, err error, limit time.Duration) *Error {
	e := &Error{Step: at, Text: err.Error(), Hint: again, Err: err}
	var no *refusal
	var whole *session.Error
	var status *im.StatusError
	switch {
	case errors.As(err, &whole):
		e.Text = whole.Text
		if at != StepPair && whole.Hint != "" {
			e.Hint = whole.Hint
		} else if whole.Hint != "" {
			e.Hint = whole.Hint + "; the window may be over: " + again
		}
	case errors.Is(err, context.Canceled):
		e.Text = "stopped"
	case errors.As(err, &no):
		e.Text = no.text
	case errors.As(err, &status):
		e.Text = "it refuses: " + status.Error()
	case errors.Is(err, context.DeadlineExceeded):
		e.Text = fmt.Sprintf("no answer within %v", limit.Round(time.Second))
	case errors.Is(err, session.ErrDefunct):
		e.Text = "it does not answer any more"
	}
	return e
}
