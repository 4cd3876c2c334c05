package matterserver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"threadmap/simulators/mesh"
)

// greeting is what the server says first, unasked.
func (s *Server) greeting() object {
	o := object{{"fabric_id", 2}, {"compressed_fabric_id", s.fabric}}
	if s.o.Flavour == JS {
		o = append(o, field{"fabric_index", 1})
	}
	sdk, least := "matter-server/1.4.1 (matter.js/0.17.9)", uint64(11)
	if s.o.Flavour == Python {
		sdk, least = "2025.7.0", 9
	}
	o = append(o, object{{"schema_version", s.o.Schema}, {"min_supported_schema_version", min(least, s.o.Schema)}, {"sdk_version", sdk},
		{"wifi_credentials_set", false}, {"thread_credentials_set", true}, {"bluetooth_enabled", false}}...)
	if s.o.Flavour == JS {
		o = append(o, object{{"ble_proxy_enabled", false}, {"controller_node_id", 112233}}...)
	}
	return o
}

// answer does a command.
func (s *Server) answer(ctx context.Context, q *request) object {
	ok := func(result any) object { return object{{"message_id", q.ID}, {"result", result}} }
	fail := func(code int, format string, args ...any) object {
		return object{{"message_id", q.ID}, {"error_code", code}, {"details", fmt.Sprintf(format, args...)}}
	}
	n := s.find(q.Args.Node)
	switch q.Command {
	case "server_info":
		return ok(s.greeting())
	case "get_nodes", "start_listening":
		return ok(s.allNodes(q.Args.Avail))
	case "get_node":
		if n == nil {
			return fail(5, "Node %d does not exist", q.Args.Node)
		}
		s.mu.Lock()
		n.unloaded = false
		s.mu.Unlock()
		return ok(s.document(n))
	case "read_attribute":
		if n == nil {
			return fail(5, "Node %d does not exist", q.Args.Node)
		}
		return s.read(ctx, n, q, ok, fail)
	case "get_thread_border_routers":
		if s.o.Schema >= 12 {
			return ok(s.borderRouters())
		}
	}
	if s.o.Flavour == Python {
		return fail(9, "Invalid command: %s", q.Command)
	}
	return fail(9, "Unknown command: %s", q.Command)
}

// allNodes is the list of nodes, with the test nodes at its end.
func (s *Server) allNodes(onlyAvailable bool) []object {
	out := []object{}
	for _, n := range s.nodes {
		if !onlyAvailable || s.available(n) {
			out = append(out, s.document(n))
		}
	}
	for i := range s.o.TestNodes {
		first := uint64(0xFFFFFFFE00000000)
		if s.o.Flavour == Python {
			first = 900000
		}
		test := object{{"node_id", first + uint64(i)}}
		if len(s.nodes) > 0 { // somebody else's: the same tables, another place
			test = append(test, s.document(s.nodes[0])[1:]...)
		}
		out = append(out, test)
	}
	return out
}

// document is a node as the server keeps it.
func (s *Server) document(n *node) object {
	s.mu.Lock()
	kept := maps.Clone(n.kept)
	if n.unloaded {
		kept = map[string]any{}
	}
	s.mu.Unlock()
	// What a server on matter.js gives as the last interview is often just now.
	interview := time.Now()
	if s.o.Flavour == Python {
		interview = interview.Add(-50 * time.Hour)
	}
	o := object{{"node_id", n.id}, {"date_commissioned", "2026-03-01T10:00:00.094000"}, {"last_interview", interview.UTC().Format("2006-01-02T15:04:05.000000")},
		{"interview_version", 6}, {"available", s.available(n)}, {"is_bridge", false}, {"attributes", kept}, {"attribute_subscriptions", []any{}}}
	if s.o.Flavour == JS {
		o = append(o, field{"matter_version", "1.6.0"})
	}
	return o
}

// read reads attributes of a node over the air, and keeps what it learns.
func (s *Server) read(ctx context.Context, n *node, q *request, ok func(any) object, fail func(int, string, ...any) object) object {
	var paths []string
	var one string
	switch {
	case json.Unmarshal(q.Args.Path, &one) == nil:
		paths = []string{one}
	case s.o.Schema < 9 || json.Unmarshal(q.Args.Path, &paths) != nil:
		return fail(8, "attribute_path: invalid")
	}
	if s.o.Flavour == Python && !s.available(n) {
		return fail(3, "Node %d is not (yet) available.", n.id)
	}
	s.mu.Lock()
	k := len(s.reads)
	s.reads = append(s.reads, Read{Node: n.id, Network: n.network, From: time.Now()})
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.reads[k].To = time.Now()
		s.mu.Unlock()
	}()
	v, i := s.radio(n)
	if v == nil || !v.Answers(i) || !s.available(n) {
		if wait(ctx, s.o.AbortAfter) != nil {
			return nil
		}
		if s.o.Flavour == Python {
			return fail(7, "CHIP Error 0x00000032: Timeout")
		}
		return fail(0, "Operation aborted")
	}
	took := s.o.ReadTime
	if v.Node(i).Sleepy() {
		took = s.o.SleepyTime
	}
	if wait(ctx, took+v.Delay(i)) != nil {
		return nil
	}
	result := map[string]any{}
	for path, value := range s.attributes(v, i) {
		for _, want := range paths {
			if covers(want, path) {
				result[path] = value
			}
		}
	}
	if len(result) == 0 && s.o.Flavour == JS {
		return fail(7, "Failed to read attribute: no values returned")
	}
	s.mu.Lock()
	maps.Copy(n.kept, result)
	s.mu.Unlock()
	return ok(result)
}

// covers reports whether a path, perhaps with wildcards, means another.
func covers(want, path string) bool {
	a, b := strings.Split(want, "/"), strings.Split(path, "/")
	if len(a) != 3 || len(b) != 3 {
		return false
	}
	for i := range a {
		if a[i] != "*" && a[i] != b[i] {
			return false
		}
	}
	return true
}

// path names an attribute.
func path(endpoint, cluster, attribute int) string {
	return strconv.Itoa(endpoint) + "/" + strconv.Itoa(cluster) + "/" + strconv.Itoa(attribute)
}

// role is the RoutingRoleEnum of node i.
func role(v *mesh.View, i int) int {
	switch r := v.Role(i); {
	case v.Node(i).Sleepy():
		return 2
	case r.Routes() && v.Leader(i).Leader == v.Node(i).RouterID:
		return 6
	case r.Routes():
		return 5
	case v.Node(i).REED:
		return 4
	}
	return 3
}
