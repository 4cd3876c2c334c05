package homeassistant

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/diag/homeassistant/hadoc"
)

// A probe is one conversation with one Home Assistant.
type probe struct {
	c       *client
	source  Source
	to      *diag.Sink
	hap     map[string]bool // HomeKit accessories that are announced on Thread
	session string
	now     func() time.Time
	s       *socket
	home    home
	rows    registry

	mu   sync.Mutex // the reader of events tells too
	said map[string]bool
}

// run is the conversation. It tells at once whatever it learns.
func (p *probe) run(ctx context.Context) {
	s, err := p.c.connect(ctx)
	if err != nil {
		p.source.refused(p.c.at, err)
		p.problem(err, true)
		return
	}
	defer s.close()
	p.s = s
	if p.home, err = s.home(ctx); err != nil && p.problem(err, true) {
		return
	}
	if !p.home.running {
		p.problem(&failure{stage: diag.StageAsk, text: "is still starting, so integrations may be missing", hint: "scan again in a minute"}, true)
	}
	var enough <-chan time.Time
	if p.routers(ctx) { // they are heard while the rest is asked
		enough = time.After(cmp.Or(p.c.pace.routers, routersWithin))
	}
	p.ask(ctx)
	if enough != nil {
		select {
		case <-enough:
		case <-ctx.Done():
		case <-s.over:
		}
	}
}

// ask asks for all but border routers.
func (p *probe) ask(ctx context.Context) {
	p.credentials(ctx)
	if p.over() {
		return
	}
	if !p.registries(ctx) {
		return
	}
	p.matter(ctx)
}

// over reports whether the conversation has ended, and says so.
func (p *probe) over() bool {
	err := p.s.ended()
	if err != nil {
		p.problem(err, true)
	}
	return err != nil
}

var errNoAdmin = &failure{stage: diag.StageAsk, text: "tells this user, who is no administrator, nothing of border routers and Thread credentials", hint: "log in with a token of an administrator"}

// credentials asks what takes an administrator: Home Assistant's own border
// router, and the credentials of Thread networks.
func (p *probe) credentials(ctx context.Context) {
	admin, known := p.home.admin.Get()
	if known && !admin {
		if p.home.has("thread") || p.home.has("otbr") {
			p.problem(errNoAdmin, false)
		}
		return
	}
	give := p.source.OnDataset
	if give != nil && p.home.has("thread") {
		if err := p.s.datasets(ctx, give, func(err error) { p.problem(err, false) }); err != nil && p.unlessAbsent(err) {
			return
		}
	}
	if p.home.has("otbr") {
		raw, err := p.s.call(ctx, "otbr/info", nil, askingWithin)
		if err != nil {
			p.unlessAbsent(err)
			return
		}
		for _, r := range readOTBRInfo(raw, give) {
			p.tell(r, r.Network.ExtPANID.String())
		}
		clear(raw)
	}
}

// routers begins to hear what border routers Home Assistant hears.
func (p *probe) routers(ctx context.Context) bool {
	if !p.home.has("thread") || !p.home.admin.Or(true) {
		return false
	}
	const most = 4096 // events; every change is one
	n := 0
	_, err := p.s.ask(ctx, "thread/discover_routers", nil, quickWithin, func(raw json.RawMessage) {
		if n++; n > most {
			return
		}
		if r, ok := readRouter(raw); ok {
			p.tell(r, r.Network.ExtPANID.String())
		}
	})
	if err != nil {
		p.unlessAbsent(err)
	}
	return err == nil
}

// registries asks for names and rooms, and tells of the devices.
func (p *probe) registries(ctx context.Context) bool {
	for _, q := range []struct {
		command string
		read    func(json.RawMessage)
		needed  bool // without it nothing of this can be told
	}{
		{"config/device_registry/list", p.rows.readDevices, true},
		{"config/area_registry/list", p.rows.readAreas, false},
		{"config/entity_registry/list", p.rows.readEntities, false},
		{"get_states", p.rows.readStates, false},
	} {
		if q.command == "config/entity_registry/list" && len(p.rows.devices) == 0 || q.command == "get_states" && len(p.rows.entities) == 0 {
			continue
		}
		raw, err := p.s.call(ctx, q.command, nil, registryWithin)
		if err != nil {
			p.problem(err, true)
			if q.needed || asFailure(err).fatal {
				break
			}
			continue
		}
		q.read(raw)
	}
	if p.rows.dropped > 0 {
		p.problem(&failure{stage: diag.StageParse, text: fmt.Sprintf("%d rows of its registries can't be read: left out", p.rows.dropped)}, false)
		p.rows.dropped = 0
	}
	for _, r := range p.rows.reports(p.hap) {
		session := ""
		if len(r.Own) > 0 { // a claim about a radio and no network: a mesh of its own, until others know it
			session = r.Own[0].ExtAddr.String()
		}
		p.tell(r, session)
	}
	return !p.over()
}

// matter asks for what the Matter server holds: by the download, else by the
// nodes of its graph, else device by device.
func (p *probe) matter(ctx context.Context) {
	if !p.home.has("matter") {
		return
	}
	entry, err := p.s.entry(ctx, "matter", "Matter")
	if err != nil {
		p.problem(err, true)
	}
	if entry == "" {
		return
	}
	body, err := p.c.download(ctx, entry)
	if p.readDownload(body, err) {
		return
	}
	refused := asFailure(err).http == http.StatusUnauthorized
	if raw, err := p.s.call(ctx, "matter/network_topology", nil, askingWithin); err == nil {
		for _, r := range p.rows.readGraph(raw) {
			p.tell(r, r.Network.ExtPANID.String())
		}
	} else if !asFailure(err).fatal {
		p.nodes(ctx)
	}
	if !p.home.admin.Or(true) && !refused {
		p.threadDownload(ctx)
	}
}

// readDownload tells what a download of the Matter integration says. done is
// false where it says nothing of any node.
func (p *probe) readDownload(body []byte, err error) (done bool) {
	if len(body) > 0 {
		doc, known := hadoc.Read(body, hadoc.Context{Source: Name, Via: p.c.at.String(), Session: p.session, At: p.now()})
		if !known && err == nil {
			err = &failure{stage: diag.StageParse, text: "answered the diagnostics download with something else", hint: "is this Home Assistant?"}
		}
		for _, r := range doc.Reports {
			p.to.Report(r)
			done = true
		}
		for _, q := range doc.Problems {
			if err == nil || doc.Whole { // that it ends in the middle is said below
				p.problem(&failure{stage: q.Stage, text: q.Text}, !doc.Whole)
			}
		}
		done = done || doc.Matter && doc.Whole && err == nil
	}
	if err != nil { // what this user may not have was not to be expected
		p.problem(err, asFailure(err).http != http.StatusUnauthorized)
	}
	return done
}

// threadDownload asks for the border routers in the way that needs no
// administrator.
func (p *probe) threadDownload(ctx context.Context) {
	if !p.home.has("thread") {
		return
	}
	entry, err := p.s.entry(ctx, "thread", "Thread")
	if err != nil || entry == "" {
		return
	}
	if body, err := p.c.download(ctx, entry); err == nil || len(body) > 0 {
		p.readDownload(body, err)
	}
}

// nodes asks for the Matter nodes one by one, a few at once.
func (p *probe) nodes(ctx context.Context) {
	const atOnce, most = 4, 1000
	gate := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	asked := 0
	for _, d := range p.rows.devices {
		if d.matter.Node == 0 || d.ID == "" || p.s.ended() != nil || ctx.Err() != nil {
			continue
		}
		if asked++; asked > most {
			break
		}
		gate <- struct{}{}
		all.Go(func() {
			defer func() { <-gate }()
			raw, err := p.s.call(ctx, "matter/node_diagnostics", map[string]any{"device_id": string(d.ID)}, askingWithin)
			if err != nil {
				p.unlessAbsent(err)
				return
			}
			if r, ok := readNodeDiagnostics(d, raw); ok {
				p.tell(r, r.Network.Name)
			}
		})
	}
	all.Wait()
}

// tell passes on a report. A session is one network: it is known by what
// network says, "" for a report that speaks of none.
func (p *probe) tell(r diag.Report, network string) {
	r.Source, r.Via, r.At, r.Cached = Name, p.c.at.String(), p.now(), true
	if network != "" {
		r.Session = p.session + " " + network
	}
	p.to.Report(r)
}

// unlessAbsent notes a failure, unless it says that the integration is not there
// or that Home Assistant is too old for the question. It reports whether the
// conversation is over.
func (p *probe) unlessAbsent(err error) (over bool) {
	f := asFailure(err)
	switch {
	case f.absent():
		return false
	case f.code == "unauthorized": // it did not say before whose token it is
		p.problem(errNoAdmin, false)
		return false
	}
	return p.problem(err, true)
}

// problem notes a failure, once. It reports whether the conversation is over.
func (p *probe) problem(err error, partial bool) (over bool) {
	f := asFailure(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	const most = 200
	if !p.said[f.text] && len(p.said) < most {
		p.said[f.text] = true
		p.to.Problem(diag.Problem{Source: Name, Target: p.c.at.String(), Stage: f.stage, Text: f.text, Hint: f.hint, Partial: partial})
	}
	return f.fatal
}
