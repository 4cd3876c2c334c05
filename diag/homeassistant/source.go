// Package homeassistant asks a Home Assistant, with a long-lived access token of
// one of its users.
//
// Over its WebSocket API come the names, rooms and batteries of Matter devices
// and of HomeKit accessories on Thread; over HTTP, with the same token, the
// diagnostics download of the Matter integration, which has every attribute of
// every Matter node that the Matter server holds, neighbor and route tables
// included. A token of an administrator also brings the border routers that Home
// Assistant hears, its own border router, and the credentials of its Thread
// networks, which go to the caller ([Source.OnDataset]) and nowhere else.
//
// Nothing is ever changed: no command that writes, commissions or refreshes is
// sent, and no radio is woken. A token that is refused is never tried twice,
// because Home Assistant counts that as an attack and bans the address it came
// from. Neither token nor credentials get into a report, a problem or an error.
//
// The Matter server's graph (matter/network_topology) is asked only where the
// download can't be had, and its links are never taken: they are conclusions
// from the same tables, with RLOC16s of several networks in one map, rows of any
// age as live links, and both directions in one number. What it says of each
// node by itself is a fact, and that is used.
//
// It was written from Home Assistant's sources; it has not met a real one.
//
// The reader is beside the other sources. The downloads are read by hadoc; this
// package holds the conversation and the registries.
package homeassistant

import (
	"context"
	"crypto/rand"
	"net"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/internal/apiurl"
	"threadmap/discovery"
)

// Name is the name of this source.
const Name = "home-assistant"

// within is the deadline of one Home Assistant: the download of a large home
// from a small computer, and what is asked beside it.
const within = 90 * time.Second

// A Login is what opens one Home Assistant.
type Login struct {
	Token Token
	Trust Fingerprint // of its certificate; zero: verified as browsers do
}

// A Source asks the Home Assistants that the user logged in to.
type Source struct {
	// Logins gives the login for a URL as [NormalizeURL] writes it.
	Logins func(url string) (Login, bool)
	// OnDataset, if set, is told of every Thread network that Home Assistant has
	// a credential of; without it credentials are not asked for.
	OnDataset func(Dataset)
	// OnRefused, if set, is told that a token was refused: it must not be
	// handed out again.
	OnRefused func(url string)
	// Dial opens the connections; nil means that of package net. No proxy is used.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock that stamps reports; nil means time.Now.
	Now func() time.Time

	pace pace
}

var _ diag.Source = Source{}

// Name is "home-assistant".
func (s Source) Name() string { return Name }

// Probes makes one probe for each Home Assistant in k.
func (s Source) Probes(k diag.Known) []diag.Probe {
	hap := pairingIDs(k.Services)
	var out []diag.Probe
	for _, e := range k.Endpoints {
		if e.Source != Name {
			continue
		}
		at, err := parseEndpoint(e.URL)
		if err != nil { // the text may hold a password, so it is not the target
			out = append(out, complaint("unreadable URL", diag.StageResolve, err.Error(), "give it as http://HOST:8123"))
			continue
		}
		login, ok := s.login(at)
		if !ok {
			out = append(out, complaint(at.String(), diag.StageHandshake, "no token for it", "threadmap login ha "+at.String()))
			continue
		}
		out = append(out, diag.Probe{Source: Name, Target: at.String(), Within: within, Run: func(ctx context.Context, to *diag.Sink) {
			c, done := s.newClient(at, login)
			defer done()
			p := &probe{c: c, source: s, to: to, hap: hap, said: map[string]bool{}, session: "home-assistant-" + strings.ToLower(rand.Text()[:16]), now: s.Now}
			if p.now == nil {
				p.now = time.Now
			}
			p.run(ctx)
		}})
	}
	return out
}

func (s Source) login(at apiurl.URL) (Login, bool) {
	if s.Logins == nil {
		return Login{}, false
	}
	l, ok := s.Logins(at.String())
	return l, ok && !l.Token.IsZero()
}

// complaint is a probe that only tells why there is none.
func complaint(target string, at diag.Stage, text, hint string) diag.Probe {
	return diag.Probe{Source: Name, Target: target, Within: time.Second, Run: func(_ context.Context, to *diag.Sink) {
		to.Problem(diag.Problem{Source: Name, Target: target, Stage: at, Text: text, Hint: hint, Partial: true})
	}}
}

// pairingIDs are the HomeKit accessories that announced themselves on Thread.
func pairingIDs(services []discovery.Service) map[string]bool {
	out := map[string]bool{}
	for i := range services {
		if services[i].Kind == discovery.KindHAP {
			if id, ok := pairingID(discovery.ParseHAP(services[i].TXT).ID); ok {
				out[id] = true
			}
		}
	}
	return out
}
