package netdiag

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"threadmap/diag"
)

// AppendExtAddress appends TLV 0.
func AppendExtAddress(b []byte, x diag.ExtAddr) []byte {
	return appendUint64(b, TypeExtAddress, uint64(x))
}

// ParseExtAddress reads the value of TLV 0.
func ParseExtAddress(v []byte) (diag.ExtAddr, error) {
	n, err := parseUint64(TypeExtAddress, v)
	return diag.ExtAddr(n), err
}

// AppendEUI64 appends TLV 23, the factory address.
func AppendEUI64(b []byte, x diag.ExtAddr) []byte { return appendUint64(b, TypeEUI64, uint64(x)) }

// ParseEUI64 reads the value of TLV 23.
func ParseEUI64(v []byte) (diag.ExtAddr, error) {
	n, err := parseUint64(TypeEUI64, v)
	return diag.ExtAddr(n), err
}

// AppendAddress16 appends TLV 1; an unknown RLOC16 is written 0xfffe.
func AppendAddress16(b []byte, r diag.RLOC16) []byte {
	return appendUint16(b, TypeAddress16, rloc16Octets(r))
}

// ParseAddress16 reads the value of TLV 1.
func ParseAddress16(v []byte) (diag.RLOC16, error) {
	n, err := parseUint16(TypeAddress16, v)
	if err != nil {
		return diag.RLOC16{}, err
	}
	return diag.MakeRLOC16(n), nil
}

// rloc16Octets is the number that is written for r: 0xfffe is "none".
func rloc16Octets(r diag.RLOC16) uint16 {
	if n, known := r.Get(); known {
		return n
	}
	return 0xfffe
}

// AppendMode appends TLV 2. Bit 2 is reserved and set, as stacks do.
func AppendMode(b []byte, m diag.Mode) []byte { return append(b, TypeMode, 1, modeOctet(m)) }

// ParseMode reads the value of TLV 2.
func ParseMode(v []byte) (diag.Mode, error) {
	if err := exactly(TypeMode, v, 1); err != nil {
		return diag.Mode{}, err
	}
	return diag.ModeFromTLV(v[0]), nil
}

func modeOctet(m diag.Mode) byte {
	return 4 | bit(m.RxOnWhenIdle, 3) | bit(m.FullThreadDevice, 1) | bit(m.FullNetworkData, 0)
}

func bit(on bool, n uint) byte {
	if on {
		return 1 << n
	}
	return 0
}

// AppendTimeout appends TLV 3, the speaker's own child timeout in seconds.
func AppendTimeout(b []byte, d time.Duration) []byte { return appendUint32(b, TypeTimeout, seconds(d)) }

// ParseTimeout reads the value of TLV 3.
func ParseTimeout(v []byte) (time.Duration, error) { return parseSeconds(TypeTimeout, v) }

// AppendMaxChildTimeout appends TLV 19, in seconds.
func AppendMaxChildTimeout(b []byte, d time.Duration) []byte {
	return appendUint32(b, TypeMaxChildTimeout, seconds(d))
}

// ParseMaxChildTimeout reads the value of TLV 19.
func ParseMaxChildTimeout(v []byte) (time.Duration, error) {
	return parseSeconds(TypeMaxChildTimeout, v)
}

func parseSeconds(typ uint8, v []byte) (time.Duration, error) {
	if err := exactly(typ, v, 4); err != nil {
		return 0, err
	}
	return time.Duration(binary.BigEndian.Uint32(v)) * time.Second, nil
}

// seconds clips to what four octets hold.
func seconds(d time.Duration) uint32 { return uint32(min(max(d/time.Second, 0), math.MaxUint32)) }

// AppendVersion appends TLV 24, Thread's number: 4 is 1.3.
func AppendVersion(b []byte, v uint16) []byte { return appendUint16(b, TypeVersion, v) }

// ParseVersion reads the value of TLV 24.
func ParseVersion(v []byte) (uint16, error) { return parseUint16(TypeVersion, v) }

// AppendBatteryLevel appends TLV 14, percent.
func AppendBatteryLevel(b []byte, percent uint8) []byte {
	return append(b, TypeBatteryLevel, 1, percent)
}

// ParseBatteryLevel reads the value of TLV 14; more than 100 is an error.
func ParseBatteryLevel(v []byte) (uint8, error) {
	if err := exactly(TypeBatteryLevel, v, 1); err != nil {
		return 0, err
	}
	if v[0] > 100 {
		return 0, fmt.Errorf("%s: %d percent", TypeName(TypeBatteryLevel), v[0])
	}
	return v[0], nil
}

// AppendSupplyVoltage appends TLV 15, millivolts.
func AppendSupplyVoltage(b []byte, mv uint16) []byte { return appendUint16(b, TypeSupplyVoltage, mv) }

// ParseSupplyVoltage reads the value of TLV 15.
func ParseSupplyVoltage(v []byte) (uint16, error) { return parseUint16(TypeSupplyVoltage, v) }

// AppendQueryID appends TLV 33, which ties answers to their query.
func AppendQueryID(b []byte, id uint16) []byte { return appendUint16(b, TypeQueryID, id) }

// ParseQueryID reads the value of TLV 33.
func ParseQueryID(v []byte) (uint16, error) { return parseUint16(TypeQueryID, v) }

// An Answer is TLV 32: the place of a message among those that answer a query.
type Answer struct {
	Index uint16 // from 0, 15 bits
	Last  bool
}

// AppendAnswer appends TLV 32.
func AppendAnswer(b []byte, a Answer) []byte {
	n := a.Index & 0x7fff
	if a.Last {
		n |= 0x8000
	}
	return appendUint16(b, TypeAnswer, n)
}

// ParseAnswer reads the value of TLV 32.
func ParseAnswer(v []byte) (Answer, error) {
	n, err := parseUint16(TypeAnswer, v)
	return Answer{n & 0x7fff, n&0x8000 != 0}, err
}

// AppendTypeList appends TLV 18, what a request asks for. It holds 254 types.
func AppendTypeList(b []byte, types ...uint8) []byte {
	return AppendTLV(b, TypeTypeList, types[:min(len(types), extended-1)])
}

// ParseTypeList reads the value of TLV 18: each type once, in the order asked.
func ParseTypeList(v []byte) []uint8 {
	var seen [256]bool
	var out []uint8
	for _, t := range v {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

// maxText is, by type, the longest value of those that are text, in octets.
var maxText = map[uint8]int{
	TypeVendorName: 32, TypeVendorModel: 32, TypeVendorSWVersion: 16, TypeThreadStackVersion: 64, TypeVendorAppURL: 96,
}

// AppendText appends one of the TLVs that are UTF-8 (25 to 28, 35), cut off at
// what the type can hold.
func AppendText(b []byte, typ uint8, s string) []byte {
	if most, ok := maxText[typ]; ok && len(s) > most {
		for s = s[:most]; s != "" && !utf8.ValidString(s); {
			s = s[:len(s)-1]
		}
	}
	return AppendTLV(b, typ, []byte(s))
}

// ParseText reads one of the TLVs that are UTF-8; it may be empty. A stack cuts
// its own name off, so an incomplete last character is dropped.
func ParseText(typ uint8, v []byte) (string, error) {
	most, ok := maxText[typ]
	if !ok {
		return "", fmt.Errorf("%s: is no text", TypeName(typ))
	}
	if len(v) > most {
		return "", fmt.Errorf("%s: %d octets, more than %d", TypeName(typ), len(v), most)
	}
	for n := len(v); n >= 0 && n > len(v)-utf8.UTFMax; n-- {
		if utf8.Valid(v[:n]) {
			return string(v[:n]), nil
		}
	}
	return "", fmt.Errorf("%s: not UTF-8", TypeName(typ))
}

// AppendVendorOUI appends TLV 44: 3 to 5 octets.
func AppendVendorOUI(b []byte, oui []byte) []byte { return AppendTLV(b, TypeVendorOUI, oui) }

// ParseVendorOUI reads the value of TLV 44.
func ParseVendorOUI(v []byte) ([]byte, error) {
	if len(v) < 3 || len(v) > 5 {
		return nil, fmt.Errorf("%s: %d octets, want 3 to 5", TypeName(TypeVendorOUI), len(v))
	}
	return clone(v), nil
}

// A BRState is TLV 38, what the border routing of a border router does.
type BRState uint8

// The states of border routing.
const (
	BRUninitialized BRState = iota
	BRDisabled
	BRStopped
	BRRunning
)

// AppendBRState appends TLV 38.
func AppendBRState(b []byte, s BRState) []byte { return append(b, TypeBRState, 1, byte(s)) }

// ParseBRState reads the value of TLV 38.
func ParseBRState(v []byte) (BRState, error) {
	if err := exactly(TypeBRState, v, 1); err != nil {
		return 0, err
	}
	return BRState(v[0]), nil
}

func appendUint16(b []byte, typ uint8, n uint16) []byte {
	return binary.BigEndian.AppendUint16(append(b, typ, 2), n)
}

func appendUint32(b []byte, typ uint8, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, typ, 4), n)
}

func appendUint64(b []byte, typ uint8, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, typ, 8), n)
}

func parseUint16(typ uint8, v []byte) (uint16, error) {
	if err := exactly(typ, v, 2); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint16(v), nil
}

func parseUint64(typ uint8, v []byte) (uint64, error) {
	if err := exactly(typ, v, 8); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(v), nil
}
