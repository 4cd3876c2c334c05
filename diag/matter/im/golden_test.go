package im

import (
	"encoding/hex"
	"reflect"
	"testing"

	"threadmap/tlv"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Rows of a neighbor table.
const (
	n1 = "15270081706f5e4d3c2b1a24010c250200a42503e8032504d0072405032006ce2007cc240801240900290a290b290c280d18"
	n2 = "152700080706050403020124010c250201a42503e8032504d00724050334063407240801240900280a280b290c290d18"
)

// golden are messages with what they say, made by the codecs of matter.js
// 0.17.9.
var golden = []struct {
	name, hex string
	value     any
}{
	{"read one attribute", "153600172402002403352404071818280324ff0c18", ReadRequest{Attributes: []AttributePath{One(0, 0x35, 7)}, FabricFiltered: false}},
	{"read on all endpoints", "1536001724031d2404001818290324ff0c18",
		ReadRequest{Attributes: []AttributePath{{Cluster: Some[uint32](0x1d), Attribute: Some[uint32](0)}}, FabricFiltered: true}},
	{"read two clusters with a version", "153600172402002403351817240200240333181828033604153700240100240235182601efbeadde181824ff0c18",
		ReadRequest{Attributes: []AttributePath{Whole(0, 0x35), Whole(0, 0x33)}, DataVersionFilters: []DataVersionFilter{{0, 0x35, 0xDEADBEEF}}}},
	{"read everything", "153600171818280324ff0c18", ReadRequest{Attributes: []AttributePath{{}}}},
	{"read events", "1536011724010024023318183602152401641818280324ff0c18",
		ReadRequest{Events: []EventPath{{Endpoint: Some[uint16](0), Cluster: Some[uint32](0x33)}}, EventFilters: []EventFilter{{Min: 100}}}},
	{"subscribe", "1529002401002502100e3603172402002403352404011818280724ff0c18",
		SubscribeRequest{Keep: true, MaxCeiling: 3600, ReadRequest: ReadRequest{Attributes: []AttributePath{One(0, 0x35, 1)}}}},
	{"subscribed", "152600785634122502100e24ff0c18", SubscribeResponse{0x12345678, 3600}},
	{"success", "1524000024ff0c18", Success},
	{"invalid subscription", "1524007d24ff0c18", InvalidSubscription},
	{"timed", "152500881324ff0c18", uint16(5000)},
	{"invoke ArmFailSafe", "1528002801360215370024000024013024020018350124003c24010118181824ff0c18",
		InvokeRequest{Commands: []Command{{Path: CommandPath{0, 0x30, 0}, Fields: []byte("\x35\x01\x24\x00\x3c\x24\x01\x01\x18")}}}},
	{"invoke CommissioningComplete", "1528002801360215370024000024013024020418350118181824ff0c18",
		InvokeRequest{Commands: []Command{{Path: CommandPath{0, 0x30, 4}, Fields: []byte("\x35\x01\x18")}}}},
	{"ArmFailSafeResponse", "152800360115350037002400002401302402011835012400002c01001818181824ff0c18",
		InvokeResponse{Responses: []CommandResponse{{Command: Command{Path: CommandPath{0, 0x30, 1}, Fields: []byte("\x35\x01\x24\x00\x00\x2c\x01\x00\x18")}}}}},
	{"invoke succeeded", "152800360115350137002400002401332402001835012400001818181824ff0c18",
		InvokeResponse{Responses: []CommandResponse{{Command: Command{Path: CommandPath{0, 0x33, 0}}, IsStatus: true}}}},
	{"invoke failed", "1528003601153501370024000024013c2402001835012400012401021818181824ff0c18",
		InvokeResponse{Responses: []CommandResponse{{Command: Command{Path: CommandPath{0, 0x3c, 0}}, IsStatus: true, Result: Result{Failure, Some[uint8](2)}}}}},
	{"write", "15280028013602153701240200240328240405182c020178181824ff0c18",
		WriteRequest{Writes: []AttributeReport{{Path: Path{0, 0x28, 5}, Data: []byte("\x2c\x02\x01x")}}}},
	{"written", "15360015370024020024032824040518350124000018181824ff0c18", []AttributeStatus{{Path: Path{0, 0x28, 5}}}},
}

// parse reads b as a message of the type of like.
func parse(like any, b []byte) (any, error) {
	switch like.(type) {
	case ReadRequest:
		return both(ParseReadRequest(b))
	case SubscribeRequest:
		return both(ParseSubscribeRequest(b))
	case SubscribeResponse:
		return both(ParseSubscribeResponse(b))
	case Status:
		return both(ParseStatusResponse(b))
	case uint16:
		return both(ParseTimedRequest(b))
	case InvokeRequest:
		return both(ParseInvokeRequest(b))
	case InvokeResponse:
		return both(ParseInvokeResponse(b))
	case WriteRequest:
		return both(ParseWriteRequest(b))
	case []AttributeStatus:
		return both(ParseWriteResponse(b))
	}
	panic("no such message")
}

func both[T any](v T, err error) (any, error) { return v, err }

// encode is the reverse of parse.
func encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case ReadRequest:
		return v.Encode()
	case SubscribeRequest:
		return v.Encode()
	case SubscribeResponse:
		return v.Encode()
	case Status:
		return EncodeStatusResponse(v), nil
	case uint16:
		return EncodeTimedRequest(v), nil
	case InvokeRequest:
		return v.Encode()
	case InvokeResponse:
		return v.Encode()
	case WriteRequest:
		return v.Encode()
	case []AttributeStatus:
		return EncodeWriteResponse(v)
	}
	panic("no such message")
}

func TestGolden(t *testing.T) {
	for _, c := range golden {
		b := unhex(t, c.hex)
		if out, err := encode(c.value); err != nil || hex.EncodeToString(out) != c.hex {
			t.Errorf("%s\n got %x, %v\nwant %s", c.name, out, err, c.hex)
		}
		if v, err := parse(c.value, b); err != nil || !reflect.DeepEqual(v, c.value) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", c.name, v, err, c.value)
		}
		refused(t, c.name, b, func(b []byte) error { _, err := parse(c.value, b); return err })
	}
}

// refused checks that read takes neither a part of b nor more than b, nor b
// under a tag or in another container, but does take an unknown member.
func refused(t *testing.T, name string, b []byte, read func([]byte) error) {
	t.Helper()
	for i := range b {
		if read(b[:i]) == nil {
			t.Errorf("%s: the first %d bytes are a message too", name, i)
		}
	}
	with := func(head []byte, tail ...byte) []byte { return append(append(head, b[1:len(b)-1]...), tail...) }
	for what, b := range map[string][]byte{
		"something behind it": with([]byte{0x15}, 0x18, 0x14), "a tag": with([]byte{0x35, 0x01}, 0x18), "a list": with([]byte{0x17}, 0x18),
		"revision twice": with([]byte{0x15}, 0x24, 0xff, 0x0c, 0x18), "too long": with([]byte{0x15}, append(append([]byte{0x32, 0xc8, 0xff, 0xff, 0, 0}, make([]byte, 65535)...), 0x18)...),
	} {
		if read(b) == nil {
			t.Errorf("%s: %s is taken", name, what)
		}
	}
	if err := read(with([]byte{0x15}, 0x35, 0xc8, 0x24, 0x01, 0x02, 0x18, 0xc4, 0xf1, 0xff, 0xed, 0xde, 0x01, 0x00, 0x2a, 0x18)); err != nil {
		t.Errorf("%s: a member of a later revision: %v", name, err)
	}
	withoutRevision := append(b[:len(b)-4:len(b)-4], 0x18)
	if err := read(withoutRevision); err != nil {
		t.Errorf("%s: without a revision: %v", name, err)
	}
}

// goldenReports are ReportData messages, of matter.js too.
var goldenReports = []struct {
	name, hex string
	options   ReportOptions
	more      bool
	reports   []AttributeReport
}{
	{"a value", "153601153501260044332211370124020024033524044018250200a4181818290424ff0c18", ReportOptions{SuppressResponse: true}, false,
		[]AttributeReport{{Path: Path{0, 0x35, 0x40}, Version: Some[uint32](0x11223344), Data: []byte("\x25\x02\x00\xa4")}}},
	{"a status", "153601153500370024020024033524043f18350124008618181818290424ff0c18", ReportOptions{SuppressResponse: true}, false,
		[]AttributeReport{{Path: Path{0, 0x35, 0x3f}, Result: Result{Status: UnsupportedAttribute}}}},
	{"a whole list", "1536011535012400013701240200240335240407183602" + n1 + "1818181818290424ff0c18"[2:], ReportOptions{SuppressResponse: true}, false,
		[]AttributeReport{{Path: Path{0, 0x35, 7}, Version: Some[uint32](1), Data: nil}}},
	{"the first chunk", "153601153501240001370124020024033524040718360218181815350124000137012402002403352404073405183502" + n1[2:] + "181818290324ff0c18", ReportOptions{}, true,
		[]AttributeReport{{Path: Path{0, 0x35, 7}, Version: Some[uint32](1), Data: []byte("\x36\x02\x18")}, {Path: Path{0, 0x35, 7}, Index: AppendEntry, Version: Some[uint32](1)}}},
	{"the second chunk", "153601153501240001370124020024033524040734051835022700080706050403020124010c250201a42503e8032504d00724050334063407240801240900280a280b290c290d18181818290424ff0c18",
		ReportOptions{SuppressResponse: true}, false, []AttributeReport{{Path: Path{0, 0x35, 7}, Index: AppendEntry, Version: Some[uint32](1)}}},
	{"a sign of life", "1526007856341224ff0c18", ReportOptions{Subscription: Some[uint32](0x12345678)}, false, nil},
}

func TestGoldenReports(t *testing.T) {
	lists := map[string][]byte{ // Data of the rows above that is too long to stand there
		"a whole list": unhex(t, "3602"+n1+"18"), "the first chunk": unhex(t, "3502"+n1[2:]), "the second chunk": unhex(t, "3502"+n2[2:]),
	}
	for _, c := range goldenReports {
		if data := lists[c.name]; data != nil {
			c.reports[len(c.reports)-1].Data = data
		}
		b := unhex(t, c.hex)
		r := NewReportReader(b)
		var got []AttributeReport
		for r.Next() {
			a, ok := r.Attribute()
			if _, event := r.Event(); !ok || event {
				t.Errorf("%s: no attribute", c.name)
			}
			got = append(got, a)
		}
		info, err := r.End()
		if err != nil || !reflect.DeepEqual(got, c.reports) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", c.name, err, got, c.reports)
		}
		if want := (ReportInfo{c.options.Subscription, c.more, c.options.SuppressResponse}); info != want {
			t.Errorf("%s: %+v", c.name, info)
		}
		refused(t, c.name, b, func(b []byte) error {
			r := NewReportReader(b)
			_, err := r.End()
			return err
		})
		if !c.more {
			if out, err := EncodeReports(c.options, c.reports, nil); err != nil || len(out) != 1 || hex.EncodeToString(out[0]) != c.hex {
				t.Errorf("%s: encoded as %x, %v\nwant %s", c.name, out, err, c.hex)
			}
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	list := func(path string) string {
		return "1536001724020024033524040718" + "17" + path + "18" + "18280324ff0c18"
	}
	for name, h := range map[string]string{
		"a list index of null":               list("2402003405"),
		"a list index":                       list("240200240501"),
		"endpoint 0xffff":                    list("2502ffff"),
		"cluster 0xffffffff":                 list("2603ffffffff"),
		"attribute 0xffffffff":               list("2403012604ffffffff"),
		"endpoint of 17 bits":                list("260200000100"),
		"attribute of all clusters":          list("24020024040" + "7"),
		"a structure for a path":             "1536001524020024033524040718" + "18280324ff0c18",
		"a version filter without a version": "1528033604153700240100240235181818" + "24ff0c18",
		"a version filter without a cluster": "152803360415370024010018240101" + "1818" + "24ff0c18",
	} {
		if r, err := ParseReadRequest(unhex(t, h)); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, err := ParseReadRequest(unhex(t, list("2504f9ff"))); err != nil {
		t.Errorf("a global attribute of all clusters: %v", err)
	}
	var e tlv.Encoder
	e.Struct(tlv.Anonymous)
	e.Array(tlv.Context(0))
	for range maxPaths + 1 {
		AttributePath{}.encode(&e)
	}
	e.End()
	e.End()
	b, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseReadRequest(b); err == nil {
		t.Error("too many paths")
	}
	bad := ReadRequest{Attributes: []AttributePath{{Endpoint: Some[uint16](0xFFFF)}}}
	if _, err := bad.Encode(); err == nil {
		t.Error("an invalid path was written")
	}
	if _, err := Write(Path{}, []byte{0x15}, false); err == nil {
		t.Error("half an element was written")
	}
	w := WriteRequest{Writes: []AttributeReport{{Index: NumberedEntry, Data: []byte{0x14}}}}
	if _, err := w.Encode(); err == nil {
		t.Error("a numbered entry was written")
	}
}

func TestPathsMatch(t *testing.T) {
	p := Path{1, 0x35, 7}
	for a, want := range map[AttributePath]bool{
		{}: true, Whole(1, 0x35): true, Whole(0, 0x35): false, One(1, 0x35, 7): true, One(1, 0x35, 8): false, One(1, 0x36, 7): false,
		{Cluster: Some[uint32](0x35)}: true,
	} {
		if a.Matches(p) != want {
			t.Errorf("%+v", a)
		}
		if c, ok := a.Concrete(); ok != (a.Endpoint.Known() && a.Attribute.Known()) || ok && want && c != p {
			t.Errorf("%+v: %v %v", a, c, ok)
		}
	}
	e := EventPath{Cluster: Some[uint32](0x33)}
	if !e.Matches(3, 0x33, 3) || e.Matches(0, 0x35, 3) {
		t.Error("event path")
	}
}

func TestResults(t *testing.T) {
	for r, want := range map[Result]string{
		{Status: UnsupportedAccess}:  "the device answered UNSUPPORTED_ACCESS",
		{Failure, Some[uint8](2)}:    "the device answered FAILURE, cluster status 0x02",
		{Status: 0x96}:               "the device answered status 0x96",
		{Status: PathsExhausted}:     "the device answered PATHS_EXHAUSTED",
		{Success, Some[uint8](0x05)}: "",
	} {
		switch err := r.Err(); {
		case err == nil:
			if want != "" {
				t.Errorf("%+v is no error", r)
			}
		case err.Error() != want:
			t.Errorf("%v, want %s", err, want)
		}
	}
}
