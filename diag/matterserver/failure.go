package matterserver

import (
	"errors"
	"fmt"

	"threadmap/diag"
	"threadmap/diag/matterserver/wsdoc"
)

// A failure is why something was not learnt: one line, and what to do about it.
type failure struct {
	stage   diag.Stage
	text    string
	hint    string
	refusal *wsdoc.Refusal // what the server answered, nil where it did not
	over    bool           // nothing more can be asked: the connection or the time is over
}

func (f *failure) Error() string { return f.text }

// asFailure finds the failure in err, or makes one that does not quote it.
func asFailure(err error) *failure {
	var f *failure
	var p diag.Problem
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &p):
		return &failure{stage: p.Stage, text: p.Text, hint: p.Hint}
	}
	return &failure{stage: diag.StageConnect, text: "could not be reached"}
}

// codeOf is the server's error code that err is about.
func codeOf(err error) (code uint64, ok bool) {
	var f *failure
	if errors.As(err, &f) && f.refusal != nil {
		return f.refusal.Code, true
	}
	return 0, false
}

// declined makes one line of an error answer.
func declined(command string, r *wsdoc.Refusal) *failure {
	f := &failure{stage: diag.StageAsk, refusal: r, text: fmt.Sprintf("answered %s with error %d", command, r.Code)}
	switch {
	case r.Code == wsdoc.CodeUnknownCommand:
		f.text, f.hint = "does not know the command "+command, "update the Matter server"
	case r.Details != "":
		f.text += ": " + r.Details
	}
	return f
}
