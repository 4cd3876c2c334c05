package borderagent

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"threadmap/diag"
	"threadmap/diag/tmf/netdiag"
	"threadmap/simulators/mesh"
)

// onMesh is a commissioner of the lab whose role all nodes know of.
func onMesh(t *testing.T, m *mesh.Mesh, o Options) (*Agent, *client) {
	t.Helper()
	if o.Settle == 0 {
		o.Settle = -1
	}
	a, n := serve(t, m, o)
	c := lab(t, n)
	c.commission()
	return a, c
}

func tlvsOf(t *testing.T, h heard) []netdiag.TLV {
	t.Helper()
	tlvs, err := netdiag.SplitTLVs(h.inner.payload)
	if err != nil {
		t.Fatal(err)
	}
	return tlvs
}

func types(t *testing.T, h heard) (out []uint8) {
	t.Helper()
	for _, v := range tlvsOf(t, h) {
		out = append(out, v.Type)
	}
	return out
}

// Who answers a multicast: captured were 25 of 26 for ff03::1, one was lost.
func TestMulticast(t *testing.T) {
	for _, c := range []struct {
		group string
		want  int
		late  int // those that answer after half a second
	}{
		{"ff03::2", 6, 0},                    // five other routers and an FTD child
		{"ff03::1", 26, 0},                   // and 20 receiver-on children
		{"ff33:40:fd00:db8:a0:0:0:1", 28, 2}, // and two sleepy ones
		{"ff03::fc", 0, 0},
		{"ff02::2", 0, 0},
	} {
		t.Run(c.group, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, k := onMesh(t, mesh.Lab(20), Options{})
				k.proxy(netip.MustParseAddr(c.group), multicast(1, netdiag.TypeExtAddress, netdiag.TypeAddress16))
				got, _ := k.listen(10 * time.Second)
				who := map[string]bool{}
				late := 0
				for _, h := range inner(got, answerPath) {
					x, _ := netdiag.Find(tlvsOf(t, h), netdiag.TypeExtAddress)
					short, _ := netdiag.Find(tlvsOf(t, h), netdiag.TypeAddress16)
					if from := h.from.As16(); !bytes.Equal(from[14:], short) {
						t.Errorf("%x answers from %v", short, h.from)
					}
					who[string(x)] = true
					if h.at >= defaultPoll {
						late++
					}
				}
				if len(got) != len(who) || len(who) != c.want || late != c.late || who["\x0e\x01\x01\x01\x01\x01\x01\x01"] {
					t.Errorf("%d messages of %d nodes, %d late, want %d, %d", len(got), len(who), late, c.want, c.late)
				}
				if s := a.Stats(); s.ToMesh != 1+c.want || s.FromMesh != c.want || s.Requests["d/dq"] != c.want {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// Where answers come from, and who can be asked.
func TestAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		a, c := onMesh(t, m, Options{})
		mlEID := m.View().MLEID(2)
		for mid, x := range []struct {
			to      netip.Addr
			answers bool
			says    uint16 // RLOC16
		}{
			{rloc(0xfc00), true, 0x5c00}, {rloc(0x6800), true, 0x6800}, {rloc(0xfc38), true, 0x6800}, {mlEID, true, 0x4000}, {rloc(0x5801), true, 0x5801},
			{m.View().OMR(2)[0], false, 0}, {m.View().LinkLocal(2), false, 0}, {rloc(0x1234), false, 0}, {rloc(0xfc30), false, 0}, {netip.MustParseAddr("2001:db8::1"), false, 0},
		} {
			before := a.Stats()
			c.proxy(x.to, get(uint16(mid), netdiag.TypeAddress16))
			got, _ := c.listen(2 * time.Second)
			// Each hop is a transmission, there and back; the border router itself
			// is none away.
			after := a.Stats()
			hops, octets := after.OnAir-before.OnAir, after.OnAirOctets-before.OnAirOctets
			if far := x.answers && x.says != 0x6800; far != (hops > 0) || hops%2 != 0 ||
				octets != hops/2*(after.ToMeshOctets-before.ToMeshOctets+after.FromMeshOctets-before.FromMeshOctets) {
				t.Errorf("%v: %d transmissions of %d octets", x.to, hops, octets)
			}
			if !x.answers {
				if len(got) > 0 {
					t.Errorf("%v: %+v", x.to, got)
				}
				continue
			}
			if len(got) != 1 || got[0].from != x.to || !bytes.Equal(got[0].inner.payload, netdiag.AppendAddress16(nil, diag.MakeRLOC16(x.says))) {
				t.Errorf("%v: %+v", x.to, got)
				continue
			}
			// But what answers a query is the node itself.
			c.proxy(x.to, query(0x100+uint16(mid), netdiag.TypeAddress16))
			got, _ = c.listen(2 * time.Second)
			if d := inner(got, answerPath); len(got) != 2 || got[0].from != x.to || len(d) != 1 || d[0].from != rloc(x.says) {
				t.Errorf("query to %v: %+v", x.to, got)
			}
		}
	})
}

// What nodes don't answer, and what they refuse.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := onMesh(t, mesh.Lab(0), Options{})
		for _, bad := range []packet{
			{kind: message.NonConfirmable, code: codes.POST, path: "d/dg", payload: netdiag.AppendTypeList(nil, 0)},
			{kind: message.Confirmable, code: codes.POST, path: "d/dg"},
			{kind: message.NonConfirmable, code: codes.POST, path: "d/dq"},
			{kind: message.Confirmable, code: codes.POST, path: "d/dr"},
		} {
			bad.mid = c.next()
			c.proxy(rloc(0x5c00), bad)
			if got, _ := c.listen(2 * time.Second); len(got) > 0 {
				t.Errorf("%+v is answered %+v", bad, got)
			}
		}
		for _, x := range []struct {
			p    packet
			want codes.Code
		}{
			{packet{kind: message.Confirmable, code: codes.GET, path: "d/dg", payload: netdiag.AppendTypeList(nil, 0)}, codes.MethodNotAllowed},
			{packet{kind: message.Confirmable, code: codes.POST, path: "d/xx"}, codes.NotFound},
			{packet{kind: message.NonConfirmable, code: codes.GET, path: "d/xx"}, codes.NotFound},
		} {
			x.p.mid = c.next()
			c.proxy(rloc(0x5c00), x.p)
			if got, _ := c.listen(2 * time.Second); len(got) != 1 || got[0].inner.code != x.want {
				t.Errorf("%+v is answered %+v", x.p, got)
			}
			c.proxy(allRouters, x.p)
			if got, _ := c.listen(2 * time.Second); len(got) > 0 {
				t.Errorf("%+v to all is answered %+v", x.p, got)
			}
		}
	})
}

// Types in the order asked, each once, without those that do not apply.
func TestTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := onMesh(t, mesh.Lab(0), Options{NoNewTLVs: func(n *mesh.Node) bool { return n.RouterID == 16 }})
		all := []uint8{200}
		for typ := range uint8(46) {
			all = append(all, 45-typ)
		}
		for _, x := range []struct {
			to   uint16
			dq   bool
			want []uint8
		}{
			{0x5c00, false, []uint8{37, 35, 34, 28, 27, 26, 25, 24, 23, 17, 16, 9, 8, 7, 6, 5, 4, 2, 1, 0}},
			{0x6800, false, []uint8{40, 38, 37, 35, 34, 28, 27, 26, 25, 24, 23, 17, 16, 9, 8, 7, 6, 5, 4, 2, 1, 0}},
			{0x5c02, false, []uint8{37, 35, 34, 28, 27, 26, 25, 24, 23, 17, 9, 8, 7, 6, 5, 4, 2, 1, 0}}, // an FTD child
			{0x8401, false, []uint8{35, 34, 28, 27, 26, 25, 24, 23, 17, 9, 8, 7, 6, 3, 2, 1, 0}},        // a sleepy one
			{0x8400, false, []uint8{37, 35, 34, 28, 27, 26, 25, 24, 23, 19, 17, 16, 9, 8, 7, 6, 5, 4, 2, 1, 0}},
			{0x4000, false, []uint8{17, 16, 9, 8, 7, 6, 5, 4, 2, 1, 0}}, // an old stack
			{0x5c00, true, []uint8{33, 37, 35, 34, 31, 31, 31, 30, 29, 29, 28, 27, 26, 25, 24, 23, 17, 16, 9, 8, 7, 6, 5, 4, 2, 1, 0, 32}},
			{0x5c02, true, []uint8{33, 37, 35, 34, 31, 30, 29, 28, 27, 26, 25, 24, 23, 17, 9, 8, 7, 6, 5, 4, 2, 1, 0, 32}},
			{0x8401, true, []uint8{33, 35, 34, 28, 27, 26, 25, 24, 23, 17, 9, 8, 7, 6, 3, 2, 1, 0, 32}},
			{0x4000, true, []uint8{17, 16, 9, 8, 7, 6, 5, 4, 2, 1, 0}}, // it knows no Query ID
		} {
			p, path := get(c.next(), append(all, all...)...), ""
			if x.dq {
				p, path = query(c.next(), append(all, all...)...), answerPath
			}
			c.proxy(rloc(x.to), p)
			got, _ := c.listen(2 * time.Second)
			if d := inner(got, path); len(d) != 1 || !slices.Equal(types(t, d[0]), x.want) {
				t.Errorf("%#x, query %v: %v", x.to, x.dq, d)
				if len(d) > 0 {
					t.Log(types(t, d[0]))
				}
			}
		}
	})
}

// A query without an id is answered without, in as many messages.
func TestNoQueryID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := onMesh(t, mesh.Lab(20), Options{})
		p := query(1, netdiag.TypeChild)
		p.payload = netdiag.AppendTypeList(nil, netdiag.TypeChild)
		c.proxy(rloc(0xc000), p)
		got, _ := c.listen(2 * time.Second)
		d := inner(got, answerPath)
		if len(d) != 2 || types(t, d[0])[0] != netdiag.TypeChild || types(t, d[1])[len(types(t, d[1]))-1] != netdiag.TypeAnswer {
			t.Errorf("%+v", got)
		}
	})
}

// While there is a commissioner, the border router has its locator, and the
// network data tell of it.
func TestCommissionerIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := serve(t, mesh.Lab(0), Options{Settle: -1})
		c := lab(t, n)
		sid := c.commission()
		c.proxy(rloc(0x6800), get(1, netdiag.TypeIPv6Addresses, netdiag.TypeNetworkData))
		got, _ := c.listen(time.Second)
		if len(got) != 1 {
			t.Fatalf("%+v", got)
		}
		v, _ := netdiag.Find(tlvsOf(t, got[0]), netdiag.TypeIPv6Addresses)
		addrs, err := netdiag.ParseIPv6Addresses(v)
		if err != nil || !slices.Contains(addrs, rloc(commissionerALOC|uint16(sid[1]&7))) {
			t.Errorf("%v, %v", addrs, err)
		}
		v, _ = netdiag.Find(tlvsOf(t, got[0]), netdiag.TypeNetworkData)
		d, err := netdiag.ParseNetworkData(v)
		id, known := d.Commissioning.SessionID.Get()
		if err != nil || !known || !bytes.Equal(be16(id), sid) || d.Commissioning.BorderAgentLocator != diag.MakeRLOC16(0x6800) {
			t.Errorf("%+v, %v", d.Commissioning, err)
		}
	})
}

// A message id that is used again gets the old answer to the new question, for
// 247 s or until ten others were answered.
func TestResponseCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{Settle: -1})
		c := lab(t, n)
		sid := c.commission()
		asked := func(mid uint16, typ uint8) []uint8 {
			t.Helper()
			c.proxy(rloc(0x5c00), get(mid, typ))
			got, _ := c.listen(time.Second)
			if len(got) != 1 {
				t.Fatalf("%+v", got)
			}
			return types(t, got[0])
		}
		alive := func(d time.Duration) {
			for ; d > 0; d -= 30 * time.Second {
				if _, over := c.listen(27 * time.Second); over {
					t.Fatal("the session ended")
				}
				if _, ok := c.ask("c/ca", netdiag.AppendTLV([]byte{mcState, 1, 1}, mcSessionID, sid)); !ok {
					t.Fatal("no keep-alive")
				}
			}
		}
		if got := asked(7, 0); got[0] != 0 {
			t.Error(got)
		}
		if got := asked(7, 1); got[0] != 0 {
			t.Errorf("at once: %v", got)
		}
		alive(210 * time.Second)
		if got := asked(7, 1); got[0] != 0 {
			t.Errorf("after 210 s: %v", got)
		}
		alive(60 * time.Second)
		if got := asked(7, 1); got[0] != 1 {
			t.Errorf("after 270 s: %v", got)
		}
		for mid := range uint16(maxResponses) {
			asked(100+mid, 0)
		}
		if got := asked(7, 2); got[0] != 2 {
			t.Errorf("after ten others: %v", got)
		}
		before := a.Stats().Requests["d/dq"]
		for range 2 {
			c.proxy(rloc(0x5c00), query(500, 0))
		}
		got, _ := c.listen(10 * time.Second)
		if len(inner(got, "")) != 2 || len(inner(got, answerPath)) != 1 || a.Stats().Requests["d/dq"] != before+2 {
			t.Errorf("a query that is repeated: %+v", got)
		}
	})
}

// Captured: a d/da that nobody acknowledges comes again 2.85 s and 8.54 s after
// the first time, and the messages after it never come.
func TestNoAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := serve(t, mesh.Lab(20), Options{Settle: -1})
		c := lab(t, n)
		sid := c.commission()
		c.mute = true
		c.proxy(rloc(0xc000), query(1, netdiag.TypeChild))
		var at []time.Duration
		index := map[string]bool{}
		mids := map[uint16]bool{}
		begin := time.Now()
		for time.Since(begin) < 150*time.Second {
			since := time.Since(begin)
			got, over := c.listen(30 * time.Second)
			if over {
				t.Fatal("over")
			}
			for _, h := range inner(got, answerPath) {
				v, _ := netdiag.Find(tlvsOf(t, h), netdiag.TypeAnswer)
				index[string(v)], mids[h.inner.mid] = true, true
				at = append(at, (since + h.at).Round(10*time.Millisecond))
			}
			c.ask("c/ca", netdiag.AppendTLV([]byte{mcState, 1, 1}, mcSessionID, sid))
		}
		want := []time.Duration{10, 2860, 8560, 19960, 42760}
		for k := range want {
			want[k] *= time.Millisecond
		}
		if !slices.Equal(at, want) || len(index) != 1 || !index["\x00\x00"] || len(mids) != 1 {
			t.Errorf("at %v; indexes %v, message ids %v", at, index, mids)
		}
	})
}

// Only a 2.04 with its token brings the next message.
func TestAcknowledgements(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(packet) packet
		want   []time.Duration // of d/da after the acknowledgement, in units of 2.85 s
	}{
		"as it should be": {func(p packet) packet { return p }, []time.Duration{0, 1, 3}},
		"empty":           {func(p packet) packet { p.code, p.token = codes.Empty, nil; return p }, nil},
		"reset":           {func(p packet) packet { return packet{kind: message.Reset, mid: p.mid} }, nil},
		"an error":        {func(p packet) packet { p.code = codes.NotFound; return p }, nil},
		"wrong token":     {func(p packet) packet { p.token = []byte("??"); return p }, []time.Duration{1, 3}},
		"wrong id":        {func(p packet) packet { p.mid++; return p }, []time.Duration{1, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, k := onMesh(t, mesh.Lab(20), Options{HopDelay: time.Microsecond})
				k.mute = true
				k.proxy(rloc(0xc000), query(1, netdiag.TypeChild))
				got, _ := k.listen(time.Second)
				d := inner(got, answerPath)
				if len(d) != 1 {
					t.Fatalf("%+v", got)
				}
				k.proxy(d[0].from, c.answer(packet{kind: message.Acknowledgement, code: codes.Changed, mid: d[0].inner.mid, token: d[0].inner.token}))
				got, _ = k.listen(9 * time.Second)
				var at []time.Duration
				for _, h := range inner(got, answerPath) {
					at = append(at, (h.at+time.Second)/firstRepeat)
				}
				if !slices.Equal(at, c.want) { // the next one is not acknowledged
					t.Errorf("%v, want %v", at, c.want)
				}
			})
		})
	}
}

// What does not fit into a record vanishes; the acknowledgement comes.
func TestRecordLimit(t *testing.T) {
	for _, c := range []struct {
		limit   int
		answers int
	}{{768, 0}, {867, 0}, {868, 2}, {900, 2}, {0, 2}} { // captured: 868 octets
		synctest.Test(t, func(t *testing.T) {
			a, k := onMesh(t, mesh.Lab(20), Options{RecordLimit: c.limit})
			k.proxy(rloc(0xc000), query(1, netdiag.TypeChild))
			got, _ := k.listen(2 * time.Second)
			if len(inner(got, "")) != 1 || len(inner(got, answerPath)) != c.answers || (a.Stats().Vanished > 0) != (c.answers == 0) {
				t.Errorf("limit %d: %d messages, %+v", c.limit, len(got), a.Stats())
			}
			k.proxy(rloc(0xc000), get(2, netdiag.TypeChildTable)) // what always fits
			if got, _ := k.listen(2 * time.Second); len(inner(got, "")) != 1 || len(tlvsOf(t, inner(got, "")[0])[0].Value) != 60 {
				t.Errorf("limit %d: child table %+v", c.limit, got)
			}
		})
	}
}

// Some messages are longer than 254 octets, so their TLV 48 is extended in any
// case; old builds extend all of them.
func TestOldUDPEncapsulation(t *testing.T) {
	for _, old := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			_, c := onMesh(t, mesh.Lab(20), Options{OldUDPEncapsulation: old})
			c.proxy(rloc(0xc000), query(1, netdiag.TypeChild))
			got, _ := c.listen(2 * time.Second)
			if len(got) != 3 || got[1].tlv48 != 0xff || (got[0].tlv48 == 0xff) != old {
				t.Errorf("old %v: %+v", old, got)
			}
		})
	}
}

// Far nodes don't know a new commissioner: an answer is lost, the repeated
// question gets it from the cache; a d/da is repeated by the node.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{})
		c := lab(t, n)
		c.send(packet{kind: message.Confirmable, code: codes.POST, mid: c.next(), path: "c/cp", payload: netdiag.AppendTLV(nil, mcCommissionerID, []byte("x"))}.bytes())
		c.listen(100 * time.Millisecond)
		c.proxy(rloc(0x5c00), get(1, 0)) // one hop
		c.proxy(rloc(0xc000), get(2, 0)) // two
		if got, _ := c.listen(time.Second); len(got) != 1 || got[0].from != rloc(0x5c00) {
			t.Errorf("at first: %+v", got)
		}
		c.proxy(rloc(0x8400), query(3, 0))
		got, _ := c.listen(5 * time.Second)
		if d := inner(got, answerPath); len(got) != 1 || len(d) != 1 || d[0].at < 2800*time.Millisecond || d[0].at > 2900*time.Millisecond {
			t.Errorf("a query: %+v", got)
		}
		c.proxy(rloc(0xc000), get(2, 0))
		if got, _ = c.listen(time.Second); len(got) != 1 || got[0].from != rloc(0xc000) {
			t.Errorf("later: %+v", got)
		}
		if s := a.Stats(); s.Unrouted != 3 {
			t.Errorf("%+v", s)
		}
	})
}

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(20)
		m.Faults = []mesh.Fault{
			{Kind: mesh.FaultSilent, Node: 0x0e03030303030303}, {Kind: mesh.FaultSlow, Node: 0x0e06060606060606, Delay: 4 * time.Second},
			{Kind: mesh.FaultLostLists, Node: 0x0e04040404040404},
		}
		a, c := onMesh(t, m, Options{})
		c.proxy(rloc(0x4000), get(1, 0))
		c.proxy(rloc(0x5800), get(2, 0))
		c.proxy(rloc(0xc000), query(3, 0, netdiag.TypeChild))
		c.proxy(rloc(0xc000), query(4, 0, netdiag.TypeChildTable))
		got, _ := c.listen(20 * time.Second)
		if silent := slices.ContainsFunc(got, func(h heard) bool { return h.from == rloc(0x4000) }); silent {
			t.Error("a silent node spoke")
		}
		if k := slices.IndexFunc(got, func(h heard) bool { return h.from == rloc(0x5800) }); k < 0 || got[k].at < 4*time.Second || got[k].at > 5*time.Second {
			t.Errorf("slow: %d of %+v", k, got)
		}
		if d := inner(got, answerPath); len(d) != 1 || !slices.Equal(types(t, d[0]), []uint8{33, 0, 16, 32}) || len(inner(got, "")) != 3 {
			t.Errorf("lost lists: %+v", got)
		}
		if a.Stats().Lost == 0 {
			t.Errorf("%+v", a.Stats())
		}
	})
}

// The other half of a split mesh is silent.
func TestSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesh.Lab(0)
		m.Faults = []mesh.Fault{{Kind: mesh.FaultSplit, Node: 0x0e04040404040404, Nodes: []diag.ExtAddr{0x0e05050505050505, 0x0e06060606060606}}}
		a, c := onMesh(t, m, Options{})
		ask := func(mid uint16) int {
			c.proxy(netip.MustParseAddr("ff03::2"), multicast(mid, 0))
			c.proxy(rloc(0xc000), get(mid+100, 0))
			got, _ := c.listen(5 * time.Second)
			return len(got)
		}
		if got := ask(1); got != 3 {
			t.Errorf("%d answers, want 3", got)
		}
		if err := a.SetView(mesh.Lab(0).View()); err != nil { // healed
			t.Fatal(err)
		}
		c.commission()
		if got := ask(2); got != 7 {
			t.Errorf("healed: %d answers, want 7", got)
		}
		gone := mesh.Lab(0)
		gone.Nodes[0].ExtAddr++
		if err := a.SetView(gone.View()); err == nil {
			t.Error("a view without the border router was taken")
		}
	})
}

// Losses repeat themselves with their seed.
func TestLose(t *testing.T) {
	run := func() (answers int, s Stats) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 30))
			a, c := onMesh(t, mesh.Lab(20), Options{Lose: func(d Datagram) bool {
				if d.Node == 0 || len(d.Payload) == 0 {
					t.Errorf("%+v", d)
				}
				return rng.IntN(10) < 3
			}})
			c.proxy(netip.MustParseAddr("ff03::1"), multicast(1, 0))
			got, _ := c.listen(30 * time.Second)
			answers, s = len(inner(got, answerPath)), a.Stats()
		})
		return answers, s
	}
	first, s := run()
	again, z := run()
	if first != again || s.Lost != z.Lost || s.FromMesh != z.FromMesh {
		t.Errorf("%d, %+v; again %d, %+v", first, s, again, z)
	}
	if s.Lost < 10 || first < 10 || s.FromMesh <= 20 {
		t.Errorf("%d answers, %+v", first, s)
	}
}

func TestGoSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := onMesh(t, mesh.Lab(0), Options{})
		a.GoSilent(true)
		if _, ok := c.ask("c/ag", nil); ok {
			t.Error("answered")
		}
		a.GoSilent(false)
		if _, ok := c.ask("c/ag", nil); !ok {
			t.Error("silent still")
		}
		a.Close()
		if _, over := c.listen(time.Second); !over {
			t.Error("the session goes on after the agent")
		}
	})
}

func TestNewRefuses(t *testing.T) {
	v := mesh.Lab(0).View()
	for name, x := range map[string]diag.ExtAddr{"unknown": 1, "a child": 0x0e07070707070707} {
		if _, err := New(v, x, Options{}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	if _, err := New(v, labBorder, Options{EphemeralCode: "123456789012345678901234567890123"}); err == nil {
		t.Error("a long code was taken")
	}
	synctest.Test(t, func(t *testing.T) {
		a, n := serve(t, mesh.Lab(0), Options{})
		synctest.Wait()
		pc, err := n.ListenPacket(here)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Serve(pc); err == nil {
			t.Error("served twice")
		}
		if _, err := n.ListenPacket(pc.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort()); err != nil {
			t.Errorf("the second socket stayed open: %v", err)
		}
		a.Close()
		if _, err := a.Beside(labBorder, Options{}); err == nil {
			t.Error("an agent beside closed ones")
		}
	})
}
