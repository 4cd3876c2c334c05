package matterserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"threadmap/diag"
	"threadmap/diag/matterserver/wsdoc"
)

// The pace of one Thread network, and of one server: what matter.js itself
// takes for bearable over a channel that moves a few kilobytes a second.
const (
	atOnce  = 4
	spacing = 100 * time.Millisecond

	// maxReads bounds the reads under way over all networks.
	maxReads = 32
	// maxLanes bounds the networks that are read side by side. A home has a few.
	maxLanes = 16
)

// awake reports whether a node surely listens all the time: it has no ICD
// cluster, and says that it routes, or that it is an end device whose receiver
// is on. A node that says neither may sleep.
func awake(r *diag.Report) bool {
	return !r.ICD.Known() && (r.Role.Routes() || r.Role == diag.RoleREED || r.Role == diag.RoleEndDevice)
}

// toRead reports whether a node is to be read: the server says that it reaches
// it, it has a Thread interface, and it is awake, or the user wants it all the
// same.
func (p *probe) toRead(k *kept) bool {
	r := &k.report
	if !r.Available.Or(false) || k.node.Freshly() == nil {
		return false
	}
	// A border router on Ethernet may show its Thread interface, too.
	if r.Transport != diag.TransportThread && r.Role == diag.RoleUnknown && r.Network.ExtPANID == 0 {
		return false
	}
	return !k.sleeps || p.askSleepy
}

// A tally counts what became of the reads.
type tally struct {
	mu            sync.Mutex
	done, skipped int
	over          *failure // why reads were skipped
}

// readAll reads nodes, network by network.
func (p *probe) readAll(ctx context.Context, nodes []kept) {
	// Those that sleep take long, so they come last.
	slices.SortStableFunc(nodes, func(a, b kept) int {
		switch {
		case a.sleeps == b.sleeps:
			return 0
		case b.sleeps:
			return -1
		}
		return 1
	})
	var order []diag.PANID64
	lanes := map[diag.PANID64][]kept{}
	for _, k := range nodes {
		network := k.report.Network.ExtPANID
		if lanes[network] == nil {
			if len(order) == maxLanes {
				network = order[maxLanes-1]
			} else {
				order = append(order, network)
			}
		}
		lanes[network] = append(lanes[network], k)
	}
	var count tally
	gate := make(chan struct{}, maxReads)
	var all sync.WaitGroup
	for _, network := range order {
		all.Go(func() { p.lane(ctx, lanes[network], gate, &count) })
	}
	all.Wait()
	if count.skipped == 0 { // nobody else looks any more
		return
	}
	f := *count.over
	f.text = fmt.Sprintf("%s: of %d nodes that were to be read %d were not, for them there is only what the server kept", f.text, count.done+count.skipped, count.skipped)
	p.tell(&f, true)
}

// lane reads the nodes of one network at its pace.
func (p *probe) lane(ctx context.Context, nodes []kept, gate chan struct{}, count *tally) {
	slots := make(chan struct{}, atOnce)
	var under sync.WaitGroup
	defer under.Wait()
	for i := range nodes {
		if f := p.enter(ctx, slots, gate, i > 0); f != nil {
			for k := range nodes[i:] {
				p.to.Report(nodes[i+k].report)
			}
			count.skip(f, len(nodes)-i)
			return
		}
		under.Go(func() {
			defer func() { <-gate; <-slots }()
			p.read(ctx, &nodes[i], count)
		})
	}
}

// enter waits until one more read may start, or returns why none will.
func (p *probe) enter(ctx context.Context, slots, gate chan struct{}, pause bool) *failure {
	over := func() *failure {
		if f := p.c.broken(); f != nil && ctx.Err() == nil {
			return f
		}
		return &failure{stage: diag.StageAsk, text: "the time was over"}
	}
	for _, s := range []chan struct{}{slots, gate} {
		select {
		case s <- struct{}{}:
		case <-ctx.Done():
			return over()
		case <-p.c.done:
			return over()
		}
	}
	if !pause {
		return nil
	}
	timer := time.NewTimer(spacing)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
	case <-p.c.done:
	}
	return over()
}

func (t *tally) read() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
}

func (t *tally) skip(f *failure, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = f
	t.skipped += n
}

// read reads one node and tells what the server kept of it, and what it said.
func (p *probe) read(ctx context.Context, k *kept, count *tally) {
	limit := readWithin
	if k.sleeps {
		limit = sleepyWithin
	}
	result, err := p.c.call(ctx, limit, "read_attribute", nodeArgs{Node: k.node.ID, Paths: k.node.Freshly()})
	at := p.now()
	var attributes map[string]json.RawMessage
	if err == nil {
		attributes, err = wsdoc.Attributes(result)
		if err != nil || len(attributes) == 0 {
			err = &failure{stage: diag.StageParse, text: "answered read_attribute with nothing of what was asked"}
		}
	}
	if err == nil {
		count.read()
		p.to.Report(k.report)
		p.fresh(k, &wsdoc.Node{ID: k.node.ID, Available: diag.Some(true), Attributes: attributes}, at)
		return
	}
	f := asFailure(err)
	if f.over || f.refusal != nil && f.refusal.Code == wsdoc.CodeUnknownCommand {
		p.to.Report(k.report)
		count.skip(f, 1)
		return
	}
	count.read()
	p.failed(k, f)
}

// fresh tells what a node said just now.
func (p *probe) fresh(k *kept, n *wsdoc.Node, at time.Time) {
	r, problems := n.Report(p.c.greeting)
	for _, text := range problems {
		p.problem(&failure{stage: diag.StageParse, text: text}, false)
	}
	if r.Transport == diag.TransportUnknown {
		r.Transport = k.report.Transport // which does not change
	}
	p.stamp(&r, at, false)
	p.to.Report(r)
}

// failed tells of a node that was said to be reachable and could not be read.
// What the server keeps of it is told as what it is: the word of a server that
// can't reach the node, unless that sleeps and was just not met awake.
func (p *probe) failed(k *kept, f *failure) {
	g := *f
	g.text = fmt.Sprintf("%s, which the server says it reaches, could not be read: the server %s", label(k), f.text)
	if k.sleeps {
		g.hint = "it sleeps: wake it, and try again at once"
	} else {
		g.hint = "is it on? Servers take some minutes to notice that a node is gone"
		k.report.Available = diag.Some(false)
	}
	p.to.Report(k.report)
	p.tell(&g, !k.sleeps)
}

// label names a node for people.
func label(k *kept) string {
	if len(k.report.Names) > 0 {
		return fmt.Sprintf("node %d (%s)", k.node.ID, strings.Join(strings.Fields(k.report.Names[0].Value), " "))
	}
	return fmt.Sprintf("node %d", k.node.ID)
}
