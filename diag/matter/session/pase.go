package session

import (
	"context"
	"net/netip"
	"time"

	"threadmap/diag/matter/message"
	"threadmap/diag/matter/pase"
	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// A PASEConfig says with whom to make a session, where, and how patiently. The
// fields are as in [CASEConfig].
type PASEConfig struct {
	Passcode   uint32 // of the setup code
	Addresses  []netip.AddrPort
	Parameters message.SessionParameters
	Own        message.SessionParameters
	Margin     time.Duration
}

// PASE makes a session with a device that waits to be commissioned. The error
// is an [*Error]; it wraps pase.ErrPasscode if the passcode is another one, of
// which a device bears 20.
func PASE(ctx context.Context, ep *transport.Endpoint, c PASEConfig) (*Secure, error) {
	d := dialer{ep: ep, addresses: c.Addresses, parameters: c.Parameters, margin: c.Margin, target: "the device to pair", pase: true}
	d.begin = func(id uint16, _ sigma.Record) (handshake, error) {
		i, err := pase.NewInitiator(pase.InitiatorConfig{Passcode: c.Passcode, SessionID: id, Parameters: c.Own})
		if err != nil {
			return handshake{}, err
		}
		return handshake{start: i.Start(), receive: i.Receive, done: func() (established, bool) {
			e, ok := i.Done()
			return ofPASE(e, true), ok
		}}, nil
	}
	return d.dial(ctx)
}

func ofPASE(e pase.Established, initiator bool) established {
	return established{
		keys: &e.Keys, local: e.LocalSessionID, peer: e.PeerSessionID, parameters: e.PeerParameters, initiator: initiator,
	}
}
