//go:build linux

package matter

import (
	"context"
	"testing"

	"threadmap/diag/matter/commission"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/setup"
	"threadmap/diag/matter/transport"
)

// authority is a fabric of our own.
func authority(t testing.TB) *fabric.Authority {
	t.Helper()
	a, err := fabric.New(fabric.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// join brings a node onto the fabric, by the setup code that matter.js gives
// out for it.
func (h *home) join(t testing.TB, ctx context.Context, e *transport.Endpoint, a *fabric.Authority, n node, id uint64) commission.Result {
	t.Helper()
	code, err := setup.Parse(h.codes[n.ID][0])
	if err != nil || len(code) != 1 {
		t.Fatalf("%s: %v, %v", n.ID, code, err)
	}
	r, err := commission.Run(ctx, commission.Config{
		Endpoint: e, Authority: a, NodeID: id, Passcode: code[0].Passcode, Addresses: n.addresses(), FabricLabel: "threadmap",
	})
	if err != nil {
		t.Fatalf("%s: %v", n.ID, err)
	}
	return r
}
