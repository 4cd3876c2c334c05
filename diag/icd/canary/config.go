package canary

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"threadmap/diag/icd"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/sigma"
)

// A Config says who watches whom.
type Config struct {
	// Member is who we are: a node of a fabric that the device is on, and an
	// administrator of it, or what other fabrics do stays unknown.
	Member *fabric.Member
	// Node is the device's node id in that fabric.
	Node uint64
	// Resolve tells where the device is now. It is asked before each session of
	// our own, of which there are few.
	Resolve func(context.Context) (Target, error)
	// Socket is where the device finds us, at the port of the Announcement. It is
	// closed in the end, also with an error.
	Socket net.PacketConn
	// Own are the session parameters that handshakes and the announcement tell.
	// Zero: the standard's defaults.
	Own message.SessionParameters
	// Margin is for a slow way to the device: 1.5 s through a border router.
	Margin time.Duration

	// Record resumes a session from an earlier run; zero: there is none.
	// KeepRecord, unless nil, is given each new one, for a file that nobody else
	// can read.
	Record     sigma.Record
	KeepRecord func(sigma.Record)

	// State is what an earlier run left on the device; the zero State: nothing.
	// Keep is given each change, before it happens on the device: a program that
	// is killed then knows what to remove. An empty one can be deleted. Watch
	// subscribes to nothing while Keep fails.
	State State
	Keep  func(State) error
	// Owner says in the State whose it is: a program, a host.
	Owner string

	// Observe takes what is seen.
	Observe icd.Observe
	// Restarted tells that others heard the device restart: a goodbye and an
	// announcement. nil: nobody does. The canary may be busy with the device for
	// some minutes: give the channel room for one, and don't wait to send.
	Restarted <-chan struct{}
	// MinInterval is the largest that any subscriber of the device is known to
	// have asked for: the device waits so long before it resumes anything.
	MinInterval time.Duration
	// Patience is how long a device that restarted gets to come back by itself,
	// before a session of our own is opened; 0: MinInterval and what devices of
	// today take, 150 s or more. Less is for tests.
	Patience time.Duration

	// Consent allows to register for Check-In messages where that changes how the
	// device sleeps, for all its controllers.
	Consent bool
	// CleanUp is how long the removal may take in the end; 0: 20 s. A registration
	// that is under way may take 10 s more.
	CleanUp time.Duration
	// Now is the time for the validity of certificates and the dates in State;
	// nil: the system's.
	Now func() time.Time
}

// A Target is where a device is, as DNS-SD tells it.
type Target struct {
	// Addresses in the order of preference. Two of them are tried: each costs
	// the device messages.
	Addresses []netip.AddrPort
	// Parameters are the TXT keys SII, SAI and SAT.
	Parameters message.SessionParameters
	// LongIdle is TXT key ICD=1: the device sleeps for minutes and hours.
	LongIdle bool
}

// An Announcement is the DNS-SD service by which the device finds us. The canary
// does not announce it itself.
type Announcement struct {
	Instance string // <compressed fabric id>-<our node id>, in capital hex digits
	Service  string // _matter._tcp
	Subtype  string // _I<compressed fabric id>
	Port     uint16
	TXT      map[string]string
}

// Announcement is what has to be announced while Watch or Cleanup runs.
func (c *Config) Announcement() (Announcement, error) {
	if c.Member == nil || c.Socket == nil {
		return Announcement{}, errors.New("canary: without a fabric and a socket there is nothing to announce")
	}
	at, ok := c.Socket.LocalAddr().(*net.UDPAddr)
	if !ok {
		return Announcement{}, fmt.Errorf("canary: %v is no address of UDP", c.Socket.LocalAddr())
	}
	p := c.Own.WithDefaults()
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return Announcement{
		Instance: c.Member.InstanceName(c.Member.NodeID), Service: "_matter._tcp",
		Subtype: fmt.Sprintf("_I%016X", c.Member.CompressedID()), Port: uint16(at.Port),
		TXT: map[string]string{"SII": ms(p.Idle), "SAI": ms(p.Active), "SAT": ms(p.ActiveThreshold)},
	}, nil
}

func (c *Config) check() error {
	switch {
	case c.Member == nil:
		return errors.New("canary: there is no fabric of our own; pair the device with threadmap first")
	case c.Node == 0 || c.Node > message.MaxOperational:
		return fmt.Errorf("canary: %d is no operational node id", c.Node)
	case c.Resolve == nil || c.Observe == nil:
		return errors.New("canary: it needs Resolve and Observe")
	case !c.State.Empty() && !c.State.of(c.Member, c.Node):
		return errors.New("canary: the state is of another device")
	}
	return nil
}

func (c *Config) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
