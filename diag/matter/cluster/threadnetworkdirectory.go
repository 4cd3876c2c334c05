package cluster

import (
	"encoding/binary"
	"fmt"

	"threadmap/diag"
)

const (
	directoryPreferredExtendedPanID = 0x0000
	directoryThreadNetworks         = 0x0001
)

// Fields of ThreadNetworkStruct.
const (
	directoryExtendedPanID = iota
	directoryNetworkName
	directoryChannel
	directoryActiveTimestamp
)

// maxNetworks is how many networks of a directory are read. The attribute
// ThreadNetworkTableSize has 8 bits.
const maxNetworks = 255

// A Directory is what a node with Thread Network Directory (0x0453) knows of
// Thread networks in the home. The node itself need not be in any of them.
type Directory struct {
	Preferred diag.PANID64 // zero: unknown, or none is
	Networks  []diag.Network
}

// ThreadNetworks reads cluster 0x0453. Networks is nil where the node has no
// such list. The second result is one line for each value that was there and
// could not be used.
func ThreadNetworks(attrs Attributes) (Directory, []string) {
	r := newReader(attrs, ThreadNetworkDirectory)
	var dir Directory
	if len(r.endpoints[ThreadNetworkDirectory]) == 0 {
		return dir, nil
	}
	val, p := r.value(directoryPreferredExtendedPanID)
	dir.Preferred, _ = r.panID64(val, func() string { return p.String() + " PreferredExtendedPanID" })
	val, p = r.value(directoryThreadNetworks)
	list := r.list(val, maxNetworks, p.String()+" ThreadNetworks")
	if list == nil {
		return dir, r.problems
	}
	dir.Networks = []diag.Network{}
	for i, v := range list {
		where := fmt.Sprintf("%s ThreadNetworks row %d", p, i+1)
		id, ok := r.panID64(v.Field(directoryExtendedPanID), func() string { return where + ": ExtendedPanID" })
		if !ok {
			r.problem("%s has no ExtendedPanID: skipped", where)
			continue
		}
		n := diag.Network{ExtPANID: id}
		if s, ok := v.Field(directoryNetworkName).Text(); ok {
			n.Name = cleanText(s)
		}
		if c, known := r.number(v.Field(directoryChannel), 255, func() string { return where + ": Channel" }); known && c != 0 {
			n.Channel = diag.Some(uint8(c))
		}
		if t, known := r.number(v.Field(directoryActiveTimestamp), 1<<64-1, func() string { return where + ": ActiveTimestamp" }); known {
			n.ActiveTimestamp = diag.Some(t)
		}
		dir.Networks = append(dir.Networks, n)
	}
	return dir, r.problems
}

// panID64 reads an extended PAN id of 8 octets. Zero is none.
func (r *reader) panID64(val Value, where func() string) (diag.PANID64, bool) {
	if !val.Present() {
		return 0, false
	}
	b, ok := val.Octets()
	if !ok || len(b) != 8 {
		r.problem("%s is not 8 octets: left out", where())
		return 0, false
	}
	id := diag.PANID64(binary.BigEndian.Uint64(b))
	return id, id != 0
}
