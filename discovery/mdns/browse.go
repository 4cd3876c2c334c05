package mdns

import (
	"context"
	"hash/maphash"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"threadmap/discovery"
)

// Times and sizes of the engine.
const (
	// stepPause is how long packets are gathered before they are looked at:
	// hundreds may come at once. Where looking takes long, a flood must not make
	// us do nothing else: then the pause is stepShare times as long as that took.
	stepPause = 20 * time.Millisecond
	stepShare = 4
	// echoes is how long a packet of ours may take to come back to us.
	echoes = 2 * time.Second
	// maxFailures reads or writes in a row end the use of a socket.
	maxFailures = 8
	// silent is how long nothing must have been heard to be worth saying.
	silent = 2 * time.Second
	// waiting packets between readers and the engine.
	waiting = 512
	// maxAdverts bounds the router advertisements that are kept.
	maxAdverts = 1024
)

// A Config says where and what to browse. The zero value is everything a
// Thread home has, on all interfaces that reach a LAN.
type Config struct {
	discovery.Options
	// Interfaces are the names of those to browse; empty: all usable ones. The
	// loopback interface must be named.
	Interfaces []string
	// Ask lists responders to ask by unicast instead of browsing interfaces, to
	// be found on another network or on loopback.
	Ask []netip.AddrPort
	// Adverts, where set, is called for each router advertisement heard, as tell
	// is. They are listened for only then.
	Adverts func(discovery.Advert)
	// Settle ends the browse before its context, once the first questions had
	// time to be answered, nothing is missing and nothing changed for that long.
	// 0: never.
	Settle time.Duration
	// Sockets are used instead of opening any; Browse closes them.
	Sockets []Socket
	// AskFor is how long questions are asked; after that it only listens. 0: all
	// the time; less than 0: never.
	AskFor time.Duration
	// Tap, where set, is called for each message of others as it came, as tell is:
	// events tell what is so, messages who said what when.
	Tap func(*discovery.Message, discovery.Origin)
	// Asking, where set, is called, as tell is, for each name that is asked for.
	Asking func(discovery.Name, time.Time)
	// Trouble, where set, is called for each problem when it is met, as tell is.
	Trouble func(Problem)
}

// A Result is all that is known when a browse ends.
type Result struct {
	Services []discovery.Service
	Asked    []discovery.Asked // others' questions, summed up
	Adverts  []discovery.Advert
	Problems []Problem
	Links    []LinkStats
}

// LinkStats are the numbers of one link.
type LinkStats struct {
	Link string
	// Packets sent that hold questions, and known answers' continuations.
	Questions, Continued int
	Received             int // packets of others
	Malformed            int // those that broke off or made no sense
	discovery.CacheStats
}

// Browse asks and listens until ctx ends, and calls tell, where it is not nil,
// for each event, one call at a time, from the calling goroutine. The error is
// not nil only where nothing at all could be browsed; it is a [Problem], and
// the result holds what was learnt even then.
func Browse(ctx context.Context, c Config, tell func(discovery.Event)) (Result, error) {
	if tell == nil {
		tell = func(discovery.Event) {}
	}
	e := &engine{c: c, env: readEnvironment(), tell: tell, seed: maphash.MakeSeed(), sent: map[uint64]time.Time{}, stats: map[string]*LinkStats{}}
	nics := e.open(ctx)
	if c.Trouble != nil {
		for _, p := range e.problems {
			c.Trouble(p)
		}
	}
	if len(e.sockets) == 0 {
		r := Result{Problems: e.problems}
		if len(e.problems) == 0 {
			return r, Problem{Reason: NoInterface, env: e.env, Fatal: true}
		}
		return r, e.problems[0]
	}
	return e.run(ctx, nics)
}

// An engine is one browse.
type engine struct {
	c        Config
	env      environment
	tell     func(discovery.Event)
	b        *discovery.Browser
	sockets  []*socket
	problems []Problem
	stats    map[string]*LinkStats
	order    []string // of the links
	adverts  []discovery.Advert

	seed   maphash.Seed
	sentMu sync.Mutex
	sent   map[uint64]time.Time // hashes of what we sent by multicast lately

	news    time.Time // when something last changed
	heard   map[string]bool
	started time.Time
}

// A socket is a Socket in use.
type socket struct {
	Socket
	id       uint16 // of plain questions
	failures int    // writes in a row
	dead     bool
}

// A packet is what a reader hands to the engine.
type packet struct {
	from *socket
	m    *discovery.Message
	bad  bool
	err  error // the reader gave up
	o    discovery.Origin
	ra   *discovery.Advert
}

// open opens the sockets; e.problems says why some are missing.
func (e *engine) open(ctx context.Context) []*nic {
	add := func(s Socket) {
		e.sockets = append(e.sockets, &socket{Socket: s, id: uint16(1 + rand.IntN(1<<16-1))})
	}
	if len(e.c.Sockets) > 0 {
		for _, s := range e.c.Sockets {
			add(s)
		}
		return nil
	}
	for _, to := range e.c.Ask {
		s, err := openAsk(ctx, to)
		if err != nil {
			e.problems = append(e.problems, Problem{Reason: classify(e.env, true, err), Interface: to.String(), Err: err, Fatal: true, env: e.env})
			continue
		}
		add(s)
	}
	if len(e.c.Ask) > 0 && len(e.c.Interfaces) == 0 {
		return nil
	}
	all, err := net.Interfaces()
	var chosen []net.Interface
	if err == nil {
		chosen, err = choose(all, e.c.Interfaces)
	}
	if err != nil {
		e.problems = append(e.problems, Problem{Reason: NoInterface, Err: err, Fatal: true, env: e.env})
		return nil
	}
	var machine []netip.Addr
	for i := range all[:min(len(all), 8*maxInterfaces)] {
		for _, p := range prefixes(&all[i]) {
			machine = append(machine, p.Addr())
		}
	}
	var nics []*nic
	for _, i := range chosen {
		n := &nic{Interface: i, prefixes: prefixes(&i), machine: machine}
		sockets, problems := openLink(ctx, n, e.env)
		e.problems = append(e.problems, problems...)
		for _, s := range sockets {
			add(s)
		}
		if len(sockets) > 0 {
			nics = append(nics, n)
		}
	}
	return nics
}

func (e *engine) run(ctx context.Context, nics []*nic) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	in := make(chan packet, waiting)
	var readers sync.WaitGroup
	e.started = time.Now()
	e.news, e.heard = e.started, map[string]bool{}
	e.b = discovery.NewBrowser(e.c.Options)
	for _, s := range e.sockets {
		if e.stats[s.Link.Name] == nil {
			e.stats[s.Link.Name] = &LinkStats{Link: s.Link.Name}
			e.order = append(e.order, s.Link.Name)
			e.b.AddLink(s.Link, e.started)
		}
		readers.Go(func() { e.read(ctx, s, in) })
	}
	closeAll := func() {
		cancel()
		for _, s := range e.sockets {
			s.Conn.Close()
		}
		readers.Wait()
	}
	defer closeAll()
	if e.c.Adverts != nil && len(nics) > 0 {
		if l, err := listenAdverts(nics); err != nil {
			e.problem(Problem{Reason: NoRights, Err: err, env: e.env})
		} else {
			readers.Go(func() { l.read(ctx, in) })
			context.AfterFunc(ctx, func() { l.close() })
		}
	}
	e.loop(ctx, in)
	closeAll()
	return e.result(time.Since(e.started))
}

// loop takes packets and asks, until ctx ends or there is nothing to wait for.
func (e *engine) loop(ctx context.Context, in <-chan packet) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	last, gather := time.Time{}, stepPause
	for {
		select {
		case <-ctx.Done():
			for range len(in) { // what came before the end is not lost
				e.take(<-in)
			}
			e.step(time.Now(), false)
			return
		case p := <-in:
			e.take(p)
			for range len(in) {
				e.take(<-in)
			}
			if due := last.Add(gather); time.Now().Before(due) {
				timer.Reset(time.Until(due))
				continue
			}
		case <-timer.C:
		}
		last = time.Now()
		e.step(last, e.c.AskFor == 0 || last.Sub(e.started) < e.c.AskFor)
		gather = max(stepPause, stepShare*time.Since(last))
		if e.settled(last) || !slices.ContainsFunc(e.sockets, func(s *socket) bool { return !s.dead }) {
			return
		}
		next := e.b.Next(last)
		if e.c.Settle > 0 {
			if at := last.Add(max(e.c.Settle/4, stepPause)); at.Before(next) {
				next = at
			}
		}
		timer.Reset(time.Until(next))
	}
}

// settled reports whether a browse that may end early has all it will get: the
// question by multicast and the one after it had time to be answered.
func (e *engine) settled(at time.Time) bool {
	const two = 1500 * time.Millisecond
	if e.c.Settle <= 0 || at.Sub(e.started) < two || at.Sub(e.news) < e.c.Settle {
		return false
	}
	return at.Sub(e.news) >= 3*e.c.Settle || e.b.Unfinished() == 0
}

// take hands a packet to the rules.
func (e *engine) take(p packet) {
	if p.ra != nil {
		if len(e.adverts) < maxAdverts {
			e.adverts = append(e.adverts, *p.ra)
		}
		e.c.Adverts(*p.ra)
		return
	}
	s := p.from
	if p.err != nil {
		e.kill(s, p.err)
		return
	}
	stats := e.stats[s.Link.Name]
	stats.Received++
	if p.bad {
		stats.Malformed++
	}
	if p.m == nil {
		return
	}
	e.heard[s.Link.Name] = true
	if e.c.Tap != nil {
		e.c.Tap(p.m, p.o)
	}
	e.b.Take(p.m, p.o)
}

// step looks at what came, tells it, and asks.
func (e *engine) step(at time.Time, ask bool) {
	events, queries := e.b.Step(at)
	for _, ev := range events {
		if ev.Kind == discovery.Added || ev.Kind == discovery.Changed || ev.Kind == discovery.Removed {
			e.news = at
		}
		e.tell(ev)
	}
	if !ask {
		return
	}
	for _, q := range queries {
		if e.c.Asking != nil {
			for _, ask := range q.Questions {
				e.c.Asking(ask.Name, at)
			}
		}
		for _, s := range e.sockets {
			if s.Link.Name == q.Link && !s.dead {
				e.ask(s, q)
			}
		}
	}
}

func (e *engine) ask(s *socket, q discovery.Query) {
	id := uint16(0)
	if s.Link.Plain {
		id = s.id
	}
	packets, err := pack(q, id)
	if err != nil { // a name that can't be written was not one that could be read
		e.problem(Problem{Reason: SocketFailed, Interface: s.Link.Name, Err: err, env: e.env})
	}
	stats := e.stats[s.Link.Name]
	for _, b := range packets {
		if !s.Link.Plain {
			e.remember(b)
		}
		if err := send(&s.Socket, b); err != nil {
			if s.failures++; s.failures >= maxFailures || s.failures == 1 {
				e.problem(Problem{Reason: classify(e.env, s.Only.IsValid(), err), Interface: s.Link.Name, Err: err, env: e.env})
			}
			if s.failures >= maxFailures {
				s.dead = true
			}
			return
		}
		s.failures = 0
		if b[4] == 0 && b[5] == 0 {
			stats.Continued++
		} else {
			stats.Questions++
		}
	}
}

func (e *engine) kill(s *socket, err error) {
	s.dead = true
	e.problem(Problem{Reason: classify(e.env, s.Only.IsValid(), err), Interface: s.Link.Name, Err: err, env: e.env})
}

// problem keeps a problem, each once.
func (e *engine) problem(p Problem) {
	if !slices.ContainsFunc(e.problems, func(o Problem) bool { return o.Reason == p.Reason && o.Interface == p.Interface }) {
		e.problems = append(e.problems, p)
		if e.c.Trouble != nil {
			e.c.Trouble(p)
		}
	}
}

// result is what is known at the end.
func (e *engine) result(took time.Duration) (Result, error) {
	r := Result{Services: e.b.Services(), Asked: e.b.Asked(), Adverts: e.adverts}
	anyone := false
	for _, name := range e.order {
		s := e.stats[name]
		s.CacheStats, _ = e.b.Stats(name)
		r.Links = append(r.Links, *s)
		anyone = anyone || e.heard[name]
	}
	asked := map[string]bool{}
	for _, s := range e.sockets {
		if s.Only.IsValid() && !e.heard[s.Link.Name] && took >= silent && !asked[s.Link.Name] {
			asked[s.Link.Name] = true
			e.problem(Problem{Reason: Silence, Interface: s.Link.Name, env: e.env})
		}
	}
	if !anyone && took >= silent && len(asked) == 0 && len(e.problems) == 0 {
		e.problem(Problem{Reason: Silence, env: e.env})
	}
	r.Problems = e.problems
	if alive := slices.ContainsFunc(e.sockets, func(s *socket) bool { return !s.dead }); !alive && !anyone {
		p := e.problems[0]
		p.Fatal = true
		return r, p
	}
	return r, nil
}
