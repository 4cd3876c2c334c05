package netdiag

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"threadmap/diag"
)

// anyParse makes the parsers of a table one type.
func anyParse[T any](f func([]byte) (T, error)) func([]byte) (any, error) {
	return func(v []byte) (any, error) { return f(v) }
}

func typed[T any](f func(uint8, []byte) (T, error), typ uint8) func([]byte) (any, error) {
	return func(v []byte) (any, error) { return f(typ, v) }
}

func addrs(list ...string) []netip.Addr {
	out := []netip.Addr{}
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// codec is a row of the table that drives both directions: append makes these
// octets, and parsing them gives the value back.
type codec struct {
	name  string
	hex   string // the whole TLV
	value any
	app   []byte // what append made
	parse func([]byte) (any, error)
	short bool // a strict prefix can be a value of its own
}

// Values of captured answers where the name says so; the others follow the
// layouts of the standard and were never seen on a wire here.
var codecs = []codec{
	{name: "ext address, captured", hex: "00080e02020202020202", value: diag.ExtAddr(0x0e02020202020202), app: AppendExtAddress(nil, 0x0e02020202020202), parse: anyParse(ParseExtAddress)},
	{name: "EUI-64", hex: "170818b4300000000001", value: diag.ExtAddr(0x18b4300000000001), app: AppendEUI64(nil, 0x18b4300000000001), parse: anyParse(ParseEUI64)},
	{name: "address16, captured", hex: "01025c00", value: diag.MakeRLOC16(0x5c00), app: AppendAddress16(nil, diag.MakeRLOC16(0x5c00)), parse: anyParse(ParseAddress16)},
	{name: "address16 of router 0", hex: "01020000", value: diag.MakeRLOC16(0), app: AppendAddress16(nil, diag.MakeRLOC16(0)), parse: anyParse(ParseAddress16)},
	{name: "address16 unknown", hex: "0102fffe", value: diag.RLOC16{}, app: AppendAddress16(nil, diag.RLOC16{}), parse: anyParse(ParseAddress16)},
	{name: "mode of a router, captured", hex: "02010f", value: diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true},
		app: AppendMode(nil, diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}), parse: anyParse(ParseMode)},
	{name: "mode of a sleepy child, captured", hex: "020104", value: diag.Mode{}, app: AppendMode(nil, diag.Mode{}), parse: anyParse(ParseMode)},
	{name: "timeout, captured", hex: "0304000000f0", value: 240 * time.Second, app: AppendTimeout(nil, 240*time.Second), parse: anyParse(ParseTimeout)},
	{name: "connectivity, captured", hex: "040a0002000000c406050001", value: diag.Connectivity{LinkQuality3: 2, IDSequence: 0xc4, ActiveRouters: 6, SEDBufferSize: diag.Some[uint16](1280), SEDDatagramCount: diag.Some[uint8](1)},
		app: AppendConnectivity(nil, diag.Connectivity{LinkQuality3: 2, IDSequence: 0xc4, ActiveRouters: 6, SEDBufferSize: diag.Some[uint16](1280), SEDDatagramCount: diag.Some[uint8](1)}), parse: anyParse(ParseConnectivity), short: true},
	{name: "connectivity of an old stack", hex: "0407c0010203040506", value: diag.Connectivity{ParentPriority: -1, LinkQuality3: 1, LinkQuality2: 2, LinkQuality1: 3, LeaderCost: 4, IDSequence: 5, ActiveRouters: 6},
		app: AppendConnectivity(nil, diag.Connectivity{ParentPriority: -1, LinkQuality3: 1, LinkQuality2: 2, LinkQuality1: 3, LeaderCost: 4, IDSequence: 5, ActiveRouters: 6}), parse: anyParse(ParseConnectivity)},
	{name: "Route64 of the border router, captured", hex: "050fc60000832040008000e207f1010706",
		value: Route64{0xc6, []Route64Row{{16, 3, 2, 2}, {22, 0, 0, 7}, {23, 3, 3, 1}, {26, 0, 0, 1}, {33, 0, 0, 7}, {48, 0, 0, 6}}},
		app:   AppendRoute64(nil, Route64{0xc6, []Route64Row{{48, 0, 0, 6}, {22, 0, 0, 7}, {16, 3, 2, 2}, {23, 3, 3, 1}, {26, 0, 0, 1}, {33, 0, 0, 7}}}), parse: anyParse(ParseRoute64)},
	{name: "Route64 of ids 0 and 62", hex: "050b0180000000000000023501", value: Route64{1, []Route64Row{{0, 0, 3, 5}, {62, 0, 0, 1}}},
		app: AppendRoute64(nil, Route64{1, []Route64Row{{0, 0, 3, 5}, {62, 0, 0, 1}, {63, 3, 3, 1}}}), parse: anyParse(ParseRoute64)},
	{name: "leader data, captured", hex: "060805d71bb341c74e17", value: diag.LeaderData{PartitionID: diag.Some[uint32](0x05d71bb3), Weighting: diag.Some[uint8](0x41), DataVersion: diag.Some[uint8](0xc7), StableDataVersion: diag.Some[uint8](0x4e), RouterID: diag.Some[uint8](23)},
		app: AppendLeaderData(nil, diag.LeaderData{PartitionID: diag.Some[uint32](0x05d71bb3), Weighting: diag.Some[uint8](0x41), DataVersion: diag.Some[uint8](0xc7), StableDataVersion: diag.Some[uint8](0x4e), RouterID: diag.Some[uint8](23)}), parse: anyParse(ParseLeaderData)},
	{name: "addresses, captured", hex: "0820fd000db800a00000000000fffe005c00fe800000000000000c02020202020202", value: addrs("fd00:db8:a0::ff:fe00:5c00", "fe80::c02:202:202:202"),
		app: AppendIPv6Addresses(nil, addrs("fd00:db8:a0::ff:fe00:5c00", "fe80::c02:202:202:202")), parse: anyParse(ParseIPv6Addresses), short: true},
	{name: "MAC counters", hex: "0924" + "00000001" + "00000002" + "00000003" + "00000004" + "00000005" + "00000006" + "00000007" + "00000008" + "ffffffff",
		value: MACCounters{1, 2, 3, 4, 5, 6, 7, 8, 0xffffffff}, app: AppendMACCounters(nil, MACCounters{1, 2, 3, 4, 5, 6, 7, 8, 0xffffffff}), parse: anyParse(ParseMACCounters)},
	{name: "battery", hex: "0e0164", value: uint8(100), app: AppendBatteryLevel(nil, 100), parse: anyParse(ParseBatteryLevel)},
	{name: "supply", hex: "0f020bb8", value: uint16(3000), app: AppendSupplyVoltage(nil, 3000), parse: anyParse(ParseSupplyVoltage)},
	{name: "child table, captured", hex: "100366020f", value: []ChildTableRow{{2, 12, 3, diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}}},
		app: AppendChildTable(nil, []ChildTableRow{{2, 12, 3, diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}}}), parse: anyParse(ParseChildTable), short: true},
	{name: "child table of a router without children, captured", hex: "1000", value: []ChildTableRow{}, app: AppendChildTable(nil, nil), parse: anyParse(ParseChildTable)},
	{name: "child table row at its limits", hex: "1003ffff04", value: []ChildTableRow{{511, 31, 3, diag.Mode{}}}, app: AppendChildTable(nil, []ChildTableRow{{511, 31, 3, diag.Mode{}}}), parse: anyParse(ParseChildTable), short: true},
	{name: "channel pages", hex: "11020002", value: []byte{0, 2}, app: AppendChannelPages(nil, 0, 2), parse: anyParse(ParseChannelPages), short: true},
	{name: "max child timeout", hex: "1304000000f0", value: 240 * time.Second, app: AppendMaxChildTimeout(nil, 240*time.Second), parse: anyParse(ParseMaxChildTimeout)},
	{name: "version, captured", hex: "18020005", value: uint16(5), app: AppendVersion(nil, 5), parse: anyParse(ParseVersion)},
	{name: "vendor name, captured", hex: "190352443a", value: "RD:", app: AppendText(nil, TypeVendorName, "RD:"), parse: typed(ParseText, TypeVendorName), short: true},
	{name: "vendor model, captured", hex: "1a0753696d2d465444", value: "Sim-FTD", app: AppendText(nil, TypeVendorModel, "Sim-FTD"), parse: typed(ParseText, TypeVendorModel), short: true},
	{name: "vendor software, captured", hex: "1b05312e302e32", value: "1.0.2", app: AppendText(nil, TypeVendorSWVersion, "1.0.2"), parse: typed(ParseText, TypeVendorSWVersion), short: true},
	{name: "empty text", hex: "1c00", value: "", app: AppendText(nil, TypeThreadStackVersion, ""), parse: typed(ParseText, TypeThreadStackVersion)},
	{name: "application URL", hex: "2308687474703a2f2f61", value: "http://a", app: AppendText(nil, TypeVendorAppURL, "http://a"), parse: typed(ParseText, TypeVendorAppURL), short: true},
	{name: "child, captured", hex: "1d2be85c020e090909090909090005000000f0000000bb000000bb000032cece00000000000000000000000000", value: child9, app: AppendChild(nil, child9), parse: anyParse(ParseChild)},
	{name: "sleepy child, captured", hex: "1d2b0884010e070707070707070005000000f000000000000000c3008132cece00000000000000000000000000", value: child7, app: AppendChild(nil, child7), parse: anyParse(ParseChild)},
	{name: "child with everything", hex: "1d2b50fffe0000000000000001000400000001000000020000000300040506f911223344556677000800000019", value: childAll, app: AppendChild(nil, childAll), parse: anyParse(ParseChild)},
	{name: "addresses of a child, captured", hex: "1e228401fd000db800a00000369ffbf379a9e8a8fdf027d3e9ad0001bbe8dd7c403544f0",
		value: ChildAddresses{diag.MakeRLOC16(0x8401), addrs("fd00:db8:a0:0:369f:fbf3:79a9:e8a8", "fdf0:27d3:e9ad:1:bbe8:dd7c:4035:44f0")},
		app:   AppendChildAddresses(nil, ChildAddresses{diag.MakeRLOC16(0x8401), addrs("fd00:db8:a0:0:369f:fbf3:79a9:e8a8", "fdf0:27d3:e9ad:1:bbe8:dd7c:4035:44f0")}), parse: anyParse(ParseChildAddresses), short: true},
	{name: "router neighbor, captured", hex: "1f188040000e030303030303030005000000c90fabab00000000", value: neighbor3, app: AppendRouterNeighbor(nil, neighbor3), parse: anyParse(ParseRouterNeighbor)},
	{name: "answer, captured", hex: "20028000", value: Answer{0, true}, app: AppendAnswer(nil, Answer{0, true}), parse: anyParse(ParseAnswer)},
	{name: "answer in the middle", hex: "20020102", value: Answer{258, false}, app: AppendAnswer(nil, Answer{258, false}), parse: anyParse(ParseAnswer)},
	{name: "query id, captured", hex: "21025109", value: uint16(0x5109), app: AppendQueryID(nil, 0x5109), parse: anyParse(ParseQueryID)},
	{name: "MLE counters", hex: "2242" + "000100020003000400050006000700080009" + "000000000000000a" + "000000000000000b" + "000000000000000c" + "000000000000000d" + "000000000000000e" + "ffffffffffffffff",
		value: MLECounters{[9]uint16{1, 2, 3, 4, 5, 6, 7, 8, 9}, [6]uint64{10, 11, 12, 13, 14, 1<<64 - 1}},
		app:   AppendMLECounters(nil, MLECounters{[9]uint16{1, 2, 3, 4, 5, 6, 7, 8, 9}, [6]uint64{10, 11, 12, 13, 14, 1<<64 - 1}}), parse: anyParse(ParseMLECounters)},
	{name: "non-preferred channels", hex: "2406000400000020", value: []ChannelMask{{0, 1 << 26}}, app: AppendNonPreferredChannels(nil, ChannelMask{0, 1 << 26}), parse: anyParse(ParseNonPreferredChannels), short: true},
	{name: "enhanced route, the row of the specification", hex: "250c" + "0000810000000000" + "8001" + "7971", value: []EnhancedRouteRow{{RouterID: 16, Self: true, Cost: 1}, {RouterID: 23, HasLink: true, LQOut: 3, LQIn: 2, NextHop: 23, Cost: 1}},
		app: AppendEnhancedRoute(nil, []EnhancedRouteRow{{RouterID: 23, HasLink: true, LQOut: 3, LQIn: 2, NextHop: 23, Cost: 1}, {RouterID: 16, Self: true, Cost: 1}}), parse: anyParse(ParseEnhancedRoute)},
	{name: "enhanced route without next hop", hex: "250a" + "8000000000000000" + "03f0", value: []EnhancedRouteRow{{RouterID: 0, NextHop: NoNextHop}},
		app: AppendEnhancedRoute(nil, []EnhancedRouteRow{{RouterID: 0, NextHop: NoNextHop}}), parse: anyParse(ParseEnhancedRoute)},
	{name: "BR state", hex: "260103", value: BRRunning, app: AppendBRState(nil, BRRunning), parse: anyParse(ParseBRState)},
	{name: "infrastructure addresses", hex: "2710fd11000000000000000000000000dead", value: addrs("fd11::dead"), app: AppendBRInfraAddresses(nil, addrs("fd11::dead")), parse: anyParse(ParseBRInfraAddresses), short: true},
	{name: "OMR prefix", hex: "2808fdf027d3e9ad0001", value: netip.MustParsePrefix("fdf0:27d3:e9ad:1::/64"), app: AppendPrefix64(nil, TypeBRLocalOMRPrefix, netip.MustParsePrefix("fdf0:27d3:e9ad:1::/64")), parse: typed(ParsePrefix64, TypeBRLocalOMRPrefix)},
	{name: "no prefix", hex: "29080000000000000000", value: netip.Prefix{}, app: AppendPrefix64(nil, TypeBRDHCPv6PDOMRPrefix, netip.Prefix{}), parse: typed(ParsePrefix64, TypeBRDHCPv6PDOMRPrefix)},
	{name: "vendor OUI", hex: "2c0318b430", value: []byte{0x18, 0xb4, 0x30}, app: AppendVendorOUI(nil, []byte{0x18, 0xb4, 0x30}), parse: anyParse(ParseVendorOUI)},
}

var (
	full   = diag.Mode{RxOnWhenIdle: true, FullThreadDevice: true, FullNetworkData: true}
	child9 = Child{RLOC16: diag.MakeRLOC16(0x5c02), ExtAddr: 0x0e09090909090909, Mode: full, ErrorRates: true, ThreadVersion: 5,
		Timeout: 240 * time.Second, Age: 187 * time.Second, ConnectedFor: 187 * time.Second, LinkMargin: 50, AverageRSSI: -50, LastRSSI: -50}
	child7 = Child{RLOC16: diag.MakeRLOC16(0x8401), ExtAddr: 0x0e07070707070707, ErrorRates: true, ThreadVersion: 5,
		Timeout: 240 * time.Second, ConnectedFor: 195 * time.Second, Supervision: 129 * time.Second, LinkMargin: 50, AverageRSSI: -50, LastRSSI: -50}
	childAll = Child{ExtAddr: 1, Mode: diag.Mode{FullThreadDevice: true}, CSLSynchronized: true, ThreadVersion: 4,
		Timeout: time.Second, Age: 2 * time.Second, ConnectedFor: 3 * time.Second, Supervision: 4 * time.Second, LinkMargin: 5, AverageRSSI: 6, LastRSSI: -7,
		FrameErrorRate: 0x1122, MessageErrorRate: 0x3344, QueuedMessages: 0x5566, CSLPeriod: 0x7700, CSLTimeout: 0x08000000 * time.Second, CSLChannel: 25}
	neighbor3 = RouterNeighbor{RLOC16: diag.MakeRLOC16(0x4000), ExtAddr: 0x0e03030303030303, ErrorRates: true, ThreadVersion: 5,
		ConnectedFor: 201 * time.Second, LinkMargin: 15, AverageRSSI: -85, LastRSSI: -85}
)

func TestBothWays(t *testing.T) {
	for _, c := range codecs {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(t, c.hex)
			if !bytes.Equal(c.app, want) {
				t.Errorf("appended %x\nwant     %x", c.app, want)
			}
			tlvs, err := SplitTLVs(want)
			if err != nil || len(tlvs) != 1 {
				t.Fatalf("split into %d: %v", len(tlvs), err)
			}
			got, err := c.parse(tlvs[0].Value)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.value) {
				t.Errorf("parsed %+v\nwant   %+v", got, c.value)
			}
		})
	}
}

// A strict prefix of a TLV is no TLV, and one of a value no value, unless it is
// a list.
func TestStrictPrefixes(t *testing.T) {
	for _, c := range codecs {
		b := unhex(t, c.hex)
		for n := 1; n < len(b); n++ {
			if _, err := SplitTLVs(b[:n]); err == nil {
				t.Errorf("%s: the first %d octets are taken for a TLV", c.name, n)
			}
		}
		v := b[2:]
		for n := range len(v) {
			if _, err := c.parse(v[:n]); err == nil && !c.short {
				t.Errorf("%s: the first %d octets are taken for a value", c.name, n)
			}
		}
	}
}

// What later versions append to a value that is no list is left alone.
func TestLongerValues(t *testing.T) {
	for _, c := range codecs {
		switch c.value.(type) {
		case Child, RouterNeighbor, MLECounters, MACCounters, Route64, diag.LeaderData:
			got, err := c.parse(append(unhex(t, c.hex)[2:], 0xaa))
			if err != nil || !reflect.DeepEqual(got, c.value) {
				t.Errorf("%s, an octet longer: %+v, %v", c.name, got, err)
			}
		}
	}
}

func TestMalformedValues(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		parse     func([]byte) (any, error)
	}{
		{"an octet too many in an RLOC16", "5c0000", anyParse(ParseAddress16)},
		{"battery of 101 percent", "65", anyParse(ParseBatteryLevel)},
		{"Route64 with router id 63", "0000000000000000010f", anyParse(ParseRoute64)},
		{"Route64 with too few rows", "00c000000000000000f1", anyParse(ParseRoute64)},
		{"Enhanced Route with half a row", "800000000000000080", anyParse(ParseEnhancedRoute)},
		{"addresses, one and a half", strings.Repeat("fd", 24), anyParse(ParseIPv6Addresses)},
		{"more addresses than anybody has", strings.Repeat("fd", 16*65), anyParse(ParseIPv6Addresses)},
		{"more children than there are ids", strings.Repeat("66020f", 512), anyParse(ParseChildTable)},
		{"child table, one and a third", "66020f66", anyParse(ParseChildTable)},
		{"child addresses, an octet more", "8401" + strings.Repeat("fd", 17), anyParse(ParseChildAddresses)},
		{"vendor OUI of 6", "010203040506", anyParse(ParseVendorOUI)},
		{"text too long", strings.Repeat("41", 33), typed(ParseText, TypeVendorName)},
		{"text that is none", "ff41ff41ff", typed(ParseText, TypeVendorName)},
		{"connectivity of 8", "0002000000c40605", anyParse(ParseConnectivity)},
		{"channel mask cut short", "0004000000", anyParse(ParseNonPreferredChannels)},
	} {
		if v, err := c.parse(unhex(t, c.hex)); err == nil {
			t.Errorf("%s: taken for %+v", c.name, v)
		}
	}
}

func TestExtendedLength(t *testing.T) {
	for _, n := range []int{0, 1, 254, 255, 256, 3000} {
		v := bytes.Repeat([]byte{7}, n)
		b := AppendTLV(nil, 99, v)
		if want := 2 + n; n >= 255 && len(b) != want+2 || n < 255 && len(b) != want {
			t.Errorf("%d octets take %d", n, len(b))
		}
		for _, b := range [][]byte{b, AppendExtendedTLV(nil, 99, v)} {
			got, err := SplitTLVs(b)
			if err != nil || len(got) != 1 || got[0].Type != 99 || !bytes.Equal(got[0].Value, v) {
				t.Errorf("%d octets: %d TLVs, %v", n, len(got), err)
			}
		}
	}
	if _, err := SplitTLVs(make([]byte, MaxMessage+2)); err == nil {
		t.Error("a message longer than MaxMessage is taken")
	}
}

// Before a fault everything is kept, and unknown types are.
func TestUnknownTypesAndFaults(t *testing.T) {
	b := unhex(t, "0102"+"5c00"+"c80411223344"+"fe00"+"0008aabb")
	got, err := SplitTLVs(b)
	want := []TLV{{1, []byte{0x5c, 0}}, {200, []byte{0x11, 0x22, 0x33, 0x44}}, {254, []byte{}}}
	if err == nil || !strings.Contains(err.Error(), "octet 12") || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if again := AppendTLVs(nil, got); !bytes.Equal(again, b[:12]) {
		t.Errorf("written again as %x", again)
	}
}

// The text of a stack that cuts its name off within a character.
func TestCutOffText(t *testing.T) {
	if s, err := ParseText(TypeVendorName, []byte("caf\xc3")); s != "caf" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	long := strings.Repeat("é", 20)
	tlvs, _ := SplitTLVs(AppendText(nil, TypeVendorName, long))
	if s, err := ParseText(TypeVendorName, tlvs[0].Value); s != strings.Repeat("é", 16) || err != nil {
		t.Errorf("%q, %v", s, err)
	}
}

func TestTypeList(t *testing.T) {
	b := AppendTypeList(nil, 0, 1, 29)
	if hex.EncodeToString(b) != "120300011d" {
		t.Errorf("%x", b)
	}
	if got := ParseTypeList([]byte{5, 0, 5, 200}); !bytes.Equal(got, []byte{5, 0, 200}) {
		t.Errorf("%v", got)
	}
	if got := AppendTypeList(nil, make([]uint8, 300)...); len(got) != 256 {
		t.Errorf("%d octets", len(got))
	}
}

func FuzzSplitTLVs(f *testing.F) {
	for _, c := range codecs {
		f.Add(unhex(f, c.hex))
	}
	for _, a := range answers(f) {
		f.Add(a.payload)
	}
	f.Add(AppendExtendedTLV(nil, 48, make([]byte, 300)))
	f.Fuzz(func(t *testing.T, b []byte) {
		tlvs, err := SplitTLVs(b)
		if again, _ := SplitTLVs(AppendTLVs(nil, tlvs)); !reflect.DeepEqual(again, tlvs) {
			t.Errorf("%v became %v", tlvs, again)
		}
		if err == nil && len(AppendTLVs(nil, tlvs)) > len(b) {
			t.Error("grew")
		}
	})
}

// Whatever is read is read the same after it was written.
func FuzzValues(f *testing.F) {
	for _, c := range codecs {
		b := unhex(f, c.hex)
		f.Add(b[0], b[2:])
	}
	f.Fuzz(func(t *testing.T, typ uint8, v []byte) {
		switch typ {
		case TypeRoute64:
			again(t, v, ParseRoute64, func(x Route64) []byte { return AppendRoute64(nil, x) })
		case TypeEnhancedRoute:
			again(t, v, ParseEnhancedRoute, func(x []EnhancedRouteRow) []byte { return AppendEnhancedRoute(nil, x) })
		case TypeConnectivity:
			again(t, v, ParseConnectivity, func(x diag.Connectivity) []byte { return AppendConnectivity(nil, x) })
		case TypeLeaderData:
			again(t, v, ParseLeaderData, func(x diag.LeaderData) []byte { return AppendLeaderData(nil, x) })
		case TypeChildTable:
			again(t, v, ParseChildTable, func(x []ChildTableRow) []byte { return AppendChildTable(nil, x) })
		case TypeChild:
			again(t, v, ParseChild, func(x Child) []byte { return AppendChild(nil, x) })
		case TypeChildIPv6Addresses:
			again(t, v, ParseChildAddresses, func(x ChildAddresses) []byte { return AppendChildAddresses(nil, x) })
		case TypeRouterNeighbor:
			again(t, v, ParseRouterNeighbor, func(x RouterNeighbor) []byte { return AppendRouterNeighbor(nil, x) })
		case TypeMACCounters:
			again(t, v, ParseMACCounters, func(x MACCounters) []byte { return AppendMACCounters(nil, x) })
		case TypeMLECounters:
			again(t, v, ParseMLECounters, func(x MLECounters) []byte { return AppendMLECounters(nil, x) })
		case TypeNonPreferredChannels:
			again(t, v, ParseNonPreferredChannels, func(x []ChannelMask) []byte { return AppendNonPreferredChannels(nil, x...) })
		case TypeVendorName, TypeVendorModel, TypeVendorSWVersion, TypeThreadStackVersion, TypeVendorAppURL:
			again(t, v, func(v []byte) (string, error) { return ParseText(typ, v) }, func(s string) []byte { return AppendText(nil, typ, s) })
		}
	})
}

func again[T any](t *testing.T, v []byte, parse func([]byte) (T, error), app func(T) []byte) {
	t.Helper()
	x, err := parse(v)
	if err != nil {
		return
	}
	tlvs, err := SplitTLVs(app(x))
	if err != nil || len(tlvs) != 1 {
		t.Fatalf("%+v is written as %d TLVs: %v", x, len(tlvs), err)
	}
	y, err := parse(tlvs[0].Value)
	if err != nil || !reflect.DeepEqual(x, y) {
		t.Errorf("%+v became %+v, %v", x, y, err)
	}
}
