package topology_test

import (
	"reflect"
	"testing"
	"time"

	"threadmap/diag"
	"threadmap/topology"
)

// TestICDFromSeveral: an announcement, which is newer, adds to what a controller
// read of how a device sleeps, and takes nothing away.
func TestICDFromSeveral(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	own := []diag.AddrClaim{{ExtAddr: 0x5ab52cc5a3e44d44, Witness: diag.WitnessHost}}
	read := diag.ICD{
		LIT: diag.Some(false), IdleModeDuration: diag.Some(300 * time.Second), ActiveModeDuration: diag.Some(time.Second), ActiveModeThreshold: diag.Some(300 * time.Millisecond),
		CheckIn: diag.Some(true), FeatureMap: diag.Some(uint32(7)), RegisteredClients: diag.Some(uint16(1)), UserActiveModeTriggerHint: diag.Some(uint32(1 << 8)), UserActiveModeTriggerInstruction: "press it",
	}
	said := diag.ICD{LIT: diag.Some(true), SessionIdleInterval: diag.Some(5 * time.Second), SessionActiveInterval: diag.Some(300 * time.Millisecond), SessionActiveThreshold: diag.Some(4 * time.Second)}
	m := topology.Build([]diag.Report{
		{Source: "matter-server", At: at, Cached: true, Own: own, Transport: diag.TransportThread, ICD: diag.Some(read)},
		{Source: "mdns", At: at.Add(time.Second), Own: own, Transport: diag.TransportThread, Hosts: []string{"5AB52CC5A3E44D44"}, ICD: diag.Some(said)},
	})
	want := read
	want.LIT, want.SessionIdleInterval, want.SessionActiveInterval, want.SessionActiveThreshold = said.LIT, said.SessionIdleInterval, said.SessionActiveInterval, said.SessionActiveThreshold
	if len(m.Nodes) != 1 {
		t.Fatalf("%d nodes", len(m.Nodes))
	}
	got, _ := m.Nodes[0].ICD.Get()
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for i, f := range reflect.VisibleFields(reflect.TypeFor[diag.ICD]()) { // a field that is added must be merged, too
		if reflect.ValueOf(got).Field(i).IsZero() {
			t.Errorf("%s is lost", f.Name)
		}
	}
}
