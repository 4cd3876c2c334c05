package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/diag/icd/capture"
)

const icdReplayText = `Judge recorded observations: a file that "threadmap icd NODE --record FILE" wrote (one
JSON object a line, first line {"format":"threadmap-observations","version":1,…}), as
things stood at a time, and about the controller that the user complains of, or the
one that --subscriber names.

--pcap FILE takes a packet capture of the LAN (pcap or pcapng), --log FILE the log of
Home Assistant's Matter server; each alone, or together with the others, put side by
side by their clocks. --node names the device where the files don't: its extended
address, one of its instance names, or an address; in a log a node id ("12").

-o FILE.svg draws the timeline. --ticket prints facts for the maker's support, in UTC
and with pseudonyms.`

type replayFlags struct {
	look
	at               secondsFlag
	subscriber, node string
	pcap, log        namesFlag
	output           namesFlag
	ticket           ticketFlags
}

// A secondsFlag is a time of a timeline.
type secondsFlag struct {
	at  icd.Seconds
	set bool
}

func (f *secondsFlag) String() string {
	if !f.set {
		return ""
	}
	return f.at.String()
}
func (f *secondsFlag) Type() string { return "SECONDS" }
func (f *secondsFlag) Set(s string) error {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n <= 1e8) {
		return errors.New("want seconds from the start, 0 to 100000000")
	}
	f.at, f.set = icd.Sec(n), true
	return nil
}

func (a *app) icdReplayCommand() *cobra.Command {
	f := &replayFlags{}
	c := &cobra.Command{
		Use:   "replay [FILE]",
		Short: "judge recorded observations, captures and logs",
		Long:  icdReplayText,
		Example: `  threadmap icd replay button.jsonl
  threadmap icd replay button.jsonl --at 300 --json
  threadmap icd replay button.jsonl --pcap lan.pcapng -o button.svg
  threadmap icd replay --pcap lan.pcapng --node 86c42aee25485123 --ticket`,
		Args: atMost(1),
	}
	f.pcap.kind, f.log.kind = "FILE", "FILE"
	c.Flags().Var(&f.at, "at", "judge as of so many `SECONDS` from the start; default: at the end")
	c.Flags().StringVar(&f.subscriber, "subscriber", "", "about this controller's subscription (`NAME`)")
	c.Flags().Var(&f.pcap, "pcap", "also take this packet capture of the LAN; may be repeated")
	c.Flags().Var(&f.log, "log", "also take this log of Home Assistant's Matter server; may be repeated")
	c.Flags().StringVar(&f.node, "node", "", "the device (`NODE`), where the files don't say which")
	timelineOutputFlag(c, &f.output)
	f.ticket.add(c)
	f.jsonFlag(c)
	c.RunE = verb(func(c *cobra.Command, args []string) error { return a.icdReplay(c, f, args) })
	return c
}

func (a *app) icdReplay(c *cobra.Command, f *replayFlags, args []string) error {
	if c.Flags().Changed("subscriber") && f.subscriber == "" {
		return usage(c, "--subscriber: the name is empty")
	}
	if c.Flags().Changed("node") && f.node == "" {
		return usage(c, "--node: the name is empty")
	}
	for flag, files := range map[string][]string{"pcap": f.pcap.names, "log": f.log.names} {
		if slices.Contains(files, "") {
			return usage(c, "--%s: the name of the FILE is empty", flag)
		}
	}
	switch {
	case len(args)+len(f.pcap.names)+len(f.log.names) == 0:
		return usage(c, "nothing to judge: name a FILE, --pcap FILE or --log FILE")
	}
	if err := timelineOutputs(c, f.output.names); err != nil {
		return err
	}
	if err := f.ticket.check(c, f.json); err != nil {
		return err
	}
	t, name, err := a.icdInputs(c.Context(), f, args)
	if err != nil {
		return err
	}
	when := t.End()
	if f.at.set {
		when = f.at.at
	}
	verdict, err := icd.Evaluate(t, when, f.subscriber)
	if err != nil {
		return fail("%s: %w", name, err)
	}
	if f.ticket.on {
		return a.printTicket(c, &f.ticket, f.output.names, t, f.subscriber, when, a.subjectOf(t.Node))
	}
	a.writeTimelines(f.output.names, t, verdict, a.subjectOf(t.Node).name)
	if f.json {
		return a.printJSON(verdict)
	}
	return a.print(func(w io.Writer) error { return writeVerdict(w, t, verdict) })
}

// icdInputs reads all files and puts their observations side by side. What stood
// before a fault of a file is taken, and the fault is said.
func (a *app) icdInputs(ctx context.Context, f *replayFlags, args []string) (*icd.Timeline, string, error) {
	var parts []*icd.Timeline
	name := ""
	node := icd.NodeName(f.node)
	number, isNumber := logNumber(f.node) // of the logs; captures and observations have other names
	if isNumber {
		node = ""
	}
	if e, err := diag.ParseExtAddr(f.node); err == nil {
		node = icd.NodeName(e.String())
	}
	damaged := func(file string, err error) {
		a.warn(fmt.Errorf("%s: %w", file, err))
		a.partial = true
	}
	for _, file := range args {
		b, shown, _, err := a.readFile(ctx, file, icd.MaxFile)
		if err != nil {
			return nil, "", err
		}
		t, err := icd.ReadTimeline(bytes.NewReader(b))
		if t == nil || t.Len() == 0 && err != nil {
			return nil, "", fail("%s: %w", shown, err)
		}
		if err != nil {
			damaged(shown, err)
		}
		parts, name = append(parts, t), shown
		if node == "" {
			node = t.Node
		}
	}
	for _, file := range f.pcap.names {
		t, of, err := a.readCapture(ctx, file, node)
		if t == nil {
			return nil, "", fail("%s: %w", clean(file), err)
		}
		if err != nil {
			damaged(clean(file), err)
		}
		if node == "" {
			node = of
		}
		parts, name = append(parts, t), clean(file)
	}
	for _, file := range f.log.names {
		if !isNumber {
			if number, isNumber = a.numberAtHome(node); !isNumber {
				return nil, "", fail("%s: which node is it there? name its number with --node", clean(file))
			}
		}
		t, err := a.readControllerLog(ctx, file, number)
		if t == nil {
			return nil, "", fail("%s: %w", clean(file), err)
		}
		if err != nil {
			damaged(clean(file), err)
		}
		if node == "" && len(parts) == 0 {
			node = t.Node
		}
		parts, name = append(parts, t), clean(file)
	}
	return sideBySide(parts, node), name, nil
}

// sideBySide puts timelines together by their clocks. One alone stays as it is.
func sideBySide(parts []*icd.Timeline, node icd.NodeName) *icd.Timeline {
	if len(parts) == 1 {
		return parts[0]
	}
	start := parts[0].Start
	for _, p := range parts {
		if p.Start.Before(start) {
			start = p.Start
		}
	}
	out := icd.NewTimeline(node, start)
	for _, p := range parts {
		by := icd.Seconds(p.Start.Sub(start))
		for o := range p.All() {
			moved := *o
			moved.At += by
			out.Add(moved)
		}
	}
	return out
}

// readCapture reads a packet capture. Without a node it is the device of the file
// that was seen to restart, if there is one only.
func (a *app) readCapture(ctx context.Context, file string, node icd.NodeName) (*icd.Timeline, icd.NodeName, error) {
	in, err := openFile(file)
	if err != nil {
		return nil, "", err
	}
	defer in.Close()
	stop := context.AfterFunc(ctx, func() { in.Close() })
	defer stop()
	o := capture.Options{Node: string(node)}
	if m := a.ownMember(); m != nil {
		o.Fabrics = append(o.Fabrics, m)
	}
	r, err := capture.Read(in, o)
	if ctx.Err() != nil {
		return nil, "", errors.New("stopped")
	}
	if r == nil {
		return nil, "", err
	}
	t := r.Timeline()
	if t == nil {
		if err != nil && len(r.Devices) == 0 {
			return nil, "", err
		}
		return nil, "", fmt.Errorf("which device? %s: name one with --node", devicesOf(r))
	}
	return t, r.Node, err
}

// devicesOf lists the devices of a capture.
func devicesOf(r *capture.Result) string {
	if len(r.Devices) == 0 {
		return "no sleepy device is announced in it"
	}
	var out []string
	for i, d := range r.Devices {
		if i == 8 {
			out = append(out, fmt.Sprintf("%d more", len(r.Devices)-i))
			break
		}
		s := string(d.Node)
		if n := len(d.Restarts); n > 0 {
			s += " (restarted at " + clock(d.Restarts[n-1]) + ")"
		}
		out = append(out, clean(s))
	}
	return "it has " + list(out, "and")
}

// ownMember is threadmap's own identity, nil where there is none.
func (a *app) ownMember() capture.Fabric {
	store, err := a.store()
	if err != nil {
		return nil
	}
	authority, err := store.Fabric()
	if err != nil || authority == nil {
		return nil
	}
	return authority.Member()
}
