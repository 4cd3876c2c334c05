package scene

import (
	"fmt"
	"slices"
	"strings"

	"threadmap/diag"
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
	room := text.Clean(n.Room)
	if strings.Contains(lines[0], room) {
		room = "" // the name says it
	}
	add(text.Truncate(text.Clean(n.Vendor), 60), text.Truncate(text.Clean(n.Product), 60), text.Truncate(text.Clean(n.Firmware), 40), text.Truncate(room, 60))
	if parent != nil {
		add("child of "+text.Truncate(d.view.Label(parent), 60), unusual(n.ParentConfidence))
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

// linkTitle is what hovering over a link tells. Arrows are the ways over it in the
// order of its names: "→" is what the second hears of the first. How old that is, is
// as it was when it was read.
func (d *drawing) linkTitle(l *topology.Link) string {
	a, b := text.Truncate(d.view.Label(l.A), 60), text.Truncate(d.view.Label(l.B), 60)
	lines := []string{a + " – " + b}
	if l.AToB == l.BToA {
		lines = append(lines, "↔ "+heard(l.AToB))
	} else {
		lines = append(lines, "→ "+heard(l.AToB), "← "+heard(l.BToA))
	}
	var state []string
	if l.State != topology.LinkOK && l.State != "" {
		state = append(state, string(l.State))
	}
	if s := unusual(l.Confidence); s != "" {
		state = append(state, s)
	}
	if age, ok := l.Age.Get(); ok {
		state = append(state, view.For(age)+" old")
	}
	if len(state) > 0 {
		lines = append(lines, strings.Join(state, ", "))
	}
	if s := d.told(l.Evidence); s != "" {
		lines = append(lines, s)
	}
	return strings.Join(lines, "\n")
}

// unusual is a confidence that needs to be told: that both ends agree is what one
// expects.
func unusual(c topology.Confidence) string {
	if c == topology.Confirmed {
		return ""
	}
	return c.String()
}

// heard says what the receiver of one way gets.
func heard(x topology.Direction) string {
	var s []string
	if lq, ok := view.LQ(x); ok {
		s = append(s, fmt.Sprintf("quality %d/3", lq))
	}
	if v, ok := x.RSSI.Get(); ok {
		s = append(s, view.DBm(v))
	} else if v, ok := x.Margin.Get(); ok { // over the noise, of which nobody tells: beside dBm it says the same
		s = append(s, fmt.Sprintf("margin %d dB", v))
	}
	frames, knowFrames := x.FrameError.Get()
	messages, knowMessages := x.MessageError.Get()
	switch {
	case knowFrames && knowMessages && frames.Permille() == 0 && messages.Permille() == 0:
		s = append(s, "nothing lost")
	case knowFrames && knowMessages:
		s = append(s, percent(frames)+" of frames and "+percent(messages)+" of messages lost")
	case knowFrames:
		s = append(s, percent(frames)+" of frames lost")
	case knowMessages:
		s = append(s, percent(messages)+" of messages lost")
	}
	if len(s) == 0 {
		return "not known"
	}
	return strings.Join(s, ", ")
}

func percent(r diag.Rate) string { return strings.Replace(r.String(), ".0%", "%", 1) }
