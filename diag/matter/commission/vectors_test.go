package commission

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// A transcript is one real commissioning: see the comment in the file.
type transcript map[string]json.RawMessage

func readTranscript(t testing.TB) transcript {
	t.Helper()
	b, err := os.ReadFile("testdata/commissioning.json")
	if err != nil {
		t.Fatal(err)
	}
	var out transcript
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pair is a command and its answer.
func (x transcript) pair(t testing.TB, name string) (im.Command, im.CommandResponse) {
	t.Helper()
	var p struct{ Request, Response string }
	if err := json.Unmarshal(x[name], &p); err != nil {
		t.Fatal(err)
	}
	q, err := im.ParseInvokeRequest(unhex(t, p.Request))
	if err != nil {
		t.Fatal(err)
	}
	r, err := im.ParseInvokeResponse(unhex(t, p.Response))
	if err != nil {
		t.Fatal(err)
	}
	return q.Commands[0], r.Responses[0]
}

func (x transcript) challenge(t testing.TB) []byte {
	t.Helper()
	var s string
	if err := json.Unmarshal(x["attestation_challenge"], &s); err != nil {
		t.Fatal(err)
	}
	return unhex(t, s)
}

func octetsOf(t testing.TB, structure []byte, tag uint8) (b []byte) {
	t.Helper()
	if err := each(structure, func(n uint8, d *tlv.Decoder) {
		if n == tag {
			b = d.Octets()
		}
	}); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}

// evidence is what the node of the transcript gave.
func (x transcript) evidence(t testing.TB) evidence {
	_, dac := x.pair(t, "certificate_chain_dac")
	_, pai := x.pair(t, "certificate_chain_pai")
	q, r := x.pair(t, "attestation")
	signed, err := ParseSigned(r.Fields)
	if err != nil {
		t.Fatal(err)
	}
	return evidence{
		dac: octetsOf(t, dac.Fields, 0), pai: octetsOf(t, pai.Fields, 0), signed: Signed{bytes.Clone(signed.Elements), bytes.Clone(signed.Signature)},
		nonce: octetsOf(t, q.Fields, 0), challenge: x.challenge(t), vendor: 0xFFF1, product: 0x8001,
	}
}

func TestRecordedAttestation(t *testing.T) {
	x := readTranscript(t)
	good := x.evidence(t)
	a, who := good.attest()
	if a.Verdict != AttestationTest || who == nil || a.Vendor != 0xFFF1 || a.Product != 0x8001 || !strings.HasPrefix(a.Authority, "Matter Test PAA") || a.Certificate == "" {
		t.Errorf("%+v", a)
	}
	q, r := x.pair(t, "csr")
	signed, err := ParseSigned(r.Fields)
	if err != nil {
		t.Fatal(err)
	}
	n, err := ParseNOCSR(signed.Elements)
	if err != nil || !bytes.Equal(n.Nonce, octetsOf(t, q.Fields, 0)) {
		t.Fatalf("%x, %v", n.Nonce, err)
	}
	if _, err := cert.ParseCSR(n.CSR); err != nil {
		t.Error(err)
	}
	if !who.signs(signed, good.challenge) || who.signs(signed, good.nonce[:16]) {
		t.Error("the signature of the request")
	}
	for what, change := range map[string]func(*evidence){
		"another nonce":          func(e *evidence) { e.nonce = bytes.Repeat([]byte{1}, 32) },
		"another session":        func(e *evidence) { e.challenge = make([]byte, 16) },
		"another vendor":         func(e *evidence) { e.vendor = 0x1349 },
		"another product":        func(e *evidence) { e.product = 1 },
		"other elements":         func(e *evidence) { e.signed.Elements[20] ^= 1 },
		"another signature":      func(e *evidence) { e.signed.Signature[5] ^= 1 },
		"elements of nothing":    func(e *evidence) { e.signed.Elements = []byte{0x15, 0x18} },
		"a PAI that issues none": func(e *evidence) { e.pai = e.dac },
	} {
		e := x.evidence(t)
		change(&e)
		if a, _ := e.attest(); a.Verdict != AttestationBroken || a.Detail == "" {
			t.Errorf("%s: %+v", what, a)
		}
	}
	for what, change := range map[string]func(*evidence){
		"no DAC": func(e *evidence) { e.dac = nil }, "no PAI": func(e *evidence) { e.pai = nil }, "a DAC cut off": func(e *evidence) { e.dac = e.dac[:100] },
		"a long DAC": func(e *evidence) { e.dac = make([]byte, 601) },
	} {
		e := x.evidence(t)
		change(&e)
		if a, _ := e.attest(); a.Verdict != AttestationMissing || a.Detail == "" {
			t.Errorf("%s: %+v", what, a)
		}
	}
}

// TestRecordedCommands: what the flow sends has the form of what another
// controller sent, and the answers that it got are understood.
func TestRecordedCommands(t *testing.T) {
	x := readTranscript(t)
	for name, want := range map[string]struct {
		command, answer im.CommandPath
		fields          []byte
	}{
		"arm_fail_safe": {armFailSafe, armFailSafeResponse, fields(func(e *tlv.Encoder) { e.PutUint(tlv.Context(0), 60); e.PutUint(tlv.Context(1), 1) })},
		"set_regulatory_config": {setRegulatoryConfig, setRegulatoryResponse, fields(func(e *tlv.Encoder) {
			e.PutUint(tlv.Context(0), 1)
			e.PutText(tlv.Context(1), "XX")
			e.PutUint(tlv.Context(2), 1)
		})},
		"certificate_chain_dac":  {certificateChainRequest, certificateChainResponse, fields(func(e *tlv.Encoder) { e.PutUint(tlv.Context(0), certificateDAC) })},
		"certificate_chain_pai":  {certificateChainRequest, certificateChainResponse, fields(func(e *tlv.Encoder) { e.PutUint(tlv.Context(0), certificatePAI) })},
		"attestation":            {attestationRequest, attestationResponse, nil},
		"csr":                    {csrRequest, csrResponse, nil},
		"add_trusted_root":       {addTrustedRootCertificate, im.CommandPath{}, nil},
		"add_noc":                {addNOC, nocResponse, nil},
		"commissioning_complete": {commissioningComplete, commissioningDone, fields(func(*tlv.Encoder) {})},
		"update_fabric_label":    {updateFabricLabel, nocResponse, fields(func(e *tlv.Encoder) { e.PutText(tlv.Context(0), "tm-lab") })},
	} {
		q, r := x.pair(t, name)
		if q.Path != want.command {
			t.Errorf("%s: command %v, want %v", name, q.Path, want.command)
		}
		if r.IsStatus != (want.answer == im.CommandPath{}) || !r.IsStatus && r.Path != want.answer {
			t.Errorf("%s: answered with %v, status %v", name, r.Path, r.IsStatus)
		}
		// The fields of a request stand under the tag that they have in the message.
		if want.fields != nil && len(q.Fields) >= 2 && !bytes.HasSuffix(q.Fields, want.fields[1:]) {
			t.Errorf("%s: fields %x, want %x", name, q.Fields, want.fields)
		}
	}
	for _, name := range []string{"arm_fail_safe", "set_regulatory_config", "arm_fail_safe_again", "commissioning_complete"} {
		_, r := x.pair(t, name)
		if c, err := parseCommissioning(r.Fields); err != nil || c.commissioning() != nil {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	_, r := x.pair(t, "add_noc")
	if c, err := parseNOC(r.Fields); err != nil || c.noc() != nil || c.index != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	q, _ := x.pair(t, "add_noc")
	var tags []uint8
	if err := each(q.Fields, func(n uint8, _ *tlv.Decoder) { tags = append(tags, n) }); err != nil || !bytes.Equal(tags, []byte{0, 1, 2, 3, 4}) /* that controller has an intermediate */ {
		t.Errorf("AddNOC has fields %v, %v", tags, err)
	}
}

// TestElementsRoundTrip: a simulated device signs what a real one does.
func TestElementsRoundTrip(t *testing.T) {
	x := readTranscript(t)
	_, r := x.pair(t, "csr")
	signed, err := ParseSigned(r.Fields)
	if err != nil {
		t.Fatal(err)
	}
	n, err := ParseNOCSR(signed.Elements)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := n.Encode(); err != nil || !bytes.Equal(b, signed.Elements) {
		t.Errorf("%x, %v", b, err)
	}
	n.VendorReserved[1] = []byte("two")
	b, err := n.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseNOCSR(b); err != nil || string(got.VendorReserved[1]) != "two" || got.VendorReserved[0] != nil {
		t.Errorf("%+v, %v", got, err)
	}
	e := x.evidence(t)
	a, err := ParseElements(e.signed.Elements)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := a.Encode(); err != nil || !bytes.Equal(b, e.signed.Elements) {
		t.Errorf("%x, %v", b, err)
	}
	if got, err := ParseSigned(e.signed.Fields()); err != nil || !bytes.Equal(got.Elements, e.signed.Elements) || !bytes.Equal(got.Signature, e.signed.Signature) {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range signed.Elements {
		if _, err := ParseNOCSR(signed.Elements[:i]); err == nil {
			t.Fatalf("the first %d octets of a request are taken", i)
		}
	}
	for i := range e.signed.Elements {
		if _, err := ParseElements(e.signed.Elements[:i]); err == nil {
			t.Fatalf("the first %d octets of attestation elements are taken", i)
		}
	}
	for i := range a.Declaration {
		if _, err := parseDeclaration(a.Declaration[:i]); err == nil {
			t.Fatalf("the first %d octets of a declaration are taken", i)
		}
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{"plain": "plain", "a\nb\x1b[2J\x00": "ab[2J", " \u202eevil": "evil", strings.Repeat("x", 1000): strings.Repeat("x", maxWords)} {
		if got := words([]byte(in)); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	x := readTranscript(f)
	for _, name := range []string{"csr", "attestation", "add_noc", "arm_fail_safe"} {
		_, r := x.pair(f, name)
		f.Add(r.Fields)
	}
	e := x.evidence(f)
	f.Add(e.dac)
	f.Add(e.signed.Elements)
	a, _ := ParseElements(e.signed.Elements)
	f.Add(a.Declaration)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, parse := range []func([]byte) (code, error){parseCommissioning, parseNOC} {
			if c, err := parse(b); err == nil {
				c.noc()
				c.commissioning()
			}
		}
		if s, err := ParseSigned(b); err == nil {
			e.signed = s
			e.attest()
		}
		if n, err := ParseNOCSR(b); err == nil {
			if _, err := n.Encode(); err != nil {
				t.Error(err)
			}
		}
		parseDeclaration(b)
		evidence{dac: b, pai: b, signed: e.signed}.attest()
		f := flow{}
		f.Authority = fuzzAuthority()
		for _, p := range []im.Path{{Cluster: generalCommissioning, Attribute: 1}, {Cluster: basicInformation, Attribute: 5}, {Cluster: operationalCredentials, Attribute: 1}} {
			f.learn(im.Value{Path: p, Data: b})
		}
	})
}
