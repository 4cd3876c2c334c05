package matternode

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"

	"threadmap/diag/ccm"
	"threadmap/diag/matter/message"
)

// checkIn is the payload of a Check-In message (Core 4.20.1): a nonce that is
// made of the counter, and the sealed counter and application data.
func checkIn(key [checkInKeySize]byte, counter uint32, data []byte) ([]byte, error) {
	plain := binary.LittleEndian.AppendUint32(nil, counter)
	h := hmac.New(sha256.New, key[:])
	h.Write(plain)
	nonce := h.Sum(nil)[:ccm.NonceSizeMatter]
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	aead, err := ccm.New(block, ccm.TagSizeMatter, ccm.NonceSizeMatter)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nonce[:len(nonce):len(nonce)], nonce, append(plain, data...), nil), nil
}

// wakes sends Check-In messages whenever the node becomes active, while it is
// idle for long.
func (n *Node) wakes() {
	period := n.device.ICD.Idle
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			n.checkIn()
		case <-n.ctx.Done():
			return
		}
	}
}

// checkIn tells the registered clients whose subject has no subscription that
// the node is there, once and without an answer (Core 9.16.1.6). The number is
// one for all and not used again.
func (n *Node) checkIn() {
	type letter struct {
		to      netip.AddrPort
		payload []byte
	}
	n.mu.Lock()
	if n.operatingMode() != operatingModeLIT {
		n.mu.Unlock()
		return
	}
	n.icdCount++
	data := binary.LittleEndian.AppendUint16(nil, uint16(min(n.device.ICD.Threshold/time.Millisecond, 1<<16-1)))
	var out []letter
	for i := range n.clients {
		c := &n.clients[i]
		if c.kind != permanentClient || n.subscribed(c) || !c.at.IsValid() {
			continue
		}
		if b, err := checkIn(c.key, n.icdCount, data); err == nil {
			out = append(out, letter{c.at, b})
		}
	}
	ep := n.ep
	n.mu.Unlock()
	for _, l := range out {
		s := ep.Unsecured(l.to, message.SessionParameters{})
		if x, err := s.Open(n.ctx); err == nil {
			if x.SendOnce(message.SecureChannel, message.CheckIn, l.payload) == nil {
				n.stats.checkIns.Add(1)
			}
			x.Close()
		}
		s.Close(n.ctx)
	}
}

// subscribed reports whether the subject of a registration has a subscription.
// The lock is held.
func (n *Node) subscribed(c *registration) bool {
	for _, s := range n.subs {
		if s.fabric == c.fabric && subjectIs(c.subject, s.p.Peer) {
			return true
		}
	}
	return false
}
