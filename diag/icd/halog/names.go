package halog

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// How lines name a node: the Python server in decimal, CHIP's stack and matter.js
// in hexadecimal.
var (
	decimalNames = regexp.MustCompile(`<Node:(\d{1,20})>|[.\[ ][Nn]ode[ _](?:ID )?(\d{1,20})(?:[\]:., ]|$)`)
	hexNames     = regexp.MustCompile(`@[0-9a-fA-F]{1,4}:(?:0x)?([0-9a-f]{1,16})(?:[^0-9a-zA-Z]|$)` +
		`|Peer = [0-9A-F]{1,2}:([0-9A-F]{16})\b|\[[0-9A-F]{1,2}:([0-9A-F]{16})\]|\b[0-9A-F]{16}-([0-9A-F]{16})\b`)
	// Subscription ids are hexadecimal; before 2026 matter.js wrote them in decimal.
	hexIDs     = regexp.MustCompile(`(?i)\bsub(?:Id|#|scriptionID)(?: =|:) ?(?:0x)?([0-9a-f]{1,8})\b|\bSubscription ([0-9a-f]{8})\b`)
	decimalIDs = regexp.MustCompile(`(?i)\bsubscription (\d{9,10})\b`)
	// A ReportData begins with its subscription id: structure, context tag 0, four
	// octets, little-endian.
	payloadIDs = regexp.MustCompile(`I/ReportData .*payload: 152600([0-9a-f]{8})`)
)

// maxNames bounds the names that are looked for in one line.
const maxNames = 8

// each calls f with what the groups of a pattern matched, as numbers.
func each(p *regexp.Regexp, text string, base int, f func(uint64) bool) bool {
	for _, m := range p.FindAllStringSubmatch(text, maxNames) {
		for _, g := range m[1:] {
			if g == "" {
				continue
			}
			if n, err := strconv.ParseUint(g, base, 64); err == nil && f(n) {
				return true
			}
		}
	}
	return false
}

// names reports whether a line names the node.
func names(text string, node uint64) bool {
	is := func(n uint64) bool { return n == node }
	return each(decimalNames, text, 10, is) || each(hexNames, text, 16, is)
}

// namesAny reports whether a line names any node.
func namesAny(text string) bool {
	any := func(uint64) bool { return true }
	return each(decimalNames, text, 10, any) || each(hexNames, text, 16, any)
}

// subscriptionID is the subscription that a line names.
func subscriptionID(text string) (id uint32, ok bool) {
	take := func(n uint64) bool {
		if n > 1<<32-1 {
			return false
		}
		id, ok = uint32(n), true
		return true
	}
	if m := payloadIDs.FindStringSubmatch(text); m != nil {
		n, err := strconv.ParseUint(m[1][6:8]+m[1][4:6]+m[1][2:4]+m[1][:2], 16, 32)
		return uint32(n), err == nil
	}
	if !each(hexIDs, text, 16, take) {
		each(decimalIDs, text, 10, take)
	}
	return id, ok
}

// marks are texts of which a line that names the node has one: looking for them
// is much faster than the patterns.
func marks(node uint64) []string {
	decimal, hex := strconv.FormatUint(node, 10), strconv.FormatUint(node, 16)
	return []string{"Node:" + decimal, "ode " + decimal, "ode_" + decimal, "ode ID " + decimal, ":" + hex, ":0x" + hex, fmt.Sprintf("%016X", node)}
}

// worthALook reports whether a line may be about the node: it has one of its
// marks, or may name a subscription.
func (p *reader) worthALook(text string) bool {
	for _, m := range p.marks {
		if strings.Contains(text, m) {
			return true
		}
	}
	return len(p.nodes) > 0 && strings.Contains(text, "ubscription ")
}
