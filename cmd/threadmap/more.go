package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"threadmap/cmd/threadmap/internal/services"
	"threadmap/diag"
	"threadmap/diag/otbr"
	"threadmap/diag/tmf"
	"threadmap/diag/tmf/meshcop"
	"threadmap/discovery"
)

// otbrPort is where an OpenThread border router has its REST interface.
const otbrPort = 8081

// maxMore bounds the hints of one scan.
const maxMore = 5

// wouldAdd lists what one more login would add: for each network that nobody
// told the links of, the REST interface of an OpenThread border router that is
// announced, else a credential, where a border agent takes one. That is one line
// for each network, and none for one that there is a login to.
func wouldAdd(scan *diag.Scan, all []discovery.Service, asked []diag.Endpoint, keys keyring) []diag.SourceState {
	agents := meshcop.Choose(all)
	told := map[diag.PANID64]bool{}
	for _, r := range scan.Reports {
		if r.Source == otbr.Name || r.Source == tmf.Name && r.Routes != nil {
			told[r.Network.ExtPANID] = true
		}
	}
	var out []diag.SourceState
	for _, n := range services.Arrange(all).Networks {
		id := diag.PANID64(n.ExtPANID)
		if _, has := keys[id]; has || told[id] || len(out) == maxMore ||
			slices.ContainsFunc(n.Borders, func(b *services.Border) bool { return isAsked(b, asked) }) {
			continue
		}
		i, at := slices.IndexFunc(n.Borders, (*services.Border).MayBeOpenThread), ""
		if i >= 0 {
			at = restURL(n.Borders[i].Services[0])
		}
		if at == "" {
			if hint := wouldOpen(n, agents); hint != "" {
				out = append(out, diag.SourceState{Name: tmf.Name, Via: id.String(), State: diag.StateSkipped, Hint: hint})
			}
			continue
		}
		out = append(out, diag.SourceState{Name: otbr.Name, Via: at, State: diag.StateSkipped,
			Hint: fmt.Sprintf("%s may have a REST interface, which tells who is whose parent in %s: threadmap login otbr %s", n.Borders[i].Label(), n.Label(), at)})
	}
	return out
}

// isAsked reports whether a border router is among the places that are asked.
func isAsked(b *services.Border, asked []diag.Endpoint) bool {
	for _, e := range asked {
		u, err := url.Parse(e.URL)
		if err != nil {
			continue
		}
		addr, _ := netip.ParseAddr(u.Hostname())
		for _, s := range b.Services {
			if strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), s.Host.String()) || addr.IsValid() && slices.Contains(s.Addresses, addr.Unmap()) {
				return true
			}
		}
	}
	return false
}

// restURL is where the service's host would have its REST interface: an
// address, since a name of mDNS does not resolve everywhere; "" for none.
func restURL(s *discovery.Service) string {
	var best netip.Addr
	for _, a := range s.Addresses { // IPv4 is easiest to type; a link-local one needs a zone
		if a.IsLinkLocalUnicast() || best.IsValid() && !(a.Is4() && !best.Is4()) {
			continue
		}
		best = a
	}
	if !best.IsValid() {
		return ""
	}
	return "http://" + netip.AddrPortFrom(best.WithZone(""), otbrPort).String()
}

// tellMore says on standard error what would be known with one more login.
func (a *app) tellMore(more []diag.SourceState) {
	for _, s := range more {
		a.hint("%s", s.Hint)
	}
}
