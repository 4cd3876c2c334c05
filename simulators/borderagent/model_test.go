package borderagent

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
	"threadmap/simulators/simnet"
)

// Asked in small questions, every node of a home says what the model says of
// it.
func TestHomeIsTheModel(t *testing.T) {
	for _, m := range mesh.HomeOf50(1).Networks {
		t.Run(m.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { sameAsModel(t, m) })
		})
	}
}

func sameAsModel(t *testing.T, m *mesh.Mesh) {
	v := m.View()
	border := v.BorderRouters(0)[0]
	a, err := New(v, v.Node(border).ExtAddr, Options{Settle: -1, RecordLimit: 900})
	if err != nil {
		t.Fatal(err)
	}
	n := &simnet.Net{}
	start(t, a, n, agentAddr)
	c, err := dial(t, n, agentAddr, m.PSKc[:])
	if err != nil {
		t.Fatal(err)
	}
	sid := c.commission()
	for i := range m.Nodes {
		var tlvs []netdiag.TLV
		c.proxy(v.RLOC(i), get(uint16(10*i), 0, 1, 2, 3, 5, 6, 8, 16))
		for k, typ := range []uint8{netdiag.TypeChild, netdiag.TypeChildIPv6Addresses, netdiag.TypeRouterNeighbor} {
			c.proxy(v.RLOC(i), query(uint16(10*i+1+k), typ))
			var parts netdiag.Assembly
			got, _ := c.listen(3 * time.Second)
			for _, h := range got {
				if h.from != v.RLOC(i) {
					t.Errorf("%v answers for %v", h.from, v.RLOC(i))
				}
				if h.inner.path != answerPath {
					tlvs = append(tlvs, tlvsOf(t, h)...)
				} else if _, err := parts.Add(tlvsOf(t, h)); err != nil {
					t.Fatal(err)
				}
			}
			if !parts.Complete() {
				t.Errorf("node %d, type %d: incomplete", i, typ)
			}
			tlvs = append(tlvs, parts.TLVs()...)
		}
		if _, ok := c.ask("c/ca", netdiag.AppendTLV([]byte{mcState, 1, 1}, mcSessionID, sid)); !ok {
			t.Fatal("no keep-alive")
		}
		r, errs := netdiag.Report(diag.MakeRLOC16(v.Node(i).RLOC16()), tlvs)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if d := cmp.Diff(facts(v.Report(i, mesh.ReportOptions{}), v.Node(i)), facts(r, v.Node(i))); d != "" {
			t.Errorf("node %d: the model (-), the agent (+):\n%s", i, d)
		}
	}
}

// facts is what a report says of the mesh, a line for each thing.
func facts(r diag.Report, n *mesh.Node) (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	say("%v %v %v, leader %v of %v", r.Own, r.RLOC16, r.Mode, r.Leader.RouterID, r.Leader.PartitionID)
	if n.Sleepy() { // others don't say it
		say("timeout %v", r.Timeout)
	}
	for _, a := range r.Addresses {
		if b := a.As16(); b[14] != 0xfc || b[15]&0xf8 != 0x30 { // the commissioner's is the border router's for a time
			say("address %v", a)
		}
	}
	if n.IsRouter() {
		say("tables %v %v", r.Children != nil, r.Neighbors != nil)
	}
	for _, c := range r.Children {
		say("child %+v", c)
	}
	for _, w := range r.Neighbors {
		w.Age, w.LinkQualityIn = diag.Opt[time.Duration]{}, diag.Opt[uint8]{} // not in TLV 31
		say("neighbor %+v", w)
	}
	for _, w := range r.Routes {
		say("route %+v", w)
	}
	return out
}
