package homeassistant

import (
	"encoding/json"
	"strconv"
	"strings"

	"threadmap/diag"
)

// An identity is what the identifiers and connections of a row of the device
// registry say of who it is.
type identity struct {
	matter diag.MatterID // node 0: no Matter node itself
	hap    string        // pairing id of a HomeKit accessory or bridge; "": none
	radio  diag.ExtAddr  // 0: not said
}

// identify reads them. Bridged devices and parts of a device are rows of their
// own, and nobody: they have no radio.
func identify(identifiers, connections json.RawMessage) (id identity) {
	pairs(identifiers, func(domain, value string) {
		switch {
		case domain == "matter":
			if m, ok := matterID(value); ok {
				id.matter = m
			}
		case domain == "homekit_controller:accessory-id", domain == "homekit_controller/accessory-id":
			if p, ok := pairingID(value); ok {
				id.hap = p
			}
		}
	})
	if id.matter.Node != 0 { // 8 octets on another device are a Zigbee radio's, or anything
		pairs(connections, func(kind, value string) {
			if kind != "mac" && kind != "zigbee" {
				return
			}
			if x, err := diag.ParseExtAddr(value); err == nil && strings.Count(value, ":") == 7 {
				id.radio = x
			}
		})
	}
	return id
}

// pairs calls each with the pairs of an identifiers or connections list. Rows of
// old versions have three elements: the first two then are one, with a slash.
func pairs(raw json.RawMessage, each func(a, b string)) {
	const most = 64
	list, _ := rows[[]text](raw, most)
	for _, p := range list {
		switch len(p) {
		case 2:
			each(string(p[0]), string(p[1]))
		case 3:
			each(string(p[0]+"/"+p[1]), string(p[2]))
		}
	}
}

// matterID reads "deviceid_<compressed fabric id>-<node id>-MatterNodeDevice",
// both of 16 upper-case hexadecimal digits. With a number at the end it is a
// bridged device or a part, not the node.
func matterID(s string) (diag.MatterID, bool) {
	rest, ok := strings.CutPrefix(s, "deviceid_")
	rest, ok2 := strings.CutSuffix(rest, "-MatterNodeDevice")
	fabric, node, ok3 := strings.Cut(rest, "-")
	if !ok || !ok2 || !ok3 || len(fabric) != 16 || len(node) != 16 {
		return diag.MatterID{}, false
	}
	f, err := strconv.ParseUint(fabric, 16, 64)
	n, err2 := strconv.ParseUint(node, 16, 64)
	return diag.MatterID{Fabric: f, Node: n}, err == nil && err2 == nil && n != 0
}

// pairingID reads "AA:BB:CC:DD:EE:FF:aid:1", or of old rows the id alone: the
// accessory that was paired. Others than 1 are behind a bridge.
func pairingID(s string) (string, bool) {
	if id, aid, ok := strings.Cut(s, ":aid:"); ok {
		if aid != "1" {
			return "", false
		}
		s = id
	}
	s = strings.ToLower(s)
	octets := strings.Split(s, ":")
	if len(octets) != 6 {
		return "", false
	}
	for _, o := range octets {
		if len(o) != 2 || strings.Trim(o, "0123456789abcdef") != "" {
			return "", false
		}
	}
	return s, true
}
