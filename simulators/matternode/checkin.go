package matternode

import (
	"context"
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"

	"threadmap/diag/ccm"
	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/transport"
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
func (n *Node) wakes(life context.Context) {
	ticker := time.NewTicker(n.device.ICD.Idle)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			n.mu.Lock()
			if life.Err() == nil {
				n.checkIns(life)
			}
			n.mu.Unlock()
		case <-life.Done():
			return
		}
	}
}

// counterEpoch is how many numbers of Check-In messages are reserved at once in
// the lasting memory: a restart skips what is left of them.
const counterEpoch = 100

// checkIns tells the registered clients whose subject has no subscription that
// the node is there, once and without an answer (Core 9.16.1.6). The number is
// one for all and not used again.
func (n *Node) checkIns(life context.Context) {
	if n.operatingMode() != operatingModeLIT {
		return
	}
	data := binary.LittleEndian.AppendUint16(nil, uint16(min(n.device.ICD.Threshold/time.Millisecond, 1<<16-1)))
	counted := false
	for i := range n.clients {
		c := n.clients[i]
		if c.kind != permanentClient || n.subscribed(&c) || n.fabrics[c.fabric] == nil {
			continue
		}
		if !counted { // numbers are not wasted on wakes that nobody is told of
			counted = true
			if n.icdCount++; n.icdCount == n.icdReserved {
				n.icdReserved += counterEpoch
			}
		}
		b, err := checkIn(c.key, n.icdCount, data)
		if err != nil {
			continue
		}
		compressed, ep := n.fabrics[c.fabric].Member.CompressedID(), n.ep
		n.running.Go(func() {
			to := c.at
			if found, err := n.lookup(life, compressed, c.node); err == nil {
				to = found[0]
			} else if n.o.Resolve != nil {
				return
			}
			n.post(life, ep, to, b)
		})
	}
}

// post sends one Check-In message.
func (n *Node) post(life context.Context, ep *transport.Endpoint, to netip.AddrPort, payload []byte) {
	if !to.IsValid() || life.Err() != nil {
		return
	}
	s := ep.Unsecured(to, message.SessionParameters{})
	if x, err := s.Open(life); err == nil {
		if x.SendOnce(message.SecureChannel, message.CheckIn, payload) == nil {
			n.stats.checkIns.Add(1)
		}
		x.Close()
	}
	s.Close(life)
}

// subscribed reports whether the subject of a registration has a subscription,
// or had one that is still to be resumed. The lock is held.
func (n *Node) subscribed(c *registration) bool {
	for _, s := range n.subs {
		if s.fabric == c.fabric && subjectIs(c.subject, s.p.Peer) {
			return true
		}
	}
	if n.resumed {
		return false
	}
	for _, e := range n.stored {
		if e.fabric == c.fabric && subjectIs(c.subject, cert.Peer{NodeID: e.node}) {
			return true
		}
	}
	return false
}
