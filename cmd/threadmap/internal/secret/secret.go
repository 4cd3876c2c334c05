// Package secret takes in credentials, from the only places that are fit for
// them: a prompt that does not echo, a file, or the environment. Never a flag,
// which every user of the machine can read and every shell writes down. The
// value it gives refuses to be printed, logged or stored by accident.
//
// The reader is below the "login" verbs that hand over a credential.
package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxSecret bounds a credential, in bytes: a long-lived access token has some
// 200, a Thread dataset in hexadecimal at most 508.
const maxSecret = 16 << 10

// A Secret is a credential. Printing it in any way gives "[secret]", and the
// usual encoders refuse it; only Reveal tells it.
type Secret struct{ b []byte }

// New is the secret b, of which it takes possession.
func New(b []byte) Secret { return Secret{b} }

const hidden = "[secret]"

var errStored = errors.New("a secret is not to be stored here")

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every verb of package fmt.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// MarshalText refuses, and with it JSON, YAML and CBOR by text.
func (Secret) MarshalText() ([]byte, error) { return nil, errStored }

// MarshalBinary refuses, and with it gob and CBOR.
func (Secret) MarshalBinary() ([]byte, error) { return nil, errStored }

// Reveal gives the secret itself, for the protocol that needs it.
func (s Secret) Reveal() []byte { return s.b }

// Wipe overwrites the secret in memory.
func (s Secret) Wipe() { clear(s.b) }

// A Request says which secret is wanted.
type Request struct {
	What   string // in plain words, for the prompt and for errors: "Home Assistant token"
	Env    string // the variable that may hold it; it must begin with THREADMAP_
	File   string // the file that holds it, where the user named one; "-" is standard input
	Getenv func(string) string
	Stdin  io.Reader // asked where Stdin is a terminal; only an *os.File can be one
	Prompt io.Writer // where the question goes
}

// Get takes the secret from the file if one is named, else from the
// environment, else by asking at a terminal. Space around it is cut off. It
// returns early, with the terminal as it was, when ctx ends.
func Get(ctx context.Context, r Request) (Secret, error) {
	switch {
	case r.File == "-":
		return fromReader(r, "standard input", r.Stdin)
	case r.File != "":
		f, err := os.Open(r.File)
		if err != nil {
			return Secret{}, fmt.Errorf("%s: %w", r.What, err)
		}
		defer f.Close()
		return fromReader(r, r.File, f)
	}
	if v := r.Getenv(r.Env); v != "" {
		return check(r, "$"+r.Env, []byte(v))
	}
	if f, ok := r.Stdin.(*os.File); ok && isTerminal(f) {
		fmt.Fprintf(r.Prompt, "%s (not shown): ", r.What)
		b, err := readHidden(ctx, f)
		fmt.Fprintln(r.Prompt)
		if err != nil {
			return Secret{}, fmt.Errorf("%s: %w", r.What, err)
		}
		return check(r, "the prompt", b)
	}
	return Secret{}, fmt.Errorf("%s: no terminal to ask at: put it into a file and name that, or into $%s", r.What, r.Env)
}

func fromReader(r Request, from string, in io.Reader) (Secret, error) {
	b, err := io.ReadAll(io.LimitReader(in, maxSecret+1))
	if err != nil {
		clear(b)
		return Secret{}, fmt.Errorf("%s: %w", r.What, err)
	}
	return check(r, from, b)
}

// check never quotes what it refuses.
func check(r Request, from string, b []byte) (Secret, error) {
	s := New(bytes.TrimSpace(b))
	switch {
	case len(s.b) == 0:
		return Secret{}, fmt.Errorf("%s: %s is empty", r.What, from)
	case len(b) > maxSecret:
		clear(b)
		return Secret{}, fmt.Errorf("%s: %s holds more than %d bytes: that is no credential", r.What, from, maxSecret)
	}
	return s, nil
}
