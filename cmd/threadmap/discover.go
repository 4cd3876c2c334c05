package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"threadmap/cmd/threadmap/internal/services"
	"threadmap/discovery"
)

// discoverLimit bounds a listing; it ends before where the LAN is quiet.
const discoverLimit = 10 * time.Second

const discoverText = `Listen to what the LAN announces by multicast DNS (mDNS) and list it: Thread
networks with their border routers and devices, devices that wait to be
commissioned, HomeKit accessories, Home Assistant. Nobody needs a login for
that, and nothing is saved.

A device is listed in the network whose address prefix it has. An announcement
does not prove that a device is there: border routers repeat it until the
device's registration lapses, two hours at most.

--watch goes on until Ctrl-C and prints a line for all that comes, changes or
goes, and for what others ask: a controller that looks for one of its devices
asks for it by name. Where the system lets it, router advertisements are told of
too: which border router says that it is the way to which mesh. With --json each line is an object, and the last one, after
Ctrl-C, the whole document.`

type discoverFlags struct {
	lanFlags
	json, watch bool
	timeout     durationFlag
}

func (a *app) discoverCommand() *cobra.Command {
	f := &discoverFlags{timeout: durationFlag(discoverLimit)}
	c := &cobra.Command{
		Use:     "discover",
		Short:   "list what the LAN announces, or follow it",
		Long:    discoverText,
		Example: "  threadmap discover\n  threadmap discover --watch\n  threadmap discover --ask otbr.example.net",
		Args:    atMost(0),
	}
	c.Flags().BoolVar(&f.watch, "watch", false, "follow announcements and questions until Ctrl-C")
	f.lanFlags.add(c)
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document instead of text; with --watch one object a line")
	c.Flags().Var(&f.timeout, "timeout", "end after this time")
	c.RunE = verb(func(c *cobra.Command, _ []string) error {
		l, err := f.lan(c)
		if err != nil {
			return err
		}
		l.explicit = true
		if f.watch {
			return a.watch(c, f, l)
		}
		return a.discover(c, f, l)
	})
	return c
}

// discover lists what is announced.
func (a *app) discover(c *cobra.Command, f *discoverFlags, l *lan) error {
	ctx, cancel := context.WithTimeout(c.Context(), time.Duration(f.timeout))
	defer cancel()
	from := time.Now()
	show := newProgress(a.err, a.getenv("TERM"), true)
	h := l.browse(ctx, true, show.announced)
	show.end()
	a.tellProblems(h.problems)
	home := services.Arrange(h.Services)
	if f.json {
		return a.printJSON(home.NewDocument(from, time.Now(), h.Asked, h.problems))
	}
	if len(h.Services) == 0 && len(h.problems) > 0 {
		return nil // the problems say it all
	}
	if err := a.print(home.WriteText); err != nil {
		return err
	}
	a.hint("Map: threadmap scan")
	return nil
}

// watch follows what is announced and asked.
func (a *app) watch(c *cobra.Command, f *discoverFlags, l *lan) error {
	ctx, cancel := context.WithCancelCause(c.Context())
	defer cancel(nil)
	if c.Flags().Changed("timeout") {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, time.Duration(f.timeout))
		defer end()
	}
	l.settle = 0
	from := time.Now()
	w := services.NewWatch()
	write := func(line []byte) {
		if _, err := a.out.Write(append(line, '\n')); err != nil {
			cancel(fmt.Errorf("standard output: %w", bare(err)))
		}
	}
	l.adverts = func(r discovery.Advert) {
		if f.json {
			if d := w.AdvertDocument(r); d != nil {
				write(oneLine(d))
			}
		} else if s := w.AdvertLine(r); s != "" {
			write([]byte(s))
		}
	}
	h := l.browse(ctx, true, func(e discovery.Event) {
		if f.json {
			if d := w.Document(e); d != nil {
				write(oneLine(d))
			}
		} else if s := w.Line(e); s != "" {
			write([]byte(s))
		}
	})
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	a.tellProblems(h.problems)
	home := services.Arrange(h.Services)
	if f.json {
		write(oneLine(home.NewDocument(from, time.Now(), h.Asked, h.problems)))
		return nil
	}
	return a.print(func(out io.Writer) error { return services.WriteMissed(out, h.Asked) })
}

// oneLine is a document on one line.
func oneLine(doc any) []byte {
	b, err := json.Marshal(doc)
	if err != nil { // a document that can't be written is a fault of its type
		panic(err)
	}
	return harmlessJSON(b)
}
