package icd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"threadmap/diag/icd"
)

const (
	loopNode = "4a5b6c7d8e9f0a1b"
	ours     = "5B37A6E0D1C24F88"
	apples   = "C0C60AB1D2E3F405"
)

// lines is a timeline of lines as a file has them, without its first.
func lines(t *testing.T, text string) *icd.Timeline {
	t.Helper()
	tl, err := icd.ReadTimeline(strings.NewReader(`{"format":"threadmap-observations","version":1,"node":"` + loopNode + `","start":"2026-10-03T18:04:05Z"}` + "\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

// heard writes announcements ("a") and withdrawals ("g") of the device's name.
func heard(what ...string) string {
	var b strings.Builder
	for _, w := range what {
		event := map[byte]string{'a': "announce", 'g': "goodbye"}[w[0]]
		fmt.Fprintf(&b, `{"t":%s,"by":"mdns","event":%q,"instance":"%s-00000000000000A7","service":"_matter._tcp","host":"4A5B6C7D8E9F0A1B.local","addresses":["fd1a:2b3c:4d5e:1::a"],"from":"fe80::1"}`+"\n", w[1:], event, ours)
	}
	return b.String()
}

func ping(at string) string {
	return `{"t":` + at + `,"by":"icmp","event":"ping","to":"fd1a:2b3c:4d5e:1::a","from":"host","sent":1,"received":1}` + "\n"
}

func TestLoop(t *testing.T) {
	power := func(at ...string) (s string) {
		for _, a := range at {
			s += `{"t":` + a + `,"by":"user","event":"power-on"}` + "\n"
		}
		return s
	}
	count := func(at string, n int) string {
		return fmt.Sprintf(`{"t":%s,"by":"canary","event":"read","values":{"0/51/1":%d},"fabric_filtered":false}`+"\n", at, n)
	}
	complaint := `{"t":1700,"by":"user","event":"complaint","text":"dead","controller":"Google Home"}` + "\n"
	three := heard("g600", "a601", "g655", "a656", "g710", "a711")
	for _, c := range []struct {
		name, file string
		at         float64
		want       icd.State
	}{
		{"three starts", three, 720, icd.Broken},
		{"three starts, and it lives for a while", three + ping("900"), 910, icd.Broken},
		{"three starts, and it has lived for an hour", three + ping("900") + ping("2000") + ping("4300") + complaint, 4310, icd.Seen},
		{"three starts, then nothing, to one who would hear it", three + ping("712"), 4310, icd.Broken},
		// What was heard of the starts in the middle is one half.
		{"halves of withdrawals", heard("g600", "g655", "g710", "a711") + ping("900"), 910, icd.Unknown},
		{"halves of announcements", heard("g600", "a601", "a656", "a657", "a711", "a712", "a766", "a767") + ping("900"), 910, icd.Unknown},
		{"announced again and again, for who asks", heard("g600", "a601", "a656", "a711", "a766") + ping("900"), 910, icd.Seen},
		{"two starts, of a loop or not", heard("g600", "a601", "g710", "a711") + ping("900"), 910, icd.Unknown},
		{"two starts, long ago", heard("g600", "a601", "g710", "a711") + ping("900") + ping("2000"), 2010, icd.Seen},
		{"one start", heard("g600", "a601", "a602") + ping("700"), 710, icd.Seen},
		{"announced once more, as responders do", heard("a100", "g600", "a601", "a602") + ping("700"), 710, icd.Seen},
		// The border router's own restart: it says the same of all its devices.
		{"a border router that restarts twice", heard("g600", "a601", "a655", "a656", "a711", "a712") + strings.NewReplacer("00000000000000A7", "00000000000000B8", "4A5B6C7D8E9F0A1B", "2222222222222222", "::a", "::b").Replace(heard("a655.1", "a711.2")) + ping("900"), 910, icd.Seen},
		// People take the battery out more than once.
		{"each by hand", three + power("597", "652", "707") + ping("900"), 910, icd.Seen},
		{"one of three by hand", three + power("597") + ping("900"), 910, icd.Broken},
		// The counter of starts tells of those that nobody heard.
		{"counted to three at once, by one line's word", count("600", 7) + count("900", 10), 910, icd.Unknown},
		{"counted to three, of which two were heard", heard("g600", "a601", "g655", "a656") + count("598", 7) + count("700", 10) + ping("705"), 710, icd.Unknown},
		{"counted to three in a night", count("600", 7) + count("36000", 10), 36010, icd.Seen},
		{"counted to two at once", count("600", 7) + count("900", 9), 910, icd.Seen},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := icd.Evaluate(lines(t, c.file), icd.Sec(c.at), "")
			if err != nil || v.State(icd.L1) != c.want {
				t.Errorf("L1 is %+v, want %v (%v)", v.Chain[0], c.want, err)
			}
		})
	}
}

// TestReportAfterLoss: after the canary lost its subscription, or the device's
// session to it failed, a report is of one that the canary made anew: the
// device did not open a session by itself.
func TestReportAfterLoss(t *testing.T) {
	began := heard("g600", "a601") + `
{"t":0,"by":"canary","event":"subscribed","id":7,"min":0,"max":120,"fabric":"` + ours + `"}
{"t":603,"by":"canary","event":"sigma1"}
`
	const end = `{"t":782,"by":"canary","event":"report","id":9,"known":true,"values":{"0/51/1":8}}
{"t":900,"by":"controller","event":"log","text":"received Sigma1 from node 0x42"}
{"t":902,"by":"controller","event":"log","text":"retransmission 1 of Sigma2, no ack"}
{"t":904,"by":"controller","event":"log","text":"retransmission 2 of Sigma2, no ack"}
{"t":990,"by":"user","event":"complaint","text":"dead","controller":"Google Home"}
`
	for name, between := range map[string]string{
		"lost":   `{"t":780,"by":"canary","event":"lost","reason":"liveness timeout"}` + "\n",
		"failed": `{"t":640,"by":"canary","event":"case","opened_by":"device","result":"failed","error":"timed out after Sigma2"}` + "\n",
	} {
		v, err := icd.Evaluate(lines(t, began+between+end), icd.Sec(1000), "Google Home")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(v.Causes, func(c icd.CauseFound) bool { return c.ID == "R11" }) {
			t.Errorf("%s: R11 is ruled out: %v\n%s", name, v.Excluded, show(v))
		}
	}
}

// TestCanarysFabric: the canary's fabric is what its login says, never one that
// is left over.
func TestCanarysFabric(t *testing.T) {
	foreign := strings.ReplaceAll(heard("g600", "a601.5"), ours, apples) +
		`{"t":604,"by":"mdns","event":"question","name":"` + apples + `-00000000000000C3._matter._tcp.local","types":["SRV"],"from":"fe80::1"}` + "\n"
	for _, c := range []struct{ name, line, want string }{
		{"said with the session that failed", `{"t":700,"by":"canary","event":"case","opened_by":"canary","result":"failed","error":"no answer","fabric":"` + strings.ToLower(ours) + `"}`, ours},
		{"said with a session of the device", `{"t":700,"by":"canary","event":"sigma1","fabric":"` + ours + `"}`, ours},
		{"not said", `{"t":700,"by":"canary","event":"case","opened_by":"canary","result":"failed","error":"no answer"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tl := lines(t, foreign+c.line+"\n")
			v, err := icd.Evaluate(tl, icd.Sec(900), "canary")
			if err != nil {
				t.Fatal(err)
			}
			if v.State(icd.L6) == icd.Broken || strings.Contains(show(v), apples+"-00000000000000C3") {
				t.Errorf("Apple's question is taken for one for the canary:\n%s", show(v))
			}
			if !slices.ContainsFunc(v.Others, func(o icd.Verdict) bool { return o.Subscriber == apples }) {
				t.Errorf("the other fabric is nobody's: %v", v.Others)
			}
			if c.want != "" {
				if _, err := icd.Evaluate(tl, icd.Sec(900), c.want); err != nil {
					t.Errorf("the canary is not known by its fabric: %v", err)
				}
			}
		})
	}
}

// TestWaitsOrHangs: a controller that lost a device which lives waits, or hangs:
// nobody can tell from outside, until it has been silent for longer than any
// controller waits.
func TestWaitsOrHangs(t *testing.T) {
	file := heard("a0") + `{"t":0,"by":"ha","event":"subscribed","id":5,"max":180}
{"t":290,"by":"ha","event":"available","value":false}
{"t":400,"by":"user","event":"complaint","text":"the button does nothing","controller":"Home Assistant"}
` + ping("10") + ping("390")
	for _, c := range []struct {
		at    float64
		pings string
		first []string
	}{
		{600, "", []string{"R4", "R6"}},
		{7000, ping("3000") + ping("6990"), []string{"R6"}},
		// It could not be reached for a while: the wait may have begun later.
		{7000, ping("2000") + strings.ReplaceAll(ping("3000"), `"received":1`, `"received":0`) + ping("6990"), []string{"R4", "R6"}},
	} {
		v, err := icd.Evaluate(lines(t, file+c.pings), icd.Sec(c.at), "Home Assistant")
		if err != nil || v.Link != icd.L9 || v.Party != icd.Controller {
			t.Fatalf("%v: %v\n%s", c.at, err, show(v))
		}
		var got []string
		for _, f := range v.Causes[:min(len(c.first), len(v.Causes))] {
			got = append(got, f.ID)
		}
		if !slices.Equal(got, c.first) {
			t.Errorf("at %v first are %v, want %v\n%s", c.at, got, c.first, show(v))
		}
		if i := slices.IndexFunc(v.Causes, func(f icd.CauseFound) bool { return f.ID == "R6" }); i < 0 || len(c.first) > 1 && !strings.Contains(strings.Join(v.Causes[i].For, " "), "one that waits (R4) shows the same") {
			t.Errorf("at %v: that the two look alike is not said:\n%s", c.at, show(v))
		}
		if got := v.TopCauses(); len(c.first) == 1 && !slices.Equal(got, c.first) {
			t.Errorf("at %v: as likely are %v", c.at, got)
		}
	}
}
