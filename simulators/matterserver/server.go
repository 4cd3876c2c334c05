package matterserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

// A Flavour is which of the two servers is simulated.
type Flavour uint8

// The flavours.
const (
	JS     Flavour = iota // on matter.js, schema 13
	Python                // with CHIP's SDK, schema 11
)

// Options are the knobs of a simulated server. The zero value is one on
// matter.js that reaches all its nodes.
type Options struct {
	Flavour Flavour
	Schema  uint64 // version of the API; 0: the flavour's newest
	// Fabric is the compressed id of its fabric; 0: that of the home's first
	// Matter node. Nodes on other fabrics are not its nodes.
	Fabric uint64

	// Unavailable tells of nodes that it says it can't reach.
	Unavailable func(*mesh.Node) bool
	// Unloaded tells of nodes that matter.js has not loaded yet: get_nodes shows
	// them without attributes, get_node loads them.
	Unloaded func(*mesh.Node) bool
	// OldRevision tells of nodes whose Thread diagnostics lack ExtAddress and
	// Rloc16, as those of cluster revision 2 do.
	OldRevision func(*mesh.Node) bool
	// Kept tells of attributes, by path, that the server has other values of than
	// the mesh has: of a device that is simulated apart.
	Kept func(*mesh.Node) map[string]any
	// ParentRoute gives nodes that are minimal devices a route table with their
	// parent in it, as CHIP does; without it theirs is empty.
	ParentRoute bool
	// TestNodes is how many nodes of saved diagnostics it holds.
	TestNodes int

	// ReadTime is how long a read takes, SleepyTime the same of a node that
	// sleeps; what the mesh says a slow node takes is added.
	ReadTime, SleepyTime time.Duration
	// AbortAfter is how long a read of a node that does not answer takes until
	// the server gives up; default 35 s.
	AbortAfter time.Duration

	// Session, where not empty, is what cookie ingress_session must hold, as
	// behind Home Assistant's ingress.
	Session string
	// Misbehave, where not nil, says what goes wrong with a command about a node
	// (0: about none). The greeting counts as command "greeting".
	Misbehave func(command string, node uint64) Misbehaviour
}

// A Server is a simulated Matter server.
type Server struct {
	o      Options
	fabric uint64

	mu       sync.Mutex
	nodes    []*node // by id
	views    map[diag.PANID64]*mesh.View
	requests map[string]int
	reads    []Read
	hearing  map[*session]bool // clients that listen
}

// A node is one node of the server's fabric.
type node struct {
	id       uint64
	ext      diag.ExtAddr
	network  diag.PANID64
	kept     map[string]any // attributes by path, as the server last learnt them
	unloaded bool
}

// A Read is one read of a node that was asked for.
type Read struct {
	Node     uint64
	Network  diag.PANID64
	From, To time.Time // To is zero while it lasts
}

// New makes the server of the home's Matter nodes.
func New(home *mesh.Home, o Options) (*Server, error) {
	s := &Server{o: o, fabric: o.Fabric, requests: map[string]int{}}
	if s.o.AbortAfter == 0 {
		s.o.AbortAfter = 35 * time.Second
	}
	if s.o.Schema == 0 {
		s.o.Schema = 13
		if o.Flavour == Python {
			s.o.Schema = 11
		}
	}
	if s.fabric == 0 {
		for _, m := range home.Networks {
			for i := range m.Nodes {
				for _, id := range m.Nodes[i].Matter {
					s.fabric = cmp.Or(s.fabric, id.Fabric)
				}
			}
		}
	}
	if s.fabric == 0 {
		return nil, errors.New("simulated Matter server: the home has no Matter node")
	}
	s.SetHome(home)
	for _, m := range home.Networks {
		v := s.views[m.ExtPANID]
		for i := range m.Nodes {
			n := &m.Nodes[i]
			for _, id := range n.Matter {
				if id.Fabric != s.fabric {
					continue
				}
				k := &node{id: id.Node, ext: n.ExtAddr, network: m.ExtPANID, kept: s.attributes(v, v.Find(n.ExtAddr))}
				if o.Kept != nil {
					maps.Copy(k.kept, o.Kept(n))
				}
				k.unloaded = o.Unloaded != nil && o.Unloaded(n)
				s.nodes = append(s.nodes, k)
			}
		}
	}
	slices.SortFunc(s.nodes, func(a, b *node) int { return cmp.Compare(a.id, b.id) })
	for i := 1; i < len(s.nodes); i++ {
		if s.nodes[i].id == s.nodes[i-1].id {
			return nil, fmt.Errorf("simulated Matter server: two nodes of fabric %016x have id %d", s.fabric, s.nodes[i].id)
		}
	}
	return s, nil
}

// SetHome changes what reads find. What the server keeps stays as it is.
func (s *Server) SetHome(home *mesh.Home) {
	views := map[diag.PANID64]*mesh.View{}
	for _, m := range home.Networks {
		views[m.ExtPANID] = m.View()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.views = views
}

// Fabric is the compressed id of the server's fabric.
func (s *Server) Fabric() uint64 { return s.fabric }

// Nodes lists the ids of its nodes.
func (s *Server) Nodes() []uint64 {
	out := make([]uint64, 0, len(s.nodes))
	for _, n := range s.nodes {
		out = append(out, n.id)
	}
	return out
}

// Requests counts what was asked, by command.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.requests))
	for k, v := range s.requests {
		out[k] = v
	}
	return out
}

// Reads lists the reads that were asked for, in the order in which they began.
func (s *Server) Reads() []Read {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reads)
}

// find is the node with that id, nil for none.
func (s *Server) find(id uint64) *node {
	k, ok := slices.BinarySearchFunc(s.nodes, id, func(n *node, id uint64) int { return cmp.Compare(n.id, id) })
	if !ok {
		return nil
	}
	return s.nodes[k]
}

// radio is where a node is in the home as it is now; nil: it is gone.
func (s *Server) radio(n *node) (*mesh.View, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.views[n.network]
	if v == nil {
		return nil, -1
	}
	if i := v.Find(n.ext); i >= 0 {
		return v, i
	}
	return nil, -1
}

func (s *Server) available(n *node) bool {
	v, i := s.radio(n)
	if v == nil { // gone, which the server notices after some minutes
		return true
	}
	s.mu.Lock()
	unavailable := s.o.Unavailable // it may change while the server runs
	s.mu.Unlock()
	return unavailable == nil || !unavailable(v.Node(i))
}

// ServeHTTP answers at /ws, which is the WebSocket, and /health.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.o.Session != "" {
		if c, err := r.Cookie("ingress_session"); err != nil || c.Value != s.o.Session {
			http.Error(w, "401: Unauthorized", http.StatusUnauthorized)
			return
		}
	}
	switch r.URL.Path {
	case "/ws":
		s.serve(w, r)
	case "/health":
		w.Header().Set("Content-Type", "application/json")
		w.Write(encode(object{{"version", "1.4.1"}, {"node_count", len(s.nodes)}})) // the client may be gone; nothing to do about it
	default:
		http.NotFound(w, r)
	}
}

// wait sleeps, unless ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
