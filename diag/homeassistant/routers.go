package homeassistant

import (
	"encoding/json"
	"net/netip"
	"strings"

	"threadmap/diag"
	"threadmap/diag/homeassistant/hadoc"
)

// A routerEvent is an event of thread/discover_routers: what Home Assistant's
// own host hears of a border router by multicast DNS.
type routerEvent struct {
	Type string `json:"type"`
	Data struct {
		Instance  text            `json:"instance_name"`
		Addresses json.RawMessage `json:"addresses"`
		AgentID   text            `json:"border_agent_id"`
		ExtAddr   text            `json:"extended_address"`
		ExtPANID  text            `json:"extended_pan_id"`
		Model     text            `json:"model_name"`
		Network   text            `json:"network_name"`
		Server    text            `json:"server"`
		Version   text            `json:"thread_version"`
		Vendor    text            `json:"vendor_name"`
	} `json:"data"`
}

// readRouter makes a report of an event; ok is false for one that tells of no
// border router.
func readRouter(raw json.RawMessage) (r diag.Report, ok bool) {
	var e routerEvent
	if json.Unmarshal(raw, &e) != nil || e.Type != "router_discovered" {
		return r, false
	}
	d := &e.Data
	x, err := diag.ParseExtAddr(string(d.ExtAddr))
	if err != nil || x == 0 {
		return r, false
	}
	r = diag.Report{
		Own: []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessMeshCoP}}, Transport: diag.TransportThread, BorderRouter: diag.Some(true),
		Vendor: string(d.Vendor), Product: string(d.Model), ThreadVersion: hadoc.ThreadVersion(string(d.Version)),
		Network: diag.Network{Name: string(d.Network)},
	}
	if xp, err := diag.ParsePANID64(string(d.ExtPANID)); err == nil {
		r.Network.ExtPANID = xp
	}
	if id := strings.ToLower(string(d.AgentID)); len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
		r.BorderAgentID = id
	}
	if label, _, _ := strings.Cut(string(d.Server), "."); label != "" {
		r.Hosts = []string{label}
	}
	if name, _, _ := strings.Cut(string(d.Instance), "._meshcop"); name != "" {
		r.Instances = []string{name}
		r.Names = []diag.Name{{Value: name, Kind: diag.NameInstance}}
	}
	r.Addresses = addresses(d.Addresses)
	return r, true
}

// addresses reads a list of addresses, but for link-local ones: those of a LAN
// interface would be read as another radio's.
func addresses(raw json.RawMessage) (out []netip.Addr) {
	list, _ := rows[text](raw, 64)
	for _, s := range list {
		if a, err := netip.ParseAddr(string(s)); err == nil && !a.IsUnspecified() && !a.IsLinkLocalUnicast() {
			out = append(out, a.WithZone(""))
		}
	}
	return out
}
