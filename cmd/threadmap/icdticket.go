package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/redact"
	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/render"
	"threadmap/render/timeline"
)

// ticketFlags are --ticket and --no-redact.
type ticketFlags struct{ on, named bool }

func (f *ticketFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.on, "ticket", false, "print Markdown for the maker's support instead: facts in UTC, with pseudonyms")
	c.Flags().BoolVar(&f.named, "no-redact", false, "with --ticket: names and addresses as they are")
}

func (f *ticketFlags) check(c *cobra.Command, json bool) error {
	switch {
	case f.named && !f.on:
		return usage(c, "--no-redact is for --ticket")
	case f.on && json:
		return usage(c, "--ticket is Markdown, --json is not: leave out one of them")
	}
	return nil
}

// A subject is what is known of a device beside its observations.
type subject struct {
	name                    string // "": not told
	vendor, model, firmware string
}

// subject is what the scan tells of the device.
func (w *icdWatch) subject() subject {
	return subject{w.node.Name, w.node.Vendor, w.node.Product, w.node.Firmware}
}

// subjectOf finds the device of a timeline in the last saved scan.
func (a *app) subjectOf(node icd.NodeName) (s subject) {
	e, err := diag.ParseExtAddr(string(node))
	if err != nil {
		return s
	}
	store, err := a.store()
	if err != nil {
		return s
	}
	scan, _, err := store.LastScan()
	if err != nil {
		return s
	}
	for _, n := range a.document(scan, nil).Map.Nodes {
		if n.ExtAddr == e {
			return subject{n.Name, n.Vendor, n.Product, n.Firmware}
		}
	}
	return s
}

// told takes what the observations themselves tell of the device: the newest.
func (s *subject) told(t *icd.Timeline) {
	for o := range t.All() {
		w, ok := o.What.(*icd.Read)
		if !ok {
			continue
		}
		for path, to := range map[string]*string{"0/40/1": &s.vendor, "0/40/3": &s.model, "0/40/10": &s.firmware} {
			var v string
			if json.Unmarshal(w.Values[path], &v) == nil && v != "" {
				*to = v
			}
		}
	}
}

// printTicket prints the facts of a timeline for somebody who was not there, and
// draws them into files. Unless names are wanted all is made of a timeline of
// pseudonyms, and of nothing else.
func (a *app) printTicket(c *cobra.Command, f *ticketFlags, files []string, t *icd.Timeline, whose string, at icd.Seconds, who subject) error {
	if !f.named {
		key, err := a.pseudonymKey(c)
		if err != nil {
			a.warn(fmt.Errorf("the key of your pseudonyms: %w: those of this ticket are good for it alone", err))
			key = make([]byte, 32)
			rand.Read(key)
		}
		r := redact.New(key)
		if whose != "" {
			whose = (&timelineRedactor{Redactor: r}).controller(whose)
		}
		t = redactTimeline(r, t)
		who = subject{vendor: r.Makers(who.vendor), model: r.Makers(who.model), firmware: r.Makers(who.firmware)}
	}
	who.told(t)
	v, err := icd.Evaluate(t, at, whose)
	if err != nil && whose != "" {
		v, err = icd.Evaluate(t, at, "")
	}
	if err != nil {
		return err
	}
	a.writeTimelines(files, t, v, who.name)
	if err := a.print(func(w io.Writer) error { return writeTicket(w, t, v, who, !f.named) }); err != nil {
		return err
	}
	if f.named {
		a.hint("It tells names and addresses of your home: without --no-redact it tells pseudonyms.")
	} else {
		a.hint("Look it over before you send it: makers' own words for models and versions are quoted as they are.")
	}
	return nil
}

// maxTicketRows bounds the table of what was observed.
const maxTicketRows = 80

// A ticketRow is a line of that table.
type ticketRow struct {
	at    icd.Seconds
	note  timeline.Note
	count int
}

// writeTicket writes the Markdown.
func writeTicket(w io.Writer, t *icd.Timeline, v *icd.Verdict, who subject, redacted bool) error {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	word := func(s string) string { return render.Verbatim(clip(s, 300)) }
	utc := func(s icd.Seconds) string {
		return t.Start.UTC().Add(time.Duration(s)).Format("15:04:05.0")
	}
	device := strings.TrimSpace(who.vendor + " " + who.model)
	line("### A sleepy Matter device %s", map[bool]string{true: "that came back after a restart", false: "that does not come back after a restart"}[v.Healthy != nil && *v.Healthy])
	line("")
	line("%s", word(headline(v)))
	line("")
	if who.name != "" {
		line("- name: %s", word(who.name))
	}
	line("- device: %s, firmware %s", word(cmp.Or(device, "not told")), word(cmp.Or(who.firmware, "not told")))
	line("- address: %s%s", word(string(v.Node)), map[bool]string{true: " (pseudonym)"}[redacted])
	line("- sleeps: %s", map[icd.Mode]string{icd.ModeShortIdle: "short idle time (SIT)", icd.ModeLongIdle: "long idle time (LIT)"}[v.Mode]+map[bool]string{true: "not known"}[v.Mode == icd.ModeUnknown])
	if v.Subscriber != "" {
		line("- about the subscription of: %s", word(v.Subscriber))
	}
	line("- observed: %s, %s to %s UTC, by threadmap %s on %s", t.Start.UTC().Format(time.DateOnly), utc(0), utc(v.At), word(readBuild().Version), runtime.GOOS+"/"+runtime.GOARCH)
	line("- seconds count from %s UTC", utc(0))
	line("- evidence: rung %d of 4 (0 listened, 1 touched, 2 the mesh asked, 3 own subscription on the device, 4 from inside a controller or a capture)", v.Rung)
	if redacted {
		line("- names, addresses and ids are pseudonyms")
	}

	line("\n#### The chain\n\n| link | | state | because |\n|---|---|---|---|")
	for _, s := range v.Chain {
		line("| %s | %s | %s | %s |", s.Link, word(s.Link.Title()), s.State, word(strings.Join(s.Because, "; ")))
	}
	if v.Link != 0 {
		line("\nThe first broken link is %s, “%s”. Whose matter it is: %s.", v.Link, v.Link.Title(), partyWords[v.Party])
	}
	if len(v.Causes) > 0 {
		line("\n#### What may be behind it\n")
		for i, c := range v.Causes {
			if i == 8 {
				line("- and %d more", len(v.Causes)-i)
				break
			}
			line("- %s (%s, %s)", word(icd.CauseByID(c.ID).Title), c.ID, c.Confidence)
			for _, f := range c.For {
				line("  - for: %s", word(f))
			}
			for _, f := range c.Against {
				line("  - against: %s", word(f))
			}
		}
	}
	if len(v.Excluded) > 0 {
		line("\n#### What is excluded\n")
		for _, x := range v.Excluded {
			title := ""
			if c := icd.CauseByID(x.ID); c != nil {
				title = c.Title + " "
			}
			line("- %s(%s): %s", word(title)+map[bool]string{true: " "}[title != ""], word(x.ID), word(x.Because))
		}
	}
	if len(v.Facts) > 0 {
		line("\n#### Circumstances\n")
		for _, f := range v.Facts {
			line("- %s (%s)", word(f.Says), word(f.ID))
		}
	}
	if len(v.Await) > 0 {
		line("\n#### What may still happen by itself\n")
		for _, x := range v.Await {
			line("- %s, between %s and %s UTC", word(x.What), utc(x.NotBefore), utc(x.NotAfter))
		}
	}
	rows, all := ticketRows(t, v)
	line("\n#### What was observed\n")
	if len(rows) < all {
		line("%d of %d lines: those around the restart first.\n", len(rows), all)
	}
	line("| UTC | who | what |\n|---|---|---|")
	for _, r := range rows {
		times := ""
		if r.count > 1 {
			times = fmt.Sprintf(" (%d times)", r.count)
		}
		line("| %s | %s | %s%s |", utc(r.at), r.note.Lane, word(r.note.Text), times)
	}
	if v.Next != nil {
		line("\n#### What would settle it\n\n%s\n(%s)", word(v.Next.Do), word(v.Next.Because))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// ticketRows are the observations that are worth a line: what repeats within
// minutes is one, and where there are too many, those nearest to the restart stay.
func ticketRows(t *icd.Timeline, v *icd.Verdict) (rows []ticketRow, all int) {
	teller := timeline.NewTeller(t)
	last := map[string]int{}
	for o := range t.All() {
		if o.At > v.At || len(rows) >= 20000 {
			break
		}
		n := teller.Note(o)
		if o.Event == "goodbye" { // what comes after it is news
			clear(last)
		}
		key := fmt.Sprint(n.Lane, n.Text)
		if i, again := last[key]; again && o.At-rows[i].at < icd.Seconds(5*time.Minute) {
			rows[i].count++
			continue
		}
		last[key] = len(rows)
		rows = append(rows, ticketRow{o.At, n, 1})
	}
	all = len(rows)
	if all <= maxTicketRows {
		return rows, all
	}
	restart, _ := t.Restarted(v.At)
	apart := func(r ticketRow) icd.Seconds { return max(r.at-restart, restart-r.at) }
	slices.SortStableFunc(rows, func(a, b ticketRow) int { return cmp.Compare(apart(a), apart(b)) })
	rows = rows[:maxTicketRows]
	slices.SortStableFunc(rows, func(a, b ticketRow) int { return cmp.Compare(a.at, b.at) })
	return rows, all
}
