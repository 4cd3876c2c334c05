//go:build !windows

package main

import "io"

// colorsWork reports whether the terminal behind w understands escape
// sequences.
func colorsWork(io.Writer) bool { return true }
