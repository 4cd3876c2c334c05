package matternode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/tlv"
)

// aButton is a device that can be idle for long.
func aButton() Device {
	d := aSensor()
	d.Type = GenericSwitch
	d.ICD = &ICD{Idle: 20 * time.Minute, Active: 3 * time.Second, Threshold: 5 * time.Second, LIT: true, Hint: 1 << 8}
	return d
}

func buttonSleep() *Sleep {
	return &Sleep{Slow: 5 * time.Second, Fast: 200 * time.Millisecond, Threshold: 5 * time.Second}
}

func registering(node, subject uint64, key, verification []byte, kind uint8) []byte {
	return fields(func(e *tlv.Encoder) {
		putUint(e, 0, node)
		putUint(e, 1, subject)
		putOctets(e, 2, key)
		if verification != nil {
			putOctets(e, 3, verification)
		}
		putUint(e, 4, uint64(kind))
	})
}

func unregistering(node uint64, verification []byte) []byte {
	return fields(func(e *tlv.Encoder) {
		putUint(e, 0, node)
		if verification != nil {
			putOctets(e, 1, verification)
		}
	})
}

var key1, key2 = []byte("0123456789abcdef"), []byte("fedcba9876543210")

// register registers us for Check-In messages.
func (g *stage) register(s *session.Secure) (counter uint32) {
	g.t.Helper()
	us := g.ca.Member().NodeID
	v, ok := g.answered(s, icdManagement, 0, registering(us, us, key1, nil, permanentClient)).Field(0).Uint()
	if !ok {
		g.t.Fatal("no counter")
	}
	return uint32(v)
}

// statusIs is the status with which a command was refused.
func statusIs(err error) im.Status {
	var e *im.StatusError
	switch {
	case err == nil:
		return im.Success
	case errors.As(err, &e):
		return e.Result.Status
	}
	return im.Status(0xFF)
}

// Who has Administer needs no key to change a registration, who has Manage must
// know it; there is room for two on each fabric, and the mode follows them all.
func TestRegistrations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		other, err := fabric.New(fabric.Config{})
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := other.NewNode(nodeID)
		if err != nil {
			t.Fatal(err)
		}
		changed := make(chan struct{}, 100)
		n := g.ours(aButton(), Options{
			Fabrics: []Fabric{{Member: theirs, Managers: []uint64{other.Member().NodeID}, VendorID: fabric.VendorID}},
			Changed: func() { changed <- struct{}{} },
		})
		admin := g.mustCASE()
		manager, err := g.cased(session.CASEConfig{Member: other.Member()})
		if err != nil {
			t.Fatal(err)
		}
		const a, b, c = 0x1001, 0x1002, 0x1003
		mode := uint64(operatingModeSIT)
		for i, step := range []struct {
			by     *session.Secure
			id     uint32
			fields []byte
			want   im.Status
			mode   uint64
		}{
			{manager, 2, unregistering(a, nil), im.NotFound, operatingModeSIT},
			{manager, 0, registering(a, a, key1, nil, permanentClient), im.Success, operatingModeLIT}, // for everybody
			{manager, 0, registering(a, b, key2, nil, permanentClient), im.Failure, operatingModeLIT},
			{manager, 0, registering(a, b, key2, key2, permanentClient), im.Failure, operatingModeLIT},
			{manager, 0, registering(a, b, key2, key1, ephemeralClient), im.Success, operatingModeLIT},
			{manager, 0, registering(b, b, key1, nil, permanentClient), im.Success, operatingModeLIT},
			{manager, 0, registering(c, c, key1, nil, permanentClient), im.ResourceExhausted, operatingModeLIT},
			{admin, 0, registering(c, 0xFFFFFFFD_00010001, key1, nil, permanentClient), im.Success, operatingModeLIT}, // another fabric
			{admin, 0, registering(c, c, key2, nil, permanentClient), im.Success, operatingModeLIT},
			{manager, 0, registering(c, c, key1, nil, permanentClient), im.ResourceExhausted, operatingModeLIT}, // that key is not theirs
			{admin, 0, registering(c, c, key2[:15], nil, permanentClient), im.InvalidCommand, operatingModeLIT},
			{admin, 0, registering(0, c, key2, nil, permanentClient), im.InvalidCommand, operatingModeLIT},
			{admin, 0, registering(0xFFFFFFFD_00010001, c, key2, nil, permanentClient), im.InvalidCommand, operatingModeLIT},
			{admin, 0, registering(c, c, key2, nil, 2), im.ConstraintError, operatingModeLIT},
			{admin, 2, unregistering(a, nil), im.NotFound, operatingModeLIT}, // that one is theirs
			{admin, 2, unregistering(c, nil), im.Success, operatingModeLIT},
			{manager, 2, unregistering(a, key1), im.Failure, operatingModeLIT},
			{manager, 2, unregistering(a, key2), im.Success, operatingModeLIT},
			{manager, 2, unregistering(b, key1), im.Success, operatingModeSIT},
		} {
			_, err := g.invoke(step.by, icdManagement, step.id, step.fields)
			if got := statusIs(err); got != step.want {
				t.Errorf("step %d: %v, want %v", i, got, step.want)
			}
			if got := g.number(admin, pathOf(0, icdManagement, 8)); got != step.mode {
				t.Errorf("step %d: mode %d", i, got)
			}
			synctest.Wait()
			// What is announced follows, and who announces it is told.
			if announces(n, "ICD=1") != (step.mode == operatingModeLIT) || announces(n, "SII=500") != (step.mode == operatingModeSIT) {
				t.Errorf("step %d: announced %q", i, n.Services(Place{})[0].TXT)
			}
			if told := len(changed) > 0; told != (step.mode != mode) {
				t.Errorf("step %d: told %v", i, told)
			}
			for len(changed) > 0 {
				<-changed
			}
			mode = step.mode
		}
		// A registration goes with its fabric, and the mode with it.
		g.register(admin)
		n.mu.Lock()
		n.leave(1)
		got := n.operatingMode()
		n.mu.Unlock()
		if got != operatingModeSIT {
			t.Error("idle for long for nobody")
		}
	})
}

// After a start there is a Check-In for who has no subscription, with a number
// from the next hundred; who has one that is still to be resumed gets none.
func TestCheckInAtBoot(t *testing.T) {
	for name, c := range map[string]struct {
		p          Persistence
		subscribes bool
		refuses    bool // we open no session to it
		want       int  // at the start
		later      int  // in the hour after it
	}{
		"without a subscription":            {KeepsTrying, false, false, 1, 3},
		"forgets":                           {Forgets, true, false, 1, 3},
		"resumes":                           {KeepsTrying, true, false, 0, 0},
		"can't resume, and keeps trying":    {KeepsTrying, true, true, 0, 3},
		"can't resume, and tries only once": {TriesOnce, true, true, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				n := g.ours(aButton(), Options{Sleep: buttonSleep(), Resumption: Resumption{Persistence: c.p}, Resolve: g.resolve})
				s := g.mustCASE()
				counter := g.register(s)
				if c.subscribes {
					g.mustSubscribe(s, wanting(0, 3600, label))
				}
				g.mu.Lock()
				g.refuses = c.refuses
				g.mu.Unlock()
				n.Reboot(RebootOptions{Boot: time.Second})
				begin := time.Now()
				pass(10 * time.Second)
				if len(g.checkIns) != c.want {
					t.Fatalf("%d at the start, want %d", len(g.checkIns), c.want)
				}
				if c.want == 1 {
					b := <-g.checkIns
					next := counter + counterEpoch + 1
					want, err := checkIn([16]byte(key1), next, binary.LittleEndian.AppendUint16(nil, 5000))
					if err != nil || !bytes.Equal(b, want) {
						t.Errorf("Check-In %x, want number %d", b, next)
					}
					// Its cycle began with the start: when it checks in, it hears.
					pass(time.Until(begin.Add(time.Second + 20*time.Minute)))
					heard := time.Now()
					if g.mustCASE(); time.Since(heard) > time.Second {
						t.Errorf("it heard us after %v", time.Since(heard))
					}
				}
				pass(time.Until(begin.Add(time.Hour + time.Minute)))
				if len(g.checkIns) != c.later {
					t.Errorf("%d later, want %d", len(g.checkIns), c.later)
				}
			})
		})
	}
}

// The counter rises once with a wake, whoever is told, and not at all when
// nobody is.
func TestCheckInCounter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aButton(), Options{Sleep: buttonSleep()})
		s := g.mustCASE()
		counter := g.register(s)
		const second = 0x1002
		if _, err := g.invoke(s, icdManagement, 0, registering(second, second, key2, nil, permanentClient)); err != nil {
			t.Fatal(err)
		}
		if _, err := g.invoke(s, icdManagement, 3, fields(func(e *tlv.Encoder) { putUint(e, 0, 0) })); err != nil {
			t.Fatal(err)
		}
		said := func(number uint32) {
			t.Helper()
			pass(time.Second)
			for range 2 {
				b := <-g.checkIns
				a, err1 := checkIn([16]byte(key1), number, []byte{0x88, 0x13})
				c, err2 := checkIn([16]byte(key2), number, []byte{0x88, 0x13})
				if err1 != nil || err2 != nil || !bytes.Equal(a, b) && !bytes.Equal(c, b) {
					t.Errorf("%x is not number %d", b, number)
				}
			}
			if len(g.checkIns) != 0 {
				t.Error("one too many")
			}
		}
		pass(20 * time.Minute)
		said(counter + 1)
		pass(5 * time.Minute)
		n.Wake()
		said(counter + 2)
		n.Wake() // it is awake
		pass(time.Second)
		if len(g.checkIns) != 0 {
			t.Error("it was active already")
		}
		pass(time.Minute)
		if !n.Press() {
			t.Error("no button")
		}
		said(counter + 3)
		g.mustSubscribe(g.mustCASE(), wanting(0, 3600, label))
		if _, err := g.invoke(g.mustCASE(), icdManagement, 2, unregistering(second, nil)); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if got := g.number(g.mustCASE(), pathOf(0, icdManagement, 4)); got != uint64(counter+3) {
			t.Errorf("ICDCounter %d, want %d", got, counter+3)
		}
		n.Reboot(RebootOptions{LoseClients: true})
		if n.operatingMode() != operatingModeSIT || announces(n, "ICD=1") {
			t.Error("clients are still there")
		}
		period := func() time.Duration {
			n.gate.sleep.mu.Lock()
			defer n.gate.sleep.mu.Unlock()
			return n.gate.sleep.period
		}
		if period() != 5*time.Second {
			t.Errorf("it polls each %v", period())
		}
		g.register(g.mustCASE())
		if period() != 20*time.Minute {
			t.Errorf("it polls each %v, though it is idle for long", period())
		}
		n.mu.Lock()
		n.leave(1)
		n.mu.Unlock()
		if period() != 5*time.Second {
			t.Errorf("it polls each %v for nobody", period())
		}
	})
}

// A button that was pressed tells so at once, from its sleep; with LazyEvents
// when the next report is due, though its position is told.
func TestPress(t *testing.T) {
	for name, lazy := range map[string]bool{"urgent": false, "with renewals only": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				n := g.ours(aButton(), Options{Sleep: buttonSleep(), Resumption: Resumption{LazyEvents: lazy}})
				s := g.mustCASE()
				if f := g.number(s, pathOf(1, switchCluster, featureMap)); f != momentarySwitch|momentarySwitchRelease {
					t.Errorf("features %#x", f)
				}
				sub := g.mustSubscribe(s, everyEvent(wanting(0, 3600, im.One(1, switchCluster, 1))))
				if sub.MaxInterval != 20*time.Minute {
					t.Errorf("%v", sub.MaxInterval)
				}
				pass(time.Minute)
				begin := time.Now()
				n.Press()
				var got []im.EventReport
				var positions int
				for len(got) < 2 {
					r := g.next(sub)
					got = append(got, r.Events...)
					positions += r.Attributes.Len()
				}
				if d := time.Since(begin); lazy != (d > 18*time.Minute) || !lazy && d > time.Second {
					t.Errorf("after %v", d)
				}
				if positions != 2 {
					t.Errorf("%d positions", positions)
				}
				for i, want := range []uint32{initialPress, shortRelease} {
					e := got[i]
					if e.Endpoint != 1 || e.Cluster != switchCluster || e.Event != want || e.Priority != info || !bytes.Equal(e.Data[len(e.Data)-2:], []byte{1, 0x18}) {
						t.Errorf("%+v", e)
					}
				}
				if got[1].Number != got[0].Number+1 || got[0].Number <= sub.Priming.Events[1].Number {
					t.Errorf("numbers %d, %d", got[0].Number, got[1].Number)
				}
				// What is not called urgent waits, and with LazyEvents what is, too.
				quiet := wanting(0, 3600, label)
				quiet.Events = []im.EventPath{{Urgent: lazy}}
				other := g.mustSubscribe(g.mustCASE(), quiet)
				begin = time.Now()
				n.Press()
				if r := g.next(other); len(r.Events) != 2 || time.Since(begin) < 18*time.Minute {
					t.Errorf("%d events after %v", len(r.Events), time.Since(begin))
				}
				n.Reboot(RebootOptions{Down: time.Minute})
				if n.Press() {
					t.Error("pressed without power")
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		if g.ours(aSensor(), Options{}).Press() {
			t.Error("a contact has no button")
		}
	})
}

// Numbers of events rise over restarts, but where they begin again: then who
// asks for those after the last it knows gets none.
func TestEventNumbers(t *testing.T) {
	for name, restarts := range map[string]bool{"rise": false, "begin again": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				n := g.ours(aButton(), Options{Resumption: Resumption{Persistence: TriesOnce, RestartEvents: restarts}, Resolve: g.resolve})
				sub := g.mustSubscribe(g.keeps(g.mustCASE()), everyEvent(wanting(0, 3600)))
				for range 3 {
					n.Press()
					pass(time.Second)
				}
				last := uint64(0)
				for last < 8 {
					for _, e := range g.next(sub).Events {
						last = e.Number
					}
				}
				n.Reboot(RebootOptions{})
				if r := g.next(sub); len(r.Events) != 2 || (r.Events[0].Number > last) == restarts || restarts && r.Events[0].Number != 1 {
					t.Errorf("%+v after number %d", r.Events, last)
				}
				n.Press()
				pass(time.Second)
				s := g.mustCASE()
				r, err := g.tryRead(s, im.ReadRequest{Events: []im.EventPath{{}}, EventFilters: []im.EventFilter{{Min: last + 1}}})
				if err != nil || (len(r.Events) == 0) != restarts {
					t.Errorf("%+v, %v", r.Events, err)
				}
				if !restarts && !slices.IsSortedFunc(r.Events, func(a, b im.EventReport) int { return int(a.Number) - int(b.Number) }) {
					t.Errorf("%+v", r.Events)
				}
			})
		})
	}
}

// MaxInterval of a sleepy device is its idle time, or as many of them as
// MinInterval needs, but no more than an hour or the ceiling.
func TestMaxInterval(t *testing.T) {
	for _, c := range []struct {
		idle           time.Duration
		floor, ceiling uint16
		want           time.Duration
	}{
		{5 * time.Minute, 0, 60, 5 * time.Minute},
		{5 * time.Minute, 0, 3600, 5 * time.Minute},
		{5 * time.Minute, 301, 3600, 10 * time.Minute},
		{5 * time.Minute, 600, 600, 10 * time.Minute},
		{25 * time.Minute, 3601, 4000, 4000 * time.Second},
		{25 * time.Minute, 1501, 1502, 50 * time.Minute},
		{50 * time.Minute, 3001, 3002, time.Hour},
		{2 * time.Hour, 0, 60, 2 * time.Hour},
		{0, 0, 60, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newStage(t)
			d := aSensor()
			d.ICD.Idle = c.idle
			g.ours(d, Options{})
			if sub := g.mustSubscribe(g.mustCASE(), wanting(c.floor, c.ceiling, label)); sub.MaxInterval != c.want {
				t.Errorf("%+v: %v", c, sub.MaxInterval)
			}
		})
	}
}

// A node that takes long to wake answers late, and what it says itself goes out
// before.
func TestSlowWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		sleep := buttonSleep()
		sleep.Slow, sleep.WakeUp = time.Minute, 3*time.Second
		n := g.ours(aButton(), Options{Sleep: sleep})
		s, err := g.cased(session.CASEConfig{Parameters: n.o.Parameters})
		if err != nil {
			t.Fatal(err)
		}
		passUntil(time.Minute, 30*time.Second)
		passUntil(time.Minute, 30*time.Second)
		n.Wake()
		begin := time.Now()
		g.number(s, pathOf(0, generalDiagnostics, 1))
		if d := time.Since(begin); d < 3*time.Second || d > 3400*time.Millisecond {
			t.Errorf("answered after %v", d)
		}
	})
}

// The cycle of a sleeper begins with its start.
func TestSleeperReset(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := newSleeper(Sleep{Slow: time.Minute, Fast: time.Second, Threshold: 2 * time.Second}, start)
	s.wake()
	at := start.Add(90 * time.Second)
	s.reset(at)
	for after, want := range map[time.Duration]time.Duration{1500 * time.Millisecond: 2 * time.Second, 3 * time.Second: time.Minute, 61 * time.Second: 2 * time.Minute} {
		if got := s.next(at.Add(after)); got != at.Add(want) {
			t.Errorf("after %v it polls at %v, want %v", after, got.Sub(at), want)
		}
	}
}

// A device that sleeps is restarted at once, not at its next poll, and hears
// nothing before it is attached.
func TestRebootAsleep(t *testing.T) {
	for name, sleep := range map[string]*Sleep{"asleep": buttonSleep(), "awake": nil} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { rebootAsleep(t, sleep) }) })
	}
}

func rebootAsleep(t *testing.T, sleep *Sleep) {
	g := newStage(t)
	n := g.ours(aButton(), Options{Sleep: sleep, Resumption: Resumption{Persistence: TriesOnce}, Resolve: g.resolve})
	s := g.keeps(g.mustCASE())
	g.register(s)
	sub := g.mustSubscribe(s, wanting(0, 3600, label))
	pass(2 * time.Minute)
	go func() { // waits at the parent
		_, _ = client.Read(t.Context(), s, im.ReadRequest{Attributes: []im.AttributePath{label}})
	}()
	pass(time.Second)
	begin := time.Now()
	n.Reboot(RebootOptions{Boot: 30 * time.Second})
	if d := time.Since(begin); d != 0 {
		t.Errorf("it took %v", d)
	}
	tried := make(chan error, 1)
	go func() {
		_, err := g.cased(session.CASEConfig{Parameters: n.o.Parameters})
		tried <- err
	}()
	pass(29 * time.Second)
	if st := n.Stats().Messages; st.Received != 0 || g.ep.Stats().Retransmitted < 2 {
		t.Errorf("it heard %d messages before it was attached", st.Received)
	}
	g.next(sub)
	if d := time.Since(begin); d < 30*time.Second || d > 31*time.Second {
		t.Errorf("resumed after %v", d)
	}
	<-tried
	if !announces(n, "ICD=1") {
		t.Error("it forgot who is registered")
	}
}
