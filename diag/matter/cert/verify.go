package cert

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The operational node ids (Core 2.5.5.1).
const (
	MinNodeID = 0x0000_0000_0000_0001
	MaxNodeID = 0xFFFF_FFEF_FFFF_FFFF
)

// MaxCATs is how many CASE authenticated tags a NOC has at most.
const MaxCATs = 3

// VerifyNode checks the certificates with which a node claims to be one of the
// fabric of root: its NOC, and the ICAC between that and the root, or nil
// (Core 6.5). Every rule is applied, signatures and validity
// at the time at included; a certificate without an end is valid for ever.
//
// That root is one to trust is the caller's knowledge; that the peer has the
// private key, and is of the fabric and has the node id that were expected,
// is the caller's to check.
func VerifyNode(root *Certificate, noc, icac []byte, at time.Time) (Peer, error) {
	if err := VerifyRoot(root, at); err != nil {
		return Peer{}, err
	}
	node, err := Parse(noc)
	if err != nil {
		return Peer{}, fmt.Errorf("node certificate: %w", err)
	}
	issuer := root
	if len(icac) > 0 {
		if issuer, err = Parse(icac); err != nil {
			return Peer{}, fmt.Errorf("intermediate certificate: %w", err)
		}
		if err := issuer.checkIntermediate(root, at); err != nil {
			return Peer{}, fmt.Errorf("cert: intermediate certificate: %w", err)
		}
	}
	p, err := node.checkNode(issuer, at)
	if err != nil {
		return Peer{}, fmt.Errorf("cert: node certificate: %w", err)
	}
	// A fabric id above is optional, but not another one (Core 6.5.6).
	for _, ca := range []*Certificate{root, issuer} {
		if ids := ca.Subject.IDs(FabricID); len(ids) == 1 && ids[0] != p.FabricID {
			return Peer{}, fmt.Errorf("cert: node certificate: fabric %016X, below an authority of fabric %016X", p.FabricID, ids[0])
		}
	}
	return p, nil
}

// VerifyRoot checks that a certificate is a proper root: what it says of
// itself, and its signature by itself. Whether to trust it is another
// question.
func VerifyRoot(root *Certificate, at time.Time) error {
	if root == nil {
		return errors.New("cert: no root certificate")
	}
	if err := root.complete(); err != nil {
		return fmt.Errorf("root certificate: %w", err)
	}
	if err := root.checkRoot(at); err != nil {
		return fmt.Errorf("cert: root certificate: %w", err)
	}
	return nil
}

func (c *Certificate) checkRoot(at time.Time) error {
	if err := c.checkSubject(RCACID); err != nil {
		return err
	}
	if err := c.checkAuthority(maxPathLen); err != nil {
		return err
	}
	if !c.Issuer.Equal(c.Subject) {
		return errors.New("issued by another than itself")
	}
	return c.checkIssued(c, at)
}

func (c *Certificate) checkIntermediate(root *Certificate, at time.Time) error {
	if err := c.checkSubject(ICACID); err != nil {
		return err
	}
	if err := c.checkAuthority(0); err != nil {
		return err
	}
	if b, _ := find[BasicConstraints](root); b.HasPathLen && b.PathLen == 0 {
		return errors.New("the root allows none (its path length is 0)")
	}
	return c.checkIssued(root, at)
}

func (c *Certificate) checkNode(issuer *Certificate, at time.Time) (Peer, error) {
	if err := c.checkSubject(NodeID); err != nil {
		return Peer{}, err
	}
	b, ok := find[BasicConstraints](c)
	if !ok || b.CA {
		return Peer{}, errors.New("basic constraints must be there, and say that it is no authority")
	}
	if k, _ := find[KeyUsage](c); k != DigitalSignature {
		return Peer{}, fmt.Errorf("key usage 0x%04x, not digitalSignature", uint16(k))
	}
	if e, _ := find[ExtendedKeyUsage](c); len(e) != 2 || !slices.Contains(e, ClientAuth) || !slices.Contains(e, ServerAuth) {
		return Peer{}, errors.New("extended key usage must be clientAuth and serverAuth")
	}
	if err := c.checkIssued(issuer, at); err != nil {
		return Peer{}, err
	}
	p := Peer{
		FabricID:  c.Subject.IDs(FabricID)[0],
		NodeID:    c.Subject.IDs(NodeID)[0],
		PublicKey: c.Key(),
	}
	for _, cat := range c.Subject.IDs(NOCCAT) {
		p.CATs = append(p.CATs, uint32(cat))
	}
	return p, nil
}

// checkSubject checks Matter's attributes in the subject of a certificate that
// is what the type kind says: exactly one of that, and none of what belongs to
// others (Core 6.5.6).
func (c *Certificate) checkSubject(kind AttributeType) error {
	for _, t := range []AttributeType{NodeID, FirmwareSigningID, ICACID, RCACID, VVSID} {
		n := len(c.Subject.IDs(t))
		if t == kind && n != 1 {
			return fmt.Errorf("subject: %d times %s, not once", n, t)
		}
		if t != kind && n > 0 {
			return fmt.Errorf("subject: %s does not belong there", t)
		}
	}
	fabrics, cats := c.Subject.IDs(FabricID), c.Subject.IDs(NOCCAT)
	if len(fabrics) > 1 || len(fabrics) == 0 && kind == NodeID {
		return fmt.Errorf("subject: %d times %s, not once", len(fabrics), FabricID)
	}
	if slices.Contains(fabrics, 0) {
		return errors.New("subject: fabric 0, which is none")
	}
	if kind != NodeID {
		if len(cats) > 0 {
			return fmt.Errorf("subject: %s does not belong there", NOCCAT)
		}
		return nil
	}
	if id := c.Subject.IDs(NodeID)[0]; id < MinNodeID || id > MaxNodeID {
		return fmt.Errorf("subject: %016X is not an operational node id", id)
	}
	return checkCATs(cats)
}

// checkCATs: at most three, none with version 0, no two of one identifier
// (Core 6.5.6).
func checkCATs(cats []uint64) error {
	if len(cats) > MaxCATs {
		return fmt.Errorf("subject: %d CASE authenticated tags, and %d is the most", len(cats), MaxCATs)
	}
	for i, cat := range cats {
		if cat&0xFFFF == 0 {
			return fmt.Errorf("subject: CASE authenticated tag %08X has version 0", cat)
		}
		for _, other := range cats[:i] {
			if cat>>16 == other>>16 {
				return fmt.Errorf("subject: CASE authenticated tags %08X and %08X are of one identifier", other, cat)
			}
		}
	}
	return nil
}

// checkAuthority checks what RCAC and ICAC have in common (Core 6.5.11).
func (c *Certificate) checkAuthority(pathLen uint8) error {
	b, ok := find[BasicConstraints](c)
	if !ok || !b.CA {
		return errors.New("basic constraints must be there, and say that it is an authority")
	}
	if b.HasPathLen && b.PathLen > pathLen {
		return fmt.Errorf("path length %d, and %d is the most", b.PathLen, pathLen)
	}
	if k, _ := find[KeyUsage](c); k&^DigitalSignature != KeyCertSign|CRLSign {
		return fmt.Errorf("key usage 0x%04x, not keyCertSign and cRLSign", uint16(k))
	}
	if _, ok := find[ExtendedKeyUsage](c); ok {
		return errors.New("an authority must have no extended key usage")
	}
	return nil
}

// checkIssued checks that c was issued by issuer, with everything that links
// the two, and is valid at a time.
func (c *Certificate) checkIssued(issuer *Certificate, at time.Time) error {
	for _, x := range c.Extensions {
		if f, ok := x.(FutureExtension); ok && f.critical() {
			return errors.New("a critical extension that is not known here")
		}
	}
	if !c.Issuer.Equal(issuer.Subject) {
		return errors.New("issued by another than the certificate above")
	}
	_, ok := find[SubjectKeyID](c)
	if !ok {
		return errors.New("no subject key identifier")
	}
	authority, ok := find[AuthorityKeyID](c)
	if !ok {
		return errors.New("no authority key identifier")
	}
	if above, ok := find[SubjectKeyID](issuer); !ok || [KeyIDSize]byte(above) != [KeyIDSize]byte(authority) {
		return errors.New("issued with another key than that of the certificate above (key identifiers differ)")
	}
	if err := c.checkValidity(at); err != nil {
		return err
	}
	if !Verify(issuer.Key(), c.TBS(), c.Signature[:]) {
		return errors.New("the signature is wrong")
	}
	return nil
}

func (c *Certificate) checkValidity(at time.Time) error {
	const form = time.RFC3339
	if from := c.NotBefore.Time(); at.Before(from) {
		return fmt.Errorf("valid from %s, and it is %s: check the clock", from.Format(form), at.UTC().Format(form))
	}
	if c.NotAfter == NoExpiry {
		return nil
	}
	// The last second is part of it.
	if to := c.NotAfter.Time(); !at.Before(to.Add(time.Second)) {
		return fmt.Errorf("expired at %s, and it is %s: check the clock", to.Format(form), at.UTC().Format(form))
	}
	return nil
}

// find returns the extension of type T.
func find[T Extension](c *Certificate) (T, bool) {
	for _, x := range c.Extensions {
		if t, ok := x.(T); ok {
			return t, true
		}
	}
	var none T
	return none, false
}
