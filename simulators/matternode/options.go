package matternode

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"threadmap/diag/matter/cert"
	"threadmap/diag/matter/fabric"
	"threadmap/diag/matter/im"
	"threadmap/diag/matter/message"
	"threadmap/diag/matter/setup"
	"threadmap/diag/matter/spake2p"
)

// Numbers of connectedhomeip's and the standard's making.
const (
	// DefaultSessions is how many CASE sessions of a fabric a node keeps, and
	// DefaultSubscriptions how many subscriptions: the standard's minimum.
	DefaultSessions      = 3
	DefaultSubscriptions = 3
	// MaxFabrics is SupportedFabrics.
	MaxFabrics = 5
	// MaxAttempts is how many failed passcodes close a commissioning window.
	MaxAttempts = 20

	paseTimeout     = 60 * time.Second  // of one handshake, and of the fail-safe that it arms
	failSafeDefault = 60                // FailSafeExpiryLengthSeconds
	failSafeMost    = 900 * time.Second // MaxCumulativeFailsafeSeconds
	windowShortest  = 180 * time.Second
	windowLongest   = 900 * time.Second
	// factoryWindow is how long a device that nobody owns waits to be paired.
	factoryWindow = 48 * time.Hour
)

// Options say who owns a node and how it behaves. The zero value is a device
// out of its box.
type Options struct {
	// Setup is what its label says. Passcode and discriminator are chosen where
	// the passcode is none.
	Setup setup.Payload
	// Fabrics are those that it is on from the beginning. On any, it is not
	// waiting to be paired; see Node.OpenWindow.
	Fabrics []Fabric
	// Sleep, where not nil, makes it hear only when it polls.
	Sleep *Sleep
	// Parameters are what it says of itself in handshakes and announcements.
	// What is not said follows from Sleep and the standard's defaults.
	Parameters message.SessionParameters
	// Time is what it takes for the date; the default is the machine's clock,
	// but not before its firmware was made, as real devices do it.
	Time func() time.Time
	// Changed is called, from any goroutine, when what the node announces is
	// no longer so: a window opened or closed, a fabric came or went, or it is
	// idle for long from now on, or not any more.
	Changed func()
	// Resumption is what it does about subscriptions over a restart, and Resolve
	// how it finds subscribers and registered clients, for at most
	// Resumption.Lookup; nil: it can't, but for sending Check-In messages to
	// where a client was when it registered.
	Resumption Resumption
	Resolve    Resolver
	// Registers is called, from any goroutine, when it is attached after a
	// restart and registers its names: a Thread device removes its host from the
	// SRP server before, so that those on the LAN hear a goodbye and an
	// announcement.
	Registers func()
	// Seed makes ids and data versions; nodes with one seed differ by device.
	Seed   uint64
	Quirks Quirks
}

// A Fabric is one that a node is on.
type Fabric struct {
	Member *fabric.Member
	// Admins are who may do everything: node ids or CAT subjects.
	Admins []uint64
	// Managers may do all but change who may do what.
	Managers []uint64
	VendorID uint16
	Label    string
}

// Quirks are what some devices do and others don't.
type Quirks struct {
	// Chunking is how a list that is too long for one message is sent.
	Chunking im.Chunking
	// NodeIDs puts both node ids into the headers of secure messages, 24 octets
	// instead of 8, as matter.js does.
	NodeIDs bool
	// OldRevision: Thread Network Diagnostics before revision 3, without
	// ExtAddress and Rloc16.
	OldRevision bool
	// SwappedExtAddress: the octets of the attribute ExtAddress are reversed,
	// as in connectedhomeip before 1.4.2.
	SwappedExtAddress bool
	// NoParentRoute: a minimal device has an empty route table.
	NoParentRoute bool
	// NoThreadData: the Thread cluster is there and knows nothing, as of a device
	// whose radio is in no network, or whose stack is another program's.
	NoThreadData bool
	// PlainICD: no attribute for sleepy devices even where it sleeps.
	PlainICD bool

	// Delay is how long the node thinks before it answers a request or the
	// first message of a handshake.
	Delay time.Duration
	// StopAfter is how many ReportData messages of an exchange are sent; then
	// the node says nothing more in it. 0: all.
	StopAfter int
	// BusyHandshakes is how many Sigma1 are answered with "busy, wait
	// BusyWait", BusyRequests how many requests with status BUSY.
	BusyHandshakes int
	BusyWait       time.Duration
	BusyRequests   int
	// OneHandshake: while one goes on, others are told to wait BusyWait.
	OneHandshake bool
	// MaxPaths of one request, more are answered with PATHS_EXHAUSTED; 0: 64.
	MaxPaths int
	// MaxSessions of each fabric, the one that was not used for longest is
	// forgotten without a word; 0: DefaultSessions.
	MaxSessions      int
	MaxSubscriptions int // of each fabric; 0: DefaultSubscriptions
	// ForgetRecords: every handshake is a full one.
	ForgetRecords bool
	// QuietKeepAlive: no answer is wanted to a report that says nothing, as of
	// matter.js.
	QuietKeepAlive bool
	// EmptyTXT announces no key, whatever the parameters are.
	EmptyTXT bool
}

// firmwareDate is when the firmware of all devices was made: the last known
// good time of a device that has no clock (Core 3.5.6).
var firmwareDate = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func deviceTime() time.Time {
	if now := time.Now(); now.After(firmwareDate) {
		return now
	}
	return firmwareDate
}

func (o *Options) withDefaults(seed uint64) error {
	if o.Time == nil {
		o.Time = deviceTime
	}
	q := &o.Quirks
	for _, d := range []struct {
		v *int
		n int
	}{{&q.MaxPaths, 64}, {&q.MaxSessions, DefaultSessions}, {&q.MaxSubscriptions, DefaultSubscriptions}} {
		if *d.v <= 0 {
			*d.v = d.n
		}
	}
	if q.BusyWait <= 0 {
		q.BusyWait = 500 * time.Millisecond
	}
	if o.Resumption.Lookup <= 0 {
		o.Resumption.Lookup = defaultLookup
	}
	if o.Resumption.Retry <= 0 {
		o.Resumption.Retry = defaultRetry
	}
	if o.Setup.Passcode.IsZero() {
		p, err := choosePasscode(seed)
		if err != nil {
			return err
		}
		o.Setup.Passcode, o.Setup.Discriminator = p, setup.Discriminator{Value: uint16(seed>>40) & 0xfff}
	}
	if o.Setup.Discriminator.Short || o.Setup.Discriminator.Value > 0xfff {
		return errors.New("simulated Matter node: a label has a discriminator of 12 bits")
	}
	if len(o.Fabrics) > MaxFabrics {
		return fmt.Errorf("simulated Matter node: on %d fabrics: %d are possible", len(o.Fabrics), MaxFabrics)
	}
	for _, f := range o.Fabrics {
		if f.Member == nil {
			return errors.New("simulated Matter node: a fabric without a member")
		}
		for _, s := range slices.Concat(f.Admins, f.Managers) {
			if !validSubject(s) {
				return fmt.Errorf("simulated Matter node: %016X is no node id and no CAT subject", s)
			}
		}
	}
	if s := o.Sleep; s != nil {
		if err := s.check(); err != nil {
			return err
		}
		o.Parameters = o.Parameters.Or(message.SessionParameters{Idle: s.Slow, Active: s.Fast, ActiveThreshold: s.Threshold})
	}
	o.Parameters = o.Parameters.Or(message.SessionParameters{
		Idle: message.DefaultIdle, Active: message.DefaultActive, ActiveThreshold: message.DefaultActiveThreshold,
		DataModelRevision: dataModelRevision, InteractionModelRevision: im.Revision, SpecificationVersion: specificationVersion, MaxPathsPerInvoke: 1,
	})
	return nil
}

// choosePasscode is a passcode that Matter allows.
func choosePasscode(seed uint64) (setup.Passcode, error) {
	for n := uint32(seed % spake2p.MaxPasscode); ; n = (n + 1) % spake2p.MaxPasscode {
		if spake2p.CheckPasscode(n) == nil {
			return setup.NewPasscode(n)
		}
	}
}

// catSubject is the upper half of a subject that names a CASE authenticated tag
// (Core 6.6.2.1.2).
const catSubject = 0xFFFFFFFD

// validSubject reports whether an access control entry can name s.
func validSubject(s uint64) bool {
	if s>>32 == catSubject {
		return s&0xffff != 0 // the version
	}
	return s >= cert.MinNodeID && s <= cert.MaxNodeID
}
