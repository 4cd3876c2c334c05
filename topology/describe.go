package topology

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag"
)

// matterBorderRouter is the Matter device type "Thread Border Router".
const matterBorderRouter = 0x0091

// describe fills in what the nodes' own reports and the rows about them say.
// Reports go from the weakest to the best, so that better ones overwrite.
func (b *builder) describe() {
	borders := b.borderRouters()
	for k, n := range b.nodes {
		addrs := 0
		for _, i := range n.reports {
			addrs += len(b.reps[i].Addresses)
		}
		n.Evidence, n.Addresses = b.proof.take(len(n.reports)+len(n.listedBy)), nil
		if addrs > 0 {
			n.Addresses = b.addrs.take(addrs)
		}
		for _, i := range n.reports {
			b.describeBy(n, i)
		}
		if len(n.Addresses) == 0 {
			n.Addresses = nil
		}
		n.Node.RLOC16 = n.rloc
		if borders[int32(k)] && !n.BorderRouter.Or(false) {
			n.BorderRouter = diag.Some(true)
		}
		slices.SortFunc(n.Addresses, netip.Addr.Compare)
		n.Addresses = slices.Compact(n.Addresses)
		slices.Sort(n.Hosts)
		n.Hosts = slices.Compact(n.Hosts)
		slices.Sort(n.Instances)
		n.Instances = slices.Compact(n.Instances)
		slices.SortFunc(n.Matter, func(a, c diag.MatterID) int {
			return cmp.Or(cmp.Compare(a.Fabric, c.Fabric), cmp.Compare(a.Node, c.Node))
		})
		n.Matter = slices.Compact(n.Matter)
		slices.SortFunc(n.Names, func(a, c NameBy) int {
			return cmp.Or(cmp.Compare(a.Kind, c.Kind), cmp.Compare(a.Value, c.Value), cmp.Compare(a.Source, c.Source))
		})
		n.Names = slices.Compact(n.Names)
		if len(n.Names) > 0 && n.Names[0].Kind <= diag.NameInstance {
			n.Name = n.Names[0].Value
		}
		if n.rlocClash {
			b.keepRLOC16Conflict(int32(k))
		}
	}
	for x := range b.rows {
		w := &b.rows[x]
		n := b.nodes[w.to]
		// Links carry what routers say of each other; a node's own evidence is
		// what it said, who has it as a child, and, while it said nothing itself,
		// whoever heard it.
		if w.kind == childRow || !n.spoke {
			n.Evidence = append(n.Evidence, b.evidence(w.rep, w.kind.String()))
		}
		if w.nb == nil {
			continue
		}
		if n.Transport == diag.TransportUnknown {
			n.Transport = diag.TransportThread
		}
		if !n.Node.ThreadVersion.Known() {
			n.Node.ThreadVersion = w.nb.ThreadVersion
		}
		if !n.Mode.Known() || !n.spoke && w.kind == childRow && n.Parent == b.nodes[w.from].Node {
			if w.nb.Mode.Known() {
				n.Mode = w.nb.Mode
			}
		}
		if !n.spoke && len(w.nb.Addresses) > 0 && (w.kind != childRow || n.Parent == b.nodes[w.from].Node) {
			n.Addresses = append(n.Addresses, w.nb.Addresses...)
			slices.SortFunc(n.Addresses, netip.Addr.Compare)
			n.Addresses = slices.Compact(n.Addresses)
		}
	}
	for _, n := range b.nodes {
		if len(n.Evidence) == 0 {
			n.Evidence = nil
		}
		if len(n.Evidence) < 2 {
			continue
		}
		slices.SortFunc(n.Evidence, compareEvidence)
		n.Evidence = slices.Compact(n.Evidence)
	}
}

func (b *builder) describeBy(n *node, i int32) {
	r, s := b.reps[i], &b.said[i]
	set(&n.BorderAgentID, r.BorderAgentID)
	set(&n.Room, r.Room)
	set(&n.Vendor, r.Vendor)
	set(&n.Product, r.Product)
	set(&n.Firmware, r.Firmware)
	if r.Transport != diag.TransportUnknown {
		n.Transport = r.Transport
	} else if s.thread {
		n.Transport = diag.TransportThread
	}
	setOpt(&n.Node.ThreadVersion, r.ThreadVersion)
	setOpt(&n.Mode, r.Mode)
	mergeICD(&n.ICD, r.ICD)
	setOpt(&n.Battery, r.BatteryPercent)
	switch {
	case r.BorderRouter.Known():
		n.BorderRouter = r.BorderRouter
	case r.BorderAgentID != "" || r.BorderAgent.Known() || slices.Contains(r.DeviceTypes, matterBorderRouter):
		n.BorderRouter = diag.Some(true)
	}
	if s.part.Known() {
		n.Partition = s.part
	}
	if b.newestEpoch(n, i) {
		n.Addresses = append(n.Addresses, r.Addresses...)
	}
	n.Hosts = append(n.Hosts, r.Hosts...)
	n.Instances = append(n.Instances, r.Instances...)
	n.Matter = append(n.Matter, r.Matter...)
	for _, name := range r.Names {
		n.Names = append(n.Names, NameBy{name.Value, name.Kind, r.Source})
	}
	if len(s.conflicts) > 0 {
		c := Conflict{About: "ext_addr", Claims: slices.Clone(s.conflicts)}
		for j := range c.Claims {
			c.Claims[j].Evidence.By = n.ID
		}
		n.Conflicts = append(n.Conflicts, c)
	}
	n.Evidence = append(n.Evidence, b.evidence(i, "report"))
}

// newestEpoch reports whether report i is of the newest epoch in which n spoke:
// addresses of older ones are gone.
func (b *builder) newestEpoch(n *node, i int32) bool {
	return b.said[i].start == b.said[n.reports[len(n.reports)-1]].start
}

// borderRouters are the nodes whose RLOC16 stands in live network data.
func (b *builder) borderRouters() map[int32]bool {
	out := map[int32]bool{}
	for _, at := range b.borders {
		if k := b.nodeAt(at.place, at.rloc16); k >= 0 {
			out[k] = true
		}
	}
	return out
}

// keepRLOC16Conflict gathers the different RLOC16s that are claimed for a node.
func (b *builder) keepRLOC16Conflict(k int32) {
	n := b.nodes[k]
	var claims []Claim
	for _, i := range n.reports {
		if rl := b.said[i].rloc16; rl.Known() {
			claims = append(claims, Claim{rl.String(), b.evidence(i, "own RLOC16")})
		}
	}
	for x := range b.rows {
		if w := &b.rows[x]; w.to == k {
			rl := diag.RLOC16{}
			if w.nb != nil {
				rl = w.nb.RLOC16
			} else if w.rt.ExtAddr != 0 {
				rl = diag.RouterRLOC16(w.rt.RouterID)
			}
			if rl.Known() {
				claims = append(claims, Claim{rl.String(), b.evidence(w.rep, w.kind.String())})
			}
		}
	}
	believed := n.rloc.String()
	slices.SortFunc(claims, func(p, q Claim) int {
		return cmp.Or(compareBool(q.Value == believed, p.Value == believed), cmp.Compare(p.Value, q.Value), compareEvidence(p.Evidence, q.Evidence))
	})
	claims = slices.CompactFunc(claims, func(p, q Claim) bool { return p.Value == q.Value })
	if len(claims) > 1 {
		n.Conflicts = append(n.Conflicts, Conflict{"rloc16", claims})
	}
}

func set(to *string, v string) {
	if v != "" {
		*to = v
	}
}

func setOpt[T any](to *diag.Opt[T], v diag.Opt[T]) {
	if v.Known() {
		*to = v
	}
}

// mergeICD takes what is said of how a node sleeps, field by field: an
// announcement has the session's intervals, the node's own attributes have the
// rest.
func mergeICD(to *diag.Opt[diag.ICD], v diag.Opt[diag.ICD]) {
	icd, known := v.Get()
	if !known {
		return
	}
	all, _ := to.Get()
	setOpt(&all.LIT, icd.LIT)
	setOpt(&all.IdleModeDuration, icd.IdleModeDuration)
	setOpt(&all.ActiveModeDuration, icd.ActiveModeDuration)
	setOpt(&all.ActiveModeThreshold, icd.ActiveModeThreshold)
	setOpt(&all.CheckIn, icd.CheckIn)
	setOpt(&all.FeatureMap, icd.FeatureMap)
	setOpt(&all.RegisteredClients, icd.RegisteredClients)
	setOpt(&all.UserActiveModeTriggerHint, icd.UserActiveModeTriggerHint)
	set(&all.UserActiveModeTriggerInstruction, icd.UserActiveModeTriggerInstruction)
	setOpt(&all.SessionIdleInterval, icd.SessionIdleInterval)
	setOpt(&all.SessionActiveInterval, icd.SessionActiveInterval)
	setOpt(&all.SessionActiveThreshold, icd.SessionActiveThreshold)
	*to = diag.Some(all)
}

// networkID is the ID of the network with that scope key: its extended PAN id,
// else its mesh-local prefix, else a short digest of who heard it.
func networkID(key string) string {
	if p, ok := strings.CutPrefix(key, prefixKey); ok {
		b := netip.MustParsePrefix(p).Addr().As16()
		return fmt.Sprintf("ml-%x", b[:8])
	}
	if strings.HasPrefix(key, heardKey) {
		h := fnv.New32a()
		h.Write([]byte(key))
		return fmt.Sprintf("mesh-%08x", h.Sum32())
	}
	return key
}
