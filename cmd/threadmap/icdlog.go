package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"threadmap/diag"
	"threadmap/diag/homeassistant"
	"threadmap/diag/icd"
	"threadmap/diag/icd/halog"
	"threadmap/diag/matterserver"
)

// logNumber is a Matter node id as people type it: decimal, and too short to be an
// extended address.
func logNumber(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n > 0 && len(s) < 16
}

// openFile opens a file that was named on the command line, and no folder.
func openFile(file string) (*os.File, error) {
	switch i, err := os.Stat(file); {
	case err != nil:
		return nil, bare(err)
	case i.IsDir():
		return nil, errors.New("is a folder: name a file in it")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, bare(err)
	}
	return f, nil
}

// readControllerLog reads a log of Home Assistant's Matter server. Its times are
// taken to be of this machine's zone where they don't say.
func (a *app) readControllerLog(ctx context.Context, file string, number uint64) (*icd.Timeline, error) {
	in, err := openFile(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	stop := context.AfterFunc(ctx, func() { in.Close() })
	defer stop()
	l, err := halog.Read(in, halog.Options{Node: number, Zone: time.Local})
	if ctx.Err() != nil {
		return nil, errors.New("stopped")
	}
	if len(l.Observations) == 0 {
		if err == nil {
			err = fmt.Errorf("it says nothing of node %d", number)
		}
		return nil, err
	}
	start := l.First
	if first := l.Observations[0].At; start.IsZero() || first.Before(start) {
		start = first
	}
	t := icd.NewTimeline(icd.NodeName(strconv.FormatUint(number, 10)), start)
	for _, d := range l.Observations {
		o := d.Observation
		o.At = icd.Seconds(d.At.Sub(start))
		t.Add(o)
	}
	if l.Cut {
		err = errors.Join(err, errors.New("it tells more of the node than is kept"))
	}
	return t, err
}

// numberAtHome is the node id that a device has at Home Assistant, by the last
// saved scan.
func (a *app) numberAtHome(node icd.NodeName) (uint64, bool) {
	if n, ok := logNumber(string(node)); ok {
		return n, true
	}
	e, err := diag.ParseExtAddr(string(node))
	if err != nil {
		return 0, false
	}
	store, err := a.store()
	if err != nil {
		return 0, false
	}
	scan, _, err := store.LastScan()
	if err != nil {
		return 0, false
	}
	for _, n := range a.document(scan, nil).Map.Nodes {
		if n.ExtAddr != e {
			continue
		}
		for _, r := range n.Reports {
			if (r.Source == homeassistant.Name || r.Source == matterserver.Name) && len(r.Matter) > 0 {
				return r.Matter[0].Node, true
			}
		}
	}
	return 0, false
}
