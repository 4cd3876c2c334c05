package mesh

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"

	"threadmap/diag"
)

// MarshalYAML writes a home so that [ParseYAML] gives it back. The file holds
// the keys of the simulated network.
func MarshalYAML(h *Home) ([]byte, error) {
	if err := h.Validate(); err != nil {
		return nil, err
	}
	doc := homeDoc{Home: h.Name}
	for _, m := range h.Networks {
		doc.Networks = append(doc.Networks, m.document())
	}
	b, err := yaml.MarshalWithOptions(doc, yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("home file: %s", oneLine(err))
	}
	return b, nil
}

func hex64(v uint64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%016x", v)
}

func durationOf(d time.Duration) duration {
	if d == 0 {
		return ""
	}
	return duration(d.String())
}

func (m *Mesh) document() networkDoc {
	d := networkDoc{
		Name: m.Name, ExtPANID: m.ExtPANID.String(), PANID: fmt.Sprintf("0x%04x", m.PANID), Channel: m.Channel, MeshLocalPrefix: m.MeshLocalPrefix.String(),
		ActiveTimestamp: m.ActiveTimestamp, NoServices: m.NoServices, NetworkKey: hex.EncodeToString(m.NetworkKey[:]), PSKc: hex.EncodeToString(m.PSKc[:]),
	}
	for _, p := range m.OMRPrefixes {
		d.OMRPrefixes = append(d.OMRPrefixes, p.String())
	}
	names := map[string]int{}
	for i := range m.Nodes {
		names[m.Nodes[i].Name]++
	}
	ref := func(i int) string {
		n := &m.Nodes[i]
		if _, err := diag.ParseExtAddr(n.Name); n.Name == "" || names[n.Name] > 1 || err == nil {
			return n.ExtAddr.String()
		}
		return n.Name
	}
	at := map[place]int{}
	for i := range m.Nodes {
		at[place{m.Nodes[i].Partition, m.Nodes[i].RLOC16()}] = i
	}
	for k, p := range m.Partitions {
		d.Partitions = append(d.Partitions, partitionDoc{p.ID, ref(at[place{k, uint16(p.Leader) << 10}]), p.Weighting, p.DataVersion, p.StableDataVersion, p.IDSequence, p.CommissionerSession})
	}
	for i := range m.Nodes {
		parent := ""
		if n := &m.Nodes[i]; !n.IsRouter() {
			parent = ref(at[place{n.Partition, uint16(n.RouterID) << 10}])
		}
		d.Nodes = append(d.Nodes, m.Nodes[i].document(parent))
	}
	for _, l := range m.Links {
		d.Links = append(d.Links, linkDoc{A: ref(l.A), B: ref(l.B), AToB: l.AToB.document(), BToA: l.BToA.document(), Age: durationOf(l.Age), Up: durationOf(l.Up)})
	}
	for _, f := range m.Faults {
		out := faultDoc{
			Kind: string(f.Kind), Node: ref(m.Find(f.Node)), Peer: f.Peer.String(), RouterID: f.RouterID, ChildID: f.ChildID, LQ: f.LQ,
			Age: durationOf(f.Age), Delay: durationOf(f.Delay),
		}
		for _, x := range f.Nodes {
			out.Nodes = append(out.Nodes, x.String())
		}
		d.Faults = append(d.Faults, out)
	}
	return d
}

func (n *Node) document(parent string) nodeDoc {
	d := nodeDoc{
		Name: n.Name, Parent: parent, ExtAddr: n.ExtAddr.String(), EUI64: n.EUI64.String(), ChildID: n.ChildID, Mode: n.Mode.String(), REED: n.REED,
		BorderRouter: n.BorderRouter, BorderAgentID: n.BorderAgentID, OTBR: n.OTBR, Room: n.Room, Vendor: n.Vendor, Model: n.Model, Firmware: n.Firmware,
		Stack: n.Stack, ThreadVersion: n.ThreadVersion, Timeout: duration(n.Timeout.String()), Supervision: durationOf(n.Supervision),
		MLEIID: hex64(n.MLEIID), OMRIID: hex64(n.OMRIID), Battery: n.Battery, SequenceLag: n.SequenceLag, Place: []int{n.X, n.Y, n.Z},
	}
	if parent == "" {
		d.RouterID, d.Partition = &n.RouterID, n.Partition
	}
	for _, id := range n.Matter {
		d.Matter = append(d.Matter, matterDoc{fmt.Sprintf("%016x", id.Fabric), fmt.Sprintf("%016x", id.Node)})
	}
	return d
}

func (d Direction) document() *directionDoc {
	out := &directionDoc{RSSI: d.RSSI, FrameError: uint16(d.FrameError), MessageError: uint16(d.MessageError)}
	usual := Hear(d.RSSI)
	if d.LQ != usual.LQ {
		out.LQ = &d.LQ
	}
	if d.LastRSSI != usual.LastRSSI {
		out.LastRSSI = &d.LastRSSI
	}
	if d.Margin != usual.Margin {
		out.Margin = &d.Margin
	}
	return out
}
