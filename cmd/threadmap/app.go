package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
)

// Exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartial     = 3
	exitJudged      = 4 // --fail-on was reached
	exitInterrupted = 130
)

// An app is one run of the program: its streams and how it went so far.
type app struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string

	partial, failed bool // what was said on the way, short of ending the run
	judged          bool // a finding was as bad as --fail-on says
	notes           notices
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer, getenv func(string) string) int {
	a := &app{in: in, out: out, err: errw, getenv: getenv}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	err := root.ExecuteContext(ctx)
	status := exitDone
	switch {
	case err != nil:
		a.say(err)
		status = statusOf(err)
	case a.failed:
		status = exitFailed
	case a.judged:
		status = exitJudged
	case a.partial:
		status = exitPartial
	}
	if ctx.Err() != nil && status != exitUsage {
		return exitInterrupted
	}
	return status
}

// unsorted makes the parser list verbs in our order. Its switch is the whole
// program's, and tests run the program several times at once.
var unsorted = sync.OnceFunc(func() { cobra.EnableCommandSorting = false })

// root is the command tree. Verbs stand in the order in which they are met.
func (a *app) root() *cobra.Command {
	unsorted()
	root := &cobra.Command{
		Use:           "threadmap",
		Short:         "maps the Thread meshes of a home",
		Long:          rootText,
		Version:       versionLine(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE:          a.noVerb,

		DisableFlagsInUseLine:      true,
		SuggestionsMinimumDistance: 2,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagFault)
	root.AddCommand(a.scanCommand(), a.discoverCommand(), a.renderCommand(), a.whyCommand(), a.doctorCommand(), a.diffCommand(), a.reportCommand(), a.icdCommand(), a.loginCommand(), a.pairCommand(), a.demoCommand(), a.simulateCommand(), a.versionCommand())
	a.setHelp(root)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short = "print a completion script for a shell"
			c.Args = cobra.ArbitraryArgs
			c.RunE = group("shell")
		}
	}
	return root
}

// group makes the function of a command that only holds others.
func group(what string) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage(c, "unknown %s %q", what, args[0])
		}
		return c.Help()
	}
}

// noVerb stands in for a verb that is missing or does not exist.
func (a *app) noVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	near := ""
	if s := c.SuggestionsFor(args[0]); len(s) > 0 {
		near = "; did you mean " + strings.Join(s, " or ") + "?"
	}
	return usage(c, "unknown command %q%s", args[0], near)
}

// store finds the user's state.
func (a *app) store() (*state.Store, error) { return state.Locate(a.getenv) }

// print puts a verb's result on standard output, at once and whole.
func (a *app) print(write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if _, err := a.out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("standard output: %w", bare(err))
	}
	return nil
}

// printJSON prints one document.
func (a *app) printJSON(doc any) error {
	return a.print(func(w io.Writer) error {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(doc); err != nil {
			return err
		}
		_, err := w.Write(harmlessJSON(b.Bytes()))
		return err
	})
}

// hint says something on standard error that is neither result nor fault.
func (a *app) hint(format string, args ...any) {
	fmt.Fprintln(a.err, clean(fmt.Sprintf(format, args...)))
}

// warn says a fault that does not end the run.
func (a *app) warn(err error) { a.say(err) }

// say prints each error that err joins as a line of its own.
func (a *app) say(err error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) && strings.Contains(err.Error(), "\n") {
		for _, e := range joined.Unwrap() {
			a.say(e)
		}
		return
	}
	fmt.Fprintln(a.err, "threadmap: "+clean(plain(err)))
}
