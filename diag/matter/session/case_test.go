package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

func TestCASE(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		p.Own = message.SessionParameters{Idle: 2 * time.Second, Active: time.Second}
		c := w.config(device)
		c.Own = message.SessionParameters{Idle: 700 * time.Millisecond}
		c.Parameters = message.SessionParameters{Idle: time.Minute, ActiveThreshold: 9 * time.Second}
		s, err := CASE(t.Context(), w.controller, c)
		ok(t, err)
		works(t, s)
		// Sigma1, Sigma3, the acknowledgement of the StatusReport; Sigma2, StatusReport;
		// then the echo, whose answer is acknowledged.
		if st := w.controller.Stats(); st.Sent != 3+2 || st.Received != 2+1 || st.Retransmitted != 0 {
			t.Errorf("%+v", st)
		}
		synctest.Wait()
		all := p.sessions()
		if len(all) != 1 {
			t.Fatalf("%d sessions, %v", len(all), p.failures())
		}
		other := all[0]
		if s.Node() != deviceID || s.Peer.FabricID != w.authority.FabricID() || s.Fabric() != w.authority.Member().CompressedID() || s.PASE() || s.Resumed {
			t.Errorf("%v", s)
		}
		if other.Node() != w.authority.Member().NodeID || other.Fabric() != s.Fabric() {
			t.Errorf("%v", other)
		}
		if s.AttestationChallenge() != other.AttestationChallenge() || s.AttestationChallenge() == [16]byte{} {
			t.Error("different attestation challenges")
		}
		if s.Record.IsZero() || !s.Record.Equal(s.Record) || s.Record.ID() != other.Record.ID() {
			t.Error("different records")
		}
		// The handshake's word counts more than that of DNS-SD.
		if p := s.Session.Parameters(); p.Idle != 2*time.Second || p.Active != time.Second || p.ActiveThreshold != 9*time.Second {
			t.Errorf("%+v", p)
		}
		if p := other.Session.Parameters(); p.Idle != 700*time.Millisecond || p.Active != message.DefaultActive {
			t.Errorf("%+v", p)
		}
		if Of(s.Session) != s || Of(other.Session) != other || Of(w.controller.Unsecured(device, message.SessionParameters{})) != nil {
			t.Error("Of")
		}
		challenge := s.AttestationChallenge()
		for _, v := range []any{s, *s, other} {
			text := fmt.Sprintf("%v %+v %#v %s %x", v, v, v, v, v)
			if strings.Contains(text, fmt.Sprintf("%x", challenge[:4])) || strings.Contains(text, fmt.Sprint(challenge[:4])[1:]) {
				t.Errorf("the challenge is in %s", text)
			}
		}
		s.Close()
		synctest.Wait()
		if err := other.Session.Err(); !errors.Is(err, transport.ErrSessionClosed) {
			t.Errorf("%v", err)
		}
	})
}

func TestResumption(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		c := w.config(device)
		record := sigma.Record{}
		c.Record = &record
		for i := range 4 {
			before := w.controller.Stats()
			s, err := CASE(t.Context(), w.controller, c)
			ok(t, err)
			after := w.controller.Stats()
			if s.Resumed != (i > 0) || s.Node() != deviceID {
				t.Errorf("%d: resumed %v", i, s.Resumed)
			}
			// Sigma1, StatusReport; Sigma2_Resume, acknowledgement.
			if sent, received := after.Sent-before.Sent, after.Received-before.Received; i > 0 && (sent != 2 || received != 2) {
				t.Errorf("%d sent, %d received", sent, received)
			}
			if record.Equal(s.Record) {
				t.Error("the record was not renewed")
			}
			record = s.Record
			works(t, s)
			synctest.Wait() // until the peer has its record, too
		}
		synctest.Wait()
		if all := p.sessions(); len(all) != 4 || !all[3].Resumed {
			t.Errorf("%d sessions", len(all))
		}
	})
}

// Where the node has no record, or one with another secret, or can't bear
// resumption, there is a full handshake.
func TestResumptionFallsBack(t *testing.T) {
	for name, spoil := range map[string]func(*peer){
		"no record": func(p *peer) { clear(p.records) },
		"a wrong record": func(p *peer) {
			for id, r := range p.records {
				b := r.Bytes()
				i := bytes.Index(b, id[:])
				b[i+16+3] ^= 1 // the shared secret is the next member
				q, err := sigma.ParseRecord(b)
				if err != nil || q.Equal(r) || q.ID() != id {
					panic(fmt.Sprint(err, q.Equal(r)))
				}
				p.records[id] = q
			}
		},
		"it refuses": func(p *peer) {
			p.instead = func(x *transport.Exchange, first transport.Message) bool {
				if !bytes.Contains(first.Payload, []byte{0x30, 0x06, 0x10}) { // the resumption id's tag and length
					return false
				}
				x.Send(context.Background(), message.SecureChannel, message.Status, message.StatusReport{General: message.Failure, Code: message.CodeInvalidParameter}.Append(nil))
				return true
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, w *world) {
				p := w.node(deviceID, device)
				c := w.config(device)
				first, err := CASE(t.Context(), w.controller, c)
				ok(t, err)
				synctest.Wait()
				p.mu.Lock()
				spoil(p)
				p.mu.Unlock()
				c.Record = &first.Record
				s, err := CASE(t.Context(), w.controller, c)
				ok(t, err)
				if s.Resumed {
					t.Error("resumed")
				}
				works(t, s)
			})
		})
	}
}

// A record of another node, or of another fabric, is not used.
func TestForeignRecord(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node(deviceID, device)
		other := netip.MustParseAddrPort("[fd00::3]:5540")
		w.node(99, other)
		c := w.config(other)
		c.Node = 99
		s, err := CASE(t.Context(), w.controller, c)
		ok(t, err)
		c = w.config(device)
		c.Record = &s.Record
		s, err = CASE(t.Context(), w.controller, c)
		ok(t, err)
		if s.Resumed || s.Node() != deviceID {
			t.Errorf("%v, resumed %v", s, s.Resumed)
		}
	})
}

// refusal is the error of a CASE that must fail.
func refusal(t *testing.T, w *world, c CASEConfig) *Error {
	t.Helper()
	s, err := CASE(t.Context(), w.controller, c)
	var e *Error
	if s != nil || !errors.As(err, &e) || strings.ContainsAny(err.Error(), "\n\r") {
		t.Fatalf("%v, %v", s, err)
	}
	return e
}

func TestWrongNode(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.node(99, device)
		c := w.config(device)
		e := refusal(t, w, c)
		var report message.StatusReport
		if e.Stage != diag.StageHandshake || !errors.As(e, &report) || report.Code != message.CodeNoSharedTrustRoots {
			t.Error(e)
		}
		if want := "node 1122334455667788: handshake: the device at [fd00::2]:5540 is not on this fabric: it was reset or removed, or has another node id: pair it (again)"; e.Error() != want {
			t.Errorf("got  %s\nwant %s", e, want)
		}
	})
}

func TestWrongRoot(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		other, err := fabric.New(fabric.Config{})
		ok(t, err)
		m, err := other.NewNode(deviceID)
		ok(t, err)
		w.peer(&Responder{Identities: func() []sigma.Identity { return []sigma.Identity{{Member: m}} }}, device)
		e := refusal(t, w, w.config(device))
		var report message.StatusReport
		if !errors.As(e, &report) || report.Code != message.CodeNoSharedTrustRoots {
			t.Error(e)
		}
	})
}

func TestNoIdentity(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.peer(&Responder{}, device)
		e := refusal(t, w, w.config(device))
		var report message.StatusReport
		if !errors.As(e, &report) || report.Code != message.CodeNoSharedTrustRoots {
			t.Error(e)
		}
	})
}

// A member of the fabric that knows its keys and passes for another node.
func TestImpostor(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		m := *w.member(99)
		m.NodeID = deviceID
		p := w.peer(&Responder{Identities: func() []sigma.Identity { return []sigma.Identity{{Member: &m}} }}, device)
		e := refusal(t, w, w.config(device))
		if !errors.Is(e, sigma.ErrPeer) || e.Stage != diag.StageHandshake || !strings.Contains(e.Error(), "do not trust it") {
			t.Error(e)
		}
		synctest.Wait()
		// It is told, and is free at once.
		var report message.StatusReport
		if f := p.failures(); len(f) != 1 || !errors.As(f[0], &report) || report.Code != message.CodeInvalidParameter {
			t.Errorf("%v", f)
		}
	})
}

// An initiator that the responder must not let in: of the same fabric id and
// with its key, but certified by another root.
func TestResponderRefuses(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		other, err := fabric.New(fabric.Config{FabricID: w.authority.FabricID(), NodeID: 5})
		ok(t, err)
		m := *other.Member()
		m.Root, m.IPK = w.authority.Root(), w.authority.Member().IPK
		c := w.config(device)
		c.Member = &m
		e := refusal(t, w, c)
		var report message.StatusReport
		if !errors.As(e, &report) || report.Code != message.CodeInvalidParameter {
			t.Error(e)
		}
		synctest.Wait()
		if f := p.failures(); len(f) != 1 || !errors.Is(f[0], sigma.ErrPeer) || len(p.sessions()) != 0 {
			t.Errorf("%v, %v", f, p.sessions())
		}
	})
}

// A node that was restarted says nothing on its old session. The caller learns
// it, and gets a new one by resumption.
func TestDefunct(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		p := w.node(deviceID, device)
		c := w.config(device)
		s, err := CASE(t.Context(), w.controller, c)
		ok(t, err)
		works(t, s)
		synctest.Wait()
		ok(t, p.ends[0].Close()) // without a word
		p.ends[0] = w.endpoint(device, transport.Options{Accept: p.accept})
		began := time.Now()
		err = echo(t.Context(), s)
		if !errors.Is(err, ErrDefunct) || !errors.As(err, new(*transport.NoAckError)) {
			t.Fatalf("%v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v to notice", took)
		}
		c.Record = &s.Record
		again, err := CASE(t.Context(), w.controller, c)
		ok(t, err)
		if !again.Resumed {
			t.Error("not resumed")
		}
		works(t, again)
		again.Close()
		if err := echo(t.Context(), again); !errors.Is(err, ErrDefunct) {
			t.Errorf("%v", err)
		}
		if err := s.Lost(context.Canceled); errors.Is(err, ErrDefunct) {
			t.Errorf("%v", err)
		}
		if s.Lost(nil) != nil {
			t.Error("an error out of nothing")
		}
	})
}
