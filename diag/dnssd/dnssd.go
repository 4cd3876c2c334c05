package dnssd

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
	"threadmap/discovery"
)

// Name is the name of this source.
const Name = "mdns"

// Reports makes a report of each node that the services speak of, in a stable
// order. via says through whom they were heard. A report is of the time when
// its service was last heard, or of at where the service doesn't say.
//
// Kinds that say nothing of a node of a mesh make no report: Matter
// commissioners, Home Assistant, SRP replication.
func Reports(services []discovery.Service, at time.Time, via string) []diag.Report {
	g := gathering{at: at, via: via, byKey: map[string]*node{}}
	services = slices.Clone(services)
	slices.SortStableFunc(services, func(a, b discovery.Service) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name.String(), b.Name.String()), cmp.Compare(a.Host.String(), b.Host.String()), b.Last.Compare(a.Last))
	})
	var ephemeral []*discovery.Service
	for i := range services {
		s := &services[i]
		switch s.Kind {
		case discovery.KindMeshCoP:
			g.meshCoP(s)
		case discovery.KindMeshCoPE:
			ephemeral = append(ephemeral, s)
		case discovery.KindMatter, discovery.KindMatterC, discovery.KindHAP:
			g.device(s)
		}
	}
	for i := range services {
		if services[i].Kind == discovery.KindTREL {
			g.trel(&services[i])
		}
	}
	for _, s := range ephemeral {
		g.ephemeral(s)
	}
	return g.reports()
}

// A node is a report being made.
type node struct {
	diag.Report
	key string
	// hosts of a border agent, to find what else is its.
	hosts []string
}

type gathering struct {
	at    time.Time
	via   string
	nodes []*node
	byKey map[string]*node
}

// node is the node of that key, made where it is new.
func (g *gathering) node(key string) *node {
	n := g.byKey[key]
	if n == nil {
		n = &node{key: key, Report: diag.Report{Source: Name, Via: g.via}}
		g.byKey[key] = n
		g.nodes = append(g.nodes, n)
	}
	return n
}

// heard notes what every announcement has.
func (g *gathering) heard(n *node, s *discovery.Service) {
	when := s.Last
	if when.IsZero() {
		when = g.at
	}
	if when.After(n.At) {
		n.At = when
	}
	if h := text(s.HostLabel()); h != "" {
		n.Hosts = append(n.Hosts, h)
	}
	n.Instances = append(n.Instances, text(s.Instance))
}

// reports finishes the reports.
func (g *gathering) reports() []diag.Report {
	slices.SortStableFunc(g.nodes, func(a, b *node) int { return cmp.Compare(a.key, b.key) })
	out := make([]diag.Report, 0, len(g.nodes))
	for _, n := range g.nodes {
		r := n.Report
		if !n.ownHost() {
			r.Hosts = nil
		}
		r.Hosts, r.Instances = distinct(r.Hosts, strings.Compare), distinct(r.Instances, strings.Compare)
		r.Addresses = distinct(r.Addresses, netip.Addr.Compare)
		r.Matter = distinct(r.Matter, func(a, b diag.MatterID) int {
			return cmp.Or(cmp.Compare(a.Fabric, b.Fabric), cmp.Compare(a.Node, b.Node))
		})
		r.Names = distinct(r.Names, func(a, b diag.Name) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value)) })
		r.Own = distinct(r.Own, func(a, b diag.AddrClaim) int {
			return cmp.Or(cmp.Compare(a.Witness, b.Witness), cmp.Compare(a.ExtAddr, b.ExtAddr))
		})
		r.DeviceTypes = distinct(r.DeviceTypes, func(a, b uint32) int { return cmp.Compare(a, b) })
		if ba, ok := r.BorderAgent.Get(); ok {
			ba.Endpoints = distinct(ba.Endpoints, func(a, b netip.AddrPort) int { return a.Compare(b) })
			r.BorderAgent = diag.Some(ba)
		}
		out = append(out, r)
	}
	return out
}

// distinct sorts and drops what stands there twice; nil stays nil.
func distinct[T comparable](s []T, by func(a, b T) int) []T {
	slices.SortFunc(s, by)
	return slices.Compact(s)
}

// text makes text of octets from the network; a report holds valid UTF-8.
func text[T string | []byte](b T) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// set keeps the first that was said.
func set(to *string, s string) {
	if *to == "" {
		*to = text(s)
	}
}

func setOpt[T any](to *diag.Opt[T], o discovery.Opt[T]) {
	if o.Known && !to.Known() {
		*to = diag.Some(o.Value)
	}
}

// claim notes a witness's word for the node's extended address.
func (n *node) claim(x uint64, w diag.Witness) {
	if x != 0 {
		n.Own = append(n.Own, diag.AddrClaim{ExtAddr: diag.ExtAddr(x), Witness: w})
	}
}

// hostKey is the key of a node that is known by its host, and by the port where
// the host may be a machine with several programs.
func hostKey(s *discovery.Service, port bool) string {
	k := "host " + strings.ToLower(s.Host.String())
	if port {
		k += fmt.Sprintf(" %d", s.Port)
	}
	return k
}
