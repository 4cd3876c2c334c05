package discovery

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// conflict looks for somebody else's records under our names (section 9).
func (a *Advertiser) conflict(l *adLink, m *Message, at time.Time) {
	for i := range m.Records {
		r := &m.Records[i]
		host, instance := r.Name.Equal(a.host), r.Name.Equal(a.instance)
		if r.TTL == 0 || !host && !instance || a.ours[adKey(r)] {
			continue
		}
		if l.phase != adProbing {
			same := slices.ContainsFunc(a.unique(l), func(u Record) bool { return u.Type == r.Type && u.Name.Equal(r.Name) })
			if !same {
				continue
			}
			a.conflicts++
			a.probe(l, at) // whoever has it will say so
			return
		}
		a.conflicts++
		if instance {
			a.taken = true
			return
		}
		a.rename(at)
		return
	}
}

// rename takes another host name on all links.
func (a *Advertiser) rename(at time.Time) {
	a.tried++
	n, err := NewName(fmt.Sprintf("%s-%d", a.ad.Host, 1+a.tried), local)
	if err != nil {
		a.taken = true
		return
	}
	a.host = n
	a.remember()
	for _, l := range a.links {
		if l.phase != adIdle {
			a.probe(l, at)
		}
	}
}

// tie settles who of two that probe at once has the name (section 8.2): the one
// whose records come later in order.
func (a *Advertiser) tie(l *adLink, m *Message, at time.Time) {
	for _, name := range []Name{a.instance, a.host} {
		theirs, ours := adOrder(m.Claims, name), adOrder(a.unique(l), name)
		if len(theirs) > 0 && slices.CompareFunc(ours, theirs, bytes.Compare) < 0 {
			a.conflicts++
			l.sent, l.at = 0, at.Add(lostProbe)
			return
		}
	}
}

// adOrder is the records of a name in their order: class, type, data.
func adOrder(records []Record, name Name) (out [][]byte) {
	for i := range records {
		r := &records[i]
		if !r.Name.Equal(name) {
			continue
		}
		b := binary.BigEndian.AppendUint16(nil, uint16(r.Type))
		switch r.Type {
		case TypeA, TypeAAAA:
			b = append(b, r.Addr.AsSlice()...)
		case TypeSRV: // the name uncompressed, as it is written
			b = binary.BigEndian.AppendUint16(b, r.Priority)
			b = binary.BigEndian.AppendUint16(b, r.Weight)
			b = binary.BigEndian.AppendUint16(b, r.Port)
			b = append(append(b, r.Target.wire...), 0)
		case TypeTXT:
			for _, s := range r.TXT {
				b = append(append(b, byte(len(s))), s...)
			}
		}
		out = append(out, b)
	}
	slices.SortFunc(out, bytes.Compare)
	return out
}
