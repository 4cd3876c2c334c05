package wsdoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/cluster/wsjson"
)

// Bounds of what a server may have.
const (
	maxNodes      = 4096
	maxAttributes = 4096 // of one node, those that are looked at
	maxProblems   = 50
)

// Node ids from which on nodes are test nodes: saved diagnostics, often of
// other people's homes, that somebody loaded into the server.
const (
	testNodesPython = 900000
	testNodesJS     = 0xFFFFFFFE00000000
)

// A Node is one node as the server keeps it, or what it has just read of it.
type Node struct {
	ID        uint64
	Available diag.Opt[bool] // the server can reach it now
	// Attributes are those that package cluster reads, by path. Empty where a
	// matter.js server has not loaded the node yet.
	Attributes map[string]json.RawMessage
}

// IsTest reports whether the node is no node, but a saved one.
func (n *Node) IsTest(g Greeting) bool {
	if g.JS() {
		return n.ID >= testNodesJS
	}
	return n.ID >= testNodesPython
}

// Nodes reads the result of "get_nodes". Of a node that comes twice the last
// counts. The second result is one line for each that could not be used.
func Nodes(result json.RawMessage) (nodes []Node, problems []string, err error) {
	at := map[uint64]int{}
	bad := 0
	ok := elements(result, func(raw json.RawMessage) bool {
		n, err := OneNode(raw)
		switch k, again := at[n.ID]; {
		case err != nil:
			if bad++; bad == 1 {
				problems = append(problems, err.Error()+": skipped")
			}
		case again:
			nodes[k] = n
		case len(nodes) == maxNodes:
			problems = append(problems, fmt.Sprintf("more than %d nodes: the rest is left out", maxNodes))
			return false
		default:
			at[n.ID] = len(nodes)
			nodes = append(nodes, n)
		}
		return true
	})
	if !ok {
		return nil, nil, errors.New("a list of nodes was asked for, something else came")
	}
	if bad > 1 {
		problems = append(problems, fmt.Sprintf("%d more such nodes: skipped", bad-1))
	}
	return nodes, problems, nil
}

// OneNode reads the result of "get_node".
//
// Its last_interview is not read: the server on matter.js puts the time of its
// last connection there, or, where it has had none since its start, the time of
// the answer. So nothing tells how old what it keeps of a node is.
func OneNode(result json.RawMessage) (Node, error) {
	var n Node
	var attributes json.RawMessage
	known := false
	members(result, func(key string, v json.RawMessage) bool {
		switch key {
		case "node_id":
			n.ID, known = exactUint(v)
		case "available":
			switch string(v) {
			case "true":
				n.Available = diag.Some(true)
			case "false":
				n.Available = diag.Some(false)
			}
		case "attributes":
			attributes = v
		}
		return true
	})
	if !known {
		return Node{}, errors.New("a node without a node_id that is a number")
	}
	var err error
	if n.Attributes, err = Attributes(attributes); err != nil {
		return Node{}, fmt.Errorf("node %d without attributes", n.ID)
	}
	return n, nil
}

// Attributes reads the result of "read_attribute": values by path, of which
// those are kept that package cluster reads.
func Attributes(result json.RawMessage) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	if !members(result, func(key string, v json.RawMessage) bool {
		if p, err := wsjson.ParsePath(key); err == nil && cluster.Reads(p) {
			out[key] = v
		}
		return len(out) < maxAttributes
	}) {
		return nil, errors.New("attributes were asked for, something else came")
	}
	return out, nil
}

// Report makes a report of what the node's attributes say. The caller adds who
// told it, when, and whether from a cache.
//
// A server knows a node by its id on the server's own fabric.
func (n *Node) Report(g Greeting) (diag.Report, []string) {
	attrs, problems := wsjson.Attributes(n.Attributes)
	r, more := cluster.Report(attrs)
	problems = append(problems, more...)
	if over := len(problems) - maxProblems; over > 0 {
		problems = append(problems[:maxProblems], fmt.Sprintf("%d more values could not be used", over))
	}
	for i, p := range problems {
		problems[i] = fmt.Sprintf("node %d: %s", n.ID, p)
	}
	id := diag.MatterID{Fabric: g.Fabric, Node: n.ID}
	if !slices.ContainsFunc(r.Matter, func(m diag.MatterID) bool {
		return m.Node == id.Node && (id.Fabric == 0 || m.Fabric == id.Fabric)
	}) {
		r.Matter = append(r.Matter, id)
	}
	r.Available = n.Available
	return r, problems
}

// Freshly are the paths by which what changes in a mesh is read of the node
// once more: the cluster of its Thread interface, and of General Diagnostics
// what the node has, since what it lacks would make the server complain. nil: it
// has no such interface.
//
// They are fewer than the nine that a matter.js server puts into one Read.
func (n *Node) Freshly() []string {
	thread, general := -1, -1
	var has []cluster.Path
	for key := range n.Attributes {
		p, err := wsjson.ParsePath(key)
		if err != nil {
			continue
		}
		switch p.Cluster {
		case cluster.ThreadNetworkDiagnostics: // the lowest endpoint, as package cluster takes it
			if thread < 0 || int(p.Endpoint) < thread {
				thread = int(p.Endpoint)
			}
		case cluster.GeneralDiagnostics:
			if general < 0 || int(p.Endpoint) < general {
				general = int(p.Endpoint)
			}
			has = append(has, p)
		}
	}
	if thread < 0 {
		return nil
	}
	out := []string{}
	for _, p := range has {
		if int(p.Endpoint) == general {
			out = append(out, p.String())
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return append([]string{fmt.Sprintf("%d/%d/*", thread, cluster.ThreadNetworkDiagnostics)}, out[:min(len(out), 8)]...)
}
