package tlv

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A Decoder pulls elements out of a buffer:
//
//	d := tlv.NewDecoder(b)
//	for d.Next() { // at the top level: mostly one structure
//		d.Enter()
//		for d.Next() {
//			switch d.Tag() {
//			case tlv.Context(1):
//				status = d.Uint8()
//			}
//		}
//		d.Leave()
//	}
//	return d.Err()
//
// It allocates nothing but its error, and its slices alias the buffer. The
// first error ends everything: Next is false from then on and values are zero,
// so one look at Err at the end will do. A copy of a Decoder is a second
// reader at the same place.
//
// Tags that repeat in a structure are an error where they are context tags of
// members that Next delivered. Structures nobody entered and repeated profile
// tags are not looked at in that way.
type Decoder struct {
	buf     []byte
	pos     int // of the next header; of the content while pending
	start   int // of the current element
	val     int // where its value begins
	tag     Tag
	kind    Kind // of the current element; None: there is none
	pending bool // it is a container whose content is still ahead
	ended   bool // pos is at the end marker of the innermost open container
	depth   int  // containers entered
	err     error
	levels  [MaxDepth]level
}

// A level is a container that was entered.
type level struct {
	seen [4]uint64 // context tags, where it is a structure
	kind Kind
}

// NewDecoder returns a Decoder that stands before the first element of b.
// The caller bounds the length of b.
func NewDecoder(b []byte) Decoder { return Decoder{buf: b} }

// Reset makes d stand before the first element of b, as NewDecoder does, but
// cheaper.
func (d *Decoder) Reset(b []byte) {
	d.buf, d.pos, d.start, d.val, d.tag = b, 0, 0, 0, 0
	d.kind, d.pending, d.ended, d.depth, d.err = None, false, false, 0, nil
}

// Next goes to the next element of the container entered last, or of the top
// level. It steps over the content of a container that was not entered. It is
// false at the end of the container, at the end of the input, and on error.
func (d *Decoder) Next() bool {
	if d.err != nil || d.ended {
		return false
	}
	if d.pending && !d.skipPending() {
		return false
	}
	p := d.pos
	if p >= len(d.buf) {
		d.kind = None
		if d.depth > 0 {
			d.fail(p, "the input ends within a container")
		}
		return false
	}
	c := d.buf[p]
	h := &headers[c]
	if h.class == end && d.depth > 0 {
		d.kind, d.ended = None, true
		return false
	}
	if h.class == invalid || h.class == end {
		return d.fail(p, badControl(c))
	}
	v := p + int(h.size)
	if v > len(d.buf) {
		return d.fail(p, "the input ends within an element")
	}
	d.start, d.kind = p, h.kind
	if d.depth > 0 {
		l := &d.levels[d.depth-1]
		if h.bad>>(l.kind-Struct)&1 != 0 {
			return d.fail(p, misplaced(c, l.kind))
		}
		if l.kind == Struct && h.tag == 1 {
			n := d.buf[p+1]
			if l.seen[n>>6]&(1<<(n&63)) != 0 {
				return d.fail(p, "a tag repeats in a structure")
			}
			l.seen[n>>6] |= 1 << (n & 63)
		}
	}
	switch h.tag {
	case 0:
		d.tag = Anonymous
	case 1:
		d.tag = Context(d.buf[p+1])
	default:
		if !d.readTag(p) {
			return false
		}
	}
	d.val, d.pos = p+1+int(h.tag), v
	switch h.class {
	case str:
		n, ok := length(d.buf, d.val, v)
		if !ok {
			return d.fail(p, "a string is longer than the input")
		}
		d.val, d.pos = v, v+n
	case container:
		d.val, d.pending = v, true
	}
	return true
}

// misplaced says why an element with control byte c can't be in a container of
// kind k.
func misplaced(c byte, k Kind) string {
	switch {
	case headers[c].class == invalid:
		return badControl(c)
	case k == Struct:
		return "a member of a structure has no tag"
	}
	return "an element of an array has a tag"
}

// badControl says what is wrong with a control byte.
func badControl(c byte) string {
	switch {
	case c == endContainer:
		return "an end of container where none is open"
	case c&typeMask == typeEnd:
		return "an end of container has a tag"
	}
	return "a reserved type of element"
}

// length reads the length field b[p:v] and reports whether as much input
// follows.
func length(b []byte, p, v int) (int, bool) {
	n := little(b[p:v])
	return int(n & math.MaxInt32), n <= uint64(len(b)-v) && n <= math.MaxInt32
}

// little is the value of 1, 2, 4 or 8 bytes.
func little(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// readTag reads a tag of more than one byte of the element at p.
func (d *Decoder) readTag(p int) bool {
	b := d.buf[p+1:]
	var vendor, profile uint16
	var n uint32
	switch d.buf[p] & formMask {
	case formCommon16:
		n = uint32(binary.LittleEndian.Uint16(b))
	case formCommon32:
		n = binary.LittleEndian.Uint32(b)
	case formImplicit16:
		d.tag = Implicit(uint32(binary.LittleEndian.Uint16(b)))
		return true
	case formImplicit32:
		d.tag = Implicit(binary.LittleEndian.Uint32(b))
		return true
	case formFull48, formFull64:
		vendor, profile = binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		if n = uint32(binary.LittleEndian.Uint16(b[4:])); d.buf[p]&formMask == formFull64 {
			n = binary.LittleEndian.Uint32(b[4:])
		}
	}
	if vendor == 0xFFFF {
		return d.fail(p, "a tag of vendor 0xFFFF, which does not exist")
	}
	d.tag = Profile(vendor, profile, n)
	return true
}

// Tag returns the tag of the current element.
func (d *Decoder) Tag() Tag { return d.tag }

// Kind returns what the current element is, None where there is none.
func (d *Decoder) Kind() Kind { return d.kind }

// IsNull reports whether the current element is a null.
func (d *Decoder) IsNull() bool { return d.kind == Null }

// Depth returns how many containers are entered.
func (d *Decoder) Depth() int { return d.depth }

// Enter goes into the current element, which must be a container: Next then
// delivers what is in it, and Leave goes on behind it.
func (d *Decoder) Enter() {
	switch {
	case d.err != nil:
	case !d.pending:
		d.wrong("a container")
	case d.depth >= MaxDepth:
		d.fail(d.start, "containers are nested too deep")
	default:
		d.levels[d.depth] = level{kind: d.kind}
		d.depth++
		d.kind, d.pending = None, false
	}
}

// EnterKind is Enter for a container that must be of one kind.
func (d *Decoder) EnterKind(k Kind) {
	if d.err == nil && d.kind != k {
		d.wrong("a " + k.String())
		return
	}
	d.Enter()
}

// Leave steps over what is left of the container entered last and goes on
// behind it.
func (d *Decoder) Leave() {
	if d.err != nil {
		return
	}
	if d.depth == 0 {
		d.fail(d.pos, "no container to leave")
		return
	}
	if d.pending && !d.skipPending() {
		return
	}
	if d.ended {
		d.pos++
	} else {
		p, ok := d.skip(d.pos, d.levels[d.depth-1].kind, d.depth)
		if !ok {
			return
		}
		d.pos = p
	}
	d.depth--
	d.kind, d.ended = None, false
}

// skipPending steps over the content of the current container.
func (d *Decoder) skipPending() bool {
	p, ok := d.skip(d.pos, d.kind, d.depth+1)
	if ok {
		d.pos, d.pending = p, false
	}
	return ok
}

// skip steps over the elements at p up to and over the end of the container of
// kind k, which is the depth-th open one, and checks the rules of all
// containers on the way.
func (d *Decoder) skip(p int, k Kind, depth int) (int, bool) {
	if depth > MaxDepth {
		return p, d.fail(d.start, "containers are nested too deep")
	}
	b := d.buf
	var outer uint64 // kinds of the containers around, two bits each, innermost lowest
	floor := depth
	for p < len(b) {
		c := b[p]
		if c == endContainer {
			p++
			if depth == floor {
				return p, true
			}
			depth--
			k = Struct + Kind(outer&3)
			outer >>= 2
			continue
		}
		h := &headers[c]
		if h.bad>>(k-Struct)&1 != 0 {
			return p, d.fail(p, misplaced(c, k))
		}
		v := p + int(h.size)
		if v > len(b) {
			return p, d.fail(p, "the input ends within an element")
		}
		switch h.class {
		case str:
			n, ok := length(b, p+1+int(h.tag), v)
			if !ok {
				return p, d.fail(p, "a string is longer than the input")
			}
			v += n
		case container:
			if depth++; depth > MaxDepth {
				return p, d.fail(p, "containers are nested too deep")
			}
			outer = outer<<2 | uint64(k-Struct)
			k = h.kind
		}
		p = v
	}
	return p, d.fail(p, "the input ends within a container")
}

// Raw returns the whole current element, with control byte and tag. A
// container is then stepped over: it can no longer be entered.
func (d *Decoder) Raw() []byte {
	if d.err != nil {
		return nil
	}
	if d.kind == None {
		d.wrong("an element")
		return nil
	}
	if d.pending && !d.skipPending() {
		return nil
	}
	return d.buf[d.start:d.pos:d.pos]
}

// Err returns the first error, nil where there was none.
func (d *Decoder) Err() error { return d.err }

// Fail makes err the error of d, with the place of the current element, unless
// there is an earlier one. It is for what a schema forbids.
func (d *Decoder) Fail(err error) {
	if d.err == nil && err != nil {
		d.err = fmt.Errorf("TLV at offset %d: %w", d.start, err)
	}
}

// fail keeps the first error; it is false, for Next to return.
func (d *Decoder) fail(offset int, reason string) bool {
	if d.err == nil {
		d.err = &SyntaxError{Offset: offset, Reason: reason}
	}
	return false
}

// wrong is the error of a reader who expected something else.
func (d *Decoder) wrong(want string) {
	at := d.start
	if d.kind == None {
		at = d.pos
	}
	d.fail(at, want+" expected, "+d.kind.String()+" found")
}
