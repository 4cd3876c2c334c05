package icd_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"threadmap/diag/icd"
	"threadmap/diag/icd/internal/scenario"
)

// changed is the timeline with each observation changed; nil drops it.
func changed(tl *icd.Timeline, change func(int, icd.Observation) *icd.Observation) *icd.Timeline {
	out := icd.NewTimeline(tl.Node, tl.Start)
	i := 0
	for o := range tl.All() {
		if c := change(i, *o); c != nil {
			out.Add(*c)
		}
		i++
	}
	return out
}

// weaker says how v is not what is left of full with less evidence: a link that
// was seen turned broken or the reverse, or another cause stands first. "" where
// it is.
func weaker(full, v *icd.Verdict) string {
	for _, l := range full.Chain {
		if s := v.State(l.Link); s != icd.Unknown && l.State != icd.Unknown && s != l.State {
			return fmt.Sprintf("%s was %s and is %s", l.Link, l.State, s)
		}
	}
	top, was := v.TopCauses(), full.TopCauses()
	if len(top) == 0 || len(was) == 0 {
		return ""
	}
	if v.Causes[0].Confidence == icd.Low && v.Link == 0 {
		return "" // many are possible: it is not said what it is
	}
	// One of those that stood first still does, or one that looks the same.
	if !slices.ContainsFunc(was, func(id string) bool {
		return slices.ContainsFunc(top, func(t string) bool { return alike(t, id) })
	}) {
		return fmt.Sprintf("first were %v and are %v (%s)", was, top, v.Causes[0].Confidence)
	}
	return ""
}

func at(t *testing.T, tl *icd.Timeline, end icd.Seconds) *icd.Verdict {
	t.Helper()
	v, err := icd.Evaluate(tl, end, "")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// dice is 0, or what SEED says: SEED=7 go test ./diag/icd tells the stories, and
// drops, shuffles and shifts, otherwise than usual.
func dice() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 32)
	return n * 1000
}

// sized is how many of something a test goes through.
func sized(usual, short uint64) uint64 {
	if testing.Short() {
		return short
	}
	return usual
}

// eachTimeline goes through all stories on all rungs.
func eachTimeline(t *testing.T, f func(t *testing.T, s scenario.Story, tl *icd.Timeline, full *icd.Verdict)) {
	for _, s := range scenario.Stories {
		for rung := range 5 {
			tl := s.Run(1+dice(), rung)
			t.Run(fmt.Sprintf("%s %s %d", s.Cause, s.Name, rung), func(t *testing.T) {
				t.Parallel()
				f(t, s, tl, at(t, tl, tl.End()))
			})
		}
	}
}

// TestOrder shuffles the lines of a file: the verdict is the same, octet for octet.
func TestOrder(t *testing.T) {
	eachTimeline(t, func(t *testing.T, s scenario.Story, tl *icd.Timeline, full *icd.Verdict) {
		var all []icd.Observation
		for o := range tl.All() {
			all = append(all, *o)
		}
		want, _ := json.Marshal(full)
		rng := rand.New(rand.NewPCG(1+dice(), 2))
		for range 3 {
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			shuffled := icd.NewTimeline(tl.Node, tl.Start)
			for _, o := range all {
				shuffled.Add(o)
			}
			got, err := json.Marshal(at(t, shuffled, tl.End()))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Fatalf("the order of lines changed the verdict:\n%s\n%s", want, got)
			}
		}
	})
}

// TestClocks shifts the clock of one observer by two seconds, and moves all
// observations within a second.
func TestClocks(t *testing.T) {
	eachTimeline(t, func(t *testing.T, s scenario.Story, tl *icd.Timeline, full *icd.Verdict) {
		check := func(what string, v *icd.Verdict) {
			if why := weaker(full, v); why != "" {
				t.Errorf("%s: %s\n%s\n%s", what, why, show(full), show(v))
			}
		}
		for _, by := range []string{icd.ByMDNS, icd.ByTMF, icd.ByICMP, icd.ByCanary, icd.ByHA, icd.ByController, icd.ByUser} {
			for _, shift := range []icd.Seconds{icd.Sec(2), -icd.Sec(2)} {
				check(fmt.Sprint(by, " by ", shift), at(t, changed(tl, func(_ int, o icd.Observation) *icd.Observation {
					if o.By == by {
						o.At = max(0, o.At+shift)
					}
					return &o
				}), tl.End()+icd.Sec(2)))
			}
		}
		for seed := range sized(2, 1) {
			rng := rand.New(rand.NewPCG(seed+dice(), 3))
			check(fmt.Sprint("within a second, seed ", seed), at(t, changed(tl, func(_ int, o icd.Observation) *icd.Observation {
				o.At = max(0, o.At+icd.Sec(rng.Float64())-icd.Sec(0.5))
				return &o
			}), tl.End()+icd.Sec(1)))
		}
	})
}

// TestLess drops observations: each one, and many at random. What is left may
// be less, never something else.
func TestLess(t *testing.T) {
	many := sized(4, 1)
	eachTimeline(t, func(t *testing.T, s scenario.Story, tl *icd.Timeline, full *icd.Verdict) {
		check := func(what string, v *icd.Verdict) {
			if why := weaker(full, v); why != "" {
				t.Errorf("%s: %s\n%s\n%s", what, why, show(full), show(v))
			}
		}
		// What is polled comes again; what comes rarely is dropped line by line.
		count := map[string]int{}
		for o := range tl.All() {
			count[o.By+o.Event]++
		}
		rare := []int{}
		i := 0
		for o := range tl.All() {
			if count[o.By+o.Event] <= 5 || i%307 == 0 {
				rare = append(rare, i)
			}
			i++
		}
		for _, drop := range rare {
			var gone icd.Observation
			v := at(t, changed(tl, func(i int, o icd.Observation) *icd.Observation {
				if i == drop {
					gone = o
					return nil
				}
				return &o
			}), tl.End())
			check("without "+gone.String(), v)
			if t.Failed() {
				return
			}
		}
		for seed := range many {
			rng := rand.New(rand.NewPCG(seed+dice(), 4))
			share := 0.05 + 0.28*rng.Float64()
			v := at(t, changed(tl, func(_ int, o icd.Observation) *icd.Observation {
				if rng.Float64() < share && o.By != icd.ByUser { // a person's words are typed, not heard
					return nil
				}
				return &o
			}), tl.End())
			check(fmt.Sprintf("without %.0f %% of the lines, seed %d", 100*share, seed), v)
		}
	})
}
