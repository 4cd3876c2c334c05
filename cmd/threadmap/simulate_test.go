package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	var command, login []string
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if s, ok := strings.CutPrefix(lines.Text(), "  THREADMAP_THREAD="); ok {
			login = strings.Fields(s)
		}
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
	// With the login that was printed, too, the mesh is known through its border
	// agent; what was stored goes into a folder of this test.
	if len(login) < 4 || login[1] != "threadmap" {
		t.Fatalf("no login was printed: %q", login)
	}
	env := map[string]string{"THREADMAP_STATE": t.TempDir(), "THREADMAP_THREAD": login[0]}
	inFolder := func(args ...string) (string, string, int) {
		var o, e bytes.Buffer
		status := run(t.Context(), args, nil, &o, &e, func(k string) string { return env[k] })
		return o.String(), e.String(), status
	}
	if _, errs, status := inFolder(login[2:]...); status != exitDone {
		t.Fatalf("the login that was printed: status %d, %s", status, errs)
	}
	delete(env, "THREADMAP_THREAD")
	out, errs, status = inFolder(append([]string{"scan", "--source", "thread"}, command[len(command)-2:]...)...)
	if status != exitDone || strings.Count(out, "├")+strings.Count(out, "└") < 3 {
		t.Errorf("with the login that was printed a scan gives %d, %s%s", status, out, errs)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err = c.Wait()
	if ee := (*exec.ExitError)(nil); !errors.As(err, &ee) || ee.ExitCode() != exitInterrupted {
		t.Errorf("after Ctrl-C: %v, want exit status %d; %s", err, exitInterrupted, stderr.String())
	}
}

// TestSimulationDocument: other programs find everything in the JSON document.
func TestSimulationDocument(t *testing.T) {
	t.Parallel()
	home := &mesh.Home{Name: "Lab", Networks: []*mesh.Mesh{mesh.Lab(0)}}
	w := startWorld(t, home, withHomeAssistant(home)) // it has no Matter devices, so there is none
	b, err := json.Marshal(simulationDocument(home, w))
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`"border_agents":[{"address":%q,"name":%q,"network":"ThreadMapLab","ext_pan_id":"dead00beef00cafe"}],`+
		`"networks":[{"name":"ThreadMapLab","ext_pan_id":"dead00beef00cafe","pskc":"82bd66995ab150de4dab943937b2b66d"}]}`, w.BorderAgents()[0].Addr, w.BorderAgents()[0].Name)
	if !strings.HasSuffix(string(b), want) || !strings.Contains(string(b), `"mdns":"`+w.MDNS().String()+`"`) || strings.Contains(string(b), "home_assistant") {
		t.Errorf("%s\nwant …%s", b, want)
	}
}

// A home with Matter devices has a Home Assistant, too.
func TestSimulatedHomeAssistant(t *testing.T) {
	t.Parallel()
	home := mesh.HomeOf50(demoSeed)
	w := startWorld(t, home, withHomeAssistant(home))
	ha, ok := w.HomeAssistant()
	b, err := json.Marshal(simulationDocument(home, w))
	if err != nil || !ok || !strings.Contains(string(b), `"home_assistant":{"url":"`+ha.URL+`","token":"`+ha.Token+`"}`) {
		t.Errorf("%v, %v: %s", ok, err, b)
	}
	var out strings.Builder
	a := &app{out: &out}
	if err := a.announce(home, w, look{}); err != nil || !strings.Contains(out.String(), "THREADMAP_HA_TOKEN="+ha.Token+" threadmap login ha "+ha.URL) {
		t.Errorf("%v: %s", err, out.String())
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
