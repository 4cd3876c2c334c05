package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadmap/diag/icd"
	"threadmap/simulators/icdhome"
)

// shown is what of Home Assistant's an observation file has, of one kind.
func shown(tl *icd.Timeline, event string) (all []string) {
	for o := range tl.All() {
		if o.By != icd.ByHA || o.Event != event {
			continue
		}
		switch w := o.What.(type) {
		case *icd.Available:
			all = append(all, fmt.Sprint(w.Value != nil && *w.Value))
		case *icd.DeviceEvent:
			all = append(all, w.Name)
		}
	}
	return all
}

// says looks for what must be in a text.
func says(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(text, s) {
			t.Errorf("%q is missing in\n%s", s, text)
		}
	}
}

// TestICDWithHomeAssistantSound: a button restarts and comes back to Home
// Assistant. That is seen by what Home Assistant tells: the events of the start,
// and a press, which settles it.
func TestICDWithHomeAssistantSound(t *testing.T) {
	inVirtualHome(t, "it sleeps for long and resumes", true, func(t *testing.T, h *virtualHome, s *icdhome.Scenario) {
		began := time.Now()
		out, errs, tl := h.watch(t, s)
		if took := time.Since(began); took > s.End {
			t.Errorf("it took %v after all was settled", took)
		}
		if got := strings.Join(shown(tl, "event"), " "); got != "StartUp BootReason InitialPress ShortRelease" {
			t.Errorf("of the Matter server's events the record has %s", got)
		}
		says(t, errs, "This is about the subscription of Home Assistant: it tells what it sees.", "Home Assistant  event 65537 StartUp", "_button: initial press",
			"Home Assistant  starts counted: 17", "Home Assistant  idle for up to 5 min", "presses arrive, seen: ", "Nothing is awaited any more.")
		says(t, out, "It is back: every link holds.", "for Home Assistant\n", "L10 seen     Presses arrive: ", "from inside a controller (rung 4 of 4)")
		if strings.Contains(errs, "0/51/") || strings.Contains(out, "0/51/") {
			t.Errorf("a raw path is said:\n%s%s", errs, out)
		}
		if w := h.ha.Writing(); len(w) > 0 {
			t.Errorf("Home Assistant was told to change something: %v", w)
		}
	})
}

// TestICDWithHomeAssistantDead: a button whose way was cut is reachable again, and
// Home Assistant hangs: its buttons stay dead. That it shows the device as
// unavailable while it answers pings breaks the link that is the controller's.
func TestICDWithHomeAssistantDead(t *testing.T) {
	inVirtualHome(t, "the controller hangs", true, func(t *testing.T, h *virtualHome, s *icdhome.Scenario) {
		out, errs, tl := h.watch(t, s)
		if got := shown(tl, "available"); len(got) < 2 || got[0] != "true" || got[len(got)-1] != "false" {
			t.Errorf("of Home Assistant the record has %v", got)
		}
		if got := shown(tl, "event"); len(got) > 0 {
			t.Errorf("events arrived at a controller that hangs: %v", got)
		}
		says(t, errs, "Home Assistant  shows it as available", "Home Assistant  shows it as unavailable", "L9              the controller looks after it, broken: the device lives")
		says(t, out, "Broken: the controller does not look after it. Whose matter it is: the controller.", "L9  broken   The controller looks after it: ", "ha available false",
			"The controller hangs in an old attempt (R6", "L3  seen     Its address works")
		v, err := icd.Evaluate(tl, tl.End(), "")
		if err != nil || v.Link != icd.L9 || v.Party != icd.Controller || v.Rung != 4 || v.Subscriber != "Home Assistant" {
			t.Errorf("the record is judged otherwise: %v, %+v", err, v)
		}
		// Without what Home Assistant told nobody would know.
		without := icd.NewTimeline(tl.Node, tl.Start)
		for o := range tl.All() {
			if o.By != icd.ByHA {
				without.Add(*o)
			}
		}
		if v, err := icd.Evaluate(without, without.End(), ""); err != nil || v.Link == icd.L9 {
			t.Errorf("the verdict does not use what Home Assistant told: %v, %+v", err, v)
		}
	})
}

// TestICDForgetfulFirmware: the whole patience of 150 s with a device that restarts
// and does not come back, as the command has it: threadmap opens no session before,
// and the firmware is blamed, about a controller as about threadmap's own
// subscription, which is served again afterwards.
func TestICDForgetfulFirmware(t *testing.T) {
	for _, c := range []struct {
		name      string
		args      []string
		errs, out []string
	}{
		{"about the controller", nil,
			[]string{`This is about the subscription of Google Home: it is known by name. --subscriber NAME chooses another: canary`},
			[]string{"Broken: no session with its controller comes about. Whose matter it is: the device's maker (firmware).",
				"Most likely: the firmware forgets its subscriptions when it restarts (R1) or it tried once and gave up (R3).", "for Google Home\n"}},
		{"about threadmap's own", []string{"--subscriber", "canary"}, nil,
			[]string{"It did not come back to threadmap's subscription by itself: it restarted at 12:1", "  broken: no session with its controller comes about. Whose matter it is: the device's maker (firmware).",
				"  Most likely: the firmware forgets its subscriptions when it restarts (R1) or it tried once and gave up (R3).", "Since then: nothing is seen to be broken", "for threadmap itself (canary)\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inVirtualHome(t, "forgetful firmware", false, func(t *testing.T, h *virtualHome, s *icdhome.Scenario) {
				out, errs, tl := h.watch(t, s, c.args...)
				says(t, errs, append(c.errs, "home-assistant: there is no Home Assistant to listen to: threadmap login ha.")...)
				says(t, out, c.out...)
				v, err := icd.Evaluate(tl, tl.End(), "canary")
				if err != nil || !slices.ContainsFunc(v.Facts, func(f icd.Fact) bool { return f.ID == "unaided" }) {
					t.Errorf("that it had to be helped is no fact about threadmap's own subscription: %v, %+v", err, v)
				}
				restarted, ok := tl.Restarted(tl.End())
				if !ok {
					t.Fatal("no restart was seen")
				}
				var opened icd.Seconds
				for o := range tl.All() {
					switch w := o.What.(type) {
					case *icd.Sigma1:
						t.Errorf("the device opened a session: %v", o)
					case *icd.CASE:
						if o.At > restarted && opened == 0 && w.OpenedBy == icd.ByCanary {
							opened = o.At
						}
					}
				}
				if wait := time.Duration(opened - restarted); wait < 150*time.Second || wait > 170*time.Second {
					t.Errorf("threadmap opened a session after %v, want 150 s and the way", wait)
				}
			})
		})
	}
}
