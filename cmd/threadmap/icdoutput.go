package main

import (
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/writefile"
	"threadmap/diag/icd"
	"threadmap/render/timeline"
)

// timelineOutputFlag adds -o of a timeline.
func timelineOutputFlag(c *cobra.Command, files *namesFlag) {
	files.kind = "FILE"
	c.Flags().VarP(files, "output", "o", "draw the timeline into FILE.svg; may be repeated")
	c.MarkFlagFilename("output", "svg")
}

// timelineOutputs looks at the values of -o before anything is done.
func timelineOutputs(c *cobra.Command, files []string) error {
	for _, f := range files {
		if f == "" {
			return usage(c, "-o: the name of the FILE is empty")
		}
		if !strings.EqualFold(filepath.Ext(f), ".svg") {
			return usage(c, "-o %s: a timeline is drawn as .svg", clean(f))
		}
	}
	return nil
}

// writeTimelines draws a timeline into files. One that can't be written is said
// and costs none of the others.
func (a *app) writeTimelines(files []string, t *icd.Timeline, v *icd.Verdict, name string) {
	var wrote []string
	for _, file := range files {
		o := timeline.Options{Name: name, Headline: headline(v), Location: time.Local}
		if err := writefile.Atomic(file, writefile.Public, func(w io.Writer) error { return timeline.SVG(w, t, v, o) }); err != nil {
			a.warn(cannotWrite(file, err))
			a.failed = true
			continue
		}
		wrote = append(wrote, file)
	}
	if len(wrote) > 0 {
		a.hint("Wrote %s.", list(wrote, "and"))
	}
}
