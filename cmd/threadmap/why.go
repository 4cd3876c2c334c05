package main

import (
	"io"

	"github.com/spf13/cobra"

	"threadmap/render"
)

const whyText = `Say all that is known of one device, and how it is known: who it is, its parent
with what speaks for and against that, its links in both directions, its ways to
the border routers and who has none without it, what contradicts it, what is wrong
with it. It looks at the last saved scan, or at FILEs as "threadmap render" does.

"threadmap help" says what NODE may be. One that fits several devices is answered
with their list, never guessed.`

func (a *app) whyCommand() *cobra.Command {
	var l look
	var called aliasFlag
	c := &cobra.Command{
		Use:   "why NODE [FILE...]",
		Short: "all that is known of one device, and how",
		Long:  whyText,
		Example: `  threadmap why "hall button"
  threadmap why 86c4
  threadmap why 0x5c00 monday.cbor --json`,
		Args: atLeastOne,
	}
	called.add(c)
	l.jsonFlag(c)
	l.colorFlag(c)
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		aliases, err := called.read(c, a)
		if err != nil {
			return err
		}
		scan, _, err := a.load(c, args[1:])
		if err != nil {
			return err
		}
		doc := a.document(scan, aliases)
		n, err := one(doc.Map, args[0])
		if err != nil {
			return err
		}
		if l.json {
			return a.print(func(w io.Writer) error { return render.WhyJSON(w, doc, n) })
		}
		return a.print(func(w io.Writer) error { return render.Why(w, doc, n, a.options(l)) })
	})
	return c
}

// atLeastOne wants an argument.
func atLeastOne(c *cobra.Command, args []string) error { return between(1, max(1, len(args)))(c, args) }
