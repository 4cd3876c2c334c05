package main

import (
	"bytes"
	"strings"
	"testing"

	"threadmap/cmd/threadmap/internal/ptytest"
)

// TestNoticeAboveProgress: on a terminal a notice stays, and the progress goes on
// below it.
func TestNoticeAboveProgress(t *testing.T) {
	user, terminal := ptytest.Open(t)
	show := newProgress(terminal, "xterm", true)
	var n notices
	n.begin(terminal, show)
	n.tell("br", "another commissioner, \"\x1b[31mphone\", has the role")
	n.end()
	show.end()
	terminal.WriteString("END")
	var screen []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(screen, []byte("END")) {
		k, err := user.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		screen = append(screen, buf[:k]...)
	}
	s := strings.ReplaceAll(string(screen), "\r\n", "\n")
	want := "\r\x1b[K" + "br: another commissioner, \"phone\", has the role\n\rListening to the LAN, "
	if !strings.Contains(s, want) || !strings.HasSuffix(s, "\r\x1b[KEND") {
		t.Errorf("the screen shows %q", s)
	}
}
