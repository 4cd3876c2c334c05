package controller

import (
	"context"
	"crypto/aes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"threadmap/diag/ccm"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// A registration is the controller's as a client of a node's ICD Management.
type registration struct {
	key     [16]byte
	counter uint32 // the highest that was heard
}

// Register makes the controller a client of a node that can sleep for long: the
// node then sleeps so for everybody (Core 9.16), and checks in with the
// controller when it wakes and the controller has no subscription.
func (c *Controller) Register(ctx context.Context, node uint64) error {
	place, err := c.o.Resolve(ctx, node)
	if err != nil {
		return err
	}
	s, err := c.Session(ctx, node, place.Addresses)
	if err != nil {
		return err
	}
	// The session stays: the node may already report the change of its mode in it.
	r := &registration{}
	rand.Read(r.key[:]) // never fails
	me := c.ca.Member().NodeID
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutUint(tlv.Context(0), me)
	e.PutUint(tlv.Context(1), me)
	e.PutOctets(tlv.Context(2), r.key[:])
	e.PutUint(tlv.Context(4), 0)
	e.End()
	fields, err := e.Bytes()
	if err != nil {
		return err
	}
	answer, err := client.Invoke(ctx, s, im.CommandPath{Endpoint: 0, Cluster: icdManagement, Command: 0}, fields)
	if err != nil {
		return fmt.Errorf("simulated controller: registering as an ICD client: %w", err)
	}
	d := tlv.NewDecoder(answer.Fields)
	if d.Next() {
		d.Enter()
		for d.Next() {
			if d.Tag() == tlv.Context(0) {
				r.counter = d.Uint32()
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[node] = r
	return nil
}

// takeCheckIn takes a Check-In message: whose it is only the keys tell.
func (r *run) takeCheckIn(payload []byte) {
	c := r.c
	c.mu.Lock()
	var node uint64
	var counter uint32
	for n, k := range c.keys {
		if v, err := openCheckIn(k.key, payload); err == nil && int32(v-k.counter) > 0 {
			node, counter, k.counter = n, v, v
			break
		}
	}
	c.mu.Unlock()
	if node == 0 {
		return
	}
	c.say(node, &CheckIn{counter})
	f := r.follower(node)
	if f == nil {
		return
	}
	f.mu.Lock()
	f.checkedIn = true
	sub := f.sub
	f.mu.Unlock()
	if sub != nil && sub.Err() == nil { // thought to be alive: it is not
		sub.Close()
		return
	}
	f.kick(0)
}

var errCheckIn = errors.New("no Check-In of this key")

// openCheckIn is the counter of a Check-In message (Core 4.20.1): its nonce is
// made of the counter that it seals.
func openCheckIn(key [16]byte, payload []byte) (uint32, error) {
	if len(payload) < ccm.NonceSizeMatter+4+ccm.TagSizeMatter {
		return 0, errCheckIn
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return 0, err
	}
	aead, err := ccm.New(block, ccm.TagSizeMatter, ccm.NonceSizeMatter)
	if err != nil {
		return 0, err
	}
	nonce := payload[:ccm.NonceSizeMatter]
	plain, err := aead.Open(nil, nonce, payload[ccm.NonceSizeMatter:], nil)
	if err != nil {
		return 0, errCheckIn
	}
	h := hmac.New(sha256.New, key[:])
	h.Write(plain[:4])
	if !hmac.Equal(h.Sum(nil)[:ccm.NonceSizeMatter], nonce) {
		return 0, errCheckIn
	}
	return binary.LittleEndian.Uint32(plain), nil
}
