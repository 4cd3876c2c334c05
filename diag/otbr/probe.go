package otbr

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/diag/otbr/restdoc"
)

// A pace says how long to wait between looks at a running task, and, in tests,
// by how much all limits are shorter.
type pace struct {
	first, longest time.Duration
	shorter        time.Duration // a divisor
}

func (p pace) orDefault() pace {
	if p.first == 0 {
		// A router that answers does so in 0.1 to 0.5 s.
		return pace{first: 100 * time.Millisecond, longest: time.Second, shorter: 1}
	}
	return p
}

func (p pace) scale(d time.Duration) time.Duration { return d / p.shorter }

// A probe is one conversation with one border router.
type probe struct {
	c    *client
	to   *diag.Sink
	now  func() time.Time
	docs restdoc.Context // what every document of this conversation carries
	mesh *mesh
	node diag.Report // the border router itself
	said map[string]bool

	failed      map[diag.ExtAddr]error // routers that were asked in vain, and why
	noRLOC16    bool                   // this border router has no result for tasks by RLOC16
	listActions bool                   // this border router shows tasks only as a list
	versionName string                 // its name for the Thread version among the types
}

// run is the conversation. It tells at once whatever it learns.
func (p *probe) run(ctx context.Context) {
	generation, ok := p.identify(ctx)
	if !ok {
		return
	}
	p.dataset(ctx)
	// The later generations have no /diagnostics and the first has no tasks, so
	// a wrong guess costs one request.
	first, second := p.tasks, p.legacy
	if generation == 1 {
		first, second = p.legacy, p.tasks
	}
	if first(ctx) || second(ctx) {
		return
	}
	p.problem(&failure{stage: diag.StageAsk, text: "has neither /diagnostics nor /api/actions: nothing but the border router itself is known", hint: "update it, or switch its REST API on"}, true)
}

// identify learns who the border router is. ok is false where nothing more can
// be asked.
func (p *probe) identify(ctx context.Context) (generation int, ok bool) {
	body, err := p.c.get(ctx, "/node", typeJSON, quickWithin)
	if err == nil {
		generation = restdoc.Generation(body)
	}
	switch s := statusOf(err); {
	case err != nil && s == 0:
		p.problem(err, true)
		return 0, false
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		p.problem(err, true)
		return 0, false
	case err == nil:
		d := restdoc.Read(body, p.context())
		if p.tell(d); len(d.Reports) > 0 {
			p.node = d.Reports[0]
		}
	default: // there, but without a /node
		if p.node, ok = p.singleValues(ctx); ok {
			p.to.Report(p.node)
		} else if s != http.StatusNotFound {
			p.problem(err, true)
		}
	}
	if n := p.node.Network; n.ExtPANID != 0 || n.Name != "" {
		p.docs.Network = diag.Network{ExtPANID: n.ExtPANID, Name: n.Name, MeshLocalPrefix: n.MeshLocalPrefix}
	}
	p.mesh.routers = p.node.RouterCount.Or(0)
	if ownExt(&p.node) != 0 && p.node.Role == diag.RoleUnknown {
		p.problem(&failure{stage: diag.StageAsk, text: "its Thread interface is off", hint: "start Thread on it"}, true)
		return generation, false
	}
	return generation, true
}

// singleValues asks for what /node would have told, one value at a time.
func (p *probe) singleValues(ctx context.Context) (r diag.Report, ok bool) {
	c := p.context()
	r = diag.Report{Source: c.Source, Via: c.Via, Session: c.Session, At: c.At, Transport: diag.TransportThread, BorderRouter: diag.Some(true)}
	for _, name := range restdoc.Values {
		body, err := p.c.get(ctx, "/node/"+name, typeJSON, quickWithin)
		if err != nil {
			if statusOf(err) == 0 || name == restdoc.Values[0] {
				return r, ok
			}
			continue
		}
		if err := restdoc.DecodeValue(name, body, &r); err != nil {
			p.problem(&failure{stage: diag.StageParse, text: "/node/" + err.Error()}, true)
			continue
		}
		ok = true
		if name == "state" && r.Role == diag.RoleUnknown {
			return r, ok // switched off: the rest are the stack's defaults
		}
	}
	return r, ok
}

// dataset learns channel, PAN id, mesh-local prefix and active timestamp, which
// nothing else tells. The body holds the network's keys and is overwritten.
func (p *probe) dataset(ctx context.Context) {
	body, err := p.c.get(ctx, "/node/dataset/active", typeJSON, quickWithin)
	defer clear(body)
	if err != nil || len(body) == 0 { // no dataset, or none for us: not worth a line
		return
	}
	d := restdoc.Read(body, p.context())
	if d.Kind != restdoc.KindDataset {
		return
	}
	for _, q := range d.Problems {
		p.tellProblem(q)
	}
	for _, r := range d.Reports {
		// It is the border router that says so.
		r.Own, r.RLOC16, r.BorderAgentID, r.BorderRouter = p.node.Own, p.node.RLOC16, p.node.BorderAgentID, p.node.BorderRouter
		p.to.Report(r)
		if r.Network.MeshLocalPrefix.IsValid() {
			p.docs.Network.MeshLocalPrefix = r.Network.MeshLocalPrefix
		}
	}
}

// legacy asks generation 1. Its answer holds those nodes that replied in time,
// a different part of the mesh each time, so it is asked up to three times.
func (p *probe) legacy(ctx context.Context) (there bool) {
	const path = "/diagnostics"
	for round := range 3 {
		body, err := p.c.get(ctx, path, typeJSON, diagnosticsWithin)
		if s := statusOf(err); s == http.StatusNotFound && round == 0 {
			return false
		}
		got := 0
		if err == nil || len(body) > 0 {
			d := restdoc.Read(body, p.context())
			if err != nil {
				d.Problems = nil // that it ends in the middle is said below
			}
			d.Reports = slices.DeleteFunc(d.Reports, func(r diag.Report) bool { return !p.mesh.first(&r) })
			got = len(d.Reports)
			p.tell(d)
			if err == nil && d.Kind == restdoc.KindUnknown {
				break
			}
		}
		if err != nil && (got == 0 || round == 2) {
			p.problem(err, true)
			break
		}
		if p.mesh.complete() || ctx.Err() != nil {
			break
		}
	}
	p.tellSilent(ctx)
	return true
}

// tellSilent makes a line for each router that others reach and that said
// nothing.
func (p *probe) tellSilent(ctx context.Context) {
	for _, id := range p.mesh.silent() {
		if p.mesh.told[p.mesh.ext[id]] {
			continue
		}
		name := diag.RouterRLOC16(id).String()
		if x := p.mesh.ext[id]; x != 0 {
			name += " " + x.String()
		}
		tables := "1 route table"
		if n := len(p.mesh.listed[id]); n > 1 {
			tables = fmt.Sprintf("%d route tables", n)
		}
		text := fmt.Sprintf("router %s is in %s, but did not answer", name, tables)
		if ctx.Err() != nil {
			text = fmt.Sprintf("router %s is in %s, but the time was over before it answered", name, tables)
		}
		p.problem(&failure{stage: diag.StageAsk, text: text, hint: "scan again; if it stays silent it may be gone"}, true)
	}
}

// context is what the next document carries.
func (p *probe) context() restdoc.Context {
	c := p.docs
	c.At = p.now()
	return c
}

// tell passes on what a document says.
func (p *probe) tell(d restdoc.Document) {
	for i := range d.Reports {
		p.mesh.learn(&d.Reports[i])
		p.to.Report(d.Reports[i])
	}
	for _, q := range d.Problems {
		p.tellProblem(q)
	}
}

func (p *probe) tellProblem(q diag.Problem) {
	if !p.said[q.Text] && len(p.said) < 200 {
		p.said[q.Text] = true
		p.to.Problem(q)
	}
}

func (p *probe) problem(err error, partial bool) {
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{stage: diag.StageAsk}
	}
	p.tellProblem(diag.Problem{Source: Name, Target: p.docs.Via, Stage: f.stage, Text: err.Error(), Hint: f.hint, Partial: partial})
}
