package controller

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/message"
)

// A Policy is how a kind of controller comes back to a device.
type Policy uint8

// The policies; see the package comment.
const (
	CHIP Policy = iota
	Darwin
	MatterJS
)

// Options say who a controller is and where it lives.
type Options struct {
	Policy Policy
	// Fabric is the controller's own; nil: it makes one, of which it is the
	// first node.
	Fabric *fabric.Authority
	// MinInterval and MaxInterval are what it asks devices for, in seconds;
	// MaxInterval 0: 3600, of matter.js 600.
	MinInterval, MaxInterval uint16
	// Listen opens its socket, at each of its starts. The address must be the
	// same each time, and a *net.UDPAddr.
	Listen func() (net.PacketConn, error)
	// Resolve finds a node of its fabric by DNS-SD.
	Resolve func(ctx context.Context, node uint64) (Place, error)
	// Tell is told what happens inside, one call at a time: pointers to
	// [Subscribed], [Report], [Available], [Lost], [Event], [Log], [CheckIn]. It
	// must not call the controller's methods. nil: nobody is.
	Tell func(node uint64, what any)
	// Time is what it takes for the date, for certificates. nil: the machine's
	// clock, but not before 2026.
	Time func() time.Time
	// Seed makes its random waits.
	Seed   uint64
	Faults Faults
}

// A Place is where a node says it is, and how it wants to be spoken to.
type Place struct {
	Addresses  []netip.AddrPort
	Parameters message.SessionParameters
	// LongIdle: it is announced as operating in long idle time mode (`ICD=1`).
	LongIdle bool
}

// Faults are what some controllers do wrong. The zero value is a sound one.
type Faults struct {
	// Hangs: a device that it has lost once is sent one old attempt for ever,
	// until the device's name is announced anew.
	Hangs bool
	// DropsEvents: events arrive and are not given to its automations.
	DropsEvents bool
	// Stranger: it has forgotten the fabric of the device, and turns sessions
	// that devices open away.
	Stranger bool
	// ForgetsRecords: it keeps no resumption records, so each session takes a
	// full handshake.
	ForgetsRecords bool
	// CancelsTwice: a second announcement of a device within a second cancels
	// the recovery that the first one began, and nothing begins another.
	CancelsTwice bool
	// Unlucky: its random waits are the longest that its policy allows.
	Unlucky bool
	// AwaitsCheckIn: of a device that is announced to be in long idle time mode
	// it awaits a Check-In, whether it has registered for one or not.
	AwaitsCheckIn bool
	// NoAddress: it knows no address of any device, as after a migration.
	NoAddress bool
}

// What a controller is told by itself. Times are those of the call.
type (
	// Subscribed is that there is a new subscription, MaxInterval in seconds.
	Subscribed struct {
		ID          uint32
		MinInterval uint16
		MaxInterval time.Duration
	}
	// Report is a report of a device; Known: of a subscription that there is.
	Report struct {
		ID    uint32
		Known bool
	}
	// Available is what the user is shown.
	Available struct{ Value bool }
	// Lost is the end of a subscription.
	Lost struct{ Reason string }
	// Event is an event of the device that reached the automations.
	Event struct {
		Number      uint64
		Cluster, ID uint32
	}
	// CheckIn is a Check-In message that was opened with the key registered.
	CheckIn struct{ Counter uint32 }
	// Log is a line of the log.
	Log struct{ Text string }
)

// Numbers of the policies. Sources: connectedhomeip e9fd78e (CHIPConfig.h,
// ReadClient), the Matter framework of Darwin, matter.js b851ce0.
const (
	capCHIP   = 5538 * time.Second
	capDarwin = time.Hour
	// graceMatterJS is what matter.js gives a subscription beyond MaxInterval.
	graceMatterJS = 3 * time.Minute
	graceOthers   = 38 * time.Second
	// attemptLimit bounds one attempt: look-up, handshake and first report.
	attemptLimit = 2 * time.Minute
	// kickPause is how long Apple's framework waits after a name appeared.
	kickPause = 1200 * time.Millisecond
	// kickMatterJS is how long matter.js takes from an announcement to Sigma1.
	kickMatterJS = 2500 * time.Millisecond
	// stillThere is for how long a withdrawn name is kept (RFC 6762, 10.1).
	stillThere = time.Second
)

func (o *Options) withDefaults() error {
	if o.Listen == nil || o.Resolve == nil {
		return errors.New("simulated controller: Listen and Resolve must be set")
	}
	if o.MaxInterval == 0 {
		if o.MaxInterval = 3600; o.Policy == MatterJS {
			o.MaxInterval = 600
		}
	}
	if o.Tell == nil {
		o.Tell = func(uint64, any) {}
	}
	if o.Time == nil {
		o.Time = notBefore2026
	}
	return nil
}

// notBefore2026 is a clock for certificates: virtual time begins in 2000.
func notBefore2026() time.Time {
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if now := time.Now(); now.After(first) {
		return now
	}
	return first
}

// grace is what a subscription is given beyond MaxInterval.
func (p Policy) grace() time.Duration {
	if p == MatterJS {
		return graceMatterJS
	}
	return graceOthers
}

// backOff is the wait after the n-th failed attempt in a row, from 1; random is
// in [0, 1).
func (p Policy) backOff(n int, random float64) time.Duration {
	if p == Darwin {
		return min(time.Second<<min(n-1, 12), capDarwin)
	}
	a, b := 0, 1
	for range min(n, 14) {
		a, b = b, a+b
	}
	longest := min(time.Duration(a)*10*time.Second, capCHIP)
	return time.Duration((0.3 + 0.7*random) * float64(longest))
}
