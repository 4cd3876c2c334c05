package otbr

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// Options are the knobs of a simulated border router. The zero value is one of
// the generation that the node has in its mesh, which answers at once and does
// wrong only what all of its kind do.
type Options struct {
	// Generation is 1, 2 or 3; 0: that of the node, or 3.
	Generation int
	// ESP makes generation 1 speak as Espressif's border router: lower-case
	// hex, long addresses, and /topology with its envelope.
	ESP bool
	// ActionTime is how long an action takes; what a slow node takes is added.
	ActionTime time.Duration
	// DiagnosticsTime is how long /diagnostics of generation 1 takes. Nodes
	// that are slower than two seconds are missing from it, whatever this is.
	DiagnosticsTime time.Duration
	// Updated: the device collection was updated once before, so /api/devices
	// and /api/node are filled from the start.
	Updated bool
	// OldID, where not 0, is the extended address that the radio had when the
	// agent started: /api/node is missing and /api/devices lists the border
	// router under it too.
	OldID diag.ExtAddr
	// KeepLists: diagnostic actions side by side lose no lists of far routers.
	// Real ones do.
	KeepLists bool
	// Misbehave, where not nil, says what goes wrong with a request.
	Misbehave func(*http.Request) Misbehaviour
}

// answerWindow is how long generation 1 collects answers to /diagnostics.
const answerWindow = 2 * time.Second

// A Server is a simulated border router's REST interface.
type Server struct {
	o    Options
	gen  int
	id   diag.ExtAddr // of the border router
	boot time.Time

	mu          sync.Mutex
	view        *mesh.View
	self        int
	rng         *rand.Rand // of the ids it gives out
	actions     []*action  // oldest first
	batch       int        // requests that posted actions
	diagnostics []resource // oldest first
	devices     []resource
	requests    map[string]int
}

// New makes the interface of the border router with that extended address.
func New(v *mesh.View, border diag.ExtAddr, o Options) (*Server, error) {
	i := v.Find(border)
	switch {
	case i < 0:
		return nil, fmt.Errorf("simulated border router: no node has extended address %s", border)
	case !v.Node(i).IsRouter():
		return nil, fmt.Errorf("simulated border router %s: is a child; name a router", border)
	case o.Generation < 0 || o.Generation > 3:
		return nil, fmt.Errorf("simulated border router %s: generation %d: want 1 to 3", border, o.Generation)
	}
	gen := o.Generation
	if gen == 0 {
		gen = v.Node(i).OTBR
	}
	if gen == 0 {
		gen = 3
	}
	s := &Server{o: o, gen: gen, id: border, boot: time.Now(), view: v, self: i, rng: rand.New(rand.NewPCG(uint64(border), 8081)), requests: map[string]int{}}
	if o.Updated {
		s.devices = s.collect(s.boot)
	}
	return s, nil
}

// SetView changes what the border router sees. Its collections stay as they
// were until they are updated.
func (s *Server) SetView(v *mesh.View) error {
	i := v.Find(s.id)
	if i < 0 {
		return fmt.Errorf("simulated border router: no node has extended address %s any more", s.id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view, s.self = v, i
	return nil
}

// Requests counts what was asked, by method and path: "GET /node".
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.requests))
	for k, v := range s.requests {
		out[k] = v
	}
	return out
}

// maxCounted bounds the different requests that are counted.
const maxCounted = 10000

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if key := r.Method + " " + r.URL.Path; len(s.requests) < maxCounted || s.requests[key] > 0 {
		s.requests[key]++
	}
	s.mu.Unlock()
	if s.o.Misbehave != nil {
		if m := s.o.Misbehave(r); m != Behave {
			s.misbehave(m, w, r)
			return
		}
	}
	s.answer(r).write(w)
}

// A reply is an answer before it is sent.
type reply struct {
	status  int
	kind    string // content type
	body    []byte
	headers bool // those of generations 2 and 3
}

func (a reply) write(w http.ResponseWriter) {
	h := w.Header()
	if a.headers {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "DELETE, GET, OPTIONS, POST, PUT")
		h.Set("Access-Control-Allow-Headers", "Origin, Accept, X-Requested-With, Content-Type, Access-Control-Request-Method, Access-Control-Request-Headers")
	}
	if a.kind != "" {
		h.Set("Content-Type", a.kind)
	}
	h.Set("Content-Length", fmt.Sprint(len(a.body)))
	w.WriteHeader(a.status)
	w.Write(a.body) // the client may be gone; nothing to do about it
}

const (
	plainJSON = "application/json"
	jsonAPI   = "application/vnd.api+json"
)

func (s *Server) ok(v any) reply {
	return reply{http.StatusOK, plainJSON, pretty(v), s.gen > 1}
}

// fail is an error in the form of the generation.
func (s *Server) fail(status int) reply {
	if s.gen == 1 {
		return reply{status: status}
	}
	title := http.StatusText(status)
	if status == http.StatusUnprocessableEntity {
		title = "Unprocessable Content"
	}
	return reply{status, plainJSON, pretty(object{{"title", title}, {"status", status}, {"detail", ""}}), true}
}

// answer finds what a request asks for.
func (s *Server) answer(r *http.Request) reply {
	path := r.URL.Path
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	switch {
	case r.Method == http.MethodOptions && s.gen > 1:
		return reply{status: http.StatusOK, headers: true}
	case s.gen > 1 && (path == "/api" || strings.HasPrefix(path, "/api/")):
		return s.api(r, strings.Split(strings.TrimPrefix(path, "/api"), "/")[1:])
	case s.gen == 3 && path == "/.well-known/thread/br-rest":
		return s.ok(wellKnown())
	case r.Method != http.MethodGet && (path == "/node" || strings.HasPrefix(path, "/node/") || path == "/diagnostics"):
		return s.fail(http.StatusMethodNotAllowed)
	case path == "/diagnostics" && s.gen == 1:
		return s.diagnosticsOfGen1(r, false)
	case path == "/topology" && s.gen == 1 && s.o.ESP:
		return s.diagnosticsOfGen1(r, true)
	case path == "/node":
		return s.node()
	case strings.HasPrefix(path, "/node/"):
		return s.value(strings.TrimPrefix(path, "/node/"), r)
	}
	return s.fail(http.StatusNotFound)
}

func wellKnown() object {
	link := func(href, rel, kind string) object {
		return object{{"href", href}, {"rel", rel}, {"type", []string{kind}}}
	}
	return object{
		{"api", object{{"version", "0.5.0"}, {"base", "/api/"}}},
		{"links", []object{
			link("/.well-known/thread/br-rest", "self", plainJSON), link("/api/node", "node", jsonAPI), link("/api/actions", "task", jsonAPI),
			link("/api/devices", "device", jsonAPI), link("/api/diagnostics", "diagnostic", jsonAPI),
		}},
	}
}

// hex writes digits in the case of the generation.
func (s *Server) hex(digits string) string {
	if s.gen == 1 && !s.o.ESP {
		return strings.ToUpper(digits)
	}
	return digits
}
