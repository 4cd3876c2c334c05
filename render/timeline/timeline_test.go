package timeline

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/simulators/golden"
)

func read(t *testing.T, file string) *icd.Timeline {
	t.Helper()
	f, err := os.Open(file)
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

func draw(t *testing.T, tl *icd.Timeline, at icd.Seconds, o Options) string {
	t.Helper()
	v, err := icd.Evaluate(tl, at, "")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := SVG(&b, tl, v, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden: the picture of a device that forgets its subscriptions, refreshed
// with UPDATE=1 and looked at.
func TestGolden(t *testing.T) {
	tl := read(t, "testdata/forgetful.jsonl")
	got := draw(t, tl, tl.End(), Options{Name: "Hall button"})
	golden.Same(t, "forgetful.svg", got)
}

// TestSaysWhatIsKnown: every observation can be found in the text alternatives,
// with the clock time of the place that is asked for.
func TestSaysWhatIsKnown(t *testing.T) {
	tl := read(t, "testdata/forgetful.jsonl")
	zone := time.FixedZone("CET", 3600)
	s := draw(t, tl, tl.End(), Options{Location: zone})
	for _, want := range []string{
		"15:00:38 withdrawn by fe80::1c2b", "15:00:39 announced by fe80::1c2b", "15:00:39 192.168.1.40 looks for it", "15:01:00 pressed it: nothing happened at Home Assistant",
		"15:00:41 shows it as unavailable", "hangs on 7a1c5be03e4f9d21", "15:03:20 session made anew, opened by canary", "15:00:01 fe80::1c2b leads to fd5e:2b0c:1a2d:1::/64",
		"L7 It opens a session: broken", "link seen to hold", "CET",
	} {
		if !strings.Contains(s, want) {
			t.Errorf("%q is not in the picture", want)
		}
	}
}

// boxes are the labels of a picture, with the room that they are drawn in.
var label = regexp.MustCompile(`<text class="(note|note bad|tick|name|small)"( text-anchor="(\w+)")? x="([\d.-]+)" y="([\d.-]+)">([^<]*)</text>`)

// TestNoLabelsCollide, for stories of many lengths and densities.
func TestNoLabelsCollide(t *testing.T) {
	files, _ := filepath.Glob("../../diag/icd/testdata/*.jsonl")
	files = append(files, "testdata/forgetful.jsonl")
	all := map[string]*icd.Timeline{}
	for _, f := range files {
		all[f] = read(t, f)
	}
	for _, n := range []int{0, 1, 2, 30, 300} {
		for _, apart := range []float64{0, 0.1, 7, 3600} {
			all[fmt.Sprintf("%d/%v", n, apart)] = busy(n, apart)
		}
	}
	for name, tl := range all {
		for _, at := range []icd.Seconds{0, tl.End() / 3, tl.End(), tl.End() + icd.Sec(4000)} {
			s := draw(t, tl, at, Options{})
			wellFormed(t, name, s)
			type box struct {
				x0, x1, y float64
				s         string
			}
			var have []box
			for _, m := range label.FindAllStringSubmatch(s, -1) {
				var x, y float64
				fmt.Sscan(m[4], &x)
				fmt.Sscan(m[5], &y)
				if m[6] == "?" {
					continue
				}
				w := float64(len([]rune(m[6]))) * 4.6 // a narrow face: what overlaps so overlaps in all
				if m[1] == "tick" {
					w = float64(len(m[6])) * 6
				}
				b := box{x, x + w, y, m[6]}
				if m[3] == "middle" {
					b.x0, b.x1 = x-w/2, x+w/2
				}
				if b.x0 < 0 || b.x1 > 1200 {
					t.Errorf("%s at %v: %q leaves the picture", name, at, b.s)
				}
				for _, o := range have {
					if b.y-o.y < 9 && o.y-b.y < 9 && b.x0 < o.x1 && o.x0 < b.x1 {
						t.Errorf("%s at %v: %q lies on %q", name, at, b.s, o.s)
					}
				}
				have = append(have, b)
			}
		}
	}
}

func busy(n int, apart float64) *icd.Timeline {
	tl := icd.NewTimeline("5621773692fc64ae", time.Date(2026, 11, 22, 23, 58, 0, 0, time.UTC))
	for i := range n {
		no := i%3 == 0
		for _, o := range []icd.Observation{
			{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: fmt.Sprintf("87E1B004E235A130-%016X", i%40), Host: "5621773692FC64AE", From: "fe80::1"}},
			{By: icd.ByMDNS, Event: "question", What: &icd.Question{Name: fmt.Sprintf("87E1B004E235A130-%016X", i%7), From: "192.0.2.7"}},
			{By: icd.ByUser, Event: "press", What: &icd.Press{Works: &no}},
			{By: icd.ByCanary, Event: "case", What: &icd.CASE{OpenedBy: "device", Result: "failed", Error: "timeout"}},
			{By: icd.ByHA, Event: "log", What: &icd.Log{Text: "resubscribe in 222147 ms"}},
		} {
			o.At = icd.Sec(float64(i) * apart)
			tl.Add(o)
		}
	}
	return tl
}

func wellFormed(t *testing.T, name, s string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// TestHostileText: whatever a peer says becomes one line of text.
func TestHostileText(t *testing.T) {
	evil := "\x1b[31m</title><script>alert(1)</script>\x00\u202e\n\"'&" + strings.Repeat("Ж", 3000)
	tl := icd.NewTimeline(icd.NodeName(evil), time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC))
	no := false
	for i, what := range []any{
		&icd.Announce{Instance: evil, Host: evil, From: evil}, &icd.Question{Name: evil, From: evil}, &icd.Answer{Name: evil}, &icd.Advert{From: evil, Prefixes: []icd.AdvertPrefix{{Prefix: evil}}},
		&icd.Child{Parent: evil}, &icd.Ping{Error: evil}, &icd.CASE{Result: evil, OpenedBy: evil}, &icd.CASE{Result: "failed", Error: evil}, &icd.DeviceEvent{Name: evil}, &icd.Lost{Reason: evil},
		&icd.Log{Text: evil}, &icd.Complaint{Text: evil, Controller: evil}, &icd.Press{Works: &no, Controller: evil}, &icd.Changed{What: evil}, &icd.Attribute{Path: evil}, &icd.Route{Prefix: evil, Present: &no}, nil,
	} {
		tl.Add(icd.Observation{At: icd.Sec(float64(i)), By: icd.ByMDNS, Event: evil, What: what})
		tl.Add(icd.Observation{At: icd.Sec(float64(i)), By: evil, Event: evil, What: what})
	}
	v, err := icd.Evaluate(tl, tl.End(), "")
	if err != nil {
		t.Fatal(err)
	}
	v.Await = []icd.Await{{What: evil, NotBefore: -icd.Sec(5), NotAfter: icd.Sec(9)}}
	v.Next = &icd.Step{Do: evil, Because: evil}
	var b bytes.Buffer
	if err := SVG(&b, tl, v, Options{Name: evil, Headline: evil}); err != nil {
		t.Fatal(err)
	}
	s := b.String()
	wellFormed(t, "hostile", s)
	if strings.ContainsAny(s, "\x1b\x00\u202e") || strings.Contains(s, "<script") {
		t.Error("it got through")
	}
	if len(s) > 1<<20 {
		t.Errorf("%d bytes", len(s))
	}
}

// TestSameBytes: an order of lines gives the same picture as any other.
func TestSameBytes(t *testing.T) {
	tl := read(t, "testdata/forgetful.jsonl")
	back := icd.NewTimeline(tl.Node, tl.Start)
	var all []*icd.Observation
	for o := range tl.All() {
		all = append(all, o)
	}
	for i := len(all) - 1; i >= 0; i-- {
		back.Add(*all[i])
	}
	if draw(t, tl, tl.End(), Options{}) != draw(t, back, tl.End(), Options{}) {
		t.Error("the order of the lines shows")
	}
}

// TestLargeFiles: a file of many lines costs bounded work and room.
func TestLargeFiles(t *testing.T) {
	tl := busy(4000, 0.5)
	if s := draw(t, tl, tl.End(), Options{}); len(s) > 4<<20 {
		t.Errorf("%d bytes", len(s))
	}
}
