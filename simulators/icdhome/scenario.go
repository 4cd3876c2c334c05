package icdhome

import (
	"context"
	"time"

	"threadmap/diag/icd"
	"threadmap/simulators/controller"
	"threadmap/simulators/matternode"
)

// A Scenario is one home with one thing wrong, or none.
type Scenario struct {
	Name  string
	Cause string // what was planted, as package icd calls it; "" for a sound home
	// Link and Party are the truth: the first link of the chain that is broken,
	// and who has to mend it. Tells is the lowest rung of the evidence ladder on
	// which the link can be known at all; below, "not known" is right as well.
	Link  icd.Link
	Party icd.Party
	Tells int
	// End is how long the story takes.
	End time.Duration

	setup func(*Home)
	play  func(*Home)
}

// never is a rung that nobody stands on.
const never = 9

// New makes the scenario's home, which is not started yet.
func (s *Scenario) New(o Options) (*Home, error) {
	h, err := New(o)
	if err != nil {
		return nil, err
	}
	if s.setup != nil {
		s.setup(h)
	}
	return h, nil
}

// Play tells the story in a home that was started. It does not wait for its
// end.
func (s *Scenario) Play(h *Home) { s.play(h) }

// ByName finds a scenario; nil: there is none of that name.
func ByName(name string) *Scenario {
	for i := range Scenarios {
		if Scenarios[i].Name == name {
			return &Scenarios[i]
		}
	}
	return nil
}

// Whose controller it is. Each comes back in its own way; how long a sleepy
// device may be silent follows from its idle time. The vendor ids are the CSA's.
func google(h *Home) {
	h.hub.name, h.hub.options.Policy, h.hub.vendor = "Google Home", controller.CHIP, 0x6006
}

func apple(h *Home) {
	h.hub.name, h.hub.options.Policy, h.hub.vendor = "Apple Home", controller.Darwin, 0x1349
}

func homeAssistant(h *Home) {
	h.hub.name, h.hub.options.Policy, h.hub.vendor = "Home Assistant", controller.MatterJS, 0x134B
}

// silence is the longest time between two reports.
func silence(h *Home, d time.Duration) { h.dev.icd.Idle = d }

func persistence(h *Home, p matternode.Persistence) { h.dev.options.Resumption.Persistence = p }

// longIdle makes the device one that can be idle for long.
func longIdle(h *Home) {
	h.dev.icd.LIT, h.dev.icd.Idle, h.dev.icd.Active, h.dev.icd.Threshold = true, 15*time.Minute, 5*time.Second, 5*time.Second
}

// second is a second border router, from the beginning.
func second(h *Home) *borderRouter {
	b, err := h.addRouter("Hall")
	if err != nil {
		panic(err) // an address that is in use
	}
	return b
}

// restart takes the battery out at a time, for twelve seconds.
func restart(h *Home, at float64, o matternode.RebootOptions) {
	h.at(at, func() { h.dev.restart(12*time.Second, o) })
}

// neighbour is another device of the mesh that looks the controller up: its
// border router asks for it.
func neighbour(h *Home, at float64) {
	h.at(at, func() {
		ctx, cancel := context.WithTimeout(h.ctx, lookUpLimit)
		defer cancel()
		b := h.serving()
		h.mu.Lock()
		blind := b == nil || b.noLookUp
		h.mu.Unlock()
		if !blind {
			b.voice.seek(ctx, h.hub.instance())
		}
	})
}

func press(h *Home, at float64) { h.at(at, func() { h.press() }) }

func outage(h *Home, from, to float64) {
	h.at(from, func() { h.with(func() { h.cut = true }) })
	h.at(to, func() { h.with(func() { h.cut = false }) })
}

func faults(h *Home) *controller.Faults { return &h.hub.options.Faults }
