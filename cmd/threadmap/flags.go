package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"threadmap/render"
)

// A colorFlag is --color.
type colorFlag string

func (f *colorFlag) String() string { return string(*f) }
func (f *colorFlag) Type() string   { return "auto|always|never" }
func (f *colorFlag) Set(s string) error {
	switch s {
	case "auto", "always", "never":
		*f = colorFlag(s)
		return nil
	}
	return errors.New("want auto, always or never")
}

// A durationFlag is a time that must be more than none; a number is seconds.
type durationFlag time.Duration

func (f *durationFlag) String() string { return spoken(time.Duration(*f)) }
func (f *durationFlag) Type() string   { return "TIME" }
func (f *durationFlag) Set(s string) error {
	d, err := time.ParseDuration(s)
	if n, e := strconv.ParseUint(s, 10, 31); e == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d <= 0 {
		return errors.New("want a time such as 20s or 2m")
	}
	*f = durationFlag(d)
	return nil
}

// A countFlag is a small number.
type countFlag uint8

func (f *countFlag) String() string { return strconv.Itoa(int(*f)) }
func (f *countFlag) Type() string   { return "N" }
func (f *countFlag) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return errors.New("want a whole number up to 255")
	}
	*f = countFlag(n)
	return nil
}

// spoken is a duration as people write it: "30s", "2m", not "2m0s".
func spoken(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// A namesFlag is a flag that is given once for each of several things. Unlike
// pflag's own it leaves commas alone: they may be part of a file's name.
type namesFlag struct {
	names []string
	kind  string // of one, in capitals
}

func (f *namesFlag) String() string     { return strings.Join(f.names, " ") }
func (f *namesFlag) Type() string       { return f.kind }
func (f *namesFlag) Set(s string) error { f.names = append(f.names, s); return nil }

// A look is how a result is shown.
type look struct {
	json  bool
	color colorFlag
}

// jsonFlag adds --json.
func (l *look) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&l.json, "json", false, "print one JSON document instead of text")
}

// colorFlag adds --color.
func (l *look) colorFlag(c *cobra.Command) {
	l.color = "auto"
	c.Flags().Var(&l.color, "color", "color the tree; auto: on a terminal, unless $NO_COLOR is set")
	c.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
}

// options are the drawing options for standard output.
func (a *app) options(l look) render.Options {
	o := render.Options{}
	width, onTerminal := terminalWidth(a.out)
	if onTerminal {
		o.Width = width
	}
	switch l.color {
	case "always":
		o.Color = true
	case "auto":
		o.Color = onTerminal && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb" && colorsWork(a.out)
	}
	return o
}

// terminalWidth is the width in columns of the terminal behind w, 0 where it
// does not tell.
func terminalWidth(w io.Writer) (columns int, isTerminal bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		columns = 0
	}
	return columns, true
}

// counted says "1 device", "2 devices".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// list says "a, b or c".
func list(words []string, last string) string {
	if n := len(words); n > 1 {
		return fmt.Sprintf("%s %s %s", strings.Join(words[:n-1], ", "), last, words[n-1])
	}
	return strings.Join(words, "")
}
