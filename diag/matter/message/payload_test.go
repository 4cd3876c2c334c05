package message

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"threadmap/diag/hidden"
	"threadmap/tlv"
)

func TestStatusReports(t *testing.T) {
	for _, v := range []struct {
		wire string
		r    StatusReport
		text string
	}{
		{"0000000000000000", StatusReport{}, "session established"},
		{"0100000000000100", StatusReport{General: Failure, Code: CodeNoSharedTrustRoots}, "no shared trust root"},
		{"0100000000000200", StatusReport{General: Failure, Code: CodeInvalidParameter}, "invalid parameter"},
		{"0000000000000300", StatusReport{Code: CodeCloseSession}, "close session"},
		{"0800000000000400f401", StatusReport{General: Busy, Code: CodeBusy, Data: []byte{0xf4, 1}}, "busy: try again in 500ms"},
		{"080000000000040001", StatusReport{General: Busy, Code: CodeBusy, Data: []byte{1}}, "busy: try again later"},
		{"100001000000ffff", StatusReport{General: DataLoss, Protocol: 1, Code: 0xffff}, "data loss (protocol 0x00000001, code 0xffff)"},
		{"1100020000f1ff0f", StatusReport{General: 17, Protocol: 0xf1000002, Code: 0x0fff}, "general code 17"},
		{"010000000000ffff", StatusReport{General: Failure, Code: CodeNone}, "the peer reports failure"},
		{"0100000000004200", StatusReport{General: Failure, Code: 0x42}, "code 0x0042"},
	} {
		b := unhex(t, v.wire)
		got, err := ParseStatusReport(b)
		if err != nil || !cmp.Equal(got, v.r, cmpopts.EquateEmpty()) {
			t.Errorf("%s: %+v, %v", v.wire, got, err)
		}
		if again := v.r.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%+v: %x", v.r, again)
		}
		if !strings.Contains(v.r.Error(), v.text) {
			t.Errorf("%s: %q, want …%s…", v.wire, v.r.Error(), v.text)
		}
		if v.r.Established() != (v.wire == "0000000000000000") || v.r.ClosesSession() != (v.r.Code == CodeCloseSession) {
			t.Errorf("%s: what it means", v.wire)
		}
		for n := range 8 {
			if _, err := ParseStatusReport(b[:n]); !errors.Is(err, errShortStatus) {
				t.Errorf("cut to %d: %v", n, err)
			}
		}
	}
	if _, err := ParseStatusReport(make([]byte, MaxDatagram+1)); err == nil {
		t.Error("a giant report was taken")
	}
	for r, want := range map[*StatusReport]time.Duration{
		{General: Busy, Code: CodeBusy, Data: []byte{0xf4, 1}}: 500 * time.Millisecond,
		{General: Busy, Protocol: 2, Data: []byte{1, 1}}:       0,
		{General: Failure, Code: CodeBusy}:                     0,
	} {
		if d, ok := r.Wait(); !ok || d != want {
			t.Errorf("%+v: wait %v, %v", r, d, ok)
		}
	}
	if _, ok := (StatusReport{General: Failure}).Wait(); ok {
		t.Error("a failure is busy")
	}
}

func encode(t testing.TB, p SessionParameters) []byte {
	t.Helper()
	var e tlv.Encoder
	p.Encode(&e, tlv.Context(5))
	b, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(b []byte) (SessionParameters, error) {
	d := tlv.NewDecoder(b)
	d.Next()
	p := DecodeSessionParameters(&d)
	d.Next()
	return p, d.Err()
}

func TestSessionParameters(t *testing.T) {
	full := SessionParameters{
		Idle: 5 * time.Second, Active: 2 * time.Second, ActiveThreshold: 65535 * time.Millisecond, DataModelRevision: 21, InteractionModelRevision: 12,
		SpecificationVersion: 0x01060000, MaxPathsPerInvoke: 9, SupportedTransports: 6, MaxTCPMessageSize: 64000, Said: 0x3fe,
	}
	for _, v := range []struct {
		wire string
		p    SessionParameters
	}{
		// The first is from matter.js' MessageCodecTest (PBKDFParamRequest).
		{"35052501881325022c0118", SessionParameters{Idle: 5 * time.Second, Active: 300 * time.Millisecond, Said: SaidIdle | SaidActive}},
		{"350518", SessionParameters{}},
		{"350524030018", SessionParameters{Said: SaidActiveThreshold}},
		{"3505250188132502d0072503ffff24041524050c260600000601240709240806250900fa18", full},
	} {
		b := unhex(t, v.wire)
		p, err := decode(b)
		if err != nil || p != v.p {
			t.Errorf("%s: %+v, %v", v.wire, p, err)
		}
		if got := encode(t, v.p); !bytes.Equal(got, b) {
			t.Errorf("%+v: %x", v.p, got)
		}
		for n := 1; n < len(b); n++ {
			if p, err := decode(b[:n]); err == nil || !p.IsZero() {
				t.Errorf("%s cut to %d: %+v, %v", v.wire, n, p, err)
			}
		}
	}
	unsaid := full
	unsaid.Said = 0
	if !bytes.Equal(encode(t, unsaid), encode(t, full)) {
		t.Error("fields that are not zero need no Said")
	}
	for name, wire := range map[string]string{
		"no struct": "2405ff", "an array": "360518", "text for a number": "35052c01013118", "threshold of 17 bits": "35052603ffff010018",
		"idle of 64 bits": "35052701ffffffffffffffff18", "negative": "35052001ff18",
	} {
		if p, err := decode(unhex(t, wire)); err == nil || !p.IsZero() {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	// Fields of the future, and in another order.
	p, err := decode(unhex(t, "3505"+"3563240101"+"18"+"240703"+"24010a"+"18"))
	if want := (SessionParameters{Idle: 10 * time.Millisecond, MaxPathsPerInvoke: 3, Said: SaidIdle | SaidMaxPathsPerInvoke}); err != nil || p != want {
		t.Errorf("unknown field: %+v, %v", p, err)
	}
}

func TestSessionParameterDefaults(t *testing.T) {
	p := SessionParameters{}.WithDefaults()
	if p.Idle != 500*time.Millisecond || p.Active != 300*time.Millisecond || p.ActiveThreshold != 4*time.Second || p.Said != 0 || p.SpecificationVersion != 0 {
		t.Errorf("%+v", p)
	}
	p = SessionParameters{Idle: 1 << 62, ActiveThreshold: 0, Active: 1, Said: SaidActiveThreshold}.WithDefaults()
	if p.Idle != MaxInterval || p.ActiveThreshold != 0 || p.Active != 1 {
		t.Errorf("%+v", p)
	}
	dnssd := SessionParameters{Idle: 7 * time.Second, Active: 8 * time.Second, ActiveThreshold: 9 * time.Second}
	p = SessionParameters{Active: time.Second, Said: SaidActive | SaidActiveThreshold}.Or(dnssd)
	if p.Idle != 7*time.Second || p.Active != time.Second || p.ActiveThreshold != 0 {
		t.Errorf("%+v", p)
	}
	if !(SessionParameters{}).IsZero() || p.IsZero() {
		t.Error("IsZero")
	}
}

// Keys don't come out by any of the ways things get printed.
func TestKeysStayHidden(t *testing.T) {
	var material [48]byte
	for i := range material {
		material[i] = byte(i) + 0x61
	}
	k := NewKeys(material)
	if k.I2R[0] != 0x61 || k.R2I[0] != 0x71 || k.AttestationChallenge[0] != 0x81 {
		t.Error("the keys are cut wrongly")
	}
	type holder struct{ Keys Keys }
	var out bytes.Buffer
	for _, v := range []any{k, &k, holder{k}, &holder{k}, []Keys{k}, map[string]Keys{"a": k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	j, err := json.Marshal(holder{k})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	slog.New(slog.NewTextHandler(&out, nil)).Info("session", "keys", k, "holder", holder{k})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("session", "keys", k, "holder", holder{k})
	if err := gob.NewEncoder(&out).Encode(k); err != nil {
		t.Fatal(err)
	}
	if b, err := cbor.Marshal(k); err != nil {
		t.Fatal(err)
	} else {
		out.Write(b)
	}
	for _, part := range [][]byte{material[:4], material[16:20], material[32:36]} {
		for _, form := range []string{string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)), strings.Trim(fmt.Sprint(part), "[]"), strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}")} {
			if strings.Contains(out.String(), form) {
				t.Errorf("found %q in what was printed", form)
			}
		}
	}
	if strings.Count(out.String(), hidden.Text) < 50 {
		t.Error("nothing was printed")
	}
	for name, err := range map[string]error{"text": k.UnmarshalText([]byte(hidden.Text)), "binary": k.UnmarshalBinary(nil), "CBOR": cbor.Unmarshal([]byte{0x60}, &k)} {
		if err == nil {
			t.Errorf("%s was read", name)
		}
	}
	k.Wipe()
	if k != (Keys{}) {
		t.Error("not wiped")
	}
}
