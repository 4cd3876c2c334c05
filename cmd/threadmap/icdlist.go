package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"threadmap/diag"
	"threadmap/diag/dnssd"
	"threadmap/diag/homeassistant"
	"threadmap/diag/matterserver"
	"threadmap/diag/otbr"
	"threadmap/diag/tmf"
	"threadmap/topology"
)

// What is said of a sleepy device, worst first. Nothing is said that nobody told.
const (
	healthNoParent    = "no parent knows it"
	healthAnnounced   = "announced but no parent"
	healthUnannounced = "not announced: lease ran out"
	healthUnknown     = "unknown"
	healthOK          = "ok"
)

var healths = []string{healthNoParent, healthAnnounced, healthUnannounced, healthUnknown, healthOK}

// A sleeper is a sleepy device as a scan tells of it. Null is what nobody told.
type sleeper struct {
	ID      string  `json:"id"`
	Name    *string `json:"name"`
	Room    *string `json:"room"`
	Network *string `json:"network"`

	Mode      *string  `json:"mode"` // "sit", "lit"
	IdleS     *float64 `json:"idle_s"`
	ActiveMS  *int64   `json:"active_ms"`
	Threshold *int64   `json:"active_threshold_ms"`

	Parent     *string `json:"parent"` // id
	ParentName *string `json:"parent_name"`
	LQ         *uint8  `json:"lq"`   // of what the parent receives
	RSSI       *int8   `json:"rssi"` // at the parent
	LastHeard  *string `json:"last_heard"`

	Fabrics    []fabricOf `json:"fabrics"`
	Registered *uint16    `json:"registered_clients"`

	Health string `json:"health"`
	Why    string `json:"why"`

	heard time.Time
}

// A fabricOf is a controller's network that a device is on.
type fabricOf struct {
	Fabric *string `json:"fabric"`
	Node   string  `json:"node_id"`
	Name   *string `json:"name"`
}

// A sleepersDoc lists the sleepy devices of a scan, the worst first.
type sleepersDoc struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Scanned scanTimes `json:"scanned"`
	Devices []sleeper `json:"devices"`
	// WouldAdd says what one more credential would add.
	WouldAdd []string `json:"would_add"`
}

type scanTimes struct {
	From *string `json:"from"`
	To   *string `json:"to"`
}

func rfc3339(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Format(time.RFC3339Nano))
}

// sleepers makes the list. own names threadmap's own fabric, 0: there is none.
func sleepers(m *topology.Map, scan *diag.Scan, own uint64) sleepersDoc {
	doc := sleepersDoc{Format: "threadmap-icd-list", Version: 1, Scanned: scanTimes{rfc3339(scan.From), rfc3339(scan.To)}, Devices: []sleeper{}, WouldAdd: []string{}}
	s := surroundings(m, scan)
	s.own = own
	for _, n := range m.Nodes {
		if isSleepy(n) {
			doc.Devices = append(doc.Devices, s.sleeper(n))
		}
	}
	slices.SortStableFunc(doc.Devices, func(a, b sleeper) int {
		return cmp.Or(cmp.Compare(slices.Index(healths, a.Health), slices.Index(healths, b.Health)), cmp.Compare(text(a.Name), text(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	doc.WouldAdd = s.wouldAdd(doc.Devices)
	return doc
}

// isSleepy reports whether a node is known to sleep: its radio's mode says so, or
// it has the cluster of intermittently connected devices.
func isSleepy(n *topology.Node) bool {
	if n.Role.Routes() || n.BorderRouter.Or(false) || n.State == topology.NodeGhost {
		return false
	}
	if mode, known := n.Mode.Get(); known && mode.RxOnWhenIdle {
		return false
	}
	if n.Role == diag.RoleSleepyEndDevice {
		return true
	}
	x, known := n.ICD.Get()
	return known && (x.LIT.Known() || x.IdleModeDuration.Known() || x.FeatureMap.Known())
}

// A neighborhood is what a whole scan tells of each device in it.
type neighborhood struct {
	scan  *diag.Scan
	own   uint64
	links map[*topology.Node][]*topology.Link
	// asked are networks of which every router gave its child table.
	asked map[*topology.Network]bool
	// listened are networks of which devices were heard by mDNS.
	listened map[*topology.Network]bool
}

func surroundings(m *topology.Map, scan *diag.Scan) *neighborhood {
	s := &neighborhood{scan: scan, links: map[*topology.Node][]*topology.Link{}, asked: map[*topology.Network]bool{}, listened: map[*topology.Network]bool{}}
	for _, l := range m.Links {
		s.links[l.A] = append(s.links[l.A], l)
		s.links[l.B] = append(s.links[l.B], l)
	}
	silent := map[*topology.Network]bool{}
	for _, n := range m.Nodes {
		if n.Network == nil {
			continue
		}
		if n.Role.Routes() && n.State != topology.NodeGhost {
			s.asked[n.Network] = true
			silent[n.Network] = silent[n.Network] || !n.ChildTable
		}
		if !n.BorderRouter.Or(false) && isAnnounced(n) {
			s.listened[n.Network] = true
		}
	}
	for n := range silent {
		s.asked[n] = s.asked[n] && !silent[n]
	}
	return s
}

// featureLongIdle is feature LITS of ICD Management.
const featureLongIdle = 1 << 2

// isAnnounced reports whether mDNS tells of a node.
func isAnnounced(n *topology.Node) bool {
	return slices.ContainsFunc(n.Reports, func(r *diag.Report) bool { return r.Source == dnssd.Name })
}

func (s *neighborhood) sleeper(n *topology.Node) sleeper {
	d := sleeper{ID: n.ID, Name: word(n.Name), Room: word(n.Room), Fabrics: []fabricOf{}}
	if n.Network != nil {
		d.Network = word(cmp.Or(n.Network.Name, n.Network.ID))
	}
	if x, known := n.ICD.Get(); known {
		if lit, known := x.LIT.Get(); known {
			d.Mode = new(map[bool]string{true: "lit", false: "sit"}[lit])
		} else if features, known := x.FeatureMap.Get(); known && features&featureLongIdle == 0 {
			d.Mode = new("sit") // it can do nothing else
		}
		if v, known := x.IdleModeDuration.Get(); known {
			d.IdleS = new(v.Seconds())
		}
		if v, known := x.ActiveModeDuration.Get(); known {
			d.ActiveMS = new(v.Milliseconds())
		}
		if v, known := x.ActiveModeThreshold.Get(); known {
			d.Threshold = new(v.Milliseconds())
		}
		if v, known := x.RegisteredClients.Get(); known {
			d.Registered = new(v)
		}
	}
	for _, id := range n.Matter {
		f := fabricOf{Node: fmt.Sprintf("%016x", id.Node)}
		if id.Fabric != 0 {
			f.Fabric = hexID(id.Fabric)
		}
		f.Name = s.fabricName(n, id)
		d.Fabrics = append(d.Fabrics, f)
	}
	if p := n.Parent; p != nil && n.ParentConfidence >= topology.OneSided {
		d.Parent, d.ParentName = new(p.ID), word(p.Name)
		s.heardBy(n, &d)
	}
	if d.heard.IsZero() && n.Heard {
		for _, r := range n.Reports { // the newest stands last; what is repeated for it proves nothing
			if r.Source != dnssd.Name && !r.Cached && r.At.After(d.heard) {
				d.heard = r.At
			}
		}
	}
	d.LastHeard = rfc3339(d.heard)
	d.Health, d.Why = s.health(n, &d)
	return d
}

// heardBy takes what the parent knows of its link.
func (s *neighborhood) heardBy(n *topology.Node, d *sleeper) {
	for _, l := range s.links[n] {
		if l.Kind != topology.LinkChild || l.A != n.Parent && l.B != n.Parent {
			continue
		}
		in := l.AToB
		if l.B == n {
			in = l.BToA
		}
		if v, known := in.LQ.Get(); known {
			d.LQ = new(v)
		}
		if v, known := in.RSSI.Get(); known {
			d.RSSI = new(v)
		}
		var at time.Time
		for _, e := range l.Evidence {
			if e.By == n.Parent.ID && e.At.After(at) {
				at = e.At
			}
		}
		if age, known := l.Age.Get(); known && !at.IsZero() {
			d.heard = at.Add(-age)
		}
	}
}

// fabricName is whose a fabric is, as far as that is known.
func (s *neighborhood) fabricName(n *topology.Node, id diag.MatterID) *string {
	if s.own != 0 && id.Fabric == s.own {
		return word("threadmap")
	}
	for _, r := range n.Reports {
		if (r.Source == matterserver.Name || r.Source == homeassistant.Name) && slices.Contains(r.Matter, id) {
			return word("Home Assistant")
		}
	}
	return nil
}

// health says how a device does, and why that is said.
func (s *neighborhood) health(n *topology.Node, d *sleeper) (health, why string) {
	announced := isAnnounced(n)
	unavailable := ""
	for _, r := range n.Reports {
		if v, known := r.Available.Get(); known && !v {
			unavailable = ", and a controller can't reach it"
		} else if known {
			unavailable = ""
		}
	}
	switch {
	case d.Parent != nil && n.State == topology.NodeOK && len(n.Matter) > 0 && !announced && s.listened[n.Network]:
		return healthUnannounced, "its parent hears it, others of its mesh are announced by mDNS, and it is not" + unavailable
	case d.Parent != nil && n.State == topology.NodeOK:
		return healthOK, "its parent hears it" + unavailable
	case d.Parent == nil && n.Network != nil && s.asked[n.Network] && announced:
		return healthAnnounced, "all routers of its mesh were asked, and it is in no child table; its announcement is repeated until its lease ends" + unavailable
	case d.Parent == nil && n.Network != nil && s.asked[n.Network]:
		return healthNoParent, "all routers of its mesh were asked, and it is in no child table" + unavailable
	case d.Parent != nil:
		return healthUnknown, cmp.Or(n.Why, "its parent has it in its table, and did not hear it lately") + unavailable
	case announced:
		return healthUnknown, "it is announced by mDNS, which proves little; its parent was not asked" + unavailable
	}
	return healthUnknown, cmp.Or(n.Why, "too little is known") + unavailable
}

// maxWouldAdd bounds the hints of a list.
const maxWouldAdd = 6

// wouldAdd says what one more credential would tell of the devices.
func (s *neighborhood) wouldAdd(all []sleeper) []string {
	answered := map[string]bool{}
	out := []string{}
	for _, x := range s.scan.Sources {
		if x.State == diag.StateAnswered {
			answered[x.Name] = true
		}
		if x.State == diag.StateSkipped && x.Hint != "" && !strings.HasPrefix(x.Hint, "left out") && len(out) < maxWouldAdd {
			out = append(out, clean(x.Hint))
		}
	}
	count := func(missing func(*sleeper) bool) (n int) {
		for i := range all {
			if missing(&all[i]) {
				n++
			}
		}
		return n
	}
	add := func(n int, format string) {
		if n > 0 && len(out) < maxWouldAdd {
			out = append(out, fmt.Sprintf(format, counted(n, "device")))
		}
	}
	if !answered[tmf.Name] && !answered[otbr.Name] && len(out) == 0 {
		add(count(func(d *sleeper) bool { return d.Parent == nil }), "the parent of %s and when it was last heard: threadmap login thread, or threadmap login otbr URL")
	}
	own := func(d *sleeper) bool {
		return slices.ContainsFunc(d.Fabrics, func(f fabricOf) bool { return text(f.Name) == "threadmap" })
	}
	add(count(func(d *sleeper) bool { return d.Registered == nil && !own(d) }), "who is registered with %s, and how it comes back from a restart: threadmap pair CODE adds one to threadmap's own fabric")
	return out
}

// ago is a time in the past, in words.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d d", d/(24*time.Hour))
}

// writeText prints the list as a table. Times are counted from the scan's end.
func (d sleepersDoc) writeText(w io.Writer, to time.Time) error {
	if len(d.Devices) == 0 {
		_, err := fmt.Fprintln(w, "No device of this scan is known to sleep.")
		return err
	}
	bad := 0
	for _, x := range d.Devices {
		if x.Health != healthOK && x.Health != healthUnknown {
			bad++
		}
	}
	switch {
	case bad == 0:
		fmt.Fprintf(w, "%s, none seen in trouble.\n\n", counted(len(d.Devices), "sleepy device"))
	default:
		fmt.Fprintf(w, "%s, %d in trouble.\n\n", counted(len(d.Devices), "sleepy device"), bad)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	cell := func(p *string) string { return clip(cmp.Or(text(p), "?"), 32) }
	fmt.Fprintln(t, "HEALTH\tDEVICE\tROOM\tMODE\tIDLE/ACTIVE\tPARENT\tLQ\tHEARD\tCONTROLLERS\tREGISTERED")
	for _, x := range d.Devices {
		name := clip(cmp.Or(text(x.Name), x.ID), 32)
		parent := cell(x.Parent)
		if x.ParentName != nil {
			parent = cell(x.ParentName)
		}
		lq, heard, registered := "?", "?", "?"
		if x.LQ != nil {
			lq = fmt.Sprint(*x.LQ)
		}
		if x.RSSI != nil {
			lq += fmt.Sprintf(" (%d dBm)", *x.RSSI)
		}
		if !x.heard.IsZero() {
			heard = ago(to.Sub(x.heard))
		}
		if x.Registered != nil {
			registered = fmt.Sprint(*x.Registered)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Health, name, cell(x.Room), strings.ToUpper(cell(x.Mode)), intervals(&x), parent, lq, heard, controllers(&x), registered)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, x := range d.Devices {
		if x.Health != healthOK && x.Health != healthUnknown {
			fmt.Fprintf(w, "\n%s: %s.", clip(cmp.Or(text(x.Name), x.ID), 48), clean(x.Why))
		}
	}
	if bad > 0 {
		fmt.Fprintln(w)
	}
	for i, s := range d.WouldAdd {
		if i == 0 {
			fmt.Fprintln(w, "\nWhat would tell more:")
		}
		fmt.Fprintf(w, "  %s\n", clean(s))
	}
	return nil
}

// intervals are how long a device sleeps and wakes.
func intervals(x *sleeper) string {
	idle, active := "?", "?"
	if x.IdleS != nil {
		idle = ago(time.Duration(*x.IdleS) * time.Second)
	}
	if x.ActiveMS != nil {
		active = fmt.Sprintf("%d ms", *x.ActiveMS)
	}
	if idle == "?" && active == "?" {
		return "?"
	}
	return idle + "/" + active
}

// controllers are the fabrics of a device, by name where that is known.
func controllers(x *sleeper) string {
	var out []string
	for _, f := range x.Fabrics {
		switch {
		case f.Name != nil:
			out = append(out, clip(*f.Name, 20))
		case f.Fabric != nil:
			out = append(out, (*f.Fabric)[:8]+"…")
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == 0 {
		return "?"
	}
	if len(out) > 4 {
		out = append(out[:4], fmt.Sprintf("%d more", len(out)-4))
	}
	return strings.Join(out, ", ")
}

// clip makes a stranger's text fit for a column.
func clip(s string, most int) string {
	r := []rune(clean(s))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}
