//go:build !(linux || darwin || netbsd || openbsd)

package main

import "time"

// limit does nothing here: whoever starts the program kills it.
func limit(time.Duration, uint64) {}
