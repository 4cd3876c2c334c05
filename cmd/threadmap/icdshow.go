package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"threadmap/diag/icd"
	"threadmap/render/timeline"
)

// An icdShow tells what is observed around a device while it is: a line for each
// thing that is worth one, with clock times, and how the chain of links fills. On a
// terminal the chain and what is awaited stand below the lines and are redrawn in
// place; elsewhere what changes of them is a line, too.
//
// Observers call take from their goroutines; all else is for one goroutine.
type icdShow struct {
	w       io.Writer
	columns int // of the terminal; 0: there is none
	newline string
	keys    string              // what can be typed; "": nothing
	say     func(string) string // puts foreign names into words

	mu      sync.Mutex
	waiting []seenAt
	missed  int

	said    map[string]time.Time // what was told, without its time
	recent  []time.Time          // of the last lines
	left    int                  // lines that were left out since the last one
	states  [icd.L10 + 1]icd.State
	awaited map[string]bool
	block   int // lines of the block that stand on the terminal
}

// A seenAt is an observation that was not told yet.
type seenAt struct {
	at time.Time
	o  icd.Observation
}

// Bounds of what peers can make it say.
const (
	maxWaiting  = 2000            // observations between two times of drawing
	maxSaid     = 5000            // texts that are remembered
	sayAgain    = 5 * time.Minute // after which the same is worth a line again
	maxInWindow = 40              // lines in a window
	lineWindow  = 10 * time.Second
)

// newICDShow shows on w; term is $TERM.
func newICDShow(w io.Writer, term string) *icdShow {
	s := &icdShow{w: w, newline: "\n", say: func(s string) string { return s }, said: map[string]time.Time{}, awaited: map[string]bool{}}
	columns, onTerminal := terminalWidth(w)
	if onTerminal && term != "dumb" && colorsWork(w) {
		s.columns = columns
		if columns <= 0 {
			s.columns = 80
		}
	}
	for l := range s.states {
		s.states[l] = icd.Unknown
	}
	return s
}

// take remembers an observation until the next draw. It is an [icd.Observe].
func (s *icdShow) take(at time.Time, o icd.Observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= maxWaiting {
		s.missed++
		return
	}
	s.waiting = append(s.waiting, seenAt{at, o})
}

// draw tells what came since the last time, and how things stand now.
func (s *icdShow) draw(t *icd.Timeline, v *icd.Verdict, now time.Time) {
	s.mu.Lock()
	waiting, missed := s.waiting, s.missed
	s.waiting, s.missed = nil, 0
	s.mu.Unlock()
	s.left += missed
	var b strings.Builder
	teller := timeline.NewTeller(t)
	for _, x := range waiting {
		if line, ok := s.notable(teller, x, now); ok {
			b.WriteString(line + s.newline)
		}
	}
	if s.left > 0 && s.room(now) {
		fmt.Fprintf(&b, "%s  and %s more%s", clock(now), counted(s.left, "observation"), s.newline)
		s.left = 0
	}
	if s.columns == 0 {
		s.changes(&b, t, v, now)
		io.WriteString(s.w, b.String())
		return
	}
	s.clear(&b)
	for _, line := range s.standing(t, v, now) {
		b.WriteString(fitColumns(line, s.columns-1) + s.newline)
		s.block++
	}
	io.WriteString(s.w, b.String())
}

// clear puts what takes the block away before what is in b: lines scroll up, the
// block stays below them.
func (s *icdShow) clear(b *strings.Builder) {
	lines := b.String()
	b.Reset()
	if s.block > 0 {
		fmt.Fprintf(b, "\x1b[%dA", s.block)
	}
	b.WriteString("\r\x1b[J" + lines)
	s.block = 0
}

// tell says a line between the observations.
func (s *icdShow) tell(format string, args ...any) {
	var b strings.Builder
	b.WriteString(clean(fmt.Sprintf(format, args...)) + s.newline)
	if s.columns > 0 {
		s.clear(&b)
	}
	io.WriteString(s.w, b.String())
}

// end takes the block away.
func (s *icdShow) end() {
	if s.columns > 0 {
		var b strings.Builder
		s.clear(&b)
		io.WriteString(s.w, b.String())
	}
}

// notable is the line of an observation, unless the same was said lately.
func (s *icdShow) notable(teller *timeline.Teller, x seenAt, now time.Time) (string, bool) {
	n := teller.Note(&x.o)
	if w, ok := x.o.What.(*icd.Announce); ok && x.o.Event == "goodbye" { // what comes after it is news
		for k := range s.said {
			if strings.HasSuffix(k, "\x00"+w.Instance) {
				delete(s.said, k)
			}
		}
	}
	switch w := x.o.What.(type) {
	case *icd.Read:
		n.Text = "read: " + readWords(w.Values)
	case *icd.Attribute:
		n.Text = attributeSaid(w)
	}
	key := n.Lane.String() + "\x00" + n.Text
	if w, ok := x.o.What.(*icd.Announce); ok {
		key += "\x00" + w.Instance
	}
	if _, told := x.o.What.(*icd.Press); !told {
		if last, again := s.said[key]; again && x.at.Sub(last) < sayAgain {
			return "", false
		}
	}
	if len(s.said) >= maxSaid {
		clear(s.said)
	}
	s.said[key] = x.at
	if !s.room(now) {
		s.left++
		return "", false
	}
	if w, ok := x.o.What.(*icd.Announce); ok {
		if its, ok := strings.CutPrefix(s.say(w.Instance), "its name "); ok {
			n.Text += " " + its
		}
	}
	s.recent = append(s.recent, now)
	line := fmt.Sprintf("%s  %-14s  %s", clock(x.at), n.Lane, clean(s.say(n.Text)))
	if s.columns > 0 {
		line = fitColumns(line, 4*s.columns-1) // it may wrap, but not fill the screen
	}
	return line, true
}

// room reports whether there may be one more line now.
func (s *icdShow) room(now time.Time) bool {
	for len(s.recent) > 0 && now.Sub(s.recent[0]) > lineWindow {
		s.recent = s.recent[1:]
	}
	return len(s.recent) < maxInWindow
}

// changes says, where there is no terminal, what is another since the last time.
func (s *icdShow) changes(b *strings.Builder, t *icd.Timeline, v *icd.Verdict, now time.Time) {
	// What changed alike is one line.
	type change struct {
		links []icd.Link
		words string
	}
	var changed []change
	open := 0
	for _, x := range v.Chain {
		if x.Link < icd.L1 || x.Link > icd.L10 || x.State == s.states[x.Link] {
			continue
		}
		s.states[x.Link] = x.State
		if x.State == icd.Unknown {
			open++
		}
		words := fmt.Sprint(x.State)
		if len(x.Because) > 0 && x.State != icd.Unknown {
			words += ": " + clip(s.say(clocked(x.Because[len(x.Because)-1], clockIn(t))), 120)
		}
		i := slices.IndexFunc(changed, func(c change) bool { return c.words == words })
		if i < 0 {
			i, changed = len(changed), append(changed, change{words: words})
		}
		changed[i].links = append(changed[i].links, x.Link)
	}
	for _, c := range changed {
		switch unknown := c.words == string(icd.Unknown); {
		case unknown && open > 2:
			fmt.Fprintf(b, "%s  %-14s  everything is open again\n", clock(now), "chain")
		case len(c.links) <= 3:
			var titles []string
			for _, l := range c.links {
				titles = append(titles, lower(l.Title()))
			}
			fmt.Fprintf(b, "%s  %-14s  %s, %s\n", clock(now), linkRange(c.links), strings.Join(titles, ", "), c.words)
		default:
			fmt.Fprintf(b, "%s  %-14s  %s\n", clock(now), linkRange(c.links), c.words)
		}
	}
	for _, x := range v.Await {
		until := t.Start.Add(time.Duration(x.NotAfter)).Truncate(time.Second)
		key := x.What + until.Truncate(10*time.Second).String()
		if s.awaited[key] || len(s.awaited) > maxSaid {
			continue
		}
		s.awaited[key] = true
		fmt.Fprintf(b, "%s  %-14s  %s\n", clock(now), "awaited", clean(s.say(awaitWords(t, x))))
	}
}

// linkRange is "L2, L4–L6".
func linkRange(all []icd.Link) string {
	var out []string
	for i := 0; i < len(all); {
		k := i
		for k+1 < len(all) && all[k+1] == all[k]+1 {
			k++
		}
		switch {
		case k == i:
			out = append(out, all[i].String())
		default:
			out = append(out, all[i].String()+"–"+all[k].String())
		}
		i = k + 1
	}
	return strings.Join(out, ", ")
}

// awaitWords say by when something must have happened, as a clock time.
func awaitWords(t *icd.Timeline, x icd.Await) string {
	return fmt.Sprintf("%s: by %s", x.What, clockOrDay(t.Start.Add(time.Duration(x.NotAfter)), t.Start))
}

// stateSigns say with a sign and not only with a color how a link stands.
var stateSigns = map[icd.State]string{icd.Seen: "✔", icd.Broken: "✘", icd.Unknown: "·"}

// standing is the block: the chain in two columns, what is awaited, what can be
// typed.
func (s *icdShow) standing(t *icd.Timeline, v *icd.Verdict, now time.Time) []string {
	cell := func(l icd.Link) string {
		return fmt.Sprintf("%s %-3s %-29s", stateSigns[v.State(l)], l, l.Title())
	}
	out := []string{strings.Repeat("─", min(s.columns-1, 72))}
	if s.columns >= 74 {
		for l := icd.L1; l <= icd.L5; l++ {
			out = append(out, cell(l)+"  "+strings.TrimRight(cell(l+5), " "))
		}
	} else {
		for l := icd.L1; l <= icd.L10; l++ {
			out = append(out, strings.TrimRight(cell(l), " "))
		}
	}
	for i, x := range v.Await {
		if i == 3 {
			out = append(out, fmt.Sprintf("and %d more that are awaited", len(v.Await)-i))
			break
		}
		line := awaitWords(t, x)
		if left := t.Start.Add(time.Duration(x.NotAfter)).Sub(now); left > 0 {
			line += fmt.Sprintf(" (in %s)", ago(left))
		}
		out = append(out, clean(s.say(line)))
	}
	if s.keys != "" {
		out = append(out, s.keys)
	}
	return out
}

// clock is a time of day where the user is.
func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) }

// clockOrDay is clock, with the day where that is another one.
func clockOrDay(t, from time.Time) string {
	if a, b := t.Local(), from.Local(); a.YearDay() != b.YearDay() || a.Year() != b.Year() {
		return a.Format("2006-01-02 15:04:05")
	}
	return clock(t)
}

// fitColumns cuts a line so that it does not wrap. Wide characters count twice.
func fitColumns(s string, columns int) string {
	n := 0
	for i, r := range s {
		w := 1
		if r >= 0x1100 {
			switch {
			case r >= 0x2000 && r < 0x2e80: // punctuation, arrows, lines, signs
			default:
				w = 2
			}
		}
		if n += w; n > columns {
			return s[:i]
		}
	}
	return s
}
