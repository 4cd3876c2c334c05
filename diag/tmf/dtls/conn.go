package dtls

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"threadmap/diag/tmf/dtls/association"
)

// closeWait is how long Close tries to send close_notify through a socket that
// does not take it.
const closeWait = time.Second

// A Conn is an established session. Each Write is one record, which is one
// datagram; each Read gives the data of one, and cuts off what does not fit, as
// UDP sockets do. Its methods are safe for concurrent use.
type Conn struct {
	local, remote net.Addr
	// write sends a datagram to the peer; called with mu held.
	write func([]byte) error
	// closeSocket gives up the socket, or the listener's interest; called once.
	closeSocket func() error
	// setWriteDeadline reaches the socket, where it is the Conn's own; else nil.
	setWriteDeadline func(time.Time) error

	once     sync.Once     // closeSocket
	closeErr error         // of closeSocket
	arrived  chan struct{} // holds a token while there may be something to read

	mu         sync.Mutex
	assoc      *association.Association
	queue      [][]byte
	err        error         // why nothing more comes; the queue is read first
	done       chan struct{} // closed when err is set
	readUntil  time.Time
	writeUntil time.Time
	moved      chan struct{} // closed and replaced when readUntil changes
}

var _ net.Conn = (*Conn)(nil)

func newConn(a *association.Association, local, remote net.Addr) *Conn {
	return &Conn{
		local: local, remote: remote, assoc: a,
		arrived: make(chan struct{}, 1), done: make(chan struct{}), moved: make(chan struct{}),
	}
}

// flush sends what the association wants to be sent and takes what came in. mu
// is held.
func (c *Conn) flush() error {
	var err error
	for _, d := range c.assoc.Datagrams() {
		if e := c.write(d); e != nil && err == nil {
			err = e // the others may still pass
		}
	}
	if in := c.assoc.Messages(); len(in) > 0 {
		// The association bounds a batch; this bounds what nobody reads.
		if room := maxUnread - len(c.queue); room < len(in) {
			in = in[:max(room, 0)]
		}
		c.queue = append(c.queue, in...)
		c.wake()
	}
	if ended := c.assoc.Err(); ended != nil {
		c.finish(ended)
	}
	return err
}

// maxUnread is how many records a Conn keeps for a reader. More are dropped, as
// a full socket buffer drops them.
const maxUnread = 256

func (c *Conn) wake() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// finish notes why nothing more comes. mu is held.
func (c *Conn) finish(err error) {
	if c.err != nil {
		return
	}
	switch {
	case errors.Is(err, association.ErrPeerClosed):
		err = io.EOF
	case errors.Is(err, association.ErrClosed):
		err = net.ErrClosed
	}
	c.err = err
	close(c.done)
}

// receive takes in a datagram.
func (c *Conn) receive(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.assoc.Receive(b)
	c.flush() // an answer that can't be sent is an answer that got lost
}

// Read waits for a record of application data.
func (c *Conn) Read(b []byte) (int, error) {
	for {
		c.mu.Lock()
		until, moved := c.readUntil, c.moved
		late := !until.IsZero() && !time.Now().Before(until)
		if len(c.queue) > 0 && !late && !errors.Is(c.err, net.ErrClosed) {
			m := c.queue[0]
			if c.queue = c.queue[1:]; len(c.queue) > 0 {
				c.wake() // another reader may wait
			}
			c.mu.Unlock()
			return copy(b, m), nil
		}
		err := c.err
		c.mu.Unlock()
		switch {
		case errors.Is(err, net.ErrClosed):
			return 0, c.opError("read", err)
		case late:
			return 0, c.opError("read", os.ErrDeadlineExceeded)
		case err == io.EOF:
			return 0, io.EOF // bare, as every io.Reader gives it
		case err != nil:
			return 0, c.opError("read", err)
		}
		c.await(until, moved)
	}
}

// await returns when there may be something new.
func (c *Conn) await(until time.Time, moved chan struct{}) {
	var late <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		late = t.C
	}
	select {
	case <-c.arrived:
	case <-moved:
	case <-late:
	case <-c.done:
	}
}

// Write sends b in one record. It does not wait for anything but the socket.
func (c *Conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		err := c.err
		if err == io.EOF {
			err = association.ErrPeerClosed
		}
		return 0, c.opError("write", err)
	}
	if !c.writeUntil.IsZero() && !time.Now().Before(c.writeUntil) {
		return 0, c.opError("write", os.ErrDeadlineExceeded)
	}
	if err := c.assoc.Send(b); err != nil {
		c.flush()
		return 0, c.opError("write", err)
	}
	if err := c.flush(); err != nil {
		return 0, c.opError("write", err)
	}
	return len(b), nil
}

// Close tells the peer, by close_notify, and closes the socket. It can be
// called more than once and does not wait for the peer.
func (c *Conn) Close() error {
	if c.setWriteDeadline != nil { // for a Write that blocks, and for our own
		c.setWriteDeadline(time.Now().Add(closeWait))
	}
	c.mu.Lock()
	c.assoc.Close()
	c.flush()
	if c.err != net.ErrClosed { // whatever ended it before, from now on it is closed
		if c.err == nil {
			close(c.done)
		}
		c.err = net.ErrClosed
	}
	c.queue = nil
	c.mu.Unlock()
	c.once.Do(func() { c.closeErr = c.closeSocket() })
	return c.closeErr
}

// LocalAddr is that of the socket.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is that of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline is net.Conn's: it holds for reads under way too, and the zero
// time is none.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == net.ErrClosed {
		return c.opError("set", net.ErrClosed)
	}
	c.readUntil = t
	close(c.moved)
	c.moved = make(chan struct{})
	return nil
}

// SetWriteDeadline is net.Conn's.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.setWriteDeadline != nil { // without mu, which a blocked Write holds
		if err := c.setWriteDeadline(t); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == net.ErrClosed {
		return c.opError("set", net.ErrClosed)
	}
	c.writeUntil = t
	return nil
}

func (c *Conn) opError(op string, err error) error {
	var inner *net.OpError
	if errors.As(err, &inner) {
		return err // the socket has said where
	}
	return &net.OpError{Op: op, Net: "dtls", Source: c.local, Addr: c.remote, Err: err}
}

// timeoutError is a net.Error for a handshake that nobody answered.
type timeoutError struct{ error }

func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return false }
func (e timeoutError) Unwrap() error { return e.error }

func handshakeError(peer net.Addr, err error) error {
	err = fmt.Errorf("dtls: handshake with %v: %w", peer, err)
	if errors.Is(err, ErrTimeout) {
		return timeoutError{err}
	}
	return err
}
