package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"threadmap/topology"
)

func TestCheckExpected(t *testing.T) {
	m := &topology.Map{Nodes: []*topology.Node{
		{ID: "1", Name: "Hall bulb", State: topology.NodeOK},
		{ID: "2", Name: "Hall \x1b[31mbutton", State: topology.NodeOK},
		{ID: "3", Name: "Old plug", State: topology.NodeGhost, Why: "only rows that others contradict speak of it"},
		{ID: "4", Name: "Shed sensor", State: topology.NodeSilent},
	}}
	for _, c := range []struct {
		query, want string
	}{
		{"hall bulb", ""},
		{"shed", ""}, // it is part of the mesh
		{"hall", `threadmap: expected node "hall" fits 2 nodes: Hall bulb (1), Hall button (2): write one of the ids` + "\n"},
		{"plug", `threadmap: expected node "plug" is gone: only rows that others contradict speak of it` + "\n"},
		{"cellar", `threadmap: expected node "cellar" is not there` + "\n"},
	} {
		var said bytes.Buffer
		a := &app{err: &said}
		a.checkExpected(m, []string{c.query})
		if said.String() != c.want || a.partial != (c.want != "") {
			t.Errorf("%q: said %q, partial %v; want %q", c.query, said.String(), a.partial, c.want)
		}
	}
}

func TestReadExpected(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          []string
		err           string
	}{
		{name: "empty"},
		{name: "comments and space", content: "\ufeff# x\r\n\r\n  Hall bulb \r\n\t#y\n0x5c00", want: []string{"Hall bulb", "0x5c00"}},
		{name: "long line", content: "a\n" + strings.Repeat("x", maxExpectLine+1), err: "line 2 is longer"},
		{name: "large", content: strings.Repeat("x\n", maxExpectFile/2+1), err: "larger than 1 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "nodes.txt")
			if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := new(app).readExpected(context.Background(), file)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error is %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}
