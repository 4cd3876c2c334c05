package icdhome

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"threadmap/simulators/mdns"
)

const (
	operational = "_matter._tcp"
	flush       = 1 << 15 // the cache-flush bit
	srvTTL      = 4500
	hostTTL     = 120
)

// records are what announces a service; with ttl 0 what withdraws it. A host's
// addresses are never withdrawn, as it may have other services.
func records(s *mdns.Service, bye bool) []dns.RR {
	ttl, host := uint32(srvTTL), uint32(hostTTL)
	if bye {
		ttl = 0
	}
	zone := s.Kind + ".local."
	name, target := mdns.Escape([]byte(s.Instance))+"."+zone, mdns.Escape([]byte(s.Host))+".local."
	head := func(name string, t uint16, ttl uint32, class uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: t, Class: dns.ClassINET | class, Ttl: ttl}
	}
	out := []dns.RR{&dns.PTR{Hdr: head(zone, dns.TypePTR, ttl, 0), Ptr: name}}
	for _, sub := range s.Subtypes {
		out = append(out, &dns.PTR{Hdr: head(sub+"._sub."+zone, dns.TypePTR, ttl, 0), Ptr: name})
	}
	txt := &dns.TXT{Hdr: head(name, dns.TypeTXT, ttl, flush), Txt: []string{""}}
	if len(s.TXT) > 0 {
		txt.Txt = nil
		for _, x := range s.TXT {
			txt.Txt = append(txt.Txt, mdns.Escape(x))
		}
	}
	out = append(out, &dns.SRV{Hdr: head(name, dns.TypeSRV, ttl, flush), Port: s.Port, Target: target}, txt)
	if bye {
		return out
	}
	for _, a := range s.Addrs {
		if a.Is4() {
			out = append(out, &dns.A{Hdr: head(target, dns.TypeA, host, flush), A: a.AsSlice()})
		} else {
			out = append(out, &dns.AAAA{Hdr: head(target, dns.TypeAAAA, host, flush), AAAA: a.WithZone("").AsSlice()})
		}
	}
	return out
}

// answers are those of a service's records that answer a question, and whether
// there is any. A service that is found brings all its records.
func answers(s *mdns.Service, q dns.Question) []dns.RR {
	all := records(s, false)
	for _, rr := range all {
		if strings.EqualFold(rr.Header().Name, q.Name) && (q.Qtype == rr.Header().Rrtype || q.Qtype == dns.TypeANY) {
			return all
		}
	}
	return nil
}

// ownerOption is a sleep proxy's mark on what it says for another host: EDNS0
// option 4, with its version, a sequence number and that host's MAC address.
func ownerOption() dns.RR {
	o := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT, Class: 1440}}
	o.Option = append(o.Option, &dns.EDNS0_LOCAL{Code: 4, Data: []byte{0, 7, 0x02, 0, 0x5e, 0, 0x10, 0x77}})
	return o
}

// A said is what one message says of one instance.
type said struct {
	instance, kind string
	bye            bool
	host           string
	port           uint16
	addrs          []netip.Addr
	txt            [][]byte
	hasSRV         bool
}

// read is what a message says of instances of a kind.
func read(m *dns.Msg, kind string) (out []said) {
	zone := "." + kind + ".local."
	all := append(append([]dns.RR{}, m.Answer...), m.Extra...)
	find := map[string]int{}
	at := func(name string) *said {
		instance, ok := strings.CutSuffix(name, zone)
		if !ok {
			return nil
		}
		if i, ok := find[instance]; ok {
			return &out[i]
		}
		find[instance] = len(out)
		out = append(out, said{instance: instance, kind: kind})
		return &out[len(out)-1]
	}
	for _, rr := range all {
		switch rr := rr.(type) {
		case *dns.SRV:
			if s := at(rr.Hdr.Name); s != nil {
				s.host, s.port, s.bye, s.hasSRV = rr.Target, rr.Port, rr.Hdr.Ttl == 0, true
			}
		case *dns.TXT:
			if s := at(rr.Hdr.Name); s != nil {
				for _, t := range rr.Txt {
					s.txt = append(s.txt, []byte(t))
				}
			}
		}
	}
	for _, rr := range all {
		if a, ok := rr.(*dns.AAAA); ok {
			ip, _ := netip.AddrFromSlice(a.AAAA)
			for i := range out {
				if strings.EqualFold(out[i].host, a.Hdr.Name) {
					out[i].addrs = append(out[i].addrs, ip)
				}
			}
		}
	}
	return out
}
