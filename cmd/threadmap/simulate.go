package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
)

func (a *app) simulateCommand() *cobra.Command {
	var l look
	var example bool
	c := &cobra.Command{
		Use:   "simulate [HOME.yaml]",
		Short: "a simulated home left running, for developers",
		Long: `Simulate a home on this machine's loopback, until Ctrl-C: its border routers'
REST, and what all of it announces by mDNS, which is asked directly (--ask); for trying threadmap, and for trying other tools against. Without a file it is
the home of "threadmap demo"; --write-example prints that home as a file to
start from.`,
		Example: "  threadmap simulate --write-example > home.yaml\n  threadmap simulate home.yaml",
		Args:    atMost(1),
	}
	l.jsonFlag(c)
	c.Flags().BoolVar(&example, "write-example", false, "print the home as YAML, and simulate nothing")
	c.RunE = verb(func(c *cobra.Command, args []string) error {
		home := mesh.HomeOf50(demoSeed)
		if len(args) == 1 {
			b, _, _, err := a.readFile(c.Context(), args[0], maxHome)
			if err != nil {
				return err
			}
			if home, err = mesh.ParseYAML(b); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
		}
		if example {
			b, err := mesh.MarshalYAML(home)
			if err != nil {
				return err
			}
			return a.print(func(w io.Writer) error {
				_, err := w.Write(b)
				return err
			})
		}
		w, err := world.Start(home, world.Options{})
		if err != nil {
			return fmt.Errorf("cannot simulate %s: %w", home.Name, err)
		}
		defer w.Close()
		if err := a.announce(home, w, l); err != nil {
			return err
		}
		a.hint("Ctrl-C ends it.")
		<-c.Context().Done()
		return nil
	})
	return c
}

// announce says where the simulated border routers are.
func (a *app) announce(home *mesh.Home, w *world.World, l look) error {
	routers, mdns := w.BorderRouters(), w.MDNS().String()
	if l.json {
		type routerDoc struct {
			URL        string `json:"url"`
			Name       string `json:"name"`
			Network    string `json:"network"`
			Generation int    `json:"generation"`
		}
		docs := []routerDoc{}
		for _, r := range routers {
			docs = append(docs, routerDoc{r.URL, r.Name, r.Network, r.Generation})
		}
		return a.printJSON(struct {
			Format  string      `json:"format"`
			Version int         `json:"version"`
			Name    string      `json:"name"`
			MDNS    string      `json:"mdns"`
			OTBRs   []routerDoc `json:"otbrs"`
		}{"threadmap-simulation", 1, home.Name, mdns, docs})
	}
	return a.print(func(w io.Writer) error {
		fmt.Fprintf(w, "Simulating %s: %d devices in %d networks.\n", clean(home.Name), home.Nodes(), len(home.Networks))
		fmt.Fprintf(w, "  %s  mDNS, asked directly: what all of it announces\n", mdns)
		try := ""
		for _, r := range routers {
			fmt.Fprintf(w, "  %s  REST of generation %d: %s, in %s\n", r.URL, r.Generation, clean(r.Name), clean(r.Network))
			try += " --otbr " + r.URL
		}
		_, err := fmt.Fprintf(w, "Try: threadmap scan%s --ask %s\n", try, mdns)
		return err
	})
}

// maxHome bounds a home's file, in bytes.
const maxHome = 16 << 20
