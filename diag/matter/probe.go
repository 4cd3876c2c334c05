package matter

import (
	"context"
	"errors"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/client"
	"threadmap/diag/matter/cluster"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/session"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// A probe is the asking of one node.
type probe struct {
	*target
	scan     *scan
	endpoint *transport.Endpoint
	to       *diag.Sink
	record   Record
	attrs    cluster.Attributes
	said     map[string]bool // problems
}

// ask asks one node, from finding its turn to saying goodbye.
func (c *scan) ask(ctx context.Context, t *target, to *diag.Sink) {
	p := &probe{target: t, scan: c, to: to, attrs: cluster.Attributes{}, said: map[string]bool{},
		record: Record{Node: t.node, Instance: t.instance, Stage: diag.StageResolve}}
	if !t.late() {
		defer c.awake[t.network].add(-1)
	}
	defer func() { c.done(p.record) }()
	if len(t.all) == 0 {
		p.lost()
		return
	}
	var err error
	if p.endpoint, err = c.open(ctx); err != nil {
		p.record.Err = err
		p.problem(diag.StageConnect, err.Error(), "")
		return
	}
	defer c.close()
	if t.late() {
		c.awake[t.network].wait(ctx, afterAwake)
	}
	p.record.Err = p.converse(ctx)
	p.fail(ctx, p.record.Err)
}

// lost complains that nobody knows where the node is.
func (p *probe) lost() {
	text, hint := "it is not announced on this LAN", "is it on, and is its border router on this network? A device that was reset can be paired again"
	if p.announced {
		text, hint = "it is announced without an address", "scan again: its border router may just be registering it"
	}
	p.record.Err = errors.New(text)
	p.problem(diag.StageResolve, text, hint)
}

// converse makes a session and reads what there is. A node that was silent gets
// a second chance, after all others had their first one, with more time and at
// all addresses that are known of it: the better one may have been an old one.
// A session that is lost is made once more.
func (p *probe) converse(ctx context.Context) error {
	s, err := p.connect(ctx, p.rank(), p.patience(), false)
	if err != nil && p.silent(err) && ctx.Err() == nil && !p.late() {
		s, err = p.connect(ctx, rankAgain, p.again(), true)
	}
	if err != nil {
		return err
	}
	err = p.read(ctx, s)
	p.goodbye(s)
	if err != nil && errors.Is(err, session.ErrDefunct) && ctx.Err() == nil {
		again, failed := p.connect(ctx, max(p.rank(), rankAgain), p.patience(), true)
		if failed != nil {
			p.record.Stage = diag.StageAsk
			return err // which is the better reason
		}
		err = p.read(ctx, again)
		p.goodbye(again)
	}
	return err
}

// silent reports whether err means that nobody said no.
func (p *probe) silent(err error) bool {
	var e *session.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &e) && e.Stage == diag.StageConnect
}

// connect makes a session by CASE.
func (p *probe) connect(ctx context.Context, r rank, patience time.Duration, everywhere bool) (*session.Secure, error) {
	done, err := p.scan.turns.take(ctx, p.network, handshake, r)
	if err != nil {
		return nil, err
	}
	defer done()
	p.record.Stage = diag.StageConnect
	p.record.Tries++
	old := p.scan.load(p.node)
	c := session.CASEConfig{
		Member: p.scan.source.Member, Node: p.node, Record: &old,
		Addresses: p.first, Parameters: p.parameters(), Margin: p.margin(), Time: p.scan.now(),
	}
	if everywhere {
		c.Addresses = p.all
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := session.CASE(patient, p.endpoint, c)
	var e *session.Error
	switch {
	case err == nil:
		p.record.Stage, p.record.Resumed = diag.StageAsk, s.Resumed
		if !s.Record.Equal(old) {
			p.scan.save(p.node, s.Record)
		}
	case errors.As(err, &e):
		p.record.Stage = e.Stage
		if errors.Is(err, sigma.ErrPeer) && !old.IsZero() {
			p.scan.save(p.node, sigma.Record{})
		}
	}
	return s, err
}

// goodbye ends the session, of which a small device has few. Its record stays
// good.
func (p *probe) goodbye(s *session.Secure) {
	s.Close()
	st := s.Session.Stats()
	p.record.Sent += st.Sent
	p.record.Received += st.Received
}

// read reads what the map needs.
func (p *probe) read(ctx context.Context, s *session.Secure) error {
	paths := what
	for range maxReads {
		a, err := p.readOnce(ctx, s, paths)
		before := len(p.attrs)
		p.take(a)
		if len(p.attrs) > before {
			p.report()
		}
		if paths = p.missing(paths, a, err); len(paths) == 0 {
			return err
		}
	}
	return nil
}

// readOnce sends one request, when it is this node's turn.
func (p *probe) readOnce(ctx context.Context, s *session.Secure, paths []im.AttributePath) (*im.Assembly, error) {
	done, err := p.scan.turns.take(ctx, p.network, exchange, p.rank())
	if err != nil {
		return nil, err
	}
	defer done()
	p.record.Reads++
	patient, cancel := context.WithTimeout(ctx, p.reading())
	defer cancel()
	r, err := client.Read(patient, s, request(paths))
	return r.Attributes, err
}

// report tells what is known of the node by now.
func (p *probe) report() {
	r, problems := cluster.Report(p.attrs)
	for _, text := range problems {
		p.problem(diag.StageParse, text, "")
	}
	r.Source, r.Via, r.At = Name, p.instance, p.scan.now()
	id := diag.MatterID{Fabric: p.scan.source.Member.CompressedID(), Node: p.node}
	r.Matter = append([]diag.MatterID{id}, r.Matter...)
	// No Session: nodes that are not on our fabric were not asked, so their
	// silence says nothing.
	p.to.Report(r)
}

// fail says in one line why the node is not, or not wholly, known.
func (p *probe) fail(ctx context.Context, err error) {
	if err == nil {
		return
	}
	text, hint, stage := err.Error(), "", p.record.Stage
	var e *session.Error
	var said *im.StatusError
	switch {
	case ctx.Err() != nil && p.record.Tries == 0:
		text = "it was not asked"
	case errors.As(err, &e):
		text, hint = e.Text, e.Hint
		if p.record.Tries > 1 {
			text += ", the second time"
		}
		if p.sleeps != awake && stage == diag.StageConnect {
			hint = "it sleeps: scan again, or wake it with its button"
		}
	case errors.As(err, &said):
		text = "it refuses to be read: " + said.Error()
		if hint = "scan again in a minute"; said.Result.Status == im.UnsupportedAccess || said.Result.Status == im.AccessRestricted {
			hint = "threadmap must be an administrator of the device: pair it again"
		}
	case errors.Is(err, session.ErrDefunct):
		text = "it ended the session, or forgot it, before all was read"
		hint = "it may just have been restarted: scan again"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, new(*transport.NoAckError)):
		text = "it stopped answering before all was read"
		hint = "what was learnt is in the map: scan again"
	}
	if ctx.Err() != nil {
		text, hint = over(ctx)+": "+text, ""
	}
	p.problem(stage, text, hint)
}

// over says why a context ended.
func over(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "the time was over"
	}
	return "the scan was stopped"
}

const maxSaid = 60

// problem tells the sink. A sleepy node that says nothing is no fault of the
// map, nor is one that may not exist.
func (p *probe) problem(at diag.Stage, text, hint string) {
	if p.said[text] || len(p.said) >= maxSaid {
		return
	}
	p.said[text] = true
	p.to.Problem(diag.Problem{Source: Name, Target: p.instance, Stage: at, Text: text, Hint: hint,
		Partial: at != diag.StageParse && !p.late()})
}
