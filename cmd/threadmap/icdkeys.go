package main

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"
)

// readKeys reads single keys from a terminal until ctx ends, without echo, and hands
// them to tell from a goroutine. restore puts the terminal back; until then lines
// that are written to it end with "\r\n". ok is false where in is no terminal.
//
// A read can't be called off: it ends with the program, or takes one more key.
func readKeys(ctx context.Context, in io.Reader, tell func(byte)) (restore func(), ok bool) {
	f, isFile := in.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return nil, false
	}
	before, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, false
	}
	go func() {
		var b [1]byte
		for ctx.Err() == nil {
			n, err := f.Read(b[:])
			if err != nil || ctx.Err() != nil {
				return
			}
			if n == 1 {
				tell(b[0])
			}
		}
	}()
	return func() { term.Restore(int(f.Fd()), before) }, true
}
