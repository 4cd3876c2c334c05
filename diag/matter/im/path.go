package im

import (
	"errors"
	"fmt"

	"threadmap/tlv"
)

// A Path names one attribute of a node.
type Path struct {
	Endpoint  uint16
	Cluster   uint32
	Attribute uint32
}

// String is the decimal form that Matter servers use: "0/53/7".
func (p Path) String() string { return fmt.Sprintf("%d/%d/%d", p.Endpoint, p.Cluster, p.Attribute) }

// Flags of a wildcard path: what to leave out (Core 8.2.1.6). Older nodes do
// not know them, so they are wishes.
const (
	SkipRootNode                 uint32 = 1 << 0
	SkipGlobalAttributes         uint32 = 1 << 1 // the large ones, see Listing
	SkipAttributeList            uint32 = 1 << 2
	SkipCommandLists             uint32 = 1 << 4
	SkipCustomElements           uint32 = 1 << 5
	SkipFixedAttributes          uint32 = 1 << 6
	SkipChangesOmittedAttributes uint32 = 1 << 7
	SkipDiagnosticsClusters      uint32 = 1 << 8
)

// An AttributePath asks for attributes (AttributePathIB, Core 10.6.2). What is
// absent is a wildcard.
type AttributePath struct {
	Node      Opt[uint64]
	Endpoint  Opt[uint16]
	Cluster   Opt[uint32]
	Attribute Opt[uint32]
	Flags     uint32 // of a wildcard path; 0: not sent
}

// One is the path of a single attribute.
func One(endpoint uint16, cluster, attribute uint32) AttributePath {
	return AttributePath{Endpoint: Some(endpoint), Cluster: Some(cluster), Attribute: Some(attribute)}
}

// Whole is the path of all attributes of a cluster on an endpoint.
func Whole(endpoint uint16, cluster uint32) AttributePath {
	return AttributePath{Endpoint: Some(endpoint), Cluster: Some(cluster)}
}

// Concrete returns the one attribute that a names; ok is false where it has
// wildcards.
func (a AttributePath) Concrete() (p Path, ok bool) {
	return Path{a.Endpoint.v, a.Cluster.v, a.Attribute.v}, a.Endpoint.known && a.Cluster.known && a.Attribute.known
}

// Matches reports whether p is among what a asks for, Flags aside.
func (a AttributePath) Matches(p Path) bool {
	return a.Endpoint.matches(p.Endpoint) && a.Cluster.matches(p.Cluster) && a.Attribute.matches(p.Attribute)
}

// Global reports whether attribute is one that every cluster has.
func Global(attribute uint32) bool { return attribute >= 0xFFF8 && attribute <= 0xFFFD }

// Listing reports whether attribute is one of the global lists of what a cluster
// has, which SkipGlobalAttributes leaves out: FeatureMap and ClusterRevision are
// small, and are not.
func Listing(attribute uint32) bool { return attribute >= 0xFFF8 && attribute <= 0xFFFB }

var (
	errReserved   = errors.New("a path has a reserved number where a wildcard is meant by absence")
	errNotGlobal  = errors.New("a path asks all clusters for an attribute that is not a global one")
	errNumbered   = errors.New("an entry of a list can't be named by its number")
	errNumber     = errors.New("a path has something else where a number belongs, or one out of range")
	errCompressed = errors.New("a path has something else where a bool belongs")
	errListInPath = errors.New("a path asks for an entry of a list")
)

// Valid says what is wrong with a as part of a request; a server answers
// INVALID_ACTION to such.
func (a AttributePath) Valid() error {
	switch {
	case a.Endpoint.known && a.Endpoint.v == 0xFFFF, a.Cluster.known && a.Cluster.v == 0xFFFFFFFF,
		a.Attribute.known && a.Attribute.v == 0xFFFFFFFF:
		return errReserved
	case !a.Cluster.known && a.Attribute.known && !Global(a.Attribute.v):
		return errNotGlobal
	}
	return nil
}

func (a AttributePath) encode(e *tlv.Encoder) {
	e.List(tlv.Anonymous)
	if v, ok := a.Node.Get(); ok {
		e.PutUint(tlv.Context(1), v)
	}
	putOpt(e, 2, a.Endpoint)
	putOpt(e, 3, a.Cluster)
	putOpt(e, 4, a.Attribute)
	if a.Flags != 0 {
		e.PutUint(tlv.Context(6), uint64(a.Flags))
	}
	e.End()
}

func putOpt[T uint8 | uint16 | uint32 | uint64](e *tlv.Encoder, tag uint8, o Opt[T]) {
	if v, ok := o.Get(); ok {
		e.PutUint(tlv.Context(tag), uint64(v))
	}
}

// decodeAttributePath reads a path of a request, where tag compression and
// list entries have no place.
func decodeAttributePath(d *tlv.Decoder) (a AttributePath) {
	members(d, tlv.List, 0, func(n int) {
		switch n {
		case 1:
			a.Node = Some(d.Uint())
		case 2:
			a.Endpoint = Some(d.Uint16())
		case 3:
			a.Cluster = Some(d.Uint32())
		case 4:
			a.Attribute = Some(d.Uint32())
		case 5:
			d.Fail(errListInPath)
		case 6:
			a.Flags = d.Uint32()
		}
	})
	return a
}

// encodePath puts the path of a report or of data to write.
func encodePath(e *tlv.Encoder, t tlv.Tag, p Path, index ListIndex) {
	e.List(t)
	e.PutUint(tlv.Context(2), uint64(p.Endpoint))
	e.PutUint(tlv.Context(3), uint64(p.Cluster))
	e.PutUint(tlv.Context(4), uint64(p.Attribute))
	switch index {
	case WholeValue:
	case AppendEntry:
		e.PutNull(tlv.Context(5))
	default:
		e.Fail(errNumbered)
	}
	e.End()
}

// A ListIndex says what data is to the attribute it is for (Core 10.6.4.3).
type ListIndex uint8

// The list indexes.
const (
	WholeValue    ListIndex = iota // absent: all of it, or the first entries of a list
	AppendEntry                    // null: one more entry of a list
	NumberedEntry                  // one entry by its number, which no node sends
)

// decodePath reads the path of a report or of data to write. With tag
// compression the members that are absent are those of prev.
func decodePath(d *tlv.Decoder, prev *Path) (p Path, index ListIndex) {
	const endpoint, cluster, attribute = 1, 2, 4
	var members [6]tlv.Scalar
	if d.Kind() != tlv.List {
		d.EnterKind(tlv.List) // says what was found
		return p, index
	}
	if d.Scalars(members[:]); d.Err() != nil {
		return p, index
	}
	have := 0
	p.Endpoint = uint16(number(d, members[2], 1<<16-1, endpoint, &have))
	p.Cluster = uint32(number(d, members[3], 1<<32-1, cluster, &have))
	p.Attribute = uint32(number(d, members[4], 1<<32-1, attribute, &have))
	compressed := members[0].Bits != 0
	if k := members[0].Kind; k != tlv.None && k != tlv.Bool {
		d.Fail(errCompressed)
	}
	switch members[5].Kind {
	case tlv.None:
	case tlv.Null:
		index = AppendEntry
	default:
		index = NumberedEntry
	}
	if have != endpoint|cluster|attribute {
		if !compressed || prev == nil {
			d.Fail(errMissing)
			return p, index
		}
		if have&endpoint == 0 {
			p.Endpoint = prev.Endpoint
		}
		if have&cluster == 0 {
			p.Cluster = prev.Cluster
		}
		if have&attribute == 0 {
			p.Attribute = prev.Attribute
		}
	}
	return p, index
}

// number is a member of a path that is a number up to limit; which is what it
// adds to have. It is 0 where there is no such member.
func number(d *tlv.Decoder, s tlv.Scalar, limit uint64, which int, have *int) uint64 {
	if s.Kind == tlv.None {
		return 0
	}
	v, ok := s.Uint()
	if !ok || v > limit {
		d.Fail(errNumber)
		return 0
	}
	*have |= which
	return v
}

// A CommandPath names a command of a node (CommandPathIB, Core 10.6.10).
type CommandPath struct {
	Endpoint uint16
	Cluster  uint32
	Command  uint32
}

// String is the decimal form: "0/48/0".
func (p CommandPath) String() string {
	return fmt.Sprintf("%d/%d/%d", p.Endpoint, p.Cluster, p.Command)
}

func (p CommandPath) encode(e *tlv.Encoder, t tlv.Tag) {
	e.List(t)
	e.PutUint(tlv.Context(0), uint64(p.Endpoint))
	e.PutUint(tlv.Context(1), uint64(p.Cluster))
	e.PutUint(tlv.Context(2), uint64(p.Command))
	e.End()
}

func decodeCommandPath(d *tlv.Decoder) (p CommandPath) {
	// A group command has no endpoint; there are none here.
	members(d, tlv.List, 1<<0|1<<1|1<<2, func(n int) {
		switch n {
		case 0:
			p.Endpoint = d.Uint16()
		case 1:
			p.Cluster = d.Uint32()
		case 2:
			p.Command = d.Uint32()
		}
	})
	return p
}

// An EventPath asks for events (EventPathIB, Core 10.6.8). What is absent is a
// wildcard.
type EventPath struct {
	Node     Opt[uint64]
	Endpoint Opt[uint16]
	Cluster  Opt[uint32]
	Event    Opt[uint32]
	Urgent   bool
}

// Matches reports whether an event is among what p asks for.
func (p EventPath) Matches(endpoint uint16, cluster, event uint32) bool {
	return p.Endpoint.matches(endpoint) && p.Cluster.matches(cluster) && p.Event.matches(event)
}

func (p EventPath) encode(e *tlv.Encoder) {
	e.List(tlv.Anonymous)
	putOpt(e, 0, p.Node)
	putOpt(e, 1, p.Endpoint)
	putOpt(e, 2, p.Cluster)
	putOpt(e, 3, p.Event)
	if p.Urgent {
		e.PutBool(tlv.Context(4), true)
	}
	e.End()
}

func decodeEventPath(d *tlv.Decoder) (p EventPath) {
	members(d, tlv.List, 0, func(n int) {
		switch n {
		case 0:
			p.Node = Some(d.Uint())
		case 1:
			p.Endpoint = Some(d.Uint16())
		case 2:
			p.Cluster = Some(d.Uint32())
		case 3:
			p.Event = Some(d.Uint32())
		case 4:
			p.Urgent = d.Bool()
		}
	})
	return p
}
