package icd

import "fmt"

var causeR3 = &Cause{
	ID: "R3", Link: L7, Party: DeviceFirmware,
	Title: "It tried once and gave up",
	About: "The device kept its subscription, but when the first attempt to reach the controller failed it threw it away.",
	examine: func(x *exam) {
		at := x.attempts(x.h)
		if n := x.tries(); n > 1 {
			x.exclude(fmt.Sprintf("it tried %d times to reach its subscribers", n))
			return
		}
		switch {
		case len(at) > 1:
			x.exclude(fmt.Sprintf("it tried %d times", len(at)))
		case len(at) == 1 && x.h.served().at < at[0]:
			if overdue := at[0] + lookUp + handshake + resumeRetry(1); x.at > overdue && x.lastLife().at > at[0]+handshake {
				if x.c.state(L7) == Broken {
					x.sign(fmt.Sprintf("it tried at %s, failed, and has not tried again", at[0]))
				} else {
					x.fit(fmt.Sprintf("it looked for its subscriber at %s, and has not again", at[0]))
				}
			} else {
				x.fit(fmt.Sprintf("its attempt at %s did not succeed", at[0]))
			}
		}
	},
}
