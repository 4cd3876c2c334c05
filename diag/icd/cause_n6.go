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
		if n, o, ok := x.last("0/51/4"); ok && slices.Contains([]uint64{2, 3, 4}, n) && o.At >= x.t0-slack {
			name := map[uint64]string{2: "brown-out", 3: "software watchdog", 4: "hardware watchdog"}[n]
			x.sign(because(o, "the reason of its last start is "+name))
		}
		if x.c.state(L1) != Broken && x.c.state(L2) != Seen && x.silence() > 2*minute {
			x.fit(fmt.Sprintf("nothing was heard of it for %s", min(x.silence(), x.at)))
		}
	},
}

// silence is how long nothing was heard of the device.
func (v *view) silence() Seconds { return v.at - max(v.lastLife().at, 0) }
