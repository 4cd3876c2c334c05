package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"threadmap/diag/matter/cert"
)

// A Member speaks as one node of one fabric. It has been checked when it was
// made, and must not be changed.
type Member struct {
	Root      *cert.Certificate // RCAC
	NOC, ICAC []byte            // Matter TLV; ICAC nil: the root issued the NOC itself
	FabricID  uint64            // as the NOC says
	NodeID    uint64            // as the NOC says
	CATs      []uint32          // as the NOC says
	IPK       Key               // the operational key, never the epoch key

	compressed uint64
	key        privateKey
}

// privateKey keeps a key from package fmt, which follows one pointer of a
// value that is printed.
type privateKey struct{ p **ecdsa.PrivateKey }

func hide(k *ecdsa.PrivateKey) privateKey { return privateKey{&k} }

func (k privateKey) get() *ecdsa.PrivateKey {
	if k.p == nil {
		return nil
	}
	return *k.p
}

// Credentials are what a Member is made of.
type Credentials struct {
	Root       *cert.Certificate // RCAC
	NOC        []byte            // Matter TLV
	ICAC       []byte            // Matter TLV; nil: none
	PrivateKey *ecdsa.PrivateKey // of the NOC
	IPK        Key               // the operational key: see OperationalIPK
}

// NewMember checks that the certificates are a chain that is valid at the time
// at, and that the private key is that of the NOC.
func NewMember(c Credentials, at time.Time) (*Member, error) {
	node, err := cert.VerifyNode(c.Root, c.NOC, c.ICAC, at)
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	if c.PrivateKey == nil || !c.PrivateKey.PublicKey.Equal(node.PublicKey) {
		return nil, errors.New("fabric: the private key is not that of the node certificate")
	}
	if c.IPK.IsZero() {
		return nil, errors.New("fabric: no identity protection key")
	}
	m := &Member{
		Root: c.Root, NOC: bytes.Clone(c.NOC), FabricID: node.FabricID, NodeID: node.NodeID, CATs: node.CATs, IPK: c.IPK,
		compressed: CompressedID(c.Root.PublicKey, node.FabricID),
		key:        hide(c.PrivateKey),
	}
	if len(c.ICAC) > 0 {
		m.ICAC = bytes.Clone(c.ICAC)
	}
	return m, nil
}

// CompressedID is the compressed fabric id, the first half of operational
// instance names.
func (m *Member) CompressedID() uint64 { return m.compressed }

// DestinationID is how Sigma1 names the node of m's fabric that it is for:
// initiatorRandom has 32 octets. A responder computes its own, with its own
// node id, and compares.
func (m *Member) DestinationID(initiatorRandom []byte, node uint64) [32]byte {
	return DestinationID(m.IPK, m.Root.PublicKey, initiatorRandom, m.FabricID, node)
}

// InstanceName is the DNS-SD instance name under which a node of m's fabric
// announces itself as _matter._tcp.
func (m *Member) InstanceName(node uint64) string { return InstanceName(m.compressed, node) }

// Sign signs with the key of m's NOC: r‖s of ECDSA with SHA-256.
func (m *Member) Sign(message []byte) ([cert.SigSize]byte, error) {
	return cert.Sign(m.key.get(), message)
}

// String names the member: the instance name of its node.
func (m *Member) String() string { return m.InstanceName(m.NodeID) }

// Format prints String, whatever the verb: certificates are of no use there.
func (m *Member) Format(f fmt.State, _ rune) { io.WriteString(f, m.String()) }

// LogValue is String for log/slog.
func (m *Member) LogValue() slog.Value { return slog.StringValue(m.String()) }
