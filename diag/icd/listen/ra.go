package listen

import (
	"context"

	"threadmap/diag/icd"
	"threadmap/diag/icd/listen/heard"
	"threadmap/discovery"
	"threadmap/discovery/mdns"
)

// RA reports router advertisements: which prefixes border routers offer a way
// to, and which they withdraw. It only listens, and needs the right to open a
// raw socket.
func RA(ctx context.Context, c Config, observe icd.Observe) error {
	tell := func(a discovery.Advert) {
		for _, seen := range heard.RA(a, c.Scope) {
			observe(a.At, seen)
		}
	}
	if c.Adverts == nil {
		return mdns.Adverts(ctx, c.Interfaces, tell)
	}
	for {
		select {
		case a, ok := <-c.Adverts:
			if !ok {
				return nil
			}
			tell(a)
		case <-ctx.Done():
			return nil
		}
	}
}
