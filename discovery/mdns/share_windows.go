package mdns

import (
	"net"

	"golang.org/x/sys/windows"
)

// share lets a socket share its port. Windows tells no interface with a packet,
// but gives a socket only the groups that it joined itself.
func share(fd uintptr, _ string, _ *net.Interface) error {
	return windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
}
