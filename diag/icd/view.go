package icd

import (
	"encoding/json"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// slack is how far clocks of two observers may be apart, and how long one
// happening may take to reach all of them.
const slack = 3 * second

const (
	second = Seconds(1e9)
	minute = 60 * second
	hour   = 60 * minute
)

// never is a time before all others.
const never = Seconds(-1 << 60)

// A view is a timeline as one evaluation sees it: what was observed up to one
// moment, about one device, for one of its subscribers.
type view struct {
	at  Seconds
	ext string // the device, folded
	all []*Observation
	by  map[string][]*Observation // by "by event", lines of other devices included

	own     map[string]bool // the device's mDNS instances, upper case, without the service
	fabrics []string        // their compressed fabric ids, sorted
	aliases map[string]bool // other names that lines use for the device

	boots    []boot  // in order
	claims   []boot  // what a person says they did
	t0       Seconds // since when the chain is looked at: the last start, or the beginning
	rebooted bool    // t0 is a start that was observed
	claimed  bool    // t0 is a start that somebody told of

	life []trace // what only a living device does, in order of time

	index index

	sub    *subscriber
	subs   []*subscriber
	mode   Mode
	modeAt Seconds // when it was last said
}

// A trace is an observation and the time it is evidence for, which a report of
// something older shifts into the past.
type trace struct {
	at Seconds
	o  *Observation
}

func newView(t *Timeline, at Seconds) *view {
	v := &view{at: at, ext: t.Node.fold(), by: map[string][]*Observation{}, own: map[string]bool{}, aliases: map[string]bool{}}
	for o := range t.All() {
		if o.At > at {
			break
		}
		v.all = append(v.all, o)
		key := o.By + " " + o.Event
		v.by[key] = append(v.by[key], o)
	}
	v.findNames(t.Node)
	v.indexNames()
	v.findBoots()
	v.indexSince()
	v.findLife()
	v.findMode()
	v.findSubscribers()
	return v
}

// each goes through the observations of one kind, about whatever device.
func each[T any](v *view, key string) iter.Seq2[*Observation, *T] {
	return func(yield func(*Observation, *T) bool) {
		for _, o := range v.by[key] {
			if w, ok := o.What.(*T); ok && !yield(o, w) {
				return
			}
		}
	}
}

// ours goes through the observations of one kind that are about the device.
func ours[T any](v *view, key string) iter.Seq2[*Observation, *T] {
	return func(yield func(*Observation, *T) bool) {
		for o, w := range each[T](v, key) {
			if v.isOurs(o) && !yield(o, w) {
				return
			}
		}
	}
}

// isOurs reports whether a line that may name a device is about this one.
func (v *view) isOurs(o *Observation) bool {
	for _, n := range []NodeName{o.Ext, o.Node} {
		if n != "" {
			f := n.fold()
			return f == v.ext || v.aliases[f]
		}
	}
	return true
}

// findNames learns what the device is called: its mDNS instances are those on
// the host that has its extended address for a name.
func (v *view) findNames(node NodeName) {
	v.own[instanceOf(string(node))] = true
	for _, key := range []string{"mdns announce", "mdns goodbye"} {
		for _, w := range each[Announce](v, key) {
			label, _, _ := strings.Cut(w.Host, ".")
			if NodeName(label).fold() == v.ext && isOperational(w) {
				v.own[instanceOf(w.Instance)] = true
			}
		}
	}
	v.findNamesWithoutHost()
	found := map[string]bool{}
	for i := range v.own {
		cfid, id, ok := splitInstance(i)
		if !ok {
			continue
		}
		found[cfid] = true
		v.aliases[strings.ToLower(i)] = true
		v.aliases[strings.ToLower(id)] = true
		v.aliases[decimal(id)] = true
		v.aliases[strings.ToLower(strings.TrimLeft(id, "0"))] = true
	}
	v.fabrics = slices.Sorted(maps.Keys(found))
	v.fabrics = v.fabrics[:min(len(v.fabrics), maxFabrics)]
	// A controller has its own numbers for nodes. Where it speaks of one node
	// only and by a number that is nobody's address, that is the one the file is about.
	for _, by := range []string{ByHA, ByController} {
		var names []string
		known := false
		for _, o := range v.all {
			if o.By != by || o.Node == "" {
				continue
			}
			f := o.Node.fold()
			known = known || f == v.ext || v.aliases[f]
			if len(names) < 2 && !slices.Contains(names, f) {
				names = append(names, f)
			}
		}
		if !known && len(names) == 1 && len(names[0]) != 16 {
			v.aliases[names[0]] = true
		}
	}
}

// findNamesWithoutHost takes for the device's own the operational names in lines
// that tell no host: a line that is about another device says so. Not those that
// some line gives another host, those that a device asked for (they are
// controllers'), and none where one fabric has several, or one that is known by
// its host.
func (v *view) findNamesWithoutHost() {
	const hosted, ambiguous = "hosted", "ambiguous"
	one := map[string]string{} // by fabric
	other := map[string]bool{}
	for _, key := range []string{"mdns announce", "mdns goodbye"} {
		for o, w := range each[Announce](v, key) {
			if w.Host != "" || o.Ext != "" && o.Ext.fold() != v.ext || o.Node != "" && o.Node.fold() != v.ext {
				other[instanceOf(w.Instance)] = true
			}
		}
	}
	for _, w := range each[Question](v, "mdns question") {
		other[instanceOf(w.Name)] = true
	}
	for _, w := range each[Answer](v, "mdns answer") {
		other[instanceOf(w.Name)] = true
	}
	for i := range v.own {
		if fabric, _, ok := splitInstance(i); ok {
			one[fabric] = hosted
		}
	}
	for _, key := range []string{"mdns announce", "mdns goodbye"} {
		for _, w := range each[Announce](v, key) {
			i := instanceOf(w.Instance)
			fabric, _, ok := splitInstance(i)
			if !ok || !isOperational(w) || other[i] {
				continue
			}
			switch had, known := one[fabric]; {
			case !known && len(one) < maxNames:
				one[fabric] = i
			case known && had != i && had != hosted:
				one[fabric] = ambiguous
			}
		}
	}
	for _, i := range one {
		if i != hosted && i != ambiguous {
			v.own[i] = true
		}
	}
}

// announces are the announcements and withdrawals of the device, in order.
func (v *view) announces() iter.Seq2[*Observation, *Announce] {
	return func(yield func(*Observation, *Announce) bool) {
		for _, o := range v.index.announced {
			if !yield(o, o.What.(*Announce)) {
				return
			}
		}
	}
}

// A value is what an attribute was at a time.
type value struct {
	o   *Observation
	raw json.RawMessage
}

// values are what the device said of an attribute ("0/51/1"), in order of time.
func (v *view) values(path string) []value {
	var out []value
	for o, w := range ours[Read](v, "canary read") {
		if raw, ok := w.Values[path]; ok {
			out = append(out, value{o, raw})
		}
	}
	for _, by := range []string{ByCanary, ByHA, ByController} {
		for o, w := range ours[Report](v, by+" report") {
			if raw, ok := w.Values[path]; ok {
				out = append(out, value{o, raw})
			}
		}
	}
	for _, by := range []string{ByHA, ByController} {
		for o, w := range ours[Attribute](v, by+" attribute") {
			if w.Path == path {
				out = append(out, value{o, w.Value})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b value) int { return a.o.compare(b.o) })
	return out
}

func (x value) uint() (uint64, bool) {
	var n uint64
	if json.Unmarshal(x.raw, &n) != nil || string(x.raw) == "null" {
		return 0, false
	}
	return n, true
}

// last is the last known number of an attribute.
func (v *view) last(path string) (n uint64, o *Observation, ok bool) {
	for _, x := range v.values(path) {
		if u, known := x.uint(); known {
			n, o, ok = u, x.o, true
		}
	}
	return n, o, ok
}

// addresses are the device's by the last announcement of each instance, without
// link-local ones.
func (v *view) addresses() (out []netip.Addr, o *Observation) {
	for a, w := range v.announces() {
		if a.Event != "announce" || w.Addresses == nil {
			continue
		}
		out, o = out[:0], a
		for _, s := range w.Addresses {
			if ip, err := netip.ParseAddr(s); err == nil && !ip.IsLinkLocalUnicast() && len(out) < maxAddresses {
				out = append(out, ip.WithZone(""))
			}
		}
	}
	return out, o
}

// findLife collects what only a living device does.
func (v *view) findLife() {
	add := func(at Seconds, o *Observation) { v.life = append(v.life, trace{at, o}) }
	for o, w := range ours[Child](v, "tmf child") {
		if w.Age != nil {
			add(o.At-*w.Age, o)
		}
	}
	addrs := v.everyAddress()
	for o, w := range each[Ping](v, "icmp ping") {
		if ip, err := netip.ParseAddr(w.To); err == nil && w.Received > 0 && (addrs[ip.WithZone("")] || len(addrs) == 0) {
			add(o.At, o)
		}
	}
	for o, w := range ours[CASE](v, "canary case") {
		if w.Result != "failed" || w.OpenedBy == "device" {
			add(o.At, o)
		}
	}
	for _, key := range []string{
		"canary sigma1", "canary report", "canary checkin", "canary read", "canary event", "canary read-events", "canary subscribed",
		"ha report", "ha event", "ha subscribed", "controller report", "controller event", "controller subscribed",
	} {
		for _, o := range v.by[key] {
			if v.isOurs(o) {
				add(o.At, o)
			}
		}
	}
	for _, key := range []string{"capture sigma1", "capture case", "capture checkin", "capture spoke"} {
		for _, o := range v.by[key] {
			if v.isOurs(o) && capturedLife(o) {
				add(o.At, o)
			}
		}
	}
	for o, w := range each[Press](v, "user press") {
		if w.Works != nil && *w.Works {
			add(o.At, o)
		}
	}
	for gone, o := range v.returns() {
		if !v.allWent(gone) {
			add(o.At, o) // only the device itself registers anew
		}
	}
	slices.SortStableFunc(v.life, func(a, b trace) int {
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		return a.o.compare(b.o)
	})
}

// lastLife is the last trace of life.
func (v *view) lastLife() trace {
	if len(v.life) == 0 {
		return trace{at: never}
	}
	return v.life[len(v.life)-1]
}
