package cluster

import (
	"cmp"
	"fmt"
	"slices"

	"threadmap/diag"
)

// Bounds of what one node can say.
const (
	maxRows      = 1024 // rows of a table: more than 511 children and 62 routers
	maxText      = 128  // octets of a name; the specification allows 64 at most
	maxAddresses = 64
	maxTypes     = 64 // device types over all endpoints
	maxEndpoints = 256
	maxFabrics   = 254
	maxProblems  = 50
)

// decoders is the list of clusters that are understood, in the order in which
// they are read: Descriptor before those that ask whether the node is a bridge.
var decoders = []struct {
	cluster uint32
	decode  func(*reader, *diag.Report)
}{
	{Descriptor, decodeDescriptor},
	{BasicInformation, decodeBasicInformation},
	{NetworkCommissioning, decodeNetworkCommissioning},
	{GeneralDiagnostics, decodeGeneralDiagnostics},
	{ThreadNetworkDiagnostics, decodeThreadNetworkDiagnostics},
	{OperationalCredentials, decodeOperationalCredentials},
	{ICDManagement, decodeICDManagement},
	{PowerSource, decodePowerSource},
	{ThreadBorderRouterManagement, decodeThreadBorderRouterManagement},
}

// Report makes one report of a node's attributes. The caller adds where they
// come from (Source, Via, Session, At, Cached), the node id and whether the
// node is reachable. The second result is one line for each value that was
// there and could not be used.
func Report(attrs Attributes) (diag.Report, []string) {
	r := newReader(attrs, 0)
	var rep diag.Report
	for _, d := range decoders {
		if len(r.endpoints[d.cluster]) > 0 {
			r.cluster = d.cluster
			d.decode(r, &rep)
		}
	}
	return rep, r.problems
}

// A reader gives typed access to the attributes of the cluster at hand.
type reader struct {
	attrs     Attributes
	endpoints map[uint32][]uint16 // those that have the cluster, ascending
	cluster   uint32
	problems  []string
}

// newReader makes a reader of attrs that stands at cluster.
func newReader(attrs Attributes, cluster uint32) *reader {
	r := &reader{attrs: attrs, endpoints: map[uint32][]uint16{}, cluster: cluster}
	for p := range attrs {
		if e := r.endpoints[p.Cluster]; Reads(p) && len(e) < maxEndpoints && !slices.Contains(e, p.Endpoint) {
			r.endpoints[p.Cluster] = append(e, p.Endpoint)
		}
	}
	for _, e := range r.endpoints {
		slices.Sort(e)
	}
	return r
}

// value is the attribute on the lowest endpoint that has the cluster: nearly
// always 0, but only the device decides where its Thread interface lives.
func (r *reader) value(attr uint32) (Value, Path) {
	p := Path{r.endpoints[r.cluster][0], r.cluster, attr}
	return r.attrs[p], p
}

func (r *reader) problem(format string, args ...any) {
	switch n := len(r.problems); {
	case n < maxProblems:
		r.problems = append(r.problems, fmt.Sprintf(format, args...))
	case n == maxProblems:
		r.problems = append(r.problems, "more values could not be used")
	}
}

// uint reads an unsigned integer of at most limit. Null and absent are unknown.
func (r *reader) uint(attr uint32, name string, limit uint64) (v uint64, known bool) {
	val, p := r.value(attr)
	return r.number(val, limit, func() string { return p.String() + " " + name })
}

func (r *reader) number(val Value, limit uint64, where func() string) (v uint64, known bool) {
	if !val.Present() {
		return 0, false
	}
	v, ok := val.Uint()
	if !ok || v > limit {
		r.problem("%s is no number of 0..%d: left out", where(), limit)
		return 0, false
	}
	return v, true
}

// text reads a name, bounded and without invalid UTF-8.
func (r *reader) text(attr uint32, name string) string {
	val, p := r.value(attr)
	if !val.Present() {
		return ""
	}
	s, ok := val.Text()
	if !ok {
		r.problem("%s %s is no text: left out", p, name)
		return ""
	}
	return cleanText(s)
}

// list reads a list, nil for none, and at most limit elements of it.
func (r *reader) list(val Value, limit int, where string) []Value {
	if !val.Present() {
		return nil
	}
	l, ok := val.List()
	if !ok {
		r.problem("%s is no list: left out", where)
		return nil
	}
	if len(l) > limit {
		r.problem("%s has %d elements: only the first %d are read", where, len(l), limit)
		l = l[:limit]
	}
	if l == nil {
		l = []Value{}
	}
	return l
}

// addTypes keeps sorted, distinct device types.
func addTypes(have []uint32, t uint32) []uint32 {
	i, found := slices.BinarySearchFunc(have, t, cmp.Compare[uint32])
	if found || len(have) >= maxTypes {
		return have
	}
	return slices.Insert(have, i, t)
}
