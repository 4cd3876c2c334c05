package capture

import "encoding/binary"

// Link types that are read (www.tcpdump.org/linktypes.html), and some that a
// person may have captured in vain.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRawBSD   = 12
	linkRawOld   = 14
	linkRaw      = 101
	linkWiFi     = 105
	linkLoop     = 108
	linkSLL      = 113
	linkPrism    = 119
	linkRadiotap = 127
	link154FCS   = 195
	link154PHY   = 215
	linkIPv4     = 228
	linkIPv6     = 229
	link154      = 230
	linkPKTAP    = 258
	linkSLL2     = 276
	link154TAP   = 283
)

// Types of Ethernet frames.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x88a8
	etherOld  = 0x9100
)

const maxTags = 4 // of VLANs; two are what there is

// A mac is the sender's link-layer address; zero: the capture does not tell.
type mac [6]byte

// network finds the IP packet in a frame. A nil packet is none of IP.
func network(link uint16, b []byte) (ip []byte, from mac) {
	switch link {
	case linkEthernet:
		if len(b) < 14 {
			return nil, mac{}
		}
		return ether(binary.BigEndian.Uint16(b[12:]), b[14:]), mac(b[6:12])
	case linkSLL: // two octets each: packet type, hardware type, address length; 8 of address; protocol
		if len(b) < 16 {
			return nil, mac{}
		}
		if binary.BigEndian.Uint16(b[4:]) == 6 {
			from = mac(b[6:12])
		}
		return ether(binary.BigEndian.Uint16(b[14:]), b[16:]), from
	case linkSLL2: // protocol, reserved, interface (4), hardware type, packet type, address length; 8 of address
		if len(b) < 20 {
			return nil, mac{}
		}
		if b[11] == 6 {
			from = mac(b[12:18])
		}
		return ether(binary.BigEndian.Uint16(b), b[20:]), from
	case linkRaw, linkRawBSD, linkRawOld, linkIPv4, linkIPv6:
		return version(b), mac{}
	case linkNull, linkLoop: // a family of addresses, whose numbers differ by system
		if len(b) < 4 {
			return nil, mac{}
		}
		return version(b[4:]), mac{}
	case linkPKTAP: // of macOS: a header that says its length and what is behind it
		if len(b) < 12 {
			return nil, mac{}
		}
		n, inner := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[8:])
		if n < 12 || uint64(n) > uint64(len(b)) || inner == linkPKTAP || inner > 0xffff {
			return nil, mac{}
		}
		return network(uint16(inner), b[n:])
	}
	return nil, mac{}
}

// readable reports whether packets of a link type can be read; where not, why.
func readable(link uint16) error {
	switch link {
	case linkEthernet, linkSLL, linkSLL2, linkRaw, linkRawBSD, linkRawOld, linkIPv4, linkIPv6, linkNull, linkLoop, linkPKTAP:
		return nil
	case link154, link154FCS, link154PHY, link154TAP:
		return errRadio
	case linkWiFi, linkPrism, linkRadiotap:
		return errWiFi
	}
	return errLink(link)
}

// ether steps over VLAN tags.
func ether(kind uint16, b []byte) []byte {
	for range maxTags {
		switch kind {
		case etherIPv4, etherIPv6:
			return version(b)
		case etherVLAN, etherQinQ, etherOld:
			if len(b) < 4 {
				return nil
			}
			kind, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		default:
			return nil
		}
	}
	return nil
}

// version is b where it is a packet of IP, by its first octet.
func version(b []byte) []byte {
	if len(b) > 0 && (b[0]>>4 == 4 || b[0]>>4 == 6) {
		return b
	}
	return nil
}
