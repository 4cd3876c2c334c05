package otbr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/diag/otbr/restdoc"
)

// What one task asks of a router. OTBR fetches plain types in one message and
// each of children, childIpv6Addresses and routerNeighbors by a query of its
// own; many types for many routers at once come back with those lists empty. So
// a task has at most nine types (of which OTBR of 2026-08 lost none in a mesh of
// 14), and one runs at a time.
var (
	// mainTypes give identity, partition and the links. They are types that every
	// Thread stack knows: where an asked-for plain type stays out, OTBR waits for
	// it until the task has timed out. childTable tells whether children got lost.
	mainTypes = []string{"extAddress", "rloc16", "route", "leaderData", "ipv6Addresses", "childTable", "children", "childIpv6Addresses", "routerNeighbors"}
	// againTypes are for a router whose lists got lost; route and childTable show
	// whether they did again.
	againTypes = []string{"extAddress", "rloc16", "route", "childTable", "children", "childIpv6Addresses", "routerNeighbors"}
	// moreTypes are worth having, not worth waiting for: older stacks do not know
	// the vendor's types. They hold no table: a later one without details would
	// hide the signal strengths of the first.
	moreTypes = []string{"extAddress", "rloc16", "threadVersion", "vendorName", "vendorModel", "vendorSwVersion"}
	// sharedTypes are asked of one router for all: network data is the same in a
	// whole partition.
	sharedTypes = []string{"extAddress", "rloc16", "mode", "connectivity", "networkData"}
)

// Time limits that the border router is given, and bounds.
const (
	collectTimeout = 30 * time.Second // of the device collection, at most
	collectLeast   = 10 * time.Second // OTBR takes no less
	routerTimeout  = 10 * time.Second // of one router
	bonusTimeout   = 5 * time.Second  // of what is not worth waiting for
	taskSlack      = 3 * time.Second  // how long after its limit a task may take to be over
	maxByRLOC16    = 8                // routers asked by RLOC16 because no address is known
	maxRouters     = diag.MaxRouterID + 1
	maxPages       = 16
	// deviceCount is how many devices OTBR shall look for: as many as it can
	// list. A smaller number would end the search early.
	deviceCount = 200
)

// tasks asks generations 2 and 3. there is false where the border router has
// no such API.
func (p *probe) tasks(ctx context.Context) (there bool) {
	devices, again, there := p.collect(ctx)
	if !there {
		return false
	}
	self := diag.ExtAddr(0)
	if p.node.Role.Routes() { // as a child it would keep us waiting for the tables of a router
		self = ownExt(&p.node)
	}
	asked := map[diag.ExtAddr]bool{}
	p.askAll(ctx, routersOf(devices, self), asked)

	// Routers that the others know and the collection lacks: a second look at
	// the mesh finds most of them, since the first one hears a random part.
	if missing := p.mesh.silent(); len(missing) > 0 && p.mayGoOn(ctx) {
		if again {
			devices, _, _ := p.collect(ctx)
			p.askAll(ctx, routersOf(devices, 0), asked)
		}
		p.askByRLOC16(ctx, p.mesh.silent())
	}
	p.tellFailed(ctx)
	p.tellSilent(ctx)
	p.askMore(ctx, asked)
	return true
}

// mayGoOn reports whether there is time, and a border router that still
// answers.
func (p *probe) mayGoOn(ctx context.Context) bool {
	return ctx.Err() == nil && p.c.mute < maxMute
}

// collectLimit is how long the border router may look for its devices. OTBR of
// 2026-08 waits to the limit for a router that is gone while its table still
// holds it, some minutes long; without one it took 2 s for 14 devices, 6 s on a
// busy computer.
func (p *probe) collectLimit() time.Duration {
	if p.mesh.routers == 0 {
		return collectTimeout
	}
	return min(max(5*time.Second+time.Duration(p.mesh.routers)*time.Second, collectLeast), collectTimeout)
}

// collect has the border router look for its devices, and lists them. Devices
// that it has found are listed even where it gave up. again is false where
// looking once more would end the same way.
func (p *probe) collect(ctx context.Context) (devices []diag.Report, again, there bool) {
	limit, began := p.collectLimit(), time.Now()
	_, err := p.task(ctx, "updateDeviceCollectionTask", map[string]any{
		"maxAge": 30, "timeout": int(limit / time.Second), "maxRetries": 2, "deviceCount": deviceCount}, limit)
	if s := statusOf(err); s == http.StatusNotFound || s == http.StatusMethodNotAllowed {
		return nil, false, false
	}
	// At its limit OTBR says "completed" or "stopped" as chance has it.
	again = err == nil && time.Since(began) < p.c.pace.scale(limit-time.Second)
	if err != nil {
		var f *failure
		stopped := errors.As(err, &f) && f.stopped
		if stopped {
			f.hint = "a router that is gone may keep it waiting: scan again in a few minutes"
		}
		p.problem(fmt.Errorf("looking for devices: %w", err), !stopped) // routers that stay out have lines of their own
	}
	for entries, page := 0, 0; page < maxPages; page++ {
		path := "/api/devices"
		if entries > 0 {
			path += fmt.Sprintf("?page%%5Boffset%%5D=%d", entries)
		}
		body, err := p.c.get(ctx, path, typeJSONAPI, listWithin)
		if err != nil && len(body) == 0 {
			p.problem(err, true)
			return devices, again, true
		}
		d := restdoc.Read(body, p.context())
		if err != nil {
			d.Problems = nil
			p.problem(err, true)
		}
		// OTBR of 2026-08 does not know pages and sends all; a page that
		// brings nothing new ends the list.
		before := len(devices)
		d.Reports = slices.DeleteFunc(d.Reports, func(r diag.Report) bool {
			return slices.ContainsFunc(devices, func(o diag.Report) bool { return ownExt(&o) != 0 && ownExt(&o) == ownExt(&r) })
		})
		p.tell(d)
		devices = append(devices, d.Reports...)
		entries += d.Entries
		if len(devices) == before || !d.Pages || d.Offset+d.Entries >= d.Total || err != nil {
			break
		}
	}
	return devices, again, true
}

// routersOf lists the routers among devices by address, self first.
func routersOf(devices []diag.Report, self diag.ExtAddr) (out []diag.ExtAddr) {
	for _, d := range devices {
		if x := ownExt(&d); x != 0 && x != self && d.Role.Routes() {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b diag.ExtAddr) int { return cmp.Compare(a, b) })
	if self != 0 {
		out = slices.Insert(out, 0, self)
	}
	return slices.Compact(out[:min(len(out), maxRouters)])
}

// askAll asks one router after the other.
func (p *probe) askAll(ctx context.Context, routers []diag.ExtAddr, asked map[diag.ExtAddr]bool) {
	for i, x := range routers {
		if asked[x] {
			continue
		}
		if !p.mayGoOn(ctx) {
			why := "the time was over"
			if ctx.Err() == nil {
				why = "it stopped answering"
			}
			p.problem(&failure{stage: diag.StageAsk, text: fmt.Sprintf("%s before %d of %d routers were asked", why, len(routers)-i, len(routers)), hint: "scan again"}, true)
			return
		}
		asked[x] = true
		d, err := p.ask(ctx, x.String(), mainTypes, routerTimeout)
		p.tell(d)
		if err != nil {
			if statusOf(err) == http.StatusServiceUnavailable {
				p.problem(err, true)
				return
			}
			p.askOnceMore(ctx, x, err)
			continue
		}
		if len(d.Lost) > 0 {
			p.askForLost(ctx, x.String(), d.Lost)
		}
	}
}

// askOnceMore asks a router that failed under its address by its RLOC16, where
// that is known, and keeps why for tellFailed.
func (p *probe) askOnceMore(ctx context.Context, x diag.ExtAddr, why error) {
	for id, ext := range p.mesh.ext {
		if ext != x || p.mesh.answered[id] || !p.mayGoOn(ctx) {
			continue
		}
		if p.askRLOC16(ctx, id) {
			return
		}
	}
	p.failed[x] = why
}

// tellFailed makes a line for each router that failed. One that no route table
// reaches any more is only in the border router's list, where it stays for
// good, so the map lacks nothing.
func (p *probe) tellFailed(ctx context.Context) {
	for _, x := range slices.Sorted(maps.Keys(p.failed)) {
		reached, answered := ctx.Err() != nil, false
		for id, ext := range p.mesh.ext {
			if ext == x {
				reached, answered = reached || len(p.mesh.listed[id]) > 0, answered || p.mesh.answered[id]
			}
		}
		switch err := p.failed[x]; {
		case answered:
			continue
		case reached || len(p.mesh.answered) == 0 || statusOf(err) != 0:
			p.problem(fmt.Errorf("router %v: %w", x, err), true)
		default:
			p.problem(&failure{stage: diag.StageAsk, text: fmt.Sprintf("router %v is in the border router's list, but no route table reaches it and it did not answer: it is probably gone", x)}, false)
		}
		p.mesh.told[x] = true
	}
}

// askForLost asks alone for lists that came back empty although they are not.
func (p *probe) askForLost(ctx context.Context, destination string, lost []restdoc.Loss) {
	if p.mayGoOn(ctx) {
		if d, err := p.ask(ctx, destination, againTypes, routerTimeout); err == nil {
			p.tell(d)
			lost = d.Lost
		}
	}
	p.tellLost(lost)
}

func (p *probe) tellLost(lost []restdoc.Loss) {
	for _, l := range lost {
		p.problem(&failure{stage: diag.StageAsk, text: l.Text, hint: "scan again when the mesh is quiet"}, true)
	}
}

// askByRLOC16 asks routers of which no address is known. What stays silent is
// told by tellSilent.
func (p *probe) askByRLOC16(ctx context.Context, ids []uint8) {
	ids = slices.DeleteFunc(ids, func(id uint8) bool { return p.mesh.tried[id] })
	for _, id := range ids[:min(len(ids), maxByRLOC16)] {
		if !p.mayGoOn(ctx) {
			return
		}
		p.askRLOC16(ctx, id)
	}
}

// askRLOC16 asks a router by its RLOC16. OTBR of 2026-08 does ask it, but ends
// the task without a result, whether the router is there or not: then it is
// not tried on others.
func (p *probe) askRLOC16(ctx context.Context, id uint8) bool {
	p.mesh.tried[id] = true
	if p.noRLOC16 {
		return false
	}
	d, err := p.ask(ctx, diag.RouterRLOC16(id).String(), mainTypes, bonusTimeout)
	p.noRLOC16 = errors.Is(err, errNoResult)
	if err != nil {
		return false
	}
	p.tell(d)
	p.tellLost(d.Lost)
	return true
}

// askMore asks the routers that answered who made them, and the border router
// for the network data. Failing here makes no line: older stacks do not know
// the types, and the map does not need them.
func (p *probe) askMore(ctx context.Context, asked map[diag.ExtAddr]bool) {
	self := ownExt(&p.node)
	var order []diag.ExtAddr
	for id, x := range p.mesh.ext {
		if p.mesh.answered[id] && asked[x] {
			order = append(order, x)
		}
	}
	slices.SortFunc(order, func(a, b diag.ExtAddr) int {
		if (a == self) != (b == self) {
			return map[bool]int{true: -1, false: 1}[a == self]
		}
		return cmp.Compare(a, b)
	})
	failures := 0
	for i, x := range order {
		if !p.mayGoOn(ctx) || failures == 3 {
			return
		}
		if i == 0 {
			if d, err := p.ask(ctx, x.String(), sharedTypes, bonusTimeout); err == nil {
				p.tell(d)
			}
		}
		types := slices.Clone(moreTypes)
		if p.versionName != "" {
			types[2] = p.versionName
		}
		d, err := p.ask(ctx, x.String(), types, bonusTimeout)
		if statusOf(err) == http.StatusUnprocessableEntity && p.versionName == "" {
			// Generation 2 calls it "version".
			p.versionName, types[2] = "version", "version"
			d, err = p.ask(ctx, x.String(), types, bonusTimeout)
		}
		p.tell(d)
		if err != nil {
			failures++
		}
	}
}
