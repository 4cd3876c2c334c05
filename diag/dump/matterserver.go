package dump

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/cluster/wsjson"
	"threadmap/diag/matterserver/wsdoc"
)

// maxWrapping is how many objects may stand around the nodes.
const maxWrapping = 5

// A fleet is the nodes of one Matter server.
type fleet struct {
	fabric uint64 // compressed fabric id, 0: not known
	nodes  map[uint64]wsdoc.Node
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
	f := &fleet{nodes: map[uint64]wsdoc.Node{}}
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
			if isNode(object(e)) {
				found = f.node(e, out) || found
			}
		}
		return found
	}
	o := object(raw)
	if isNode(o) {
		return f.node(raw, out)
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
			if isNode(object(m[key])) {
				found = f.node(m[key], out) || found
			}
		}
	} else if nodes != nil {
		found = f.collect(nodes, depth+1, out) || found
	}
	return found
}

func isNode(o map[string]json.RawMessage) bool {
	return o["node_id"] != nil && o["attributes"] != nil
}

// node keeps one node, a later one of the same id instead of an earlier.
func (f *fleet) node(raw json.RawMessage, out *output) bool {
	n, err := wsdoc.OneNode(raw)
	if err != nil {
		out.problem(sourceMatter, "%v: skipped", err)
		return false
	}
	if _, again := f.nodes[n.ID]; !again && len(f.nodes) >= maxReports {
		out.problem(sourceMatter, "more than %d nodes: the rest is left out", maxReports)
		return true
	}
	f.nodes[n.ID] = n
	return true
}

// reports makes a report of each node, by node id. Where the fabric of the
// server was not told, and the node's own list of fabrics does not show it, it
// stays "the answering controller's" (0).
func (f *fleet) reports(out *output) {
	for _, id := range slices.Sorted(maps.Keys(f.nodes)) {
		n := f.nodes[id]
		r, problems := n.Report(wsdoc.Greeting{Fabric: f.fabric})
		for _, p := range problems {
			out.problem(sourceMatter, "%s", p)
		}
		reportMatter(out, r)
	}
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
