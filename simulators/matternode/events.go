package matternode

import (
	"bytes"
	"slices"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

// maxEvents are kept.
const maxEvents = 64

// Events of Basic Information.
const (
	startUpEvent  uint32 = 0
	shutDownEvent uint32 = 1
)

// Priorities of events.
const (
	info     uint8 = 1
	critical uint8 = 2
)

// An event is something that happened to the node.
type event struct {
	endpoint uint16
	cluster  uint32
	id       uint32
	number   uint64
	priority uint8
	since    time.Duration // its start
	data     []byte
}

// happened notes an event; data is its structure. The lock is held, or nobody
// else has the node yet.
func (n *Node) happened(endpoint uint16, cluster, id uint32, priority uint8, fields func(*Node, *tlv.Encoder)) {
	var e tlv.Encoder
	entry(&e, func() { fields(n, &e) })
	data, err := e.Bytes()
	if err != nil {
		return // of fields made here
	}
	n.lastEvent++
	n.events = append(n.events, event{endpoint, cluster, id, n.lastEvent, priority, n.upTime(), bytes.Clone(data)})
	if len(n.events) > maxEvents {
		n.events = slices.Delete(n.events, 0, len(n.events)-maxEvents)
	}
	if n.o.Resumption.LazyEvents {
		return
	}
	// What is not urgent goes with the next report (Core 8.5.3.2).
	for _, s := range n.subs {
		if slices.ContainsFunc(s.request.Events, func(p im.EventPath) bool { return p.Urgent && p.Matches(endpoint, cluster, id) }) {
			s.wake()
		}
	}
}

func startUp(n *Node, e *tlv.Encoder)    { putUint(e, 0, softwareVersion) }
func bootReason(n *Node, e *tlv.Encoder) { putUint(e, 0, uint64(n.bootReason)) }

// eventsFor are the events that a request asks for, oldest first. The lock is
// held.
func (n *Node) eventsFor(r *im.ReadRequest, a *asker) (out []im.EventReport) {
	if len(r.Events) == 0 || a.privilege < view {
		return nil
	}
	var least uint64
	for _, f := range r.EventFilters {
		least = max(least, f.Min)
	}
	for _, v := range n.events {
		if v.number >= least && slices.ContainsFunc(r.Events, func(p im.EventPath) bool { return p.Matches(v.endpoint, v.cluster, v.id) }) {
			out = append(out, im.EventReport{
				Endpoint: v.endpoint, Cluster: v.cluster, Event: v.id, Number: v.number, Priority: v.priority,
				Time: im.EventTime{Clock: im.SystemClock, Milliseconds: uint64(v.since.Milliseconds())}, Data: v.data,
			})
		}
	}
	return out
}
