package doctor

import (
	"testing"

	"threadmap/diag"
	"threadmap/simulators/mesh"
)

func TestOneBorderRouter(t *testing.T) {
	has(t, oneBorderRouter, []diag.Report{hears(border(router(1)), row(2, 3, -50)), hears(router(2), row(1, 3, -50))})
	hasNot(t, oneBorderRouter, healthy())
	announced := border(router(1)) // mDNS alone: nobody gave a table
	announced.Children, announced.Neighbors = nil, nil
	broken := hears(router(2), row(1, 3, -50)) // the text breaks off: another may stand in the rest
	broken.Cut = true
	hasNot(t, oneBorderRouter, []diag.Report{hears(border(router(1)), row(2, 3, -50)), broken})
	cannotKnow(t, oneBorderRouter, []diag.Report{announced}, []diag.Report{hears(router(1), row(2, 3, -50)), router(2)})
}

func TestSinglePointOfFailure(t *testing.T) {
	chain := []diag.Report{
		hears(border(router(1)), row(2, 3, -50), row(5, 3, -50)),
		hears(router(2), row(1, 3, -50), row(3, 3, -50)),
		parents(hears(router(3), row(2, 3, -50)), sleepy(3, 1, 3, -60)),
		hears(border(router(5)), row(1, 3, -50)),
	}
	found := has(t, singlePointOfFailure, chain)
	if len(found) != 2 || found[1].Title != "2 devices hang on 0e00000000000002 alone" {
		t.Errorf("%+v", found)
	}
	hasNot(t, singlePointOfFailure, healthy())
	chain[3].Cut = true // there may be a way around in the rest of the text
	hasNot(t, singlePointOfFailure, chain)
	chain[3].Cut = false
	for i := range chain {
		chain[i].BorderRouter = diag.Opt[bool]{}
	}
	cannotKnow(t, singlePointOfFailure, chain)
}

func TestWeakLink(t *testing.T) {
	home := func(lq uint8, rssi int8) []diag.Report {
		return []diag.Report{parents(border(router(1)), sleepy(1, 1, lq, rssi))}
	}
	has(t, weakLink, home(1, -80), home(2, -90), home(1, -95))
	hasNot(t, weakLink, home(3, -60), home(2, -80))
	silent := home(3, -60)
	silent[0].Children[0].LinkQualityIn, silent[0].Children[0].AverageRSSI = diag.Opt[uint8]{}, diag.Opt[int8]{}
	cannotKnow(t, weakLink, silent)
}

func TestFullParentAtTheLimit(t *testing.T) {
	r := border(router(1))
	for i := range uint16(511) {
		r = parents(r, sleepy(1, i+1, 3, -60))
	}
	found := has(t, fullParent, []diag.Report{r, border(router(2))})
	if len(found) != 1 || found[0].Severity != Warning || found[0].Confidence != High {
		t.Errorf("%+v", found)
	}
}

// TestBetterParentByQuality: the route table of a full Thread device that is a
// child tells the quality of what it overhears, and no signal.
func TestBetterParentByQuality(t *testing.T) {
	overhears := func(quality uint8, parent int8) []diag.Report {
		m := soundHome()
		hearing(link(m, "Reading lamp", "Hall hub"), parent)
		m.Faults = []mesh.Fault{{Kind: mesh.FaultOverhears, Node: nodeOf(m, "Reading lamp").ExtAddr, Peer: nodeOf(m, "Desk plug").ExtAddr, LQ: quality}}
		return m.Reports(mesh.ReportOptions{At: at})
	}
	has(t, betterParent, overhears(3, -80))
	hasNot(t, betterParent, overhears(2, -80), overhears(3, -70))
}
