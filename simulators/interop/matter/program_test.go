//go:build linux

package matter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A program is one of js, running. It is asked by lines of JSON and ends with
// the test, or when its stdin ends.
type program struct {
	t    testing.TB
	name string
	pid  int
	kill func() // ends it in the middle of whatever it does
	in   io.WriteCloser
	out  *bufio.Reader
	mu   sync.Mutex // one question at a time
}

// Where a program runs.
type place func(func() error) error

func inNear(f func() error) error { return f() }

// noIPv4 keeps a program from announcing addresses that it does not listen on.
const noIPv4 = "MATTER_MDNS_IPV4=false"

// start starts js/name, with more of an environment.
func start(t testing.TB, where place, name string, env ...string) *program {
	t.Helper()
	needLab(t)
	c := exec.Command("node", name)
	c.Dir = jsDir()
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MATTER_") })
	c.Env = append(c.Env, "MATTER_MDNS_NETWORKINTERFACE="+cable, "MATTER_LOG_LEVEL=error", "THREADMAP_STORAGE="+filepath.Join(t.TempDir(), name))
	c.Env = append(c.Env, env...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	c.WaitDelay = 5 * time.Second
	p := &program{t: t, name: name}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReaderSize(out, 1<<20)
	if err := where(c.Start); err != nil {
		t.Fatal(err)
	}
	p.pid = c.Process.Pid
	wait := sync.OnceFunc(func() { c.Wait() })
	p.kill = func() {
		c.Process.Kill()
		wait()
	}
	t.Cleanup(func() {
		in.Close()
		stop := time.AfterFunc(10*time.Second, func() { c.Process.Kill() })
		wait()
		stop.Stop()
		if t.Failed() && stderr.Len() > 0 {
			said := stderr.Bytes()
			t.Logf("%s said last: %s", name, said[max(0, len(said)-4000):])
		}
	})
	return p
}

// ask sends a command and reads the answer into answer, which may be nil.
func (p *program) ask(command, answer any) {
	p.t.Helper()
	if err := p.try(command, answer); err != nil {
		p.t.Fatal(err)
	}
}

// try is ask for an answer that may be an error.
func (p *program) try(command, answer any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	hangs := time.AfterFunc(3*time.Minute, p.kill)
	defer hangs.Stop()
	b, err := json.Marshal(command)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s ended: %w", p.name, err)
	}
	var failed struct{ Error string }
	if err := json.Unmarshal(line, &failed); err != nil {
		return fmt.Errorf("%s: %w: %.200s", p.name, err, line)
	}
	if failed.Error != "" {
		return fmt.Errorf("%s: %s", p.name, failed.Error)
	}
	if answer == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	return d.Decode(answer)
}

// A usage is what a program took so far.
type usage struct {
	CPU time.Duration
	RSS int64 // octets
}

func (p *program) usage() usage {
	p.t.Helper()
	var u struct {
		CPU int64 `json:"cpu_us"`
		RSS int64
	}
	p.ask(map[string]any{"do": "usage"}, &u)
	return usage{time.Duration(u.CPU) * time.Microsecond, u.RSS}
}

// mainThread is the CPU time of the thread that runs the program's own code,
// without those that collect garbage beside it.
func (p *program) mainThread() time.Duration {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/schedstat", p.pid, p.pid))
	if err != nil {
		p.t.Fatal(err)
	}
	var onCPU int64 // ns
	if _, err := fmt.Sscan(string(b), &onCPU); err != nil {
		p.t.Fatal(err)
	}
	return time.Duration(onCPU)
}
