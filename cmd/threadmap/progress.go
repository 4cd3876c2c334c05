package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"threadmap/cmd/threadmap/internal/services"
	"threadmap/diag"
	"threadmap/discovery"
)

// redraw is how often the line changes by itself, so that it is seen to live.
const redraw = 500 * time.Millisecond

// notices are lines that say what is waited for, while it is waited for: also
// where there is no terminal, each once. The zero value says nothing.
type notices struct {
	mu   sync.Mutex
	w    io.Writer // nil: nothing is under way
	show *progress
	said map[string]bool
}

// begin and end say when something is under way.
func (n *notices) begin(w io.Writer, show *progress) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.w, n.show, n.said = w, show, map[string]bool{}
}

func (n *notices) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.w, n.show = nil, nil
}

// maxNotices bounds what peers can make a scan say.
const maxNotices = 50

// tell says that target makes us wait. The text may quote a peer.
func (n *notices) tell(target, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	line := clean(target + ": " + text)
	if n.w == nil || n.said[line] || len(n.said) >= maxNotices {
		return
	}
	n.said[line] = true
	if n.show != nil {
		n.show.above(line)
		return
	}
	fmt.Fprintln(n.w, line)
}

// A progress is one line on a terminal that tells how a scan is getting on,
// and leaves no trace. Where there is no terminal it says nothing.
type progress struct {
	w       io.Writer
	columns int
	start   time.Time
	stop    chan struct{}
	drawn   sync.WaitGroup

	mu      sync.Mutex
	watch   *services.Watch
	total   int // places to ask; 0: still listening
	done    int
	reports map[string]int // by target
}

// newProgress begins to show. Where the LAN is listened to the first sign is
// there when it returns, else when asking begins.
func newProgress(w io.Writer, term string, listens bool) *progress {
	columns, onTerminal := terminalWidth(w)
	if !onTerminal || term == "dumb" || !colorsWork(w) {
		return nil
	}
	if columns <= 0 {
		columns = 80
	}
	p := &progress{w: w, columns: columns, start: time.Now(), stop: make(chan struct{}), watch: services.NewWatch(), reports: map[string]int{}}
	if listens {
		p.draw()
	}
	p.drawn.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.draw()
			case <-p.stop:
				return
			}
		}
	})
	return p
}

// announced takes the news of the LAN.
func (p *progress) announced(e discovery.Event) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch.Take(e)
}

// asking begins the second stage.
func (p *progress) asking(total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.total = total
	p.mu.Unlock()
	if total > 0 {
		p.draw()
	}
}

// tell takes the news of a collection.
func (p *progress) tell(news diag.Progress) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.reports[news.Probe.Source+" "+news.Probe.Target] = news.Reports
	if news.Done {
		p.done++
	}
	p.mu.Unlock()
}

// above prints a line that stays, where the progress was.
func (p *progress) above(line string) {
	p.mu.Lock()
	fmt.Fprint(p.w, "\r\x1b[K"+line+"\n")
	p.mu.Unlock()
	p.draw()
}

// end takes the line away.
func (p *progress) end() {
	if p == nil {
		return
	}
	close(p.stop)
	p.drawn.Wait()
	fmt.Fprint(p.w, "\r\x1b[K")
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock() // the line goes out whole
	reports := 0
	for _, n := range p.reports {
		reports += n
	}
	line := progressLine(services.Arrange(p.watch.Services()).Count(), p.done, p.total, reports, time.Since(p.start))
	if len(line) >= p.columns {
		line = line[:max(0, p.columns-1)] // a wrapped line could not be taken away
	}
	fmt.Fprint(p.w, "\r"+line+"\x1b[K")
}

func progressLine(c services.Count, done, total, reports int, since time.Duration) string {
	heard := ""
	if c != (services.Count{}) {
		heard = c.String() + " announced; "
	}
	if total == 0 {
		if heard == "" {
			return fmt.Sprintf("Listening to the LAN, %d s.", int(since.Seconds()))
		}
		return fmt.Sprintf("%slistening, %d s.", heard, int(since.Seconds()))
	}
	what, asking := "places", "asking"
	if total == 1 {
		what = "place"
	}
	if heard == "" {
		asking = "Asking"
	}
	return fmt.Sprintf("%s%s %d %s: %d done, %d answers, %d s. Ctrl-C shows what is known.", heard, asking, total, what, done, reports, int(since.Seconds()))
}
