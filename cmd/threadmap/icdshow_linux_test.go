package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/cmd/threadmap/internal/ptytest"
	"threadmap/diag"
	"threadmap/diag/icd"
	"threadmap/diag/snapshot"
)

// saveScan writes a scan of a home with a sleepy device.
func saveScan(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "home.cbor")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	scan := &diag.Scan{From: listAt.Add(-time.Minute), To: listAt, Reports: listReports([]diag.ExtAddr{listSleeper, listOther}), Complete: true}
	if err := snapshot.Write(f, scan); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestWatchOnATerminal: keys become observations, the chain is redrawn in place
// and taken away, and the terminal is what it was.
func TestWatchOnATerminal(t *testing.T) {
	for _, c := range []struct {
		name   string
		keys   string
		status int
		events []string
	}{
		{"enough", "rnpcq", exitDone, []string{"complaint", "press", "press", "reboot"}},
		{"Ctrl-C", "r\x03", exitInterrupted, []string{"reboot"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			user, terminal := ptytest.Open(t)
			record := filepath.Join(t.TempDir(), "button.jsonl")
			env := map[string]string{"THREADMAP_STATE": t.TempDir(), "TERM": "xterm"}
			over := make(chan int, 1)
			go func() {
				var out bytes.Buffer
				status := run(context.Background(), []string{"icd", "hall button", "--from", saveScan(t), "--interface", "lo", "--observe", "host", "--record", record, "--json"},
					terminal, &out, terminal, func(k string) string { return env[k] })
				fmt.Fprintf(terminal, "%s END", strings.ReplaceAll(out.String(), "\n", ""))
				over <- status
			}()
			var screen []byte
			buf := make([]byte, 4096)
			typed := false
			for !bytes.Contains(screen, []byte(" END")) {
				n, err := user.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				screen = append(screen, buf[:n]...)
				if !typed && bytes.Contains(screen, []byte("keys: r restarted")) {
					typed = true
					user.WriteString(c.keys)
				}
			}
			if status := <-over; status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			s := string(screen)
			if !strings.Contains(s, "· L10 Presses arrive") || !strings.Contains(s, "Now take its battery out") {
				t.Errorf("the block or the instruction is missing: %q", s)
			}
			if last := strings.LastIndex(s, "keys: r"); strings.LastIndex(s, "\x1b[J") < last {
				t.Errorf("the block is still there: %q", s[last:])
			}
			if echoes, err := ptytest.Echoes(terminal); err != nil || !echoes {
				t.Errorf("the terminal is not put back: %v", err)
			}
			b, err := os.ReadFile(record)
			if err != nil {
				t.Fatal(err)
			}
			tl, err := icd.ReadTimeline(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for o := range tl.All() {
				if o.By == icd.ByUser {
					got = append(got, o.Event)
				}
			}
			slices.Sort(got) // what is typed within a millisecond has no order
			if strings.Join(got, " ") != strings.Join(c.events, " ") {
				t.Errorf("recorded %v, want %v", got, c.events)
			}
		})
	}
}

// showTimeline draws observations as if no terminal were there, and gives the lines.
func showTimeline(t *testing.T, columns int, all []seenAt) string {
	t.Helper()
	var b bytes.Buffer
	s := newICDShow(&b, "xterm")
	s.columns = columns
	rec, err := icd.NewRecorder("0e02020202020202", listAt, nil)
	if err != nil {
		t.Fatal(err)
	}
	var now time.Time
	for _, x := range all {
		rec.Observe(x.at, x.o)
		s.take(x.at, x.o)
		now = x.at
		tl := rec.Timeline()
		v, err := icd.Evaluate(tl, icd.Seconds(now.Sub(listAt)), "")
		if err != nil {
			t.Fatal(err)
		}
		s.draw(tl, v, now)
	}
	s.end()
	return b.String()
}

// TestShowSaysNews: what repeats is said once, what comes back after a goodbye is
// news, and a peer that talks without end costs a few lines.
func TestShowSaysNews(t *testing.T) {
	announce := func(sec float64, event string) seenAt {
		return seenAt{listAt.Add(time.Duration(sec * float64(time.Second))), icd.Observation{By: icd.ByMDNS, Event: event,
			What: &icd.Announce{Instance: "87E1B004E235A130-0000000000000012", Host: "0E02020202020202", Addresses: []string{"fd00::1"}, TXT: map[string]string{"SII": "5000"}}}}
	}
	out := showTimeline(t, 0, []seenAt{announce(0, "announce"), announce(60, "announce"), announce(100, "goodbye"), announce(100.7, "announce"), announce(101, "announce")})
	if n := strings.Count(out, "announcements"); n != 3 {
		t.Errorf("%d lines of announcements, want 3:\n%s", n, out)
	}
	if !strings.Contains(out, "it is announced, seen") {
		t.Errorf("the change of a link is not told:\n%s", out)
	}
	var many []seenAt
	for i := range 3000 {
		x := announce(float64(i)/1000, "announce")
		x.o.What.(*icd.Announce).Instance = fmt.Sprintf("\x1b[31mX%d", i)
		many = append(many, x)
	}
	out = showTimeline(t, 0, many)
	if n := strings.Count(out, "\n"); n > maxInWindow+30 {
		t.Errorf("%d lines", n)
	}
	if strings.Contains(out, "\x1b") {
		t.Error("an escape code of a peer got through")
	}
}

// TestShowFitsTheTerminal: the block never wraps, whatever its width, and stands
// on as many lines as are taken away.
func TestShowFitsTheTerminal(t *testing.T) {
	now := listAt.Add(time.Second)
	see := []seenAt{{now, icd.Observation{By: icd.ByUser, Event: "reboot", What: &icd.Reboot{}}}, {now, icd.Observation{By: icd.ByUser, Event: "complaint", What: &icd.Complaint{Text: strings.Repeat("漢字", 90), Controller: "Apple Home"}}}}
	for _, columns := range []int{20, 40, 73, 74, 80, 200} {
		out := showTimeline(t, columns, see)
		for i, part := range strings.Split(out, "\x1b[J") {
			block := part
			if j := strings.Index(part, "─"); j >= 0 {
				block = part[j:]
			}
			for line := range strings.Lines(block) {
				if n := len([]rune(strings.TrimRight(line, "\n"))); i > 0 && strings.Contains(block, "─") && n >= columns && strings.Contains(block[:10], "─") {
					t.Errorf("%d columns: %d in %q", columns, n, line)
				}
			}
		}
	}
}

// TestRestartsAreToldOnce: two witnesses of one restart are one.
func TestRestartsAreToldOnce(t *testing.T) {
	var r restarts
	c, times := r.subscribe(), r.subscribeTimes(listAt)
	for _, at := range []float64{10, 10.7, 25, 200} {
		r.tell(icd.Sec(at))
		r.tell(icd.Sec(at))
	}
	if len(c) != 1 || len(times) != 2 {
		t.Errorf("%d and %d, want 1 (a token) and 2", len(c), len(times))
	}
	if at := <-times; !at.Equal(listAt.Add(10 * time.Second)) {
		t.Errorf("the restart is told of %v", at)
	}
}
