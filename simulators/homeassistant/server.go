// Package homeassistant simulates Home Assistant over a simulated home: its
// WebSocket API with tokens and users, its registries, the Thread and Matter
// integrations, the diagnostics downloads, and the ingress to a Matter server.
//
// Its documents are written from Home Assistant's sources and test fixtures and
// share no types with the product, so a misspelt key can't cancel out. What it
// knows of Matter nodes it asks of a Matter server, as real ones do. What a
// broken or hostile Home Assistant could do is simulated too ([Misbehaviour]).
//
// The reader is above simulators/mesh and simulators/matterserver and below
// simulators/world. The handler owns no socket.
package homeassistant

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"threadmap/simulators/mesh"
)

// A User is who a token belongs to.
type User struct {
	Name  string
	Admin bool
}

// Options are the knobs of a simulated Home Assistant.
type Options struct {
	Version string          // default "2026.11.2"
	Users   map[string]User // by token; without any nobody gets in
	// Fabric is the compressed id of its Matter fabric; 0: that of the home's
	// first Matter node.
	Fabric uint64
	// MatterServer is the Matter server that the Matter integration talks to,
	// and that the ingress leads to; nil: the integration waits for one.
	MatterServer http.Handler
	// Port is where the Matter server's own port is published; 0: it is closed.
	Port uint16
	// HomeKit tells which nodes are accessories that were paired with it.
	HomeKit func(*mesh.Node) bool
	// Old is one of 2023: without thread/*, otbr/info flat, without the Matter
	// commands for single nodes, its download with the keys of 2022.
	Old bool
	// NoSupervisor is one in a container: there are no apps.
	NoSupervisor bool
	// NoDownload refuses diagnostics downloads to all but administrators.
	NoDownload bool
	// Starting: it says that it has not started all integrations yet.
	Starting bool
	// Arrays sends answers in arrays, as to a client that takes them.
	Arrays bool
	// Misbehave, where not nil, says what goes wrong with a command; the
	// handshake is "auth", a download "download".
	Misbehave func(command string) Misbehaviour
}

// The secrets that the simulated Home Assistant hands out, beside the tokens it
// was given; tests search outputs for them.
const (
	IngressToken   = "iNgReSs_tOkEn-f00dcafe5ec2e7f00dcafe5ec2e7"
	IngressSession = "5e551075ec2e7c0ffee05e551075ec2e7c0ffee05e551075ec2e7c0ffee05e55"
)

// A Server is a simulated Home Assistant.
type Server struct {
	o      Options
	home   *mesh.Home
	views  []*mesh.View
	fabric uint64

	mu       sync.Mutex
	requests map[string]int
	wrong    int
	revoked  map[string]bool // tokens
	// followers subscribed to entities; changed are states that were set.
	followers []follower
	changed   map[string]string
}

// Revoke takes a token back, as its user can; with again it is good once more.
func (s *Server) Revoke(token string, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revoked == nil {
		s.revoked = map[string]bool{}
	}
	s.revoked[token] = !again
}

// user is who a token belongs to.
func (s *Server) user(token string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.o.Users[token]
	return u, ok && !s.revoked[token]
}

// New makes the Home Assistant of a home.
func New(home *mesh.Home, o Options) (*Server, error) {
	if err := home.Validate(); err != nil {
		return nil, fmt.Errorf("simulated Home Assistant: %w", err)
	}
	o.Version = cmp.Or(o.Version, "2026.11.2")
	s := &Server{o: o, home: home, fabric: o.Fabric, requests: map[string]int{}}
	for _, m := range home.Networks {
		s.views = append(s.views, m.View())
		for i := range m.Nodes {
			for _, id := range m.Nodes[i].Matter {
				s.fabric = cmp.Or(s.fabric, id.Fabric)
			}
		}
	}
	return s, nil
}

// Requests counts what was asked, by command; downloads count as "download".
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.requests))
	for k, v := range s.requests {
		out[k] = v
	}
	return out
}

// WrongLogins counts the tries with a wrong token, as Home Assistant counts
// them before it bans an address.
func (s *Server) WrongLogins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrong
}

func (s *Server) count(what string) {
	const maxDifferent = 200
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) < maxDifferent || s.requests[what] > 0 {
		s.requests[what]++
	}
}

func (s *Server) wrongLogin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong++
}

func (s *Server) misbehaviour(command string) Misbehaviour {
	if s.o.Misbehave == nil {
		return Behave
	}
	return s.o.Misbehave(command)
}

// ServeHTTP answers the WebSocket, the downloads and the ingress.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/api/websocket":
		if s.misbehaviour("connect") == Redirect {
			http.Redirect(w, r, "http://elsewhere.example"+path, http.StatusFound)
			return
		}
		s.websocket(w, r)
	case strings.HasPrefix(path, "/api/diagnostics/config_entry/"):
		s.download(w, r, strings.TrimPrefix(path, "/api/diagnostics/config_entry/"))
	case strings.HasPrefix(path, "/api/hassio_ingress/"):
		s.ingress(w, r)
	default:
		http.NotFound(w, r)
	}
}

// ingress leads to the Matter server. Only the cookie opens it.
func (s *Server) ingress(w http.ResponseWriter, r *http.Request) {
	s.count("ingress")
	path, ok := strings.CutPrefix(r.URL.Path, "/api/hassio_ingress/"+IngressToken)
	cookie, err := r.Cookie("ingress_session")
	switch {
	case err != nil || cookie.Value != IngressSession:
		http.Error(w, "401: Unauthorized", http.StatusUnauthorized)
	case !ok || s.o.MatterServer == nil:
		http.NotFound(w, r)
	default:
		inner := r.Clone(r.Context())
		inner.URL.Path, inner.RequestURI = path, path
		s.o.MatterServer.ServeHTTP(w, inner)
	}
}
