package dump

import (
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// Rows of "meshdiag childtable" had no "conn-time" before 2024: what follows
// shows that they are whole. One at the end of the text may have lost digits.
func TestMeshdiagRowsWithoutConnectionTime(t *testing.T) {
	const rows = `> meshdiag childtable 0x6400
rloc16:0x6402 ext-addr:0e00000000000002 ver:4
    timeout:120 age:36 supvn:129 q-msg:0
    rx-on:yes type:ftd full-net:yes
    rss - ave:-20 last:-20 margin:80
    err-rate - frame:11.51% msg:0.76%
    csl - sync:no period:0 timeout:0 channel:0
rloc16:0x6403 ext-addr:0e00000000000003 ver:4
    timeout:240 age:19 supvn:129 q-msg:0
    rx-on:no type:mtd full-net:no
    rss - ave:-60 last:-61 margin:40
    err-rate - frame:0.73% msg:0.00%
    csl - sync:no period:0 timeout:0 channel:0
`
	want := []string{
		"0x6402 [0e00000000000002] rdn v4 in ? rssi -20/-20 age 36s",
		"0x6403 [0e00000000000003] - v4 in ? rssi -60/-61 age 19s",
	}
	for name, end := range map[string]string{"Done": "Done\n", "fence": "```\n"} {
		s := paste(t, rows+end)
		if len(s.Reports) != 1 || len(s.Problems) != 0 || s.Reports[0].RLOC16 != diag.RouterRLOC16(25) {
			t.Fatalf("%s: %d reports, %v", name, len(s.Reports), s.Problems)
		}
		same(t, name, neighbors(s.Reports[0].Children), want)
	}
	s := paste(t, rows)
	same(t, "cut off", neighbors(s.Reports[0].Children), want[:1])
	if p := problems(s); len(p) != 1 || !strings.HasPrefix(p[0], "line 8: row of a \"meshdiag\" table is cut off") {
		t.Errorf("problems %v", p)
	}
}

// Until 2022 the values of "networkdiagnostic get" stood between quotes, of
// which the second one could be missing.
func TestNetworkDiagnosticWithQuotes(t *testing.T) {
	for _, end := range []string{"'", ""} {
		s := paste(t, "> networkdiagnostic get ff02::1 0 1\n> DIAG_GET.rsp/ans: 00080e01\nExt Address: '0e01020304050607"+end+"\nRloc16: 0x0c00\nDone\nDIAG_GET.rsp/ans: 0008\nExt Address: '0e01020304050608"+end+"\nRloc16: 0x1800\nDone\n")
		var got []string
		for _, r := range s.Reports {
			got = append(got, who(r))
		}
		same(t, "nodes", got, []string{"0x0c00 0e01020304050607(1)", "0x1800 0e01020304050608(1)"})
	}
}

// Addresses of "childip" go to the rows of the child table, and stand alone
// where there is none.
func TestChildIP(t *testing.T) {
	const ip = "> childip\n3401: fdde:ad00:beef:0:3037:3e03:8c5f:bc0c\n3401: fd00:db8::1\n3403: fd00:db8::3\nDone\n"
	table := "> child table\n" +
		"| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|S|D|VER| Extended MAC     |\n" +
		"+-----+--------+------------+------------+-------+------+-+-+-+---+------------------+\n" +
		"|   1 | 0x3401 |        240 |         44 |     3 |  237 |0|1|0|  2| 0e00000000000001 |\nDone\n"
	for name, text := range map[string]string{"table first": table + ip, "addresses first": ip + table} {
		s := paste(t, text)
		if len(s.Reports) != 1 || len(s.Reports[0].Children) != 2 {
			t.Fatalf("%s: %+v", name, s.Reports)
		}
		for _, n := range s.Reports[0].Children {
			if n.ExtAddr == 1<<57*7+1 && (len(n.Addresses) != 2 || n.ThreadVersion != diag.Some(uint16(2)) || n.Mode.Known()) {
				t.Errorf("%s: %+v", name, n)
			}
			if n.ExtAddr == 0 && (len(n.Addresses) != 1 || n.RLOC16 != diag.RouterRLOC16(13).Child(3)) {
				t.Errorf("%s: %+v", name, n)
			}
		}
	}
	if s := paste(t, ip); len(s.Reports[0].Children) != 2 || !s.Reports[0].ChildrenPartial {
		t.Errorf("%+v", s.Reports)
	}
	if s := paste(t, "> rloc16\n5000\nDone\n"+ip); len(s.Reports) != 2 || s.Reports[0].Children != nil {
		t.Errorf("another's children: %+v", s.Reports)
	}
	if _, err := Read("x", []byte("> childip\n5c00: fd00::1\nDone\n"), time.Time{}); err == nil {
		t.Error("a router is nobody's child")
	}
}

// What "child 1" and "child 0x3402" say are rows of the child table, which has
// more of them for all that is known: nobody else is said not to be a child.
func TestChild(t *testing.T) {
	one := func(id, rloc, ext string) string {
		return "> child " + id + "\nChild ID: 1\nRloc: " + rloc + "\nExt Addr: " + ext + "\nMode: rn\nCSL Synchronized: 1\nNet Data: 184\nTimeout: 100\nAge: 7\nLink Quality In: 3\nRSSI: -20\nDone\n"
	}
	const table = "> child table\n| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|D|N|Ver|CSL|QMsgCnt|Suprvsn| Extended MAC     |\n" +
		"|   1 | 0x3401 |        240 |         23 |     3 |   51 |1|0|1|  3| 0 |     0 |   129 | 0e00000000000001 |\nDone\n"
	s := paste(t, one("1", "3401", "0e00000000000001")+one("3402", "3402", "0e00000000000002"))
	if len(s.Reports) != 1 || len(s.Reports[0].Children) != 2 || !s.Reports[0].ChildrenPartial {
		t.Fatalf("%+v", s.Reports)
	}
	for _, n := range s.Reports[0].Children {
		if n.RLOC16.Router() != diag.RouterRLOC16(13) || n.ExtAddr == 0 || n.Mode != diag.Some(diag.Mode{RxOnWhenIdle: true, FullNetworkData: true}) || n.CSLSynchronized != diag.Some(true) ||
			n.Timeout != diag.Some(100*time.Second) || n.Age != diag.Some(7*time.Second) || n.LinkQualityIn != diag.Some(uint8(3)) || n.AverageRSSI != diag.Some(int8(-20)) {
			t.Errorf("%+v", n)
		}
	}
	if s := paste(t, table+one("1", "3401", "0e00000000000001")); len(s.Reports) != 1 || len(s.Reports[0].Children) != 1 || s.Reports[0].ChildrenPartial {
		t.Errorf("beside its table: %+v", s.Reports)
	}
	if s := paste(t, "> rloc16\n3400\nDone\n> child 0\nError 7: InvalidArgs\n> child 9\nError 23: NotFound\n"); len(s.Reports) != 1 || s.Reports[0].Children != nil {
		t.Errorf("no child: %+v", s.Reports)
	}
}

// A transcript goes on in time: where its speaker shows its tables once more,
// those above are from before, and no second opinion.
func TestSpeakerLaterInTheTranscript(t *testing.T) {
	const children = "> child table\n| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|D|N|Ver|CSL|QMsgCnt|Suprvsn| Extended MAC     |\n"
	const routers = "Done\n> router table\n| ID | RLOC16 | Next Hop | Path Cost | LQ In | LQ Out | Age | Extended MAC     | Link |\n" +
		"| 44 | 0xb000 |       63 |         0 |     0 |      0 |   0 | 0e00000000000001 |    0 |\n"
	text := children + "|   1 | 0xb001 |        240 |         23 |     3 |   51 |1|1|1|  3| 0 |     0 |   129 | 0e00000000000002 |\n" + routers + "Done\n...\n" +
		children + routers + "| 45 | 0xb400 |       63 |         0 |     3 |      3 |   5 | 0e00000000000002 |    1 |\nDone\n"
	at := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	s, err := Read("x", []byte(text), at)
	if err != nil || len(s.Reports) != 2 {
		t.Fatal(err, s)
	}
	if !s.Reports[0].At.IsZero() || s.Reports[1].At != at {
		t.Errorf("at %v and %v", s.Reports[0].At, s.Reports[1].At)
	}
}

// The last router table of a log counts; one at the end of the text may lack
// rows.
func TestRouterTableInALog(t *testing.T) {
	const log = `Mar 14 08:20:40 box otbr-agent[152]: 00:01:20.464 [I] RouterTable---:     26 0x6800 - neigh{lq[i/o]:1/1 cost:4} - nexthop{54 cost:2}
Mar 14 08:20:41 box otbr-agent[152]: 00:01:25.464 [I] RouterTable---: Route table
Mar 14 08:20:41 box otbr-agent[152]: 00:01:25.464 [I] RouterTable---:     26 0x6800 - neigh{lq[i/o]:1/1 cost:4} - nexthop{54 cost:2}
Mar 14 08:20:41 box otbr-agent[152]: 00:01:25.464 [I] RouterTable---:     41 0xa400 - me - leader
Mar 14 08:20:41 box otbr-agent[152]: 00:01:26.000 [I] Mle-----------: Send Advertisement
00:02:25.464 [I] RouterTable---: Route table
00:02:25.464 [I] RouterTable---:      0 0x0000 - neigh{lq[i/o]:3/2 cost:2} - nexthop{34 cost:2}
00:02:25.464 [I] RouterTable---:     34 0x8800 - nexthop{0 cost:2} - leader
00:02:25.464 [I] RouterTable---:     41 0xa400 - me
`
	want := []string{
		"0 [0000000000000000] via 34 cost ? in 3 out 2 age ? link true",
		"34 [0000000000000000] via 0 cost ? in 0 out 0 age ? link false",
		"41 [0000000000000000] via 63 cost 0 in 0 out 0 age ? link false",
	}
	for name, end := range map[string]string{"followed": "00:02:26.000 [I] Mle-----------: Send Advertisement\n", "at the end": ""} {
		s := paste(t, log+end)
		if len(s.Reports) != 1 || len(s.Problems) != 0 {
			t.Fatalf("%s: %d reports, %v", name, len(s.Reports), s.Problems)
		}
		r := s.Reports[0]
		got := routes(r.Routes)
		for i := range got {
			got[i] = strings.Replace(got[i], "[]", "[0000000000000000]", 1)
		}
		same(t, name, got, want)
		if who(r) != "0xa400 router" || r.Leader.RouterID != diag.Some(uint8(34)) || r.RoutesPartial != (end == "") {
			t.Errorf("%s: %s, leader %v, partial %v", name, who(r), r.Leader.RouterID, r.RoutesPartial)
		}
	}
}

// Tables of the Matter server that somebody took out of what stood around them.
func TestTablesOfAMatterNodeAlone(t *testing.T) {
	const (
		neighborTable = `[{"0":11725231772454298384,"1":20,"2":1024,"3":12488,"4":2055,"5":3,"6":-96,"7":-95,"8":0,"9":0,"10":true,"11":true,"12":true,"13":false},{"0":1008806316530991105,"1":22,"2":2049,"3":7169,"4":2040,"5":2,"6":null,"7":-65,"8":0,"9":0,"10":false,"11":false,"12":false,"13":true}]`
		routeTable    = `[{"0":11725231772454298384,"1":1024,"2":1,"3":63,"4":0,"5":3,"6":2,"7":20,"8":true,"9":true}]`
	)
	wantNeighbors := []string{"0x0400 [a2b8642c92432310] rdn v? in 3 rssi -96/-95 age 20s"}
	s := paste(t, neighborTable)
	if len(s.Reports) != 1 || len(s.Reports[0].Children) != 1 {
		t.Fatalf("%+v", s.Reports)
	}
	same(t, "neighbors", neighbors(s.Reports[0].Neighbors), wantNeighbors)

	s = paste(t, "Node 3\n==\n```\n"+neighborTable+"\n```\n```\n"+routeTable+"\n```\nand node 4:\n"+routeTable+"\n"+routeTable[:60]+"\n")
	if len(s.Reports) != 2 || s.Reports[0].Session == s.Reports[1].Session || len(s.Reports[1].Neighbors) != 0 {
		t.Fatalf("%+v", s.Reports)
	}
	same(t, "neighbors", neighbors(s.Reports[0].Neighbors), wantNeighbors)
	same(t, "routes", routes(s.Reports[0].Routes), []string{"1 [a2b8642c92432310] via 63 cost 0 in 3 out 2 age 20s link true"})
	same(t, "problems", problems(s), []string{"line 11: table is cut off: skipped"})

	for _, other := range []string{`[{"0":1,"1":2}]`, `[{"x":1,"0":1,"2":3,"5":3,"13":false}]`, `[1]`} {
		if _, err := Read("x", []byte(other), time.Time{}); err == nil {
			t.Errorf("%s was read", other)
		}
	}
}

// Guides show a value of one node and a table of the next without a word
// between: a router has no link to itself, and a child no children.
func TestTableOfTheNextNode(t *testing.T) {
	const table = "> router table\n| ID | RLOC16 | Next Hop | Path Cost | LQ In  | LQ Out  | Age | Extended MAC   |\n" +
		"| 20 | 0x5000 |       63 |         0 |      0 |     0 |   0 | 0e00000000000001 |\n" +
		"| 22 | 0x5800 |       63 |         0 |      3 |     3 |  23 | 0e00000000000002 |\nDone\n"
	s := paste(t, "> rloc16\n5800\nDone\n"+table)
	if len(s.Reports) != 2 || s.Reports[0].Routes != nil || s.Reports[1].RLOC16.Known() || len(s.Reports[1].Routes) != 2 {
		t.Errorf("%+v", s.Reports)
	}
	s = paste(t, "> rloc16\n5000\nDone\n"+table)
	if len(s.Reports) != 1 || len(s.Reports[0].Routes) != 2 || s.Reports[0].RLOC16 != diag.RouterRLOC16(20) {
		t.Errorf("%+v", s.Reports)
	}
	const children = "> child table\n| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|D|N| Extended MAC     |\n" +
		"|   1 | 0x0c01 |        240 |         25 |     3 |   89 |1|1|1| 0e00000000000003 |\nDone\n"
	for _, who := range []string{"> rloc16\n0c01\nDone\n", "> extaddr\n0e00000000000003\nDone\n> state\nchild\nDone\n"} {
		s = paste(t, who+children)
		if len(s.Reports) != 2 || s.Reports[0].Children != nil || s.Reports[1].RLOC16.Known() || s.Reports[1].Own != nil || len(s.Reports[1].Children) != 1 {
			t.Errorf("%q: %+v", who, s.Reports)
		}
	}
}
