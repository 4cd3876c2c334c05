package discovery

import (
	"strconv"
	"strings"
)

// Commissionable is the TXT record of `_matterc._udp` (Core 4.3.1) and, as far
// as it has these keys, of `_matterd._udp` (Core 4.3.3).
type Commissionable struct {
	Discriminator        Opt[uint16] // D, 0 to 4095
	CommissioningMode    Opt[uint8]  // CM: 0 none, 1 passcode of the label, 2 dynamic passcode, 3 joint
	Vendor, Product      Opt[uint16] // VP
	DeviceType           Opt[uint32] // DT
	DeviceName           string      // DN; as sent
	RotatingID           string      // RI; upper-case hex digits
	PairingHint          Opt[uint32] // PH; see PairingHints
	PairingInstruction   string      // PI; as sent
	CommissionerPasscode Opt[bool]   // CP
	JointFabric          Opt[uint32] // JF
	Session
}

// ParseCommissionable reads the record. Values that are out of range were not
// said.
func ParseCommissionable(t TXT) Commissionable {
	c := Commissionable{
		CommissioningMode: t.number8("CM", 3), DeviceType: t.number32("DT", 1<<32-1), PairingHint: t.number32("PH", 1<<32-1),
		JointFabric: t.number32("JF", 999), Session: ParseSession(t),
	}
	if n := t.number("D", 4095); n.Known {
		c.Discriminator = some(uint16(n.Value))
	}
	if n := t.number("CP", 1); n.Known {
		c.CommissionerPasscode = some(n.Value == 1)
	}
	if s := t.text("DN"); len(s) <= 32 {
		c.DeviceName = s
	}
	if s := t.text("PI"); len(s) <= 128 {
		c.PairingInstruction = s
	}
	if s := t.text("RI"); len(s) <= 100 && hexDigits(s) {
		c.RotatingID = s
	}
	vid, pid, two := strings.Cut(t.text("VP"), "+")
	c.Vendor = number16(vid)
	if two && c.Vendor.Known {
		c.Product = number16(pid)
	}
	return c
}

func number16(s string) Opt[uint16] {
	if s == "" || s[0] == '+' || s[0] == '-' {
		return Opt[uint16]{}
	}
	v, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return Opt[uint16]{}
	}
	return some(uint16(v))
}

// pairingHints are the bits of PH, lowest first (Core table "Pairing Hint
// Values"). "N" and the colour stand in the pairing instruction.
var pairingHints = [...]string{
	"power cycle", "see the maker's site", "use the administrator's app", "use the device's settings menu", "see the pairing instruction", "see the manual",
	"press the reset button", "press the reset button while power is applied", "press the reset button for N seconds", "press the reset button until the light blinks",
	"press the reset button for N seconds while power is applied", "press the reset button until the light blinks while power is applied", "press the reset button N times",
	"press the setup button", "press the setup button while power is applied", "press the setup button for N seconds", "press the setup button until the light blinks",
	"press the setup button for N seconds while power is applied", "press the setup button until the light blinks while power is applied", "press the setup button N times",
}

// PairingHints says in words how the device is put into pairing mode. Bits
// that are not assigned are passed over.
func (c Commissionable) PairingHints() []string {
	var out []string
	for i, s := range pairingHints {
		if c.PairingHint.Known && c.PairingHint.Value>>i&1 == 1 {
			out = append(out, s)
		}
	}
	return out
}
