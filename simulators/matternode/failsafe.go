package matternode

import (
	"crypto/ecdsa"
	"time"

	"threadmap/diag/matter/cert"
)

// A failSafe is armed while a commissioner changes the node, which becomes as
// it was when nobody disarms it in time (Core 11.10.7.2).
type failSafe struct {
	armed   bool
	by      *party // who armed it
	fabric  uint8  // whose it is: the one of by, or the one that was added
	timer   *time.Timer
	latest  time.Time // to which it can be prolonged
	serial  int       // of this arming, for its timer
	csrKey  *ecdsa.PrivateKey
	root    *cert.Certificate
	added   uint8 // the fabric that was added; 0: none
	expires time.Time
}

// mine reports whether the fail-safe is that of a party: who armed it, and in
// the fabric that was added anybody.
func (f *failSafe) mine(p *party) bool {
	return f.armed && (f.by == p || f.fabric != 0 && f.fabric == p.fabric)
}

// arm arms or prolongs the fail-safe. The lock is held.
func (n *Node) arm(p *party, d time.Duration) {
	f, now := &n.failSafe, time.Now()
	if !f.armed {
		*f = failSafe{armed: true, by: p, fabric: p.fabric, latest: now.Add(failSafeMost), serial: f.serial}
	} else {
		f.timer.Stop()
	}
	f.serial++
	serial := f.serial
	f.expires = now.Add(d)
	if f.expires.After(f.latest) {
		f.expires = f.latest
	}
	f.timer = time.AfterFunc(f.expires.Sub(now), func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.failSafe.armed && n.failSafe.serial == serial && !n.closed {
			n.rollBack()
		}
	})
}

// disarm ends the fail-safe; what was done stays. The lock is held.
func (n *Node) disarm() {
	if n.failSafe.armed {
		n.failSafe.timer.Stop()
		n.failSafe = failSafe{serial: n.failSafe.serial}
	}
}

// rollBack undoes what was done under the fail-safe: the fabric that was added
// goes, with its sessions, so do sessions by passcode, and the window closes.
// The lock is held.
func (n *Node) rollBack() {
	if !n.failSafe.armed {
		return
	}
	n.undo()
	n.dismiss(func(p *party) bool { return p.PASE() })
	n.closeWindow()
	if len(n.fabrics) == 0 {
		// A device that nobody owns waits to be paired, again.
		_ = n.openFactoryWindow() // it did so when it was made
	}
}

// undo ends the fail-safe, and what was done under it. The lock is held.
func (n *Node) undo() {
	added := n.failSafe.added
	n.disarm()
	n.setBreadcrumb(0)
	if added != 0 {
		n.leave(added)
	}
}

// join puts the node on a fabric. The lock is held.
func (n *Node) join(f Fabric) (index uint8, ok bool) {
	for index = 1; n.fabrics[index] != nil; index++ {
	}
	if len(n.fabrics) >= MaxFabrics {
		return 0, false
	}
	n.fabrics[index] = &owner{Fabric: f, index: index}
	n.fabricsChanged()
	return index, true
}

// leave takes the node off a fabric: its sessions, subscriptions and records
// go. The lock is held.
func (n *Node) leave(index uint8) {
	f := n.fabrics[index]
	if f == nil {
		return
	}
	n.forgetRecords(f)
	delete(n.fabrics, index)
	for _, s := range n.subs {
		if s.fabric == index {
			n.drop(s)
		}
	}
	for id, e := range n.stored {
		if e.fabric == index {
			delete(n.stored, id)
		}
	}
	before := n.operatingMode()
	n.clients = removeIf(n.clients, func(c registration) bool { return c.fabric == index })
	n.modeChanged(before)
	n.dismiss(func(p *party) bool { return p.fabric == index && !p.PASE() })
	n.fabricsChanged()
}

func (n *Node) fabricsChanged() {
	for a := range uint32(5) {
		n.changed(pathOf(0, operationalCredentials, a))
	}
	n.changed(pathOf(0, accessControl, 0))
	n.announcementChanged()
}

// stopTimers is for the end of the node. The lock is held.
func (n *Node) stopTimers() {
	if n.window.isOpen() {
		n.window.timer.Stop()
	}
	if n.failSafe.armed {
		n.failSafe.timer.Stop()
	}
}
