package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/redact"
	"threadmap/cmd/threadmap/internal/writefile"
	"threadmap/diag"
	"threadmap/render"
	"threadmap/topology"
)

// ticketExt is the ending of Markdown, pictureExt that of the picture beside it.
const (
	ticketExt  = ".md"
	pictureExt = ".svg"
)

// reportOutputFlag adds -o.
func reportOutputFlag(c *cobra.Command, files *namesFlag) {
	files.kind = "FILE"
	endings := append([]string{ticketExt}, extensions()...)
	c.Flags().VarP(files, "output", "o", "write FILE, as its ending says ("+strings.Join(endings, " ")+"), instead of printing; may be repeated")
	for i := range endings {
		endings[i] = strings.TrimPrefix(endings[i], ".")
	}
	c.MarkFlagFilename("output", endings...)
}

func isTicket(file string) bool { return strings.EqualFold(filepath.Ext(file), ticketExt) }

// reportOutputs reads the values of -o. Beside each Markdown file goes its
// picture.
func reportOutputs(c *cobra.Command, files []string, e render.Environment) ([]output, error) {
	all := slices.Clone(files)
	for _, file := range files {
		if isTicket(file) {
			if p := pictureOf(file); !slices.ContainsFunc(all, func(f string) bool { return filepath.Clean(f) == filepath.Clean(p) }) {
				all = append(all, p)
			}
		}
	}
	var out []output
	seen := map[string]bool{}
	for _, file := range all {
		if key := filepath.Clean(file); seen[key] {
			return nil, usage(c, "-o %s: named twice", file)
		} else {
			seen[key] = true
		}
		if isTicket(file) {
			e.Picture = filepath.Base(pictureOf(file))
			with := e
			out = append(out, output{file, writefile.Public, func(w io.Writer, d *render.Document, _ render.Options) error { return render.Ticket(w, d, with) }})
			continue
		}
		o, ok := outputFor(file)
		if !ok {
			return nil, usage(c, "-o %s: the name must end in %s", file, list(append([]string{ticketExt}, extensions()...), "or"))
		}
		out = append(out, o)
	}
	return out, nil
}

// pictureOf is where the picture of a Markdown file goes.
func pictureOf(file string) string {
	return strings.TrimSuffix(file, filepath.Ext(file)) + pictureExt
}

// reportHome writes the ticket of a whole home.
func (a *app) reportHome(c *cobra.Command, f *reportFlags, files []string) error {
	e := render.Environment{Version: readBuild().Version, System: runtime.GOOS + "/" + runtime.GOARCH, Redacted: f.redact}
	outs, err := reportOutputs(c, f.output.names, e)
	if err == nil {
		err = writable(c, outs)
	}
	if err != nil {
		return err
	}
	if f.redact && c.Flags().Changed("names") {
		return usage(c, "--redact leaves every name out: leave out --names")
	}
	var called []topology.Alias
	if !f.redact { // the user's own names are none for strangers
		if called, err = f.called.read(c, a); err != nil {
			return err
		}
	}
	scan, _, err := a.load(c, files)
	if err != nil {
		return err
	}
	var doc *render.Document
	if f.redact {
		doc = a.document(a.redacted(c, scan), nil)
	} else {
		doc = a.documentOn(madeHere(scan, files), scan, called)
	}
	tellWritten := a.writeOutputs(outs, doc, render.Options{})
	if f.json || len(outs) == 0 {
		write := render.Ticket
		if f.json {
			write = render.TicketJSON
		}
		if err := a.print(func(w io.Writer) error { return write(w, doc, e) }); err != nil {
			return err
		}
	}
	tellWritten()
	if f.redact {
		a.hint("Look it over before you send it: makers' own words for models and versions are quoted as they are.")
	} else {
		a.hint("It tells names and addresses of your home: --redact makes one for strangers.")
	}
	return nil
}

// redacted is a scan without what tells whose home it is. Where the key of the
// user's pseudonyms can't be had, it is another one for this report.
func (a *app) redacted(c *cobra.Command, scan *diag.Scan) *diag.Scan {
	key, err := a.pseudonymKey(c)
	if err != nil {
		a.warn(fmt.Errorf("the key of your pseudonyms: %w: those of this report are good for it alone", err))
		key = make([]byte, 32)
		rand.Read(key)
	}
	return redact.New(key).Scan(scan)
}

func (a *app) pseudonymKey(c *cobra.Command) ([]byte, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.PseudonymKey(c.Context())
}
