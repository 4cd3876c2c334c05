package scene

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/render/layout"
	"threadmap/topology"
)

const (
	// fewSources are named in every title. More would make up most of a file: they
	// get numbers, and the legend names them once.
	fewSources = 2
	// maxSources is how many get numbers: a hostile file may name any number.
	maxSources = 12
)

// sourceNumbers numbers the sources of what is drawn, in the order of their names.
// There are none where the sources are few.
func sourceNumbers(v *view.View) (names []string, numbers map[string]int) {
	seen := map[string]bool{}
	note := func(l []topology.Evidence) {
		for _, e := range l {
			if !seen[e.Source] && len(seen) < maxSources {
				seen[e.Source] = true
				if s := sourceName(e.Source); !slices.Contains(names, s) {
					names = append(names, s)
				}
			}
		}
	}
	for _, n := range v.Map.Nodes {
		note(n.Evidence)
	}
	for _, l := range v.Map.Links {
		note(l.Evidence)
	}
	if len(names) <= fewSources {
		return nil, nil
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	})
	numbers = map[string]int{}
	for i, s := range names {
		numbers[s] = i + 1
	}
	return names, numbers
}

func sourceName(s string) string { return text.Truncate(view.SourceName(s), 40) }

// told sums evidence up: all sources, by name or by number, and how long ago the
// last of them spoke.
func (d *drawing) told(l []topology.Evidence) string {
	var names []string
	var numbers []int
	var last time.Time
	for _, e := range l {
		if e.At.After(last) {
			last = e.At
		}
		s := sourceName(e.Source)
		if n, ok := d.numbers[s]; ok {
			if !slices.Contains(numbers, n) {
				numbers = append(numbers, n)
			}
		} else if len(names) < maxSources && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	slices.Sort(names)
	slices.Sort(numbers)
	all := append(spans(numbers), names...)
	if len(all) == 0 {
		return ""
	}
	ago := view.Ago(last, d.at)
	if ago != "" && len(numbers) > 0 {
		ago = "," + " " + ago // two numbers side by side would be read as one
	} else if ago != "" {
		ago = " " + ago
	}
	return "told by " + strings.Join(all, ", ") + ago
}

// spans writes sorted numbers, three and more in a row as "1–3".
func spans(l []int) (out []string) {
	for i := 0; i < len(l); {
		k := i
		for k+1 < len(l) && l[k+1] == l[k]+1 {
			k++
		}
		if k-i >= 2 {
			out = append(out, fmt.Sprintf("%d–%d", l[i], l[k]))
			i = k + 1
			continue
		}
		out = append(out, strconv.Itoa(l[i]))
		i++
	}
	return out
}

// sourceList names the numbers of the sources, below the legend. It returns the
// lower edge.
func (d *drawing) sourceList(x, y, width int) (Group, int) {
	var s []string
	for i, name := range d.sources {
		s = append(s, fmt.Sprintf("%d %s", i+1, name))
	}
	line := text.Fit("told by: "+strings.Join(s, ", "), width*text.Em/layout.SmallFont)
	return Group{Class: "legend", Shapes: []Shape{label("small", line, x, y+14*px, Start)}}, y + 20*px
}
