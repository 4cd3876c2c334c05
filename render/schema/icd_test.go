package schema_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"threadmap/diag/icd"
	"threadmap/render/schema"
	"threadmap/render/schema/schematest"
)

// TestObservationsAndVerdicts: every line of the recorded files, and what is
// concluded from them at several times.
func TestObservationsAndVerdicts(t *testing.T) {
	files, err := filepath.Glob("../../diag/icd/testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	files = append(files, "../timeline/testdata/forgetful.jsonl")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, icd.MaxLine+1)
		for n := 1; lines.Scan(); n++ {
			if err := schematest.Validate(schema.Observations, lines.Bytes()); err != nil {
				t.Errorf("%s, line %d: %v", file, n, err)
			}
		}
		tl, err := icd.ReadTimeline(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []icd.Seconds{0, tl.End() / 2, tl.End(), tl.End() + icd.Sec(7200)} {
			v, err := icd.Evaluate(tl, at, "")
			if err != nil {
				t.Fatal(err)
			}
			doc, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := schematest.Validate(schema.ICD, doc); err != nil {
				t.Errorf("%s at %v: %v", file, at, err)
			}
		}
	}
}

// TestWrongVerdictsAreRefused: the schemas are no formality.
func TestWrongVerdictsAreRefused(t *testing.T) {
	tl, err := os.ReadFile("../timeline/testdata/forgetful.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	timeline, err := icd.ReadTimeline(bytes.NewReader(tl))
	if err != nil {
		t.Fatal(err)
	}
	v, err := icd.Evaluate(timeline, timeline.End(), "")
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := json.Marshal(v)
	for _, c := range [][2]string{{`"state":"seen"`, `"state":"fine"`}, {`"link":"L7"`, `"link":"L11"`}, {`"party":"device-firmware"`, `"party":"me"`}, {`"rung":4`, `"rung":5`}, {`"await":`, `"awaits":`}, {`"at":230`, `"at":"230"`}} {
		bad := bytes.ReplaceAll(doc, []byte(c[0]), []byte(c[1]))
		if bytes.Equal(bad, doc) {
			t.Errorf("the document has no %s", c[0])
		} else if schematest.Validate(schema.ICD, bad) == nil {
			t.Errorf("%s was accepted", c[1])
		}
	}
	for _, bad := range []string{`{"t":-1,"by":"mdns","event":"goodbye"}`, `{"by":"mdns","event":"goodbye"}`, `{"t":1,"by":"mdns","event":"goodbye","ttl":"120"}`, `{"format":"threadmap-observations","version":2,"node":"","start":"2026-11-22T14:00:00Z"}`} {
		if schematest.Validate(schema.Observations, []byte(bad)) == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}
