package im

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"threadmap/tlv"
)

// cuts gives every message that b is with one element left out, by where that
// stood: the tags of its containers and its own, "#n" for the nth element of an
// array. b is a structure, an array or a list.
func cuts(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	d := tlv.NewDecoder(b)
	d.Next()
	kind := d.Kind()
	d.Enter()
	var parts [][]byte
	var names []string
	var containers []bool
	inside := 0
	for d.Next() {
		name := fmt.Sprintf("#%d", len(parts))
		if n, ok := d.Tag().Context(); ok && kind != tlv.Array {
			name = fmt.Sprint(n)
		}
		names = append(names, name)
		containers = append(containers, d.Kind() == tlv.Struct || d.Kind() == tlv.Array || d.Kind() == tlv.List)
		parts = append(parts, d.Raw())
		inside += len(parts[len(parts)-1])
	}
	d.Leave()
	if err := d.Err(); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	with := func(i int, part []byte) []byte {
		out := slices.Clone(b[:len(b)-1-inside])
		for k, p := range parts {
			if k == i {
				p = part
			}
			out = append(out, p...)
		}
		return append(out, 0x18)
	}
	all := map[string][]byte{}
	for i, name := range names {
		all[name] = with(i, nil)
		if containers[i] {
			for inner, part := range cuts(t, parts[i]) {
				all[name+"/"+inner] = with(i, part)
			}
		}
	}
	return all
}

// without checks which elements of a message may be missing.
func without(t *testing.T, name string, b []byte, must string, read func([]byte) error) {
	t.Helper()
	all := cuts(t, b)
	needed := strings.Fields(must)
	for _, where := range needed {
		if all[where] == nil {
			t.Errorf("%s has no %s: there are %v", name, where, all)
		}
	}
	for where, b := range all {
		err := read(b)
		if !slices.Contains(needed, where) {
			if err != nil {
				t.Errorf("%s without %s: %v", name, where, err)
			}
		} else if !errors.Is(err, errMissing) && !errors.Is(err, errBoth) && !errors.Is(err, errNotGlobal) {
			t.Errorf("%s without %s: %v, want an error that says so", name, where, err)
		}
	}
}

// What has to be there is asked for, and nothing else.
func TestMissing(t *testing.T) {
	for name, must := range map[string]string{
		"read two clusters with a version": "4/#0/0 4/#0/0/1 4/#0/0/2 4/#0/1",
		"read events":                      "",
		"subscribe":                        "0 1 2 3/#0/3",
		"subscribed":                       "0 2",
		"success":                          "0",
		"timed":                            "0",
		"invoke ArmFailSafe":               "2 2/#0/0 2/#0/0/0 2/#0/0/1 2/#0/0/2",
		"ArmFailSafeResponse":              "1 1/#0/0 1/#0/0/0 1/#0/0/0/0 1/#0/0/0/1 1/#0/0/0/2",
		"invoke failed":                    "1 1/#0/1 1/#0/1/0 1/#0/1/0/0 1/#0/1/0/1 1/#0/1/0/2 1/#0/1/1 1/#0/1/1/0",
		"write":                            "2 2/#0/1 2/#0/1/2 2/#0/1/3 2/#0/1/4 2/#0/2",
		"written":                          "0 0/#0/0 0/#0/0/2 0/#0/0/3 0/#0/0/4 0/#0/1 0/#0/1/0",
	} {
		i := slices.IndexFunc(golden, func(c struct {
			name, hex string
			value     any
		}) bool {
			return c.name == name
		})
		if i < 0 {
			t.Errorf("there is no message %q", name)
			continue
		}
		c := golden[i]
		without(t, name, unhex(t, c.hex), must, func(b []byte) error { _, err := parse(c.value, b); return err })
	}
}

func TestMissingInReport(t *testing.T) {
	all, err := EncodeReports(ReportOptions{}, []AttributeReport{
		{Path: Path{1, 2, 3}, Version: Some[uint32](4), Data: []byte{0x08}},
		{Path: Path{1, 2, 5}, Result: Result{Status: UnsupportedAttribute, Cluster: Some[uint8](6)}},
	}, []EventReport{
		{Endpoint: 1, Cluster: 2, Event: 3, Number: 4, Priority: 1, Time: EventTime{SystemClock, 5}, Data: []byte{0x15, 0x18}},
		{Endpoint: 1, Cluster: 2, Event: 3, IsStatus: true, Result: Result{Status: UnsupportedEvent}},
	})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	must := `1/#0/1 1/#0/1/1 1/#0/1/1/2 1/#0/1/1/3 1/#0/1/1/4 1/#0/1/2
		1/#1/0 1/#1/0/0 1/#1/0/0/2 1/#1/0/0/3 1/#1/0/0/4 1/#1/0/1 1/#1/0/1/0
		2/#0/1 2/#0/1/0 2/#0/1/0/1 2/#0/1/0/2 2/#0/1/0/3 2/#0/1/1
		2/#1/0 2/#1/0/0 2/#1/0/1 2/#1/0/1/0`
	without(t, "a report", all[0], must, func(b []byte) error { _, err := NewReportReader(b).End(); return err })
}
