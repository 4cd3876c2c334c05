package diag

import (
	"math"
	"testing"
	"time"
)

func TestRoles(t *testing.T) {
	for role, want := range map[Role][2]bool{ // routes, is a child
		RoleUnknown: {}, RoleDetached: {}, RoleRouter: {true, false}, RoleLeader: {true, false},
		RoleSleepyEndDevice: {false, true}, RoleEndDevice: {false, true}, RoleREED: {false, true},
	} {
		if got := [2]bool{role.Routes(), role.IsChild()}; got != want {
			t.Errorf("%q: %v", role, got)
		}
	}
}

func TestMode(t *testing.T) {
	for b, want := range map[byte]struct {
		text string
		role Role
	}{
		0x0f: {"rdn", RoleEndDevice}, 0x0b: {"rdn", RoleEndDevice}, // bit 2 is reserved
		0x08: {"r", RoleEndDevice}, 0x02: {"d", RoleEndDevice}, 0x01: {"n", RoleSleepyEndDevice},
		0x00: {"-", RoleSleepyEndDevice}, 0xf4: {"-", RoleSleepyEndDevice},
	} {
		if m := ModeFromTLV(b); m.String() != want.text || m.Role() != want.role {
			t.Errorf("0x%02x: %s, %s", b, m, m.Role())
		}
	}
}

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		r        Rate
		permille int
		text     string
	}{{0, 0, "0.0%"}, {RateFromPercent(1), 10, "1.0%"}, {RateFromPercent(50), 500, "50.0%"}, {65535, 1000, "100.0%"},
		{RateFromPercent(math.MaxUint64), 1000, "100.0%"}, {RateFromShare(0.0061), 6, "0.6%"}, {RateFromShare(1), 1000, "100.0%"},
		{RateFromShare(-1), 0, "0.0%"}, {RateFromShare(math.NaN()), 0, "0.0%"}, {RateFromShare(math.Inf(1)), 1000, "100.0%"},
		{RateFromShare(math.Inf(-1)), 0, "0.0%"}, {RateFromShare(math.SmallestNonzeroFloat64), 0, "0.0%"}, {1, 0, "0.0%"}} {
		if tt.r.Permille() != tt.permille || tt.r.String() != tt.text {
			t.Errorf("%d: %d, %s; want %d, %s", uint16(tt.r), tt.r.Permille(), tt.r, tt.permille, tt.text)
		}
	}
	for p := range uint64(101) {
		if got := RateFromPercent(p).Permille(); got != int(p)*10 {
			t.Errorf("%d %%: %d per mille", p, got)
		}
	}
}

func TestThreadVersionName(t *testing.T) {
	for v, want := range map[uint16]string{0: "", 1: "1.0", 2: "1.1", 3: "1.2", 4: "1.3", 5: "1.4", 6: "", 65535: ""} {
		if got := ThreadVersionName(v); got != want {
			t.Errorf("%d: %q", v, got)
		}
	}
}

func TestNamesOfKinds(t *testing.T) {
	seen := map[string]bool{}
	for w := Witness(0); w <= WitnessHost+1; w++ {
		seen[w.String()] = true
	}
	if len(seen) != int(WitnessHost)+1 || !seen["unknown witness"] {
		t.Error(seen)
	}
	clear(seen)
	for k := NameKind(0); k <= NameHost+1; k++ {
		seen[k.String()] = true
	}
	if len(seen) != int(NameHost)+1 || !seen["unknown"] {
		t.Error(seen)
	}
}

func TestNothingSaid(t *testing.T) {
	if !(Network{}).IsZero() || !(LeaderData{}).IsZero() {
		t.Error("the zero value says something")
	}
	for i, n := range []Network{{ExtPANID: 1}, {Name: "x"}, {PANID: Some[uint16](0)}, {Channel: Some[uint8](0)}, {ActiveTimestamp: Some[uint64](0)},
		{BorderRouters: []RLOC16{}}, {NetworkData: []byte{}}} {
		if n.IsZero() {
			t.Errorf("network %d says nothing", i)
		}
	}
	if (LeaderData{RouterID: Some[uint8](0)}).IsZero() {
		t.Error("leader router 0 is nothing")
	}
}

func TestMerge(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	a := &Scan{From: at(10), To: at(20), Probe: "attic", Complete: true, Reports: []Report{{Source: "a"}}, Sources: []SourceState{{Name: "x"}}}
	b := &Scan{From: at(5), To: at(15), Probe: "cellar", Complete: true, Reports: []Report{{Source: "b"}}, Problems: []Problem{{Text: "p"}}}
	none := &Scan{Complete: true}
	m := Merge(a, none, b)
	if m.From != at(5) || m.To != at(20) || !m.Complete || m.Probe != "" || len(m.Reports) != 2 || m.Reports[1].Source != "b" ||
		len(m.Sources) != 1 || len(m.Problems) != 1 {
		t.Errorf("%+v", m)
	}
	if one := Merge(a); one.Probe != "attic" || !one.Complete || len(one.Reports) != 1 {
		t.Errorf("%+v", one)
	}
	m.Reports[0].Source = "changed"
	_ = append(m.Reports[:1], Report{Source: "changed"})
	if a.Reports[0].Source != "a" || b.Reports[0].Source != "b" {
		t.Error("the merged scan shares its list with a part")
	}
	if Merge().Complete || Merge().Reports == nil || Merge(a, &Scan{}).Complete || Merge(a, nil).Complete {
		t.Error("complete without reason")
	}
}

func TestProblemError(t *testing.T) {
	var err error = Problem{Source: "otbr", Target: "http://192.0.2.7:8081", Stage: StageAsk, Text: "timed out"}
	if got, want := err.Error(), "otbr http://192.0.2.7:8081: ask: timed out"; got != want {
		t.Errorf("%q", got)
	}
}
