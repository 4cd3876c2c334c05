package netdiag

import (
	"fmt"
	"math/bits"
)

// AppendChannelPages appends TLV 17: an octet for each channel page.
func AppendChannelPages(b []byte, pages ...uint8) []byte {
	return AppendTLV(b, TypeChannelPages, pages)
}

// ParseChannelPages reads the value of TLV 17.
func ParseChannelPages(v []byte) ([]uint8, error) {
	if len(v) > 32 {
		return nil, fmt.Errorf("%s: %d octets, more than 32", TypeName(TypeChannelPages), len(v))
	}
	return clone(v), nil
}

// A ChannelMask is the channels of one page (Thread 8.10.1.18): bit n is
// channel n.
type ChannelMask struct {
	Page     uint8
	Channels uint32
}

// AppendNonPreferredChannels appends TLV 36.
func AppendNonPreferredChannels(b []byte, masks ...ChannelMask) []byte {
	return AppendTLV(b, TypeNonPreferredChannels, AppendChannelMasks(nil, masks...))
}

// ParseNonPreferredChannels reads the value of TLV 36.
func ParseNonPreferredChannels(v []byte) ([]ChannelMask, error) {
	m, err := ParseChannelMasks(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", TypeName(TypeNonPreferredChannels), err)
	}
	return m, nil
}

// AppendChannelMasks appends the entries of a channel mask: page, length, mask.
// On the wire the most significant bit of the first octet is channel 0.
func AppendChannelMasks(b []byte, masks ...ChannelMask) []byte {
	for _, m := range masks {
		r := bits.Reverse32(m.Channels)
		b = append(b, m.Page, 4, byte(r>>24), byte(r>>16), byte(r>>8), byte(r))
	}
	return b
}

// ParseChannelMasks reads the entries of a channel mask; those longer than 32
// channels are skipped.
func ParseChannelMasks(v []byte) ([]ChannelMask, error) {
	var out []ChannelMask
	for len(v) > 0 {
		if len(v) < 2 || len(v)-2 < int(v[1]) {
			return nil, fmt.Errorf("entry cut short")
		}
		page, mask := v[0], v[2:2+int(v[1])]
		v = v[2+len(mask):]
		if len(mask) > 4 {
			continue
		}
		var r uint32
		for i, o := range mask {
			r |= uint32(o) << (24 - 8*i)
		}
		out = append(out, ChannelMask{page, bits.Reverse32(r)})
	}
	return out, nil
}
