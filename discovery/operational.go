package discovery

import (
	"strconv"
	"time"
)

// Defaults of Matter's session parameters (Core 4.12.8). They hold for a node
// that is no intermittently connected device in long idle time mode and does
// not say otherwise.
const (
	DefaultSII = 500 * time.Millisecond
	DefaultSAI = 300 * time.Millisecond
	DefaultSAT = 4 * time.Second
)

// Operational is what `_matter._tcp` says of a commissioned node (Core 4.3.2):
// one instance for each fabric that the node is on.
type Operational struct {
	Fabric uint64 // compressed fabric id
	Node   uint64
	Session
}

// Session are the TXT keys that `_matter._tcp`, `_matterc._udp` and
// `_matterd._udp` share (Core 4.3.4). A value out of its range was not said.
type Session struct {
	Idle      Opt[time.Duration] // SII, 1 ms to 1 h
	Active    Opt[time.Duration] // SAI, 1 ms to 1 h
	Threshold Opt[time.Duration] // SAT, 1 ms to 65.535 s
	TCP       Opt[uint8]         // T, as sent
	// LIT is the key ICD: true while the device operates in long idle time mode,
	// false while one that could does not. Not said: it can't, or it is no
	// intermittently connected device.
	LIT Opt[bool]
}

// ParseSession reads the shared keys.
func ParseSession(t TXT) Session {
	s := Session{
		Idle: t.millis("SII", 1, 3_600_000), Active: t.millis("SAI", 1, 3_600_000), Threshold: t.millis("SAT", 1, 65_535),
		TCP: t.number8("T", 255),
	}
	if n := t.number("ICD", 1); n.Known {
		s.LIT = some(n.Value == 1)
	}
	return s
}

// IdleInterval is the session idle interval; ok is false where neither was one
// said nor does the default hold: in long idle time mode.
func (s Session) IdleInterval() (d time.Duration, ok bool) {
	if s.Idle.Known {
		return s.Idle.Value, true
	}
	return DefaultSII, !(s.LIT.Known && s.LIT.Value)
}

// ActiveInterval is the session active interval, said or by default.
func (s Session) ActiveInterval() time.Duration {
	if s.Active.Known {
		return s.Active.Value
	}
	return DefaultSAI
}

// ActiveThreshold is the session active threshold, said or by default.
func (s Session) ActiveThreshold() time.Duration {
	if s.Threshold.Known {
		return s.Threshold.Value
	}
	return DefaultSAT
}

// TCPClient and TCPServer are bits 1 and 2 of T. Older devices sent a boolean,
// 1 for both.
func (s Session) TCPClient() bool { return s.TCP.Known && (s.TCP.Value == 1 || s.TCP.Value>>1&1 == 1) }
func (s Session) TCPServer() bool { return s.TCP.Known && (s.TCP.Value == 1 || s.TCP.Value>>2&1 == 1) }

// ParseOperational reads an instance label and its TXT. ok is false where the
// label is not the compressed fabric id and the node id, of 16 hex digits each.
func ParseOperational(instance string, t TXT) (o Operational, ok bool) {
	o.Fabric, o.Node, ok = OperationalID(instance)
	if !ok {
		return Operational{}, false
	}
	o.Session = ParseSession(t)
	return o, true
}

// OperationalID reads "87E1B004E235A130-8FC7772401CD0696", in either case.
func OperationalID(instance string) (fabric, node uint64, ok bool) {
	if len(instance) != 33 || instance[16] != '-' {
		return 0, 0, false
	}
	fabric, ok1 := hex64(instance[:16])
	node, ok2 := hex64(instance[17:])
	if !ok1 || !ok2 {
		return 0, 0, false
	}
	return fabric, node, true
}

// hex64 reads 16 hex digits and nothing else.
func hex64(s string) (uint64, bool) {
	if len(s) != 16 || !hexDigits(s) {
		return 0, false
	}
	v, err := strconv.ParseUint(s, 16, 64)
	return v, err == nil
}

func hexDigits(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; !(digit(s[i]) || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// A HostMeaning is what the form of a host label says.
type HostMeaning uint8

// The meanings.
const (
	// HostOther says nothing.
	HostOther HostMeaning = iota
	// HostExtAddr: 16 hex digits, as Thread devices of the Matter SDK name their
	// host: the extended address of their radio.
	HostExtAddr
	// HostMAC: 12 hex digits, a MAC address (Wi-Fi or Ethernet; it doesn't say
	// which); also matter.js' form, a MAC address and "0000", which has 16 digits
	// and is no extended address.
	HostMAC
)

// Host reads the first label of a host name. addr is the extended address or
// the 48-bit MAC address. A radio whose extended address ends in 0000 is taken
// for a MAC address: unnamed is better than wrong.
func Host(host Name) (what HostMeaning, addr uint64) {
	l := host.First()
	if len(l) == 12 {
		l += "0000"
	}
	v, ok := hex64(l)
	switch {
	case !ok || v == 0:
		return HostOther, 0
	case v&0xffff == 0:
		return HostMAC, v >> 16
	}
	return HostExtAddr, v
}
