package matter

import (
	"errors"

	"threadmap/diag"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
)

// maxReads is how many reads one node gets: the one that asks for all, and in
// rare cases some more.
const maxReads = 4

// take keeps what a read gave, whole or not.
func (p *probe) take(a *im.Assembly) {
	if a == nil {
		return
	}
	for v := range a.Values() {
		if v.Data == nil {
			continue
		}
		if err := p.attrs.Add(cluster.Path(v.Path), v.Data); err != nil {
			p.problem(diag.StageParse, v.Path.String()+": "+err.Error(), "")
		}
	}
}

// missing is what is worth asking for in one more read, after one of paths that
// gave a and err: none in nearly all cases.
func (p *probe) missing(paths []im.AttributePath, a *im.Assembly, err error) []im.AttributePath {
	var said *im.StatusError
	if errors.As(err, &said) && len(paths) > fewPaths {
		switch said.Result.Status {
		case im.PathsExhausted, im.ResourceExhausted, im.InvalidAction:
			return paths[len(paths)-fewPaths:] // who it is, and the mesh
		}
	}
	if err != nil || a == nil {
		return nil
	}
	var again []im.AttributePath
	mesh := false
	for v := range a.Values() {
		mesh = mesh || v.Path.Cluster == cluster.ThreadNetworkDiagnostics && v.Data != nil
		if v.Err != nil && len(again) < im.MaxReadPaths {
			again = append(again, im.One(v.Path.Endpoint, v.Path.Cluster, v.Path.Attribute))
		}
	}
	if !mesh && len(paths) == len(what) && p.onThread() {
		again = append(again[:min(len(again), im.MaxReadPaths-1)], elsewhere)
	}
	return again
}

// fewPaths is how many, the last ones, of what a node with little memory is asked for: fewer
// than any that is known to refuse.
const fewPaths = 2

// onThread reports whether the node is on Thread by its own word, or, where it
// says nothing, by its address.
func (p *probe) onThread() bool {
	r, _ := cluster.Report(p.attrs)
	if r.Transport != diag.TransportUnknown {
		return r.Transport == diag.TransportThread
	}
	return p.network != lan && p.network != unknown
}
