package mdns

import (
	"context"
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"

	"threadmap/discovery"
)

// addressesEvery is how often the interfaces are looked at for new addresses.
const addressesEvery = 10 * time.Second

// goodbyes are how often a goodbye is said, and how long after each other: a
// packet may be lost, and nobody likes to wait for the end of a program.
const (
	goodbyes     = 2
	goodbyeEvery = 100 * time.Millisecond
)

// An AdvertiseConfig says what is announced and where.
type AdvertiseConfig struct {
	discovery.Advertisement
	// Interfaces are as in [Config].
	Interfaces []string
	// Addresses, where set, are those that are announced on an interface, instead
	// of all that it has. It is called again and again.
	Addresses func(link string) []netip.Addr
	// Announced, where set, is called once all interfaces know of the instance,
	// with the name of the host, and again when that had to change.
	Announced func(host discovery.Name)
	// Trouble, where set, is called for each interface that can't be used.
	Trouble func(Problem)
	// Sockets are used instead of opening any; Advertise closes them. Without
	// Addresses each is announced with its own address.
	Sockets []Socket
}

// Operational is the advertisement of a node of a fabric (Matter core
// specification, section 4.3.2), on a host whose label is that of nobody else.
func Operational(fabric, node uint64, host string, port uint16, txt discovery.TXT) discovery.Advertisement {
	return discovery.Advertisement{
		Kind: discovery.KindMatter, Instance: hex64(fabric) + "-" + hex64(node), Subtypes: []string{"_I" + hex64(fabric)},
		Host: host, Port: port, TXT: txt,
	}
}

func hex64(v uint64) string {
	const digits = "0123456789ABCDEF"
	var b [16]byte
	for i := range b {
		b[i] = digits[v>>(60-4*i)&15]
	}
	return string(b[:])
}

// Advertise announces an instance until ctx ends, and then says goodbye. It
// shares port 5353 with other responders of the machine. The error is of one
// line: the instance is another's, or no interface can be used; nil where ctx
// ended.
func Advertise(ctx context.Context, c AdvertiseConfig) error {
	a, err := discovery.NewAdvertiser(c.Advertisement, rand.Uint64())
	if err != nil {
		return err
	}
	ad := &advertising{c: c, a: a, dead: map[*socket]bool{}}
	if err := ad.open(ctx); err != nil {
		return err
	}
	return ad.run(ctx)
}

// An advertising is the work of one Advertise.
type advertising struct {
	c       AdvertiseConfig
	a       *discovery.Advertiser
	sockets []*socket
	dead    map[*socket]bool
	nics    []*nic
	told    discovery.Name
}

// open opens the sockets; those that can't hear questions are no use.
func (ad *advertising) open(ctx context.Context) error {
	env := readEnvironment()
	if len(ad.c.Sockets) > 0 {
		for _, s := range ad.c.Sockets {
			ad.sockets = append(ad.sockets, &socket{Socket: s})
		}
		return nil
	}
	e := engine{c: Config{Interfaces: ad.c.Interfaces}, env: env}
	ad.nics = e.open(ctx)
	plain := map[string]bool{}
	for _, s := range e.sockets {
		if s.Link.Plain {
			s.Conn.Close()
			plain[s.Link.Name] = true
			continue
		}
		ad.sockets = append(ad.sockets, s)
	}
	ad.nics = slices.DeleteFunc(ad.nics, func(n *nic) bool { return plain[n.Name] })
	if ad.c.Trouble != nil {
		for _, p := range e.problems {
			ad.c.Trouble(p)
		}
	}
	switch {
	case len(ad.sockets) > 0:
		return nil
	case len(e.problems) > 0:
		p := e.problems[0]
		p.Fatal = true
		return p
	}
	return Problem{Reason: NoInterface, env: env, Fatal: true}
}

// look tells the rules the addresses of the links.
func (ad *advertising) look(at time.Time) {
	links := map[string][]netip.Addr{}
	for _, n := range ad.nics {
		if i, err := net.InterfaceByIndex(n.Index); err == nil && i.Flags&net.FlagUp != 0 {
			for _, p := range prefixes(i) {
				links[n.Name] = append(links[n.Name], p.Addr())
			}
		} else {
			links[n.Name] = nil
		}
	}
	if ad.nics == nil {
		for _, s := range ad.sockets {
			if u, ok := s.Conn.LocalAddr().(*net.UDPAddr); ok {
				links[s.Link.Name] = append(links[s.Link.Name], u.AddrPort().Addr())
			}
		}
	}
	for name, addrs := range links {
		if ad.c.Addresses != nil {
			addrs = ad.c.Addresses(name)
		}
		ad.a.SetLink(name, addrs, at)
	}
}

func (ad *advertising) run(ctx context.Context) error {
	in := make(chan packet, waiting)
	inner, cancel := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	e := engine{seed: maphash.MakeSeed()} // for its reader; it remembers no packets of ours
	for _, s := range ad.sockets {
		readers.Go(func() { e.read(inner, s, in) })
	}
	defer func() {
		cancel()
		for _, s := range ad.sockets {
			s.Conn.Close()
		}
		readers.Wait()
	}()
	ad.look(time.Now())
	addresses := time.NewTicker(addressesEvery)
	defer addresses.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			ad.goodbye()
			return nil
		case <-addresses.C:
			ad.look(time.Now())
		case <-timer.C:
		case p := <-in:
			if err := ad.take(p); err != nil {
				return err
			}
		}
		if err := ad.a.Err(); err != nil {
			return err
		}
		now := time.Now()
		for _, o := range ad.a.Step(now) {
			ad.send(o)
		}
		if ad.a.Announced() && !ad.told.Equal(ad.a.HostName()) {
			ad.told = ad.a.HostName()
			if ad.c.Announced != nil {
				ad.c.Announced(ad.told)
			}
		}
		timer.Reset(time.Until(ad.a.Next(now)))
	}
}

// take hands a packet to the rules. The error is that of the last socket that
// went.
func (ad *advertising) take(p packet) error {
	if p.err != nil {
		ad.dead[p.from] = true
		problem := Problem{Reason: classify(readEnvironment(), false, p.err), Interface: p.from.Link.Name, Err: p.err, env: readEnvironment()}
		if len(ad.dead) == len(ad.sockets) {
			problem.Fatal = true
			return problem
		}
		if ad.c.Trouble != nil {
			ad.c.Trouble(problem)
		}
		return nil
	}
	if p.m != nil {
		ad.a.Take(p.m, p.o)
	}
	return nil
}

func (ad *advertising) goodbye() {
	all := ad.a.Goodbye()
	if len(all) == 0 {
		return
	}
	for i := range goodbyes {
		if i > 0 {
			<-time.After(goodbyeEvery)
		}
		for _, o := range all {
			ad.send(o)
		}
	}
}

// send sends a packet on the sockets that it is for: to the group on all of
// the link, to one machine on that of its family.
func (ad *advertising) send(o discovery.Outgoing) {
	b, err := packOutgoing(o)
	if err != nil {
		return // the rules bound all that could be wrong
	}
	for _, s := range ad.sockets {
		if s.Link.Name != o.Link || ad.dead[s] {
			continue
		}
		to := s.Socket
		if o.To.IsValid() {
			if o.To.Addr().Unmap().Is4() != s.To.Addr().Unmap().Is4() {
				continue
			}
			to.To = o.To
		}
		send(&to, b) // what is lost is said again: announcements twice, answers when asked again
		if o.To.IsValid() {
			return
		}
	}
}

// packOutgoing writes a packet; what an Advertiser says fits into one.
func packOutgoing(o discovery.Outgoing) ([]byte, error) {
	m := &dns.Msg{Compress: true}
	m.Id, m.Response, m.Authoritative = o.ID, !o.Query, !o.Query
	for _, q := range o.Questions {
		class := uint16(dns.ClassINET)
		if q.Unicast && o.Query {
			class |= topBit
		}
		m.Question = append(m.Question, dns.Question{Name: escapeName(q.Name), Qtype: uint16(q.Type), Qclass: class})
	}
	for _, r := range o.Answers {
		m.Answer = append(m.Answer, packRecord(&r))
	}
	for _, r := range o.Claims {
		m.Ns = append(m.Ns, packRecord(&r))
	}
	for _, r := range o.Extra {
		m.Extra = append(m.Extra, packRecord(&r))
	}
	b, err := m.Pack()
	if err == nil && len(b) > maxSent {
		return nil, errors.New("larger than a packet")
	}
	return b, err
}

func packRecord(r *discovery.Record) dns.RR {
	h := dns.RR_Header{Name: escapeName(r.Name), Rrtype: uint16(r.Type), Class: dns.ClassINET, Ttl: uint32(r.TTL / time.Second)}
	if r.CacheFlush {
		h.Class |= topBit
	}
	switch r.Type {
	case discovery.TypePTR:
		return &dns.PTR{Hdr: h, Ptr: escapeName(r.Target)}
	case discovery.TypeSRV:
		return &dns.SRV{Hdr: h, Priority: r.Priority, Weight: r.Weight, Port: r.Port, Target: escapeName(r.Target)}
	case discovery.TypeTXT:
		t := &dns.TXT{Hdr: h}
		for _, s := range r.TXT {
			t.Txt = append(t.Txt, escapeText(s))
		}
		return t
	case discovery.TypeA:
		return &dns.A{Hdr: h, A: r.Addr.AsSlice()}
	}
	return &dns.AAAA{Hdr: h, AAAA: r.Addr.AsSlice()}
}

// escapeText is the presentation form of miekg/dns for a string.
func escapeText(s []byte) string {
	b := make([]byte, 0, len(s))
	for _, c := range s {
		if c >= ' ' && c < 0x7f && c != '\\' && c != '"' {
			b = append(b, c)
			continue
		}
		b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	}
	return string(b)
}
