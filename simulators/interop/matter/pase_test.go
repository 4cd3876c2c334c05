//go:build linux

package matter

import (
	"errors"
	"testing"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/pase"
	"threadmap/diag/matter/session"
)

// TestSetupCodes: each of fifteen nodes lets who knows its setup code read it,
// and what it says is the fixture to the last digit.
func TestSetupCodes(t *testing.T) {
	nodes := fifteen()
	startNodes(t, nodes...)
	ctx, e := patience(t, time.Minute), endpoint(t)
	for _, n := range nodes {
		s, err := session.PASE(ctx, e, session.PASEConfig{Passcode: n.Passcode, Addresses: n.addresses()})
		if err != nil {
			t.Fatal(err)
		}
		r, err := client.Read(ctx, s, im.ReadRequest{Attributes: []im.AttributePath{im.Whole(0, 53)}})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		n.compare(t, "53", said(t, r, 53))
	}
}

// TestWrongCode: the error of a wrong passcode says so, and the node goes on
// waiting for the right one.
func TestWrongCode(t *testing.T) {
	n := newNode(1, 1, 1)
	n.Attributes["53"] = notAttached()
	startNodes(t, n)
	ctx, e := patience(t, time.Minute), endpoint(t)
	for range 3 {
		_, err := session.PASE(ctx, e, session.PASEConfig{Passcode: n.Passcode + 1, Addresses: n.addresses()})
		if !errors.Is(err, pase.ErrPasscode) {
			t.Fatalf("%v", err)
		}
	}
	s, err := session.PASE(ctx, e, session.PASEConfig{Passcode: n.Passcode, Addresses: n.addresses()})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}
