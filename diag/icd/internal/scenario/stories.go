package scenario

import (
	"fmt"

	"threadmap/diag/icd"
)

// A Story is one home with one thing wrong.
type Story struct {
	Name  string
	Cause string // what was planted, "" for a sound home
	// Link and Party are the truth. Tells is the lowest rung on which the link
	// can be known at all; below, "not known" is right as well.
	Link  icd.Link
	Party icd.Party
	Tells int

	end    float64
	setup  func(*World)
	happen func(*World)
}

// user lets a person press the button, and complain if nothing happens.
func (w *World) user(at float64) {
	w.after(at, func() {
		w.dev.press()
		n := w.dev.number
		w.after(5, func() {
			ok := w.hub.gotPress == n
			w.say(icd.ByUser, "press", &icd.Press{Works: ptr(ok), Controller: w.hub.name})
			if !ok {
				w.after(20, func() {
					w.say(icd.ByUser, "complaint", &icd.Complaint{Text: "the button does nothing", Controller: w.hub.name})
				})
			}
		})
	})
}

// restart takes the battery out and puts it in again.
func (w *World) restart(at, off float64) {
	w.after(at, func() { w.dev.powerOff(); w.say(icd.ByUser, "power-off", &icd.PowerOff{}) })
	w.after(at+off, func() { w.say(icd.ByUser, "power-on", &icd.PowerOn{}); w.dev.powerOn() })
}

func apple(w *World)         { w.hub.kind, w.hub.name, w.hub.max = darwin, "Apple Home", 3600 }
func homeAssistant(w *World) { w.hub.kind, w.hub.name, w.hub.max = matterJS, "Home Assistant", 600 }
func google(w *World)        { w.hub.kind, w.hub.name = chip, "Google Home" }

func second(w *World) *borderRouter {
	b := &borderRouter{w: w, name: "Hall", addr: "fe80::bb", alive: true, omr: prefixA, partition: w.routers[0].partition, txt: true}
	w.routers = append(w.routers, b)
	return b
}

// withdrawDevice takes the registrations of a border router away: it restarts.
func (b *borderRouter) restart(down float64) {
	w := b.w
	b.goodbyeSelf()
	if b.registered {
		b.goodbyeDevice()
	}
	b.sayOthers("goodbye")
	b.alive, b.registered = false, false
	w.after(down, func() {
		b.alive = true
		b.announceSelf()
		b.advertise()
		w.after(5, func() { b.sayOthers("announce") })
	})
}

// loseHub makes the hub lose its subscription, and the device its own: the
// mesh was cut off for that long.
func (w *World) outage(at, length float64) {
	w.after(at, func() { w.mesh.cut = true })
	w.after(at+length, func() { w.mesh.cut = false })
}

// Stories are all homes.
var Stories = []Story{
	{Name: "forgetful firmware", Cause: "R1", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 3, end: 1000,
		setup:  func(w *World) { google(w); w.dev.persists = false },
		happen: func(w *World) { w.neighbour(200); w.restart(600, 12); w.user(800) }},
	{Name: "forgetful firmware, no look-up ever heard", Cause: "R1", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 9, end: 1000,
		setup:  func(w *World) { google(w); w.dev.persists = false },
		happen: func(w *World) { w.restart(600, 12); w.user(800) }},
	{Name: "the border router looks nothing up", Cause: "N10", Link: icd.L6, Party: icd.BorderRouter, Tells: 9, end: 1000,
		setup:  func(w *World) { google(w); w.routers[0].blind = true },
		happen: func(w *World) { w.neighbour(200); w.restart(600, 12); w.user(800) }},
	{Name: "forgetful firmware, the hub is the border router", Cause: "R1", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 3, end: 1000,
		setup: func(w *World) {
			apple(w)
			w.dev.persists, w.hub.onRouter, w.dev.regGap = false, true, 0.7
		},
		happen: func(w *World) { w.restart(600, 12); w.user(800) }},
	{Name: "slow retries", Cause: "R2", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 0, end: 3100,
		setup: func(w *World) { google(w); w.dev.retries, w.hub.max = true, 3600 },
		happen: func(w *World) {
			w.after(590, func() { w.mesh.cut = true })
			w.restart(600, 12)
			w.after(2700, func() { w.mesh.cut = false })
			w.user(2900)
		}},
	{Name: "gave up after one failure", Cause: "R3", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 3, end: 2400,
		setup: func(w *World) { google(w) },
		happen: func(w *World) {
			w.after(590, func() { w.mesh.cut = true })
			w.restart(600, 12)
			w.after(780, func() { w.mesh.cut = false })
			w.user(2100)
		}},
	{Name: "the controller backs off", Cause: "R4", Link: icd.L9, Party: icd.Controller, Tells: 4, end: 6600,
		setup:  func(w *World) { google(w); w.hub.max, w.hub.unlucky = 300, true },
		happen: func(w *World) { w.outage(600, 5000); w.user(6300) }},
	{Name: "the controller hangs", Cause: "R6", Link: icd.L9, Party: icd.Controller, Tells: 4, end: 3000,
		setup:  func(w *World) { homeAssistant(w); w.hub.hangs, w.hub.max = true, 180 },
		happen: func(w *World) { w.outage(600, 900); w.user(2500) }},
	{Name: "old prefix", Cause: "R7", Link: icd.L3, Party: icd.BorderRouter, Tells: 0, end: 1800,
		setup: func(w *World) { google(w); w.hub.max = 300; second(w) },
		happen: func(w *World) {
			w.after(600, func() {
				for _, b := range w.routers {
					b.omr = prefixB
					b.announceSelf()
					b.advertise()
					b.withdraw(prefixA)
				}
				w.mesh.netdata = []string{prefixB}
			})
			w.user(1500)
		}},
	{Name: "split mesh", Cause: "R8", Link: icd.L2, Party: icd.Mesh, Tells: 2, end: 1800,
		setup: func(w *World) { google(w); w.hub.max = 300; second(w) },
		happen: func(w *World) {
			w.after(600, func() {
				w.mesh.routers[1].otherHalf = true
				w.routers[1].partition, w.routers[1].omr = "55667788", prefixB
				w.routers[1].announceSelf()
				w.dev.lastFrame = w.now
			})
			w.user(1500)
		}},
	{Name: "border router forgot it", Cause: "R9", Link: icd.L4, Party: icd.BorderRouter, Tells: 1, end: 2600,
		setup: func(w *World) { google(w); w.hub.max = 300; w.hub.onRouter = true },
		happen: func(w *World) {
			w.after(600, func() {
				w.routers[0].restart(90)
				w.hub.alive = false
				w.after(100, func() { w.hub.alive, w.hub.active = true, false; w.hub.lose() })
			})
			w.user(2300)
		}},
	{Name: "announced badly", Cause: "R10", Link: icd.L5, Party: icd.BorderRouter, Tells: 0, end: 2000,
		setup: func(w *World) { google(w); w.hub.max = 300 },
		happen: func(w *World) {
			w.after(600, func() {
				w.routers[0].txt = false
				w.routers[0].announceDevice()
				w.hub.lose()
			})
			w.user(1500)
		}},
	{Name: "no way back", Cause: "R11", Link: icd.L7, Party: icd.BorderRouter, Tells: 3, end: 1000,
		setup: func(w *World) { google(w); second(w); w.hub.back = false },
		happen: func(w *World) {
			w.restart(600, 12)
			w.user(850)
		}},
	{Name: "the controller refuses it", Cause: "R12", Link: icd.L7, Party: icd.Controller, Tells: 4, end: 1000,
		setup:  func(w *World) { homeAssistant(w); w.hub.refuses, w.hub.max = true, 900 },
		happen: func(w *World) { w.restart(600, 12); w.user(850) }},
	{Name: "stale Sigma1", Cause: "R13", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 9, end: 1500,
		setup: func(w *World) { google(w) },
		happen: func(w *World) {
			w.after(590, func() { w.dev.queued = 2 })
			w.restart(600, 700)
			w.after(1290, func() { w.dev.busy = true })
			w.after(1302, func() { w.dev.attach(w.mesh.routers[1]); w.poll(); w.dev.queued = 0 })
			w.after(1355, func() { w.dev.busy = false })
			w.user(1420)
		}},
	{Name: "moved controller", Cause: "R14", Link: icd.L9, Party: icd.Controller, Tells: 4, end: 2000,
		setup: func(w *World) { homeAssistant(w) },
		happen: func(w *World) {
			w.after(600, func() {
				w.say(icd.ByUser, "changed", &icd.Changed{What: "Home Assistant migrated to a new server"})
				w.hub.way = false // it knows no address to send to
				w.hub.lose()
			})
			w.user(1500)
		}},
	{Name: "not registered for Check-Ins", Cause: "R15", Link: icd.L7, Party: icd.Controller, Tells: 3, end: 4000,
		setup: func(w *World) {
			homeAssistant(w)
			w.hub.waits = true
			w.longIdle()
			w.dev.persists = false
		},
		happen: func(w *World) {
			w.restart(600, 12)
			w.after(700, func() { w.canary.read() })
			w.after(900, func() { w.dev.idle = 0; w.canary.open(); w.dev.idle = 900 })
			w.user(3500)
		}},
	{Name: "parent gone", Cause: "R17", Link: icd.L2, Party: icd.Mesh, Tells: 2, end: 1800,
		setup: func(w *World) { google(w); w.hub.max = 300 },
		happen: func(w *World) {
			w.after(600, func() { w.mesh.routers[1].alive = false; w.dev.lastFrame = w.now; w.mesh.routers[0].full = true })
			w.user(1500)
		}},
	{Name: "address not known to its parent", Cause: "R19", Link: icd.L3, Party: icd.Mesh, Tells: 2, end: 1800,
		setup:  func(w *World) { google(w); w.hub.max = 300 },
		happen: func(w *World) { w.after(600, func() { w.dev.unknownAddress = true }); w.user(1500) }},
	{Name: "dropped by its parent", Cause: "R20", Link: icd.L2, Party: icd.Mesh, Tells: 2, end: 1800,
		setup: func(w *World) { google(w); w.hub.max = 300 },
		happen: func(w *World) {
			w.after(630, func() { w.mesh.routers[1].has = false; w.dev.lastFrame = w.now })
			w.user(1500)
		}},
	{Name: "announced twice", Cause: "N1", Link: icd.L9, Party: icd.Controller, Tells: 4, end: 2600,
		setup: func(w *World) { apple(w); second(w).replicates = true; w.hub.max = 300 },
		happen: func(w *World) {
			w.after(600, func() {
				w.mesh.cut = true
				w.hub.way = false // its sessions were with the old address
				w.routers[0].restart(60)
				w.routers[1].sayOthers("goodbye")
			})
			w.after(1500, func() {
				w.mesh.cut, w.hub.attempts = false, 0
				w.dev.register()
			})
			w.user(2200)
		}},
	{Name: "event numbers fell back", Cause: "N2", Link: icd.L10, Party: icd.DeviceFirmware, Tells: 3, end: 1000,
		setup:  func(w *World) { google(w); w.dev.forgets = true },
		happen: func(w *World) { w.restart(600, 12); w.user(850) }},
	{Name: "sleeping controller", Cause: "N3", Link: icd.L7, Party: icd.ControllerHost, Tells: 0, end: 1000,
		setup: func(w *World) { homeAssistant(w) },
		happen: func(w *World) {
			w.after(598, func() { w.hub.alive, w.hub.asleep = false, true })
			w.restart(600, 12)
			w.user(850)
		}},
	{Name: "controller that is gone", Cause: "N4", Link: icd.L6, Party: icd.Controller, Tells: 0, end: 1000,
		setup: func(w *World) { google(w) },
		happen: func(w *World) {
			w.after(598, func() { w.hub.alive = false })
			w.restart(600, 12)
			w.user(850)
		}},
	{Name: "no newly appearing name", Cause: "N5", Link: icd.L9, Party: icd.Controller, Tells: 4, end: 4200,
		setup:  func(w *World) { apple(w); w.hub.max = 600 },
		happen: func(w *World) { w.outage(600, 3000); w.user(3900) }},
	{Name: "crash loop", Cause: "N6", Link: icd.L1, Party: icd.DevicePower, Tells: 0, end: 1000,
		setup: func(w *World) { google(w); w.dev.bootReason = 2 },
		happen: func(w *World) {
			for i := range 6 {
				w.after(600+float64(i)*55, func() { w.dev.powerOff(); w.dev.powerOn() })
			}
			w.after(935, func() { w.dev.powerOff() })
			w.user(950)
		}},
	{Name: "fell silent", Cause: "N6", Link: icd.L1, Party: icd.DevicePower, Tells: 2, end: 1800,
		setup:  func(w *World) { google(w); w.hub.max = 300 },
		happen: func(w *World) { w.after(600, func() { w.dev.stopPolling() }); w.user(1500) }},
	{Name: "a registration changed the mode", Cause: "N7", Link: icd.L9, Party: icd.Controller, Tells: 4, end: 4000,
		setup: func(w *World) {
			homeAssistant(w)
			w.dev.mode, w.hub.waits, w.dev.persists = ptr(0), true, false
			w.dev.txt = map[string]string{"SII": "5000", "SAI": "300", "ICD": "0"}
			w.hub.max = 300
		},
		happen: func(w *World) {
			w.after(600, func() {
				w.longIdle()
				w.routers[0].announceDevice()
				w.canary.read()
				w.hub.way = false
			})
			w.user(2500)
		}},
	{Name: "presses wait for reports", Cause: "N8", Link: icd.L10, Party: icd.DeviceFirmware, Tells: 3, end: 1500,
		setup:  func(w *World) { google(w); w.dev.urgent, w.hub.max = false, 300 },
		happen: func(w *World) { w.user(850) }},
	{Name: "the controller drops presses", Cause: "N9", Link: icd.L10, Party: icd.Controller, Tells: 4, end: 1000,
		setup:  func(w *World) { google(w); w.hub.drops, w.hub.max = true, 300 },
		happen: func(w *World) { w.user(850) }},
	{Name: "no route on this machine", Cause: "H1", Link: icd.L3, Party: icd.LANHost, Tells: 0, end: 1800,
		setup: func(w *World) { homeAssistant(w); w.hub.max = 300 },
		happen: func(w *World) {
			w.after(600, func() {
				w.host.route = false
				w.hub.way = false
				w.say(icd.ByHost, "route", &icd.Route{Prefix: prefixA, Present: ptr(false)})
				w.say(icd.ByHost, "unreachable", &icd.Unreachable{To: addressA})
			})
			w.user(1500)
		}},
}

// longIdle makes the device one that sleeps for long, because somebody who is
// not the hub registered.
func (w *World) longIdle() {
	d := &w.dev
	d.mode, d.idle = ptr(1), 900
	d.txt = map[string]string{"ICD": "1", "SAI": "300", "SAT": "5000"}
	d.registered = []map[string]any{{"1": 0xC0DE, "2": 0xC0DE, "4": 0, "254": 3}}
}

// Run tells the story once and gives what observers up to the rung saw. The
// same seed gives the same story on all rungs.
func (s Story) Run(seed uint64, rung int) *icd.Timeline {
	w := newWorld(seed)
	s.setup(w)
	w.start()
	s.happen(w)
	w.run(s.end)
	return w.timeline(rung)
}

// Healthy is a restart after which all is well, with as many variations as seeds.
func Healthy(seed uint64) Story {
	return Story{Name: fmt.Sprintf("sound home %d", seed), Party: icd.Nobody, Tells: 9, end: 1000,
		setup: func(w *World) {
			[]func(*World){google, apple, homeAssistant}[w.rng.IntN(3)](w)
			w.dev.regGap = 0.5 + 2.5*w.rng.Float64()
			w.hub.onRouter = w.rng.IntN(3) == 0
			if w.rng.IntN(2) == 0 {
				b := second(w)
				b.replicates = w.rng.IntN(2) == 0
			}
		},
		happen: func(w *World) {
			w.restart(300+300*w.rng.Float64(), 5+40*w.rng.Float64())
			if w.rng.IntN(2) == 0 {
				w.user(750 + 100*w.rng.Float64())
			}
		}}
}
