package matternode

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"threadmap/diag/matter/client"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/pase"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/setup"
	"threadmap/diag/matter/spake2p"
	"threadmap/tlv"
)

// Two administrators: who has armed the fail-safe goes first, and an open
// window is for who has its code.
func TestTwoAdministrators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		op := g.mustCASE()
		code, err := n.OpenWindow(10 * time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.OpenWindow(time.Minute); err == nil {
			t.Error("opened twice")
		}
		if got := g.code(op, generalCommissioning, 0, arming(60)); got != busyWithOtherAdmin {
			t.Errorf("armed over CASE while a window is open: %d", got)
		}
		if len(n.Services(Place{})) != 2 {
			t.Error("announced otherwise than once on its fabric and once as waiting")
		}
		s := g.mustPASE(code)
		if got := g.code(op, generalCommissioning, 0, arming(60)); got != busyWithOtherAdmin {
			t.Errorf("armed twice: %d", got)
		}
		other, err := fabric.New(fabric.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if got := g.code(s, generalCommissioning, 0, arming(60)); got != commissioningOK {
			t.Fatal(got)
		}
		noc, err := g.ca.IssueNOC(g.request(s, nil), 77)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.addRoot(s, g.ca); err != nil {
			t.Fatal(err)
		}
		if got := g.code(s, operationalCredentials, 6, adding(noc, g.ca, 1, fabric.VendorID)); got != nocFabricConflict {
			t.Errorf("the same fabric twice: %d", got)
		}
		g.code(s, generalCommissioning, 0, arming(0))
		synctest.Wait()
		code, err = n.OpenWindow(10 * time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		s = g.mustPASE(code)
		g.commission(s, other, 42, nil)
		second, err := g.cased(session.CASEConfig{Member: other.Member(), Node: 42})
		if err != nil {
			t.Fatal(err)
		}
		if got := g.code(second, generalCommissioning, 4, nil); got != commissioningOK {
			t.Fatal(got)
		}
		// Each sees its own, or all without the others' certificates.
		for filtered, want := range map[bool]int{true: 1, false: 2} {
			r, err := g.tryRead(second, im.ReadRequest{Attributes: []im.AttributePath{im.Whole(0, operationalCredentials)}, FabricFiltered: filtered})
			if err != nil {
				t.Fatal(err)
			}
			for attribute, field := range map[uint32]uint32{0: 1, 1: 3} {
				v, _ := r.Attributes.Value(im.Path(pathOf(0, operationalCredentials, attribute)))
				d := tlv.NewDecoder(v.Data)
				d.Next()
				d.Enter()
				rows, whole := 0, 0
				for d.Next() {
					rows++
					if fieldsOf(d.Raw(), func(tag uint8, _ *tlv.Decoder) {
						if uint32(tag) == field {
							whole++
						}
					}) != nil {
						t.Error("a bad row")
					}
				}
				if rows != want || attribute == 0 && whole != 1 || attribute == 1 && whole != want {
					t.Errorf("filtered %v, attribute %d: %d rows, %d whole", filtered, attribute, rows, whole)
				}
			}
		}
		if got := g.code(second, operationalCredentials, 9, fields(func(e *tlv.Encoder) { putText(e, 0, "threadmap") })); got != nocLabelConflict {
			t.Errorf("the same label twice: %d", got)
		}
		// One leaves, the other stays.
		if got := g.code(second, operationalCredentials, 0x0A, fields(func(e *tlv.Encoder) { putUint(e, 0, 2) })); got != nocOK {
			t.Fatal(got)
		}
		synctest.Wait()
		if op.Session.Err() != nil || second.Session.Err() == nil || len(n.Fabrics()) != 1 {
			t.Error("the wrong one left")
		}
	})
}

// An administrator lets another in by command, which wants a timed interaction.
func TestOpenCommissioningWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		s := g.mustCASE()
		code, err := setup.NewPasscode(20202021)
		if err != nil {
			t.Fatal(err)
		}
		salt := make([]byte, 16)
		secret, err := spake2p.Derive(code.Number(), salt, 1000)
		if err != nil {
			t.Fatal(err)
		}
		opening := func(seconds uint64, verifier []byte, iterations uint64) []byte {
			return fields(func(e *tlv.Encoder) {
				putUint(e, 0, seconds)
				putOctets(e, 1, verifier)
				putUint(e, 2, 3840)
				putUint(e, 3, iterations)
				putOctets(e, 4, salt)
			})
		}
		good := opening(300, secret.Registration().Bytes(), 1000)
		status := func(err error) im.Result {
			var e *im.StatusError
			if !errors.As(err, &e) {
				return im.Result{}
			}
			return e.Result
		}
		open := im.CommandPath{Cluster: administratorCommissioning}
		if _, err := client.Invoke(t.Context(), s, open, good); status(err).Status != im.NeedsTimedInteraction {
			t.Errorf("not timed: %v", err)
		}
		timed := func(c uint32, b []byte) im.Result {
			_, err := client.InvokeTimed(t.Context(), s, 5*time.Second, im.CommandPath{Cluster: administratorCommissioning, Command: c}, b)
			if err != nil && status(err) == (im.Result{}) {
				t.Error(err)
			}
			return status(err)
		}
		if r := timed(2, nil); r.Cluster != im.Some(windowNotOpen) {
			t.Errorf("revoked what is not open: %+v", r)
		}
		if r := timed(0, opening(10, secret.Registration().Bytes(), 1000)); r.Status != im.InvalidCommand {
			t.Errorf("for 10 s: %+v", r)
		}
		if r := timed(0, opening(300, make([]byte, 97), 1000)); r.Cluster != im.Some(windowParameterError) {
			t.Errorf("without a verifier: %+v", r)
		}
		if r := timed(0, opening(300, secret.Registration().Bytes(), 5)); r.Cluster != im.Some(windowParameterError) {
			t.Errorf("with 5 iterations: %+v", r)
		}
		if r := timed(0, good); r.Status != im.Success {
			t.Fatalf("%+v", r)
		}
		if r := timed(0, good); r.Cluster != im.Some(windowBusy) {
			t.Errorf("twice: %+v", r)
		}
		if got := g.number(s, pathOf(0, administratorCommissioning, 0)); got != 1 {
			t.Errorf("status %d", got)
		}
		if got := g.number(s, pathOf(0, administratorCommissioning, 1)); got != 1 {
			t.Errorf("opened by fabric %d", got)
		}
		g.mustPASE(setup.Payload{Passcode: code}).Close()
		if r := timed(2, nil); r.Status != im.Success {
			t.Errorf("revoked: %+v", r)
		}
		// It ends by itself.
		if _, err := n.OpenWindow(3 * time.Minute); err != nil {
			t.Fatal(err)
		}
		pass(3*time.Minute + time.Second)
		synctest.Wait()
		if _, open := n.Window(); open {
			t.Error("the window does not end")
		}
	})
}

// Twenty wrong passcodes close the window.
func TestAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		n := g.ours(aPlug(), Options{})
		code, err := n.OpenWindow(10 * time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		wrong := code
		if wrong.Passcode, err = setup.NewPasscode(code.Passcode.Number()%1000 + 5000); err != nil {
			t.Fatal(err)
		}
		for i := range MaxAttempts {
			if _, open := n.Window(); !open {
				t.Fatalf("closed after %d attempts", i)
			}
			if _, err := g.paired(wrong); !errors.Is(err, pase.ErrPasscode) {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if _, open := n.Window(); open {
			t.Error("still open")
		}
		if _, err := g.paired(code); err == nil {
			t.Error("the right code after all those")
		}
		if st := n.Stats(); st.Refused < MaxAttempts || st.Pairings != 0 {
			t.Errorf("%+v", st)
		}
	})
}
