package session

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// A CASEConfig says with whom to make a session, where, and how patiently.
type CASEConfig struct {
	Member *fabric.Member // who we are
	Node   uint64         // whom we want, in Member's fabric
	// Record is of the last session with the node; nil or zero: a full handshake.
	Record *sigma.Record
	// Addresses are those of the node, in any order; link-local ones need their
	// zone. At most [MaxAddresses] are tried.
	Addresses []netip.AddrPort
	// Parameters are what the node says of itself in DNS-SD (SII, SAI, SAT).
	Parameters message.SessionParameters
	// Own are what we tell the node. Zero: nothing, which means the standard's
	// defaults and makes the longest message to a sleepy node shorter.
	Own message.SessionParameters
	// Margin is for a slow way: 1.5 s for a Thread network behind a border
	// router. It holds for the session, too.
	Margin time.Duration
	// Time is now, for the validity of certificates; zero: the system's time.
	Time time.Time
}

// CASE makes a session with a node of a fabric, by resumption where there is a
// record and the node still has its own. The error is an [*Error].
//
// The handshake ends with ctx. Without a deadline it takes as long as the
// node's intervals want it, a minute and more for a sleepy one.
func CASE(ctx context.Context, ep *transport.Endpoint, c CASEConfig) (*Secure, error) {
	at := c.Time
	if at.IsZero() {
		at = time.Now()
	}
	d := dialer{
		ep: ep, addresses: c.Addresses, parameters: c.Parameters, margin: c.Margin,
		target: fmt.Sprintf("node %016X", c.Node),
	}
	if c.Member != nil && c.Record != nil && c.Record.In(c.Member) && c.Record.Peer().NodeID == c.Node {
		d.record = *c.Record
	}
	d.begin = func(id uint16, record sigma.Record) (handshake, error) {
		i, err := sigma.NewInitiator(sigma.InitiatorConfig{
			Member: c.Member, PeerNodeID: c.Node, SessionID: id, Parameters: c.Own, Time: at, Record: record,
		})
		if err != nil {
			return handshake{}, err
		}
		return handshake{start: i.Start(), receive: i.Receive, done: func() (established, bool) {
			e, ok := i.Done()
			return ofSigma(e, true), ok
		}}, nil
	}
	return d.dial(ctx)
}

func ofSigma(e sigma.Established, initiator bool) established {
	return established{
		keys: &e.Keys, local: e.LocalSessionID, peer: e.PeerSessionID, parameters: e.PeerParameters, initiator: initiator,
		member: e.Member, identity: e.Peer, record: e.Record, resumed: e.Resumed,
	}
}
