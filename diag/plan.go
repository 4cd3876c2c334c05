package diag

import (
	"cmp"
	"slices"
)

// Plan lists the probes that the sources would run, in a stable order, each
// (source, target) once. It asks nobody.
func Plan(sources []Source, k Known) []Probe {
	var out []Probe
	seen := map[[2]string]bool{}
	for _, s := range sources {
		probes := slices.Clone(s.Probes(k)) // the list may be the source's own
		slices.SortStableFunc(probes, func(a, b Probe) int { return cmp.Compare(a.Target, b.Target) })
		for _, p := range probes {
			if key := [2]string{p.Source, p.Target}; !seen[key] {
				seen[key] = true
				out = append(out, p)
			}
		}
	}
	return out
}
