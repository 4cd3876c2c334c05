package main

import (
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// colorsWork reports whether the console behind w understands escape
// sequences, which older ones must be asked to.
func colorsWork(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	h := windows.Handle(f.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
