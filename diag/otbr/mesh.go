package otbr

import (
	"slices"

	"threadmap/diag"
)

// A mesh is what a probe has learnt of the routers, to know whom it still has
// to ask.
type mesh struct {
	answered map[uint8]bool             // by router id: its own tables came
	listed   map[uint8]map[speaker]bool // by router id: whose route tables reach it
	ext      map[uint8]diag.ExtAddr     // by router id
	heard    map[speaker]bool           // whose answers came
	tried    map[uint8]bool             // by router id: asked by RLOC16
	told     map[diag.ExtAddr]bool      // routers whose silence has made a line
	routers  uint8                      // as the border router counts them; 0: unknown
}

// A speaker is a node by its address, or by its RLOC16 where it gave none.
type speaker struct {
	ext    diag.ExtAddr
	rloc16 diag.RLOC16
}

func speakerOf(r *diag.Report) speaker {
	if x := ownExt(r); x != 0 {
		return speaker{ext: x}
	}
	return speaker{rloc16: r.RLOC16}
}

func newMesh() *mesh {
	return &mesh{answered: map[uint8]bool{}, listed: map[uint8]map[speaker]bool{}, ext: map[uint8]diag.ExtAddr{}, heard: map[speaker]bool{},
		tried: map[uint8]bool{}, told: map[diag.ExtAddr]bool{}}
}

func ownExt(r *diag.Report) diag.ExtAddr {
	if len(r.Own) == 0 {
		return 0
	}
	return r.Own[0].ExtAddr
}

// first reports whether this is the first answer of its speaker.
func (m *mesh) first(r *diag.Report) bool {
	who := speakerOf(r)
	if m.heard[who] {
		return false
	}
	m.heard[who] = true
	return true
}

// learn takes what a node said.
func (m *mesh) learn(r *diag.Report) {
	if id, ok := r.RLOC16.RouterID(); ok && r.RLOC16.IsRouter() {
		if r.Routes != nil || r.Children != nil {
			m.answered[id] = true
		}
		if x := ownExt(r); x != 0 {
			m.ext[id] = x
		}
	}
	for _, row := range r.Routes {
		// Cost zero is "unreachable": an id that is still held for a router
		// that may be gone.
		if row.PathCost.Or(0) > 0 {
			if m.listed[row.RouterID] == nil {
				m.listed[row.RouterID] = map[speaker]bool{}
			}
			m.listed[row.RouterID][speakerOf(r)] = true
		}
	}
	for _, n := range r.Neighbors {
		if id, ok := n.RLOC16.RouterID(); ok && n.RLOC16.IsRouter() && n.ExtAddr != 0 && m.ext[id] == 0 {
			m.ext[id] = n.ExtAddr
		}
	}
}

// silent lists the routers that route tables reach and that did not answer.
func (m *mesh) silent() (ids []uint8) {
	for id := range m.listed {
		if !m.answered[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// complete reports whether every router answered that anybody knows of.
func (m *mesh) complete() bool {
	return len(m.silent()) == 0 && len(m.answered) >= int(m.routers)
}
