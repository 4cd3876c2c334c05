package capture

import (
	"maps"
	"net/netip"
	"time"

	"threadmap/diag/matter/message"
)

// minSealed is what a protocol header and a tag take.
const minSealed = 6 + message.TagSize

// quiet is how long nobody may have said anything for the next message to be of
// the sender's own accord. A device that sleeps answers within its poll period,
// and a subscription is reported on no more often.
const quiet = int64(60 * time.Second)

// answerWithin is how soon an answer must come.
const answerWithin = int64(60 * time.Second)

// A talk is what two addresses say to each other in sessions. The messages are
// sealed; who breaks a silence, and whether the other answers, is not.
type talk struct {
	lastFrom [2]int64 // by a, by b
	messages [2]int
	port     [2]uint16 // last used by a, by b
	open     *spoke
	recent   [2][4]sentBefore
	next     [2]int
	known    bool
}

type sentBefore struct {
	counter uint32
	session uint16
	at      int64
}

// A spoke is one breaking of the silence.
type spoke struct {
	at, last  int64
	from, to  netip.AddrPort
	session   uint16
	counter   uint32
	sent      int
	answered  bool
	handshake *handshake // of the session
}

type talkKey struct{ a, b netip.Addr } // a < b

type talks struct {
	all     map[talkKey]*talk
	to      map[netip.Addr]bool // who was sent anything
	spokes  []*spoke
	refused int // talks beyond the bound since the last clearing
}

func newTalks() talks { return talks{all: map[talkKey]*talk{}, to: map[netip.Addr]bool{}} }

// takeSecured takes what has the form of a message of a session.
func (h *home) takeSecured(at int64, src, dst netip.AddrPort, m message.Header) {
	k, who := talkKey{src.Addr(), dst.Addr()}, 0
	if k.b.Less(k.a) {
		k, who = talkKey{k.b, k.a}, 1
	}
	x := &h.talks
	t := x.all[k]
	if t == nil {
		if !h.room(len(x.all), maxTalks, k.a, k.b) && !h.forget() {
			h.counts.Dropped++
			return
		}
		// Before the file begins they may have talked as well.
		t = &talk{lastFrom: [2]int64{h.start, h.start}}
		x.all[k] = t
	}
	if len(x.to) < maxTalks {
		x.to[dst.Addr()] = true
	}
	h.counts.Secured++
	hs := h.handshakes.sessions[endpoint{dst, m.SessionID}]
	if hs != nil && at >= hs.first {
		hs.used, t.known = true, true
	}
	// The same counter again is the same message, sent or captured again.
	again := false
	for _, r := range t.recent[who] {
		if r.counter == m.Counter && r.session == m.SessionID && r.at != 0 {
			if at-r.at < twice {
				h.counts.Duplicate++
				return
			}
			again = true
		}
	}
	t.recent[who][t.next[who]] = sentBefore{m.Counter, m.SessionID, at}
	t.next[who] = (t.next[who] + 1) % len(t.recent[who])
	t.messages[who]++
	silent := at-max(t.lastFrom[0], t.lastFrom[1]) >= quiet
	t.lastFrom[who] = at
	t.port[who], t.port[1-who] = src.Port(), dst.Port()
	switch s := t.open; {
	case again:
		if s != nil && s.counter == m.Counter && s.session == m.SessionID && s.from == src {
			s.sent++
			s.last = at
		}
	case silent && (hs == nil || at-hs.last > quiet):
		if !h.room(len(x.spokes), maxSpokes, k.a, k.b) {
			h.counts.Dropped++
			t.open = nil
			return
		}
		t.open = &spoke{at: at, last: at, from: src, to: dst, session: m.SessionID, counter: m.Counter, sent: 1, handshake: hs}
		x.spokes = append(x.spokes, t.open)
	case s != nil && src.Addr() == s.to.Addr() && at-s.last <= answerWithin:
		s.answered = true
	}
}

// forget makes room for new talks: those between addresses that nothing else
// makes Matter's go. It is not tried for each packet of a flood.
func (h *home) forget() bool {
	x := &h.talks
	if x.refused++; x.refused%maxTalks != 1 {
		return false
	}
	known := maps.Clone(h.book.thread)
	for _, in := range h.book.instances {
		for _, a := range h.book.hosts[in.host] {
			known[a] = true
		}
	}
	for k, t := range x.all {
		if !t.known && !known[k.a] && !known[k.b] {
			delete(x.all, k)
		}
	}
	kept := x.spokes[:0]
	for _, s := range x.spokes {
		if s.handshake != nil || known[s.from.Addr()] || known[s.to.Addr()] {
			kept = append(kept, s)
		}
	}
	clear(x.spokes[len(kept):])
	x.spokes = kept
	return len(x.all) < maxTalks
}
