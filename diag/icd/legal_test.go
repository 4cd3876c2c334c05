package icd

import (
	"encoding/json"
	"slices"
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
