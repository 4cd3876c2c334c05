package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"threadmap/cmd/threadmap/internal/ptytest"
)

// whenHidden does something once the terminal hides what is typed.
func whenHidden(t *testing.T, terminal *os.File, do func()) {
	for {
		switch echoes, err := ptytest.Echoes(terminal); {
		case err != nil:
			t.Error(err)
			return
		case !echoes:
			do()
			return
		}
		runtime.Gosched()
	}
}

func checkEchoes(t *testing.T, terminal *os.File) {
	t.Helper()
	if echoes, err := ptytest.Echoes(terminal); err != nil || !echoes {
		t.Errorf("the terminal stays dumb (%v)", err)
	}
}

// onPrompt calls do when the question is asked.
type onPrompt struct {
	bytes.Buffer
	do func()
}

func (p *onPrompt) Write(b []byte) (int, error) {
	if do := p.do; do != nil {
		p.do = nil
		do()
	}
	return p.Buffer.Write(b)
}

func TestPromptDoesNotEcho(t *testing.T) {
	user, terminal := ptytest.Open(t)
	prompt := &onPrompt{}
	r := request(nil)
	r.Stdin, r.Prompt = terminal, prompt
	prompt.do = func() {
		go whenHidden(t, terminal, func() { fmt.Fprintf(user, "%s\n", canary) })
	}
	s, err := Get(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if string(s.Reveal()) != canary {
		t.Errorf("read %q, want %q", s.Reveal(), canary)
	}
	if !strings.Contains(prompt.String(), "test token") {
		t.Errorf("the prompt is %q", prompt.String())
	}
	checkEchoes(t, terminal)
	fmt.Fprint(terminal, "END")
	screen := make([]byte, 4096)
	n, err := user.Read(screen)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(screen[:n]); strings.Contains(got, canary) || !strings.Contains(got, "END") {
		t.Errorf("the screen shows %q", got)
	}
}

func TestPromptStops(t *testing.T) {
	_, terminal := ptytest.Open(t)
	ctx, cancel := context.WithCancel(context.Background())
	prompt := &onPrompt{do: func() { go whenHidden(t, terminal, cancel) }}
	r := request(nil)
	r.Stdin, r.Prompt = terminal, prompt
	if _, err := Get(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
	checkEchoes(t, terminal)
}
