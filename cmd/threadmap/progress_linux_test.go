package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"threadmap/cmd/threadmap/internal/ptytest"
	"threadmap/simulators/mesh"
	"threadmap/simulators/world"
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
		status := run(ctx, []string{"scan", "--source", "otbr", "--otbr", url}, nil, terminal, terminal, func(k string) string { return env[k] })
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

// TestProgressOfTheLAN: what was announced is told before anybody has answered.
func TestProgressOfTheLAN(t *testing.T) {
	w := startWorld(t, mesh.HomeOf50(demoSeed), world.Options{})
	user, terminal := ptytest.Open(t)
	asked := make(chan struct{}, 1)
	url, end := hangingServer(nil, asked)
	defer end()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	env := map[string]string{"THREADMAP_STATE": t.TempDir(), "TERM": "xterm"}
	over := make(chan int)
	go func() {
		over <- run(ctx, []string{"scan", "--ask", w.MDNS().String(), "--otbr", url}, nil, terminal, terminal, func(k string) string { return env[k] })
	}()
	var screen []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(screen, []byte("3 networks, 6 border routers, 44 devices announced; asking 1 place: ")) {
		n, err := user.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		screen = append(screen, buf[:n]...)
	}
	if !bytes.HasPrefix(screen, []byte("\rListening to the LAN, 0 s.")) {
		t.Errorf("the screen does not begin with the progress: %q", screen)
	}
	go io.Copy(io.Discard, user)
	cancel()
	if status := <-over; status != exitInterrupted {
		t.Errorf("exit status %d", status)
	}
}

// TestNoProgress: nothing of it where nobody could see it, or it could not be
// taken away.
func TestNoProgress(t *testing.T) {
	_, terminal := ptytest.Open(t)
	if newProgress(&bytes.Buffer{}, "xterm", true) != nil || newProgress(terminal, "dumb", true) != nil {
		t.Error("progress is shown")
	}
}
