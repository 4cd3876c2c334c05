package listen

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
)

// Sizes and numbers of linux/neighbour.h.
const (
	sizeofNdMsg = 12
	ndaDst      = 1
	ndaLLAddr   = 2
	// Entries in these states have no address that was ever confirmed.
	nudIncomplete, nudFailed, nudNoARP = 0x01, 0x20, 0x40
	maxNeighbours                      = 4096
)

// neighbours is the kernel's table: hardware addresses by IP address. It needs
// no rights. /proc has the table of IPv4 only.
func neighbours() (map[netip.Addr]string, error) {
	b, err := syscall.NetlinkRIB(syscall.RTM_GETNEIGH, syscall.AF_UNSPEC)
	if err != nil {
		return nil, err
	}
	all, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return nil, err
	}
	out := map[netip.Addr]string{}
	for _, m := range all {
		if m.Header.Type != syscall.RTM_NEWNEIGH || len(out) >= maxNeighbours {
			continue
		}
		if a, mac, ok := neighbour(m.Data); ok {
			out[a] = mac
		}
	}
	return out, nil
}

// neighbour reads one entry: its fixed part and its attributes.
func neighbour(b []byte) (a netip.Addr, mac string, ok bool) {
	if len(b) < sizeofNdMsg || binary.NativeEndian.Uint16(b[8:])&(nudIncomplete|nudFailed|nudNoARP) != 0 {
		return a, "", false
	}
	for b = b[sizeofNdMsg:]; len(b) >= 4; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			return a, "", false
		}
		switch binary.NativeEndian.Uint16(b[2:]) {
		case ndaDst:
			a, _ = netip.AddrFromSlice(b[4:n])
		case ndaLLAddr:
			if n == 4+6 {
				mac = net.HardwareAddr(b[4:n]).String()
			}
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return a, mac, a.IsValid() && mac != "" && mac != "00:00:00:00:00:00"
}
