package canary

import (
	"encoding/json"
	"slices"
	"strconv"
	"sync"

	"threadmap/diag/icd"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
	"threadmap/tlv"
)

type reportOf = *client.Report

// Bounds of one observation: a report may be a megabyte long.
const (
	maxValues = 128
	maxOctets = 32 << 10
	maxEvents = 256
	// maxSeen events are told from those that come again.
	maxSeen = 4096
)

// values are those of a report, as observations have them. What the device says
// of how it sleeps and how often it started is kept in mind.
func (w *watcher) values(r reportOf) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	octets := 0
	for v := range r.Attributes.Values() {
		if v.Data == nil || v.Err != nil || len(out) >= maxValues || im.Global(v.Path.Attribute) && v.Path.Attribute < 0xFFFC {
			continue
		}
		raw, err := jsonOf(v.Data)
		if err != nil || octets+len(raw) > maxOctets {
			continue
		}
		octets += len(raw)
		out[v.Path.String()] = raw
		w.seen.learn(v.Path, v.Data, w.c.Member.NodeID)
	}
	if len(out) == 0 {
		return nil
	}
	if k := w.seen.known(); k.hasMode {
		w.mu.Lock()
		w.mode = modeShortIdle
		if k.longIdle {
			w.mode = modeLongIdle
		}
		w.mu.Unlock()
	}
	return out
}

// A knowledge is what the device has said of itself.
type knowledge struct {
	hasMode      bool // it can sleep for long
	longIdle     bool // it does
	checkIn      bool // it can check in
	otherClients bool // somebody besides us is registered
	revision     uint64
	reboots      uint64
	hasReboots   bool
}

// events are those that came, and what else was learnt.
type events struct {
	mu    sync.Mutex
	k     knowledge
	seen  map[eventKey]uint64 // RebootCount when it came
	top   uint64
	order []eventKey
}

// An eventKey tells events from each other, also where the device counts from
// the beginning again.
type eventKey struct {
	number   uint64
	endpoint uint16
	cluster  uint32
	event    uint32
	at       im.EventTime
}

func keyOf(e *im.EventReport) eventKey {
	return eventKey{e.Number, e.Endpoint, e.Cluster, e.Event, e.Time}
}

func (s *events) known() knowledge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.k
}

// learn keeps what an attribute says.
func (s *events) learn(p im.Path, data []byte, us uint64) {
	if p.Endpoint != 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch (cluster.Path{Cluster: p.Cluster, Attribute: p.Attribute}) {
	case cluster.Path{Cluster: cluster.GeneralDiagnostics, Attribute: rebootCount}:
		if n, ok := uintOf(data); ok {
			s.k.reboots, s.k.hasReboots = n, true
		}
	case cluster.Path{Cluster: clusterICD, Attribute: operatingMode}:
		if n, ok := uintOf(data); ok {
			s.k.hasMode, s.k.longIdle = true, n == 1
		}
	case cluster.Path{Cluster: clusterICD, Attribute: 0xFFFC}:
		if n, ok := uintOf(data); ok {
			s.k.checkIn = n&1 != 0
		}
	case cluster.Path{Cluster: clusterICD, Attribute: 0xFFFD}:
		if n, ok := uintOf(data); ok {
			s.k.revision = n
		}
	case cluster.Path{Cluster: clusterICD, Attribute: 0x0003}:
		s.k.otherClients = others(data, us)
	}
}

func uintOf(data []byte) (uint64, bool) {
	d := tlv.NewDecoder(data)
	if !d.Next() || d.Kind() != tlv.Uint {
		return 0, false
	}
	n := d.Uint()
	return n, d.Err() == nil
}

// others reports whether somebody else is in RegisteredClients. Of other
// fabrics' rows the device shows the fabric only.
func others(data []byte, us uint64) bool {
	d := tlv.NewDecoder(data)
	found := false
	if d.Next() && d.Kind() == tlv.Array {
		d.Enter()
		for d.Next() {
			d.EnterKind(tlv.Struct)
			client := uint64(0)
			for d.Next() {
				if n, ok := d.Tag().Context(); ok && n == 1 {
					client = d.Uint()
				}
			}
			d.Leave()
			found = found || client != us
		}
		d.Leave()
	}
	return d.Err() == nil && found
}

func (s *events) note(k eventKey) {
	if s.seen == nil {
		s.seen = map[eventKey]uint64{}
	}
	if _, ok := s.seen[k]; !ok {
		s.order = append(s.order, k)
		if len(s.order) > maxSeen {
			delete(s.seen, s.order[0])
			s.order = s.order[1:]
		}
	}
	s.seen[k] = s.k.reboots
	s.top = max(s.top, k.number)
}

// all are events of a first report or a reading, where old ones are to be
// expected.
func (s *events) all(events []im.EventReport) []icd.DeviceEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []icd.DeviceEvent
	for i := range events {
		e := &events[i]
		if e.IsStatus || len(out) >= maxEvents {
			continue
		}
		s.note(keyOf(e))
		out = append(out, observed(e))
	}
	return out
}

// fresh are the events of a later report that did not come before: a device
// that takes a subscription up again may repeat some. Where it restarted and
// its start has a number that is not higher than all before, the device has
// forgotten how far it had counted, and its start is not a repetition.
func (s *events) fresh(events []im.EventReport) []icd.DeviceEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	wentOn := slices.ContainsFunc(events, func(e im.EventReport) bool { return !e.IsStatus && e.Number > s.top })
	var out []icd.DeviceEvent
	for i := range events {
		e := &events[i]
		if e.IsStatus || len(out) >= maxEvents {
			continue
		}
		k := keyOf(e)
		if reboots, before := s.seen[k]; before && (wentOn || !isStart(e) || reboots == s.k.reboots) {
			continue
		}
		s.note(k)
		out = append(out, observed(e))
	}
	return out
}

func isStart(e *im.EventReport) bool {
	return e.Cluster == cluster.BasicInformation && e.Event == eventStartUp || e.Cluster == cluster.GeneralDiagnostics && e.Event == eventBootReason
}

func observed(e *im.EventReport) icd.DeviceEvent {
	return icd.DeviceEvent{Number: e.Number, Cluster: e.Cluster, EventID: e.Event, Name: nameOf(e.Cluster, e.Event)}
}

// switchEvents are those of cluster Switch, by id.
var switchEvents = []string{"SwitchLatched", "InitialPress", "LongPress", "ShortRelease", "LongRelease", "MultiPressOngoing", "MultiPressComplete"}

func nameOf(c, event uint32) string {
	switch {
	case c == clusterSwitch && int(event) < len(switchEvents):
		return switchEvents[event]
	case c == cluster.BasicInformation && event == eventStartUp:
		return "StartUp"
	case c == cluster.BasicInformation && event == eventShutDown:
		return "ShutDown"
	case c == cluster.BasicInformation && event == eventLeave:
		return "Leave"
	case c == cluster.GeneralDiagnostics && event == eventBootReason:
		return "BootReason"
	}
	return "event " + strconv.FormatUint(uint64(event), 10)
}
