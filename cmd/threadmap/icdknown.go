package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// writeKnown says what is known of the device before it is watched.
func (w *icdWatch) writeKnown(out io.Writer) error {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "  %-11s %s\n", what, clean(fmt.Sprintf(format, args...)))
	}
	s := surroundings(w.home.doc.Map, w.home.scan)
	s.own = w.home.ownFabric()
	d := s.sleeper(w.node)
	n := w.node
	fmt.Fprintf(&b, "%s\n", clean(w.name()))
	if what := strings.TrimSpace(n.Vendor + " " + n.Product); what != "" {
		if n.Firmware != "" {
			what += ", firmware " + n.Firmware
		}
		line("device", "%s", what)
	}
	switch text(d.Mode) {
	case "sit":
		line("sleeps", "short idle time: it can be reached within 15 s")
	case "lit":
		line("sleeps", "long idle time: it can be reached only when it wakes; then it checks in with who is registered")
	default:
		line("sleeps", "how is not known")
	}
	if i := intervals(&d); i != "?" {
		line("intervals", "idle/active %s", i)
	}
	wakes := w.wakes()
	for i, s := range wakes {
		line([]string{"to wake it", ""}[min(i, 1)], "%s", s)
	}
	if len(wakes) == 0 {
		line("to wake it", "it does not tell; a press of its button, or its battery taken out, does")
	}
	parent := "not known"
	if d.Parent != nil {
		parent = cmp.Or(text(d.ParentName), *d.Parent)
		if d.LQ != nil {
			parent += fmt.Sprintf(", link quality %d", *d.LQ)
		}
		if !d.heard.IsZero() {
			parent += ", heard " + ago(w.home.scan.To.Sub(d.heard)) + " before the scan"
		}
	}
	line("parent", "%s", parent)
	if len(d.Fabrics) == 0 {
		line("on it", "its controllers are not known")
	}
	for i, f := range d.Fabrics {
		line([]string{"on it", ""}[min(i, 1)], "%s, as node %s", cmp.Or(text(f.Name), text(f.Fabric), "the fabric of who told it"), f.Node)
	}
	if d.Registered != nil {
		line("registered", "%s for its Check-Ins, of those that were told", counted(int(*d.Registered), "client"))
	}
	line("health", "%s: %s", d.Health, d.Why)
	_, err := io.WriteString(out, b.String()+"\n")
	return err
}
