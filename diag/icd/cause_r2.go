package icd

import "fmt"

var causeR2 = &Cause{
	ID: "R2", Link: L7, Party: DeviceFirmware,
	Title: "It tries again, but slowly",
	About: "After a failed attempt the device waits 5, 10, 15 minutes and more, up to six hours, before it tries to reach its controller again.",
	examine: func(x *exam) {
		at := x.attempts(x.h)
		steps := 0
		for i := 1; i < len(at); i++ {
			if gap := at[i] - at[i-1]; onSchedule(gap) {
				steps++
				x.sign(fmt.Sprintf("attempts at %s and %s, %s apart: its retry schedule", at[i-1], at[i], gap))
			} else if gap < 4*minute {
				x.against(fmt.Sprintf("attempts %s apart are none of its retry schedule", gap))
			}
		}
		if n := len(at); n > 0 && steps > 0 && x.at > at[n-1]+resumeRetry(n)+10*minute {
			x.against("the next attempt is overdue")
		}
		if steps > 1 && x.c.state(L7) == Broken {
			x.proof(fmt.Sprintf("%d attempts on its retry schedule", steps+1))
		}
		if len(at) == 1 && x.c.state(L7) == Broken && x.at < at[0]+resumeRetry(1) {
			x.fit(fmt.Sprintf("one attempt failed at %s; the next would come 5 to 10 minutes later", at[0]))
		}
	},
}

// onSchedule reports whether two attempts are as far apart as some step of the
// retry schedule, with the time that the failed attempt itself took.
func onSchedule(gap Seconds) bool {
	for n := range 12 {
		if w := resumeRetry(n); gap >= w-slack && gap <= w+lookUp+handshake+30*second {
			return true
		}
	}
	return false
}
