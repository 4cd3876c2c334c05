package netdiag

import (
	"encoding/binary"

	"threadmap/diag"
)

// AppendConnectivity appends TLV 4: with its last two fields if both are known,
// without them, as old stacks do, otherwise.
func AppendConnectivity(b []byte, c diag.Connectivity) []byte {
	var priority byte
	switch {
	case c.ParentPriority > 0:
		priority = 1 << 6
	case c.ParentPriority < 0:
		priority = 3 << 6
	}
	v := []byte{priority, c.LinkQuality3, c.LinkQuality2, c.LinkQuality1, c.LeaderCost, c.IDSequence, c.ActiveRouters}
	size, known := c.SEDBufferSize.Get()
	count, both := c.SEDDatagramCount.Get()
	if known && both {
		v = append(binary.BigEndian.AppendUint16(v, size), count)
	}
	return AppendTLV(b, TypeConnectivity, v)
}

// ParseConnectivity reads the value of TLV 4, of 7 octets or of 10.
func ParseConnectivity(v []byte) (diag.Connectivity, error) {
	if err := length(TypeConnectivity, v, 7); err != nil {
		return diag.Connectivity{}, err
	}
	c := diag.Connectivity{
		ParentPriority: preference(v[0]), LinkQuality3: v[1], LinkQuality2: v[2], LinkQuality1: v[3],
		LeaderCost: v[4], IDSequence: v[5], ActiveRouters: v[6],
	}
	if len(v) > 7 {
		if err := length(TypeConnectivity, v, 10); err != nil {
			return diag.Connectivity{}, err
		}
		c.SEDBufferSize, c.SEDDatagramCount = diag.Some(binary.BigEndian.Uint16(v[7:])), diag.Some(v[9])
	}
	return c, nil
}

// AppendLeaderData appends TLV 6. What is unknown is written as zero.
func AppendLeaderData(b []byte, l diag.LeaderData) []byte {
	b = binary.BigEndian.AppendUint32(append(b, TypeLeaderData, 8), l.PartitionID.Or(0))
	return append(b, l.Weighting.Or(0), l.DataVersion.Or(0), l.StableDataVersion.Or(0), l.RouterID.Or(0))
}

// ParseLeaderData reads the value of TLV 6.
func ParseLeaderData(v []byte) (diag.LeaderData, error) {
	if err := length(TypeLeaderData, v, 8); err != nil {
		return diag.LeaderData{}, err
	}
	return diag.LeaderData{
		PartitionID: diag.Some(binary.BigEndian.Uint32(v)), Weighting: diag.Some(v[4]), DataVersion: diag.Some(v[5]),
		StableDataVersion: diag.Some(v[6]), RouterID: diag.Some(v[7]),
	}, nil
}
