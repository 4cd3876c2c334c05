package halog

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"threadmap/diag/icd"
)

// lines are a log's observations, one a line; of lines of the log the first
// words.
func lines(l Log) string {
	var b strings.Builder
	for _, o := range l.Observations {
		fmt.Fprintf(&b, "%s %s", o.At.UTC().Format("2006-01-02 15:04:05.000"), o.Event)
		switch w := o.What.(type) {
		case *icd.Available:
			fmt.Fprintf(&b, " %v", *w.Value)
		case *icd.Subscribed:
			fmt.Fprintf(&b, " %08x", w.ID)
			if w.Max != nil {
				fmt.Fprintf(&b, " max %v", *w.Max)
			}
		case *icd.Report:
			fmt.Fprintf(&b, " %08x", w.ID)
		case *icd.Log:
			text := w.Text
			if i := strings.Index(text, " [resubscribe"); i >= 0 {
				text = text[i:]
			} else {
				text = " " + strings.TrimSpace(text[max(0, len(text)-20):])
			}
			b.WriteString(text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestRead(t *testing.T) {
	berlin := time.FixedZone("", 2*3600)
	for _, c := range []struct {
		file        string
		node        uint64
		zone        *time.Location
		first, last string
		want        string
	}{
		{"python.log", 26, nil, "2025-10-18T00:11:55.464Z", "2026-06-08T09:26:00Z", `2025-10-18 00:12:24.126 subscription-lost
2025-10-18 00:12:24.126 log 01:000000000000001A
2025-10-18 00:12:24.128 log bscription attempt 0
2025-10-18 00:12:36.652 subscribed 00000000
2025-10-18 00:12:36.652 log bscription succeeded
2026-06-08 09:25:17.601 log events subscription.
2026-06-08 09:25:23.646 subscribed 00000000 max 1800.0 s
2026-06-08 09:25:23.646 log t interval [0, 1800]
2026-06-08 09:26:00.000 available false
2026-06-08 09:26:00.000 log node as unavailable
`},
		{"python-2023.log", 15, berlin, "2023-09-26T07:38:24Z", "2023-10-03T05:29:02Z", `2023-09-26 07:38:24.000 subscription-lost
2023-09-26 07:38:24.000 log 01:000000000000000F
2023-09-26 07:38:24.000 log [resubscribe in 0 ms]
2023-10-03 05:29:02.000 log 0x00000032: Timeout
2023-10-03 05:29:02.000 subscription-lost
2023-10-03 05:29:02.000 log [resubscribe in 7669 ms]
`},
		{"matterjs.log", 0x24, nil, "2026-01-30T08:03:53.402Z", "2026-09-04T21:37:27Z", `2026-01-30 08:03:53.402 report d91ad913
2026-01-30 08:03:53.403 log ad: 1524000024ff0d18
2026-02-27 04:06:32.665 subscription-lost
2026-02-27 04:06:32.665 log med out after 1m 23s
2026-02-27 04:06:32.669 log to re-establish ...
2026-02-27 04:06:32.672 log Reconnecting now ...
2026-02-27 04:06:40.000 log [resubscribe in 600000 ms]
2026-04-06 10:50:36.272 available true
2026-04-06 10:50:36.272 log lity changed to true
2026-04-06 10:51:58.426 log status: Success (0)
2026-09-04 21:37:26.760 log [resubscribe in 17800 ms]
2026-09-04 21:37:27.000 available false
2026-09-04 21:37:27.000 log ity changed to false
`},
	} {
		b, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		coloured := bytes.ReplaceAll(b, []byte("INFO"), []byte("\x1b[32mINFO\x1b[0m"))
		for _, text := range [][]byte{b, bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")), coloured} {
			l, err := Read(bytes.NewReader(text), Options{Node: c.node, Zone: c.zone})
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(l); got != c.want {
				t.Errorf("%s:\n%s\nwant\n%s", c.file, got, c.want)
			}
			if got := l.First.UTC().Format(time.RFC3339Nano); got != c.first {
				t.Errorf("%s: first %s", c.file, got)
			}
			if got := l.Last.UTC().Format(time.RFC3339Nano); got != c.last {
				t.Errorf("%s: last %s", c.file, got)
			}
		}
		if l, err := Read(bytes.NewReader(b), Options{Node: 99}); err != nil || len(l.Observations) != 0 {
			t.Errorf("%s: of a node that is not in it: %v %v", c.file, l.Observations, err)
		}
	}
}

func TestStamp(t *testing.T) {
	east := time.FixedZone("", 3600)
	for in, want := range map[string]string{
		"2026-05-13 19:08:27.117 INFO x":          "2026-05-13T18:08:27.117Z",
		"2026-05-13 19:08:27,117 - x":             "2026-05-13T18:08:27.117Z",
		"2026-05-13T19:08:27.117Z x":              "2026-05-13T19:08:27.117Z",
		"2026-05-13T19:08:27.117123456+02:00 x":   "2026-05-13T17:08:27.117123456Z",
		"[ 2025-01-27T21:13:15.774Z ] [ INFO ] x": "2025-01-27T21:13:15.774Z",
		"2026-05-13 19:08:27":                     "2026-05-13T18:08:27Z",
		"2026-05-13 19:08:27.":                    "2026-05-13T18:08:27Z",
		"2026-13-13 19:08:27 x":                   "",
		"2026-05-13":                              "",
		"    at repackErrorAs (x)":                "",
		"":                                        "",
	} {
		at, _, ok := stamp(in, east)
		got := ""
		if ok {
			got = at.UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for text, node := range map[string]uint64{
		"<Node:12> x": 12, "x [node 12][1] y": 12, "device_controller.node_38] x": 38, "Peer = 01:000000000000000C": 12, "Setup[1:000000000000000E]: x": 14,
		"@1:1c4•x": 0x1c4, "Node @1:2 x": 2, "peer@1:0x40262fa03a9a741. x": 0x40262fa03a9a741, "F0B215A6586A85A4-0000000000000002._matter._tcp": 2,
		"server-2-134b.@1:ffffffffffffffff is": 1<<64 - 1,
	} {
		if !names(text, node) || names(text, node+1) {
			t.Errorf("%q does not name %d alone", text, node)
		}
	}
	for _, text := range []string{"<Node:123> x", "@1:123 x", "@1:12xy", "Node12", "[1:12]"} {
		if names(text, 12) || names(text, 0x12) {
			t.Errorf("%q names it", text)
		}
	}
}

// TestVerdict: what a log tells is enough for the evaluation to say when the
// controller looks again.
func TestVerdict(t *testing.T) {
	b, err := os.ReadFile("testdata/python-2023.log")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read(bytes.NewReader(b), Options{Node: 15})
	if err != nil {
		t.Fatal(err)
	}
	r, err := icd.NewRecorder("15", l.First, nil)
	if err != nil {
		t.Fatal(err)
	}
	icd.Observe(r.Observe).Tell(l.Observations)
	v, err := icd.Evaluate(r.Timeline(), r.Timeline().End(), "")
	if err != nil || v.Rung != 4 || v.Subscriber != "Home Assistant" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestHostile(t *testing.T) {
	if _, err := Read(strings.NewReader("<html>\n"), Options{Node: 1}); err == nil {
		t.Error("a text that is no log was taken")
	}
	if _, err := Read(strings.NewReader(""), Options{}); err == nil {
		t.Error("no node was taken")
	}
	long := "2026-05-13 19:08:27 <Node:1> subscription " + strings.Repeat("x", 1<<20) + "\n2026-05-13 19:08:28 <Node:1> Re-Subscription succeeded\n"
	l, err := Read(strings.NewReader(long), Options{Node: 1})
	if err != nil || l.Lines != 2 || len(l.Observations) != 3 {
		t.Errorf("%d lines, %d observations, %v", l.Lines, len(l.Observations), err)
	}
	for _, o := range l.Observations {
		if w, ok := o.What.(*icd.Log); ok && len(w.Text) > maxText+8 {
			t.Errorf("a text of %d octets", len(w.Text))
		}
	}
	if _, err := Read(zeros{}, Options{Node: 1}); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("an endless log: %v", err)
	}
}

// zeros is an endless line.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func FuzzRead(f *testing.F) {
	for _, name := range []string{"python.log", "python-2023.log", "matterjs.log"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint64(26))
	}
	f.Fuzz(func(t *testing.T, b []byte, node uint64) {
		l, err := Read(bytes.NewReader(b), Options{Node: node})
		if err == nil && l.Lines == 0 || l.Last.Before(l.First) {
			t.Errorf("%d lines from %v to %v", l.Lines, l.First, l.Last)
		}
		for _, o := range l.Observations {
			if o.At.Before(l.First) || o.At.After(l.Last) {
				t.Errorf("%v outside of %v to %v", o.At, l.First, l.Last)
			}
			if _, err := o.MarshalJSON(); err != nil {
				t.Error(err)
			}
		}
	})
}
