package icd

import (
	"net/netip"
	"slices"
	"strings"
)

// What one evaluation looks at, at most. The file is somebody else's, and no
// home has as many.
const (
	maxFabrics     = 32
	maxSubscribers = 32
	maxBoots       = 256
	maxAddresses   = 16
	maxNames       = 64 // of one router
)

// An index is what several links and causes ask for, found once.
type index struct {
	announced []*Observation       // announcements and withdrawals of the device's names, in order
	questions []asking             // for operational names that are not the device's, in order
	asked     map[string][]Seconds // when a name was asked for
	gone      map[string][]Seconds // when other devices' names were withdrawn, by sender
	others    map[string][]Seconds // when other devices' names were announced or withdrawn, by event and sender
	addresses map[netip.Addr]bool  // all that the device was announced with
	routers   []borderRouter
	pings     pinged
	complete  []*Observation     // "no-child" of the device at all routers
	before    map[uint64]bool    // numbers of the canary's events from before t0
	heard     map[string]Seconds // since when each sender was heard
	hubs      map[string]bool    // addresses of machines with a controller
	thread    map[string]bool    // operational names of other Thread devices
	speaker   string             // address of the border router that announced the device last, "": not said
	lookedUp  *Observation       // a question that it asked for a controller
	wanted    []Seconds          // when somebody asked for one of the device's names
	lookUps   []Seconds          // when a controller's name was asked for, or answered, in a fabric of the device
}

// An asking is an mDNS question for an operational name.
type asking struct {
	o            *Observation
	name, fabric string
}

func (v *view) indexNames() {
	x := &v.index
	x.asked, x.gone, x.addresses = map[string][]Seconds{}, map[string][]Seconds{}, map[netip.Addr]bool{}
	a, g := v.by["mdns announce"], v.by["mdns goodbye"]
	for len(a)+len(g) > 0 {
		next := &a
		if len(a) == 0 || len(g) > 0 && g[0].At < a[0].At {
			next = &g
		}
		o := (*next)[0]
		*next = (*next)[1:]
		if v.own[instanceOf(o.What.(*Announce).Instance)] {
			x.announced = append(x.announced, o)
		}
	}
	for o, w := range each[Question](v, "mdns question") {
		name := instanceOf(w.Name)
		if fabric, _, ok := splitInstance(name); ok && !v.own[name] {
			x.questions = append(x.questions, asking{o, name, fabric})
			x.asked[name] = append(x.asked[name], o.At)
		}
	}
	for o, w := range each[Question](v, "mdns question") {
		if v.own[instanceOf(w.Name)] {
			x.wanted = append(x.wanted, o.At)
		}
	}
	note := func(o *Observation, name string) {
		if fabric, _, ok := splitInstance(instanceOf(name)); ok && !v.own[instanceOf(name)] && slices.Contains(v.fabrics, fabric) {
			x.lookUps = append(x.lookUps, o.At)
		}
	}
	for o, w := range each[Question](v, "mdns question") {
		note(o, w.Name)
	}
	for o, w := range each[Answer](v, "mdns answer") {
		note(o, w.Name)
	}
	slices.Sort(x.lookUps)
	for o, w := range each[Announce](v, "mdns goodbye") {
		if isOperational(w) && !v.own[instanceOf(w.Instance)] {
			from := strings.ToLower(w.From)
			x.gone[from] = append(x.gone[from], o.At)
		}
	}
	x.others = map[string][]Seconds{}
	for _, event := range []string{"announce", "goodbye"} {
		for o, w := range each[Announce](v, "mdns "+event) {
			if isOperational(w) && !v.own[instanceOf(w.Instance)] {
				key := event + " " + strings.ToLower(w.From)
				x.others[key] = append(x.others[key], o.At)
			}
		}
	}
	for _, w := range v.announces() {
		for _, s := range w.Addresses[:min(len(w.Addresses), maxAddresses)] {
			if ip, err := netip.ParseAddr(s); err == nil && len(x.addresses) < maxLines {
				x.addresses[ip.WithZone("")] = true
			}
		}
	}
	x.routers = v.findBorderRouters()
	v.indexSpeakers()
}

const maxLines = 4096 // distinct things of one kind

// indexSince is what depends on t0.
func (v *view) indexSince() {
	v.index.pings = v.findPings()
	v.index.complete = v.findComplete()
	v.index.before = map[uint64]bool{}
	for o, w := range ours[DeviceEvent](v, "canary event") {
		if o.At < v.t0-slack {
			v.index.before[w.Number] = true
		}
	}
	for o, w := range ours[ReadEvents](v, "canary read-events") {
		if o.At < v.t0-slack {
			for _, e := range w.Events {
				v.index.before[e.Number] = true
			}
		}
	}
}

// within reports whether one of the times, which are in order, lies between.
func within(times []Seconds, from, to Seconds) bool {
	i, _ := slices.BinarySearch(times, from)
	return i < len(times) && times[i] <= to
}

func (v *view) everyAddress() map[netip.Addr]bool { return v.index.addresses }
func (v *view) borderRouters() []borderRouter     { return v.index.routers }
func (v *view) pings() pinged                     { return v.index.pings }

// asked reports whether anybody asked for the name.
func (v *view) asked(instance string) bool { return len(v.index.asked[instance]) > 0 }

// askedAbout reports whether the name was asked for at about that time: an
// announcement from long before a question is no answer to it.
func (v *view) askedAbout(instance string, at Seconds) bool {
	return within(v.index.asked[instance], at-lookUp, at+2*minute)
}

// findComplete lists the "no-child" of the device that are of all routers heard
// in the ten minutes before: one that was not asked may be the parent.
func (v *view) findComplete() (out []*Observation) {
	type name struct{ rloc, ext string }
	routers := v.by["tmf router"]
	heard := map[name]int{}
	from, to := 0, 0
	for no, w := range ours[NoChild](v, "tmf no-child") {
		for ; to < len(routers) && routers[to].At <= no.At+slack; to++ {
			r := routers[to].What.(*Router)
			heard[name{NodeName(r.RLOC16).fold(), NodeName(r.Ext).fold()}]++
		}
		for ; from < to && routers[from].At < no.At-routerFresh; from++ {
			r := routers[from].What.(*Router)
			k := name{NodeName(r.RLOC16).fold(), NodeName(r.Ext).fold()}
			if heard[k]--; heard[k] == 0 {
				delete(heard, k)
			}
		}
		if len(w.Asked) == 0 || len(heard) > 2*len(w.Asked) {
			continue
		}
		asked := map[string]bool{}
		for _, a := range w.Asked {
			asked[NodeName(a).fold()] = true
		}
		all := true
		for k := range heard {
			all = all && (asked[k.rloc] && k.rloc != "" || asked[k.ext] && k.ext != "")
		}
		if all {
			out = append(out, no)
		}
	}
	return out
}
