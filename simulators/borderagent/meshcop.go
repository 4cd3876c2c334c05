package borderagent

import (
	"encoding/binary"
	"math/bits"

	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
)

// MeshCoP TLVs (Thread 8.10.1), framed as those of network diagnostics.
const (
	mcChannel            = 0
	mcPANID              = 1
	mcExtPANID           = 2
	mcNetworkName        = 3
	mcPSKc               = 4
	mcNetworkKey         = 5
	mcMeshLocalPrefix    = 7
	mcSteering           = 8
	mcBorderAgentLocator = 9
	mcCommissionerID     = 10
	mcSessionID          = 11
	mcSecurityPolicy     = 12
	mcGet                = 13
	mcActiveTimestamp    = 14
	mcState              = 16
	mcUDPEncapsulation   = 48
	mcIPv6Address        = 49
	mcChannelMask        = 53
)

// States of a petition or a keep-alive.
const (
	stateAccept = 0x01
	stateReject = 0xff
)

// maxCommissionerID is the longest id, in octets.
const maxCommissionerID = 64

// dataset is the active operational dataset in OpenThread's order, the secret
// ones included: the agent gives those to everybody who has a session.
func dataset(m *mesh.Mesh) []netdiag.TLV {
	prefix := m.MeshLocalPrefix.Addr().As16()
	mask := bits.Reverse32(0x07fff800) // channels 11 to 26, the first bit is channel 0
	return []netdiag.TLV{
		{Type: mcActiveTimestamp, Value: binary.BigEndian.AppendUint64(nil, m.ActiveTimestamp)},
		{Type: mcChannel, Value: []byte{0, 0, m.Channel}},
		{Type: mcChannelMask, Value: binary.BigEndian.AppendUint32([]byte{0, 4}, mask)},
		{Type: mcExtPANID, Value: binary.BigEndian.AppendUint64(nil, uint64(m.ExtPANID))},
		{Type: mcMeshLocalPrefix, Value: append([]byte(nil), prefix[:8]...)},
		{Type: mcNetworkKey, Value: append([]byte(nil), m.NetworkKey[:]...)},
		{Type: mcNetworkName, Value: []byte(m.Name)},
		{Type: mcPANID, Value: be16(m.PANID)},
		{Type: mcPSKc, Value: append([]byte(nil), m.PSKc[:]...)},
		{Type: mcSecurityPolicy, Value: []byte{0x02, 0xa0, 0xf7, 0xf8}},
	}
}

// chosen are the TLVs that a MGMT_GET asks for, in their own order; all, where
// it names no types.
func chosen(tlvs []netdiag.TLV, request []byte) []byte {
	asked, err := netdiag.SplitTLVs(request)
	if err != nil {
		return nil
	}
	types, some := netdiag.Find(asked, mcGet)
	var b []byte
	for _, t := range tlvs {
		wanted := !some
		for _, typ := range types {
			wanted = wanted || typ == t.Type
		}
		if wanted {
			b = netdiag.AppendTLV(b, t.Type, t.Value)
		}
	}
	return b
}
