package matternode

import (
	"context"
	"net/netip"
	"time"
)

// A Persistence is what becomes of subscriptions when a node is restarted, or
// can't reach a subscriber.
type Persistence uint8

const (
	// Forgets has subscriptions in memory only: a restarted node waits for new
	// ones (connectedhomeip with CHIP_CONFIG_PERSIST_SUBSCRIPTIONS off, the
	// default of many platforms).
	Forgets Persistence = iota
	// TriesOnce keeps them, and after a start tries each once: what fails is
	// forgotten (connectedhomeip without
	// CHIP_CONFIG_SUBSCRIPTION_TIMEOUT_RESUMPTION).
	TriesOnce
	// KeepsTrying tries again after 300 s and what grows from there with the
	// Fibonacci numbers; and does so, too, when a report is not answered while
	// the node runs.
	KeepsTrying
)

// A Resumption is what a node's firmware does about its subscriptions and
// events over a restart. The zero value forgets subscriptions and goes on with
// the numbers of events. What of a single restart is otherwise is in
// [RebootOptions].
type Resumption struct {
	Persistence Persistence
	// Lookup is how long it asks for a subscriber's address; 0: 45 s.
	Lookup time.Duration
	// Retry is what the time between two tries consists of; 0: 300 s.
	Retry time.Duration
	// ForgetRecords: records of sessions are in memory only, so that after a
	// start each handshake is a full one. See [Quirks] for a node that never has
	// one.
	ForgetRecords bool
	// RestartEvents: the numbers of events begin again at 1 with each start,
	// where they should rise over the node's life (Core 7.14.2.1).
	RestartEvents bool
	// LazyEvents: events are told only with the reports that are due because
	// nothing else was told for MaxInterval, though the subscriber calls them
	// urgent.
	LazyEvents bool
}

// Numbers of connectedhomeip.
const (
	defaultLookup = 45 * time.Second
	defaultRetry  = 300 * time.Second
	longestRetry  = 6 * time.Hour
	mostRetries   = 10 // a try more often failed than this is the last
	// threadMargin is what a node on a mesh adds to its peers' intervals.
	threadMargin = 1500 * time.Millisecond
)

// retryAfter is the time to the next try after n that failed since something
// last succeeded, this one not counted.
func (r *Resumption) retryAfter(n int) time.Duration {
	if n > mostRetries {
		return longestRetry
	}
	a, b := time.Duration(0), time.Duration(1)
	for range n {
		a, b = b, a+b
	}
	return min(r.Retry*(1+a), longestRetry)
}

// A Resolver finds a node of a fabric, as a device does by asking DNS-SD for
// `<compressed fabric>-<node>._matter._tcp`. It ends with ctx.
type Resolver = func(ctx context.Context, compressedFabric, node uint64) ([]netip.AddrPort, error)

// A BootReason is why a node was started (BootReasonEnum, Core 11.12.4.5).
type BootReason uint8

// The reasons. The zero value of [RebootOptions] means PowerOnReboot.
const (
	PowerOnReboot           BootReason = 1
	BrownOutReset           BootReason = 2
	SoftwareWatchdogReset   BootReason = 3
	HardwareWatchdogReset   BootReason = 4
	SoftwareUpdateCompleted BootReason = 5
	SoftwareReset           BootReason = 6
)

// RebootOptions are how a node is restarted. The zero value is a battery taken
// out and put in again in no time.
type RebootOptions struct {
	Reason BootReason
	// Down is how long it has no power.
	Down time.Duration
	// Boot is how long it takes from power on until it is attached to its
	// network, registered, and hears what is said to it.
	Boot time.Duration
	// Orderly: the program is stopped and tells its subscribers so: an event
	// ShutDown, and the end of the session. Its subscriptions end with that, as
	// matter.js does it.
	Orderly bool
	// LoseSubscriptions, LoseRecords and LoseClients are parts of its memory
	// that don't survive this time: subscriptions, records of sessions, clients
	// registered for Check-In.
	LoseSubscriptions, LoseRecords, LoseClients bool
	// Again, unless 0, is a node that does not hold out: so long after each
	// power on it is restarted once more, with the reason BrownOutReset, until
	// Reboot is called again. Times is how often; 0: for ever.
	Again time.Duration
	Times int
}

// A Stored is a subscription in the memory that outlives a restart.
type Stored struct {
	ID     uint32
	Fabric uint8  // index
	Node   uint64 // the subscriber
	Failed int    // tries to resume it that failed
	Live   bool   // it is also one that reports
}
