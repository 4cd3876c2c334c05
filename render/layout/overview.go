package layout

import (
	"fmt"
	"strings"

	"threadmap/render/internal/view"
	"threadmap/topology"
)

// From so many networks on a picture begins with an overview, which has at
// most so many rows.
const (
	manyPanels      = 3
	maxOverviewRows = 24
)

// overview is a panel with a line for each of the others, where there are many
// networks; else nil.
func overview(groups []*view.Group) *Panel {
	networks := map[*topology.Network]bool{}
	for _, g := range groups {
		if g.Network != nil {
			networks[g.Network] = true
		}
	}
	if len(networks) < manyPanels {
		return nil
	}
	p := &Panel{Name: fmt.Sprintf("%d Thread networks", len(networks)), Facts: "each is a mesh of its own"}
	names, wide := 0, boldRoom(p.Name, PanelFont)
	wide = max(wide, textRoom(p.Facts, SmallFont))
	for i, g := range groups {
		if i == maxOverviewRows && len(groups) > i+1 {
			p.Rows = append(p.Rows, Row{Name: fmt.Sprintf("and %d more", len(groups)-i)})
			break
		}
		p.Rows = append(p.Rows, Row{Name: fit(g.Name(), ItemFont, 300*Px), Facts: facts(g) + troubles(g)})
	}
	for _, r := range p.Rows {
		names = max(names, whole(textRoom(r.Name, ItemFont)))
	}
	y := panelHead + 10*Px
	for i := range p.Rows {
		r := &p.Rows[i]
		r.At, r.FactsX = Point{panelPad, y}, panelPad+names+columnGap
		wide = max(wide, names+columnGap+textRoom(r.Facts, SmallFont))
		y += rowHeight
	}
	p.Box = Rect{W: whole(wide) + 2*panelPad, H: y - rowHeight + 10*Px + panelPad}
	return p
}

// troubles counts the links of a group that are not as they should be.
func troubles(g *view.Group) string {
	words := map[string]int{}
	for _, h := range g.Hubs {
		for _, l := range h.Links {
			if l.A == h.Node {
				words[view.LinkWord(l)]++
			}
		}
	}
	var s strings.Builder
	for _, w := range [...]string{"weak", "one-way", "dying"} {
		if n := words[w]; n > 0 {
			s.WriteString(" · " + plural(n, w+" link"))
		}
	}
	return s.String()
}
