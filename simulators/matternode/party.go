package matternode

import (
	"time"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/transport"
)

// A party is the other end of a secure session.
type party struct {
	*session.Secure
	fabric uint8 // index; 0: none, as after PASE
	used   time.Time
}

// A privilege is what a party may do (Core 9.10.5.3).
type privilege uint8

const (
	nobody privilege = iota
	view
	operate
	manage
	administer
)

// privilege of a party. The lock is held.
func (n *Node) privilege(p *party) privilege {
	if p.PASE() {
		return administer
	}
	f := n.fabrics[p.fabric]
	if f == nil {
		return nobody
	}
	for _, s := range f.Admins {
		if subjectIs(s, p.Peer) {
			return administer
		}
	}
	for _, s := range f.Managers {
		if subjectIs(s, p.Peer) {
			return manage
		}
	}
	return nobody
}

// subjectIs reports whether an access control entry's subject is a peer.
func subjectIs(s uint64, p cert.Peer) bool {
	if s>>32 != catSubject {
		return s == p.NodeID
	}
	for _, cat := range p.CATs {
		if cat>>16 == uint32(s)>>16 && cat&0xffff >= uint32(s)&0xffff {
			return true
		}
	}
	return false
}

// party is whose session it is, nil for nobody's. A session is admitted when it
// is first seen, be it at the end of the handshake or by its first exchange.
func (n *Node) party(s *session.Secure) *party {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s == nil || s.Session.Err() != nil || n.off {
		return nil
	}
	p := n.parties[s.Session]
	if p == nil {
		if p = n.admit(s); p == nil {
			s.Close()
			return nil
		}
	}
	p.used = time.Now()
	return p
}

// admit notes a new session; nil where nobody may have it. The lock is held.
func (n *Node) admit(s *session.Secure) *party {
	n.sweep()
	p := &party{Secure: s, used: time.Now()}
	if s.PASE() {
		if !n.window.isOpen() {
			return nil
		}
		n.stats.pairings.Add(1)
		n.dismiss(func(q *party) bool { return q.PASE() }) // one at a time
		n.parties[s.Session] = p
		if n.failSafe.armed && n.failSafe.by.PASE() { // a commissioner begins again
			n.undo()
		}
		if !n.failSafe.armed {
			n.arm(p, paseTimeout)
		}
		return p
	}
	var on *owner
	for _, f := range n.fabrics {
		if f.Member == s.Member {
			on = f
		}
	}
	if on == nil { // the node left the fabric meanwhile
		return nil
	}
	p.fabric = on.index
	n.parties[s.Session] = p
	n.remember(s.Record, on)
	n.stats.handshakes.Add(1)
	if s.Resumed {
		n.stats.resumptions.Add(1)
	}
	n.evict(p)
	return p
}

// evict forgets the sessions of a new one's fabric that are too many, those
// first that were not used for longest. The lock is held.
func (n *Node) evict(fresh *party) {
	for {
		count, oldest := 0, fresh
		for _, q := range n.parties {
			if q.fabric == fresh.fabric && !q.PASE() {
				count++
				if q.used.Before(oldest.used) || q != fresh && oldest == fresh {
					oldest = q
				}
			}
		}
		if count <= n.o.Quirks.MaxSessions {
			return
		}
		n.stats.evicted.Add(1)
		n.forget(oldest)
	}
}

// sweep drops sessions that are over. The lock is held.
func (n *Node) sweep() {
	for s := range n.parties {
		if s.Err() != nil {
			delete(n.parties, s)
		}
	}
}

// forget drops a session without a word to its peer. The lock is held.
func (n *Node) forget(p *party) {
	delete(n.parties, p.Session)
	p.Session.Drop()
}

// dismiss closes sessions. The lock is held.
func (n *Node) dismiss(which func(*party) bool) {
	for s, p := range n.parties {
		if which(p) {
			delete(n.parties, s)
			p.Close()
		}
	}
}

// sessionWith is the session with a node of a fabric that was used last, of
// those that still answer if there are any; nil: there is none. The lock is
// held.
func (n *Node) sessionWith(fabric uint8, node uint64) (s *transport.Session) {
	if p := n.partyWith(peer{fabric, node}); p != nil {
		return p.Session
	}
	var newest time.Time
	for t, p := range n.parties {
		if p.fabric == fabric && p.Node() == node && t.Err() == nil && (s == nil || p.used.After(newest)) {
			s, newest = t, p.used
		}
	}
	return s
}
