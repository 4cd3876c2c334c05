package icd

import (
	"slices"
	"strings"
)

// A packet capture shows the sessions of all controllers from outside: its
// lines name the two addresses, who opened the session, and the fabric where
// that is known.

// Spoke is a message of a session that broke a silence of a minute: what is in
// it is sealed. From the device it is a report, as nothing else makes a device
// speak; answered, the receiver knows the subscription still, since a device
// gives up one that is refused.
type Spoke struct {
	OpenedBy string `json:"opened_by"` // "device" or "controller": who spoke
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Fabric   string `json:"fabric,omitempty"` // compressed fabric id, 16 hex digits
	Session  uint16 `json:"session,omitempty"`
	Sent     int    `json:"sent,omitempty"` // how often
	Answered bool   `json:"answered"`
}

// Watched says that a capture, until now, would have seen what the device sends
// to a controller: it has seen some of it.
type Watched struct {
	For      Seconds  `json:"for"` // how long, until the line's time
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
	Fabric   string   `json:"fabric,omitempty"`
	Messages int      `json:"messages"`       // from the device to the controller
	Last     *Seconds `json:"last,omitempty"` // how long before the line's time the last was
}

// PASE is an attempt to commission the device, or to open its window.
type PASE struct {
	OpenedBy string `json:"opened_by"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
}

const byDevice = "device"

// fabricOf is the fabric that a capture's line names, and whether the line is
// about a session at all.
func fabricOf(o *Observation) (fabric string, ok bool) {
	switch w := o.What.(type) {
	case *Sigma1:
		return strings.ToUpper(w.Fabric), true
	case *CASE:
		return strings.ToUpper(w.Fabric), true
	case *CheckIn:
		return strings.ToUpper(w.Fabric), true
	case *Spoke:
		return strings.ToUpper(w.Fabric), true
	case *Watched:
		return strings.ToUpper(w.Fabric), true
	}
	return "", false
}

// captured reports whether a capture's line is about the subscriber. One whose
// fabric is not known is, where there is no other subscriber it could be about.
func (v *view) captured(o *Observation) bool {
	if o.By != ByCapture {
		return false
	}
	fabric, ok := fabricOf(o)
	switch {
	case !ok:
		return false
	case fabric != "":
		return fabric == v.sub.fabric
	}
	others := slices.ContainsFunc(v.subs, func(s *subscriber) bool { return s != v.sub && s.inside != ByCanary })
	return !others && v.sub.inside != ByCanary
}

// capturedFabrics are those that only a capture tells of.
func (v *view) capturedFabrics() (out []string) {
	for _, o := range v.all {
		if o.By != ByCapture || len(out) >= maxFabrics {
			continue
		}
		if f, _ := fabricOf(o); isHex16(f) && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return out
}

// capturedSigma1 is the first session since t0 that a capture saw the device
// begin to open, to anybody.
func (v *view) capturedSigma1() *Observation {
	for o, w := range ours[Sigma1](v, "capture sigma1") {
		if w.OpenedBy == byDevice && o.At >= v.t0-slack {
			return o
		}
	}
	return nil
}

// capturedLife reports whether a capture's line shows that the device lives.
func capturedLife(o *Observation) bool {
	switch w := o.What.(type) {
	case *Sigma1:
		return w.OpenedBy == byDevice
	case *CASE:
		return w.OpenedBy == byDevice || w.Result != "failed" || !timedOut(w.Error)
	case *CheckIn:
		return true
	case *Spoke:
		return w.OpenedBy == byDevice || w.Answered
	}
	return false
}

// capturedTalk reports whether a capture's line shows that messages between the
// device and somebody on the LAN get there both ways.
func capturedTalk(o *Observation) bool {
	switch w := o.What.(type) {
	case *CASE:
		return w.Result != "failed"
	case *Spoke:
		return w.Answered
	}
	return false
}

// A capture may be of another machine than what else was observed. A session that
// the device opened that shortly before a start, which is rare, is more likely one
// of after it.
const clockOff = 2 * minute

// captureSawNone says why it is sure, by a capture, that the device did not try
// to go on with its subscription after a start: it reported to the subscriber
// before, the capture would have seen an attempt, and there was none to anybody.
// With several border routers the device's packets may take another way after a
// start; the capture must then have seen some since.
func (v *view) captureSawNone() []string {
	due := v.resumeDue()
	if !v.rebooted || v.at < due.to || len(v.askedForAny()) > 0 || v.mode == ModeLongIdle || v.capturedSigma1() != nil || v.orderlyStop() != nil {
		return nil
	}
	for o, w := range ours[Sigma1](v, "capture sigma1") {
		if w.OpenedBy == byDevice && o.At < v.t0 && o.At >= v.t0-clockOff {
			return nil // by a machine whose clock is wrong: what it saw may be the attempt
		}
	}
	var had *Observation
	for o, w := range ours[Spoke](v, "capture spoke") {
		if o.At < v.t0-slack && w.OpenedBy == byDevice && w.Answered && v.captured(o) {
			had = o
		}
	}
	if had == nil {
		return nil
	}
	for o, w := range ours[Watched](v, "capture watched") {
		if !v.captured(o) || w.Messages == 0 || o.At-w.For > had.At || o.At < due.to {
			continue
		}
		if len(v.borderRouters()) > 1 && (w.Last == nil || o.At-*w.Last < v.t0) {
			continue
		}
		return []string{"it reported before (" + had.String() + "), and opened no session until " + due.to.String(), o.String()}
	}
	return nil
}

// capturedFailure is the last session of the device to the subscriber where a
// capture saw it fail, since t0.
func (x *exam) capturedFailure() *CASE {
	if x.h.failed.o == nil || x.h.failed.o.By != ByCapture || x.h.failed.at < x.t0-slack {
		return nil
	}
	w, _ := x.h.failed.o.What.(*CASE)
	return w
}
