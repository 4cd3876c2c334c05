// Package matterserver asks Home Assistant's Matter server (the one in Python
// and the one on matter.js) over its own WebSocket: all nodes of its fabric with
// their attributes, whether it can reach them, and the border routers that it
// heard.
//
// One probe talks to one server. The tables that a server keeps are as old as
// its last subscription to the node, a day and more: nodes report them when a
// subscription begins and not when they change. So what the server keeps is told
// as cached, and then every Thread node that it can reach and that is awake is
// read once: at most [atOnce] at a time and [spacing] apart in each Thread
// network, the pace that matter.js itself keeps. Nodes that sleep are left
// alone unless [Source.AskSleepy] says otherwise: each read costs their battery.
// A node that is said to be reachable and can't be read is told as not
// reachable: servers take five minutes and more to find out.
//
// Two commands are not used on purpose. "get_network_topology" is a graph drawn
// from the very same tables, with RLOC16s mixed over networks, stale rows as
// live links and directions averaged: it adds no fact that the tables and the
// list of border routers don't hold. "get_thread_diagnostics" makes the server
// become the commissioner of the Thread network, even where only its cache is
// wanted, and a network has one commissioner at a time: package tmf does that
// itself, where the user gave the credential.
//
// The reader is beside the other sources (diag/otbr, diag/tmf). Messages are
// read by wsdoc, attributes by package cluster; this package holds only the
// conversation.
package matterserver

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"threadmap/diag"
)

// Name is the name of this source.
const Name = "matter-server"

// within is the deadline of one server. 50 nodes read at the pace of one
// network take 5 s; each four that don't answer, [readWithin] more.
const within = 120 * time.Second

// A Source asks the Matter servers that the user named, and those behind doors.
type Source struct {
	// Dial opens the WebSocket of a server that the user named; nil means
	// Through(nil, nil).
	Dial Dialer
	// Doors are ways to servers that have no address of their own.
	Doors []Door
	// AskSleepy reads nodes that sleep, too.
	AskSleepy bool
	// Now is the clock that stamps reports; nil means time.Now.
	Now func() time.Time
}

// A Door is a way to a Matter server that needs more than an address, such as
// Home Assistant's ingress.
type Door struct {
	// Name is what targets and reports call it: no secrets, and nothing that
	// changes from scan to scan.
	Name string
	// URL is handed to Dial and shown to nobody: it may hold a token.
	URL  string
	Dial Dialer
}

var _ diag.Source = Source{}

// Name is "matter-server".
func (s Source) Name() string { return Name }

// Probes makes one probe for each server in k and each door.
func (s Source) Probes(k diag.Known) []diag.Probe {
	var out []diag.Probe
	for _, e := range k.Endpoints {
		if e.Source != Name {
			continue
		}
		at, err := parseEndpoint(e.URL)
		if err != nil {
			// The text may hold a password, so it is not the target.
			out = append(out, diag.Probe{Source: Name, Target: "unreadable URL", Within: time.Second, Run: func(_ context.Context, to *diag.Sink) {
				to.Problem(diag.Problem{Source: Name, Target: "unreadable URL", Stage: diag.StageResolve, Text: err.Error(),
					Hint: "give it as ws://HOST:5580/ws", Partial: true})
			}})
			continue
		}
		out = append(out, s.probe(at.String(), at.Full(), s.Dial))
	}
	for _, d := range s.Doors {
		out = append(out, s.probe(d.Name, d.URL, d.Dial))
	}
	return out
}

func (s Source) probe(target, url string, dial Dialer) diag.Probe {
	if dial == nil {
		dial = Through(nil, nil)
	}
	return diag.Probe{Source: Name, Target: target, Within: within, Run: func(ctx context.Context, to *diag.Sink) {
		p := probe{
			to: to, target: target, askSleepy: s.AskSleepy, now: s.Now, said: map[string]bool{},
			session: "matter-server-" + strings.ToLower(rand.Text()[:16]),
		}
		if p.now == nil {
			p.now = time.Now
		}
		p.run(ctx, url, dial)
	}}
}
