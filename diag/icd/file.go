package icd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// What a file may have at most.
const (
	MaxLine  = 64 << 10
	MaxFile  = 64 << 20
	MaxLines = 1_000_000
)

const (
	formatName    = "threadmap-observations"
	formatVersion = 1
)

type header struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Node    NodeName  `json:"node"`
	Start   time.Time `json:"start"`
}

// ReadTimeline reads a file of observations, one JSON object a line. On an error the
// timeline has what stood before the bad line; it is nil where the first line
// is not that of such a file.
func ReadTimeline(r io.Reader) (*Timeline, error) {
	l := &limited{r: r, left: MaxFile}
	s := bufio.NewScanner(l)
	s.Buffer(make([]byte, 0, 4096), MaxLine)
	var t *Timeline
	n := 0
	for s.Scan() {
		n++
		line := bytes.TrimSpace(s.Bytes())
		switch {
		case n > MaxLines:
			return t, fmt.Errorf("observations: more than %d lines: split the file", MaxLines)
		case len(line) == 0:
			continue
		case t == nil:
			h, err := readHeader(line)
			if err != nil {
				return nil, fmt.Errorf("observations: line %d: %w", n, err)
			}
			t = NewTimeline(h.Node, h.Start)
			continue
		}
		var o Observation
		if err := json.Unmarshal(line, &o); err != nil {
			if l.err != nil { // the line was cut off
				err = l.err
			}
			return t, fmt.Errorf("observations: line %d: %w", n, plain(err))
		}
		t.Add(o)
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return t, fmt.Errorf("observations: line %d is longer than %d octets", n+1, MaxLine)
	case err != nil:
		return t, fmt.Errorf("observations: after line %d: %w", n, err)
	case t == nil:
		return nil, errors.New("observations: empty: the first line must be the header")
	}
	return t, nil
}

func readHeader(line []byte) (header, error) {
	var h header
	err := json.Unmarshal(line, &h)
	switch {
	case h.Format != formatName:
		return h, fmt.Errorf("not a file of observations: want %q in its first line", formatName)
	case h.Version != formatVersion:
		return h, fmt.Errorf("version %d of the format is not known here: want %d", h.Version, formatVersion)
	case err != nil:
		return h, plain(err)
	case h.Node == "":
		return h, errors.New(`"node" is missing: want the device's extended address`)
	}
	return h, nil
}

// WriteHeader writes the first line of a file.
func WriteHeader(w io.Writer, node NodeName, start time.Time) error {
	b, err := json.Marshal(header{formatName, formatVersion, node, start})
	if err != nil {
		return fmt.Errorf("observations: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// WriteLine writes one observation. One that is longer than a line may be is
// refused.
func WriteLine(w io.Writer, o Observation) error {
	b, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("observations: %s %s: %w", o.By, o.Event, err)
	}
	if len(b) >= MaxLine {
		return fmt.Errorf("observations: %s %s: %d octets are too many for a line", o.By, o.Event, len(b))
	}
	_, err = w.Write(append(b, '\n')) // one write: a crash leaves whole lines
	return err
}

// WriteTimeline writes a whole timeline.
func WriteTimeline(w io.Writer, t *Timeline) error {
	if err := WriteHeader(w, t.Node, t.Start); err != nil {
		return err
	}
	for o := range t.All() {
		if err := WriteLine(w, *o); err != nil {
			return err
		}
	}
	return nil
}

// limited fails where a file goes on beyond its limit; io.LimitReader would
// make it look finished.
type limited struct {
	r    io.Reader
	left int
	err  error // why reading ended, other than by the end of the file
}

func (l *limited) Read(p []byte) (n int, err error) {
	if l.left > 0 {
		n, err = l.r.Read(p[:min(len(p), l.left)])
		l.left -= n
	} else {
		var one [1]byte
		if n, err = l.r.Read(one[:]); n > 0 {
			n, err = 0, fmt.Errorf("the file is larger than %d octets: split it", MaxFile)
		}
	}
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}
