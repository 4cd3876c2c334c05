package icd

import (
	"encoding/json"
)

// A Verdict is what is known about one device and one of its subscribers.
type Verdict struct {
	Node       NodeName
	At         Seconds // when: what came later was not looked at
	Rung       int     // of the evidence ladder, 0 (only listened) to 4 (inside a controller)
	Subscriber string  // whose
	Mode       Mode    // a device that sleeps for long is another investigation: it checks in
	Chain      []LinkState
	Healthy    *bool // nil: nothing is seen broken, but not all is seen
	Link       Link  // the first broken one, 0: none
	Party      Party
	// Parties are those of the causes that stand first, where there is a sign of
	// them: several where it can't be told whose matter it is. Empty where all that
	// is left is possible.
	Parties  []Party
	Causes   []CauseFound // the likeliest first; those of equal confidence at its head can't be told apart
	Excluded []Exclusion
	Await    []Await
	Next     *Step // nil: nothing to settle
	Facts    []Fact
	Others   []Verdict // about the other subscribers; theirs is empty
}

// A LinkState says what is known of a link, and by what.
type LinkState struct {
	Link    Link     `json:"link"`
	State   State    `json:"state"`
	Because []string `json:"because"`
}

// A CauseFound is a cause that remains.
type CauseFound struct {
	ID         string     `json:"id"`
	Confidence Confidence `json:"confidence"`
	For        []string   `json:"for"`
	Against    []string   `json:"against"`

	signs int
}

// An Exclusion is a cause that an observation rules out.
type Exclusion struct {
	ID      string `json:"id"`
	Because string `json:"because"`
}

// An Await is something that may still happen by itself.
type Await struct {
	What      string  `json:"what"`
	NotBefore Seconds `json:"not_before"`
	NotAfter  Seconds `json:"not_after"`
}

// A Step is what to do next, and what it would settle.
type Step struct {
	Do      string `json:"do"`
	Because string `json:"because"` // in words, with the causes' titles
	// Separates are the causes by id that it would tell apart: those of one set
	// stay together. Empty where it settles nothing.
	Separates [][]string `json:"separates"`
}

// MarshalJSON writes the step.
func (s Step) MarshalJSON() ([]byte, error) {
	type body Step
	s.Separates = some(s.Separates)
	return json.Marshal(body(s))
}

// A Fact is a circumstance that explains without being anybody's fault (R5,
// R16, R18), or something that the observer did.
type Fact struct {
	ID   string `json:"id"`
	Says string `json:"says"`
}

// State is what is known of one link.
func (v *Verdict) State(l Link) State {
	for _, s := range v.Chain {
		if s.Link == l {
			return s.State
		}
	}
	return Unknown
}

// Works reports whether nothing is broken and presses arrive, though not every
// link on the way was observed: for its user the device is back. The links that
// nobody could look at are those of unseen.
func (v *Verdict) Works() (unseen []Link, ok bool) {
	for _, s := range v.Chain {
		if s.State == Unknown {
			unseen = append(unseen, s.Link)
		}
	}
	n := len(v.Chain)
	return unseen, v.Link == 0 && len(v.Causes) == 0 && n > 0 && v.Chain[n-1].State == Seen && len(unseen) > 0
}

// TopCauses are the causes that stand first with equal confidence.
func (v *Verdict) TopCauses() []string {
	var out []string
	for _, c := range v.Causes {
		if c.Confidence != v.Causes[0].Confidence {
			break
		}
		out = append(out, c.ID)
	}
	return out
}

// MarshalJSON writes the document "threadmap-icd", version 1.
func (v Verdict) MarshalJSON() ([]byte, error) {
	type body struct {
		Node       NodeName     `json:"node"`
		At         Seconds      `json:"at"`
		Rung       int          `json:"rung"`
		Subscriber string       `json:"subscriber"`
		Mode       Mode         `json:"mode"`
		Chain      []LinkState  `json:"chain"`
		Healthy    *bool        `json:"healthy"`
		Link       Link         `json:"link"`
		Party      Party        `json:"party"`
		Parties    []Party      `json:"parties"`
		Causes     []CauseFound `json:"causes"`
		Excluded   []Exclusion  `json:"excluded"`
		Await      []Await      `json:"await"`
		Next       *Step        `json:"next"`
		Facts      []Fact       `json:"facts"`
		Others     []Verdict    `json:"others"`
	}
	b := body{v.Node, v.At, v.Rung, v.Subscriber, v.Mode, v.Chain, v.Healthy, v.Link, v.Party, some(v.Parties),
		some(v.Causes), some(v.Excluded), some(v.Await), v.Next, some(v.Facts), some(v.Others)}
	return json.Marshal(struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
		body
	}{"threadmap-icd", 1, b})
}

// some is the list, empty rather than null.
func some[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
