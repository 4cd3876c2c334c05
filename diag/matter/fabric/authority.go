package fabric

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"threadmap/diag/matter/cert"
)

// VendorID is what threadmap gives in AddNOC as the vendor of the fabric's
// administrator: the first of the ids for tests, as it has none of its own.
const VendorID uint16 = 0xFFF1

// An Authority owns a fabric: it has the root key, issues node operational
// certificates, and is itself the fabric's first node and administrator.
type Authority struct {
	root   *cert.Certificate
	epoch  Key
	key    privateKey // of the root
	own    privateKey // of the authority's own NOC
	member *Member
}

// Config is what the new fabric of an Authority is to be. Zero fields are
// chosen at random, which is what a user's fabric wants; tests and vectors set
// them.
type Config struct {
	FabricID   uint64
	RootID     uint64 // rcac-id
	NodeID     uint64 // of the authority itself
	EpochKey   Key
	RootKey    *ecdsa.PrivateKey
	PrivateKey *ecdsa.PrivateKey // of the authority's own NOC
}

// validity of all certificates: from a day well in the past, without an end.
// It does not come from the clock: machines on which threadmap runs may start
// with a wrong one, and so do devices, which would then refuse a fabric for
// good. What ends a certificate here is RemoveFabric.
var validity = cert.Validity{NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}

// New makes a fabric: keys, root certificate, and the authority's own NOC.
func New(c Config) (*Authority, error) {
	var err error
	for _, key := range []**ecdsa.PrivateKey{&c.RootKey, &c.PrivateKey} {
		if *key == nil {
			if *key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
				return nil, fmt.Errorf("fabric: %w", err)
			}
		}
	}
	for _, id := range []*uint64{&c.FabricID, &c.RootID, &c.NodeID} {
		if *id == 0 {
			*id = randomID()
		}
	}
	if c.EpochKey.IsZero() {
		var b [KeySize]byte
		rand.Read(b[:])
		if c.EpochKey, err = NewKey(b[:]); err != nil {
			return nil, err
		}
	}
	root, err := cert.NewRoot(c.RootKey, c.RootID, validity)
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	noc, err := root.IssueNode(c.RootKey, &c.PrivateKey.PublicKey, cert.Node{FabricID: c.FabricID, NodeID: c.NodeID}, validity)
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	return newAuthority(root, noc.TLV(), c.EpochKey, c.RootKey, c.PrivateKey, validity.NotBefore)
}

func newAuthority(root *cert.Certificate, noc []byte, epoch Key, rootKey, own *ecdsa.PrivateKey, at time.Time) (*Authority, error) {
	if rootKey == nil || root == nil || !rootKey.PublicKey.Equal(root.Key()) {
		return nil, errors.New("fabric: the root key is not that of the root certificate")
	}
	peer, err := cert.VerifyNode(root, noc, nil, at)
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	ipk := OperationalIPK(epoch, CompressedID(root.PublicKey, peer.FabricID))
	m, err := NewMember(Credentials{Root: root, NOC: noc, PrivateKey: own, IPK: ipk}, at)
	if err != nil {
		return nil, err
	}
	return &Authority{root: root, epoch: epoch, key: hide(rootKey), own: hide(own), member: m}, nil
}

// Member is the authority itself as a node of its fabric.
func (a *Authority) Member() *Member { return a.member }

// Root is the root certificate, for AddTrustedRootCertificate.
func (a *Authority) Root() *cert.Certificate { return a.root }

// FabricID is the id of the fabric.
func (a *Authority) FabricID() uint64 { return a.member.FabricID }

// EpochKey is the IPKValue of AddNOC.
func (a *Authority) EpochKey() Key { return a.epoch }

// NewNodeID chooses an operational node id. With 64 bits of chance two nodes
// of a home don't get the same; the caller, who knows them, may still look.
func (a *Authority) NewNodeID() uint64 {
	for {
		if id := randomID(); id != a.member.NodeID {
			return id
		}
	}
}

// IssueNOC issues a node operational certificate, in Matter TLV, for the key
// of a certificate request ([cert.ParseCSR]). There is no intermediate.
func (a *Authority) IssueNOC(public *ecdsa.PublicKey, nodeID uint64) ([]byte, error) {
	if nodeID == a.member.NodeID {
		return nil, fmt.Errorf("fabric: node id %016X is threadmap's own", nodeID)
	}
	noc, err := a.root.IssueNode(a.key.get(), public, cert.Node{FabricID: a.FabricID(), NodeID: nodeID}, validity)
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	return noc.TLV(), nil
}

// NewNode makes another member of the fabric, key and all: a simulated device.
func (a *Authority) NewNode(nodeID uint64) (*Member, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	noc, err := a.IssueNOC(&key.PublicKey, nodeID)
	if err != nil {
		return nil, err
	}
	return NewMember(Credentials{Root: a.root, NOC: noc, PrivateKey: key, IPK: a.member.IPK}, validity.NotBefore)
}

// String names the authority by the compressed id of its fabric.
func (a *Authority) String() string { return fmt.Sprintf("%016X", a.member.compressed) }

// Format prints String, whatever the verb.
func (a *Authority) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// LogValue is String for log/slog.
func (a *Authority) LogValue() slog.Value { return slog.StringValue(a.String()) }

// randomID is a random number that can be a node id and a fabric id.
func randomID() uint64 {
	for {
		var b [8]byte
		rand.Read(b[:])
		if id := binary.BigEndian.Uint64(b[:]); id >= cert.MinNodeID && id <= cert.MaxNodeID {
			return id
		}
	}
}
