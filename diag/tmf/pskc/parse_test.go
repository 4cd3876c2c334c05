package pskc

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"threadmap/diag"
)

const canary = "82bd66995ab150de4dab943937b2b66d"

func TestParse(t *testing.T) {
	want := unhexT(t, canary)
	for _, s := range []string{canary, strings.ToUpper(canary), "0x" + canary, " " + canary + "\r\n", "82:bd:66:99:5a:b1:50:de:4d:ab:94:39:37:b2:b6:6d", "82bd6699 5ab150de 4dab9439 37b2b66d"} {
		got, err := Parse(s)
		if err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%q: %x, %v", s, got.Bytes(), err)
		}
	}
	for _, s := range []string{"", "0x", canary[1:], canary[2:], canary + "00", canary[:31] + "g", canary + canary, strings.Repeat(canary, 1000), "\x00" + canary, "ö" + canary} {
		got, err := Parse(s)
		if err == nil || !got.IsZero() {
			t.Errorf("%q was accepted", s)
		} else if leaks(err) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

// leaks reports whether an error quotes any octets of the canary.
func leaks(err error) bool {
	e := strings.ToLower(err.Error())
	for i := 0; i+4 <= len(canary); i++ {
		if strings.Contains(e, canary[i:i+4]) {
			return true
		}
	}
	return false
}

// Captured from OpenThread border router of 2026-08: its active dataset.
const dataset = "0E080000000000010000000300000F35060004001FFFE00208DEAD00BEEF00CAFE0708FD000DB800A00000051000112233445566778899AABBCCDDEEFF030C5468726561644D61704C61620102FACE041082BD66995AB150DE4DAB943937B2B66D0C0402A0F7F8"

func TestParseDataset(t *testing.T) {
	for _, s := range []string{dataset, strings.ToLower(dataset), dataset + "\r\n", dataset[:100] + "\n" + dataset[100:], dataset + "\r\nDone\r\n", "  0x" + dataset} {
		d, err := ParseDataset(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if !bytes.Equal(d.PSKc.Bytes(), unhexT(t, canary)) {
			t.Errorf("PSKc %x", d.PSKc.Bytes())
		}
		d.PSKc = Secret{}
		if want := (Dataset{
			ActiveTimestamp: diag.Some[uint64](1 << 16), ChannelPage: diag.Some[uint8](0), Channel: diag.Some[uint16](15), PANID: diag.Some[uint16](0xface),
			ExtPANID: 0xdead00beef00cafe, Name: "ThreadMapLab", MeshLocalPrefix: netip.MustParsePrefix("fd00:db8:a0::/64"),
		}); d != want {
			t.Errorf("%+v, want\n%+v", d, want)
		}
	}
}

// Absent is unknown, and page or channel zero is a value.
func TestParseDatasetUnknown(t *testing.T) {
	d, err := ParseDataset("0003 00 0000")
	if err != nil || d.Channel != diag.Some[uint16](0) || d.ChannelPage != diag.Some[uint8](0) || d.PANID.Known() || d.ActiveTimestamp.Known() || d.MeshLocalPrefix.IsValid() || !d.PSKc.IsZero() {
		t.Errorf("%+v, %v", d, err)
	}
	// A type of the future survives.
	if d, err := ParseDataset("fe03 010203 0102 1234"); err != nil || d.PANID != diag.Some[uint16](0x1234) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestParseDatasetRefuses(t *testing.T) {
	for what, s := range map[string]string{
		"nothing":                  "",
		"Done alone":               "Done",
		"another language":         "the dataset",
		"an odd digit":             dataset[:len(dataset)-1],
		"JSON":                     `{"pskc":"` + canary + `"}`,
		"two datasets":             dataset + dataset,
		"PSKc twice":               "0410" + canary + "0410" + canary,
		"PSKc too short":           "040f" + canary[2:],
		"PSKc too long":            "0411" + canary + "00",
		"empty name":               "0300",
		"name of 17 octets":        "0311" + hex.EncodeToString([]byte("seventeen octets.")),
		"name that is not UTF-8":   "0302c328",
		"extended PAN id of 7":     "0207dead00beef00ca",
		"extended length":          "04ff0010" + canary,
		"longer than any":          "fafe" + strings.Repeat("00", 254),
		"megabytes":                strings.Repeat(dataset, 10000),
		"a secret where none goes": canary,
	} {
		d, err := ParseDataset(s)
		if err == nil || d != (Dataset{}) {
			t.Errorf("%s: %+v", what, d)
		} else if leaks(err) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Every strict prefix is cut off in a TLV, or at its end: then it is a
	// shorter dataset.
	ends := map[int]bool{}
	b := unhexT(t, dataset)
	for at := 0; at < len(b); at += 2 + int(b[at+1]) {
		ends[at] = at > 0
	}
	for n := range b {
		if _, err := ParseDataset(hex.EncodeToString(b[:n])); (err == nil) != ends[n] {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func FuzzParseDataset(f *testing.F) {
	f.Add(dataset)
	f.Add("fe03 010203 0102 1234\nDone")
	f.Add("04ff0010" + canary)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDataset(s)
		if err != nil {
			if d != (Dataset{}) {
				t.Fatalf("half a dataset: %+v", d)
			}
			return
		}
		if n := len(d.PSKc.Bytes()); n != 0 && n != 16 {
			t.Fatalf("a PSKc of %d octets", n)
		}
		if len(d.Name) > MaxName || d.MeshLocalPrefix.IsValid() && d.MeshLocalPrefix.Bits() != 64 {
			t.Fatalf("%+v", d)
		}
	})
}
