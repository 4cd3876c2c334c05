package icd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"threadmap/diag/icd"
	"threadmap/diag/icd/internal/scenario"
	"threadmap/simulators/golden"
)

// TestScenariosCaptured looks at each home through a packet capture next to the
// hub and nothing else. The link and the party must be right or not known; some
// must be known, since they are on the wire.
func TestScenariosCaptured(t *testing.T) {
	tells := map[string]bool{
		"forgetful firmware, seen to report before": true, "slow retries": true, "no way back": true, "the controller refuses it": true,
		"sleeping controller": true, "controller that is gone": true, "crash loop": true, "old prefix": true, "announced badly": true,
	}
	var b strings.Builder
	b.WriteString("What was planted, and what is concluded from a packet capture next to the hub alone. Written by UPDATE=1 go test ./diag/icd.\n\n")
	for _, s := range slices.Concat(scenario.Stories, scenario.Wired) {
		for seed := uint64(1); seed < 8; seed++ {
			tl := s.RunCaptured(seed)
			v := evaluate(t, tl)
			if v.Link != 0 && v.Link != s.Link || v.Link == 0 && tells[s.Name] {
				t.Errorf("%s (%s), seed %d: link %q, want %s\n%s", s.Name, s.Cause, seed, v.Link, s.Link, show(v))
			}
			if v.Party != icd.UnknownParty && v.Party != s.Party || v.Party == icd.UnknownParty && tells[s.Name] {
				t.Errorf("%s (%s), seed %d: party %s, want %s\n%s", s.Name, s.Cause, seed, v.Party, s.Party, show(v))
			}
			if top := v.TopCauses(); tells[s.Name] && (len(top) == 0 || top[0] != s.Cause && !alike(top[0], s.Cause)) {
				t.Errorf("%s (%s), seed %d: first %v\n%s", s.Name, s.Cause, seed, top, show(v))
			}
			if seed == 1 {
				var causes []string
				for _, c := range v.Causes[:min(4, len(v.Causes))] {
					causes = append(causes, c.ID+":"+c.Confidence.String())
				}
				fmt.Fprintf(&b, "%-4s %-48s %-4s %-16s %s\n", s.Cause, s.Name, v.Link, v.Party, strings.Join(causes, " "))
			}
		}
	}
	golden.Same(t, "captured.txt", b.String())
}

// TestSoundHomesCaptured restarts sound devices before a capture: nobody may be
// blamed.
func TestSoundHomesCaptured(t *testing.T) {
	for seed := range uint64(200) {
		s := scenario.Healthy(seed + dice())
		v := evaluate(t, s.RunCaptured(seed+dice()))
		if v.Link != 0 || len(v.Causes) > 0 || v.Party != icd.Nobody && v.Party != icd.UnknownParty {
			t.Fatalf("%s: link %s, party %s, causes %v\n%s", s.Name, v.Link, v.Party, v.TopCauses(), show(v))
		}
	}
}

// TestCapturedLess drops each line of a capture in turn: less may be known,
// never something else.
func TestCapturedLess(t *testing.T) {
	for _, s := range scenario.Stories {
		tl := s.RunCaptured(1)
		full := evaluate(t, tl)
		var n []int
		i := 0
		for o := range tl.All() {
			if o.By == icd.ByCapture {
				n = append(n, i)
			}
			i++
		}
		for _, drop := range n[:min(len(n), 60)] {
			v := at(t, changed(tl, func(i int, o icd.Observation) *icd.Observation {
				if i == drop {
					return nil
				}
				return &o
			}), tl.End())
			for _, l := range full.Chain {
				// A failed attempt that was not seen may leave an earlier success.
				if was, is := l.State, v.State(l.Link); was == icd.Seen && is == icd.Broken && !slices.Contains([]icd.Link{icd.L7, icd.L9}, l.Link) {
					t.Errorf("%s without line %d: %s was %s and is %s\n%s", s.Name, drop, l.Link, was, is, show(v))
				}
			}
		}
	}
}
