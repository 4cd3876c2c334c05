package matter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"threadmap/diag/matter/sigma"
	"threadmap/diag/matter/transport"
)

// A scan is what the probes of one plan share: a socket, the turns, and the
// records.
type scan struct {
	source Source
	turns  *turns
	awake  map[string]*countdown // by network: the nodes that late ones let go first

	keeping sync.Mutex // Records and Done

	mu       sync.Mutex
	endpoint *transport.Endpoint // nil: not open
	users    int
}

func newScan(s Source, p plan) *scan {
	c := &scan{source: s, awake: map[string]*countdown{}, turns: newTurns(func(network string) Pace {
		switch {
		case s.Unthrottled:
			return Pace{}
		case network == lan:
			return lanPace
		}
		return ThreadPace
	})}
	for _, t := range p.targets {
		if c.awake[t.network] == nil {
			c.awake[t.network] = &countdown{done: make(chan struct{})}
		}
		if !t.late() {
			c.awake[t.network].left++
		}
	}
	for _, n := range c.awake {
		n.add(0)
	}
	return c
}

// open is the socket of the scan. The last of those who opened it closes it.
func (c *scan) open(ctx context.Context) (*transport.Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.endpoint == nil {
		listen := c.source.ListenPacket
		if listen == nil {
			listen = listenUDP
		}
		pc, err := listen(ctx)
		if err != nil {
			return nil, fmt.Errorf("can't open a UDP socket: %w", root(err))
		}
		c.endpoint = transport.New(pc, transport.Options{Response: answer})
	}
	c.users++
	return c.endpoint, nil
}

func (c *scan) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users--; c.users == 0 {
		c.endpoint.Close()
		c.endpoint = nil
	}
}

// listenUDP opens a socket for IPv6 and IPv4, whichever of them this machine
// has.
func listenUDP(ctx context.Context) (net.PacketConn, error) {
	var c net.ListenConfig
	pc, err := c.ListenPacket(ctx, "udp", ":0")
	if err != nil {
		return c.ListenPacket(ctx, "udp4", ":0")
	}
	return pc, nil
}

// root is the innermost error: "address already in use".
func root(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// load finds the record of a node.
func (c *scan) load(node uint64) (r sigma.Record) {
	c.keeping.Lock()
	defer c.keeping.Unlock()
	if c.source.Records.Load == nil {
		return sigma.Record{}
	}
	r, ok := c.source.Records.Load(node)
	if !ok || !r.In(c.source.Member) || r.Peer().NodeID != node {
		return sigma.Record{}
	}
	return r
}

func (c *scan) save(node uint64, r sigma.Record) {
	c.keeping.Lock()
	defer c.keeping.Unlock()
	if c.source.Records.Save != nil {
		c.source.Records.Save(node, r)
	}
}

func (c *scan) done(r Record) {
	c.keeping.Lock()
	defer c.keeping.Unlock()
	if c.source.Done != nil {
		c.source.Done(r)
	}
}

func (c *scan) now() time.Time {
	if c.source.Now == nil {
		return time.Now()
	}
	return c.source.Now()
}

// A countdown tells when a number of things is done.
type countdown struct {
	mu   sync.Mutex
	left int
	over bool
	done chan struct{}
}

// add changes the number.
func (n *countdown) add(by int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left += by
	if n.left <= 0 && !n.over {
		n.over = true
		close(n.done)
	}
}

// wait waits until all is done, limit has passed or ctx ends.
func (n *countdown) wait(ctx context.Context, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-n.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}
