package icdhome

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"threadmap/simulators/simnet"
)

// A radio is a device's socket: one port on each of its addresses. To a peer it
// answers from the address that the peer spoke to; of its own accord it speaks
// from the newest, as source address selection has it where a second border
// router brings a second prefix.
type radio struct {
	in   chan datagram
	done chan struct{}
	once sync.Once

	mu    sync.Mutex
	conns []*simnet.Conn
	via   map[netip.AddrPort]*simnet.Conn // peers, and where they spoke to
	until time.Time                       // read deadline
	moved chan struct{}
	going sync.WaitGroup
}

type datagram struct {
	b    []byte
	from netip.AddrPort
	at   *simnet.Conn
}

func newRadio(n *simnet.Net, at netip.AddrPort) (*radio, error) {
	r := &radio{in: make(chan datagram, 64), done: make(chan struct{}), via: map[netip.AddrPort]*simnet.Conn{}, moved: make(chan struct{})}
	return r, r.add(n, at)
}

// add gives it one more address, which becomes the one that it speaks from.
func (r *radio) add(n *simnet.Net, at netip.AddrPort) error {
	c, err := n.ListenPacket(at)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.conns = append(r.conns, c)
	r.mu.Unlock()
	r.going.Go(func() {
		buf := make([]byte, 1600)
		for {
			n, from, err := c.ReadFromAddrPort(buf)
			if err != nil {
				return
			}
			select {
			case r.in <- datagram{append([]byte(nil), buf[:n]...), from, c}:
			case <-r.done:
				return
			}
		}
	})
	return nil
}

// forget is a restart: whom it had spoken with it does not know any more.
func (r *radio) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.via)
}

func (r *radio) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		r.mu.Lock()
		until, moved := r.until, r.moved
		r.mu.Unlock()
		var late <-chan time.Time
		var timer *time.Timer
		if !until.IsZero() {
			left := time.Until(until)
			if left <= 0 {
				return 0, nil, os.ErrDeadlineExceeded
			}
			timer = time.NewTimer(left)
			late = timer.C
		}
		stop := func() {
			if timer != nil {
				timer.Stop()
			}
		}
		select {
		case d := <-r.in:
			stop()
			r.mu.Lock()
			r.via[d.from] = d.at
			r.mu.Unlock()
			return copy(b, d.b), net.UDPAddrFromAddrPort(d.from), nil
		case <-late:
		case <-moved:
			stop()
		case <-r.done:
			stop()
			return 0, nil, net.ErrClosed
		}
	}
}

func (r *radio) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, os.ErrInvalid
	}
	peer := u.AddrPort()
	r.mu.Lock()
	c := r.via[peer]
	if c == nil {
		c = r.conns[len(r.conns)-1]
		r.via[peer] = c
	}
	r.mu.Unlock()
	return c.WriteTo(b, u)
}

func (r *radio) Close() error {
	r.once.Do(func() {
		close(r.done)
		r.mu.Lock()
		conns := r.conns
		r.mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	})
	r.going.Wait()
	return nil
}

func (r *radio) LocalAddr() net.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conns[0].LocalAddr()
}

func (r *radio) SetReadDeadline(t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until = t
	close(r.moved)
	r.moved = make(chan struct{})
	return nil
}

func (r *radio) SetDeadline(t time.Time) error    { return r.SetReadDeadline(t) }
func (r *radio) SetWriteDeadline(time.Time) error { return nil }
