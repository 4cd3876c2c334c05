package hadoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"threadmap/diag"
)

// MaxBytes bounds a document: 250 nodes of 100 kB, and as much again.
const MaxBytes = 64 << 20

// Bounds of what is kept of one document.
const (
	maxNodes    = 32 * 512 // more than the nodes of the largest Thread network
	maxNetworks = 256
	maxRouters  = 1024
	maxProblems = 30
)

// A Context is what a document does not say of itself.
type Context struct {
	Source  string    // of the reports
	Via     string    // of the reports: a URL without user info, a file's base name
	Session string    // the begin of the reports' sessions
	At      time.Time // when it was made or fetched
}

// A Document is what was read.
type Document struct {
	Domain   string // of the integration, as the manifest in it says: "matter"; "" where it was not reached
	Version  string // of Home Assistant; "" where it does not say
	Matter   bool   // it has the data of the Matter integration
	Thread   bool   // it has the data of the Thread integration
	Whole    bool   // it was read to its end
	Reports  []diag.Report
	Problems []diag.Problem
}

// A reading is a document while it is read.
type reading struct {
	c    Context
	doc  Document
	seen bool // a key that only a download has

	fabric uint64 // compressed id of the Matter server's fabric; 0: not told
	nodes  []node
	byID   map[uint64]int // node id -> index of nodes
	router int            // border routers so far
}

// Read reads a download as far as it goes. ok is false where b is no such
// document at all.
func Read(b []byte, c Context) (doc Document, ok bool) {
	if len(b) > MaxBytes {
		return Document{}, false
	}
	r := &reading{c: c, byID: map[uint64]int{}}
	d := newDecoder(b)
	err := members(d, r.top)
	if err == nil {
		_, err = d.Token()
		r.doc.Whole = errors.Is(err, io.EOF)
	}
	if !r.seen {
		return Document{}, false
	}
	r.finishNodes()
	if !r.doc.Whole {
		r.problem("the document %s: what stands before that is read", fault(b, d, err))
	}
	return r.doc, true
}

func (r *reading) top(key string, d *json.Decoder) error {
	switch key {
	case "integration_manifest":
		r.seen = true
		var m struct{ Domain text }
		err := decode(d, &m)
		r.doc.Domain = strings.ToLower(string(m.Domain))
		return err
	case "home_assistant", "home-assistant":
		var h struct{ Version text }
		err := decode(d, &h)
		r.doc.Version = string(h.Version)
		return err
	case "data":
		return inside(d, r.data)
	case "diagnostics-data": // Home Assistant of 2022
		r.seen = true
		return inside(d, r.data)
	}
	return skip(d)
}

// data reads the part that the integration wrote. Which one that was is seen
// from the keys, since a manifest may have been moved behind it.
func (r *reading) data(key string, d *json.Decoder) error {
	switch key {
	case "server":
		return inside(d, r.server)
	case "server_info":
		return r.serverInfo(d)
	case "node":
		r.doc.Matter = true
		return r.node(d)
	case "networks":
		r.doc.Thread = true
		return inside(d, r.network)
	}
	return skip(d)
}

// problem notes a line that quotes nothing of the document.
func (r *reading) problem(format string, args ...any) {
	text := ""
	switch n := len(r.doc.Problems); {
	case n < maxProblems:
		text = fmt.Sprintf(format, args...)
	case n == maxProblems:
		text = "more could not be read"
	default:
		return
	}
	r.doc.Problems = append(r.doc.Problems, diag.Problem{Source: r.c.Source, Target: r.c.Via, Stage: diag.StageParse, Text: text})
}

// report keeps a report. A cache spoke, be it the Matter server's or Home
// Assistant's own, so tables may be older than the document.
func (r *reading) report(rep diag.Report) {
	rep.Source, rep.Via, rep.At, rep.Cached = r.c.Source, r.c.Via, r.c.At, true
	if xp := rep.Network.ExtPANID; xp != 0 && r.c.Session != "" { // a session is one network
		rep.Session = r.c.Session + " " + xp.String()
	}
	r.doc.Reports = append(r.doc.Reports, rep)
}

// fault says where a document breaks.
func fault(b []byte, d *json.Decoder, err error) string {
	var se *json.SyntaxError
	at := d.InputOffset()
	if errors.As(err, &se) {
		at = se.Offset
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || at >= int64(len(bytes.TrimRight(b, " \t\r\n"))) {
		return "ends in the middle"
	}
	return fmt.Sprintf("is broken at octet %d", at)
}
