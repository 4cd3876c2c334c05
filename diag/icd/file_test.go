package icd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/internal/scenario"
)

const head = `{"format":"threadmap-observations","version":1,"node":"1a2b3c4d5e6f7081","start":"2026-08-22T10:00:00Z"}` + "\n"

func TestReadTimelineErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "empty"},
		{"{}\n", "not a file of observations"},
		{"hello\n", "not a file of observations"},
		{strings.Replace(head, `"version":1`, `"version":2`, 1), "version 2"},
		{strings.Replace(head, `"node":"1a2b3c4d5e6f7081",`, "", 1), `"node" is missing`},
		{head + "x\n", "line 2: not JSON"},
		{head + `{"by":"mdns","event":"announce"}`, `line 2: "t" is missing`},
		{head + `{"t":-1,"by":"mdns","event":"announce"}`, "line 2: want a number of seconds"},
		{head + `{"t":1e300,"by":"mdns","event":"announce"}`, "line 2: want a number of seconds"},
		{head + `{"t":"1","by":"mdns","event":"announce"}`, "line 2: want a number of seconds"},
		{head + "\n" + `{"t":1,"by":"mdns"}`, "line 3:"},
		{head + `{"t":1,"by":"mdns","event":"announce","port":"x"}`, `line 2: mdns announce: field "port" can't be a JSON string`},
		{head + `{"t":1,"by":"x","event":"y","z":"` + strings.Repeat("a", icd.MaxLine) + `"}`, "line 2 is longer"},
	} {
		_, err := icd.ReadTimeline(strings.NewReader(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80q: %v, want %q", c.in, err, c.want)
		}
	}
}

// TestReadTimelineKeeps reads on to the bad line, and keeps what it does not understand.
func TestReadTimelineKeeps(t *testing.T) {
	in := head + `{"t":2.5,"by":"wind","event":"blows","from":"west"}` + "\n" + `{"t":1,"by":"user","event":"press","works":null,"extra":[1,2]}` + "\n{"
	tl, err := icd.ReadTimeline(strings.NewReader(in))
	if err == nil || tl == nil || tl.Len() != 2 || tl.End() != icd.Sec(2.5) {
		t.Fatalf("%v %v", tl, err)
	}
	var b bytes.Buffer
	if err := icd.WriteTimeline(&b, tl); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"from":"west"`, `"extra":[1,2]`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lost %s:\n%s", want, &b)
		}
	}
}

// TestRoundTrip writes all stories and reads them again: the same verdict.
func TestRoundTrip(t *testing.T) {
	for _, s := range scenario.Stories {
		tl := s.Run(1, 4)
		var b, c bytes.Buffer
		if err := icd.WriteTimeline(&b, tl); err != nil {
			t.Fatal(err)
		}
		again, err := icd.ReadTimeline(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := icd.WriteTimeline(&c, again); err != nil || c.String() != b.String() {
			t.Errorf("%s: written again it differs (%v)", s.Name, err)
		}
		v, _ := json.Marshal(evaluate(t, tl))
		w, _ := json.Marshal(evaluate(t, again))
		// Times are rounded to milliseconds in files.
		if !bytes.Equal(v, w) {
			x, y := evaluate(t, tl), evaluate(t, again)
			if x.Link != y.Link || fmt.Sprint(x.TopCauses()) != fmt.Sprint(y.TopCauses()) {
				t.Errorf("%s: another verdict", s.Name)
			}
		}
	}
}

func TestFileTooLarge(t *testing.T) {
	line := `{"t":1,"by":"x","event":"y"}` + "\n"
	many := io.MultiReader(strings.NewReader(head), strings.NewReader(strings.Repeat(line, icd.MaxLines)))
	if tl, err := icd.ReadTimeline(many); err == nil || !strings.Contains(err.Error(), "lines") || tl.Len() == 0 {
		t.Errorf("%v", err)
	}
	long := `{"t":1,"by":"x","event":"y","z":"` + strings.Repeat("a", 60000) + `"}` + "\n"
	if tl, err := icd.ReadTimeline(io.MultiReader(strings.NewReader(head), strings.NewReader(strings.Repeat(long, icd.MaxFile/60000)))); err == nil || !strings.Contains(err.Error(), "larger") || tl.Len() == 0 {
		t.Errorf("%v", err)
	}
}

// TestVerdictDocument checks the promised keys, also where there is nothing to say.
func TestVerdictDocument(t *testing.T) {
	tl := icd.NewTimeline("1a2b3c4d5e6f7081", time.Time{})
	for _, tl := range []*icd.Timeline{tl, scenario.Stories[0].Run(1, 3)} {
		b, err := json.Marshal(evaluate(t, tl))
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]json.RawMessage
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"format", "version", "node", "at", "rung", "subscriber", "chain", "healthy", "link", "party", "causes", "excluded", "await", "next", "others"} {
			if _, ok := m[k]; !ok {
				t.Errorf("no %q in %s", k, b)
			}
		}
		for _, k := range []string{"chain", "causes", "excluded", "await", "others"} {
			if string(m[k]) == "null" {
				t.Errorf("%q is null", k)
			}
		}
		if bytes.Contains(b, []byte(`"because":null`)) || bytes.Contains(b, []byte(`"against":null`)) {
			t.Errorf("null lists: %s", b)
		}
	}
	if _, err := icd.Evaluate(tl, 0, "nobody"); err == nil {
		t.Error("an unknown subscriber was accepted")
	}
}

// TestWords: every link and cause explains itself in one line.
func TestWords(t *testing.T) {
	for l := icd.L1; l <= icd.L10; l++ {
		if l.Title() == "" || l.About() == "" || l.String() == "" {
			t.Errorf("link %d has no words", l)
		}
	}
	seen := map[string]bool{}
	for _, c := range icd.Causes {
		if seen[c.ID] || c.Title == "" || c.About == "" || c.Party == "" || c.Link == 0 || strings.Contains(c.About, "\n") {
			t.Errorf("cause %+v", c)
		}
		seen[c.ID] = true
	}
	for _, s := range scenario.Stories {
		if icd.CauseByID(s.Cause) == nil {
			t.Errorf("%s is in no list", s.Cause)
		}
		delete(seen, s.Cause)
	}
	for id := range seen {
		t.Errorf("no story plants %s", id)
	}
}

func FuzzEvaluate(f *testing.F) {
	for _, s := range scenario.Stories {
		var b bytes.Buffer
		tl := s.Run(1, 4)
		if err := icd.WriteTimeline(&b, tl); err != nil {
			f.Fatal(err)
		}
		lines := strings.SplitAfter(b.String(), "\n")
		f.Add([]byte(strings.Join(append(lines[:20:20], lines[len(lines)-40:]...), "")))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tl, _ := icd.ReadTimeline(bytes.NewReader(b))
		if tl == nil {
			return
		}
		v, err := icd.Evaluate(tl, tl.End(), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatal(err)
		}
		if v.Link != 0 && v.State(v.Link) != icd.Broken {
			t.Fatal("the first broken link is not broken")
		}
	})
}
