package matternode

import (
	"errors"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// A command is one that a cluster accepts. Its function is called with the lock
// held.
type command struct {
	id        uint32
	response  uint32 // the command that answers; noResponse: a status does
	privilege privilege
	timed     bool
	run       func(n *Node, a *asker, fields []byte) answer
}

const noResponse = 1<<32 - 1

// An answer is what becomes of a command: fields of the response command, or a
// status.
type answer struct {
	fields  func(e *tlv.Encoder)
	status  im.Status
	cluster im.Opt[uint8]
	// after, where not nil, is called with the lock held when the answer has
	// been sent: for what ends the session.
	after func(*Node)
}

func statusOf(s im.Status) answer { return answer{status: s} }

func (s *server) accepts() (ids []uint32) {
	for _, c := range s.commands {
		ids = append(ids, c.id)
	}
	return ids
}

func (s *server) generates() (ids []uint32) {
	for _, c := range s.commands {
		if c.response != noResponse && (len(ids) == 0 || ids[len(ids)-1] != c.response) {
			ids = append(ids, c.response)
		}
	}
	return ids
}

func (s *server) command(id uint32) *command {
	for i := range s.commands {
		if s.commands[i].id == id {
			return &s.commands[i]
		}
	}
	return nil
}

// flushTimeout is how long a party has to acknowledge an answer after which its
// session ends.
const flushTimeout = 2 * time.Second

// invoke answers an InvokeRequest: one command at a time.
func (t *turn) invoke(payload []byte, timed bool) {
	n := t.n
	n.stats.invokes.Add(1)
	r, err := im.ParseInvokeRequest(payload)
	switch {
	case err != nil, len(r.Commands) != 1:
		t.status(im.InvalidAction)
		return
	case r.Timed != timed:
		t.status(im.TimedRequestMismatch)
		return
	}
	c := r.Commands[0]
	n.mu.Lock()
	response, out, refused := n.run(t.asker(false), c, timed)
	n.mu.Unlock()
	if refused != im.Success {
		t.status(refused)
		return
	}
	if !r.SuppressResponse {
		response.Ref = c.Ref
		b, err := (&im.InvokeResponse{Responses: []im.CommandResponse{response}}).Encode()
		if err != nil {
			t.status(im.Failure)
			return
		}
		t.send(im.OpInvokeResponse, b)
	}
	if out.after == nil {
		return
	}
	timer := time.AfterFunc(flushTimeout, t.x.Abort)
	_ = t.x.Flush(n.ctx) // the answer may be lost
	timer.Stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		out.after(n)
	}
}

// run runs a command. The lock is held.
func (n *Node) run(a *asker, c im.Command, timed bool) (response im.CommandResponse, out answer, refused im.Status) {
	response.Path, response.IsStatus = c.Path, true
	status := func(s im.Status) (im.CommandResponse, answer, im.Status) {
		response.Result.Status = s
		return response, answer{}, im.Success
	}
	at := n.endpoint(c.Path.Endpoint)
	if at == nil {
		return status(im.UnsupportedEndpoint)
	}
	s := at.server(c.Path.Cluster)
	if s == nil {
		return status(im.UnsupportedCluster)
	}
	k := s.command(c.Path.Command)
	switch {
	case k == nil:
		return status(im.UnsupportedCommand)
	case a.privilege < k.privilege:
		return status(im.UnsupportedAccess)
	case k.timed && !timed:
		return response, answer{}, im.NeedsTimedInteraction
	}
	a.at = at
	out = k.run(n, a, c.Fields)
	if out.fields == nil {
		response.Result = im.Result{Status: out.status, Cluster: out.cluster}
		return response, out, im.Success
	}
	var e tlv.Encoder
	entry(&e, func() { out.fields(&e) })
	b, err := e.Bytes()
	if err != nil {
		return status(im.Failure)
	}
	response.IsStatus, response.Path.Command, response.Fields = false, k.response, b
	return response, out, im.Success
}

var errField = errors.New("a field is missing")

// fieldsOf reads the fields of a command with read; all in want must be there.
func fieldsOf(fields []byte, read func(tag uint8, d *tlv.Decoder), want ...uint8) error {
	var have [256]bool
	d := tlv.NewDecoder(fields)
	if fields != nil {
		d.Next()
		d.EnterKind(tlv.Struct)
		for d.Next() {
			if tag, ok := d.Tag().Context(); ok {
				have[tag] = true
				read(tag, &d)
			}
		}
		d.Leave()
	}
	for _, tag := range want {
		if !have[tag] {
			d.Fail(errField)
		}
	}
	return d.Err()
}
