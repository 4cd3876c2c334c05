package commission

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/pase"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/setup"
	"threadmap/tlv"
)

func failed(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T %v", err, err)
	}
	if s := e.Error(); strings.Contains(s, "\n") || strings.Contains(s, "20202021") || len(s) > 400 {
		t.Errorf("the error is %q", s)
	}
	return e
}

func TestRun(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		r, err := Run(t.Context(), b.config(t))
		if err != nil {
			t.Fatal(err)
		}
		if r.NodeID != 0xA1 || r.FabricIndex != 2 || r.Already || r.Vendor != 0xFFF1 || r.Product != 0x8000 || r.VendorName != "Acme" || r.ProductName != "Plug" ||
			r.Label != "Desk plug" || r.Fabrics != 1 || r.Record.IsZero() || r.Address != deviceAddress || r.Attestation.Verdict != AttestationMissing {
			t.Errorf("%+v", r)
		}
		if !b.on() || b.pending || b.label != "threadmap" || b.count(setRegulatoryConfig) != 0 || b.count(armFailSafe) != 1 {
			t.Errorf("on %v, pending %v, label %q, commands %v", b.on(), b.pending, b.label, b.commands)
		}
		if len(b.kept) != 1 || b.kept[0].NodeID != 0xA1 || b.kept[0].Label != "Desk plug" {
			t.Errorf("kept %+v", b.kept)
		}
		var steps []string
		for _, p := range b.steps {
			steps = append(steps, string(p.Step))
		}
		want := []Step{StepPair, StepRead, StepArm, StepAttestation, StepRequest, StepKeep, StepRoot, StepCertificate, StepSession, StepComplete}
		for i := range want {
			if len(steps) != len(want) || steps[i] != string(want[i]) {
				t.Fatalf("steps %q", steps)
			}
		}
		// Nothing is left of the fail-safe, and the record resumes.
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if !b.on() {
			t.Error("the fail-safe took it back")
		}
		s, err := session.CASE(t.Context(), b.ep, session.CASEConfig{Member: b.authority.Member(), Node: 0xA1, Addresses: []netip.AddrPort{deviceAddress}})
		if err != nil {
			t.Fatal(err)
		}
		if err := Remove(t.Context(), s, nil); err != nil || b.on() {
			t.Errorf("%v, still on the fabric: %v", err, b.on())
		}
	})
}

// TestFirst: a device that nobody set up is told its country.
func TestFirst(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.others = 0
		if r, err := Run(t.Context(), b.config(t)); err != nil || r.Fabrics != 0 || b.count(setRegulatoryConfig) != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// TestAlready: a device that is on the fabric keeps its node id.
func TestAlready(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		if _, err := Run(t.Context(), b.config(t)); err != nil {
			t.Fatal(err)
		}
		c := b.config(t)
		c.NodeID = 0xB2
		b.kept = nil
		r, err := Run(t.Context(), c)
		if err != nil || !r.Already || r.NodeID != 0xA1 || r.Fabrics != 1 || len(b.kept) != 0 || b.count(addNOC) != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		if last := b.expiries[len(b.expiries)-1]; last != 0 {
			t.Errorf("the fail-safe is left armed: %v", b.expiries)
		}
	})
}

func TestWrongPasscode(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		c := b.config(t)
		c.Passcode, _ = setup.NewPasscode(20202022)
		_, err := Run(t.Context(), c)
		if e := failed(t, err); e.Step != StepPair || !errors.Is(err, pase.ErrPasscode) || e.Left != LeftNothing || !strings.Contains(e.Hint, "pairing window") {
			t.Errorf("%+v", e)
		}
	})
}

func TestNobodyThere(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		c := b.config(t)
		c.Addresses = []netip.AddrPort{netip.MustParseAddrPort("[fd00::99]:5540")}
		began := time.Now()
		_, err := Run(t.Context(), c)
		if e := failed(t, err); e.Step != StepPair || e.Left != LeftNothing || time.Since(began) > slowest {
			t.Errorf("%+v after %v", e, time.Since(began))
		}
	})
}

// TestFailsAtEachCommand: whichever command is refused, or is not answered any
// more, the device is as it was before, at once or when its fail-safe expires.
func TestFailsAtEachCommand(t *testing.T) {
	for p, step := range map[im.CommandPath]Step{
		armFailSafe: StepArm, csrRequest: StepRequest, addTrustedRootCertificate: StepRoot, addNOC: StepCertificate, commissioningComplete: StepComplete,
	} {
		t.Run(string(step)+" refused", func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				b.answers[p] = func() (im.Command, im.Result) { return im.Command{}, im.Result{Status: im.ConstraintError} }
				if p == commissioningComplete {
					b.answers[p] = func() (im.Command, im.Result) {
						b.pending = true // it does not
						return coded(commissioningDone, invalidAuthentication), im.Result{}
					}
				}
				_, err := Run(t.Context(), b.config(t))
				e := failed(t, err)
				if e.Step != step || e.Hint == "" {
					t.Errorf("%+v", e)
				}
				if p == armFailSafe { // the only one by which it can be undone
					return
				}
				if e.Left != LeftNothing || b.on() {
					t.Errorf("left %d, on the fabric: %v", e.Left, b.on())
				}
			})
		})
		t.Run(string(step)+" unheard", func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				b.deaf[p] = true
				began := time.Now()
				_, err := Run(t.Context(), b.config(t))
				e := failed(t, err)
				if e.Step != step || time.Since(began) > 5*time.Minute {
					t.Errorf("%+v after %v", e, time.Since(began))
				}
				time.Sleep(20 * time.Minute)
				synctest.Wait()
				if b.on() {
					t.Error("it is on the fabric")
				}
				if p == commissioningComplete && e.Left != LeftUnknown {
					t.Errorf("left %d", e.Left)
				}
			})
		})
	}
}

// TestAnswerLost: CommissioningComplete is done and its answer is lost.
func TestAnswerLost(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.mute[commissioningComplete] = 1
		r, err := Run(t.Context(), b.config(t))
		if err != nil || !b.on() || b.pending || b.caseOK != 2 || r.Record.IsZero() {
			t.Errorf("%+v, %v, %d sessions", r, err, b.caseOK)
		}
	})
}

// TestBusy: another controller holds the fail-safe for a while.
func TestBusy(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.busy = 5
		if _, err := Run(t.Context(), b.config(t)); err != nil || !b.on() {
			t.Error(err)
		}
		noted := 0
		for _, p := range b.steps {
			if p.Step == StepArm && p.Note != "" {
				noted++
			}
		}
		if noted != 5 {
			t.Errorf("%d notes", noted)
		}
	})
	onBench(t, func(t *testing.T, b *bench) {
		b.busy = 1000
		began := time.Now()
		_, err := Run(t.Context(), b.config(t))
		if e := failed(t, err); e.Step != StepArm || !strings.Contains(e.Text, "another controller") || time.Since(began) > 2*busyLimit {
			t.Errorf("%+v after %v", e, time.Since(began))
		}
	})
}

// TestShortFailSafe: the fail-safe is armed again before it runs out.
func TestShortFailSafe(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.seconds, b.most = 20, 30 // less than the standard allows
		if _, err := Run(t.Context(), b.config(t)); err != nil || !b.on() {
			t.Error(err)
		}
		if n := b.count(armFailSafe); n < 2 {
			t.Errorf("armed %d times", n)
		}
		for _, s := range b.expiries {
			if s > 30 {
				t.Errorf("%d s asked for", s)
			}
		}
	})
}

// TestKeepFails: what can't be remembered is not done.
func TestKeepFails(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		c := b.config(t)
		c.Keep = func(context.Context, Result) error { return errors.New("the disk is full") }
		_, err := Run(t.Context(), c)
		if e := failed(t, err); e.Step != StepKeep || e.Text != "the disk is full" || b.on() || b.count(addNOC) != 0 {
			t.Errorf("%+v", e)
		}
	})
}

// TestStopped: Ctrl-C at any step undoes what was begun.
func TestStopped(t *testing.T) {
	for _, at := range []Step{StepPair, StepRead, StepArm, StepAttestation, StepRequest, StepRoot, StepCertificate, StepSession, StepComplete} {
		t.Run(string(at), func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				c := b.config(t)
				c.Tell = func(p Progress) {
					if p.Step == at {
						stop()
					}
				}
				began := time.Now()
				_, err := Run(ctx, c)
				e := failed(t, err)
				if !strings.Contains(e.Text, "stopped") || time.Since(began) > 2*undoLimit || !errors.Is(err, context.Canceled) {
					t.Errorf("%+v after %v", e, time.Since(began))
				}
				if e.Left == LeftUnknown {
					return
				}
				time.Sleep(20 * time.Minute)
				synctest.Wait()
				if b.on() {
					t.Error("it is on the fabric")
				}
			})
		})
	}
}

// TestFind: a device that got another address with its certificate is found by
// name.
func TestFind(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		other := newDevice(t, b.net, netip.MustParseAddrPort("[fd00::3]:5541"))
		b.wrongNode = true // it does not answer under its certificate here
		c := b.config(t)
		asked := ""
		c.Find = func(_ context.Context, instance string) ([]netip.AddrPort, message.SessionParameters, error) {
			asked = instance
			b.mu.Lock()
			other.mu.Lock()
			other.member, other.pending = b.member, true
			other.arm(time.Minute)
			other.mu.Unlock()
			b.mu.Unlock()
			return []netip.AddrPort{other.ep.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort()}, message.SessionParameters{}, nil
		}
		r, err := Run(t.Context(), c)
		if err != nil || asked != b.authority.Member().InstanceName(0xA1) || r.Address != netip.MustParseAddrPort("[fd00::3]:5541") {
			t.Errorf("%+v, %v, asked for %q", r, err, asked)
		}
	})
}

func TestRefusals(t *testing.T) {
	for value, want := range map[uint8]string{nocTableFull: "room", nocFabricConflict: "already", 3: "certificate", 77: "77"} {
		onBench(t, func(t *testing.T, b *bench) {
			b.answers[addNOC] = func() (im.Command, im.Result) {
				b.rollBack()
				return im.Command{Path: nocResponse, Fields: fields(func(e *tlv.Encoder) {
					e.PutUint(tlv.Context(0), uint64(value))
					e.PutText(tlv.Context(2), "no\nway\x1b[31m")
				})}, im.Result{}
			}
			_, err := Run(t.Context(), b.config(t))
			if e := failed(t, err); e.Step != StepCertificate || !strings.Contains(e.Text, want) || strings.ContainsAny(e.Text, "\n\x1b") || !strings.Contains(e.Text, "noway") {
				t.Errorf("%+v", e)
			}
		})
	}
}

// TestRemove: the answer to RemoveFabric may be lost with the session.
func TestRemove(t *testing.T) {
	dial := func(t *testing.T, b *bench) func(context.Context) (*session.Secure, error) {
		return func(ctx context.Context) (*session.Secure, error) {
			return session.CASE(ctx, b.ep, session.CASEConfig{Member: b.authority.Member(), Node: 0xA1, Addresses: []netip.AddrPort{deviceAddress}})
		}
	}
	for name, change := range map[string]func(*bench){
		"answered": func(*bench) {}, "answer lost": func(b *bench) { b.mute[removeFabric] = 1 }, "not done": func(b *bench) { b.deaf[removeFabric] = true },
		"refused": func(b *bench) {
			b.answers[removeFabric] = func() (im.Command, im.Result) { return coded(nocResponse, nocInvalidFabric), im.Result{} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				if _, err := Run(t.Context(), b.config(t)); err != nil {
					t.Fatal(err)
				}
				change(b)
				again := dial(t, b)
				s, err := again(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				err = Remove(ctx, s, again)
				if good := name == "answered" || name == "answer lost"; good != (err == nil) || good == b.on() && name != "refused" {
					t.Errorf("%v, on the fabric: %v", err, b.on())
				}
				if name == "answered" {
					if _, err := again(ctx); !NotOnFabric(err) {
						t.Errorf("%v", err)
					}
				}
			})
		})
	}
}
