package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/state"
	"threadmap/diag"
	"threadmap/diag/homeassistant"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/otbr"
	"threadmap/discovery"
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
		called aliasFlag
	}
	c := &cobra.Command{
		Use:   "demo",
		Short: "a simulated home, scanned and drawn",
		Long: `Simulate a home of 50 devices in three Thread networks on this machine, scan it as
a real one is scanned with all its logins, print the tree, and draw it as
` + demoPicture + ` in the current folder (or as -o says). Nothing leaves the machine, and
nothing is saved: the keys of the simulated networks stay in memory, and your own
are not looked at.`,
		Args: atMost(0),
	}
	outputFlag(c, &f.output)
	f.called.add(c)
	f.jsonFlag(c)
	f.colorFlag(c)
	c.RunE = verb(func(c *cobra.Command, _ []string) error {
		if len(f.output.names) == 0 {
			f.output.names = []string{demoPicture}
		}
		outs, err := outputs(c, f.output.names)
		if err == nil && c.Flags().Changed("output") { // without -o the tree is enough
			err = writable(c, outs)
		}
		if err != nil {
			return err
		}
		var called []topology.Alias
		if c.Flags().Changed("names") { // those beside your logins are for your own home
			if called, err = f.called.read(c, a); err != nil {
				return err
			}
		}
		home := mesh.HomeOf50(demoSeed)
		options := withHomeAssistant(home)
		options.Matter = &world.MatterOptions{}
		w, err := world.Start(home, options)
		if err != nil {
			return fmt.Errorf("cannot simulate a home: %w", err)
		}
		defer w.Close()
		a.hint("This is a simulated home on this machine; your own is scanned by: threadmap scan")
		scan, err := a.scanWorld(c.Context(), w)
		if err != nil {
			return err
		}
		a.partial = a.partial || !scan.Complete
		doc := a.document(scan, called)
		o := a.options(f.look)
		defer a.writeOutputs(outs, doc, o)()
		return a.show(doc, f.look, o)
	})
	c.AddCommand(a.demoICDCommand())
	return c
}

// scanWorld scans a simulated home with all its logins: what it announces, its
// border routers' REST, its meshes through their border agents, its Home
// Assistant, where it has one, with the Matter server behind it, and its Matter
// devices as a member of their fabric.
func (a *app) scanWorld(ctx context.Context, w *world.World) (*diag.Scan, error) {
	var endpoints []diag.Endpoint
	for _, url := range w.OTBRs() {
		endpoints = append(endpoints, diag.Endpoint{Source: otbr.Name, URL: url})
	}
	announced, err := parseResponder(w.MDNS().String())
	if err != nil {
		return nil, err
	}
	keys, homes := worldKeys(w), worldHomes(w)
	for url := range homes.tokens {
		endpoints = append(endpoints, diag.Endpoint{Source: homeassistant.Name, URL: url})
	}
	fabric := worldFabric(w)
	srcs := fabric.in(homes.in(sources(keys), false), false)
	st := homes.stage(srcs, endpoints, keys, planned)
	scan, _ := a.collect(ctx, job{
		lan:   &lan{ask: []responder{announced}, explicit: true, settle: demoSettle, kinds: discovery.Options{Names: fabric.names(srcs)}},
		first: st.first, plan: st.plan, limit: demoLimit, probe: "demo",
	})
	return scan, nil
}

// worldKeys are the credentials of a simulated home. They never reach the
// user's file.
func worldKeys(w *world.World) keyring {
	keys := keyring{}
	for _, b := range w.BorderAgents() {
		keys[b.ExtPANID] = state.Credential{ExtPANID: b.ExtPANID, Network: b.Network, PSKc: b.PSKc}
	}
	return keys
}

// worldFabric is the Matter fabric of a simulated home.
func worldFabric(w *world.World) *ownFabric {
	o := &ownFabric{authority: w.Fabric(), news: map[uint64]sigma.Record{}, settled: map[uint64]bool{}}
	for _, n := range w.MatterNodes() {
		o.nodes = append(o.nodes, state.MatterNode{Node: n.ID, Name: n.Name})
	}
	return o
}

// worldHomes is the token of a simulated home.
func worldHomes(w *world.World) homes {
	h := homes{tokens: map[string]state.Token{}}
	if ha, ok := w.HomeAssistant(); ok {
		if token, err := homeassistant.ParseToken(ha.Token); err == nil {
			h.tokens[ha.URL] = state.Token{URL: ha.URL, Token: token}
		}
	}
	return h
}
