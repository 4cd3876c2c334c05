package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"threadmap/diag/icd"
	icdcanary "threadmap/diag/icd/canary"
	icdlisten "threadmap/diag/icd/listen"
	icdheard "threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
	"threadmap/simulators/icdhome"
)

const (
	demoTimeline = "icd.svg"
	demoDevice   = "Button"
	// demoDraw is how often the screen is drawn anew.
	demoDraw = 300 * time.Millisecond
)

func (a *app) demoICDCommand() *cobra.Command {
	var l look
	var output namesFlag
	var record string
	c := &cobra.Command{
		Use:   "icd",
		Short: "a simulated sleepy device that does not come back, watched",
		Long: `Simulate a home in which a button (Matter over Thread, long idle time) works until
it is restarted, watch it as "threadmap icd" watches a real one, and say what is
broken and whose matter that is. It takes about half a minute. The timeline is
drawn as ` + demoTimeline + ` in the current folder (or as -o says).

All of it is in this process: the network too, so nothing leaves the machine. The
observers are those of "threadmap icd": multicast DNS, router advertisements,
pings, threadmap's own subscription. What a Thread credential would tell of the
mesh is told by the simulation.`,
		Args: atMost(0),
	}
	timelineOutputFlag(c, &output)
	c.Flags().StringVar(&record, "record", "", "write the observations into `FILE`")
	l.jsonFlag(c)
	c.RunE = verb(func(c *cobra.Command, _ []string) error {
		if len(output.names) == 0 {
			output.names = []string{demoTimeline}
		}
		if err := timelineOutputs(c, output.names); err != nil {
			return err
		}
		if err := checkRecord(c, record); err != nil {
			return err
		}
		file, err := openRecord(record)
		if err != nil {
			return err
		}
		var to io.Writer
		if file != nil {
			defer file.Close()
			to = file
		}
		a.hint("This is a simulated home on this machine; a device of your own is watched by: threadmap icd NODE")
		d := &icdDemo{app: a, show: newICDShow(a.err, a.getenv("TERM"))}
		if err := d.run(c.Context(), to); err != nil {
			return err
		}
		t, v, err := d.judge()
		if err != nil {
			return err
		}
		a.writeTimelines(output.names, t, v, demoDevice)
		if l.json {
			return a.printJSON(v)
		}
		planted := icd.CauseByID(icdhome.DemoCause)
		return a.print(func(w io.Writer) error {
			if err := writeVerdictToday(w, t, v, d.names().learn(t)); err != nil {
				return err
			}
			_, err := fmt.Fprintf(w, "\nWhat was planted: %s (%s), which is a matter of %s.\n", lower(planted.Title), planted.ID, partyWords[planted.Party])
			return err
		})
	})
	return c
}

// An icdDemo is one simulated home that is watched.
type icdDemo struct {
	*app
	show     *icdShow
	home     *icdhome.Home
	rec      *icd.Recorder
	start    time.Time
	restarts restarts
}

// run tells the story and lets the observers look on, until it is told.
func (d *icdDemo) run(ctx context.Context, record io.Writer) error {
	var err error
	if d.home, err = icdhome.NewDemo(demoSeed); err != nil {
		return fmt.Errorf("cannot simulate a home: %w", err)
	}
	defer d.home.Close()
	d.start = time.Now()
	if d.rec, err = icd.NewRecorder(d.home.Name(), d.start, record); err != nil {
		return fail("--record: %w", err)
	}
	d.show.say = d.names().say
	d.home.Observe = d.observe
	if err := d.home.Start(); err != nil {
		return fmt.Errorf("cannot simulate a home: %w", err)
	}
	observing, stop := context.WithCancel(ctx)
	var observers sync.WaitGroup
	defer observers.Wait()
	defer stop()
	if err := d.begin(observing, &observers); err != nil {
		return err
	}
	lines, told := make(chan string, 16), make(chan struct{})
	observers.Go(func() {
		defer close(told)
		d.home.TellDemo(func(format string, args ...any) {
			select {
			case lines <- fmt.Sprintf(format, args...):
			case <-observing.Done():
			}
		})
	})
	err = d.loop(ctx, lines, told)
	d.show.end()
	d.home.Close()
	return err
}

// begin starts the observers on the simulated LAN.
func (d *icdDemo) begin(ctx context.Context, observers *sync.WaitGroup) error {
	h, member := d.home, d.home.Fabric().Member()
	link := discovery.Link{Name: "simulated"}
	listening, err := h.Socket(0)
	if err != nil {
		return err
	}
	announcing, err := h.Socket(1)
	if err != nil {
		listening.Close()
		return err
	}
	port, err := h.Listen(netip.AddrPortFrom(h.Host(1), 0))
	if err != nil {
		listening.Close()
		announcing.Close()
		return err
	}
	scope := icdheard.NewScope(h.Name(), member.CompressedID())
	c := icdlisten.Config{Scope: scope, Sockets: []mdns.Socket{{Link: link, Conn: listening, To: icdhome.Group()}}, Adverts: h.Adverts(), Echo: h.Echo}
	conf := icdcanary.Config{
		Member: member, Node: icdhome.DeviceNode, Socket: port, Owner: "threadmap demo icd", Observe: d.observe, Restarted: d.restarts.subscribe(),
		Resolve: func(context.Context) (icdcanary.Target, error) {
			addrs, p, longIdle, ok := h.Place()
			if !ok {
				return icdcanary.Target{}, errors.New("the device is not announced")
			}
			return icdcanary.Target{Addresses: addrs, Parameters: p, LongIdle: longIdle}, nil
		},
		// It is simulated with the home and ends with it: it need not be taken out
		// of a device that sleeps for an hour.
		CleanUp: time.Millisecond,
	}
	a, err := conf.Announcement()
	if err != nil {
		return err
	}
	var txt discovery.TXT
	for _, k := range []string{"SII", "SAI", "SAT"} {
		txt = append(txt, []byte(k+"="+a.TXT[k]))
	}
	for name, run := range map[string]func() error{
		"mdns":   func() error { return icdlisten.MDNS(ctx, c, d.observe) },
		"ra":     func() error { return icdlisten.RA(ctx, c, d.observe) },
		"ping":   func() error { return icdlisten.Ping(ctx, c, d.observe) },
		"canary": func() error { return icdcanary.Watch(ctx, conf) },
		"announcement": func() error {
			return mdns.Advertise(ctx, mdns.AdvertiseConfig{
				Advertisement: mdns.Operational(member.CompressedID(), member.NodeID, "threadmap", a.Port, txt),
				Sockets:       []mdns.Socket{{Link: link, Conn: announcing, To: icdhome.Group()}},
			})
		},
	} {
		observers.Go(func() {
			if err := run(); err != nil && ctx.Err() == nil {
				d.warn(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	return nil
}

func (d *icdDemo) observe(at time.Time, o icd.Observation) {
	d.rec.Observe(at, o)
	d.show.take(at, o)
}

// loop shows what is observed until the story is told.
func (d *icdDemo) loop(ctx context.Context, lines <-chan string, told <-chan struct{}) error {
	tick := time.NewTicker(demoDraw)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line := <-lines:
			d.show.tell("")
			d.show.tell("%s", line)
		case <-tick.C:
		case <-told:
			over = true
		}
		t, v, err := d.judge()
		if err != nil {
			return err
		}
		d.show.draw(t, v, time.Now())
		if at, ok := t.Restarted(v.At); ok {
			d.restarts.tell(at)
		}
	}
	for {
		select {
		case line := <-lines:
			d.show.tell("")
			d.show.tell("%s", line)
		default:
			return nil
		}
	}
}

// names are threadmap's own; the button has told the rest.
func (d *icdDemo) names() *icdNames {
	m := d.home.Fabric().Member()
	return &icdNames{own: m.CompressedID(), self: m.NodeID, device: map[uint64]uint64{m.CompressedID(): icdhome.DeviceNode}}
}

func (d *icdDemo) judge() (*icd.Timeline, *icd.Verdict, error) {
	t := d.rec.Timeline()
	v, err := icd.Evaluate(t, t.End(), "")
	return t, v, err
}
