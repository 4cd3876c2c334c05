package services

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"threadmap/discovery"
)

// An EventDocument is one object of the stream "threadmap-services-event".
type EventDocument struct {
	Format   string       `json:"format"`
	Version  int          `json:"version"`
	At       string       `json:"at"`
	Event    string       `json:"event"` // added, changed, removed, asked, router-advertisement
	Service  *serviceDoc  `json:"service"`
	What     []string     `json:"what"`
	Reason   *string      `json:"reason"`
	Question *questionDoc `json:"question"`
	Advert   *advertDoc   `json:"advert"`
}

type questionDoc struct {
	Name      string     `json:"name"`
	Kind      *string    `json:"kind"`
	Matter    *matterDoc `json:"matter"`
	Type      string     `json:"type"`
	From      string     `json:"from"`
	Interface string     `json:"interface"`
	Unicast   bool       `json:"unicast"`
	Known     int        `json:"known"`
	Announced bool       `json:"announced"`
}

// Bounds of what a watch remembers.
const (
	maxAskers = 4096
	// askAgain is how long the same question of the same asker is not said again.
	askAgain = time.Minute
)

// A Watch turns events into lines or documents. It remembers what is there, so
// it must get all events.
type Watch struct {
	there map[string]discovery.Service
	said  map[string]time.Time // by asker and name
	// routers is what each said last, by address and interface.
	routers map[string]string
}

// NewWatch begins with nothing there.
func NewWatch() *Watch {
	return &Watch{there: map[string]discovery.Service{}, said: map[string]time.Time{}, routers: map[string]string{}}
}

// Take notes what an event changes.
func (w *Watch) Take(e discovery.Event) {
	key := e.Service.Name.Fold().String() + " " + e.Service.Host.Fold().String()
	switch e.Kind {
	case discovery.Added:
		w.there[key] = e.Service
	case discovery.Changed:
		// Its host may be what changed.
		for k, s := range w.there {
			if s.Name.Equal(e.Service.Name) && slices.Contains(e.What, "host") {
				delete(w.there, k)
			}
		}
		w.there[key] = e.Service
	case discovery.Removed:
		delete(w.there, key)
	}
}

// Services are those that are there now.
func (w *Watch) Services() []discovery.Service {
	out := make([]discovery.Service, 0, len(w.there))
	for _, k := range sortedKeys(w.there) {
		out = append(out, w.there[k])
	}
	return out
}

// announced reports whether a name that was asked for is there: an instance, or
// the host of one.
func (w *Watch) announced(n discovery.Name) bool {
	for _, s := range w.there {
		if s.Name.Equal(n) || s.Host.Equal(n) {
			return true
		}
	}
	return false
}

// Document is the object of an event; nil for one that is not told of.
func (w *Watch) Document(e discovery.Event) *EventDocument {
	w.Take(e)
	d := &EventDocument{Format: EventFormat, Version: version, At: stamp(e.At), What: []string{}}
	switch e.Kind {
	case discovery.Added, discovery.Changed, discovery.Removed:
		d.Event = string(e.Kind)
		d.What = append(d.What, e.What...)
		if e.Kind == discovery.Removed {
			d.Reason = new(string(e.Reason))
		}
		d.Service = new(serviceOf(&e.Service, w.networkOf(&e.Service)))
	case discovery.Asking:
		q := e.Asked
		d.Event = "asked"
		d.Question = &questionDoc{Name: ascii(q.Name), Type: q.Type.String(), From: clean(q.From.String()), Interface: clean(q.Interface), Unicast: q.Unicast,
			Known: q.Known, Announced: w.announced(q.Name)}
		if k := kindOf(q.Name); k != "" {
			d.Question.Kind = new(string(k))
		}
		if f, n, ok := operational(q.Name); ok {
			d.Question.Matter = matterOf(f, n)
		}
	default:
		return nil
	}
	return d
}

// maxArranged bounds the border routers that one event is held against: many
// more than a LAN has.
const maxArranged = 256

// networkOf is the network of a service, by the border routers that are there.
func (w *Watch) networkOf(s *discovery.Service) *Network {
	near := []discovery.Service{*s}
	for _, o := range w.there {
		if o.Kind == discovery.KindMeshCoP && len(near) < maxArranged {
			near = append(near, o)
		}
	}
	h := Arrange(near)
	return h.network[&h.Services[0]]
}

// Line is an event as a line for people, without a line's end; "" for one that
// is not worth a line.
func (w *Watch) Line(e discovery.Event) string {
	before, had := w.there[e.Service.Name.Fold().String()+" "+e.Service.Host.Fold().String()]
	w.Take(e)
	at := e.At.Local().Format("15:04:05")
	switch e.Kind {
	case discovery.Added:
		return fmt.Sprintf("%s  added    %s%s", at, what(&e.Service), onHost(&e.Service))
	case discovery.Changed:
		return fmt.Sprintf("%s  changed  %s: %s", at, what(&e.Service), changes(&e, before, had))
	case discovery.Removed:
		return fmt.Sprintf("%s  gone     %s (%s)", at, what(&e.Service), reasonWords(e.Reason))
	case discovery.Asking:
		return w.question(at, &e)
	}
	return ""
}

// question is the line of somebody else's question, "" for one that was said a
// moment ago.
func (w *Watch) question(at string, e *discovery.Event) string {
	q := &e.Asked
	key := q.From.Addr().String() + " " + q.Name.Fold().String()
	if last, ok := w.said[key]; ok && e.At.Sub(last) < askAgain {
		return ""
	}
	if len(w.said) >= maxAskers {
		clear(w.said)
	}
	w.said[key] = e.At
	whom := short(q.Name.String())
	if f, n, ok := operational(q.Name); ok {
		whom = fmt.Sprintf("Matter node %016X of fabric %016X", n, f)
	} else if k := kindOf(q.Name); k != "" && k.Name().Equal(q.Name) {
		return fmt.Sprintf("%s  asked    %s looks for every %s", at, clean(q.From.Addr().String()), k)
	}
	state := "nobody announces it"
	if w.announced(q.Name) {
		state = "announced"
	}
	return fmt.Sprintf("%s  asked    %s looks for %s: %s", at, clean(q.From.Addr().String()), whom, state)
}

// what names a service in a line.
func what(s *discovery.Service) string {
	switch s.Kind {
	case discovery.KindMeshCoP:
		m := discovery.ParseMeshCoP(s.TXT)
		out := "border router " + short(s.Instance)
		if n := short(m.NetworkName); n != "" {
			out += " of " + n
		}
		return out
	case discovery.KindMeshCoPE:
		return "one-time code at border router " + short(s.Instance)
	case discovery.KindMatter:
		if f, n, ok := discovery.OperationalID(s.Instance); ok {
			return fmt.Sprintf("Matter node %016X of fabric %016X", n, f)
		}
	case discovery.KindMatterC:
		if n := short(discovery.ParseCommissionable(s.TXT).DeviceName); n != "" {
			return "device to be commissioned " + n
		}
		return "device to be commissioned " + short(s.Instance)
	case discovery.KindMatterD:
		return "Matter commissioner " + short(s.Instance)
	case discovery.KindHAP:
		return "HomeKit accessory " + short(s.Instance)
	case discovery.KindHomeAssistant:
		return "Home Assistant " + short(s.Instance)
	}
	return string(s.Kind) + " " + short(s.Instance)
}

// onHost says where a service is.
func onHost(s *discovery.Service) string {
	out := ""
	if h := short(s.HostLabel()); h != "" {
		out = " on " + h
	}
	if a := addresses(s.Addresses); len(a) > 0 {
		out += ", " + a[0]
	}
	if len(s.Missing()) > 0 {
		var m []string
		for _, t := range s.Missing() {
			m = append(m, t.String())
		}
		out += " (no " + strings.Join(m, ", ") + " yet)"
	}
	return out
}

// changes says what changed, with what it is now where that is short.
func changes(e *discovery.Event, before discovery.Service, had bool) string {
	var out []string
	for _, w := range e.What {
		switch w {
		case "addresses":
			now := addresses(e.Service.Addresses)
			if len(now) == 0 {
				now = []string{"none"}
			}
			out = append(out, "addresses now "+strings.Join(now, " "))
		case "host":
			out = append(out, "host now "+short(e.Service.HostLabel()))
		case "port":
			out = append(out, fmt.Sprintf("port now %d", e.Service.Port))
		case "txt":
			out = append(out, txtChanges(before.TXT, e.Service.TXT, had))
		case "conflict":
			if len(e.Service.OtherHosts)+len(e.Service.OtherTXT) > 0 {
				out = append(out, "somebody announces it differently")
			} else {
				out = append(out, "nobody announces it differently any more")
			}
		default:
			out = append(out, w)
		}
	}
	return strings.Join(out, "; ")
}

// txtChanges names the keys of a TXT record whose values are others now.
func txtChanges(before, now discovery.TXT, had bool) string {
	var keys []string
	if had {
		for _, p := range append(now.Pairs(), before.Pairs()...) {
			a, okA := before.Get(p.Key)
			b, okB := now.Get(p.Key)
			if (okA != okB || string(a) != string(b)) && !slices.Contains(keys, short(p.Key)) {
				keys = append(keys, short(p.Key))
			}
		}
	}
	if len(keys) == 0 {
		return "TXT record"
	}
	return "TXT " + list(keys)
}

func reasonWords(r discovery.Reason) string {
	switch r {
	case discovery.Goodbye:
		return "said goodbye"
	case discovery.Expired:
		return "expired"
	case discovery.Replaced:
		return "replaced"
	}
	return clean(string(r))
}

// operational reads the name of a Matter node's instance.
func operational(n discovery.Name) (fabric, node uint64, ok bool) {
	if !n.Parent().Equal(discovery.KindMatter.Name()) {
		return 0, 0, false
	}
	return discovery.OperationalID(n.First())
}

// kindOf is the kind that a name belongs to, "" for none.
func kindOf(n discovery.Name) discovery.Kind {
	for _, k := range discovery.Kinds {
		if n.In(k.Name()) {
			return k
		}
	}
	return ""
}

// maxMissed bounds the list of what was looked for in vain.
const maxMissed = 50

// WriteMissed lists the Matter nodes that others looked for while nobody
// announced them. An answer may have gone to the asker alone, so it does not say
// that they are gone.
func WriteMissed(w io.Writer, asked []discovery.Asked) error {
	n := 0
	for i := range asked {
		q := &asked[i]
		if q.Fabric == 0 || q.There || !q.Answered.IsZero() {
			continue
		}
		if n++; n > maxMissed {
			break
		}
		if n == 1 {
			if _, err := fmt.Fprintln(w, "\nLooked for, and no answer heard:"); err != nil {
				return err
			}
		}
		var who []string
		for _, a := range q.Askers {
			who = append(who, clean(a.Addr.String()))
		}
		if _, err := fmt.Fprintf(w, "  Matter node %016X of fabric %016X, by %s, %s\n", q.Node, q.Fabric, list(who), times(q.Count)); err != nil {
			return err
		}
	}
	return nil
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
