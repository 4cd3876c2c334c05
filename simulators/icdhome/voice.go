package icdhome

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"threadmap/simulators/mdns"
	"threadmap/simulators/simnet"
)

// group is where multicast DNS is spoken.
var group = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xff, 0x02, 15: 0xfb}), mdns.Port)

// A voice is a host's multicast DNS: it announces, answers, asks, and hears.
type voice struct {
	conn *simnet.Conn
	at   netip.Addr
	hear func(s said) // what others and itself say of operational instances; nil: nobody wants to know

	going sync.WaitGroup
	done  chan struct{}

	mu       sync.Mutex
	services []mdns.Service
	proxied  bool           // a sleep proxy answers for the host
	mute     bool           // neither answers nor says anything
	rounds   map[string]int // of announcements and withdrawals, by instance
	seekers  []*seeker
}

// A seeker waits for an instance to be told of.
type seeker struct {
	name  string // instance, folded
	found chan said
}

func newVoice(n *simnet.Net, at netip.Addr) (*voice, error) {
	conn, err := n.ListenPacket(netip.AddrPortFrom(at, mdns.Port))
	if err == nil {
		err = conn.JoinGroup(group)
	}
	if err != nil {
		return nil, err
	}
	return &voice{conn: conn, at: at, done: make(chan struct{}), rounds: map[string]int{}}, nil
}

func (v *voice) start() { v.going.Go(v.listen) }

func (v *voice) close() {
	select {
	case <-v.done:
	default:
		close(v.done)
		v.conn.Close()
	}
	v.going.Wait()
}

func (v *voice) listen() {
	buf := make([]byte, 9000)
	for {
		n, from, err := v.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		m := new(dns.Msg)
		if m.Unpack(buf[:n]) != nil {
			continue
		}
		src := from.(*net.UDPAddr).AddrPort()
		if !m.Response {
			if src.Addr() != v.at {
				v.answer(m, src)
			}
			continue
		}
		for _, s := range read(m, operational) {
			if v.hear != nil {
				v.hear(s)
			}
			v.found(s)
		}
	}
}

// found gives what was told to those who wait for it.
func (v *voice) found(s said) {
	if s.bye || !s.hasSRV {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, k := range v.seekers {
		if k.name == strings.ToLower(s.instance) {
			select {
			case k.found <- s:
			default:
			}
		}
	}
}

// answer answers a question by multicast, or by unicast where that is wanted.
func (v *voice) answer(m *dns.Msg, from netip.AddrPort) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mute {
		return
	}
	out := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Compress: true}
	unicast := from.Port() != mdns.Port
	if unicast {
		out.Id, out.Question = m.Id, m.Question
	}
	seen := map[string]bool{}
	for _, q := range m.Question {
		unicast = unicast || q.Qclass&flush != 0
		for i := range v.services {
			for _, rr := range answers(&v.services[i], q) {
				known := slices.ContainsFunc(m.Answer, func(k dns.RR) bool {
					return strings.EqualFold(k.Header().Name, rr.Header().Name) && k.Header().Rrtype == rr.Header().Rrtype && k.Header().Ttl >= rr.Header().Ttl/2 && sameData(k, rr)
				})
				if known && rr.Header().Rrtype == dns.TypePTR {
					break // its other records only come with it
				}
				if key := rr.String(); !known && !seen[key] {
					seen[key] = true
					out.Answer = append(out.Answer, rr)
				}
			}
		}
	}
	if len(out.Answer) == 0 {
		return
	}
	if v.proxied {
		out.Extra = append(out.Extra, ownerOption())
	}
	to := group
	if unicast {
		to = from
	}
	v.send(out, to)
}

func sameData(a, b dns.RR) bool {
	p, ok := a.(*dns.PTR)
	q, also := b.(*dns.PTR)
	return !ok || !also || strings.EqualFold(p.Ptr, q.Ptr)
}

func (v *voice) send(m *dns.Msg, to netip.AddrPort) {
	if b, err := m.Pack(); err == nil {
		v.conn.WriteTo(b, net.UDPAddrFromAddrPort(to))
	}
}

// put announces a service: twice, a second apart (RFC 6762, section 8.3). A
// withdrawal in between ends that.
func (v *voice) put(s mdns.Service) {
	v.mu.Lock()
	v.services = slices.DeleteFunc(v.services, func(o mdns.Service) bool { return o.Instance == s.Instance && o.Kind == s.Kind })
	v.services = append(v.services, s)
	v.mu.Unlock()
	v.twice(s, false)
}

// has reports whether it announces an instance.
func (v *voice) has(instance string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.ContainsFunc(v.services, func(s mdns.Service) bool { return s.Instance == instance })
}

// take withdraws a service, if it is there.
func (v *voice) take(instance string) {
	v.mu.Lock()
	var gone []mdns.Service
	v.services = slices.DeleteFunc(v.services, func(o mdns.Service) bool {
		if o.Instance == instance {
			gone = append(gone, o)
			return true
		}
		return false
	})
	v.mu.Unlock()
	for _, s := range gone {
		v.twice(s, true)
	}
}

func (v *voice) twice(s mdns.Service, bye bool) {
	v.mu.Lock()
	key := s.Kind + s.Instance
	v.rounds[key]++
	round := v.rounds[key]
	v.mu.Unlock()
	say := func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.rounds[key] == round && !v.mute {
			v.send(&dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Compress: true, Answer: records(&s, bye)}, group)
		}
	}
	say()
	v.going.Go(func() {
		if v.pause(time.Second) {
			say()
		}
	})
}

// forget drops all services without a word.
func (v *voice) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.services = nil
	for k := range v.rounds {
		v.rounds[k]++
	}
}

// pause waits; false where the voice was closed meanwhile.
func (v *voice) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-v.done:
		return false
	}
}

var errNotFound = errors.New("nobody on the LAN answers for that name")

// lookUpLimit is how long the CHIP SDK looks for a name.
const lookUpLimit = 45 * time.Second

// seek asks the LAN for an instance, as long as it takes, up to lookUpLimit.
// Where ask is false, it only waits for what comes by itself.
func (v *voice) seek(ctx context.Context, instance string) (said, error) {
	k := &seeker{strings.ToLower(instance), make(chan said, 1)}
	v.mu.Lock()
	v.seekers = append(v.seekers, k)
	v.mu.Unlock()
	defer func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.seekers = slices.DeleteFunc(v.seekers, func(o *seeker) bool { return o == k })
	}()
	name := instance + "." + operational + ".local."
	q := &dns.Msg{Question: []dns.Question{{Name: name, Qtype: dns.TypeSRV, Qclass: dns.ClassINET}, {Name: name, Qtype: dns.TypeTXT, Qclass: dns.ClassINET}}}
	began := time.Now()
	for _, at := range []time.Duration{0, 1, 3, 7, 15, 31, 44} {
		timer := time.NewTimer(time.Until(began.Add(at * time.Second)))
		select {
		case <-timer.C:
			v.mu.Lock()
			if !v.mute {
				v.send(q, group)
			}
			v.mu.Unlock()
		case s := <-k.found:
			timer.Stop()
			return s, nil
		case <-ctx.Done():
			timer.Stop()
			return said{}, ctx.Err()
		case <-v.done:
			timer.Stop()
			return said{}, net.ErrClosed
		}
	}
	timer := time.NewTimer(time.Until(began.Add(lookUpLimit)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return said{}, errNotFound
	case s := <-k.found:
		return s, nil
	case <-ctx.Done():
		return said{}, ctx.Err()
	case <-v.done:
		return said{}, net.ErrClosed
	}
}
