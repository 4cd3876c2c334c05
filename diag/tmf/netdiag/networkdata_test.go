package netdiag

import (
	"encoding/hex"
	"net/netip"
	"reflect"
	"testing"

	"threadmap/diag"
)

// Network data captured from OpenThread border routers of 2025-09 and 2026-08,
// and, "esp", from a public bug report about ESP Thread BR.
const (
	captured2025 = "03140040fdef7c1ef8fc00010702124005046800f10008040b0230e10b0e8001010d0968003f000500000e1003080007fc01036800100b1981015d0d146800fd000db800a00000b11dca0783a06f69d120"
	captured2026 = "030e0040fdf027d3e9ad00010702014003080007fc010368001008040b0230dd0b1980015d0d146800fd000db800a00000b11dca0783a06f69d1200b0e8101010d0968003d000500000e1003140040fdef7c1ef8fc000105046800f10007021240"
	capturedSpec = "03140040fdf027d3e9ad000105046800f10007021140" + "03080007fc010368001008" + "0b090268000b0230c2080100"
	capturedESP  = "08040b02391a03100040fd8afd347273000105044400f30003070000010344000003130060fd8afd34727300020000000001034400e00b1980015d0d144400fdec29c2f04b4b23fc4b9b0d2fb13cead1240b0e8101010d09440075000500000e10"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, s string) NetworkData {
	t.Helper()
	d, err := ParseNetworkData(unhex(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCapturedWithCommissioner(t *testing.T) {
	br := diag.MakeRLOC16(0x6800)
	want := NetworkData{
		Prefixes: []Prefix{{
			Stable: true, Prefix: netip.MustParsePrefix("fdf0:27d3:e9ad:1::/64"),
			BorderRouters: []BorderRouter{{Stable: true, RLOC16: br, Preference: -1, Preferred: true, SLAAC: true, OnMesh: true}},
			Contexts:      []Context{{Stable: true, ID: 1, Compress: true, Length: 64}},
		}, {
			Stable: true, Prefix: netip.MustParsePrefix("fc00::/7"),
			Routes: []HasRoute{{Stable: true, RLOC16: br, AdvPIO: true}},
		}},
		Commissioning: CommissioningData{Present: true, BorderAgentLocator: br, SessionID: diag.Some[uint16](0x30c2)},
	}
	if got := parse(t, capturedSpec); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestFacts(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		omr       []string
		routers   []uint16
		srp       []SRPServer
	}{
		{"2025", captured2025, []string{"fdef:7c1e:f8fc:1::/64"}, []uint16{0x6800},
			[]SRPServer{{RLOC16: diag.MakeRLOC16(0x6800), Addr: netip.MustParseAddrPort("[fd00:db8:a0:0:b11d:ca07:83a0:6f69]:53536")}}},
		// fdf0:… is only a context that is being phased out: nobody offers it any more.
		{"2026", captured2026, []string{"fdef:7c1e:f8fc:1::/64"}, []uint16{0x6800},
			[]SRPServer{{RLOC16: diag.MakeRLOC16(0x6800), Addr: netip.MustParseAddrPort("[fd00:db8:a0:0:b11d:ca07:83a0:6f69]:53536")}}},
		{"esp", capturedESP, []string{"fd8a:fd34:7273:1::/64"}, []uint16{0x4400},
			[]SRPServer{{RLOC16: diag.MakeRLOC16(0x4400), Addr: netip.MustParseAddrPort("[fdec:29c2:f04b:4b23:fc4b:9b0d:2fb1:3cea]:53540")}}},
		{"nothing", "", nil, nil, nil},
		{"route only, by two, RLOC16 zero is a router", "030a0000" + "0106" + "0000002c0000", nil, []uint16{0x0000, 0x2c00}, nil},
		{"on-mesh without SLAAC is no OMR prefix", "03100040fd8afd3472730001" + "05044400e100", nil, []uint16{0x4400}, nil},
		{"SLAAC without on-mesh neither", "03100040fd8afd3472730001" + "05044400f000", nil, []uint16{0x4400}, nil},
		{"reserved RLOC16 names nobody", "03070000" + "0103" + "fffe00", nil, nil, nil},
		{"anycast SRP", "0b08" + "82025c07" + "0d02" + "b000", nil, nil, []SRPServer{{RLOC16: diag.MakeRLOC16(0xb000), Anycast: true, Sequence: diag.Some[uint8](7)}}},
		{"SRP address in the service data", "0b1983135dfd0000000000000000000000000000010035" + "0d02" + "b000", nil, nil,
			[]SRPServer{{RLOC16: diag.MakeRLOC16(0xb000), Addr: netip.MustParseAddrPort("[fd00::1]:53")}}},
		{"another enterprise's service", "0b0c" + "0200000009025c07" + "0d02" + "b000", nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := parse(t, c.hex)
			omr := []netip.Prefix{}
			for _, p := range c.omr {
				omr = append(omr, netip.MustParsePrefix(p))
			}
			routers := []diag.RLOC16{}
			for _, r := range c.routers {
				routers = append(routers, diag.MakeRLOC16(r))
			}
			var n diag.Network
			d.AddTo(&n, unhex(t, c.hex))
			if !reflect.DeepEqual(n.OMRPrefixes, omr) {
				t.Errorf("OMR prefixes %v, want %v", n.OMRPrefixes, omr)
			}
			if !reflect.DeepEqual(n.BorderRouters, routers) {
				t.Errorf("border routers %v, want %v", n.BorderRouters, routers)
			}
			if got := hex.EncodeToString(n.NetworkData); got != c.hex {
				t.Errorf("raw %s, want %s", got, c.hex)
			}
			if got := d.SRPServers(); !reflect.DeepEqual(got, c.srp) {
				t.Errorf("SRP servers %+v, want %+v", got, c.srp)
			}
		})
	}
}

// A strict prefix is refused, or it ends between two TLVs of the top level and
// gives just those before the cut.
func TestEveryStrictPrefix(t *testing.T) {
	for _, s := range []string{captured2025, captured2026, capturedSpec, capturedESP} {
		b := unhex(t, s)
		ends := map[int]bool{0: true}
		for i := 0; i < len(b); {
			i += 2 + int(b[i+1])
			ends[i] = true
		}
		for n := range len(b) {
			if _, err := ParseNetworkData(b[:n]); (err == nil) != ends[n] {
				t.Errorf("first %d of %s: error %v", n, s, err)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, c := range []struct{ name, hex string }{
		{"prefix longer than an address", "03130081" + "fd8afd34727300010000000000000000" + "00"},
		{"prefix cut short", "03040040fd8a"},
		{"prefix TLV too short", "030100"},
		{"has-route of 4", "03080000" + "0104" + "44000000"},
		{"border router of 3", "03070000" + "0503" + "4400f3"},
		{"context of 1", "03050000" + "0701" + "11"},
		{"sub-TLV beyond its prefix", "03070000" + "0104" + "440000"},
		{"empty service", "0b00"},
		{"enterprise cut short", "0b03020000"},
		{"service data cut short", "0b03" + "800201"},
		{"server of 1", "0b06" + "80015d" + "0d01" + "b0"},
		{"locator of 1", "0803" + "0901" + "68"},
		{"session of 3", "0805" + "0b03" + "010203"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d, err := ParseNetworkData(unhex(t, c.hex)); err == nil {
				t.Errorf("accepted as %+v", d)
			}
		})
	}
	if _, err := ParseNetworkData(make([]byte, MaxNetworkData+1)); err == nil {
		t.Error("accepted more than MaxNetworkData")
	}
}

// The parsed value must not change when the caller uses its buffer again.
func TestKeepsNothingOfTheInput(t *testing.T) {
	b := unhex(t, captured2026)
	d, err := ParseNetworkData(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if want := parse(t, captured2026); !reflect.DeepEqual(d, want) {
		t.Errorf("changed with the input: %+v", d)
	}
}

func FuzzParseNetworkData(f *testing.F) {
	for _, s := range []string{captured2025, captured2026, capturedSpec, capturedESP, "", "0b1983135dfd0000000000000000000000000000010035" + "0d02" + "b000"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseNetworkData(b)
		if err != nil {
			return
		}
		for _, p := range d.Prefixes {
			if !p.Prefix.IsValid() || p.Prefix != p.Prefix.Masked() {
				t.Errorf("prefix %v", p.Prefix)
			}
		}
		for _, r := range d.BorderRouters() {
			if !r.Known() {
				t.Error("an unknown border router")
			}
		}
		d.OMRPrefixes()
		d.SRPServers()
	})
}
