package render

import (
	"strings"

	"threadmap/render/internal/text"
)

type paint string

const (
	bold   paint = "1"
	dim    paint = "2"
	red    paint = "31"
	yellow paint = "33"
	green  paint = "32"
)

func (t *tree) paint(p paint, s string) string {
	if !t.o.Color || s == "" || p == "" {
		return s
	}
	return "\x1b[" + string(p) + "m" + s + "\x1b[0m"
}

func (t *tree) line(s string) {
	t.b.WriteString(strings.TrimRight(s, " "))
	t.b.WriteByte('\n')
}

// minLinkColumns is the least room beside a node in which its links are set;
// where there is less they go below it.
const minLinkColumns = 38

// entry writes a node's line, its notes behind it or, where they don't fit,
// below it.
func (t *tree) entry(line, below, notes string) {
	switch {
	case notes == "":
		t.line(line)
	case t.o.Width < 0 || shown(line)+2+shown(notes) <= t.o.Width:
		t.line(line + "  " + notes)
	default:
		t.line(line)
		t.flow(below, below, " ", strings.Split(notes, " "))
	}
}

// prose writes a sentence on as many lines as the terminal needs.
func (t *tree) prose(indent string, p paint, s string) {
	if t.o.Width < 0 {
		t.line(indent + t.paint(p, s))
		return
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		words[i] = t.paint(p, w)
	}
	t.flow(indent, indent, " ", words)
}

// wrap writes items separated by commas behind first, on as many lines as the
// terminal needs, the later ones indented.
func (t *tree) wrap(first, indent string, items []string) {
	for i := range items[:len(items)-1] {
		items[i] += ","
	}
	t.flow(first, indent, " ", items)
}

func (t *tree) flow(first, indent, between string, items []string) {
	var line strings.Builder
	line.WriteString(first)
	used, fresh := shown(first), true
	for _, s := range items {
		w := shown(s)
		if !fresh && t.o.Width > 0 && used+len(between)+w > t.o.Width {
			t.line(line.String())
			line.Reset()
			line.WriteString(indent)
			used, fresh = shown(indent), true
		}
		if !fresh {
			line.WriteString(between)
			used += len(between)
		}
		line.WriteString(s)
		used, fresh = used+w, false
	}
	t.line(line.String())
}

// total is the room that items take on one line.
func total(items []string) int {
	n := 0
	for _, s := range items {
		n += shown(s) + 2
	}
	return n
}

// shown counts the columns of text that may hold colours of ours.
func shown(s string) int {
	n := 0
	for {
		i := strings.IndexByte(s, 0x1b)
		if i < 0 {
			return n + text.Columns(s)
		}
		n += text.Columns(s[:i])
		end := strings.IndexByte(s[i:], 'm')
		if end < 0 { // no colour of ours
			return n
		}
		s = s[i+end+1:]
	}
}
