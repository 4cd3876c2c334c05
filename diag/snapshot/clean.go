package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"threadmap/diag"
)

// Bounds of a scan in a file, above anything a home or a campus gives. The
// design's largest map, 16,000 nodes heard by six sources each, has 96,000
// reports.
const (
	maxReports  = 1 << 17
	maxProblems = 4096
	maxSources  = 1024

	// maxWeight bounds the memory that a file's reports take, in units of about
	// 40 octets: a file of 256 MiB could otherwise unfold to many times that.
	maxWeight     = 1 << 24
	weightReport  = 64
	weightRow     = 8
	weightElement = 1

	maxRows     = 1024 // of one list; the limit of diag.CBORDecoding
	maxWord     = 64   // octets: a source's name
	maxName     = 512  // names of devices, rooms, networks, hosts
	maxLine     = 2048 // problems, hints, URLs
	maxNetData  = 1024 // Thread network data is at most 255 octets
	maxDuration = 100 * 366 * 24 * time.Hour
)

// clean returns a copy of a scan that a file can hold. It shares with s what
// it did not change.
func clean(s *diag.Scan) *diag.Scan {
	c, k := *s, &cleaner{}
	c.Sources = every(k, c.Sources, "source", k.source)
	c.Reports = every(k, c.Reports, "report", k.report)
	c.Problems = every(k, c.Problems, "problem", k.problem)
	k.scan(&c)
	return &c
}

func every[T any](k *cleaner, list []T, what string, keep func(*T) bool) []T {
	out := make([]T, 0, len(list))
	for i, v := range list {
		k.enter(what, i)
		if k.full() {
			k.tooMany(len(list) - i)
			break
		}
		if keep(&v) {
			out = append(out, v)
		}
	}
	return out
}

// A cleaner holds values against the vocabulary. It remembers, by kind of
// fault, what it left out.
type cleaner struct {
	own    bool // the lists are ours and may be changed in place
	what   string
	nth    int
	weight int
	faults []*fault
	byText map[string]*fault
}

type fault struct {
	text  string
	where string // the first
	count int
	lost  bool // a whole item is missing, not a value of it
}

// enter says which item of the scan is being looked at.
func (k *cleaner) enter(what string, i int) { k.what, k.nth = what, i+1 }

// full reports whether another item of the kind just entered is too many.
func (k *cleaner) full() bool {
	switch k.what {
	case "report":
		return k.nth > maxReports || k.weight >= maxWeight
	case "source":
		return k.nth > maxSources
	}
	return k.nth > maxProblems
}

// tooMany notes that n items of the kind just entered don't fit.
func (k *cleaner) tooMany(n int) { k.lost(k.what+" beyond what a snapshot may hold", n) }

// odd notes a value that has become unknown.
func (k *cleaner) odd(text string) { k.note(text, 1, false) }

// lost notes items that are left out.
func (k *cleaner) lost(text string, n int) { k.note(text, n, true) }

func (k *cleaner) note(text string, n int, lost bool) {
	f := k.byText[text]
	if f == nil {
		f = &fault{text: text, where: fmt.Sprintf("%s %d", k.what, k.nth), lost: lost}
		if k.byText == nil {
			k.byText = map[string]*fault{}
		}
		k.byText[text] = f
		k.faults = append(k.faults, f)
	}
	f.count += n
}

// scan cleans what is left of a scan when its lists are done, and adds the
// problems of the cleaning to it.
func (k *cleaner) scan(s *diag.Scan) {
	k.enter("scan", 0)
	s.From, s.To = k.time(s.From), k.time(s.To)
	s.Probe = k.name(s.Probe, maxName)
	if s.Reports == nil {
		s.Reports = []diag.Report{}
	}
	if len(s.Sources) == 0 {
		s.Sources = nil
	}
	if over := len(s.Problems) + len(k.faults) - maxProblems; over > 0 && len(k.faults) > 0 {
		k.lost("problem beyond the first of them", over+1)
		over = len(s.Problems) + len(k.faults) - maxProblems
		s.Problems = s.Problems[:len(s.Problems)-over]
	}
	for _, f := range k.faults {
		what := "taken as unknown"
		if f.lost {
			what = "left out"
		}
		s.Problems = append(s.Problems, diag.Problem{
			Source: "snapshot", Target: f.where, Stage: diag.StageParse,
			Text: fmt.Sprintf("%s: %d %s", f.text, f.count, what), Partial: f.lost,
		})
	}
	if len(s.Problems) == 0 {
		s.Problems = nil
	}
}

func (k *cleaner) source(v *diag.SourceState) bool {
	v.Name, v.Via = k.name(v.Name, maxWord), k.name(v.Via, maxLine)
	v.Hint = k.line(v.Hint)
	switch v.State {
	case diag.StateAnswered, diag.StateFailed, diag.StateSkipped:
	default:
		k.lost("source in an unknown state", 1)
		return false
	}
	if v.Name == "" {
		k.lost("source without a name", 1)
	}
	return v.Name != ""
}

func (k *cleaner) problem(v *diag.Problem) bool {
	v.Source = k.name(v.Source, maxWord)
	v.Target, v.Text, v.Hint = k.line(v.Target), k.line(v.Text), k.line(v.Hint)
	switch v.Stage {
	case diag.StageResolve, diag.StageConnect, diag.StageHandshake, diag.StageAsk, diag.StageParse:
	default: // the text matters more than how far the probe came
		k.odd("unknown stage of a problem")
		v.Stage = diag.StageAsk
	}
	return true
}

// name is a text that identifies or is shown as a name: whole, or not at all,
// since two different names cut short could become one.
func (k *cleaner) name(s string, most int) string {
	switch {
	case len(s) > most:
		k.odd(fmt.Sprintf("text of more than %d bytes", most))
	case !utf8.ValidString(s):
		k.odd("text that is no UTF-8")
	default:
		return s
	}
	return ""
}

// line is a text for people: cut and mended.
func (k *cleaner) line(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if len(s) > maxLine {
		end := maxLine - len("…")
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return s
}

// time keeps the times that RFC 3339 can write, in UTC and without a monotonic
// clock reading.
func (k *cleaner) time(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	t = t.UTC().Round(0)
	if y := t.Year(); y < 1 || y > 9999 {
		k.odd("time outside the years 1 to 9999")
		return time.Time{}
	}
	return t
}

// duration keeps spans of time from none to a century.
func (k *cleaner) duration(d *diag.Opt[time.Duration]) {
	if v, known := d.Get(); known && (v < 0 || v > maxDuration) {
		k.odd("span of time below zero or above a century")
		*d = diag.Opt[time.Duration]{}
	}
}

// most keeps values up to a largest one.
func most[T cmp.Ordered](k *cleaner, o *diag.Opt[T], largest T, text string) {
	if v, known := o.Get(); known && v > largest {
		k.odd(text)
		*o = diag.Opt[T]{}
	}
}

// list keeps the elements that keep says true to. A list of which nothing is
// left is unknown: empty would say that there is none.
func list[T any](k *cleaner, in []T, weight int, keep func(*T) bool) []T {
	if in == nil {
		return nil
	}
	out := in[:0]
	if !k.own {
		out = make([]T, 0, min(len(in), maxRows))
	}
	for i := range in {
		if i == maxRows {
			k.lost(fmt.Sprintf("element beyond the first %d of a list", maxRows), len(in)-i)
			break
		}
		v := in[i]
		if keep(&v) {
			out = append(out, v)
		}
	}
	k.weight += weight * len(out)
	if len(out) == 0 && len(in) > 0 {
		return nil
	}
	return slices.Clip(out)
}
