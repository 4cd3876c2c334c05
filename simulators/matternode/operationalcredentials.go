package matternode

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// NodeOperationalCertStatusEnum.
const (
	nocOK                  = 0
	nocInvalidPublicKey    = 1
	nocInvalidNOC          = 3
	nocMissingCsr          = 4
	nocTableFull           = 5
	nocInvalidAdminSubject = 6
	nocFabricConflict      = 9
	nocLabelConflict       = 10
	nocInvalidFabricIndex  = 11
)

const (
	nonceSize = 32
	maxLabel  = 32 // octets of a fabric's label
)

var operationalCredentialsServer = server{id: operationalCredentials, revision: revision(2), attributes: func(n *Node, a *asker, t *table) {
	owners := n.owners()
	t.list(0, adminOnly|changesOmitted, func(e *tlv.Encoder) {
		for _, f := range owners {
			if !a.sees(f.index) {
				continue
			}
			entry(e, func() {
				if f.index == a.fabric { // certificates are for their own fabric only
					putOctets(e, 1, f.Member.NOC)
					if f.Member.ICAC == nil {
						putNull(e, 2)
					} else {
						putOctets(e, 2, f.Member.ICAC)
					}
				}
				putUint(e, 254, uint64(f.index))
			})
		}
	})
	t.list(1, changes, func(e *tlv.Encoder) {
		for _, f := range owners {
			if !a.sees(f.index) {
				continue
			}
			entry(e, func() {
				putOctets(e, 1, f.Member.Root.PublicKey[:])
				putUint(e, 2, uint64(f.VendorID))
				putUint(e, 3, f.Member.FabricID)
				putUint(e, 4, f.Member.NodeID)
				putText(e, 5, f.Label)
				putUint(e, 254, uint64(f.index))
			})
		}
	})
	t.uint(2, fixed, MaxFabrics)
	t.uint(3, changes, uint64(len(owners)))
	t.list(4, changesOmitted, func(e *tlv.Encoder) {
		for _, f := range owners {
			e.PutOctets(tlv.Anonymous, f.Member.Root.TLV())
		}
		if r := n.failSafe.root; r != nil && n.failSafe.added == 0 {
			e.PutOctets(tlv.Anonymous, r.TLV())
		}
	})
	t.uint(5, changes, uint64(a.fabric))
}, commands: []command{
	{id: 0x00, response: 0x01, privilege: administer, run: (*Node).attestationRequest},
	{id: 0x02, response: 0x03, privilege: administer, run: (*Node).certificateChainRequest},
	{id: 0x04, response: 0x05, privilege: administer, run: (*Node).csrRequest},
	{id: 0x06, response: 0x08, privilege: administer, run: (*Node).addNOC},
	{id: 0x09, response: 0x08, privilege: administer, run: (*Node).updateFabricLabel},
	{id: 0x0A, response: 0x08, privilege: administer, run: (*Node).removeFabric},
	{id: 0x0B, response: noResponse, privilege: administer, run: (*Node).addTrustedRootCertificate},
}}

// nocResponse is NOCResponse; an index of 0 is left out.
func nocResponse(code uint64, index uint8) answer {
	return answer{fields: func(e *tlv.Encoder) {
		putUint(e, 0, code)
		if index != 0 {
			putUint(e, 1, uint64(index))
		}
	}}
}

// nonce reads the one field of two requests.
func nonce(fields []byte) (b []byte, ok bool) {
	err := fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		if tag == 0 {
			b = d.Octets()
		}
	}, 0)
	return b, err == nil && len(b) == nonceSize
}

// csrRequest makes a new key and the request for its certificate.
func (n *Node) csrRequest(a *asker, fields []byte) answer {
	asked, ok := nonce(fields)
	f := &n.failSafe
	switch {
	case !ok:
		return statusOf(im.InvalidCommand)
	case !f.mine(a.party):
		return statusOf(im.FailsafeRequired)
	case f.added != 0:
		return statusOf(im.ConstraintError)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return statusOf(im.Failure)
	}
	csr, err := cert.NewCSR(key)
	if err != nil {
		return statusOf(im.Failure)
	}
	out, err := n.attested(a, func(e *tlv.Encoder) {
		putOctets(e, 1, csr)
		putOctets(e, 2, asked)
	})
	if err != nil {
		return statusOf(im.Failure)
	}
	f.csrKey = key
	return out
}

func (n *Node) addTrustedRootCertificate(a *asker, fields []byte) answer {
	var b []byte
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		if tag == 0 {
			b = d.Octets()
		}
	}, 0) != nil {
		return statusOf(im.InvalidCommand)
	}
	f := &n.failSafe
	switch {
	case !f.mine(a.party):
		return statusOf(im.FailsafeRequired)
	case f.root != nil || f.added != 0:
		return statusOf(im.ConstraintError)
	}
	root, err := cert.Parse(b)
	if err != nil || cert.VerifyRoot(root, n.o.Time()) != nil {
		return statusOf(im.InvalidCommand)
	}
	f.root = root
	n.changed(pathOf(0, operationalCredentials, 4))
	return answer{}
}

func (n *Node) addNOC(a *asker, fields []byte) answer {
	var noc, icac, ipk []byte
	var subject uint64
	var vendor uint16
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		switch tag {
		case 0:
			noc = bytes.Clone(d.Octets())
		case 1:
			icac = bytes.Clone(d.Octets())
		case 2:
			ipk = d.Octets()
		case 3:
			subject = d.Uint()
		case 4:
			vendor = d.Uint16()
		}
	}, 0, 2, 3, 4) != nil {
		return statusOf(im.InvalidCommand)
	}
	f := &n.failSafe
	epoch, err := fabric.NewKey(ipk)
	switch {
	case err != nil, vendor == 0, vendor > 0xFFF4:
		return statusOf(im.InvalidCommand)
	case !f.mine(a.party):
		return statusOf(im.FailsafeRequired)
	case f.added != 0:
		return statusOf(im.ConstraintError)
	case f.csrKey == nil:
		return nocResponse(nocMissingCsr, 0)
	case f.root == nil:
		return nocResponse(nocInvalidNOC, 0)
	case !validSubject(subject):
		return nocResponse(nocInvalidAdminSubject, 0)
	}
	member, code := n.newMember(noc, icac, epoch)
	if code != nocOK {
		return nocResponse(code, 0)
	}
	for _, o := range n.fabrics {
		if o.Member.Root.PublicKey == member.Root.PublicKey && o.Member.FabricID == member.FabricID {
			return nocResponse(nocFabricConflict, 0)
		}
	}
	index, ok := n.join(Fabric{Member: member, Admins: []uint64{subject}, VendorID: vendor})
	if !ok {
		return nocResponse(nocTableFull, 0)
	}
	f.added, f.fabric, f.csrKey = index, index, nil
	if a.PASE() {
		a.party.fabric = index
	}
	return nocResponse(nocOK, index)
}

// newMember is what the node is with certificates for its pending key.
func (n *Node) newMember(noc, icac []byte, epoch fabric.Key) (*fabric.Member, uint64) {
	f := &n.failSafe
	peer, err := cert.VerifyNode(f.root, noc, icac, n.o.Time())
	if err != nil {
		return nil, nocInvalidNOC
	}
	if !peer.PublicKey.Equal(&f.csrKey.PublicKey) {
		return nil, nocInvalidPublicKey
	}
	m, err := fabric.NewMember(fabric.Credentials{
		Root: f.root, NOC: noc, ICAC: icac, PrivateKey: f.csrKey,
		IPK: fabric.OperationalIPK(epoch, fabric.CompressedID(f.root.PublicKey, peer.FabricID)),
	}, n.o.Time())
	if err != nil {
		return nil, nocInvalidNOC
	}
	return m, nocOK
}

func (n *Node) updateFabricLabel(a *asker, fields []byte) answer {
	var label string
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		if tag == 0 {
			label = string(d.Text())
		}
	}, 0) != nil {
		return statusOf(im.InvalidCommand)
	}
	own := n.fabrics[a.fabric]
	switch {
	case own == nil:
		return statusOf(im.UnsupportedAccess)
	case len(label) > maxLabel:
		return statusOf(im.ConstraintError)
	}
	for _, o := range n.fabrics {
		if o != own && label != "" && o.Label == label {
			return nocResponse(nocLabelConflict, a.fabric)
		}
	}
	own.Label = label
	n.changed(pathOf(0, operationalCredentials, 1))
	return nocResponse(nocOK, a.fabric)
}

// removeFabric takes the node off a fabric. Sessions of it end when the answer
// has been sent.
func (n *Node) removeFabric(_ *asker, fields []byte) answer {
	var index uint8
	if fieldsOf(fields, func(tag uint8, d *tlv.Decoder) {
		if tag == 0 {
			index = d.Uint8()
		}
	}, 0) != nil || index == 0 {
		return statusOf(im.InvalidCommand)
	}
	if n.fabrics[index] == nil {
		return nocResponse(nocInvalidFabricIndex, 0)
	}
	out := nocResponse(nocOK, index)
	out.after = func(n *Node) {
		n.leave(index)
		if len(n.fabrics) == 0 && !n.window.isOpen() {
			_ = n.openFactoryWindow() // it did so when it was made
		}
	}
	return out
}
