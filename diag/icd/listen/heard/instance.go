package heard

import (
	"time"

	"threadmap/discovery"
)

// An instance is what a message says of one.
type instance struct {
	name     discovery.Name
	kind     discovery.Kind
	there    bool // a record that lives
	bye      bool // a PTR of the kind or an SRV that ends
	host     discovery.Name
	port     uint16
	txt      discovery.TXT
	ttl      time.Duration
	lastHost discovery.Name // of an SRV that ends
}

// instances collects what the message says, in its order.
func (c *conversion) instances() []*instance {
	var out []*instance
	index := map[discovery.Name]*instance{}
	get := func(n discovery.Name, k discovery.Kind) *instance {
		f := n.Fold()
		in := index[f]
		if in == nil {
			in = &instance{name: n, kind: k}
			index[f] = in
			out = append(out, in)
		}
		return in
	}
	for i := range c.m.Records {
		r := &c.m.Records[i]
		switch r.Type {
		case discovery.TypePTR:
			k, ok := kindOf(r.Target.Parent())
			if !ok || !r.Name.In(r.Target.Parent()) {
				continue
			}
			sub := !r.Name.Equal(r.Target.Parent())
			switch in := get(r.Target, k); {
			case r.TTL > 0:
				in.live(r.TTL)
			case !sub: // an instance may leave a subtype and stay
				in.bye = true
			}
		case discovery.TypeSRV:
			k, ok := kindOf(r.Name.Parent())
			if !ok {
				continue
			}
			in := get(r.Name, k)
			if r.TTL > 0 {
				in.live(r.TTL)
				in.host, in.port = r.Target, r.Port
			} else {
				in.bye, in.lastHost = true, r.Target
			}
		case discovery.TypeTXT:
			if k, ok := kindOf(r.Name.Parent()); ok && r.TTL > 0 {
				in := get(r.Name, k)
				in.live(r.TTL)
				if in.txt = r.TXT; in.txt == nil {
					in.txt = discovery.TXT{}
				}
			}
		}
	}
	return out
}

// live notes a record with that time to live; the shortest counts.
func (in *instance) live(ttl time.Duration) {
	if !in.there || ttl < in.ttl {
		in.ttl = ttl
	}
	in.there = true
}

func kindOf(zone discovery.Name) (discovery.Kind, bool) {
	for _, k := range []discovery.Kind{discovery.KindMatter, discovery.KindMeshCoP} {
		if zone.Equal(k.Name()) {
			return k, true
		}
	}
	return "", false
}
