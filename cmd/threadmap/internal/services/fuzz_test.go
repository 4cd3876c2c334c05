package services

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"threadmap/discovery"
	"threadmap/render/schema"
	"threadmap/render/schema/schematest"
)

// FuzzHarmless: whatever a stranger announces, text, lines and documents hold
// nothing that a terminal could act on, and documents are valid.
func FuzzHarmless(f *testing.F) {
	for i := range discovery.Kinds {
		f.Add(byte(i), "\x1b[31mred\u202e", "0E00AABB00000001", "xp=\xde\xad\x00\x22\x5c\xff\xca\xfe", "omr=\x40\xfd\x00\x00\x01\x00\x00\x00\x00", uint16(5540))
		f.Add(byte(i), "87E1B004E235A130-8FC7772401CD0696", "a.b", "SII=5000", "ICD=1", uint16(0))
	}
	f.Fuzz(func(t *testing.T, kind byte, instance, host, one, two string, port uint16) {
		k := discovery.Kinds[int(kind)%len(discovery.Kinds)]
		n, err := k.InstanceName(instance)
		h, err2 := discovery.NewName(host, "local")
		if err != nil || err2 != nil {
			return
		}
		s := discovery.Service{Kind: k, Instance: instance, Name: n, Host: h, Port: port, TXT: discovery.TXT{[]byte(one), []byte(two)},
			Addresses: []netip.Addr{netip.MustParseAddr("fd00:1::1").WithZone("")}, OtherHosts: []discovery.Name{h}, OtherTXT: []discovery.TXT{{[]byte(two)}}}
		all := []discovery.Service{s, s}
		var b strings.Builder
		if err := Arrange(all).WriteText(&b); err != nil {
			t.Fatal(err)
		}
		w := NewWatch()
		for _, e := range []discovery.Event{{Kind: discovery.Added, Service: s}, {Kind: discovery.Changed, Service: s, What: []string{"host", "txt", "addresses", "conflict"}},
			{Kind: discovery.Asking, Asked: discovery.Ask{Question: discovery.Question{Name: n}}}, {Kind: discovery.Removed, Service: s, Reason: discovery.Goodbye}} {
			b.WriteString(w.Line(e))
			if e.Kind != discovery.Asking && strings.Contains(w.Line(e), "\n") {
				t.Errorf("a line breaks: %q", w.Line(e))
			}
			d := must(json.Marshal(w.Document(e)))
			b.Write(d)
			if err := schematest.Validate(schema.Services, d); err != nil {
				t.Errorf("%v in %s", err, d)
			}
		}
		d := must(json.Marshal(Arrange(all).NewDocument(at, at, []discovery.Asked{{Name: n, Kind: k}}, nil)))
		b.Write(d)
		if err := schematest.Validate(schema.Services, d); err != nil {
			t.Errorf("%v in %s", err, d)
		}
		if !utf8.ValidString(b.String()) {
			t.Error("broken UTF-8")
		}
		for _, r := range b.String() {
			if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Fatalf("%U in %q", r, b.String())
			}
		}
	})
}
