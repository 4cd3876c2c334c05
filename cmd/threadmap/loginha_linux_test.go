package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"threadmap/cmd/threadmap/internal/ptytest"
	"threadmap/cmd/threadmap/internal/state"
	"threadmap/simulators/world"
)

// TestHomeIsOffered: the Home Assistant that announces itself is offered by name
// and address, and the token that is typed then is not shown.
func TestHomeIsOffered(t *testing.T) {
	t.Parallel()
	_, w, ha := homeOf50(t, world.HomeOptions{})
	keyboard, terminal := ptytest.Open(t)
	dir := t.TempDir()
	c := exec.Command("threadmap", "login", "ha", "--ask", w.MDNS().String())
	c.Env = append(os.Environ(), state.Env+"="+dir)
	asked := make(chan struct{})
	var stdout bytes.Buffer
	stderr := &lockedBuffer{}
	c.Stdin, c.Stdout, c.Stderr = terminal, &stdout, stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	want := `token of the Home Assistant "Home of 50" at ` + ha.URL + " (not shown): "
	go func() {
		for !strings.Contains(stderr.String(), want) {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
		close(asked)
	}()
	select {
	case <-asked:
	case <-time.After(30 * time.Second):
		t.Fatalf("it does not ask: %s", stderr.String())
	}
	if _, err := keyboard.WriteString(world.AdminToken + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil || !strings.Contains(stdout.String(), `"Home of 50". It is asked in every scan`) || strings.Contains(stderr.String()+stdout.String(), world.AdminToken) {
		t.Errorf("%v: %s%s", err, stdout.String(), stderr.String())
	}
	b, err := os.ReadFile(dir + "/credentials.json")
	if err != nil || !strings.Contains(string(b), world.AdminToken) {
		t.Errorf("the token is not kept: %v", err)
	}
}
