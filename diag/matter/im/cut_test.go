package im

import (
	"errors"
	"slices"
	"testing"
)

// A list that came last when a report ended early may lack entries.
func TestCut(t *testing.T) {
	for name, c := range map[string]struct {
		reports []AttributeReport
		want    error
	}{
		"nothing":             {nil, nil},
		"a list":              {[]AttributeReport{at(t, 1, WholeValue, "16040118")}, ErrCut},
		"a list with entries": {[]AttributeReport{at(t, 1, WholeValue, "1618"), at(t, 1, AppendEntry, "0402")}, ErrCut},
		"no list":             {[]AttributeReport{at(t, 1, WholeValue, "0401")}, nil},
		"a status":            {[]AttributeReport{{Path: Path{0, 0x35, 7}, Result: Result{Status: Busy}}}, nil},
		"a list before":       {[]AttributeReport{at(t, 1, WholeValue, "16040118"), {Path: Path{0, 0x35, 8}, Data: []byte{4, 1}}}, nil},
		"a list that is torn": {[]AttributeReport{at(t, 1, WholeValue, "1618"), at(t, 2, AppendEntry, "0402")}, ErrInconsistent},
	} {
		t.Run(name, func(t *testing.T) {
			var a Assembly
			for _, r := range c.reports {
				m, err := encodeAll([]AttributeReport{r})
				if err != nil {
					t.Fatal(err)
				}
				more := slices.Concat(m[0][:len(m[0])-4], []byte{0x29, 0x03}, m[0][len(m[0])-4:]) // before the revision
				if info, err := a.Add(more, nil); err != nil || !info.More {
					t.Fatal(err)
				}
			}
			a.Cut()
			a.Cut()
			v, _ := a.Value(Path{0, 0x35, 7})
			if c.want == ErrCut { // it is said again, and nothing is cut after the end
				m, _ := encodeAll([]AttributeReport{at(t, 1, WholeValue, "16040118")})
				if _, err := a.Add(m[0], nil); err != nil {
					t.Fatal(err)
				}
				a.Cut()
				if again, _ := a.Value(v.Path); again.Err != nil {
					t.Errorf("%v", again.Err)
				}
			}
			if !errors.Is(v.Err, c.want) || (c.want != nil) != (v.Err != nil) {
				t.Errorf("%v, want %v", v.Err, c.want)
			}
			total := 0
			for v := range a.Values() {
				total += len(v.Data)
			}
			if a.bytes != total {
				t.Errorf("%d bytes counted of %d", a.bytes, total)
			}
		})
	}
}
