package wsdoc

import (
	"encoding/json"
	"errors"
	"strings"

	"threadmap/diag"
	"threadmap/diag/matter/cluster/wsjson"
)

// maxValue bounds a value that an event tells, in octets of JSON.
const maxValue = 16 << 10

// The events that are read, by the servers' names.
const (
	EventNodeAdded   = "node_added"
	EventNodeUpdated = "node_updated"
	EventNodeRemoved = "node_removed"
	EventAttribute   = "attribute_updated"
	EventNode        = "node_event"
)

// An Event is something that happened to one node, as a server tells those who
// listen.
type Event struct {
	Name      string // EventNodeAdded and the others
	Node      uint64
	Available diag.Opt[bool]  // EventNodeAdded, EventNodeUpdated
	Path      string          // EventAttribute: "0/53/7"
	Value     json.RawMessage // EventAttribute: nil where it is too long
	// EventNode: a Matter event.
	Endpoint uint16
	Cluster  uint32
	EventID  uint32
	Number   uint64
}

var errNoEvent = errors.New("an event that can't be read")

// ParseEvent reads the frame of an event. ok is false for one of a kind that is
// not read.
func ParseEvent(frame []byte) (e Event, ok bool, err error) {
	var doc struct {
		Event json.RawMessage `json:"event"`
		Data  json.RawMessage `json:"data"`
	}
	if json.Unmarshal(frame, &doc) != nil {
		return e, false, errNoEvent
	}
	e.Name = text(doc.Event, 64)
	switch e.Name {
	case EventNodeAdded, EventNodeUpdated:
		known := false
		members(doc.Data, func(key string, v json.RawMessage) bool {
			switch key {
			case "node_id":
				e.Node, known = exactUint(v)
			case "available":
				switch string(v) {
				case "true":
					e.Available = diag.Some(true)
				case "false":
					e.Available = diag.Some(false)
				}
			}
			return true
		})
		ok = known
	case EventNodeRemoved:
		e.Node, ok = exactUint(doc.Data)
	case EventAttribute:
		ok = e.attribute(doc.Data)
	case EventNode:
		ok = e.event(doc.Data)
	default:
		return e, false, nil
	}
	if !ok {
		return Event{}, false, errNoEvent
	}
	return e, true, nil
}

// attribute reads [node id, path, value].
func (e *Event) attribute(data json.RawMessage) bool {
	n, ok := 0, true
	list := elements(data, func(v json.RawMessage) bool {
		switch n++; n {
		case 1:
			e.Node, ok = exactUint(v)
		case 2:
			e.Path = text(v, 64)
			_, err := wsjson.ParsePath(e.Path)
			ok = ok && err == nil
		case 3:
			if len(v) <= maxValue {
				e.Value = append(json.RawMessage(nil), v...)
			}
		}
		return n < 3 && ok
	})
	return list && ok && n == 3
}

// event reads a Matter event.
func (e *Event) event(data json.RawMessage) bool {
	found := 0
	small := func(v json.RawMessage, most uint64) uint64 {
		u, ok := exactUint(v)
		if ok && u <= most {
			found++
		}
		return u
	}
	members(data, func(key string, v json.RawMessage) bool {
		switch key {
		case "node_id":
			e.Node = small(v, 1<<64-1)
		case "endpoint_id":
			e.Endpoint = uint16(small(v, 1<<16-1))
		case "cluster_id":
			e.Cluster = uint32(small(v, 1<<32-1))
		case "event_id":
			e.EventID = uint32(small(v, 1<<32-1))
		case "event_number":
			e.Number = small(v, 1<<64-1)
		}
		return true
	})
	return found == 5
}

// EventName is what the Matter specification calls an event, of the clusters
// that matter to how a device is; "" for others.
func EventName(cluster, event uint32) string {
	names := map[uint32]string{
		0x28: "StartUp ShutDown Leave ReachableChanged",
		0x33: "HardwareFaultChange RadioFaultChange NetworkFaultChange BootReason",
		0x3b: "SwitchLatched InitialPress LongPress ShortRelease LongRelease MultiPressOngoing MultiPressComplete",
	}
	if list := strings.Fields(names[cluster]); event < uint32(len(list)) {
		return list[event]
	}
	return ""
}
