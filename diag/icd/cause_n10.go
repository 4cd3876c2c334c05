package icd

var causeN10 = &Cause{
	ID: "N10", Link: L6, Party: BorderRouter,
	Title: "The border router looks nothing up for it",
	About: "The device asks its border router where its controller is; one without a discovery proxy, or with one that fails, finds nobody on the home's network.",
	examine: func(x *exam) {
		if o := x.lookUpSeen(x.h); o != nil {
			x.exclude(because(o, "look-ups of Thread devices get through"))
			return
		}
		if len(x.attempts(x.h)) > 0 {
			x.exclude("its subscriber was looked up")
			return
		}
		if !x.rebooted && !x.claimed || x.at < x.resumeDue().to {
			return
		}
		x.vague = x.neverTried() == nil && x.captureSawNone() == nil
		if why := x.quietRouter(x.h); why != "" {
			x.fit(why)
			return
		}
		x.vague = true
		x.fit("nobody heard the border router look anything up")
	},
}
