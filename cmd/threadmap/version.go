package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// A build is what the toolchain wrote into the program.
type build struct {
	Format   string  `json:"format"`
	Version  string  `json:"version"`
	Revision *string `json:"revision"` // nil: not built from a checkout
	Time     *string `json:"time"`     // of the revision
	Modified *bool   `json:"modified"`
	Go       string  `json:"go"`
	Platform string  `json:"platform"`
}

func readBuild() build {
	b := build{Format: "threadmap-version", Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = &s.Value
		case "vcs.time":
			b.Time = &s.Value
		case "vcs.modified":
			b.Modified = new(s.Value == "true")
		}
	}
	return b
}

// versionLine is what people see.
func versionLine() string {
	b := readBuild()
	s := "threadmap " + b.Version
	if b.Revision != nil && !strings.Contains(b.Version, (*b.Revision)[:min(12, len(*b.Revision))]) {
		s += " " + (*b.Revision)[:min(12, len(*b.Revision))]
	}
	if b.Modified != nil && *b.Modified && !strings.Contains(b.Version, "dirty") {
		s += " modified"
	}
	return s + ", " + b.Go + " " + b.Platform
}

func (a *app) versionCommand() *cobra.Command {
	var l look
	c := &cobra.Command{Use: "version", Short: "say which version this is", Args: atMost(0)}
	l.jsonFlag(c)
	c.RunE = verb(func(*cobra.Command, []string) error {
		if l.json {
			return a.printJSON(readBuild())
		}
		return a.print(func(w io.Writer) error {
			_, err := fmt.Fprintln(w, versionLine())
			return err
		})
	})
	return c
}
