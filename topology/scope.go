package topology

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag"
)

// scopes finds out which Thread network each report speaks of.
//
// The extended PAN id says it. A report without one is in the network of its
// session, then in the one that has its mesh-local prefix, then in the one whose
// off-mesh-routable prefix its addresses have, then, with all else
// that shares its scope, in the one network whose nodes it knows by extended
// address: a radio is in one Thread network at a time. One that only names its
// node (a registration) and fits none of these is in no network that is known.
func (b *builder) scopes() {
	type sess struct {
		xp  unique[diag.PANID64]
		mlp unique[netip.Prefix]
	}
	numbers := map[string]int32{}
	sessions := make([]sess, 1) // by number
	prefixXP := map[netip.Prefix]*unique[diag.PANID64]{}
	mlps := make([]netip.Prefix, len(b.reps))
	xps := make([]diag.PANID64, len(b.reps))
	for i, r := range b.reps {
		s := &b.said[i]
		s.note(r)
		if r.Session != "" {
			k, ok := numbers[r.Session]
			if !ok {
				k = int32(len(numbers) + 1)
				numbers[r.Session] = k
				sessions = append(sessions, sess{})
			}
			s.session = k
		}
		s.scope, s.thread = -1, speaksOfThread(r)
		if !s.thread {
			continue
		}
		xps[i] = r.Network.ExtPANID
		mlps[i] = r.Network.MeshLocalPrefix
		if !mlps[i].IsValid() {
			mlps[i], _ = diag.MeshLocalPrefix(r.Addresses)
		}
		if s.session != 0 {
			u := &sessions[s.session]
			u.xp.add(xps[i], xps[i] != 0)
			u.mlp.add(mlps[i], mlps[i].IsValid())
		}
	}
	for i := range b.said { // what the session says goes for each of its reports
		if u := &sessions[b.said[i].session]; b.said[i].thread {
			if xps[i] == 0 {
				xps[i], _ = u.xp.get()
			}
			if !mlps[i].IsValid() {
				mlps[i], _ = u.mlp.get()
			}
		}
		if xps[i] != 0 && mlps[i].IsValid() {
			u := prefixXP[mlps[i]]
			if u == nil {
				u = &unique[diag.PANID64]{}
				prefixXP[mlps[i]] = u
			}
			u.add(xps[i], true)
		}
	}
	for i := range b.reps {
		if b.said[i].thread && xps[i] == 0 {
			if u := prefixXP[mlps[i]]; u != nil {
				xps[i], _ = u.get()
			}
		}
	}
	b.adoptByOMR(xps, mlps)
	index := map[string]int32{}
	byXP := map[diag.PANID64]int32{}
	named := []bool{} // scope has an extended PAN id
	for i, r := range b.reps {
		s := &b.said[i]
		if !s.thread {
			continue
		}
		if k, ok := byXP[xps[i]]; ok && xps[i] != 0 {
			s.scope = k
			continue
		}
		key := ""
		switch {
		case xps[i] != 0:
			key = xps[i].String()
			byXP[xps[i]] = int32(len(b.scopeKeys))
		case mlps[i].IsValid():
			key = prefixKey + mlps[i].String()
		case r.Session != "":
			key = heardKey + r.Source + " " + r.Via + " " + r.Session
		case s.reg && s.own != 0:
			key = aloneKey + s.own.String()
		case s.reg:
			s.scope = -1
			continue
		default:
			key = heardKey + r.Source + " " + r.Via
		}
		k, ok := index[key]
		if !ok {
			k = int32(len(b.scopeKeys))
			index[key] = k
			b.scopeKeys = append(b.scopeKeys, key)
			named = append(named, xps[i] != 0)
		}
		s.scope = k
	}
	b.adoptUnnamed(named)
}

// Scope keys of networks whose extended PAN id nobody told begin with one of these.
const (
	prefixKey = "prefix "
	heardKey  = "heard by "
	// aloneKey is of a registration: it is no network, only a radio that may turn
	// out to be in one. It sorts last, so that the others' keys are kept.
	aloneKey = "~alone "
)

// omrBits is the length of an off-mesh-routable prefix. Whoever announces a
// shorter one would claim others' nodes.
const omrBits = 64

// adoptByOMR finds the network of reports that name neither it nor its
// mesh-local prefix: the only one that has the prefix of their addresses. A node
// whose addresses have prefixes of several networks stays without one.
func (b *builder) adoptByOMR(xps []diag.PANID64, mlps []netip.Prefix) {
	var omr map[netip.Prefix]*unique[diag.PANID64]
	for i, r := range b.reps {
		if xps[i] == 0 {
			continue
		}
		for _, p := range r.Network.OMRPrefixes {
			if p.Bits() != omrBits || !p.Addr().Is6() {
				continue
			}
			if omr == nil {
				omr = map[netip.Prefix]*unique[diag.PANID64]{}
			}
			u := omr[p.Masked()]
			if u == nil {
				u = &unique[diag.PANID64]{}
				omr[p.Masked()] = u
			}
			u.add(xps[i], true)
		}
	}
	if omr == nil {
		return
	}
	for i, r := range b.reps {
		if !b.said[i].thread || xps[i] != 0 || mlps[i].IsValid() || r.Session != "" {
			continue
		}
		var in unique[diag.PANID64]
		torn := false
		for _, a := range r.Addresses {
			if !namesNode(a) {
				continue
			}
			p, err := a.WithZone("").Prefix(omrBits)
			if u := omr[p]; err == nil && u != nil {
				x, ok := u.get()
				in.add(x, ok)
				torn = torn || !ok
			}
		}
		if x, ok := in.get(); ok && !torn {
			xps[i] = x
		}
	}
}

// registration reports whether a report does no more than name its node and its
// addresses: what a name service still has of a node that registered there, or a
// home system of a device that somebody added once, be the node up or not.
func registration(r *diag.Report) bool {
	return r.Role == diag.RoleUnknown && !r.RLOC16.Known() && !r.Mode.Known() && r.Network.IsZero() && r.Leader.IsZero() && r.BorderAgentID == "" &&
		!r.BorderAgent.Known() && r.Children == nil && r.Neighbors == nil && r.Routes == nil && !r.Available.Known() && r.EUI64 == 0 &&
		!r.UpTime.Known() && !r.RebootCount.Known() && (len(r.Hosts)+len(r.Instances) > 0 || inRegistry(r)) &&
		!slices.ContainsFunc(r.Own, func(c diag.AddrClaim) bool { return c.Witness != diag.WitnessHost })
}

// inRegistry reports whether a report has its node from a home system's list of
// devices: it says who that is to people, and to Matter or HomeKit.
func inRegistry(r *diag.Report) bool {
	return len(r.Hosts)+len(r.Instances)+len(r.Addresses) == 0 && (len(r.Matter) > 0 || r.HAPID != "") && r.Cached
}

// adoptUnnamed puts scopes without an extended PAN id into the one named
// network that knows their radios, or joins them with each other when they
// know the same radio.
func (b *builder) adoptUnnamed(named []bool) {
	if !slices.Contains(named, false) {
		return
	}
	radios := map[diag.ExtAddr][]int32{} // who knows this radio
	for i, r := range b.reps {
		sc := b.said[i].scope
		if sc < 0 {
			continue
		}
		add := func(x diag.ExtAddr) {
			if x != 0 && !slices.Contains(radios[x], sc) {
				radios[x] = append(radios[x], sc)
			}
		}
		add(b.said[i].own)
		for j := range r.Children {
			add(r.Children[j].ExtAddr)
		}
		for j := range r.Neighbors {
			add(r.Neighbors[j].ExtAddr)
		}
		for j := range r.Routes {
			add(r.Routes[j].ExtAddr)
		}
	}
	to := make([]int32, len(named)) // union-find
	for i := range to {
		to[i] = int32(i)
	}
	find := func(i int32) int32 {
		for to[i] != i {
			to[i] = to[to[i]]
			i = to[i]
		}
		return i
	}
	for _, who := range radios { // unnamed with unnamed; the smaller key is kept
		last := int32(-1)
		for _, sc := range who {
			if named[sc] {
				continue
			}
			if last >= 0 {
				p, q := find(last), find(sc)
				if b.scopeKeys[p] > b.scopeKeys[q] {
					p, q = q, p
				}
				to[q] = p
			}
			last = sc
		}
	}
	hosts := map[int32]*unique[int32]{} // unnamed root -> named scope
	for _, who := range radios {
		for _, un := range who {
			if named[un] {
				continue
			}
			for _, na := range who {
				if named[na] {
					u := hosts[find(un)]
					if u == nil {
						u = &unique[int32]{}
						hosts[find(un)] = u
					}
					u.add(na, true)
				}
			}
		}
	}
	for root, u := range hosts {
		if na, ok := u.get(); ok {
			to[root] = na
		}
	}
	for i := range b.said {
		if s := &b.said[i]; s.scope >= 0 {
			s.scope = find(s.scope)
			if strings.HasPrefix(b.scopeKeys[s.scope], aloneKey) {
				s.scope = -1
			}
		}
	}
}

// speaksOfThread reports whether r is about a Thread radio.
func speaksOfThread(r *diag.Report) bool {
	switch r.Transport {
	case diag.TransportThread:
		return true
	case diag.TransportWiFi, diag.TransportEthernet:
		return r.RLOC16.Known() || len(r.Routes) > 0 || len(r.Children) > 0 || len(r.Neighbors) > 0
	}
	return r.RLOC16.Known() || r.Routes != nil || r.Children != nil || r.Neighbors != nil || r.Network.ExtPANID != 0 ||
		r.Network.MeshLocalPrefix.IsValid() || r.Mode.Known() || r.Role != diag.RoleUnknown || r.BorderAgentID != "" ||
		len(r.Own) > 0
}

// epochs cuts each scope's reports where nobody was heard for longer than
// epochGap. Reports without a time are an epoch of their own, the oldest.
func (b *builder) epochs() {
	byScope := make([][]int32, len(b.scopeKeys))
	for i := range b.said {
		if sc := b.said[i].scope; sc >= 0 {
			byScope[sc] = append(byScope[sc], int32(i)) // reps are sorted by time
		}
	}
	for i := range b.said {
		b.said[i].start = b.said[i].at // outside Thread there are no epochs
	}
	b.latest = make([]int32, len(b.scopeKeys))
	for sc, reps := range byScope {
		epoch, start := int32(0), int64(0)
		for k, i := range reps {
			if k == 0 {
				start = b.said[i].at
			} else if b.said[i].at-b.said[reps[k-1]].at > int64(epochGap) {
				epoch, start = epoch+1, b.said[i].at
			}
			b.said[i].epoch, b.said[i].start = epoch, start
		}
		b.latest[sc] = epoch
	}
	for i := range b.said {
		b.said[i].rank = b.rankReport(int32(i))
	}
	b.partitions(byScope)
}

// partitions gives each report the partition it speaks from: its own word,
// else its session's, else the only one known in its network at that time.
func (b *builder) partitions(byScope [][]int32) {
	type session struct {
		number, scope int32
	}
	sessions := map[session]*unique[uint32]{}
	for i, r := range b.reps {
		s := &b.said[i]
		s.part = r.Leader.PartitionID
		if r.Role == diag.RoleDetached {
			s.part = diag.Opt[uint32]{} // the last one it was in, not the present one
		}
		if s.session != 0 && s.scope >= 0 {
			k := session{s.session, s.scope}
			if sessions[k] == nil {
				sessions[k] = &unique[uint32]{}
			}
			v, ok := s.part.Get()
			sessions[k].add(v, ok)
		}
	}
	for i := range b.said {
		s := &b.said[i]
		if s.part.Known() || s.detached || s.scope < 0 {
			continue
		}
		if u := sessions[session{s.session, s.scope}]; s.session != 0 && u != nil {
			if p, ok := u.get(); ok {
				s.part = diag.Some(p)
			}
		}
	}
	for _, reps := range byScope {
		for lo := 0; lo < len(reps); {
			hi := lo
			var only unique[uint32]
			for ; hi < len(reps) && b.said[reps[hi]].epoch == b.said[reps[lo]].epoch; hi++ {
				v, ok := b.said[reps[hi]].part.Get()
				only.add(v, ok)
			}
			if p, ok := only.get(); ok {
				for _, i := range reps[lo:hi] {
					if !b.said[i].detached {
						b.said[i].part = diag.Some(p)
					}
				}
			}
			lo = hi
		}
	}
}

// places numbers the (scope, partition, epoch) triples: within one, an RLOC16
// names one node.
func (b *builder) places() {
	index := map[placeKey]int32{}
	for i := range b.said {
		s := &b.said[i]
		s.place = -1
		if s.scope < 0 {
			continue
		}
		p, known := s.part.Get()
		k := placeKey{s.scope, s.epoch, p, known}
		n, ok := index[k]
		if !ok {
			n = int32(len(b.place))
			index[k] = n
			b.place = append(b.place, k)
		}
		s.place = n
	}
}

type placeKey struct {
	scope, epoch int32
	part         uint32
	partKnown    bool
}

// current reports whether a place is of its network's newest epoch.
func (b *builder) current(place int32) bool {
	p := b.place[place]
	return p.epoch == b.latest[p.scope]
}

// A unique is a set that only remembers its member while it has just one.
type unique[T comparable] struct {
	v T
	n int // 0, 1, 2 (or more)
}

func (u *unique[T]) add(v T, known bool) {
	switch {
	case !known:
	case u.n == 0:
		u.v, u.n = v, 1
	case u.v != v:
		u.n = 2
	}
}

func (u *unique[T]) get() (v T, ok bool) {
	if u.n == 1 {
		return u.v, true
	}
	return v, false
}

// compareOpt orders the unknown value first.
func compareOpt[T cmp.Ordered](a, b diag.Opt[T]) int {
	x, kx := a.Get()
	y, ky := b.Get()
	if kx != ky {
		if ky {
			return -1
		}
		return 1
	}
	return cmp.Compare(x, y)
}
