package listen

import (
	"context"
	"io/fs"
	"net/netip"
	"time"

	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
)

// A Config says what is watched and where. Scope is needed; the zero value of
// all else is this machine's LAN.
type Config struct {
	Scope *heard.Scope
	// Interfaces are the names of those to listen on; empty: all usable ones.
	Interfaces []string
	// Quiet leaves out the browse at the start: nothing is sent by MDNS at all.
	Quiet bool
	// Warn, where set, is told in one line what an observer that goes on can't
	// see, from any goroutine.
	Warn func(error)

	// What follows replaces parts of the machine, in tests and simulations.

	Sockets []mdns.Socket           // of MDNS, which closes them
	Adverts <-chan discovery.Advert // of RA, until it is closed
	// Echo sends one ICMPv6 echo request and waits for the reply until ctx ends.
	Echo func(ctx context.Context, to netip.Addr) (time.Duration, error)
	// Root has the files of a Linux system, and no neighbour table.
	Root fs.FS
}

func (c *Config) warn(err error) {
	if c.Warn != nil {
		c.Warn(err)
	}
}
