package view

import (
	"fmt"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/topology"
)

// NetworkLabel is what a drawing calls a network.
func NetworkLabel(n *topology.Network) string {
	if n == nil {
		return "Network not known"
	}
	if s := text.Clean(n.Name); s != "" {
		return s
	}
	if n.ExtPANID != 0 {
		return "Network " + n.ExtPANID.String()
	}
	return "Unnamed network"
}

// Name is the heading of a group.
func (g *Group) Name() string {
	s := NetworkLabel(g.Network)
	if id, ok := g.Partition.Get(); ok && g.Split {
		return fmt.Sprintf("%s, partition %d", s, id)
	}
	if g.Split {
		return s + ", partition not known"
	}
	return s
}

// Nodes counts the devices of the group, ghosts left out and those that may be
// one device counted once, and its border routers.
func (g *Group) Nodes() (devices, borderRouters int) {
	count := func(n *topology.Node) {
		if n.State == topology.NodeGhost {
			return
		}
		devices++
		if n.BorderRouter.Or(false) {
			borderRouters++
		}
	}
	for _, h := range g.Hubs {
		count(h.Node)
		for _, c := range h.Children {
			count(c)
		}
	}
	for _, n := range g.Loose {
		count(n)
	}
	return devices - g.Overlap(), borderRouters
}

// LooseName is the heading of the group's Loose.
func (g *Group) LooseName() string {
	s := "place in the mesh not known"
	switch n := g.Overlap(); {
	case n == 1:
		s += "; one of them may be the child without an address above"
	case n > 1:
		s += fmt.Sprintf("; %d of them may be the children without an address above", n)
	}
	return s
}

// Role says in words what a node is; "" where that is not known.
func Role(n *topology.Node) string {
	var s []string
	if n.BorderRouter.Or(false) {
		s = append(s, "border router")
	}
	switch n.Role {
	case diag.RoleLeader:
		s = append(s, "leader")
	case diag.RoleRouter:
		if s == nil {
			s = append(s, "router")
		}
	case diag.RoleREED:
		s = append(s, "router-eligible")
	case diag.RoleEndDevice:
		s = append(s, "end device")
	case diag.RoleSleepyEndDevice:
		s = append(s, "sleepy")
	case diag.RoleDetached:
		s = append(s, "detached")
	default:
		if s == nil && n.RLOC16.IsRouter() {
			s = append(s, "router")
		}
	}
	return strings.Join(s, ", ")
}

// A Grade is a link's quality in one word.
type Grade uint8

// The grades, worst first. GradeUnknown says nothing about the link.
const (
	GradeUnknown Grade = iota
	GradeNone          // quality 0
	GradeWeak          // quality 1
	GradeFair          // 2
	GradeGood          // 3
)

// String is the word that drawings use.
func (g Grade) String() string {
	return [...]string{"not known", "none", "weak", "fair", "good"}[min(g, GradeGood)]
}

// LQ is the quality of a direction, 0..3; out of that range is unknown.
func LQ(d topology.Direction) (lq uint8, known bool) {
	lq, known = d.LQ.Get()
	return lq, known && lq <= 3
}

// LQText is the quality as one character, "-" for unknown.
func LQText(d topology.Direction) string {
	if lq, ok := LQ(d); ok {
		return string('0' + rune(lq))
	}
	return "-"
}

// Quality grades a direction: by its link quality, else by its margin with the
// thresholds that make one the other (over 20, 10 and 2 dB).
func Quality(d topology.Direction) Grade {
	if lq, ok := LQ(d); ok {
		return GradeNone + Grade(lq)
	}
	m, ok := d.Margin.Get()
	switch {
	case !ok:
		return GradeUnknown
	case m > 20:
		return GradeGood
	case m > 10:
		return GradeFair
	case m > 2:
		return GradeWeak
	}
	return GradeNone
}

// Worst grades a link by its worse direction; one that nobody told of does not
// count. A link is as good as that: both ways are needed for each frame.
func Worst(l *topology.Link) Grade {
	if l == nil {
		return GradeUnknown
	}
	a, b := Quality(l.AToB), Quality(l.BToA)
	if a == GradeUnknown || b == GradeUnknown {
		return max(a, b)
	}
	return min(a, b)
}

// LinkWord is one word on a link: its state where that says more than its
// grade, "" for nothing known.
func LinkWord(l *topology.Link) string {
	if l == nil {
		return ""
	}
	switch l.State {
	case topology.LinkOneWay, topology.LinkDying, topology.LinkDead, topology.LinkStale:
		return string(l.State)
	}
	switch g := Worst(l); g {
	case GradeUnknown:
		return ""
	case GradeNone:
		return "weak"
	default:
		return g.String()
	}
}

// LinkRSSI is the weaker of the signals at both ends, in dBm.
func LinkRSSI(l *topology.Link) (dbm int8, known bool) {
	if l == nil {
		return 0, false
	}
	a, okA := l.AToB.RSSI.Get()
	b, okB := l.BToA.RSSI.Get()
	switch {
	case okA && okB:
		return min(a, b), true
	case okA:
		return a, true
	}
	return b, okB
}

// DBm prints a signal with a real minus sign.
func DBm(v int8) string {
	if v < 0 {
		return fmt.Sprintf("−%d dBm", -int(v))
	}
	return fmt.Sprintf("%d dBm", v)
}

// Ago says how long before ref t was, "" where either is not known.
func Ago(t, ref time.Time) string {
	if t.IsZero() || ref.IsZero() {
		return ""
	}
	return For(ref.Sub(t)) + " ago"
}

// For says how long a time is, roughly: one unit.
func For(d time.Duration) string {
	switch {
	case d < time.Second:
		return "a moment"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// SourceName is a source in the words of people.
func SourceName(s string) string {
	switch s {
	case "dnssd", "mdns":
		return "mDNS"
	case "otbr":
		return "OTBR"
	case "thread":
		return "border agent"
	case "homeassistant", "home-assistant":
		return "Home Assistant"
	case "matter":
		return "Matter"
	case "matterserver", "matter-server":
		return "Matter server"
	case "dump":
		return "file"
	case "names":
		return "your names file"
	}
	return text.Clean(s)
}
