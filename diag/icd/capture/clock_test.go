package capture_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/icd/capture"
)

// TestClockSet: a router that captures before it knows the time. The story is
// the same, and its times are those after the clock was set.
func TestClockSet(t *testing.T) {
	h := story(t)
	want := lines(t, h.read(capture.Options{}).Timeline())
	late := &home{lan: newLAN(t)}
	for i, f := range h.all {
		if i < 10 {
			f.at = f.at.AddDate(-30, 0, 0)
		}
		late.put(f.at, f.frame)
	}
	r := late.read(capture.Options{})
	if len(r.Devices) != 1 || len(r.Devices[0].Restarts) != 1 || r.Devices[0].Restarts[0].Sub(began.Add(600*time.Second)).Abs() > time.Second {
		t.Errorf("%+v", r.Devices)
	}
	if !r.End.Equal(began.Add(900 * time.Second)) {
		t.Errorf("ends %v", r.End)
	}
	// The first ten packets lie together with the step; nothing else moves.
	got := lines(t, r.Timeline())
	for _, event := range []string{"goodbye", "case", "question", "sigma1"} {
		if strings.Count(got, `"event":"`+event) != strings.Count(want, `"event":"`+event) {
			t.Errorf("%s: got %s\nwant %s", event, got, want)
		}
	}
	var b bytes.Buffer
	if err := icd.WriteTimeline(&b, r.Timeline()); err != nil {
		t.Fatal(err)
	}
	if _, err := icd.ReadTimeline(&b); err != nil {
		t.Error(err)
	}
}

// TestNext: with a capture alone there is still something to be found out.
func TestNext(t *testing.T) {
	h := newHome(t)
	h.restart(600)
	h.look(603)
	h.sigma1(604, 5)
	v, _ := evaluate(t, h.end(900).read(capture.Options{}), true)
	if v.Next == nil || !strings.Contains(v.Next.Do, "threadmap") && !strings.Contains(v.Next.Do, "log") && !strings.Contains(v.Next.Do, "Ping") {
		t.Errorf("%+v, causes %v", v.Next, v.Causes)
	}
}

// TestTell: the observations have the times of the wall clock.
func TestTell(t *testing.T) {
	r := story(t).read(capture.Options{})
	rec, err := icd.NewRecorder(r.Node, began, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Tell(rec.Observe)
	tl := rec.Timeline()
	if tl.Len() != r.Len() || tl.Len() == 0 || tl.End() != icd.Sec(900) {
		t.Errorf("%d of %d, until %v", tl.Len(), r.Len(), tl.End())
	}
}
