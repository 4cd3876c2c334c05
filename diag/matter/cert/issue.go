package cert

import (
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// A Validity is when a certificate is to be valid. The zero NotAfter is no
// end.
type Validity struct{ NotBefore, NotAfter time.Time }

func (v Validity) times() (from, to Time, err error) {
	if from, err = TimeOf(v.NotBefore); err != nil {
		return 0, 0, err
	}
	if !v.NotAfter.IsZero() {
		if to, err = TimeOf(v.NotAfter); err != nil {
			return 0, 0, err
		}
		if to < from {
			return 0, 0, errors.New("cert: a validity ends before it begins")
		}
	}
	return from, to, nil
}

// A Node is what a NOC says about its node.
type Node struct {
	FabricID, NodeID uint64
	CATs             []uint32
}

// NewRoot makes a root certificate (RCAC): self-signed, for any fabric.
func NewRoot(key *ecdsa.PrivateKey, rcacID uint64, v Validity) (*Certificate, error) {
	c, err := authority(Name{{Type: RCACID, ID: rcacID}}, pub(key), v, maxPathLen)
	if err != nil {
		return nil, err
	}
	if err := c.signBy(key, c); err != nil {
		return nil, err
	}
	return issued(c, c.checkRoot(c.NotBefore.Time()))
}

// IssueIntermediate makes an intermediate certificate (ICAC) below the root c,
// whose private key is key. A fabricID of 0 is left out.
func (c *Certificate) IssueIntermediate(key *ecdsa.PrivateKey, subject *ecdsa.PublicKey, icacID, fabricID uint64, v Validity) (*Certificate, error) {
	name := Name{{Type: ICACID, ID: icacID}}
	if fabricID != 0 {
		name = append(name, Attribute{Type: FabricID, ID: fabricID})
	}
	d, err := authority(name, subject, v, 0)
	if err != nil {
		return nil, err
	}
	if err := d.signBy(key, c); err != nil {
		return nil, err
	}
	return issued(d, d.checkIntermediate(c, d.NotBefore.Time()))
}

// IssueNode makes a NOC below the root or intermediate c, whose private key is
// key, for the node's own key.
func (c *Certificate) IssueNode(key *ecdsa.PrivateKey, subject *ecdsa.PublicKey, n Node, v Validity) (*Certificate, error) {
	name := Name{{Type: NodeID, ID: n.NodeID}, {Type: FabricID, ID: n.FabricID}}
	for _, cat := range n.CATs {
		name = append(name, Attribute{Type: NOCCAT, ID: uint64(cat)})
	}
	d, err := unsigned(name, subject, v, BasicConstraints{}, DigitalSignature, ExtendedKeyUsage{ClientAuth, ServerAuth})
	if err != nil {
		return nil, err
	}
	if err := d.signBy(key, c); err != nil {
		return nil, err
	}
	_, err = d.checkNode(c, d.NotBefore.Time())
	return issued(d, err)
}

// issued refuses to hand out what [VerifyNode] would not take.
func issued(c *Certificate, err error) (*Certificate, error) {
	if err != nil {
		return nil, fmt.Errorf("cert: can't issue: %w", err)
	}
	return c, nil
}

func authority(subject Name, key *ecdsa.PublicKey, v Validity, pathLen uint8) (*Certificate, error) {
	return unsigned(subject, key, v, BasicConstraints{CA: true, PathLen: pathLen, HasPathLen: true}, KeyCertSign|CRLSign)
}

func pub(key *ecdsa.PrivateKey) *ecdsa.PublicKey {
	if key == nil {
		return nil
	}
	return &key.PublicKey
}

// unsigned is a certificate without issuer and signature.
func unsigned(subject Name, key *ecdsa.PublicKey, v Validity, extensions ...Extension) (*Certificate, error) {
	public, err := publicKeyBytes(key)
	if err != nil {
		return nil, err
	}
	from, to, err := v.times()
	if err != nil {
		return nil, err
	}
	c := &Certificate{Serial: make([]byte, 8), NotBefore: from, NotAfter: to, Subject: subject, PublicKey: public}
	rand.Read(c.Serial)
	c.Serial[0] = c.Serial[0]&0x3F | 0x40 // positive, and as short as it is
	c.Extensions = append(extensions, SubjectKeyID(KeyID(public)))
	return c, nil
}

// signBy makes issuer the issuer of c, which may be c itself.
func (c *Certificate) signBy(key *ecdsa.PrivateKey, issuer *Certificate) error {
	if own, err := publicKeyBytes(pub(key)); err != nil {
		return err
	} else if own != issuer.PublicKey {
		return errors.New("cert: the private key is not that of the issuer's certificate")
	}
	id, ok := find[SubjectKeyID](issuer)
	if !ok {
		return errors.New("cert: the issuer's certificate has no subject key identifier")
	}
	c.Issuer = issuer.Subject
	c.Extensions = append(c.Extensions, AuthorityKeyID(id))
	tbs := c.TBS()
	if tbs == nil {
		return fmt.Errorf("cert: can't issue: %w", c.form())
	}
	sig, err := Sign(key, tbs)
	if err != nil {
		return err
	}
	c.Signature = sig
	return c.complete()
}
