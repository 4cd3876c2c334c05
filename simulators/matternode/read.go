package matternode

import (
	"bytes"
	"slices"

	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// read answers a ReadRequest.
func (t *turn) read(payload []byte) {
	t.n.stats.reads.Add(1)
	r, err := im.ParseReadRequest(payload)
	if err != nil {
		t.status(im.InvalidAction)
		return
	}
	if len(r.Attributes)+len(r.Events) > t.n.o.Quirks.MaxPaths {
		t.status(im.PathsExhausted)
		return
	}
	n := t.n
	n.mu.Lock()
	a := t.asker(r.FabricFiltered)
	attributes, events := n.attributes(a, &r, nil), n.eventsFor(&r, a)
	n.mu.Unlock()
	messages, err := im.EncodeReports(im.ReportOptions{SuppressResponse: true, Chunking: n.o.Quirks.Chunking}, attributes, events)
	if err != nil {
		t.status(im.ResourceExhausted)
		return
	}
	_ = t.report(messages, false) // who asked knows best why it did not listen
}

// attributes are the answers to the paths of a request: each attribute once,
// and of paths without wildcards why there is none. Where only is not nil, just
// the attributes that it names. The lock is held.
func (n *Node) attributes(a *asker, r *im.ReadRequest, only func(im.Path) bool) []im.AttributeReport {
	c := collector{n: n, a: a, only: only, same: map[clusterPath]uint32{}, seen: map[im.Path]bool{}}
	for _, f := range r.DataVersionFilters {
		c.same[clusterPath{f.Endpoint, f.Cluster}] = f.Version
	}
	// What a wildcard says of an attribute goes before what is said of it by
	// name: reading a cluster and one of its attributes gives each once.
	for _, p := range r.Attributes {
		if path, ok := p.Concrete(); ok {
			c.one(path)
		} else {
			c.many(p)
		}
	}
	return c.out
}

type collector struct {
	n    *Node
	a    *asker
	only func(im.Path) bool
	same map[clusterPath]uint32
	seen map[im.Path]bool
	out  []im.AttributeReport
}

// unchanged reports whether the asker has the cluster's data version.
func (c *collector) unchanged(p clusterPath) bool {
	v, ok := c.same[p]
	return ok && v == c.n.version(p)
}

func (c *collector) fails(p im.Path, s im.Status) {
	if c.only == nil {
		c.out = append(c.out, im.AttributeReport{Path: p, Result: im.Result{Status: s}})
	}
}

func (c *collector) put(p im.Path, v value) {
	if c.seen[p] {
		return
	}
	c.seen[p] = true
	r := im.AttributeReport{Path: p}
	if v.data == nil {
		r.Result.Status = v.status
	} else {
		r.Data, r.Version = v.data, im.Some(c.n.version(clusterPath{p.Endpoint, p.Cluster}))
	}
	c.out = append(c.out, r)
}

// one answers a path without wildcards (Core 8.4.3.2).
func (c *collector) one(p im.Path) {
	if c.only != nil && !c.only(p) {
		return
	}
	at := c.n.endpoint(p.Endpoint)
	if at == nil {
		c.fails(p, im.UnsupportedEndpoint)
		return
	}
	s := at.server(p.Cluster)
	switch {
	case s == nil:
		c.fails(p, im.UnsupportedCluster)
		return
	case c.a.privilege < view:
		c.fails(p, im.UnsupportedAccess)
		return
	case c.unchanged(clusterPath{p.Endpoint, p.Cluster}):
		return
	}
	values := c.n.values(at, s, c.a, func(id uint32) bool { return id == p.Attribute })
	i := slices.IndexFunc(values, func(v value) bool { return v.id == p.Attribute })
	switch {
	case i < 0:
		c.fails(p, im.UnsupportedAttribute)
	case values[i].quality&adminOnly != 0 && c.a.privilege < administer:
		c.fails(p, im.UnsupportedAccess)
	default:
		c.put(p, values[i])
	}
}

// many answers a path with wildcards. What the asker may not see is left out.
func (c *collector) many(a im.AttributePath) {
	if c.a.privilege < view {
		return
	}
	for i := range c.n.endpoints {
		at := &c.n.endpoints[i]
		if e, ok := a.Endpoint.Get(); ok && e != at.number || at.number == 0 && a.Flags&im.SkipRootNode != 0 {
			continue
		}
		for _, s := range at.servers {
			if id, ok := a.Cluster.Get(); ok && id != s.id || a.Flags&im.SkipDiagnosticsClusters != 0 && isDiagnostics(s.id) ||
				c.unchanged(clusterPath{at.number, s.id}) {
				continue
			}
			c.cluster(at, s, a)
		}
	}
}

func isDiagnostics(id uint32) bool { return id == generalDiagnostics || id == threadNetworkDiagnostics }

// cluster answers a path with wildcards for one cluster.
func (c *collector) cluster(at *endpoint, s *server, a im.AttributePath) {
	want := func(id uint32) bool {
		p := pathOf(at.number, s.id, id)
		return a.Matches(p) && (c.only == nil || c.only(p))
	}
	values := removeIf(c.n.values(at, s, c.a, want), func(v value) bool {
		return !want(v.id) || v.quality&adminOnly != 0 && c.a.privilege < administer || skipped(v, a.Flags)
	})
	if c.n.o.Quirks.Chunking == im.FirstThenAppend {
		// matter.js sends the lists of a cluster after everything else.
		slices.SortStableFunc(values, func(a, b value) int { return rank(a) - rank(b) })
	}
	for _, v := range values {
		c.put(pathOf(at.number, s.id, v.id), v)
	}
}

// skipped reports whether the flags of a path leave an attribute out.
func skipped(v value, flags uint32) bool {
	switch {
	case flags&im.SkipGlobalAttributes != 0 && im.Listing(v.id),
		flags&im.SkipAttributeList != 0 && v.id == attributeList,
		flags&im.SkipCommandLists != 0 && (v.id == acceptedCommandList || v.id == generatedCommandList),
		flags&im.SkipFixedAttributes != 0 && v.quality&fixed != 0,
		flags&im.SkipChangesOmittedAttributes != 0 && v.quality&changesOmitted != 0:
		return true
	}
	return false
}

// rank is 1 for a list that is not empty.
func rank(v value) int {
	if d := tlv.NewDecoder(v.data); v.data != nil && d.Next() && d.Kind() == tlv.Array && !bytes.Equal(v.data, []byte{0x16, 0x18}) {
		return 1
	}
	return 0
}
