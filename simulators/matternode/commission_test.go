package matternode

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/setup"
	"threadmap/tlv"
)

// paired is a session by passcode.
func (g *stage) paired(code setup.Payload) (*session.Secure, error) {
	ctx, cancel := context.WithTimeout(g.t.Context(), 5*time.Minute)
	defer cancel()
	return session.PASE(ctx, g.ep, session.PASEConfig{Passcode: code.Passcode.Number(), Addresses: []netip.AddrPort{nodeAddr}})
}

func (g *stage) mustPASE(code setup.Payload) *session.Secure {
	g.t.Helper()
	s, err := g.paired(code)
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

func arming(seconds uint16) []byte {
	return fields(func(e *tlv.Encoder) {
		putUint(e, 0, uint64(seconds))
		putUint(e, 1, 7)
	})
}

var aNonce = make([]byte, nonceSize)

func asking() []byte { return fields(func(e *tlv.Encoder) { putOctets(e, 0, aNonce) }) }

// request asks for a certificate request and checks it.
func (g *stage) request(s *session.Secure, signer *ecdsa.PublicKey) *ecdsa.PublicKey {
	g.t.Helper()
	a := g.answered(s, operationalCredentials, 4, asking())
	elements, _ := a.Field(0).Octets()
	signature, _ := a.Field(1).Octets()
	challenge := s.AttestationChallenge()
	if signer != nil && !cert.Verify(signer, append(elements[:len(elements):len(elements)], challenge[:]...), signature) {
		g.t.Error("the request is not signed by the device")
	}
	var csr, nonce []byte
	if err := fieldsOf(elements, func(tag uint8, d *tlv.Decoder) {
		switch tag {
		case 1:
			csr = d.Octets()
		case 2:
			nonce = d.Octets()
		}
	}, 1, 2); err != nil || string(nonce) != string(aNonce) {
		g.t.Fatal(err)
	}
	public, err := cert.ParseCSR(csr)
	if err != nil {
		g.t.Fatal(err)
	}
	return public
}

func (g *stage) addRoot(s *session.Secure, ca *fabric.Authority) error {
	_, err := g.invoke(s, operationalCredentials, 0x0B, fields(func(e *tlv.Encoder) { putOctets(e, 0, ca.Root().TLV()) }))
	return err
}

func adding(noc []byte, ca *fabric.Authority, subject uint64, vendor uint16) []byte {
	return fields(func(e *tlv.Encoder) {
		putOctets(e, 0, noc)
		putOctets(e, 2, ca.EpochKey().Bytes())
		putUint(e, 3, subject)
		putUint(e, 4, uint64(vendor))
	})
}

// commission brings the node at nodeAddr onto a fabric.
func (g *stage) commission(s *session.Secure, ca *fabric.Authority, id uint64, signer *ecdsa.PublicKey) {
	g.t.Helper()
	if code := g.code(s, generalCommissioning, 0, arming(60)); code != commissioningOK {
		g.t.Fatalf("ArmFailSafe: %d", code)
	}
	public := g.request(s, signer)
	noc, err := ca.IssueNOC(public, id)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.addRoot(s, ca); err != nil {
		g.t.Fatal(err)
	}
	if code := g.code(s, operationalCredentials, 6, adding(noc, ca, ca.Member().NodeID, fabric.VendorID)); code != nocOK {
		g.t.Fatalf("AddNOC: %d", code)
	}
}

// The whole way from a device out of its box to one of our fabric, and back.
func TestCommissioning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		changed := make(chan bool, 20)
		n := g.node(nodeAddr, aPlug(), Options{Changed: func() { changed <- true }})
		services := n.Services(Place{Port: 5540})
		if len(services) != 1 || services[0].Kind != "_matterc._udp" {
			t.Fatalf("%+v", services)
		}
		// The codes on its label lead to it.
		qr, err := setup.QRCode(n.Setup())
		if err != nil {
			t.Fatal(err)
		}
		code, err := setup.Parse(qr)
		if err != nil || !code[0].Passcode.Equal(n.Setup().Passcode) {
			t.Fatal(err)
		}
		s := g.mustPASE(code[0])
		if got := g.number(s, pathOf(0, operationalCredentials, 5)); got != 0 {
			t.Errorf("fabric index %d over PASE", got)
		}
		if got := g.number(s, pathOf(0, administratorCommissioning, 0)); got != 2 {
			t.Errorf("window status %d", got)
		}
		signer := attestationKey(t, g, s)
		if got := g.code(s, generalCommissioning, 2, fields(func(e *tlv.Encoder) {
			putUint(e, 0, 2)
			putText(e, 1, "XX")
			putUint(e, 2, 1)
		})); got != commissioningOK {
			t.Errorf("SetRegulatoryConfig: %d", got)
		}
		g.commission(s, g.ca, nodeID, signer)
		if got := g.number(s, pathOf(0, operationalCredentials, 5)); got != 1 {
			t.Errorf("fabric index %d after AddNOC", got)
		}
		if got := g.number(s, pathOf(0, generalCommissioning, 0)); got != 7 {
			t.Errorf("breadcrumb %d", got)
		}
		if got := g.code(s, generalCommissioning, 4, nil); got != invalidAuthentication {
			t.Errorf("CommissioningComplete over PASE: %d", got)
		}
		op := g.mustCASE()
		if got := g.code(op, generalCommissioning, 4, nil); got != commissioningOK {
			t.Fatalf("CommissioningComplete: %d", got)
		}
		if got := g.code(op, generalCommissioning, 4, nil); got != noFailSafe {
			t.Errorf("CommissioningComplete again: %d", got)
		}
		if got := g.number(op, pathOf(0, generalCommissioning, 0)); got != 0 {
			t.Errorf("breadcrumb %d", got)
		}
		services = n.Services(Place{Port: 5540})
		if len(services) != 1 || services[0].Kind != "_matter._tcp" || services[0].Instance != g.ca.Member().InstanceName(nodeID) {
			t.Errorf("%+v", services)
		}
		if len(changed) < 2 {
			t.Errorf("told of %d changes", len(changed))
		}
		if _, err := g.paired(n.Setup()); err == nil {
			t.Error("paired, though the window is closed")
		}
		fabrics := n.Fabrics()
		if len(fabrics) != 1 || fabrics[0].VendorID != fabric.VendorID {
			t.Errorf("%+v", fabrics)
		}
		if got := g.code(op, operationalCredentials, 0x0A, fields(func(e *tlv.Encoder) { putUint(e, 0, 9) })); got != nocInvalidFabricIndex {
			t.Errorf("RemoveFabric of another: %d", got)
		}
		if got := g.code(op, operationalCredentials, 0x0A, fields(func(e *tlv.Encoder) { putUint(e, 0, 1) })); got != nocOK {
			t.Errorf("RemoveFabric: %d", got)
		}
		synctest.Wait()
		if _, err := g.tryRead(op, im.ReadRequest{Attributes: []im.AttributePath{im.One(0, descriptor, 0)}}); !errors.Is(err, session.ErrDefunct) {
			t.Errorf("the session after RemoveFabric: %v", err)
		}
		if len(n.Fabrics()) != 0 || n.Sessions() != 0 {
			t.Errorf("%d sessions", n.Sessions())
		}
		if _, open := n.Window(); !open {
			t.Error("nobody's device does not wait to be paired")
		}
	})
}

// attestationKey checks who made the device, as far as that can be.
func attestationKey(t *testing.T, g *stage, s *session.Secure) *ecdsa.PublicKey {
	t.Helper()
	chain := func(kind uint64) *x509.Certificate {
		b, _ := g.answered(s, operationalCredentials, 2, fields(func(e *tlv.Encoder) { putUint(e, 0, kind) })).Field(0).Octets()
		c, err := x509.ParseCertificate(b)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 600 {
			t.Errorf("a certificate of %d octets", len(b))
		}
		return c
	}
	dac, pai := chain(dacCertificate), chain(paiCertificate)
	if err := dac.CheckSignatureFrom(pai); err != nil {
		t.Error(err)
	}
	found := 0
	for _, a := range dac.Subject.Names {
		if a.Type.Equal(vendorIDAttribute) && a.Value == "FFF1" || a.Type.Equal(productIDAttribute) && a.Value == "8000" {
			found++
		}
	}
	if found != 2 {
		t.Errorf("subject %v", dac.Subject)
	}
	public := dac.PublicKey.(*ecdsa.PublicKey)
	a := g.answered(s, operationalCredentials, 0, asking())
	elements, _ := a.Field(0).Octets()
	signature, _ := a.Field(1).Octets()
	challenge := s.AttestationChallenge()
	if !cert.Verify(public, append(elements[:len(elements):len(elements)], challenge[:]...), signature) {
		t.Error("the attestation is not the device's")
	}
	return public
}

// The order of the commands is what holds a device together.
func TestCommandsOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.node(nodeAddr, aPlug(), Options{})
		s := g.mustPASE(n.Setup())
		status := func(err error) im.Status {
			var e *im.StatusError
			if !errors.As(err, &e) {
				return im.Success
			}
			return e.Result.Status
		}
		try := func(cluster, id uint32, b []byte) im.Status {
			_, err := g.invoke(s, cluster, id, b)
			return status(err)
		}
		noc := func(ca *fabric.Authority, k *ecdsa.PublicKey) []byte {
			b, err := ca.IssueNOC(k, nodeID)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		admin := g.ca.Member().NodeID
		// ArmFailSafe(0) takes the session by passcode with it.
		if got := g.code(s, generalCommissioning, 0, arming(0)); got != commissioningOK {
			t.Errorf("disarming: %d", got)
		}
		synctest.Wait()
		if err := s.Session.Err(); err == nil {
			t.Error("the session outlived the fail-safe")
		}
		s = g.mustPASE(n.Setup())
		other, err := fabric.New(fabric.Config{})
		if err != nil {
			t.Fatal(err)
		}
		anyNOC := adding(other.Member().NOC, other, admin, fabric.VendorID)
		if got := g.code(s, operationalCredentials, 6, anyNOC); got != nocMissingCsr {
			t.Errorf("AddNOC without CSRRequest: %d", got)
		}
		public := g.request(s, nil)
		if got := g.code(s, operationalCredentials, 6, anyNOC); got != nocInvalidNOC {
			t.Errorf("AddNOC without a root: %d", got)
		}
		for name, c := range map[string]struct {
			b    []byte
			want im.Status
		}{
			"no root at all":    {fields(func(e *tlv.Encoder) { putOctets(e, 0, []byte{0x15, 0x18}) }), im.InvalidCommand},
			"no field":          {nil, im.InvalidCommand},
			"a NOC as the root": {fields(func(e *tlv.Encoder) { putOctets(e, 0, other.Member().NOC) }), im.InvalidCommand},
		} {
			if got := try(operationalCredentials, 0x0B, c.b); got != c.want {
				t.Errorf("AddTrustedRootCertificate, %s: %v", name, got)
			}
		}
		if err := g.addRoot(s, g.ca); err != nil {
			t.Fatal(err)
		}
		if got := status(g.addRoot(s, g.ca)); got != im.ConstraintError {
			t.Errorf("AddTrustedRootCertificate again: %v", got)
		}
		right := noc(g.ca, public)
		for name, c := range map[string]struct {
			b    []byte
			want uint64
		}{
			"of another root": {adding(noc(other, public), g.ca, admin, fabric.VendorID), nocInvalidNOC},
			"of another key":  {adding(g.ca.Member().NOC, g.ca, admin, fabric.VendorID), nocInvalidPublicKey},
			"for nobody":      {adding(right, g.ca, 0, fabric.VendorID), nocInvalidAdminSubject},
		} {
			if got := g.code(s, operationalCredentials, 6, c.b); got != c.want {
				t.Errorf("AddNOC %s: %d", name, got)
			}
		}
		if got := try(operationalCredentials, 6, adding(right, g.ca, admin, 0)); got != im.InvalidCommand {
			t.Errorf("AddNOC of no vendor: %v", got)
		}
		if got := try(operationalCredentials, 9, fields(func(e *tlv.Encoder) { putText(e, 0, "x") })); got != im.UnsupportedAccess {
			t.Errorf("UpdateFabricLabel before AddNOC: %v", got)
		}
		if got := try(operationalCredentials, 4, fields(func(e *tlv.Encoder) { putOctets(e, 0, aNonce[1:]) })); got != im.InvalidCommand {
			t.Errorf("CSRRequest with a short nonce: %v", got)
		}
		if got := try(generalCommissioning, 2, fields(func(e *tlv.Encoder) {
			putUint(e, 0, 1)
			putText(e, 1, "XXX")
			putUint(e, 2, 0)
		})); got != im.ConstraintError {
			t.Errorf("SetRegulatoryConfig of no country: %v", got)
		}
		if got := g.code(s, generalCommissioning, 2, fields(func(e *tlv.Encoder) {
			putUint(e, 0, 3)
			putText(e, 1, "DE")
			putUint(e, 2, 0)
		})); got != valueOutsideRange {
			t.Errorf("SetRegulatoryConfig of nowhere: %d", got)
		}
		if got := g.code(s, operationalCredentials, 6, adding(right, g.ca, admin, fabric.VendorID)); got != nocOK {
			t.Fatalf("AddNOC: %d", got)
		}
		if got := try(operationalCredentials, 6, adding(right, g.ca, admin, fabric.VendorID)); got != im.ConstraintError {
			t.Errorf("AddNOC again: %v", got)
		}
		if got := try(operationalCredentials, 4, asking()); got != im.ConstraintError {
			t.Errorf("CSRRequest after AddNOC: %v", got)
		}
		if got := g.code(s, operationalCredentials, 9, fields(func(e *tlv.Encoder) { putText(e, 0, "mine") })); got != nocOK {
			t.Errorf("UpdateFabricLabel: %d", got)
		}
		for _, c := range []im.CommandPath{{Endpoint: 9, Cluster: 48}, {Cluster: 0x9999}, {Cluster: 48, Command: 77}} {
			_, err := client.Invoke(t.Context(), s, c, nil)
			if got := status(err); got != im.UnsupportedEndpoint && got != im.UnsupportedCluster && got != im.UnsupportedCommand {
				t.Errorf("%v: %v", c, err)
			}
		}
	})
}

// What a commissioner began and nobody finished is undone.
func TestFailSafe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.node(nodeAddr, aPlug(), Options{})
		s := g.mustPASE(n.Setup())
		g.commission(s, g.ca, nodeID, nil)
		op := g.mustCASE()
		if len(n.Fabrics()) != 1 {
			t.Fatal("not on the fabric")
		}
		pass(30 * time.Second)
		// It can be prolonged, over the new session too.
		if code := g.code(op, generalCommissioning, 0, arming(60)); code != commissioningOK {
			t.Fatal(code)
		}
		pass(45 * time.Second)
		if len(n.Fabrics()) != 1 {
			t.Fatal("rolled back too early")
		}
		pass(20 * time.Second)
		synctest.Wait()
		if len(n.Fabrics()) != 0 || n.Sessions() != 0 {
			t.Errorf("after the fail-safe: %d fabrics, %d sessions", len(n.Fabrics()), n.Sessions())
		}
		if op.Session.Err() == nil || s.Session.Err() == nil {
			t.Error("sessions outlived the fail-safe")
		}
		// A commissioner that was stopped begins again.
		s = g.mustPASE(n.Setup())
		g.commission(s, g.ca, nodeID, nil)
		s = g.mustPASE(n.Setup())
		synctest.Wait() // the node takes the session in after its answer
		if len(n.Fabrics()) != 0 {
			t.Error("what the first one did is still there")
		}
		// No further than MaxCumulativeFailsafeSeconds.
		for range 5 {
			g.code(s, generalCommissioning, 0, arming(800))
			pass(170 * time.Second)
		}
		g.code(s, generalCommissioning, 0, arming(800))
		pass(60 * time.Second)
		synctest.Wait()
		if s.Session.Err() == nil {
			t.Error("the fail-safe does not end")
		}
	})
}
