package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"threadmap/cmd/threadmap/internal/ptytest"
)

// TestProgress: on a terminal the scan says at once that it is at work, and
// takes that line away in the end; the tree gets colors.
func TestProgress(t *testing.T) {
	user, terminal := ptytest.Open(t)
	asked := make(chan struct{}, 1)
	url, end := hangingServer(map[string]string{"/node": halfwayNode}, asked)
	defer end()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
	}()
	env := map[string]string{"THREADMAP_STATE": t.TempDir(), "TERM": "xterm"}
	over := make(chan int)
	go func() {
		status := run(ctx, []string{"scan", "--otbr", url}, nil, terminal, terminal, func(k string) string { return env[k] })
		terminal.WriteString("END")
		over <- status
	}()
	var screen []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(screen, []byte("END")) {
		n, err := user.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		screen = append(screen, buf[:n]...)
	}
	if status := <-over; status != exitInterrupted {
		t.Errorf("exit status %d", status)
	}
	s := string(screen)
	if !strings.HasPrefix(s, "\rAsking 1 place: 0 done, 0 answers, 0 s.") {
		t.Errorf("the screen does not begin with the progress: %q", s)
	}
	line := strings.LastIndex(s, "Asking")
	gone := strings.LastIndex(s, "\r\x1b[K")
	tree := strings.Index(s, "0e01010101010101")
	if !(line < gone && gone < tree) {
		t.Errorf("progress at %d, taken away at %d, tree at %d: %q", line, gone, tree, s)
	}
	if !strings.Contains(s, "\x1b[1m") {
		t.Errorf("no colors on a terminal: %q", s)
	}
}

// TestNoProgress: nothing of it where nobody could see it, or it could not be
// taken away.
func TestNoProgress(t *testing.T) {
	_, terminal := ptytest.Open(t)
	if newProgress(&bytes.Buffer{}, 3, "xterm") != nil || newProgress(terminal, 3, "dumb") != nil || newProgress(terminal, 0, "xterm") != nil {
		t.Error("progress is shown")
	}
}
