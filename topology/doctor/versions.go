package doctor

import (
	"cmp"
	"slices"

	"threadmap/topology"
)

func sortedKeys(m map[string][]*topology.Node) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// byFrequency lists the keys of m, the rarest first.
func byFrequency(m map[string][]*topology.Node) []string {
	keys := sortedKeys(m)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(len(m[a]), len(m[b])) })
	return keys
}
