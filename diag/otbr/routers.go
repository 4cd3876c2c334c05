package otbr

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/diag/otbr/restdoc"
)

// fewWithin is the deadline of asking a few routers of one border router.
const fewWithin = 85 * time.Second

// maxTables bounds the border routers whose routers a watch remembers.
const maxTables = 16

// Routers is a func that asks a few routers, by RLOC16, for their children and
// routes; without any it asks the border router's own node. It is for one who
// watches one device's parent, not for a map. It remembers from call to call
// which address a router has: that is what generations 2 and 3 of the API find
// it by.
//
// What a call costs the mesh: generations 2 and 3 run one task a router, which
// is one request and up to three queries, and a second one where lists got
// lost; nothing looks for devices. Generation 1 can't ask anybody alone: it
// multicasts one question to all routers, once a call.
func (s Source) Routers(k diag.Known) func(ctx context.Context, routers []diag.RLOC16) ([]diag.Report, []diag.Problem) {
	var mu sync.Mutex
	known := map[string]*mesh{} // by border router
	return func(ctx context.Context, routers []diag.RLOC16) ([]diag.Report, []diag.Problem) {
		var ids []uint8
		for _, r := range routers {
			if id, _ := r.RouterID(); r.IsRouter() && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 && len(routers) > 0 {
			return nil, nil // children only: they are not asked
		}
		probes := diag.Plan([]diag.Source{s}, k)
		for i, p := range probes {
			at, err := rest.Parse(p.Target)
			if err != nil {
				continue // a complaint, which tells its own
			}
			for _, e := range k.Endpoints { // with its user info, which targets have not
				if full, err := rest.Parse(e.URL); e.Source == Name && err == nil && full.String() == at.String() {
					at = full
				}
			}
			probes[i].Within = fewWithin
			probes[i].Run = func(ctx context.Context, to *diag.Sink) {
				c, done := newClient(s.HTTP, at, s.pace)
				defer done()
				f := probe{c: c, to: to, said: map[string]bool{}, failed: map[diag.ExtAddr]error{}, mesh: newMesh(),
					docs: restdoc.Context{Source: Name, Via: at.String(), Session: "otbr-" + strings.ToLower(rand.Text()[:16])}, now: s.Now}
				if f.now == nil {
					f.now = time.Now
				}
				mu.Lock()
				if old := known[at.String()]; old != nil {
					f.mesh.ext = old.ext
				}
				if len(known) < maxTables || known[at.String()] != nil {
					known[at.String()] = f.mesh
				}
				mu.Unlock()
				f.few(ctx, ids)
			}
		}
		return diag.Collect(ctx, probes, nil)
	}
}

// few asks a few routers and nobody else.
func (p *probe) few(ctx context.Context, ids []uint8) {
	generation, ok := p.identify(ctx)
	if !ok {
		return
	}
	if self, x := p.node.RLOC16, ownExt(&p.node); self.IsRouter() && x != 0 {
		id, _ := self.RouterID()
		p.mesh.ext[id] = x
		if len(ids) == 0 {
			ids = []uint8{id}
		}
	}
	if generation == 1 && p.fewLegacy(ctx, ids) {
		return
	}
	there := p.fewTasks(ctx, ids)
	if !there && (generation == 1 || !p.fewLegacy(ctx, ids)) {
		p.problem(&failure{stage: diag.StageAsk, text: "has neither /diagnostics nor /api/actions: its routers can't be asked", hint: "update it, or switch its REST API on"}, true)
	}
}

// fewLegacy asks generation 1, once. Its answer is of all routers that replied
// in time; that one of those asked did not is no proof that it is silent.
func (p *probe) fewLegacy(ctx context.Context, ids []uint8) (there bool) {
	body, err := p.c.get(ctx, "/diagnostics", typeJSON, diagnosticsWithin)
	if statusOf(err) == 404 {
		return false
	}
	if err != nil {
		p.problem(err, true)
	}
	if len(body) == 0 {
		return true
	}
	d := restdoc.Read(body, p.context())
	if err != nil {
		d.Problems = nil // that it ends in the middle is said above
	}
	p.tell(d)
	return true
}

// fewTasks asks generations 2 and 3: each router by its address, in one task.
// there is false where the border router has no tasks.
func (p *probe) fewTasks(ctx context.Context, ids []uint8) (there bool) {
	for _, id := range ids {
		if !p.mayGoOn(ctx) {
			return true
		}
		x := p.mesh.ext[id]
		if x == 0 {
			p.findAddress(ctx, id)
			x = p.mesh.ext[id]
		}
		name := diag.RouterRLOC16(id).String()
		if x == 0 {
			if !p.askRLOC16(ctx, id) {
				p.problem(&failure{stage: diag.StageAsk, text: "router " + name + " can't be asked: this border router finds it only by its address, which nobody told",
					hint: "log in to the Thread network: threadmap login thread"}, false)
			}
			continue
		}
		if p.mesh.answered[id] { // while addresses were looked for
			continue
		}
		d, err := p.ask(ctx, x.String(), mainTypes, routerTimeout)
		switch s := statusOf(err); {
		case s == 404 || s == 405:
			return false
		case err != nil && s != 0:
			p.problem(err, true)
			return true
		}
		p.tell(d)
		switch {
		case len(d.Lost) > 0:
			p.askForLost(ctx, x.String(), d.Lost)
		case err != nil && len(d.Reports) == 0 && ctx.Err() == nil && p.c.mute == 0:
			delete(p.mesh.ext, id) // another router may have its RLOC16 by now
			p.problem(&failure{stage: diag.StageAsk, text: "router " + name + " " + x.String() + " did not answer", hint: "it may be gone"}, true)
		case err != nil:
			p.problem(err, true)
		}
	}
	return true
}

// findAddress learns the address of a router: the border router's own tables
// have those of its neighbors; else routers are asked that the border router
// has listed before, a few in a call, each of which tells its RLOC16.
func (p *probe) findAddress(ctx context.Context, id uint8) {
	if self, x := p.node.RLOC16, ownExt(&p.node); self.IsRouter() && x != 0 && !p.mesh.told[x] {
		p.mesh.told[x] = true
		if d, err := p.ask(ctx, x.String(), mainTypes, routerTimeout); err == nil {
			p.tell(d)
		}
	}
	if p.mesh.ext[id] != 0 || !p.mayGoOn(ctx) {
		return
	}
	body, err := p.c.get(ctx, "/api/devices", typeJSONAPI, listWithin)
	if err != nil {
		return
	}
	for _, x := range routersOf(restdoc.Read(body, p.context()).Reports, 0) {
		if p.mesh.ext[id] != 0 || len(p.failed) >= maxByRLOC16 || !p.mayGoOn(ctx) {
			return
		}
		if p.mesh.told[x] || slices.Contains(slices.Collect(maps.Values(p.mesh.ext)), x) {
			continue
		}
		p.mesh.told[x] = true
		d, err := p.ask(ctx, x.String(), mainTypes, routerTimeout)
		p.failed[x] = err // counts them
		p.tell(d)
	}
}
