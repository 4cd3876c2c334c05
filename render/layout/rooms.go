package layout

import (
	"slices"
	"strings"

	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// Rooms show as tinted areas (package areas). What that needs of the layout is
// here: the children of a hub stand in the order of their rooms, and a column of
// rows has room for the names of those behind it.

// MaxRoomed is up to how many nodes a map shows its rooms. A larger picture is
// looked at from afar, where areas are specks and names can't be read.
const MaxRoomed = 400

const tagWidth = 110 * Px // of the name of a room, at most

// roomOf is the room of a node, "" where it is not known or not shown.
func roomOf(v *view.View, n *topology.Node) string {
	if n.Room == "" || len(v.Map.Nodes) > MaxRoomed {
		return ""
	}
	return text.Clean(n.Room)
}

// byRoom sets the children of a hub in the order of their rooms: those of one
// room side by side, in the order that they had; the room of the hub itself in
// the middle, where its trunk arrives. All lines go from there to rows of their
// own, so no order crosses more of them than another.
func byRoom(v *view.View, h *view.Hub) []*topology.Node {
	groups := sorted(v, h.Children)
	if len(groups) < 2 {
		return h.Children
	}
	home := roomOf(v, h.Node)
	own := slices.IndexFunc(groups, func(g []*topology.Node) bool { return home != "" && roomOf(v, g[0]) == home })
	if own < 0 {
		return slices.Concat(groups...)
	}
	half := (len(h.Children) - len(groups[own]) + 1) / 2
	if len(h.Children) > maxRows { // in columns: the trunk ends at the first
		half = 0
	}
	var before, after []*topology.Node
	for i, g := range groups {
		switch {
		case i == own:
		case len(before)+len(g) <= half:
			before = append(before, g...)
		default:
			after = append(after, g...)
		}
	}
	return slices.Concat(before, groups[own], after)
}

// sorted sets nodes apart by room: the rooms, and the nodes of each, in the order
// that they had.
func sorted(v *view.View, nodes []*topology.Node) [][]*topology.Node {
	if !slices.ContainsFunc(nodes, func(n *topology.Node) bool { return roomOf(v, n) != "" }) {
		return [][]*topology.Node{nodes}
	}
	at := map[string]int{} // room -> its place in groups
	var groups [][]*topology.Node
	for _, n := range nodes {
		room := roomOf(v, n)
		i, ok := at[room]
		if !ok {
			i = len(groups)
			at[room] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], n)
	}
	return groups
}

// Tagged reports whether rows of one room, beside each other, have its name behind
// them: two and more have, one only where its own name does not say it.
func Tagged(rows []Item) bool {
	return len(rows) > 1 || len(rows) == 1 && !says(rows[0].Name, rows[0].Room)
}

// says reports whether a label names a room.
func says(label, room string) bool {
	return strings.Contains(strings.ToLower(label), strings.ToLower(room))
}

// Runs visits the rows of each room that stand beside each other.
func Runs(items []Item, visit func(rows []Item)) {
	for i := 0; i < len(items); {
		k := i + 1
		for k < len(items) && items[k].Room == items[i].Room {
			k++
		}
		if items[i].Room != "" {
			visit(items[i:k])
		}
		i = k
	}
}

// Tag is the name of a room as it stands behind rows.
func Tag(room string) string { return fit(room, SmallFont*11/10, tagWidth) }

// tagRoom is how much room the names of rooms need behind these rows.
func tagRoom(items []Item) int {
	w := 0
	Runs(items, func(rows []Item) {
		if Tagged(rows) {
			w = max(w, 2*textGap+whole(boldRoom(Tag(rows[0].Room), SmallFont)))
		}
	})
	return w
}
