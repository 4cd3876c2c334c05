// Package redact makes a scan fit to be shown to strangers: names are gone, and
// whatever tells whose home it is (extended addresses, IPv6 addresses and
// prefixes, hosts, instances, ids of border agents, Matter nodes and fabrics,
// networks, URLs) has become a pseudonym. What made the mesh what it is stays:
// roles, tables, qualities, times, versions, makers and models.
//
// It works on the reports, before anything is inferred from them. So a map, a
// finding, a picture and a snapshot of a redacted scan can tell no more than
// the pseudonyms: they never had the rest. Only what is known to be harmless is
// copied; a field that a newer report has is left out until somebody decides.
//
// A pseudonym depends on a key and on what it stands for: with one key a device
// has the same in every report, with another nobody can tell that it is the
// same. Who does not have the key can't turn it back, nor try names out.
//
// The reader is below the verb "threadmap report".
package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"threadmap/diag"
)

// A Redactor gives pseudonyms of one key.
type Redactor struct {
	key []byte
	// known are the extended addresses of a scan that were told in the right order
	// of octets: see [Redactor.ownAddress].
	known map[diag.ExtAddr]bool
	calls map[diag.ExtAddr]string // what redacted nodes are called
}

// New makes a redactor. key should have 32 random octets.
func New(key []byte) *Redactor { return &Redactor{key: slices.Clone(key)} }

// pseudonym is what stands for a value of a kind.
func (r *Redactor) pseudonym(kind, value string) [sha256.Size]byte {
	m := hmac.New(sha256.New, r.key)
	fmt.Fprintf(m, "%s %d %s", kind, len(value), value)
	return [sha256.Size]byte(m.Sum(nil))
}

// number is a pseudonym for a 64-bit value, never zero, which is unknown.
func (r *Redactor) number(kind string, v uint64) uint64 {
	if v == 0 {
		return 0
	}
	p := r.pseudonym(kind, string(binary.BigEndian.AppendUint64(nil, v)))
	return max(binary.BigEndian.Uint64(p[:]), 1)
}

// word is a pseudonym for text: "host-3fa9c1d2"; "" stays.
func (r *Redactor) word(kind, value string) string {
	if value == "" {
		return ""
	}
	p := r.pseudonym(kind, value)
	return fmt.Sprintf("%s-%x", kind, p[:4])
}

// Scan redacts a scan. The one that is given stays as it is.
func (r *Redactor) Scan(s *diag.Scan) *diag.Scan {
	r.look(s)
	out := &diag.Scan{From: s.From, To: s.To, Complete: s.Complete, Reports: make([]diag.Report, len(s.Reports))}
	for _, x := range s.Sources {
		out.Sources = append(out.Sources, diag.SourceState{Name: sourceName(x.Name), Via: r.word("place", x.Via), State: state(x.State)})
	}
	for i := range s.Reports {
		out.Reports[i] = r.report(&s.Reports[i])
	}
	for _, p := range s.Problems {
		out.Problems = append(out.Problems, diag.Problem{Source: sourceName(p.Source), Target: r.word("place", p.Target), Stage: stage(p.Stage), Text: reason(p.Text), Partial: p.Partial})
	}
	return out
}

// look learns what one report can't tell of itself: which extended addresses are
// in the right order of octets, and what the makers of nodes call them.
func (r *Redactor) look(s *diag.Scan) {
	r.known, r.calls = map[diag.ExtAddr]bool{}, map[diag.ExtAddr]string{}
	for i := range s.Reports {
		x := &s.Reports[i]
		for _, c := range x.Own {
			if c.Witness != diag.WitnessAttribute {
				r.known[c.ExtAddr] = true
			}
		}
		for _, l := range [][]diag.Neighbor{x.Children, x.Neighbors} {
			for j := range l {
				r.known[l[j].ExtAddr] = true
			}
		}
		for j := range x.Routes {
			r.known[x.Routes[j].ExtAddr] = true
		}
		for _, a := range x.Addresses {
			if e, ok := diag.ExtAddrFromLinkLocal(a); ok {
				r.known[e] = true
			}
		}
	}
	for i := range s.Reports {
		x := &s.Reports[i]
		for _, c := range x.Own {
			if product := makers(x.Product); product > r.calls[c.ExtAddr] { // any, but always the same
				r.calls[c.ExtAddr] = product
			}
		}
	}
}

// report redacts a report. Every field of a report is named here or in the test
// that says which are left out.
func (r *Redactor) report(x *diag.Report) diag.Report {
	out := diag.Report{
		Source: sourceName(x.Source), Via: r.word("place", x.Via), Session: r.word("session", x.Session), At: x.At, Cached: x.Cached, Cut: x.Cut,

		Own: each(x.Own, r.ownAddress), EUI64: r.ext(x.EUI64), RLOC16: x.RLOC16, BorderAgentID: r.borderAgent(x.BorderAgentID),
		Matter: each(x.Matter, r.matter), HAPID: r.hap(x.HAPID), Hosts: each(x.Hosts, r.host), Instances: each(x.Instances, r.instance),
		Addresses: r.addresses(x.Addresses),

		Transport: transport(x.Transport), Role: role(x.Role), Mode: x.Mode, BorderRouter: x.BorderRouter, ThreadVersion: x.ThreadVersion,
		Vendor: makers(x.Vendor), Product: makers(x.Product), Firmware: makers(x.Firmware), ThreadStack: makers(x.ThreadStack),
		DeviceTypes: x.DeviceTypes, Available: x.Available, BatteryPercent: x.BatteryPercent, SupplyMillivolt: x.SupplyMillivolt,
		RebootCount: x.RebootCount, UpTime: x.UpTime, BootReason: x.BootReason, ICD: icd(x.ICD), BorderAgent: r.border(x.BorderAgent),

		Network: r.network(x.Network), Leader: x.Leader,

		Children: each(x.Children, r.neighbor), ChildrenPartial: x.ChildrenPartial, Neighbors: each(x.Neighbors, r.neighbor), Routes: each(x.Routes, r.route), RoutesPartial: x.RoutesPartial,
		RouteIDSequence: x.RouteIDSequence, RouterCount: x.RouterCount, Connectivity: x.Connectivity,
		MaxChildTimeout: x.MaxChildTimeout, Timeout: x.Timeout, Counters: counters(x.Counters),
	}
	if len(out.Own) > 0 && out.Own[0].ExtAddr != 0 {
		out.Names = []diag.Name{{Value: r.call(x.Own[0].ExtAddr, out.Own[0].ExtAddr), Kind: diag.NameAlias}}
	}
	return out
}

// maxModel leaves room for the address in the columns of a tree.
const maxModel = 22

// call is what a redacted node is called: its model and the end of its new
// address.
func (r *Redactor) call(was, is diag.ExtAddr) string {
	what := []rune(r.calls[was])
	if len(what) == 0 {
		what = []rune("device")
	}
	if len(what) > maxModel {
		what = append(what[:maxModel-1:maxModel-1], '…')
	}
	return string(what) + " " + is.String()[12:]
}

// each redacts a list; nil, which says nothing, stays apart from empty.
func each[T any](l []T, f func(T) T) []T {
	if l == nil {
		return nil
	}
	out := make([]T, len(l))
	for i, v := range l {
		out[i] = f(v)
	}
	return out
}

func (r *Redactor) ext(x diag.ExtAddr) diag.ExtAddr {
	return diag.ExtAddr(r.number("address", uint64(x)))
}

// ownAddress redacts an address as one witness gives it. Of the attribute that
// old stacks send with its octets reversed the pseudonym is reversed, too.
func (r *Redactor) ownAddress(c diag.AddrClaim) diag.AddrClaim {
	if c.Witness == diag.WitnessAttribute && !r.known[c.ExtAddr] && r.known[c.ExtAddr.Swapped()] {
		return diag.AddrClaim{ExtAddr: r.ext(c.ExtAddr.Swapped()).Swapped(), Witness: c.Witness}
	}
	return diag.AddrClaim{ExtAddr: r.ext(c.ExtAddr), Witness: c.Witness}
}

func (r *Redactor) matter(m diag.MatterID) diag.MatterID {
	return diag.MatterID{Fabric: r.number("fabric", m.Fabric), Node: r.number("matter node", m.Node)}
}

func (r *Redactor) neighbor(n diag.Neighbor) diag.Neighbor {
	return diag.Neighbor{
		ExtAddr: r.ext(n.ExtAddr), RLOC16: n.RLOC16, Mode: n.Mode, ThreadVersion: n.ThreadVersion, LinkQualityIn: n.LinkQualityIn,
		AverageRSSI: n.AverageRSSI, LastRSSI: n.LastRSSI, LinkMargin: n.LinkMargin, FrameErrorRate: n.FrameErrorRate, MessageErrorRate: n.MessageErrorRate,
		Age: n.Age, ConnectedFor: n.ConnectedFor, Timeout: n.Timeout, Supervision: n.Supervision, QueuedMessages: n.QueuedMessages,
		CSLSynchronized: n.CSLSynchronized, Addresses: r.addresses(n.Addresses),
	}
}

func (r *Redactor) route(x diag.Route) diag.Route {
	x.ExtAddr = r.ext(x.ExtAddr)
	return x
}

func icd(o diag.Opt[diag.ICD]) diag.Opt[diag.ICD] {
	x, known := o.Get()
	if !known {
		return o
	}
	x.UserActiveModeTriggerInstruction = ""
	return diag.Some(x)
}

func (r *Redactor) border(o diag.Opt[diag.BorderAgent]) diag.Opt[diag.BorderAgent] {
	x, known := o.Get()
	if !known {
		return o
	}
	return diag.Some(diag.BorderAgent{StateBitmap: x.StateBitmap, EphemeralKey: x.EphemeralKey, Endpoints: r.endpoints(x.Endpoints)})
}

func (r *Redactor) network(n diag.Network) diag.Network {
	out := diag.Network{
		ExtPANID: diag.PANID64(r.number("network", uint64(n.ExtPANID))), Name: r.word("network", n.Name), Channel: n.Channel, ActiveTimestamp: n.ActiveTimestamp,
		MeshLocalPrefix: r.prefix(n.MeshLocalPrefix), BorderRouters: slices.Clone(n.BorderRouters), NetworkData: commissioning(n.NetworkData),
	}
	if n.OMRPrefixes != nil {
		out.OMRPrefixes = each(n.OMRPrefixes, r.prefix)
	}
	if id, known := n.PANID.Get(); known {
		p := r.pseudonym("PAN id", string([]byte{byte(id >> 8), byte(id)}))
		out.PANID = diag.Some(binary.BigEndian.Uint16(p[:]))
	}
	return out
}

// commissioning is what of network data (Thread 5.18) tells that there is a
// commissioner: the locator of the border agent that serves it. The rest is
// prefixes.
func commissioning(data []byte) []byte {
	const kind, locator = 4, 9
	for len(data) >= 2 && len(data) >= 2+int(data[1]) {
		typ, value := data[0], data[2:2+int(data[1])]
		data = data[2+int(data[1]):]
		for typ>>1 == kind && len(value) >= 2 && len(value) >= 2+int(value[1]) {
			if value[0] == locator && value[1] == 2 {
				return []byte{typ, 4, locator, 2, value[2], value[3]}
			}
			value = value[2+int(value[1]):]
		}
	}
	return nil
}

func counters(c map[diag.Counter]uint64) map[diag.Counter]uint64 {
	if c == nil {
		return nil
	}
	out := maps.Clone(c)
	maps.DeleteFunc(out, func(k diag.Counter, _ uint64) bool { return !counterNames[k] })
	return out
}
