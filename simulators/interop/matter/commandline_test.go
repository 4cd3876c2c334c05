//go:build linux

package matter

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/setup"
)

// A user is somebody at a shell with threadmap and a state of its own.
type user struct {
	t      *testing.T
	binary string
	state  string
	said   *bytes.Buffer // all that it ever printed
}

func newUser(t *testing.T) user {
	t.Helper()
	needLab(t)
	u := user{t: t, binary: filepath.Join(t.TempDir(), "threadmap"), state: t.TempDir(), said: new(bytes.Buffer)}
	if out, err := exec.Command("go", "build", "-o", u.binary, "threadmap/cmd/threadmap").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return u
}

// run runs threadmap and returns what it prints and its exit status.
func (u user) run(args ...string) (stdout []byte, stderr string, status int) {
	u.t.Helper()
	var errs bytes.Buffer
	c := exec.CommandContext(patience(u.t, 3*time.Minute), u.binary, args...)
	c.Env = append(os.Environ(), "THREADMAP_STATE="+u.state)
	c.Stderr = &errs
	out, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		u.t.Fatal(err)
	}
	u.said.Write(out)
	u.said.Write(errs.Bytes())
	return out, errs.String(), c.ProcessState.ExitCode()
}

// TestCommandLine: what a user does with fifteen devices and their setup codes
// ends in the map of their mesh.
func TestCommandLine(t *testing.T) {
	u := newUser(t)
	m := lab(6)
	nodes := nodesOf(m, 1)
	h := startNodes(t, nodes...)

	wrong, err := setup.NewPasscode(nodes[0].Passcode + 1)
	if err != nil {
		t.Fatal(err)
	}
	code, err := setup.Payload{
		Passcode: wrong, Discriminator: setup.Discriminator{Value: nodes[0].Discriminator},
		Flow: diag.Some(setup.Standard),
	}.ManualCode()
	if err != nil {
		t.Fatal(err)
	}
	if out, why, status := u.run("pair", code); status != 1 || len(out) > 0 || !strings.Contains(why, "another passcode") || strings.Count(strings.TrimSpace(why), "\n") > 0 {
		t.Errorf("a wrong code: status %d, %q, %q", status, out, why)
	}

	for i, n := range nodes {
		verb := []string{"pair"}
		if i%2 == 0 {
			verb = []string{"login", "matter"}
		}
		began := time.Now()
		if out, why, status := u.run(append(verb, h.codes[n.ID][i%2])...); status != 0 || !bytes.Contains(out, []byte(n.Label)) {
			t.Fatalf("%s: status %d, %q, %q", n.ID, status, out, why)
		}
		t.Logf("%s is paired after %v", n.ID, time.Since(began).Round(time.Millisecond))
	}
	out, why, status := u.run("login", "list")
	if status != 0 || bytes.Count(out, []byte("\n")) < len(nodes) {
		t.Errorf("login list: %d, %s, %s", status, out, why)
	}
	for _, scan := range []string{"first", "second"} {
		began := time.Now()
		out, why, status := u.run("scan", "--json")
		t.Logf("%s scan: %v, status %d", scan, time.Since(began).Round(time.Millisecond), status)
		if status != 0 {
			t.Errorf("%s scan: status %d: %s", scan, status, why)
		}
		d := parse(t, out)
		for _, d := range differences(m, d) {
			t.Errorf("%s scan: %s", scan, d)
		}
		for _, p := range d.Problems {
			t.Errorf("%s scan: %v", scan, p)
		}
	}
	codes := []string{code}
	for _, n := range nodes {
		codes = append(codes, h.codes[n.ID][0], h.codes[n.ID][1])
	}
	for _, c := range codes {
		if bytes.Contains(u.said.Bytes(), []byte(c)) {
			t.Errorf("the setup code %s is printed", c)
		}
	}
}
