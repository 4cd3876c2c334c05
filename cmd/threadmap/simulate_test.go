package main

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"threadmap/simulators/mesh"
)

// TestSimulate: the home is there until Ctrl-C, and can be scanned meanwhile.
func TestSimulate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a test can't press Ctrl-C on Windows")
	}
	file := filepath.Join(t.TempDir(), "home.yaml")
	lab, err := mesh.MarshalYAML(&mesh.Home{Name: "Lab", Networks: []*mesh.Mesh{mesh.Lab(0)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, lab, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("threadmap", "simulate", file)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	var command []string
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if s, ok := strings.CutPrefix(lines.Text(), "Try: threadmap "); ok {
			command = strings.Fields(s)
			break
		}
	}
	if len(command) < 3 {
		t.Fatalf("no command to try was printed; %v, %s", lines.Err(), stderr.String())
	}
	resp, err := http.Get(command[2] + "/node")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the simulated border router answers with %s", resp.Status)
	}
	out, errs, status := runApp(t, nil, command...)
	if status != exitDone || !strings.Contains(out, "ThreadMapLab") {
		t.Errorf("the command that was printed gives %d, %s%s", status, out, errs)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err = c.Wait()
	if ee := (*exec.ExitError)(nil); !errors.As(err, &ee) || ee.ExitCode() != exitInterrupted {
		t.Errorf("after Ctrl-C: %v, want exit status %d; %s", err, exitInterrupted, stderr.String())
	}
}

func TestSimulateExample(t *testing.T) {
	out, errs, status := runApp(t, nil, "simulate", "--write-example")
	if status != exitDone || errs != "" {
		t.Fatalf("status %d, %s", status, errs)
	}
	home, err := mesh.ParseYAML([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	if want := mesh.HomeOf50(demoSeed).Nodes(); home.Nodes() != want {
		t.Errorf("the example has %d devices, want %d", home.Nodes(), want)
	}
}

func TestSimulateRefuses(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("networks: 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{bad, "nosuch.yaml", t.TempDir()} {
		_, errs, status := runApp(t, nil, "simulate", file)
		if status != exitFailed || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "threadmap: ") {
			t.Errorf("%s: status %d, %q", file, status, errs)
		}
	}
}
