package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestLayoutScripts tells the stories of --layout. In them $PATH has nothing but
// threadmap, and what a story puts beside it.
func TestLayoutScripts(t *testing.T) {
	folder := t.TempDir()
	build := sync.OnceValues(func() (string, error) {
		file := filepath.Join(folder, "threadmap-graphviz"+exe)
		out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "../threadmap-graphviz").CombinedOutput()
		if err != nil {
			t.Logf("%s", out)
		}
		return file, err
	})
	testscript.Run(t, testscript.Params{
		Dir: "testdata/layout",
		Setup: func(e *testscript.Env) error {
			home, bin := filepath.Join(e.WorkDir, "home"), filepath.Join(e.WorkDir, "bin")
			program, err := exec.LookPath("threadmap") // of this test run
			if err != nil {
				return err
			}
			for _, d := range []string{home, bin, filepath.Join(e.WorkDir, "more")} {
				if err := os.MkdirAll(d, 0o700); err != nil {
					return err
				}
			}
			for k, v := range map[string]string{
				"HOME": home, "USERPROFILE": home, "AppData": home, "LocalAppData": home,
				"XDG_CONFIG_HOME": filepath.Join(home, "config"), "XDG_CACHE_HOME": filepath.Join(home, "cache"),
				"TZ": "UTC", "TMPDIR": e.Getenv("TMPDIR"), "PATH": bin + string(os.PathListSeparator) + filepath.Join(e.WorkDir, "more"),
			} {
				e.Setenv(k, v)
			}
			return copyFile(program, filepath.Join(bin, "threadmap"+exe))
		},
		Condition: func(cond string) (bool, error) {
			if cond != "graphviz" { // not what $PATH of the story has
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := exec.LookPath("dot")
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    cmdExits,
			"oneline":  cmdOneLine,
			"snapshot": cmdSnapshot,
			// ours FOLDER puts threadmap-graphviz there.
			"ours": func(ts *testscript.TestScript, neg bool, args []string) {
				want(ts, neg, args, 1, "ours FOLDER")
				file, err := build()
				ts.Check(err)
				ts.Check(copyFile(file, filepath.Join(ts.MkAbs(args[0]), filepath.Base(file))))
			},
			// theirs FOLDER puts Graphviz's own dot there.
			"theirs": func(ts *testscript.TestScript, neg bool, args []string) {
				want(ts, neg, args, 1, "theirs FOLDER")
				dot, err := exec.LookPath("dot")
				ts.Check(err)
				ts.Check(os.Symlink(dot, filepath.Join(ts.MkAbs(args[0]), filepath.Base(dot))))
			},
			// emptytmp checks that nothing is left among temporary files.
			"emptytmp": func(ts *testscript.TestScript, neg bool, args []string) {
				want(ts, neg, args, 0, "emptytmp")
				left, err := os.ReadDir(ts.Getenv("TMPDIR"))
				ts.Check(err)
				for _, e := range left {
					if strings.HasPrefix(e.Name(), "threadmap") {
						ts.Fatalf("left over: %s", e.Name())
					}
				}
			},
		},
	})
}

var exe = map[string]string{"windows": ".exe"}[runtime.GOOS]

func copyFile(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o755)
}

// TestGraphvizIsNotLinked: what go-graphviz costs at the start, only
// threadmap-graphviz pays.
func TestGraphvizIsNotLinked(t *testing.T) {
	for folder, want := range map[string]bool{".": false, "../threadmap-graphviz": true} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", folder).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{"github.com/goccy/go-graphviz", "github.com/tetratelabs/wazero"} {
			if got := strings.Contains("\n"+string(out), "\n"+p+"\n"); got != want {
				t.Errorf("%s links %s: %v, want %v", folder, p, got, want)
			}
		}
	}
}
