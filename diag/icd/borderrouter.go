package icd

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
)

// A borderRouter is what the newest announcement of one says.
type borderRouter struct {
	name, host, from string
	xp, pt           string
	omr              netip.Prefix
	o                *Observation
}

// findBorderRouters lists those announced last, by name; one that said goodbye is
// left out.
func (v *view) findBorderRouters() []borderRouter {
	m := map[string]borderRouter{}
	for o, w := range each[Announce](v, "mdns announce") {
		if !isMeshCoP(w) || w.TXT == nil {
			continue
		}
		b := borderRouter{name: strings.ToLower(w.Instance), host: strings.ToLower(w.Host), from: w.From, o: o}
		b.xp, _ = txt(w.TXT, "xp")
		b.pt, _ = txt(w.TXT, "pt")
		s, _ := txt(w.TXT, "omr")
		b.omr = parseOMR(s)
		if _, known := m[b.name]; known || len(m) < maxNames {
			m[b.name] = b
		}
	}
	for o, w := range each[Announce](v, "mdns goodbye") {
		if b, ok := m[strings.ToLower(w.Instance)]; ok && isMeshCoP(w) && o.At > b.o.At {
			delete(m, b.name)
		}
	}
	out := make([]borderRouter, 0, len(m))
	for _, b := range m {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b borderRouter) int { return strings.Compare(a.name, b.name) })
	return out
}

// parseOMR reads the value of key omr: the prefix length and the prefix's
// octets in hexadecimal, or the usual text.
func parseOMR(s string) netip.Prefix {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked()
	}
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil || len(b) < 2 || len(b) > 17 || b[0] > 128 || int(b[0]) > 8*(len(b)-1) {
		return netip.Prefix{}
	}
	var a [16]byte
	copy(a[:], b[1:])
	return netip.PrefixFrom(netip.AddrFrom16(a), int(b[0])).Masked()
}

func (v *view) omrPrefixes() (out []netip.Prefix) {
	for _, b := range v.borderRouters() {
		if b.omr.IsValid() && !slices.Contains(out, b.omr) {
			out = append(out, b.omr)
		}
	}
	return out
}

// hubIsBorderRouter says whether the subscriber's own machine is a border
// router: such a one answers the device itself, and its silence on the network
// proves nothing.
func (v *view) hubIsBorderRouter() (is, known bool) {
	routers := v.borderRouters()
	if v.sub.fabric == "" || len(routers) == 0 {
		return false, false
	}
	for _, w := range each[Announce](v, "mdns announce") {
		fabric, _, ok := splitInstance(instanceOf(w.Instance))
		if !ok || fabric != v.sub.fabric || v.own[instanceOf(w.Instance)] || !v.asked(instanceOf(w.Instance)) && !v.isHubHost(w) {
			continue
		}
		known = true
		for _, b := range routers {
			if b.host != "" && b.host == strings.ToLower(w.Host) || b.from != "" && b.from == w.From && !isHex16(strings.SplitN(w.Host, ".", 2)[0]) {
				return true, true
			}
		}
	}
	return false, known
}

// isHubHost reports whether an operational announcement is of a machine that is
// no Thread device: those have their extended address for a host name.
func (v *view) isHubHost(w *Announce) bool {
	label, _, _ := strings.Cut(w.Host, ".")
	return w.Host != "" && !isHex16(label)
}
