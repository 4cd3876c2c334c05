package homeassistant

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"threadmap/diag"
	"threadmap/diag/tmf/pskc"
)

// An otbrRow is what otbr/info says of a border router that Home Assistant runs
// or was given.
type otbrRow struct {
	Dataset  json.RawMessage `json:"active_dataset_tlvs"` // holds the network's keys
	AgentID  text            `json:"border_agent_id"`
	Channel  json.RawMessage `json:"channel"`
	ExtAddr  text            `json:"extended_address"`
	ExtPANID text            `json:"extended_pan_id"`
}

// readOTBRInfo makes a report of each border router in an answer to otbr/info:
// an object of them by extended address, or, of old versions, a single one that
// has only a dataset. give takes the credentials.
func readOTBRInfo(raw json.RawMessage, give func(Dataset)) (out []diag.Report) {
	const most = 64
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	if _, flat := all["url"]; flat {
		all = map[string]json.RawMessage{"": raw}
	}
	for n, key := range slices.Sorted(maps.Keys(all)) {
		var row otbrRow
		if n == most || json.Unmarshal(all[key], &row) != nil {
			break
		}
		r := diag.Report{Transport: diag.TransportThread, BorderRouter: diag.Some(true)}
		if x, err := diag.ParseExtAddr(or(string(row.ExtAddr), key)); err == nil && x != 0 {
			r.Own = []diag.AddrClaim{{ExtAddr: x, Witness: diag.WitnessDiagnostic}}
		}
		if id := strings.ToLower(string(row.AgentID)); len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
			r.BorderAgentID = id
		}
		if x, err := diag.ParsePANID64(string(row.ExtPANID)); err == nil {
			r.Network.ExtPANID = x
		}
		if c, ok := smallUint(row.Channel, 26); ok && c >= 11 {
			r.Network.Channel = diag.Some(uint8(c))
		}
		if d, err := pskc.ParseDataset(str(row.Dataset)); err == nil {
			addDataset(&r.Network, d)
			if give != nil && d.ExtPANID != 0 && !d.PSKc.IsZero() {
				give(Dataset{Dataset: d, Origin: "otbr"})
			}
		}
		clear(row.Dataset)
		if len(r.Own) > 0 || r.BorderAgentID != "" { // else nothing says which router it is
			out = append(out, r)
		}
	}
	return out
}

// addDataset takes what is no secret: the border router said that this is its
// active dataset.
func addDataset(n *diag.Network, d pskc.Dataset) {
	if d.ExtPANID != 0 {
		n.ExtPANID = d.ExtPANID
	}
	n.Name, n.PANID, n.ActiveTimestamp, n.MeshLocalPrefix = d.Name, d.PANID, d.ActiveTimestamp, d.MeshLocalPrefix
	if c, known := d.Channel.Get(); known && c >= 11 && c <= 26 {
		n.Channel = diag.Some(uint8(c))
	}
}
