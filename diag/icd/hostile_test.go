package icd_test

import (
	"fmt"
	"testing"
	"time"

	"threadmap/diag/icd"
)

// TestHostileFiles evaluates long files whose lines meet each other in as many
// ways as they can: time must grow with the length, not with its square. The
// limit is generous; a quadratic walk would take hours.
func TestHostileFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const n = 10_000
	works := false
	own := "00112233445566AA-0000000000000042._matter._tcp.local"
	host := "1a2b3c4d5e6f7081.local"
	for name, lines := range map[string]func(i int) []icd.Observation{
		"names": func(i int) []icd.Observation {
			return []icd.Observation{
				{By: icd.ByMDNS, Event: "goodbye", What: &icd.Announce{Instance: own, Host: host}},
				{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: own, Host: host, TXT: map[string]string{}, Addresses: []string{fmt.Sprintf("fd00::%x", i%60000)}}},
				{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: fmt.Sprintf("00112233445566AA-%016X._matter._tcp.local", i), Host: "hub.local"}},
				{By: icd.ByMDNS, Event: "question", What: &icd.Question{Name: fmt.Sprintf("00112233445566AA-%016X._matter._tcp.local", i)}},
				{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: fmt.Sprintf("%016X-0000000000000042._matter._tcp.local", i), Host: host}},
				{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: fmt.Sprintf("br%d", i), Service: "_meshcop._udp", TXT: map[string]string{"xp": "11", "pt": fmt.Sprint(i), "omr": "40fd00000000000000"}}},
			}
		},
		"mesh": func(i int) []icd.Observation {
			age := icd.Sec(3)
			return []icd.Observation{
				{By: icd.ByTMF, Event: "router", What: &icd.Router{RLOC16: fmt.Sprintf("0x%04x", i%63<<10), Ext: fmt.Sprintf("%016x", i)}},
				{By: icd.ByTMF, Event: "no-child", What: &icd.NoChild{Asked: []string{"0x0000"}}},
				{By: icd.ByTMF, Event: "child", What: &icd.Child{Parent: "0x0000", Age: &age}},
				{By: icd.ByTMF, Event: "router-silent", What: &icd.RouterSilent{RLOC16: "0x0000"}},
				{By: icd.ByTMF, Event: "netdata", What: &icd.Netdata{Prefixes: []icd.NetdataPrefix{{Prefix: fmt.Sprintf("fd00:%x::/64", i%60000)}}}},
				{By: icd.ByICMP, Event: "ping", What: &icd.Ping{To: "fd00::1", Sent: 1}},
				{By: icd.ByHost, Event: "unreachable", What: &icd.Unreachable{To: "fd00::1"}},
			}
		},
		"people": func(i int) []icd.Observation {
			return []icd.Observation{
				{By: icd.ByUser, Event: "press", What: &icd.Press{Works: &works, Controller: fmt.Sprint("hub ", i)}},
				{By: icd.ByUser, Event: "complaint", What: &icd.Complaint{Controller: fmt.Sprint("hub ", i)}},
				{By: icd.ByUser, Event: "reboot", What: &icd.Reboot{}},
				{By: icd.ByCanary, Event: "event", What: &icd.DeviceEvent{Number: uint64(i), Cluster: 40}},
				{By: icd.ByHA, Event: "event", What: &icd.DeviceEvent{Number: uint64(n - i), Cluster: 59, EventID: 1}},
				{By: icd.ByCanary, Event: "read-events", What: &icd.ReadEvents{Events: []icd.DeviceEvent{{Number: uint64(i), Cluster: 40}}}},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tl := icd.NewTimeline("1a2b3c4d5e6f7081", time.Time{})
			for i := range n {
				for _, o := range lines(i) {
					o.At = icd.Sec(float64(i) / 7)
					tl.Add(o)
				}
			}
			began := time.Now()
			if _, err := icd.Evaluate(tl, tl.End(), ""); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("%d lines took %v", tl.Len(), took)
			} else {
				t.Logf("%d lines in %v", tl.Len(), took)
			}
		})
	}
}
