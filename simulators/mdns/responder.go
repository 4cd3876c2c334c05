package mdns

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Port is multicast DNS' port.
const Port = 5353

// A Service is one instance.
type Service struct {
	Kind     string // "_matter._tcp"
	Subtypes []string
	Instance string // the label, raw
	Host     string // the host's label, raw
	Port     uint16
	TXT      [][]byte // nil: an empty string, as RFC 6763 section 6.1 wants
	Addrs    []netip.Addr
	TTL      uint32 // seconds, of PTR, SRV and TXT; default 4500
	HostTTL  uint32 // seconds, of addresses; default 120
}

// A Behaviour is how a responder departs from answering at once, in full, in
// packets of 1400 octets.
type Behaviour struct {
	PacketSize int           // default 1400
	Each       bool          // one packet for each service
	PTROnly    bool          // no additional records: SRV, TXT and addresses only when asked for
	OneOfMany  bool          // a browse question is answered with the first instance only
	NoFlush    bool          // no cache-flush bits
	NoKnown    bool          // known answers are ignored
	Delay      time.Duration // before each answer
	Copies     int           // of each packet; default 1
	MaxTTL     bool          // the largest TTL that there is on everything
}

// A Responder answers on one socket.
type Responder struct {
	conn  net.PacketConn
	group netip.AddrPort
	how   Behaviour

	mu       sync.Mutex
	services []Service
	index    map[string][]int // services by the names that they answer to, in lower case
	asked    int              // questions heard
	mute     bool
}

// New makes a responder on a socket. Where group is valid, answers to questions
// that don't want unicast go there, and so do announcements.
func New(conn net.PacketConn, group netip.AddrPort, services []Service, how Behaviour) *Responder {
	if how.PacketSize == 0 {
		how.PacketSize = 1400
	}
	if how.Copies == 0 {
		how.Copies = 1
	}
	r := &Responder{conn: conn, group: group, how: how}
	r.put(services)
	return r
}

// put replaces the services.
func (r *Responder) put(services []Service) {
	r.services, r.index = slices.Clone(services), map[string][]int{}
	for i := range r.services {
		ptr, srv, _, addrs := r.all(&r.services[i])
		names := map[string]bool{strings.ToLower(srv.Header().Name): true}
		for _, rr := range append(ptr, addrs...) {
			names[strings.ToLower(rr.Header().Name)] = true
		}
		for n := range names {
			r.index[n] = append(r.index[n], i)
		}
	}
}

// Serve answers until ctx ends, and closes the socket.
func (r *Responder) Serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { r.conn.Close() })
	defer stop()
	defer r.conn.Close()
	var late sync.WaitGroup
	defer late.Wait()
	buf := make([]byte, 65535)
	for {
		n, from, err := r.conn.ReadFrom(buf)
		if err != nil {
			if ctx.Err() != nil || strings.Contains(err.Error(), "closed") {
				return
			}
			continue
		}
		q := new(dns.Msg)
		if q.Unpack(buf[:n]) != nil || q.Response {
			continue
		}
		r.mu.Lock()
		r.asked += len(q.Question)
		r.mu.Unlock()
		if r.how.Delay == 0 {
			r.answer(q, from)
			continue
		}
		late.Go(func() {
			select {
			case <-time.After(r.how.Delay):
				r.answer(q, from)
			case <-ctx.Done():
			}
		})
	}
}

// Asked is how many questions were heard.
func (r *Responder) Asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// Mute makes the responder hear and not answer, as if it had gone without a
// goodbye.
func (r *Responder) Mute() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mute = true
}

// answer answers a message's questions.
func (r *Responder) answer(q *dns.Msg, from net.Addr) {
	src, ok := from.(*net.UDPAddr)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mute {
		return
	}
	legacy := src.Port != Port
	unicast := len(q.Question) > 0
	var answers, extra []dns.RR
	for _, one := range q.Question {
		unicast = unicast && one.Qclass&(1<<15) != 0
		a, x := r.records(one)
		answers, extra = append(answers, a...), append(extra, x...)
	}
	if !r.how.NoKnown {
		known := map[string]uint32{}
		for _, k := range q.Answer {
			known[keyOf(k)] = k.Header().Ttl
		}
		answers = slices.DeleteFunc(answers, func(a dns.RR) bool {
			ttl, ok := known[keyOf(a)]
			return ok && ttl >= a.Header().Ttl/2
		})
	}
	answers = unique(answers, nil)
	if len(answers) == 0 {
		return
	}
	extra = unique(extra, answers)
	if r.how.PTROnly {
		extra = nil
	}
	to := r.group
	if legacy || unicast || !to.IsValid() {
		to = src.AddrPort()
	}
	head := dns.Msg{}
	if legacy {
		head.Id, head.Question = q.Id, q.Question
		for _, rr := range append(slices.Clone(answers), extra...) { // RFC 6762, section 6.7
			rr.Header().Ttl = min(rr.Header().Ttl, 10)
			rr.Header().Class &^= 1 << 15
		}
	}
	r.send(head, answers, extra, to)
}

// records are what answers one question, and what comes with it.
func (r *Responder) records(q dns.Question) (answers, extra []dns.RR) {
	is := func(name string) bool { return strings.EqualFold(name, q.Name) }
	typ := func(t uint16) bool { return q.Qtype == t || q.Qtype == dns.TypeANY }
	for _, i := range r.index[strings.ToLower(q.Name)] {
		ptr, srv, txt, addrs := r.all(&r.services[i])
		named := false
		for _, p := range ptr {
			if is(p.Header().Name) && typ(dns.TypePTR) {
				answers, named = append(answers, p), true
			}
		}
		if named {
			extra = append(append(extra, srv, txt), addrs...)
			if r.how.OneOfMany {
				return answers[:1], extra[:2+len(addrs)]
			}
			continue
		}
		if is(srv.Header().Name) {
			if typ(dns.TypeSRV) {
				answers, extra = append(answers, srv), append(extra, addrs...)
			}
			if typ(dns.TypeTXT) {
				answers = append(answers, txt)
			}
		}
		for _, a := range addrs {
			if is(a.Header().Name) && typ(a.Header().Rrtype) {
				answers = append(answers, a)
			}
		}
	}
	return answers, extra
}

// all are the records of a service.
func (r *Responder) all(s *Service) (ptr []dns.RR, srv, txt dns.RR, addrs []dns.RR) {
	ttl, hostTTL, flush := s.TTL, s.HostTTL, uint16(1<<15)
	if ttl == 0 {
		ttl = 4500
	}
	if hostTTL == 0 {
		hostTTL = 120
	}
	if r.how.MaxTTL {
		ttl, hostTTL = 1<<32-1, 1<<32-1
	}
	if r.how.NoFlush {
		flush = 0
	}
	zone := s.Kind + ".local."
	name, host := Escape([]byte(s.Instance))+"."+zone, Escape([]byte(s.Host))+".local."
	head := func(name string, t uint16, ttl uint32, flush uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: t, Class: dns.ClassINET | flush, Ttl: ttl}
	}
	ptr = append(ptr, &dns.PTR{Hdr: head(zone, dns.TypePTR, ttl, 0), Ptr: name})
	for _, sub := range s.Subtypes {
		ptr = append(ptr, &dns.PTR{Hdr: head(sub+"._sub."+zone, dns.TypePTR, ttl, 0), Ptr: name})
	}
	srv = &dns.SRV{Hdr: head(name, dns.TypeSRV, ttl, flush), Port: s.Port, Target: host}
	t := &dns.TXT{Hdr: head(name, dns.TypeTXT, ttl, flush), Txt: []string{""}}
	if len(s.TXT) > 0 {
		t.Txt = nil
		for _, x := range s.TXT {
			t.Txt = append(t.Txt, Escape(x))
		}
	}
	for _, a := range s.Addrs {
		if a.Is4() {
			addrs = append(addrs, &dns.A{Hdr: head(host, dns.TypeA, hostTTL, flush), A: a.AsSlice()})
		} else {
			addrs = append(addrs, &dns.AAAA{Hdr: head(host, dns.TypeAAAA, hostTTL, flush), AAAA: a.WithZone("").AsSlice()})
		}
	}
	return ptr, srv, t, addrs
}

// send packs records and sends them.
func (r *Responder) send(head dns.Msg, answers, extra []dns.RR, to netip.AddrPort) {
	for _, b := range r.pack(head, answers, extra) {
		for range r.how.Copies {
			r.conn.WriteTo(b, net.UDPAddrFromAddrPort(to))
		}
	}
}

func (r *Responder) pack(head dns.Msg, answers, extra []dns.RR) (out [][]byte) {
	var m *dns.Msg
	begin := func() {
		m = &dns.Msg{MsgHdr: dns.MsgHdr{Id: head.Id, Response: true, Authoritative: true}, Question: head.Question, Compress: true}
	}
	end := func() {
		if len(m.Answer)+len(m.Extra) > 0 {
			if b, err := m.Pack(); err == nil {
				out = append(out, b)
			}
		}
		begin()
	}
	begin()
	size := 0
	for i, rr := range append(slices.Clone(answers), extra...) {
		// Without compression this is too much, never too little.
		cost := dns.Len(rr)
		if m.Len() > r.how.PacketSize-cost && size > 0 {
			end()
		}
		if i < len(answers) {
			m.Answer = append(m.Answer, rr)
		} else {
			m.Extra = append(m.Extra, rr)
		}
		size += cost
	}
	end()
	return out
}

// Announce says all services, unasked.
func (r *Responder) Announce() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.announce(r.services, false)
}

// Goodbye takes services back, all of them where no instance is named.
func (r *Responder) Goodbye(instances ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := func(s Service) bool { return len(instances) == 0 || slices.Contains(instances, s.Instance) }
	var out []Service
	for _, s := range r.services {
		if gone(s) {
			out = append(out, s)
		}
	}
	r.announce(out, true)
	r.put(slices.DeleteFunc(r.services, gone))
}

// Set replaces the services and announces the new ones.
func (r *Responder) Set(services []Service) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(services)
	r.announce(r.services, false)
}

func (r *Responder) announce(services []Service, bye bool) {
	if !r.group.IsValid() {
		return
	}
	var all []dns.RR
	for i := range services {
		ptr, srv, txt, addrs := r.all(&services[i])
		one := append(append(ptr, srv, txt), addrs...)
		if bye {
			one = append(ptr, srv, txt) // the host may have other services
			for _, rr := range one {
				rr.Header().Ttl = 0
			}
		}
		if r.how.Each {
			r.send(dns.Msg{}, one, nil, r.group)
			continue
		}
		all = append(all, one...)
	}
	if all = unique(all, nil); len(all) > 0 {
		r.send(dns.Msg{}, all, nil, r.group)
	}
}

// unique drops records that stand earlier in the list, or in others.
func unique(rrs, others []dns.RR) []dns.RR {
	seen := map[string]bool{}
	for _, o := range others {
		seen[o.String()] = true
	}
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		s := rr.String()
		was := seen[s]
		seen[s] = true
		return was
	})
}

// keyOf is equal for records that differ in time to live and class only, or in
// the case of letters.
func keyOf(rr dns.RR) string {
	rr = dns.Copy(rr)
	rr.Header().Class, rr.Header().Ttl = dns.ClassINET, 0
	return strings.ToLower(rr.String())
}

// Escape writes raw octets as miekg/dns wants names and strings: all but
// letters, digits, hyphen and underscore as \DDD.
func Escape(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
			s.WriteByte(c)
		default:
			s.Write([]byte{'\\', '0' + c/100, '0' + c/10%10, '0' + c%10})
		}
	}
	return s.String()
}
