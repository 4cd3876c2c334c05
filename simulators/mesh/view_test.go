package mesh

import (
	"encoding/hex"
	"fmt"
	"testing"

	"threadmap/diag"
)

// route64 is the value of TLV 5 for node i without the sequence: mask, then an
// octet a router. A codec of the test's own: the product's is tested elsewhere.
func route64(v *View, i int) string {
	var mask [8]byte
	var rows []byte
	for _, r := range v.Route64(i) {
		mask[r.RouterID/8] |= 0x80 >> (r.RouterID % 8)
		rows = append(rows, r.LQOut<<6|r.LQIn<<4|r.Cost)
	}
	return hex.EncodeToString(append(mask[:], rows...))
}

// The captured numbers of OpenThread (2026-08), one commissioner's multicast
// of Network Diagnostic TLVs 0, 1, 5 and 16 over the nine-node mesh.
func TestLabTablesAreTheCaptured(t *testing.T) {
	m := Lab(0)
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	v := m.View()
	for _, c := range []struct {
		ext      diag.ExtAddr
		rloc16   uint16
		route64  string
		children string
	}{
		{0x0e01010101010101, 0x6800, "0000832040008000" + "e207f1010706", ""},
		{0x0e02020202020202, 0x5c00, "0000832040008000" + "f10601f10605", "66020f"},
		{0x0e03030303030303, 0x4000, "0000832040008000" + "0105f1b20594", ""},
		{0x0e04040404040404, 0xc000, "0000832040008000" + "64f10506f101", ""},
		{0x0e05050505050505, 0x8400, "0000832040008000" + "0562060701f1", "660104"},
		{0x0e06060606060606, 0x5800, "0000832040008000" + "0501060792f1", "660104"},
		{0x0e09090909090909, 0x5c02, "0000832040008000" + "020701020706", ""},
	} {
		i := v.Find(c.ext)
		if i < 0 || v.Node(i).RLOC16() != c.rloc16 || v.ByRLOC16(0, c.rloc16) != i {
			t.Errorf("%s: not found as 0x%04x", c.ext, c.rloc16)
			continue
		}
		if got := route64(v, i); got != c.route64 {
			t.Errorf("0x%04x: Route64 %s, captured %s", c.rloc16, got, c.route64)
		}
		got := ""
		for _, k := range v.Children(i) {
			mode := byte(4)
			for _, f := range []struct {
				on  bool
				bit byte
			}{{k.Mode.RxOnWhenIdle, 8}, {k.Mode.FullThreadDevice, 2}, {k.Mode.FullNetworkData, 1}} {
				if f.on {
					mode |= f.bit
				}
			}
			got += fmt.Sprintf("%04x%02x", uint16(k.TimeoutExponent())<<11|uint16(k.Heard.LQ)<<9|k.RLOC16&0x1ff, mode)
		}
		if got != c.children {
			t.Errorf("0x%04x: child table %q, captured %q", c.rloc16, got, c.children)
		}
	}
}
