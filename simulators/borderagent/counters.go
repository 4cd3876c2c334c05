package borderagent

import (
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
)

// The model does not count. What these give is made of the address, so that
// nodes differ and each says the same every time.

func macCounters(x *mesh.Node) (c netdiag.MACCounters) {
	r := uint64(x.ExtAddr)
	for k := range c {
		r = r*6364136223846793005 + 1442695040888963407
		c[k] = uint32(r>>33) % 10000
	}
	return c
}

func mleCounters(x *mesh.Node) (c netdiag.MLECounters) {
	const day = 24 * 3600 * 1000
	role := 2 // child
	if x.IsRouter() {
		role = 3
	}
	c.Counts[role], c.Counts[1] = 1, 1
	c.Counts[5] = 1 + uint16(x.ExtAddr%3) // attach attempts
	c.Millis[0], c.Millis[2] = day, 2000
	c.Millis[role+1] = day - 2000
	return c
}
