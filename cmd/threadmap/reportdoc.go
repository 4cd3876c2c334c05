package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf"
	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/meshcop"
	"threadmap/discovery"
	"threadmap/render"
)

// What became of a session, in words that quote nobody.
const (
	outcomeComplete = "complete"
	outcomeWrongKey = "the key was refused"
	outcomeTaken    = "another commissioner had the role"
	outcomeJoining  = "a device was being added"
)

// outcome says what became of a session. Errors quote peers, so they are not told.
func outcome(r *tmf.Record) string {
	var taken *meshcop.RoleTakenError
	switch err := r.Err; {
	case err == nil:
		return outcomeComplete
	case errors.Is(err, dtls.ErrWrongKey):
		return outcomeWrongKey
	case errors.As(err, &taken):
		return outcomeTaken
	case errors.Is(err, meshcop.ErrJoining):
		return outcomeJoining
	case errors.Is(err, context.Canceled):
		return "it was stopped"
	case errors.Is(err, context.DeadlineExceeded):
		return "it took too long"
	case errors.Is(err, meshcop.ErrRoleLost):
		return "the role was lost"
	case errors.Is(err, meshcop.ErrSilent):
		return "the border router stopped answering"
	case errors.Is(err, meshcop.ErrRefused):
		return "the border router refused"
	case errors.Is(err, dtls.ErrTimeout):
		return "nobody answered"
	case r.Stage == diag.StageConnect || r.Stage == diag.StageHandshake:
		return "it can't be reached"
	}
	return "the border router ended it"
}

// A bordersDoc is a report on border routers: nothing in it names a home, a
// device or a network. Null is what is not known.
type bordersDoc struct {
	Format    string      `json:"format"`
	Version   int         `json:"version"`
	Threadmap string      `json:"threadmap"`
	Date      string      `json:"date"`
	Borders   []borderDoc `json:"border_routers"`
}

type borderDoc struct {
	Network       *string       `json:"network"` // "A", "B", …: which of them share one
	Vendor        *string       `json:"vendor"`
	Model         *string       `json:"model"`
	Firmware      *string       `json:"firmware"`
	Stack         *string       `json:"stack"`
	ThreadVersion *string       `json:"thread_version"`
	Announced     *announcedDoc `json:"announced"` // null: it was named by its address
	NotTried      *string       `json:"not_tried"` // why; null: it was
	Session       *sessionDoc   `json:"session"`
}

type announcedDoc struct {
	StateBitmap    *string `json:"state_bitmap"`
	ConnectionMode *uint8  `json:"connection_mode"`
	Availability   *string `json:"availability"`
	Interface      *string `json:"interface"`
	Role           *string `json:"role"`
	OneTimeCodes   *bool   `json:"one_time_codes"`
}

type sessionDoc struct {
	Credential   string  `json:"credential"`
	Reached      string  `json:"reached"` // connect, handshake, ask
	Commissioner bool    `json:"commissioner"`
	Outcome      string  `json:"outcome"`
	TLVs         []uint8 `json:"tlvs"`           // Network Diagnostic TLV types that came
	Largest      *int    `json:"largest_octets"` // of its messages
	Vanished     *int    `json:"vanished_octets"`
	Asked        struct {
		Multicast int `json:"multicast"`
		Unicast   int `json:"unicast"`
		Again     int `json:"again"`
	} `json:"asked"`
	SilentRouters int `json:"silent_routers"`
	Sent          struct {
		Messages int `json:"messages"`
		Octets   int `json:"octets"`
		Repeated int `json:"repeated"`
	} `json:"sent"`
	Received struct {
		Messages   int `json:"messages"`
		Octets     int `json:"octets"`
		Duplicates int `json:"duplicates"`
	} `json:"received"`
}

// maxWord bounds what a maker says of its product.
const maxWord = 80

// word is a maker's own word, or null.
func word(s string) *string {
	r := []rune(clean(s))
	if len(r) == 0 {
		return nil
	}
	s = string(r[:min(len(r), maxWord)])
	return &s
}

// document makes the report.
func (t *trial) document(at time.Time) bordersDoc {
	doc := bordersDoc{Format: "threadmap-border-routers", Version: 1, Threadmap: readBuild().Version, Date: at.UTC().Format(time.DateOnly), Borders: []borderDoc{}}
	var networks []diag.PANID64
	for _, b := range t.borders {
		d := borderDoc{Vendor: word(b.agent.Vendor), Model: word(b.agent.Model), ThreadVersion: word(b.agent.ThreadVersion)}
		if id := b.agent.Network; id != 0 {
			i := slices.Index(networks, id)
			if i < 0 {
				i = len(networks)
				networks = append(networks, id)
			}
			d.Network = word(letters(i))
		}
		if r := own(b); r != nil {
			d.Firmware, d.Stack = word(r.Firmware), word(r.ThreadStack)
			if d.Vendor == nil {
				d.Vendor = word(r.Vendor)
			}
			if d.Model == nil {
				d.Model = word(r.Product)
			}
			if v, known := r.ThreadVersion.Get(); known && d.ThreadVersion == nil {
				d.ThreadVersion = word(diag.ThreadVersionName(v))
			}
		}
		if b.announced {
			d.Announced = announcement(b.state)
		}
		if b.record == nil {
			d.NotTried = word(b.untried)
		} else {
			d.Session = session(b)
		}
		doc.Borders = append(doc.Borders, d)
	}
	return doc
}

// letters counts A, B, … Z, AA, AB, …
func letters(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}

// own is what the border router's own node said in the session, nil where it
// can't be told from others.
func own(b border) *diag.Report {
	var borders []*diag.Report
	for i := range b.reports {
		r := &b.reports[i]
		if r.Firmware == "" && r.ThreadStack == "" && r.Vendor == "" {
			continue
		}
		if b.agent.ExtAddr != 0 && slices.ContainsFunc(r.Own, func(c diag.AddrClaim) bool { return c.ExtAddr == b.agent.ExtAddr }) {
			return r
		}
		if r.BorderRouter.Or(false) {
			borders = append(borders, r)
		}
	}
	if b.agent.ExtAddr == 0 && len(borders) == 1 {
		return borders[0]
	}
	return nil
}

func announcement(m discovery.MeshCoP) *announcedDoc {
	d := &announcedDoc{}
	if !m.State.Known {
		return d
	}
	s := m.State.Value
	d.StateBitmap = new(fmt.Sprintf("0x%08x", uint32(s)))
	d.ConnectionMode = new(s.ConnectionMode())
	d.Availability = new("infrequent")
	if s.HighAvailability() {
		d.Availability = new("high")
	}
	if i := int(s.Interface()); i < 3 {
		d.Interface = new([]string{"off", "initialized", "active"}[i])
	}
	if r := int(s.Role()); r > 0 && r < 4 {
		d.Role = new([]string{"", "child", "router", "leader"}[r])
	}
	d.OneTimeCodes = new(s.EphemeralKey())
	return d
}

func session(b border) *sessionDoc {
	r := b.record
	d := &sessionDoc{Credential: b.with, Reached: string(r.Stage), Commissioner: r.Petition, Outcome: outcome(r), TLVs: append([]uint8{}, r.Types...), SilentRouters: r.Questions.Silent}
	if n := r.Traffic.Largest; n > 0 {
		d.Largest = &n
	}
	if n := r.Vanished; n > 0 {
		d.Vanished = &n
	}
	d.Asked.Multicast, d.Asked.Unicast, d.Asked.Again = r.Questions.Multicast, r.Questions.Unicast, r.Questions.Again
	d.Sent.Messages, d.Sent.Octets, d.Sent.Repeated = r.Traffic.Sent, r.Traffic.SentOctets, r.Traffic.Repeated
	d.Received.Messages, d.Received.Octets, d.Received.Duplicates = r.Traffic.Received, r.Traffic.ReceivedOctets, r.Traffic.Duplicates
	return d
}

// markdown writes the report for a ticket.
func (d bordersDoc) markdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "### Border routers, as threadmap %s met them on %s\n", render.Verbatim(d.Threadmap), d.Date)
	for i, r := range d.Borders {
		name := strings.TrimSpace(text(r.Vendor) + " " + text(r.Model))
		if name == "" {
			name = "maker not known"
		}
		fmt.Fprintf(&b, "\n**%d. %s**\n\n", i+1, render.Verbatim(name))
		line := func(what string, parts ...string) {
			parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
			if len(parts) > 0 {
				fmt.Fprintf(&b, "- %s: %s\n", what, strings.Join(parts, ", "))
			}
		}
		say := func(format string, s *string) string {
			if s == nil {
				return ""
			}
			return fmt.Sprintf(format, render.Verbatim(*s))
		}
		line("network", text(r.Network))
		line("versions", say("Thread %s", r.ThreadVersion), say("firmware %s", r.Firmware), say("stack %s", r.Stack))
		if a := r.Announced; a == nil {
			line("announced", "named by its address")
		} else if a.StateBitmap == nil {
			line("announced", "no state")
		} else {
			codes := "no one-time codes"
			if *a.OneTimeCodes {
				codes = "one-time codes"
			}
			line("announced", "state "+*a.StateBitmap, fmt.Sprintf("connection mode %d", *a.ConnectionMode), "availability "+*a.Availability,
				say("interface %s", a.Interface), say("role %s", a.Role), codes)
		}
		line("not tried", text(r.NotTried))
		if r.Session != nil {
			r.Session.markdown(line)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (s *sessionDoc) markdown(line func(what string, parts ...string)) {
	role := ""
	if s.Commissioner {
		role = "became commissioner"
	}
	line("session", "with "+s.Credential, "reached "+s.Reached, role, s.Outcome)
	if !s.Commissioner {
		return
	}
	var types []string
	for _, t := range s.TLVs {
		types = append(types, fmt.Sprint(t))
	}
	line("diagnostic TLVs that came", strings.Join(types, " "))
	size := ""
	if s.Largest != nil {
		size = fmt.Sprintf("largest message %d octets", *s.Largest)
	}
	vanished := "nothing vanished"
	if s.Vanished != nil {
		vanished = fmt.Sprintf("answers of about %d octets and more vanished", *s.Vanished)
	}
	line("size", size, vanished)
	line("asked", fmt.Sprintf("%d by multicast", s.Asked.Multicast), fmt.Sprintf("%d by unicast", s.Asked.Unicast), fmt.Sprintf("%d of them again", s.Asked.Again), fmt.Sprintf("%d routers silent", s.SilentRouters))
	line("on the mesh", fmt.Sprintf("%d messages (%d octets) sent", s.Sent.Messages, s.Sent.Octets), fmt.Sprintf("%d repeated", s.Sent.Repeated),
		fmt.Sprintf("%d (%d) received", s.Received.Messages, s.Received.Octets))
}

// text is a word, "" for null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
