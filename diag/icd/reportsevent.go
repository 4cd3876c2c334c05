package icd

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"threadmap/diag"
)

// A ControllerEvent is something that a controller which is listened to told of
// a device. It has the fields of the events of packages matterserver and
// homeassistant, which know nothing of this one, so that theirs convert to it.
type ControllerEvent struct {
	Kind      string // see KindAvailable and the others
	Fabric    uint64 // compressed fabric id of the controller, 0: not said
	Node      uint64 // Matter node id there, 0: of no one node
	Available diag.Opt[bool]
	Path      string // of a value: "endpoint/cluster/attribute", or an entity id
	Value     json.RawMessage
	Endpoint  uint16
	Cluster   uint32
	EventID   uint32
	Number    uint64 // of the event
	Text      string // one line
}

// The kinds of events of a controller.
const (
	KindAvailable = "available" // what it shows its user: Available
	KindAttribute = "attribute" // a value came: Path, Value
	KindEvent     = "event"     // a Matter event came: Endpoint, Cluster, EventID, Number, Text (its name)
	KindRemoved   = "removed"   // the controller has the node no more
	KindBegan     = "began"     // the listening began
	KindEnded     = "ended"     // the listening broke off, and will be tried again: Text says why
)

// FromController is what an event of a controller says of the device, nil where
// it is about another one. by is ByHA, or ByController for another controller.
//
// That the listening began or broke off is a line of the log: it says nothing of
// the device, but a silence meanwhile means nothing.
func (d Device) FromController(by string, at time.Time, e ControllerEvent) []Dated {
	one := func(event string, what any) []Dated {
		return []Dated{{At: at, Observation: Observation{By: by, Event: event, What: what}}}
	}
	switch e.Kind {
	case KindBegan:
		return one("log", &Log{Text: "listening to the controller began"})
	case KindEnded:
		return one("log", &Log{Text: clipLine("listening to the controller broke off: " + e.Text)})
	}
	if !d.is(e.Fabric, e.Node) {
		return nil
	}
	switch e.Kind {
	case KindAvailable:
		if a, known := e.Available.Get(); known {
			return one("available", &Available{Value: &a})
		}
	case KindAttribute:
		if e.Path != "" && len(e.Value) > 0 && len(e.Value) <= MaxLine/2 {
			return one("attribute", &Attribute{Path: clipLine(e.Path), Value: e.Value})
		}
	case KindEvent:
		return one("event", &DeviceEvent{Number: e.Number, Cluster: e.Cluster, EventID: e.EventID, Name: clipLine(e.Text)})
	case KindRemoved:
		return one("subscription-lost", &Lost{Reason: "the controller removed the device"})
	}
	return nil
}

// is reports whether a controller's number is the device's.
func (d Device) is(fabric, node uint64) bool {
	return node != 0 && slices.ContainsFunc(d.Matter, func(m diag.MatterID) bool {
		return m.Node == node && (m.Fabric == fabric || m.Fabric == 0 || fabric == 0)
	})
}

// clipLine makes a short line of a text that may quote a peer.
func clipLine(s string) string {
	const most = 300
	if len(s) > 2*most {
		s = s[:2*most]
	}
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "\uFFFD")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
