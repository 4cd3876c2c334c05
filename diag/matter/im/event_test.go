package im

import (
	"fmt"
	"strings"
	"testing"
)

// Times of events are told from 1970, from the node's start, or from the event
// before.
func TestEventTimes(t *testing.T) {
	event := func(time string) string {
		return "153501" + "3700240100240233240303182401052402" + "02" + time + "1818"
	}
	read := func(events ...string) string {
		r := NewReportReader(unhex(t, "153602"+strings.Join(events, "")+"1824ff0c18"))
		var out []string
		for r.Next() {
			e, ok := r.Event()
			if _, attribute := r.Attribute(); !ok || attribute || e.Cluster != 0x33 || e.Event != 3 || e.Number != 5 || e.Priority != 2 {
				t.Errorf("%+v", e)
			}
			out = append(out, fmt.Sprint(e.Time.Clock, e.Time.Milliseconds))
		}
		if _, err := r.End(); err != nil {
			t.Error(err)
		}
		return strings.Join(out, ", ")
	}
	for want, events := range map[string][]string{
		"1 1000, 1 1003, 1 1005":      {event("2503e803"), event("240503"), event("240502")},
		"2 7, 2 8, 0 0, 0 0, 2 1":     {event("240407"), event("240601"), event("240501"), event("240601"), event("240401")},
		"0 0":                         {event("")},
		"0 0, 0 0":                    {event("240501"), event("240601")},
		"1 18446744073709551615, 0 0": {event("2703ffffffffffffffff"), event("240501")},
	} {
		if got := read(events...); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestEventReportsBothWays(t *testing.T) {
	list := []EventReport{
		{Endpoint: 1, Cluster: 0x28, Event: 1, Number: 1 << 60, Priority: 2, Time: EventTime{SystemClock, 77}, Data: []byte{0x35, 7, 0x18}},
		{Endpoint: 0, Cluster: 0x35, Event: 0, Number: 3, Time: EventTime{}},
		{Endpoint: 0, Cluster: 0x35, Event: 9, IsStatus: true, Result: Result{Status: UnsupportedEvent}},
	}
	m, err := EncodeReports(ReportOptions{}, nil, list)
	if err != nil || len(m) != 1 {
		t.Fatal(len(m), err)
	}
	r := NewReportReader(m[0])
	for i := range list {
		if !r.Next() {
			t.Fatal(r.End())
		}
		if e, _ := r.Event(); fmt.Sprintf("%+v", e) != fmt.Sprintf("%+v", list[i]) {
			t.Errorf("got %+v\nwant %+v", e, list[i])
		}
	}
	if _, err := r.End(); err != nil {
		t.Error(err)
	}
}

func TestRefusedReports(t *testing.T) {
	for name, h := range map[string]string{
		"neither data nor status": "1536011518" + "1824ff0c18",
		"both":                    "153601" + "15" + "3500" + "3700" + "240200240335240401" + "18" + "3501240001" + "1818" + "3501" + "3701" + "240200240335240401" + "18" + "240205" + "18" + "18" + "1824ff0c18",
		"data without a path":     "153601" + "15" + "3501" + "240205" + "18" + "18" + "1824ff0c18",
		"a path without data":     "153601" + "15" + "3501" + "3701" + "240200240335240401" + "18" + "18" + "18" + "1824ff0c18",
		"a path without cluster":  "153601" + "15" + "3501" + "3701" + "240200240401" + "18" + "240205" + "18" + "18" + "1824ff0c18",
		"a path that is a struct": "153601" + "15" + "3501" + "3501" + "240200240335240401" + "18" + "240205" + "18" + "18" + "1824ff0c18",
		"a status without code":   "153601" + "15" + "3500" + "3700" + "240200240335240401" + "18" + "350118" + "1818" + "1824ff0c18",
		"an event without number": "153602" + "153501" + "370024010024023324030318" + "18" + "18" + "1824ff0c18",
		"an event of all events":  "153602" + "153501" + "37002401002402331824010518" + "18" + "1824ff0c18",
		"More that is a number":   "15240301" + "24ff0c18",
		"reports in a structure":  "1535011824ff0c18",
	} {
		r := NewReportReader(unhex(t, h))
		if _, err := r.End(); err == nil {
			t.Errorf("%s is taken", name)
		}
		var a Assembly
		if _, err := a.Add(unhex(t, h), func(EventReport) { t.Errorf("%s: an event", name) }); err == nil || a.Len() > 0 {
			t.Errorf("%s is assembled", name)
		}
	}
}
