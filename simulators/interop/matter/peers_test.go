//go:build linux

package matter

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/transport"
)

// A home is real nodes at the far end of the cable.
type home struct {
	*program
	nodes []node
	codes map[string][2]string // by node id: the manual pairing code and the text of the QR code
}

// startNodes starts nodes, all in one process.
func startNodes(t testing.TB, nodes ...node) *home {
	t.Helper()
	return startNodesWith(t, nil, nodes...)
}

// startNodesWith is startNodes with more of an environment.
func startNodesWith(t testing.TB, env []string, nodes ...node) *home {
	t.Helper()
	h := &home{program: start(t, inFar, "device.mjs", env...), nodes: nodes, codes: map[string][2]string{}}
	var started struct {
		Nodes []struct{ ID, Manual, QR string }
	}
	h.ask(map[string]any{"do": "start", "nodes": nodes}, &started)
	for _, n := range started.Nodes {
		h.codes[n.ID] = [2]string{n.Manual, n.QR}
	}
	return h
}

// addresses are those that a node of the far end publishes.
func (n node) addresses() []netip.AddrPort {
	return []netip.AddrPort{
		netip.AddrPortFrom(netip.MustParseAddr(far4), n.Port), // published, and nobody listens there
		netip.AddrPortFrom(netip.MustParseAddr(far6), n.Port),
	}
}

// fifteen are nodes of many kinds: a mesh with a router whose RLOC16 is 0x0000,
// one with full tables, and one that is in no mesh.
func fifteen() []node {
	nodes := append(nodesOf(lab(4), 1), crowded(14), newNode(15, 0x0e0f0f0f0f0f0f0f, 0))
	nodes[14].Attributes["53"] = notAttached()
	return nodes
}

// endpoint is a client's, at the near end of the cable.
func endpoint(t testing.TB) *transport.Endpoint {
	t.Helper()
	pc, err := net.ListenPacket("udp6", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	e := transport.New(pc, transport.Options{})
	t.Cleanup(func() { e.Close() })
	return e
}

// patience is a context that bounds a whole test.
func patience(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// said is what a report says of one cluster of endpoint 0, as trees.
func said(t testing.TB, r *client.Report, cluster uint32) map[uint32]any {
	t.Helper()
	if !r.Complete {
		t.Error("the report is not complete")
	}
	out := map[uint32]any{}
	for v := range r.Attributes.Values() {
		if v.Path.Endpoint != 0 || v.Path.Cluster != cluster || v.Data == nil {
			t.Errorf("%s: %+v", v.Path, v)
			continue
		}
		out[v.Path.Attribute] = treeOf(t, v.Data)
	}
	return out
}

// compare reports where what a node said of a cluster is not what it was told.
func (n node) compare(t *testing.T, cluster string, values map[uint32]any) {
	t.Helper()
	got := fields{}
	for id, v := range values {
		got[strconv.Itoa(int(id))] = v
	}
	want := normal(t, n.Attributes[cluster]).(fields)
	for id, v := range map[string]any{"65532": "15", "65533": "3"} { // all counts; the cluster's revision
		want[id] = v
	}
	if list, ok := got["65531"].([]any); !ok || len(list) != len(got) {
		t.Errorf("%s: %d attributes, and it lists %v", n.ID, len(got), got["65531"])
	}
	for _, made := range []string{"65528", "65529", "65531"} { // lists that the stack makes
		delete(got, made)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: the node's values (+) are not the fixture's (-):\n%s", n.ID, strings.TrimSpace(d))
	}
}
