package dump

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/cluster/wsjson"
)

// maxWrapping is how many objects may stand around the nodes.
const maxWrapping = 5

// A fleet is the nodes of one Matter server.
type fleet struct {
	fabric uint64 // compressed fabric id, 0: not known
	nodes  map[uint64]*serverNode
}

// A serverNode is one node as the server keeps it.
type serverNode struct {
	id         uint64
	available  diag.Opt[bool]
	attributes map[string]json.RawMessage
}

// readNodes reads the nodes of Home Assistant's Matter server in the forms in
// which they are saved: results of get_nodes, start_listening, get_node and
// diagnostics, with or without the envelope of the WebSocket; a bare node or
// array of nodes; the storage file of the Python server, {"nodes":{id:node}};
// diagnostics downloads of Home Assistant. Written from captured answers of a
// matter.js server (schema 13); the Python server's file and the downloads are
// from their sources and field notes, not from a sample.
func readNodes(in *input, out *output) bool {
	if !in.json {
		return false
	}
	f := &fleet{nodes: map[uint64]*serverNode{}}
	if !f.collect(in.body, 0, out) {
		return false
	}
	f.reports(out)
	return true
}

// collect looks for nodes in raw and in the objects around them.
func (f *fleet) collect(raw json.RawMessage, depth int, out *output) (found bool) {
	if depth > maxWrapping {
		return false
	}
	if list, ok := array(raw); ok {
		for _, e := range list {
			if o := object(e); o["node_id"] != nil && o["attributes"] != nil {
				found = f.node(o, out) || found
			}
		}
		return found
	}
	o := object(raw)
	if o["node_id"] != nil && o["attributes"] != nil {
		return f.node(o, out)
	}
	for _, key := range []string{"compressed_fabric_id", "info", "server_info"} {
		v := o[key]
		if key != "compressed_fabric_id" {
			v = object(v)["compressed_fabric_id"]
		}
		if id, ok := exactUint(v); ok {
			f.fabric = id
		}
	}
	for _, key := range []string{"result", "data", "server", "node"} {
		if v := o[key]; v != nil {
			found = f.collect(v, depth+1, out) || found
		}
	}
	nodes := o["nodes"]
	if m := object(nodes); m != nil { // by id
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if n := object(m[key]); n["node_id"] != nil && n["attributes"] != nil {
				found = f.node(n, out) || found
			}
		}
	} else if nodes != nil {
		found = f.collect(nodes, depth+1, out) || found
	}
	return found
}

// node keeps one node, a later one of the same id instead of an earlier.
func (f *fleet) node(o map[string]json.RawMessage, out *output) bool {
	id, ok := exactUint(o["node_id"])
	attrs := object(o["attributes"])
	if !ok || attrs == nil {
		out.problem(sourceMatter, "a node without a node_id that is a number, or without attributes: skipped")
		return false
	}
	if len(f.nodes) >= maxReports && f.nodes[id] == nil {
		out.problem(sourceMatter, "more than %d nodes: the rest is left out", maxReports)
		return true
	}
	n := &serverNode{id: id, attributes: attrs}
	switch string(o["available"]) {
	case "true":
		n.available = diag.Some(true)
	case "false":
		n.available = diag.Some(false)
	}
	f.nodes[id] = n
	return true
}

// reports makes a report of each node, by node id.
func (f *fleet) reports(out *output) {
	nodes := slices.SortedFunc(maps.Values(f.nodes), func(a, b *serverNode) int { return cmp.Compare(a.id, b.id) })
	for _, n := range nodes {
		attrs, problems := wsjson.Attributes(n.attributes)
		r, more := cluster.Report(attrs)
		for _, p := range append(problems, more...) {
			out.problem(sourceMatter, "node %d: %s", n.id, p)
		}
		f.identify(&r, n.id)
		r.Available = n.available
		reportMatter(out, r)
	}
}

// identify adds the id by which the server knows the node. The fabric is that
// of the server; where it was not told, the node's own list of fabrics shows
// it, and else it stays "the answering controller's" (0).
func (f *fleet) identify(r *diag.Report, node uint64) {
	id := diag.MatterID{Fabric: f.fabric, Node: node}
	if slices.ContainsFunc(r.Matter, func(m diag.MatterID) bool {
		return m.Node == node && (id.Fabric == 0 || m.Fabric == id.Fabric)
	}) {
		return
	}
	r.Matter = append(r.Matter, id)
}

// reportMatter keeps a report made of a Matter server's attributes. They are
// as old as the server's last subscription to the node. A server serves nodes
// of several Thread networks, so one session is one network.
func reportMatter(out *output, r diag.Report) {
	r.Source, r.Cached = sourceMatter, true
	if xp := r.Network.ExtPANID; xp != 0 {
		r.Session = out.in.session + " " + xp.String()
	}
	out.report(r)
}

// readAttributes reads the result of read_attribute: attributes of one node
// whose id the answer does not name. Written from a captured answer.
func readAttributes(in *input, out *output) bool {
	if !in.json {
		return false
	}
	o := object(in.body)
	if r := object(o["result"]); r != nil {
		o = r
	}
	if len(o) == 0 {
		return false
	}
	for key := range o {
		if _, err := wsjson.ParsePath(key); err != nil {
			return false
		}
	}
	attrs, problems := wsjson.Attributes(o)
	r, more := cluster.Report(attrs)
	for _, p := range append(problems, more...) {
		out.problem(sourceMatter, "%s", p)
	}
	if len(attrs) == 0 {
		out.refused = errors.New("holds Matter attributes, but none about Thread: read \"0/53/*\" and \"0/51/0\", or save get_nodes")
		return true
	}
	reportMatter(out, r)
	return true
}

// readRefused recognises what a Matter server answers and what makes no map.
//
// The graph of get_network_topology is a conclusion, drawn from the same tables
// as get_nodes shows, but with RLOC16s mixed over networks, stale rows as live
// links, and directions averaged; it could only make a map worse.
func readRefused(in *input, out *output) bool {
	if !in.json {
		return false
	}
	o := object(in.body)
	if code, ok := exactUint(o["error_code"]); ok {
		out.refused = fmt.Errorf("is an error that the Matter server answered (code %d): ask again and save that", code)
		return true
	}
	if o["sdk_version"] != nil && o["schema_version"] != nil && o["nodes"] == nil {
		out.refused = errors.New("is the greeting of a Matter server, which names no nodes: save the answer of \"get_nodes\" too")
		return true
	}
	for _, key := range []string{"result", "data"} {
		if r := object(o[key]); r != nil {
			o = r
		}
	}
	if o["collected_at"] == nil || o["nodes"] == nil || o["connections"] == nil {
		return false
	}
	out.refused = errors.New("is the Matter server's network topology, a finished graph that no longer shows which table said what: save the answer of \"get_nodes\" instead")
	return true
}
