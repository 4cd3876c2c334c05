package icd

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

// An Observation is one line: who saw what, when.
type Observation struct {
	At    Seconds // since the start of the file
	By    string  // see [ByMDNS] and the others
	Event string
	// Node and Ext name the device that the line is about where it is not the
	// one that the file is about.
	Node, Ext NodeName
	// What is a pointer to the event's type ([Announce], [Child], …), nil where
	// the event is not known here.
	What any

	raw []byte // the line as it was read, so that what is not understood is not lost
}

type envelope struct {
	T     *Seconds `json:"t"`
	By    string   `json:"by"`
	Event string   `json:"event"`
	Node  NodeName `json:"node,omitempty"`
	Ext   NodeName `json:"ext,omitempty"`
}

// UnmarshalJSON reads a line. On an error o is left as it was.
func (o *Observation) UnmarshalJSON(line []byte) error {
	var e envelope
	if err := json.Unmarshal(line, &e); err != nil {
		return plain(err)
	}
	switch {
	case e.T == nil:
		return errors.New(`"t" is missing: want seconds from the start`)
	case e.By == "" || e.Event == "":
		return errors.New(`"by" or "event" is missing`)
	}
	n := Observation{At: *e.T, By: e.By, Event: e.Event, Node: e.Node, Ext: e.Ext, raw: bytes.Clone(line)}
	if make := rows[[2]string{e.By, e.Event}]; make != nil {
		n.What = make()
		err := json.Unmarshal(line, n.What)
		for range maxMends {
			if err == nil {
				break
			}
			mended := mend(line, err)
			if mended == nil {
				break
			}
			line, n.What = mended, make()
			err = json.Unmarshal(line, n.What)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", e.By, e.Event, plain(err))
		}
	}
	*o = n
	return nil
}

// MarshalJSON writes a line: as it was read, or the fields of What after the
// common ones.
func (o Observation) MarshalJSON() ([]byte, error) {
	if o.raw != nil {
		return o.raw, nil
	}
	head, err := json.Marshal(envelope{T: &o.At, By: o.By, Event: o.Event, Node: o.Node, Ext: o.Ext})
	if err != nil || o.What == nil {
		return head, err
	}
	body, err := json.Marshal(o.What)
	if err != nil {
		return nil, err
	}
	if len(body) < 3 || body[0] != '{' { // no fields
		return head, nil
	}
	head[len(head)-1] = ','
	return append(head, body[1:]...), nil
}

// plain takes the names of Go types out of a message that a user reads.
func plain(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		if mismatch.Field == "" {
			return fmt.Errorf("a JSON %s where an object was expected", mismatch.Value)
		}
		return fmt.Errorf("field %q can't be a JSON %s", mismatch.Field, mismatch.Value)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not JSON: %w", err)
	}
	return err
}

// compare orders observations in time, and those of one time in a way that does
// not depend on how they came.
func (o *Observation) compare(p *Observation) int {
	if c := cmp.Or(cmp.Compare(o.At, p.At), cmp.Compare(o.By, p.By), cmp.Compare(o.Event, p.Event)); c != 0 {
		return c
	}
	a, _ := o.MarshalJSON() // of what was read, or of types that always can be
	b, _ := p.MarshalJSON()
	return bytes.Compare(a, b)
}
