package topology_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/diag/dump"
	"threadmap/topology"
)

// mapOf draws the map of files of other tools, as "threadmap render" does. The
// files and where they come from: diag/dump/testdata/README.md.
func mapOf(t *testing.T, files ...string) *topology.Map {
	t.Helper()
	var scans []*diag.Scan
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join("../diag/dump/testdata", f))
		if err != nil {
			t.Fatal(err)
		}
		s, err := dump.Read(f, b, at)
		if err != nil {
			t.Fatal(err)
		}
		scans = append(scans, s)
	}
	return topology.Build(diag.Merge(scans...).Reports)
}

// short names a node by its RLOC16, which is how the ground truths do.
func short(n *topology.Node) string {
	if n.RLOC16.Known() {
		return strings.TrimPrefix(n.RLOC16.String(), "0x")
	}
	return n.ID
}

// nodesOf lists the nodes: "5c02 end-device<5c00".
func nodesOf(m *topology.Map) []string {
	var out []string
	for _, n := range m.Nodes {
		s := short(n) + " " + string(n.Role)
		if n.Parent != nil {
			s += "<" + short(n.Parent)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// linksOf lists the links that live, as "5c00-6800 3/2": what 6800 receives of
// 5c00, then the reverse.
func linksOf(m *topology.Map) []string {
	var out []string
	for _, l := range m.Links {
		a, b, ab, ba := short(l.A), short(l.B), l.AToB, l.BToA
		if a > b {
			a, b, ab, ba = b, a, ba, ab
		}
		s := fmt.Sprintf("%s-%s %v/%v", a, b, ab.LQ, ba.LQ)
		if l.State != topology.LinkOK {
			s += " " + string(l.State)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func equalLists(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// The lab mesh that the OpenThread captures were taken on: a border router, five
// more routers, two sleepy children, a full child. Its radio graph, set by the
// experiment: 1-2, 2-3, 4-5 and 4-6 perfect, 1-3 3 at node 3 and 2 at node 1, 3-4
// 2 at node 4 and 1 at node 3, 5-6 1 at node 6 and 2 at node 5.
var (
	labNodes = []string{
		"6800 router", "5c00 leader", "4000 router", "c000 router", "8400 router", "5800 router",
		"8401 sleepy-end-device<8400", "5801 sleepy-end-device<5800", "5c02 end-device<5c00",
	}
	labRouterLinks = []string{
		"5c00-6800 3/3", "4000-6800 2/3", "4000-5c00 3/3", "4000-c000 2/1", "8400-c000 3/3", "5800-c000 3/3", "5800-8400 2/1",
	}
)

func TestMapOfOpenThreadCLI(t *testing.T) {
	m := mapOf(t, "ot-ctl-diag.txt")
	equalLists(t, "nodes", nodesOf(m), slices.Clone(labNodes))
	equalLists(t, "links", linksOf(m), append(slices.Clone(labRouterLinks), "8400-8401 ?/3", "5800-5801 ?/3", "5c00-5c02 ?/3"))
	for _, n := range m.Nodes {
		if n.BorderRouter.Or(false) != (short(n) == "6800") {
			t.Errorf("%s: border router is %v", n.ID, n.BorderRouter)
		}
	}
}

func TestMapOfOTBR2025(t *testing.T) {
	m := mapOf(t, "otbr-2025-diagnostics.txt", "otbr-2025-node.txt")
	want := slices.Clone(labNodes)
	links := append(slices.Clone(labRouterLinks), "8400-8401 ?/?", "5800-5801 ?/?", "5c00-5c02 ?/?")
	for id := 3; id <= 22; id++ { // twenty rx-on minimal children under 0xc000
		want = append(want, fmt.Sprintf("c0%02x end-device<c000", id))
		links = append(links, fmt.Sprintf("c000-c0%02x ?/?", id))
	}
	equalLists(t, "nodes", nodesOf(m), want)
	equalLists(t, "links", linksOf(m), links)
	n := m.Networks[0]
	if len(m.Networks) != 1 || n.ID != "dead00beef00cafe" || n.Name != "ThreadMapLab" || n.Partitions[0].ID.Or(0) != 97983411 {
		t.Errorf("network is %+v", n)
	}
}

// The two files are of one home at two times: same border router, other
// routers, another partition.
func TestMapOfESPBorderRouter(t *testing.T) {
	m := mapOf(t, "esp-diagnostics.json")
	equalLists(t, "nodes", nodesOf(m), []string{"4400 leader", "1c00 router", "9800 router"})
	equalLists(t, "links", linksOf(m), []string{"1c00-4400 3/3", "4400-9800 3/3", "1c00-9800 3/3"})
	m = mapOf(t, "esp-topology.json")
	equalLists(t, "nodes", nodesOf(m), []string{"4400 leader", "0800 router", "3000 router"})
	equalLists(t, "links", linksOf(m), []string{"0800-4400 3/3", "3000-4400 3/3", "0800-3000 3/3"})
	for _, n := range m.Nodes {
		if n.BorderRouter.Or(false) != (n.ExtAddr == 0x7a64fd2b41e75415) {
			t.Errorf("%s: border router is %v", n.ID, n.BorderRouter)
		}
	}
}

// The mesh has exactly seven routers: six rows, and the one that was asked,
// whose own row is cut off.
func TestMapOfGhostRoutersThread(t *testing.T) {
	m := mapOf(t, "addons-4671-router-table.txt")
	if len(m.Nodes) != 7 || len(m.Links) != 6 {
		t.Errorf("%d nodes and %d links, want 7 and 6: %q", len(m.Nodes), len(m.Links), nodesOf(m))
	}
	for _, n := range m.Nodes {
		if n.ExtAddr == 0x7a1049db30a25604 || n.ExtAddr == 0x86c42aee25485123 {
			t.Errorf("ghost %s is shown", n.ID)
		}
	}
}

func TestMapOfTwoESPBorderRouters(t *testing.T) {
	m := mapOf(t, "esp-two-border-routers.md")
	equalLists(t, "nodes", nodesOf(m), []string{"5000 router", "3400 router", "6800 router", "7800 router", "e800 router"})
	equalLists(t, "links", linksOf(m), []string{"3400-5000 3/3", "5000-6800 3/3", "5000-7800 3/3", "5000-e800 3/3"})
}

// Sixteen routers of the list and one that only the table has; 0x0000 is one.
func TestMapOfOldNeighborTable(t *testing.T) {
	m := mapOf(t, "openthread-3094-neighbor-table.txt")
	var routers []string
	for _, n := range m.Nodes {
		if n.RLOC16.Known() {
			routers = append(routers, short(n)+" "+string(n.Role))
		}
	}
	slices.Sort(routers)
	var want []string
	for _, r := range strings.Fields("0000 1000 1400 3000 3800 3c00 4400 5800 6c00 7800 8400 a800 b000 b400 b800 cc00 ec00") {
		want = append(want, r+" router")
	}
	equalLists(t, "routers", routers, want)
}

// One device that came back with another RLOC16 is one device; child & 0xfc00 is
// the router that was asked.
func TestMapOfReattachedChild(t *testing.T) {
	m := mapOf(t, "openthread-8726-extaddr-state-neighbor-table.txt")
	equalLists(t, "nodes", nodesOf(m), []string{"9800 router", "9802 end-device<9800", "9803 end-device<9800", "ac00 router", "cc00 router"})
	equalLists(t, "links", linksOf(m), []string{"9800-9802 ?/?", "9800-9803 ?/?", "9800-ac00 ?/?", "9800-cc00 ?/?"})
	if n := find(t, m, "12347fa3f8d49383"); short(n) != "9803" {
		t.Errorf("RLOC16 is %v", n.RLOC16)
	}
}

func TestMapOfSRPHosts(t *testing.T) {
	m := mapOf(t, "otbr-2074-srp-server-host.txt")
	if len(m.Nodes) != 7 || len(m.Links) != 0 {
		t.Errorf("%d hosts and %d links, want 7 and 0", len(m.Nodes), len(m.Links))
	}
	for _, n := range m.Nodes {
		if len(n.Addresses) != 1 || len(n.Hosts) != 1 || n.Parent != nil {
			t.Errorf("%s: %v %v, parent %v", n.ID, n.Hosts, n.Addresses, n.Parent)
		}
	}
}

// Fourteen virtual nodes as Home Assistant's Matter server gave them, and a
// border router that is known to their tables and to the list of border
// routers only. The graph is that of the nodes' tables: 29 links.
func TestMapOfMatterServer(t *testing.T) {
	m := mapOf(t, "matter-get_nodes.json", "matter-get_thread_border_routers.json")
	equalLists(t, "nodes", nodesOf(m), []string{
		"2c00 leader", "0000 router", "2400 router", "dc00 router", "a000 router", "7800 router", "5000 router",
		"000a sleepy-end-device<0000", "000b end-device<0000", "000c sleepy-end-device<0000", "000d sleepy-end-device<0000",
		"7805 sleepy-end-device<7800", "7806 reed<7800", "5002 sleepy-end-device<5000", "2403 sleepy-end-device<2400",
	})
	equalLists(t, "links", linksOf(m), []string{
		"0000-2c00 1/1", "2400-2c00 2/3", "2c00-dc00 2/3", "2c00-a000 2/2", "2c00-7800 1/1", "2c00-5000 1/2",
		"0000-2400 3/3", "0000-dc00 1/2", "0000-a000 2/3", "0000-7800 3/3", "0000-5000 1/2",
		"2400-dc00 1/2", "2400-a000 3/2", "2400-7800 2/3", "2400-5000 1/1",
		"a000-dc00 2/2", "7800-dc00 1/1", "5000-dc00 2/1", "7800-a000 2/3", "5000-a000 3/3", "5000-7800 1/1",
		"0000-000a 3/3", "0000-000b 2/3", "0000-000c 2/1", "0000-000d 3/2", "7800-7805 2/3", "7800-7806 2/1", "5000-5002 3/?", "2400-2403 2/3",
	})
	borders := 0
	for _, n := range m.Nodes {
		if n.BorderRouter.Or(false) {
			borders++
		}
		if n.Parent != nil && n.Parent.ExtAddr != 0x62ff7c2d40eb967e && n.ParentConfidence != topology.Confirmed {
			t.Errorf("%s: parent is %s, both ends said so", n.ID, n.ParentConfidence)
		}
	}
	if n := find(t, m, "62ff7c2d40eb967e"); borders != 2 || n.State == topology.NodeGhost || short(n) != "5000" {
		t.Errorf("%d border routers; the one outside the fabric is %v, %s", borders, n.RLOC16, n.State)
	}
}

// The newest REST: all 29 nodes have their extended addresses; the diagnostics
// of two routers were saved, and give their children's places.
func TestMapOfOTBR2026(t *testing.T) {
	dir := "../../otbr/testdata/" // as mapOf sees it
	m := mapOf(t, dir+"2026-node.json", dir+"2026-api-devices.json", dir+"2026-api-diagnostics.json")
	under := map[string]int{}
	for _, n := range m.Nodes {
		if n.ExtAddr == 0 {
			t.Errorf("%s has no extended address", n.ID)
		}
		if n.Parent != nil {
			under[short(n.Parent)]++
		}
	}
	if len(m.Nodes) != 29 || len(m.Networks) != 1 || under["c000"] != 20 || under["5c00"] != 1 {
		t.Errorf("%d nodes in %d networks, children %v: want 29 in 1, 20 under c000 and 1 under 5c00", len(m.Nodes), len(m.Networks), under)
	}
}

// A list that breaks off does not say who kept silent: whom it lacks may have stood
// in the part that is missing. The whole list does.
func TestCutListCallsNobodySilent(t *testing.T) {
	const list = "> meshdiag topology\n" +
		"id:26 rloc16:0x6800 ext-addr:0e01010101010101 ver:5 - me - br\n    3-links:{ 23 16 }\n" +
		"id:16 rloc16:0x4000 ext-addr:0e03030303030303 ver:5\n    3-links:{ 23 26 }\n"
	for text, want := range map[string]topology.NodeState{list: topology.NodeOK, list + "Done\n": topology.NodeSilent} {
		scan, err := dump.Read("paste.txt", []byte(text), at)
		if err != nil {
			t.Fatal(err)
		}
		m := topology.Build(scan.Reports)
		i := slices.IndexFunc(m.Nodes, func(n *topology.Node) bool { return n.RLOC16 == diag.MakeRLOC16(0x5c00) })
		if i < 0 || m.Nodes[i].State != want || len(m.Nodes) != 3 || len(m.Links) != 3 {
			t.Errorf("ends %q: node %v, %d nodes, %d links, want state %v", text[len(text)-8:], i, len(m.Nodes), len(m.Links), want)
		} else if want == topology.NodeOK && strings.Contains(m.Nodes[i].Why, "answer") {
			t.Errorf("said of a list that breaks off: %s", m.Nodes[i].Why)
		}
	}
}

// A text that has the list of a mesh twice, as of before and after, is drawn as of
// after: links that are gone or have changed are not mixed into it.
func TestSecondListOfATextIsTheNewer(t *testing.T) {
	const before = "id:15 rloc16:0x3c00 ext-addr:e2f7ef32aa9ac474 ver:4 - me - leader - br\n    2-links:{ 03 }\n    1-links:{ 40 }\n    children: none\n" +
		"id:03 rloc16:0x0c00 ext-addr:e614bc0b176d9c88 ver:5\n    3-links:{ 15 }\n    children:\n        rloc16:0x0c02 lq:3, mode:-\n" +
		"id:40 rloc16:0xa000 ext-addr:22c965736909f1eb\n    2-links:{ 15 03 }\n    children: none\n"
	const after = "id:40 rloc16:0xa000 ext-addr:22c965736909f1eb\n    3-links:{ 03 }\n    children:\n        rloc16:0xa001 lq:2, mode:-\n" +
		"id:15 rloc16:0x3c00 ext-addr:e2f7ef32aa9ac474 ver:4 - me - leader - br\n    3-links:{ 03 }\n    children: none\n" +
		"id:03 rloc16:0x0c00 ext-addr:e614bc0b176d9c88 ver:5\n    3-links:{ 40 }\n    1-links:{ 15 }\n    children: none\n"
	links := func(text string) []string {
		scan, err := dump.Read("paste.md", []byte(text), at)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, l := range linksOf(topology.Build(scan.Reports)) {
			if !strings.Contains(l, "stale") {
				out = append(out, l)
			}
		}
		return out
	}
	equalLists(t, "links", links("# Before\n```\n"+before+"```\n# After\n```\n"+after+"```\n"), links(after))
	equalLists(t, "links", links(after+"Done\n\n> meshdiag topology children\n"+before+"Done\n"), links(before+"Done\n"))
}

// So is a transcript in which a border router was asked the same thing twice.
func TestSecondAnswerOfATranscriptIsTheNewer(t *testing.T) {
	answer := func(lq int) string {
		return fmt.Sprintf("$ curl http://otbr.local:8081/diagnostics\n"+
			`[{"ExtAddress":"0e01010101010101","Rloc16":1024,"Route":{"IdSequence":1,"RouteData":[{"RouteId":1,"LinkQualityOut":0,"LinkQualityIn":0,"RouteCost":1},{"RouteId":2,"LinkQualityOut":%[1]d,"LinkQualityIn":%[1]d,"RouteCost":1}]}},`+
			`{"ExtAddress":"0e02020202020202","Rloc16":2048,"Route":{"IdSequence":1,"RouteData":[{"RouteId":1,"LinkQualityOut":%[1]d,"LinkQualityIn":%[1]d,"RouteCost":1},{"RouteId":2,"LinkQualityOut":0,"LinkQualityIn":0,"RouteCost":1}]}}]`+"\n", lq)
	}
	for _, last := range []int{1, 2, 3} {
		scan, err := dump.Read("curl.txt", []byte(answer(4-last)+"\n"+answer(2)+"\n"+answer(last)), at)
		if err != nil {
			t.Fatal(err)
		}
		equalLists(t, "links", linksOf(topology.Build(scan.Reports)), []string{fmt.Sprintf("0400-0800 %d/%d", last, last)})
	}
}

// And so is a text with two router tables of one node.
func TestSecondRouterTableIsTheNewer(t *testing.T) {
	const head = "> router table\n| ID | RLOC16 | Next Hop | Path Cost | LQ In | LQ Out | Age | Extended MAC     | Link |\n" +
		"| 20 | 0x5000 |       63 |         0 |     0 |      0 |   0 | 96da92ea13534f3b |    0 |\n"
	const both = "| 22 | 0x5800 |       63 |         0 |     3 |      3 |   1 | 5a4eb647eb6bc66c |    1 |\n" +
		"| 30 | 0x7800 |       63 |         0 |     3 |      3 |   1 | d6e6efc170a1e0e7 |    1 |\nDone\n"
	const one = "| 22 | 0x5800 |       63 |         0 |     1 |      2 |  25 | 5a4eb647eb6bc66c |    1 |\nDone\n"
	scan, err := dump.Read("paste.txt", []byte(head+both+head+one), at)
	if err != nil {
		t.Fatal(err)
	}
	m := topology.Build(scan.Reports)
	for _, l := range linksOf(m) {
		if l != "5000-5800 2/1" && !strings.HasSuffix(l, string(topology.LinkStale)) && !strings.HasSuffix(l, string(topology.LinkDead)) {
			t.Errorf("link %s", l)
		}
	}
	if !slices.Contains(linksOf(m), "5000-5800 2/1") {
		t.Errorf("links %q", linksOf(m))
	}
}
