package graphviz

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes have the process die with us, whatever ends us.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// restrain limits a process that just started. Where that is not allowed its
// time is limited all the same.
func restrain(pid int, limit time.Duration, memory uint64) {
	seconds := uint64((limit + time.Second - 1) / time.Second)
	for what, most := range map[int]uint64{unix.RLIMIT_CPU: seconds, unix.RLIMIT_DATA: memory, unix.RLIMIT_CORE: 0} {
		var l unix.Rlimit
		if unix.Prlimit(pid, what, nil, &l) == nil {
			l.Cur, l.Max = min(l.Cur, most), min(l.Max, most)
			unix.Prlimit(pid, what, &l, nil)
		}
	}
}
