package mdns

import (
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// ipv6MulticastAll is IPV6_MULTICAST_ALL (linux/in6.h, Linux 4.20).
const ipv6MulticastAll = 29

// share lets a socket share its port with other programs and ties it to one
// interface. SO_REUSEADDR is what lets sockets of other users in; what ties it
// may be refused by old systems, then the control messages of each packet tell.
func share(fd uintptr, network string, i *net.Interface) error {
	if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	unix.BindToDevice(int(fd), i.Name)
	if strings.HasSuffix(network, "6") {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, ipv6MulticastAll, 0)
	} else {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0)
	}
	return nil
}
