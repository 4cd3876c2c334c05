package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"threadmap/render"
	"threadmap/topology/doctor"
)

const doctorText = `Say what is wrong, worst first: of each finding what was seen, how sure that is,
whose word it is, and what you can do. It looks at the last saved scan, or at FILEs
as "threadmap render" does. What nobody told is not judged. Without FILE this
machine is looked at, too: whether it has a way to the meshes, and whether anything
on it keeps announcements away.

--fail-on ends with exit status 4 when there is a finding of that severity or a
worse one: error (something does not work), warning (works, but badly or not for
long) or info.

--rules lists what is looked for.`

type doctorFlags struct {
	look
	called aliasFlag
	failOn severityFlag
	expect string
	rules  bool
}

func (a *app) doctorCommand() *cobra.Command {
	f := &doctorFlags{}
	c := &cobra.Command{
		Use:   "doctor [FILE...]",
		Short: "what is wrong, and what you can do",
		Long:  doctorText,
		Example: `  threadmap doctor
  threadmap doctor --fail-on warning monday.cbor
  threadmap doctor --rules`,
	}
	f.called.add(c)
	f.jsonFlag(c)
	c.Flags().Var(&f.failOn, "fail-on", "exit status 4 for a finding of this severity or worse")
	c.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions([]string{"info", "warning", "error"}, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().StringVar(&f.expect, "expect", "", "`FILE` of nodes that must be there, else exit status 3")
	c.Flags().BoolVar(&f.rules, "rules", false, "list what is looked for")
	f.colorFlag(c)
	c.RunE = verb(func(c *cobra.Command, args []string) error { return a.doctor(c, f, args) })
	return c
}

func (a *app) doctor(c *cobra.Command, f *doctorFlags, files []string) error {
	if f.rules {
		if len(files) > 0 || f.failOn.least != 0 || f.expect != "" {
			return usage(c, "--rules looks at nothing: leave out FILE, --fail-on and --expect")
		}
		return a.listRules(f.json)
	}
	expected, err := a.readExpected(c.Context(), f.expect)
	if err != nil {
		return err
	}
	called, err := f.called.read(c, a)
	if err != nil {
		return err
	}
	scan, faults, err := a.load(c, files)
	if err != nil {
		return err
	}
	doc := a.documentOn(madeHere(scan, files), scan, called)
	write := render.FindingsJSON
	if !f.json { // the faults of files stand on standard error already
		without := *scan
		without.Problems = scan.Problems[:len(scan.Problems)-faults]
		doc.Scan = &without
		write = func(w io.Writer, d *render.Document) error { return render.Findings(w, d, a.options(f.look)) }
	}
	if err := a.print(func(w io.Writer) error { return write(w, doc) }); err != nil {
		return err
	}
	a.checkExpected(doc.Map, expected)
	for _, x := range doc.Findings {
		a.judged = a.judged || f.failOn.least != 0 && x.Severity >= f.failOn.least
	}
	return nil
}

// listRules prints what is looked for.
func (a *app) listRules(asJSON bool) error {
	if !asJSON {
		return a.print(func(w io.Writer) error {
			for _, r := range doctor.Rules {
				if _, err := fmt.Fprintf(w, "%-24s %s\n", r.Name, r.About); err != nil {
					return err
				}
			}
			return nil
		})
	}
	type rule struct {
		Name  string `json:"name"`
		About string `json:"about"`
	}
	doc := struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
		Rules   []rule `json:"rules"`
	}{"threadmap-rules", 1, []rule{}}
	for _, r := range doctor.Rules {
		doc.Rules = append(doc.Rules, rule{r.Name, r.About})
	}
	return a.printJSON(doc)
}

// A severityFlag is --fail-on.
type severityFlag struct{ least doctor.Severity } // 0: never

func (f *severityFlag) String() string { return f.least.String() }
func (f *severityFlag) Type() string   { return "info|warning|error" }
func (f *severityFlag) Set(s string) error {
	for _, k := range []doctor.Severity{doctor.Info, doctor.Warning, doctor.Error} {
		if s == k.String() {
			f.least = k
			return nil
		}
	}
	return errors.New("want info, warning or error")
}
