package tmf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"threadmap/diag"
	"threadmap/diag/tmf/dtls"
	"threadmap/diag/tmf/meshcop"
	"threadmap/diag/tmf/netdiag"
)

const (
	// handshakeWait, handshakeMax and handshakeRepeats are for a LAN: 18 s in
	// all. A border agent forgets a handshake after 15 s.
	handshakeWait, handshakeMax, handshakeRepeats = 500 * time.Millisecond, 1500 * time.Millisecond, 12
	// firstRepeats is for an address while there are others to try: 6 s.
	firstRepeats = 4
	// roleFree is how long after its last word a commissioner that died has the
	// role, and so the last time at which a role that is taken is asked for.
	roleFree = 52 * time.Second
	// roleWait is how long one session asks for it: a border agent ends that of
	// who is not the commissioner after 50 s.
	roleWait = 40 * time.Second
)

// A probe is the asking of one network.
type probe struct {
	source     Source
	agents     []agent
	credential Credential
	to         *diag.Sink
	target     string
	session    string // diag.Report.Session
	now        func() time.Time
	said       map[string]bool

	agent   agent // that is being asked
	network diag.Network
	record  Record
	summary string // how far the survey got, where it ended before its time
	last    bool   // a role that is taken is not waited for any more
}

// run asks the agents in turn until one of them let the network be asked. A
// key that is wrong for one is wrong for all.
func (p *probe) run(ctx context.Context) {
	for i, a := range p.agents {
		if p.try(ctx, a, i == len(p.agents)-1) || ctx.Err() != nil || p.credential.OneTime {
			return
		}
	}
}

// try asks one agent. settled is false where another may do better.
func (p *probe) try(ctx context.Context, a agent, last bool) (settled bool) {
	p.agent = a
	p.network = diag.Network{ExtPANID: a.Network, Name: a.NetworkName}
	begun := time.Now()
	for attempt := 0; ; attempt++ {
		p.record, p.summary = Record{Target: p.target, Agent: a.Agent}, ""
		err := p.once(ctx, attempt)
		p.record.Err = err
		if p.source.Done != nil {
			p.source.Done(p.record)
		}
		var taken *meshcop.RoleTakenError
		if errors.As(err, &taken) && attempt == 0 && !p.credential.OneTime && sleep(ctx, roleFree-time.Since(begun)) {
			continue
		}
		if err == nil || p.record.Petition || ctx.Err() != nil {
			p.fail(ctx, err)
			return true
		}
		settled = errors.Is(err, dtls.ErrWrongKey) || errors.Is(err, meshcop.ErrJoining) || taken != nil
		if settled || last || p.credential.OneTime {
			p.fail(ctx, err)
		}
		return settled
	}
}

// sleep is false where ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// once makes one session.
func (p *probe) once(ctx context.Context, attempt int) error {
	p.record.Stage = diag.StageConnect
	c, err := p.connect(ctx)
	if err != nil {
		return err
	}
	p.record.Stage = diag.StageAsk
	cfg := meshcop.Config{Rand: p.source.rand, Retry: roleWait}
	if attempt > 0 {
		cfg.Retry = -1
	}
	p.last = attempt > 0
	return p.converse(ctx, c, cfg)
}

// wait tells that a role that is taken is waited for. It is told again at each
// petition, with the same words as long as the holder is the same.
func (p *probe) wait(taken *meshcop.RoleTakenError) {
	if p.source.Note == nil || p.last {
		return
	}
	most := roleFree
	if p.credential.OneTime {
		most = roleWait // a second session would need a second code
	}
	p.source.Note(p.target, fmt.Sprintf("%v; waiting up to %d s for it", taken, int(most.Seconds())))
}

// connect makes a DTLS session at the first of the agent's addresses that
// answers.
func (p *probe) connect(ctx context.Context) (*dtls.Conn, error) {
	dial := p.source.Dial
	if dial == nil {
		dial = dialUDP
	}
	var firstErr error
	list := p.agent.addresses()
	for i, address := range list {
		raw, err := dial(ctx, "udp", address)
		if err == nil {
			p.record.Stage = diag.StageHandshake
			cfg := dtls.Config{FirstWait: handshakeWait, MaxWait: handshakeMax, Repeats: handshakeRepeats}
			if i < len(list)-1 && !p.credential.OneTime {
				cfg.Repeats = firstRepeats
			}
			var c *dtls.Conn
			if c, err = dtls.Client(ctx, raw, p.credential.Secret, cfg); err == nil {
				return c, nil
			}
			if p.credential.OneTime || errors.Is(err, dtls.ErrWrongKey) {
				return nil, err
			}
		}
		if firstErr == nil {
			firstErr = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, firstErr
}

// fail says in one line why the network is not, or not wholly, known.
func (p *probe) fail(ctx context.Context, err error) {
	if err == nil {
		return
	}
	var taken *meshcop.RoleTakenError
	text, hint, stage := err.Error(), "", p.record.Stage
	switch {
	case ctx.Err() != nil:
		text = over(ctx)
	case errors.Is(err, dtls.ErrWrongKey) && p.credential.OneTime:
		text, hint = "the one-time code is not the one that this border router shows", "it is not tried again: let the border router show a new code, and scan with that"
	case errors.Is(err, dtls.ErrWrongKey):
		text, hint = "the key is wrong: this network has another PSKc than the one that was saved", "threadmap login thread, with the network's dataset of today"
	case errors.Is(err, dtls.ErrTimeout):
		text = "no border agent answered there"
		hint = "is the border router on, and does it let commissioners in? Each restart can change its port"
		if p.credential.OneTime {
			hint = "is the one-time code still shown? It ends after some minutes, and after one session"
		}
	case errors.As(err, &taken):
		hint = "close the app that adds devices or shows diagnostics, or scan again in a minute; threadmap never takes the role from another"
	case errors.Is(err, meshcop.ErrJoining):
		hint = "scan again when it is done; threadmap does not disturb that"
	case errors.Is(err, meshcop.ErrRoleLost):
		hint = "scan again when that is done; what was learnt is in the map"
	case errors.Is(err, meshcop.ErrSilent), errors.Is(err, errGone):
		hint = "scan again; what was learnt is in the map"
	case stage == diag.StageConnect || stage == diag.StageHandshake:
		text = fmt.Sprintf("can't be reached: %v", rootOf(err))
		hint = "is the border router on, and is this computer on its network?"
	default:
		hint = "another border router of this network may do better"
	}
	if p.summary != "" {
		text += "; " + p.summary
	}
	p.problem(stage, text, hint)
}

// rootOf is the innermost error: "connection refused".
func rootOf(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// over says why a context ended.
func over(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "the time was over"
	}
	return "the scan was stopped"
}

const maxSaid = 200

func (p *probe) problem(at diag.Stage, text, hint string) {
	if p.said[text] || len(p.said) >= maxSaid {
		return
	}
	p.said[text] = true
	p.to.Problem(diag.Problem{Source: Name, Target: p.target, Stage: at, Text: text, Hint: hint, Partial: true})
}

// tell makes a report of what a node said.
func (p *probe) tell(from diag.RLOC16, tlvs []netdiag.TLV) {
	r, errs := netdiag.Report(from, tlvs)
	for _, err := range errs {
		p.problem(diag.StageParse, fmt.Sprintf("node %v: %v", r.RLOC16, err), "")
	}
	if len(r.Own) == 0 && !r.RLOC16.Known() {
		return // nobody's words
	}
	r.Source, r.Via, r.Session, r.At = Name, p.target, p.session, p.now()
	n := p.network
	n.OMRPrefixes, n.BorderRouters, n.NetworkData = r.Network.OMRPrefixes, r.Network.BorderRouters, r.Network.NetworkData
	if !n.MeshLocalPrefix.IsValid() {
		n.MeshLocalPrefix = r.Network.MeshLocalPrefix
	}
	r.Network = n
	p.to.Report(r)
}

// greet tells what the border agent itself is known to be, so that a network
// whose commissioner's role can't be had is in the map nevertheless.
func (p *probe) greet() {
	if p.agent.ExtAddr == 0 {
		return
	}
	p.to.Report(diag.Report{
		Source: Name, Via: p.target, Session: p.session, At: p.now(), Transport: diag.TransportThread,
		Own:           []diag.AddrClaim{{ExtAddr: p.agent.ExtAddr, Witness: diag.WitnessMeshCoP}},
		BorderAgentID: p.agent.BorderAgentID, BorderRouter: diag.Some(true), Network: p.network,
	})
}
