package mdns

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"threadmap/discovery"
)

// Bounds of one packet. RFC 6762, section 17, allows 9000 octets with headers;
// what a datagram can hold is taken all the same.
const (
	maxPacket    = 65_535
	maxQuestions = 512
	maxRecords   = 4096
)

// Sizes and bits of the wire format (RFC 1035, section 4.1).
const (
	headerSize     = 12
	flagResponse   = 1 << 15
	flagTruncated  = 1 << 9
	opcodeMask     = 0xf << 11
	rcodeMask      = 0xf
	topBit         = 1 << 15 // of a class: QU in questions, cache-flush in records
	typeOPT        = 41
	ednsOwnerIndex = 4 // EDNS0 option "owner" (draft-cheshire-edns0-owner-option)
)

var (
	errShort  = errors.New("packet ends in the middle")
	errOpcode = errors.New("not a standard query or answer")
)

// Parse reads a packet. Counts in the header are promises that nothing is
// allocated for; records of types that nobody looks at are stepped over, and a
// record whose data is malformed is left out, for its length says where the
// next one begins. What was read before a packet breaks off is given back with
// the error.
func Parse(b []byte) (*discovery.Message, error) {
	if len(b) < headerSize {
		return nil, errShort
	}
	b = b[:min(len(b), maxPacket)]
	flags := binary.BigEndian.Uint16(b[2:])
	if flags&opcodeMask != 0 || flags&flagResponse != 0 && flags&rcodeMask != 0 { // RFC 6762, sections 18.3 and 18.11
		return nil, errOpcode
	}
	m := &discovery.Message{ID: binary.BigEndian.Uint16(b), Response: flags&flagResponse != 0, Truncated: flags&flagTruncated != 0}
	off := headerSize
	for range binary.BigEndian.Uint16(b[4:]) {
		name, next, err := unpackName(b, off)
		if err != nil {
			return m, err
		}
		if next+4 > len(b) {
			return m, errShort
		}
		class := binary.BigEndian.Uint16(b[next+2:])
		if c := class &^ topBit; (c == dns.ClassINET || c == dns.ClassANY) && len(m.Questions) < maxQuestions {
			m.Questions = append(m.Questions, discovery.Question{Name: name, Type: discovery.Type(binary.BigEndian.Uint16(b[next:])), Unicast: class&topBit != 0})
		}
		off = next + 4
	}
	records := 0
	for _, at := range []int{6, 8, 10} {
		into := &m.Records
		switch {
		case !m.Response && at == 8: // what is being claimed (section 8.2)
			into = &m.Claims
		case !m.Response && at == 10:
			into = nil
		}
		for range binary.BigEndian.Uint16(b[at:]) {
			if records++; records > maxRecords {
				return m, nil
			}
			next, err := record(m, into, b, off)
			if err != nil {
				return m, err
			}
			off = next
		}
	}
	return m, nil
}

// record reads one record at off and appends it to into, where that is not nil.
func record(m *discovery.Message, into *[]discovery.Record, b []byte, off int) (next int, err error) {
	name, off, err := unpackName(b, off)
	if err != nil {
		return 0, err
	}
	if off+10 > len(b) {
		return 0, errShort
	}
	h := dns.RR_Header{Name: ".", Rrtype: binary.BigEndian.Uint16(b[off:]), Class: binary.BigEndian.Uint16(b[off+2:]),
		Ttl: binary.BigEndian.Uint32(b[off+4:]), Rdlength: binary.BigEndian.Uint16(b[off+8:])}
	off += 10
	next = off + int(h.Rdlength)
	if next > len(b) {
		return 0, errShort
	}
	if h.Rrtype == typeOPT {
		m.Owner = m.Owner || hasOwner(b[off:next])
		return next, nil
	}
	if h.Class&^topBit != dns.ClassINET || into == nil {
		return next, nil
	}
	r := discovery.Record{Name: name, Type: discovery.Type(h.Rrtype), TTL: time.Duration(h.Ttl) * time.Second, CacheFlush: h.Class&topBit != 0}
	if !unpackData(&r, h, b[:next], off) {
		return next, nil
	}
	*into = append(*into, r)
	return next, nil
}

// unpackData reads the data of a record; it reports whether it is one that is
// looked at, and well-formed.
func unpackData(r *discovery.Record, h dns.RR_Header, b []byte, off int) bool {
	switch r.Type {
	case discovery.TypeA, discovery.TypeAAAA, discovery.TypePTR, discovery.TypeSRV, discovery.TypeTXT:
	default:
		return false
	}
	if h.Rdlength == 0 {
		return r.Type == discovery.TypeTXT // not allowed (RFC 6763, section 6.1), and harmless
	}
	rr, _, err := dns.UnpackRRWithHeader(h, b, off)
	if err != nil {
		return false
	}
	switch rr := rr.(type) {
	case *dns.A:
		r.Addr, _ = netip.AddrFromSlice(rr.A.To4())
	case *dns.AAAA:
		r.Addr, _ = netip.AddrFromSlice(rr.AAAA)
	case *dns.PTR:
		r.Target, err = discovery.ParseName(rr.Ptr)
	case *dns.SRV:
		r.Priority, r.Weight, r.Port = rr.Priority, rr.Weight, rr.Port
		r.Target, err = discovery.ParseName(rr.Target)
	case *dns.TXT:
		for _, s := range rr.Txt {
			r.TXT = append(r.TXT, unescape(s))
		}
	}
	return err == nil
}

// unpackName reads a name that may be compressed. miekg/dns bounds its length
// and the pointers it follows.
func unpackName(b []byte, off int) (discovery.Name, int, error) {
	s, next, err := dns.UnpackDomainName(b, off)
	if err != nil {
		return discovery.Name{}, 0, err
	}
	n, err := discovery.ParseName(s)
	return n, next, err
}

// hasOwner looks for an owner option in the data of an OPT record (RFC 6891,
// section 6.1.2).
func hasOwner(b []byte) bool {
	for len(b) >= 4 {
		if binary.BigEndian.Uint16(b) == ednsOwnerIndex {
			return true
		}
		n := 4 + int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) {
			return false
		}
		b = b[n:]
	}
	return false
}

// unescape turns a string of miekg/dns, in which an octet may stand as \DDD or
// \X, into its octets.
func unescape(s string) []byte {
	digit := func(i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			b = append(b, s[i])
		case digit(i+1) && digit(i+2) && digit(i+3):
			b = append(b, (s[i+1]-'0')*100+(s[i+2]-'0')*10+(s[i+3]-'0'))
			i += 3
		default:
			b = append(b, s[i+1])
			i++
		}
	}
	return b
}
