package canary

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"threadmap/diag/matter/fabric"
)

// What a State says of itself, and the bounds of one that is read.
const (
	stateFormat  = "threadmap-canary"
	stateVersion = 1
	maxState     = 64 << 10
	maxHeld      = 16
	maxText      = 200

	// lifetime is how long a canary may stand in a device's tables. The standard
	// knows no end of a registration, so the date is for whoever finds the State.
	lifetime = 24 * time.Hour
)

// A State is what a canary has, or may have, on one device. It holds no secret.
// The zero State is of none.
type State struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Fabric  string    `json:"fabric"`  // compressed fabric id, 16 hex digits
	Node    string    `json:"node"`    // of the device, 16 hex digits
	Client  string    `json:"client"`  // our own node id, 16 hex digits
	Owner   string    `json:"owner"`   // who made it
	Made    time.Time `json:"made"`    // when that began
	Expires time.Time `json:"expires"` // after which it should be gone
	// Subscriptions are those that the device may have of us. Subscribing: it may
	// also have one whose number we never learnt.
	Subscriptions []Held `json:"subscriptions,omitempty"`
	Subscribing   bool   `json:"subscribing,omitempty"`
	// Registered: it may send us Check-In messages.
	Registered bool `json:"registered,omitempty"`
	// Pending says why it is still there after the canary ended.
	Pending string `json:"pending,omitempty"`
}

// A Held is a subscription.
type Held struct {
	ID  uint32    `json:"id"`
	Max uint32    `json:"max"` // MaxInterval, in seconds
	At  time.Time `json:"at"`  // when it was made
}

// Empty reports whether nothing is left on the device.
func (s State) Empty() bool {
	return len(s.Subscriptions) == 0 && !s.Subscribing && !s.Registered
}

// ParseState reads what json.Marshal wrote.
func ParseState(b []byte) (State, error) {
	var s State
	if len(b) > maxState {
		return State{}, errors.New("canary: the state is too long")
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return State{}, fmt.Errorf("canary: the state can't be read: %w", err)
	}
	if s.Format != stateFormat || s.Version != stateVersion {
		return State{}, fmt.Errorf("canary: the state is of format %.40q, version %d; this program reads %q, version %d", s.Format, s.Version, stateFormat, stateVersion)
	}
	for _, id := range []string{s.Fabric, s.Node, s.Client} {
		if _, err := parseID(id); err != nil {
			return State{}, err
		}
	}
	if len(s.Subscriptions) > maxHeld || len(s.Owner) > maxText || len(s.Pending) > maxText {
		return State{}, errors.New("canary: the state holds more than a canary makes")
	}
	return s, nil
}

// Device is whose state it is: the compressed id of the fabric, and the
// device's node id in it.
func (s State) Device() (fabric, node uint64) {
	fabric, _ = parseID(s.Fabric)
	node, _ = parseID(s.Node)
	return fabric, node
}

func parseID(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		return 0, fmt.Errorf("canary: the state: %.40q are not 16 hex digits", s)
	}
	return n, nil
}

func (s State) of(m *fabric.Member, node uint64) bool {
	f, n := s.Device()
	return f == m.CompressedID() && n == node && s.Client == hex16(m.NodeID)
}

func hex16(n uint64) string { return fmt.Sprintf("%016x", n) }

func (s State) clone() State {
	s.Subscriptions = slices.Clone(s.Subscriptions)
	return s
}

func cut(s string) string { return s[:min(len(s), maxText)] }
