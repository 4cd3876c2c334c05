package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"threadmap/cmd/threadmap/internal/redact"
	"threadmap/diag/icd"
)

func readTimelineFile(t *testing.T, file string) *icd.Timeline {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tl, err := icd.ReadTimeline(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

// identifyingText is the parts of a recorded file that tell whose home it is.
var identifyingText = regexp.MustCompile(`[0-9A-Fa-f]{16}|[0-9a-f]{1,4}(:[0-9a-f]{0,4}){3,7}|[0-9]{1,3}(\.[0-9]{1,3}){3}`)

// TestRedactedTimelines: of recorded runs no address, id or prefix is left, and
// what is concluded of the rest is the same.
func TestRedactedTimelines(t *testing.T) {
	files, _ := filepath.Glob("../../diag/icd/testdata/*.jsonl")
	files = append(files, "../../render/timeline/testdata/forgetful.jsonl")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			tl := readTimelineFile(t, file)
			raw, _ := os.ReadFile(file)
			made := redactTimeline(redact.New([]byte("a key of 32 octets, for this test")), tl)
			var b bytes.Buffer
			if err := icd.WriteTimeline(&b, made); err != nil {
				t.Fatal(err)
			}
			out := strings.ToLower(b.String())
			for _, id := range identifyingText.FindAllString(string(raw), -1) {
				if strings.Contains(out, strings.ToLower(id)) && strings.Trim(id, "0:.") != "" && len(id) > 6 {
					t.Errorf("%s is still there", id)
				}
			}
			for _, at := range []icd.Seconds{tl.End() / 2, tl.End(), tl.End() + icd.Sec(3600)} {
				is, err := icd.Evaluate(made, at, "")
				if err != nil {
					t.Fatal(err)
				}
				was, err := icd.Evaluate(tl, at, "")
				if err != nil {
					t.Fatal(err)
				}
				if is.Link != was.Link || is.Party != was.Party || is.Rung != was.Rung || strings.Join(is.TopCauses(), " ") != strings.Join(was.TopCauses(), " ") {
					t.Errorf("at %v: %s %s %v, and of the real one %s %s %v", at, is.Link, is.Party, is.TopCauses(), was.Link, was.Party, was.TopCauses())
				}
				for i := range was.Chain {
					if is.Chain[i].State != was.Chain[i].State {
						t.Errorf("at %v: %s is %s, and of the real one %s", at, was.Chain[i].Link, is.Chain[i].State, was.Chain[i].State)
					}
				}
			}
		})
	}
}

// TestRedactedLines: what each kind of line becomes.
func TestRedactedLines(t *testing.T) {
	r := redact.New([]byte("a key of 32 octets, for this test"))
	const key = "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A="
	lines := `{"format":"threadmap-observations","version":1,"node":"5621773692fc64ae","start":"2026-11-22T14:00:00Z"}
{"t":1,"by":"canary","event":"read","values":{"0/62/1":[{"1":"` + key + `","2":4937,"3":1234605616436508552,"4":77,"5":"Grandma's fabric","254":1}],"0/70/3":[{"1":4711,"2":4711,"4":0,"254":1}],"0/40/5":"Bedroom","0/40/3":"BILRESA","0/70/7":"ask Bob","0/51/0":[{"0":"wpan0"}],"0/51/1":3}}
{"t":2,"by":"ha","event":"log","text":"Bob's Node 4711 @ fd5e:2b0c::1 CASE timed out, resubscribe in 2222147 ms"}
{"t":3,"by":"ha","event":"available","node":4711,"value":false}
{"t":4,"by":"host","event":"sysctl","name":"net.ipv6.conf.bobs-lan0.accept_ra","value":"0"}
{"t":4,"by":"host","event":"sysctl","name":"net.ipv6.conf.bobs0.accept_ra","value":0}
{"t":5,"by":"host","event":"neighbour","to":"fd5e:2b0c::7","mac":"aa:bb:cc:dd:ee:ff","same_as":"fd5e:2b0c::8"}
{"t":6,"by":"user","event":"complaint","text":"Bob is cross","controller":"Bob's Apple Home"}
{"t":7,"by":"user","event":"changed","what":"Bob moved Home Assistant to a new server"}
{"t":8,"by":"mdns","event":"question","name":"Bob's printer._ipp._tcp.local","types":["PTR"],"from":"192.168.1.9"}
{"t":9,"by":"bobs-tool","event":"secret","password":"Bob"}
{"t":10,"by":"controller","event":"attribute","path":"1/6/0","value":"Bob"}
`
	tl, err := icd.ReadTimeline(strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	made := redactTimeline(r, tl)
	var b bytes.Buffer
	if err := icd.WriteTimeline(&b, made); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	for _, gone := range []string{"Bob", "bobs", "Grandma", "Bedroom", "4711", "5e:2b0c", "5621773692fc64ae", key, "1234605616436508552", "aa:bb", "192.168", "password", "wpan0", "printer"} {
		if strings.Contains(out, gone) {
			t.Errorf("%q is still there:\n%s", gone, out)
		}
	}
	for _, kept := range []string{`"0/40/3":"BILRESA"`, `"0/51/1":3`, `"2":4937`, "CASE timed out", "resubscribe in 2222147 ms", "net.ipv6.conf.interface.accept_ra", "Apple Home", "moved", "_ipp._tcp"} {
		if !strings.Contains(out, kept) {
			t.Errorf("%q is gone:\n%s", kept, out)
		}
	}
	// The list of fabrics still names the fabric that instances are of.
	v, err := icd.Evaluate(tl, tl.End(), "")
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := json.Marshal(v)
	if !bytes.Contains(doc, []byte("Apple")) {
		t.Errorf("the evaluation of the real one does not know Apple: %s", doc)
	}
}

// FuzzRedactTimeline: no file makes it fail, and what it writes can be read.
func FuzzRedactTimeline(f *testing.F) {
	files, _ := filepath.Glob("../../diag/icd/testdata/*.jsonl")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tl, _ := icd.ReadTimeline(bytes.NewReader(b))
		if tl == nil {
			return
		}
		made := redactTimeline(redact.New([]byte("key")), tl)
		var out bytes.Buffer
		if err := icd.WriteTimeline(&out, made); err != nil {
			t.Fatal(err)
		}
		if _, err := icd.ReadTimeline(&out); err != nil {
			t.Fatal(err)
		}
	})
}
