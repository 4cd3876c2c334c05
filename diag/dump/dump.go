// Package dump reads files that other tools wrote: the diagnostics downloads of
// Home Assistant, the JSON of its Matter server, saved answers of a border
// router's REST, and text copied from OpenThread's command line, from a
// terminal, a ticket or a forum. Each becomes a [diag.Scan], as if the answers had been heard by a source.
//
// What a file is, is seen from its content and never from its name. [Kinds] is
// the list; a new kind is one file and one line in it.
//
// Files come from strangers: size, line length, rows, nesting and the number
// of complaints are bounded, and no content is quoted in an error, since a
// dump may hold a network key. Keys are never read: "dataset active" gives the
// name and the channel, and the lines of the secrets are passed over.
//
// The package opens no file and no socket. The reader is below the command
// line and above package topology.
package dump

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/diag/homeassistant/hadoc"
)

// Bounds of a file.
const (
	MaxSize     = 64 << 20 // octets
	maxLine     = 64 << 10 // octets of a line of text; longer ones are passed over
	maxLines    = 1_000_000
	maxReports  = 32 * 512 // more than the nodes of the largest Thread network
	maxProblems = 100
	maxRows     = 1024 // of one table: more than 511 children and 62 routers
	maxParts    = 1000 // answers in one transcript
)

// Source names, as they stand in reports.
const (
	sourceText   = "dump"
	sourceMatter = "matter-server"
	sourceOTBR   = "otbr"
)

// A Kind is a form of file that can be read.
type Kind struct {
	Name string // in words, for people
	// read reads the file if it is of this kind, else it returns false and what
	// it said of problems is forgotten. in.json tells valid JSON from text.
	read func(in *input, out *output) bool
}

// Kinds lists the forms, in the order in which they are tried.
var Kinds = []Kind{
	{"Home Assistant: Matter diagnostics", readMatterDownload},
	{"Home Assistant: Thread diagnostics", readThreadDownload},
	{"Home Assistant: other diagnostics", readDownload},
	{"Matter server: answers that make no map", readRefused},
	{"Matter server: nodes", readNodes},
	{"Matter server: border routers", readBorderRouters},
	{"Matter server: attributes of a node", readAttributes},
	{"Matter server: messages, one a line", readMessages},
	{"Matter server: a table of a node", readTables},
	{"border router REST answer", readREST},
	{"chip-tool log", readChipTool},
	{"announcements, as avahi-browse and dns-sd list them", readMDNS},
	{"OpenThread command line", readCLI},
}

// An input is one answer: a whole file, or one of several in a transcript.
type input struct {
	name    string // base name of the file
	host    string // of the URL, where a transcript shows it
	request string // path of the URL
	body    []byte
	json    bool
	at      time.Time
	session string

	downloaded   *hadoc.Document // see download
	downloadRead bool
}

// An output collects what was read.
type output struct {
	in       *input
	reports  []diag.Report
	problems []diag.Problem
	sources  []string
	routers  []*restRouter
	refused  error // the content is known, and known to be of no use
}

// report keeps r and says where it comes from.
func (o *output) report(r diag.Report) {
	if len(o.reports) >= maxReports {
		o.problem(r.Source, "holds more than %d reports: the rest is left out", maxReports)
		return
	}
	r.Via = o.in.name
	if r.At.IsZero() {
		r.At = o.in.at
	}
	o.source(r.Source)
	o.reports = append(o.reports, r)
}

func (o *output) source(name string) {
	for _, s := range o.sources {
		if s == name {
			return
		}
	}
	o.sources = append(o.sources, name)
}

// problem keeps a line about something that could not be read.
func (o *output) problem(source, format string, args ...any) {
	o.source(source)
	switch n := len(o.problems); {
	case n < maxProblems:
		o.problems = append(o.problems, diag.Problem{Source: source, Target: o.in.name, Stage: diag.StageParse, Text: fmt.Sprintf(format, args...)})
	case n == maxProblems:
		o.problems = append(o.problems, diag.Problem{Source: source, Target: o.in.name, Stage: diag.StageParse, Text: "more could not be read"})
	}
}

// Read makes a scan of a file's content. name is its name, of which only the
// base is kept; at is when it was written, the zero time if that is not known.
//
// The scan is complete when the file was read to its end: rows that were cut
// off before it was saved are problems, not failures.
func Read(name string, b []byte, at time.Time) (*diag.Scan, error) {
	name = baseName(name)
	if len(b) > MaxSize {
		return nil, fmt.Errorf("%s: is larger than %d MiB: no dump of a home's mesh is that large", name, MaxSize>>20)
	}
	sum := sha256.Sum256(b)
	session := name + " " + hex.EncodeToString(sum[:6])
	parts, err := split(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := &output{}
	var failed error
	for i, p := range parts {
		p.name, p.at, p.session = name, at, session
		out.in, out.refused = p, nil
		if err := readPart(p, out); err != nil {
			failed = errors.Join(failed, err)
			if len(parts) > 1 {
				out.problem(sourceText, "answer %d of %d: %v", i+1, len(parts), err)
			}
		}
	}
	out.endREST()
	if len(out.reports) == 0 && (failed != nil || len(out.problems) == 0) {
		if len(parts) > 1 || failed == nil {
			failed = errUnknown
		}
		return nil, fmt.Errorf("%s: %w", name, failed)
	}
	if len(out.reports) == 0 {
		return nil, fmt.Errorf("%s: nothing of it could be read: %s", name, out.problems[0].Text)
	}
	s := &diag.Scan{From: at, To: at, Complete: true, Reports: out.reports, Problems: out.problems}
	for _, src := range out.sources {
		s.Sources = append(s.Sources, diag.SourceState{Name: src, Via: name, State: diag.StateAnswered})
	}
	return s, nil
}

var errUnknown = errors.New("holds nothing that is known: looked for diagnostics downloads of Home Assistant (Matter, Thread), snapshots of its Matter server (get_nodes), answers of a border router's REST (/diagnostics, /node, /api/devices) and OpenThread command output (\"router table\", \"neighbor table\", \"meshdiag topology\") and lists of announcements (avahi-browse -rp, dns-sd -L); save one of these, with its header lines, and try again")

func readPart(p *input, out *output) error {
	if len(bytes.TrimSpace(p.body)) == 0 {
		return errors.New("is empty")
	}
	p.json = json.Valid(p.body)
	if looksLikeDataset(p.body) {
		return errors.New("is a Thread operational dataset, which holds the network's keys and no map: keep it to yourself, and save \"meshdiag topology children\" or \"router table\" instead")
	}
	for _, k := range Kinds {
		problems, sources := len(out.problems), len(out.sources)
		if k.read(p, out) {
			return out.refused
		}
		out.problems, out.sources = out.problems[:problems], out.sources[:sources]
	}
	if !p.json && (p.body[0] == '{' || p.body[0] == '[') {
		return fmt.Errorf("is JSON that can't be read: %s; was it cut off when it was saved?", jsonFault(p.body))
	}
	return errUnknown
}

// jsonFault says where JSON breaks, without quoting it.
func jsonFault(b []byte) string {
	var v json.RawMessage
	err := json.Unmarshal(b, &v)
	var se *json.SyntaxError
	if !errors.As(err, &se) {
		return "not understood"
	}
	if se.Offset >= int64(len(b)) {
		return "it ends in the middle"
	}
	return fmt.Sprintf("fault at octet %d", se.Offset)
}

// looksLikeDataset reports whether the content is a dataset in hexadecimal,
// which begins with a timestamp TLV (type 14, length 8) or some other TLV.
func looksLikeDataset(b []byte) bool {
	b = bytes.TrimSpace(b)
	if len(b) < 40 || len(b) > 508 || len(b)%2 != 0 {
		return false
	}
	raw, err := hex.DecodeString(string(b))
	if err != nil {
		return false
	}
	for len(raw) > 1 && int(raw[1]) <= len(raw)-2 {
		raw = raw[2+int(raw[1]):]
	}
	return len(raw) == 0
}

// baseName cuts the folders off, of either system, and bounds the rest.
func baseName(s string) string {
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	if len(s) > 200 {
		s = s[:200]
	}
	s = strings.Map(func(r rune) rune { // errors are one line
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if s == "" {
		s = "input"
	}
	return s
}
