package dump

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

const samplesFabric = 9459049951292553703 // above 2^53: a float would round it

func TestMatterNodes(t *testing.T) {
	s := read(t, "matter-get_nodes.json")
	if len(s.Problems) != 0 {
		t.Fatal(s.Problems)
	}
	var got []string
	for _, r := range s.Reports {
		if r.Source != "matter-server" || !r.Cached || r.Available != diag.Some(true) || r.Transport != diag.TransportThread {
			t.Errorf("%v: source %s, cached %v, available %v, transport %s", r.Matter, r.Source, r.Cached, r.Available, r.Transport)
		}
		if len(r.Matter) != 1 || r.Matter[0].Fabric != samplesFabric || r.Network.ExtPANID != 0xdead00beef00cafe || r.Leader.PartitionID != diag.Some(uint32(727675337)) {
			t.Errorf("%v in network %v, partition %v", r.Matter, r.Network.ExtPANID, r.Leader.PartitionID)
		}
		got = append(got, fmt.Sprintf("%d %s br %v children %s neighbors %s routes %d", r.Matter[0].Node, who(r), r.BorderRouter, count(r.Children), count(r.Neighbors), len(r.Routes)))
	}
	same(t, "nodes", got, []string{
		"29 0x2c00 3ee99ced0cdb5c0d(3) 3ee99ced0cdb5c0d(4) leader br ? children 0 neighbors 6 routes 7",
		"30 0x0000 12fbf988738c9ac7(3) 12fbf988738c9ac7(4) router br ? children 4 neighbors 5 routes 7",
		"31 0x2400 c66b79da5c7b17bf(3) c66b79da5c7b17bf(4) router br ? children 1 neighbors 4 routes 7",
		"32 0xdc00 d65b2dfb1f74741b(3) d65b2dfb1f74741b(4) router br ? children 0 neighbors 3 routes 7",
		"33 0xa000 1e9fc5159bed4497(3) 1e9fc5159bed4497(4) router br ? children 0 neighbors 2 routes 7",
		"34 0x7800 da5083b64f28dfa0(3) da5083b64f28dfa0(4) router br true children 2 neighbors 1 routes 7",
		"35 0x000a b6350d4bd3c23582(3) b6350d4bd3c23582(4) sleepy-end-device br ? children ? neighbors 1 routes 0",
		"36 0x7805 d65a34de34adb370(3) d65a34de34adb370(4) sleepy-end-device br ? children ? neighbors 1 routes 0",
		"37 0x000b 8656196277c0dcc6(3) 8656196277c0dcc6(4) end-device br ? children ? neighbors 1 routes 0",
		"38 0x000c ae9513bed290da0e(3) ae9513bed290da0e(4) sleepy-end-device br ? children ? neighbors 1 routes 0",
		"39 0x7806 eefee93248d9cffc(3) eefee93248d9cffc(4) reed br ? children 0 neighbors 1 routes 0",
		"40 0x5002 e23dfb3decd5a58f(3) e23dfb3decd5a58f(4) sleepy-end-device br ? children ? neighbors 1 routes 0",
		"41 0x2403 060222c3165d7dfe(3) 060222c3165d7dfe(4) sleepy-end-device br ? children ? neighbors 1 routes 0",
		"42 0x000d 8e8168890ead3c71(3) 8e8168890ead3c71(4) sleepy-end-device br ? children ? neighbors 1 routes 0",
	})
}

// One node in the forms in which it is saved gives one report.
func TestFormsOfNodes(t *testing.T) {
	const node = `{"node_id":18446744073709551615,"available":false,"attributes":{"0/53/1":5,"0/53/4":16045481867444538110,` +
		`"0/53/7":[{"0":18446744073709551557,"2":0,"5":2,"6":null,"7":-64,"10":true,"11":true,"12":true,"13":false}]}}`
	for name, c := range map[string]struct {
		json   string
		fabric uint64
	}{
		"bare node":         {node, 0},
		"array":             {"[" + node + "]", 0},
		"get_node":          {`{"message_id":"7","result":` + node + `}`, 0},
		"get_nodes":         {`{"message_id":"7","result":[` + node + `]}`, 0},
		"python storage":    {`{"vendor_info":{},"last_node_id":30,"nodes":{"30":` + node + `}}`, 0},
		"diagnostics":       {`{"info":{"compressed_fabric_id":9459049951292553703},"nodes":[` + node + `],"events":[]}`, samplesFabric},
		"home assistant":    {`{"integration_manifest":{"domain":"matter"},"data":{"server":{"info":{"compressed_fabric_id":9459049951292553703},"nodes":[` + node + `]}}}`, samplesFabric},
		"one device of it":  {`{"data":{"server_info":{"compressed_fabric_id":9459049951292553703},"node":` + node + `}}`, samplesFabric},
		"messages":          {"{\"compressed_fabric_id\":9459049951292553703}\n{\"message_id\":\"1\",\"result\":[" + node + "]}\n", samplesFabric},
		"event":             {`{"event":"node_updated","data":` + node + `}`, 0},
		"with a BOM, CRLF":  {"\xef\xbb\xbf" + node + "\r\n", 0},
		"curl -i of a copy": {"$ curl -i http://u:p@h/x\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + node, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read("x.json", []byte(c.json), time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Reports) != 1 || len(s.Problems) != 0 {
				t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
			}
			r := s.Reports[0]
			if r.Matter[0] != (diag.MatterID{Fabric: c.fabric, Node: 18446744073709551615}) || r.Available != diag.Some(false) {
				t.Errorf("%+v available %v", r.Matter, r.Available)
			}
			// 64-bit numbers, exact: the nearest floats are …616, …108160 and …
			if r.Network.ExtPANID != 16045481867444538110 || r.Neighbors[0].ExtAddr != 18446744073709551557 {
				t.Errorf("rounded: %d, %d", uint64(r.Network.ExtPANID), uint64(r.Neighbors[0].ExtAddr))
			}
			if n := r.Neighbors[0]; n.AverageRSSI.Known() || n.LastRSSI != diag.Some(int8(-64)) || n.RLOC16 != diag.MakeRLOC16(0) || n.Age.Known() {
				t.Errorf("row %+v", n)
			}
		})
	}
}

// Networks are not mixed: a session is one Thread network, and a node without
// one is in none.
func TestSessionIsOneNetwork(t *testing.T) {
	s, err := Read("n.json", []byte(`[{"node_id":1,"attributes":{"0/53/4":1}},{"node_id":2,"attributes":{"0/53/4":2}},{"node_id":3,"attributes":{"0/53/4":1}},{"node_id":4,"attributes":{"0/53/4":null}}]`), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	r := s.Reports
	if r[0].Session == "" || r[0].Session == r[1].Session || r[0].Session != r[2].Session || r[3].Session != "" {
		t.Errorf("sessions %q %q %q %q", r[0].Session, r[1].Session, r[2].Session, r[3].Session)
	}
}

func TestEventsReplace(t *testing.T) {
	s := read(t, "matter-events.jsonl")
	if len(s.Reports) != 13 || s.Reports[0].Matter[0] != (diag.MatterID{Node: 30}) {
		t.Fatalf("%d reports, first %+v", len(s.Reports), s.Reports[0].Matter)
	}
	s, err := Read("e.jsonl", []byte(`
{"event":"attribute_updated","data":[7,"0/53/64",1024]}
{"event":"attribute_updated","data":[7,"0/53/64",2048]}
{"event":"attribute_updated","data":[8,"0/53/64",4096]}
{"event":"node_removed","data":8}
{"event":"attribute_upda`), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Reports) != 1 || s.Reports[0].RLOC16 != diag.MakeRLOC16(2048) {
		t.Errorf("%+v", s.Reports)
	}
	if len(s.Problems) != 1 || !strings.Contains(s.Problems[0].Text, "line 5") {
		t.Errorf("%v", s.Problems)
	}
}

func TestBorderRouters(t *testing.T) {
	s := read(t, "matter-get_thread_border_routers.json")
	if len(s.Reports) != 2 {
		t.Fatalf("%d reports", len(s.Reports))
	}
	r := s.Reports[0]
	agent, _ := r.BorderAgent.Get()
	same(t, "border router", []string{
		who(r), fmt.Sprint(r.Hosts, r.Addresses), fmt.Sprintln(r.Vendor, r.Product, r.ThreadVersion, r.BorderRouter),
		fmt.Sprintln(r.Network.ExtPANID, r.Network.Name, r.Network.ActiveTimestamp, r.Leader.PartitionID, agent.StateBitmap, agent.Endpoints), r.At.Format(time.RFC3339Nano),
	}, []string{
		"? da5083b64f28dfa0(2)", "[labbr1] [fd11:2233:4455::1 fe80::4419:e6ff:fe21:16d3]", "Lab VirtualBR 4 true\n",
		"dead00beef00cafe threadmap-lab 65536 727675337 1457 [[fd11:2233:4455::1]:49152 [fe80::4419:e6ff:fe21:16d3]:49152]\n", "2026-11-22T13:29:19.362Z",
	})
}

func TestAttributesAlone(t *testing.T) {
	s := read(t, "matter-read_attribute_wild.json")
	if len(s.Reports) != 1 || len(s.Reports[0].Matter) != 0 || who(s.Reports[0]) != "0x2c00 3ee99ced0cdb5c0d(4) leader" {
		t.Errorf("%+v", s.Reports)
	}
	if _, err := Read("a.json", []byte(`{"1/6/0":true}`), time.Time{}); err == nil || !strings.Contains(err.Error(), "none about Thread") {
		t.Errorf("%v", err)
	}
}

// A damaged node costs itself, a damaged value costs that value.
func TestDamagedNodes(t *testing.T) {
	s, err := Read("n.json", []byte(`{"result":[
		{"node_id":"x","attributes":{}},
		{"node_id":1,"attributes":{"0/53/64":"oops","0/53/3":4660,"0/51/0":[{"4":"!!","7":4}]}},
		{"node_id":2,"attributes":{"0/53/64":70000,"0/53/0":1e3,"0/40/5":"**REDACTED**"}}]}`), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Reports) != 2 || s.Reports[0].RLOC16.Known() || s.Reports[0].Network.PANID != diag.Some(uint16(4660)) || len(s.Reports[1].Names) != 0 {
		t.Errorf("%+v", s.Reports)
	}
	same(t, "problems", problems(s), []string{
		"a node without a node_id that is a number: skipped",
		"node 1: 0/51/0 NetworkInterfaces row 1: HardwareAddress of a Thread interface is not 8 octets: left out",
		"node 1: 0/53/64 Rloc16 is no number of 0..65535: left out",
		"node 2: 0/53/0 Channel is no number of 0..255: left out",
		"node 2: 0/53/64 Rloc16 is no number of 0..65535: left out",
	})
}
