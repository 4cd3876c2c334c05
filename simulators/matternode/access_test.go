package matternode

import (
	"context"
	"crypto/rand"
	"errors"
	mrand "math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/simulators/simnet"
)

// The oldest session is forgotten without a word; a new one goes by resumption
// where the node still has the record.
func TestEvictsSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{Quirks: Quirks{MaxSessions: 2}})
		var all []*session.Secure
		for range 3 {
			all = append(all, g.mustCASE())
			pass(time.Second)
		}
		if n.Sessions() != 2 || n.Stats().Evicted != 1 {
			t.Errorf("%d sessions", n.Sessions())
		}
		if all[0].Session.Err() != nil {
			t.Error("we were told")
		}
		begin := time.Now()
		_, err := g.tryRead(all[0], im.ReadRequest{Attributes: []im.AttributePath{im.One(0, descriptor, 0)}})
		if !errors.Is(err, session.ErrDefunct) || time.Since(begin) < 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		s := g.resume(all[2].Record)
		pass(time.Second) // until the node knows, too
		if !s.Resumed || n.Stats().Resumptions != 1 {
			t.Error("not resumed")
		}
		// The record that was used is used up.
		if again := g.resume(all[2].Record); again.Resumed {
			t.Error("resumed twice by one record")
		}
		n.Reboot(RebootOptions{})
		if _, err := g.tryRead(s, im.ReadRequest{Attributes: []im.AttributePath{im.One(0, descriptor, 0)}}); !errors.Is(err, session.ErrDefunct) {
			t.Errorf("after a restart: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		s := g.mustCASE()
		n.Reboot(RebootOptions{})
		if !g.resume(s.Record).Resumed {
			t.Error("records don't outlive a restart")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.ours(aPlug(), Options{Quirks: Quirks{ForgetRecords: true}})
		if g.resume(g.mustCASE().Record).Resumed {
			t.Error("resumed, though the node forgets records")
		}
	})
}

// Who is on the fabric and has no entry in the access control list sees
// nothing; who is on another finds nobody.
func TestAccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		guest, err := g.ca.NewNode(0x99)
		if err != nil {
			t.Fatal(err)
		}
		s, err := g.cased(session.CASEConfig{Member: guest})
		if err != nil {
			t.Fatal(err)
		}
		if got := g.status(s, pathOf(0, basicInformation, 5)); got != im.UnsupportedAccess {
			t.Errorf("%v", got)
		}
		if r := g.read(s, im.AttributePath{}); r.Attributes.Len() != 0 {
			t.Errorf("%d attributes", r.Attributes.Len())
		}
		var e *im.StatusError
		if _, err := g.invoke(s, generalCommissioning, 0, arming(60)); !errors.As(err, &e) || e.Result.Status != im.UnsupportedAccess {
			t.Errorf("%v", err)
		}
		if _, err := g.subscribe(s, wanting(0, 60, im.One(0, basicInformation, 5))); !errors.As(err, &e) || e.Result.Status != im.UnsupportedAccess {
			t.Errorf("%v", err)
		}
		if err := client.Write(t.Context(), s, im.Path(pathOf(0, basicInformation, 5)), []byte{0x0c, 1, 'x'}); !errors.As(err, &e) || e.Result.Status != im.UnsupportedAccess {
			t.Errorf("%v", err)
		}
		other, err := fabric.New(fabric.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var report message.StatusReport
		if _, err := g.cased(session.CASEConfig{Member: other.Member()}); !errors.As(err, &report) || report.Code != message.CodeNoSharedTrustRoots {
			t.Errorf("%v", err)
		}
		if st := n.Stats(); st.Refused != 1 || st.Handshakes != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestSubjects(t *testing.T) {
	p := cert.Peer{NodeID: 5, CATs: []uint32{0xABCD0003}}
	for s, want := range map[uint64]bool{
		5: true, 6: false, 0xFFFFFFFD_ABCD0003: true, 0xFFFFFFFD_ABCD0002: true, 0xFFFFFFFD_ABCD0004: false, 0xFFFFFFFD_ABCC0003: false,
	} {
		if subjectIs(s, p) != want {
			t.Errorf("%X: %v", s, !want)
		}
	}
	for s, want := range map[uint64]bool{0: false, 1: true, cert.MaxNodeID: true, cert.MaxNodeID + 1: false, 0xFFFFFFFD_ABCD0000: false, 0xFFFFFFFD_ABCD0001: true} {
		if validSubject(s) != want {
			t.Errorf("%X: %v", s, !want)
		}
	}
}

func TestWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.ours(aPlug(), Options{})
		s := g.mustCASE()
		label, long := im.Path(pathOf(0, basicInformation, 5)), make([]byte, 35)
		long[0], long[1] = 0x0c, 33
		if err := client.Write(t.Context(), s, label, []byte{0x0c, 3, 'x', 'y', 'z'}); err != nil {
			t.Fatal(err)
		}
		if got := g.text(s, label); got != "xyz" {
			t.Error(got)
		}
		for name, c := range map[string]struct {
			p    im.Path
			data []byte
			want im.Status
		}{
			"too long":     {label, long, im.ConstraintError},
			"a number":     {label, []byte{4, 1}, im.InvalidDataType},
			"what is read": {im.Path(pathOf(0, basicInformation, 1)), []byte{0x0c, 1, 'x'}, im.UnsupportedWrite},
			"nothing":      {im.Path(pathOf(0, basicInformation, 0x77)), []byte{4, 1}, im.UnsupportedAttribute},
			"a country":    {im.Path(pathOf(0, basicInformation, 6)), []byte{0x0c, 1, 'x'}, im.ConstraintError},
		} {
			var e *im.StatusError
			if err := client.Write(t.Context(), s, c.p, c.data); !errors.As(err, &e) || e.Result.Status != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A plug can be switched, and tells who has subscribed.
func TestSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		s := g.mustCASE()
		sub, err := g.subscribe(s, wanting(0, 60, im.Whole(1, onOff)))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []uint32{1, 2} {
			if _, err := client.Invoke(t.Context(), s, im.CommandPath{Endpoint: 1, Cluster: onOff, Command: c}, nil); err != nil {
				t.Fatal(err)
			}
			if r := g.next(sub); r.Attributes.Len() != 1 {
				t.Errorf("%d attributes", r.Attributes.Len())
			}
		}
		n.SetBattery(3) // a plug has none
	})
}

// Rubbish in a session is answered or dropped, and what is good still works.
func TestHostileRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.ours(aPlug(), Options{})
		s := g.mustCASE()
		good, err := (&im.ReadRequest{Attributes: []im.AttributePath{{}}}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		r := mrand.New(mrand.NewPCG(9, 9))
		for i := range 400 {
			b := append([]byte(nil), good...)
			if i%2 == 0 {
				b = make([]byte, r.IntN(200))
				rand.Read(b)
			} else {
				b[r.IntN(len(b))] ^= byte(1 << r.IntN(8))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			x, err := s.Session.Open(ctx)
			if err != nil {
				t.Fatal(err)
			}
			x.Send(ctx, message.InteractionModel, uint8(1+r.IntN(11)), b)
			x.Receive(ctx)
			x.Abort()
			cancel()
		}
		pass(time.Minute)
		if got := g.number(g.mustCASE(), pathOf(0, descriptor, clusterRevision)); got != 3 {
			t.Error(got)
		}
	})
}

func TestBadOptions(t *testing.T) {
	net := &simnet.Net{}
	for name, f := range map[string]func(*Device, *Options){
		"no such node":     func(d *Device, _ *Options) { d.Thread.Node = 1 },
		"no member":        func(_ *Device, o *Options) { o.Fabrics = []Fabric{{}} },
		"sleeps for good":  func(_ *Device, o *Options) { o.Sleep = &Sleep{Slow: 2 * time.Hour, Fast: time.Second} },
		"too many fabrics": func(_ *Device, o *Options) { o.Fabrics = make([]Fabric, MaxFabrics+1) },
	} {
		pc, err := net.ListenPacket(nodeAddr)
		if err != nil {
			t.Fatal(err)
		}
		d, o := aPlug(), Options{}
		f(&d, &o)
		if n, err := New(pc, d, o); err == nil {
			n.Close()
			t.Error(name)
		}
	}
}
