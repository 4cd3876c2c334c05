package matternode

import (
	"crypto/subtle"
	"net/netip"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// Features of ICD Management.
const (
	checkInSupport    = 1 << 0
	userTrigger       = 1 << 1
	longIdleSupport   = 1 << 2
	clientsPerFabric  = 2
	longestStayActive = 30 * time.Second
	checkInKeySize    = 16
	permanentClient   = 0
	ephemeralClient   = 1
	operatingModeSIT  = 0
	operatingModeLIT  = 1
)

// A registration is of a client that wants to hear Check-In messages.
type registration struct {
	fabric  uint8
	node    uint64
	subject uint64
	key     [checkInKeySize]byte
	kind    uint8
	at      netip.AddrPort // where it was when it registered
}

var icdManagementServer = server{
	id: icdManagement, revision: revision(3),
	features: func(n *Node) uint32 {
		if n.device.ICD.LIT {
			return checkInSupport | userTrigger | longIdleSupport
		}
		return 0
	},
	attributes: func(n *Node, a *asker, t *table) {
		icd := n.device.ICD
		t.uint(0, fixed, uint64(icd.Idle/time.Second))
		t.uint(1, fixed, uint64(icd.Active/time.Millisecond))
		t.uint(2, fixed, uint64(icd.Threshold/time.Millisecond))
		if !icd.LIT {
			return
		}
		t.list(3, adminOnly, func(e *tlv.Encoder) {
			for _, c := range n.clients {
				if !a.sees(c.fabric) {
					continue
				}
				entry(e, func() {
					if c.fabric == a.fabric {
						putUint(e, 1, c.node)
						putUint(e, 2, c.subject)
						putUint(e, 4, uint64(c.kind))
					}
					putUint(e, 254, uint64(c.fabric))
				})
			}
		})
		t.uint(4, adminOnly|changesOmitted, uint64(n.icdCount))
		t.uint(5, fixed, clientsPerFabric)
		t.uint(6, fixed, uint64(icd.Hint))
		t.text(7, fixed, icd.Instruction)
		t.uint(8, changes, n.operatingMode())
		t.uint(9, fixed, uint64(icd.Idle/time.Second))
	},
	commands: []command{
		{id: 0, response: 1, privilege: manage, run: (*Node).registerClient},
		{id: 2, response: noResponse, privilege: manage, run: (*Node).unregisterClient},
		{id: 3, response: 4, privilege: operate, run: (*Node).stayActive},
	},
}

// operatingMode is LIT while somebody is registered. The lock is held.
func (n *Node) operatingMode() uint64 {
	if icd := n.device.ICD; icd != nil && icd.LIT && len(n.clients) > 0 {
		return operatingModeLIT
	}
	return operatingModeSIT
}

// modeChanged lets the radio sleep as the mode wants it. The lock is held.
func (n *Node) modeChanged(before uint64) {
	now := n.operatingMode()
	if now == before {
		return
	}
	n.changed(pathOf(0, icdManagement, 8))
	if s := n.gate.sleep; s != nil {
		if now == operatingModeLIT {
			s.idle(max(n.device.ICD.Idle, s.Slow), n.device.ICD.Active)
		} else {
			s.idle(s.Slow, 0)
		}
	}
	n.announcementChanged()
}

func (n *Node) registerClient(a *asker, fields []byte) answer {
	if !n.device.ICD.LIT {
		return statusOf(im.UnsupportedCommand)
	}
	c := registration{fabric: a.fabric, kind: permanentClient, at: a.Session.Peer()}
	var key, verification []byte
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		switch tag {
		case 0:
			c.node = d.Uint()
		case 1:
			c.subject = d.Uint()
		case 2:
			key = d.Octets()
		case 3:
			verification = d.Octets()
		case 4:
			c.kind = d.Uint8()
		}
	}, 0, 1, 2) != nil || len(key) != checkInKeySize || c.node>>32 == catSubject || !validSubject(c.node) || !validSubject(c.subject) {
		return statusOf(im.InvalidCommand)
	}
	switch {
	case c.fabric == 0:
		return statusOf(im.UnsupportedAccess)
	case c.kind > ephemeralClient:
		return statusOf(im.ConstraintError)
	case !n.verified(a, c.node, verification):
		return statusOf(im.Failure)
	}
	copy(c.key[:], key)
	before, count := n.operatingMode(), 0
	for _, o := range n.clients {
		if o.fabric == c.fabric && o.node != c.node {
			count++
		}
	}
	if count >= clientsPerFabric {
		return statusOf(im.ResourceExhausted)
	}
	n.clients = append(removeIf(n.clients, func(o registration) bool { return o.fabric == c.fabric && o.node == c.node }), c)
	n.changed(pathOf(0, icdManagement, 3))
	n.modeChanged(before)
	return answer{fields: func(e *tlv.Encoder) { putUint(e, 0, uint64(n.icdCount)) }}
}

// verified reports whether an asker may change the registration of a node: who
// has not Administer must know its key. Where there is no such registration
// there is nothing to know. The lock is held.
func (n *Node) verified(a *asker, node uint64, key []byte) bool {
	if a.privilege >= administer {
		return true
	}
	for _, c := range n.clients {
		if c.fabric == a.fabric && c.node == node {
			return subtle.ConstantTimeCompare(c.key[:], key) == 1
		}
	}
	return true
}

func (n *Node) unregisterClient(a *asker, fields []byte) answer {
	var node uint64
	var verification []byte
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		switch tag {
		case 0:
			node = d.Uint()
		case 1:
			verification = d.Octets()
		}
	}, 0) != nil {
		return statusOf(im.InvalidCommand)
	}
	if !n.verified(a, node, verification) {
		return statusOf(im.Failure)
	}
	before, count := n.operatingMode(), len(n.clients)
	n.clients = removeIf(n.clients, func(o registration) bool { return o.fabric == a.fabric && o.node == node })
	if len(n.clients) == count {
		return statusOf(im.NotFound)
	}
	n.changed(pathOf(0, icdManagement, 3))
	n.modeChanged(before)
	return answer{}
}

func (n *Node) stayActive(_ *asker, fields []byte) answer {
	var ms uint32
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		if tag == 0 {
			ms = d.Uint32()
		}
	}, 0) != nil {
		return statusOf(im.InvalidCommand)
	}
	promised := min(time.Duration(ms)*time.Millisecond, longestStayActive)
	if s := n.gate.sleep; s != nil {
		promised = s.stay(promised)
	}
	return answer{fields: func(e *tlv.Encoder) { putUint(e, 0, uint64(promised/time.Millisecond)) }}
}
