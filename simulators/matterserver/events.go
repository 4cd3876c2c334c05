package matterserver

import (
	"context"
	"time"

	"github.com/coder/websocket"

	"threadmap/simulators/mesh"
)

// emitWithin is how long a client that does not read may hold an event up.
const emitWithin = 5 * time.Second

// listen says whether a client listens to events.
func (s *Server) listen(c *session, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hearing == nil {
		s.hearing = map[*session]bool{}
	}
	if yes {
		s.hearing[c] = true
	} else {
		delete(s.hearing, c)
	}
}

// Listeners counts the clients that listen.
func (s *Server) Listeners() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hearing)
}

// Emit sends an event to all who listen. data is written as JSON.
func (s *Server) Emit(event string, data any) {
	s.EmitRaw(encode(object{{"event", event}, {"data", data}}))
}

// EmitRaw sends any frame to all who listen, as a broken server may.
func (s *Server) EmitRaw(frame []byte) {
	s.mu.Lock()
	var to []*session
	for c := range s.hearing {
		to = append(to, c)
	}
	s.mu.Unlock()
	for _, c := range to {
		ctx, cancel := context.WithTimeout(context.Background(), emitWithin)
		c.ws.Write(ctx, websocket.MessageText, frame) // the client may be gone; nothing to do about it
		cancel()
	}
}

// Cut breaks the connections of all who listen.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.hearing {
		c.cancel()
	}
}

// SetUnavailable changes which nodes the server says it can't reach, and tells
// those who listen, as real servers do, with the whole of each node that
// changed.
func (s *Server) SetUnavailable(unavailable func(*mesh.Node) bool) {
	before := map[uint64]bool{}
	for _, n := range s.nodes {
		before[n.id] = s.available(n)
	}
	s.mu.Lock()
	s.o.Unavailable = unavailable
	s.mu.Unlock()
	for _, n := range s.nodes {
		if s.available(n) != before[n.id] {
			s.Emit("node_updated", s.document(n))
		}
	}
}

// EmitAttribute tells of an attribute that was reported.
func (s *Server) EmitAttribute(node uint64, path string, value any) {
	s.Emit("attribute_updated", []any{node, path, value})
}

// EmitEvent tells of a Matter event that was reported.
func (s *Server) EmitEvent(node uint64, endpoint uint16, cluster, event uint32, number uint64, data any) {
	s.Emit("node_event", object{{"node_id", node}, {"endpoint_id", endpoint}, {"cluster_id", cluster}, {"event_id", event}, {"event_number", number},
		{"priority", 1}, {"timestamp", time.Now().UnixMilli()}, {"timestamp_type", 1}, {"data", data}})
}
