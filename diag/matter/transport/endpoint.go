package transport

import (
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"threadmap/diag/matter/message/mrp"
)

// Waits of an Endpoint.
const (
	// defaultResponse is how long an acknowledged message waits for its answer:
	// 30 s are what slow devices are allowed for the work of a handshake, the
	// rest is for their repetitions of the answer.
	defaultResponse = 45 * time.Second
	// maxReadErrors in a row mean that the socket is lost; between them the
	// reader waits, at first for readPause.
	maxReadErrors = 10
	readPause     = 10 * time.Millisecond
	// maxUDP is the longest datagram that there can be, in octets.
	maxUDP = 65535
)

// ErrClosed means that the Endpoint was closed.
var ErrClosed = fmt.Errorf("matter transport: %w", net.ErrClosed)

// ErrSessionClosed means that the session is gone and a new one is needed.
var ErrSessionClosed = mrp.ErrSessionClosed

// A NoAckError means that the peer did not acknowledge a message, or that there
// is no way to it.
type NoAckError = mrp.NoAckError

// A Message is one that came.
type Message = mrp.Message

// Secured is what a handshake found.
type Secured = mrp.Secured

// Stats count datagrams and octets.
type Stats = mrp.Stats

// Options change an Endpoint. The zero value is a client's.
type Options struct {
	// Accept is called for each exchange that a peer opens, with the first
	// message waiting in it, in a goroutine of its own, of which there is a
	// limited number. Without it nobody may open exchanges. Exchanges of
	// unsecured sessions begin with a handshake or a Check-In, and are the word
	// of nobody: see Session.IsSecure. The exchange is closed when Accept
	// returns. Accept must not call Endpoint.Close, which waits for it.
	Accept func(*Exchange)
	// Response is how long Receive waits for the next message after all that
	// was sent is acknowledged, if its context does not end earlier. 0: 45 s.
	Response time.Duration
	// NodeIDs puts both node ids into the headers of secure messages, as some
	// stacks do.
	NodeIDs bool
}

// An Endpoint speaks over one socket. Its methods are safe for concurrent use.
type Endpoint struct {
	pc       net.PacketConn
	udp      udpConn // nil: pc has only the slow methods
	accept   func(*Exchange)
	response time.Duration

	readErrors, writeErrors atomic.Uint64

	done    chan struct{} // closed by Close
	kick    chan struct{} // holds a token when a deadline came closer
	running sync.WaitGroup

	mu        sync.Mutex
	machine   *mrp.Machine
	exchanges map[*mrp.Exchange]*Exchange // those that are not over
	sessions  map[*mrp.Session]*Session
	armed     time.Time // what the clock goroutine waits for
	err       error     // why it is over
}

// udpConn is what *net.UDPConn can do without allocating.
type udpConn interface {
	ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
}

// New starts an Endpoint on a socket, which it closes in the end.
func New(pc net.PacketConn, o Options) *Endpoint {
	var seed [32]byte
	crand.Read(seed[:]) // never fails
	e := &Endpoint{
		pc: pc, accept: o.Accept, response: o.Response,
		done: make(chan struct{}), kick: make(chan struct{}, 1),
		machine:   mrp.New(mrp.Config{Rand: rand.New(rand.NewChaCha8(seed)), Accept: o.Accept != nil, NodeIDs: o.NodeIDs}),
		exchanges: map[*mrp.Exchange]*Exchange{}, sessions: map[*mrp.Session]*Session{},
	}
	e.udp, _ = pc.(udpConn)
	if e.response <= 0 {
		e.response = defaultResponse
	}
	e.running.Go(e.read)
	e.running.Go(e.clock)
	return e
}

// LocalAddr is the socket's address.
func (e *Endpoint) LocalAddr() net.Addr { return e.pc.LocalAddr() }

// Close ends all sessions and exchanges without a word to the peers, closes the
// socket, and waits for everything that the Endpoint started. To tell a peer,
// close its session first.
func (e *Endpoint) Close() error {
	e.shut(ErrClosed)
	err := e.pc.Close()
	e.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// shut ends everything but the socket.
func (e *Endpoint) shut(why error) {
	e.do(func(time.Time) {
		if e.err == nil {
			e.err = why
			e.machine.Close(why)
			close(e.done)
		}
	})
}

// do changes the machine, and then sends and tells what came of it.
func (e *Endpoint) do(f func(now time.Time)) {
	e.mu.Lock()
	f(time.Now())
	out := e.settle()
	e.mu.Unlock()
	e.write(out)
}

// settle tells of the machine's events, and gives what is to be sent. The lock
// is held.
func (e *Endpoint) settle() []mrp.Datagram {
	for _, v := range e.machine.Events() {
		switch v.Kind {
		case mrp.Opened:
			x := e.exchange(v.Exchange)
			e.running.Go(func() {
				defer x.Close()
				e.accept(x)
			})
		case mrp.Ready:
			if x := e.exchanges[v.Exchange]; x != nil {
				x.changes()
				if v.Exchange.Err() != nil {
					delete(e.exchanges, v.Exchange)
				}
			}
		case mrp.Closed:
			if s := e.sessions[v.Session]; s != nil {
				delete(e.sessions, v.Session)
				close(s.closed)
			}
		}
	}
	if next := e.machine.Next(); !next.IsZero() && (e.armed.IsZero() || next.Before(e.armed)) {
		e.armed = next
		select {
		case e.kick <- struct{}{}:
		default:
		}
	}
	return e.machine.Datagrams()
}

// clock calls the machine when it wants to be called.
func (e *Endpoint) clock() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		e.mu.Lock()
		e.armed = e.machine.Next()
		next := e.armed
		e.mu.Unlock()
		wait := time.Hour
		if !next.IsZero() {
			wait = time.Until(next)
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
			e.do(e.machine.Tick)
		case <-e.kick:
		case <-e.done:
			return
		}
	}
}

// read takes in datagrams until the socket is closed or lost.
func (e *Endpoint) read() {
	// What is too long is taken whole, since some systems make an error of it,
	// and dropped by the machine.
	b := make([]byte, maxUDP)
	failures := 0
	for {
		n, from, err := e.readFrom(b)
		if err == nil {
			failures = 0
			e.do(func(now time.Time) {
				if e.err == nil {
					e.machine.Receive(now, from, b[:n]) // counts what it drops
				}
			})
			continue
		}
		select {
		case <-e.done:
			return
		default:
		}
		e.readErrors.Add(1)
		if !passing(err) { // some systems report here what became of an earlier datagram
			failures++
		}
		if errors.Is(err, net.ErrClosed) || failures == maxReadErrors {
			e.shut(fmt.Errorf("matter transport: the socket is lost: %w", err))
			return
		}
		select {
		case <-time.After(readPause << failures):
		case <-e.done:
			return
		}
	}
}

func (e *Endpoint) readFrom(b []byte) (int, netip.AddrPort, error) {
	if e.udp != nil {
		return e.udp.ReadFromUDPAddrPort(b)
	}
	n, from, err := e.pc.ReadFrom(b)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	u, ok := from.(*net.UDPAddr)
	if !ok {
		return 0, netip.AddrPort{}, fmt.Errorf("want a UDP socket, not one of %T", from)
	}
	return n, u.AddrPort(), nil
}

// write sends datagrams. The lock is not held.
func (e *Endpoint) write(out []mrp.Datagram) {
	for _, d := range out {
		var err error
		if e.udp != nil {
			_, err = e.udp.WriteToUDPAddrPort(d.Data, d.To)
		} else {
			_, err = e.pc.WriteTo(d.Data, net.UDPAddrFromAddrPort(d.To))
		}
		if err != nil {
			e.writeErrors.Add(1)
			e.do(func(now time.Time) { e.machine.NotSent(now, d, err, !passing(err)) })
		}
	}
}

// Stats counts everything of all sessions.
func (e *Endpoint) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.machine.Stats()
}

// SocketErrors counts how often the system failed to read and to write.
func (e *Endpoint) SocketErrors() (reads, writes uint64) {
	return e.readErrors.Load(), e.writeErrors.Load()
}
