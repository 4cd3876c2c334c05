package mdns

import (
	"testing"
	"testing/synctest"
	"time"

	sim "threadmap/simulators/mdns"
)

// TestManyServices: all services of one responder, whatever way it answers,
// within a second.
func TestManyServices(t *testing.T) {
	for name, how := range map[string]sim.Behaviour{
		"packed": {}, "one packet each": {Each: true}, "without additional records": {PTROnly: true}, "small packets": {PacketSize: 512},
		"repeated": {Copies: 3}, "late": {Delay: 400 * time.Millisecond}, "no cache-flush": {NoFlush: true}, "largest TTL": {MaxTTL: true},
		"known answers ignored": {NoKnown: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.net.Fate = lossy(0, 1)
				l.responder("fe80::2", how, services(300)...)
				v, end := l.browse(Config{})
				l.wait(time.Second)
				synctest.Wait()
				if v.found() != 300 {
					t.Errorf("%d of 300 after a second", v.found())
				}
				end()
				t.Logf("%+v", v.result.Links)
				if len(v.result.Services) != 300 || v.err != nil || len(v.result.Problems) > 0 {
					t.Errorf("%d services, %v, %v", len(v.result.Services), v.err, v.result.Problems)
				}
			})
		})
	}
}

// TestLoss: with 30 % of all packets lost, 300 services are complete within
// 30 packets of questions and 30 seconds.
func TestLoss(t *testing.T) {
	const packets, within = 30, 30 * time.Second
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t)
			l.net.Fate = lossy(0.3, seed)
			l.responder("fe80::2", sim.Behaviour{}, services(300)...)
			v, end := l.browse(Config{})
			start := time.Now()
			for v.found() < 300 && time.Since(start) < 5*time.Minute {
				l.wait(100 * time.Millisecond)
				synctest.Wait()
			}
			took := time.Since(start)
			end()
			s := v.result.Links[0]
			t.Logf("%d of 300 after %v, %d packets of questions, %d more of known answers", v.found(), took, s.Questions, s.Continued)
			if v.found() != 300 || s.Questions > packets || took > within {
				t.Errorf("%d of 300, %d packets", v.found(), s.Questions)
			}
		})
	}
}

// TestQuiet: on a quiet LAN of 50 services there are at most two packets of
// questions and two of known answers a minute, and nothing is thought to have
// gone.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.net.Fate = lossy(0.02, 1)
		l.responder("fe80::2", sim.Behaviour{}, services(50)...)
		v, end := l.browse(Config{})
		const minutes = 70
		l.wait(minutes * time.Minute)
		end()
		s := v.result.Links[0]
		t.Logf("%+v", s)
		if s.Questions > 2*minutes || s.Continued > 2*minutes {
			t.Errorf("%d and %d packets in %d minutes", s.Questions, s.Continued, minutes)
		}
		if v.found() != 50 || len(v.events) != 50 {
			t.Errorf("%d of 50, %d events", v.found(), len(v.events))
		}
	})
}

// TestHostileQuiet: thousands of names that lead nowhere don't make us flood
// the LAN.
func TestHostileQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.net.Fate = lossy(0, 1)
		liar := l.responder("fe80::2", sim.Behaviour{PTROnly: true}, services(4000)...)
		_, end := l.browse(Config{})
		l.wait(time.Second)
		synctest.Wait()
		liar.Mute()
		const minutes = 10
		l.wait(minutes * time.Minute)
		v := end()
		if s := v.result.Links[0]; s.Questions+s.Continued > 120*(minutes+2) {
			t.Errorf("%+v", s)
		}
	})
}
