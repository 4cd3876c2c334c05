package hadoc

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"threadmap/diag"
)

// A threadRouter is a border router as Home Assistant's Thread integration shows
// it: what it announces, and the routes through it that the host has.
type threadRouter struct {
	Server    text                       `json:"server"`
	Addresses json.RawMessage            `json:"addresses"`
	Version   text                       `json:"thread_version"`
	Model     text                       `json:"model"`
	Vendor    text                       `json:"vendor"`
	Routes    map[string]json.RawMessage `json:"routes"` // prefix -> how
}

// network reads one member of data.networks: a Thread network that Home
// Assistant has a dataset of, under its extended PAN id.
func (r *reading) network(key string, d *json.Decoder) error {
	var n struct {
		Name       text            `json:"name"`
		Prefixes   json.RawMessage `json:"prefixes"`
		Unexpected json.RawMessage `json:"unexpected_routers"`
		Older      json.RawMessage `json:"unexpected-routers"`
		Routers    json.RawMessage `json:"routers"`
	}
	if err := decode(d, &n); err != nil {
		return err
	}
	xp, err := diag.ParsePANID64(key)
	if err != nil || xp == 0 {
		r.problem("a network without an extended PAN id: skipped")
		return nil
	}
	if r.router >= maxRouters {
		return nil
	}
	var prefixes []netip.Prefix
	for _, s := range texts(n.Prefixes) {
		if p, ok := parsePrefix(s); ok {
			prefixes = append(prefixes, p)
		}
	}
	if len(n.Routers) > 0 {
		dec := newDecoder(n.Routers)
		_ = inside(dec, func(name string, d *json.Decoder) error { // valid JSON: it was decoded above
			var b threadRouter
			if err := decode(d, &b); err != nil {
				return err
			}
			if r.router++; r.router > maxRouters {
				r.problem("more than %d border routers: the rest is left out", maxRouters)
				return errMembers
			}
			r.borderRouter(b, name, diag.Network{ExtPANID: xp, Name: string(n.Name)}, prefixes)
			return nil
		})
	}
	for _, s := range append(texts(n.Unexpected), texts(n.Older)...) {
		if a, err := netip.ParseAddr(s); err == nil {
			r.problem("%s leads into network %s and is no border router of it that Home Assistant knows", a, xp)
		}
	}
	return nil
}

// borderRouter makes a report of a border router. It has no extended address
// there: host name and addresses say who it is. Its link-local addresses are
// those of its LAN interface, which would be read as another radio's.
func (r *reading) borderRouter(b threadRouter, name string, n diag.Network, prefixes []netip.Prefix) {
	rep := diag.Report{BorderRouter: diag.Some(true), Vendor: string(b.Vendor), Product: string(b.Model), ThreadVersion: ThreadVersion(string(b.Version)), Network: n}
	host := string(b.Server)
	if host == "" {
		host = name
	}
	if label, _, _ := strings.Cut(clip(host), "."); label != "" {
		rep.Hosts = []string{label}
	}
	for _, s := range texts(b.Addresses) {
		if a, err := netip.ParseAddr(s); err == nil && !a.IsUnspecified() && !a.IsLinkLocalUnicast() && len(rep.Addresses) < 64 {
			rep.Addresses = append(rep.Addresses, a.WithZone(""))
		}
	}
	if len(rep.Hosts) == 0 && len(rep.Addresses) == 0 {
		r.problem("a border router without a host name and addresses: skipped")
		return
	}
	// A route into the mesh that goes over it is for a prefix that it publishes.
	// prefixes has the mesh-local one too, to which nobody routes.
	for s := range b.Routes {
		if p, ok := parsePrefix(s); ok && slices.Contains(prefixes, p) && len(rep.Network.OMRPrefixes) < 16 {
			rep.Network.OMRPrefixes = append(rep.Network.OMRPrefixes, p)
		}
	}
	slices.SortFunc(rep.Network.OMRPrefixes, netip.Prefix.Compare)
	rep.Network.OMRPrefixes = slices.Compact(rep.Network.OMRPrefixes)
	r.report(rep)
}

// texts decodes a list of strings, of which it passes over what is none.
func texts(raw json.RawMessage) (out []string) {
	if len(raw) == 0 {
		return nil
	}
	const most = 1024
	d := newDecoder(raw)
	_ = elements(d, func(d *json.Decoder) error {
		var t text
		if err := decode(d, &t); err != nil || len(out) == most {
			return errMembers
		}
		if t != "" {
			out = append(out, string(t))
		}
		return nil
	})
	return out
}

// parsePrefix reads a prefix in the forms of Home Assistant, which leave the
// length out: "fd00:11:2233:4400::", and, of older versions,
// "fd00:11:2233:4400". All are /64s.
func parsePrefix(s string) (netip.Prefix, bool) {
	s, _, _ = strings.Cut(s, "/")
	a, err := netip.ParseAddr(s)
	if err != nil {
		a, err = netip.ParseAddr(s + "::")
	}
	if err != nil || !a.Is6() || a.Is4In6() || a.IsUnspecified() || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, 64).Masked(), true
}

// ThreadVersion reads "1.3.0" as Thread's own number, 4.
func ThreadVersion(s string) diag.Opt[uint16] {
	for v := uint16(1); diag.ThreadVersionName(v) != ""; v++ {
		if name := diag.ThreadVersionName(v); s == name || strings.HasPrefix(s, fmt.Sprint(name, ".")) {
			return diag.Some(v)
		}
	}
	return diag.Opt[uint16]{}
}
