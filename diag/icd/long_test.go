package icd_test

import (
	"fmt"
	"testing"
	"time"

	"threadmap/diag/icd"
)

// recorded is a long recording: what polls and listens for weeks.
func recorded(n int) *icd.Timeline {
	tl := icd.NewTimeline("4a5b6c7d8e9f0a1b", time.Time{})
	own := "5B37A6E0D1C24F88-00000000000000A7._matter._tcp.local"
	yes := true
	age, timeout, two, ten := icd.Sec(2), icd.Sec(240), icd.Sec(2), 10
	for i := 0; tl.Len() < n; i++ {
		at := icd.Sec(float64(i) / 3)
		connected := at
		for k, o := range []icd.Observation{
			{By: icd.ByTMF, Event: "child", Ext: "4a5b6c7d8e9f0a1b", What: &icd.Child{Parent: "b1c2d3e4f5061728", RLOC16: "0x5c03", Age: &age, Connected: &connected, Timeout: &timeout}},
			{By: icd.ByTMF, Event: "router", What: &icd.Router{RLOC16: "0x5c00", Ext: "b1c2d3e4f5061728", Children: &ten}},
			{By: icd.ByICMP, Event: "ping", What: &icd.Ping{To: "fd00::1", From: "host", Sent: 1, Received: i % 5}},
			{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: own, Host: "4A5B6C7D8E9F0A1B.local", Addresses: []string{"fd00::1"}, TXT: map[string]string{"SII": "5000"}, From: "fe80::1"}},
			{By: icd.ByMDNS, Event: "question", What: &icd.Question{Name: fmt.Sprintf("5B37A6E0D1C24F88-%016X._matter._tcp.local", i%7), From: "fe80::1"}},
			{By: icd.ByRA, Event: "advert", What: &icd.Advert{From: "fe80::1", Prefixes: []icd.AdvertPrefix{{Prefix: "fd00::/64", Kind: "rio", Lifetime: icd.Sec(1800)}}}},
			{By: icd.ByHA, Event: "report", What: &icd.Report{ID: 5, Known: &yes}},
			{By: icd.ByCanary, Event: "event", What: &icd.DeviceEvent{Number: uint64(i), Cluster: 59, EventID: 1}},
			{By: icd.ByUser, Event: "press", What: &icd.Press{Works: &yes, Controller: "Apple Home"}},
			{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: fmt.Sprintf("5B37A6E0D1C24F88-%016X", 1000+i%50), Host: fmt.Sprintf("%016X.local", i%50), TTL: &two}},
		} {
			o.At = at + icd.Sec(float64(k)/100)
			tl.Add(o)
		}
	}
	return tl
}

// TestLongFile evaluates a quarter of what a file may have: in some seconds, or,
// on a machine that is slow or does other things, in not much more than eight
// times what an eighth of that takes. BenchmarkMillionLines measures all.
func TestLongFile(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	evaluate := func(n int) time.Duration {
		tl := recorded(n)
		began := time.Now()
		v, err := icd.Evaluate(tl, tl.End(), "")
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		t.Logf("%d lines in %v, %d others", tl.Len(), took, len(v.Others))
		return took
	}
	short := evaluate(icd.MaxLines / 32)
	if long := evaluate(icd.MaxLines / 4); long > 5*time.Second && long > 24*short {
		t.Errorf("a quarter of a long file took %v, an eighth of that %v", long, short)
	}
}

func BenchmarkMillionLines(b *testing.B) {
	tl := recorded(icd.MaxLines)
	for b.Loop() {
		if _, err := icd.Evaluate(tl, tl.End(), ""); err != nil {
			b.Fatal(err)
		}
	}
}
