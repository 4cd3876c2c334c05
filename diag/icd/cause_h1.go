package icd

import "strings"

var causeH1 = &Cause{
	ID: "H1", Link: L3, Party: LANHost,
	Title: "This machine has no way to the mesh",
	About: "The computer does not take the route that the border router offers, so it can reach no Thread device at all.",
	examine: func(x *exam) {
		addrs, _ := x.addresses()
		if o := x.noRoute(addrs); o != nil && o.At > max(x.pings().ok.at, x.lastTalk().at) {
			if o.By == ByHost && o.Event == "route" || x.otbrReaches() != nil {
				x.proof(o.String())
			} else {
				x.sign(o.String())
			}
		}
		for o, w := range each[Sysctl](x.view, "host sysctl") {
			if strings.HasSuffix(w.Name, "accept_ra_rt_info_max_plen") && strings.Trim(string(w.Value), `" `) == "0" {
				x.sign(because(o, "the host ignores routes in router advertisements"))
			}
		}
		if p := x.pings(); p.ok.at > p.fail.at && p.ok.o != nil {
			x.exclude(because(p.ok.o, "this machine reaches it"))
		}
	},
}

// otbrReaches is a ping from a border router that the device answered, while
// none from the host was.
func (v *view) otbrReaches() (o *Observation) {
	for p, w := range each[Ping](v, "icmp ping") {
		if w.From == "otbr" && w.Received > 0 && p.At >= v.t0 {
			o = p
		}
	}
	return o
}
