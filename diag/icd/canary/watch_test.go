package canary

import (
	"slices"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/simulators/matternode"
)

func resumed(r *icd.Report) bool { return r.Known != nil && *r.Known && !r.Priming }

func own(c *icd.CASE) bool { return c.OpenedBy == "canary" }

// TestComesBack: a device with persistent subscriptions resumes ours, and then
// the canary has nothing to ask.
func TestComesBack(t *testing.T) {
	in(t, aSwitch(30*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		c := h.start(nil)
		time.Sleep(2 * time.Minute)
		set := h.messages()
		sessions := len(c.saw("case"))
		c.reboot(matternode.RebootOptions{Boot: 3 * time.Second})
		time.Sleep(10 * time.Minute)
		v := c.verdict(0)
		if v.State(icd.L1) != icd.Seen || v.State(icd.L7) != icd.Seen || v.State(icd.L8) != icd.Seen {
			c.log()
			t.Errorf("chain %v", v.Chain)
		}
		if !has(c.saw("sigma1"), func(s *icd.Sigma1) bool { return s.Resumption && len(s.Fabric) == 16 }) || !has(c.saw("case"), func(s *icd.CASE) bool { return s.OpenedBy == "device" && s.Result == "resumed" && len(s.Fabric) == 16 }) {
			t.Error("no resumed session")
		}
		if !has(c.saw("event"), func(e *icd.DeviceEvent) bool { return e.Name == "StartUp" }) {
			t.Error("no StartUp")
		}
		h.device.Press()
		time.Sleep(time.Minute)
		if !has(c.saw("event"), func(e *icd.DeviceEvent) bool { return e.Name == "InitialPress" }) {
			t.Error("the press did not come")
		}
		if has(c.saw("case")[sessions:], own) {
			t.Error("it opened a session though the device came back")
		}
		time.Sleep(50 * time.Minute)
		t.Logf("%d messages to the device to be set up, %d in the hour after with a restart and a press", set, h.messages()-set)
		if n := h.messages() - set; n > PerHour {
			t.Errorf("%d messages in an hour", n)
		}
		c.stop()
		h.clean(0)
	})
}

// TestDoesNotComeBack tells apart why nothing came of itself.
func TestDoesNotComeBack(t *testing.T) {
	for _, c := range []struct {
		name    string
		o       matternode.Options
		do      func(*canary)
		session string // what our one session was
		reboots bool   // RebootCount went up
		link    icd.Link
		cause   string
	}{
		{"forgets", sleeping(matternode.Forgets), func(c *canary) { c.reboot(matternode.RebootOptions{}) }, "resumed", true, icd.L7, "R1"},
		{"forgets records too", func() matternode.Options {
			o := sleeping(matternode.Forgets)
			o.Resumption.ForgetRecords = true
			return o
		}(), func(c *canary) { c.reboot(matternode.RebootOptions{}) }, "full", true, icd.L7, "R1"},
		{"evicted", sleeping(matternode.TriesOnce), func(c *canary) { c.h.device.Evict() }, "resumed", false, 0, ""},
		{"gone", sleeping(matternode.TriesOnce), func(c *canary) { c.h.device.GoSilent(true) }, "failed", false, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, aSwitch(10*time.Minute, false), c.o, func(h *home) {
				can := h.start(nil)
				time.Sleep(time.Minute)
				set, before := h.messages(), len(can.saw("case"))
				begin := time.Now()
				c.do(can)
				for len(can.saw("case")) == before && time.Since(begin) < time.Hour {
					time.Sleep(time.Second)
				}
				if waited := time.Since(begin); waited < leastWait {
					t.Errorf("its own session came after %v", waited)
				}
				time.Sleep(time.Minute)
				if !has(can.saw("case")[before:], func(s *icd.CASE) bool { return own(s) && s.Result == c.session }) {
					can.log()
					t.Fatalf("no session that was %s", c.session)
				}
				values := func(o icd.Observation) string { return string(o.What.(*icd.Report).Values["0/51/1"]) }
				reads := slices.DeleteFunc(can.saw("report"), func(o icd.Observation) bool { return values(o) == "" })
				if up := len(reads) > 1 && values(reads[len(reads)-1]) != values(reads[0]); up != c.reboots {
					t.Errorf("RebootCount went up: %v", up)
				}
				can.complain()
				v := can.verdict(0)
				if v.Link != c.link || c.cause != "" && !slices.Contains(v.TopCauses(), c.cause) {
					can.log()
					t.Errorf("link %v, causes %v, chain %v", v.Link, v.TopCauses(), v.Chain)
				}
				time.Sleep(time.Until(begin.Add(time.Hour)))
				t.Logf("%d messages in the hour", h.messages()-set)
				if n := h.messages() - set; n > PerHour {
					t.Errorf("%d messages in the hour", n)
				}
				c.o.Quirks = matternode.Quirks{}
				h.device.GoSilent(false)
				time.Sleep(10 * time.Second)
				can.stop()
				if s := h.saved(); !s.Empty() {
					t.Errorf("left: %+v", s)
				}
				h.clean(0)
			})
		})
	}
}

// TestOrderly: who stops in order ends the session, and there is nothing to
// resume.
func TestOrderly(t *testing.T) {
	in(t, aSwitch(20*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		c := h.start(nil)
		time.Sleep(time.Minute)
		c.reboot(matternode.RebootOptions{Orderly: true, Boot: 2 * time.Second})
		time.Sleep(5 * time.Minute)
		if !has(c.saw("event"), func(e *icd.DeviceEvent) bool { return e.Name == "ShutDown" }) || !has(c.saw("lost"), func(l *icd.Lost) bool { return l.Reason == "the device closed the session" }) {
			c.log()
			t.Error("the end was not noticed")
		}
		c.stop()
		h.clean(0)
	})
}

// TestNumbersFellBack: a device that counts its events from the beginning again
// is told from one that repeats some.
func TestNumbersFellBack(t *testing.T) {
	for _, forgets := range []bool{true, false} {
		o := sleeping(matternode.TriesOnce)
		o.Resumption.RestartEvents = forgets
		in(t, aSwitch(20*time.Minute, false), o, func(h *home) {
			c := h.start(nil)
			time.Sleep(time.Minute)
			for range 3 {
				h.device.Press()
				time.Sleep(20 * time.Second)
			}
			c.reboot(matternode.RebootOptions{Boot: time.Second})
			time.Sleep(time.Minute)
			h.device.Press()
			time.Sleep(time.Minute)
			c.complain()
			v := c.verdict(0)
			if got := slices.Contains(v.TopCauses(), "N2"); got != forgets {
				c.log()
				t.Errorf("events restart: %v, and N2 is the first cause: %v", forgets, got)
			}
			numbers := map[uint64]bool{}
			for _, o := range c.saw("event") {
				if e := o.What.(*icd.DeviceEvent); !forgets && numbers[e.Number] {
					t.Errorf("event %d came twice", e.Number)
				} else {
					numbers[e.Number] = true
				}
			}
			c.stop()
			h.clean(0)
		})
	}
}

// TestCheckIn: a device that sleeps for long and has forgotten our subscription
// checks in; only then it is asked anything.
func TestCheckIn(t *testing.T) {
	in(t, aSwitch(30*time.Minute, true), sleeping(matternode.Forgets), func(h *home) {
		h.register()
		h.device.Wake()
		c := h.start(nil)
		time.Sleep(time.Minute)
		if h.clients() != 2 {
			t.Fatal("the canary is not registered, though another is")
		}
		time.Sleep(time.Minute)
		before := len(c.saw("case"))
		set := h.messages()
		c.reboot(matternode.RebootOptions{Boot: 2 * time.Second})
		time.Sleep(50 * time.Minute)
		if !has(c.saw("checkin"), func(i *icd.CheckIn) bool { return *i.Decrypted && i.Counter != nil }) {
			c.log()
			t.Fatal("no Check-In was understood")
		}
		if !has(c.saw("case")[before:], own) || len(c.saw("subscribed")) != 2 {
			c.log()
			t.Error("it did not subscribe anew")
		}
		if n := h.messages() - set; n > PerHour {
			t.Errorf("%d messages", n)
		}
		v := c.verdict(0)
		if v.Mode != icd.ModeLongIdle || v.State(icd.L1) != icd.Seen {
			t.Errorf("mode %v, chain %v", v.Mode, v.Chain)
		}
		h.device.Wake()
		time.Sleep(time.Second)
		c.stop()
		if !h.saved().Empty() { // it slept already
			h.workOff()
		}
		h.clean(1)
	})
}

// TestIdle: a device that sleeps for long is left alone, whatever others hear.
func TestIdle(t *testing.T) {
	in(t, aSwitch(time.Hour, true), sleeping(matternode.TriesOnce), func(h *home) {
		h.register()
		h.device.Wake()
		c := h.start(nil)
		time.Sleep(time.Minute)
		if len(c.saw("subscribed")) != 1 {
			c.log()
			t.Fatal("no subscription")
		}
		h.device.GoSilent(true)
		set := h.messages()
		for range 5 {
			time.Sleep(20 * time.Minute)
			c.restarted <- struct{}{}
		}
		time.Sleep(time.Hour)
		if n := h.messages() - set; n != 0 {
			t.Errorf("%d messages to a device that sleeps", n)
		}
		c.stop()
		if s := h.saved(); s.Empty() || s.Pending == "" {
			t.Errorf("nothing is pending: %+v", s)
		}
		h.device.GoSilent(false)
		h.workOff()
		h.clean(1)
	})
}

// TestRegisters only where it changes nothing, or with consent.
func TestRegisters(t *testing.T) {
	for _, c := range []struct {
		long, other, consent bool
		want                 int
	}{
		{long: true},
		{long: true, consent: true, want: 1},
		{long: true, other: true, want: 2},
		{consent: true},
	} {
		in(t, aSwitch(10*time.Minute, c.long), sleeping(matternode.TriesOnce), func(h *home) {
			before := 0
			if c.other {
				h.register()
				before = 1
			}
			h.device.Wake()
			can := h.start(func(cfg *Config) { cfg.Consent = c.consent })
			time.Sleep(30 * time.Second)
			if got := h.clients(); got != c.want {
				can.log()
				t.Errorf("%+v: %d registered", c, got)
			}
			time.Sleep(time.Minute)
			can.stop()
			h.workOff()
			h.clean(before)
		})
	}
}

// TestOwnRestart: threadmap was restarted while the device was, and is known by
// the number that was kept.
func TestOwnRestart(t *testing.T) {
	in(t, aSwitch(20*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		h.crashAt(0, time.Minute)
		id := h.saved().Subscriptions[0].ID
		c := h.start(nil)
		h.device.Reboot(matternode.RebootOptions{Boot: 4 * time.Second})
		time.Sleep(10 * time.Minute)
		if !has(c.saw("report"), func(r *icd.Report) bool { return resumed(r) && r.ID == id }) || len(c.saw("subscribed")) != 0 {
			c.log()
			t.Error("the subscription was not known any more")
		}
		c.stop()
		h.clean(0)
	})
}

// TestUnknown: a subscription that nobody knows is refused, and that is seen.
func TestUnknown(t *testing.T) {
	in(t, aSwitch(10*time.Minute, false), sleeping(matternode.TriesOnce), func(h *home) {
		h.crashAt(0, time.Minute)
		h.mu.Lock()
		id := h.state.Subscriptions[0].ID
		h.state = State{}
		h.mu.Unlock()
		c := h.start(nil)
		time.Sleep(15 * time.Minute)
		if !has(c.saw("report"), func(r *icd.Report) bool { return r.ID == id && r.Known != nil && !*r.Known }) {
			c.log()
			t.Error("the report was not refused")
		}
		c.stop()
		h.clean(0)
	})
}

// TestOwnRestartAsleep: threadmap was restarted while a device sleeps for long.
// It is left alone until it says that it is awake, with a key that is lost.
func TestOwnRestartAsleep(t *testing.T) {
	in(t, aSwitch(30*time.Minute, true), sleeping(matternode.TriesOnce), func(h *home) {
		h.register()
		h.device.Wake()
		h.crashAt(0, time.Minute)
		time.Sleep(time.Minute)
		before := h.messages()
		c := h.start(nil)
		time.Sleep(5 * time.Minute)
		if n := h.messages() - before; n != 0 {
			t.Errorf("%d messages to a device that sleeps", n)
		}
		time.Sleep(2 * time.Hour) // its report is not answered, and then it checks in
		if !has(c.saw("checkin"), func(i *icd.CheckIn) bool { return !*i.Decrypted }) || !has(c.saw("read"), func(*icd.Read) bool { return true }) {
			c.log()
			t.Error("it was not noticed")
		}
		h.device.Wake()
		time.Sleep(time.Minute)
		c.stop()
		h.workOff()
		h.clean(1)
	})
}
