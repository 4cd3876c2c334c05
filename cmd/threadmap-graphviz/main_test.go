package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadmap/cmd/threadmap-graphviz/internal/privatetmp"
)

// built is the program, built as users have it: the race detector would have it
// compile Graphviz for half a minute at each start.
var built string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if privatetmp.Folder != "" {
		defer os.RemoveAll(privatetmp.Folder)
	}
	built = filepath.Join(dir, "threadmap-graphviz.exe")
	if out, err := exec.Command("go", "build", "-o", built, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// program prepares a run of the program with a folder for temporary files.
func program(t *testing.T, tmp, dot string, args ...string) (cmd *exec.Cmd, out, complaint *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	out, complaint = &bytes.Buffer{}, &bytes.Buffer{}
	cmd = exec.CommandContext(ctx, built, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(dot), out, complaint
	return cmd, out, complaint
}

const small = `graph g { graph [overlap=false, splines=true] a [label="A & <b>", tooltip="Küche 厨房"] ; a -- b [label="3/-", style=dashed] ; b -- c }`

// many is a star.
func many(nodes int) string {
	var b strings.Builder
	b.WriteString("graph g {\n")
	for i := range nodes - 1 {
		fmt.Fprintf(&b, "n0 -- n%d\n", i+1)
	}
	b.WriteString("}\n")
	return b.String()
}

func TestProgram(t *testing.T) {
	for _, c := range []struct {
		args   string
		dot    string
		status int
		want   string // in what it says: the picture of status 0, else the complaint
	}{
		{"-Kdot -Tsvg", small, 0, "Küche 厨房"},
		{"-Kneato -Tsvg", small, 0, "</svg>"},
		{"-Ksfdp -Tsvg", small, 0, "</svg>"},
		{"-Ktwopi -Tsvg", many(251), 0, ">n250<"},
		{"-Tsvg", small, 0, "</svg>"},
		{"-Ktwopi -Tsvg", many(maxNodes + 1), 1, "has 5001 nodes, the most is 5000"},
		{"-Ktwopi -Tsvg", "", 1, "standard input is empty"},
		{"-Ktwopi -Tsvg", "graph {\x00}", 1, "a byte 0"},
		{"-Ktwopi -Tsvg", "graph { a -- ", 1, "not a graph in DOT"},
		{"-Ktwopi -Tsvg", "no graph", 1, "not a graph in DOT"},
		{"-Ktwopi -Tsvg", "graph { // " + strings.Repeat("x", maxInput), 1, "more than 16 MB"},
		{"-Ktwopi -Tpng", small, 2, "-Tsvg is the one format"},
		{"-Ktwopi", small, 2, "-Tsvg is the one format"},
		{"-Kosage -Tsvg", small, 2, `no engine "osage"`},
		{"-o/tmp/x -Tsvg", small, 2, `"-o/tmp/x" is not known`},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			tmp := t.TempDir()
			cmd, out, complaint := program(t, tmp, c.dot, strings.Fields(c.args)...)
			cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != c.status {
				t.Fatalf("exit status %d, want %d: %s", got, c.status, complaint)
			}
			said, silent := out, complaint
			if c.status != 0 {
				said, silent = complaint, out
			}
			if !strings.Contains(said.String(), c.want) || silent.Len() > 0 {
				t.Errorf("%.300q and %.300q, want %q", said, silent, c.want)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
				t.Errorf("left over: %v, %v", left, err)
			}
		})
	}
}

// TestNoFiles: a graph that names a file of this machine does not get it.
func TestNoFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.svg")
	if err := os.WriteFile(file, []byte(`<svg width="9" height="9"><text>c0ffee</text></svg>`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, out, _ := program(t, t.TempDir(), fmt.Sprintf("graph { a [image=%q, shapefile=%q] }", file, file), "-Kdot", "-Tsvg")
	cmd.Run()
	if strings.Contains(out.String(), "c0ffee") || strings.Contains(out.String(), "<image") {
		t.Errorf("it drew the file: %s", out)
	}
}
