package discovery

import (
	"encoding/hex"
	"net/netip"
)

// MeshCoP is the TXT record of a border agent, `_meshcop._udp` (Thread 8.4.1.1.2;
// OpenThread's border agent). All of it may be missing: without a dataset there
// is no network, while detached no partition.
type MeshCoP struct {
	RecordVersion   string // rv; "1"
	BorderAgentID   string // id; 32 lower-case hex digits: the most lasting name of a border router
	NetworkName     string // nn; as sent, normally UTF-8
	ExtPANID        uint64 // xp; 0: not said
	ExtAddr         uint64 // xa: the extended address of its Thread interface; 0: not said
	ThreadVersion   string // tv; "1.3.0"
	State           Opt[StateBitmap]
	ActiveTimestamp Opt[uint64] // at: seconds<<16 | ticks<<1 | authoritative
	PartitionID     Opt[uint32] // pt
	BBRSequence     Opt[uint8]  // sq: of the backbone router
	BBRPort         Opt[uint16] // bb
	Domain          string      // dn
	OMRPrefix       netip.Prefix
	Vendor, Model   string // vn, mn; as sent
	VendorOUI       string // vo; 6, 8 or 10 lower-case hex digits
	VendorData      []byte // vd
	DeviceID        Opt[uint64]
	// Odd lists keys whose value has a length that it can't have; they count as
	// not said.
	Odd []string
}

// ParseMeshCoP reads the record. It never fails: what can't be read is in Odd.
func ParseMeshCoP(t TXT) MeshCoP {
	m := MeshCoP{
		RecordVersion: t.text("rv"), NetworkName: t.text("nn"), ThreadVersion: t.text("tv"), Domain: t.text("dn"),
		Vendor: t.text("vn"), Model: t.text("mn"),
	}
	if b, ok := t.Get("id"); ok && len(b) == 16 {
		m.BorderAgentID = hex.EncodeToString(b)
	} else if ok {
		m.Odd = append(m.Odd, "id")
	}
	m.ExtPANID, _ = t.bigEndian("xp", 8, &m.Odd)
	m.ExtAddr, _ = t.bigEndian("xa", 8, &m.Odd)
	if v, ok := t.bigEndian("sb", 4, &m.Odd); ok {
		m.State = some(StateBitmap(v))
	}
	if v, ok := t.bigEndian("at", 8, &m.Odd); ok {
		m.ActiveTimestamp = some(v)
	}
	if v, ok := t.bigEndian("pt", 4, &m.Odd); ok {
		m.PartitionID = some(uint32(v))
	}
	if v, ok := t.bigEndian("sq", 1, &m.Odd); ok {
		m.BBRSequence = some(uint8(v))
	}
	if v, ok := t.bigEndian("bb", 2, &m.Odd); ok {
		m.BBRPort = some(uint16(v))
	}
	if v, ok := t.bigEndian("dd", 8, &m.Odd); ok {
		m.DeviceID = some(v)
	}
	if b, ok := t.Get("omr"); ok {
		if m.OMRPrefix, ok = omrPrefix(b); !ok {
			m.Odd = append(m.Odd, "omr")
		}
	}
	if b, ok := t.Get("vo"); ok {
		if len(b) >= 3 && len(b) <= 5 {
			m.VendorOUI = hex.EncodeToString(b)
		} else {
			m.Odd = append(m.Odd, "vo")
		}
	}
	if b, ok := t.Get("vd"); ok {
		m.VendorData = append([]byte{}, b...)
	}
	return m
}

// omrPrefix reads an octet of length in bits and the octets of a prefix; a
// prefix of length 0 is "none now".
func omrPrefix(b []byte) (netip.Prefix, bool) {
	if len(b) == 0 || b[0] > 128 || len(b)-1 < (int(b[0])+7)/8 || len(b) > 17 {
		return netip.Prefix{}, false
	}
	if b[0] == 0 {
		return netip.Prefix{}, true
	}
	var a [16]byte
	copy(a[:], b[1:])
	return netip.PrefixFrom(netip.AddrFrom16(a), int(b[0])).Masked(), true
}

// A StateBitmap is the value of sb: bit 0 is the least significant one. Older
// border routers fill bits 0 to 8 only; later ones use more bits, which must
// not make a reader fail.
type StateBitmap uint32

// A ThreadInterface is the state of a border router's Thread interface.
type ThreadInterface uint8

// The states of the Thread interface.
const (
	InterfaceOff         ThreadInterface = iota // not initialized
	InterfaceInitialized                        // initialized, not attached
	InterfaceActive                             // attached
)

// ConnectionMode says how a commissioner may connect: 0 not at all, 1 with the
// PSKc, 2 with a PSKd, 3 vendor's, 4 X.509.
func (s StateBitmap) ConnectionMode() uint8 { return uint8(s & 7) }

// Interface is the state of the Thread interface.
func (s StateBitmap) Interface() ThreadInterface { return ThreadInterface(s >> 3 & 3) }

// HighAvailability: the border agent is nearly always there.
func (s StateBitmap) HighAvailability() bool { return s>>5&3 == 1 }

// BBRActive and BBRPrimary are the backbone router function.
func (s StateBitmap) BBRActive() bool  { return s>>7&1 == 1 }
func (s StateBitmap) BBRPrimary() bool { return s>>8&1 == 1 }

// A MeshRole is what a border router is in its mesh.
type MeshRole uint8

// The roles.
const (
	RoleUnknown MeshRole = iota
	RoleChild
	RoleRouter
	RoleLeader
)

// Role is bits 9 and 10. They count only while the Thread interface is active,
// and even then zero is not "detached": firmware that knows nothing of these
// bits sends zero. Some are known to send a wrong role.
func (s StateBitmap) Role() MeshRole {
	if s.Interface() != InterfaceActive {
		return RoleUnknown
	}
	return MeshRole(s >> 9 & 3)
}

// EphemeralKey: it can open a window for an ephemeral key (ePSKc).
func (s StateBitmap) EphemeralKey() bool { return s>>11&1 == 1 }

// MultiAIL is the detection of several infrastructure links: 0 off, 1 on and
// none detected, 2 detected.
func (s StateBitmap) MultiAIL() uint8 { return uint8(s >> 12 & 3) }

// BorderAdmitter: it can admit joiners.
func (s StateBitmap) BorderAdmitter() bool { return s>>14&1 == 1 }

// TREL is the TXT record of `_trel._udp`.
type TREL struct {
	ExtAddr  uint64 // xa; 0: not said
	ExtPANID uint64 // xp; 0: not said
	Odd      []string
}

// ParseTREL reads the record.
func ParseTREL(t TXT) (r TREL) {
	r.ExtAddr, _ = t.bigEndian("xa", 8, &r.Odd)
	r.ExtPANID, _ = t.bigEndian("xp", 8, &r.Odd)
	return r
}
