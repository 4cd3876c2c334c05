package timeline

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"threadmap/diag/icd"
	"threadmap/render/internal/text"
)

// A Lane is who saw something, or of whom it tells.
type Lane uint8

// The lanes, as they stand in a picture from top to bottom.
const (
	You Lane = iota
	Device
	Announced
	Routers
	Parent
	Machine
	Canary
	HomeAssistant
	Controller
	Capture
	Others
	lanes
)

var laneNames = [lanes]string{"you", "device", "announcements", "border routers", "parent", "this machine", "threadmap", "Home Assistant", "controller", "capture", "others"}

// String is the lane in a word or two.
func (l Lane) String() string { return laneNames[min(l, Others)] }

// A Tone says whether something speaks for the device being back.
type Tone uint8

// The tones.
const (
	Neutral Tone = iota
	Good
	Bad
)

// A shape is the form of a mark, so that colors are not needed.
type shape uint8

const (
	dot shape = iota
	up
	down
	ask
	diamond
	square
	cross
	flag
	shapes
)

var shapeNames = [shapes]string{"seen", "appears", "goes away", "asked for", "session", "report or event", "fails", "done by you"}

// A Note is an observation in words.
type Note struct {
	Lane Lane
	Tone Tone
	Text string // one clean line, without the time

	shape shape
}

// A Teller puts observations into words. It knows the names of the device that a
// timeline is about.
type Teller struct {
	node string
	own  map[string]bool // instance names, folded
}

// maxOwn bounds the names of one device: a file may claim many.
const maxOwn = 64

// NewTeller learns the names of the device.
func NewTeller(t *icd.Timeline) *Teller {
	s := &Teller{node: strings.ToLower(string(t.Node)), own: map[string]bool{}}
	for o := range t.All() {
		s.learn(o)
	}
	return s
}

func (s *Teller) learn(o *icd.Observation) {
	if w, ok := o.What.(*icd.Announce); ok && s.node != "" && len(s.own) < maxOwn {
		host, _, _ := strings.Cut(w.Host, ".")
		if strings.EqualFold(host, s.node) {
			s.own[instance(w.Instance)] = true
		}
	}
}

// instance is the first label of a name, folded.
func instance(name string) string {
	name, _, _ = strings.Cut(name, "._")
	return strings.ToLower(name)
}

// Note puts an observation into words.
func (s *Teller) Note(o *icd.Observation) Note {
	n := s.note(o)
	n.Text = text.Clean(n.Text)
	if n.Text == "" {
		n.Text = text.Clean(o.By + " " + o.Event)
	}
	return n
}

func (s *Teller) note(o *icd.Observation) Note {
	said := strings.TrimPrefix(o.String(), o.At.String()+" ")
	n := Note{Lane: laneOf(o), Text: said}
	set := func(t Tone, sh shape, format string, args ...any) {
		n.Tone, n.shape, n.Text = t, sh, fmt.Sprintf(format, args...)
	}
	switch w := o.What.(type) {
	case *icd.Announce:
		s.announced(o, w, set)
	case *icd.Question:
		if s.own[instance(w.Name)] {
			set(Neutral, ask, "%s looks for it", orSomebody(w.From))
		} else {
			set(Neutral, ask, "looked for: %s", short(w.Name))
		}
	case *icd.Answer:
		set(Neutral, dot, "answered: %s", short(w.Name))
		if w.Owner {
			n.Text += ", by a sleep proxy"
		}
	case *icd.Advert:
		gone, there := []string{}, []string{}
		for _, p := range w.Prefixes {
			if p.Lifetime == 0 {
				gone = append(gone, p.Prefix)
			} else {
				there = append(there, p.Prefix)
			}
		}
		switch {
		case len(gone) > 0:
			set(Bad, down, "%s withdraws %s", orSomebody(w.From), few(gone))
		case len(there) > 0:
			set(Neutral, up, "%s leads to %s", orSomebody(w.From), few(there))
		}
	case *icd.Child:
		what := "hangs on " + orUnknown(w.Parent)
		if w.Age != nil {
			what += ", heard " + span(*w.Age) + " before"
		}
		if w.Connected != nil {
			what += ", attached for " + span(*w.Connected)
		}
		if w.Queued != nil && *w.Queued > 0 {
			what += fmt.Sprintf(", %d messages wait for it", *w.Queued)
		}
		set(Good, up, "%s", what)
	case *icd.NoChild:
		set(Bad, cross, "no child of any of %d routers", len(w.Asked))
	case *icd.Router:
		set(Neutral, dot, "router %s answers", orUnknown(first(w.RLOC16, w.Ext)))
		if w.Children != nil {
			n.Text += fmt.Sprintf(", %d children", *w.Children)
		}
	case *icd.RouterSilent:
		set(Bad, cross, "router %s is silent", orUnknown(first(w.RLOC16, w.Ext)))
	case *icd.Netdata:
		set(Neutral, dot, "network data: %d SRP servers, %d prefixes", len(w.SRP), len(w.Prefixes))
	case *icd.Ping:
		ping(w, set)
	case *icd.Route:
		switch {
		case w.Present == nil:
		case *w.Present:
			set(Good, dot, "has a route to %s", w.Prefix)
		default:
			set(Bad, cross, "has no route to %s", w.Prefix)
		}
	case *icd.Sysctl:
		set(Neutral, dot, "its setting %s is %s", clip(w.Name, 80), clip(string(w.Value), 20))
	case *icd.Unreachable:
		set(Bad, cross, "%s can't be reached", w.To)
	case *icd.Neighbour:
		set(Neutral, dot, "neighbor %s", w.To)
		if w.SameAs != "" {
			n.Text += ", the same machine as " + w.SameAs
		}
	case *icd.Subscribed:
		set(Good, square, "subscribed")
		if w.Max != nil {
			n.Text += ", a report at least every " + span(*w.Max)
		}
	case *icd.Sigma1:
		how := "anew"
		if w.Resumption {
			how = "resuming the old one"
		}
		set(Good, diamond, "opens a session, %s", how)
	case *icd.CASE:
		if w.Result == "failed" {
			set(Bad, cross, "session fails%s", because(w.Error))
			break
		}
		set(Good, diamond, "session %s, opened by %s", map[string]string{"resumed": "resumed", "full": "made anew"}[w.Result], first(w.OpenedBy, "?"))
	case *icd.Report:
		switch {
		case w.Priming:
			set(Good, square, "first report of a new subscription")
		case w.Known == nil:
			set(Neutral, square, "report")
		case *w.Known:
			set(Good, square, "report of the known subscription")
		default:
			set(Bad, cross, "report of a subscription that is not known")
		}
	case *icd.CheckIn:
		set(Good, square, "checks in")
	case *icd.DeviceEvent:
		set(Good, square, "event %d %s", w.Number, first(w.Name, fmt.Sprintf("0x%04x/%d", w.Cluster, w.EventID)))
	case *icd.ReadEvents:
		set(Neutral, dot, "%d events read", len(w.Events))
	case *icd.Read:
		set(Good, dot, "read: %s", strings.TrimPrefix(said, o.By+" "+o.Event+" "))
	case *icd.Lost:
		set(Bad, down, "subscription lost%s", because(w.Reason))
	case *icd.Available:
		switch {
		case w.Value == nil:
		case *w.Value:
			set(Good, up, "shows it as available")
		default:
			set(Bad, down, "shows it as unavailable")
		}
	case *icd.Attribute:
		set(Good, square, "%s = %s", w.Path, clip(string(w.Value), 40))
	case *icd.Log:
		set(Neutral, dot, "log: %s", w.Text)
	case *icd.Reboot:
		set(Neutral, flag, "restarted it")
	case *icd.PowerOff:
		set(Neutral, flag, "took its power")
	case *icd.PowerOn:
		set(Neutral, flag, "gave it power")
	case *icd.Press:
		at := ""
		if w.Controller != "" {
			at = " at " + w.Controller
		}
		switch {
		case w.Works == nil:
			set(Neutral, flag, "pressed it")
		case *w.Works:
			set(Good, flag, "pressed it: works%s", at)
		default:
			set(Bad, flag, "pressed it: nothing happened%s", at)
		}
	case *icd.Complaint:
		set(Bad, flag, "complaint: %s", first(w.Text, w.Controller))
	case *icd.Changed:
		set(Neutral, flag, "changed: %s", w.What)
	default:
		if o.Event == "subscription-lost" {
			set(Bad, down, "subscription lost")
		}
	}
	return n
}

func (s *Teller) announced(o *icd.Observation, w *icd.Announce, set func(Tone, shape, string, ...any)) {
	who, own := short(w.Instance), s.own[instance(w.Instance)]
	switch goodbye := o.Event == "goodbye"; {
	case own && goodbye:
		set(Bad, down, "withdrawn%s", by(w.From))
	case own:
		set(Good, up, "announced%s", by(w.From))
	case goodbye:
		set(Neutral, down, "%s withdrawn", who)
	default:
		set(Neutral, up, "%s announced", who)
	}
}

func ping(w *icd.Ping, set func(Tone, shape, string, ...any)) {
	switch {
	case w.Received == 0 && w.Error != "":
		set(Bad, cross, "ping fails%s", because(w.Error))
	case w.Received == 0:
		set(Bad, cross, "%d pings, no answer", w.Sent)
	case w.RTT != nil && *w.RTT >= 0 && *w.RTT < 1e7:
		set(Good, up, "ping answered in %s", span(icd.Seconds(time.Duration(*w.RTT*1e3)*time.Microsecond)))
	default:
		set(Good, up, "%d of %d pings answered", w.Received, w.Sent)
	}
}

// laneOf is whose an observation is.
func laneOf(o *icd.Observation) Lane {
	switch o.By {
	case icd.ByUser:
		return You
	case icd.ByMDNS:
		if w, ok := o.What.(*icd.Announce); ok && strings.Contains(w.Instance+"."+w.Service, "_meshcop") {
			return Routers
		}
		return Announced
	case icd.ByRA:
		return Routers
	case icd.ByTMF:
		if o.Event == "netdata" {
			return Routers
		}
		return Parent
	case icd.ByICMP, icd.ByHost:
		return Machine
	case icd.ByCanary:
		switch w := o.What.(type) {
		case *icd.Sigma1, *icd.CheckIn, *icd.DeviceEvent:
			return Device
		case *icd.CASE:
			if w.OpenedBy == "device" {
				return Device
			}
		}
		return Canary
	case icd.ByHA:
		return HomeAssistant
	case icd.ByController:
		return Controller
	case "capture":
		return Capture
	}
	return Others
}

// span is a length of time in words: "0.7 s", "45 s", "12 min", "3.4 h".
func span(s icd.Seconds) string {
	switch d := time.Duration(s); {
	case d < 10*time.Second:
		return fmt.Sprintf("%d.%d s", d/time.Second, d%time.Second/(100*time.Millisecond))
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	default:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
}

// short leaves the service away from a name, and the zone away from an address.
func short(name string) string {
	name, _, _ = strings.Cut(name, "._")
	return clip(name, 48)
}

func clip(s string, n int) string { return text.Truncate(text.Clean(s), n) }

func orSomebody(from string) string {
	if a, err := netip.ParseAddr(from); err == nil {
		return a.WithZone("").String()
	}
	return first(clip(from, 48), "somebody")
}

func orUnknown(s string) string { return first(clip(s, 48), "an unknown one") }

func by(from string) string {
	if from == "" {
		return ""
	}
	return " by " + orSomebody(from)
}

func because(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// few lists at most two.
func few(l []string) string {
	if len(l) > 2 {
		return strings.Join(l[:2], ", ") + fmt.Sprintf(" and %d more", len(l)-2)
	}
	return strings.Join(l, ", ")
}
