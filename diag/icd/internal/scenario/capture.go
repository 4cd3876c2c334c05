package scenario

import (
	"strings"
	"time"

	"threadmap/diag/icd"
)

// wire is a packet capture on the hub's network. It sees what the device and
// the hub send to each other, unless the hub is the border router: then nothing
// of it is on the network.
type wire struct {
	messages int // from the device to the hub
	last     float64
}

const deviceEnd, hubEnd = "[" + addressA + "]:5540", "[fd00:1234::77]:5541"

func (w *World) wired(s subscriber) bool { return s == subscriber(&w.hub) && !w.hub.onRouter }

// sees notes a line of the capture, about a session with the hub.
func (w *World) sees(event string, what any) {
	switch x := what.(type) {
	case *icd.Sigma1:
		x.Fabric = hubFabric
		x.From, x.To = ends(x.OpenedBy)
	case *icd.CASE:
		x.Fabric = hubFabric
		x.From, x.To = ends(x.OpenedBy)
	case *icd.Spoke:
		x.Fabric = hubFabric
		x.From, x.To = ends(x.OpenedBy)
	}
	w.say(icd.ByCapture, event, what)
}

func ends(by string) (from, to string) {
	if by == "device" {
		return deviceEnd, hubEnd
	}
	return hubEnd, deviceEnd
}

// deviceSends counts what the device sends.
func (w *World) deviceSends() { w.wire.messages, w.wire.last = w.wire.messages+1, w.now }

// captured is what a capture alone shows, and what a person says.
func (w *World) captured() *icd.Timeline {
	t := icd.NewTimeline(deviceExt, time.Date(2026, 8, 22, 10, 0, 0, 0, time.UTC))
	for _, o := range w.lines {
		switch x := o.What.(type) {
		case *icd.Announce:
			if strings.HasPrefix(x.Instance, ourFabric) {
				continue
			}
		case *icd.Question:
			if strings.HasPrefix(x.Name, ourFabric) {
				continue
			}
		case *icd.Answer:
			if strings.HasPrefix(x.Name, ourFabric) {
				continue
			}
		}
		switch o.By {
		case icd.ByMDNS, icd.ByRA, icd.ByUser, icd.ByCapture:
			t.Add(o)
		}
	}
	if w.wire.messages > 0 {
		last := icd.Sec(w.now - w.wire.last)
		t.Add(icd.Observation{At: icd.Sec(w.now), By: icd.ByCapture, Event: "watched", What: &icd.Watched{
			For: icd.Sec(w.now), To: "fd00:1234::77", Fabric: hubFabric, Messages: w.wire.messages, Last: &last,
		}})
	}
	return t
}

// RunCaptured tells the story once and gives what a packet capture next to the
// hub saw of it.
func (s Story) RunCaptured(seed uint64) *icd.Timeline {
	w := newWorld(seed)
	s.setup(w)
	w.start()
	s.happen(w)
	w.run(s.end)
	return w.captured()
}

// Wired are stories for a capture alone: what shows is not in all of [Stories].
var Wired = []Story{
	{Name: "forgetful firmware, seen to report before", Cause: "R1", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 4, end: 3200,
		setup:  func(w *World) { google(w); w.dev.persists, w.hub.max = false, 1800 },
		happen: func(w *World) { w.neighbour(200); w.restart(3000, 12); w.user(3165) }},
	{Name: "nothing looked up, seen to report before", Cause: "N10", Link: icd.L6, Party: icd.BorderRouter, Tells: 9, end: 3200,
		setup:  func(w *World) { google(w); w.routers[0].blind, w.hub.max = true, 1800 },
		happen: func(w *World) { w.neighbour(200); w.restart(3000, 12); w.user(3165) }},
}
