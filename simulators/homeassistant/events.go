package homeassistant

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// emitWithin is how long a client that does not read may hold an event up.
const emitWithin = 5 * time.Second

// A follower is a client that subscribed to entities.
type follower struct {
	c   *session
	id  int      // of its subscription
	ids []string // entities; none: all
}

// follow subscribes a client to entities, and sends it their states.
func (c *session) follow(ctx context.Context, q *request) {
	f := follower{c: c, id: q.ID}
	_ = json.Unmarshal(q.fields["entity_ids"], &f.ids)
	added := object{}
	s := c.s
	s.mu.Lock()
	changed := maps.Clone(s.changed)
	s.followers = append(s.followers, f)
	s.mu.Unlock()
	for _, o := range s.states() {
		id, _ := o["entity_id"].(string)
		if !f.wants(id) {
			continue
		}
		state := o["state"]
		if to, ok := changed[id]; ok {
			state = to
		}
		added[id] = object{"s": state, "a": o["attributes"], "c": "01JC0CONTEXT", "lc": 1764000000.25}
	}
	for id, state := range changed {
		if added[id] == nil && f.wants(id) {
			added[id] = object{"s": state, "a": object{}, "c": "01JC0CONTEXT", "lc": 1764000000.25}
		}
	}
	c.send(ctx, object{"id": f.id, "type": "event", "event": object{"a": added}})
}

func (f follower) wants(id string) bool { return len(f.ids) == 0 || slices.Contains(f.ids, id) }

// unfollow ends a client's subscriptions.
func (c *session) unfollow() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.followers = slices.DeleteFunc(c.s.followers, func(f follower) bool { return f.c == c })
}

// Followers counts the subscriptions to entities.
func (s *Server) Followers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.followers)
}

// SetState changes the state of an entity and tells who subscribed to it.
func (s *Server) SetState(entity, state string, attributes map[string]any) {
	s.mu.Lock()
	if s.changed == nil {
		s.changed = map[string]string{}
	}
	s.changed[entity] = state
	s.mu.Unlock()
	plus := object{"s": state, "lc": 1764000001.5, "c": "01JC0CONTEXT"}
	if attributes != nil {
		plus["a"] = attributes
	}
	s.emit(entity, object{"c": object{entity: object{"+": plus}}})
}

// Remove takes an entity away.
func (s *Server) Remove(entity string) { s.emit(entity, object{"r": []string{entity}}) }

// EmitRaw sends any JSON as the event of every subscription, as a broken Home
// Assistant may.
func (s *Server) EmitRaw(event string) { s.emit("", json.RawMessage(event)) }

// emit sends an event to those who want the entity; "": to all.
func (s *Server) emit(entity string, event any) {
	s.mu.Lock()
	to := slices.Clone(s.followers)
	s.mu.Unlock()
	for _, f := range to {
		if entity == "" || f.wants(entity) {
			ctx, cancel := context.WithTimeout(context.Background(), emitWithin)
			f.c.send(ctx, object{"id": f.id, "type": "event", "event": event})
			cancel()
		}
	}
}

// Cut breaks the connections of all who subscribed.
func (s *Server) Cut() {
	s.mu.Lock()
	to := slices.Clone(s.followers)
	s.mu.Unlock()
	for _, f := range to {
		f.c.ws.CloseNow()
	}
}
