package tlv

import "encoding/binary"

// A Scalar is what [Decoder.Scalars] reads of a member of a structure or list.
type Scalar struct {
	Kind Kind   // None: there is no such member
	Bits uint64 // a Uint; an Int, extended by its sign; a Bool, 0 or 1; of all others 0
}

// Uint is the value of a Uint, or of an Int that is not negative, as
// [Decoder.Uint] has it.
func (s Scalar) Uint() (v uint64, ok bool) {
	return s.Bits, s.Kind == Uint || s.Kind == Int && int64(s.Bits) >= 0
}

// Scalars reads the current element, a structure or list, as Enter, Next for
// each member and Leave would, but in one go: into[n] gets the member with the
// context tag n, the last of them in a list that has several. Other members, and
// what is in containers, are stepped over. It is for the rows of tables and for
// paths, which are most of what a node says. After an error into may be filled
// in part.
func (d *Decoder) Scalars(into []Scalar) {
	clear(into)
	switch {
	case d.err != nil:
		return
	case !d.pending || d.kind == Array:
		d.wrong("a struct or list")
		return
	case d.depth >= MaxDepth:
		d.fail(d.start, "containers are nested too deep")
		return
	}
	b, p, k := d.buf, d.pos, d.kind
	var seen [4]uint64
	for p < len(b) {
		c := b[p]
		if c == endContainer {
			d.pos, d.kind, d.pending = p+1, None, false
			return
		}
		h := &headers[c]
		if h.class == invalid || h.class == end {
			d.fail(p, badControl(c))
			return
		}
		v := p + int(h.size)
		if v > len(b) {
			d.fail(p, "the input ends within an element")
			return
		}
		if h.bad>>(k-Struct)&1 != 0 {
			d.fail(p, misplaced(c, k))
			return
		}
		if h.tag == 1 {
			n := b[p+1]
			if k == Struct {
				if seen[n>>6]&(1<<(n&63)) != 0 {
					d.fail(p, "a tag repeats in a structure")
					return
				}
				seen[n>>6] |= 1 << (n & 63)
			}
			if int(n) < len(into) {
				into[n] = Scalar{h.kind, bits(c, b[p+2:v])}
			}
		} else if h.tag > 0 {
			if d.start = p; !d.readTag(p) {
				return
			}
		}
		switch h.class {
		case str:
			n, ok := length(b, p+1+int(h.tag), v)
			if !ok {
				d.fail(p, "a string is longer than the input")
				return
			}
			v += n
		case container:
			end, ok := d.skip(v, h.kind, d.depth+2)
			if !ok {
				return
			}
			v = end
		}
		p = v
	}
	d.fail(p, "the input ends within a container")
}

// bits is the value of an element with control byte c, 0 where it is no integer
// and no boolean.
func bits(c byte, value []byte) uint64 {
	switch c & typeMask {
	case typeInt8:
		return uint64(int8(value[0]))
	case typeInt8 + 1:
		return uint64(int16(binary.LittleEndian.Uint16(value)))
	case typeInt8 + 2:
		return uint64(int32(binary.LittleEndian.Uint32(value)))
	case typeUint8:
		return uint64(value[0])
	case typeUint8 + 1:
		return uint64(binary.LittleEndian.Uint16(value))
	case typeUint8 + 2:
		return uint64(binary.LittleEndian.Uint32(value))
	case typeInt8 + 3, typeUint8 + 3:
		return binary.LittleEndian.Uint64(value)
	case typeTrue:
		return 1
	}
	return 0
}
