package commission

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/session"
	"threadmap/tlv"
)

// attest asks the node for its make. Only a node that is gone ends it.
func (f *flow) attest(ctx context.Context) error {
	challenge := f.pase.AttestationChallenge()
	e := evidence{nonce: make([]byte, nonceSize), challenge: challenge[:], vendor: f.Vendor, product: f.Product}
	rand.Read(e.nonce)
	err := f.evidence(ctx, &e)
	if err != nil && (ctx.Err() != nil || errors.Is(err, session.ErrDefunct)) {
		return err
	}
	f.Attestation, f.attester = e.attest()
	if err != nil && f.Attestation.Verdict == AttestationMissing {
		f.Attestation.Detail = "it gives none: " + explain(StepAttestation, err, 0).Text
	}
	return nil
}

func (f *flow) evidence(ctx context.Context, e *evidence) error {
	for _, c := range []struct {
		kind uint64
		to   *[]byte
	}{{certificateDAC, &e.dac}, {certificatePAI, &e.pai}} {
		answer, err := invoke(ctx, f.pase, certificateChainRequest, certificateChainResponse, func(e *tlv.Encoder) { e.PutUint(tlv.Context(0), c.kind) })
		if err != nil {
			return err
		}
		if *c.to, err = parseOctets(answer, cert.MaxX509); err != nil {
			return err
		}
	}
	answer, err := invoke(ctx, f.pase, attestationRequest, attestationResponse, func(enc *tlv.Encoder) { enc.PutOctets(tlv.Context(0), e.nonce) })
	if err != nil {
		return err
	}
	e.signed, err = ParseSigned(answer)
	return err
}

// regulatory tells a node that nobody has set up before in which country it may
// be: in any, and where it may be by its own word.
func (f *flow) regulatory(ctx context.Context) error {
	location := f.info.locationCapability
	if location == indoorOutdoor {
		location = f.info.regulatory
	}
	err := commissioning(ctx, f.pase, setRegulatoryConfig, setRegulatoryResponse, func(e *tlv.Encoder) {
		e.PutUint(tlv.Context(0), uint64(location))
		e.PutText(tlv.Context(1), "XX")
		e.PutUint(tlv.Context(2), 0)
	})
	if answered(err) {
		return nil // it goes on as it is
	}
	return err
}

// request asks the node for the key that its certificate is to be of.
func (f *flow) request(ctx context.Context) (*request, error) {
	if err := f.armed(ctx); err != nil {
		return nil, err
	}
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	answer, err := invoke(ctx, f.pase, csrRequest, csrResponse, func(e *tlv.Encoder) { e.PutOctets(tlv.Context(0), nonce) })
	if err != nil {
		return nil, err
	}
	signed, err := ParseSigned(answer)
	if err != nil {
		return nil, err
	}
	n, err := ParseNOCSR(signed.Elements)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(n.Nonce, nonce) {
		return nil, errors.New("its answer is not to our question (nonce)")
	}
	key, err := cert.ParseCSR(n.CSR)
	if err != nil {
		return nil, err
	}
	if challenge := f.pase.AttestationChallenge(); f.attester != nil && !f.attester.signs(signed, challenge[:]) && f.Attestation.Verdict != AttestationBroken {
		f.Attestation.Verdict, f.Attestation.Detail = AttestationBroken, "its certificate request is not signed with the key of its certificate"
	}
	return &request{key}, nil
}

func (f *flow) addRoot(ctx context.Context) error {
	if err := f.armed(ctx); err != nil {
		return err
	}
	return status(ctx, f.pase, addTrustedRootCertificate, func(e *tlv.Encoder) { e.PutOctets(tlv.Context(0), f.Authority.Root().TLV()) })
}

func (f *flow) addNOC(ctx context.Context, r *request) error {
	noc, err := f.Authority.IssueNOC(r.key, f.Result.NodeID)
	if err != nil {
		return err
	}
	answer, err := invoke(ctx, f.pase, addNOC, nocResponse, func(e *tlv.Encoder) {
		e.PutOctets(tlv.Context(0), noc)
		e.PutOctets(tlv.Context(2), f.Authority.EpochKey().Bytes())
		e.PutUint(tlv.Context(3), f.Authority.Member().NodeID)
		e.PutUint(tlv.Context(4), uint64(fabric.VendorID))
	})
	if err != nil {
		return err
	}
	c, err := parseNOC(answer)
	if err == nil {
		err = c.noc()
	}
	f.FabricIndex = c.index
	return err
}
