package matternode

import (
	"time"

	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// CommissioningErrorEnum.
const (
	commissioningOK       = 0
	valueOutsideRange     = 1
	invalidAuthentication = 2
	noFailSafe            = 3
	busyWithOtherAdmin    = 4
)

// RegulatoryLocationTypeEnum.
const (
	indoor        regulatory = 0
	outdoor       regulatory = 1
	indoorOutdoor regulatory = 2
)

// What General Commissioning keeps.
type (
	breadcrumb uint64
	country    string
	regulatory uint8
)

var generalCommissioningServer = server{id: generalCommissioning, revision: revision(2), attributes: func(n *Node, _ *asker, t *table) {
	t.uint(0, changes, uint64(n.breadcrumb))
	t.structure(1, fixed, func(e *tlv.Encoder) {
		putUint(e, 0, failSafeDefault)
		putUint(e, 1, uint64(failSafeMost/time.Second))
	})
	t.uint(2, changes, uint64(n.regulatory))
	t.uint(3, fixed, uint64(indoorOutdoor))
	t.bool(4, fixed, true)
}, commands: []command{
	{id: 0, response: 1, privilege: administer, run: (*Node).armFailSafe},
	{id: 2, response: 3, privilege: administer, run: (*Node).setRegulatoryConfig},
	{id: 4, response: 5, privilege: administer, run: (*Node).commissioningComplete},
}}

// setBreadcrumb sets Breadcrumb. The lock is held.
func (n *Node) setBreadcrumb(v uint64) {
	if n.breadcrumb != breadcrumb(v) {
		n.breadcrumb = breadcrumb(v)
		n.changed(pathOf(0, generalCommissioning, 0))
	}
}

// commissioningError is the answer of all three commands.
func commissioningError(code uint64) answer {
	return answer{fields: func(e *tlv.Encoder) {
		putUint(e, 0, code)
		putText(e, 1, "")
	}}
}

func (n *Node) armFailSafe(a *asker, fields []byte) answer {
	var seconds uint16
	var crumb uint64
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		switch tag {
		case 0:
			seconds = d.Uint16()
		case 1:
			crumb = d.Uint()
		}
	}, 0, 1) != nil {
		return statusOf(im.InvalidCommand)
	}
	f := &n.failSafe
	switch {
	case f.armed && !f.mine(a.party):
		return commissioningError(busyWithOtherAdmin)
	case !f.armed && !a.PASE() && n.window.isOpen():
		// Who has the window's passcode goes first.
		return commissioningError(busyWithOtherAdmin)
	case seconds == 0 && f.armed:
		out := commissioningError(commissioningOK)
		out.after = (*Node).rollBack
		return out
	case seconds == 0:
		return commissioningError(commissioningOK)
	}
	n.arm(a.party, time.Duration(seconds)*time.Second)
	n.setBreadcrumb(crumb)
	return commissioningError(commissioningOK)
}

func (n *Node) setRegulatoryConfig(_ *asker, fields []byte) answer {
	var config uint8
	var code string
	var crumb uint64
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		switch tag {
		case 0:
			config = d.Uint8()
		case 1:
			code = string(d.Text())
		case 2:
			crumb = d.Uint()
		}
	}, 0, 1, 2) != nil {
		return statusOf(im.InvalidCommand)
	}
	switch {
	case len(code) != 2:
		return statusOf(im.ConstraintError)
	case regulatory(config) > indoorOutdoor:
		return commissioningError(valueOutsideRange)
	}
	if n.regulatory != regulatory(config) {
		n.regulatory = regulatory(config)
		n.changed(pathOf(0, generalCommissioning, 2))
	}
	n.setCountry(country(code))
	n.setBreadcrumb(crumb)
	return commissioningError(commissioningOK)
}

func (n *Node) commissioningComplete(a *asker, _ []byte) answer {
	f := &n.failSafe
	switch {
	case !f.armed:
		return commissioningError(noFailSafe)
	case a.PASE() || a.fabric == 0 || a.fabric != f.fabric:
		return commissioningError(invalidAuthentication)
	}
	n.disarm()
	n.setBreadcrumb(0)
	n.closeWindow()
	out := commissioningError(commissioningOK)
	out.after = func(n *Node) { n.dismiss(func(p *party) bool { return p.PASE() }) }
	return out
}
