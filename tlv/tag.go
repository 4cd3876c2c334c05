package tlv

import "fmt"

// A Tag names an element within its container. Tags are comparable; the zero
// Tag is [Anonymous].
//
// The upper half is the complement of vendor and profile, so that zero stays
// free for what has neither: vendor id 0xFFFF is assigned to nobody.
type Tag uint64

// Anonymous is the tag of an element that has none.
const Anonymous Tag = 0

const (
	contextBit  Tag = 1 << 8
	implicitBit Tag = 1 << 32
)

// Context is the context-specific tag n, whose meaning the container gives.
func Context(n uint8) Tag { return contextBit | Tag(n) }

// Profile is a tag of a profile of a vendor; vendor 0, profile 0 is the common
// profile. The vendor id 0xFFFF does not exist: an Encoder refuses such a tag.
func Profile(vendor, profile uint16, n uint32) Tag {
	return Tag(^(uint32(vendor)<<16|uint32(profile)))<<32 | Tag(n)
}

// Implicit is the tag n of a profile that both sides know from elsewhere. No
// Matter message has such tags.
func Implicit(n uint32) Tag { return implicitBit | Tag(n) }

// Context returns the number of a context-specific tag.
func (t Tag) Context() (n uint8, ok bool) { return uint8(t), t&^0xFF == contextBit }

// Profile returns the parts of a tag that names its profile.
func (t Tag) Profile() (vendor, profile uint16, n uint32, ok bool) {
	p := ^uint32(t >> 32)
	return uint16(p >> 16), uint16(p), uint32(t), p>>16 != 0xFFFF
}

// Implicit returns the number of a tag of the implicit profile.
func (t Tag) Implicit() (n uint32, ok bool) { return uint32(t), t>>32 == implicitBit>>32 }

// String is the tag for an error message.
func (t Tag) String() string {
	if t == Anonymous {
		return "anonymous"
	}
	if n, ok := t.Context(); ok {
		return fmt.Sprintf("tag %d", n)
	}
	if n, ok := t.Implicit(); ok {
		return fmt.Sprintf("implicit tag %d", n)
	}
	if v, p, n, ok := t.Profile(); ok {
		return fmt.Sprintf("tag 0x%04x/0x%04x/%d", v, p, n)
	}
	return fmt.Sprintf("invalid tag 0x%x", uint64(t))
}

// form is the tag control, the upper three bits of the control byte; ok is
// false for what is no tag.
func (t Tag) form() (control byte, ok bool) {
	if t == Anonymous {
		return formAnonymous, true
	}
	if t&^0xFF == contextBit {
		return formContext, true
	}
	if n, ok := t.Implicit(); ok {
		if n <= 0xFFFF {
			return formImplicit16, true
		}
		return formImplicit32, true
	}
	v, p, n, ok := t.Profile()
	switch {
	case !ok:
		return 0, false
	case v == 0 && p == 0 && n <= 0xFFFF:
		return formCommon16, true
	case v == 0 && p == 0:
		return formCommon32, true
	case n <= 0xFFFF:
		return formFull48, true
	}
	return formFull64, true
}

// The tag controls.
const (
	formAnonymous  = 0x00
	formContext    = 0x20
	formCommon16   = 0x40
	formCommon32   = 0x60
	formImplicit16 = 0x80
	formImplicit32 = 0xA0
	formFull48     = 0xC0
	formFull64     = 0xE0
)
