package doctor

import "threadmap/topology"

// broken lists the links in that state between nodes that are there. Of a link
// to one that did not answer the rules about silent routers speak.
func (c *Case) broken(in topology.LinkState) []*topology.Link {
	var out []*topology.Link
	for _, l := range c.Map.Links {
		if l.State == in && l.A.State == topology.NodeOK && l.B.State == topology.NodeOK {
			out = append(out, l)
		}
	}
	return out
}
