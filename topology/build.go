package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"threadmap/diag"
)

// epochGap separates observations: reports of one network that lie further
// apart than this were made in different epochs. RLOC16s are reassigned, so
// they name nodes only within one epoch; a scan takes at most a few minutes.
const epochGap = 15 * time.Minute

// Build infers the mesh from reports.
//
// Shuffled or repeated reports give the same Map. Fewer reports give fewer or
// less certain statements, never contradicting ones. Where a node's only
// witness lies, the statement is one-sided and its evidence says whose word it
// is. Nodes are never joined because of an RLOC16 alone when their extended
// addresses differ.
//
// It works in two passes: who is who (scope.go, identity.go, place.go), then
// what is said about whom (rows.go, leaders.go, ghosts.go, parents.go, links.go, describe.go, roles.go, states.go).
func Build(reports []diag.Report) *Map {
	b := &builder{
		reps:     canonical(reports),
		byExt:    make(map[diag.ExtAddr]ident, len(reports)),
		byEUI64:  map[diag.ExtAddr]ident{},
		byMatter: map[diag.MatterID]ident{},
		byKey:    map[string]ident{},
		pseudos:  map[rlocKey]int32{},
		rlocs:    make(map[rlocKey]int32, len(reports)),
		entries:  make([]rlocEntry, 0, 2*len(reports)),
	}
	b.said = make([]said, len(b.reps))

	b.ownAddresses()
	b.scopes()
	b.epochs()
	b.joinNames()
	b.places()
	b.joinRLOC16s()
	b.joinAddresses()

	b.makeNodes()
	b.chooseRows()
	b.findLeaders()
	b.makeRouters()
	b.nameNodes()
	b.findGhosts()
	b.findParents()
	b.makeLinks()
	b.describe()
	b.findRoles()
	b.findStates()
	b.loseLinks()
	return b.finish()
}

// A builder holds the two passes' intermediate results. Reports are named by
// their position in reps, nodes by theirs in nodes.
type builder struct {
	reps []*diag.Report // canonical order, no two equal
	said []said         // what was worked out about each

	scopeKeys []string   // scope -> its key
	latest    []int32    // scope -> its newest epoch
	place     []placeKey // place -> what it is

	up       []ident // union-find over names
	byExt    map[diag.ExtAddr]ident
	byEUI64  map[diag.ExtAddr]ident // another address of the same form, not on the air
	byMatter map[diag.MatterID]ident
	byKey    map[string]ident
	rlocs    map[rlocKey]int32 // index of entries, of children
	routerAt []int32           // index of entries + 1, by place and router id
	entries  []rlocEntry

	nodes   []*node
	block   []node // newNode's
	shown   []Node
	nodeOf  []int32 // root -> node, -1 none; idents made after makeNodes have none
	pseudos map[rlocKey]int32
	rows    []row
	leaders map[int32]leader // place -> leader
	sets    map[int32]*routerSet
	ends    [][2]int32 // of links
	borders []borderAt // what live network data of now names, each once
	links   []*Link

	claims   []parentClaim // of the node that findParents is at
	indexes  arena[int32]
	linkRoom arena[Link]
	proof    arena[Evidence]
	addrs    arena[netip.Addr]
	reported arena[*diag.Report]
	families arena[*Node]
}

// said is what was worked out about one report.
type said struct {
	own       diag.ExtAddr // its speaker's extended address, by agreeing witnesses
	conflicts []Claim      // other values for own, the believed one first; nil: none
	rloc16    diag.RLOC16  // stated, or read from its addresses or children
	thread    bool         // it speaks of a Thread radio
	scope     int32        // -1: no Thread network
	part      diag.Opt[uint32]
	epoch     int32
	start     int64 // ns, when that epoch began
	rank      rank
	place     int32 // -1: none
	id        ident

	// Copies out of the report, which is large: to look at 16,000 of them again
	// costs more than what is looked for.
	at       int64 // ns
	trust    trust
	has      [3]bool // tables, by rowKind
	role     diag.Role
	session  int32 // number of its session, 0 for none
	detached bool
	leads    bool
	reg      bool // it is a registration
	named    bool // see [builder.named]
	leader   int8 // router id, -1 unknown
}

// note fills in the copies.
func (s *said) note(r *diag.Report) {
	s.at, s.trust = stamp(r.At), trustLive
	if r.Cached {
		s.trust = trustCached
		if !r.Available.Or(true) {
			s.trust = trustLost
		}
	}
	s.has = [3]bool{childRow: r.Children != nil, neighborRow: r.Neighbors != nil, routeRow: r.Routes != nil}
	s.role, s.detached, s.leads, s.leader = r.Role, r.Role == diag.RoleDetached, r.Role == diag.RoleLeader, -1
	s.reg = registration(r)
	s.named = s.own != 0 || r.BorderAgentID != "" || len(r.Matter) > 0 || r.EUI64 != 0
	if id, known := r.Leader.RouterID.Get(); known && id <= diag.MaxRouterID {
		s.leader = int8(id)
	}
}

// canonical sorts pointers to the reports, so that nothing below can depend on
// the order in which they came, and drops repetitions. Reports of one conversation
// stay together: they are about the same nodes, and what is near in memory is
// found faster.
func canonical(reports []diag.Report) []*diag.Report {
	type talk struct{ source, via, session string }
	type keyed struct { // what decides nearly always, beside the pointer
		at   int64
		talk int32
		own  diag.ExtAddr
		r    *diag.Report
	}
	keys := make([]keyed, len(reports))
	numbers := map[talk]int32{}
	var talks []talk
	for i := range reports {
		r := &reports[i]
		t := talk{r.Source, r.Via, r.Session}
		n, ok := numbers[t]
		if !ok {
			n = int32(len(talks))
			numbers[t] = n
			talks = append(talks, t)
		}
		keys[i] = keyed{stamp(r.At), n, firstOwn(r), r}
	}
	order := slices.Clone(talks)
	slices.SortFunc(order, func(a, b talk) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.via, b.via), cmp.Compare(a.session, b.session))
	})
	rank := make([]int32, len(talks))
	for i, t := range order {
		rank[numbers[t]] = int32(i)
	}
	for i := range keys {
		keys[i].talk = rank[keys[i].talk]
	}
	same := func(a, b *keyed) bool { return a.at == b.at && a.talk == b.talk && a.own == b.own }
	slices.SortFunc(keys, func(a, b keyed) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.talk != b.talk:
			return cmp.Compare(a.talk, b.talk)
		case a.own != b.own:
			return cmp.Compare(a.own, b.own)
		}
		return compareReports(a.r, b.r)
	})
	out := make([]*diag.Report, 0, len(keys))
	for i, k := range keys {
		if i == 0 || !same(&k, &keys[i-1]) || compareReports(k.r, keys[i-1].r) != 0 {
			out = append(out, k.r)
		}
	}
	return out
}

// compareReports orders reports of one moment, conversation and extended address.
func compareReports(a, b *diag.Report) int {
	if c := cmp.Or(
		compareRLOC16(a.RLOC16, b.RLOC16),
		cmp.Compare(a.BorderAgentID, b.BorderAgentID),
	); c != 0 {
		return c
	}
	if reflect.DeepEqual(a, b) {
		return 0
	}
	// Rare: two different statements of one node at one moment. A Report has no
	// pointers and fmt sorts maps, so its print is a total order.
	return cmp.Compare(fmt.Sprintf("%+v", *a), fmt.Sprintf("%+v", *b))
}

func firstOwn(r *diag.Report) diag.ExtAddr {
	if len(r.Own) == 0 {
		return 0
	}
	return r.Own[0].ExtAddr
}

// compareRLOC16 orders the unknown one first.
func compareRLOC16(a, b diag.RLOC16) int {
	x, ax := a.Get()
	y, by := b.Get()
	if ax != by {
		if by {
			return -1
		}
		return 1
	}
	return cmp.Compare(x, y)
}

// A rank orders statements about one thing: one of a newer epoch beats an older
// one, within an epoch a live one beats a cached one, then the newer one wins.
type rank struct {
	epoch int64 // ns, when the epoch began
	trust trust
	t     int64 // ns, until when it was true at least
}

// trust tells how near to the radio a statement was made.
type trust uint8

const (
	trustLost   trust = iota // a cache, of a node that the cache's owner can't reach
	trustCached              // a cache
	trustLive                // the node itself, when asked
)

func (a rank) compare(b rank) int {
	switch {
	case a.epoch != b.epoch:
		return cmp.Compare(a.epoch, b.epoch)
	case a.trust != b.trust:
		return cmp.Compare(a.trust, b.trust)
	}
	return cmp.Compare(a.t, b.t)
}

// sameClass reports whether two statements differ in nothing but the moment.
func (a rank) sameClass(b rank) bool { return a.epoch == b.epoch && a.trust == b.trust }

// outranks reports whether a statement is of a newer epoch or nearer to the radio.
func (a rank) outranks(b rank) bool {
	return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.trust, b.trust)) > 0
}

// rankOf is the rank of the statements of report i.
func (b *builder) rankOf(i int32) rank { return b.said[i].rank }

func (b *builder) rankReport(i int32) rank {
	s := &b.said[i]
	return rank{s.start, s.trust, s.at}
}

// noAge stands in for the age of a row that has none: as old as the longest
// child timeout in common use, so that a row with a smaller age is believed first.
const noAge = 4 * time.Minute

// rowRank is the rank of a row about somebody whom report i's speaker last
// heard age ago.
func (b *builder) rowRank(i int32, age diag.Opt[time.Duration]) rank {
	k := b.rankOf(i)
	k.t -= int64(age.Or(noAge))
	return k
}

func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
