package restdoc

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"threadmap/diag"
)

// faults gathers what is wrong in one entry, so that an entry makes one line.
type faults struct {
	first string
	more  int
}

func (f *faults) add(field, want string, got []byte) {
	if f.first != "" {
		f.more++
		return
	}
	f.first = fmt.Sprintf("%s: want %s, got %s", field, want, clip(got))
}

func (f *faults) note(s string) {
	if f.first != "" {
		f.more++
		return
	}
	f.first = s
}

func (f *faults) String() string {
	if f.more == 0 {
		return f.first
	}
	return fmt.Sprintf("%s (and %d more in this entry)", f.first, f.more)
}

// clip shortens a value for a message and keeps it on one line.
func clip(v []byte) string {
	s := strconv.QuoteToGraphic(string(v[:min(len(v), 40)]))
	s = s[1 : len(s)-1]
	if len(v) > 40 {
		s += "…"
	}
	return s
}

func isNull(v value) bool { return string(v) == "null" }

// unsigned reads an integer without going through a float, for 64-bit ones.
func unsigned(v value, limit uint64) (uint64, bool) {
	n, err := strconv.ParseUint(string(v), 10, 64)
	return n, err == nil && n <= limit
}

func (f *faults) uint(field string, v value, limit uint64) (uint64, bool) {
	if isNull(v) {
		return 0, false
	}
	n, ok := unsigned(v, limit)
	if !ok {
		f.add(field, fmt.Sprintf("a whole number up to %d", limit), v)
	}
	return n, ok
}

func (f *faults) optUint8(field string, v value, limit uint64, to *diag.Opt[uint8]) {
	if n, ok := f.uint(field, v, limit); ok {
		*to = diag.Some(uint8(n))
	}
}

func (f *faults) optUint16(field string, v value, to *diag.Opt[uint16]) {
	if n, ok := f.uint(field, v, math.MaxUint16); ok {
		*to = diag.Some(uint16(n))
	}
}

func (f *faults) seconds(field string, v value, to *diag.Opt[time.Duration]) {
	if n, ok := f.uint(field, v, math.MaxUint32); ok {
		*to = diag.Some(time.Duration(n) * time.Second)
	}
}

// rssi reads dBm; 127 is Thread's "unknown".
func (f *faults) rssi(field string, v value, to *diag.Opt[int8]) {
	if isNull(v) {
		return
	}
	n, err := strconv.ParseInt(string(v), 10, 8)
	if err != nil {
		f.add(field, "dBm from -128 to 127", v)
		return
	}
	if n != 127 {
		*to = diag.Some(int8(n))
	}
}

// rate reads a share from 0 to 1.
func (f *faults) rate(field string, v value, to *diag.Opt[diag.Rate]) {
	if isNull(v) {
		return
	}
	n, err := strconv.ParseFloat(string(v), 64)
	if err != nil || !(n >= 0 && n <= 1) {
		f.add(field, "a share from 0 to 1", v)
		return
	}
	*to = diag.Some(diag.RateFromShare(n))
}

// boolean reads true and false, and the 1 and 0 of generation 1.
func (f *faults) boolean(field string, v value) (b, ok bool) {
	switch string(v) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	case "null":
		return false, false
	}
	f.add(field, "true or false", v)
	return false, false
}

// string reads a text of at most maxText octets; others are refused, since a
// cut name would be another name.
func (f *faults) string(field string, v value) string {
	if isNull(v) {
		return ""
	}
	s, ok := text(v)
	if !ok || len(s) > maxText || !utf8.ValidString(s) {
		f.add(field, fmt.Sprintf("a text of at most %d octets", maxText), v)
		return ""
	}
	return s
}

// hex64 reads 16 hexadecimal digits. All zeros mean unknown.
func (f *faults) hex64(field string, v value) uint64 {
	if isNull(v) {
		return 0
	}
	if s, ok := text(v); ok {
		if s == "" {
			return 0
		}
		if x, err := diag.ParseExtAddr(s); err == nil {
			return uint64(x)
		}
	}
	f.add(field, "16 hexadecimal digits", v)
	return 0
}

// hexBytes reads hexadecimal text of at most limit octets.
func (f *faults) hexBytes(field string, v value, limit int) ([]byte, bool) {
	if isNull(v) {
		return nil, false
	}
	if s, ok := text(v); ok && len(s) <= 2*limit {
		if b, err := hex.DecodeString(s); err == nil {
			return b, true
		}
	}
	f.add(field, fmt.Sprintf("hexadecimal text of at most %d octets", limit), v)
	return nil, false
}

// rloc16 reads a number or "0x5c00". Reserved values give the unknown one.
func (f *faults) rloc16(field string, v value) diag.RLOC16 {
	if isNull(v) {
		return diag.RLOC16{}
	}
	if n, ok := unsigned(v, math.MaxUint16); ok {
		return diag.MakeRLOC16(uint16(n))
	}
	if s, ok := text(v); ok {
		digits := strings.TrimPrefix(strings.ToLower(s), "0x")
		if len(digits) == 4 || digits != strings.ToLower(s) {
			if n, err := strconv.ParseUint(digits, 16, 16); err == nil {
				return diag.MakeRLOC16(uint16(n))
			}
		}
	}
	f.add(field, `a number or text such as "0x5c00"`, v)
	return diag.RLOC16{}
}

// address reads an IPv6 address; "::" and "" mean unknown.
func (f *faults) address(field string, v value) (a netip.Addr, ok bool) {
	if isNull(v) {
		return netip.Addr{}, false
	}
	s, isText := text(v)
	if isText && s == "" {
		return netip.Addr{}, false
	}
	if isText && len(s) <= 64 {
		if a, err := netip.ParseAddr(s); err == nil && a.Is6() && a.Zone() == "" {
			return a, !a.IsUnspecified()
		}
	}
	f.add(field, "an IPv6 address", v)
	return netip.Addr{}, false
}

// addresses reads a list of addresses. nil: it was no list.
func (f *faults) addresses(field string, v value) []netip.Addr {
	if isNull(v) {
		return nil
	}
	if first(v) != '[' {
		f.add(field, "a list of addresses", v)
		return nil
	}
	out := []netip.Addr{}
	err := elements(v, maxAddresses, func(v value) bool {
		if a, ok := f.address(field, v); ok {
			out = append(out, a)
		}
		return true
	})
	if err != nil {
		f.note(fmt.Sprintf("%s: %v", field, err))
	}
	return out
}

// table calls row with each row of a table and reports whether v was a list.
func (f *faults) table(field string, v value, row func(v value)) bool {
	if isNull(v) {
		return false
	}
	if first(v) != '[' {
		f.add(field, "a list", v)
		return false
	}
	err := elements(v, maxRows, func(v value) bool {
		if first(v) != '{' {
			f.add(field, "rows that are objects", v)
		} else {
			row(v)
		}
		return true
	})
	if err != nil {
		f.note(fmt.Sprintf("%s: %v", field, err))
	}
	return true
}

// object calls each with the members of v, which should be an object.
func (f *faults) object(field string, v value, each func(key string, v value)) bool {
	if isNull(v) {
		return false
	}
	if first(v) != '{' {
		f.add(field, "an object", v)
		return false
	}
	err := members(v, func(key string, v value) bool { each(key, v); return true })
	if err != nil {
		f.note(fmt.Sprintf("%s: %v", field, err))
	}
	return true
}
