package discovery

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"
)

// A Type is a type of record (RFC 1035, section 3.2.2).
type Type uint16

// The types that are looked at. Answers of other types are passed over.
const (
	TypeA    Type = 1
	TypePTR  Type = 12
	TypeTXT  Type = 16
	TypeAAAA Type = 28
	TypeSRV  Type = 33
	TypeANY  Type = 255
)

// String is the type's mnemonic, "TYPE47" for those not looked at.
func (t Type) String() string {
	switch t {
	case TypeA:
		return "A"
	case TypePTR:
		return "PTR"
	case TypeTXT:
		return "TXT"
	case TypeAAAA:
		return "AAAA"
	case TypeSRV:
		return "SRV"
	case TypeANY:
		return "ANY"
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// A Record is one resource record of class IN. Which of the fields below TTL
// count depends on the Type.
type Record struct {
	Name       Name
	Type       Type
	TTL        time.Duration // as sent, whole seconds; 0: goodbye (RFC 6762, section 10.1)
	CacheFlush bool          // RFC 6762, section 10.2

	Target                 Name       // PTR, SRV
	Priority, Weight, Port uint16     // SRV
	TXT                    [][]byte   // TXT: the strings, raw
	Addr                   netip.Addr // A, AAAA; no zone
}

// data tells records of one name and type apart.
func (r *Record) data() string {
	switch r.Type {
	case TypePTR:
		return r.Target.Fold().wire
	case TypeSRV:
		b := make([]byte, 6, 6+len(r.Target.wire))
		binary.BigEndian.PutUint16(b, r.Priority)
		binary.BigEndian.PutUint16(b[2:], r.Weight)
		binary.BigEndian.PutUint16(b[4:], r.Port)
		return string(append(b, r.Target.Fold().wire...))
	case TypeTXT:
		b := make([]byte, 0, r.size())
		for _, s := range r.TXT {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
		return string(b)
	}
	b := r.Addr.As16()
	return string(b[:])
}

// size is about what the record takes in memory, in octets.
func (r *Record) size() int {
	n := 256 + len(r.Name.wire) + len(r.Target.wire)
	for _, s := range r.TXT {
		n += 48 + 2*len(s)
	}
	return n
}

// wireSize is an upper bound of what the record takes in a packet.
func (r *Record) wireSize() int {
	n := len(r.Name.wire) + 11 + 6 + len(r.Target.wire) + 1
	for _, s := range r.TXT {
		n += 1 + len(s)
	}
	return n + 16
}

// usable reports whether the record has what its type needs.
func (r *Record) usable() bool {
	switch r.Type {
	case TypePTR, TypeSRV:
		return !r.Target.IsRoot()
	case TypeTXT:
		return true
	case TypeA:
		return r.Addr.Is4() && !r.Addr.IsUnspecified() && !r.Addr.IsMulticast()
	case TypeAAAA:
		return r.Addr.Is6() && !r.Addr.Is4In6() && !r.Addr.IsUnspecified() && !r.Addr.IsMulticast()
	}
	return false
}

// A Question is one question of a message.
type Question struct {
	Name    Name
	Type    Type
	Unicast bool // the asker likes a unicast answer (QU; RFC 6762, section 5.4)
}

// A Message is one packet.
type Message struct {
	Response  bool
	Truncated bool // more known answers follow (RFC 6762, section 7.2)
	// Owner: the packet has an EDNS0 owner option, so a sleep proxy may be
	// speaking for a computer that sleeps.
	Owner     bool
	Questions []Question
	Records   []Record // of a response: all its sections; of a question: the known answers
	// Claims are the authority section of a question: who sends it claims these
	// records for himself and asks whether somebody has them (a probe; RFC 6762,
	// section 8.1).
	Claims []Record
	ID     uint16 // to be repeated to a simple resolver (RFC 6762, section 6.7)
}

// An Origin says where and when a message came from.
type Origin struct {
	Interface string         // as given to [Browser.AddLink]
	From      netip.AddrPort // with the zone where it is link-local
	At        time.Time
}
