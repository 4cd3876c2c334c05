package commission

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/setup"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
	"threadmap/tlv"
)

// How long things may take.
const (
	// stepLimit is for one step with a node that is awake; slowest for any.
	stepLimit = 15 * time.Second
	slowest   = 90 * time.Second
	// busyLimit is how long a node may be busy with another controller: the time
	// of that one's fail-safe. It is asked every busyPause.
	busyLimit = 65 * time.Second
	busyPause = 3 * time.Second
	undoLimit = 5 * time.Second
	// keepLimit is for what the caller does in Keep: it may wait for a lock.
	keepLimit  = 15 * time.Second
	labelLimit = 5 * time.Second
	// failSafe is the shortest fail-safe that is asked for, and the one with
	// which a node begins by itself; margin is how much of it must be left when
	// a step begins, beyond the step's limit.
	failSafe       = 60 * time.Second
	failSafeMargin = 10 * time.Second
)

// A Config says which node to commission, and to what.
type Config struct {
	Endpoint  *transport.Endpoint
	Authority *fabric.Authority
	NodeID    uint64 // that the node gets
	// Where it waits, and with which code.
	Passcode   setup.Passcode
	Addresses  []netip.AddrPort
	Parameters message.SessionParameters // as it announces them
	Margin     time.Duration             // for the way there, see transport.Session.SetMargin

	// Find looks for a node by its operational instance name ("…-…", without
	// domain), where it does not answer at the address at which it was paired.
	// nil: nobody looks.
	Find func(ctx context.Context, instance string) ([]netip.AddrPort, message.SessionParameters, error)
	// Keep is called when nothing has been changed on the node yet, with what is
	// known of it. From then on it may be on the fabric, whatever becomes of us:
	// what must not be lost is to be stored now. An error ends all. nil: nothing.
	Keep func(context.Context, Result) error
	// FabricLabel is what other controllers show as the name of our fabric, up to 32
	// octets; "": none.
	FabricLabel string
	// Tell is called at every step; nil: nobody is told.
	Tell func(Progress)
}

// A Result is what is known of a node that was commissioned.
type Result struct {
	NodeID      uint64
	FabricIndex uint8 // of our fabric on the node
	// Already: it was on the fabric before, under NodeID, and was left as it is.
	Already bool
	// As the node says of itself; 0 and "" where it does not.
	Vendor, Product         uint16
	VendorName, ProductName string
	Label                   string // NodeLabel: what people call it
	Fabrics                 int    // others that it is on
	Attestation             Attestation
	// Record resumes the session that was made to complete the commissioning.
	Record  sigma.Record
	Address netip.AddrPort // where it answered
}

// A flow is one commissioning under way.
type flow struct {
	Config
	Result

	pase, operational *session.Secure
	info              basicInfo
	begun             time.Time     // when the fail-safe was armed first
	until             time.Time     // when it expires
	expiry            time.Duration // that is asked for
	attester          *attester
	unsure            bool // whether CommissioningComplete was done
}

// Run commissions a node. Its error is an [*Error], and says what is left on the
// node. It ends soon after ctx does, and undoes what was begun.
func Run(ctx context.Context, c Config) (Result, error) {
	f := &flow{Config: c, Result: Result{NodeID: c.NodeID}}
	defer f.close()
	e := f.run(ctx)
	if e == nil {
		return f.Result, nil
	}
	e.Left, e.Expires = f.undo(ctx)
	if e.Left == LeftUnknown {
		e.Hint = ""
	}
	return f.Result, e
}

func (f *flow) close() {
	for _, s := range []*session.Secure{f.pase, f.operational} {
		if s != nil {
			s.Close()
		}
	}
}

func (f *flow) tell(p Progress) {
	if f.Tell != nil {
		f.Tell(p)
	}
}

func (f *flow) run(ctx context.Context) *Error {
	if f.Endpoint == nil || f.Authority == nil || f.Passcode.IsZero() {
		return &Error{Step: StepPair, Text: "there is no socket, no fabric or no passcode"}
	}
	var failed *Error
	step := func(at Step, limit time.Duration, do func(context.Context) error) bool {
		if failed != nil {
			return false
		}
		if ctx.Err() != nil { // before anything is sent
			failed = explain(at, ctx.Err(), limit)
			return false
		}
		f.tell(Progress{Step: at})
		inner, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		if err := do(inner); err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			failed = explain(at, err, limit)
		}
		return failed == nil
	}
	if !step(StepPair, f.limit(f.Parameters.WithDefaults()), f.pair) {
		return failed
	}
	limit := f.limit(f.pase.Session.Parameters())
	if !step(StepRead, limit, f.read) {
		return failed
	}
	if f.Already {
		if step(StepSession, 2*limit, f.connect) {
			f.undo(ctx) // nothing but the fail-safe, so that the next may come
		}
		return failed
	}
	step(StepArm, limit+busyLimit, f.arm)
	step(StepAttestation, 2*limit, f.attest)
	if f.Fabrics == 0 { // whoever set it up before has done this
		step(StepRegulatory, limit, f.regulatory)
	}
	var csr *request
	step(StepRequest, limit, func(ctx context.Context) (err error) { csr, err = f.request(ctx); return err })
	if f.Keep != nil {
		step(StepKeep, keepLimit, func(ctx context.Context) error { return f.Keep(ctx, f.Result) })
	}
	step(StepRoot, limit, f.addRoot)
	step(StepCertificate, limit, func(ctx context.Context) error { return f.addNOC(ctx, csr) })
	step(StepSession, 2*limit, f.connect)
	step(StepComplete, 2*limit, f.complete)
	if failed == nil && f.FabricLabel != "" {
		f.label(ctx)
	}
	return failed
}

// limit is how long a step with a peer may take: all repetitions of a message
// that goes to a sleepy one, and what it needs to think.
func (f *flow) limit(p message.SessionParameters) time.Duration {
	return min(max(stepLimit, message.GivesUpAfter(p.Idle+f.Margin)+5*time.Second), slowest)
}

// pair makes the session with the setup code.
func (f *flow) pair(ctx context.Context) (err error) {
	f.pase, err = session.PASE(ctx, f.Endpoint, session.PASEConfig{
		Passcode: f.Passcode.Number(), Addresses: f.Addresses, Parameters: f.Parameters, Margin: f.Margin,
	})
	if err == nil {
		// The node has armed its fail-safe by itself (Core 5.5).
		f.begun, f.until, f.Address = time.Now(), time.Now().Add(failSafe), f.pase.Session.Peer()
	}
	return err
}

// arm arms the fail-safe for the rest of the commissioning.
func (f *flow) arm(ctx context.Context) error {
	limit := f.limit(f.pase.Session.Parameters())
	f.expiry = max(failSafe, f.info.failSafe, 2*limit+2*failSafeMargin)
	began := time.Now()
	for {
		err := f.rearm(ctx)
		var no *refusal
		if !errors.As(err, &no) || no.code != busyWithOtherAdmin || time.Since(began)+busyPause >= busyLimit {
			return err
		}
		f.tell(Progress{StepArm, "another controller is changing its settings; waiting up to " + (busyLimit - time.Since(began)).Round(time.Second).String()})
		pause := time.NewTimer(busyPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// rearm arms the fail-safe anew.
func (f *flow) rearm(ctx context.Context) error {
	expiry := f.expiry
	if f.info.cumulative > 0 { // all of it together (Core 11.10.7.2)
		expiry = min(expiry, f.info.cumulative-time.Since(f.begun))
	}
	seconds := uint64(min(expiry, 65535*time.Second) / time.Second)
	if seconds < 1 {
		return errors.New("it takes longer than the device allows")
	}
	sent := time.Now()
	if err := f.armFor(ctx, f.pase, seconds); err != nil {
		return err
	}
	f.until = sent.Add(time.Duration(seconds) * time.Second)
	return nil
}

func (f *flow) armFor(ctx context.Context, s *session.Secure, seconds uint64) error {
	return commissioning(ctx, s, armFailSafe, armFailSafeResponse, func(e *tlv.Encoder) {
		e.PutUint(tlv.Context(0), seconds)
		e.PutUint(tlv.Context(1), 0) // breadcrumb
	})
}

// armed sees to it that the fail-safe lasts for what comes next, which takes up
// to the deadline of ctx.
func (f *flow) armed(ctx context.Context) error {
	end, ok := ctx.Deadline()
	if ok && f.until.Sub(end) >= failSafeMargin {
		return nil
	}
	return f.rearm(ctx)
}

// connect makes a session by CASE, at the address at which the node was paired,
// or where it announces itself under its new name.
func (f *flow) connect(ctx context.Context) error {
	if !f.Already {
		if err := f.armed(ctx); err != nil {
			return err
		}
	}
	at, parameters := []netip.AddrPort{f.pase.Session.Peer()}, f.pase.Session.Parameters()
	s, err := f.dial(ctx, at, parameters, f.Find != nil)
	if err != nil && f.Find != nil && ctx.Err() == nil {
		found, said, lost := f.Find(ctx, f.Authority.Member().InstanceName(f.Result.NodeID))
		if lost == nil && len(found) > 0 {
			s, err = f.dial(ctx, append(found, at...), said.Or(parameters), false)
		}
	}
	if err != nil {
		return err
	}
	f.operational, f.Record, f.Address = s, s.Record, s.Session.Peer()
	return nil
}

// dial makes a session by CASE, in half of the time that is left where there is
// another way to try.
func (f *flow) dial(ctx context.Context, at []netip.AddrPort, p message.SessionParameters, half bool) (*session.Secure, error) {
	if end, ok := ctx.Deadline(); ok && half {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	return session.CASE(ctx, f.Endpoint, session.CASEConfig{
		Member: f.Authority.Member(), Node: f.Result.NodeID, Record: &f.Record, Addresses: at, Parameters: p, Margin: f.Margin,
	})
}

// complete commits everything. An answer that is lost leaves open whether that
// was done, so it is asked again, on a new session: a node that is still on the
// fabric, and has no fail-safe armed, has committed.
func (f *flow) complete(ctx context.Context) error {
	done := func(ctx context.Context, s *session.Secure) error {
		return commissioning(ctx, s, commissioningComplete, commissioningDone, nil)
	}
	short, cancel := ctx, func() {}
	if end, ok := ctx.Deadline(); ok {
		short, cancel = context.WithTimeout(ctx, time.Until(end)/2)
	}
	err := done(short, f.operational)
	cancel()
	if err == nil || answered(err) {
		return err
	}
	f.unsure = true
	f.tell(Progress{StepComplete, "no answer; asking again"})
	old := f.operational
	if lost := f.connectAgain(ctx); lost != nil {
		if NotOnFabric(lost) {
			f.unsure = false
			return fmt.Errorf("the device has undone it: %w", err)
		}
		return err
	}
	old.Close()
	err = done(ctx, f.operational)
	var no *refusal
	if errors.As(err, &no) && no.code == noFailSafe {
		err = nil
	}
	if err == nil || answered(err) {
		f.unsure = false
	}
	return err
}

func (f *flow) connectAgain(ctx context.Context) error {
	s, err := f.dial(ctx, []netip.AddrPort{f.operational.Session.Peer()}, f.operational.Session.Parameters(), false)
	if err == nil {
		f.operational, f.Record = s, s.Record
	}
	return err
}

// label names the fabric for other controllers: a courtesy, which may fail.
func (f *flow) label(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, labelLimit)
	defer cancel()
	invoke(ctx, f.operational, updateFabricLabel, nocResponse, func(e *tlv.Encoder) { e.PutText(tlv.Context(0), f.FabricLabel) })
}

// undo takes back what was begun, also after ctx has ended.
func (f *flow) undo(ctx context.Context) (Left, time.Duration) {
	switch {
	case f.unsure:
		return LeftUnknown, 0
	case f.pase == nil || !time.Now().Before(f.until):
		return LeftNothing, 0
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	s := f.operational
	if s == nil {
		s = f.pase
	}
	if err := f.armFor(ctx, s, 0); err == nil || answered(err) && f.FabricIndex == 0 {
		return LeftNothing, 0
	}
	return LeftUntilExpiry, max(time.Until(f.until), time.Second)
}
