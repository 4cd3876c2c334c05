package matternode

import (
	"bytes"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/spake2p"
	"threadmap/tlv"
)

// StatusCodeEnum of Administrator Commissioning.
const (
	windowBusy           uint8 = 2
	windowParameterError uint8 = 3
	windowNotOpen        uint8 = 4
)

var administratorCommissioningServer = server{id: administratorCommissioning, revision: revision(1), attributes: func(n *Node, _ *asker, t *table) {
	w := &n.window
	status := uint64(0)
	switch w.mode {
	case enhancedWindow:
		status = 1
	case basicWindow:
		status = 2
	}
	t.uint(0, changes, status)
	if w.byFabric == 0 {
		t.null(1, changes)
		t.null(2, changes)
		return
	}
	t.uint(1, changes, uint64(w.byFabric))
	t.uint(2, changes, uint64(w.byVendor))
}, commands: []command{
	{id: 0, response: noResponse, privilege: administer, timed: true, run: (*Node).openCommissioningWindow},
	{id: 2, response: noResponse, privilege: administer, timed: true, run: (*Node).revokeCommissioning},
}}

func windowFails(code uint8) answer {
	return answer{status: im.Failure, cluster: im.Some(code)}
}

func (n *Node) openCommissioningWindow(a *asker, fields []byte) answer {
	var seconds uint16
	var verifier []byte
	w := window{mode: enhancedWindow, byFabric: a.fabric}
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		switch tag {
		case 0:
			seconds = d.Uint16()
		case 1:
			verifier = d.Octets()
		case 2:
			w.discriminator = d.Uint16()
		case 3:
			w.iterations = d.Uint32()
		case 4:
			w.salt = bytes.Clone(d.Octets())
		}
	}, 0, 1, 2, 3, 4) != nil {
		return statusOf(im.InvalidCommand)
	}
	d := time.Duration(seconds) * time.Second
	if d < windowShortest || d > windowLongest || w.discriminator > 0xfff {
		return statusOf(im.InvalidCommand)
	}
	if n.window.isOpen() || n.failSafe.armed {
		return windowFails(windowBusy)
	}
	var err error
	if w.registration, err = spake2p.ParseRegistration(verifier); err != nil || spake2p.CheckParameters(w.salt, w.iterations) != nil {
		return windowFails(windowParameterError)
	}
	if f := n.fabrics[a.fabric]; f != nil {
		w.byVendor = f.VendorID
	}
	if n.openWindow(w, d) != nil {
		return windowFails(windowBusy)
	}
	return answer{}
}

func (n *Node) revokeCommissioning(_ *asker, _ []byte) answer {
	if !n.window.isOpen() {
		return windowFails(windowNotOpen)
	}
	n.closeWindow()
	out := answer{}
	if n.failSafe.armed && n.failSafe.by.PASE() {
		out.after = (*Node).rollBack
	}
	return out
}
