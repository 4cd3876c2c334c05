package dump

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
)

// The tables that are read, by the name of their command.
const (
	tableRouter   = "router table"
	tableNeighbor = "neighbor table"
	tableChild    = "child table"
	tableParent   = "parent"
)

// A cliTable is a table between "|", with columns by name: their order and
// number have changed with OpenThread's versions.
type cliTable struct {
	columns []string
	rows    []cliRow
	whole   bool // "Done" stands under it
}

// A cliRow is one row.
type cliRow struct {
	line  cliLine
	table *cliTable
	cells []string
}

// cells takes a line apart. ok is false where its end is missing.
func cells(t string) (out []string, ok bool) {
	t, ok = strings.CutSuffix(strings.TrimPrefix(t, "|"), "|")
	if !ok || strings.Count(t, "|") > 30 {
		return nil, false
	}
	for _, s := range strings.Split(t, "|") {
		out = append(out, strings.TrimSpace(s))
	}
	return out, true
}

// table reads a table that begins at l with its head.
func (c *cli) table(l cliLine) bool {
	columns, ok := cells(l.text)
	for i, name := range columns {
		columns[i] = strings.Replace(name, "LQI ", "LQ ", 1) // the word of old versions
	}
	if !ok || !slices.Contains(columns, "RLOC16") || !slices.Contains(columns, "Extended MAC") {
		return false
	}
	t := &cliTable{columns: columns}
	name := ""
	switch has := func(s string) bool { return slices.Contains(columns, s) }; {
	case has("ID") && has("Next Hop"):
		name = tableRouter
	case has("Role") && has("Last RSSI"):
		name = tableNeighbor
	case has("ID") && has("Timeout"):
		name = tableChild
	default:
		return false // "neighbor linkquality" and others that say nothing new
	}
	c.next()
	c.found = true
	c.rows(t, name)
	switch name {
	case tableRouter:
		c.routerTable(t)
	case tableNeighbor:
		c.neighborTable(t)
	case tableChild:
		c.childTable(t)
	}
	return true
}

// rows reads the rows up to what is no row. Cut ones are skipped.
func (c *cli) rows(t *cliTable, name string) {
	for {
		l, ok := c.peek()
		switch {
		case !ok:
			return
		case l.done():
			t.whole = true
			c.next()
			return
		case l.passable():
		case !strings.HasPrefix(l.text, "|"):
			return
		default:
			row, whole := cells(l.text)
			if whole && slices.Contains(row, "RLOC16") {
				return // the head of the next table
			}
			switch {
			case !whole || len(row) != len(t.columns):
				c.problem(l, "row of %q is cut off or not of the %d columns of its head: skipped", name, len(t.columns))
			case len(t.rows) >= maxRows:
				c.problem(l, "%q has more than %d rows: skipped", name, maxRows)
				return
			default:
				t.rows = append(t.rows, cliRow{l, t, row})
			}
		}
		c.next()
	}
}

// cell is the content of a column, "" where the table has none of that name.
func (r cliRow) cell(column string) string {
	if i := slices.Index(r.table.columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

func (r cliRow) number(column string, limit uint64) (uint64, bool) {
	v, err := strconv.ParseUint(r.cell(column), 10, 64)
	return v, err == nil && v <= limit
}

func (r cliRow) seconds(column string) diag.Opt[time.Duration] {
	return seconds(r.cell(column))
}

func (r cliRow) flag(column string) (on, known bool) {
	s := r.cell(column)
	return s == "1", s == "0" || s == "1"
}

func (r cliRow) rloc16() (diag.RLOC16, bool) { return parseRLOC16(r.cell("RLOC16")) }

// extAddr reads the extended address: all zeros is "not known to me".
func (r cliRow) extAddr() (diag.ExtAddr, bool) {
	x, err := diag.ParseExtAddr(r.cell("Extended MAC"))
	return x, err == nil
}

// mode reads the columns R, D and N; S is of old versions and means nothing now.
func (r cliRow) mode() diag.Opt[diag.Mode] {
	rx, ok1 := r.flag("R")
	ftd, ok2 := r.flag("D")
	data, ok3 := r.flag("N")
	if !ok1 || !ok2 || !ok3 {
		return diag.Opt[diag.Mode]{}
	}
	return diag.Some(diag.Mode{RxOnWhenIdle: rx, FullThreadDevice: ftd, FullNetworkData: data})
}

// parseRLOC16 reads "0x5c00" or "5c00". ok is false for what is no number of
// that form; a reserved one gives the unknown RLOC16 and true.
func parseRLOC16(s string) (r diag.RLOC16, ok bool) {
	s = strings.TrimPrefix(s, "0x")
	if len(s) != 4 {
		return r, false
	}
	v, err := strconv.ParseUint(s, 16, 16)
	if err != nil {
		return r, false // 0x0000 is a router
	}
	return diag.MakeRLOC16(uint16(v)), true
}

// hexNumber reads a hexadecimal number of at most limit, "0x" before it or not.
// It is 0 where ok is false.
func hexNumber(s string, limit uint64) (v uint64, ok bool) {
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "0x"), 16, 64)
	if err != nil || v > limit {
		return 0, false
	}
	return v, true
}

// maxAddresses bounds the addresses of one node.
const maxAddresses = 64

// withAddress is the list with another address, where there is room for it.
func withAddress(list []netip.Addr, a netip.Addr) []netip.Addr {
	if len(list) < maxAddresses {
		list = append(list, a)
	}
	return list
}

// seconds reads a whole number of seconds.
func seconds(s string) diag.Opt[time.Duration] {
	v, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return diag.Opt[time.Duration]{}
	}
	return diag.Some(time.Duration(v) * time.Second)
}

// small reads a number of at most limit.
func small(s string, limit uint64) diag.Opt[uint8] {
	v, err := strconv.ParseUint(s, 10, 8)
	if err != nil || v > limit {
		return diag.Opt[uint8]{}
	}
	return diag.Some(uint8(v))
}

// dBm reads a signal strength. 127 is OpenThread's word for "no sample", and
// no receiver hears more than 0.
func dBm(s string) diag.Opt[int8] {
	v, err := strconv.ParseInt(s, 10, 8)
	if err != nil || v > 0 {
		return diag.Opt[int8]{}
	}
	return diag.Some(int8(v))
}

// version reads Thread's version number.
func version(s string) diag.Opt[uint16] {
	v, err := strconv.ParseUint(s, 10, 16)
	if err != nil || v == 0 {
		return diag.Opt[uint16]{}
	}
	return diag.Some(uint16(v))
}
