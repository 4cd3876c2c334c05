package dump

import (
	"bytes"
	"encoding/json"

	"threadmap/diag/matter/cluster/wsjson"
	"threadmap/diag/matterserver/wsdoc"
)

// readMessages reads what a WebSocket client of a Matter server wrote down, one
// message a line: answers with nodes, and the events that follow
// start_listening. A later message replaces what an earlier one said. Written
// from captured events of a matter.js server.
func readMessages(in *input, out *output) bool {
	if bytes.IndexByte(in.body, '\n') < 0 && !in.json {
		return false
	}
	f := &fleet{nodes: map[uint64]wsdoc.Node{}}
	known, bad, firstBad, n := false, 0, 0, 0
	for rest := in.body; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if line[0] != '{' || !json.Valid(line) {
			if !known { // no such file, or one that begins with something else
				return false
			}
			if bad++; bad == 1 {
				firstBad = n
			}
			continue
		}
		known = f.message(line, out) || known
	}
	if !known {
		return false
	}
	if bad > 0 {
		out.problem(sourceMatter, "%d lines are no messages, the first is line %d: skipped", bad, firstBad)
	}
	f.reports(out)
	return true
}

// message takes in one message. It reports whether it is one of a Matter server.
func (f *fleet) message(line []byte, out *output) bool {
	o := object(line)
	switch event := jsonString(o["event"], 64); event {
	case "":
		return f.collect(line, 0, out)
	case "attribute_updated": // [node_id, path, value]
		data, ok := array(o["data"])
		if !ok || len(data) != 3 {
			return false
		}
		id, ok := exactUint(data[0])
		path := jsonString(data[1], 40)
		if _, err := wsjson.ParsePath(path); err != nil || !ok {
			return false
		}
		n, known := f.nodes[id]
		if !known {
			if len(f.nodes) >= maxReports {
				return true
			}
			n = wsdoc.Node{ID: id, Attributes: map[string]json.RawMessage{}}
			f.nodes[id] = n
		}
		n.Attributes[path] = data[2]
		return true
	case "node_added", "node_updated":
		return isNode(object(o["data"])) && f.node(o["data"], out)
	case "node_removed":
		if id, ok := exactUint(o["data"]); ok {
			delete(f.nodes, id)
		}
		return true
	case "server_info_updated", "node_event", "endpoint_added", "endpoint_removed", "server_shutdown",
		"thread_diagnostics_updated", "network_topology_updated":
		return true
	}
	return false
}
