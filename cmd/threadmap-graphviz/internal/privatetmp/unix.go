//go:build unix

package privatetmp

import "syscall"

// Folder is the folder, with TMPDIR set to it; to be removed at the end. It is
// empty where none could be made: then there is no place for temporary files.
var Folder = create()

// create makes a folder that was not there. Its name may be guessed: mkdir takes
// nothing that exists, be it a link, so that costs another try and no more.
func create() string {
	parent, _ := syscall.Getenv("TMPDIR")
	if parent == "" {
		parent = "/tmp"
	}
	var now syscall.Timeval
	syscall.Gettimeofday(&now) // only to need few tries
	prefix := parent + "/threadmap-graphviz-" + number(uint64(syscall.Getpid())) + "-"
	for try := range uint64(1000) {
		name := prefix + number(uint64(now.Usec)+try)
		err := syscall.Mkdir(name, 0o700)
		if err == nil {
			syscall.Setenv("TMPDIR", name)
			return name
		}
		if err != syscall.EEXIST && err != syscall.EINTR {
			break
		}
	}
	// Below a device there are no folders, so nothing is kept and nothing found.
	syscall.Setenv("TMPDIR", "/dev/null")
	return ""
}

func number(n uint64) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}
