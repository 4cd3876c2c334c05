package icdhome

import (
	"time"

	"threadmap/simulators/matternode"
)

// DemoCause is what is planted in the home of NewDemo, as package icd calls it.
const DemoCause = "R11"

// NewDemo is the home of a button that works until it restarts: between two
// restarts somebody plugged in a second border router, which brings a prefix of
// its own into the mesh and forwards nothing to it. What the device begins from
// its new address is never answered; nobody notices while its old sessions live.
// Nobody sees inside the controller.
func NewDemo(seed uint64) (*Home, error) {
	h, err := New(Options{Seed: seed, Quick: true})
	if err != nil {
		return nil, err
	}
	apple(h)
	h.hub.quiet = true
	h.dev.icd = matternode.ICD{LIT: true, Idle: time.Hour, Active: time.Second, Threshold: 5 * time.Second, Hint: 1 << 0}
	h.dev.sleep = matternode.Sleep{Slow: time.Second, Fast: 100 * time.Millisecond, Threshold: 5 * time.Second}
	h.before = func() {
		h.until(10*time.Second, func() bool { return h.hub.c.Subscribed(DeviceNode) })
		h.register(h.hub)
		h.dev.node.Wake()
	}
	return h, nil
}

// TellDemo tells the story of NewDemo, in a home that was started, as fast as
// the protocols let it. say is told what happens, for those who watch. It is
// false where the home was closed meanwhile.
func (h *Home) TellDemo(say func(format string, args ...any)) bool {
	d := h.dev
	if !h.until(20*time.Second, func() bool { return d.node.Subscriptions() >= 2 }) {
		return false
	}
	say("A button, Matter over Thread, sleeps up to an hour at a time. %s has subscribed to it and, to see what it does, so has threadmap.", h.hub.name)
	if !h.pause(2500 * time.Millisecond) {
		return false
	}
	say("Somebody presses it.")
	h.press()
	if !h.pause(time.Second) {
		return false
	}
	say("It works. Now somebody plugs in a second border router. Nothing seems to change.")
	h.secondPrefix()
	if !h.pause(3 * time.Second) {
		return false
	}
	say("The button's battery is taken out and put in again.")
	d.restart(2*time.Second, matternode.RebootOptions{})
	if !h.until(30*time.Second, func() bool { return d.node.Up() && len(d.node.Stored()) == 0 }) {
		return false
	}
	h.pollMesh()
	say("It is up again, and somebody presses it.")
	h.press()
	say("Dead. It would stay so until %s, when the button next wakes and checks in; the demo does not wait for that.", time.Now().Add(d.icd.Idle).Format("15:04"))
	return h.ctx.Err() == nil
}

// until waits for something to be so, but no longer than limit; false: the home
// was closed.
func (h *Home) until(limit time.Duration, so func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end) && !so(); {
		if !h.pause(50 * time.Millisecond) {
			return false
		}
	}
	return h.ctx.Err() == nil
}
