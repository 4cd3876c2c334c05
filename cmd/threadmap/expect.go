package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"threadmap/topology"
)

// Bounds of an --expect file: more than the nodes of the largest network.
const (
	maxExpectFile = 1 << 20
	maxExpectLine = 512
)

// readExpected reads the NODEs of an --expect file; without one there are none.
func (a *app) readExpected(ctx context.Context, file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	b, _, _, err := a.readFile(ctx, file, maxExpectFile)
	if err != nil {
		return nil, fmt.Errorf("--expect: %w", err)
	}
	var out []string
	lines := bufio.NewScanner(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff")))
	lines.Buffer(nil, maxExpectFile+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(line) > maxExpectLine {
			return nil, fmt.Errorf("--expect: %s: line %d is longer than the name of a node", file, n)
		}
		out = append(out, line)
	}
	return out, lines.Err()
}

// checkExpected says which nodes are missing, or can't be told apart.
func (a *app) checkExpected(m *topology.Map, expected []string) {
	for _, q := range expected {
		switch hits := m.Find(q); {
		case len(hits) == 0:
			a.warn(fmt.Errorf("expected node %q is not there", q))
		case len(hits) > 1:
			a.warn(fmt.Errorf("expected node %q fits %d nodes: %s: write one of the ids", q, len(hits), namesOf(hits)))
		default:
			// A row that only others still have is no sign that it is there.
			if s := hits[0].State; s != topology.NodeGhost {
				continue
			}
			a.warn(fmt.Errorf("expected node %q is gone: %s", q, hits[0].Why))
		}
		a.partial = true
	}
}
