package homeassistant

import (
	"context"
	"slices"
)

// admin are the commands that only an administrator may ask.
var admin = []string{"thread/list_datasets", "thread/get_dataset_tlv", "thread/discover_routers", "otbr/info"}

// writing are commands that change something. Nobody should send them.
var writing = []string{"thread/add_dataset_tlv", "thread/set_preferred_dataset", "thread/delete_dataset", "otbr/create_network", "otbr/set_network", "otbr/set_channel",
	"matter/interview_node", "matter/commission", "matter/commission_on_network", "matter/open_commissioning_window", "matter/remove_matter_fabric", "matter/set_thread"}

// Writing lists which of the commands that were asked change something.
func (s *Server) Writing() (out []string) {
	for _, w := range writing {
		if s.Requests()[w] > 0 {
			out = append(out, w)
		}
	}
	return out
}

// do does a command. then, where not nil, comes after the answer was sent.
func (c *session) do(ctx context.Context, q *request) (answer object, then func()) {
	s := c.s
	if slices.Contains(admin, q.Type) && !c.user.Admin {
		return q.fail("unauthorized", "Unauthorized"), nil
	}
	unknown := q.fail("unknown_command", "Unknown command.")
	switch q.Type {
	case "ping":
		return object{"id": q.ID, "type": "pong"}, nil
	case "get_config":
		return q.ok(s.config()), nil
	case "auth/current_user":
		return q.ok(object{"id": "u1", "name": c.user.Name, "is_owner": false, "is_admin": c.user.Admin, "credentials": []any{}, "mfa_modules": []any{}}), nil
	case "config_entries/get":
		return q.ok(s.entries(q.Domain)), nil
	case "config/device_registry/list":
		return q.ok(s.devices()), nil
	case "config/area_registry/list":
		return q.ok(s.areas()), nil
	case "config/entity_registry/list":
		return q.ok(s.entities()), nil
	case "get_states":
		return q.ok(s.states()), nil
	case "otbr/info":
		return q.ok(s.otbrInfo()), nil
	case "supervisor/api":
		return s.supervisor(q), nil
	case "subscribe_entities":
		return q.ok(nil), func() { c.follow(ctx, q) }
	}
	if s.o.Old {
		return unknown, nil
	}
	switch q.Type {
	case "thread/list_datasets":
		return q.ok(s.datasets()), nil
	case "thread/get_dataset_tlv":
		for _, m := range s.home.Networks {
			if datasetID(m) == q.Dataset {
				return q.ok(object{"tlv": datasetTLVs(m)}), nil
			}
		}
		return q.fail("not_found", "unknown dataset"), nil
	case "thread/discover_routers":
		return q.ok(nil), func() {
			for _, e := range s.routers() {
				c.send(ctx, object{"id": q.ID, "type": "event", "event": e})
			}
		}
	case "matter/network_topology":
		if s.o.MatterServer == nil {
			return q.fail("not_found", "no entry"), nil
		}
		return q.ok(s.topology()), nil
	case "matter/node_diagnostics":
		if d, ok := s.nodeDiagnostics(q.Device); ok {
			return q.ok(d), nil
		}
		return q.fail("node_not_found", "node not found"), nil
	}
	return unknown, nil
}

func (s *Server) components() []string {
	out := []string{"api", "config", "diagnostics", "http", "websocket_api", "zeroconf", "matter", "matter.sensor", "otbr"}
	if !s.o.Old {
		out = append(out, "thread")
	}
	if s.o.HomeKit != nil {
		out = append(out, "homekit_controller")
	}
	if !s.o.NoSupervisor {
		out = append(out, "hassio")
	}
	return out
}

func (s *Server) config() object {
	state := "RUNNING"
	if s.o.Starting {
		state = "STARTING"
	}
	return object{"components": s.components(), "location_name": s.home.Name, "version": s.o.Version, "state": state, "latitude": 0.5, "longitude": 0.25, "elevation": 0}
}

// The ids of the integrations' entries.
const (
	matterEntry = "01JC0MATTER0ENTRY000000000"
	threadEntry = "01JC0THREAD0ENTRY000000000"
	otbrEntry   = "01JC00OTBR00ENTRY000000000"
)

func (s *Server) entries(domain string) []object {
	state := "loaded"
	if s.o.MatterServer == nil {
		state = "setup_retry"
	}
	out := []object{}
	for _, e := range []object{
		{"entry_id": matterEntry, "domain": "matter", "title": "Matter", "state": state, "source": "zeroconf", "disabled_by": nil, "reason": nil},
		{"entry_id": threadEntry, "domain": "thread", "title": "Thread", "state": "loaded", "source": "import", "disabled_by": nil, "reason": nil},
		{"entry_id": otbrEntry, "domain": "otbr", "title": "Border router", "state": "loaded", "source": "hassio", "disabled_by": nil, "reason": nil},
	} {
		if domain == "" || e["domain"] == domain {
			out = append(out, e)
		}
	}
	return out
}

func (s *Server) supervisor(q *request) object {
	switch {
	case s.o.NoSupervisor:
		return q.fail("unknown_command", "Unknown command.")
	case q.Endpoint == "/addons/core_matter_server/info" && s.o.MatterServer != nil:
		var port any // null: closed
		if s.o.Port != 0 {
			port = s.o.Port
		}
		return q.ok(object{"ingress_url": "/api/hassio_ingress/" + IngressToken + "/", "network": object{"5580/tcp": port}, "state": "started", "version": "9.2.0",
			"hostname": "core-matter-server", "ip_address": "172.30.32.1"})
	case q.Endpoint == "/ingress/session":
		return q.ok(object{"session": IngressSession})
	}
	return q.fail("unknown_error", "Addon does not exist")
}
