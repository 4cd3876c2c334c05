package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	icdcanary "threadmap/diag/icd/canary"
)

const icdCleanupText = `Take out of devices what threadmap left there when it was stopped before it could do
so itself: a subscription of its own, or a registration. "threadmap icd NODE" takes
it out in the end; only what slept then, or a program that was killed, leaves some.

A device that is awake is told at once. One that sleeps for long is waited for until
it wakes, --for says how long. What could not be taken out stays remembered.`

// cleanupLimit is how long devices that sleep are waited for.
const cleanupLimit = 3 * time.Minute

// A cleanupDoc says what became of what was left on devices.
type cleanupDoc struct {
	Format  string       `json:"format"`
	Version int          `json:"version"`
	Devices []cleanupRow `json:"devices"`
}

type cleanupRow struct {
	Fabric  string  `json:"fabric"`
	Node    string  `json:"node_id"`
	Name    *string `json:"name"`
	State   string  `json:"state"` // "clean", "pending"
	Because *string `json:"because"`
}

func (a *app) icdCleanupCommand() *cobra.Command {
	var lf lanFlags
	var l look
	limit := durationFlag(cleanupLimit)
	c := &cobra.Command{
		Use: "cleanup", Short: "take out of devices what threadmap left there", Long: icdCleanupText,
		Example: "  threadmap icd cleanup\n  threadmap icd cleanup --for 2h",
		Args:    atMost(0),
	}
	lf.add(c)
	l.jsonFlag(c)
	c.Flags().Var(&limit, "for", "wait no longer than this for devices that sleep")
	c.RunE = verb(func(c *cobra.Command, _ []string) error {
		where, err := lf.lan(c)
		if err != nil {
			return err
		}
		if err := where.there(); err != nil {
			return err
		}
		return a.icdCleanup(c, where, time.Duration(limit), l.json)
	})
	return c
}

func (a *app) icdCleanup(c *cobra.Command, where *lan, limit time.Duration, asJSON bool) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	kept, err := canaryStates{store}.all()
	if err != nil {
		return err
	}
	doc := cleanupDoc{Format: "threadmap-icd-cleanup", Version: 1, Devices: []cleanupRow{}}
	if len(kept) > 0 {
		fabric, err := openFabric(store)
		if err != nil {
			return err
		}
		k := &canaryKeeper{app: a, home: &icdHome{store: store, fabric: fabric}, lan: where, say: func(format string, args ...any) { a.hint(format, args...) }}
		ctx, cancel := context.WithTimeout(c.Context(), limit)
		defer cancel()
		for _, x := range kept {
			row := cleanupRow{Fabric: *hexID(x.fabric), Node: *hexID(x.node), State: "clean"}
			if i, ok := nodeOf(fabric, x.node); ok && k.home.ownFabric() == x.fabric {
				row.Name = word(fabric.nameOf(fabric.nodes[i]))
			}
			if err := k.clean(ctx, x); err != nil {
				row.State, row.Because = "pending", word(plain(err))
				a.partial = true
			}
			doc.Devices = append(doc.Devices, row)
		}
	}
	if asJSON {
		return a.printJSON(doc)
	}
	return a.print(func(w io.Writer) error {
		if len(doc.Devices) == 0 {
			_, err := fmt.Fprintln(w, "Nothing of threadmap's is left on any device.")
			return err
		}
		for _, r := range doc.Devices {
			name := r.Node
			if r.Name != nil {
				name = *r.Name
			}
			line := clip(name, 60) + ": clean"
			if r.State == "pending" {
				line = fmt.Sprintf("%s: still there: %s", clip(name, 60), text(r.Because))
			}
			if _, err := fmt.Fprintln(w, clean(line)); err != nil {
				return err
			}
		}
		return nil
	})
}

func nodeOf(o *ownFabric, node uint64) (int, bool) {
	for i, n := range o.nodes {
		if n.Node == node {
			return i, true
		}
	}
	return 0, false
}

// clean works off one of them.
func (k *canaryKeeper) clean(ctx context.Context, x keptCanary) error {
	if k.home.ownFabric() != x.fabric {
		return errors.New("it was left by another fabric of threadmap's, whose keys are gone: remove that fabric in the device's own settings")
	}
	conf, err := k.config(x.node)
	if err != nil {
		return err
	}
	ended, err := k.announce(conf)
	if err != nil {
		conf.Socket.Close()
		return err
	}
	defer ended()
	left, err := icdcanary.Cleanup(ctx, *conf)
	switch {
	case err != nil:
		return err
	case left.Empty():
		return canaryStates{k.home.store}.keep(x.fabric, x.node, left)
	case left.Pending != "":
		return errors.New(left.Pending)
	}
	return errors.New("the device was not reached in time")
}
