package netdiag

import (
	"encoding/binary"
	"fmt"

	"threadmap/diag"
)

// NoNextHop is written for "no next hop".
const NoNextHop = 63

// A Route64 is TLV 5 (Thread 5.16.1): the routers that a node knows of and what
// it costs to reach them. A child that is a full Thread device has one too, with
// no qualities in it.
type Route64 struct {
	IDSequence uint8 // of the set of router ids
	Rows       []Route64Row
}

// A Route64Row is about one router.
type Route64Row struct {
	RouterID uint8 // 0..62
	LQOut    uint8 // 0..3, what the other receives of the speaker; both 0: no direct link
	LQIn     uint8 // 0..3, what the speaker receives
	Cost     uint8 // of the whole path, 0..15; 0: unreachable. The speaker itself has 1
}

// AppendRoute64 appends TLV 5. Rows may be in any order; of two about one
// router the later counts, and rows of impossible routers are left out.
func AppendRoute64(b []byte, r Route64) []byte {
	v := append(make([]byte, 0, 9+len(r.Rows)), r.IDSequence)
	mask, at := idMask(len(r.Rows), func(i int) uint8 { return r.Rows[i].RouterID })
	v = binary.BigEndian.AppendUint64(v, mask)
	for _, i := range at {
		if i >= 0 {
			w := r.Rows[i]
			v = append(v, w.LQOut&3<<6|w.LQIn&3<<4|w.Cost&15)
		}
	}
	return AppendTLV(b, TypeRoute64, v)
}

// ParseRoute64 reads the value of TLV 5. Rows are in the order of router ids.
func ParseRoute64(v []byte) (Route64, error) {
	if err := length(TypeRoute64, v, 9); err != nil {
		return Route64{}, err
	}
	r := Route64{IDSequence: v[0], Rows: []Route64Row{}}
	err := eachID(TypeRoute64, v[1:], 1, func(id uint8, o []byte) {
		r.Rows = append(r.Rows, Route64Row{id, o[0] >> 6, o[0] >> 4 & 3, o[0] & 15})
	})
	if err != nil {
		return Route64{}, err
	}
	return r, nil
}

// An EnhancedRouteRow is a row of TLV 37 (Thread 1.4), which unlike Route64
// tells next hops.
type EnhancedRouteRow struct {
	RouterID uint8 // 0..62
	Self     bool
	HasLink  bool
	LQOut    uint8 // 0..3, what the other receives of the speaker
	LQIn     uint8 // 0..3, what the speaker receives
	NextHop  uint8 // router id, NoNextHop; beside a direct link it is the alternative
	Cost     uint8 // as the next hop claims it, without the link to it, 0..15
}

// AppendEnhancedRoute appends TLV 37. As [AppendRoute64] it sorts the rows.
func AppendEnhancedRoute(b []byte, rows []EnhancedRouteRow) []byte {
	mask, at := idMask(len(rows), func(i int) uint8 { return rows[i].RouterID })
	v := binary.BigEndian.AppendUint64(make([]byte, 0, 8+2*len(rows)), mask)
	for _, i := range at {
		if i >= 0 {
			w := rows[i]
			v = append(v, bit(w.Self, 7)|bit(w.HasLink, 6)|w.LQOut&3<<4|w.LQIn&3<<2|w.NextHop>>4&3, w.NextHop<<4|w.Cost&15)
		}
	}
	return AppendTLV(b, TypeEnhancedRoute, v)
}

// ParseEnhancedRoute reads the value of TLV 37. Rows are in the order of router
// ids; never nil without an error.
func ParseEnhancedRoute(v []byte) ([]EnhancedRouteRow, error) {
	if err := length(TypeEnhancedRoute, v, 8); err != nil {
		return nil, err
	}
	rows := []EnhancedRouteRow{}
	err := eachID(TypeEnhancedRoute, v, 2, func(id uint8, o []byte) {
		n := binary.BigEndian.Uint16(o)
		rows = append(rows, EnhancedRouteRow{
			RouterID: id, Self: n&0x8000 != 0, HasLink: n&0x4000 != 0, LQOut: uint8(n >> 12 & 3), LQIn: uint8(n >> 10 & 3),
			NextHop: uint8(n >> 4 & 63), Cost: uint8(n & 15),
		})
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// idMask makes a router id mask, the most significant bit for router 0, and
// says which of n rows is about which router; -1: none.
func idMask(n int, id func(int) uint8) (mask uint64, at [diag.MaxRouterID + 1]int) {
	for i := range at {
		at[i] = -1
	}
	for i := range n {
		if r := id(i); r <= diag.MaxRouterID {
			at[r] = i
			mask |= 1 << (63 - r)
		}
	}
	return mask, at
}

// eachID reads a router id mask of eight octets and calls row for each router
// in it, with its size octets.
func eachID(typ uint8, v []byte, size int, row func(id uint8, o []byte)) error {
	mask := binary.BigEndian.Uint64(v)
	if mask&1 != 0 {
		return fmt.Errorf("%s: router id 63, which nobody has", TypeName(typ))
	}
	v = v[8:]
	for id := range uint8(diag.MaxRouterID + 1) {
		if mask&(1<<(63-id)) == 0 {
			continue
		}
		if len(v) < size {
			return fmt.Errorf("%s: cut short at router %d", TypeName(typ), id)
		}
		row(id, v[:size])
		v = v[size:]
	}
	return nil
}
