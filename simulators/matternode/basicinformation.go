package matternode

import (
	"fmt"

	"threadmap/tlv"
)

const (
	softwareVersion = 10203
	hardwareVersion = 1
)

// descriptorServer says what an endpoint is.
var descriptorServer = server{id: descriptor, revision: revision(3), attributes: func(n *Node, a *asker, t *table) {
	t.list(0, fixed, func(e *tlv.Encoder) {
		for _, d := range a.at.types {
			entry(e, func() {
				putUint(e, 0, uint64(d.id))
				putUint(e, 1, uint64(d.revision))
			})
		}
	})
	servers := make([]uint32, 0, len(a.at.servers))
	for _, s := range a.at.servers {
		servers = append(servers, s.id)
	}
	t.numbers(1, fixed, servers)
	t.numbers(2, fixed, nil)
	parts := []uint32{}
	for _, e := range n.endpoints {
		if a.at.number == 0 && e.number != 0 {
			parts = append(parts, uint32(e.number))
		}
	}
	t.numbers(3, changes, parts)
}}

var basicInformationServer = server{id: basicInformation, revision: revision(6), attributes: func(n *Node, _ *asker, t *table) {
	d := &n.device
	t.uint(0x00, fixed, dataModelRevision)
	t.text(0x01, fixed, d.Vendor)
	t.uint(0x02, fixed, uint64(d.VendorID))
	t.text(0x03, fixed, d.Model)
	t.uint(0x04, fixed, uint64(d.ProductID))
	t.text(0x05, changes, n.device.Name)
	t.text(0x06, changes, string(n.country))
	t.uint(0x07, fixed, hardwareVersion)
	t.text(0x08, fixed, "1")
	t.uint(0x09, fixed, softwareVersion)
	t.text(0x0A, fixed, orDash(d.Firmware))
	t.text(0x12, fixed, fmt.Sprintf("%016x%04x", uint64(d.Thread.Node), d.ProductID))
	t.structure(0x13, fixed, func(e *tlv.Encoder) {
		putUint(e, 0, uint64(max(n.o.Quirks.MaxSessions, DefaultSessions)))
		putUint(e, 1, uint64(max(n.o.Quirks.MaxSubscriptions, DefaultSubscriptions)))
	})
	t.uint(0x15, fixed, specificationVersion)
	t.uint(0x16, fixed, 1)
	t.uint(0x18, changes, 1)
}}

// orDash is a text that must not be empty.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// setCountry sets Location. The lock is held.
func (n *Node) setCountry(c country) {
	if n.country != c {
		n.country = c
		n.changed(pathOf(0, basicInformation, 6))
	}
}

// powerSourceServer is a replaceable battery.
var powerSourceServer = server{id: powerSource, revision: revision(3), features: features(1<<1 | 1<<3), attributes: func(n *Node, _ *asker, t *table) {
	battery := uint64(n.device.Battery)
	level := uint64(0) // OK
	switch {
	case battery <= 5:
		level = 2 // critical
	case battery <= 15:
		level = 1 // warning
	}
	t.uint(0x00, changes, 1) // active
	t.uint(0x01, changes, 0)
	t.text(0x02, fixed, "Battery")
	t.uint(0x0B, changesOmitted, 2100+battery*9)
	t.uint(0x0C, changesOmitted, 2*battery)
	t.uint(0x0E, changes, level)
	t.bool(0x0F, changes, level != 0)
	t.uint(0x10, fixed, 2) // user replaceable
	t.text(0x13, fixed, "CR2450")
	t.uint(0x19, fixed, 1)
	t.numbers(0x1F, fixed, []uint32{1})
}}

// SetBattery changes what is left in the battery, in percent; a device that
// runs on mains stays one.
func (n *Node) SetBattery(percent uint8) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.device.Battery > 0 && percent > 0 && percent <= 100 {
		n.device.Battery = percent
		n.changed(pathOf(1, powerSource, 0x0E), pathOf(1, powerSource, 0x0F))
	}
}
