package icd

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// A device that sleeps shortly answers pings within its poll period; that many
// unanswered ones in a row are no chance.
const manyPings = 3

// reachable is L3: an address of the device works from here.
func (v *view) reachable(c *chain, h *history) finding {
	addrs, announced := v.addresses()
	p := v.pings()
	talk := v.lastTalk()
	// The host's own words.
	if o := v.noRoute(addrs); o != nil && o.At > max(p.ok.at, talk.at) {
		return broken(o.At, o.String())
	}
	if c.state(L1) == Broken || c.state(L2) == Broken {
		return unknown(c.because(c.first(Broken)))
	}
	if announced != nil && len(addrs) > 0 {
		if why := v.stale(addrs); why != "" {
			if since := max(announced.At, v.fellOutOfUse(addrs)); max(p.ok.at, talk.at) < since+minute {
				return broken(since, why, announced.String())
			}
		}
	}
	if o, why := v.unrouted(addrs); o != nil && max(p.ok.at, talk.at) < o.At {
		return broken(o.At, why, announced.String())
	}
	since := v.t0 - slack
	if v.claimed {
		since = v.t0 + slack
	}
	switch {
	case p.ok.at >= since && p.ok.at >= p.fail.at-slack && p.ok.o != nil:
		return seen(p.ok.at, p.ok.o.String())
	case talk.o != nil && talk.at >= since && talk.at > p.fail.at-minute:
		return seen(talk.at, talk.o.String())
	case p.failed >= manyPings && c.state(L2) == Seen && c.at(L2) > p.firstFail.at && v.awake(p.firstFail.at):
		return broken(p.fail.at, fmt.Sprintf("%d pings unanswered, though it has a parent", p.failed), p.fail.o.String(), c.because(L2))
	}
	for o := range ours[Unreachable](v, "capture unreachable") {
		if o.At >= since && o.At > max(p.ok.at, talk.at) {
			return unknown(o.String())
		}
	}
	return unknown()
}

// awake reports whether the device is known not to sleep for long since a
// moment: it said so, or another of its addresses answers.
func (v *view) awake(since Seconds) bool {
	if v.mode == ModeLongIdle {
		return false
	}
	return v.mode == ModeShortIdle && v.modeAt >= since || v.otherAddressAnswers(since) != nil
}

// otherAddressAnswers is a ping, after that moment and from inside the mesh, to
// an address of the device that is not announced.
func (v *view) otherAddressAnswers(since Seconds) *Observation {
	announced := v.everyAddress()
	for o, w := range each[Ping](v, "icmp ping") {
		ip, err := netip.ParseAddr(w.To)
		if err == nil && w.From == "otbr" && w.Received > 0 && o.At > since && !announced[ip.WithZone("")] {
			return o
		}
	}
	return nil
}

// A pinged is what pings to the device showed since t0, from the host.
type pinged struct {
	ok, fail, firstFail trace
	failed              int // in a row, since the last that was answered
}

func (v *view) findPings() pinged {
	p := pinged{ok: trace{at: never}, fail: trace{at: never}, firstFail: trace{at: never}}
	addrs := v.everyAddress()
	for o, w := range each[Ping](v, "icmp ping") {
		ip, err := netip.ParseAddr(w.To)
		if err != nil || w.From == "otbr" || len(addrs) > 0 && !addrs[ip.WithZone("")] || o.At < v.t0+attachTime && w.Received == 0 {
			continue
		}
		switch {
		case w.Received > 0:
			p.ok, p.failed = trace{o.At, o}, 0
		case w.Sent > 0:
			if p.failed == 0 {
				p.firstFail = trace{o.At, o}
			}
			p.fail, p.failed = trace{o.At, o}, p.failed+w.Sent
		}
	}
	return p
}

// lastTalk is the last message that somebody on this machine, or one that a
// capture watches, exchanged with the device: its address works then.
func (v *view) lastTalk() trace {
	t := trace{at: never}
	for _, key := range []string{"canary case", "canary report", "canary read", "canary subscribed", "canary event", "ha report", "ha subscribed", "ha event"} {
		for _, o := range v.by[key] {
			if w, ok := o.What.(*CASE); ok && w.Result == "failed" {
				continue
			}
			if v.isOurs(o) && o.At > t.at {
				t = trace{o.At, o}
			}
		}
	}
	for _, key := range []string{"capture case", "capture spoke"} {
		for _, o := range v.by[key] {
			if v.isOurs(o) && capturedTalk(o) && o.At > t.at {
				t = trace{o.At, o}
			}
		}
	}
	return t
}

// noRoute is the host's own word that it can't reach any of the addresses.
func (v *view) noRoute(addrs []netip.Addr) (no *Observation) {
	covers := coversAny(addrs)
	is := func(to string) bool {
		ip, err := netip.ParseAddr(to)
		return err == nil && v.everyAddress()[ip.WithZone("")]
	}
	for o, w := range each[Route](v, "host route") {
		if w.Present == nil || !covers(w.Prefix) {
			continue
		}
		if *w.Present {
			no = nil
		} else {
			no = o
		}
	}
	for o, w := range each[Unreachable](v, "host unreachable") {
		if is(w.To) && (no == nil || o.At > no.At) {
			no = o
		}
	}
	for o, w := range each[Ping](v, "icmp ping") {
		e := strings.ToLower(w.Error)
		if w.From != "otbr" && is(w.To) && (strings.Contains(e, "network is unreachable") || strings.Contains(e, "no route") || strings.Contains(e, "enetunreach")) && (no == nil || o.At > no.At) {
			no = o
		}
	}
	return no
}

// stale says why none of the addresses can work: their prefixes are not in use
// any more. "" where one is, or where nobody said which prefixes are in use.
func (v *view) stale(addrs []netip.Addr) string {
	in, known, why := v.prefixes()
	if !known || len(addrs) == 0 {
		return ""
	}
	for _, a := range addrs {
		if in(a) {
			return ""
		}
	}
	return fmt.Sprintf("%s is in none of the prefixes in use (%s)", addrs[0], why)
}

// unrouted is the newest router advertisement of the border router that
// announces the device, if it offers routes and none to any of the addresses: a
// border router offers one to every address prefix of its mesh. What another
// router offers says nothing, it may be of another mesh; and where anybody
// offers a route, there is one.
func (v *view) unrouted(addrs []netip.Addr) (o *Observation, why string) {
	if len(addrs) == 0 {
		return nil, ""
	}
	from := ""
	for a, w := range v.announces() {
		if a.Event == "announce" && len(w.Addresses) > 0 {
			from = link(w.From)
		}
	}
	if from == "" {
		return nil, ""
	}
	covers := coversAny(addrs)
	for a, w := range each[Advert](v, "ra advert") {
		routes := 0
		for _, p := range w.Prefixes {
			if covers(p.Prefix) {
				return nil, "" // withdrawn or not, see stale
			}
			if p.Kind != "pio" && p.Lifetime > 0 {
				routes++
			}
		}
		if routes > 0 && link(w.From) == from {
			o = a
		}
	}
	for _, p := range v.omrPrefixes() {
		if slices.ContainsFunc(addrs, p.Contains) {
			return nil, ""
		}
	}
	for _, w := range each[Netdata](v, "tmf netdata") {
		if slices.ContainsFunc(w.Prefixes, func(p NetdataPrefix) bool { return covers(p.Prefix) }) {
			return nil, ""
		}
	}
	if o == nil {
		return nil, ""
	}
	return o, fmt.Sprintf("the border router that announces it offers routes, none of them to %s: %s", addrs[0], o)
}

// link is a sender's address without its zone, in one form.
func link(s string) string {
	if ip, err := netip.ParseAddr(s); err == nil {
		return ip.WithZone("").String()
	}
	return strings.ToLower(s)
}

// oneDead is an address of the device that does not answer while another, that
// is announced as well, does: in one announcement, or by another border router
// that kept what it knew of before.
func (v *view) oneDead() (dead, alive *Observation) {
	addrs := v.standing()
	type count struct {
		o       *Observation
		failed  int // in a row
		replied bool
	}
	last := map[netip.Addr]*count{}
	for o, w := range each[Ping](v, "icmp ping") {
		ip, err := netip.ParseAddr(w.To)
		if ip = ip.WithZone(""); err != nil || w.From == "otbr" || o.At < v.t0+slack || !slices.Contains(addrs, ip) {
			continue
		}
		c := last[ip]
		if c == nil {
			c = &count{}
			last[ip] = c
		}
		c.o, c.replied = o, w.Received > 0
		if c.replied {
			c.failed = 0
		} else {
			c.failed += min(w.Sent, manyPings)
		}
	}
	for _, a := range addrs {
		switch c := last[a]; {
		case c == nil:
		case c.replied:
			alive = c.o
		case c.failed >= manyPings:
			dead = c.o
		}
	}
	if dead == nil || alive == nil || max(dead.At-alive.At, alive.At-dead.At) > minute {
		return nil, nil
	}
	return dead, alive
}

// standing are the addresses that the device is announced with now: by the last
// announcement of all, and by the last of each other sender since t0.
func (v *view) standing() []netip.Addr {
	out, _ := v.addresses()
	out = slices.Clone(out)
	last := map[string]*Announce{}
	for o, w := range v.announces() {
		from := strings.ToLower(w.From)
		switch {
		case o.Event != "announce":
			delete(last, from)
		case w.Addresses != nil && o.At >= v.t0-slack && from != "":
			last[from] = w
		}
	}
	for _, from := range slices.Sorted(maps.Keys(last)) {
		for _, s := range last[from].Addresses[:min(len(last[from].Addresses), maxAddresses)] {
			if ip, err := netip.ParseAddr(s); err == nil && !ip.IsLinkLocalUnicast() && len(out) < maxAddresses && !slices.Contains(out, ip.WithZone("")) {
				out = append(out, ip.WithZone(""))
			}
		}
	}
	return out
}

// fellOutOfUse is when it was first said, after the last word to the contrary,
// that the addresses' prefixes are not in use any more.
func (v *view) fellOutOfUse(addrs []netip.Addr) Seconds {
	last, gone := v.lastUse(addrs), Seconds(maxSeconds)*second
	covers := coversAny(addrs)
	for o, w := range each[Advert](v, "ra advert") {
		if o.At >= last && slices.ContainsFunc(w.Prefixes, func(p AdvertPrefix) bool { return p.Lifetime == 0 && covers(p.Prefix) }) {
			gone = min(gone, o.At)
		}
	}
	for o, w := range each[Netdata](v, "tmf netdata") {
		if o.At > last && w.Prefixes != nil {
			gone = min(gone, o.At)
		}
	}
	if gone == Seconds(maxSeconds)*second {
		return last
	}
	return gone
}

// lastUse is when a prefix of one of the addresses was last said to be in use.
func (v *view) lastUse(addrs []netip.Addr) (last Seconds) {
	covers := coversAny(addrs)
	for o, w := range each[Advert](v, "ra advert") {
		if slices.ContainsFunc(w.Prefixes, func(p AdvertPrefix) bool { return p.Lifetime > 0 && covers(p.Prefix) }) {
			last = max(last, o.At)
		}
	}
	for o, w := range each[Netdata](v, "tmf netdata") {
		if slices.ContainsFunc(w.Prefixes, func(p NetdataPrefix) bool { return covers(p.Prefix) }) {
			last = max(last, o.At)
		}
	}
	return last
}

func coversAny(addrs []netip.Addr) func(prefix string) bool {
	return func(prefix string) bool {
		p, err := netip.ParsePrefix(prefix)
		return err == nil && slices.ContainsFunc(addrs, p.Contains)
	}
}

// prefixes are those that the mesh uses for addresses now: the newest word of
// Network Data, of the border routers' announcements, and of router
// advertisements.
func (v *view) prefixes() (in func(netip.Addr) bool, known bool, why string) {
	state := map[netip.Prefix]bool{} // false: withdrawn
	set := func(s string, used bool) {
		if p, err := netip.ParsePrefix(s); err == nil {
			state[p.Masked()] = used
		}
	}
	var netdata *Observation
	for o, w := range each[Netdata](v, "tmf netdata") {
		if w.Prefixes != nil {
			netdata = o
		}
	}
	withdrawn := false
	for o, w := range each[Advert](v, "ra advert") {
		for _, p := range w.Prefixes {
			if p.Kind == "pio" {
				continue
			}
			set(p.Prefix, p.Lifetime > 0 && o.At+p.Lifetime > v.at)
			withdrawn = withdrawn || p.Lifetime == 0
		}
	}
	omr := v.omrPrefixes()
	for _, p := range omr {
		if _, said := state[p]; !said {
			state[p] = true
		}
	}
	if netdata != nil {
		// What Network Data does not have, devices of this partition have not.
		for p := range state {
			state[p] = false
		}
		for _, p := range netdata.What.(*Netdata).Prefixes {
			set(p.Prefix, p.SLAAC == nil || *p.SLAAC || p.Preferred != nil && *p.Preferred)
		}
		why = netdata.String()
	} else {
		why = "router advertisements and border routers' announcements"
	}
	any := false
	for _, used := range state {
		any = any || used
	}
	return func(a netip.Addr) bool {
		for p, used := range state {
			if used && p.Contains(a) {
				return true
			}
		}
		return false
	}, any && (netdata != nil || len(omr) > 0 || withdrawn), why
}
