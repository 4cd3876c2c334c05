package scenario

import (
	"encoding/json"
	"fmt"

	"threadmap/diag/icd"
)

// A canary is the observer's own subscription.
type canary struct {
	w        *World
	max      int
	active   bool
	lastSeen float64
	heard    float64 // when the device's name was last announced anew
}

func (c *canary) start() {
	c.active = true
	c.w.say(icd.ByCanary, "subscribed", &icd.Subscribed{ID: 815, Min: ptr(icd.Sec(0)), Max: ptr(icd.Sec(float64(c.max))), Fabric: ourFabric})
	c.w.dev.number++
	c.event(c.w.dev.number, true)
	c.read()
	c.w.after(20, c.watch)
}

func (c *canary) read() {
	d := &c.w.dev
	v := map[string]json.RawMessage{
		"0/51/1": raw(d.rebootCount), "0/51/2": raw(int(c.w.now - d.booted)), "0/51/4": raw(d.bootReason),
		"0/62/1": raw(fabricsList()),
		"0/40/1": raw("ACME"), "0/40/3": raw("Button"), "0/40/10": raw("1.0.9"),
	}
	if d.mode != nil {
		v["0/70/8"], v["0/70/0"] = raw(*d.mode), raw(int(max(d.idle, 300)))
		v["0/70/3"] = raw(d.registered)
	}
	c.w.say(icd.ByCanary, "read", &icd.Read{Values: v, FabricFiltered: ptr(false)})
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprint("scenario: ", err))
	}
	return b
}

func (c *canary) reachable() bool {
	w := c.w
	return w.reach() && w.host.route && !w.dev.unknownAddress && w.dev.idle <= 15
}

func (c *canary) watch() {
	c.w.after(20, c.watch)
	if c.active && c.w.now-c.lastSeen > float64(c.max)+40 {
		// It heard the restart: were it to open a session now, nobody would ever
		// know whether the device would have come by itself.
		if since := c.w.now - c.heard; c.heard > 0 && since < 150 {
			return
		}
		c.active = false
		c.w.say(icd.ByCanary, "lost", &icd.Lost{Reason: "liveness timeout"})
		c.open()
	}
}

// open tries a session from the canary's side, again and again.
func (c *canary) open() {
	if c.active {
		return
	}
	if !c.reachable() || c.w.dev.busy {
		c.w.say(icd.ByCanary, "case", &icd.CASE{OpenedBy: "canary", Result: "failed", Error: "timed out"})
		c.w.after(60, c.open)
		return
	}
	c.w.say(icd.ByCanary, "case", &icd.CASE{OpenedBy: "canary", Result: "full"})
	c.active, c.lastSeen = true, c.w.now
	s := c.w.dev.subs["canary"]
	s.id, s.live, s.stored, s.tries = s.id+1, true, true, 0
	c.w.say(icd.ByCanary, "subscribed", &icd.Subscribed{ID: uint32(s.id), Min: ptr(icd.Sec(0)), Max: ptr(icd.Sec(float64(c.max))), Fabric: ourFabric})
	c.read()
	c.w.dev.keepAlive("canary")
}

func (c *canary) listens() (answers, proxy, onRouter bool) { return true, false, false }

func (c *canary) sigma1(done func(bool)) {
	c.w.say(icd.ByCanary, "sigma1", &icd.Sigma1{Resumption: true})
	if !c.w.hub.back { // the host's way back is the same for all on this LAN
		c.w.after(3, func() { c.w.say(icd.ByCanary, "sigma1", &icd.Sigma1{Resumption: true}) })
		c.w.after(30, func() {
			c.w.say(icd.ByCanary, "case", &icd.CASE{OpenedBy: "device", Result: "failed", Error: "timed out after Sigma2"})
			done(false)
		})
		return
	}
	c.w.after(0.4, func() {
		c.w.say(icd.ByCanary, "case", &icd.CASE{OpenedBy: "device", Result: "resumed"})
		done(true)
	})
}

func (c *canary) report(s *subscription, boot bool) bool {
	known := c.active
	r := &icd.Report{ID: uint32(s.id), Known: ptr(known)}
	if boot {
		d := &c.w.dev
		r.Values = map[string]json.RawMessage{"0/51/1": raw(d.rebootCount), "0/51/2": raw(int(c.w.now - d.booted)), "0/51/4": raw(d.bootReason)}
	}
	c.w.say(icd.ByCanary, "report", r)
	if known {
		c.lastSeen = c.w.now
	}
	return known
}

func (c *canary) event(number int, press bool) {
	e := &icd.DeviceEvent{Number: uint64(number), Cluster: 40, EventID: 0, Name: "StartUp"}
	if press {
		e = &icd.DeviceEvent{Number: uint64(number), Cluster: 59, EventID: 1, Name: "InitialPress"}
	}
	c.w.say(icd.ByCanary, "event", e)
}

func (c *canary) takesKeepAlive() bool { return c.active && c.w.host.route }
