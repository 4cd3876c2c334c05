package dump

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// A download of the Matter integration says what the Matter server's own nodes
// say.
func TestMatterDownload(t *testing.T) {
	want := read(t, "matter-get_nodes.json")
	var nodes struct{ Result json.RawMessage }
	if err := json.Unmarshal(sample(t, "matter-get_nodes.json"), &nodes); err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf(`{"home_assistant":{"version":"2026.8.1"},"custom_components":{},"integration_manifest":{"domain":"matter","name":"Matter"},"setup_times":{},
"data":{"server":{"info":{"compressed_fabric_id":%d},"nodes":%s,"events":[]}},"issues":[]}`, uint64(samplesFabric), nodes.Result)
	at := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	got, err := Read("config_entry-matter-01J.json", []byte(file), at)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Problems) != 0 || len(got.Reports) != len(want.Reports) || len(got.Sources) != 1 || got.Sources[0].Name != "home-assistant" {
		t.Fatalf("%d reports, %v, %v", len(got.Reports), got.Problems, got.Sources)
	}
	for i, r := range got.Reports {
		w := want.Reports[i]
		if r.Source != "home-assistant" || !r.Cached || r.At != at || !strings.HasSuffix(r.Session, " dead00beef00cafe") {
			t.Errorf("report of %s at %v in session %q", r.Source, r.At, r.Session)
		}
		r.Source, r.Via, r.At, r.Session = w.Source, w.Via, w.At, w.Session
		if fmt.Sprintf("%+v", r) != fmt.Sprintf("%+v", w) {
			t.Errorf("node %v differs:\n%+v\n%+v", r.Matter, r, w)
		}
	}
	// Cut off when it was saved: the nodes before the cut stay.
	half, err := Read("x.json", []byte(file[:len(file)/2]), at)
	if err != nil || len(half.Reports) < 3 || len(half.Reports) >= len(want.Reports) || len(half.Problems) != 1 || !strings.Contains(half.Problems[0].Text, "ends in the middle") {
		t.Errorf("%v, %+v", err, half)
	}
}

func TestOneDeviceAndThread(t *testing.T) {
	s, err := Read("matter-01J-Attic sensor-abc.json", []byte(`{"integration_manifest":{"domain":"matter"},"data":{"server_info":{"compressed_fabric_id":9},"node":{"node_id":7,"available":true,
		"attributes":{"0/40/5":"**REDACTED**","0/53/64":0,"0/53/4":1}}}}`), time.Time{})
	if err != nil || len(s.Reports) != 1 || len(s.Problems) != 0 || s.Reports[0].Matter[0] != (diag.MatterID{Fabric: 9, Node: 7}) || s.Reports[0].RLOC16 != diag.MakeRLOC16(0) || len(s.Reports[0].Names) != 0 {
		t.Errorf("%v, %+v", err, s)
	}
	s, err = Read("config_entry-thread-01J.json", []byte(`{"home_assistant":{"version":"2026.8.1"},"integration_manifest":{"domain":"thread"},"data":{"networks":{"beefbeefcafecafe":{"name":"HomeMesh",
		"prefixes":["fd5a:1:2:3"],"unexpected_routers":["fe80::dead"],"routers":{"br1.local.":{"server":"br1.local.","addresses":["fd00:2::7"],"thread_version":"1.4.0","model":"OTBR","vendor":"HA","routes":{"fd5a:1:2:3::":{}}}}}}}}`), time.Time{})
	if err != nil || len(s.Reports) != 1 || len(s.Problems) != 1 || s.Reports[0].Network.ExtPANID != 0xbeefbeefcafecafe || s.Reports[0].BorderRouter != diag.Some(true) || s.Reports[0].Hosts[0] != "br1" {
		t.Errorf("%v, %+v", err, s)
	}
}

func TestOtherDownloads(t *testing.T) {
	for file, want := range map[string]string{
		`{"integration_manifest":{"domain":"zha"},"data":{"secret":"hunter2"}}`:                   "is a diagnostics download of another integration of Home Assistant",
		`{"integration_manifest":{"domain":"matter"},"data":"**REDACTED**"}`:                      "before its data: download it again",
		`{"integration_manifest":{"domain":"matter"},"data":{"server":{"info":{},"nodes":[]}}}`:   "without any node",
		`{"integration_manifest":{"domain":"thread"},"data":{"networks":{}}}`:                     "without any border router",
		`{"integration_manifest":{"domain":"matter"},"data":{"server":{"nodes":[{"node_id":5,"at`: "nothing of it could be read: the document ends in the middle",
	} {
		_, err := Read("x.json", []byte(file), time.Time{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
}
