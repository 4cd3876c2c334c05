package matter

import (
	"context"
	"net"
	"time"

	"threadmap/diag"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/sigma"
)

// Name is the name of this source.
const Name = "matter"

// A Source asks the Matter nodes of one fabric, threadmap's own.
type Source struct {
	// Member is who asks; nil: there is no fabric yet, and nobody is asked.
	Member *fabric.Member
	// Nodes are those that are known to be on the fabric, announced or not.
	Nodes []uint64
	// Records keeps what resumes sessions from one scan to the next.
	Records Records
	// AskSleepy asks nodes in long idle time mode, too: it costs them some
	// battery, and most sleep on.
	AskSleepy bool
	// Unthrottled asks everybody at once, as no mesh should be asked: for
	// measurements of this program.
	Unthrottled bool
	// ListenPacket opens the scan's UDP socket; nil means one of package net for
	// IPv6 and IPv4.
	ListenPacket func(context.Context) (net.PacketConn, error)
	// Now is the clock that stamps reports and judges certificates; nil means
	// time.Now.
	Now func() time.Time
	// Done, if set, is told what became of each node, one call at a time.
	Done func(Record)
}

var _ diag.Source = Source{}

// Records is where the records are kept that resume sessions. They are secrets.
// Both functions are called one at a time; nil ones keep nothing.
type Records struct {
	Load func(node uint64) (sigma.Record, bool)
	// Save takes the place of what was saved for the node before. The zero
	// Record means that the old one is of no use any more.
	Save func(node uint64, r sigma.Record)
}

// A Record is what became of the asking of one node. It holds no keys.
type Record struct {
	Node     uint64
	Instance string
	Stage    diag.Stage // the last one that was reached: resolve, connect, handshake, ask
	Resumed  bool       // the session, from an earlier one
	Tries    int        // handshakes that were begun
	Reads    int        // that were begun
	// Messages are datagrams of the node's sessions, both ways and with
	// acknowledgements and repetitions; those of handshakes that failed are not
	// among them.
	Sent, Received uint64
	Err            error // why it ended before its time; nil: it did not
}

// Name is "matter".
func (s Source) Name() string { return Name }

// Probes makes one probe for each node of the fabric that is announced or known
// otherwise. Nodes in long idle time mode are left out unless AskSleepy is set;
// those of other fabrics always: nothing of theirs would open to us.
func (s Source) Probes(k diag.Known) []diag.Probe {
	if s.Member == nil {
		return nil
	}
	p := s.plan(k)
	shared := newScan(s, p)
	var out []diag.Probe
	for i := range p.targets {
		t := &p.targets[i]
		out = append(out, diag.Probe{Source: Name, Target: t.instance, Within: t.within(), Group: t.group, Run: func(ctx context.Context, to *diag.Sink) {
			shared.ask(ctx, t, to)
		}})
	}
	return out
}

// Instances are the names of the known nodes' instances of _matter._tcp, to be
// asked for by name: a machine with several nodes may tell of only one when
// all are asked to announce themselves.
func (s Source) Instances() []string {
	if s.Member == nil {
		return nil
	}
	var out []string
	for _, n := range s.Nodes {
		if operational(n) && n != s.Member.NodeID {
			out = append(out, s.Member.InstanceName(n))
		}
	}
	return out
}

// Unasked counts the Matter devices that are announced and not asked.
type Unasked struct {
	Asleep  int // on our fabric, in long idle time mode
	Foreign int // on other fabrics only
	Fabrics int // those other fabrics
}

// Unasked says what [Source.Probes] leaves out. Without a Member all fabrics are
// others'.
func (s Source) Unasked(k diag.Known) Unasked {
	p := s.plan(k)
	return Unasked{Asleep: len(p.asleep), Foreign: p.foreign, Fabrics: p.fabrics}
}
