package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/graphviz"
	"threadmap/render"
)

// A layoutFlag is --layout: the engine of Graphviz that lays pictures out in place
// of threadmap. Empty: none does.
type layoutFlag string

func (f *layoutFlag) String() string { return string(*f) }
func (f *layoutFlag) Type() string   { return strings.Join(engines(), "|") }
func (f *layoutFlag) Set(s string) error {
	if !slices.Contains(engines(), s) {
		return errors.New("want " + list(engines(), "or"))
	}
	*f = layoutFlag(s)
	return nil
}

func (f *layoutFlag) add(c *cobra.Command) {
	c.Flags().Var(f, "layout", "lay pictures (-o FILE.svg, .png or .dot) out with this engine of Graphviz, where that is installed")
	c.RegisterFlagCompletionFunc("layout", cobra.FixedCompletions(engines(), cobra.ShellCompDirectiveNoFileComp))
}

func engines() []string {
	var out []string
	for _, e := range graphviz.Engines {
		out = append(out, e.Name)
	}
	return out
}

// over has Graphviz draw the pictures among the outputs; a DOT file names the
// engine to whoever draws it. Whether Graphviz is there is seen before anything
// else is done.
func (f layoutFlag) over(c *cobra.Command, a *app, outs []output) error {
	if f == "" {
		return nil
	}
	engine := graphviz.Engines[slices.Index(engines(), string(f))]
	self, _ := os.Executable() // else $PATH alone is searched
	pictures := 0
	for i, o := range outs {
		format := strings.ToLower(strings.TrimPrefix(filepath.Ext(o.file), "."))
		switch format {
		case "dot": // says who is to lay it out
			write := o.write
			outs[i].write = func(w io.Writer, d *render.Document, o render.Options) error {
				o.Engine = engine.Name
				return write(w, d, o)
			}
			pictures++
			continue
		case "svg", "png":
			pictures++
		default:
			continue
		}
		file := o.file
		program, err := graphviz.Find(self, format)
		if err != nil {
			return fail("--layout %s: %w, or leave --layout out", f, err)
		}
		outs[i].write = func(w io.Writer, d *render.Document, o render.Options) error {
			if err := a.byGraphviz(c.Context(), w, d, o, program, engine, format); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			return nil
		}
	}
	if pictures == 0 {
		return usage(c, "--layout is for pictures: name one with -o FILE.svg, FILE.png or FILE.dot")
	}
	return nil
}

// byGraphviz draws one picture.
func (a *app) byGraphviz(ctx context.Context, w io.Writer, d *render.Document, o render.Options, p graphviz.Program, e graphviz.Engine, format string) error {
	if n := len(d.Map.Nodes); n > e.MaxNodes {
		return fmt.Errorf("%s draws up to %d nodes, and the map has %d: %s", e.Name, e.MaxNodes, n, instead(n))
	}
	if ctx.Err() != nil {
		// A scan that was stopped is drawn all the same; one more Ctrl-C ends the
		// program, and Graphviz with it or when its time is over.
		ctx = context.WithoutCancel(ctx)
	}
	var dot bytes.Buffer
	if err := render.DOT(&dot, d, o); err != nil {
		return err
	}
	picture, err := p.Draw(ctx, graphviz.Job{DOT: dot.Bytes(), Nodes: len(d.Map.Nodes), Engine: e.Name, Format: format, Getenv: a.getenv})
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped")
	case err != nil:
		return fmt.Errorf("%w: leave --layout out, and threadmap draws it", err)
	}
	_, err = w.Write(picture)
	return err
}

// instead says who draws that many nodes.
func instead(nodes int) string {
	var can []string
	for _, e := range graphviz.Engines {
		if e.MaxNodes >= nodes {
			can = append(can, "--layout "+e.Name)
		}
	}
	return strings.Join(append(can, "threadmap without --layout"), " or ") + " can"
}
