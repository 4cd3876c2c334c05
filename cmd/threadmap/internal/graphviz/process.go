package graphviz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"threadmap/render"
)

// inherited is what the process sees of our environment: what programs need to
// find their libraries, fonts and language, and none of our credentials.
var inherited = []string{
	"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_CACHE_HOME", "XDG_DATA_DIRS",
	"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "GVBINDIR", "SystemRoot", "PATHEXT", "LOCALAPPDATA", "USERPROFILE",
}

// Draw has the drawing made. It is whole, or there is an error.
func (p Program) Draw(ctx context.Context, j Job) ([]byte, error) {
	return p.draw(ctx, j, maxTime, maxPicture)
}

func (p Program) draw(ctx context.Context, j Job, limit time.Duration, most int) ([]byte, error) {
	folder, err := os.MkdirTemp("", own+"-")
	if err != nil { // about a folder that is not the user's: not to be taken for the picture's
		return nil, fmt.Errorf("no folder for Graphviz: %v", err)
	}
	defer os.RemoveAll(folder)
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out := &bounded{most: most, over: cancel}
	complaint := &head{most: 8 << 10}
	cmd := exec.CommandContext(timed, p.path, "-K"+j.Engine, "-T"+j.Format)
	cmd.Stdout, cmd.Stderr = out, complaint
	cmd.Dir = folder
	cmd.Env = []string{"TMPDIR=" + folder, "TMP=" + folder, "TEMP=" + folder}
	for _, name := range inherited {
		if v := j.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.WaitDelay = 2 * time.Second // for what holds its output open and was not in its group
	apart(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// The process dies with the thread that started it, as far as that can be had.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		in.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("cannot start Graphviz: %v", err)
	}
	// It waits for its input, so the limits come in time.
	if !p.own {
		restrain(cmd.Process.Pid, limit, maxMemory)
	}
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		io.Copy(in, bytes.NewReader(j.DOT)) // what it did not read, it says itself
		in.Close()
	}()
	err = cmd.Wait()
	in.Close()
	<-fed
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case out.full:
		return nil, fmt.Errorf("the picture by Graphviz has more than %d MB", most>>20)
	case timed.Err() != nil:
		return nil, fmt.Errorf("not done by Graphviz after %v", limit)
	case err != nil:
		return nil, fmt.Errorf("not drawn by Graphviz: %s", why(err, complaint.b, folder))
	}
	if err := checkPicture(out.b.Bytes(), j.Format, j.Nodes); err != nil {
		return nil, fmt.Errorf("what Graphviz drew is not kept: %w", err)
	}
	return out.b.Bytes(), nil
}

// why is one clean line on what went wrong: the first that names an error, else
// the first.
func why(err error, complaint []byte, folder string) string {
	first, said := "", ""
	for line := range strings.Lines(string(complaint)) {
		line = strings.TrimSpace(render.Clean(strings.ReplaceAll(line, folder, "its folder")))
		line = strings.TrimPrefix(line, own+": ")
		lower := strings.ToLower(line)
		if said == "" && (strings.HasPrefix(lower, "error") || strings.HasPrefix(lower, "fatal error")) {
			said = line
		}
		if first == "" {
			first = line
		}
	}
	if said == "" {
		said = first
	}
	if said == "" {
		said = err.Error()
	}
	if runes := []rune(said); len(runes) > 200 {
		said = string(runes[:200]) + "..."
	}
	return said
}

// A bounded buffer calls over once when it is to hold more than it may.
type bounded struct {
	b    bytes.Buffer
	most int
	over func()
	full bool
}

func (w *bounded) Write(p []byte) (int, error) {
	if len(p) > w.most-w.b.Len() {
		w.full = true
		w.over()
		return 0, errors.New("too much")
	}
	return w.b.Write(p)
}

// A head keeps the beginning and takes all.
type head struct {
	b    []byte
	most int
}

func (w *head) Write(p []byte) (int, error) {
	w.b = append(w.b, p[:min(len(p), w.most-len(w.b))]...)
	return len(p), nil
}
