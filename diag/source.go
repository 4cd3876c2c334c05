package diag

import (
	"context"
	"time"

	"threadmap/discovery"
)

// A Source is one way of asking: OTBR's REST, a border agent, Matter itself.
// It is the only interface of our own; everything else is a struct, a func or
// a seam of the standard library.
type Source interface {
	// Name is a word for --source and for evidence: "otbr".
	Name() string
	// Probes says what this source would ask, given what is known. It is
	// pure: no network, no clock, no files.
	Probes(Known) []Probe
}

// Known is what a plan is made from.
type Known struct {
	Endpoints []Endpoint // places the user named or logged in to
	// Services are what the LAN announced before the plan was made; nil where
	// nobody listened.
	Services []discovery.Service
}

// An Endpoint is a place that a user named: by a flag or by "threadmap login".
type Endpoint struct {
	Source string // which source it is for
	URL    string
}

// A Probe is one conversation with one peer.
type Probe struct {
	Source string
	Target string        // whom it asks, for progress and problems
	Within time.Duration // its own deadline; required
	// Group names what it loads: probes of one group run one after the other.
	// Empty: the Target.
	Group string
	// Run asks and tells the sink, at once, whatever it learns, so that
	// nothing is lost when it is cut short. It returns when ctx ends.
	Run func(ctx context.Context, to *Sink)
}
