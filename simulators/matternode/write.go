package matternode

import (
	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// write answers a WriteRequest. Little can be written.
func (t *turn) write(payload []byte, timed bool) {
	n := t.n
	n.stats.writes.Add(1)
	r, err := im.ParseWriteRequest(payload)
	switch {
	case err != nil, r.More:
		t.status(im.InvalidAction)
		return
	case r.Timed != timed:
		t.status(im.TimedRequestMismatch)
		return
	}
	statuses := make([]im.AttributeStatus, 0, len(r.Writes))
	n.mu.Lock()
	a := t.asker(false)
	for i := range r.Writes {
		w := &r.Writes[i]
		statuses = append(statuses, im.AttributeStatus{Path: w.Path, Result: im.Result{Status: n.set(a, w)}})
	}
	n.mu.Unlock()
	if r.SuppressResponse {
		return
	}
	b, err := im.EncodeWriteResponse(statuses)
	if err != nil {
		t.status(im.ResourceExhausted)
		return
	}
	t.send(im.OpWriteResponse, b)
}

// set writes one attribute. The lock is held.
func (n *Node) set(a *asker, w *im.AttributeReport) im.Status {
	at := n.endpoint(w.Path.Endpoint)
	if at == nil {
		return im.UnsupportedEndpoint
	}
	s := at.server(w.Path.Cluster)
	if s == nil {
		return im.UnsupportedCluster
	}
	known := false
	for _, v := range n.values(at, s, a, func(uint32) bool { return false }) {
		known = known || v.id == w.Path.Attribute
	}
	if !known {
		return im.UnsupportedAttribute
	}
	if v, ok := w.Version.Get(); ok && v != n.version(clusterPath{w.Path.Endpoint, w.Path.Cluster}) {
		return im.DataVersionMismatch
	}
	d := tlv.NewDecoder(w.Data)
	d.Next()
	switch w.Path {
	case pathOf(0, basicInformation, 5):
		if a.privilege < manage {
			return im.UnsupportedAccess
		}
		label := string(d.Text())
		if s := checked(&d, len(label) > 32); s != im.Success {
			return s
		}
		n.setLabel(label)
	case pathOf(0, basicInformation, 6):
		if a.privilege < administer {
			return im.UnsupportedAccess
		}
		code := string(d.Text())
		if s := checked(&d, len(code) != 2); s != im.Success {
			return s
		}
		n.setCountry(country(code))
	case pathOf(0, generalCommissioning, 0):
		if a.privilege < administer {
			return im.UnsupportedAccess
		}
		v := d.Uint()
		if s := checked(&d, false); s != im.Success {
			return s
		}
		n.setBreadcrumb(v)
	default:
		return im.UnsupportedWrite
	}
	return im.Success
}

// checked is what to say of a value that was read.
func checked(d *tlv.Decoder, outside bool) im.Status {
	switch {
	case d.Err() != nil:
		return im.InvalidDataType
	case outside:
		return im.ConstraintError
	}
	return im.Success
}
