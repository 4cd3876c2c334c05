// Package restdoc reads the JSON documents of OpenThread Border Router's REST
// API as facts: one diag.Report for each node that a document speaks of.
//
// The API came in three generations that differ in the case of keys, in numbers
// against hexadecimal text, and in the frame around the entries; the ESP Thread
// BR speaks the first with a frame of its own. One reader takes them all: keys
// match in any case, RLOC16s as number or "0x5c00", and [Sniff] tells the
// documents apart by what is in them, so a file saved with curl is read as well
// as a live answer. Generation 2 (2025-09-10 to 2026-07-19) is read by OTBR's
// source; no recording of it was at hand, so it is unproved.
//
// It is pure, and its input is hostile: size, nesting, rows and text are bounded
// before anything is allocated; a wrong value costs its field, a broken entry
// costs that entry, and whatever stood before a cut is kept. Network keys and
// PSKcs that stand in a dataset are never looked at.
//
// The reader is below diag/otbr, which fetches the documents, and diag/dump,
// which finds them in files.
package restdoc

import (
	"time"

	"threadmap/diag"
)

// Bounds of a document.
const (
	// MaxBytes is the largest document that is read. A mesh of 32 routers with
	// 511 children each, 500 octets a child, just fits.
	MaxBytes = 8 << 20
	// maxDepth is the deepest nesting; OTBR's own is 8, a frame makes it 9.
	maxDepth = 24
	// maxKeys bounds the members that are looked at in one object.
	maxKeys = 256
	// maxEntries bounds the nodes of one document. OTBR keeps 200.
	maxEntries = 4096
	// maxRows bounds one table: a router has at most 511 children and 62
	// neighbors.
	maxRows = 512
	// maxAddresses bounds the addresses of one node.
	maxAddresses = 64
	// maxText bounds names; the longest of Thread has 64 octets.
	maxText = 128
	// maxProblems bounds what one document may complain.
	maxProblems = 32
)

// Context is what the caller knows of a document and every report made of it
// carries.
type Context struct {
	Source  string    // of the reports: "otbr", "dump"
	Via     string    // through whom; also the Target of problems
	Session string    // documents of one session were made by one border router, about one mesh, at one time
	At      time.Time // when it was heard; zero: the "created" of the entries, where they have one
	// Network is what is already known of the mesh, from /node. Its extended
	// PAN id and name are put in every report, and its mesh-local prefix turns
	// interface identifiers into addresses.
	Network diag.Network
}

// A Document is a document once read.
type Document struct {
	Kind     Kind
	Reports  []diag.Report
	Problems []diag.Problem
	// Lost names nodes whose lists were lost on their way: see [Loss].
	Lost []Loss
	// Offset, Total and Pages describe a JSON:API collection; Pages is false
	// for documents that say nothing about it.
	Offset, Total int
	Pages         bool
	Entries       int // entries seen, whether or not they made a report
}

// A Loss is an entry whose lists contradict its own tables: OTBR asks for
// them by queries of their own, and where those fail it still says
// "completed" and shows empty lists.
type Loss struct {
	ExtAddr diag.ExtAddr
	RLOC16  diag.RLOC16
	Text    string // one line
}

// Decode reads a document of any kind. What can't be read is a problem, and so
// is every [Loss].
func Decode(body []byte, ctx Context) ([]diag.Report, []diag.Problem) {
	d := Read(body, ctx)
	for _, l := range d.Lost {
		if len(d.Problems) >= maxProblems {
			break
		}
		d.Problems = append(d.Problems, diag.Problem{
			Source: ctx.Source, Target: ctx.Via, Stage: diag.StageAsk, Text: l.Text,
			Hint: "ask that router again, alone", Partial: true,
		})
	}
	return d.Reports, d.Problems
}
