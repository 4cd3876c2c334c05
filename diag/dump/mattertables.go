package dump

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/cluster/wsjson"
)

// readTables reads the neighbor table and the route table of a node as the
// Matter server writes them, without what stood around them: an array of rows
// whose members are the numbers of the fields. In text, each array is a line.
//
//	[{"0":11725231772454298384,"1":20,"2":1024,…,"13":false}]
//
// Written from matterjs-server 597. Whose tables they are is not said; a second
// table of a kind is another node's, or of another time.
func readTables(in *input, out *output) bool {
	t := &bareTables{out: out, attrs: cluster.Attributes{}}
	if in.json {
		t.table(in.body, 0)
	} else {
		for rest, n := in.body, 1; len(rest) > 0 && n <= maxLines; n++ {
			var line []byte
			line, rest = cutLine(rest)
			if line = bytes.TrimSpace(line); bytes.HasPrefix(line, []byte(`[{"0"`)) {
				t.table(line, n)
			}
		}
	}
	t.flush()
	return t.found
}

type bareTables struct {
	out   *output
	attrs cluster.Attributes
	found bool
}

func (t *bareTables) table(b []byte, line int) {
	rows, ok := array(b)
	if !ok {
		if line > 0 {
			t.out.problem(sourceMatter, "%s", lineError(line, "table is cut off: skipped"))
		}
		return
	}
	if len(rows) == 0 || len(rows) > maxRows {
		return
	}
	row := object(rows[0])
	for key := range row {
		if _, err := strconv.ParseUint(key, 10, 8); err != nil {
			return
		}
	}
	p := cluster.Path{Cluster: cluster.ThreadNetworkDiagnostics}
	switch has := func(key string) bool { return row[key] != nil }; {
	case has("0") && has("2") && has("5") && has("13"):
		p.Attribute = chipTables["NeighborTable"]
	case has("0") && has("1") && has("2") && has("9") && !has("10"):
		p.Attribute = chipTables["RouteTable"]
	default:
		return
	}
	v, err := wsjson.Value(p, json.RawMessage(b))
	if err != nil {
		t.out.problem(sourceMatter, "%s: %v: left out", p, err)
		return
	}
	if _, twice := t.attrs[p]; twice {
		t.flush()
	}
	t.attrs[p], t.found = v, true
}

func (t *bareTables) flush() {
	if len(t.attrs) == 0 {
		return
	}
	r, problems := cluster.Report(t.attrs)
	t.attrs = cluster.Attributes{}
	for _, p := range problems {
		t.out.problem(sourceMatter, "%s", p)
	}
	r.Source, r.Cached = sourceMatter, true
	r.Session = fmt.Sprintf("%s %d", t.out.in.session, len(t.out.reports))
	t.out.report(r)
}
