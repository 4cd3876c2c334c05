// Package graphviz has a graph drawn by Graphviz, in a process of its own: by
// threadmap-graphviz where that is installed, else by Graphviz's program dot. The
// process sees a folder of its own for temporary files and no secret of the
// environment, and has limits of time, processor time, memory and output; it ends
// with everything it started when it is late or nobody waits any more. What it
// drew is read as a stranger's before it is kept.
//
// The reader is below the verbs of cmd/threadmap, which take --layout to it.
package graphviz

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// An Engine is one of Graphviz's ways to lay a graph out.
type Engine struct {
	Name string
	// MaxNodes is how many nodes it draws in some seconds, up to 20 on a slow
	// machine. Twice as many would take it minutes.
	MaxNodes int
}

// Engines are those that are offered.
var Engines = []Engine{{"dot", 1000}, {"neato", 1000}, {"sfdp", 5000}, {"twopi", 5000}}

// What a drawing may cost.
const (
	maxTime    = 60 * time.Second
	maxPicture = 64 << 20 // bytes; 5000 nodes have 10 MB
	maxMemory  = 1 << 30  // bytes, of a program that does not limit itself
)

// own is our program. What it makes is SVG only.
const own = "threadmap-graphviz"

// A Program draws.
type Program struct {
	path string
	own  bool
}

// Find looks for a program that draws the format, "svg" or "png": ours beside the
// program self, then ours in $PATH, then Graphviz's own. The current folder is not
// looked at, also where $PATH names it.
func Find(self, format string) (Program, error) {
	if format == "svg" {
		if filepath.IsAbs(self) {
			if p, err := exec.LookPath(filepath.Join(filepath.Dir(self), own)); err == nil {
				return Program{p, true}, nil
			}
		}
		if p, err := exec.LookPath(own); err == nil {
			return Program{p, true}, nil
		}
	}
	if p, err := exec.LookPath("dot"); err == nil {
		return Program{p, false}, nil
	}
	if format == "svg" {
		return Program{}, errors.New("neither " + own + " nor Graphviz's dot is on this machine: install Graphviz, or put " + own + " beside threadmap")
	}
	return Program{}, fmt.Errorf("a .%s needs Graphviz's dot, which is not on this machine: install Graphviz", format)
}

// A Job is one drawing.
type Job struct {
	DOT            []byte
	Nodes          int // that the graph has and the picture must show
	Engine, Format string
	Getenv         func(string) string
}
