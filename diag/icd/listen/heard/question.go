package heard

import (
	"slices"
	"strings"
	"time"

	"threadmap/diag/icd"
	"threadmap/discovery"
)

// maxTypes bounds the types of one question.
const maxTypes = 8

// question takes a message with questions.
func (c *conversion) question() {
	if len(c.m.Claims) > 0 {
		return // a probe: somebody wants the name for himself
	}
	var names []discovery.Name
	types := map[discovery.Name][]string{}
	for _, q := range c.m.Questions {
		f := q.Name.Fold()
		c.noteAsk(f, c.o.At)
		if !c.about(f) {
			continue
		}
		if types[f] == nil {
			names = append(names, q.Name)
		}
		if t := q.Type.String(); len(types[f]) < maxTypes && !slices.Contains(types[f], t) {
			types[f] = append(types[f], t)
		}
	}
	for _, n := range names {
		f := n.Fold()
		if last := c.lastAsked(f); last != nil {
			*last = c.o.At
		}
		what := &icd.Question{Name: n.String(), Types: types[f], From: text(c.from(c.o))}
		c.tell(c.own[f] != nil || c.isDevice(n), "question", f.String()+" "+strings.Join(types[f], ","), what)
	}
}

// about reports whether a question for the name tells something of the device.
func (c *conversion) about(f discovery.Name) bool {
	if c.own[f] != nil || c.isDevice(f) {
		return true
	}
	if k, ok := kindOf(f.Parent()); ok && k == discovery.KindMatter {
		fabric, _, ok := discovery.OperationalID(f.First())
		return ok && !c.siblings[f] && (c.fabrics[fabric] || len(c.fabrics) == 0)
	}
	for _, r := range c.subscribers {
		if !r.host.IsRoot() && r.host.Fold() == f {
			return true
		}
	}
	return false
}

// lastAsked is where it is noted that a question for the name was told of; nil
// where the name is not known.
func (c *conversion) lastAsked(f discovery.Name) *time.Time {
	if h := c.hosts[f]; h != nil {
		return &h.asked
	}
	return nil
}
