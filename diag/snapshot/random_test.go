package snapshot

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"threadmap/diag"
)

// A generator makes scans that a file can hold as they are: every field in its
// range, times in UTC, lists nil, empty or filled.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, 0x7472656164))}
}

func (g generator) often() bool { return g.IntN(3) != 0 }

func optional[T any](g generator, make func() T) diag.Opt[T] {
	if !g.often() {
		return diag.Opt[T]{}
	}
	return diag.Some(make())
}

func some[T any](g generator, most int, make func() T) []T {
	switch g.IntN(4) {
	case 0:
		return nil
	case 1:
		return []T{}
	}
	out := []T{}
	for range 1 + g.IntN(most) {
		out = append(out, make())
	}
	return out
}

func oneOf[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

func (g generator) u8() uint8     { return uint8(g.Uint32()) }
func (g generator) u16() uint16   { return uint16(g.Uint32()) }
func (g generator) i8() int8      { return int8(g.Uint32()) }
func (g generator) bool() bool    { return g.IntN(2) == 0 }
func (g generator) lq() uint8     { return uint8(g.IntN(4)) }
func (g generator) router() uint8 { return uint8(g.IntN(diag.MaxRouterID + 1)) }
func (g generator) rate() diag.Rate {
	return diag.Rate(g.u16())
}

func (g generator) text() string {
	return oneOf(g, "", "x", "Küche 厨房 🛋", "a\x1b[31m", "line\nline", fmt.Sprintf("text %d", g.Uint32()))
}

func (g generator) word() string { return fmt.Sprintf("word-%d", g.Uint32()) }

func (g generator) time() time.Time {
	if g.IntN(4) == 0 {
		return time.Time{}
	}
	return time.Unix(g.Int64N(1<<33), g.Int64N(1e9)).UTC()
}

func (g generator) span() time.Duration { return time.Duration(g.Int64N(int64(maxDuration) + 1)) }

func (g generator) rloc() diag.RLOC16 {
	r := diag.RouterRLOC16(g.router())
	if g.bool() {
		r = r.Child(1 + uint16(g.IntN(diag.MaxChildID)))
	}
	return r
}

func (g generator) maybeRLOC() diag.RLOC16 {
	if g.often() {
		return g.rloc()
	}
	return diag.RLOC16{}
}

func (g generator) addr() netip.Addr {
	var b [16]byte
	for i := range b {
		b[i] = g.u8() | 1
	}
	switch g.IntN(5) {
	case 0:
		return netip.AddrFrom4([4]byte(b[:4]))
	case 1:
		return netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]})
	case 2:
		return netip.AddrFrom16(b).WithZone(oneOf(g, "eth0", "wlan0.1", "7"))
	}
	return netip.AddrFrom16(b)
}

func (g generator) prefix() netip.Prefix {
	var b [16]byte
	for i := range b {
		b[i] = g.u8()
	}
	b[0] |= 0x20
	return netip.PrefixFrom(netip.AddrFrom16(b), g.IntN(129)).Masked()
}

func (g generator) mode() diag.Mode { return diag.ModeFromTLV(g.u8() & 0x0b) }

func (g generator) neighbor() diag.Neighbor {
	return diag.Neighbor{
		ExtAddr: diag.ExtAddr(g.Uint64()), RLOC16: g.maybeRLOC(), Mode: optional(g, g.mode), ThreadVersion: optional(g, g.u16),
		LinkQualityIn: optional(g, g.lq), AverageRSSI: optional(g, g.i8), LastRSSI: optional(g, g.i8), LinkMargin: optional(g, g.u8),
		FrameErrorRate: optional(g, g.rate), MessageErrorRate: optional(g, g.rate),
		Age: optional(g, g.span), ConnectedFor: optional(g, g.span), Timeout: optional(g, g.span), Supervision: optional(g, g.span),
		QueuedMessages: optional(g, g.u16), CSLSynchronized: optional(g, g.bool),
		LinkFrameCounter: optional(g, g.Uint32), MLEFrameCounter: optional(g, g.Uint32), Addresses: some(g, 3, g.addr),
	}
}

func (g generator) route() diag.Route {
	return diag.Route{
		RouterID: g.router(), ExtAddr: diag.ExtAddr(g.Uint64()), NextHop: optional(g, func() uint8 { return uint8(g.IntN(64)) }),
		PathCost: optional(g, g.u8), LinkQualityIn: optional(g, g.lq), LinkQualityOut: optional(g, g.lq), Age: optional(g, g.span),
		LinkEstablished: optional(g, g.bool), Allocated: optional(g, g.bool),
	}
}

func (g generator) icd() diag.ICD {
	return diag.ICD{
		LIT: optional(g, g.bool), IdleModeDuration: optional(g, g.span), ActiveModeDuration: optional(g, g.span),
		ActiveModeThreshold: optional(g, g.span), CheckIn: optional(g, g.bool), FeatureMap: optional(g, g.Uint32),
		RegisteredClients: optional(g, g.u16), UserActiveModeTriggerHint: optional(g, g.Uint32),
		UserActiveModeTriggerInstruction: g.text(), SessionIdleInterval: optional(g, g.span),
		SessionActiveInterval: optional(g, g.span), SessionActiveThreshold: optional(g, g.span),
	}
}

func (g generator) report() diag.Report {
	r := diag.Report{
		Source: g.word(), Via: g.text(), Session: g.text(), At: g.time(), Cached: g.bool(), Cut: g.bool(),
		Own: some(g, 3, func() diag.AddrClaim {
			return diag.AddrClaim{ExtAddr: diag.ExtAddr(g.Uint64() | 1), Witness: diag.Witness(1 + g.IntN(5))}
		}),
		EUI64: diag.ExtAddr(g.Uint64()), RLOC16: g.maybeRLOC(),
		Matter:    some(g, 3, func() diag.MatterID { return diag.MatterID{Fabric: g.Uint64(), Node: g.Uint64() | 1} }),
		Hosts:     some(g, 3, g.word),
		Instances: some(g, 3, g.word),
		Names: some(g, 3, func() diag.Name {
			return diag.Name{Value: g.word(), Kind: diag.NameKind(1 + g.IntN(6))}
		}),
		Addresses: some(g, 5, g.addr),
		Transport: oneOf(g, diag.TransportUnknown, diag.TransportThread, diag.TransportWiFi, diag.TransportEthernet),
		Role: oneOf(g, diag.RoleUnknown, diag.RoleDetached, diag.RoleSleepyEndDevice, diag.RoleEndDevice, diag.RoleREED,
			diag.RoleRouter, diag.RoleLeader),
		Mode: optional(g, g.mode), BorderRouter: optional(g, g.bool), ThreadVersion: optional(g, g.u16),
		Vendor: g.text(), Product: g.text(), Firmware: g.text(), ThreadStack: g.text(), Room: g.text(),
		DeviceTypes: some(g, 4, g.Uint32), Available: optional(g, g.bool),
		BatteryPercent:  optional(g, func() uint8 { return uint8(g.IntN(101)) }),
		SupplyMillivolt: optional(g, g.u16), RebootCount: optional(g, g.u16), UpTime: optional(g, g.span),
		BootReason: optional(g, g.u8), ICD: optional(g, g.icd),
		BorderAgent: optional(g, func() diag.BorderAgent {
			return diag.BorderAgent{
				StateBitmap: optional(g, g.Uint32), EphemeralKey: optional(g, g.bool),
				Endpoints: some(g, 3, func() netip.AddrPort { return netip.AddrPortFrom(g.addr(), g.u16()|1) }),
			}
		}),
		Leader: diag.LeaderData{
			PartitionID: optional(g, g.Uint32), Weighting: optional(g, g.u8), DataVersion: optional(g, g.u8),
			StableDataVersion: optional(g, g.u8), RouterID: optional(g, g.router),
		},
		Children: some(g, 6, g.neighbor), ChildrenPartial: g.bool(), Neighbors: some(g, 6, g.neighbor), Routes: some(g, 6, g.route), RoutesPartial: g.bool(),
		RouteIDSequence: optional(g, g.u8), RouterCount: optional(g, func() uint8 { return uint8(g.IntN(33)) }),
		Connectivity: optional(g, func() diag.Connectivity {
			return diag.Connectivity{
				ParentPriority: int8(g.IntN(3) - 1), LinkQuality3: g.u8(), LinkQuality2: g.u8(), LinkQuality1: g.u8(), LeaderCost: g.u8(),
				IDSequence: g.u8(), ActiveRouters: g.u8(), SEDBufferSize: optional(g, g.u16), SEDDatagramCount: optional(g, g.u8),
			}
		}),
		MaxChildTimeout: optional(g, g.span), Timeout: optional(g, g.span),
	}
	if g.often() {
		r.BorderAgentID = fmt.Sprintf("%016x%016x", g.Uint64(), g.Uint64())
	}
	if g.often() {
		r.HAPID = fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", g.u8(), g.u8(), g.u8(), g.u8(), g.u8(), g.u8())
	}
	if g.often() {
		r.Network = diag.Network{
			ExtPANID: diag.PANID64(g.Uint64()), Name: g.text(), PANID: optional(g, func() uint16 { return g.u16() &^ 1 }),
			Channel: optional(g, g.u8), ActiveTimestamp: optional(g, g.Uint64), OMRPrefixes: some(g, 3, g.prefix),
			BorderRouters: some(g, 3, g.rloc), NetworkData: some(g, 254, g.u8),
		}
		if g.often() {
			r.Network.MeshLocalPrefix = g.prefix()
		}
	}
	if g.often() {
		r.Counters = map[diag.Counter]uint64{}
		for range g.IntN(5) {
			r.Counters[oneOf(g, diag.TxTotalCount, diag.RxErrFcsCount, diag.IfInErrors, diag.LeaderMillis)] = g.Uint64()
		}
	}
	return r
}

func (g generator) scan(reports int) *diag.Scan {
	s := &diag.Scan{
		From: g.time(), To: g.time(), Probe: g.text(), Complete: g.bool(), Reports: []diag.Report{},
	}
	for range reports {
		s.Reports = append(s.Reports, g.report())
	}
	for range g.IntN(3) {
		s.Sources = append(s.Sources, diag.SourceState{Name: g.word(), Via: g.text(), Hint: g.text(),
			State: oneOf(g, diag.StateAnswered, diag.StateFailed, diag.StateSkipped)})
	}
	for range g.IntN(3) {
		s.Problems = append(s.Problems, diag.Problem{Source: g.word(), Target: g.text(), Text: g.text(), Hint: g.text(), Partial: g.bool(),
			Stage: oneOf(g, diag.StageResolve, diag.StageConnect, diag.StageHandshake, diag.StageAsk, diag.StageParse)})
	}
	return s
}

// TestGeneratorKnowsEveryField fails when a field is added to the vocabulary
// and not to the generator: the round-trip test would say nothing about it.
func TestGeneratorKnowsEveryField(t *testing.T) {
	filled := map[string]bool{}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		if !v.IsZero() {
			filled[path] = true
		} else if !filled[path] {
			filled[path] = false
		}
		switch {
		case v.Type() == reflect.TypeFor[time.Time]() || v.Type().PkgPath() == "net/netip":
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				walk(path+"[]", v.Index(i))
			}
		case v.Kind() == reflect.Struct && v.Type().PkgPath() == "threadmap/diag":
			if get := v.MethodByName("Get"); get.IsValid() {
				if out := get.Call(nil); out[1].Bool() {
					walk(path+"?", out[0])
				}
				return
			}
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		}
	}
	for seed := range uint64(200) {
		walk("Scan", reflect.ValueOf(*newGenerator(seed).scan(3)))
	}
	if len(filled) < 100 {
		t.Fatalf("only %d paths found: the walk is broken", len(filled))
	}
	for path, ok := range filled {
		if !ok {
			t.Errorf("the generator never fills %s", path)
		}
	}
}
