package mdns

import (
	"strings"

	"github.com/miekg/dns"

	"threadmap/discovery"
)

// maxSent bounds a packet that we send: every link carries that much in one
// piece.
const maxSent = 1400

// pack writes a query in as many packets as it needs: known answers that don't
// fit follow in packets without questions, all but the last of them with the
// TC bit (RFC 6762, section 7.2). id is for plain questions; multicast ones
// have 0.
func pack(q discovery.Query, id uint16) ([][]byte, error) {
	p := packing{id: id}
	p.begin()
	for _, ask := range q.Questions {
		class := uint16(dns.ClassINET)
		if ask.Unicast {
			class |= topBit
		}
		if p.size+p.cost(ask.Name)+4 > maxSent {
			p.flush()
		}
		p.add(ask.Name, 4)
		p.m.Question = append(p.m.Question, dns.Question{Name: escapeName(ask.Name), Qtype: uint16(ask.Type), Qclass: class})
	}
	for _, k := range q.Known {
		const fixed = 10 // type, class, TTL, length
		if p.size+p.cost(k.Name)+fixed+p.cost(k.Target) > maxSent {
			p.m.Truncated = true
			p.flush()
		}
		p.add(k.Name, fixed)
		p.add(k.Target, 0)
		p.m.Answer = append(p.m.Answer, &dns.PTR{
			Hdr: dns.RR_Header{Name: escapeName(k.Name), Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: uint32(k.TTL.Seconds())},
			Ptr: escapeName(k.Target),
		})
	}
	p.flush()
	return p.out, p.err
}

// A packing is packets being made.
type packing struct {
	id   uint16
	m    *dns.Msg
	size int
	seen map[discovery.Name]bool // names that the packet has, to point to
	out  [][]byte
	err  error
}

func (p *packing) begin() {
	p.m, p.size, p.seen = new(dns.Msg), headerSize, map[discovery.Name]bool{}
	p.m.Id, p.m.Compress = p.id, true
}

// flush ends a packet, unless it is empty, and begins another.
func (p *packing) flush() {
	if len(p.m.Question)+len(p.m.Answer) > 0 {
		b, err := p.m.Pack()
		if err != nil {
			p.err = err
		} else {
			p.out = append(p.out, b)
		}
	}
	p.begin()
}

// cost is what a name takes in the present packet, with compression.
func (p *packing) cost(n discovery.Name) int {
	size := 0
	for ; !n.IsRoot(); n = n.Parent() {
		if p.seen[n] {
			return size + 2
		}
		size += 1 + len(n.First())
	}
	return size + 1
}

// add counts a name and what follows it.
func (p *packing) add(n discovery.Name, more int) {
	p.size += p.cost(n) + more
	for ; !n.IsRoot(); n = n.Parent() {
		p.seen[n] = true
	}
}

// escapeName is the presentation form of miekg/dns: every octet that is no
// letter, digit, hyphen or underscore as \DDD.
func escapeName(n discovery.Name) string {
	if n.IsRoot() {
		return "."
	}
	var b strings.Builder
	for _, l := range n.Labels() {
		for _, c := range []byte(l) {
			switch {
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
				b.WriteByte(c)
			default:
				b.Write([]byte{'\\', '0' + c/100, '0' + c/10%10, '0' + c%10})
			}
		}
		b.WriteByte('.')
	}
	return b.String()
}
