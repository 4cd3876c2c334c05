package homeassistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"threadmap/diag"
	"threadmap/simulators/matterserver"
	"threadmap/simulators/mesh"
)

// held asks the Matter server for what it holds, as Home Assistant does for a
// download: its greeting and its nodes.
func (s *Server) held(ctx context.Context) (info, nodes json.RawMessage, err error) {
	if s.o.MatterServer == nil {
		return nil, nil, errors.New("no Matter server")
	}
	t := &http.Transport{DialContext: matterserver.InProcess(s.o.MatterServer)}
	defer t.CloseIdleConnections()
	head := http.Header{"Cookie": {"ingress_session=" + IngressSession}}
	ws, _, err := websocket.Dial(ctx, "ws://matter-server/ws", &websocket.DialOptions{HTTPClient: &http.Client{Transport: t}, HTTPHeader: head})
	if err != nil {
		return nil, nil, err
	}
	defer ws.CloseNow()
	ws.SetReadLimit(256 << 20)
	if _, info, err = ws.Read(ctx); err != nil {
		return nil, nil, err
	}
	if err := ws.Write(ctx, websocket.MessageText, []byte(`{"message_id":"1","command":"get_nodes","args":{}}`)); err != nil {
		return nil, nil, err
	}
	_, b, err := ws.Read(ctx)
	if err != nil {
		return nil, nil, err
	}
	var a struct {
		Result json.RawMessage `json:"result"`
	}
	err = json.Unmarshal(b, &a)
	return info, a.Result, err
}

// A download is a diagnostics download.
func (s *Server) download(w http.ResponseWriter, r *http.Request, path string) {
	s.count("download")
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	user, ok := s.user(token)
	if !ok || s.o.NoDownload && !user.Admin {
		s.wrongLogin() // a 401 counts
		http.Error(w, "401: Unauthorized", http.StatusUnauthorized)
		return
	}
	var body []byte
	switch path {
	case matterEntry:
		info, nodes, err := s.held(r.Context())
		if err != nil {
			http.Error(w, "500 Internal Server Error", http.StatusInternalServerError)
			return
		}
		body = s.envelope("matter", ordered{{"server", ordered{{"info", info}, {"nodes", nodes}, {"events", []any{}}}}})
	case threadEntry:
		body = s.envelope("thread", ordered{{"networks", s.threadNetworks()}})
	default:
		http.NotFound(w, r)
		return
	}
	switch m := s.misbehaviour("download"); m {
	case Hang:
		<-r.Context().Done()
	case Garbage:
		w.Write([]byte("<!DOCTYPE html><title>Log in</title>"))
	case Huge:
		w.Header().Set("Content-Type", "application/json")
		piece := []byte(strings.Repeat(`{"node_id":1,"attributes":{}},`, 10000))
		w.Write([]byte(`{"integration_manifest":{"domain":"matter"},"data":{"server":{"nodes":[`))
		for sent := 0; sent < hugeSize; sent += len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	case Drop:
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler) // net/http cuts the connection
	case WrongTypes:
		w.Write(encode(wrong(decode(json.RawMessage(body)))))
	case Deep:
		w.Write([]byte(`{"integration_manifest":{"domain":"matter"},"data":` + strings.Repeat(`{"server":`, 100000)))
	case Quote:
		w.Write(encode(quote(decode(json.RawMessage(body)), token)))
	case Refuse:
		http.Error(w, "token "+token, http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Write(body) // the client may be gone; nothing to do about it
	}
}

// An ordered object is a JSON object whose keys stay in the order of the real
// document, which matters where it is cut off.
type ordered []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the keys in order.
func (o ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, encode(m.key)...), ':'), encode(m.value)...)
	}
	return append(b, '}'), nil
}

func (s *Server) envelope(domain string, data any) []byte {
	if s.o.Old {
		return encode(ordered{{"home-assistant", object{"version": s.o.Version}}, {"integration_manifest", object{"domain": domain}}, {"diagnostics-data", data}})
	}
	return encode(ordered{
		{"home_assistant", object{"version": s.o.Version, "installation_type": "Home Assistant OS"}}, {"custom_components", object{}},
		{"integration_manifest", object{"domain": domain, "name": domain}}, {"setup_times", object{}}, {"data", data}, {"issues", []any{}},
	})
}

// threadNetworks is what the Thread integration's download has.
func (s *Server) threadNetworks() object {
	out := object{}
	for _, m := range s.home.Networks {
		prefixes, routes := []string{strings.TrimSuffix(m.MeshLocalPrefix.String(), "/64")}, object{}
		for _, p := range m.OMRPrefixes {
			prefix := strings.TrimSuffix(p.String(), "/64")
			prefixes = append(prefixes, prefix)
			routes[prefix] = object{"metrics": nil, "priority": 134, "is_nexthop": true}
		}
		routers := object{}
		for i := range m.Nodes {
			n := &m.Nodes[i]
			if !n.BorderRouter {
				continue
			}
			host, addresses := "br"+n.ExtAddr.String()+".local.", []string{}
			for _, a := range lanAddresses(n) {
				addresses = append(addresses, a.String())
			}
			routers[host] = object{"server": host, "addresses": addresses, "thread_version": diag.ThreadVersionName(n.ThreadVersion) + ".0", "model": n.Model, "vendor": n.Vendor,
				"neighbours": object{}, "routes": routes}
		}
		out[m.ExtPANID.String()] = object{"name": m.Name, "prefixes": prefixes, "unexpected_routers": []string{}, "routers": routers}
	}
	return out
}

// topology is the Matter server's graph, with a connection that is none and
// strangers that only others' tables know.
func (s *Server) topology() object {
	nodes, connections := []object{}, []object{}
	for _, p := range s.places() {
		id := s.matterNode(p.n)
		switch {
		case p.n.BorderRouter:
			nodes = append(nodes, graphNode(p, "br_"+strings.ToUpper(p.n.ExtAddr.String()), "border_router", object{"host_name": "br" + p.n.ExtAddr.String(), "vendor_name": p.n.Vendor, "model_name": p.n.Model}))
		case id != 0:
			more := object{"node_id": id, "ha_device_id": deviceID(p.n)}
			nodes = append(nodes, graphNode(p, fmt.Sprint(id), "matter", more))
			connections = append(connections, object{"source": fmt.Sprint(id), "target": nodes[0]["id"], "network": "thread", "strength": "strong", "path_cost": nil,
				"source_to_target": object{"strength": "strong", "lqi": 3, "rssi": -40}, "target_to_source": nil, "via_route_table": nil})
		}
	}
	nodes = append(nodes, object{"id": "unknown_0123456789ABCDEF", "kind": "thread_unknown", "network_type": "thread", "ext_address": "0123456789ABCDEF", "role": "router", "rloc16": 1024})
	return object{"collected_at": int64(1795354162907), "nodes": nodes, "connections": connections}
}

var graphRoles = map[diag.Role]string{diag.RoleLeader: "leader", diag.RoleRouter: "router", diag.RoleREED: "reed", diag.RoleEndDevice: "end_device", diag.RoleSleepyEndDevice: "sleepy_end_device"}

func graphNode(p place, id, kind string, more object) object {
	o := object{"id": id, "kind": kind, "network_type": "thread", "node_id": nil, "role": graphRoles[p.v.Role(p.i)], "available": true, "is_bridge": false,
		"ext_address": strings.ToUpper(p.n.ExtAddr.String()), "rloc16": p.n.RLOC16(), "ext_pan_id": strings.ToUpper(p.m.ExtPANID.String()), "network_name": p.m.Name,
		"ssid": nil, "bssid": nil, "host_name": nil, "vendor_name": nil, "model_name": nil, "last_seen": nil, "ha_device_id": nil}
	for k, v := range more {
		o[k] = v
	}
	return o
}

// nodeDiagnostics is matter/node_diagnostics about a device.
func (s *Server) nodeDiagnostics(device string) (object, bool) {
	for _, p := range s.places() {
		id := s.matterNode(p.n)
		if id == 0 || deviceID(p.n) != device {
			continue
		}
		addresses := []string{}
		for _, a := range p.v.Addresses(p.i) {
			addresses = append(addresses, a.String())
		}
		return object{"node_id": id, "network_type": "thread", "node_type": nodeType(p.v, p.i), "network_name": p.m.Name, "ip_adresses": addresses, "mac_address": colons(p.n), "available": true,
			"active_fabrics": []object{{"fabric_id": 2, "vendor_id": 4939, "fabric_index": 1, "fabric_label": "Home", "vendor_name": "Nabu Casa"}}, "active_fabric_index": 1}, true
	}
	return nil, false
}

func nodeType(v *mesh.View, i int) string {
	switch v.Role(i) {
	case diag.RoleLeader, diag.RoleRouter:
		return "routing_end_device"
	case diag.RoleSleepyEndDevice:
		return "sleepy_end_device"
	}
	return "end_device"
}

func colons(n *mesh.Node) string {
	x := n.ExtAddr.String()
	var out []string
	for i := 0; i < len(x); i += 2 {
		out = append(out, x[i:i+2])
	}
	return strings.Join(out, ":")
}
