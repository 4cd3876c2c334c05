package setup

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"threadmap/diag"
	"threadmap/tlv"

	"github.com/fxamacker/cbor/v2"
)

func mustPasscode(t testing.TB, n uint32) Passcode {
	t.Helper()
	p, err := NewPasscode(n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func one(t testing.TB, text string) Payload {
	t.Helper()
	list, err := Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if len(list) != 1 {
		t.Fatalf("%q: %d payloads", text, len(list))
	}
	return list[0]
}

// same compares passcodes too: reflect.DeepEqual follows their pointers.
func same(a, b Payload) bool { return reflect.DeepEqual(a, b) }

// TestVectors are codes of connectedhomeip (TestQRCode, TestManualCode) and of
// matter.js (PairingCodeSchemaTest), and the labels of its example devices.
func TestVectors(t *testing.T) {
	for _, tt := range []struct {
		qr, manual, long string
		p                Payload
	}{
		{"MT:Y.K90AFN00KA0648G00", "34970112332", "", Payload{Passcode: mustPasscode(t, 20202021), Discriminator: Discriminator{Value: 3840},
			Vendor: diag.Some[uint16](0xFFF1), Product: diag.Some[uint16](0x8000), Flow: diag.Some(Standard), Discovery: diag.Some(OnNetwork)}},
		{"MT:-24J042C00KA0648G00", "34970112332", "", Payload{Passcode: mustPasscode(t, 20202021), Discriminator: Discriminator{Value: 3840},
			Vendor: diag.Some[uint16](0xFFF1), Product: diag.Some[uint16](0x8001), Flow: diag.Some(Standard), Discovery: diag.Some(BLE)}},
		{"MT:CS.16HD.00CMVH7SR00", "26318621095", "663186210904660221368", Payload{Passcode: mustPasscode(t, 34567890), Discriminator: Discriminator{Value: 2976},
			Vendor: diag.Some[uint16](4660), Product: diag.Some[uint16](22136), Flow: diag.Some(Custom), Discovery: diag.Some(BLE | OnNetwork)}},
		{"", "23331712339", "", Payload{Passcode: mustPasscode(t, 20202021), Discriminator: Discriminator{Value: 2560}}},
	} {
		if tt.qr != "" {
			if got := one(t, tt.qr); !same(got, tt.p) {
				t.Errorf("%s: %+v, passcode %d; want %+v, %d", tt.qr, got, got.Passcode.Number(), tt.p, tt.p.Passcode.Number())
			}
			if got, err := QRCode(tt.p); err != nil || got != tt.qr {
				t.Errorf("QRCode: %s, %v; want %s", got, err, tt.qr)
			}
		}
		short := Payload{Passcode: tt.p.Passcode, Discriminator: Discriminator{tt.p.Discriminator.Value >> 8, true}, Flow: diag.Some(Standard)}
		if got := one(t, tt.manual); !same(got, short) {
			t.Errorf("%s: %+v, passcode %d; want %+v", tt.manual, got, got.Passcode.Number(), short)
		}
		for _, p := range []Payload{tt.p, short} {
			if got, err := p.ManualCode(); err != nil || got != tt.manual {
				t.Errorf("ManualCode of %+v: %s, %v; want %s", p, got, err, tt.manual)
			}
		}
		if tt.long == "" {
			continue
		}
		short.Vendor, short.Product, short.Flow = tt.p.Vendor, tt.p.Product, diag.Opt[Flow]{}
		if got := one(t, tt.long); !same(got, short) {
			t.Errorf("%s: %+v, passcode %d; want %+v", tt.long, got, got.Passcode.Number(), short)
		}
		if got, err := tt.p.LongManualCode(); err != nil || got != tt.long {
			t.Errorf("LongManualCode: %s, %v; want %s", got, err, tt.long)
		}
	}
}

// TestParseAsTyped: how users hand codes over.
func TestParseAsTyped(t *testing.T) {
	for _, text := range []string{
		"3497-011-2332", "3497 011 2332", " 34970112332\n", "3497\u2011011\u20132332", "3497\u00a0011\u00a02332", "3-4-9-7-0-1-1-2-3-3-2", "\t3497-011-2332\r\n",
		"MT:Y.K90AFN00KA0648G00", "mt:y.k90afn00ka0648g00", "  MT:Y.K90AFN00KA0648G00 \n", "MT: Y.K90 AFN00 KA0648G00",
	} {
		if p := one(t, text); p.Passcode.Number() != 20202021 || !p.Discriminator.Matches(3840) {
			t.Errorf("%q: %+v", text, p)
		}
	}
	if p := one(t, "6631-862-1090-4660-2213-68"); p.Vendor != diag.Some[uint16](4660) {
		t.Errorf("long: %+v", p)
	}
}

// TestSeveralDevices: one QR code for a box with several.
func TestSeveralDevices(t *testing.T) {
	a, b := one(t, "MT:Y.K90AFN00KA0648G00"), one(t, "MT:CS.16HD.00CMVH7SR00")
	joined, err := QRCode(a, b, a)
	if err != nil {
		t.Fatal(err)
	}
	if want := "MT:Y.K90AFN00KA0648G00*CS.16HD.00CMVH7SR00*Y.K90AFN00KA0648G00"; joined != want {
		t.Errorf("got %s, want %s", joined, want)
	}
	for _, text := range []string{joined, strings.ReplaceAll(joined, "*", "*MT:")} {
		got, err := Parse(text)
		if err != nil || len(got) != 3 || !same(got[0], a) || !same(got[1], b) || !same(got[2], a) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	if _, err := QRCode(); err == nil {
		t.Error("a code for nothing")
	}
	if _, err := QRCode(make([]Payload, maxPayloads+1)...); err == nil {
		t.Error("a code for too many")
	}
}

func TestExtra(t *testing.T) {
	p := one(t, "MT:Y.K90AFN00KA0648G00")
	p.Extra = Extra{SerialNumber: "1234567890", Iterations: diag.Some[uint32](15000), Salt: bytes.Repeat([]byte{9}, 32), Devices: diag.Some[uint8](2), Timeout: diag.Some[uint16](900)}
	code, err := QRCode(p)
	if err != nil {
		t.Fatal(err)
	}
	if got := one(t, code); !same(got, p) {
		t.Errorf("%+v, want %+v", got, p)
	}
}

// withTLV is a code whose TLV is extra.
func withTLV(t testing.TB, extra []byte) string {
	t.Helper()
	p := one(t, "MT:Y.K90AFN00KA0648G00")
	b, err := p.pack()
	if err != nil {
		t.Fatal(err)
	}
	return Prefix + encode38(append(b, extra...))
}

// TestExtraOfVendors: what vendors add is passed over, and a serial number may
// be a number.
func TestExtraOfVendors(t *testing.T) {
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.PutUint(tlv.Context(tagSerialNumber), 42)
	e.PutText(tlv.Context(0x81), "colour")
	e.Struct(tlv.Context(0x82))
	e.PutUint(tlv.Context(tagIterations), 1)
	e.End()
	e.PutUint(tlv.Profile(0xFFF1, 1, 1), 7)
	e.End()
	b, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if got := one(t, withTLV(t, b)).Extra; !reflect.DeepEqual(got, Extra{SerialNumber: "42"}) {
		t.Errorf("got %+v", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "it is empty"},
		{" \n - ", "it is empty"},
		{strings.Repeat("1", maxText+1), "far too many"},
		{"3497011233", "10 digits, and a manual code has 11 or 21"},
		{"349701123321", "12 digits"},
		{"3497011233266318621090", "22 digits"},
		{"20202021", "8 digits are a HomeKit code"},
		{"34970112333", "the check digit does not fit"},
		{"34970112323", "the check digit does not fit"},
		{"3497O112332", "character 5 is not a digit"},
		{"K90AFN00KA0648G00", "the text of a QR code begins with MT:"},
		{"X-HM://0023ISYWY", "the text of a QR code begins with MT:"},
		{"MT:", "cut off"},
		{"MT:Y.K90AFN00KA0648G0", "cut off"},
		{"MT:Y.K90AFN00KA064", "cut off"},
		{"MT:Y.K90AFN00KA06", "scan it again"},
		{"MT:Y.K90AFN00KA0648G00*Y.K90A9", "scan it again (device 2 of 2)"},
		{"MT:Y.K90AFN00KA0648G0_", "character 19 behind MT: is none"},
		{"MT:Y.K90AFN00KA0648G$0", "character 18 behind MT: is none"},
		{"MT:ÄÄÄÄÄAFN00KA0648G00", "is none that a QR code of Matter has"},
		{"MT:.....AFN00KA0648G00", "characters 1 to 5 behind MT: stand for no number of 3 octets"},
		{"MT:Y.K90AFN00KA0648G00*", "cut off"},
		{"MT:Y.K90AFN00KA0648G00**Y.K90AFN00KA0648G00", "cut off"},
		{"MT:" + strings.Repeat("Y.K90AFN00KA0648G00*", 16) + "Y.K90AFN00KA0648G00", "it is for 17 devices"},
	} {
		list, err := Parse(tt.text)
		if err == nil || list != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want …%s…", tt.text, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), "\n") || len(err.Error()) > 200 {
			t.Errorf("%q: not one short line: %q", tt.text, err)
		}
	}
}

// digitsWithCheck appends the check digit.
func digitsWithCheck(s string) string {
	d := make([]uint8, len(s))
	for i := range s {
		d[i] = s[i] - '0'
	}
	return s + string('0'+rune(verhoeffDigit(d)))
}

// TestManualRefuses: digits whose check digit is right, and that are no code.
func TestManualRefuses(t *testing.T) {
	for _, tt := range []struct{ digits, want string }{
		{"8497011233", "later Matter"},
		{"9497011233", "later Matter"},
		{"7497011233", "has 21 digits, and it has 11"},
		{"34970112330000100002", "has 11 digits, and it has 21"},
		{"3655361233", "no Matter device has such a code"},
		{"3497018192", "no Matter device has such a code"},
		{"74970112336553600001", "no vendor or product"},
		{"74970112330000165536", "no vendor or product"},
		{"3491520000", "Matter forbids"}, // passcode 0
	} {
		code := digitsWithCheck(tt.digits)
		if _, err := Parse(code); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", code, err, tt.want)
		}
	}
}

// raw packs fields without looking at them.
func raw(version, vendor, product, flow, discovery, discriminator, passcode, padding uint32) string {
	var w bitWriter
	w.write(version, versionBits)
	w.write(vendor, vendorBits)
	w.write(product, productBits)
	w.write(flow, flowBits)
	w.write(discovery, discoveryBits)
	w.write(discriminator, discriminatorBits)
	w.write(passcode, passcodeBits)
	w.write(padding, paddingBits)
	return Prefix + encode38(w.b[:])
}

func TestQRRefuses(t *testing.T) {
	if got := raw(0, 0xFFF1, 0x8000, 0, 4, 3840, 20202021, 0); got != "MT:Y.K90AFN00KA0648G00" {
		t.Fatal(got)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"version", raw(1, 1, 1, 0, 4, 3840, 20202021, 0), "later Matter"},
		{"padding", raw(0, 1, 1, 0, 4, 3840, 20202021, 8), "must be 0"},
		{"the second device", "MT:Y.K90AFN00KA0648G00*" + raw(0, 1, 1, 0, 4, 3840, 0, 0), "(device 2 of 2)"},
		{"TLV of another kind", withTLV(t, []byte{0x17, 0x18}), "the end of the QR code can't be read"},
		{"TLV with a tag", withTLV(t, []byte{0x35, 0x01, 0x18}), "no anonymous structure"},
		{"TLV cut off", withTLV(t, []byte{0x15, 0x24, 0x01}), "the end of the QR code can't be read"},
		{"TLV and more", withTLV(t, []byte{0x15, 0x18, 0x00}), "the end of the QR code can't be read"},
		{"an octet of no TLV", withTLV(t, []byte{0x00}), "the end of the QR code can't be read"},
		{"too few iterations", withTLV(t, []byte{0x15, 0x25, 0x01, 0xE7, 0x03, 0x18}), "999 iterations"},
		{"too many iterations", withTLV(t, []byte{0x15, 0x26, 0x01, 0xA1, 0x86, 0x01, 0x00, 0x18}), "100001 iterations"},
		{"a short salt", withTLV(t, []byte{0x15, 0x30, 0x02, 0x01, 0x00, 0x18}), "a salt of 1 octets"},
		{"a serial number of octets", withTLV(t, []byte{0x15, 0x30, 0x00, 0x01, 0x00, 0x18}), "text expected"},
		{"a timeout of 17 bits", withTLV(t, []byte{0x15, 0x26, 0x04, 0x00, 0x00, 0x01, 0x00, 0x18}), "out of range"},
	} {
		if _, err := Parse(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", tt.name, err, tt.want)
		}
	}
	// A code may say nothing about vendor and product, and a flow of tomorrow.
	p := one(t, raw(0, 0, 0, 3, 0xFF, 0, 1, 0))
	if p.Vendor.Known() || p.Product.Known() || p.Flow != diag.Some[Flow](3) || p.Discovery != diag.Some[Capabilities](0xFF) || p.Discriminator != (Discriminator{}) || p.Passcode.Number() != 1 {
		t.Errorf("got %+v", p)
	}
}

// TestForbiddenPasscodes: Core 5.1.7.1.
func TestForbiddenPasscodes(t *testing.T) {
	for _, n := range []uint32{0, 11111111, 22222222, 33333333, 44444444, 55555555, 66666666, 77777777, 88888888, 99999999, 12345678, 87654321, 100000000, 1<<27 - 1} {
		if p, err := NewPasscode(n); err == nil || !p.IsZero() {
			t.Errorf("passcode %d is taken", n)
		}
		if _, err := Parse(raw(0, 1, 1, 0, 4, 3840, n, 0)); err == nil || strings.Contains(err.Error(), fmt.Sprint(n)) && n > 0 && n != 11111111 && n != 12345678 {
			t.Errorf("passcode %d in a QR code: %v", n, err)
		}
		if high := n >> lowBits; high < 8192 {
			code := digitsWithCheck(fmt.Sprintf("3%05d%04d", 1<<lowBits|n&(1<<lowBits-1), high))
			if _, err := Parse(code); err == nil {
				t.Errorf("passcode %d in %s", n, code)
			}
		}
	}
	for _, n := range []uint32{1, 99999998, 20202021, 11111112, 12345679} {
		if p := mustPasscode(t, n); p.Number() != n {
			t.Errorf("passcode %d is %d", n, p.Number())
		}
	}
}

// TestVerhoeff: each single wrong digit and each swap of neighbours is noticed.
func TestVerhoeff(t *testing.T) {
	// The example in Wikipedia's article on Verhoeff's algorithm.
	if got := verhoeffDigit([]uint8{2, 3, 6}); got != 3 {
		t.Errorf("the check digit of 236 is %d, want 3", got)
	}
	for _, code := range []string{"34970112332", "26318621095", "663186210904660221368"} {
		for i := range code {
			for d := byte('0'); d <= '9'; d++ {
				if d == code[i] {
					continue
				}
				b := []byte(code)
				b[i] = d
				if _, err := Parse(string(b)); err == nil || !strings.Contains(err.Error(), "check digit") {
					t.Errorf("%s for %s: %v", b, code, err)
				}
			}
			if i > 0 && code[i] != code[i-1] {
				b := []byte(code)
				b[i], b[i-1] = b[i-1], b[i]
				if _, err := Parse(string(b)); err == nil {
					t.Errorf("%s for %s is taken", b, code)
				}
			}
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	good := one(t, "MT:Y.K90AFN00KA0648G00")
	for _, tt := range []struct {
		name       string
		edit       func(*Payload)
		manual, qr bool // whether it can be one
	}{
		{"nothing", func(*Payload) {}, true, true},
		{"no passcode", func(p *Payload) { p.Passcode = Passcode{} }, false, false},
		{"a discriminator of 13 bits", func(p *Payload) { p.Discriminator.Value = 4096 }, false, false},
		{"a short discriminator of 5 bits", func(p *Payload) { p.Discriminator = Discriminator{16, true} }, false, false},
		{"a short discriminator", func(p *Payload) { p.Discriminator = Discriminator{15, true} }, true, false},
		{"an unknown flow", func(p *Payload) { p.Flow = diag.Opt[Flow]{} }, true, false},
		{"a flow of 3 bits", func(p *Payload) { p.Flow = diag.Some[Flow](4) }, true, false},
		{"nothing about discovery", func(p *Payload) { p.Discovery = diag.Opt[Capabilities]{} }, true, false},
		{"few iterations", func(p *Payload) { p.Extra.Iterations = diag.Some[uint32](1) }, true, false},
		{"an endless serial number", func(p *Payload) { p.Extra.SerialNumber = strings.Repeat("9", 2000) }, true, false},
	} {
		p := good
		tt.edit(&p)
		if _, err := p.ManualCode(); (err == nil) != tt.manual {
			t.Errorf("%s: manual: %v", tt.name, err)
		}
		if _, err := p.LongManualCode(); (err == nil) != tt.manual {
			t.Errorf("%s: long: %v", tt.name, err)
		}
		if _, err := QRCode(p); (err == nil) != tt.qr {
			t.Errorf("%s: QR: %v", tt.name, err)
		}
	}
}

func TestDiscriminator(t *testing.T) {
	for _, tt := range []struct {
		d         Discriminator
		announced uint16
		want      bool
	}{
		{Discriminator{Value: 3840}, 3840, true},
		{Discriminator{Value: 3840}, 3841, false},
		{Discriminator{15, true}, 3840, true},
		{Discriminator{15, true}, 4095, true},
		{Discriminator{15, true}, 3839, false},
		{Discriminator{0, true}, 0, true},
		{Discriminator{0, true}, 0x1000, false},
		{Discriminator{15, true}, 0xFF00, false},
	} {
		if got := tt.d.Matches(tt.announced); got != tt.want {
			t.Errorf("%v and %d: %v", tt.d, tt.announced, got)
		}
	}
	if got := one(t, "34970112332").String(); got != "discriminator 3840 to 4095" {
		t.Errorf("got %q", got)
	}
	if got := one(t, "MT:Y.K90AFN00KA0648G00").String(); got != "discriminator 3840, vendor 0xFFF1, product 0x8000" {
		t.Errorf("got %q", got)
	}
}

// TestPasscodeStaysSecret prints, logs and encodes payloads in every way, and
// looks for the passcode.
func TestPasscodeStaysSecret(t *testing.T) {
	const secret = 73529164
	p := one(t, raw(0, 1, 2, 0, 4, 100, secret, 0))
	if p.Passcode.Number() != secret {
		t.Fatal("the canary is dead")
	}
	type holder struct {
		Public  Payload
		private Payload
		pass    Passcode
		pointer *Payload
	}
	h := holder{p, p, p.Passcode, &p}
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{p, &p, p.Passcode, &p.Passcode, h, &h, []Payload{p}, map[string]any{"p": p}, []any{h}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		if b, err := cbor.Marshal(v); err == nil {
			out.Write(b)
		}
		var g bytes.Buffer
		if gob.NewEncoder(&g).Encode(v) == nil {
			out.Write(g.Bytes())
		}
		logger.Info("x", "v", v)
	}
	for _, form := range []string{fmt.Sprint(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("%b", secret), fmt.Sprintf("%o", secret),
		base64.StdEncoding.EncodeToString([]byte(fmt.Sprint(secret))), "\x8c\xf3\x61\x04", "\x04\x61\xf3\x8c"} {
		if bytes.Contains(out.Bytes(), []byte(form)) {
			t.Errorf("the passcode is in the output, as %q", form)
		}
	}
	if !bytes.Contains(out.Bytes(), []byte("(secret)")) {
		t.Error("nothing was printed")
	}
	var q Passcode
	if q.UnmarshalText(nil) == nil || q.UnmarshalBinary(nil) == nil || q.UnmarshalCBOR(nil) == nil || q.Equal(p.Passcode) || q.Number() != 0 {
		t.Error("the zero passcode")
	}
}

// TestErrorsHideTheCode: an error goes to logs and tickets; most of a code in
// it would be the passcode.
func TestErrorsHideTheCode(t *testing.T) {
	for _, text := range []string{"34970112333", "349701123321", "MT:Y.K90AFN00KA0648G0_", "MT:Y.K90AFN00KA0648G0", "73529164"} {
		_, err := Parse(text)
		if err == nil {
			t.Fatalf("%s is taken", text)
		}
		body := strings.TrimPrefix(text, Prefix)
		for i := 0; i+5 <= len(body); i++ {
			if strings.Contains(err.Error(), body[i:i+5]) {
				t.Errorf("%s: the error shows %s: %v", text, body[i:i+5], err)
			}
		}
	}
}

func TestBase38(t *testing.T) {
	for _, tt := range []struct {
		b, s string
	}{
		{"", ""}, {"\x00", "00"}, {"\x0a", "A0"}, {"\xff", "R6"}, {"\x00\x00", "0000"}, {"\xff\xff", "NE71"}, {"\xff\xff\xff", "PLS18"},
	} {
		if got := encode38([]byte(tt.b)); got != tt.s {
			t.Errorf("%x: %s, want %s", tt.b, got, tt.s)
		}
		if got, err := decode38(tt.s); err != nil || string(got) != tt.b {
			t.Errorf("%s: %x, %v; want %x", tt.s, got, err, tt.b)
		}
	}
	for _, bad := range []string{"0", "000", "S6", "0F71", "QLS18", "00000" + "0"} {
		if got, err := decode38(bad); err == nil {
			t.Errorf("%s is %x", bad, got)
		}
	}
}

// FuzzParse: whatever is a code can be written again, and says the same then.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"MT:Y.K90AFN00KA0648G00", "MT:CS.16HD.00CMVH7SR00", "MT:Y.K90AFN00KA0648G00*CS.16HD.00CMVH7SR00", "34970112332", "6631-8621-0904-6602-2136-8", "23331712339"} {
		f.Add(s)
	}
	f.Add(withTLV(f, []byte{0x15, 0x2c, 0x00, 0x02, 'A', 'B', 0x25, 0x01, 0xE8, 0x03, 0x18}))
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Parse(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %q", err)
			}
			return
		}
		if len(list) == 0 || len(list) > maxPayloads {
			t.Fatalf("%d payloads", len(list))
		}
		var again string
		switch p := list[0]; {
		case !p.Discriminator.Short:
			again, err = QRCode(list...)
		case !p.Flow.Known():
			again, err = p.LongManualCode()
		default:
			again, err = p.ManualCode()
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(again)
		if err != nil || !reflect.DeepEqual(back, list) {
			t.Fatalf("%v: comes back as %+v, was %+v", err, back, list)
		}
	})
}
