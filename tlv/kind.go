package tlv

// A Kind says what an element is. Widths are no part of it.
type Kind uint8

// The kinds of elements. None is the kind where there is no element.
const (
	None Kind = iota
	Int
	Uint
	Bool
	Float32
	Float64
	Text
	Octets
	Null
	Struct
	Array
	List
)

// String is the kind for an error message.
func (k Kind) String() string {
	return [...]string{"no element", "int", "uint", "bool", "float32", "float64", "text", "octets", "null", "struct", "array", "list"}[min(k, List)]
}

// Container reports whether elements of the kind hold others.
func (k Kind) Container() bool { return k >= Struct }

// MaxDepth is how many containers may be within each other. No message comes
// near it; a hostile one does not get beyond.
const MaxDepth = 32

// The element types: the lower five bits of the control byte.
const (
	typeInt8     = 0x00
	typeUint8    = 0x04
	typeFalse    = 0x08
	typeTrue     = 0x09
	typeFloat32  = 0x0A
	typeFloat64  = 0x0B
	typeText8    = 0x0C
	typeOctets8  = 0x10
	typeNull     = 0x14
	typeStruct   = 0x15
	typeArray    = 0x16
	typeList     = 0x17
	typeEnd      = 0x18
	typeMask     = 0x1F
	formMask     = 0xE0
	endContainer = typeEnd // with the one tag form it may have
)

// A header is what a control byte says.
type header struct {
	kind  Kind
	class class
	tag   uint8 // bytes of the tag
	size  uint8 // bytes of control byte, tag, and value or length field
	bad   uint8 // bit k-Struct: it can't be in a container of kind k
}

type class uint8

const (
	invalid class = iota
	scalar
	str
	container
	end
)

// headers is indexed by the control byte.
var headers = makeHeaders()

func makeHeaders() (t [256]header) {
	tagBytes := [8]uint8{0, 1, 2, 4, 2, 4, 6, 8}
	for c := range t {
		h := header{tag: tagBytes[c>>5]}
		typ := c & typeMask
		var value uint8
		switch {
		case typ < typeUint8:
			h.kind, h.class, value = Int, scalar, 1<<typ
		case typ < typeFalse:
			h.kind, h.class, value = Uint, scalar, 1<<(typ-typeUint8)
		case typ <= typeTrue:
			h.kind, h.class = Bool, scalar
		case typ == typeFloat32:
			h.kind, h.class, value = Float32, scalar, 4
		case typ == typeFloat64:
			h.kind, h.class, value = Float64, scalar, 8
		case typ < typeOctets8:
			h.kind, h.class, value = Text, str, 1<<(typ-typeText8)
		case typ < typeNull:
			h.kind, h.class, value = Octets, str, 1<<(typ-typeOctets8)
		case typ == typeNull:
			h.kind, h.class = Null, scalar
		case typ <= typeList:
			h.kind, h.class = Struct+Kind(typ-typeStruct), container
		case c == endContainer:
			h.class = end
		}
		h.size = 1 + h.tag + value
		switch {
		case h.class == invalid:
			h.bad = 1<<0 | 1<<1 | 1<<2 // Struct, Array, List
		case h.class == end:
		case h.tag == 0:
			h.bad = 1 << 0
		default:
			h.bad = 1 << 1
		}
		t[c] = h
	}
	return t
}
