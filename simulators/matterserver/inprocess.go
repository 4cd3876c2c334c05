package matterserver

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// InProcess is a way to a web server that needs no socket: each connection is a
// pair of pipes, so it works in virtual time. It has the form of
// http.Transport's DialContext. A connection ends when either side closes it.
func InProcess(h http.Handler) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		l := &single{conn: far, closed: make(chan struct{})}
		srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
		go srv.Serve(l) // ends when the connection does
		return near, nil
	}
}

// A single is a listener for one connection. It is closed when that is.
type single struct {
	conn   net.Conn
	given  sync.Once
	once   sync.Once
	closed chan struct{}
}

// Accept gives the connection once, and then waits for its end.
func (l *single) Accept() (net.Conn, error) {
	var c net.Conn
	l.given.Do(func() { c = &ending{l.conn, l} })
	if c != nil {
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

// Close ends the listener.
func (l *single) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is the pipe's.
func (l *single) Addr() net.Addr { return l.conn.LocalAddr() }

// An ending connection takes its listener with it.
type ending struct {
	net.Conn
	l *single
}

// Close closes both.
func (c *ending) Close() error {
	c.l.Close()
	return c.Conn.Close()
}
