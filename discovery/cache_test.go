package discovery

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var (
	good = netip.MustParseAddr("fe80::900d")
	liar = netip.MustParseAddr("fe80::bad")
)

// fill puts n services of one responder.
func fill(c *Cache, from netip.Addr, n int, at time.Time) {
	for i := range n {
		for _, r := range service(fmt.Sprintf("%s %d", from, i), fmt.Sprintf("h%d-%x", i, from.As16()[15]), 1, "x", "fd00::1") {
			c.Put(r, from, at)
		}
	}
}

// TestCacheBounds: a responder that lies without end does not push out what
// another one said.
func TestCacheBounds(t *testing.T) {
	c := NewCache(Limits{Records: 2000, Bytes: 2 << 20})
	fill(c, good, 300, epoch)
	kept := c.Stats().Records
	fill(c, liar, 5000, epoch)
	s := c.Stats()
	if s.Records > 2000 || s.Bytes > 2<<20 || s.Dropped == 0 {
		t.Errorf("%+v", s)
	}
	mine := 0
	for _, e := range c.entries(KindMeshCoP.Name(), TypePTR) {
		if e.charged == good {
			mine++
		}
	}
	if mine != 300 || kept != 1200 {
		t.Errorf("%d of 300 are left", mine)
	}
	// Nor does the one that came first keep others out for ever.
	c = NewCache(Limits{Records: 2000})
	fill(c, liar, 5000, epoch)
	fill(c, good, 100, epoch)
	mine = 0
	for _, e := range c.entries(KindMeshCoP.Name(), TypePTR) {
		if e.charged == good {
			mine++
		}
	}
	if mine != 100 || c.Stats().Records > 2000 {
		t.Errorf("%d of 100 came in, %+v", mine, c.Stats())
	}
	// By size.
	c = NewCache(Limits{Bytes: 1 << 20})
	big := make([][]byte, 258)
	for i := range big {
		big[i] = make([]byte, 254)
	}
	for i := range 1000 {
		c.Put(Record{Name: mustName(fmt.Sprint(i)), Type: TypeTXT, TTL: time.Hour, TXT: big[:256]}, liar, epoch)
	}
	if s := c.Stats(); s.Bytes > 1<<20 || s.Records == 0 {
		t.Errorf("%+v", s)
	}
	if c.Put(Record{Name: mustName("big"), Type: TypeTXT, TTL: time.Hour, TXT: big}, good, epoch) {
		t.Error("a TXT record of more than 64 KB was taken")
	}
	// By name.
	c = NewCache(Limits{})
	for i := range 1000 {
		c.Put(Record{Name: mustName("h"), Type: TypeA, TTL: time.Hour, Addr: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}, liar, epoch)
	}
	if s := c.Stats(); s.Records != 64 {
		t.Errorf("%+v", s)
	}
}

func TestCacheTTL(t *testing.T) {
	c := NewCache(Limits{})
	n := mustName("h", "local")
	put := func(at, ttl time.Duration) {
		c.Put(Record{Name: n, Type: TypeA, TTL: ttl, Addr: netip.AddrFrom4([4]byte{10, 0, 0, 1})}, good, epoch.Add(at))
	}
	put(0, (1<<32-1)*time.Second)
	if at, ok := c.Next(); !ok || at.Sub(epoch) != maxTTL {
		t.Error(at, ok)
	}
	put(0, 10*time.Second)
	if k := c.Known(n, TypeA, epoch.Add(5*time.Second)); len(k) != 1 || k[0].TTL != 5*time.Second {
		t.Errorf("%+v", k)
	}
	if k := c.Known(n, TypeA, epoch.Add(5001*time.Millisecond)); len(k) != 0 {
		t.Errorf("%+v", k)
	}
	if c.Expire(epoch.Add(9*time.Second)) || !c.Expire(epoch.Add(10*time.Second)) || c.Stats().Records != 0 || c.Stats().Bytes != 0 || len(c.load) != 0 {
		t.Errorf("%+v", c.Stats())
	}
	if _, ok := c.Next(); ok {
		t.Error("an empty cache has a next")
	}
	for _, bad := range []Record{{Type: TypePTR}, {Type: TypeSRV}, {Type: TypeA, Addr: netip.IPv6Unspecified()}, {Type: TypeAAAA, Addr: netip.MustParseAddr("::ffff:10.0.0.1")},
		{Type: TypeA, Addr: netip.MustParseAddr("224.0.0.1")}, {Type: 47}} {
		bad.TTL = time.Hour
		if c.Put(bad, good, epoch); c.Stats().Records != 0 {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// FuzzBrowser: whatever is said, in whatever order, no panic, the limits hold,
// the counts agree with what is there, and the services can be listed.
func FuzzBrowser(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
	f.Add([]byte("\x00\x10\x00\x00\x20\x00\x03\x30\x00\x00\x40\x0f\x21\x11\x01\x55"))
	f.Fuzz(func(t *testing.T, b []byte) {
		br := NewBrowser(Options{Heard: true, Limits: Limits{Records: 40, Bytes: 30_000, PerName: 4, TXT: 500}})
		br.AddLink(Link{Name: "eth0", Zone: "eth0"}, epoch)
		br.AddLink(Link{Name: "plain", Plain: true}, epoch)
		now := epoch
		names := []string{"a", "B", "b.c", "\xff"}
		for len(b) >= 3 {
			op, x, y := b[0], b[1], b[2]
			b = b[3:]
			rs := service(names[x&3], "h"+names[x>>2&3], uint16(x>>4&1), names[y&3], fmt.Sprintf("fd00::%x", y&3+1))
			r := rs[int(y>>2)%len(rs)]
			r.TTL = []time.Duration{0, time.Second, 100 * time.Second, 1 << 50}[op&3]
			r.CacheFlush = op&4 != 0
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, x >> 5}), 5353)
			m := &Message{Response: op&8 == 0, Records: []Record{r, rs[0]}, Questions: []Question{{r.Name, r.Type, false}}}
			br.Take(m, Origin{Interface: []string{"eth0", "plain"}[op>>4&1], From: from, At: now})
			now = now.Add(time.Duration(op>>5) * time.Duration(y) * 100 * time.Millisecond)
			br.Step(now)
			if !br.Next(now).After(now) {
				t.Fatal("next is not after now")
			}
		}
		for _, l := range br.links {
			n, octets, load := 0, 0, 0
			for _, set := range l.cache.sets {
				if len(set) == 0 {
					t.Error("an empty set is kept")
				}
				for _, e := range set {
					n, octets = n+1, octets+e.rec.size()
				}
			}
			for _, k := range l.cache.load {
				load += k
			}
			if s := l.cache.Stats(); s.Records != n || s.Bytes != octets || load != n || n > 40 || octets > 30_000+1000 {
				t.Errorf("%+v, there are %d of %d octets, %d charged", s, n, octets, load)
			}
		}
		for _, s := range br.Services() {
			if s.Name.IsRoot() || s.Kind != KindMeshCoP {
				t.Errorf("%+v", s)
			}
			s.Missing()
			s.Endpoints()
		}
	})
}
