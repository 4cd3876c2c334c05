package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"threadmap/render"
)

// A failure ends a run: what, where, what to do, and the exit status.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail is a failure of the work itself.
func fail(format string, args ...any) error {
	return &failure{exitFailed, fmt.Errorf(format, args...)}
}

// usage is a failure of what was typed; it names the help of the command.
func usage(c *cobra.Command, format string, args ...any) error {
	topic := "threadmap help" + strings.TrimPrefix(c.CommandPath(), "threadmap")
	return &failure{exitUsage, fmt.Errorf("%w: see "+topic, fmt.Errorf(format, args...))}
}

// statusOf is the exit status of a failed run. What is no failure of ours was
// said by the command line's parser.
func statusOf(err error) int {
	var f *failure
	if errors.As(err, &f) {
		return f.status
	}
	return exitUsage
}

// verb makes a command's function: an error of its work that has no status yet
// is a failure, not a fault of what was typed.
func verb(f func(c *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		err := f(c, args)
		var known *failure
		if err != nil && !errors.As(err, &known) {
			return &failure{exitFailed, err}
		}
		return err
	}
}

// noSecret allows no arguments, and quotes none: what somebody would put there is
// a credential.
func noSecret(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(c, "an argument is too many; credentials are never one, since every user of this machine can read it: they are asked for")
	}
	return nil
}

// flagFault says what is wrong with a flag, without its value where that may be a
// credential.
func flagFault(c *cobra.Command, err error) error {
	text := err.Error()
	if e := (*strconv.NumError)(nil); errors.As(err, &e) && e.Func == "ParseBool" {
		text = strings.Replace(text, e.Error(), "want true or false, or no value", 1)
	}
	if bad := (interface{ GetValue() string })(nil); errors.As(err, &bad) && looksSecret(bad.GetValue()) {
		text = strings.ReplaceAll(text, bad.GetValue(), "...")
	}
	return usage(c, "%s", text)
}

// atMost allows up to n arguments.
func atMost(n int) cobra.PositionalArgs { return between(0, n) }

// between allows min to max arguments.
func between(min, max int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) > max:
			return usage(c, "%q is one argument too many", args[max])
		case len(args) < min:
			return usage(c, "an argument is missing: %s", strings.TrimSuffix(c.UseLine(), " [flags]"))
		}
		return nil
	}
}

// plain says an error in words that are not a programmer's.
func plain(err error) string {
	s := err.Error()
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		s = strings.Replace(s, pe.Error(), pe.Path+": "+reason(pe.Err), 1)
	}
	if le := (*os.LinkError)(nil); errors.As(err, &le) {
		s = strings.Replace(s, le.Error(), le.New+": "+reason(le.Err), 1)
	}
	for _, w := range []struct {
		err   error
		words string
	}{
		{context.DeadlineExceeded, "did not answer in time"},
		{context.Canceled, "stopped"},
		{os.ErrDeadlineExceeded, "did not answer in time"},
	} {
		if errors.Is(err, w.err) {
			s = strings.ReplaceAll(s, w.err.Error(), w.words)
		}
	}
	return strings.ReplaceAll(s, "snapshot: ", "")
}

// bare is the reason of an error about a file without its name.
func bare(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return errors.New(reason(pe.Err))
	}
	return err
}

func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or folder"
	case errors.Is(err, fs.ErrPermission):
		return "no permission"
	}
	return err.Error()
}

// clean makes text that came from outside fit for a terminal.
func clean(s string) string { return render.Clean(s) }
