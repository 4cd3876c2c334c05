package dump

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"threadmap/diag"
)

// The command lines of a simulated mesh of 14 nodes (testdata/ot-2026-*): its
// border router 0x9800 is 22ecca54c0a10e29, 0x4800 (0e07…) has the rx-on child
// 0x4802 (0e13…), 0x5000 (0e04…) the sleepy child 0x5001 (0e10…), 0xa800 (0e09…)
// the sleepy child 0xa801 (0e11…).

func TestLiveRouter(t *testing.T) {
	s := read(t, "ot-2026-router.txt")
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	r := s.Reports[0]
	same(t, "speaker", []string{who(r), fmt.Sprint(r.Mode, r.EUI64, r.Leader, r.Network.OMRPrefixes, r.Network.BorderRouters), fmt.Sprint(r.Addresses)}, []string{
		"0x4800 0e07070707070707(1) router", "rdn 18b4300000000007 {588689940 64 15 51 30} [fd2c:d5c0:8cd7:1::/64] [0x9800]",
		"[fdfa:28c:5245:4354:0:ff:fe00:4800 fd2c:d5c0:8cd7:1:6a65:3108:6567:6af6 fdfa:28c:5245:4354:11d8:c57f:1efd:440 fe80::c07:707:707:707]",
	})
	// The child that "history neighbor" tells of, 0x4801, has become a router.
	same(t, "children", neighbors(r.Children), []string{"0x4802 [0e13131313131313] r v5 in 3 rssi ?/? age 1m41s"})
	if c := r.Children[0]; c.Timeout != diag.Some(240*time.Second) || c.Supervision != diag.Some(time.Duration(0)) || c.QueuedMessages != diag.Some(uint16(0)) || c.CSLSynchronized != diag.Some(false) {
		t.Errorf("child %+v", c)
	}
	for name, want := range map[diag.Counter]uint64{
		diag.TxTotalCount: 240, diag.TxRetryCount: 7, diag.RxTotalCount: 736, diag.RxErrUnknownNeighborCount: 170, diag.RxAddressFilteredCount: 190,
		diag.RouterRoleCount: 1, diag.ParentChangeCount: 0, diag.RouterMillis: 347429, diag.TrackedMillis: 375599,
	} {
		if got, ok := r.Counters[name]; !ok || got != want {
			t.Errorf("%s is %d, %v, want %d", name, got, ok, want)
		}
	}
	if n := len(r.Counters); n != len(macCounters)+15 {
		t.Errorf("%d counters: %v", n, slices.Sorted(maps.Keys(r.Counters)))
	}
}

func TestLiveSleepyChild(t *testing.T) {
	s := read(t, "ot-2026-sleepy.txt")
	if len(s.Reports) != 1 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	r := s.Reports[0]
	// Its network data is the stable part, without RLOC16s: no router 0xfffe.
	same(t, "child", []string{who(r), fmt.Sprint(r.Mode, r.Network.OMRPrefixes, r.Network.BorderRouters, r.Children == nil)}, []string{
		"0x5001 0e10101010101010(1)", "- [fd2c:d5c0:8cd7:1::/64] [] true"})
	same(t, "parent", neighbors(r.Neighbors), []string{"0x5000 [0e04040404040404] ? v5 in 3 rssi ?/? age 1m36s"})
}

func TestLiveNetworkDiagnostic(t *testing.T) {
	s := read(t, "ot-2026-networkdiagnostic.txt")
	if len(s.Reports) != 3 || len(s.Problems) != 0 {
		t.Fatalf("%d reports, %v", len(s.Reports), s.Problems)
	}
	var got []string
	for _, r := range s.Reports {
		got = append(got, fmt.Sprintf("%s br %v mode %v timeout %v/%v eui %v %s %s counters %d routes %d children %s", who(r), r.BorderRouter, r.Mode, r.Timeout, r.MaxChildTimeout, r.EUI64, r.Product, r.Firmware, len(r.Counters), len(r.Routes), count(r.Children)))
	}
	same(t, "answers", got, []string{
		"0xa800 0e09090909090909(1) br ? mode rdn timeout ?/4m0s eui 18b4300000000009 Sim-r8 1.2 counters 24 routes 9 children 1",
		"0xa801 0e11111111111111(1) br ? mode - timeout 4m0s/? eui 18b430000000000b Sim-s2 1.2 counters 24 routes 0 children ?",
		"0x9800 22ecca54c0a10e29(1) br true mode ? timeout ?/? eui    counters 0 routes 0 children ?",
	})
	same(t, "child", neighbors(s.Reports[0].Children), []string{"0xa801 [] - v? in 1 rssi ?/? age ?"})
	for name, want := range map[diag.Counter]uint64{diag.IfInErrors: 216, diag.IfOutBroadcastPkts: 77, diag.RouterMillis: 379645, diag.AttachAttemptCount: 1} {
		if got := s.Reports[0].Counters[name]; got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
}

func TestLiveBorderRouter(t *testing.T) {
	s := read(t, "ot-2026-border-router.txt")
	if len(s.Problems) != 0 {
		t.Fatal(s.Problems)
	}
	var got []string
	for _, r := range s.Reports {
		icd, _ := r.ICD.Get()
		got = append(got, fmt.Sprintf("%s %v %v %v %x %v%v lit %v %s %v", who(r), r.Hosts, r.Instances, r.Names, r.Matter, icd.SessionIdleInterval, icd.SessionActiveInterval, icd.LIT, r.Network.Name, r.Network.MeshLocalPrefix))
	}
	none := " ?? lit ?  invalid Prefix"
	same(t, "reports", got, []string{
		"0x4800 [] [] [] []" + none,
		"? 0e10101010101010(5) [0E10101010101010] [] [] []" + none,
		"? 0e07070707070707(5) [0E07070707070707] [] [] []" + none,
		"? 0e10101010101010(5) [0E10101010101010] [2906C908D115D362-0000000000000007] [] [{2906c908d115d362 7}] 5s300ms lit true  invalid Prefix",
		"? 0e07070707070707(5) [0E07070707070707] [Lamp] [{Lamp instance}] []" + none,
		"? [] [] [] []" + " ?? lit ? TmLive fdfa:28c:5245:4354::/64",
	})
	if t.Failed() {
		return
	}
	same(t, "registered addresses", []string{fmt.Sprint(s.Reports[0].Children[0].RLOC16, s.Reports[0].Children[0].Addresses), fmt.Sprint(s.Reports[3].Addresses)}, []string{
		"0x4802 [fdfa:28c:5245:4354:da7e:b218:3d40:d745 fd2c:d5c0:8cd7:1:ee97:aaf9:a55f:9498]", "[fd2c:d5c0:8cd7:1:7a4e:36ee:ce76:76d]"})
	n := s.Reports[5].Network
	if n.Channel != diag.Some(uint8(15)) || n.PANID != diag.Some(uint16(0xface)) || n.ExtPANID != 0x1ab0a9045cb5cf1d {
		t.Errorf("dataset: %+v", n)
	}
}

// "parent" prints its RLOC16 without leading zeros. Seen live when a parent had
// router id 3, and not found before, since most have ids from 4 up.
func TestLiveParentWithSmallRouterID(t *testing.T) {
	for text, want := range map[string]string{"c00": "0x0c00", "0": "0x0000", "400": "0x0400", "f800": "0xf800", "xyzw": "?", "": "?", "00c00": "?", "-1": "?", "0xc00": "?"} {
		s := paste(t, "> extaddr\n0e13131313131313\nDone\n> state\nchild\nDone\n> parent\nExt Addr: 0e07070707070707\nRloc: "+text+"\nLink Quality In: 3\nDone\n")
		if len(s.Reports) != 1 || len(s.Reports[0].Neighbors) != 1 || s.Reports[0].Neighbors[0].RLOC16.String() != want {
			t.Errorf("%q: %+v", text, s.Reports)
		}
	}
}
