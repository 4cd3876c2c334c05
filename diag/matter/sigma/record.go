package sigma

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"threadmap/diag/hidden"
	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/internal/establish"
	"threadmap/tlv"
)

// A Record resumes a session (Core 4.14.2.2.1): an id that both parties know,
// the secret of their full handshake, and who the peer was then. The zero
// Record is none.
//
// Who has a record can pass for either party: however it is printed, logged or
// encoded, it says "(secret)". Only Bytes tells.
type Record struct {
	unseen
	p **record // two pointers: package fmt may follow one
}

// unseen hides a secret wherever it might show.
type unseen = hidden.Methods

type record struct {
	id     [16]byte
	secret [32]byte // x coordinate of the shared point
	root   [65]byte // public key of the fabric's root
	peer   cert.Peer
}

func newRecord(r record) Record {
	r.peer.CATs = slices.Clone(r.peer.CATs)
	p := &r
	return Record{p: &p}
}

func (r Record) get() *record {
	if r.p == nil {
		return nil
	}
	return *r.p
}

// IsZero reports whether there is no record.
func (r Record) IsZero() bool { return r.p == nil }

// ID is the resumption id, by which a responder finds the record. It is no
// secret.
func (r Record) ID() (id [16]byte) {
	if p := r.get(); p != nil {
		id = p.id
	}
	return id
}

// Peer is whom the session is with.
func (r Record) Peer() cert.Peer {
	p := r.get()
	if p == nil {
		return cert.Peer{}
	}
	peer := p.peer
	peer.CATs = slices.Clone(peer.CATs)
	return peer
}

// In reports whether the record is of m's fabric: the same root, the same id.
func (r Record) In(m *fabric.Member) bool {
	p := r.get()
	return p != nil && p.root == m.Root.PublicKey && p.peer.FabricID == m.FabricID
}

// renewed is the record after a resumption.
func (r Record) renewed(id [16]byte) Record {
	next := *r.get()
	next.id = id
	return newRecord(next)
}

// Equal compares in constant time.
func (r Record) Equal(q Record) bool {
	return subtle.ConstantTimeCompare(r.Bytes(), q.Bytes()) == 1
}

// recordVersion is the form of Bytes.
const recordVersion = 1

// Bytes is the record for a file that nobody else can read, nil for the zero
// Record: a TLV structure.
//
//	0 version (1)          4 fabric id
//	1 resumption id (16)   5 node id of the peer
//	2 shared secret (32)   6 CATs of the peer, an array
//	3 root public key (65) 7 public key of the peer (65)
func (r Record) Bytes() []byte {
	p := r.get()
	if p == nil {
		return nil
	}
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutUint(tlv.Context(0), recordVersion)
	e.PutOctets(tlv.Context(1), p.id[:])
	e.PutOctets(tlv.Context(2), p.secret[:])
	e.PutOctets(tlv.Context(3), p.root[:])
	e.PutUint(tlv.Context(4), p.peer.FabricID)
	e.PutUint(tlv.Context(5), p.peer.NodeID)
	e.Array(tlv.Context(6))
	for _, c := range p.peer.CATs {
		e.PutUint(tlv.Anonymous, uint64(c))
	}
	e.End()
	key, err := p.peer.PublicKey.Bytes()
	if err != nil {
		panic(err) // a verified peer has a key on P-256
	}
	e.PutOctets(tlv.Context(7), key)
	e.End()
	b, err := e.Bytes()
	if err != nil {
		panic(err) // the structure above is right
	}
	return b
}

var (
	errVersion = errors.New("a version that is not known here: forget the record")
	errNodeID  = errors.New("not an operational node id")
	errFabric  = errors.New("fabric 0, which is none")
	errPoint   = errors.New("not a point of P-256")
	errCATs    = fmt.Errorf("more than %d CASE authenticated tags", cert.MaxCATs)
)

// ParseRecord reads what Bytes wrote.
func ParseRecord(b []byte) (Record, error) {
	var r record
	err := establish.Structure(b, []uint8{0, 1, 2, 3, 4, 5, 6, 7}, func(n uint8, d *tlv.Decoder) {
		switch n {
		case 0:
			if d.Uint() != recordVersion {
				d.Fail(errVersion)
			}
		case 1:
			establish.Octets(d, r.id[:])
		case 2:
			establish.Octets(d, r.secret[:])
		case 3:
			establish.Octets(d, r.root[:])
			point(d, r.root)
		case 4:
			if r.peer.FabricID = d.Uint(); r.peer.FabricID == 0 {
				d.Fail(errFabric)
			}
		case 5:
			if r.peer.NodeID = d.Uint(); r.peer.NodeID < cert.MinNodeID || r.peer.NodeID > cert.MaxNodeID {
				d.Fail(errNodeID)
			}
		case 6:
			d.EnterKind(tlv.Array)
			for d.Next() {
				if len(r.peer.CATs) == cert.MaxCATs {
					d.Fail(errCATs)
				}
				r.peer.CATs = append(r.peer.CATs, d.Uint32())
			}
			d.Leave()
		case 7:
			var key [65]byte
			establish.Octets(d, key[:])
			r.peer.PublicKey = point(d, key)
		}
	})
	if err != nil {
		return Record{}, fmt.Errorf("sigma: resumption record: %w", err)
	}
	return newRecord(r), nil
}

func point(d *tlv.Decoder, b [65]byte) *ecdsa.PublicKey {
	k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b[:])
	if err != nil {
		d.Fail(errPoint)
	}
	return k
}
