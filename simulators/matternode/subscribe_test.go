package matternode

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/simulators/mesh"
	"threadmap/tlv"
)

func (g *stage) subscribe(s *session.Secure, req im.SubscribeRequest) (*client.Subscription, error) {
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	return g.subs.Subscribe(ctx, s, req)
}

func (g *stage) next(s *client.Subscription) *client.Report {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 3*time.Hour)
	defer cancel()
	r, err := s.Next(ctx)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

func wanting(floor, ceiling uint16, paths ...im.AttributePath) im.SubscribeRequest {
	return im.SubscribeRequest{Keep: true, MinFloor: floor, MaxCeiling: ceiling, ReadRequest: im.ReadRequest{Attributes: paths}}
}

func TestSubscribe(t *testing.T) {
	for name, q := range map[string]Quirks{"": {}, "quiet": {QuietKeepAlive: true, NodeIDs: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				m := mesh.HomeOf50(1).Networks[0]
				i := m.FindName("Desk plug")
				n := g.ours(FromMesh(m.View(), i), Options{Quirks: q})
				s := g.mustCASE()
				sub, err := g.subscribe(s, wanting(2, 60, im.Whole(0, threadNetworkDiagnostics), im.Whole(0, basicInformation)))
				if err != nil {
					t.Fatal(err)
				}
				if sub.MaxInterval != time.Minute || sub.Priming.Attributes.Len() < 70 {
					t.Errorf("%v, %d attributes", sub.MaxInterval, sub.Priming.Attributes.Len())
				}
				begin := time.Now()
				if r := g.next(sub); !r.Empty() || time.Since(begin) != time.Minute {
					t.Errorf("%d attributes after %v", r.Attributes.Len(), time.Since(begin))
				}
				// Only what has changed comes, and not too often.
				begin = time.Now()
				n.SetLabel("one")
				n.SetLabel("two")
				r := g.next(sub)
				if v, ok := r.Attributes.Value(im.Path(pathOf(0, basicInformation, 5))); r.Attributes.Len() != 1 || !ok || string(v.Data[2:]) != "two" || time.Since(begin) != 2*time.Second {
					t.Errorf("%d attributes after %v: %q", r.Attributes.Len(), time.Since(begin), v.Data)
				}
				// The mesh moves: a new partition, and tables of which nobody is told.
				moved := m.Clone()
				moved.Partitions[0].ID++
				moved.Links[0].AToB.RSSI--
				if err := n.SetView(moved.View()); err != nil {
					t.Fatal(err)
				}
				if r := g.next(sub); r.Attributes.Len() != 1 {
					t.Errorf("%d attributes", r.Attributes.Len())
				}
				n.Switch(true) // nobody asked
				if r := g.next(sub); !r.Empty() {
					t.Error("told of what it did not ask for")
				}
				// A subscriber that does not know it is rid of it.
				sub.Close()
				n.SetLabel("three")
				pass(2 * time.Minute)
				if n.Subscriptions() != 0 {
					t.Error("it goes on")
				}
			})
		})
	}
}

func TestSubscriptionLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		s := g.mustCASE()
		label := im.One(0, basicInformation, 5)
		for name, c := range map[string]struct {
			req  im.SubscribeRequest
			want im.Status
		}{
			"nothing":                {wanting(0, 60), im.InvalidAction},
			"a floor over a ceiling": {wanting(61, 60, label), im.InvalidAction},
		} {
			_, err := g.subscribe(s, c.req)
			var e *im.StatusError
			if !errors.As(err, &e) || e.Result.Status != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range DefaultSubscriptions {
			if _, err := g.subscribe(s, wanting(0, 3600, label)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := g.subscribe(s, wanting(0, 3600, label)); err == nil {
			t.Error("one too many")
		}
		alone := wanting(0, 3600, label)
		alone.Keep = false
		last, err := g.subscribe(s, alone)
		if err != nil || n.Subscriptions() != 1 {
			t.Errorf("%v, %d subscriptions", err, n.Subscriptions())
		}
		// The node is switched off: silence, and then the end.
		n.GoSilent(true)
		if _, err := last.Next(t.Context()); !errors.Is(err, client.ErrSilent) {
			t.Errorf("%v", err)
		}
		n.GoSilent(false)
		pass(2 * time.Hour)
		if n.Subscriptions() != 0 {
			t.Error("the node did not notice")
		}
		// After a restart it knows nothing of any.
		if _, err := g.subscribe(g.mustCASE(), wanting(0, 60, label)); err != nil {
			t.Fatal(err)
		}
		n.Reboot(RebootOptions{})
		if n.Subscriptions() != 0 || n.Sessions() != 0 {
			t.Error("they outlived a restart")
		}
	})
}

// A sleepy node's answers come at its polls; when it is active they come fast.
func TestSleepy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		sleep := &Sleep{Slow: 5 * time.Second, Fast: 200 * time.Millisecond, Threshold: 2 * time.Second}
		n := g.ours(aSensor(), Options{Sleep: sleep})
		pass(time.Second)
		begin := time.Now()
		s, err := g.cased(session.CASEConfig{Parameters: n.o.Parameters})
		if err != nil {
			t.Fatal(err)
		}
		// The first message waits for the poll, the others for fast ones.
		if d := time.Since(begin); d < 4*time.Second || d > 4800*time.Millisecond {
			t.Errorf("a session after %v", d)
		}
		begin = time.Now()
		g.number(s, pathOf(0, generalDiagnostics, 1))
		if d := time.Since(begin); d > 400*time.Millisecond {
			t.Errorf("an answer of an active node after %v", d)
		}
		passUntil(5*time.Second, time.Second)
		passUntil(5*time.Second, time.Second)
		begin = time.Now()
		g.number(s, pathOf(0, generalDiagnostics, 1))
		if d := time.Since(begin); d < 3*time.Second || d > 5*time.Second {
			t.Errorf("an answer of an idle node after %v", d)
		}
		if st := s.Session.Stats(); st.Retransmitted != 0 {
			t.Errorf("asked again though it told how long it sleeps: %+v", st)
		}
		passUntil(5*time.Second, time.Second)
		passUntil(5*time.Second, time.Second)
		woken := time.AfterFunc(time.Second, n.Wake) // a user presses the button
		begin = time.Now()
		g.number(s, pathOf(0, generalDiagnostics, 1))
		if d := time.Since(begin); d < time.Second || d > 1400*time.Millisecond || woken.Stop() {
			t.Errorf("woken after 1 s, it answered after %v", d)
		}
		for _, b := range n.Services(Place{})[0].TXT {
			if string(b) == "SII=5000" {
				return
			}
		}
		t.Error("SII is not announced")
	})
}

// A node that is idle for long hears nothing, until it wakes and checks in.
func TestLongIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		d := aSensor()
		d.ICD = &ICD{Idle: 20 * time.Minute, Active: 3 * time.Second, Threshold: 5 * time.Second, LIT: true, Hint: 1 << 8}
		n := g.ours(d, Options{Sleep: &Sleep{Slow: 5 * time.Second, Fast: 200 * time.Millisecond, Threshold: 5 * time.Second}})
		s, err := g.cased(session.CASEConfig{Parameters: n.o.Parameters})
		if err != nil {
			t.Fatal(err)
		}
		mode := func() uint64 { return g.number(s, pathOf(0, icdManagement, 8)) }
		if mode() != operatingModeSIT || announces(n, "ICD=0") != true {
			t.Error("idle for long though nobody is registered")
		}
		us, key := g.ca.Member().NodeID, []byte("0123456789abcdef")
		counter, _ := g.answered(s, icdManagement, 0, fields(func(e *tlv.Encoder) {
			putUint(e, 0, us)
			putUint(e, 1, us)
			putOctets(e, 2, key)
			putUint(e, 4, 0)
		})).Field(0).Uint()
		if mode() != operatingModeLIT || !announces(n, "ICD=1") {
			t.Error("not idle for long, though we are registered")
		}
		if got := g.answered(s, icdManagement, 3, fields(func(e *tlv.Encoder) { putUint(e, 0, 60000) })); true {
			if ms, _ := got.Field(0).Uint(); ms != 30000 {
				t.Errorf("stays active for %d ms", ms)
			}
		}
		pass(2 * time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if _, err := client.Read(ctx, s, im.ReadRequest{Attributes: []im.AttributePath{im.One(0, descriptor, 0)}}); err == nil {
			t.Error("it heard us though it is idle")
		}
		cancel()
		// What it says when it wakes is for us.
		b := <-g.checkIns
		want, err := checkIn([16]byte(key), uint32(counter)+1, binary.LittleEndian.AppendUint16(nil, 5000))
		if err != nil || string(b) != string(want) {
			t.Errorf("Check-In %x, want %x", b, want)
		}
		begin := time.Now()
		if s, err = g.cased(session.CASEConfig{}); err != nil {
			t.Fatal(err)
		}
		if time.Since(begin) > 2*time.Second {
			t.Errorf("a session after %v, though it is awake", time.Since(begin))
		}
		if _, err := g.subscribe(s, wanting(0, 3600, im.One(0, basicInformation, 5))); err != nil {
			t.Fatal(err)
		}
		pass(50 * time.Minute)
		if len(g.checkIns) != 0 {
			t.Error("it checks in though we have a subscription")
		}
		passUntil(20*time.Minute, time.Second)
		if s, err = g.cased(session.CASEConfig{}); err != nil {
			t.Fatal(err)
		}
		unregister := fields(func(e *tlv.Encoder) { putUint(e, 0, us) })
		if _, err := g.invoke(s, icdManagement, 2, unregister); err != nil {
			t.Error(err)
		}
		var none *im.StatusError
		if _, err := g.invoke(s, icdManagement, 2, unregister); !errors.As(err, &none) || none.Result.Status != im.NotFound {
			t.Errorf("%v", err)
		}
		if mode() != operatingModeSIT {
			t.Error("still idle for long")
		}
	})
}

func announces(n *Node, txt string) bool {
	for _, b := range n.Services(Place{})[0].TXT {
		if string(b) == txt {
			return true
		}
	}
	return false
}

// Vectors of connectedhomeip, one that OpenSSL computed, and two messages of a
// matter.js device (captured in 2026-11).
func TestCheckInVectors(t *testing.T) {
	for _, c := range []struct {
		key     string
		counter uint32
		data    string
		want    string
	}{
		{"d90e13180d00baadd20cf5ed4913d3ff", 12, "", "4580d2c6f1310dc4eb64f1f8e8bdc21fb5195d747dd2879b2b0d43ce5b1c565078"},
		{"18fdbceaef01955b0ec875eda3ae6ee8", 15, "54686973", "9b02ed21ee0c7b491985502e372dbd7b3f8b4f8e3c5ad99419389f41a8d609938c67a86d65"},
		{"d90e13180d00baadd20cf5ed4913d3ff", 11, "546869732069732061", "aa84bc60886a63a8475d5dbeb56d635fa95285ae33626613c7636ce3e3b2a8b13a8c89bef76891e8e296"},
		{"15a139085e5cd465f04a234ae693fa4b", 0x01968390, "8813", "2e7f895d4fcba957ae6036657f592c66d29250779a139cb1fc913398d190a43bb5bf01"},
		{"15a139085e5cd465f04a234ae693fa4b", 0x01968391, "8813", "35f2703ddc45e1d262ddcac3223c6510cce0c130b0bd07464eb4fffb527c10464763cc"},
		{"d90e13180d00baadd20cf5ed4913d3ff", 0x01020304, "8813", "cef47cafc386ffb2de873919792332a1165842287d6b9bbdeabf01e53dae4946986bac"},
	} {
		key, _ := hex.DecodeString(c.key)
		data, _ := hex.DecodeString(c.data)
		b, err := checkIn([16]byte(key), c.counter, data)
		if err != nil || hex.EncodeToString(b) != c.want {
			t.Errorf("counter %d: %x, %v", c.counter, b, err)
		}
	}
}
