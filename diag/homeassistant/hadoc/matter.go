package hadoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/cluster/wsjson"
)

// A node is a Matter node of the document.
type node struct {
	id     uint64 // 0: blanked out
	report diag.Report
}

// server reads data.server of a whole Matter integration.
func (r *reading) server(key string, d *json.Decoder) error {
	switch key {
	case "info", "server_info":
		return r.serverInfo(d)
	case "nodes":
		r.doc.Matter = true
		return elements(d, r.node)
	}
	return skip(d)
}

func (r *reading) serverInfo(d *json.Decoder) error {
	r.doc.Matter = true
	var info struct {
		Fabric json.RawMessage `json:"compressed_fabric_id"`
	}
	err := decode(d, &info)
	if id, ok := exactUint(info.Fabric); ok {
		r.fabric = id
	}
	return err
}

// node reads one node. It becomes a report when the document is over: the
// server's fabric may stand behind its nodes.
func (r *reading) node(d *json.Decoder) error {
	var n struct {
		ID         json.RawMessage `json:"node_id"`
		Available  json.RawMessage `json:"available"`
		Attributes json.RawMessage `json:"attributes"`
	}
	if err := decode(d, &n); err != nil {
		return err
	}
	id, ok := exactUint(n.ID)
	name := fmt.Sprintf("node %d", id)
	if !ok || id == 0 {
		id, name = 0, fmt.Sprintf("node %d of the document, whose id is blanked out", len(r.nodes)+1)
	}
	if len(r.nodes) >= maxNodes {
		if len(r.nodes) == maxNodes {
			r.problem("more than %d nodes: the rest is left out", maxNodes)
		}
		return nil
	}
	var raw map[string]json.RawMessage
	if a := bytes.TrimSpace(n.Attributes); len(a) == 0 || a[0] != '{' || json.Unmarshal(a, &raw) != nil {
		r.problem("%s: its attributes are missing or blanked out", name)
	}
	attrs, problems := wsjson.Attributes(raw)
	rep, more := cluster.Report(attrs)
	for _, p := range append(problems, more...) {
		r.problem("%s: %s", name, p)
	}
	switch string(n.Available) {
	case "true":
		rep.Available = diag.Some(true)
	case "false":
		rep.Available = diag.Some(false)
	}
	if id == 0 && len(rep.Own) == 0 && len(rep.Matter) == 0 {
		r.problem("%s: nothing else says which node it is: skipped", name)
		return nil
	}
	if at, again := r.byID[id]; again && id != 0 {
		r.nodes[at].report = rep
		return nil
	}
	r.byID[id] = len(r.nodes)
	r.nodes = append(r.nodes, node{id, rep})
	return nil
}

// finishNodes makes the reports. The fabric is the server's; where it is not
// told, the node's own list of fabrics shows it, and else it stays "the
// answering controller's" (0).
func (r *reading) finishNodes() {
	for _, n := range r.nodes {
		rep := n.report
		id := diag.MatterID{Fabric: r.fabric, Node: n.id}
		if n.id != 0 && !slices.ContainsFunc(rep.Matter, func(m diag.MatterID) bool {
			return m.Node == n.id && (id.Fabric == 0 || m.Fabric == id.Fabric)
		}) {
			rep.Matter = append(rep.Matter, id)
		}
		r.report(rep)
	}
}
