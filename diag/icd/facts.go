package icd

// A circumstance explains what is seen, and is nobody's fault.
type circumstance struct {
	id   string
	find func(*view, *history) string // "": not so
}

var circumstances = []circumstance{factR5, factR16, factR18, factOrderly, factUnaided, factEffects}

func (v *view) facts(h *history) []Fact {
	out := []Fact{}
	for _, c := range circumstances {
		if says := c.find(v, h); says != "" {
			out = append(out, Fact{c.id, says})
		}
	}
	return out
}
