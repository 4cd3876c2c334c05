package discovery

import (
	"encoding/hex"
	"testing"
	"time"
)

// advert is a router advertisement as OpenThread's border routers send it,
// laid out by RFC 4861 and RFC 4191.
var advert = "8600" + "0000" + // type, code, checksum
	"00" + "00" + "0000" + // hop limit, flags, router lifetime 0
	"00000000" + "00000000" + // reachable time, retransmission timer
	"0304" + "40" + "c0" + "00000708" + "00000708" + "00000000" + "fd110db8000100000000000000000000" + // on-link prefix, 1800 s
	"1803" + "40" + "00" + "00000708" + "fdef7c1ef8fc0001" + "0000000000000000" + // route to the mesh's OMR prefix
	"1802" + "40" + "18" + "ffffffff" + "fd00000000000002" + // low preference, for ever
	"1801" + "00" + "08" + "00000000" + // default route, high preference, withdrawn
	"0101" + "020000000001" // source link-layer address

func TestAdvert(t *testing.T) {
	b, err := hex.DecodeString(advert)
	if err != nil {
		t.Fatal(err)
	}
	a, err := ParseAdvert(b)
	if err != nil || a.RouterLifetime != 0 || len(a.Prefixes) != 4 {
		t.Fatalf("%+v, %v", a, err)
	}
	p := a.Prefixes
	if p[0].Prefix.String() != "fd11:db8:1::/64" || p[0].Route || !p[0].OnLink || !p[0].Autonomous || p[0].Lifetime != 1800*time.Second || p[0].Preferred != 1800*time.Second {
		t.Errorf("%+v", p[0])
	}
	if p[1].Prefix.String() != "fdef:7c1e:f8fc:1::/64" || !p[1].Route || p[1].Preference != 0 {
		t.Errorf("%+v", p[1])
	}
	if p[2].Lifetime != Forever || p[2].Preference != -1 || p[3].Prefix.String() != "::/0" || p[3].Preference != 1 || p[3].Lifetime != 0 {
		t.Errorf("%+v %+v", p[2], p[3])
	}
	whole := map[int]bool{16: true, 48: true, 72: true, 88: true, 96: true} // where an option ends
	for n := range b {
		if _, err := ParseAdvert(b[:n]); (err == nil) != whole[n] {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func FuzzAdvert(f *testing.F) {
	b, _ := hex.DecodeString(advert)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAdvert(b)
		if err != nil {
			return
		}
		if len(a.Prefixes) > maxAdvertPrefixes {
			t.Error(len(a.Prefixes))
		}
		for _, p := range a.Prefixes {
			if !p.Prefix.IsValid() || p.Prefix != p.Prefix.Masked() {
				t.Errorf("%+v", p)
			}
		}
	})
}
