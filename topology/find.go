package topology

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"threadmap/diag"
)

// maxQuery bounds what Find looks at, in bytes; no name of a node is longer.
const maxQuery = 512

// minPrefix is how many hexadecimal digits the beginning of an extended
// address needs; with fewer, everyday words would be addresses.
const minPrefix = 4

// Find lists the nodes that query may mean, in the order of their IDs. It
// never guesses: several hits are all given back. A query is tried, in this
// order, as
//
//   - a node's ID, a whole extended address (in any usual notation) or border
//     agent id,
//   - a whole name, then whole DNS-SD instance or host name, or an IPv6 address
//     (a link-local address or routing locator that follows from what is known
//     of a node is its address too),
//   - an RLOC16 ("0x5c00") or a Matter node id (decimal, "0x…", or
//     "FABRIC-NODE" as in the DNS-SD instance),
//   - the beginning of an extended address (4 hexadecimal digits or more), a
//     bare RLOC16 ("5c00"), or a part of a name, instance or host name;
//
// the first kind that hits wins over the later ones. Case does not matter, in
// any script.
func (m *Map) Find(query string) []*Node {
	q, ok := parseQuery(query)
	if !ok {
		return nil
	}
	best, found := len(tiers), []*Node(nil)
	for _, n := range m.Nodes {
		for i := 0; i <= best && i < len(tiers); i++ {
			if !tiers[i](q, n) {
				continue
			}
			if i < best {
				best, found = i, nil
			}
			found = append(found, n)
			break
		}
	}
	return found
}

// A query is what the user typed, read in every way that it allows.
type query struct {
	text   string // folded, without space around it
	label  string // the first DNS label of text, where it looks like a DNS name
	ext    diag.ExtAddr
	prefix string     // hexadecimal digits of the beginning of an extended address
	addr   netip.Addr // invalid: none
	rloc16 diag.RLOC16
	bare   diag.RLOC16 // an RLOC16 without "0x"
	matter []diag.MatterID
}

// tiers are the ways of hitting, strongest first.
var tiers = []func(q query, n *Node) bool{
	func(q query, n *Node) bool {
		return fold(n.ID) == q.text || q.ext != 0 && n.ExtAddr == q.ext ||
			n.BorderAgentID != "" && fold(n.BorderAgentID) == q.text
	},
	func(q query, n *Node) bool { return n.anyName(func(s string) bool { return s == q.text }) },
	func(q query, n *Node) bool {
		return n.anyLabel(func(s string) bool { return s == q.text || s == q.label }) || q.hitsAddress(n)
	},
	func(q query, n *Node) bool {
		return q.rloc16.Known() && n.RLOC16 == q.rloc16 || slices.ContainsFunc(q.matter, func(want diag.MatterID) bool {
			return slices.ContainsFunc(n.Matter, func(has diag.MatterID) bool {
				return has.Node == want.Node && (want.Fabric == 0 || want.Fabric == has.Fabric)
			})
		})
	},
	func(q query, n *Node) bool {
		part := func(s string) bool { return strings.Contains(s, q.text) }
		return q.prefix != "" && strings.HasPrefix(n.ExtAddr.String(), q.prefix) ||
			q.bare.Known() && n.RLOC16 == q.bare || n.anyName(part) || n.anyLabel(part)
	},
}

func parseQuery(s string) (query, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxQuery {
		return query{}, false
	}
	q := query{text: fold(s)}
	q.label = dnsLabel(q.text)
	q.ext, _ = diag.ParseExtAddr(s)
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		q.addr = a.WithZone("")
	}
	hex, marked := strings.CutPrefix(q.text, "0x")
	if d := strings.NewReplacer(":", "", "-", "").Replace(hex); len(d) >= minPrefix && len(d) < 16 && isHex(d) {
		q.prefix = d
	}
	if len(hex) == 4 && isHex(hex) {
		v, _ := strconv.ParseUint(hex, 16, 16)
		if r := diag.MakeRLOC16(uint16(v)); marked {
			q.rloc16 = r
		} else {
			q.bare = r
		}
	}
	q.matter = matterIDs(hex, marked)
	return q, true
}

// matterIDs reads a Matter node id: hexadecimal where it is marked so or has
// all 16 digits, else decimal; or "FABRIC-NODE", both of 16 digits.
func matterIDs(s string, marked bool) (ids []diag.MatterID) {
	if fabric, node, ok := strings.Cut(s, "-"); ok && len(fabric) == 16 && len(node) == 16 && isHex(fabric) && isHex(node) {
		f, _ := strconv.ParseUint(fabric, 16, 64)
		n, _ := strconv.ParseUint(node, 16, 64)
		return []diag.MatterID{{Fabric: f, Node: n}}
	}
	if isHex(s) && (marked || len(s) == 16) {
		if v, err := strconv.ParseUint(s, 16, 64); err == nil {
			ids = append(ids, diag.MatterID{Node: v})
		}
	}
	if !marked {
		if v, err := strconv.ParseUint(s, 10, 64); err == nil {
			ids = append(ids, diag.MatterID{Node: v})
		}
	}
	return ids
}

// hitsAddress reports whether the address is the node's: one it was heard to
// have, or one that a Thread stack makes of what is known of it.
func (q query) hitsAddress(n *Node) bool {
	if !q.addr.IsValid() {
		return false
	}
	if slices.ContainsFunc(n.Addresses, func(a netip.Addr) bool { return a.WithZone("") == q.addr }) {
		return true
	}
	if x, ok := diag.ExtAddrFromLinkLocal(q.addr); ok {
		return x == n.ExtAddr
	}
	r, prefix, ok := diag.RLOC16FromAddr(q.addr)
	return ok && n.Network != nil && n.Network.MeshLocalPrefix == prefix && n.RLOC16 == r
}

func (n *Node) anyName(hit func(folded string) bool) bool {
	if n.Name != "" && hit(fold(n.Name)) {
		return true
	}
	return slices.ContainsFunc(n.Names, func(x NameBy) bool { return hit(fold(x.Value)) })
}

func (n *Node) anyLabel(hit func(folded string) bool) bool {
	f := func(s string) bool { return hit(fold(s)) }
	return slices.ContainsFunc(n.Instances, f) || slices.ContainsFunc(n.Hosts, f)
}

// dnsLabel is what stands before the service type or the domain: "a" of
// "a._matter._tcp.local." and of "a.local", else s itself.
func dnsLabel(s string) string {
	if i := strings.Index(s, "._"); i > 0 {
		return s[:i]
	}
	s = strings.TrimSuffix(s, ".")
	for _, domain := range []string{".local", ".default.service.arpa"} {
		s = strings.TrimSuffix(s, domain)
	}
	return s
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return s != ""
}

// fold makes two spellings equal that differ only in case, in any script:
// each rune becomes the smallest of those that are its other cases.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 'A' {
			return r
		}
		if r <= 'z' {
			if r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if least >= 'A' && least <= 'Z' { // U+212A KELVIN SIGN, U+017F LONG S
			least += 'a' - 'A'
		}
		return least
	}, s)
}
