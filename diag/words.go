package diag

import "fmt"

// A Role is what a node does in its mesh, as it said itself.
type Role string

// The roles. A sleepy end device switches its receiver off between polls; a
// REED is an end device that could become a router.
const (
	RoleUnknown         Role = ""
	RoleDetached        Role = "detached"
	RoleSleepyEndDevice Role = "sleepy-end-device"
	RoleEndDevice       Role = "end-device"
	RoleREED            Role = "reed"
	RoleRouter          Role = "router"
	RoleLeader          Role = "leader"
)

// Routes reports whether a node in this role forwards for others.
func (r Role) Routes() bool { return r == RoleRouter || r == RoleLeader }

// IsChild reports whether a node in this role hangs on a parent.
func (r Role) IsChild() bool {
	return r == RoleSleepyEndDevice || r == RoleEndDevice || r == RoleREED
}

// A Transport is what a node's IP traffic runs over.
type Transport string

// The transports.
const (
	TransportUnknown  Transport = ""
	TransportThread   Transport = "thread"
	TransportWiFi     Transport = "wifi"
	TransportEthernet Transport = "ethernet"
)

// A Mode is the MLE mode of a node (Thread TLV 2; Network Diagnostic TLV
// types: bit 3 rx-on-when-idle, bit 1 full Thread device, bit 0 full network
// data).
type Mode struct {
	RxOnWhenIdle     bool `cbor:"rx_on_when_idle"`
	FullThreadDevice bool `cbor:"full_thread_device"`
	FullNetworkData  bool `cbor:"full_network_data"`
}

// ModeFromTLV reads the octet of TLV 2.
func ModeFromTLV(b byte) Mode {
	return Mode{RxOnWhenIdle: b&8 != 0, FullThreadDevice: b&2 != 0, FullNetworkData: b&1 != 0}
}

// Role is the role of a child with this mode. The mode can't tell a REED from
// an end device that will never be a router, so it never says REED.
func (m Mode) Role() Role {
	if !m.RxOnWhenIdle && !m.FullThreadDevice {
		return RoleSleepyEndDevice
	}
	return RoleEndDevice
}

// String is OpenThread's form: "rdn", "-" where no bit is set.
func (m Mode) String() string {
	s := ""
	for _, f := range []struct {
		on bool
		c  string
	}{{m.RxOnWhenIdle, "r"}, {m.FullThreadDevice, "d"}, {m.FullNetworkData, "n"}} {
		if f.on {
			s += f.c
		}
	}
	if s == "" {
		return "-"
	}
	return s
}

// A Rate is a share of frames or messages that failed, in 1/65535 (the unit of
// the Child TLV).
type Rate uint16

// RateFromPercent converts Matter's 0..100; more is clipped.
func RateFromPercent(p uint64) Rate { return Rate(min(p, 100) * 65535 / 100) }

// RateFromShare converts 0..1, the form of OTBR's REST; outside is clipped.
func RateFromShare(f float64) Rate {
	switch {
	case !(f > 0): // NaN too
		return 0
	case f >= 1:
		return 65535
	}
	return Rate(float64(f*65535) + 0.5) // the conversion keeps arm64 from fusing the two
}

// Permille is the rate in 1/1000, rounded.
func (r Rate) Permille() int { return (int(r)*1000 + 32767) / 65535 }

// String is a percentage with one decimal: "0.6%".
func (r Rate) String() string {
	p := r.Permille()
	return fmt.Sprintf("%d.%d%%", p/10, p%10)
}

// ThreadVersionName names the number that Thread puts in its version fields,
// "" for one it has not assigned.
func ThreadVersionName(v uint16) string {
	switch v {
	case 1:
		return "1.0"
	case 2:
		return "1.1"
	case 3:
		return "1.2"
	case 4:
		return "1.3"
	case 5:
		return "1.4"
	}
	return ""
}

// IsHAPID reports whether s is a HomeKit pairing id: "aa:bb:cc:dd:ee:ff", in lower case.
func IsHAPID(s string) bool {
	for i := range len(s) {
		if c := s[i]; i%3 == 2 && c != ':' || i%3 != 2 && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 17
}
