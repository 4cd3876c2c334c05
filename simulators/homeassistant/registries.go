package homeassistant

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"threadmap/simulators/mesh"
)

// A place is a node of the home.
type place struct {
	v *mesh.View
	i int
	n *mesh.Node
	m *mesh.Mesh
}

func (s *Server) places() []place {
	var out []place
	for k, m := range s.home.Networks {
		for i := range m.Nodes {
			out = append(out, place{s.views[k], i, &m.Nodes[i], m})
		}
	}
	return out
}

// matterNode is the node id on Home Assistant's fabric; 0: it is not on it.
func (s *Server) matterNode(n *mesh.Node) uint64 {
	for _, id := range n.Matter {
		if id.Fabric == s.fabric {
			return id.Node
		}
	}
	return 0
}

func deviceID(n *mesh.Node) string { return "dev" + n.ExtAddr.String() + "0000000000000" }

func areaID(room string) string { return lower(strings.ReplaceAll(room, " ", "_")) }

// devices is the device registry: a row for each Matter node, one for each
// HomeKit accessory, and some that have nothing to do with Thread.
func (s *Server) devices() []object {
	out := []object{
		{"id": "svc1", "identifiers": [][]string{{"backup", "backup_manager"}}, "connections": []any{}, "name": "Backup", "name_by_user": nil, "area_id": nil, "entry_type": "service"},
		{"id": "tv1", "identifiers": [][]string{{"cast", "0123"}}, "connections": [][]string{{"mac", "02:00:00:00:00:01"}}, "name": "TV", "name_by_user": nil, "area_id": "living_room", "manufacturer": "TV Inc."},
		{"id": "zb1", "identifiers": [][]string{{"zha", "00:11:22:33:44:55:66:77"}}, "connections": [][]string{{"zigbee", "00:11:22:33:44:55:66:77"}}, "name": "Zigbee button", "area_id": "hall"},
		{"id": "odd1", "identifiers": []any{[]any{"custom", 5}, "x", []any{}}, "connections": nil, "name": 7, "created_at": 1.7e9},
		{"id": "child1", "identifiers": [][]string{{"matter", fmt.Sprintf("deviceid_%016X-%016X-3", s.fabric, 1)}}, "name": "Part of a device", "parent_device_id": "x"},
	}
	for k, p := range s.places() {
		if id := s.matterNode(p.n); id != 0 {
			row := object{"id": deviceID(p.n), "identifiers": [][]string{{"matter", fmt.Sprintf("serial_SN%04d", k)}, {"matter", fmt.Sprintf("deviceid_%016X-%016X-MatterNodeDevice", s.fabric, id)}},
				"connections": []any{}, "name": p.n.Model, "name_by_user": p.n.Name, "area_id": areaID(p.n.Room), "manufacturer": p.n.Vendor, "model": p.n.Model, "model_id": "32768",
				"sw_version": p.n.Firmware, "hw_version": "1", "serial_number": fmt.Sprintf("SN%04d", k), "via_device_id": nil, "config_entries": []string{matterEntry},
				"primary_config_entry": matterEntry, "disabled_by": nil, "entry_type": nil, "labels": []any{}, "configuration_url": nil, "created_at": 1764000000.25}
			if k%3 == 0 { // never renamed: the name is the NodeLabel
				row["name"], row["name_by_user"] = p.n.Name, nil
			}
			out = append(out, row)
		}
		if s.o.HomeKit != nil && s.o.HomeKit(p.n) {
			out = append(out, object{"id": "hap" + p.n.ExtAddr.String(), "identifiers": [][]string{{"homekit_controller:accessory-id", pairingID(p.n) + ":aid:1"}},
				"connections": []any{}, "name": p.n.Model + " 51C4", "name_by_user": p.n.Name, "area_id": areaID(p.n.Room), "manufacturer": p.n.Vendor, "model": p.n.Model, "sw_version": p.n.Firmware})
		}
	}
	return out
}

// pairingID is the HomeKit pairing id of a node, as simulators/mdns announces it.
func pairingID(n *mesh.Node) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(n.ExtAddr))
	return fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", b[0], b[1], b[2], b[3], b[4], b[5])
}

func (s *Server) areas() []object {
	out := []object{}
	var seen []string
	for _, p := range s.places() {
		if p.n.Room != "" && !slices.Contains(seen, p.n.Room) {
			seen = append(seen, p.n.Room)
			out = append(out, object{"area_id": areaID(p.n.Room), "name": p.n.Room, "floor_id": nil, "aliases": []any{}, "icon": nil, "labels": []any{}})
		}
	}
	return out
}

func (s *Server) entities() []object {
	out := []object{{"entity_id": "sun.sun", "device_id": nil, "platform": "sun"}}
	for _, p := range s.places() {
		if s.matterNode(p.n) != 0 {
			out = append(out, object{"entity_id": "switch." + p.n.ExtAddr.String(), "device_id": deviceID(p.n), "area_id": nil, "platform": "matter", "translation_key": nil})
			if p.n.Battery != 0 {
				out = append(out, object{"entity_id": "sensor." + p.n.ExtAddr.String() + "_battery", "device_id": deviceID(p.n), "platform": "matter", "entity_category": "diagnostic"})
			}
			if p.n.Sleepy() {
				out = append(out, object{"entity_id": "event." + p.n.ExtAddr.String() + "_button", "device_id": deviceID(p.n), "platform": "matter", "translation_key": "button"})
			}
		}
		if s.o.HomeKit != nil && s.o.HomeKit(p.n) {
			out = append(out, object{"entity_id": "sensor.hap" + p.n.ExtAddr.String() + "_thread_status", "device_id": "hap" + p.n.ExtAddr.String(), "platform": "homekit_controller", "translation_key": "thread_status"})
		}
	}
	return out
}

func (s *Server) states() []object {
	out := []object{{"entity_id": "sun.sun", "state": "above_horizon", "attributes": object{"elevation": 12.5}}}
	for _, p := range s.places() {
		if s.matterNode(p.n) != 0 {
			out = append(out, object{"entity_id": "switch." + p.n.ExtAddr.String(), "state": "on", "attributes": object{"friendly_name": p.n.Name}})
			if p.n.Battery != 0 {
				out = append(out, object{"entity_id": "sensor." + p.n.ExtAddr.String() + "_battery", "state": fmt.Sprint(p.n.Battery),
					"attributes": object{"device_class": "battery", "unit_of_measurement": "%", "friendly_name": p.n.Name + " battery"}, "last_changed": "2026-11-22T10:00:00+00:00"})
			}
			if p.n.Sleepy() {
				out = append(out, object{"entity_id": "event." + p.n.ExtAddr.String() + "_button", "state": "2026-11-22T10:00:00.000+00:00",
					"attributes": object{"event_types": []string{"initial_press", "short_release"}, "event_type": "initial_press", "device_class": "button"}})
			}
		}
		if s.o.HomeKit != nil && s.o.HomeKit(p.n) {
			state := "child"
			if p.n.IsRouter() {
				state = "router"
			}
			out = append(out, object{"entity_id": "sensor.hap" + p.n.ExtAddr.String() + "_thread_status", "state": state, "attributes": object{"device_class": "enum"}})
		}
	}
	return out
}
