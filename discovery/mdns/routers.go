package mdns

import (
	"context"
	"errors"
	"net"
	"sync"

	"threadmap/discovery"
)

// Adverts listens for router advertisements on interfaces (chosen as by
// [Config.Interfaces]) until ctx ends, and calls tell for each, one call at a
// time. It solicits none. The error, a [Problem], says why nothing can be
// heard.
func Adverts(ctx context.Context, interfaces []string, tell func(discovery.Advert)) error {
	env := readEnvironment()
	all, err := net.Interfaces()
	var chosen []net.Interface
	if err == nil {
		chosen, err = choose(all, interfaces)
	}
	if err != nil {
		return Problem{Reason: NoInterface, Err: err, Fatal: true, env: env}
	}
	var nics []*nic
	for _, i := range chosen {
		nics = append(nics, &nic{Interface: i})
	}
	l, err := listenAdverts(nics)
	if err != nil {
		return Problem{Reason: NoRights, Err: err, Fatal: true, env: env}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	in := make(chan packet, waiting)
	var reader sync.WaitGroup
	failed := make(chan struct{})
	reader.Go(func() { defer close(failed); l.read(ctx, in) })
	defer reader.Wait()
	defer l.close()
	for {
		select {
		case p := <-in:
			tell(*p.ra)
		case <-ctx.Done():
			return nil
		case <-failed:
			if ctx.Err() != nil {
				return nil
			}
			return Problem{Reason: SocketFailed, Err: errReading, Fatal: true, env: env}
		}
	}
}

var errReading = errors.New("the socket fails again and again")
