//go:build linux || darwin || netbsd || openbsd

package main

import (
	"syscall"
	"time"
)

// limit has the system end the program where it can't itself: while the machine
// code of Graphviz runs, a garbage collection that waits for it stops watch, too.
// A system without a limit of this kind goes without.
func limit(most time.Duration, memory uint64) {
	seconds := uint64(2 * most / time.Second) // of all processors together
	lower(syscall.RLIMIT_CPU, seconds)
	lower(syscall.RLIMIT_DATA, 2*memory) // in the meantime watch has its say
	lower(syscall.RLIMIT_CORE, 0)
}

// lower makes a limit smaller, never larger.
func lower(what int, most uint64) {
	var l syscall.Rlimit
	if syscall.Getrlimit(what, &l) != nil {
		return
	}
	l.Cur, l.Max = min(l.Cur, most), min(l.Max, most)
	syscall.Setrlimit(what, &l)
}
