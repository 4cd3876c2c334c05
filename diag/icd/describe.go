package icd

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// maxWord bounds what a verdict quotes of a line: the file is somebody else's.
const maxWord = 120

// quote makes foreign text fit for one line of a report.
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxWord {
		return string(r[:maxWord]) + "…"
	}
	return s
}

// String is a line for a person: "12.3 s mdns goodbye 6B…-01".
func (o *Observation) String() string {
	s := o.At.String() + " " + quote(o.By) + " " + quote(o.Event)
	if d := o.detail(); d != "" {
		s += " " + d
	}
	return s
}

func (o *Observation) detail() string {
	switch w := o.What.(type) {
	case *Announce:
		return join(w.Instance, "from", w.From)
	case *Question:
		return join(w.Name, "asked by", w.From)
	case *Answer:
		s := join(w.Name, "from", w.From)
		if w.Owner {
			s += " (a sleep proxy's)"
		}
		return s
	case *Child:
		s := join("", "of", w.Parent)
		if w.Age != nil {
			s += fmt.Sprintf(" last heard %s before", *w.Age)
		}
		return strings.TrimSpace(s)
	case *NoChild:
		return fmt.Sprintf("at %d routers", len(w.Asked))
	case *Router:
		return quote(w.RLOC16)
	case *RouterSilent:
		return quote(w.RLOC16)
	case *Netdata:
		return fmt.Sprintf("%d prefixes, %d SRP servers", len(w.Prefixes), len(w.SRP))
	case *Ping:
		s := join(w.To, "from", w.From) + fmt.Sprintf(": %d of %d answered", w.Received, w.Sent)
		if w.Error != "" {
			s += ", " + quote(w.Error)
		}
		return s
	case *Subscribed:
		return fmt.Sprintf("id %d", w.ID)
	case *CASE:
		return strings.TrimSpace(join(w.Result, "opened by", w.OpenedBy) + way(w.From, w.To) + " " + quote(w.Error))
	case *Sigma1:
		return strings.TrimSpace(join("", "by", w.OpenedBy) + way(w.From, w.To))
	case *CheckIn:
		return strings.TrimSpace(way(w.From, w.To))
	case *Spoke:
		s := join("", "by", w.OpenedBy) + way(w.From, w.To)
		if !w.Answered {
			s += fmt.Sprintf(", sent %d times and not answered", w.Sent)
		}
		return strings.TrimSpace(s)
	case *Watched:
		return strings.TrimSpace(fmt.Sprintf("for %s, %d messages", w.For, w.Messages) + way(w.From, w.To))
	case *PASE:
		return strings.TrimSpace(join("", "by", w.OpenedBy) + way(w.From, w.To))
	case *Report:
		switch {
		case w.Known == nil:
			return fmt.Sprintf("id %d", w.ID)
		case *w.Known:
			return fmt.Sprintf("of the known subscription %d", w.ID)
		}
		return fmt.Sprintf("of subscription %d, which is not known there", w.ID)
	case *DeviceEvent:
		return strings.TrimSpace(fmt.Sprintf("number %d %s", w.Number, quote(w.Name)))
	case *Lost:
		return quote(w.Reason)
	case *Available:
		if w.Value != nil {
			return fmt.Sprint(*w.Value)
		}
	case *Log:
		return quote(w.Text)
	case *Press:
		switch {
		case w.Works == nil:
			return quote(w.Controller)
		case *w.Works:
			return join("works", "at", w.Controller)
		}
		return join("does not work", "at", w.Controller)
	case *Complaint:
		return join(w.Text, "about", w.Controller)
	case *Changed:
		return quote(w.What)
	case *Route:
		if w.Present != nil && !*w.Present {
			return quote(w.Prefix) + ": none"
		}
		return quote(w.Prefix)
	case *Unreachable:
		return strings.TrimSpace(join(w.To, "said by", w.From) + " " + quote(w.Reason))
	case *Advert:
		return join("", "from", w.From)
	case *Read:
		paths := make([]string, 0, len(w.Values))
		for p := range w.Values {
			paths = append(paths, p)
		}
		sort.Strings(paths)
		for i, p := range paths {
			var n json.Number
			if json.Unmarshal(w.Values[p], &n) == nil && n != "" {
				paths[i] = p + "=" + n.String()
			}
		}
		if len(paths) > 6 {
			paths = append(paths[:6], "…")
		}
		return quote(strings.Join(paths, " "))
	}
	return ""
}

func join(what, preposition, whom string) string {
	s := quote(what)
	if whom != "" {
		s += " " + preposition + " " + quote(whom)
	}
	return strings.TrimSpace(s)
}

// way is " from A to B", as far as it is known.
func way(from, to string) string {
	s := ""
	if from != "" {
		s += " from " + quote(from)
	}
	if to != "" {
		s += " to " + quote(to)
	}
	return s
}
