package dump

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
)

// chipFields are the fields of the two tables, as chip-tool prints them.
var chipFields = map[string]map[string]uint32{
	"NeighborTable": {
		"ExtAddress": 0, "Age": 1, "Rloc16": 2, "LinkFrameCounter": 3, "MleFrameCounter": 4, "Lqi": 5, "AverageRssi": 6, "LastRssi": 7,
		"FrameErrorRate": 8, "MessageErrorRate": 9, "RxOnWhenIdle": 10, "FullThreadDevice": 11, "FullNetworkData": 12, "IsChild": 13,
	},
	"RouteTable": {
		"ExtAddress": 0, "Rloc16": 1, "RouterId": 2, "NextHop": 3, "PathCost": 4, "LQIIn": 5, "LQIOut": 6, "Age": 7, "Allocated": 8, "LinkEstablished": 9,
	},
}

var chipTables = map[string]uint32{"NeighborTable": 7, "RouteTable": 8}

// readChipTool reads the log of chip-tool:
//
//	[…] CHIP:TOO: NeighborTable: 2 entries
//	[…] CHIP:TOO: [1]: {
//	[…] CHIP:TOO: ExtAddress: 11678088788494768592
//
// From 1.4 on the mark is "[TOO]". Written from connectedhomeip 32853, whose
// only row is cut off; the route table follows the same form, as logs of 1.4
// that others parse have it. The node id is that of the command, where the log
// shows it.
func readChipTool(in *input, out *output) bool {
	if head := in.body[:min(len(in.body), 1<<20)]; in.json || !bytes.Contains(head, []byte(chipMark)) && !bytes.Contains(head, []byte(chipMark14)) {
		return false
	}
	t := &chipTool{out: out, session: in.session}
	for s := newCLIScanner(in.body); s.ok; s.next() {
		if after, ok := chipLine(s.cur.text); ok {
			t.line(s.cur.n, strings.TrimSpace(after))
		} else if _, args, ok := strings.Cut(s.cur.text, "chip-tool threadnetworkdiagnostics read "); ok {
			t.flush()
			if f := strings.Fields(args); len(f) >= 3 {
				t.node, t.named = 0, false
				if v, err := strconv.ParseUint(f[1], 0, 64); err == nil {
					t.node, t.named = v, true
				}
			}
		}
	}
	t.flush()
	return t.found
}

// What stands before each line that chip-tool prints of a value.
const (
	chipMark   = "CHIP:TOO:"
	chipMark14 = "[TOO]"
)

// chipLine is what stands behind the mark; ok is false where there is none.
func chipLine(s string) (after string, ok bool) {
	if _, after, ok = strings.Cut(s, chipMark); !ok {
		_, after, ok = strings.Cut(s, chipMark14)
	}
	return after, ok
}

type chipTool struct {
	out     *output
	session string
	node    uint64
	named   bool
	found   bool

	table string
	want  int
	rows  []cluster.Value
	row   []cluster.Field
	open  bool
	at    int // line where the open row began
	attrs cluster.Attributes
}

func (t *chipTool) line(n int, s string) {
	key, v, _ := strings.Cut(s, ":")
	v = strings.TrimSpace(v)
	if count, ok := strings.CutSuffix(v, " entries"); ok {
		if _, known := chipTables[key]; known {
			t.endTable()
			if _, twice := t.attrs[chipPath(key)]; twice {
				t.flush()
			}
			t.table, t.found = key, true
			t.want, _ = strconv.Atoi(count)
			t.rows = []cluster.Value{}
			return
		}
	}
	if t.table == "" {
		return
	}
	switch {
	case strings.HasPrefix(s, "[") && strings.HasSuffix(v, "{"):
		t.cutRow()
		t.open, t.at, t.row = true, n, nil
	case strings.HasPrefix(s, "}") && t.open:
		t.open = false
		if len(t.rows) < maxRows {
			t.rows = append(t.rows, cluster.Struct(t.row...))
		}
	case t.open && len(t.row) < 32:
		if id, ok := chipFields[t.table][key]; ok {
			t.row = append(t.row, cluster.Field{ID: id, Value: chipValue(v)})
		}
	}
}

func chipPath(table string) cluster.Path {
	return cluster.Path{Cluster: cluster.ThreadNetworkDiagnostics, Attribute: chipTables[table]}
}

func chipValue(s string) cluster.Value {
	switch s {
	case "TRUE", "true":
		return cluster.Bool(true)
	case "FALSE", "false":
		return cluster.Bool(false)
	case "null":
		return cluster.Null()
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return cluster.Uint(u)
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return cluster.Int(i)
	}
	return cluster.Text(s)
}

// cutRow keeps what stands of a row that has no end, where that says whom it is
// about: all but its last field, which may have lost digits. IsChild stands at a
// row's end; a router is nobody's child.
func (t *chipTool) cutRow() {
	if !t.open {
		return
	}
	t.open = false
	row := cluster.Struct(t.row[:max(0, len(t.row)-1)]...)
	rloc, known := row.Field(chipFields[t.table]["Rloc16"]).Uint()
	if known && rloc <= 0xffff && diag.MakeRLOC16(uint16(rloc)).IsRouter() && t.table == "NeighborTable" && len(t.rows) < maxRows {
		t.rows = append(t.rows, cluster.Struct(append(t.row[:len(t.row)-1], cluster.Field{ID: chipFields[t.table]["IsChild"], Value: cluster.Bool(false)})...))
		t.out.problem(sourceText, "%s", lineError(t.at, "row of %s is cut off: what stands of it is read", t.table))
		return
	}
	t.out.problem(sourceText, "%s", lineError(t.at, "row of %s is cut off: skipped", t.table))
}

// endTable closes the table being read. One that lost rows and has none left
// says nothing.
func (t *chipTool) endTable() {
	t.cutRow()
	if t.table == "" {
		return
	}
	if len(t.rows) < t.want {
		t.out.problem(sourceText, "%s has %d of its %d rows", t.table, len(t.rows), t.want)
	}
	if len(t.rows) > 0 || t.want == 0 {
		if t.attrs == nil {
			t.attrs = cluster.Attributes{}
		}
		t.attrs[chipPath(t.table)] = cluster.List(t.rows...)
	}
	t.table, t.rows = "", nil
}

func (t *chipTool) flush() {
	t.endTable()
	if len(t.attrs) == 0 {
		return
	}
	r, problems := cluster.Report(t.attrs)
	t.attrs = nil
	for _, p := range problems {
		t.out.problem(sourceText, "%s", p)
	}
	r.Source, r.Session = sourceText, fmt.Sprintf("%s %d", t.session, len(t.out.reports))
	if t.named {
		r.Matter = []diag.MatterID{{Node: t.node}}
	}
	t.out.report(r)
}
