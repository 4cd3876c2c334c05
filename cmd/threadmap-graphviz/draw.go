package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/goccy/go-graphviz"
)

const engineNames = "dot, neato, fdp, sfdp, twopi, circo"

func isEngine(name string) bool {
	return slices.Contains(strings.Split(engineNames, ", "), name)
}

// maxCare is the most nodes that are kept from lying over each other: for more
// that takes every engine but dot minutes.
const maxCare = 250

// noFiles is all that a graph sees of this machine's files, whatever pictures
// its text names.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// draw lays a graph out and writes it as SVG. It is not safe to call twice at a
// time: Graphviz has globals.
func draw(dot []byte, engine string, out io.Writer) (err error) {
	defer func() { // go-graphviz panics where Graphviz traps
		if p := recover(); p != nil {
			err = fmt.Errorf("no picture: Graphviz gave up on the graph: %v", p)
		}
	}()
	if len(bytes.TrimSpace(dot)) == 0 { // Graphviz would tell of an earlier error
		return errors.New("standard input is empty")
	}
	if bytes.IndexByte(dot, 0) >= 0 {
		return errors.New("the graph has a byte 0")
	}
	graphviz.SetFileSystem(noFiles{})
	ctx := context.Background() // not heeded by go-graphviz
	g, err := graphviz.New(ctx)
	if err != nil {
		return err
	}
	defer g.Close()
	graph, err := graphviz.ParseBytes(dot)
	if err != nil {
		return fmt.Errorf("not a graph in DOT: %w", err)
	}
	if graph == nil {
		return errors.New("not a graph in DOT")
	}
	defer graph.Close()
	switch n, err := graph.NodeNum(); {
	case err != nil:
		return err
	case n > maxNodes:
		return fmt.Errorf("the graph has %d nodes, the most is %d", n, maxNodes)
	case n > maxCare && engine != "dot":
		graph.SetOverlap(true)
		graph.SetSplines("line")
	}
	var b bytes.Buffer
	if err := g.SetLayout(graphviz.Layout(engine)).Render(ctx, graph, graphviz.SVG, &b); err != nil {
		return err
	}
	if !bytes.Contains(b.Bytes(), []byte("</svg>")) {
		return errors.New("no picture: Graphviz drew nothing")
	}
	_, err = out.Write(b.Bytes())
	return err
}
