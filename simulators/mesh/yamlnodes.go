package mesh

import (
	"fmt"
	"time"

	"threadmap/diag"
)

// index finds nodes by name or extended address.
type index map[string]int

func (x index) find(ref, what string) (int, error) {
	i, ok := x[ref]
	switch {
	case !ok:
		return 0, fmt.Errorf("%s %q: no node has this name or extended address", what, clip(ref))
	case i < 0:
		return 0, fmt.Errorf("%s %q: several nodes have this name; use the extended address", what, clip(ref))
	}
	return i, nil
}

// nodes makes the nodes of the document, routers before their children being
// no condition, and the index of their names.
func (d *networkDoc) nodes(k *maker, m *Mesh) (index, error) {
	x := make(index, 2*len(d.Nodes))
	usedIDs := map[uint8]bool{}
	for i := range d.Nodes {
		n, err := d.Nodes[i].node(k)
		if err != nil {
			return nil, fmt.Errorf("node %q: %w", clip(d.Nodes[i].Name), err)
		}
		m.Nodes = append(m.Nodes, n)
		if n.Name != "" {
			if _, ok := x[n.Name]; ok {
				x[n.Name] = -1
			} else {
				x[n.Name] = i
			}
		}
		if d.Nodes[i].RouterID != nil && d.Nodes[i].Parent == "" {
			usedIDs[n.RouterID] = true
		}
	}
	for i := range m.Nodes {
		x[m.Nodes[i].ExtAddr.String()] = i
	}
	free := uint8(0)
	for i := range m.Nodes {
		if d.Nodes[i].Parent == "" && d.Nodes[i].RouterID == nil {
			for usedIDs[free] {
				if free++; free > diag.MaxRouterID {
					return nil, fmt.Errorf("too many routers")
				}
			}
			usedIDs[free] = true
			m.Nodes[i].RouterID = free
		}
	}
	return x, d.parents(m, x)
}

// parents gives children their router ids, and child ids where none was given.
func (d *networkDoc) parents(m *Mesh, x index) error {
	type slot struct {
		partition int
		router    uint8
	}
	used := map[slot]map[uint16]bool{}
	for pass := range 2 { // those with an id first
		for i := range m.Nodes {
			c, doc := &m.Nodes[i], &d.Nodes[i]
			if doc.Parent == "" || (doc.ChildID != 0) != (pass == 0) {
				continue
			}
			p, err := x.find(doc.Parent, "parent")
			if err != nil {
				return fmt.Errorf("node %q: %w", clip(doc.Name), err)
			}
			if d.Nodes[p].Parent != "" {
				return fmt.Errorf("node %q: parent %q: is a child itself", clip(doc.Name), clip(doc.Parent))
			}
			c.RouterID, c.Partition = m.Nodes[p].RouterID, m.Nodes[p].Partition
			s := slot{c.Partition, c.RouterID}
			if used[s] == nil {
				used[s] = map[uint16]bool{}
			}
			if c.ChildID == 0 {
				for c.ChildID = 1; used[s][c.ChildID]; c.ChildID++ {
				}
			}
			used[s][c.ChildID] = true
		}
	}
	return nil
}

func (doc *nodeDoc) node(k *maker) (Node, error) {
	dev := device{vendor: doc.Vendor, model: doc.Model, firmware: doc.Firmware, stack: doc.Stack, version: doc.ThreadVersion, kind: mains}
	if dev.version == 0 {
		dev.version = 4
	}
	n := k.node(doc.Name, dev)
	n.Room, n.REED, n.OTBR, n.Battery, n.SequenceLag, n.Partition, n.ChildID = doc.Room, doc.REED, doc.OTBR, doc.Battery, doc.SequenceLag, doc.Partition, doc.ChildID
	n.BorderRouter, n.BorderAgentID, n.Matter = doc.BorderRouter, doc.BorderAgentID, nil
	if n.BorderRouter && n.BorderAgentID == "" {
		n.BorderAgentID = fmt.Sprintf("%016x%016x", k.rng.Uint64(), k.rng.Uint64())
	}
	if doc.RouterID != nil {
		n.RouterID = *doc.RouterID
	}
	var p parsing
	p.hex64(&n.ExtAddr, doc.ExtAddr, "ext_addr")
	p.hex64(&n.EUI64, doc.EUI64, "eui64")
	p.hex64(&n.MLEIID, doc.MLEIID, "mleid_iid")
	p.hex64(&n.OMRIID, doc.OMRIID, "omr_iid")
	for _, id := range doc.Matter {
		var v diag.MatterID
		p.hex64(&v.Fabric, id.Fabric, "matter fabric")
		p.hex64(&v.Node, id.Node, "matter node")
		n.Matter = append(n.Matter, v)
	}
	if p.err != nil {
		return n, p.err
	}
	if len(n.BorderAgentID) != 0 && len(n.BorderAgentID) != 32 {
		return n, fmt.Errorf("border_agent_id: want 32 hexadecimal digits, in quotes")
	}
	if doc.Parent == "" && doc.ChildID != 0 {
		return n, fmt.Errorf("child_id without parent: name its parent")
	}
	if doc.Parent != "" && doc.Mode == "" && !doc.BorderRouter && !doc.REED {
		n.Mode = diag.Mode{} // most children are sleepy
	}
	var err error
	if doc.Mode != "" {
		if n.Mode, err = parseMode(doc.Mode); err != nil {
			return n, err
		}
	}
	if len(doc.Place) != 0 {
		if len(doc.Place) != 3 {
			return n, fmt.Errorf("place: want three numbers, centimetres")
		}
		n.X, n.Y, n.Z = doc.Place[0], doc.Place[1], doc.Place[2]
	}
	if n.Supervision, err = doc.Supervision.parse("supervision"); err != nil {
		return n, err
	}
	if doc.Timeout != "" {
		n.Timeout, err = doc.Timeout.parse("timeout")
	}
	return n, err
}

func (d *networkDoc) partitions(m *Mesh, x index) error {
	if len(d.Partitions) == 0 { // one, led by the first router
		for i := range m.Nodes {
			if m.Nodes[i].IsRouter() {
				m.Partitions[0].Leader = m.Nodes[i].RouterID
				return nil
			}
		}
		return nil // Validate says what is missing
	}
	if len(d.Partitions) > 16 {
		return fmt.Errorf("%d partitions: want 1 to 16", len(d.Partitions))
	}
	m.Partitions = m.Partitions[:0]
	for k, p := range d.Partitions {
		i, err := x.find(p.Leader, "leader")
		if err != nil {
			return err
		}
		if n := &m.Nodes[i]; !n.IsRouter() || n.Partition != k {
			return fmt.Errorf("leader %q: want a router of partition %d", clip(p.Leader), k)
		}
		m.Partitions = append(m.Partitions, Partition{p.ID, m.Nodes[i].RouterID, p.Weighting, p.DataVersion, p.StableDataVersion, p.IDSequence, p.CommissionerSession})
	}
	return nil
}

func (d *networkDoc) links(m *Mesh, x index) error {
	linked := make([]bool, len(m.Nodes))
	for _, l := range d.Links {
		a, err := x.find(l.A, "link")
		if err != nil {
			return err
		}
		b, err := x.find(l.B, "link")
		if err != nil {
			return err
		}
		link := Link{A: a, B: b, AToB: l.AToB.direction(l.RSSI), BToA: l.BToA.direction(l.RSSI)}
		if link.Age, err = l.Age.parse("age"); err != nil {
			return err
		}
		if link.Up, err = l.Up.parse("up"); err != nil {
			return err
		}
		m.Links = append(m.Links, link)
		if !m.Nodes[a].IsRouter() {
			linked[a] = true
		}
		if !m.Nodes[b].IsRouter() {
			linked[b] = true
		}
	}
	for i := range m.Nodes { // a child's link to its parent may go without saying
		if n := &m.Nodes[i]; !n.IsRouter() && !linked[i] {
			p, err := x.find(d.Nodes[i].Parent, "parent")
			if err != nil {
				return err
			}
			m.Links = append(m.Links, Link{A: p, B: i, AToB: Hear(rssiDefault), BToA: Hear(rssiDefault), Age: 10 * time.Second, Up: time.Hour})
		}
	}
	return nil
}

func (d *directionDoc) direction(both *int8) Direction {
	if d == nil {
		if both != nil {
			return Hear(*both)
		}
		return Hear(rssiDefault)
	}
	out := Hear(d.RSSI)
	out.FrameError, out.MessageError = diag.Rate(d.FrameError), diag.Rate(d.MessageError)
	if d.LQ != nil {
		out.LQ = *d.LQ
	}
	if d.LastRSSI != nil {
		out.LastRSSI = *d.LastRSSI
	}
	if d.Margin != nil {
		out.Margin = *d.Margin
	}
	return out
}

func (d *networkDoc) faults(m *Mesh, x index) error {
	for _, f := range d.Faults {
		out := Fault{Kind: FaultKind(f.Kind), RouterID: f.RouterID, ChildID: f.ChildID, LQ: f.LQ}
		i, err := x.find(f.Node, "fault: node")
		if err != nil {
			return err
		}
		out.Node = m.Nodes[i].ExtAddr
		if f.Peer != "" {
			if j, err := x.find(f.Peer, "fault: peer"); err == nil {
				out.Peer = m.Nodes[j].ExtAddr
			} else if out.Kind != FaultGhost {
				return err
			} else if out.Peer, err = diag.ParseExtAddr(f.Peer); err != nil {
				return fmt.Errorf("fault ghost: peer: %w", err)
			}
		}
		for _, ref := range f.Nodes {
			j, err := x.find(ref, "fault: nodes")
			if err != nil {
				return err
			}
			out.Nodes = append(out.Nodes, m.Nodes[j].ExtAddr)
		}
		if out.Age, err = f.Age.parse("fault: age"); err != nil {
			return err
		}
		if out.Delay, err = f.Delay.parse("fault: delay"); err != nil {
			return err
		}
		m.Faults = append(m.Faults, out)
	}
	return nil
}
