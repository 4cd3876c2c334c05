package icd

import (
	"fmt"
	"slices"
)

var causeN6 = &Cause{
	ID: "N6", Link: L1, Party: DevicePower,
	Title: "It has no power, or keeps restarting",
	About: "The battery is weak or its contact poor, or the firmware crashes: the device starts again and again, or falls silent.",
	examine: func(x *exam) {
		if x.c.state(L1) == Broken {
			x.proof(x.c.because(L1))
		}
		if n, _, first := x.starts(); n > 0 && x.c.state(L1) == Unknown {
			x.sign(fmt.Sprintf("it started %d times within %s", n, x.boots[len(x.boots)-1].at-first.begun()))
		}
		if off := x.by["user power-off"]; len(off) > 0 && x.c.state(L1) == Unknown {
			if o := off[len(off)-1]; o.At >= x.t0 && o.At > x.lastLife().at {
				x.sign(because(o, "nobody said that it is on again, and nothing was heard of it since"))
			}
		}
		if n, o, ok := x.last("0/51/4"); ok && slices.Contains([]uint64{2, 3, 4}, n) && o.At >= x.t0-slack {
			name := map[uint64]string{2: "brown-out", 3: "software watchdog", 4: "hardware watchdog"}[n]
			x.sign(because(o, "the reason of its last start is "+name))
		}
		if x.c.state(L1) != Broken && x.c.state(L2) != Seen && x.silence() > 2*minute && x.couldHear() {
			x.fit(fmt.Sprintf("nothing was heard of it for %s", min(x.silence(), x.at)))
		}
	},
}

// couldHear reports whether anybody touched the device or its parent: who only
// listens to the LAN hears a sleeping device once in two hours.
func (v *view) couldHear() bool {
	return len(v.by["icmp ping"])+len(v.by["tmf child"])+len(v.by["tmf no-child"])+len(v.by["user power-off"]) > 0 || v.insider(ByCanary) != nil
}

// silence is how long nothing was heard of the device.
func (v *view) silence() Seconds { return v.at - max(v.lastLife().at, 0) }
