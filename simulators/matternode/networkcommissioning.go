package matternode

import (
	"threadmap/diag"
	"threadmap/tlv"
)

// Features of Network Commissioning.
const (
	wifiInterface     = 1 << 0
	threadInterface   = 1 << 1
	ethernetInterface = 1 << 2
)

// ThreadCapabilitiesBitmap.
const (
	canBorderRoute = 1 << 0
	canRoute       = 1 << 1
	canSleep       = 1 << 2
	isFull         = 1 << 3
)

// networkCommissioningServer is of the interface through which the node speaks
// Matter: of a border router that of the LAN.
var networkCommissioningServer = server{
	id: networkCommissioning, revision: revision(2),
	features: func(n *Node) uint32 {
		switch d := &n.device; {
		case d.hasLAN() && d.Ethernet:
			return ethernetInterface
		case d.hasLAN():
			return wifiInterface
		}
		return threadInterface
	},
	attributes: func(n *Node, _ *asker, t *table) {
		d := &n.device
		v, i := d.threadNode()
		overThread := v != nil && !d.hasLAN()
		t.uint(0, fixed|adminOnly, 1)
		t.list(1, adminOnly, func(e *tlv.Encoder) {
			entry(e, func() {
				id := []byte("home") // the SSID, or the name of the Ethernet interface
				if overThread {
					id = bigEndian(uint64(v.Mesh().ExtPANID))
				}
				putOctets(e, 0, id)
				putBool(e, 1, true)
			})
		})
		if !d.hasLAN() || !d.Ethernet {
			t.uint(2, fixed, 10)
			t.uint(3, fixed, 20)
		}
		t.bool(4, changes, true)
		t.null(5, adminOnly)
		t.null(6, adminOnly)
		t.null(7, adminOnly)
		if d.hasLAN() && !d.Ethernet {
			t.numbers(8, fixed, []uint32{0})
		}
		if overThread {
			t.uint(9, fixed, threadFeatures(v.Node(i).Mode, v.Node(i).BorderRouter))
			t.uint(10, fixed, uint64(v.Node(i).ThreadVersion))
		}
	},
}

func threadFeatures(m diag.Mode, border bool) (f uint64) {
	if m.FullThreadDevice {
		f |= isFull | canRoute
	}
	if !m.RxOnWhenIdle {
		f |= canSleep
	}
	if border {
		f |= canBorderRoute
	}
	return f
}
