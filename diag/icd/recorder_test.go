package icd

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"
)

// TestRecorder: what observers saw is in the timeline and in the file alike,
// whoever said it first, and the verdicts of both are the same.
func TestRecorder(t *testing.T) {
	start := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	var file bytes.Buffer
	r, err := NewRecorder("5ab52cc5a3e44d44", start, &file)
	if err != nil {
		t.Fatal(err)
	}
	changed := r.Changed()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				Observe(r.Observe).See(start.Add(time.Duration(i*50+j)*time.Second), ByICMP, "ping", &Ping{To: "fd00::1", Sent: 1, Received: j % 2})
			}
		})
	}
	r.Observe(start.Add(-time.Hour), Observation{By: ByUser, Event: "reboot", What: &Reboot{}})
	wg.Wait()
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	live := r.Timeline()
	read, err := ReadTimeline(bytes.NewReader(file.Bytes()))
	if err != nil || r.Err() != nil || live.Len() != 401 || read.Len() != 401 {
		t.Fatalf("%d and %d observations, %v, %v", live.Len(), read.Len(), err, r.Err())
	}
	r.Observe(start, Observation{By: ByUser, Event: "power-off", What: &PowerOff{}})
	if live.Len() != 401 {
		t.Error("a timeline that was given away changed")
	}
	var a, b bytes.Buffer
	if err := errors.Join(WriteTimeline(&a, live), WriteTimeline(&b, read)); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("%v, live\n%s\nread\n%s", err, a.Bytes(), b.Bytes())
	}
}

type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

// TestRecorderFullDisk: the file ends, the timeline goes on.
func TestRecorderFullDisk(t *testing.T) {
	r, err := NewRecorder("5ab52cc5a3e44d44", time.Now(), &full{left: 200})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		r.Observe(time.Now(), Observation{By: ByUser, Event: "reboot", What: &Reboot{}})
	}
	if r.Timeline().Len() != 10 || r.Err() == nil {
		t.Errorf("%d observations, %v", r.Timeline().Len(), r.Err())
	}
}
