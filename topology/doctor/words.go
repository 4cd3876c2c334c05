package doctor

import (
	"fmt"
	"strings"

	"threadmap/topology"
)

// names joins the labels of nodes: "Hall plug", "A and B", "A, B and 3 others".
func names(nodes []*topology.Node) string {
	const most = 3
	labels := make([]string, 0, most)
	for i, n := range nodes {
		if i == most-1 && len(nodes) > most {
			return fmt.Sprintf("%s and %d others", strings.Join(labels, ", "), len(nodes)-i)
		}
		labels = append(labels, n.Label())
	}
	switch len(labels) {
	case 0:
		return "nobody"
	case 1:
		return labels[0]
	}
	return strings.Join(labels[:len(labels)-1], ", ") + " and " + labels[len(labels)-1]
}

// count is "1 device", "3 devices".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// network is the best word for a network: its name, else its ID.
func network(n *topology.Network) string {
	if n == nil {
		return "an unknown network"
	}
	if n.Name != "" {
		return n.Name
	}
	return n.ID
}
