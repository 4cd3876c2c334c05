package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"threadmap/diag"
	"threadmap/diag/otbr"
	"threadmap/render"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
	"threadmap/topology"
)

const (
	demoLimit = 25 * time.Second
	// demoSettle is short: nothing gets lost on this machine.
	demoSettle  = 300 * time.Millisecond
	demoPicture = "mesh.svg"
	// demoSeed makes the demo home the same on every machine.
	demoSeed = 1
)

func (a *app) demoCommand() *cobra.Command {
	var f struct {
		look
		output namesFlag
	}
	c := &cobra.Command{
		Use:   "demo",
		Short: "a simulated home, scanned and drawn",
		Long: `Simulate a home of 50 devices in three Thread networks on this machine, scan it as
a real one is scanned, print the tree, and draw it as ` + demoPicture + ` in the current
folder (or as -o says). Nothing leaves the machine, and nothing is saved.`,
		Args: atMost(0),
	}
	outputFlag(c, &f.output)
	f.jsonFlag(c)
	f.colorFlag(c)
	c.RunE = verb(func(c *cobra.Command, _ []string) error {
		if len(f.output.names) == 0 {
			f.output.names = []string{demoPicture}
		}
		outs, err := outputs(c, f.output.names)
		if err != nil {
			return err
		}
		home := mesh.HomeOf50(demoSeed)
		w, err := world.Start(home, world.Options{})
		if err != nil {
			return fmt.Errorf("cannot simulate a home: %w", err)
		}
		defer w.Close()
		a.hint("This is a simulated home on this machine; your own is scanned by: threadmap scan")
		var endpoints []diag.Endpoint
		for _, url := range w.OTBRs() {
			endpoints = append(endpoints, diag.Endpoint{Source: otbr.Name, URL: url})
		}
		announced, err := parseResponder(w.MDNS().String())
		if err != nil {
			return err
		}
		scan, _ := a.collect(c.Context(), job{
			lan:  &lan{ask: []responder{announced}, explicit: true, settle: demoSettle},
			plan: planned(sources(nil), endpoints), limit: demoLimit, probe: "demo",
		})
		a.partial = a.partial || !scan.Complete
		doc := &render.Document{Map: topology.Build(scan.Reports), Scan: scan}
		o := a.options(f.look)
		defer a.writeOutputs(outs, doc, o)()
		return a.show(doc, f.look, o)
	})
	return c
}
