package restdoc

import (
	"math"
	"net/netip"

	"threadmap/diag"
)

// dataset reads the harmless part of an Active Operational Dataset: a report
// without a speaker. The network key and the PSKc are stepped over and never
// copied, and no message quotes a value of a dataset.
func (r *reading) dataset(v value) {
	e := newEntry(r.ctx)
	n := &e.r.Network
	f := &e.f
	before := *n
	unreadable := 0
	members(v, func(key string, v value) bool {
		was := f.first
		switch key {
		case "networkname":
			if s := f.string(key, v); s != "" {
				n.Name = s
			}
		case "extpanid":
			if x := f.hex64(key, v); x != 0 {
				n.ExtPANID = diag.PANID64(x)
			}
		case "panid":
			// 0xffff is "any": no network has it.
			if x, ok := f.uint(key, v, math.MaxUint16); ok && x != 0xffff {
				n.PANID = diag.Some(uint16(x))
			}
		case "channel":
			// 11 to 26 are Thread's channels; zero means not set.
			if x, ok := f.uint(key, v, math.MaxUint8); ok && x != 0 {
				n.Channel = diag.Some(uint8(x))
			}
		case "meshlocalprefix":
			if s, ok := text(v); ok && len(s) <= 64 {
				if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is6() && !p.Addr().IsUnspecified() {
					n.MeshLocalPrefix = p.Masked()
				}
			}
		case "activetimestamp":
			timestamp(f, v, &n.ActiveTimestamp)
		}
		if f.first != was {
			unreadable++
			f.first = ""
		}
		return true
	})
	if unreadable > 0 {
		r.problem("some fields of the dataset could not be read", "")
	}
	r.doc.Entries++
	if n.ExtPANID != before.ExtPANID || n.Name != before.Name || n.PANID.Known() || n.Channel.Known() || n.MeshLocalPrefix.IsValid() || n.ActiveTimestamp.Known() {
		r.doc.Reports = append(r.doc.Reports, e.r)
	}
}

// timestamp reads {"seconds","ticks","authoritative"} into Thread's 64 bits:
// 48 of seconds, 15 of ticks, 1 of authority (Thread 8.10.1.13).
func timestamp(f *faults, v value, to *diag.Opt[uint64]) {
	var seconds, ticks, authoritative uint64
	have := false
	f.object("activetimestamp", v, func(key string, v value) {
		switch key {
		case "seconds":
			seconds, have = f.uint(key, v, 1<<48-1)
		case "ticks":
			ticks, _ = f.uint(key, v, 1<<15-1)
		case "authoritative":
			if b, _ := f.boolean(key, v); b {
				authoritative = 1
			}
		}
	})
	if have {
		*to = diag.Some(seconds<<16 | ticks<<1 | authoritative)
	}
}
