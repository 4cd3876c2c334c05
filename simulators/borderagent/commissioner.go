package borderagent

import (
	"time"
)

// A leader keeps the commissioner's role of a partition (Thread 8.5).
type leader struct {
	id       string // of whoever has the role, "": nobody
	session  uint16 // the last session id that was given, also to "nobody"
	ever     bool   // one was
	until    time.Time
	since    time.Time // of the last petition that was accepted
	border   uint16    // RLOC16 of the border agent that serves the commissioner
	steering []byte
	changes  uint8 // of the network data, by the role's coming and going
}

// forever is how long a commissioner that is not one of our sessions keeps its
// role alive.
const forever = 100 * 365 * 24 * time.Hour

// active reports whether somebody has the role; one that was not kept alive is
// freed. The network's lock is held in all methods.
func (l *leader) active(now time.Time) bool {
	if l.id != "" && !now.Before(l.until) {
		l.free()
	}
	return l.id != ""
}

// petition gives the role to who comes from a border agent, or says who has it.
// The same id takes it over.
func (l *leader) petition(id string, border uint16, steering []byte, now time.Time) (holder string, ok bool) {
	if l.active(now) {
		if l.id != id {
			return l.id, false
		}
		l.free()
	}
	l.take(id, border, steering, now)
	l.until = now.Add(commissionerLife)
	return id, true
}

func (l *leader) take(id string, border uint16, steering []byte, now time.Time) {
	l.id, l.border, l.steering, l.since = id, border, steering, now
	l.session++
	l.ever = true
	l.changes++
}

// free gives the role up, which takes a session id too.
func (l *leader) free() {
	l.id = ""
	l.session++
	l.ever = true
	l.changes++
}

// aloc is the anycast locator of the session.
func aloc(session uint16) uint16 { return commissionerALOC | session&7 }

// Hold gives the commissioner's role to somebody who is no session of these
// agents, with that id and steering data (nil: a zero octet), until Release.
func (a *Agent) Hold(id string, steering []byte) {
	n := a.net
	n.Lock()
	defer n.Unlock()
	if len(steering) == 0 {
		steering = []byte{0}
	}
	l := n.leaderOf(a.self())
	now := time.Now()
	l.take(id, n.view.Node(a.self()).RLOC16(), append([]byte(nil), steering...), now)
	l.until = now.Add(forever)
}

// Release frees the commissioner's role, whoever has it.
func (a *Agent) Release() {
	a.net.Lock()
	defer a.net.Unlock()
	if l := a.net.leaderOf(a.self()); l.active(time.Now()) {
		l.free()
	}
}

// Commissioner is the id of who has the commissioner's role at the leader now;
// ok is false when nobody has.
func (a *Agent) Commissioner() (id string, ok bool) {
	a.net.Lock()
	defer a.net.Unlock()
	l := a.net.leaderOf(a.self())
	if !l.active(time.Now()) {
		return "", false
	}
	return l.id, true
}
