package discovery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Bounds of an advertisement: all of it fits into one packet of every link.
const (
	maxAdvertised    = 16  // addresses of one link
	maxAdvertisedTXT = 400 // octets of the TXT record
	maxSubtypes      = 8
	maxPending       = 64 // answers waiting on one link
)

// Times of RFC 6762, section 8 (probing and announcing), section 6 (answering).
const (
	probeEvery    = 250 * time.Millisecond
	probes        = 3
	announceEvery = time.Second
	announcements = 2
	lostProbe     = time.Second // after a probe of another's that comes first
	manyConflicts = 15
	slowProbe     = 5 * time.Second
	// onceWithin: a record is not sent by multicast twice in that time, but to
	// defend it against a probe.
	onceWithin   = time.Second
	defendWithin = probeEvery
	hostTTL      = 120 * time.Second
	otherTTL     = 4500 * time.Second
	legacyTTL    = 10 * time.Second
)

// Unicast answers on one link: a burst, and so many a second. Whoever asks more
// is no resolver.
const (
	unicastBurst, unicastPerSecond = 40, 10
)

// An Advertisement is one instance that is to be announced, and its host.
type Advertisement struct {
	Kind     Kind
	Instance string   // the label
	Subtypes []string // "_I87E1B004E235A130"
	Host     string   // the label; one like it is used where it is taken
	Port     uint16
	TXT      TXT
}

// ErrNameTaken is an instance name that somebody else on the link has. Unlike
// that of a host it can't be changed: it says who we are.
var ErrNameTaken = errors.New("another machine announces the same instance")

var errAdvertisement = errors.New("not to be advertised")

// An Outgoing is a packet to be sent.
type Outgoing struct {
	Link      string
	To        netip.AddrPort // not valid: to the group
	ID        uint16         // of an answer to a simple resolver
	Query     bool           // a probe
	Questions []Question
	Answers   []Record
	Claims    []Record // of a probe: its authority section
	Extra     []Record
}

// An Advertiser makes an instance known: it probes whether the names are free,
// announces them, answers questions and says goodbye, as RFC 6762, sections 6
// and 8 to 10, wants. It owns no socket, no clock and no goroutine, and is not
// safe for concurrent use. Time must not run backwards.
type Advertiser struct {
	ad       Advertisement
	zone     Name
	instance Name
	subs     []Name
	host     Name
	tried    int // other host names
	links    []*adLink
	// ours are the records that we say or said on any link: when they come back to
	// us from another of our interfaces, nobody else claims them.
	ours      map[string]bool
	conflicts int
	taken     bool
	random    *rand.Rand
}

type adPhase uint8

const (
	adIdle adPhase = iota // no address
	adProbing
	adAnnouncing
	adSteady
)

type adLink struct {
	name    string
	addrs   []netip.Addr
	phase   adPhase
	sent    int // probes, or announcements
	at      time.Time
	said    bool                 // an announcement was sent, so a goodbye is due
	last    map[string]time.Time // when a record was last sent by multicast
	pending []*adPending
	tokens  float64
	filled  time.Time
}

// An adPending is an answer that waits a little, for others' known answers.
type adPending struct {
	due       time.Time
	from      netip.AddrPort
	records   []Record
	questions []Question // of a simple resolver
	id        uint16
	unicast   bool
	legacy    bool
	defend    bool
}

// NewAdvertiser makes an Advertiser without links.
func NewAdvertiser(ad Advertisement, seed uint64) (*Advertiser, error) {
	a := &Advertiser{ad: ad, zone: ad.Kind.Name(), ours: map[string]bool{}, random: rand.New(rand.NewPCG(seed, 6762))}
	wrong := func(what string) (*Advertiser, error) { return nil, fmt.Errorf("%w: %s", errAdvertisement, what) }
	if a.zone.IsRoot() {
		return wrong("no such kind of service")
	}
	var err error
	if a.instance, err = ad.Kind.InstanceName(ad.Instance); err != nil {
		return wrong("the instance: " + err.Error())
	}
	if a.host, err = NewName(ad.Host, local); err != nil {
		return wrong("the host: " + err.Error())
	}
	if len(ad.Host) > maxLabel-8 {
		return wrong("the host: its name is too long")
	}
	if len(ad.Subtypes) > maxSubtypes {
		return wrong("too many subtypes")
	}
	for _, s := range ad.Subtypes {
		n := Subtype{Kind: ad.Kind, Label: s}.Name()
		if n.IsRoot() {
			return wrong("a subtype has no name")
		}
		a.subs = append(a.subs, n)
	}
	size := 0
	for _, s := range ad.TXT {
		size += 1 + len(s)
		if len(s) > 255 {
			return wrong("a string of TXT is longer than 255 octets")
		}
	}
	if size > maxAdvertisedTXT {
		return wrong("TXT is too long")
	}
	if ad.Port == 0 {
		return wrong("no port")
	}
	return a, nil
}

// HostName is the name of the host, which changes where it is taken.
func (a *Advertiser) HostName() Name { return a.host }

// Announced reports whether at least one link knows of the instance, and none
// is still to be told.
func (a *Advertiser) Announced() bool {
	any := false
	for _, l := range a.links {
		if l.phase != adIdle && !l.said {
			return false
		}
		any = any || l.said
	}
	return any
}

// Err is [ErrNameTaken] where that is so.
func (a *Advertiser) Err() error {
	if a.taken {
		return fmt.Errorf("%s: %w", a.instance, ErrNameTaken)
	}
	return nil
}

// SetLink adds a link, or says that its addresses changed.
func (a *Advertiser) SetLink(name string, addrs []netip.Addr, at time.Time) {
	var clean []netip.Addr
	for _, x := range addrs {
		if x = x.Unmap().WithZone(""); x.IsValid() && !x.IsUnspecified() && !x.IsMulticast() && len(clean) < maxAdvertised && !slices.Contains(clean, x) {
			clean = append(clean, x)
		}
	}
	slices.SortFunc(clean, netip.Addr.Compare)
	l := a.link(name)
	if l == nil {
		l = &adLink{name: name, last: map[string]time.Time{}, tokens: unicastBurst, filled: at}
		a.links = append(a.links, l)
	} else if slices.Equal(l.addrs, clean) {
		return
	}
	l.addrs = clean
	a.remember()
	switch {
	case len(clean) == 0:
		l.phase = adIdle
	case l.phase == adIdle:
		a.probe(l, at)
	case l.phase == adProbing:
	default: // the same name with other addresses (section 8.4)
		l.phase, l.sent, l.at = adAnnouncing, 0, later(at, a.lastSaid(l).Add(onceWithin))
	}
}

func (a *Advertiser) link(name string) *adLink {
	for _, l := range a.links {
		if l.name == name {
			return l
		}
	}
	return nil
}

// remember notes what is ours. The bound forgets what was long ago.
func (a *Advertiser) remember() {
	if len(a.ours) > 1024 {
		clear(a.ours)
	}
	for _, l := range a.links {
		for _, r := range a.records(l) {
			a.ours[adKey(&r)] = true
		}
	}
}

// probe begins to ask whether the names are free.
func (a *Advertiser) probe(l *adLink, at time.Time) {
	l.phase, l.sent, l.pending = adProbing, 0, nil
	l.at = at.Add(time.Duration(a.random.Int64N(int64(probeEvery))))
	if a.conflicts >= manyConflicts {
		l.at = at.Add(slowProbe)
	}
}

func (a *Advertiser) lastSaid(l *adLink) (last time.Time) {
	for _, t := range l.last {
		last = later(last, t)
	}
	return last
}

// adKey tells records apart, by name, type and data.
func adKey(r *Record) string {
	return string(binary.BigEndian.AppendUint16([]byte(r.Name.Fold().wire), uint16(r.Type))) + "\x00" + r.data()
}

// servicesName lists the kinds of services (RFC 6763, section 9).
var servicesName = mustName("_services", "_dns-sd", "_udp", local)

// records are all that is said on a link: shared records first.
func (a *Advertiser) records(l *adLink) []Record {
	out := []Record{{Name: a.zone, Type: TypePTR, TTL: otherTTL, Target: a.instance}}
	for _, s := range a.subs {
		out = append(out, Record{Name: s, Type: TypePTR, TTL: otherTTL, Target: a.instance})
	}
	out = append(out, Record{Name: servicesName, Type: TypePTR, TTL: otherTTL, Target: a.zone})
	return append(out, a.unique(l)...)
}

// unique are the records that nobody else may have.
func (a *Advertiser) unique(l *adLink) []Record {
	txt := a.ad.TXT
	if len(txt) == 0 {
		txt = TXT{{}} // RFC 6763, section 6.1
	}
	out := []Record{
		{Name: a.instance, Type: TypeSRV, TTL: hostTTL, CacheFlush: true, Target: a.host, Port: a.ad.Port},
		{Name: a.instance, Type: TypeTXT, TTL: otherTTL, CacheFlush: true, TXT: txt},
	}
	return append(out, a.hostRecords(l)...)
}

func (a *Advertiser) hostRecords(l *adLink) (out []Record) {
	for _, x := range l.addrs {
		r := Record{Name: a.host, Type: TypeAAAA, TTL: hostTTL, CacheFlush: true, Addr: x}
		if x.Is4() {
			r.Type = TypeA
		}
		out = append(out, r)
	}
	return out
}

// Take takes a message that arrived.
func (a *Advertiser) Take(m *Message, o Origin) {
	l := a.link(o.Interface)
	if l == nil || l.phase == adIdle {
		return
	}
	if m.Response {
		a.conflict(l, m, o.At)
		return
	}
	if len(m.Claims) > 0 && l.phase == adProbing {
		a.tie(l, m, o.At)
	}
	if l.phase == adAnnouncing || l.phase == adSteady {
		a.question(l, m, o)
	}
}

// Step brings everything up to a time: what is to be sent now.
func (a *Advertiser) Step(at time.Time) (out []Outgoing) {
	if a.taken {
		return nil
	}
	for _, l := range a.links {
		if (l.phase == adProbing || l.phase == adAnnouncing) && !at.Before(l.at) {
			out = a.advance(l, at, out)
		}
		out = a.answers(l, at, out)
	}
	return out
}

// advance sends the next probe or announcement.
func (a *Advertiser) advance(l *adLink, at time.Time, out []Outgoing) []Outgoing {
	if l.phase == adProbing && l.sent < probes {
		l.sent++
		l.at = at.Add(probeEvery)
		// Answers by unicast might go to another program that shares our port
		// (section 15.1).
		return append(out, Outgoing{Link: l.name, Query: true, Claims: a.claims(l),
			Questions: []Question{{a.instance, TypeANY, false}, {a.host, TypeANY, false}}})
	}
	if l.phase == adProbing {
		l.phase, l.sent = adAnnouncing, 0
	}
	l.sent++
	l.said = true
	all := a.records(l)
	for i := range all {
		l.last[adKey(&all[i])] = at
	}
	if l.at = at.Add(announceEvery); l.sent >= announcements {
		l.phase = adSteady
	}
	if len(l.last) > 1024 {
		clear(l.last)
	}
	return append(out, Outgoing{Link: l.name, Answers: all})
}

// claims are the records that a probe claims; they have no cache-flush bit
// (section 10.2).
func (a *Advertiser) claims(l *adLink) []Record {
	out := a.unique(l)
	for i := range out {
		out[i].CacheFlush = false
	}
	return out
}

// Goodbye is what takes everything back that was announced (section 10.1).
func (a *Advertiser) Goodbye() (out []Outgoing) {
	for _, l := range a.links {
		if !l.said {
			continue
		}
		var all []Record
		for _, r := range a.records(l) {
			if !r.Name.Equal(servicesName) { // others may have services of the kind
				r.TTL = 0
				all = append(all, r)
			}
		}
		out = append(out, Outgoing{Link: l.name, Answers: all})
		l.said = false
	}
	return out
}

// Next is when [Advertiser.Step] has something to do again, if no message comes
// before.
func (a *Advertiser) Next(at time.Time) time.Time {
	next := at.Add(time.Hour)
	for _, l := range a.links {
		if l.phase == adProbing || l.phase == adAnnouncing {
			next = earlier(next, l.at)
		}
		for _, p := range l.pending {
			next = earlier(next, p.due)
		}
	}
	return later(next, at.Add(time.Millisecond))
}
