package icd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"threadmap/diag/icd"
)

func readFile(t *testing.T, name string) *icd.Timeline {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tl, err := icd.ReadTimeline(f)
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

// TestCaptured tells apart what real devices did: one resumed, one had stopped
// in order and did nothing, one checked in.
func TestCaptured(t *testing.T) {
	for _, c := range []struct {
		file    string
		at      float64
		states  map[icd.Link]icd.State
		link    icd.Link
		party   icd.Party
		mode    icd.Mode
		says    string // in the facts or the chain
		awaits  string
		without []string // causes that must not be listed
	}{
		{file: "resumed.jsonl", at: 29, party: icd.UnknownParty, mode: icd.ModeUnknown,
			states: map[icd.Link]icd.State{icd.L1: icd.Seen, icd.L2: icd.Seen, icd.L3: icd.Seen, icd.L4: icd.Unknown, icd.L6: icd.Seen, icd.L7: icd.Seen, icd.L8: icd.Seen, icd.L9: icd.Seen},
			says:   "known subscription 3772141126"},
		{file: "stopped-in-order.jsonl", at: 54, party: icd.UnknownParty, mode: icd.ModeUnknown,
			states: map[icd.Link]icd.State{icd.L7: icd.Unknown, icd.L8: icd.Unknown, icd.L9: icd.Unknown},
			says:   "stopped in order", awaits: "notices the silence", without: []string{"R1", "N5"}},
		{file: "stopped-in-order.jsonl", at: 133, party: icd.UnknownParty, mode: icd.ModeUnknown,
			states: map[icd.Link]icd.State{icd.L1: icd.Seen, icd.L9: icd.Seen},
			says:   "stopped in order", without: []string{"R1", "N5"}},
		{file: "check-in.jsonl", at: 10, party: icd.UnknownParty, mode: icd.ModeLongIdle,
			states: map[icd.Link]icd.State{icd.L1: icd.Seen, icd.L7: icd.Seen, icd.L8: icd.Unknown, icd.L9: icd.Unknown},
			says:   "checks in", awaits: "subscribes anew"},
		{file: "check-in.jsonl", at: 100, link: icd.L9, party: icd.Controller, mode: icd.ModeLongIdle,
			states: map[icd.Link]icd.State{icd.L7: icd.Seen, icd.L9: icd.Broken}, says: "checks in"},
	} {
		v, err := icd.Evaluate(readFile(t, c.file), icd.Sec(c.at), "")
		if err != nil {
			t.Fatal(err)
		}
		for l, want := range c.states {
			if got := v.State(l); got != want {
				t.Errorf("%s at %v: %s %s, want %s\n%s", c.file, c.at, l, got, want, show(v))
			}
		}
		if v.Link != c.link || v.Party != c.party || v.Mode != c.mode || v.Rung != 3 {
			t.Errorf("%s at %v: link %q party %s mode %s rung %d\n%s", c.file, c.at, v.Link, v.Party, v.Mode, v.Rung, show(v))
		}
		all := show(v)
		for _, f := range v.Facts {
			all += f.Says
		}
		if !strings.Contains(all, c.says) {
			t.Errorf("%s at %v: nowhere %q:\n%s", c.file, c.at, c.says, all)
		}
		awaits := ""
		for _, a := range v.Await {
			awaits += a.What + "\n"
			if a.NotAfter < a.NotBefore || a.NotAfter <= v.At {
				t.Errorf("%s at %v: %+v", c.file, c.at, a)
			}
		}
		if !strings.Contains(awaits, c.awaits) {
			t.Errorf("%s at %v: does not await %q:\n%s", c.file, c.at, c.awaits, awaits)
		}
		for _, found := range v.Causes {
			for _, not := range c.without {
				if found.ID == not {
					t.Errorf("%s at %v: %s %q", c.file, c.at, not, found.For)
				}
			}
		}
	}
}
