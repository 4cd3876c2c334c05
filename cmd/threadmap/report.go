package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/tmf"
	"threadmap/diag/tmf/meshcop"
	"threadmap/discovery"
)

const reportText = `Write something down for others to read: a ticket for a whole home, or what its
border routers can do.

Without --border-routers it is the home of the last saved scan, or of FILEs as
"threadmap render" reads them, as one block of Markdown: how the meshes do, where
and when that was seen, the networks, all findings, the map as a tree, who told it,
and what could not be learnt. Nobody is asked.

--redact makes it fit for strangers: names are gone, and addresses, ids, prefixes,
networks, hosts, URLs and the words of errors are pseudonyms or left out. A device
has the same pseudonym in all your redacted reports, and nobody else's. Roles,
links, times, makers, models and versions stay, so what is wrong can be seen.

-o FILE.md writes the ticket there and its picture beside it, FILE.svg. Other
endings are as for "threadmap render"; with --redact FILE.cbor is a redacted scan,
which others can draw themselves.

--border-routers tries every border router that is announced, of the networks of
"threadmap login thread", and writes down what it can do: what it announces of
itself, how far a session with it got, which diagnostics came through it, and
where its limits are. Its maker, model and versions are told; names, ids,
addresses, networks and keys are not. It is the form in which to tell the
project what works with yours.

Each border router is asked in a session of its own, one after the other, as a
scan asks one: some seconds each, some dozens of small messages on its mesh.
Nothing is saved. A credential that is wrong for one border router of a network
is not tried at the next one.

Border routers of which there is no credential are told by what they announce.
With --code the one that shows a one-time code is tried with that.

A session that failed is in the report, too; the exit status is then 3.`

type reportFlags struct {
	look
	lanFlags
	doorFlags
	borders bool
	timeout durationFlag

	redact bool
	output namesFlag
	called aliasFlag
}

// reportLimit bounds a whole report, tryLimit the session with one border router.
const (
	reportLimit = 10 * time.Minute
	tryLimit    = 2 * time.Minute
)

func (a *app) reportCommand() *cobra.Command {
	f := &reportFlags{timeout: durationFlag(reportLimit)}
	c := &cobra.Command{
		Use:   "report [FILE...]",
		Short: "a ticket to paste: the whole home, or what its border routers can do",
		Long:  reportText,
		Example: `  threadmap report --redact
  threadmap report --redact -o ticket.md -o scan.cbor
  threadmap report --border-routers
  threadmap report --border-routers --agent "[fd00::1]:49154" --json`,
	}
	c.Flags().BoolVar(&f.redact, "redact", false, "no names, addresses and ids: pseudonyms of your own")
	reportOutputFlag(c, &f.output)
	f.called.add(c)
	c.Flags().BoolVar(&f.borders, "border-routers", false, "report on border routers")
	f.doorFlags.add(c)
	f.lanFlags.add(c)
	f.jsonFlag(c)
	c.Flags().Var(&f.timeout, "timeout", "end a report on border routers after this time, with what is known")
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		only, of := ofHomes, "the report on a home"
		if !f.borders {
			only, of = ofBorders, "--border-routers"
		}
		if i := slices.IndexFunc(only, c.Flags().Changed); i >= 0 {
			return usage(c, "--%s is for %s", only[i], of)
		}
		if !f.borders {
			return a.reportHome(c, f, args)
		}
		if err := noSecret(c, args); err != nil {
			return err
		}
		return a.reportBorders(c, f)
	})
	return c
}

// ofHomes and ofBorders are the flags that only one kind of report heeds.
var (
	ofHomes   = []string{"redact", "output", "names"}
	ofBorders = []string{"agent", "code", "code-file", "interface", "ask", "timeout"}
)

func (a *app) reportBorders(c *cobra.Command, f *reportFlags) error {
	lan, err := f.lan(c)
	if err != nil {
		return err
	}
	store, err := a.store()
	if err != nil {
		return err
	}
	keys := keyring{}
	if err := keys.fill(store); err != nil {
		if errors.Is(err, state.ErrDamaged) {
			err = fmt.Errorf("%w: log in again, which keeps it aside", err)
		}
		return err
	}
	logins, err := store.Logins()
	if err != nil {
		a.warn(err)
		a.partial = true
	}
	d, named, err := f.doorFlags.open(c, a, keys)
	if err != nil {
		return err
	}
	for _, l := range logins {
		if l.Source == tmf.Name {
			named = append(named, withoutNetworks([]diag.Endpoint{{Source: l.Source, URL: l.URL}}, named)...)
		}
	}
	if f.addressed() && !f.named() {
		lan = nil // it is known where to ask
	}
	ctx, cancel := context.WithTimeout(c.Context(), time.Duration(f.timeout))
	defer cancel()
	heard, services := a.collect(ctx, job{lan: lan, plan: planned(nil, nil), limit: browseLimit + time.Second})
	for _, p := range heard.Problems {
		if p.Partial && len(named) == 0 {
			a.warnOf(p)
			a.partial = true
		}
	}
	t := &trial{app: a, keys: keys, over: map[diag.PANID64]string{}, partition: map[diag.PANID64]string{}}
	if why := t.all(ctx, services, named, d); why != nil {
		a.warn(why)
		a.partial = true
	}
	if len(t.borders) == 0 {
		return fail("no border router is announced: is one on, and on this LAN? --agent HOST:PORT names one that is not announced here")
	}
	doc := t.document(time.Now())
	if f.json {
		if err := a.printJSON(doc); err != nil {
			return err
		}
	} else if err := a.print(func(w io.Writer) error { return doc.markdown(w) }); err != nil {
		return err
	}
	if c.Context().Err() != nil {
		a.hint("Stopped: this is what was known by then.")
	}
	a.hint("Look it over before you send it: the maker's own words for model and versions are quoted as they are.")
	return nil
}

// A trial is the trying of border routers, one after the other.
type trial struct {
	*app
	keys keyring
	// over says of networks why nobody else of them is tried.
	over      map[diag.PANID64]string
	partition map[diag.PANID64]string // names that hide networks
	borders   []border
}

// A border is what is known of one border router.
type border struct {
	agent     meshcop.Agent
	announced bool
	state     discovery.MeshCoP
	with      string // the credential that was tried; "": none
	untried   string // why none was
	record    *tmf.Record
	reports   []diag.Report
}

// all tries those that are announced and those that were named. err says why the
// one that was meant by name or code can't be told.
func (t *trial) all(ctx context.Context, services []discovery.Service, named []diag.Endpoint, d door) error {
	var err error
	if !d.code.IsZero() { // first of all: it grows old
		chosen, u := d.choose(services)
		if u != nil {
			err = u
		} else {
			b := border{agent: chosen, with: "one-time code"}
			for _, s := range services {
				if o := meshcop.Choose([]discovery.Service{s}); len(o) == 1 && !o[0].OneTime && o[0].BorderAgentID == chosen.BorderAgentID && chosen.BorderAgentID != "" {
					b.announced, b.state = true, discovery.ParseMeshCoP(s.TXT)
				}
			}
			t.try(ctx, b, tmf.Source{OneTime: &tmf.OneTime{Code: d.code, Agent: chosen, Address: d.address}}, diag.Known{})
		}
	}
	for _, e := range named {
		b := border{agent: meshcop.Agent{Network: tmf.NetworkOf(e)}, with: "PSKc"}
		t.try(ctx, b, tmf.Source{Credentials: t.keys.find}, diag.Known{Endpoints: []diag.Endpoint{e}})
	}
	type one struct {
		agent   meshcop.Agent
		service discovery.Service
	}
	var announced []one
	for _, s := range services {
		if agents := meshcop.Choose([]discovery.Service{s}); s.Kind == discovery.KindMeshCoP && len(agents) == 1 {
			announced = append(announced, one{agents[0], s})
		}
	}
	if d.name != "" && d.code.IsZero() {
		var all []meshcop.Agent
		for _, o := range announced {
			all = append(all, o.agent)
		}
		fit := findAgents(all, d.name)
		if len(fit) == 0 {
			if _, u := d.choose(services); u != nil {
				err = u
			}
			return err
		}
		announced = slices.DeleteFunc(announced, func(o one) bool {
			return !slices.ContainsFunc(fit, func(a meshcop.Agent) bool { return isAgent(o.service, a) })
		})
	}
	slices.SortStableFunc(announced, func(x, y one) int {
		return cmp.Or(cmp.Compare(x.agent.Network, y.agent.Network), cmp.Compare(x.agent.Instance, y.agent.Instance))
	})
	for _, o := range announced {
		if slices.ContainsFunc(t.borders, func(b border) bool {
			return b.announced && b.agent.BorderAgentID != "" && b.agent.BorderAgentID == o.agent.BorderAgentID
		}) {
			continue // with the code
		}
		b := border{agent: o.agent, announced: true, state: discovery.ParseMeshCoP(o.service.TXT)}
		switch _, has := t.keys.find(o.agent.Network); {
		case o.agent.Closed != "":
			b.untried = o.agent.Closed
		case !has || o.agent.Network == 0:
			b.untried = "no credential of its network"
		case t.over[o.agent.Network] != "":
			b.untried = t.over[o.agent.Network]
		default:
			b.with = "PSKc"
			t.try(ctx, b, tmf.Source{Credentials: t.keys.find}, diag.Known{Services: []discovery.Service{o.service}})
			continue
		}
		t.borders = append(t.borders, b)
	}
	return err
}

// try makes one session and keeps its record.
func (t *trial) try(ctx context.Context, b border, s tmf.Source, known diag.Known) {
	s.Note = t.notes.tell
	s.Done = func(r tmf.Record) { b.record = &r }
	scan, _ := t.collect(ctx, job{plan: func([]discovery.Service) []diag.Probe { return diag.Plan([]diag.Source{s}, known) }, limit: tryLimit})
	b.reports = scan.Reports
	if b.record == nil { // it did not come to a session
		b.with, b.untried = "", "it can't be asked"
		if ctx.Err() != nil {
			b.untried = "the report was stopped before"
		}
	}
	if b.record == nil || b.record.Err != nil {
		t.partial = true
	}
	if b.record != nil {
		if network := networkOf(b); network != 0 {
			b.agent.Network = network
			switch outcome(b.record) {
			case outcomeWrongKey:
				t.over[network] = "the key was wrong for another border router of its network"
			case outcomeTaken:
				t.over[network] = "another commissioner was at work in its network"
			case outcomeJoining:
				t.over[network] = "a device was being added to its network"
			}
		}
	}
	t.borders = append(t.borders, b)
}

// networkOf is the network that was announced, or that the session told of.
func networkOf(b border) diag.PANID64 {
	network := b.agent.Network
	for _, r := range b.reports {
		network = cmp.Or(network, r.Network.ExtPANID)
	}
	return network
}
