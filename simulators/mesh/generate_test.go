package mesh

import (
	"reflect"
	"testing"
)

func TestGeneratorsObeyTheProtocol(t *testing.T) {
	for name, h := range map[string]*Home{
		"home": HomeOf50(1), "troubled": TroubledHome(1), "line 1": Line(1), "line 5": Line(5), "line 40": Line(40),
		"office": Office(1, 250), "office 2": Office(1, 2), "campus": Campus(1), "scale 1": ScaleTo(1), "scale": ScaleTo(16000), "lab": {Networks: []*Mesh{Lab(20)}},
	} {
		if err := h.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for seed := range uint64(300) {
		if err := Random(seed, RandomOptions{Faults: 6}).Validate(); err != nil {
			t.Errorf("random %d: %v", seed, err)
		}
		if err := HomeOf50(seed).Validate(); err != nil {
			t.Errorf("home %d: %v", seed, err)
		}
		if err := TroubledHome(seed).Validate(); err != nil {
			t.Errorf("troubled %d: %v", seed, err)
		}
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name            string
		h               *Home
		nodes, networks int
	}{
		{"home", HomeOf50(1), 50, 3}, {"office", Office(1, 250), 250, 1}, {"campus", Campus(1), 2000, 10}, {"scale", ScaleTo(16000), 16000, 64},
		{"scale odd", ScaleTo(777), 777, 4}, {"line", Line(40), 40, 1}, {"lab", &Home{Networks: []*Mesh{Lab(20)}}, 29, 1},
	} {
		if c.h.Nodes() != c.nodes || len(c.h.Networks) != c.networks {
			t.Errorf("%s: %d nodes in %d networks, want %d in %d", c.name, c.h.Nodes(), len(c.h.Networks), c.nodes, c.networks)
		}
	}
	br, otbr := 0, map[int]int{}
	for _, m := range HomeOf50(1).Networks {
		for _, n := range m.Nodes {
			if n.BorderRouter {
				br++
				otbr[n.OTBR]++
			}
		}
	}
	if br != 6 || otbr[1] != 1 || otbr[2] != 1 || otbr[3] != 1 {
		t.Errorf("home: %d border routers, OTBR generations %v", br, otbr)
	}
}

func TestSameSeedSameHome(t *testing.T) {
	for seed := range uint64(20) {
		for name, make := range map[string]func(uint64) *Home{
			"random":   func(s uint64) *Home { return Random(s, RandomOptions{Faults: 3}) },
			"troubled": TroubledHome,
			"office":   func(s uint64) *Home { return Office(s, 60) },
		} {
			if a, b := make(seed), make(seed); !reflect.DeepEqual(a, b) {
				t.Errorf("%s: seed %d gives two homes", name, seed)
			}
			if a, b := make(seed), make(seed+1); reflect.DeepEqual(a.Networks, b.Networks) {
				t.Errorf("%s: seeds %d and %d give one home", name, seed, seed+1)
			}
		}
	}
}

// What property tests rely on does occur: router 0, several partitions, equal
// RLOC16s in different networks, each fault.
func TestRandomIsOddEnough(t *testing.T) {
	var zero, parts, equal int
	faults := map[FaultKind]int{}
	for seed := range uint64(200) {
		h := Random(seed, RandomOptions{Faults: 6})
		seen := map[uint16]int{}
		for k, m := range h.Networks {
			if len(m.Partitions) > 1 {
				parts++
			}
			for i := range m.Nodes {
				r := m.Nodes[i].RLOC16()
				if r == 0 {
					zero++
				}
				if first, ok := seen[r]; ok && first != k {
					equal++
				}
				seen[r] = k
			}
			for _, f := range m.Faults {
				faults[f.Kind]++
			}
		}
	}
	if zero < 20 || parts < 10 || equal < 20 || len(faults) < 10 {
		t.Errorf("RLOC16 0x0000 %d times, %d networks in partitions, %d equal RLOC16s, faults %v", zero, parts, equal, faults)
	}
}

func BenchmarkScaleTo16000(b *testing.B) {
	for b.Loop() {
		ScaleTo(16000)
	}
}

func BenchmarkReports16000(b *testing.B) {
	h := ScaleTo(16000)
	for b.Loop() {
		h.Reports(ReportOptions{})
	}
}
