package main

import (
	"encoding/json"
	"strings"
	"testing"

	"threadmap/diag/icd"
)

// TestValuesInWords: what is read of a device is said with names and units, and
// what a device may make up is bounded and harmless.
func TestValuesInWords(t *testing.T) {
	for _, c := range []struct{ path, value, want string }{
		{"0/51/1", "12", "starts counted: 12"},
		{"0/51/2", "3", "up for 3 s"},
		{"0/51/2", "259225", "up for 3 d"},
		{"0/51/2", "18446744073709551615", "up for 18446744073709551615 times 1s"},
		{"0/51/2", `"x"`, `time up: "x"`},
		{"0/51/2", "-1", "time up: -1"},
		{"0/51/4", "1", "last started as power came"},
		{"0/51/4", "99", "last started for reason 99"},
		{"0/70/0", "3600", "idle for up to 60 min"},
		{"0/70/1", "300", "active for 300 ms"},
		{"0/70/2", "5000", "awake for 5 s after a message"},
		{"0/70/3", `[{"1":1},{"1":2}]`, "2 registered clients"},
		{"0/70/3", "null", "registered clients: none"},
		{"0/70/8", "1", "sleeps with a long idle time"},
		{"0/70/65532", "7", "it can check in, tell how to wake it and sleep for long"},
		{"0/70/65532", "0", "it can neither check in nor sleep for long"},
		{"0/62/1", `[{"1":"x"}]`, "1 fabric"},
		{"0/40/1", `"AC\u001b[31mME"`, `vendor "ACME"`},
		{"0/40/1", "7", "vendor"},
		{"1/47/12", "160", "battery at 80 %"},
		{"0/47/11", "2875", "battery at 2.88 V"},
		{"1/59/1", "0", "position of its switch: 0"},
		{"2/1026/0", "2150", "cluster 0x0402 attribute 0 of endpoint 2: 2150"},
		{"0/53/4", strings.Repeat("9", 300), "Thread Network Diagnostics attribute 4: " + clip(strings.Repeat("9", 300), maxValueWords)},
	} {
		if got := attributeSaid(&icd.Attribute{Path: c.path, Value: json.RawMessage(c.value)}); got != c.want {
			t.Errorf("%s = %s: %q, want %q", c.path, c.value, got, c.want)
		}
	}
	if got, want := attributeSaid(&icd.Attribute{Path: "event.hall_button", Value: json.RawMessage(`{"state":"2026-11-22T10:05:00Z","event_type":"initial_press"}`)}), "event.hall_button: initial press"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	all := map[string]json.RawMessage{"0/51/2": json.RawMessage("86400"), "0/51/1": json.RawMessage("3"), "0/62/1": json.RawMessage("[]"), "0/1/2/3": nil}
	if got, want := readWords(all), "starts counted: 3, up for 24 h, 0 fabrics, and 1 more value"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	many := map[string]json.RawMessage{}
	for i := range 128 {
		many["0/70/"+json.Number(strings.Repeat("1", 1+i%9)).String()] = json.RawMessage("1")
		many["7/1030/"+strings.Repeat("2", 1+i%9)] = json.RawMessage(`"` + strings.Repeat("z", 9000) + `"`)
	}
	if got := readWords(many); len(got) > 600 {
		t.Errorf("%d characters are said: %s", len(got), got)
	}
}

// TestPathsOfALineInWords: also where a verdict quotes an observation.
func TestPathsOfALineInWords(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"12:00:25 canary read 0/40/1 0/40/10 0/51/1=17 0/51/2=259225 0/62/1 …: RebootCount went up", "12:00:25 canary read vendor, firmware, starts counted: 17, up for 3 d, fabrics, more: RebootCount went up"},
		{"ha attribute 0/51/1=18", "ha attribute starts counted: 18"},
		{"on 1/2/2026 nothing happened", "on 1/2/2026 nothing happened"},
		{"99999/1/1=5", "99999/1/1=5"},
		{"a prefix fd11:2233::/64", "a prefix fd11:2233::/64"},
	} {
		if got := sayPaths(c.line); got != c.want {
			t.Errorf("%q: %q, want %q", c.line, got, c.want)
		}
	}
}
