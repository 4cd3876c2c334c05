package homeassistant

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"threadmap/diag"
)

// Bounds of the registries: ten times what large homes have.
const (
	maxDevices  = 20_000
	maxAreas    = 2_000
	maxEntities = 200_000
)

// A deviceRow is a row of config/device_registry/list. A row may lack any of it.
type deviceRow struct {
	ID           text            `json:"id"`
	Identifiers  json.RawMessage `json:"identifiers"`
	Connections  json.RawMessage `json:"connections"`
	Name         text            `json:"name"`
	NameByUser   text            `json:"name_by_user"`
	Area         text            `json:"area_id"`
	Manufacturer text            `json:"manufacturer"`
	Model        text            `json:"model"`
	Software     text            `json:"sw_version"`
}

// A device is a row that is a node of a network, with who it is.
type device struct {
	deviceRow
	identity
}

// An areaRow is a row of config/area_registry/list.
type areaRow struct {
	ID   text `json:"area_id"`
	Name text `json:"name"`
}

// An entityRow is a row of config/entity_registry/list.
type entityRow struct {
	ID             text `json:"entity_id"`
	Device         text `json:"device_id"`
	Platform       text `json:"platform"`
	TranslationKey text `json:"translation_key"`
}

// A stateRow is a row of get_states.
type stateRow struct {
	ID         text `json:"entity_id"`
	State      text `json:"state"`
	Attributes struct {
		Class text `json:"device_class"`
	} `json:"attributes"`
}

// A registry is what Home Assistant's registries say of devices.
type registry struct {
	devices  []device // those that are nodes, in the registry's order
	areas    map[string]string
	battery  map[string]diag.Opt[uint8] // device -> percent; unknown where its entities disagree
	thread   map[string]bool            // HomeKit devices that tell of Thread
	border   map[string]bool            // HomeKit devices that are border routers
	dropped  int                        // rows that are none, or too many
	entities map[string]entityRow       // by id, those of our devices
}

// readDevices keeps the rows that are nodes: Matter nodes, and accessories that
// were paired with Home Assistant over HomeKit.
func (g *registry) readDevices(raw json.RawMessage) {
	list, dropped := rows[deviceRow](raw, maxDevices)
	g.dropped += dropped
	for _, r := range list {
		if id := identify(r.Identifiers, r.Connections); id.matter.Node != 0 || id.hap != "" {
			r.Identifiers, r.Connections = nil, nil
			g.devices = append(g.devices, device{r, id})
		}
	}
}

func (g *registry) readAreas(raw json.RawMessage) {
	list, dropped := rows[areaRow](raw, maxAreas)
	g.dropped += dropped
	g.areas = map[string]string{}
	for _, a := range list {
		g.areas[string(a.ID)] = string(a.Name)
	}
}

// readEntities keeps the rows of our devices' entities.
func (g *registry) readEntities(raw json.RawMessage) {
	ours := map[text]bool{}
	for _, d := range g.devices {
		ours[d.ID] = d.ID != ""
	}
	g.entities = map[string]entityRow{}
	n := 0
	_ = elements(raw, func(e json.RawMessage) error { // part of an answer that was valid JSON
		var row entityRow
		if n++; n > maxEntities || json.Unmarshal(e, &row) != nil {
			g.dropped++
		} else if ours[row.Device] {
			g.entities[string(row.ID)] = row
		}
		return nil
	})
}

// readStates takes the batteries' charge, and what HomeKit accessories say of
// Thread.
func (g *registry) readStates(raw json.RawMessage) {
	g.battery, g.thread, g.border = map[string]diag.Opt[uint8]{}, map[string]bool{}, map[string]bool{}
	n := 0
	_ = elements(raw, func(e json.RawMessage) error {
		if n++; n > maxEntities {
			g.dropped++
			return nil
		}
		var s stateRow
		_ = json.Unmarshal(e, &s) // attributes may be of any shape
		row, ours := g.entities[string(s.ID)]
		if !ours {
			return nil
		}
		id := string(row.Device)
		switch {
		case s.Attributes.Class == "battery" && strings.HasPrefix(string(s.ID), "sensor."):
			if p, ok := percent(string(s.State)); ok {
				if had, again := g.battery[id]; again && had != diag.Some(p) {
					g.battery[id] = diag.Opt[uint8]{} // which of several batteries runs the radio is not said
				} else {
					g.battery[id] = diag.Some(p)
				}
			}
		case row.Platform == "homekit_controller" && row.TranslationKey == "thread_status":
			g.thread[id] = g.thread[id] || s.State != "unavailable" && s.State != "unknown" && s.State != "disabled" && s.State != ""
			g.border[id] = g.border[id] || s.State == "border_router"
		}
		return nil
	})
}

// percent reads "87" or "87.5".
func percent(s string) (uint8, bool) {
	whole, _, _ := strings.Cut(s, ".")
	v, err := strconv.ParseUint(whole, 10, 8)
	return uint8(v), err == nil && v <= 100
}

// report is what the registries say of one device: names, room, maker, and a
// battery. It says nothing of the network: a row stays when the device is gone.
func (g *registry) report(d device) diag.Report {
	r := diag.Report{Vendor: string(d.Manufacturer), Product: string(d.Model), Firmware: string(d.Software), Room: g.areas[string(d.Area)]}
	if d.matter.Node != 0 {
		r.Matter = []diag.MatterID{d.matter}
	}
	r.HAPID = d.hap
	if d.radio != 0 {
		r.Own = []diag.AddrClaim{{ExtAddr: d.radio, Witness: diag.WitnessInterface}}
	}
	if d.NameByUser != "" {
		r.Names = append(r.Names, diag.Name{Value: string(d.NameByUser), Kind: diag.NameHome})
	}
	switch {
	case d.Name == "" || d.Name == d.NameByUser:
	case d.Name == d.Model: // what the integration falls back on
		r.Names = append(r.Names, diag.Name{Value: string(d.Name), Kind: diag.NameProduct})
	default:
		r.Names = append(r.Names, diag.Name{Value: string(d.Name), Kind: diag.NameLabel})
	}
	r.BatteryPercent = g.battery[string(d.ID)]
	if g.border[string(d.ID)] {
		r.BorderRouter = diag.Some(true)
	}
	return r
}

// reports lists the devices that belong on a map: Matter nodes, and of HomeKit
// accessories those that say that they are on Thread or that announced
// themselves there (hap); the others are Wi-Fi devices that nothing joins.
func (g *registry) reports(hap map[string]bool) (out []diag.Report) {
	for _, d := range g.devices {
		if d.matter.Node != 0 || hap[d.hap] || g.thread[string(d.ID)] {
			out = append(out, g.report(d))
		}
	}
	slices.SortStableFunc(out, func(a, b diag.Report) int {
		return cmp.Compare(sortKey(a), sortKey(b))
	})
	return out
}

func sortKey(r diag.Report) string {
	if len(r.Matter) > 0 {
		return strconv.FormatUint(r.Matter[0].Node, 10)
	}
	return "~" + r.HAPID
}
