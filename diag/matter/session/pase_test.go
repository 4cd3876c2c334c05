package session

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"threadmap/diag"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/pase"
	"threadmap/diag/matter/spake2p"
)

const passcode = 20202021

// window is an open commissioning window, and counts how its handshakes ended.
type window struct {
	mu             sync.Mutex
	shut           bool
	tries, success int
}

func (v *window) open() (Window, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	salt := []byte("SPAKE2P Key Salt")
	secret, err := spake2p.Derive(passcode, salt, spake2p.MinIterations)
	if err != nil {
		panic(err)
	}
	return Window{Registration: secret.Registration(), Salt: salt, Iterations: spake2p.MinIterations, Over: func(tried, established bool) {
		v.mu.Lock()
		defer v.mu.Unlock()
		if established {
			v.success++
		} else if tried {
			v.tries++
		}
	}}, !v.shut
}

func TestPASE(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		v := &window{}
		p := w.peer(&Responder{Window: v.open}, device)
		s, err := PASE(t.Context(), w.controller, PASEConfig{Passcode: passcode, Addresses: addresses(nobody, device)})
		ok(t, err)
		works(t, s)
		synctest.Wait()
		all := p.sessions()
		if len(all) != 1 || !all[0].PASE() || !s.PASE() || s.Node() != 0 || s.Fabric() != 0 || !s.Record.IsZero() {
			t.Fatalf("%v, %v", s, all)
		}
		if s.AttestationChallenge() != all[0].AttestationChallenge() {
			t.Error("different attestation challenges")
		}
		if v.success != 1 || v.tries != 0 {
			t.Errorf("%+v", v)
		}
	})
}

func TestWrongPasscode(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		v := &window{}
		w.peer(&Responder{Window: v.open}, device)
		_, err := PASE(t.Context(), w.controller, PASEConfig{Passcode: passcode + 1, Addresses: addresses(device, nobody)})
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, pase.ErrPasscode) || e.Stage != diag.StageHandshake || !strings.Contains(e.Error(), "check the setup code") {
			t.Error(err)
		}
		if strings.Contains(err.Error(), "2020202") {
			t.Errorf("the passcode is in %v", err)
		}
		synctest.Wait()
		v.mu.Lock()
		if v.success != 0 || v.tries != 1 {
			t.Errorf("%+v", v)
		}
		v.mu.Unlock()
		_, err = PASE(t.Context(), w.controller, PASEConfig{Passcode: 11111111, Addresses: addresses(device)})
		if !errors.As(err, &e) {
			t.Error(err)
		}
	})
}

func TestNoWindow(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		v := &window{shut: true}
		p := w.peer(&Responder{Window: v.open}, device)
		for _, f := range []func() (Window, bool){v.open, nil} {
			p.Window = f
			_, err := PASE(t.Context(), w.controller, PASEConfig{Passcode: passcode, Addresses: addresses(device)})
			var e *Error
			var report message.StatusReport
			if !errors.As(err, &e) || !errors.As(err, &report) || e.Stage != diag.StageHandshake || !strings.Contains(err.Error(), "open the pairing window") {
				t.Error(err)
			}
		}
	})
}
