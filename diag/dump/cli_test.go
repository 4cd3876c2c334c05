package dump

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

func paste(t *testing.T, text string) *diag.Scan {
	t.Helper()
	s, err := Read("paste.txt", []byte(text), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const smallTable = `| ID | RLOC16 | Next Hop | Path Cost | LQ In | LQ Out | Age | Extended MAC     | Link |
+----+--------+----------+-----------+-------+--------+-----+------------------+------+
|  0 | 0x0000 |       63 |         0 |     0 |      0 |   0 | 0e00000000000001 |    0 |
|  5 | 0x1400 |        5 |         1 |     3 |      2 |   4 | 0e00000000000002 |    1 |
|  9 | 0x2400 |       63 |         0 |     0 |      0 |   0 | 0000000000000000 |    0 |

Done
`

// What stands around a paste changes nothing.
func TestPasteInAnyDress(t *testing.T) {
	plain := "router table\n" + smallTable
	lines := func(each func(string) string) string {
		var b strings.Builder
		for l := range strings.Lines(plain) {
			b.WriteString(each(strings.TrimSuffix(l, "\n")) + "\n")
		}
		return b.String()
	}
	want := fmt.Sprint(routes(paste(t, plain).Reports[0].Routes))
	if !strings.Contains(want, "0 [0e00000000000001] via 63") || !strings.Contains(want, "9 [] via 63") {
		t.Fatal(want)
	}
	for name, text := range map[string]string{
		"prompt":          "> " + plain + "> ",
		"ot-ctl":          "root@box:~# docker exec -it otbr ot-ctl " + plain,
		"ESP prompt":      "esp32h2> " + plain + "esp32h2> ",
		"Zephyr prompt":   "uart:~$ ot " + plain,
		"fence":           "my mesh:\n```\n> " + plain + "```\nwhat is wrong?",
		"tilde fence":     "~~~\nmatter esp ot_cli " + plain + "~~~\n",
		"CRLF":            strings.ReplaceAll(plain, "\n", "\r\n"),
		"mail quote":      lines(func(s string) string { return "> " + s }),
		"two mail quotes": lines(func(s string) string { return "> > " + s }),
		"HTML":            lines(func(s string) string { return html.EscapeString("> " + s) }),
		"indented":        lines(func(s string) string { return "    " + s }),
		"colours":         lines(func(s string) string { return "\x1b[32m" + s + "\x1b[0m" }),
		"without Done":    strings.TrimSuffix(plain, "Done\n"),
		"table only":      smallTable,
		"BOM":             "\xef\xbb\xbf" + plain,
	} {
		s := paste(t, text)
		if len(s.Reports) != 1 || len(s.Problems) != 0 {
			t.Errorf("%s: %d reports, %v", name, len(s.Reports), s.Problems)
			continue
		}
		if got := fmt.Sprint(routes(s.Reports[0].Routes)); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestPrompts(t *testing.T) {
	for _, prompt := range []string{"", "> ", "# ot-ctl ", "$ sudo ot-ctl ", "esp32h2> ", "uart:~$ ot ", "matter esp ot_cli ", "> > "} {
		s := paste(t, prompt+"extaddr\n0e00000000000001\nDone\n"+prompt+"rloc16\n0x5c00\nDone\n")
		if len(s.Reports) != 1 || who(s.Reports[0]) != "0x5c00 0e00000000000001(1)" {
			t.Errorf("prompt %q: %+v", prompt, s.Reports)
		}
	}
}

func TestValuesOfTheSpeaker(t *testing.T) {
	s := paste(t, `
> extaddr
0e00000000000001
Done
> eui64
0011223344556677
Done
> rloc16
0000
Done
> state
leader
Done
> networkname
My Home
Done
> channel
25
Done
> panid
0xface
Done
> extpanid
dead00beef00cafe
Done
> partitionid
4294967295
Done
> leaderdata
Partition ID: 4294967295
Weighting: 64
Data Version: 109
Stable Data Version: 211
Leader Router ID: 0
Done
> ipaddr
fdde:ad00:beef:0:0:ff:fe00:fc00
fdde:ad00:beef:0:0:ff:fe00:0
fe80:0:0:0:c00:0:0:1
Done
> counters mle
Role Disabled: 0
Role Leader: 1
Attach Attempts: 3
Done
> counters mac
TxTotal: 10
    TxUnicast: 3
RxTotal: 2
    RxErrNoUnknownNeighbor: 7
Done
> netdata show
Prefixes:
fd00:dead:beef:cafe::/64 paros med dc00
Routes:
fd49:7770:7fc5:0::/64 s med 4000
Services:
44970 5d c000 s 4000
Done
`)
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	r := s.Reports[0]
	same(t, "speaker", []string{
		who(r), r.EUI64.String(),
		fmt.Sprint(r.Network.Name, " ", r.Network.Channel, " ", r.Network.PANID, " ", r.Network.ExtPANID, " ", r.Network.OMRPrefixes, " ", r.Network.BorderRouters),
		fmt.Sprint(r.Leader), fmt.Sprint(r.Addresses), fmt.Sprint(r.Counters),
	}, []string{
		"0x0000 0e00000000000001(1) leader", "0011223344556677",
		"My Home 25 64206 dead00beef00cafe [fd00:dead:beef:cafe::/64] [0xdc00 0x4000]",
		"{4294967295 64 109 211 0}",
		"[fdde:ad00:beef::ff:fe00:fc00 fdde:ad00:beef::ff:fe00:0 fe80::c00:0:0:1]",
		"map[AttachAttemptCount:3 DisabledRoleCount:0 LeaderRoleCount:1 RxErrUnknownNeighborCount:7 RxTotalCount:2 TxTotalCount:10 TxUnicastCount:3]",
	})
	if r.Children != nil || r.Neighbors != nil || r.Routes != nil {
		t.Error("tables that were not shown")
	}
}

// A child table and a neighbor table about the same children are one list.
func TestTablesOfOneSpeakerAreJoined(t *testing.T) {
	s := paste(t, `
> rloc16
1400
Done
> child table
| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|D|N|Ver|CSL|QMsgCnt|Suprvsn| Extended MAC     |
+-----+--------+------------+------------+-------+------+-+-+-+---+---+-------+-------+------------------+
|   1 | 0x1401 |        240 |         24 |     3 |  131 |0|0|0|  3| 1 |     2 |   129 | 4ecede68435358ac |
Done
> neighbor table
| Role | RLOC16 | Age | Avg RSSI | Last RSSI | LQ In |R|D|N| Extended MAC     | Version |
+------+--------+-----+----------+-----------+-------+-+-+-+------------------+---------+
|   C  | 0x1401 |  25 |      -68 |       127 |     3 |0|0|0| 4ecede68435358ac |       3 |
|   R  | 0x2400 |  10 |      -69 |       -70 |     2 |1|1|1| 0e00000000000009 |       4 |
Done
> child list
1
Done
`)
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	r := s.Reports[0]
	same(t, "children", neighbors(r.Children), []string{"0x1401 [4ecede68435358ac] - v3 in 3 rssi -68/? age 24s"})
	c := r.Children[0]
	same(t, "child", []string{fmt.Sprint(c.Timeout, c.Supervision, c.QueuedMessages, c.CSLSynchronized)}, []string{"4m0s 2m9s 2 true"})
	same(t, "neighbors", neighbors(r.Neighbors), []string{"0x2400 [0e00000000000009] rdn v4 in 2 rssi -69/-70 age 10s"})
}

func TestEmptyIsNotUnknown(t *testing.T) {
	head := "| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|D|N| Extended MAC     |\n+-----+\n"
	s := paste(t, "> state\nrouter\nDone\n> child table\n"+head+"\nDone\n")
	if c := s.Reports[0].Children; c == nil || len(c) != 0 {
		t.Errorf("a router without children: %v", c)
	}
	s = paste(t, "> state\nrouter\nDone\n> child table\n"+head)
	if c := s.Reports[0].Children; c != nil {
		t.Errorf("a table cut before its first row: %v", c)
	}
}

// Nothing is attributed to a node that did not say it.
func TestSpeakersAreKeptApart(t *testing.T) {
	second := strings.NewReplacer("0e00000000000001", "0e00000000000007", "0x0000", "0x1c00", "|  0 |", "|  7 |").Replace(smallTable)
	child := func(rloc string) string {
		return "> child table\n| ID  | RLOC16 | Timeout    | Age        | LQ In | C_VN |R|D|N| Extended MAC     |\n|   1 | " + rloc + " |        240 |         24 |     3 |  131 |0|0|0| 4ecede68435358ac |\nDone\n"
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"two extaddrs": {
			"> extaddr\n0e00000000000001\nDone\n> extaddr\n0e00000000000007\nDone\n" + child("0x1c01"),
			[]string{"? 0e00000000000001(1) routes 0 children ?", "? 0e00000000000007(1) routes 0 children 1"},
		},
		"the table names another": {
			"> extaddr\n0e00000000000007\nDone\n> router table\n" + smallTable,
			[]string{"? 0e00000000000007(1) routes 0 children ?", "? routes 3 children ?"},
		},
		"two tables, one node": {
			"> extaddr\n0e00000000000001\nDone\n> router table\n" + smallTable + "> router table\n" + smallTable,
			[]string{"? 0e00000000000001(1) routes 3 children ?", "? 0e00000000000001(1) routes 3 children ?"},
		},
		"two tables, two nodes": {
			"> router table\n" + smallTable + "> router table\n" + second,
			[]string{"? routes 3 children ?", "? routes 3 children ?"},
		},
		"another's children": {
			"> rloc16\n0000\nDone\n> child table\n" + child("0x1c01"),
			[]string{"0x0000 routes 0 children ?", "? routes 0 children 1"},
		},
		"me of meshdiag": {
			"> child table\n" + child("0x6801") + "> meshdiag topology\nid:26 rloc16:0x6800 ext-addr:0e01010101010101 ver:5 - me - br\n    3-links:{ 23 }\nDone\n",
			[]string{"0x6800 0e01010101010101(1) router routes 1 children ?", "0x6800 0e01010101010101(1) routes 0 children 1"},
		},
	} {
		var got []string
		for _, r := range paste(t, c.text).Reports {
			got = append(got, fmt.Sprintf("%s routes %d children %s", who(r), len(r.Routes), count(r.Children)))
		}
		same(t, name, got, c.want)
	}
}

func TestParentOfAChild(t *testing.T) {
	s := paste(t, "> state\nchild\nDone\n> extaddr\n0e00000000000003\nDone\n> parent\nExt Addr: be1857c6c21dce55\nRloc: 5c00\nLink Quality In: 3\nLink Quality Out: 2\nAge: 20\nVersion: 4\nDone\n")
	r := s.Reports[0]
	same(t, "parent", neighbors(r.Neighbors), []string{"0x5c00 [be1857c6c21dce55] ? v4 in 3 rssi ?/? age 20s"})
	if r.Role != diag.RoleUnknown || r.Children != nil {
		t.Errorf("role %q, children %v: \"child\" does not tell which kind", r.Role, r.Children)
	}
	// A router shows the parent it once had.
	s = paste(t, "> state\nrouter\nDone\n> parent\nExt Addr: be1857c6c21dce55\nRloc: 5c00\nDone\n")
	if s.Reports[0].Neighbors != nil {
		t.Errorf("a former parent became a neighbor: %v", s.Reports[0].Neighbors)
	}
}

// A list of commands, as help pages show it, is no answer to any of them.
func TestHelpIsNoAnswer(t *testing.T) {
	_, err := Read("help.txt", []byte("channel\nchild list\nextaddr\nnetworkname\npanid\nrloc16\nstate\nversion\nDone\n"), time.Time{})
	if err == nil {
		t.Error("a list of commands was read as answers")
	}
}

func TestNetworkDiagnosticWithoutIndents(t *testing.T) {
	var flat strings.Builder
	for l := range strings.Lines(string(sample(t, "ot-ctl-diag.txt"))) {
		flat.WriteString(strings.TrimLeft(l, " "))
	}
	a, b := read(t, "ot-ctl-diag.txt"), paste(t, flat.String())
	for i := range a.Reports {
		x, y := a.Reports[i], b.Reports[i]
		x.Via, x.Session, x.At, y.Via, y.Session, y.At = "", "", time.Time{}, "", "", time.Time{}
		if fmt.Sprintf("%+v", x) != fmt.Sprintf("%+v", y) {
			t.Errorf("report %d differs without indents:\n%+v\n%+v", i, x, y)
		}
	}
}
