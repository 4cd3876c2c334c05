package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/matter"
	"threadmap/diag/matter/commission"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/sigma"
	"threadmap/discovery"
)

// An ownFabric is threadmap's own Matter fabric: who is on it, and what resumes
// sessions with them. The zero value is one that nobody was paired with.
type ownFabric struct {
	authority *fabric.Authority // nil: there is none yet
	nodes     []state.MatterNode

	mu      sync.Mutex
	records map[uint64]sigma.Record // by node id, from earlier runs
	news    map[uint64]sigma.Record // of this run; the zero Record: the old one is of no use
	settled map[uint64]bool         // of pending nodes: whether they are on the fabric
}

// openFabric reads it. With an error it is what could be read.
func openFabric(store *state.Store) (*ownFabric, error) {
	o := &ownFabric{news: map[uint64]sigma.Record{}, settled: map[uint64]bool{}}
	var err error
	if o.authority, err = store.Fabric(); err != nil || o.authority == nil {
		return o, err
	}
	o.nodes, err = store.Nodes(o.id())
	o.records = store.Sessions(o.id())
	return o, err
}

// fabricIn makes the nodes of the user's fabric, if there are any, be looked for and
// asked in a scan.
func (a *app) fabricIn(store *state.Store, srcs []diag.Source, lan *lan, askSleepy bool) (*ownFabric, []diag.Source) {
	o, err := openFabric(store)
	if !asks(srcs, matter.Name) {
		return o, srcs
	}
	if err != nil {
		a.warn(err)
		a.partial = true
	}
	srcs = o.in(srcs, askSleepy)
	if lan != nil {
		lan.kinds.Names = o.names(srcs)
	}
	return o, srcs
}

// id is the compressed fabric id.
func (o *ownFabric) id() uint64 { return o.authority.Member().CompressedID() }

// instance is the name under which a node announces itself, of the fabric as it
// is.
func (o *ownFabric) instance(node uint64) string { return o.authority.Member().InstanceName(node) }

// in makes the fabric's nodes be asked by the source among others.
func (o *ownFabric) in(srcs []diag.Source, askSleepy bool) []diag.Source {
	return with(srcs, func(s *matter.Source) {
		if o.authority == nil {
			return
		}
		*s = matter.Source{Member: o.authority.Member(), Nodes: o.ids(), Records: matter.Records{Load: o.load, Save: o.save}, AskSleepy: askSleepy, Done: o.done}
	})
}

func (o *ownFabric) ids() []uint64 {
	var out []uint64
	for _, n := range o.nodes {
		out = append(out, n.Node)
	}
	return out
}

// names are the nodes' announcements, to be asked for one by one: some responders
// answer a browse with one of many.
func (o *ownFabric) names(srcs []diag.Source) []discovery.Name {
	var out []discovery.Name
	for _, s := range srcs {
		m, ok := s.(matter.Source)
		if !ok {
			continue
		}
		for _, label := range m.Instances() {
			if n, err := discovery.KindMatter.InstanceName(label); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

func (o *ownFabric) load(node uint64) (sigma.Record, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r, ok := o.news[node]; ok {
		return r, !r.IsZero()
	}
	r, ok := o.records[node]
	return r, ok
}

func (o *ownFabric) save(node uint64, r sigma.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.news[node] = r
}

// done learns of nodes whose pairing was cut short whether they are there.
func (o *ownFabric) done(r matter.Record) {
	i := slices.IndexFunc(o.nodes, func(n state.MatterNode) bool { return n.Node == r.Node && n.Pending })
	if i < 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case r.Stage == diag.StageAsk:
		o.settled[r.Node] = true
	case commission.NotOnFabric(r.Err):
		o.settled[r.Node] = false
	}
}

// keep stores what was learnt, also after Ctrl-C.
func (o *ownFabric) keep(ctx context.Context, store *state.Store) error {
	if o.authority == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	err := store.SaveSessions(ctx, o.id(), o.news)
	for _, n := range o.nodes {
		is, known := o.settled[n.Node]
		switch {
		case !known:
		case is:
			n.Pending = false
			_, e := store.AddNode(ctx, o.id(), n)
			err = cmp.Or(err, e)
		default:
			_, e := store.RemoveNode(ctx, o.id(), n.Node)
			err = cmp.Or(err, e)
		}
	}
	return err
}

// called puts the users' own names of nodes into a scan, of those that it has.
func (o *ownFabric) called(scan *diag.Scan) {
	if o.authority == nil {
		return
	}
	there := map[diag.MatterID]bool{}
	for _, r := range scan.Reports {
		for _, id := range r.Matter {
			there[id] = true
		}
	}
	for _, n := range o.nodes {
		if id := (diag.MatterID{Fabric: o.id(), Node: n.Node}); n.Name != "" && there[id] {
			scan.Reports = append(scan.Reports, diag.Report{Source: matter.Name, Via: "login", At: scan.To, Cached: true,
				Matter: []diag.MatterID{id}, Names: []diag.Name{{Value: n.Name, Kind: diag.NameHome}}})
		}
	}
}

// left says that the fabric was left out of a scan.
func (o *ownFabric) left(asked []diag.Source, quick bool) []diag.SourceState {
	if len(o.nodes) == 0 || asks(asked, matter.Name) {
		return nil
	}
	hint := "left out by --source"
	if quick {
		hint = "left out by --quick"
	}
	return []diag.SourceState{{Name: matter.Name, Via: o.authority.String(), State: diag.StateSkipped, Hint: hint}}
}

// logins are the fabric's nodes as they are listed: a URL that names each.
func (o *ownFabric) logins() []state.Login {
	var out []state.Login
	for _, n := range o.nodes {
		out = append(out, o.login(n))
	}
	return out
}

const matterScheme = matter.Name + "://"

func (o *ownFabric) login(n state.MatterNode) state.Login {
	return state.Login{Source: matter.Name, URL: matterScheme + o.instance(n.Node), Name: o.nameOf(n), Added: n.Added}
}

// nameOf is what a node is called.
func (o *ownFabric) nameOf(n state.MatterNode) string {
	return cmp.Or(n.Name, n.Label, strings.TrimSpace(n.Vendor+" "+n.Product), o.instance(n.Node))
}

// node finds the node that a login is.
func (o *ownFabric) node(l state.Login) (state.MatterNode, bool) {
	for _, n := range o.nodes {
		if l.URL == matterScheme+o.instance(n.Node) {
			return n, true
		}
	}
	return state.MatterNode{}, false
}

// pending reports whether a login is a node whose pairing was cut short.
func (o *ownFabric) pending(l state.Login) bool {
	n, ok := o.node(l)
	return ok && n.Pending
}

// isMatter reports whether a login is a node of the own fabric.
func isMatter(l state.Login) bool {
	return l.Source == matter.Name && strings.HasPrefix(l.URL, matterScheme)
}

// isFabric reports whether what was typed means the fabric and not one node.
func (o *ownFabric) isFabric(query string) bool {
	return strings.EqualFold(query, matter.Name) || o.authority != nil && strings.EqualFold(query, o.authority.String())
}

// hexID is how ids stand in documents.
func hexID(id uint64) *string {
	s := fmt.Sprintf("%016x", id)
	return &s
}
