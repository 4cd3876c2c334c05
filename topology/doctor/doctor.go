package doctor

import (
	"cmp"
	"slices"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

// A Case is what rules look at. Rules do not change it.
type Case struct {
	Map  *topology.Map
	Ways *topology.Routing // of Map
	// Scan is what the map was built from: for the problems, the sources and the
	// reports that belong to no node.
	Scan *diag.Scan
	Host *Host     // nil: the machine was not looked at, or the scan was made elsewhere
	Now  time.Time // when the scan ended
	x    *index
}

// New prepares a case; one that was not made by it can't be examined. host may
// be nil.
func New(m *topology.Map, scan *diag.Scan, host *Host) *Case {
	c := &Case{Map: m, Ways: m.Routing(), Scan: scan, Host: host, Now: scan.To}
	c.x = newIndex(c)
	for _, m := range c.x.meshes {
		m.split, m.led = c.livingParts(m)
	}
	c.x.cuts = c.cuts()
	c.x.overhears = c.findOverheard()
	c.x.lost = c.findLost()
	c.x.stranded = c.findStranded()
	return c
}

// A Rule looks for one kind of trouble.
type Rule struct {
	Name  string // in findings and on the command line: "weak-link"
	About string // one line of help: what it finds
	Of    Subject
	Find  func(*Case) []Finding
}

// A Subject says which of its nodes a rule's findings are about. The others are
// peers of these, or hang on them.
type Subject uint8

// The subjects.
const (
	OfFirst Subject = iota
	OfLink          // the ends of a link, the first two
	OfAll
)

// A Finding is one trouble that a rule found.
type Finding struct {
	Rule       string  // filled in by Examine
	Of         Subject // likewise
	Severity   Severity
	Confidence Confidence
	Title      string           // one line in plain words, with the names of nodes
	Detail     string           // what was seen, with numbers, one to three sentences
	Nodes      []*topology.Node // whom it is about, the most important first
	NextStep   string           // what a person can do, one to three sentences
	Evidence   []topology.Evidence
}

// Subjects are the nodes that the finding is about, as f.Of says.
func (f *Finding) Subjects() []*topology.Node {
	switch f.Of {
	case OfAll:
		return f.Nodes
	case OfLink:
		return f.Nodes[:min(len(f.Nodes), 2)]
	}
	return f.Nodes[:min(len(f.Nodes), 1)]
}

// A Severity says how much a finding matters.
type Severity uint8

// The severities.
const (
	Info    Severity = iota + 1 // good to know
	Warning                     // works, but badly or not for long
	Error                       // something does not work
)

// String is the word of the JSON document.
func (s Severity) String() string { return [...]string{"", "info", "warning", "error"}[min(s, Error)] }

// A Confidence says how sure a finding is.
type Confidence uint8

// The confidences.
const (
	Low    Confidence = iota + 1 // one hint, other explanations are as likely
	Medium                       // one witness, or an old one
	High                         // several witnesses, or the node itself
)

// String is the word of the JSON document.
func (c Confidence) String() string { return [...]string{"", "low", "medium", "high"}[min(c, High)] }

// What one finding lists at most. Its title and detail give the true number.
const (
	maxNodes    = 100
	maxEvidence = 100
)

// Examine runs all rules and lists the findings: errors first, then the surer
// ones, then by rule and node, so that the same case gives the same list.
func Examine(c *Case) []Finding {
	out := []Finding{}
	for _, r := range Rules {
		for _, f := range r.Find(c) {
			f.Rule, f.Of = r.Name, r.Of
			f.Evidence = slices.Clone(f.Evidence) // it may be a node's own
			slices.SortFunc(f.Evidence, compareEvidence)
			f.Evidence = slices.Compact(f.Evidence)
			f.Evidence = f.Evidence[:min(len(f.Evidence), maxEvidence)]
			f.Nodes = f.Nodes[:min(len(f.Nodes), maxNodes)]
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Confidence, a.Confidence),
			cmp.Compare(a.Rule, b.Rule), slices.CompareFunc(a.Nodes, b.Nodes, compareNodes), cmp.Compare(a.Title, b.Title),
		)
	})
	return out
}

func compareNodes(a, b *topology.Node) int { return cmp.Compare(a.ID, b.ID) }

func compareEvidence(a, b topology.Evidence) int {
	return cmp.Or(
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.Via, b.Via), a.At.Compare(b.At),
		cmp.Compare(a.By, b.By), cmp.Compare(a.Field, b.Field),
	)
}
