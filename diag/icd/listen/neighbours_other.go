//go:build !linux

package listen

import "net/netip"

// neighbours is not known on this system.
func neighbours() (map[netip.Addr]string, error) { return nil, nil }
