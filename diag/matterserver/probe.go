package matterserver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/diag/matterserver/wsdoc"
)

// Versions of the API.
const (
	// minSchema is the first where attributes are plain values (February 2023).
	minSchema = 2
	// readSchema is the first where a read may name a whole cluster and several
	// paths (May 2024).
	readSchema = 9
	// routersSchema is the first with the list of border routers.
	routersSchema = 12
)

// A probe is one conversation with one server.
type probe struct {
	to        *diag.Sink
	target    string
	session   string
	askSleepy bool
	now       func() time.Time
	c         *conn
	idle      bool // the server loads no more nodes

	mu   sync.Mutex
	said map[string]bool
}

// run is the conversation. It tells at once whatever it learns; of a node that
// is going to be read, what the server keeps is told when that is over.
func (p *probe) run(ctx context.Context, url string, dial Dialer) {
	c, err := open(ctx, url, dial)
	if err != nil {
		p.problem(err, true)
		return
	}
	defer c.close()
	p.c = c
	if schema, known := c.greeting.Schema.Get(); known && schema < minSchema {
		p.problem(&failure{stage: diag.StageAsk, text: fmt.Sprintf("speaks version %d of its API, which is too old", schema), hint: "update the Matter server"}, true)
		return
	}
	nodes, err := p.nodes(ctx)
	if err != nil {
		p.problem(err, true)
		return
	}
	p.borderRouters(ctx)
	if schema := c.greeting.Schema.Or(readSchema); schema < readSchema && len(nodes) > 0 {
		for i := range nodes {
			p.to.Report(nodes[i].report)
		}
		p.problem(&failure{stage: diag.StageAsk, text: fmt.Sprintf("speaks version %d of its API, which can't read whole tables anew: they are those that it kept", schema),
			hint: "update the Matter server"}, false)
		return
	}
	p.readAll(ctx, nodes)
}

// A kept node is what the server keeps of a node that is to be read.
type kept struct {
	node   wsdoc.Node
	report diag.Report
	sleeps bool
}

// nodes learns what the server keeps of its nodes, tells it, and returns those
// that are to be read, for which it is not told yet.
func (p *probe) nodes(ctx context.Context) ([]kept, error) {
	result, err := p.c.call(ctx, listWithin, "get_nodes", nil)
	if err != nil {
		return nil, err
	}
	at := p.now()
	nodes, problems, err := wsdoc.Nodes(result)
	if err != nil {
		return nil, &failure{stage: diag.StageParse, text: err.Error(), hint: notOne}
	}
	for _, text := range problems {
		p.problem(&failure{stage: diag.StageParse, text: text}, true)
	}
	var out []kept
	tests := 0
	for _, n := range nodes {
		if n.IsTest(p.c.greeting) {
			tests++
			continue
		}
		if len(n.Attributes) == 0 {
			n = p.load(ctx, n)
		}
		r, problems := n.Report(p.c.greeting)
		for _, text := range problems {
			p.problem(&failure{stage: diag.StageParse, text: text}, false)
		}
		p.stamp(&r, at, true)
		k := kept{node: n, report: r, sleeps: !awake(&r)}
		if p.toRead(&k) {
			out = append(out, k)
		} else {
			p.to.Report(r)
		}
	}
	if tests > 0 {
		p.problem(&failure{stage: diag.StageParse, text: fmt.Sprintf("%d of its nodes are test nodes, made from saved diagnostics: left out", tests)}, false)
	}
	return out, nil
}

// load asks for one node that the server has not loaded yet: the one on
// matter.js answers "get_nodes" with an empty node then, and "get_node" once it
// has loaded it. It stays empty where that brings nothing.
func (p *probe) load(ctx context.Context, n wsdoc.Node) wsdoc.Node {
	if p.idle {
		return n
	}
	result, err := p.c.call(ctx, quickWithin, "get_node", nodeArgs{Node: n.ID})
	if err != nil {
		p.idle = true // one wait is enough
		return n
	}
	if again, err := wsdoc.OneNode(result); err == nil && again.ID == n.ID {
		return again
	}
	return n
}

// nodeArgs are the arguments of commands about one node. Node ids are bare
// numbers of 64 bits.
type nodeArgs struct {
	Node  uint64   `json:"node_id"`
	Paths []string `json:"attribute_path,omitempty"`
}

// borderRouters learns what the server heard announced. Servers that have no
// such list are not worth a line.
func (p *probe) borderRouters(ctx context.Context) {
	if p.c.greeting.Schema.Or(0) < routersSchema || p.c.broken() != nil {
		return
	}
	result, err := p.c.call(ctx, quickWithin, "get_thread_border_routers", nil)
	if err != nil {
		if _, refused := codeOf(err); !refused && p.c.broken() == nil && ctx.Err() == nil {
			p.problem(err, true)
		}
		return
	}
	reports, problems, err := wsdoc.BorderRouters(result, p.now())
	if err != nil {
		p.problem(&failure{stage: diag.StageParse, text: err.Error()}, true)
	}
	for _, text := range problems {
		p.problem(&failure{stage: diag.StageParse, text: text}, false)
	}
	for _, r := range reports {
		p.stamp(&r, r.At, true)
		p.to.Report(r)
	}
}

// stamp says whose word a report is. A server serves nodes of several Thread
// networks, so a session is one network of one server; and what it keeps was
// not heard at one time with what is read now.
func (p *probe) stamp(r *diag.Report, at time.Time, cached bool) {
	r.Source, r.Via, r.At, r.Cached = Name, p.target, at, cached
	if xp := r.Network.ExtPANID; xp != 0 {
		r.Session = p.session + " " + xp.String()
		if cached {
			r.Session += " kept"
		}
	}
}

// problem tells a problem, each text once.
func (p *probe) problem(err error, partial bool) {
	f := asFailure(err)
	p.mu.Lock()
	tell := !p.said[f.text] && len(p.said) < 200
	if tell {
		p.said[f.text] = true
	}
	p.mu.Unlock()
	if tell {
		p.tell(f, partial)
	}
}

func (p *probe) tell(f *failure, partial bool) {
	p.to.Problem(diag.Problem{Source: Name, Target: p.target, Stage: f.stage, Text: f.text, Hint: f.hint, Partial: partial})
}
