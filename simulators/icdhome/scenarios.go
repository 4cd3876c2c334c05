package icdhome

import (
	"context"
	"net/netip"
	"time"

	"threadmap/diag/icd"
	"threadmap/simulators/controller"
	"threadmap/simulators/matternode"
)

var whole matternode.RebootOptions

// Scenarios are all homes, the sound ones first.
var Scenarios = []Scenario{
	{Name: "it resumes", Party: icd.Nobody, Tells: never, End: 1000 * time.Second,
		setup: google,
		play:  func(h *Home) { restart(h, 600, whole); press(h, 850) }},
	{Name: "it checks in", Party: icd.Nobody, Tells: never, End: 2600 * time.Second,
		setup: func(h *Home) {
			homeAssistant(h)
			longIdle(h)
			persistence(h, matternode.Forgets)
			h.before = func() { h.register(h.hub) }
		},
		play: func(h *Home) {
			restart(h, 600, whole)
			press(h, 1900)
		}},
	{Name: "it wakes slowly", Party: icd.Nobody, Tells: never, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); h.dev.sleep.WakeUp = 4 * time.Second },
		play:  func(h *Home) { restart(h, 600, whole); press(h, 850) }},
	{Name: "it lost its resumption records", Party: icd.Nobody, Tells: never, End: 1000 * time.Second,
		setup: google,
		play:  func(h *Home) { restart(h, 600, matternode.RebootOptions{LoseRecords: true}); press(h, 850) }},
	{Name: "it evicted the session and resumes", Party: icd.Nobody, Tells: never, End: 1500 * time.Second,
		setup: func(h *Home) { google(h); persistence(h, matternode.KeepsTrying) },
		play:  func(h *Home) { h.at(600, h.dev.node.Evict); press(h, 1300) }},
	{Name: "it evicted the session, the controller comes back", Party: icd.Nobody, Tells: never, End: 1500 * time.Second,
		setup: google,
		play:  func(h *Home) { h.at(600, h.dev.node.Evict); press(h, 1300) }},

	{Name: "it sleeps for long and resumes", Party: icd.Nobody, Tells: never, End: 1000 * time.Second,
		setup: func(h *Home) { homeAssistant(h); longIdle(h); h.before = func() { h.register(h.hub) } },
		play:  func(h *Home) { restart(h, 600, whole); press(h, 850) }},
	{Name: "it moves to another border router, where its old record stands", Party: icd.Nobody, Tells: never, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); second(h) },
		play: func(h *Home) {
			h.at(598, func() { h.with(func() { h.routers[0].noSRP = true }) })
			restart(h, 600, whole)
			press(h, 850)
		}},
	{Name: "it moves to another border router and prefix", Party: icd.Nobody, Tells: never, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); second(h) },
		play: func(h *Home) {
			h.at(598, func() {
				h.with(func() { h.routers[0].noSRP = true })
				h.dev.addAddress(prefixB)
				h.dev.dropAddress()
				h.flip()
			})
			restart(h, 600, whole)
			press(h, 850)
		}},

	{Name: "forgetful firmware", Cause: "R1", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 3, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); silence(h, time.Hour); persistence(h, matternode.Forgets) },
		play:  func(h *Home) { neighbour(h, 200); restart(h, 600, whole); press(h, 850) }},
	{Name: "forgetful firmware, and the border router was never heard to ask", Cause: "R1", Link: icd.L7, Party: icd.DeviceFirmware, Tells: never, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); silence(h, time.Hour); persistence(h, matternode.Forgets) },
		play:  func(h *Home) { restart(h, 600, whole); press(h, 850) }},
	{Name: "forgetful firmware, the hub is the border router", Cause: "R1", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 3, End: 1000 * time.Second,
		setup: func(h *Home) {
			apple(h)
			silence(h, time.Hour)
			persistence(h, matternode.Forgets)
			h.hub.on, h.dev.regGap = h.routers[0], 700*time.Millisecond
		},
		play: func(h *Home) { restart(h, 600, whole); press(h, 850) }},
	{Name: "slow retries", Cause: "R2", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 0, End: 3000 * time.Second,
		setup: func(h *Home) { google(h); silence(h, time.Hour); persistence(h, matternode.KeepsTrying) },
		play: func(h *Home) {
			outage(h, 590, 2800)
			restart(h, 600, whole)
			press(h, 2870)
		}},
	{Name: "gave up after one failure", Cause: "R3", Link: icd.L7, Party: icd.DeviceFirmware, Tells: 3, End: 2400 * time.Second,
		setup: func(h *Home) { google(h); silence(h, time.Hour) },
		play: func(h *Home) {
			outage(h, 590, 780)
			restart(h, 600, whole)
			press(h, 2100)
		}},
	{Name: "the controller backs off", Cause: "R4", Link: icd.L9, Party: icd.Controller, Tells: 4, End: 5400 * time.Second,
		setup: func(h *Home) { google(h); faults(h).Unlucky = true },
		play:  func(h *Home) { outage(h, 600, 4400); press(h, 5000) }},
	{Name: "the controller hangs", Cause: "R6", Link: icd.L9, Party: icd.Controller, Tells: 4, End: 3000 * time.Second,
		setup: func(h *Home) { homeAssistant(h); silence(h, 3*time.Minute); faults(h).Hangs = true },
		play:  func(h *Home) { outage(h, 600, 1500); press(h, 2500) }},
	{Name: "old prefix", Cause: "R7", Link: icd.L3, Party: icd.BorderRouter, Tells: 0, End: 1800 * time.Second,
		setup: func(h *Home) { google(h); second(h) },
		play: func(h *Home) {
			h.at(600, h.flip)
			press(h, 1500)
		}},
	{Name: "old prefix after a restart", Cause: "R7", Link: icd.L3, Party: icd.BorderRouter, Tells: 0, End: 1800 * time.Second,
		setup: func(h *Home) { google(h); second(h) },
		play: func(h *Home) { // the border router keeps the old address in its registry
			restart(h, 595, whole)
			h.at(604, h.flip)
			press(h, 1500)
		}},
	{Name: "split mesh", Cause: "R8", Link: icd.L2, Party: icd.Mesh, Tells: 2, End: 1800 * time.Second,
		setup: func(h *Home) { google(h); second(h) },
		play: func(h *Home) {
			h.at(600, func() {
				b := h.routers[1]
				h.with(func() {
					h.mesh.routers[1].otherHalf, h.mesh.last = true, time.Now()
					b.partition, b.omr = 0x55667788, prefixB
				})
				b.announceSelf()
			})
			press(h, 1500)
		}},
	{Name: "border router forgot it", Cause: "R9", Link: icd.L4, Party: icd.BorderRouter, Tells: 3, End: 2600 * time.Second,
		setup: func(h *Home) { google(h); second(h).noLookUp = true; silence(h, time.Hour) },
		play: func(h *Home) {
			h.at(500, func() { // so that others see it live on
				h.hub.c.Stop()
				h.routers[0].restart(90 * time.Second)
				h.hub.c.Start()
			})
			press(h, 2300)
		}},
	{Name: "announced badly", Cause: "R10", Link: icd.L5, Party: icd.BorderRouter, Tells: 0, End: 2000 * time.Second,
		setup: google,
		play: func(h *Home) {
			h.at(600, func() {
				h.with(func() { h.routers[0].txt = false })
				h.routers[0].announce(h.dev.services())
				h.hub.c.Stop() // its program was updated
				h.hub.c.Start()
			})
			press(h, 1500)
		}},
	{Name: "no way back", Cause: "R11", Link: icd.L7, Party: icd.BorderRouter, Tells: 3, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); silence(h, time.Hour) },
		play: func(h *Home) {
			h.at(590, h.secondPrefix)
			restart(h, 600, whole)
			press(h, 850)
		}},
	{Name: "the controller refuses it", Cause: "R12", Link: icd.L7, Party: icd.Controller, Tells: 4, End: 1000 * time.Second,
		setup: func(h *Home) { homeAssistant(h); silence(h, 15*time.Minute) },
		play: func(h *Home) {
			h.at(590, func() { h.hub.c.SetFaults(controller.Faults{Stranger: true}) })
			restart(h, 600, whole)
			press(h, 850)
		}},
	{Name: "the controller restarted and does not know the subscription", Cause: "R14", Link: icd.L8, Party: icd.UnknownParty, Tells: 4, End: 1000 * time.Second,
		setup: func(h *Home) { homeAssistant(h); silence(h, 15*time.Minute) },
		play: func(h *Home) {
			h.at(595, func() {
				h.see(icd.ByUser, "changed", &icd.Changed{What: "Home Assistant migrated to a new server"})
				h.hub.c.SetFaults(controller.Faults{NoAddress: true})
				h.hub.c.Stop()
				h.hub.c.Start()
			})
			restart(h, 600, whole)
			press(h, 850)
		}},
	{Name: "not registered for Check-Ins", Cause: "R15", Link: icd.L7, Party: icd.Controller, Tells: 3, End: 5000 * time.Second,
		setup: func(h *Home) {
			homeAssistant(h)
			longIdle(h)
			persistence(h, matternode.Forgets)
			faults(h).AwaitsCheckIn = true
			h.other()
			h.before = func() { h.register(h.more[0]) }
		},
		play: func(h *Home) {
			restart(h, 600, whole)
			press(h, 3500)
		}},
	{Name: "parent gone", Cause: "R17", Link: icd.L2, Party: icd.Mesh, Tells: 2, End: 1800 * time.Second,
		setup: google,
		play: func(h *Home) {
			h.at(600, func() {
				h.with(func() { h.mesh.routers[1].alive, h.mesh.last, h.mesh.routers[0].full = false, time.Now(), true })
			})
			press(h, 1500)
		}},
	{Name: "no parent has room after the restart", Cause: "R17", Link: icd.L2, Party: icd.Mesh, Tells: 2, End: 1800 * time.Second,
		setup: google,
		play: func(h *Home) {
			h.at(598, func() {
				h.with(func() {
					for _, r := range h.mesh.routers {
						r.full, r.others = true, 10
					}
				})
			})
			h.at(599, h.pollMesh)
			restart(h, 600, whole)
			press(h, 1500)
		}},
	{Name: "address not known to its parent", Cause: "R19", Link: icd.L3, Party: icd.Mesh, Tells: never, End: 1800 * time.Second,
		setup: google,
		play: func(h *Home) {
			h.at(600, func() { h.with(func() { h.mesh.unknownAddress = true }) })
			press(h, 1500)
		}},
	{Name: "dropped by its parent", Cause: "R20", Link: icd.L2, Party: icd.Mesh, Tells: 2, End: 1800 * time.Second,
		setup: google,
		play: func(h *Home) {
			h.at(630, func() { h.with(func() { h.mesh.routers[1].has, h.mesh.last = false, time.Now() }) })
			press(h, 1500)
		}},
	{Name: "orphaned by its border router", Cause: "R20", Link: icd.L2, Party: icd.Mesh, Tells: 2, End: 1800 * time.Second,
		setup: google,
		play: func(h *Home) { // its parent restarts, forgets it, and still acknowledges its polls
			h.at(620, func() { h.with(func() { h.mesh.routers[1].alive, h.mesh.last = false, time.Now() }) })
			h.at(700, func() { h.with(func() { h.mesh.routers[1].alive, h.mesh.routers[1].has = true, false }) })
			press(h, 1500)
		}},
	{Name: "two border routers announce it twice", Cause: "N1", Link: icd.L9, Party: icd.Controller, Tells: 4, End: 3000 * time.Second,
		setup: func(h *Home) {
			apple(h)
			second(h).replicates = true
			persistence(h, matternode.Forgets)
			silence(h, 10*time.Minute)
			h.dev.regGap = 1500 * time.Millisecond // the name goes, and appears anew
			faults(h).CancelsTwice = true
		},
		play: func(h *Home) {
			outage(h, 500, 1470) // while the controller waits between two attempts
			restart(h, 1465, whole)
			press(h, 2600)
		}},
	{Name: "event numbers fell back", Cause: "N2", Link: icd.L10, Party: icd.DeviceFirmware, Tells: 3, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); h.dev.options.Resumption.RestartEvents = true },
		play: func(h *Home) {
			for t := range 8 { // it has been pressed before
				h.at(100+20*float64(t), func() { h.dev.node.Press() })
			}
			restart(h, 600, whole)
			press(h, 850)
		}},
	{Name: "sleeping controller", Cause: "N3", Link: icd.L7, Party: icd.ControllerHost, Tells: 0, End: 1000 * time.Second,
		setup: func(h *Home) { homeAssistant(h); silence(h, 15*time.Minute) },
		play: func(h *Home) {
			h.at(595, func() { h.hub.sleep() })
			restart(h, 600, whole)
			press(h, 850)
		}},
	{Name: "controller that is gone", Cause: "N4", Link: icd.L6, Party: icd.Controller, Tells: 0, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); silence(h, time.Hour) },
		play: func(h *Home) {
			h.at(595, h.hub.leave)
			restart(h, 600, whole)
			press(h, 850)
		}},
	{Name: "nobody asks for the device", Cause: "N10", Link: icd.L6, Party: icd.BorderRouter, Tells: never, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); silence(h, time.Hour); h.routers[0].noLookUp = true },
		play:  func(h *Home) { restart(h, 600, whole); press(h, 850) }},
	{Name: "no newly appearing name", Cause: "N5", Link: icd.L9, Party: icd.Controller, Tells: 4, End: 3400 * time.Second,
		setup: func(h *Home) { apple(h); silence(h, 10*time.Minute) },
		play:  func(h *Home) { outage(h, 500, 2700); press(h, 3200) }},
	{Name: "brown-out loop", Cause: "N6", Link: icd.L1, Party: icd.DevicePower, Tells: 0, End: 1000 * time.Second,
		setup: google,
		play: func(h *Home) {
			h.at(600, func() {
				for range 6 {
					h.dev.reboot(0, matternode.RebootOptions{Reason: matternode.BrownOutReset})
					if !h.pause(55 * time.Second) {
						return
					}
				}
				h.dev.reboot(time.Hour, whole)
			})
			press(h, 950)
		}},
	{Name: "fell silent", Cause: "N6", Link: icd.L1, Party: icd.DevicePower, Tells: 2, End: 1800 * time.Second,
		setup: google,
		play:  func(h *Home) { h.at(600, func() { h.dev.reboot(24*time.Hour, whole) }); press(h, 1500) }},
	{Name: "a registration changed the mode", Cause: "N7", Link: icd.L9, Party: icd.Controller, Tells: 4, End: 4000 * time.Second,
		setup: func(h *Home) {
			homeAssistant(h)
			longIdle(h)
			silence(h, 5*time.Minute)
			persistence(h, matternode.Forgets)
			faults(h).AwaitsCheckIn = true
			h.other()
		},
		play: func(h *Home) {
			h.at(600, func() { h.register(h.more[0]) })
			h.at(700, h.dev.node.Evict)
			press(h, 2500)
		}},
	{Name: "presses wait for reports", Cause: "N8", Link: icd.L10, Party: icd.DeviceFirmware, Tells: 3, End: 1500 * time.Second,
		setup: func(h *Home) { google(h); h.dev.options.Resumption.LazyEvents = true },
		play:  func(h *Home) { press(h, 850) }},
	{Name: "the controller drops presses", Cause: "N9", Link: icd.L10, Party: icd.Controller, Tells: 4, End: 1000 * time.Second,
		setup: func(h *Home) { google(h); faults(h).DropsEvents = true },
		play:  func(h *Home) { press(h, 850) }},
	{Name: "no route on this machine", Cause: "H1", Link: icd.L3, Party: icd.LANHost, Tells: 0, End: 1800 * time.Second,
		setup: homeAssistant,
		play: func(h *Home) {
			h.see(icd.ByHost, "route", &icd.Route{Prefix: prefixA.String(), Present: ptr(true)})
			h.at(600, func() {
				h.with(func() { h.noRoute[prefixA] = true })
				h.see(icd.ByHost, "route", &icd.Route{Prefix: prefixA.String(), Present: ptr(false)})
				h.see(icd.ByHost, "unreachable", &icd.Unreachable{To: deviceAddr(prefixA).String()})
			})
			press(h, 1500)
		}},
}

// Healthy is a restart after which all is well, with as many variations as
// seeds.
func Healthy(seed uint64) Scenario {
	return Scenario{Name: "sound home", Party: icd.Nobody, Tells: never, End: 1000 * time.Second,
		setup: func(h *Home) {
			[]func(*Home){google, apple, homeAssistant}[seed%3](h)
			h.dev.regGap = time.Duration((0.5 + 2.5*h.random()) * float64(time.Second))
			if seed%4 == 0 {
				h.hub.on = h.routers[0]
			}
			if h.random() < 0.5 {
				second(h).replicates = h.random() < 0.5
			}
			if h.random() < 0.5 {
				persistence(h, matternode.KeepsTrying)
			}
		},
		play: func(h *Home) {
			h.at(300+300*h.random(), func() { h.dev.restart(time.Duration((5+40*h.random())*float64(time.Second)), whole) })
			if h.random() < 0.5 {
				press(h, 750+100*h.random())
			}
		}}
}

// flip is a mesh whose border routers change the prefix; the registry keeps the
// device's old address.
func (h *Home) flip() {
	h.with(func() { h.mesh.prefixes = []netip.Prefix{prefixB} })
	for _, b := range h.allRouters() {
		h.with(func() { b.omr = prefixB })
		b.announceSelf()
		b.advertise()
		b.withdraw(prefixA)
	}
}

// secondPrefix is a second border router that comes with a prefix of its own,
// and into which nothing is forwarded: what the device begins from its new
// address is never answered.
func (h *Home) secondPrefix() {
	b, err := h.addRouter("Hall")
	if err != nil || h.dev.addAddress(prefixB) != nil {
		return
	}
	h.with(func() {
		b.omr = prefixB
		h.mesh.prefixes = append(h.mesh.prefixes, prefixB)
		h.dropped[prefixB] = true
	})
	b.voice.start()
	b.announceSelf()
	b.advertise()
}

// other is a second controller, of which nobody sees the inside.
func (h *Home) other() {
	u := h.newHub("SmartThings")
	u.vendor = 0x110A
	h.more = append(h.more, u)
}

// register makes a controller a client for Check-Ins.
func (h *Home) register(u *hub) {
	ctx, cancel := context.WithTimeout(h.ctx, time.Minute)
	defer cancel()
	if err := u.c.Register(ctx, DeviceNode); err != nil {
		u.told(DeviceNode, &controller.Log{Text: err.Error()})
	}
}
