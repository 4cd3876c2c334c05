// Package render draws a map: as a tree for terminals, as the JSON document
// that other programs rely on, as Graphviz source, as a table, as a picture.
//
// Every format is one entry of [Formats] and one file here. The picture goes
// through three steps of its own: render/layout gives nodes a place,
// render/scene makes shapes of them, render/svg and render/raster draw the
// shapes. render/page puts picture and document into one HTML file.
//
// The reader is behind topology: nothing is inferred here, nothing is asked,
// and the same document gives the same bytes on every machine. All text that a
// stranger could have chosen is cleaned ([Clean]) and then escaped by the rules
// of the format.
package render

import (
	"io"
	"strings"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
	"threadmap/topology/doctor"
)

// A Document is what a drawing is made from.
type Document struct {
	Map  *topology.Map // nil is an empty map
	Scan *diag.Scan    // when and by whom it was learnt, and what failed; nil: not known
	// Findings are what the doctor found, worst first; nil: nobody looked.
	Findings []doctor.Finding
	// Earlier are scans of the same home before this one, oldest first. Only the
	// page shows them, each at a position of its slider; their own Earlier is not
	// looked at.
	Earlier []*Document
}

// Options change how a document is drawn. The zero value is right for a file.
type Options struct {
	Color    bool // colour escapes in text
	Width    int  // columns to set text in; 0: 120, less than 0: lines may be as long as they need
	ShowDead bool // draw dead links too (JSON and CSV always have them)
	OnlyMap  bool // the tree without its sentence, findings and problems
	// Engine is the layout engine that DOT asks Graphviz for, a plain word such as
	// "sfdp"; empty: whoever draws the file chooses.
	Engine string
	// Note is told, in one line, what a drawing could not show; nil: nobody is.
	Note func(string)
}

func (o Options) note(s string) {
	if o.Note != nil {
		o.Note(s)
	}
}

// A Format is one way to draw.
type Format struct {
	Name  string // for --format: "svg"
	Ext   string // of files: ".svg"
	Write func(io.Writer, *Document, Options) error
}

// Formats lists every format. A new one is a line here and a file beside it.
var Formats = []Format{
	{Name: "tree", Ext: ".txt", Write: Tree},
	{Name: "json", Ext: ".json", Write: JSON},
	{Name: "svg", Ext: ".svg", Write: SVG},
	{Name: "dot", Ext: ".dot", Write: DOT},
	{Name: "csv", Ext: ".csv", Write: CSV},
	{Name: "html", Ext: ".html", Write: HTML},
	{Name: "png", Ext: ".png", Write: PNG},
}

// ByExt finds the format of a file by its name, in any case.
func ByExt(file string) (Format, bool) {
	for _, f := range Formats {
		if len(file) > len(f.Ext) && strings.EqualFold(file[len(file)-len(f.Ext):], f.Ext) {
			return f, true
		}
	}
	return Format{}, false
}

// Clean makes s safe to show: one line, no escape sequences, no control,
// direction or zero-width characters, valid UTF-8, at most [text.MaxLen] bytes.
func Clean(s string) string { return text.Clean(s) }

// Sentence says in one line how the mesh does: "MyHome is in good shape: 37
// devices, 4 border routers." or what is not.
func Sentence(d *Document) string { return d.view(false).Sentence() }

func (d *Document) view(showDead bool) *view.View {
	return view.New(d.topology(), showDead).Examined(d.Findings)
}

func (d *Document) topology() *topology.Map {
	if d.Map == nil {
		return &topology.Map{}
	}
	return d.Map
}
