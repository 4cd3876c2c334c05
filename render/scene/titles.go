package scene

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// nodeTitle is what hovering over a node tells: who it is, how it is, and who
// says so.
func (d *drawing) nodeTitle(n, parent *topology.Node) string {
	lines := []string{text.Truncate(d.view.Label(n), 80)}
	add := func(parts ...string) {
		parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
		if len(parts) > 0 {
			lines = append(lines, strings.Join(parts, ", "))
		}
	}
	rloc := ""
	if n.RLOC16.Known() {
		rloc = n.RLOC16.String()
	}
	add(view.Role(n), rloc, n.ExtAddr.String())
	add(text.Truncate(text.Clean(n.Vendor), 60), text.Truncate(text.Clean(n.Product), 60), text.Truncate(text.Clean(n.Firmware), 40), text.Truncate(text.Clean(n.Room), 60))
	if parent != nil {
		add("child of "+text.Truncate(d.view.Label(parent), 60), n.ParentConfidence.String())
	}
	if n.State != topology.NodeOK && n.State != "" {
		s := string(n.State)
		if n.State == topology.NodeUnknown {
			s = "not much is known"
		}
		if n.Why != "" {
			s += ": " + text.Truncate(text.Clean(n.Why), 200)
		}
		add(s)
	}
	if k := len(n.Conflicts); k > 0 {
		s := "statements disagree about " + text.Truncate(text.Clean(n.Conflicts[0].About), 40)
		if k > 1 {
			s += fmt.Sprintf(" and %d more", k-1)
		}
		add(s)
	}
	add(d.told(n.Evidence))
	return strings.Join(lines, "\n")
}

func (d *drawing) linkTitle(l *topology.Link) string {
	a, b := text.Truncate(d.view.Label(l.A), 60), text.Truncate(d.view.Label(l.B), 60)
	lines := []string{a + " – " + b}
	if l.AToB == l.BToA {
		lines = append(lines, hears("both", l.AToB))
	} else {
		lines = append(lines, hears(b, l.AToB), hears(a, l.BToA))
	}
	state := "link " + string(l.State)
	if c := l.Confidence.String(); c != "" {
		state += ", " + c
	}
	if age, ok := l.Age.Get(); ok {
		state += ", heard " + view.For(age) + " before it was read"
	}
	lines = append(lines, state)
	if s := d.told(l.Evidence); s != "" {
		lines = append(lines, s)
	}
	return strings.Join(lines, "\n")
}

// hears says what one end receives of the other.
func hears(who string, x topology.Direction) string {
	var s []string
	if lq, ok := view.LQ(x); ok {
		s = append(s, fmt.Sprintf("quality %d of 3", lq))
	}
	if v, ok := x.RSSI.Get(); ok {
		s = append(s, view.DBm(v))
	}
	if v, ok := x.Margin.Get(); ok {
		s = append(s, fmt.Sprintf("margin %d dB", v))
	}
	if v, ok := x.FrameError.Get(); ok {
		s = append(s, v.String()+" of frames lost")
	}
	if v, ok := x.MessageError.Get(); ok {
		s = append(s, v.String()+" of messages lost")
	}
	if len(s) == 0 {
		s = []string{"not known"}
	}
	verb := " hears: "
	if who == "both" {
		verb = " hear: "
	}
	return who + verb + strings.Join(s, ", ")
}

// told sums evidence up: each source, how often and how long ago.
func (d *drawing) told(l []topology.Evidence) string {
	type voice struct {
		source string
		n      int
		last   time.Time
	}
	var all []voice
	for _, e := range l {
		i := slices.IndexFunc(all, func(v voice) bool { return v.source == e.Source })
		if i < 0 {
			if len(all) == 12 {
				continue // a hostile file may name any number of sources
			}
			all, i = append(all, voice{source: e.Source}), len(all)
		}
		all[i].n++
		if e.At.After(all[i].last) {
			all[i].last = e.At
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.SortFunc(all, func(a, b voice) int { return cmp.Compare(a.source, b.source) })
	var s []string
	for _, v := range all {
		w := text.Truncate(view.SourceName(v.source), 40)
		if v.n > 1 {
			w += fmt.Sprintf(" %d×", v.n)
		}
		if ago := view.Ago(v.last, d.at); ago != "" {
			w += " " + ago
		}
		s = append(s, w)
	}
	return "told by " + strings.Join(s, ", ")
}
