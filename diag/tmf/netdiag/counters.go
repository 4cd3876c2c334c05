package netdiag

import (
	"encoding/binary"

	"threadmap/diag"
)

// MACCounters are TLV 9: the counters of the interface, in the order of
// MACCounterNames.
type MACCounters [9]uint32

// MACCounterNames are the names of MACCounters.
var MACCounterNames = [9]diag.Counter{
	diag.IfInUnknownProtos, diag.IfInErrors, diag.IfOutErrors, diag.IfInUcastPkts, diag.IfInBroadcastPkts, diag.IfInDiscards,
	diag.IfOutUcastPkts, diag.IfOutBroadcastPkts, diag.IfOutDiscards,
}

// AppendMACCounters appends TLV 9.
func AppendMACCounters(b []byte, c MACCounters) []byte {
	b = append(b, TypeMACCounters, 36)
	for _, n := range c {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// ParseMACCounters reads the value of TLV 9.
func ParseMACCounters(v []byte) (c MACCounters, err error) {
	if err := length(TypeMACCounters, v, 36); err != nil {
		return c, err
	}
	for i := range c {
		c[i] = binary.BigEndian.Uint32(v[4*i:])
	}
	return c, nil
}

// MLECounters are TLV 34: how often, and for how long, a node was in which role
// since it started to count.
type MLECounters struct {
	Counts [9]uint16 // in the order of MLECountNames
	Millis [6]uint64 // in the order of MLETimeNames
}

// Names of the MLE counters.
var (
	MLECountNames = [9]diag.Counter{
		diag.DisabledRoleCount, diag.DetachedRoleCount, diag.ChildRoleCount, diag.RouterRoleCount, diag.LeaderRoleCount, diag.AttachAttemptCount,
		diag.PartitionIDChangeCount, diag.BetterPartitionAttachAttemptCount, diag.ParentChangeCount,
	}
	MLETimeNames = [6]diag.Counter{
		diag.TrackedMillis, diag.DisabledMillis, diag.DetachedMillis, diag.ChildMillis, diag.RouterMillis, diag.LeaderMillis,
	}
)

// AppendMLECounters appends TLV 34.
func AppendMLECounters(b []byte, c MLECounters) []byte {
	b = append(b, TypeMLECounters, 66)
	for _, n := range c.Counts {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	for _, n := range c.Millis {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// ParseMLECounters reads the value of TLV 34.
func ParseMLECounters(v []byte) (c MLECounters, err error) {
	if err := length(TypeMLECounters, v, 66); err != nil {
		return c, err
	}
	for i := range c.Counts {
		c.Counts[i] = binary.BigEndian.Uint16(v[2*i:])
	}
	for i := range c.Millis {
		c.Millis[i] = binary.BigEndian.Uint64(v[18+8*i:])
	}
	return c, nil
}
