package dump

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

func TestMeshdiagOnAChild(t *testing.T) {
	s := paste(t, `> meshdiag topology children
id:02 rloc16:0x0800 ext-addr:8aa57d2c603fe16c ver:4 - parent - leader
    3-links:{ 46 }
    children:
        rloc16:0x0801 lq:0, mode:n - me
        rloc16:0x0802 lq:2, mode:rn - br
        rloc16:0x08
id:46 rloc16:0xb800 ext-addr:fe109d277e0175cc ver:4
    1-links:{ 02
Done
`)
	var got []string
	for _, r := range s.Reports {
		got = append(got, fmt.Sprintf("%s routes %d children %v neighbors %v", who(r), len(r.Routes), neighbors(r.Children), neighbors(r.Neighbors)))
	}
	same(t, "reports", got, []string{
		"0x0800 8aa57d2c603fe16c(1) leader routes 1 children [0x0801 [] n v? in ? rssi ?/? age ? 0x0802 [] rn v? in 2 rssi ?/? age ?] neighbors []",
		"0xb800 fe109d277e0175cc(1) router routes 0 children [] neighbors []",
		"0x0801 routes 0 children [] neighbors [0x0800 [8aa57d2c603fe16c] ? v? in ? rssi ?/? age ?]",
	})
	same(t, "problems", problems(s), []string{
		`line 7: child of "meshdiag topology" is cut off: skipped`, "line 9: list of links is cut off: skipped",
	})
}

// Lines that a later version may have do not cost those behind them, and older stacks
// have no version; a text that breaks off is known as such.
func TestMeshdiagOfOtherVersions(t *testing.T) {
	s := paste(t, `  id:18 rloc16:0x4800 ext-addr:1ee48d4c6ec80cd3
      vendor-name: Nanoleaf
      2-links:{ 03 15 }
      children:
          rloc16:0x4801 lq:3, mode:-
  id:03 rloc16:0x0c00 ext-addr:e614bc0b176d9c88 ver:5 - leader - another
      3-links:{ 18 }
  > state
  router
  Done
`)
	var got []string
	for _, r := range s.Reports {
		got = append(got, fmt.Sprintf("%s version %v routes %d children %d cut %v", who(r), r.ThreadVersion, len(r.Routes), len(r.Children), r.Cut))
	}
	same(t, "reports", got, []string{
		"0x4800 1ee48d4c6ec80cd3(1) router version ? routes 2 children 1 cut false",
		"0x0c00 e614bc0b176d9c88(1) leader version 5 routes 1 children 0 cut true",
		"? router version ? routes 0 children 0 cut false",
	})
}

// An answer that came without its command is not put down to the command before.
func TestLateRowsHaveNoSpeaker(t *testing.T) {
	s := paste(t, "> meshdiag childtable 0x6400\nError 28: ResponseTimeout\nsome talk\nrloc16:0x9c00 ext-addr:764788cf6e57a4d2 ver:4\n    rss - ave:-20 last:-20 margin:80\n    conn-time:01:54:02\nDone\n")
	if len(s.Reports) != 1 || s.Reports[0].RLOC16.Known() || len(s.Reports[0].Neighbors) != 1 {
		t.Errorf("%+v", s.Reports)
	}
}

func TestChipToolTables(t *testing.T) {
	const mark = "[1711873407.689027][10077:10079] CHIP:TOO: "
	text := "$ ./chip-tool threadnetworkdiagnostics read neighbor-table 4 0\n"
	for l := range strings.Lines(`NeighborTable: 2 entries
  [1]: {
    ExtAddress: 11678088788494768592
    Age: 8
    Rloc16: 3072
    Lqi: 2
    AverageRssi: -84
    LastRssi: null
    RxOnWhenIdle: TRUE
    FullThreadDevice: TRUE
    FullNetworkData: TRUE
    IsChild: FALSE
   }
  [2]: {
    ExtAddress: 1
    Rloc16: 1
    IsChild: TRUE
   }
`) {
		text += mark + l
	}
	s := paste(t, text)
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	r := s.Reports[0]
	same(t, "rows", append(neighbors(r.Neighbors), neighbors(r.Children)...), []string{
		"0x0c00 [a210e7e145b3d9d0] rdn v? in 2 rssi -84/? age 8s", "0x0001 [0000000000000001] ? v? in ? rssi ?/? age ?",
	})
	if len(r.Matter) != 1 || r.Matter[0] != (diag.MatterID{Node: 4}) {
		t.Errorf("node %+v", r.Matter)
	}
}

// chip-tool of 1.4 marks its lines in another way, and a log may end within a row:
// its last field may have lost digits, the others stand.
func TestChipToolOf14CutOff(t *testing.T) {
	const mark = "[1780831029.797] [39286:39288] [TOO] "
	text := "$ chip-tool threadnetworkdiagnostics read neighbor-table 7 0\n" + mark + "Endpoint: 0 Cluster: 0x0000_0035 Attribute 0x0000_0007 DataVersion: 3389612716\n"
	for l := range strings.Lines(`  NeighborTable: 2 entries
    [1]: {
      ExtAddress: 11678088788494768592
      Age: 8
      Rloc16: 3072
      Lqi: 2
      AverageRssi: -8
`) {
		text += mark + l
	}
	s := paste(t, text)
	if len(s.Reports) != 1 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	same(t, "rows", neighbors(s.Reports[0].Neighbors), []string{"0x0c00 [a210e7e145b3d9d0] ? v? in 2 rssi ?/? age 8s"})
	same(t, "problems", problems(s), []string{"line 4: row of NeighborTable is cut off: what stands of it is read", "NeighborTable has 1 of its 2 rows"})
	if _, err := Read("cut.txt", []byte(text[:strings.Index(text, "Lqi")]), time.Time{}); err == nil || !strings.Contains(err.Error(), "skipped") {
		t.Errorf("a row whose address may be cut: %v", err)
	}
}

// The router table before it had a column Link, with the columns' first names,
// as public tutorials print it.
func TestRouterTableWithoutLinkColumn(t *testing.T) {
	const table = `> router table
| ID | RLOC16 | Next Hop | Path Cost | LQI In | LQI Out | Age | Extended MAC     |
+----+--------+----------+-----------+--------+---------+-----+------------------+
| 20 | 0x5000 |       63 |         0 |      0 |       0 |   0 | 96da92ea13534f3b |
| 22 | 0x5800 |       63 |         0 |      3 |       2 |  23 | 5a4eb647eb6bc66c |
Done
`
	s := paste(t, table)
	if page := paste(t, strings.ReplaceAll(table, "|\n", "|\u00a0\u00a0\n")); len(page.Reports) != 1 || !slices.Equal(page.Reports[0].Routes, s.Reports[0].Routes) {
		t.Errorf("copied from a web page: %+v", page.Reports)
	}
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	own, other := s.Reports[0].Routes[0], s.Reports[0].Routes[1]
	if own.LinkEstablished != diag.Some(false) {
		t.Errorf("own row: link %v", own.LinkEstablished)
	}
	if other.LinkQualityIn != diag.Some(uint8(3)) || other.LinkQualityOut != diag.Some(uint8(2)) || other.LinkEstablished.Known() {
		t.Errorf("row of a neighbor: %+v", other)
	}
}

func TestMeshdiagChildren(t *testing.T) {
	s := paste(t, `> meshdiag childtable 0x6400
rloc16:0x6402 ext-addr:8e6f4d323bbed1fe ver:4
    timeout:120 age:36 supvn:129 q-msg:0
    rx-on:yes type:ftd full-net:yes
    rss - ave:-20 last:-20 margin:80
    err-rate - frame:11.51% msg:0.76%
    conn-time:00:11:07
    csl - sync:no period:0 timeout:0 channel:0
rloc16:0x6403 ext-addr:ee24e64ecf8c079a ver:4
    timeout:120 age:19 supvn:129 q-msg:0
    rx-on:no type:mtd full-net:no
    rss - ave:-20 last:-20  margin:80
    conn-time:1d.01:08:53
    csl - sync:no period:0 timeout:0 channel:0
rloc16:0x6404 ext-addr:ee24e64ecf8c
Done
> meshdiag childip6 0x6400
child-rloc16: 0x6403
    fdde:ad00:beef:0:ded8:cd58:b73:2c21
child-rloc16: 0x6405
    fd00:2:0:0:c24a:456:3b6b:c597
Done
> meshdiag routerneighbortable 0x7400
Error 28: ResponseTimeout
> meshdiag childtable 0x7400
Done
`)
	var got []string
	for _, r := range s.Reports {
		got = append(got, fmt.Sprintf("%s children %s neighbors %s", who(r), count(r.Children), count(r.Neighbors)))
	}
	same(t, "reports", got, []string{"0x6400 children 2 neighbors ?", "0x6400 children 1 neighbors ?", "0x7400 children 0 neighbors ?"})
	ch := s.Reports[0].Children
	same(t, "children", []string{
		fmt.Sprint(ch[0].FrameErrorRate, ch[0].MessageErrorRate, ch[0].ConnectedFor, ch[0].Mode),
		fmt.Sprint(ch[1].FrameErrorRate, ch[1].ConnectedFor, ch[1].Mode, ch[1].Addresses),
	}, []string{"11.5% 0.8% 11m7s rdn", "? 25h8m53s - [fdde:ad00:beef:0:ded8:cd58:b73:2c21]"})
	same(t, "problems", problems(s), []string{`line 15: row of a "meshdiag" table is cut off or names nobody: skipped`})
}

func TestSRPService(t *testing.T) {
	s := paste(t, `> srp server service
87E1B004E235A130-8FC7772401CD0696._matter._tcp.default.service.arpa.
    deleted: false
    subtypes: _I87E1B004E235A130
    port: 5540
    priority: 0
    weight: 0
    ttl: 7200
    lease: 7200
    key-lease: 1209600
    TXT: [SII=35303030, SAI=333030, T=30]
    host: 7A9C203E981177E8.default.service.arpa.
    addresses: [fdeb:a95a:c5a5:0:df33:b1d3:8b37:1ee4, fdeb:a95a:c5a5:0:df33:b1d3:8b37:1ee5]
old._hap._udp.default.service.arpa.
    deleted: true
My Lamp._hap._udp.default.service.arpa.
    deleted: false
    host: lamp.default.service.arpa.
    addresses: [fdeb::1]
Done
`)
	if len(s.Reports) != 2 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	r := s.Reports[0]
	icd, _ := r.ICD.Get()
	same(t, "services", []string{
		who(r), fmt.Sprint(r.Hosts, r.Instances, r.Addresses),
		fmt.Sprintf("%x %v %v", r.Matter, icd.SessionIdleInterval, icd.SessionActiveInterval),
		fmt.Sprint(s.Reports[1].Hosts, s.Reports[1].Instances),
	}, []string{
		"? 7a9c203e981177e8(5)", "[7A9C203E981177E8] [87E1B004E235A130-8FC7772401CD0696] [fdeb:a95a:c5a5:0:df33:b1d3:8b37:1ee4 fdeb:a95a:c5a5:0:df33:b1d3:8b37:1ee5]",
		"[{87e1b004e235a130 8fc7772401cd0696}] 5s 300ms",
		"[lamp] [My Lamp]",
	})
}
