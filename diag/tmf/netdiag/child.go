package netdiag

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"threadmap/diag"
)

// A ChildTableRow is a row of TLV 16: little, but it always fits.
type ChildTableRow struct {
	ChildID         uint16 // 1..511
	TimeoutExponent uint8  // 0..31; see Timeout
	LQIn            uint8  // 0..3, what the parent receives; 0 also in stacks that don't tell
	Mode            diag.Mode
}

// Timeout is the child's timeout: 2^(e-4) seconds, rounded up.
func (r ChildTableRow) Timeout() time.Duration {
	if r.TimeoutExponent < 4 {
		return time.Second
	}
	return time.Second << (r.TimeoutExponent&31 - 4)
}

// AppendChildTable appends TLV 16.
func AppendChildTable(b []byte, rows []ChildTableRow) []byte {
	v := make([]byte, 0, 3*len(rows))
	for _, r := range rows {
		v = binary.BigEndian.AppendUint16(v, uint16(r.TimeoutExponent&31)<<11|uint16(r.LQIn&3)<<9|r.ChildID&diag.MaxChildID)
		v = append(v, modeOctet(r.Mode))
	}
	return AppendTLV(b, TypeChildTable, v)
}

// ParseChildTable reads the value of TLV 16; never nil without an error: a
// router without children says so by an empty table.
func ParseChildTable(v []byte) ([]ChildTableRow, error) {
	if len(v)%3 != 0 {
		return nil, fmt.Errorf("%s: %d octets, want a multiple of 3", TypeName(TypeChildTable), len(v))
	}
	if len(v)/3 > diag.MaxChildID {
		return nil, fmt.Errorf("%s: %d rows, more than %d", TypeName(TypeChildTable), len(v)/3, diag.MaxChildID)
	}
	rows := make([]ChildTableRow, 0, len(v)/3)
	for ; len(v) > 0; v = v[3:] {
		n := binary.BigEndian.Uint16(v)
		rows = append(rows, ChildTableRow{n & diag.MaxChildID, uint8(n >> 11), uint8(n >> 9 & 3), diag.ModeFromTLV(v[2])})
	}
	return rows, nil
}

// A Child is TLV 29: what a router knows of one child. Times are whole seconds.
type Child struct {
	RLOC16           diag.RLOC16
	ExtAddr          diag.ExtAddr
	Mode             diag.Mode
	CSLSynchronized  bool
	ErrorRates       bool // the two error rates count
	ThreadVersion    uint16
	Timeout          time.Duration
	Age              time.Duration // since it was last heard
	ConnectedFor     time.Duration
	Supervision      time.Duration // 0 for a child whose receiver is always on
	LinkMargin       uint8         // dB
	AverageRSSI      int8          // dBm; NoRSSI: not known
	LastRSSI         int8          // dBm; NoRSSI: not known
	FrameErrorRate   diag.Rate
	MessageErrorRate diag.Rate
	QueuedMessages   uint16        // that wait for it
	CSLPeriod        uint16        // in 160 µs
	CSLTimeout       time.Duration // seconds
	CSLChannel       uint8
}

// NoRSSI is written for a signal strength that is not known.
const NoRSSI = 127

const (
	childLen    = 43
	neighborLen = 24
)

// AppendChild appends TLV 29. [AppendListEnd] ends the list.
func AppendChild(b []byte, c Child) []byte {
	flags := bit(c.Mode.RxOnWhenIdle, 7) | bit(c.Mode.FullThreadDevice, 6) | bit(c.Mode.FullNetworkData, 5) |
		bit(c.CSLSynchronized, 4) | bit(c.ErrorRates, 3)
	b = append(b, TypeChild, childLen, flags)
	b = binary.BigEndian.AppendUint16(b, rloc16Octets(c.RLOC16))
	b = binary.BigEndian.AppendUint64(b, uint64(c.ExtAddr))
	b = binary.BigEndian.AppendUint16(b, c.ThreadVersion)
	b = binary.BigEndian.AppendUint32(b, seconds(c.Timeout))
	b = binary.BigEndian.AppendUint32(b, seconds(c.Age))
	b = binary.BigEndian.AppendUint32(b, seconds(c.ConnectedFor))
	b = binary.BigEndian.AppendUint16(b, uint16(min(seconds(c.Supervision), math.MaxUint16)))
	b = append(b, c.LinkMargin, byte(c.AverageRSSI), byte(c.LastRSSI))
	b = binary.BigEndian.AppendUint16(b, uint16(c.FrameErrorRate))
	b = binary.BigEndian.AppendUint16(b, uint16(c.MessageErrorRate))
	b = binary.BigEndian.AppendUint16(b, c.QueuedMessages)
	b = binary.BigEndian.AppendUint16(b, c.CSLPeriod)
	b = binary.BigEndian.AppendUint32(b, seconds(c.CSLTimeout))
	return append(b, c.CSLChannel)
}

// ParseChild reads the value of TLV 29, which is not the empty one that ends
// the list.
func ParseChild(v []byte) (Child, error) {
	if err := length(TypeChild, v, childLen); err != nil {
		return Child{}, err
	}
	u16 := func(at int) uint16 { return binary.BigEndian.Uint16(v[at:]) }
	sec := func(at int) time.Duration { return time.Duration(binary.BigEndian.Uint32(v[at:])) * time.Second }
	return Child{
		Mode:            diag.Mode{RxOnWhenIdle: v[0]&0x80 != 0, FullThreadDevice: v[0]&0x40 != 0, FullNetworkData: v[0]&0x20 != 0},
		CSLSynchronized: v[0]&0x10 != 0, ErrorRates: v[0]&0x08 != 0,
		RLOC16: rloc16(v[1:]), ExtAddr: diag.ExtAddr(binary.BigEndian.Uint64(v[3:])), ThreadVersion: u16(11),
		Timeout: sec(13), Age: sec(17), ConnectedFor: sec(21), Supervision: time.Duration(u16(25)) * time.Second,
		LinkMargin: v[27], AverageRSSI: int8(v[28]), LastRSSI: int8(v[29]), FrameErrorRate: diag.Rate(u16(30)), MessageErrorRate: diag.Rate(u16(32)),
		QueuedMessages: u16(34), CSLPeriod: u16(36), CSLTimeout: sec(38), CSLChannel: v[42],
	}, nil
}

// A RouterNeighbor is TLV 31: what a router knows of another that it has a link
// with.
type RouterNeighbor struct {
	RLOC16           diag.RLOC16
	ExtAddr          diag.ExtAddr
	ErrorRates       bool // the two error rates count
	ThreadVersion    uint16
	ConnectedFor     time.Duration // whole seconds
	LinkMargin       uint8         // dB
	AverageRSSI      int8          // dBm; NoRSSI: not known
	LastRSSI         int8          // dBm; NoRSSI: not known
	FrameErrorRate   diag.Rate
	MessageErrorRate diag.Rate
}

// AppendRouterNeighbor appends TLV 31. [AppendListEnd] ends the list.
func AppendRouterNeighbor(b []byte, n RouterNeighbor) []byte {
	b = append(b, TypeRouterNeighbor, neighborLen, bit(n.ErrorRates, 7))
	b = binary.BigEndian.AppendUint16(b, rloc16Octets(n.RLOC16))
	b = binary.BigEndian.AppendUint64(b, uint64(n.ExtAddr))
	b = binary.BigEndian.AppendUint16(b, n.ThreadVersion)
	b = binary.BigEndian.AppendUint32(b, seconds(n.ConnectedFor))
	b = append(b, n.LinkMargin, byte(n.AverageRSSI), byte(n.LastRSSI))
	b = binary.BigEndian.AppendUint16(b, uint16(n.FrameErrorRate))
	return binary.BigEndian.AppendUint16(b, uint16(n.MessageErrorRate))
}

// ParseRouterNeighbor reads the value of TLV 31, which is not the empty one
// that ends the list.
func ParseRouterNeighbor(v []byte) (RouterNeighbor, error) {
	if err := length(TypeRouterNeighbor, v, neighborLen); err != nil {
		return RouterNeighbor{}, err
	}
	u16 := func(at int) uint16 { return binary.BigEndian.Uint16(v[at:]) }
	return RouterNeighbor{
		ErrorRates: v[0]&0x80 != 0, RLOC16: rloc16(v[1:]), ExtAddr: diag.ExtAddr(binary.BigEndian.Uint64(v[3:])), ThreadVersion: u16(11),
		ConnectedFor: time.Duration(binary.BigEndian.Uint32(v[13:])) * time.Second,
		LinkMargin:   v[17], AverageRSSI: int8(v[18]), LastRSSI: int8(v[19]), FrameErrorRate: diag.Rate(u16(20)), MessageErrorRate: diag.Rate(u16(22)),
	}, nil
}
