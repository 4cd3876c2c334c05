package matternode

import (
	"bytes"

	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// A quality says how an attribute may change.
type quality uint8

const (
	changes        quality = 0
	fixed          quality = 1 << iota // F
	changesOmitted                     // C: without a report and a new data version
	adminOnly                          // to be read with Administer only
)

// A value is one attribute as a party sees it.
type value struct {
	id      uint32
	quality quality
	data    []byte // one anonymous element; nil: not asked for, or status tells why
	status  im.Status
}

// A table is filled with the attributes of one cluster, in ascending order.
type table struct {
	want   func(id uint32) bool // whose values are needed
	values []value
}

// put adds an attribute.
func (t *table) put(id uint32, q quality, f func(e *tlv.Encoder)) {
	v := value{id: id, quality: q}
	if t.want(id) {
		var e tlv.Encoder
		f(&e)
		b, err := e.Bytes()
		if err != nil {
			v.status = im.Failure
		} else {
			v.data = bytes.Clone(b)
		}
	}
	t.values = append(t.values, v)
}

// fails adds an attribute that can't be read now.
func (t *table) fails(id uint32, q quality, s im.Status) {
	t.values = append(t.values, value{id: id, quality: q, status: s})
}

func (t *table) uint(id uint32, q quality, v uint64) {
	t.put(id, q, func(e *tlv.Encoder) { e.PutUint(tlv.Anonymous, v) })
}

func (t *table) bool(id uint32, q quality, v bool) {
	t.put(id, q, func(e *tlv.Encoder) { e.PutBool(tlv.Anonymous, v) })
}

func (t *table) text(id uint32, q quality, v string) {
	t.put(id, q, func(e *tlv.Encoder) { e.PutText(tlv.Anonymous, v) })
}

func (t *table) octets(id uint32, q quality, v []byte) {
	t.put(id, q, func(e *tlv.Encoder) { e.PutOctets(tlv.Anonymous, v) })
}

func (t *table) null(id uint32, q quality) {
	t.put(id, q, func(e *tlv.Encoder) { e.PutNull(tlv.Anonymous) })
}

// list adds a list: entries puts them, anonymous.
func (t *table) list(id uint32, q quality, entries func(e *tlv.Encoder)) {
	t.put(id, q, func(e *tlv.Encoder) {
		e.Array(tlv.Anonymous)
		entries(e)
		e.End()
	})
}

// numbers adds a list of numbers.
func (t *table) numbers(id uint32, q quality, v []uint32) {
	t.list(id, q, func(e *tlv.Encoder) {
		for _, n := range v {
			e.PutUint(tlv.Anonymous, uint64(n))
		}
	})
}

// structure adds a structure: fields puts them, with their tags.
func (t *table) structure(id uint32, q quality, fields func(e *tlv.Encoder)) {
	t.put(id, q, func(e *tlv.Encoder) {
		e.Struct(tlv.Anonymous)
		fields(e)
		e.End()
	})
}

// entry puts a structure into a list.
func entry(e *tlv.Encoder, fields func()) {
	e.Struct(tlv.Anonymous)
	fields()
	e.End()
}

// Shorthands for the fields of structures.
func putUint(e *tlv.Encoder, tag uint8, v uint64)   { e.PutUint(tlv.Context(tag), v) }
func putBool(e *tlv.Encoder, tag uint8, v bool)     { e.PutBool(tlv.Context(tag), v) }
func putText(e *tlv.Encoder, tag uint8, v string)   { e.PutText(tlv.Context(tag), v) }
func putOctets(e *tlv.Encoder, tag uint8, v []byte) { e.PutOctets(tlv.Context(tag), v) }
func putNull(e *tlv.Encoder, tag uint8)             { e.PutNull(tlv.Context(tag)) }

// differ is which attributes differ between two tables of one cluster, as paths
// of the cluster on endpoint 0; those whose changes are omitted are left out.
func (t tableOf) differ(before tableOf) (paths []im.Path) {
	old := map[uint32][]byte{}
	for _, v := range before.values {
		old[v.id] = v.data
	}
	for _, v := range t.values {
		if v.quality&changesOmitted == 0 && !bytes.Equal(old[v.id], v.data) {
			paths = append(paths, pathOf(0, t.cluster, v.id))
		}
	}
	return paths
}

// A tableOf is the whole table of a cluster.
type tableOf struct {
	cluster uint32
	values  []value
}

func pathOf(endpoint uint16, cluster, attribute uint32) im.Path {
	return im.Path{Endpoint: endpoint, Cluster: cluster, Attribute: attribute}
}
