package doctor

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"threadmap/topology"
)

// names joins the labels of nodes: "Hall plug", "A and B", "A, B and 3 others".
func names(nodes []*topology.Node) string {
	labels := make([]string, 0, mostWords+1)
	for _, n := range nodes[:min(len(nodes), mostWords+1)] {
		labels = append(labels, n.Label())
	}
	return listOf(labels, len(nodes))
}

// list joins words in the same way.
func list(words []string) string { return listOf(words, len(words)) }

// mostWords is how many are named; of more, one less and the number of others.
const mostWords = 3

func listOf(words []string, all int) string {
	switch {
	case all == 0:
		return "nobody"
	case all == 1:
		return words[0]
	case all > mostWords:
		return fmt.Sprintf("%s and %d others", strings.Join(words[:mostWords-1], ", "), all-mostWords+1)
	}
	return strings.Join(words[:all-1], ", ") + " and " + words[all-1]
}

// count is "1 device", "3 devices".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// network is the word that heads a network in the tree: its name, else its
// extended PAN id. The other ids of networks are no words that people know.
func network(n *topology.Network) string {
	switch {
	case n == nil:
		return "an unknown network"
	case n.Name != "":
		return n.Name
	case n.ExtPANID != 0:
		return "Network " + n.ExtPANID.String()
	}
	return "Unnamed network"
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
