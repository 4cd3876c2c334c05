package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"threadmap/diag"
)

// redraw is how often the line changes by itself, so that it is seen to live.
const redraw = 500 * time.Millisecond

// A progress is one line on a terminal that tells how a scan is getting on,
// and leaves no trace. Where there is no terminal it says nothing.
type progress struct {
	w       io.Writer
	columns int
	total   int
	start   time.Time
	stop    chan struct{}
	drawn   sync.WaitGroup

	mu      sync.Mutex
	done    int
	reports map[string]int // by target
}

// newProgress begins to show; the first sign is there when it returns.
func newProgress(w io.Writer, total int, term string) *progress {
	columns, onTerminal := terminalWidth(w)
	if !onTerminal || term == "dumb" || total == 0 || !colorsWork(w) {
		return nil
	}
	if columns <= 0 {
		columns = 80
	}
	p := &progress{w: w, columns: columns, total: total, start: time.Now(), stop: make(chan struct{}), reports: map[string]int{}}
	p.draw()
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
	reports := 0
	for _, n := range p.reports {
		reports += n
	}
	line := progressLine(p.done, p.total, reports, time.Since(p.start))
	p.mu.Unlock()
	if len(line) >= p.columns {
		line = line[:max(0, p.columns-1)] // a wrapped line could not be taken away
	}
	fmt.Fprint(p.w, "\r"+line+"\x1b[K")
}

func progressLine(done, total, reports int, since time.Duration) string {
	what := "places"
	if total == 1 {
		what = "place"
	}
	return fmt.Sprintf("Asking %d %s: %d done, %d answers, %d s. Ctrl-C shows what is known.", total, what, done, reports, int(since.Seconds()))
}
