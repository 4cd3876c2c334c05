package matter

import (
	"slices"
	"time"
)

// A Pace is how fast the nodes of one network may be asked.
type Pace struct {
	Handshakes int           // CASE handshakes at once; 0: no limit
	Exchanges  int           // reads at once; 0: no limit
	Spacing    time.Duration // between the beginnings of two reads
}

// ThreadPace is what a Thread channel bears beside its own traffic: the
// numbers by which matter.js, and so Home Assistant, treat it. 50 nodes take
// five seconds.
var ThreadPace = Pace{Handshakes: 4, Exchanges: 4, Spacing: 100 * time.Millisecond}

// lanPace is for Wi-Fi and Ethernet. The limit is for this computer's sake.
var lanPace = Pace{Handshakes: 32, Exchanges: 32}

// An act is what a turn is for.
type act uint8

const (
	handshake act = iota
	exchange
	acts
)

// A rank orders those who wait for a turn: lower ones go first.
type rank uint8

const (
	rankAwake    rank = iota // a node that always listens
	rankAgain                // one that was silent, the second time
	rankSleepy               // one that listens at intervals
	rankLIT                  // one that may not listen for hours
	rankStranger             // one that nobody but an announcement speaks of
)

// A turn is the leave to do one thing in one network.
type turn struct {
	network string
	act     act
	rank    rank
	granted bool
	over    bool
}

// A schedule gives turns: at most so many of an act at once in a network, reads
// not closer together than its Pace says, by rank and then in the order of
// asking. It has no clock and starts nothing: call next with the time after
// each change and when the time has come that it told.
//
// It is for one goroutine.
type schedule struct {
	pace     func(network string) Pace
	networks map[string]*lane
}

// A lane is the state of one network.
type lane struct {
	pace    Pace
	waiting [acts][]*turn // in the order in which they go
	active  [acts]int
	begun   time.Time // when the last read began; zero: none did
}

func newSchedule(pace func(network string) Pace) *schedule {
	return &schedule{pace: pace, networks: map[string]*lane{}}
}

// want queues for a turn.
func (s *schedule) want(network string, a act, r rank) *turn {
	l := s.networks[network]
	if l == nil {
		l = &lane{pace: s.pace(network)}
		s.networks[network] = l
	}
	t := &turn{network: network, act: a, rank: r}
	q := l.waiting[a]
	at := len(q)
	for at > 0 && q[at-1].rank > r {
		at--
	}
	l.waiting[a] = slices.Insert(q, at, t)
	return t
}

// end ends a turn, or the waiting for it.
func (s *schedule) end(t *turn) {
	if t.over {
		return
	}
	t.over = true
	l := s.networks[t.network]
	if t.granted {
		l.active[t.act]--
		return
	}
	l.waiting[t.act] = slices.DeleteFunc(l.waiting[t.act], func(o *turn) bool { return o == t })
}

// next gives the turns that begin now. wake is when to call again if nothing
// changes until then; zero: not before something does.
func (s *schedule) next(now time.Time) (granted []*turn, wake time.Time) {
	for _, l := range s.networks {
		for a := range acts {
			for len(l.waiting[a]) > 0 && l.room(a) {
				if at := l.earliest(a); at.After(now) {
					if wake.IsZero() || at.Before(wake) {
						wake = at
					}
					break
				}
				t := l.waiting[a][0]
				l.waiting[a] = l.waiting[a][1:]
				l.active[a]++
				if a == exchange {
					l.begun = now
				}
				t.granted = true
				granted = append(granted, t)
			}
		}
	}
	return granted, wake
}

func (l *lane) room(a act) bool {
	most := l.pace.Handshakes
	if a == exchange {
		most = l.pace.Exchanges
	}
	return most == 0 || l.active[a] < most
}

// earliest is when the next act of this kind may begin, room or not.
func (l *lane) earliest(a act) time.Time {
	if a != exchange || l.begun.IsZero() {
		return time.Time{}
	}
	return l.begun.Add(l.pace.Spacing)
}
