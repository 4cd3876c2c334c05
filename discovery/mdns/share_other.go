//go:build !windows && !(unix && !solaris && !aix)

package mdns

import "net"

// share has no options to set on this system.
func share(uintptr, string, *net.Interface) error { return nil }
