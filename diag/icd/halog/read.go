package halog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"threadmap/diag/icd"
)

// Bounds of one log.
const (
	MaxSize         = 512 << 20 // octets
	maxLine         = 16 << 10  // octets of a line that are looked at
	maxObservations = 200_000
	maxText         = 500  // octets of a line that is kept
	maxIDs          = 4096 // subscriptions whose node is remembered
)

// Options say whose log is wanted and how to read its times.
type Options struct {
	Node uint64 // Matter node id at that server; required
	// Zone is where the server's clock is, for times without a zone; nil: UTC.
	Zone *time.Location
}

// A Log is what was read.
type Log struct {
	Observations []icd.Dated // in the order of the lines
	// First and Last are the times of the first and last line, of any node: what
	// the log covers. Zero where no line has a time.
	First, Last time.Time
	Lines       int  // with a time
	Cut         bool // it had more that could be told than is kept
}

// Read reads a log. Where it ends before its time, what stood before is
// returned with the error. A text that is no log of a Matter server is an error.
func Read(r io.Reader, o Options) (Log, error) {
	if o.Node == 0 {
		return Log{}, errors.New("log: the device's node id at the Matter server is needed")
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	p := reader{o: o, nodes: map[uint32]uint64{}, marks: marks(o.Node)}
	err := p.all(&limited{r: r, left: MaxSize})
	switch {
	case err != nil:
		return p.log, fmt.Errorf("log: after %d lines: %w", p.read, err)
	case p.log.Lines == 0:
		return p.log, errors.New("log: no line begins with a date and a time: is this a log of Home Assistant's Matter server?")
	}
	return p.log, nil
}

// A reader is the reading of one log.
type reader struct {
	o     Options
	log   Log
	read  int
	marks []string          // what a line about the node has one of
	nodes map[uint32]uint64 // who a subscription is of, by its id
	lost  time.Time         // the last loss that was told
	id    uint32            // the node's last subscription id, 0: not told
}

// all goes through the lines. What a line has beyond maxLine is dropped.
func (p *reader) all(r io.Reader) error {
	b := bufio.NewReaderSize(r, maxLine)
	for {
		line, more, err := b.ReadLine()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		p.read++
		p.line(clean(line))
		for more {
			if _, more, err = b.ReadLine(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

func (p *reader) line(s string) {
	at, text, ok := stamp(s, p.o.Zone)
	if !ok {
		return
	}
	p.log.Lines++
	if p.log.First.IsZero() || at.Before(p.log.First) {
		p.log.First = at
	}
	if at.After(p.log.Last) {
		p.log.Last = at
	}
	if !p.worthALook(text) {
		return
	}
	id, hasID := subscriptionID(text)
	ours := names(text, p.o.Node)
	switch {
	case ours && hasID:
		if len(p.nodes) < maxIDs {
			p.nodes[id] = p.o.Node
		}
		p.id = id
	case !ours && hasID && p.nodes[id] == p.o.Node && !namesAny(text):
		ours = true
	}
	if ours {
		p.tell(at, text)
	}
}

func (p *reader) see(at time.Time, event string, what any) {
	if len(p.log.Observations) >= maxObservations {
		p.log.Cut = true
		return
	}
	p.log.Observations = append(p.log.Observations, icd.Dated{At: at, Observation: icd.Observation{By: icd.ByHA, Event: event, What: what}})
}

var errLong = fmt.Errorf("it is longer than %d MiB: cut out the hours that matter", MaxSize>>20)

// A limited reader ends with errLong.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLong
	}
	if int64(len(b)) > l.left {
		b = b[:l.left]
	}
	n, err := l.r.Read(b)
	l.left -= int64(n)
	return n, err
}

// clean makes plain text of a line: without escape sequences (ECMA-48, as
// terminals take for colours), control characters, and octets that are no UTF-8.
func clean(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == 0x1b && i+1 < len(b) && b[i+1] == '[':
			for i += 2; i < len(b) && (b[i] < 0x40 || b[i] > 0x7e); i++ {
			}
		case c == '\t':
			out.WriteByte(' ')
		case c < ' ' || c == 0x7f:
		default:
			out.WriteByte(c)
		}
	}
	return strings.TrimSpace(strings.ToValidUTF8(out.String(), "\uFFFD"))
}

// stamp splits a line into its time and its text.
func stamp(s string, zone *time.Location) (at time.Time, text string, ok bool) {
	s = strings.TrimLeft(s, "[ ")
	if len(s) < len("2006-01-02 15:04:05") || s[4] != '-' || s[10] != ' ' && s[10] != 'T' {
		return at, "", false
	}
	end := len("2006-01-02 15:04:05")
	clock := s[:10] + "T" + s[11:end]
	if end < len(s) && (s[end] == '.' || s[end] == ',') {
		k := end + 1
		for k < len(s) && s[k] >= '0' && s[k] <= '9' {
			k++
		}
		if digits := s[end+1 : min(k, end+10)]; digits != "" {
			clock += "." + digits
		}
		end = k
	}
	rest := s[end:]
	switch {
	case strings.HasPrefix(rest, "Z"):
		at, ok = parse(clock, time.UTC)
		rest = rest[1:]
	case len(rest) >= 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		t, err := time.Parse("2006-01-02T15:04:05Z07:00", clock+rest[:6])
		at, ok, rest = t, err == nil, rest[6:]
	default:
		at, ok = parse(clock, zone)
	}
	return at, strings.TrimLeft(rest, "] "), ok
}

func parse(clock string, zone *time.Location) (time.Time, bool) {
	t, err := time.ParseInLocation("2006-01-02T15:04:05", clock, zone)
	return t, err == nil
}
