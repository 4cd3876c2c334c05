package meshcop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"unicode/utf8"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
)

// MeshCoP TLV types (Thread 8.10.1).
const (
	TypeChannel            uint8 = 0
	TypePANID              uint8 = 1
	TypeExtPANID           uint8 = 2
	TypeNetworkName        uint8 = 3
	TypePSKc               uint8 = 4 // never asked for
	TypeNetworkKey         uint8 = 5 // never asked for
	TypeMeshLocalPrefix    uint8 = 7
	TypeSteeringData       uint8 = 8
	TypeBorderAgentLocator uint8 = 9
	TypeCommissionerID     uint8 = 10
	TypeSessionID          uint8 = 11
	TypeSecurityPolicy     uint8 = 12
	TypeGet                uint8 = 13
	TypeActiveTimestamp    uint8 = 14
	TypeCommissionerPort   uint8 = 15
	TypeState              uint8 = 16
	TypeJoinerPort         uint8 = 18
	TypeUDPEncapsulation   uint8 = 48
	TypeIPv6Address        uint8 = 49
	TypePendingTimestamp   uint8 = 51
	TypeDelayTimer         uint8 = 52
	TypeChannelMask        uint8 = 53
	TypeDomainName         uint8 = 59
	TypeWakeUpChannel      uint8 = 74
)

// Paths of the border agent (c/…) and of mesh nodes (d/…).
const (
	PathActiveGet       = "c/ag"
	PathPendingGet      = "c/pg"
	PathCommissionerGet = "c/cg"
	PathPetition        = "c/cp"
	PathKeepAlive       = "c/ca"
	PathTransmit        = "c/ut" // UDP_TX.ntf
	PathReceive         = "c/ur" // UDP_RX.ntf
	PathDiagGet         = "d/dg"
	PathDiagQuery       = "d/dq"
	PathDiagAnswer      = "d/da"
)

// MaxID is the longest commissioner id, in octets.
const MaxID = 64

// A State is TLV 16, in answers to petitions and in keep-alives.
type State int8

// The states.
const (
	Reject  State = -1 // in a keep-alive: the commissioner resigns
	Pending State = 0
	Accept  State = 1
)

// AppendState appends TLV 16.
func AppendState(b []byte, s State) []byte { return append(b, TypeState, 1, byte(s)) }

// AppendSessionID appends TLV 11.
func AppendSessionID(b []byte, id uint16) []byte {
	return binary.BigEndian.AppendUint16(append(b, TypeSessionID, 2), id)
}

// AppendCommissionerID appends TLV 10.
func AppendCommissionerID(b []byte, id string) []byte {
	return netdiag.AppendTLV(b, TypeCommissionerID, []byte(id[:min(len(id), MaxID)]))
}

// AppendGet appends TLV 13: which types of a dataset are wanted. Without it a
// border agent hands over everything, keys included.
func AppendGet(b []byte, types ...uint8) []byte { return netdiag.AppendTLV(b, TypeGet, types) }

// A Verdict is what a petition or a keep-alive was answered.
type Verdict struct {
	State     diag.Opt[State]
	SessionID diag.Opt[uint16]
	Holder    string // who has the role, as it calls itself; cleaned
}

// ParseVerdict reads the payload of such an answer.
func ParseVerdict(b []byte) (Verdict, error) {
	tlvs, err := netdiag.SplitTLVs(b)
	if err != nil {
		return Verdict{}, err
	}
	var v Verdict
	for _, t := range tlvs {
		switch t.Type {
		case TypeState:
			if len(t.Value) != 1 {
				return Verdict{}, fmt.Errorf("state of %d octets, want 1", len(t.Value))
			}
			v.State = diag.Some(State(int8(t.Value[0])))
		case TypeSessionID:
			if len(t.Value) != 2 {
				return Verdict{}, fmt.Errorf("session id of %d octets, want 2", len(t.Value))
			}
			v.SessionID = diag.Some(binary.BigEndian.Uint16(t.Value))
		case TypeCommissionerID:
			v.Holder = cleanName(t.Value)
		}
	}
	return v, nil
}

// cleanName is a stranger's name on one short line.
func cleanName(b []byte) string {
	b = b[:min(len(b), MaxID)]
	s := make([]rune, 0, len(b))
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if b = b[n:]; r == utf8.RuneError || r < ' ' || r >= 0x7f && r < 0xa0 {
			r = '?'
		}
		s = append(s, r)
	}
	return string(s)
}

// Dataset is what the product keeps of an active dataset.
type Dataset struct {
	Network diag.Network
}

// wanted are the types asked of the active dataset: neither the PSKc (4) nor
// the network key (5).
var wanted = []uint8{TypeActiveTimestamp, TypeChannel, TypePANID, TypeExtPANID, TypeNetworkName, TypeMeshLocalPrefix}

// ParseDataset reads the answer to c/ag, whatever else is in it. The
// mesh-local prefix must be there: without it no node can be named.
func ParseDataset(b []byte) (Dataset, error) {
	tlvs, err := netdiag.SplitTLVs(b)
	if err != nil {
		return Dataset{}, err
	}
	var d Dataset
	n := &d.Network
	for _, t := range tlvs {
		v := t.Value
		wrong := func(want int) error {
			return fmt.Errorf("dataset: TLV %d of %d octets, want %d", t.Type, len(v), want)
		}
		switch t.Type {
		case TypeActiveTimestamp:
			if len(v) != 8 {
				return Dataset{}, wrong(8)
			}
			n.ActiveTimestamp = diag.Some(binary.BigEndian.Uint64(v))
		case TypeChannel:
			if len(v) != 3 {
				return Dataset{}, wrong(3)
			}
			if c := binary.BigEndian.Uint16(v[1:]); c <= 255 {
				n.Channel = diag.Some(uint8(c))
			}
		case TypePANID:
			if len(v) != 2 {
				return Dataset{}, wrong(2)
			}
			n.PANID = diag.Some(binary.BigEndian.Uint16(v))
		case TypeExtPANID:
			if len(v) != 8 {
				return Dataset{}, wrong(8)
			}
			n.ExtPANID = diag.PANID64(binary.BigEndian.Uint64(v))
		case TypeNetworkName:
			if len(v) > 16 || !utf8.Valid(v) {
				return Dataset{}, errors.New("dataset: the network name is none")
			}
			n.Name = string(v)
		case TypeMeshLocalPrefix:
			if len(v) != 8 {
				return Dataset{}, wrong(8)
			}
			var a [16]byte
			copy(a[:], v)
			n.MeshLocalPrefix = netip.PrefixFrom(netip.AddrFrom16(a), 64)
		}
	}
	if !n.MeshLocalPrefix.IsValid() {
		return Dataset{}, errors.New("dataset: it has no mesh-local prefix")
	}
	return d, nil
}

// Commissioning is the commissioning dataset: who commissions now.
type Commissioning struct {
	BorderAgentLocator diag.RLOC16 // of the border agent that serves the commissioner
	SessionID          diag.Opt[uint16]
	Joining            bool // steering data admits somebody: a device is being added
}

// ParseCommissioning reads the answer to c/cg; it may be empty.
func ParseCommissioning(b []byte) (Commissioning, error) {
	tlvs, err := netdiag.SplitTLVs(b)
	if err != nil {
		return Commissioning{}, err
	}
	var c Commissioning
	for _, t := range tlvs {
		switch {
		case t.Type == TypeSteeringData:
			c.Joining = slices.ContainsFunc(t.Value, func(o byte) bool { return o != 0 })
		case t.Type == TypeBorderAgentLocator && len(t.Value) == 2:
			c.BorderAgentLocator = diag.MakeRLOC16(binary.BigEndian.Uint16(t.Value))
		case t.Type == TypeSessionID && len(t.Value) == 2:
			c.SessionID = diag.Some(binary.BigEndian.Uint16(t.Value))
		}
	}
	return c, nil
}
