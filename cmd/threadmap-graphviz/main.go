// Command threadmap-graphviz lays a graph out with Graphviz and draws it: DOT on
// standard input, SVG on standard output. threadmap starts it for --layout; its
// arguments are those of Graphviz's own programs (-Kneato -Tsvg), so that one of
// them can stand in for it.
//
// It is a program of its own because Graphviz, which go-graphviz brings as
// WebAssembly, costs every program that links it up to a second at the start,
// can't be told to stop, and never gives memory back: a process can be killed.
// It ends itself after [maxTime], with more than [maxMemory], or when its input
// has more nodes than [maxNodes].
//
// The reader is at the top of a program: nothing imports it, and it imports
// nothing of threadmap's.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"threadmap/cmd/threadmap-graphviz/internal/privatetmp"
)

// What a drawing may cost. threadmap's own limits are below these, but for the
// nodes, which are those of the fastest engines.
const (
	maxTime   = 90 * time.Second
	maxMemory = 1 << 30  // bytes
	maxInput  = 16 << 20 // bytes of DOT; 5000 nodes have about one
	maxNodes  = 5000
)

// Exit statuses.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitLimit  = 3
)

const usageText = `usage: threadmap-graphviz -KENGINE -Tsvg <GRAPH.dot >PICTURE.svg
ENGINE is one of ` + engineNames

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	end := func(status int, line string) {
		if line != "" {
			fmt.Fprintln(os.Stderr, line)
		}
		if privatetmp.Folder != "" {
			os.RemoveAll(privatetmp.Folder)
		}
		os.Exit(status)
	}
	limit(maxTime, maxMemory)
	go func() {
		over := watch(maxTime, maxMemory, signals)
		end(exitLimit, "threadmap-graphviz: "+over)
	}()
	var picture bytes.Buffer
	err := run(os.Args[1:], os.Stdin, &picture)
	if err == nil {
		// Whole or not at all: what reads it need not guess.
		_, err = os.Stdout.Write(picture.Bytes())
	}
	switch {
	case err == nil:
		end(exitDone, "")
	case errors.Is(err, errUsage):
		end(exitUsage, "threadmap-graphviz: "+err.Error()+"\n"+usageText)
	default:
		end(exitFailed, "threadmap-graphviz: "+oneLine(err.Error()))
	}
}

var errUsage = errors.New("usage")

// arguments reads the engine; the format can only be SVG.
func arguments(args []string) (engine string, err error) {
	engine, format := "dot", ""
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, "-K"); ok {
			engine = v
		} else if v, ok := strings.CutPrefix(a, "-T"); ok {
			format = v
		} else {
			return "", fmt.Errorf("%w: %q is not known", errUsage, a)
		}
	}
	if !isEngine(engine) {
		return "", fmt.Errorf("%w: no engine %q", errUsage, engine)
	}
	// What go-graphviz makes of PNG lacks lines, outlines and half of the letters.
	if format != "svg" {
		return "", fmt.Errorf("%w: -Tsvg is the one format", errUsage)
	}
	return engine, nil
}

// run is the program but for its limits.
func run(args []string, in io.Reader, out io.Writer) error {
	engine, err := arguments(args)
	if err != nil {
		return err
	}
	dot, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	if len(dot) > maxInput {
		return fmt.Errorf("the graph has more than %d MB", maxInput>>20)
	}
	return draw(dot, engine, out)
}

// oneLine keeps the first line of a text, without control characters.
func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "..."
	}
	return s
}
