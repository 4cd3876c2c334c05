//go:build unix && !linux && !darwin && !solaris && !aix

package mdns

import (
	"net"

	"golang.org/x/sys/unix"
)

// share lets a socket share its port with other programs.
func share(fd uintptr, _ string, _ *net.Interface) error {
	if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}
