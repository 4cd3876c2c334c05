package pskc

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"threadmap/diag"
)

// Parse reads a PSKc: 32 hexadecimal digits in either case, with or without
// "0x" and with spaces, ':' or '-' between octets.
func Parse(s string) (Secret, error) {
	b, err := unhex(s, pskcLen)
	if err == nil && len(b) != pskcLen {
		err = fmt.Errorf("%d octets", len(b))
	}
	if err != nil {
		clear(b)
		return Secret{}, fmt.Errorf("PSKc: want 32 hexadecimal digits (16 octets), found %w", err)
	}
	defer clear(b)
	return New(b)
}

// maxDataset is the longest dataset, in octets (Thread 8.10: it travels in one
// MeshCoP message).
const maxDataset = 254

// A Dataset is what threadmap keeps of an operational dataset (Thread 8.10.1).
// The network key is among what it leaves out.
type Dataset struct {
	ActiveTimestamp diag.Opt[uint64] // seconds<<16 | ticks<<1 | authoritative
	ChannelPage     diag.Opt[uint8]
	Channel         diag.Opt[uint16]
	PANID           diag.Opt[uint16]
	ExtPANID        diag.PANID64
	Name            string
	MeshLocalPrefix netip.Prefix // a /64
	PSKc            Secret       // zero: the dataset has none
}

// MeshCoP TLV types of a dataset (Thread 8.10.1).
const (
	tlvChannel         = 0
	tlvPANID           = 1
	tlvExtPANID        = 2
	tlvName            = 3
	tlvPSKc            = 4
	tlvMeshLocalPrefix = 7
	tlvActiveTimestamp = 14
)

var fixedLength = map[byte]int{tlvChannel: 3, tlvPANID: 2, tlvExtPANID: 8, tlvPSKc: pskcLen, tlvMeshLocalPrefix: 8, tlvActiveTimestamp: 8}

// ParseDataset reads an operational dataset as hexadecimal TLVs, the form in
// which Home Assistant, OTBR and "ot-ctl dataset active -x" show it. Line
// breaks, and the CLI's "Done" after them, are no part of it. TLVs of unknown
// types are skipped; one that is there twice, or has a length its type does not
// have, makes the dataset invalid.
func ParseDataset(s string) (Dataset, error) {
	if t := strings.TrimSpace(s); strings.HasSuffix(t, "Done") {
		s = strings.TrimSuffix(t, "Done")
	}
	b, err := unhex(s, maxDataset)
	defer clear(b)
	if err != nil {
		return Dataset{}, fmt.Errorf("dataset: want the hexadecimal form of its TLVs, found %w", err)
	}
	if len(b) == 0 {
		return Dataset{}, errors.New("dataset: it is empty")
	}
	d, err := readDataset(b)
	if err != nil {
		d.PSKc.Wipe()
		return Dataset{}, fmt.Errorf("dataset: %w", err)
	}
	return d, nil
}

func readDataset(b []byte) (d Dataset, err error) {
	var seen [256]bool
	for at := 0; at < len(b); {
		if len(b)-at < 2 || len(b)-at-2 < int(b[at+1]) {
			return d, fmt.Errorf("it is cut off in the TLV at octet %d: copy it whole", at)
		}
		typ, v := b[at], b[at+2:at+2+int(b[at+1])]
		if seen[typ] {
			return d, fmt.Errorf("TLV %d is there twice: paste one dataset only", typ)
		}
		seen[typ] = true
		if err := d.set(typ, v); err != nil {
			return d, fmt.Errorf("TLV %d at octet %d: %w", typ, at, err)
		}
		at += 2 + len(v)
	}
	return d, nil
}

func (d *Dataset) set(typ byte, v []byte) (err error) {
	if n, fixed := fixedLength[typ]; fixed && n != len(v) {
		return fmt.Errorf("its length is %d, not %d", len(v), n)
	}
	var n uint64 // v as a number
	if len(v) <= 8 {
		for _, o := range v {
			n = n<<8 | uint64(o)
		}
	}
	switch typ {
	case tlvChannel:
		d.ChannelPage, d.Channel = diag.Some(v[0]), diag.Some(uint16(n))
	case tlvPANID:
		d.PANID = diag.Some(uint16(n))
	case tlvExtPANID:
		d.ExtPANID = diag.PANID64(n)
	case tlvName:
		if len(v) == 0 || len(v) > MaxName || !utf8.Valid(v) {
			return fmt.Errorf("want a network name of 1 to %d octets of UTF-8", MaxName)
		}
		d.Name = string(v)
	case tlvPSKc:
		d.PSKc, err = New(v)
	case tlvMeshLocalPrefix:
		var a [16]byte
		copy(a[:], v)
		d.MeshLocalPrefix = netip.PrefixFrom(netip.AddrFrom16(a), 64)
	case tlvActiveTimestamp:
		d.ActiveTimestamp = diag.Some(n)
	}
	return err
}

// unhex reads up to limit octets and never quotes what it was given. What it
// has read is in the result also when it fails, so that it can be wiped.
func unhex(s string, limit int) ([]byte, error) {
	t := strings.TrimSpace(s)
	if len(t) > 8*limit+64 { // far more than separators can explain
		return nil, fmt.Errorf("%d characters", len(t))
	}
	if len(t) >= 2 && t[0] == '0' && (t[1] == 'x' || t[1] == 'X') {
		t = t[2:]
	}
	digits := make([]byte, 0, len(t))
	defer func() { clear(digits) }()
	for i := range len(t) {
		switch c := t[i]; {
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
			digits = append(digits, c)
		case c == ' ' || c == ':' || c == '-' || c == '\t' || c == '\r' || c == '\n':
		default:
			return nil, fmt.Errorf("another character at place %d", i+1)
		}
	}
	switch {
	case len(digits)%2 != 0:
		return nil, fmt.Errorf("an odd number of digits, %d", len(digits))
	case len(digits) > 2*limit:
		return nil, fmt.Errorf("%d octets", len(digits)/2)
	}
	b := make([]byte, len(digits)/2)
	_, err := hex.Decode(b, digits)
	return b, err
}
