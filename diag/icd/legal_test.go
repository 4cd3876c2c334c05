package icd

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestEmptyTXT: an empty record is legal, so it breaks a link only where the
// device is known to have more to say.
func TestEmptyTXT(t *testing.T) {
	start := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	announce := func(tl *Timeline, at float64, txt map[string]string) {
		tl.Add(Observation{At: Sec(at), By: ByMDNS, Event: "announce", What: &Announce{Instance: "541C48148B93C32C-0000000000000063", Service: "_matter._tcp", Host: "5ab52cc5a3e44d44", Port: 5540, Addresses: []string{"fd00::1"}, TXT: txt}})
	}
	for _, c := range []struct {
		before map[string]string
		want   State
	}{{nil, Unknown}, {map[string]string{}, Unknown}, {map[string]string{"SII": "5000"}, Broken}} {
		tl := NewTimeline("5ab52cc5a3e44d44", start)
		announce(tl, 1, c.before)
		announce(tl, 60, map[string]string{})
		v, err := Evaluate(tl, Sec(120), "")
		if err != nil || v.Chain[4].State != c.want {
			t.Errorf("before: %v: %v, %+v", c.before, err, v.Chain[4])
		}
	}
}

// TestStoppedInOrderAndResumed: a stack that keeps its subscriptions over an
// orderly stop is not said to have none.
func TestStoppedInOrderAndResumed(t *testing.T) {
	start := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	for _, resumed := range []bool{false, true} {
		tl := NewTimeline("5ab52cc5a3e44d44", start)
		add := func(at float64, event string, what any) {
			tl.Add(Observation{At: Sec(at), By: ByCanary, Event: event, What: what})
		}
		known := true
		add(1, "subscribed", &Subscribed{ID: 7, Max: new(Sec(188))})
		add(9, "event", &DeviceEvent{Number: 6, Cluster: 40, EventID: 1, Name: "ShutDown"})
		tl.Add(Observation{At: Sec(10), By: ByUser, Event: "reboot", What: &Reboot{}})
		if resumed {
			add(17, "sigma1", &Sigma1{})
			add(17.1, "case", &CASE{OpenedBy: "device", Result: "resumed"})
			add(17.2, "report", &Report{ID: 7, Known: &known, Values: map[string]json.RawMessage{"0/51/1": json.RawMessage("2")}})
		}
		v, err := Evaluate(tl, Sec(60), "")
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(v.Facts, func(f Fact) bool { return f.ID == "orderly-stop" })
		if i < 0 || strings.Contains(v.Facts[i].Says, "kept") != resumed {
			t.Errorf("resumed %v: %+v", resumed, v.Facts)
		}
	}
}

// TestStartsByUpTime: two starts shortly after each other are two, as the device's
// own clock has it; one that is told of for days, by a clock that goes a little
// wrong, is one.
func TestStartsByUpTime(t *testing.T) {
	read := func(tl *Timeline, at float64, up, count int) {
		tl.Add(Observation{At: Sec(at), By: ByCanary, Event: "read", What: &Read{Values: map[string]json.RawMessage{
			"0/51/1": json.RawMessage(strconv.Itoa(count)), "0/51/2": json.RawMessage(strconv.Itoa(up))}}})
	}
	for _, c := range []struct {
		name  string
		reads [][3]float64 // at, UpTime, RebootCount
		want  []Seconds
	}{
		{"again at once", [][3]float64{{0.3, 0, 1}, {167.5, 150, 2}}, []Seconds{Sec(0.3), Sec(17.5)}},
		{"sooner", [][3]float64{{0.05, 0, 1}, {162.1, 150, 2}}, []Seconds{Sec(0.05), Sec(12.1)}},
		{"once", [][3]float64{{0.3, 0, 1}, {60.2, 59, 1}, {3600.9, 3599, 1}}, []Seconds{Sec(0.3)}},
		{"a slow clock, for a week", [][3]float64{{100, 0, 1}, {200000, 199700, 1}, {400000, 399500, 1}, {600000, 599300, 1}}, []Seconds{Sec(100)}},
	} {
		tl := NewTimeline("5ab52cc5a3e44d44", time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC))
		for _, r := range c.reads {
			read(tl, r[0], int(r[1]), int(r[2]))
		}
		v := newView(tl, tl.End())
		var got []Seconds
		for _, b := range v.boots {
			got = append(got, b.at)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if verdict, err := Evaluate(tl, tl.End(), ""); err != nil || verdict.State(L1) != Seen {
			t.Errorf("%s: it lives on, but: %v, %+v", c.name, err, verdict.Chain[0])
		}
	}
}
