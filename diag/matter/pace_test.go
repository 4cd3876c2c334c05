package matter

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var zero = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func paces(p map[string]Pace) func(string) Pace { return func(n string) Pace { return p[n] } }

// begin is next's turns, by what they are for.
func begin(t *testing.T, s *schedule, at time.Duration, want int, wake time.Duration) []*turn {
	t.Helper()
	granted, next := s.next(zero.Add(at))
	if len(granted) != want {
		t.Fatalf("at %v: %d turns, want %d", at, len(granted), want)
	}
	switch {
	case wake == 0 && !next.IsZero(), wake != 0 && !next.Equal(zero.Add(wake)):
		t.Fatalf("at %v: wakes at %v, want %v", at, next.Sub(zero), wake)
	}
	return granted
}

func TestSpacing(t *testing.T) {
	s := newSchedule(paces(map[string]Pace{"a": ThreadPace, "b": ThreadPace}))
	var a []*turn
	for range 7 {
		a = append(a, s.want("a", exchange, rankAwake))
	}
	first := begin(t, s, 0, 1, 100*time.Millisecond)
	if first[0] != a[0] {
		t.Error("not in the order of asking")
	}
	begin(t, s, 99*time.Millisecond, 0, 100*time.Millisecond)
	s.want("b", exchange, rankAwake) // another network has a clock of its own
	begin(t, s, 99*time.Millisecond, 1, 100*time.Millisecond)
	begin(t, s, 100*time.Millisecond, 1, 200*time.Millisecond)
	begin(t, s, 250*time.Millisecond, 1, 350*time.Millisecond) // a late call moves the next one
	begin(t, s, 350*time.Millisecond, 1, 0)                    // four at once: only an end helps
	begin(t, s, time.Minute, 0, 0)
	s.end(a[2])
	begin(t, s, time.Minute, 1, 0)
	s.end(a[2]) // twice is once
	begin(t, s, 2*time.Minute, 0, 0)
	s.end(a[6]) // gave up waiting
	s.end(a[0])
	s.end(a[1])
	if l := s.networks["a"]; l.active[exchange] != 2 || len(l.waiting[exchange]) != 1 {
		t.Errorf("%+v", l)
	}
}

func TestHandshakesHaveNoSpacing(t *testing.T) {
	s := newSchedule(paces(map[string]Pace{"a": ThreadPace, "free": {}}))
	for range 6 {
		s.want("a", handshake, rankAwake)
	}
	begin(t, s, 0, 4, 0)
	s.want("a", exchange, rankAwake) // a read does not wait for handshakes
	begin(t, s, 0, 1, 0)
	for range 500 {
		s.want("free", handshake, rankAwake)
		s.want("free", exchange, rankAwake)
	}
	begin(t, s, 0, 1000, 0)
}

func TestRanks(t *testing.T) {
	s := newSchedule(paces(map[string]Pace{"a": {Handshakes: 1}}))
	var want []*turn
	for _, r := range []rank{rankLIT, rankAwake, rankSleepy, rankAgain, rankAwake, rankSleepy} {
		want = append(want, s.want("a", handshake, r))
	}
	for _, i := range []int{1, 4, 3, 2, 5, 0} {
		got := begin(t, s, 0, 1, 0)
		if got[0] != want[i] {
			t.Fatalf("rank %d has its turn, want %d", got[0].rank, want[i].rank)
		}
		s.end(got[0])
	}
}

// Whatever comes and goes, the pace is kept, everybody has a turn, and no time
// is wasted.
func TestScheduleKeepsThePace(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			p := Pace{Handshakes: 1 + r.IntN(4), Exchanges: 1 + r.IntN(4), Spacing: time.Duration(r.IntN(200)) * time.Millisecond}
			s := newSchedule(paces(map[string]Pace{"a": p, "b": p}))
			type running struct {
				*turn
				until time.Time
			}
			var active []running
			waiting, now := map[*turn]bool{}, zero
			last := map[string]time.Time{}
			toCome := 200
			for toCome+len(waiting)+len(active) > 0 {
				for range min(toCome, r.IntN(4)) {
					waiting[s.want([]string{"a", "b"}[r.IntN(2)], act(r.IntN(2)), rank(r.IntN(4)))] = true
					toCome--
				}
				for w := range waiting {
					if r.IntN(50) == 0 {
						s.end(w)
						delete(waiting, w)
					}
					break
				}
				granted, wake := s.next(now)
				for _, g := range granted {
					if !waiting[g] {
						t.Fatal("a turn for nobody, or a second one")
					}
					delete(waiting, g)
					if g.act == exchange {
						if at := last[g.network]; !at.IsZero() && now.Sub(at) < p.Spacing {
							t.Fatalf("reads %v apart", now.Sub(at))
						}
						last[g.network] = now
					}
					active = append(active, running{g, now.Add(time.Duration(r.IntN(500)) * time.Millisecond)})
				}
				count := map[string]int{}
				for _, a := range active {
					count[a.network+fmt.Sprint(a.act)]++
				}
				for k, n := range count {
					if most := []int{p.Handshakes, p.Exchanges}[k[1]-'0']; n > most {
						t.Fatalf("%d of %s at once", n, k)
					}
				}
				// On to what happens next.
				next := wake
				for _, a := range active {
					if next.IsZero() || a.until.Before(next) {
						next = a.until
					}
				}
				if next.IsZero() {
					if len(waiting) > 0 {
						t.Fatal("nobody is active and nobody will be")
					}
					continue
				}
				now = next
				keep := active[:0]
				for _, a := range active {
					if a.until.After(now) {
						keep = append(keep, a)
						continue
					}
					s.end(a.turn)
				}
				active = keep
			}
		})
	}
}
