package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"threadmap/cmd/threadmap-graphviz/internal/privatetmp"
)

// TestFirstOfAll: when the first package of others could ask for the folder for
// temporary files, it is ours already. Go tells what it initializes, in order.
func TestFirstOfAll(t *testing.T) {
	cmd, _, complaint := program(t, t.TempDir(), small, "-Kdot", "-Tsvg")
	cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	var order []string
	for line := range strings.Lines(complaint.String()) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "init" {
			order = append(order, f[1])
		}
	}
	at := func(name string) int {
		i := slices.Index(order, name)
		if i < 0 {
			t.Fatalf("%s is not among %v", name, order)
		}
		return i
	}
	ours := at("threadmap/cmd/threadmap-graphviz/internal/privatetmp")
	for _, later := range []string{"time", "os", "github.com/goccy/go-graphviz/internal/wasm"} {
		if at(later) < ours {
			t.Errorf("%s comes before privatetmp: %v", later, order)
		}
	}
}

// TestPrivateFolder: it is a folder of this process's user alone, and what
// os.TempDir says.
func TestPrivateFolder(t *testing.T) {
	info, err := os.Lstat(privatetmp.Folder)
	if err != nil {
		t.Fatal(err)
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || os.TempDir() != privatetmp.Folder {
		t.Errorf("%s: %v, and temporary files go to %s", privatetmp.Folder, info.Mode(), os.TempDir())
	}
}

// TestNoFolder: where none can be made, nothing is kept and nothing found.
func TestNoFolder(t *testing.T) {
	cmd, out, complaint := program(t, filepath.Join(t.TempDir(), "no such"), small, "-Kdot", "-Tsvg")
	if err := cmd.Run(); err != nil || !bytes.Contains(out.Bytes(), []byte("</svg>")) {
		t.Errorf("%v: %s", err, complaint)
	}
}

// TestStopped: a signal ends the program while it reads, and while Graphviz works,
// which does not look at it; the folder is removed.
func TestStopped(t *testing.T) {
	// neato keeps 4000 nodes apart for minutes.
	graph := strings.Replace(many(4000), "{", "{ graph [overlap=false] //"+strings.Repeat(" ", 1<<20)+"\n", 1)
	for _, works := range []bool{false, true} {
		tmp := t.TempDir()
		cmd, out, complaint := program(t, tmp, "", "-Kneato", "-Tsvg")
		cmd.Stdin = nil
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// No pipe holds that much: once it is written, the program reads.
		if _, err := io.WriteString(in, graph); err != nil {
			t.Fatal(err)
		}
		if works {
			in.Close()
		}
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitLimit || out.Len() > 0 || complaint.String() != "threadmap-graphviz: stopped\n" {
			t.Errorf("%v, %d bytes, %q", err, out.Len(), complaint)
		}
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("left over: %v, %v", left, err)
		}
	}
}

// TestWatch: time and memory that are used up end the program with a reason.
func TestWatch(t *testing.T) {
	signals := make(chan os.Signal, 1)
	if got := watch(time.Millisecond, 1<<62, signals); got != "not done after 1ms" {
		t.Errorf("late: %q", got)
	}
	if got := watch(time.Minute, 1<<20, signals); got != "the graph needs more than 1 MB of memory" {
		t.Errorf("big: %q", got)
	}
	signals <- syscall.SIGTERM
	if got := watch(time.Minute, 1<<62, signals); got != "stopped" {
		t.Errorf("a signal: %q", got)
	}
}
