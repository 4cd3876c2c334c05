package icd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"threadmap/diag/icd"
)

// An expectation is what a person expects of a case who has read how verdicts
// are reached and not how this package does it. Each list holds what is as
// right as the others; Why says where it follows from.
type expectation struct {
	File       string          `json:"file"`
	At         *icd.Seconds    `json:"at"`
	Subscriber string          `json:"subscriber"`
	Link       oneOf[*string]  `json:"link"`
	Party      []icd.Party     `json:"party"`
	First      []string        `json:"first"` // causes that may stand first; empty: none at all; null: whatever
	Healthy    oneOf[*bool]    `json:"healthy"`
	Others     map[string]bool `json:"others"`       // who is healthy
	Around     []icd.Seconds   `json:"await_around"` // a window has to hold each of these
	Max        icd.Seconds     `json:"await_max"`    // and none may end later
	Windows    []windowSum     `json:"windows"`      // worked out by hand
	Why        string          `json:"why"`
}

// A windowSum is when something is awaited, added up by hand from the stacks'
// numbers: each end lies between two times, as far as the sum leaves it open.
type windowSum struct {
	What     string         `json:"what"` // part of how it is called
	From, To [2]icd.Seconds // the window begins and ends between
	Sum      string         `json:"sum"`
}

type oneOf[T any] []T

func readExpectations(t *testing.T) []expectation {
	t.Helper()
	b, err := os.ReadFile("testdata/cases/expect.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []expectation
	for line := range bytes.Lines(b) {
		var e expectation
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if e.Why == "" {
			t.Errorf("%s: no reason", e.File)
		}
		out = append(out, e)
	}
	return out
}

// readCase reads a case, and the moment that it is judged at.
func readCase(t *testing.T, e expectation) (*icd.Timeline, icd.Seconds) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata/cases", e.File))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tl, err := icd.ReadTimeline(bufio.NewReader(f))
	if err != nil {
		t.Fatalf("%s: %v", e.File, err)
	}
	at := tl.End()
	if e.At != nil {
		at = *e.At
	}
	return tl, at
}

func TestCases(t *testing.T) {
	all := readExpectations(t)
	files, _ := filepath.Glob("testdata/cases/*-*.jsonl")
	expected := map[string]bool{}
	for _, e := range all {
		expected[e.File] = true // one may be judged at several moments
	}
	if len(files) != len(expected) {
		t.Errorf("%d files, expectations of %d", len(files), len(expected))
	}
	for _, e := range all {
		t.Run(e.File, func(t *testing.T) {
			tl, at := readCase(t, e)
			v, err := icd.Evaluate(tl, at, e.Subscriber)
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range e.disagree(v) {
				t.Error(wrong)
			}
			if t.Failed() {
				t.Log("expected because: ", e.Why)
				b, _ := json.MarshalIndent(brief(v), "", " ")
				t.Logf("%s", b)
			}
		})
	}
}

// disagree lists where a verdict is not what is expected.
func (e expectation) disagree(v *icd.Verdict) []string {
	var out []string
	say := func(what string, got, want any) {
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		out = append(out, what+": "+string(g)+", want one of "+string(w))
	}
	if !slices.ContainsFunc(e.Link, func(l *string) bool {
		return l == nil && v.Link == 0 || l != nil && *l == v.Link.String()
	}) {
		say("link", v.Link, e.Link)
	}
	if len(e.Party) > 0 && !slices.Contains(e.Party, v.Party) {
		say("party", v.Party, e.Party)
	}
	if !slices.ContainsFunc(e.Healthy, func(h *bool) bool {
		return h == nil && v.Healthy == nil || h != nil && v.Healthy != nil && *h == *v.Healthy
	}) {
		say("healthy", v.Healthy, e.Healthy)
	}
	top := v.TopCauses()
	switch {
	case e.First == nil:
	case len(e.First) == 0:
		if len(top) > 0 {
			say("causes of what is well", top, e.First)
		}
	case len(top) == 0 || !slices.Contains(e.First, top[0]):
		say("first cause", top, e.First)
	}
	for name, well := range e.Others {
		i := slices.IndexFunc(v.Others, func(o icd.Verdict) bool { return o.Subscriber == name })
		if i < 0 || (v.Others[i].Healthy != nil && *v.Others[i].Healthy) != well {
			say("other subscriber "+name, v.Others, well)
		}
	}
	for _, at := range e.Around {
		if !slices.ContainsFunc(v.Await, func(a icd.Await) bool { return a.NotBefore <= at && at <= a.NotAfter }) {
			say("await", v.Await, at)
		}
	}
	for _, w := range e.Windows {
		if w.Sum == "" || !slices.ContainsFunc(v.Await, func(a icd.Await) bool {
			return strings.Contains(a.What, w.What) && w.From[0] <= a.NotBefore && a.NotBefore <= w.From[1] && w.To[0] <= a.NotAfter && a.NotAfter <= w.To[1]
		}) {
			say("await", v.Await, w)
		}
	}
	for _, a := range v.Await {
		if a.NotAfter < v.At || a.NotBefore > a.NotAfter || e.Max > 0 && a.NotAfter > e.Max {
			say("await window", a, e.Max)
		}
	}
	return out
}

// brief is what to look at in a verdict that is not as expected.
func brief(v *icd.Verdict) map[string]any {
	chain := []string{}
	for _, l := range v.Chain {
		s := l.Link.String() + " " + string(l.State)
		for _, b := range l.Because {
			s += " | " + b
		}
		chain = append(chain, s)
	}
	causes := []string{}
	for _, c := range v.Causes {
		s := c.ID + " " + c.Confidence.String()
		for _, f := range c.For {
			s += " | " + f
		}
		for _, f := range c.Against {
			s += " | against: " + f
		}
		causes = append(causes, s)
	}
	excluded := []string{}
	for _, x := range v.Excluded {
		excluded = append(excluded, x.ID+" "+x.Because)
	}
	return map[string]any{"subscriber": v.Subscriber, "chain": chain, "causes": causes, "excluded": excluded, "await": v.Await, "next": v.Next}
}

// TestCasesOtherwise changes each case as observers do: another order, lines
// twice, one observer's clock off, a line lost. Never may another cause stand
// first for it, and never may somebody be blamed for what is well.
func TestCasesOtherwise(t *testing.T) {
	for _, e := range readExpectations(t) {
		t.Run(e.File, func(t *testing.T) {
			t.Parallel()
			tl, end := readCase(t, e)
			judge := func(tl *icd.Timeline, end icd.Seconds) *icd.Verdict {
				v, err := icd.Evaluate(tl, end, e.Subscriber)
				if err != nil {
					return nil // the subscriber was in the line that is lost
				}
				return v
			}
			full := judge(tl, end)
			want, _ := json.Marshal(full)
			check := func(what string, v *icd.Verdict) {
				if v == nil || v.Subscriber != full.Subscriber {
					return
				}
				why := weaker(full, v)
				if why != "" {
					t.Errorf("%s: %s\n%s\n%s", what, why, show(full), show(v))
				}
				if e.First != nil && len(e.First) == 0 && v.Healthy != nil && !*v.Healthy {
					t.Errorf("%s: blamed: %s", what, show(v))
				}
			}
			var all []icd.Observation
			for o := range tl.All() {
				all = append(all, *o)
			}
			rng := rand.New(rand.NewPCG(5+dice(), 6))
			shuffled, twice := icd.NewTimeline(tl.Node, tl.Start), icd.NewTimeline(tl.Node, tl.Start)
			for _, i := range rng.Perm(len(all)) {
				shuffled.Add(all[i])
				twice.Add(all[i])
				twice.Add(all[i])
			}
			if got, _ := json.Marshal(judge(shuffled, end)); string(got) != string(want) {
				t.Errorf("the order of lines changed the verdict:\n%s\n%s", want, got)
			}
			check("all lines twice", judge(twice, end))
			for _, by := range []string{icd.ByMDNS, icd.ByRA, icd.ByTMF, icd.ByICMP, icd.ByCanary, icd.ByHA, icd.ByController, icd.ByUser} {
				for _, shift := range []icd.Seconds{icd.Sec(2), -icd.Sec(2)} {
					check(by+" by "+shift.String(), judge(changed(tl, func(_ int, o icd.Observation) *icd.Observation {
						if o.By == by {
							o.At = max(0, o.At+shift)
						}
						return &o
					}), end+icd.Sec(2)))
				}
			}
			for i, gone := range all {
				if gone.By == icd.ByUser { // a person's words are typed, not heard
					continue
				}
				check("without "+gone.String(), judge(changed(tl, func(j int, o icd.Observation) *icd.Observation {
					if j == i {
						return nil
					}
					return &o
				}), end))
			}
		})
	}
}
