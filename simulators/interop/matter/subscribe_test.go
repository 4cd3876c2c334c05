//go:build linux

package matter

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	sim "threadmap/simulators/mdns"
)

// TestSubscription: a real node reports a change, and goes on with the
// subscription in a session of its own making after it lost its power.
func TestSubscription(t *testing.T) {
	n := nodesOf(lab(0), 1)[0]
	storage := t.TempDir()
	keep := []string{noIPv4, "THREADMAP_STORAGE=" + storage}
	h := startNodesWith(t, keep, n)
	ctx, a := patience(t, time.Minute), authority(t)

	// We are found as the node of our fabric, and answer for it.
	var (
		subscriptions client.Subscriptions
		records       = make(chan sigma.Record, 8)
		latest        sigma.Record
	)
	answer := &session.Responder{
		Identities: func() []sigma.Identity { return []sigma.Identity{{Member: a.Member()}} },
		Record: func(id [16]byte) (sigma.Record, bool) {
			for {
				select {
				case latest = <-records:
					continue
				default:
				}
				return latest, latest.ID() == id
			}
		},
	}
	came := make(chan *session.Secure, 8)
	pc, err := net.ListenPacket("udp6", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	e := transport.New(pc, transport.Options{Accept: func(x *transport.Exchange) {
		first, err := x.Receive(ctx)
		if err != nil {
			return
		}
		if x.Session().IsSecure() {
			if err := subscriptions.Handle(ctx, x, first); err != nil && ctx.Err() == nil {
				t.Errorf("a report: %v", err)
			}
			return
		}
		s, err := answer.Answer(ctx, x, first)
		if err != nil {
			t.Errorf("a handshake: %v", err)
			return
		}
		came <- s
	}})
	defer e.Close()
	responder(t).Set([]sim.Service{{
		Kind: "_matter._tcp", Instance: a.Member().InstanceName(a.Member().NodeID), Host: "threadmap",
		Port: uint16(pc.LocalAddr().(*net.UDPAddr).Port), Addrs: []netip.Addr{netip.MustParseAddr(near6)},
	}})

	h.join(t, ctx, e, a, n, 1)
	s, err := session.CASE(ctx, e, session.CASEConfig{Member: a.Member(), Node: 1, Addresses: n.addresses()})
	if err != nil {
		t.Fatal(err)
	}
	records <- s.Record
	sub, err := subscriptions.Subscribe(ctx, s, im.SubscribeRequest{
		Keep: true, MaxCeiling: 60, ReadRequest: im.ReadRequest{Attributes: []im.AttributePath{im.Whole(0, 53)}, Events: []im.EventPath{{Endpoint: im.Some[uint16](0)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	n.compare(t, "53", said(t, sub.Priming, 53))
	t.Logf("subscription %08x, at the latest every %v", sub.ID, sub.MaxInterval)

	const partition = 9
	h.ask(map[string]any{"do": "set", "id": n.ID, "attributes": fields{"53": fields{"9": 4711}}}, nil)
	if v := next(t, ctx, sub); len(v) != 1 || v[partition] != "4711" {
		t.Errorf("after the change: %v", v)
	}

	// matter.js writes it down a moment later.
	if err := until(10*time.Second, "subscription in the node's memory", func() bool {
		found, err := filepath.Glob(filepath.Join(storage, "*", "root.subscriptions.subscriptions"))
		return err == nil && len(found) == 1
	}); err != nil {
		t.Error(err)
	}
	h.kill()
	startNodesWith(t, keep, n)
	select {
	case again := <-came:
		if again.Node() != 1 || !again.Resumed {
			t.Errorf("it came back in %v, resumed: %v", again, again.Resumed)
		}
	case <-ctx.Done():
		t.Fatal("it did not come back")
	}
	n.compare(t, "53", next(t, ctx, sub)) // all of it, as it was in the beginning
	if err := sub.Err(); err != nil {
		t.Error(err)
	}
}

// next is what the next report that says anything says of cluster 53.
func next(t *testing.T, ctx context.Context, sub *client.Subscription) map[uint32]any {
	t.Helper()
	for {
		r, err := sub.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Empty() {
			return said(t, r, 53)
		}
	}
}
