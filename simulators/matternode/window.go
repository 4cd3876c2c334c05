package matternode

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/matter/session"
	"threadmap/diag/matter/setup"
	"threadmap/diag/matter/spake2p"
)

// Commissioning modes as announced (TXT CM).
const (
	noWindow       = 0
	basicWindow    = 1 // with the passcode of the label
	enhancedWindow = 2 // with one made for it
)

// A window is the time in which a node lets itself be paired (Core 5.5).
type window struct {
	mode          uint8
	discriminator uint16
	registration  spake2p.Registration
	salt          []byte
	iterations    uint32
	attempts      int
	pairing       bool // a handshake goes on
	timer         *time.Timer
	instance      string // of the announcement
	byFabric      uint8  // who opened it; 0: the node itself
	byVendor      uint16
}

func (w *window) isOpen() bool { return w.mode != noWindow }

var errWindow = errors.New("a commissioning window is open already")

// OpenWindow lets the node be paired for a while with a passcode of its own
// making, as a user does in the app of a controller that has the node. It
// returns what the app would show.
func (n *Node) OpenWindow(d time.Duration) (setup.Payload, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.o.Setup
	var err error
	if p.Passcode, err = choosePasscode(n.rand.Uint64()); err != nil {
		return setup.Payload{}, err
	}
	p.Discriminator = setup.Discriminator{Value: uint16(n.rand.Uint32N(1 << 12))}
	return p, n.openFor(enhancedWindow, p, d)
}

// Window is how the node is announced while it waits to be paired.
func (n *Node) Window() (discriminator uint16, open bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.window.discriminator, n.window.isOpen()
}

// CloseWindow ends the time in which the node can be paired.
func (n *Node) CloseWindow() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closeWindow()
}

// openFactoryWindow is that of a device that nobody owns. The lock is held, or
// nobody else has the node yet.
func (n *Node) openFactoryWindow() error {
	return n.openFor(basicWindow, n.o.Setup, factoryWindow)
}

// windowIterations of PBKDF2: the least there may be, a device's processor is
// slow.
const windowIterations = spake2p.MinIterations

func (n *Node) openFor(mode uint8, p setup.Payload, d time.Duration) error {
	salt := make([]byte, spake2p.MaxSaltLen)
	rand.Read(salt)
	s, err := spake2p.Derive(p.Passcode.Number(), salt, windowIterations)
	if err != nil {
		return fmt.Errorf("simulated Matter node: %w", err)
	}
	return n.openWindow(window{
		mode: mode, discriminator: p.Discriminator.Value, registration: s.Registration(), salt: salt, iterations: windowIterations,
	}, d)
}

// openWindow opens w. The lock is held.
func (n *Node) openWindow(w window, d time.Duration) error {
	if n.window.isOpen() {
		return errWindow
	}
	w.instance = fmt.Sprintf("%016X", n.rand.Uint64())
	instance := w.instance
	w.timer = time.AfterFunc(d, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.window.instance == instance {
			n.closeWindow()
		}
	})
	n.window = w
	n.changed(pathOf(0, administratorCommissioning, 0), pathOf(0, administratorCommissioning, 1), pathOf(0, administratorCommissioning, 2))
	n.announcementChanged()
	return nil
}

// closeWindow closes the window, if it is open. The lock is held.
func (n *Node) closeWindow() {
	if !n.window.isOpen() {
		return
	}
	n.window.timer.Stop()
	n.window = window{}
	n.changed(pathOf(0, administratorCommissioning, 0), pathOf(0, administratorCommissioning, 1), pathOf(0, administratorCommissioning, 2))
	n.announcementChanged()
}

// waiting reports whether the node waits to be paired.
func (n *Node) waiting() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.window.isOpen()
}

// enterPairing begins the one handshake that there may be at a time.
func (n *Node) enterPairing() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.window.pairing {
		return false
	}
	n.window.pairing = true
	return true
}

func (n *Node) leavePairing() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.window.pairing = false
}

// pairingWindow is what a handshake needs of the window.
func (n *Node) pairingWindow() (session.Window, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := &n.window
	return session.Window{Registration: w.registration, Salt: w.salt, Iterations: w.iterations, Over: n.tried}, w.isOpen()
}

// tried is told how a handshake ended: after MaxAttempts failures the window
// closes.
func (n *Node) tried(tried, established bool) {
	if !tried || established {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.window.attempts++; n.window.attempts >= MaxAttempts {
		n.closeWindow()
	}
}
