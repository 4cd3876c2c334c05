package render

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/render/internal/text"
	"threadmap/render/internal/view"
	"threadmap/topology"
)

// csvHeader names the columns. Programs and spreadsheets rely on them: add at
// the end.
var csvHeader = []string{
	"id", "name", "role", "parent", "parent_confidence", "network", "rloc16", "ext_addr",
	"lq_from_parent", "lq_to_parent", "rssi_from_parent", "rssi_to_parent", "border_router", "state",
	"room", "vendor", "product", "firmware", "thread_version", "last_heard",
	"parent_name", "network_name", "partition", "transport", "link_state", "battery_percent", "addresses", "why",
}

// CSV writes an inventory (RFC 4180), one node a row; unknown is an empty
// cell. Text that a spreadsheet would take for a formula gets an apostrophe in
// front.
func CSV(w io.Writer, d *Document, _ Options) error {
	v := view.New(d.topology(), true)
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	row := make([]string, 0, len(csvHeader))
	for _, n := range v.Map.Nodes {
		if err := out.Write(csvRow(row[:0], v, n)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func csvRow(row []string, v *view.View, n *topology.Node) []string {
	var in, out topology.Direction
	linkState := ""
	if l := v.UpLink(n); l != nil {
		in, out = view.Ways(l, n)
		linkState = string(l.State)
	}
	parent, parentName, network, networkName := "", "", "", ""
	if n.Parent != nil {
		parent, parentName = n.Parent.ID, view.Label(n.Parent)
	}
	if n.Network != nil {
		network, networkName = n.Network.ID, n.Network.Name
	}
	rloc16 := ""
	if n.RLOC16.Known() {
		rloc16 = n.RLOC16.String()
	}
	addrs := make([]string, 0, len(n.Addresses))
	for _, a := range n.Addresses {
		if a.IsValid() {
			addrs = append(addrs, a.String())
		}
	}
	return append(row,
		cell(n.ID), cell(n.Name), string(n.Role), cell(parent), n.ParentConfidence.String(), cell(network), rloc16, n.ExtAddr.String(),
		csvLQ(in), csvLQ(out), csvInt(in.RSSI), csvInt(out.RSSI), csvBool(n.BorderRouter), string(n.State),
		cell(n.Room), cell(n.Vendor), cell(n.Product), cell(n.Firmware), threadVersion(n.ThreadVersion), csvTime(n.LastHeard),
		cell(parentName), cell(networkName), csvInt(n.Partition), string(n.Transport), linkState, csvInt(n.Battery), cell(strings.Join(addrs, " ")), cell(n.Why))
}

// cell cleans text and keeps spreadsheets from running it.
func cell(s string) string {
	s = text.Clean(s)
	if s != "" && (strings.ContainsRune("=+-@", rune(s[0])) || strings.HasPrefix(s, "＝") || strings.HasPrefix(s, "＋") || strings.HasPrefix(s, "－") || strings.HasPrefix(s, "＠")) {
		return "'" + s
	}
	return s
}

func csvLQ(d topology.Direction) string {
	if lq, ok := view.LQ(d); ok {
		return strconv.Itoa(int(lq))
	}
	return ""
}

func csvInt[T uint8 | int8 | uint32](o diag.Opt[T]) string {
	if v, ok := o.Get(); ok {
		return strconv.FormatInt(int64(v), 10)
	}
	return ""
}

func csvBool(o diag.Opt[bool]) string {
	if v, ok := o.Get(); ok {
		return strconv.FormatBool(v)
	}
	return ""
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
