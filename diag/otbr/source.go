// Package otbr asks an OpenThread Border Router over its REST API.
//
// One probe talks to one border router and tells the sink every node as soon as
// it is known. Three generations of the API are in the field, and the probe
// finds out which one it met: the first answers GET /diagnostics with whatever
// part of the mesh replied within two seconds, so it is asked again for the
// rest; the later ones run tasks, which are given one router after the other and
// few types at a time, because many at once come back with empty lists.
// Generation 2 (2025-09-10 to 2026-07-19) follows OTBR's source and is
// unproved.
//
// The API hands out the network key to anybody. This package asks for the
// active dataset only to learn channel, PAN id and mesh-local prefix; package
// restdoc steps over the keys and the body is overwritten after that.
//
// The reader is beside the other sources (diag/tmf, diag/matter). Documents are
// read by restdoc; this package holds only the conversation.
package otbr

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/otbr/restdoc"
)

// Name is the name of this source.
const Name = "otbr"

// within is the deadline of one border router. The tasks of generations 2 and 3
// run one at a time: with 32 routers, 0.3 to 1 s each, and a few that let
// their task time out after 10 s, a whole mesh takes half a minute to
// a minute and a half.
const within = 120 * time.Second

// A Source asks the OpenThread Border Routers that the user named.
type Source struct {
	// HTTP makes the requests; nil means a client of this package, which
	// uses no proxy. Its redirect rule is replaced: another host is never followed.
	HTTP *http.Client
	// Now is the clock that stamps reports; nil means time.Now.
	Now func() time.Time

	pace pace
}

var _ diag.Source = Source{}

// Name is "otbr".
func (s Source) Name() string { return Name }

// Probes makes one probe for each border router in k.
func (s Source) Probes(k diag.Known) []diag.Probe {
	var out []diag.Probe
	for _, e := range k.Endpoints {
		if e.Source != Name {
			continue
		}
		at, err := rest.Parse(e.URL)
		if err != nil {
			// The text may hold a password, so it is not the target.
			out = append(out, diag.Probe{Source: Name, Target: "unreadable URL", Within: time.Second, Run: func(_ context.Context, to *diag.Sink) {
				to.Problem(diag.Problem{Source: Name, Target: "unreadable URL", Stage: diag.StageResolve, Text: err.Error(),
					Hint: "give it as http://HOST:8081", Partial: true})
			}})
			continue
		}
		out = append(out, diag.Probe{Source: Name, Target: at.String(), Within: within, Run: func(ctx context.Context, to *diag.Sink) {
			c, done := newClient(s.HTTP, at, s.pace)
			defer done()
			p := probe{c: c, to: to, said: map[string]bool{}, failed: map[diag.ExtAddr]error{}, mesh: newMesh(),
				docs: restdoc.Context{Source: Name, Via: at.String(), Session: "otbr-" + strings.ToLower(rand.Text()[:16])}, now: s.Now}
			if p.now == nil {
				p.now = time.Now
			}
			p.run(ctx)
		}})
	}
	return out
}

// newTransport is for border routers on the LAN: no proxy, few connections.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: connectWithin}).DialContext,
		TLSHandshakeTimeout:    connectWithin,
		MaxConnsPerHost:        2,
		IdleConnTimeout:        10 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
