package main

import (
	"testing"

	"threadmap/diag/icd"
)

// TestChosenSubscriber: whom it is about is said, with the reason and the way to
// another; who has no name is last.
func TestChosenSubscriber(t *testing.T) {
	const ours, stranger, hers = "87E1B004E235A130", "B6E3367FBD4052C7", "00FCC1C9A4751578"
	own, _ := hex16(ours)
	named, _ := hex16(hers)
	names := &icdNames{own: own, fabrics: map[uint64]string{named: "Home Assistant"}}
	announce := func(fabric string) icd.Observation {
		return icd.Observation{By: icd.ByMDNS, Event: "announce", What: &icd.Announce{Instance: fabric + "-0000000000000012", Host: "0E02020202020202", Addresses: []string{"fd00::1"}, TXT: map[string]string{"SII": "5000"}}}
	}
	subscribed := icd.Observation{By: icd.ByCanary, Event: "subscribed", What: &icd.Subscribed{ID: 1}}
	shown := icd.Observation{By: icd.ByHA, Event: "available", What: &icd.Available{Value: new(true)}}
	complaint := icd.Observation{By: icd.ByUser, Event: "complaint", What: &icd.Complaint{Controller: "Apple Home"}}
	for _, c := range []struct {
		name string
		all  []icd.Observation
		want string
	}{
		{"nobody", nil, ""},
		{"a stranger alone", []icd.Observation{announce(stranger)}, "This is about the subscription of B6E3367FBD4052C7: no controller with a name is known."},
		{"our own goes before strangers", []icd.Observation{announce(stranger), announce(ours), subscribed},
			"This is about the subscription of threadmap itself (canary): of the others not more than digits is known. --subscriber NAME chooses another: B6E3367FBD4052C7."},
		{"Home Assistant before our own", []icd.Observation{announce(stranger), announce(hers), announce(ours), subscribed, shown},
			"This is about the subscription of Home Assistant: it tells what it sees. --subscriber NAME chooses another: canary or B6E3367FBD4052C7."},
		{"who is complained of before all", []icd.Observation{announce(stranger), announce(hers), announce(ours), subscribed, shown, complaint},
			`This is about the subscription of Apple Home: you said so of it. --subscriber NAME chooses another: canary, "Home Assistant" or B6E3367FBD4052C7.`},
	} {
		tl := icd.NewTimeline("0e02020202020202", listAt)
		for i, o := range c.all {
			o.At = icd.Sec(float64(i + 1))
			tl.Add(o)
		}
		v, err := icd.Evaluate(tl, icd.Sec(30), "")
		if err != nil {
			t.Fatal(err)
		}
		if got := chosenWords(tl, v, names); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
