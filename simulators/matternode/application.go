package matternode

import (
	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

var identifyServer = server{id: identify, revision: revision(5), attributes: func(_ *Node, _ *asker, t *table) {
	t.uint(0, changesOmitted, 0)
	t.uint(1, fixed, 2) // visible indicator
}, commands: []command{
	{id: 0, response: noResponse, privilege: manage, run: func(_ *Node, _ *asker, fields []byte) answer {
		if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
			if tag == 0 {
				d.Uint16()
			}
		}, 0) != nil {
			return statusOf(im.InvalidCommand)
		}
		return answer{}
	}},
}}

var onOffServer = server{id: onOff, revision: revision(6), attributes: func(n *Node, _ *asker, t *table) {
	t.bool(0, changes, n.on)
}, commands: []command{
	turning(0, func(bool) bool { return false }),
	turning(1, func(bool) bool { return true }),
	turning(2, func(on bool) bool { return !on }),
}}

func turning(id uint32, to func(on bool) bool) command {
	return command{id: id, response: noResponse, privilege: operate, run: func(n *Node, _ *asker, _ []byte) answer {
		n.turn(to(n.on))
		return answer{}
	}}
}

// booleanStateServer is a contact: true is closed.
var booleanStateServer = server{id: booleanState, revision: revision(1), attributes: func(n *Node, _ *asker, t *table) {
	t.bool(0, changes, n.on)
}}

var threadBorderRouterManagementServer = server{id: threadBorderRouterManagement, revision: revision(1), attributes: func(n *Node, _ *asker, t *table) {
	d := &n.device
	t.text(0, changes, orDash(d.Thread.Name))
	t.octets(1, changes, d.Thread.BorderAgentID)
	t.uint(2, fixed, uint64(d.Thread.Version))
	t.bool(3, changes, d.hasThread())
	if v, _ := d.threadNode(); v != nil {
		t.uint(4, changes, v.Mesh().ActiveTimestamp)
	} else {
		t.null(4, changes)
	}
	t.null(5, changes)
}}

// groupKeyManagementServer has no groups.
var groupKeyManagementServer = server{id: groupKeyManagement, revision: revision(2), attributes: func(_ *Node, _ *asker, t *table) {
	t.numbers(0, changes, nil)
	t.numbers(1, changes, nil)
	t.uint(2, fixed, 4)
	t.uint(3, fixed, 3)
}}

// accessControlServer shows the entry that each fabric's administrators have.
var accessControlServer = server{id: accessControl, revision: revision(2), attributes: func(n *Node, a *asker, t *table) {
	t.list(0, adminOnly, func(e *tlv.Encoder) {
		for _, f := range n.owners() {
			if !a.sees(f.index) {
				continue
			}
			put := func(p privilege, subjects []uint64) {
				entry(e, func() {
					if f.index == a.fabric { // what it says is for its own fabric only
						putUint(e, 1, uint64(p)+1)
						putUint(e, 2, 2) // CASE
						e.Array(tlv.Context(3))
						for _, s := range subjects {
							e.PutUint(tlv.Anonymous, s)
						}
						e.End()
						putNull(e, 4)
					}
					putUint(e, 254, uint64(f.index))
				})
			}
			put(administer, f.Admins)
			if len(f.Managers) > 0 {
				put(manage, f.Managers)
			}
		}
	})
	t.uint(2, fixed, 4)
	t.uint(3, fixed, 3)
	t.uint(4, fixed, 4)
}}
